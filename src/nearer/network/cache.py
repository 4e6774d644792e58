"""What was computed before, kept in the study folder under a hash of everything it came from."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nearer.errors import NearerError
from nearer.files import written_whole

CODE_VERSION = 1
"""Raised whenever the same input gives other arrays."""

FILES_KEPT = 12

Arrays = dict[str, NDArray[Any]]


def content_key(*parts: object) -> str:
    """Hexadecimal hash of arrays (type, shape, bytes) and of anything else by its ``repr``."""
    digest = hashlib.sha256(f"{CODE_VERSION}".encode())
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"|{part.dtype.str}{part.shape}|".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(f"|{part!r}|".encode())
    return digest.hexdigest()


def load(folder: Path | None, key: str) -> Arrays | None:
    """Arrays stored under a key; None where there are none or the file is damaged."""
    if folder is None:
        return None
    path = _path(folder, key)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        path.touch()  # the files used last are kept
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    return found


def store(folder: Path | None, key: str, arrays: Arrays) -> None:
    """Keep arrays for the next run, whole or not at all; a folder that cannot be written is left alone."""
    if folder is None:
        return
    path = _path(folder, key)
    try:
        with written_whole(path) as beside, beside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        files = sorted(path.parent.glob("*.npz"), key=lambda old: (old.stat().st_mtime, old.name), reverse=True)
        for old in files[FILES_KEPT:]:
            old.unlink(missing_ok=True)
    except (OSError, NearerError):
        return


def _path(folder: Path, key: str) -> Path:
    return folder / ".nearer" / "cache" / f"{key}.npz"
