"""Answers about a study's map, made once for everybody: packed, named, held in memory and in the study's own folder."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import Request, Response

from nearer.errors import OutputError
from nearer.files import written_whole
from nearer.serve.studies import HIDDEN

MOST_HELD_BYTES = 64_000_000
"""Of all studies in memory."""

MOST_ON_DISK_BYTES = 100_000_000
"""Of one study on disk; beyond, the older half goes."""

FOLDER = "map"
"""Inside a study's hidden folder; it may be deleted at any time."""

_SMALL = 400  # bytes that are sent as they are
_FOREVER = {"Cache-Control": "private, max-age=86400, immutable"}


@cache
def program() -> str:
    """Names this program as it is installed: what another made is not shown."""
    root = Path(str(files("nearer")))
    found = sorted((path.relative_to(root).as_posix(), path.stat()) for path in root.rglob("*.py"))
    return hashlib.sha256(str([(name, one.st_size, one.st_mtime_ns) for name, one in found]).encode()).hexdigest()


class Kept:
    """
    Answers by study, state of its data, and what was asked.

    Parameters
    ----------
    most_held, most_on_disk
        Bytes in memory, and of one study on disk.
    """

    def __init__(self, most_held: int = MOST_HELD_BYTES, most_on_disk: int = MOST_ON_DISK_BYTES) -> None:
        self._most_held, self._most_on_disk = most_held, most_on_disk
        self._held: OrderedDict[tuple[Path, str, str], bytes] = OrderedDict()
        self._size = 0
        self._on_disk: dict[Path, int] = {}
        self._locks: dict[tuple[Path, str, str], threading.Lock] = {}
        self._lock = threading.Lock()
        # One answer is made at a time: several would only take the interpreter from those who hand over meanwhile.
        self._making = threading.Semaphore(1)

    def packed(self, study: Path, rev: str, asked: str, make: Callable[[], bytes]) -> bytes:
        """
        An answer, compressed; made if nobody asked for it before.

        Parameters
        ----------
        study
            Its folder.
        rev
            Names the data it follows from.
        asked
            Names it among those of the study.
        make
            Its bytes.
        """
        key = (study, rev, asked)
        if (found := self._look(key)) is not None:
            return found
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        try:
            with lock:
                if (found := self._look(key)) is not None:
                    return found
                path = self._path(key)
                try:
                    found = path.read_bytes()
                except OSError:
                    with self._making:
                        found = gzip.compress(make(), 3, mtime=0)
                    self._write(study, rev, path, found)
                self._hold(key, found)
                return found
        finally:
            with self._lock:
                self._locks.pop(key, None)

    def has(self, study: Path, rev: str, asked: str) -> bool:
        """Whether an answer is there already."""
        key = (study, rev, asked)
        with self._lock:
            return key in self._held or self._path(key).is_file()

    def _look(self, key: tuple[Path, str, str]) -> bytes | None:
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def _hold(self, key: tuple[Path, str, str], body: bytes) -> None:
        with self._lock:
            self._size += len(body) - len(self._held.pop(key, b""))
            self._held[key] = body
            while self._size > self._most_held and len(self._held) > 1:
                self._size -= len(self._held.popitem(last=False)[1])

    @staticmethod
    def _path(key: tuple[Path, str, str]) -> Path:
        study, rev, asked = key
        return study / HIDDEN / FOLDER / rev / f"{hashlib.sha256(asked.encode()).hexdigest()[:24]}.gz"

    def _write(self, study: Path, rev: str, path: Path, body: bytes) -> None:
        """Keep it for the next server too; where the folder cannot be written, it is made again."""
        root = study / HIDDEN / FOLDER
        with contextlib.suppress(OSError, OutputError):
            with written_whole(path) as beside:
                beside.write_bytes(body)
            with self._lock:
                size = self._on_disk.get(study, -1)
                if size >= 0:
                    self._on_disk[study] = size = size + len(body)
            if size < 0 or size > self._most_on_disk:
                self._tidy(study, root, rev)

    def _tidy(self, study: Path, root: Path, rev: str) -> None:
        """Take out what is of other data, and the older half where there is too much."""
        found = []
        for path in root.glob("*/*.gz"):
            with contextlib.suppress(OSError):
                if path.parent.name != rev:
                    path.unlink()
                else:
                    state = path.stat()
                    found.append((state.st_mtime_ns, state.st_size, path))
        for folder in root.iterdir():
            if folder.name != rev:
                with contextlib.suppress(OSError):
                    folder.rmdir()
        size = sum(one[1] for one in found)
        if size > self._most_on_disk:
            for _, bytes_, path in sorted(found):
                with contextlib.suppress(OSError):
                    path.unlink()
                size -= bytes_
                if size <= self._most_on_disk // 2:
                    break
        with self._lock:
            self._on_disk[study] = size


def told(
    kept: Kept,
    request: Request,
    study: Path,
    rev: str,
    asked: str,
    make: Callable[[], bytes],
    media_type: str = "application/json",
    forever: bool = False,
) -> Response:
    """
    The response to a question whose answer follows from a study's data alone.

    Parameters
    ----------
    kept, study, rev, asked, make
        As for ``Kept.packed``.
    request
        What the browser has already, and what it can unpack.
    media_type
        Of the bytes; none are a 204.
    forever
        Whether the address names the data, so that a browser need not ask again.
    """
    # The tag follows from the data and from what was asked: nothing is made to tell that nothing has changed.
    tag = f'"{hashlib.sha256(f"{rev} {asked}".encode()).hexdigest()[:20]}"'
    headers = {"Vary": "Accept-Encoding"} | (_FOREVER if forever else {"ETag": tag})
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if not forever and tag in known:
        return Response(status_code=304, headers=headers)
    packed = kept.packed(study, rev, asked, make)
    if len(packed) < _SMALL or "gzip" not in request.headers.get("accept-encoding", ""):
        body = gzip.decompress(packed)
        return Response(body, media_type=media_type, headers=headers) if body else Response(None, 204, headers)
    return Response(packed, media_type=media_type, headers={"Content-Encoding": "gzip", **headers})
