"""
Kernels of many points in the plane, kept cell by cell of a grid, so that a pass looks closely only where it must.

A disc holds most cells wholly or not at all; only the points of cells that its rim crosses are compared with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nearer.kernels.jit import kernel, run_chunks
from nearer.units import FloatArray, IntArray

_EACH = 4  # points of a cell at least, about
_SIDE = 128  # cells each way at most
_SURE = 1e-9  # relative distance from the rim at which rounding cannot matter
_HAIR = 1e-6  # of a cell, by which it is taken wider, since a point is put into it by a rounded division
_CHUNK = 50_000  # points of a kernel call, about; fixed, so that results do not depend on the number of threads

Places = tuple[FloatArray, FloatArray]
"""Their coordinates."""


class Discs(NamedTuple):
    """Places, float64 (n,), the share of each, and the squared distance that they reach."""

    x: FloatArray
    y: FloatArray
    share: FloatArray
    squared: float


class Laid(NamedTuple):
    """Of each cell the sum of the shares of the discs that hold it, and those whose rim may cross it."""

    whole: FloatArray
    ptr: IntArray
    rim: IntArray


@dataclass(frozen=True)
class Cells:
    """
    Points in the order of the cells of a grid.

    Parameters
    ----------
    x, y
        Points, float64 (n,): those of cell c are ``ptr[c]:ptr[c + 1]``.
    ptr
        int64 (side² + 1,).
    grid
        Left and lower corner of the grid, width and height of a cell.
    side
        Cells each way; cell c is in column ``c % side``.
    """

    x: FloatArray
    y: FloatArray
    ptr: IntArray
    grid: tuple[float, float, float, float]
    side: int

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray) -> tuple[Cells, IntArray]:
        """The cells of some points, and the order they are in, int64 (n,)."""
        side = int(min(max(np.sqrt(len(x) / _EACH), 1), _SIDE))
        least = _SURE * max(float(np.abs(x).max()), float(np.abs(y).max())) + 1e-300
        wide, high = (float(np.ptp(one)) / side for one in (x, y))
        wide, high = (size if size > least else 1.0 + least for size in (wide, high))
        x0, y0 = float(x.min()), float(y.min())
        across = np.minimum((x - x0) / wide, side - 1).astype(np.int64)
        cell = np.minimum((y - y0) / high, side - 1).astype(np.int64) * side + across
        order = np.argsort(cell, kind="stable")
        ptr = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=side * side))])
        return cls(x[order], y[order], ptr, (x0, y0, wide, high), side), order

    def parts(self) -> list[tuple[int, int]]:
        """Ranges of cells, each with so many points that a thread is worth it."""
        at = np.searchsorted(self.ptr, np.arange(0, self.ptr[-1], _CHUNK))
        ends = np.unique(np.append(at, [0, len(self.ptr) - 1]))
        return list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))

    def sums(self, at: Places, share: FloatArray, squared: float, threads: int) -> FloatArray:
        """Sum of the shares of the places within a squared distance of each point, float64 (n,)."""
        total = np.empty(len(self.x))
        discs = Discs(*at, share, squared)
        laid = self._lay(discs)
        self._each_part(lambda part: _sums(self.x, self.y, self.ptr, *part, laid, discs, total), threads)
        return total

    def extremes(
        self, at: Places, share: FloatArray, squared: float, sign: float, limit: float, threads: int
    ) -> tuple[FloatArray, IntArray]:
        """
        The greatest or least of these sums in each cell.

        Parameters
        ----------
        sign, limit
            1 for the greatest, if above the limit; −1 for the least, if below.

        Returns
        -------
        value, who
            Of the cells that hold such a point, and which it is, float64 and int64 (found,).
        """
        discs = Discs(*at, share, squared)
        laid = self._lay(discs)
        value = np.zeros(self.side * self.side)
        who = np.full(len(value), -1, dtype=np.int64)
        self._each_part(
            lambda part: _extremes(self.x, self.y, self.ptr, *part, laid, discs, sign, limit, value, who), threads
        )
        found = who >= 0
        return value[found], who[found]

    def _each_part(self, work: Callable[[tuple[int, int]], None], threads: int) -> None:
        """Apply a kernel to all cells, part by part."""
        for _ in run_chunks(work, self.parts(), threads):
            pass

    def _lay(self, discs: Discs) -> Laid:
        """What the discs mean for each cell."""
        of = (discs.x, discs.y, discs.share, float(np.sqrt(discs.squared)))
        ptr = np.zeros(len(self.ptr), dtype=np.int64)
        _lay(*of, *self.grid, self.side, np.zeros(0), ptr, np.zeros(0, dtype=np.int32))
        ptr = np.cumsum(ptr)
        whole = np.zeros(self.side * self.side)
        rim = np.empty(ptr[-1], dtype=np.int32)
        _lay(*of, *self.grid, self.side, whole, ptr, rim)
        return Laid(whole, ptr, rim)

    def nearest(self, at: Places, threads: int) -> tuple[FloatArray, IntArray, IntArray]:
        """
        Squared distance of each point to the nearest of some places, of equals the first, and which that is.

        Also the only place that is nearest to points of each cell, −1 where there may be several or no points; int64.
        """
        squared = np.empty(len(self.x))
        whose = np.empty(len(self.x), dtype=np.int64)
        only = np.full(self.side * self.side, -1, dtype=np.int64)
        self._each_part(
            lambda part: _nearest(*(self.x, self.y, self.ptr, *part, *self.grid, self.side, *at, squared, whose, only)),
            threads,
        )
        return squared, whose, only

    def outline(self, only: IntArray) -> IntArray:
        """
        Points of all cells but those whose four neighbours across a corner hold points, all of the same place as it.

        The others are no corners of the hull of what their place is nearest to: each half of the plane that begins at
        one of them holds a whole cell of these four.
        """
        side = self.side
        owner = np.full((side + 2, side + 2), -1, dtype=np.int64)
        owner[1:-1, 1:-1] = only.reshape(side, side)
        inner = owner[1:-1, 1:-1] >= 0
        for across in (0, 2):
            for up in (0, 2):
                inner &= owner[up : up + side, across : across + side] == owner[1:-1, 1:-1]
        return np.flatnonzero(np.repeat(~inner.ravel(), np.diff(self.ptr)))


@kernel
def _lay(
    at_x: FloatArray,
    at_y: FloatArray,
    share: FloatArray,
    reach: float,
    x0: float,
    y0: float,
    wide: float,
    high: float,
    side: int,
    whole: FloatArray,
    ptr: IntArray,
    rim: IntArray,
) -> None:
    """Count the rims of each cell into ``ptr[c + 1]``; with room in ``whole``, sum whole discs and list the rims."""
    listing = len(whole) > 0
    filled = np.zeros(len(whole) if listing else 0, dtype=np.int64)
    outer, inner = reach * (1.0 + _SURE), reach * (1.0 - _SURE)
    for k in range(len(at_x)):
        first = int(max(np.floor((at_y[k] - outer - y0) / high - _HAIR), 0.0))
        last = int(min(np.floor((at_y[k] + outer - y0) / high + _HAIR), side - 1.0))
        for up in range(first, last + 1):
            low = y0 + (up - _HAIR) * high
            top = y0 + (up + 1 + _HAIR) * high
            near = max(max(low - at_y[k], at_y[k] - top), 0.0)
            if near > outer:
                continue
            half = np.sqrt(outer * outer - near * near)
            left = int(max(np.floor((at_x[k] - half - x0) / wide - _HAIR), 0.0))
            right = int(min(np.floor((at_x[k] + half - x0) / wide + _HAIR), side - 1.0))
            far = max(abs(low - at_y[k]), abs(top - at_y[k]))
            left_in, right_in = side, -1
            if far < inner:
                half = np.sqrt(inner * inner - far * far)
                left_in = int(max(np.ceil((at_x[k] - half - x0) / wide + _HAIR), 0.0))
                right_in = int(min(np.floor((at_x[k] + half - x0) / wide - _HAIR) - 1.0, side - 1.0))
            for across in range(left, right + 1):
                c = up * side + across
                if left_in <= across <= right_in:
                    if listing:
                        whole[c] += share[k]
                elif listing:
                    rim[ptr[c] + filled[c]] = k
                    filled[c] += 1
                else:
                    ptr[c + 1] += 1


@kernel
def _add_rims(
    x: FloatArray,
    y: FloatArray,
    rim: IntArray,
    discs: Discs,
    total: FloatArray,
) -> None:
    """Add the shares of the discs whose rim crosses a cell to the sums of its points."""
    for k in rim:
        for i in range(len(x)):
            across = x[i] - discs.x[k]
            up = y[i] - discs.y[k]
            total[i] += discs.share[k] if across * across + up * up <= discs.squared else 0.0


@kernel
def _sums(
    x: FloatArray,
    y: FloatArray,
    cell: IntArray,
    start: int,
    end: int,
    laid: Laid,
    discs: Discs,
    total: FloatArray,
) -> None:
    """``Cells.sums`` of some cells."""
    for c in range(start, end):
        here = slice(cell[c], cell[c + 1])
        total[here] = laid.whole[c]
        _add_rims(x[here], y[here], laid.rim[laid.ptr[c] : laid.ptr[c + 1]], discs, total[here])


@kernel
def _extremes(
    x: FloatArray,
    y: FloatArray,
    cell: IntArray,
    start: int,
    end: int,
    laid: Laid,
    discs: Discs,
    sign: float,
    limit: float,
    value: FloatArray,
    who: IntArray,
) -> None:
    """``Cells.extremes`` of some cells."""
    most = 0
    for c in range(start, end):
        most = max(most, cell[c + 1] - cell[c])
    total = np.empty(most)
    for c in range(start, end):
        first = cell[c]
        n = cell[c + 1] - first
        rim = laid.rim[laid.ptr[c] : laid.ptr[c + 1]]
        utmost = laid.whole[c]
        if sign > 0.0:
            for k in rim:
                utmost += discs.share[k]
        if n == 0 or sign * utmost <= sign * limit - _SURE:
            continue
        total[:n] = laid.whole[c]
        _add_rims(x[first : first + n], y[first : first + n], rim, discs, total)
        best = 0
        for i in range(1, n):
            if sign * total[i] > sign * total[best]:
                best = i
        if sign * total[best] > sign * limit:
            value[c] = total[best]
            who[c] = first + best


@kernel
def _nearest(
    x: FloatArray,
    y: FloatArray,
    cell: IntArray,
    start: int,
    end: int,
    x0: float,
    y0: float,
    wide: float,
    high: float,
    side: int,
    site_x: FloatArray,
    site_y: FloatArray,
    squared: FloatArray,
    whose: IntArray,
    only: IntArray,
) -> None:
    """``Cells.nearest`` of some cells: of each, only the places that may be nearest to some of it are compared."""
    near = np.empty(len(site_x))
    able = np.empty(len(site_x), dtype=np.int64)
    for c in range(start, end):
        if cell[c] == cell[c + 1]:
            continue
        left, right = x0 + (c % side - _HAIR) * wide, x0 + (c % side + 1 + _HAIR) * wide
        low, top = y0 + (c // side - _HAIR) * high, y0 + (c // side + 1 + _HAIR) * high
        least = np.inf
        for k in range(len(site_x)):
            across = max(max(left - site_x[k], site_x[k] - right), 0.0)
            up = max(max(low - site_y[k], site_y[k] - top), 0.0)
            near[k] = across * across + up * up
            across = max(abs(left - site_x[k]), abs(right - site_x[k]))
            up = max(abs(low - site_y[k]), abs(top - site_y[k]))
            least = min(least, across * across + up * up)
        n = 0
        for k in range(len(site_x)):
            if near[k] <= least * (1.0 + _SURE):
                able[n] = k
                n += 1
        if n == 1:
            only[c] = able[0]
        for i in range(cell[c], cell[c + 1]):
            squared[i] = np.inf
            whose[i] = able[0]
            for a in range(n):
                k = able[a]
                d = (x[i] - site_x[k]) * (x[i] - site_x[k]) + (y[i] - site_y[k]) * (y[i] - site_y[k])
                if d < squared[i]:
                    squared[i] = d
                    whose[i] = k
