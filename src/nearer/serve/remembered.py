"""What small files say, read once and not at every request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from nearer.study.load import STUDY_FILE, load_study
from nearer.study.settings import Study

T = TypeVar("T")


class Remembered(Generic[T]):
    """
    What was made of each file, for as long as the file is the same.

    Parameters
    ----------
    make
        Makes it of a file; what it raises is raised again at the next asking. Nobody may change what it returns.
    most
        Files remembered, the last ones used.
    """

    def __init__(self, make: Callable[[Path], T], most: int = 500) -> None:
        self._make, self._most = make, most
        self._held: OrderedDict[Path, tuple[tuple[int, int, int], T]] = OrderedDict()
        self._lock = threading.Lock()

    def held(self, file: Path) -> T | None:
        """What is remembered of a file as it stands now; None where it has to be made."""
        try:
            state = _state(file)
        except OSError:
            return None
        with self._lock:
            held = self._held.get(file)
            if held is None or held[0] != state:
                return None
            self._held.move_to_end(file)
            return held[1]

    def of(self, file: Path) -> T:
        """
        What a file as it stands now says.

        Raises
        ------
        OSError
            There is no such file.
        """
        if (held := self.held(file)) is not None:
            return held
        state = _state(file)
        made = self._make(file)
        with self._lock:
            self._held[file] = state, made
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return made


def _state(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino  # files written beside and renamed have another number


_settings = Remembered(load_study)


def settings_of(folder: Path) -> Study:
    """
    A study's settings, to look at only.

    Raises
    ------
    InputError
        As ``load_study``.
    """
    try:
        return _settings.of(folder / STUDY_FILE)
    except OSError:
        return load_study(folder)  # it says what is wrong with the folder
