"""Points in the plane as rows of nearest sites, as long as they need to be: never all pairs at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from nearer.model.instance import FREE, Instance
from nearer.units import FloatArray, IntArray

_CHUNK_PAIRS = 2_000_000
_ULPS = 1e-12
"""By how much a distance of the tree may differ from one that is computed directly, relative."""


@dataclass(frozen=True)
class PlaneRows:
    """
    Demand points and sites of a p-median in the plane.

    Parameters
    ----------
    x, y, weight
        Demand, float64 (n_rows,).
    site_x, site_y
        float64 (n_sites,).
    rounded
        What is made of Euclidean distances; must keep their order.
    whole
        Whether what it makes are whole numbers.
    """

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    site_x: FloatArray
    site_y: FloatArray
    rounded: Callable[[FloatArray], FloatArray]
    whole: bool

    @property
    def n_rows(self) -> int:
        """Demand points."""
        return len(self.x)

    @property
    def n_sites(self) -> int:
        """Sites."""
        return len(self.site_x)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(np.column_stack([self.site_x, self.site_y]))

    def two_nearest(self, open_idx: IntArray, threads: int = 1) -> tuple[FloatArray, FloatArray]:
        """
        Distance to the nearest and second nearest of some sites, not rounded, float64 (n_rows,) each.

        The second is ``inf`` where there is one site only.
        """
        tree = cKDTree(np.column_stack([self.site_x[open_idx], self.site_y[open_idx]]))
        distance = np.asarray(tree.query(np.column_stack([self.x, self.y]), k=[1, 2], workers=threads)[0])
        return distance[:, 0], distance[:, 1]

    def cost_with(self, open_idx: IntArray, threads: int = 1) -> FloatArray:
        """Cost per unit of weight at the nearest of some sites, float64 (n_rows,)."""
        tree = cKDTree(np.column_stack([self.site_x[open_idx], self.site_y[open_idx]]))
        # Of two that the tree finds equally near, but for the last bit, the nearer one counts.
        near = np.asarray(tree.query(np.column_stack([self.x, self.y]), k=[1, 2], workers=threads)[1])
        near = np.where(near == len(open_idx), near[:, :1], near)
        return np.asarray(self.rounded(self._distance(np.arange(self.n_rows)[:, None], open_idx[near])).min(axis=1))

    def value_with(self, open_idx: IntArray, threads: int = 1) -> float:
        """Cost × weight of all rows with some sites open, correctly rounded."""
        return math.fsum(self.weight * self.cost_with(open_idx, threads))

    def within(self, reach: FloatArray, threads: int = 1) -> IntArray:
        """Number of sites within a distance of each row, int64 (n_rows,)."""
        points = np.column_stack([self.x, self.y])
        return np.asarray(self._tree.query_ball_point(points, reach, return_length=True, workers=threads))

    def _distance(self, row: IntArray, site: IntArray) -> FloatArray:
        squared = np.square(self.x[row] - self.site_x[site])
        squared += np.square(self.y[row] - self.site_y[site])
        return np.asarray(np.sqrt(squared, out=squared))

    def _chunks(self, length: IntArray) -> Iterator[tuple[int, int]]:
        """Ranges of rows that hold about so many pairs where each is as long as the longest among them."""
        start = 0
        while start < self.n_rows:
            stop = min(self.n_rows, start + max(1, _CHUNK_PAIRS // int(length[start])))
            longest = int(length[start:stop].max())
            stop = min(stop, start + max(1, _CHUNK_PAIRS // longest))
            yield start, stop
            start = stop

    def instance(self, length: IntArray, p: int, threads: int = 1) -> Instance:
        """
        The p-median on rows of nearest sites.

        A row that does not hold every site can stay unserved at the cost of its last one, so that the optimum is a
        lower bound of the problem with all pairs, and equal to it where all are served by a site that their row holds.

        Parameters
        ----------
        length
            Sites that each row holds, int64 (n_rows,), 1 to ``n_sites``.
        p
            Sites to open.
        """
        n, m = self.n_rows, self.n_sites
        indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(length)])
        site_idx = np.empty(indptr[-1], dtype=np.int32)
        cost = np.empty(indptr[-1], dtype=np.float64)
        unserved = np.full(n, np.inf)
        for start, stop in self._chunks(length):
            own = length[start:stop]
            longest = int(own.max())
            points = np.column_stack([self.x[start:stop], self.y[start:stop]])
            site = np.asarray(self._tree.query(points, k=np.arange(1, longest + 1), workers=threads)[1])
            distance = self._distance(np.arange(start, stop)[:, None], site)
            held = np.arange(longest)[None, :] < own[:, None]
            last = distance[np.arange(stop - start), own - 1]
            unserved[start:stop] = np.where(own < m, self.rounded(last * (1 - _ULPS)), np.inf)
            found = self.rounded(distance)
            found[~held] = np.inf
            order = np.lexsort((site, found), axis=1)[held]
            at = np.broadcast_to(np.arange(stop - start)[:, None], held.shape)[held]
            part = slice(indptr[start], indptr[stop])
            site_idx[part] = site[at, order]
            cost[part] = found[at, order]
        if self.whole:
            cost = cost.astype(np.int32 if cost.max(initial=0) <= np.iinfo(np.int32).max else np.int64)
        return Instance(
            indptr=indptr,
            site_idx=site_idx,
            cost=cost,
            unserved=unserved,
            weight=self.weight.reshape(1, n),
            standing=np.full(m, FREE, dtype=np.int8),
            open_min=np.array([p], dtype=np.int64),
            open_max=np.array([p], dtype=np.int64),
            capacity=np.full((m, 1, 1), np.inf),
            row_point=np.arange(n, dtype=np.int32),
            row_group=np.zeros(n, dtype=np.int32),
        )
