"""Runs worlds in memory where there is room."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nearer.aid.migrate import create
from nearer.aid.store import Store

from ..town import LEDGER, Ticking
from .world import STEPS, World, set_up


@contextmanager
def prepared() -> Iterator[Path]:
    """A folder with a ledger to copy (``town.db``)."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        template = Path(name) / "town.db"
        create(str(template), ledger=LEDGER, now=Ticking())
        with Store(str(template), clock=Ticking()) as store:
            set_up(store)
        yield Path(name)


def live(seed: int, *, tell: Callable[[str], None] | None = None, steps: int = STEPS) -> None:
    """One world from its beginning to its end."""
    with prepared() as folder:
        _one(seed, folder, tell, steps)


def failures(
    seeds: Iterable[int], *, steps: int = STEPS, most: int = 5, tell: Callable[[str], None] | None = None
) -> dict[int, Exception]:
    """Seeds whose world broke, and how; after ``most`` the rest is not tried."""
    found: dict[int, Exception] = {}
    with prepared() as folder:
        for seed in seeds:
            try:
                _one(seed, folder, None, steps)
            except Exception as error:  # whatever it is, the seed is what is wanted
                found[seed] = error
                if tell is not None:
                    tell(f"seed {seed}: {type(error).__name__}: {error}")
                    tell(f"  again, with everything told: python -m tests.aid.simulation {seed}")
                if len(found) >= most:
                    break
    return found


def _one(seed: int, folder: Path, tell: Callable[[str], None] | None, steps: int) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        World(seed, folder / "town.db", Path(name), tell).run(steps)


def recorded(seed: int) -> list[str]:
    """Everything that is told of one world."""
    lines: list[str] = []
    live(seed, tell=lines.append)
    return lines
