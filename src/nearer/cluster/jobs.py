"""What happens on a worker: a job is done once and its answer lies in the shared folder under the job's own hash."""

from __future__ import annotations

import hashlib
import platform
import uuid
import zipfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nearer
from nearer.cluster.shelf import Message, Shelf
from nearer.errors import NearerError
from nearer.files import written_whole
from nearer.progress import Stop

Answer = dict[str, NDArray[Any]]
Job = Callable[[Shelf, Message, Stop], Answer]
"""A function of a module that every worker can import; what it is told in, arrays out."""

_SAME = ("numpy", "scipy", "numba", "highspy", "distributed")
"""What must be the same everywhere, or sums differ in their last digits."""


@cache
def fingerprint() -> str:
    """Hexadecimal hash of this program's own source files."""
    root = Path(nearer.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of this program and of what it computes with, and this program's fingerprint."""
    return {
        "nearer": nearer.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name) for name in _SAME},
        "source": fingerprint(),
    }


def look_around(token_file: str) -> dict[str, Any]:
    """What a worker sees of the shared folder, and its versions."""
    try:
        token = Path(token_file).read_text(encoding="utf-8")
    except OSError:
        token = ""
    return {"token": token, "versions": versions()}


class FileStop(Stop):
    """
    Stops once a file is there.

    Parameters
    ----------
    path
        The file; looked for every half second at most.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self._looked_s = path, -1.0

    def __call__(self) -> bool:
        """Whether to stop now."""
        if not self.cancelled and self.elapsed_s - self._looked_s >= 0.5:
            self._looked_s = self.elapsed_s
            if self._path.exists():
                self.cancel()
        return self.cancelled


def answer_file(folder: Path, key: str) -> Path:
    """Where the answer of a job lies."""
    return folder / "answers" / f"{key}.npz"


def read_answer(path: Path) -> Answer | None:
    """An answer; None where there is none or the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None


def check_source(source: str) -> None:
    """
    Make sure that a worker, which may have come late, runs the program that asks.

    Raises
    ------
    NearerError
        It runs another.
    """
    if fingerprint() != source:
        raise NearerError("A worker has another version of nearer; install the same one and start it again.")


def checked(source: str, function: Callable[..., Any], *told: Any) -> Any:
    """What a function makes of what it is told, once ``check_source`` is content."""
    check_source(source)
    return function(*told)


def perform(function: Job, folder: str, message: Message, key: str, stop_file: str, source: str) -> str | None:
    """
    Do a job, unless its answer lies there already.

    Parameters
    ----------
    function, message
        What to do, and what it is told.
    folder
        Shared folder of all jobs of a question.
    key
        Hash of the job.
    stop_file
        Once this is there, jobs end early and others are not begun.
    source
        Fingerprint of the program that asks.

    Returns
    -------
    str or None
        Path of the answer; one of a job that was stopped has a name that nobody asks for again. None: not begun.
    """
    check_source(source)
    where, stop = Path(folder), FileStop(Path(stop_file))
    path = answer_file(where, key)
    if path.exists() and read_answer(path) is not None:
        return str(path)
    if stop():
        return None
    answer = function(Shelf(where), message, stop)
    if stop.cancelled:
        path = answer_file(where, f"{key}-stopped-{uuid.uuid4().hex}")
    with written_whole(path) as beside, beside.open("wb") as file:
        np.savez(file, **answer)  # type: ignore[arg-type]
    return str(path)
