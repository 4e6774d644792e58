"""What was made of a study, packed, in the study's own folder: the next server need not make it again."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import threading
from pathlib import Path

from nearer.errors import OutputError
from nearer.files import written_whole
from nearer.serve.studies import HIDDEN

MOST_BYTES = 100_000_000
"""Of one study on disk; beyond, the older half goes."""

FOLDER = "map"
"""Inside a study's hidden folder; it may be deleted at any time."""


class Shelf:
    """
    Packed answers by study, state of its data (``rev``), and what was asked.

    Parameters
    ----------
    most
        Bytes of one study.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._there: dict[Path, int] = {}
        self._lock = threading.Lock()

    def read(self, study: Path, rev: str, asked: str) -> bytes | None:
        """What was put there; None for nothing."""
        try:
            return _path(study, rev, asked).read_bytes()
        except OSError:
            return None

    def has(self, study: Path, rev: str, asked: str) -> bool:
        """Whether there is something."""
        return _path(study, rev, asked).is_file()

    def put(self, study: Path, rev: str, asked: str, body: bytes) -> bytes:
        """Pack bytes and keep them; where the folder cannot be written they are made again the next time."""
        packed = pack(body)
        with contextlib.suppress(OSError, OutputError):
            with written_whole(_path(study, rev, asked)) as beside:
                beside.write_bytes(packed)
            with self._lock:
                size = self._there.get(study, -1)
                if size >= 0:
                    self._there[study] = size = size + len(packed)
            if size < 0 or size > self._most:
                self._tidy(study, rev)
        return packed

    def _tidy(self, study: Path, rev: str) -> None:
        """Take out what is of other data, and the older half where there is too much."""
        root, found = study / HIDDEN / FOLDER, []
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
        if size > self._most:
            for _, bytes_, path in sorted(found):
                with contextlib.suppress(OSError):
                    path.unlink()
                size -= bytes_
                if size <= self._most // 2:
                    break
        with self._lock:
            self._there[study] = size


def pack(body: bytes) -> bytes:
    """Compressed, the same bytes every time."""
    return gzip.compress(body, 3, mtime=0)


def _path(study: Path, rev: str, asked: str) -> Path:
    return study / HIDDEN / FOLDER / rev / f"{hashlib.sha256(asked.encode()).hexdigest()[:24]}.gz"
