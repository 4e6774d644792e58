"""``TravelTimes``: sparse, bounded travel times from people to sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.units import IntArray


@dataclass(frozen=True)
class TravelTimes:
    """
    Travel times from people's points to sites, the row of a point sorted by time, then site.

    Parameters
    ----------
    indptr
        Start of each point's row, int64 (n_points + 1,).
    site_idx
        Site positions, int32 (n_pairs,).
    time_ms
        Milliseconds, int32 (n_pairs,), access walks at both ends included, none above ``limit_ms``. A stored 0 is a
        time; an absent pair is out of reach.
    n_sites
        Number of sites, reached or not.
    limit_ms
        The bound, inclusive.
    """

    indptr: IntArray
    site_idx: IntArray
    time_ms: IntArray
    n_sites: int
    limit_ms: int

    def __post_init__(self) -> None:
        if self.indptr[0] != 0 or self.indptr[-1] != len(self.site_idx) or len(self.site_idx) != len(self.time_ms):
            raise ValueError("rows of travel times do not fit together")
        if len(self.site_idx) and (self.site_idx.min() < 0 or self.site_idx.max() >= self.n_sites):
            raise ValueError("travel times name a site that does not exist")

    @property
    def n_points(self) -> int:
        """Number of people's points."""
        return len(self.indptr) - 1

    @property
    def n_pairs(self) -> int:
        """Number of stored pairs."""
        return len(self.site_idx)

    def between(self, first: int, last: int) -> TravelTimes:
        """The rows of the points ``first`` to ``last``, the last not included; nothing is copied but their starts."""
        ptr = self.indptr[first : last + 1]
        part = slice(int(ptr[0]), int(ptr[-1]))
        return TravelTimes(ptr - ptr[0], self.site_idx[part], self.time_ms[part], self.n_sites, self.limit_ms)

    @classmethod
    def from_pairs(
        cls, point_idx: IntArray, site_idx: IntArray, time_ms: IntArray, n_points: int, n_sites: int, limit_ms: int
    ) -> TravelTimes:
        """Sort loose (point, site, time) triples into rows; pairs above the limit are left out."""
        keep = time_ms <= limit_ms
        point_idx, site_idx, time_ms = point_idx[keep], site_idx[keep], time_ms[keep]
        if Packing.fits(n_points, n_sites, limit_ms):
            packing = Packing(n_points, n_sites, limit_ms)
            return packing.unpack(
                (point_idx.astype(np.int64) << packing.point_shift)
                | (time_ms.astype(np.int64) << packing.time_shift)
                | site_idx
            )
        order = np.lexsort((site_idx, time_ms, point_idx))
        indptr = np.zeros(n_points + 1, dtype=np.int64)
        np.cumsum(np.bincount(point_idx, minlength=n_points), out=indptr[1:])
        return cls(indptr, site_idx[order].astype(np.int32), time_ms[order].astype(np.int32), n_sites, int(limit_ms))


@dataclass(frozen=True)
class Packing:
    """
    Pairs as single int64 numbers (point, time, site from high to low bits), which sort into rows by themselves.

    Parameters
    ----------
    n_points, n_sites, limit_ms
        One more than the largest point and site, and the largest time.
    """

    n_points: int
    n_sites: int
    limit_ms: int

    @staticmethod
    def fits(n_points: int, n_sites: int, limit_ms: int) -> bool:
        """Whether a pair fits into 63 bits: a million points, 20,000 sites and ten hours do."""
        return n_points.bit_length() + n_sites.bit_length() + int(limit_ms).bit_length() <= 63

    @property
    def time_shift(self) -> int:
        """Place of the time."""
        return self.n_sites.bit_length()

    @property
    def point_shift(self) -> int:
        """Place of the point."""
        return self.time_shift + int(self.limit_ms).bit_length()

    def unpack(self, keys: IntArray) -> TravelTimes:
        """Sort keys in place and read them as rows."""
        keys.sort()
        indptr = np.searchsorted(keys, np.arange(self.n_points + 1) << self.point_shift).astype(np.int64)
        site_idx = np.empty(len(keys), dtype=np.int32)
        np.bitwise_and(keys, (1 << self.time_shift) - 1, out=site_idx, casting="unsafe")
        keys >>= self.time_shift
        keys &= (1 << (self.point_shift - self.time_shift)) - 1
        return TravelTimes(indptr, site_idx, keys.astype(np.int32), self.n_sites, int(self.limit_ms))


def scaled(times: TravelTimes, factor: float, limit_ms: int) -> TravelTimes:
    """
    Times of somebody who takes ``factor`` times as long, to the nearest millisecond, cut at a limit.

    Nothing is found that ``times`` does not hold: compute them to at least ``limit_ms / factor``.
    """
    if factor == 1.0 and limit_ms == times.limit_ms:
        return times
    point_idx = np.repeat(np.arange(times.n_points), np.diff(times.indptr))
    time_ms = np.rint(times.time_ms * factor).astype(np.int64)
    return TravelTimes.from_pairs(point_idx, times.site_idx, time_ms, times.n_points, times.n_sites, limit_ms)
