"""Units, absent values, array names and ranges that every room shares (see ``docs/conventions.md``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MS_PER_S = 1_000
MS_PER_MIN = 60_000
M_PER_KM = 1_000.0

NO_SITE = -1
"""Position that stands for "no site" in arrays of site positions."""

UNREACHED = int(np.iinfo(np.int32).max)
"""Time, in milliseconds, that stands for "out of reach" in dense arrays; sparse rows leave the pair out."""

IntArray = NDArray[np.integer[Any]]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
StrArray = NDArray[np.object_]


def minutes_to_ms(minutes: float) -> int:
    """Whole milliseconds nearest to a number of minutes."""
    return round(minutes * MS_PER_MIN)


def ranges(first: IntArray, count: IntArray) -> IntArray:
    """For each k the positions ``first[k], first[k] + 1, …``, as many as ``count[k]``, one after the other, int64."""
    return np.repeat(first - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
