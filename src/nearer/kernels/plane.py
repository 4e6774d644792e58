"""Kernels on points in the plane: the sites within reach of each point, by a grid of square cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray

_PER_CELL = 4


@dataclass(frozen=True)
class Grid:
    """
    Sites by cell.

    Parameters
    ----------
    x0, y0, size, nx, ny
        Corner, side of a cell, and number of cells each way.
    start, site
        Sites of each cell, ascending: ``site[start[c]:start[c + 1]]``, int64 (nx · ny + 1,) and int32 (n_sites,).
    """

    x0: float
    y0: float
    size: float
    nx: int
    ny: int
    start: IntArray
    site: IntArray

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray) -> Grid:
        """A grid with a few sites to a cell."""
        x0, y0 = float(x.min()), float(y.min())
        wide, high = float(x.max()) - x0, float(y.max()) - y0
        size = max(float(np.sqrt(max(wide, 1e-9) * max(high, 1e-9) * _PER_CELL / len(x))), max(wide, high) / 4000, 1e-9)
        nx, ny = int(wide / size) + 1, int(high / size) + 1
        cell = np.minimum(((y - y0) / size).astype(np.int64), ny - 1) * nx
        cell += np.minimum(((x - x0) / size).astype(np.int64), nx - 1)
        order = np.argsort(cell, kind="stable").astype(np.int32)
        start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=nx * ny))]).astype(np.int64)
        return cls(x0, y0, size, nx, ny, start, order)


@kernel
def _span(at: float, reach: float, low: float, size: float, n: int) -> tuple[int, int]:
    """First and one past the last cell that a reach touches, one more each way against rounding."""
    if not np.isfinite(reach):
        return 0, n
    first = int(max(np.floor((at - reach - low) / size) - 1.0, 0.0))
    last = int(min(np.floor((at + reach - low) / size) + 2.0, float(n)))
    return min(first, n), max(last, 0)


@kernel
def count_within(
    x: FloatArray,
    y: FloatArray,
    reach: FloatArray,
    site_x: FloatArray,
    site_y: FloatArray,
    x0: float,
    y0: float,
    size: float,
    nx: int,
    ny: int,
    start: IntArray,
    site: IntArray,
) -> IntArray:
    """Number of sites at most ``reach`` from each point, int64 (n,)."""
    count = np.zeros(len(x), dtype=np.int64)
    for i in range(len(x)):
        left, right = _span(x[i], reach[i], x0, size, nx)
        low, high = _span(y[i], reach[i], y0, size, ny)
        for row in range(low, high):
            for e in range(start[row * nx + left], start[row * nx + right] if right > left else 0):
                j = site[e]
                if np.sqrt((x[i] - site_x[j]) ** 2 + (y[i] - site_y[j]) ** 2) <= reach[i]:
                    count[i] += 1
    return count


@kernel
def fill_within(
    x: FloatArray,
    y: FloatArray,
    reach: FloatArray,
    site_x: FloatArray,
    site_y: FloatArray,
    x0: float,
    y0: float,
    size: float,
    nx: int,
    ny: int,
    start: IntArray,
    site: IntArray,
    ptr: IntArray,
    found: IntArray,
    distance: FloatArray,
) -> None:
    """Fill each point's sites within reach, ascending, and how far they are; ``ptr`` from ``count_within``."""
    for i in range(len(x)):
        left, right = _span(x[i], reach[i], x0, size, nx)
        low, high = _span(y[i], reach[i], y0, size, ny)
        at = ptr[i]
        for row in range(low, high):
            for e in range(start[row * nx + left], start[row * nx + right] if right > left else 0):
                j = site[e]
                if np.sqrt((x[i] - site_x[j]) ** 2 + (y[i] - site_y[j]) ** 2) <= reach[i]:
                    found[at] = j
                    at += 1
        found[ptr[i] : at].sort()
        for e in range(ptr[i], at):
            j = found[e]
            distance[e] = np.sqrt((x[i] - site_x[j]) ** 2 + (y[i] - site_y[j]) ** 2)


@kernel
def sort_rows(ptr: IntArray, site: IntArray, cost: FloatArray) -> None:
    """Sort rows of ascending sites by cost, then site, in place."""
    for i in range(len(ptr) - 1):
        order = np.argsort(cost[ptr[i] : ptr[i + 1]], kind="mergesort")
        site[ptr[i] : ptr[i + 1]] = site[ptr[i] : ptr[i + 1]][order]
        cost[ptr[i] : ptr[i + 1]] = cost[ptr[i] : ptr[i + 1]][order]
