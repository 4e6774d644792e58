"""
Kernels of points in the plane by the set of sites that cover them.

A set is a row of ``ceil(m / 64)`` words of uint64, site j the bit ``j % 64`` of word ``j // 64``. Points with equal
sets are merged at once, so that what is held is the sets that differ, never points × sites.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray

_SIDE = 128  # cells of a grid each way, for many points
_SURE = 1e-9  # relative distance from the rim at which rounding cannot matter


@dataclass(frozen=True)
class Discs:
    """
    The discs of some sites over a grid of cells: per cell those that hold all of it, and those whose rim may cross it.

    Parameters
    ----------
    x, y
        Sites, float64 (m,).
    limit
        Distance up to which a site covers.
    x0, y0, wide, high
        Corner of the grid, and sides of a cell; no site covers anything outside the grid.
    whole
        Sites that cover all of each cell, uint64 (cells, words).
    ptr, rim
        Sites whose rim may cross each cell: ``rim[ptr[c]:ptr[c + 1]]``, int64 and int32.
    side
        Cells each way.
    """

    x: FloatArray
    y: FloatArray
    limit: float
    x0: float
    y0: float
    wide: float
    high: float
    whole: IntArray
    ptr: IntArray
    rim: IntArray
    side: int

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray, limit: float, n_points: int | None = None) -> Discs:
        """Lay the grid over all that the sites can cover, with fewer cells where few points are to come."""
        side = _SIDE if n_points is None else int(min(max(np.sqrt(n_points) / 4, 8), _SIDE))
        # and a hair more, so that no rounding moves a point that is covered out of the grid
        reach = limit * (1 + 1e-6) + 1e-6 * max(float(np.abs(x).max()), float(np.abs(y).max())) + 1e-300
        x0, y0 = float(x.min()) - reach, float(y.min()) - reach
        wide = max((float(x.max()) + reach - x0) / side, 1e-300)
        high = max((float(y.max()) + reach - y0) / side, 1e-300)
        whole = np.zeros((side * side, -(-len(x) // 64)), dtype=np.uint64)
        ptr = np.zeros(side * side + 1, dtype=np.int64)
        none = np.zeros(0, dtype=np.int32)
        _lay(x, y, limit, x0, y0, wide, high, side, whole, ptr, none)
        ptr = np.cumsum(ptr)
        rim = np.empty(ptr[-1], dtype=np.int32)
        _lay(x, y, limit, x0, y0, wide, high, side, whole, ptr, rim)
        return cls(x, y, limit, x0, y0, wide, high, whole, ptr, rim, side)

    def merge(
        self, x: FloatArray, y: FloatArray, weight: FloatArray
    ) -> tuple[IntArray, FloatArray, IntArray, IntArray]:
        """Sets of some points as met, uint64 (sets, words); of each the weight, number and first of its points."""
        merged: tuple[IntArray, FloatArray, IntArray, IntArray] = _merge(
            *(x, y, weight, self.x, self.y, self.limit, self.x0, self.y0, self.wide, self.high),
            *(self.side, self.whole, self.ptr, self.rim),
        )
        return merged


@kernel
def _lay(
    x: FloatArray,
    y: FloatArray,
    limit: float,
    x0: float,
    y0: float,
    wide: float,
    high: float,
    side: int,
    whole: IntArray,
    ptr: IntArray,
    rim: IntArray,
) -> None:
    """Count the rims of each cell into ``ptr[c + 1]`` and fill ``whole``; with room in ``rim``, list them."""
    listing = len(rim) > 0
    for c in range(len(ptr) - 1):
        left = x0 + (c % side) * wide
        low = y0 + (c // side) * high
        # a hair wider, since a point is put into its cell by a rounded division
        right, top = left + wide * (1.0 + 1e-6), low + high * (1.0 + 1e-6)
        left -= wide * 1e-6
        low -= high * 1e-6
        at = ptr[c]
        for j in range(len(x)):
            near_x = max(max(left - x[j], x[j] - right), 0.0)
            near_y = max(max(low - y[j], y[j] - top), 0.0)
            if np.sqrt(near_x * near_x + near_y * near_y) > limit * (1.0 + _SURE):
                continue
            far_x = max(abs(x[j] - left), abs(x[j] - right))
            far_y = max(abs(y[j] - low), abs(y[j] - top))
            if np.sqrt(far_x * far_x + far_y * far_y) < limit * (1.0 - _SURE):
                whole[c, j // 64] |= np.uint64(1) << np.uint64(j % 64)
            elif listing:
                rim[at] = j
                at += 1
            else:
                ptr[c + 1] += 1


@kernel
def _merge(
    x: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    site_x: FloatArray,
    site_y: FloatArray,
    limit: float,
    x0: float,
    y0: float,
    wide: float,
    high: float,
    side: int,
    whole: IntArray,
    ptr: IntArray,
    rim: IntArray,
) -> tuple[IntArray, FloatArray, IntArray, IntArray]:
    """``Discs.merge``: sets are found again in a table of open addresses, twice as large as it must be."""
    words = whole.shape[1]
    size = 2048
    table = np.full(size, -1, dtype=np.int64)
    sets = np.zeros((size // 2, words), dtype=np.uint64)
    total = np.zeros(size // 2)
    count = np.zeros(size // 2, dtype=np.int64)
    first = np.zeros(size // 2, dtype=np.int64)
    hashed = np.zeros(size // 2, dtype=np.uint64)
    n = 0
    own = np.zeros(words, dtype=np.uint64)
    for i in range(len(x)):
        across = np.floor((x[i] - x0) / wide)
        up = np.floor((y[i] - y0) / high)
        if across >= 0 and up >= 0 and across < side and up < side:
            c = int(up) * side + int(across)
            for b in range(words):
                own[b] = whole[c, b]
            for e in range(ptr[c], ptr[c + 1]):
                j = rim[e]
                across_to, up_to = x[i] - site_x[j], y[i] - site_y[j]
                if np.sqrt(across_to * across_to + up_to * up_to) <= limit:
                    own[j // 64] |= np.uint64(1) << np.uint64(j % 64)
        else:
            own[:] = 0
        code = np.uint64(0)
        for b in range(words):
            code = (code ^ own[b]) * np.uint64(0x9E3779B97F4A7C15)
            code ^= code >> np.uint64(29)
        at = np.int64(code & np.uint64(size - 1))
        while True:
            k = table[at]
            if k < 0:
                break
            same = hashed[k] == code
            if same:
                for b in range(words):
                    if sets[k, b] != own[b]:
                        same = False
                        break
            if same:
                break
            at = (at + 1) & (size - 1)
        if k < 0:
            if n == len(total):
                size *= 2
                sets = np.concatenate((sets, np.zeros_like(sets)))
                total = np.concatenate((total, np.zeros_like(total)))
                count = np.concatenate((count, np.zeros_like(count)))
                first = np.concatenate((first, np.zeros_like(first)))
                hashed = np.concatenate((hashed, np.zeros_like(hashed)))
                table = np.full(size, -1, dtype=np.int64)
                for known in range(n):
                    place = np.int64(hashed[known] & np.uint64(size - 1))
                    while table[place] >= 0:
                        place = (place + 1) & (size - 1)
                    table[place] = known
                at = np.int64(code & np.uint64(size - 1))
                while table[at] >= 0:
                    at = (at + 1) & (size - 1)
            k = n
            n += 1
            table[at] = k
            hashed[k] = code
            first[k] = i
            for b in range(words):
                sets[k, b] = own[b]
        total[k] += weight[i]
        count[k] += 1
    return sets[:n].copy(), total[:n].copy(), count[:n].copy(), first[:n].copy()
