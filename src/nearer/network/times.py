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

    @classmethod
    def from_pairs(
        cls, point_idx: IntArray, site_idx: IntArray, time_ms: IntArray, n_points: int, n_sites: int, limit_ms: int
    ) -> TravelTimes:
        """Sort loose (point, site, time) triples into rows; pairs above the limit are left out."""
        keep = time_ms <= limit_ms
        point_idx, site_idx, time_ms = point_idx[keep], site_idx[keep], time_ms[keep]
        order = np.lexsort((site_idx, time_ms, point_idx))
        indptr = np.zeros(n_points + 1, dtype=np.int64)
        np.cumsum(np.bincount(point_idx, minlength=n_points), out=indptr[1:])
        return cls(indptr, site_idx[order].astype(np.int32), time_ms[order].astype(np.int32), n_sites, int(limit_ms))
