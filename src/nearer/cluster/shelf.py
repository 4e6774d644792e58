"""Arrays in a shared folder, named by their content, so that messages carry names instead of arrays."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nearer.files import written_whole

Message = dict[str, Any]
"""What a job is told: numbers, texts, names of arrays; everything that JSON holds."""

_ARRAY = "array:"


@dataclass(frozen=True)
class Shelf:
    """
    A folder of arrays.

    Parameters
    ----------
    folder
        Where they lie; every worker sees it under this path.
    """

    folder: Path

    def put(self, array: NDArray[Any]) -> str:
        """
        Lay down an array, unless it lies there already, and say its name.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        array = np.ascontiguousarray(array)
        digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.data)
        name = _ARRAY + digest.hexdigest()
        path = self._path(name)
        if not path.exists():
            with written_whole(path) as beside, beside.open("wb") as file:
                np.save(file, array, allow_pickle=False)
        return name

    def get(self, name: str, *, mapped: bool = False) -> NDArray[Any]:
        """
        An array by its name.

        Parameters
        ----------
        mapped
            Read from the file as it is needed; what is written to it stays in this process.
        """
        found: NDArray[Any] = np.load(self._path(name), mmap_mode="c" if mapped else None, allow_pickle=False)
        return found.view(np.ndarray)

    def put_fields(self, value: Any) -> Message:
        """A frozen dataclass of arrays and plain values, its arrays laid down."""
        given = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: self.put(one) if isinstance(one, np.ndarray) else one for name, one in given.items()}

    def get_fields(self, message: Message) -> dict[str, Any]:
        """What ``put_fields`` was given, by the names of the fields."""
        return {
            name: self.get(one) if isinstance(one, str) and one.startswith(_ARRAY) else one
            for name, one in message.items()
        }

    def _path(self, name: str) -> Path:
        return self.folder / "arrays" / f"{name.removeprefix(_ARRAY)}.npy"


def key_of(*parts: object) -> str:
    """Hexadecimal hash of anything that JSON holds."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
