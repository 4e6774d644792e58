"""Files written whole or not at all, and the hashes that name their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nearer.errors import OutputError


@contextmanager
def written_whole(path: Path, *, secret: bool = False) -> Iterator[Path]:
    """
    Give a path beside ``path`` to write to, and rename it over ``path`` when all went well.

    Parameters
    ----------
    path
        Where the file goes.
    secret
        Only its owner may read it, from the first byte on; the file beside is there already and is written into.

    Raises
    ------
    OutputError
        The disk is full or the folder cannot be written; nothing is left behind.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise OutputError(path, error.strerror or error) from error
    beside = Path(name)
    if not secret:
        beside.unlink()  # some drivers refuse a file that exists
    try:
        yield beside
        if not secret:
            beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        raise OutputError(path, error.strerror or error) from error
    finally:
        beside.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """
    Make sure that files can be written to a folder, which need not be there yet, before long work begins.

    Raises
    ------
    OutputError
        They cannot.
    """
    place = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    try:
        with tempfile.TemporaryDirectory(prefix=".new-", dir=place):
            pass
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """
    Write arrays to a compressed ``.npz`` file.

    Raises
    ------
    OutputError
        As ``written_whole``.
    """
    with written_whole(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def sha256(path: Path) -> str:
    """``sha256:`` and the hexadecimal digest of a file's bytes."""
    with Path(path).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
