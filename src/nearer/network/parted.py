"""Travel times left in the parts they were computed in, which whoever needs some points reads from a shared folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nearer.kernels.rows import sort_rows
from nearer.network.parts import part_span, read_part, read_rows
from nearer.network.times import TravelTimes
from nearer.units import IntArray


@dataclass(frozen=True)
class Parted:
    """
    Travel times in parts; see ``nearer.network.parts``.

    Parameters
    ----------
    layout
        What the parts were computed from.
    parts
        Each chunk of sites once.
    n_points, n_sites, limit_ms
        As in ``TravelTimes``.
    """

    layout: Path
    parts: tuple[Path, ...]
    n_points: int
    n_sites: int
    limit_ms: int

    @cached_property
    def n_pairs(self) -> int:
        """Number of pairs, as the parts say."""
        return sum(part_span(part)[0] for part in self.parts)

    def gathered(self, threads: int = 1) -> TravelTimes:
        """All rows, mapped from files beside the parts."""
        return read_rows(self.layout, self.parts, self.layout / "rows", threads)

    def points(self, first: int, last: int) -> TravelTimes:
        """The rows of the points ``first`` to ``last``, the last not included, in memory."""
        n = last - first
        found: list[tuple[IntArray, IntArray, IntArray]] = []
        counts = np.zeros(n, dtype=np.int64)
        for part in self.parts:
            n_pairs, lowest, highest = part_span(part)
            if not n_pairs or highest < first or lowest >= last:
                continue
            point, site, ms = read_part(part)
            a, b = np.searchsorted(point, [first, last])
            mine = point[a:b] - first
            found.append((mine, site[a:b].copy(), ms[a:b].copy()))
            counts += np.bincount(mine, minlength=n)
        indptr = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(counts, out=indptr[1:])
        site_idx, time_ms = _placed(indptr, found)
        return TravelTimes(indptr, site_idx, time_ms, self.n_sites, self.limit_ms)


def _placed(indptr: IntArray, found: Sequence[tuple[IntArray, IntArray, IntArray]]) -> tuple[IntArray, IntArray]:
    """Sites and times of loose pairs, sorted by point, row by row, as rows."""
    site_idx, time_ms = (np.empty(int(indptr[-1]), dtype=np.int32) for _ in range(2))
    filled = indptr[:-1].copy()
    for point, site, ms in found:
        count = np.bincount(point, minlength=len(filled))
        # the k-th pair of a part stands so far behind the first of its point
        place = (filled - (np.cumsum(count) - count))[point] + np.arange(len(point))
        site_idx[place], time_ms[place] = site, ms
        filled += count
    sort_rows(indptr, site_idx, time_ms, 0, len(filled))
    return site_idx, time_ms
