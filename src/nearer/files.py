"""Files written whole or not at all, and the hashes that name their content."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nearer.errors import OutputError

if sys.platform != "win32":  # there no file can be deleted that somebody has open
    import fcntl

_HOLD = ".held"
"""The file in a new folder that its process holds locked and open: whoever was killed holds nothing."""


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


@contextmanager
def new_folder(parent: Path) -> Iterator[Path]:
    """A hidden folder to fill, gone at the end with what is still in it; ``clear_left`` finds those of killed runs."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (folder / _HOLD).open("w", encoding="utf-8") as held:
            if _locked(held, wait=True):
                held.write(_whose(held))
                held.flush()
            yield folder


def clear_left(parent: Path) -> None:
    """
    Remove new folders that runs on this machine left when they were killed.

    One that is held stays, and so does one whose holder cannot be known: that of another machine on a shared drive,
    a copy, or one on a drive without locks.
    """
    for folder in parent.glob(".new-*"):
        with suppress(OSError):
            _clear_if_left(folder)


def _clear_if_left(folder: Path) -> None:
    file = folder / _HOLD
    with file.open("r+", encoding="utf-8") as held:
        if not _locked(held, wait=False) or held.read() != _whose(held):
            return
        if sys.platform != "win32":  # with the lock held, so that no two clear at once
            shutil.rmtree(folder, ignore_errors=True)
    if sys.platform == "win32":
        file.unlink()  # refused while its process has it open
    shutil.rmtree(folder, ignore_errors=True)  # a shared drive keeps what is open


def _locked(file: IO[str], *, wait: bool) -> bool:
    """Whether a lock could be had; always where an open file is one already."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _whose(file: IO[str]) -> str:
    """This machine and this very file, which no copy is, nor what a shared drive shows to another machine."""
    return f"{platform.node()} {os.fstat(file.fileno()).st_ino}\n"


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
