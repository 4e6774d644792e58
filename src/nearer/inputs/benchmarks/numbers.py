"""Text of benchmark files, and the numbers in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nearer.errors import Faults
from nearer.units import FloatArray

_END_OF_TEXT = re.compile("[\x00\x1a]")
"""Old files end here, and what a disk held before may follow: published files of Holmberg and Delmaire do so."""


def read_lines(path: Path, faults: Faults) -> list[tuple[int, str]]:
    """
    Lines with their numbers from 1.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        text = _END_OF_TEXT.split(path.read_text(encoding="utf-8-sig"), maxsplit=1)[0]
        return list(enumerate(text.splitlines(), start=1))
    except FileNotFoundError:
        faults.add("there is no such file", file=str(path))
    except UnicodeDecodeError:
        faults.add("the file is not text")
    except OSError as error:
        faults.add(f"cannot be read: {error.strerror or error}")
    faults.raise_if_any()
    return []


def read_numbers(path: Path, faults: Faults, words: Mapping[str, float] | None = None) -> FloatArray:
    """
    All numbers of a file whose line breaks mean nothing, float64.

    Parameters
    ----------
    path, faults
        The file, and where to note what is wrong.
    words
        Words that may stand for a number.

    Raises
    ------
    InputError
        The file cannot be read, or something in it is not a finite number.
    """
    words = words or {}
    lines = read_lines(path, faults)
    try:
        values = np.array([words[t] if t in words else float(t) for _, line in lines for t in line.split()])
        sound = bool(np.isfinite(values[~np.isnan(values)] if words else values).all())
    except ValueError:
        sound = False
    if sound:
        return values.astype(np.float64)
    for row, line in lines:
        for token in line.split():
            if token not in words and not _is_finite(token):
                faults.add(f"{token[:20]!r} is not a number", row=row)
    faults.raise_if_any()
    return np.zeros(0)


class Numbers:
    """
    Numbers taken from the front, and a fault where the file ends too soon.

    Parameters
    ----------
    values
        float64, all of the file.
    faults
        Where to note what is wrong.
    """

    def __init__(self, values: FloatArray, faults: Faults) -> None:
        self._values, self._faults, self._at = values, faults, 0

    def take(self, count: int, what: str) -> FloatArray:
        """
        The next numbers.

        Raises
        ------
        InputError
            There are not so many left.
        """
        left = len(self._values) - self._at
        if left < count:
            self._faults.add(f"{what}: {count} numbers wanted, {left} left in the file", remedy="is the file whole?")
            self._faults.raise_if_any()
        self._at += count
        return self._values[self._at - count : self._at]

    def counts(self, how_many: int, what: str, most: int = 10**7) -> list[int]:
        """
        The next numbers, each whole and from 1 to ``most``.

        Raises
        ------
        InputError
            They are not.
        """
        numbers = self.take(how_many, what)
        if np.any(numbers % 1 != 0) or np.any(numbers < 1) or np.any(numbers > most):
            self._faults.add(f"{what} must be whole numbers from 1; found {', '.join(f'{n:g}' for n in numbers)}")
            self._faults.raise_if_any()
        return [int(number) for number in numbers]

    def end(self) -> None:
        """
        Make sure that nothing follows.

        Raises
        ------
        InputError
            Something does.
        """
        left = len(self._values) - self._at
        if left:
            self._faults.add(f"{left} numbers follow after the last one wanted", remedy="is --format right?")
        self._faults.raise_if_any()


def refuse_negative(faults: Faults, **arrays: FloatArray) -> None:
    """
    Refuse arrays with numbers below zero.

    Raises
    ------
    InputError
        At least one holds such a number.
    """
    for name, array in arrays.items():
        if np.any(array < 0):
            faults.add(f"{name} must not be negative; found {np.nanmin(array):g}")
    faults.raise_if_any()


def _is_finite(token: str) -> bool:
    try:
        return bool(np.isfinite(float(token)))
    except ValueError:
        return False
