"""What the independent checks share: one claim against one finding, and how two values are compared."""

from __future__ import annotations

import contextlib
import math
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model import Certificate
from nearer.model.check import agrees


@dataclass(frozen=True)
class Check:
    """
    One thing the plan says, and what was found.

    Parameters
    ----------
    name
        What was compared.
    ok
        Whether they agree.
    claimed, found
        The two values; of many, the first that differ, else their sums.
    """

    name: str
    ok: bool
    claimed: float | str | None = None
    found: float | str | None = None

    def __str__(self) -> str:
        return f"{self.name}: agrees" if self.ok else f"{self.name}: the plan says {self.claimed}, found {self.found}"


@dataclass(frozen=True)
class Verdict:
    """
    What the check found.

    Parameters
    ----------
    checks
        Everything compared, in order.
    notes
        What could not be checked.
    """

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return all(check.ok for check in self.checks)

    @property
    def differing(self) -> tuple[Check, ...]:
        """What differs."""
        return tuple(check for check in self.checks if not check.ok)

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain values."""
        return {"ok": self.ok, "checks": [asdict(check) for check in self.checks], "notes": list(self.notes)}


def flat(value: Any, key: str = "") -> dict[str, Any]:
    """Nested tables and lists as dotted keys."""
    if isinstance(value, dict):
        return {k: v for name, item in value.items() for k, v in flat(item, f"{key}.{name}" if key else name).items()}
    if isinstance(value, list):
        return {k: v for number, item in enumerate(value, 1) for k, v in flat(item, f"{key}[{number}]").items()}
    return {key: value}


def load_arrays(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """
    Read the arrays of a proof that may have come from anywhere.

    Raises
    ------
    CheckFailedError
        They cannot be read, and so prove nothing.
    """
    if not path.is_file():
        raise CheckFailedError(f"no {path.name}")
    if zipfile.is_zipfile(path):  # numpy leaves a file open that is none
        with contextlib.suppress(Exception), np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    raise CheckFailedError(f"{path.name} cannot be read")


def load_certificate(path: Path, name: str = "") -> Certificate:
    """
    Read a proof that may have come from anywhere; ``name`` where it is not the main one of its file.

    Raises
    ------
    CheckFailedError
        It cannot be read, and so proves nothing.
    """
    if not path.is_file():
        raise CheckFailedError(f"no {path.name}")
    if zipfile.is_zipfile(path):  # numpy leaves a file open that is none
        with contextlib.suppress(Exception):
            return Certificate.load(path, name)
    raise CheckFailedError(f"{path.name} cannot be read")


def alike(claimed: float | None, found: float | None, scale: float = 0.0) -> bool:
    """Whether two numbers agree, or both are absent; ``scale`` is that of the sums that they are the difference of."""
    if claimed is None or found is None:
        return claimed is found
    return bool(agrees(claimed, found) or abs(claimed - found) <= 1e-9 * max(scale, 1e-3))


def equal(name: str, claimed: Any, found: Any) -> Check:
    """Two numbers that agree, or two equal values of any other kind."""
    numbers = isinstance(claimed, int | float) and isinstance(found, int | float)
    ok = alike(claimed, found) if numbers else claimed == found
    return Check(name, ok, *((claimed, found) if numbers else (str(claimed), str(found))))


def compare(name: str, claimed: dict[str, Any], found: dict[str, Any]) -> Iterator[Check]:
    """One check per key of two flat tables."""
    for key in sorted(claimed.keys() | found.keys()):
        told, known = claimed.get(key), found.get(key)
        yield Check(f"{name}: {key}", key in claimed and key in found and alike(told, known), told, known)


def vector(name: str, claimed: Sequence[float | None], found: Sequence[float], labels: Sequence[Any]) -> Check:
    """Two lists of numbers, one check; the first that differ are named by their label."""
    if len(claimed) != len(found):
        return Check(name, False, len(claimed), len(found))
    for told, known, label in zip(claimed, found, labels, strict=True):
        if not alike(told, float(known)):
            return Check(f"{name} ({label})", False, told, float(known))
    return Check(name, True, math.fsum(value or 0.0 for value in claimed), math.fsum(found))
