"""Points in the plane as rows of the sites within reach, as far as they need to look: never all pairs at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.spatial import cKDTree

from nearer.kernels import plane as kernels
from nearer.kernels.jit import run_chunks
from nearer.model.instance import FREE, Instance
from nearer.units import FloatArray, IntArray

Rounding = Literal["floor", "round", "ceil", "exact"]

ROUND: dict[str, Callable[[FloatArray], FloatArray]] = {
    "floor": np.floor,
    "round": lambda d: np.floor(d + 0.5),  # TSPLIB's nint: halves go up
    "ceil": np.ceil,
    "exact": lambda d: d,
}
"""What may be made of distances; each keeps their order."""

_CHUNK_PAIRS = 2_000_000
_CHUNK_ROWS = 4_000


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
    rounding
        What is made of Euclidean distances.
    """

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    site_x: FloatArray
    site_y: FloatArray
    rounding: Rounding

    @property
    def rounded(self) -> Callable[[FloatArray], FloatArray]:
        """What makes costs of distances."""
        return ROUND[self.rounding]

    @property
    def whole(self) -> bool:
        """Whether costs are whole numbers."""
        return self.rounding != "exact"

    @property
    def n_rows(self) -> int:
        """Demand points."""
        return len(self.x)

    @property
    def n_sites(self) -> int:
        """Sites."""
        return len(self.site_x)

    @cached_property
    def _grid(self) -> kernels.Grid:
        return kernels.Grid.of(self.site_x, self.site_y)

    def some(self, row: IntArray) -> PlaneRows:
        """A part of the demand."""
        return PlaneRows(self.x[row], self.y[row], self.weight[row], self.site_x, self.site_y, self.rounding)

    def reach_of(self, k: int, threads: int = 1) -> FloatArray:
        """Distance to the k-th nearest site of each row, float64 (n_rows,); ``inf`` where k is all of them."""
        if k >= self.n_sites:
            return np.full(self.n_rows, np.inf)
        tree = cKDTree(np.column_stack([self.site_x, self.site_y]))
        distance = np.asarray(tree.query(np.column_stack([self.x, self.y]), k=[k], workers=threads)[0])
        return np.asarray(distance[:, 0])

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
        site = open_idx[np.where(near == len(open_idx), near[:, :1], near)]
        squared = np.square(self.x[:, None] - self.site_x[site])
        squared += np.square(self.y[:, None] - self.site_y[site])
        return np.asarray(self.rounded(np.sqrt(squared)).min(axis=1))

    def value_with(self, open_idx: IntArray, threads: int = 1) -> float:
        """Cost × weight of all rows with some sites open, correctly rounded."""
        return math.fsum(self.weight * self.cost_with(open_idx, threads))

    def within(self, reach: FloatArray, threads: int = 1) -> IntArray:
        """Number of sites at most so far from each row, int64 (n_rows,)."""
        cuts = range(0, self.n_rows, _CHUNK_ROWS)

        def count(start: int) -> IntArray:
            part = slice(start, start + _CHUNK_ROWS)
            return np.asarray(kernels.count_within(self.x[part], self.y[part], reach[part], *self._near))

        return np.concatenate(list(run_chunks(count, cuts, threads)))

    @property
    def _near(self) -> tuple[object, ...]:
        grid = self._grid
        return (
            self.site_x,
            self.site_y,
            grid.x0,
            grid.y0,
            grid.size,
            grid.nx,
            grid.ny,
            grid.start,
            grid.site,
        )

    def instance(self, reach: FloatArray, p: int, threads: int = 1) -> Instance:
        """
        The p-median on the sites within reach of each row.

        A row that does not reach every site can stay unserved at the cost of a site at its reach, so that the optimum
        is a lower bound of the problem with all pairs, and equal to it where all are served by a site in reach.

        Parameters
        ----------
        reach
            Distance up to which each row holds sites, float64 (n_rows,); ``inf`` for all.
        p
            Sites to open.
        """
        n, m = self.n_rows, self.n_sites
        length = self.within(reach, threads)
        indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(length)])
        site_idx = np.empty(indptr[-1], dtype=np.int32)
        cost = np.empty(indptr[-1], dtype=np.int32 if self.whole else np.float64)
        cuts = np.unique(np.searchsorted(indptr, np.arange(0, indptr[-1] + _CHUNK_PAIRS, _CHUNK_PAIRS)).clip(0, n))

        def fill(chunk: tuple[int, int]) -> FloatArray:
            rows = slice(*chunk)
            ptr = indptr[chunk[0] : chunk[1] + 1] - indptr[chunk[0]]
            site, distance = site_idx[indptr[chunk[0]] : indptr[chunk[1]]], np.empty(ptr[-1])
            kernels.fill_within(self.x[rows], self.y[rows], reach[rows], *self._near, ptr, site, distance)
            found = np.array(self.rounded(distance))
            kernels.sort_rows(ptr, site, found)
            return found

        chunks = list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))
        for (start, stop), found in zip(chunks, run_chunks(fill, chunks, threads), strict=True):
            if self.whole and cost.dtype == np.int32 and found.max(initial=0) > np.iinfo(np.int32).max:
                cost = cost.astype(np.int64)
            cost[indptr[start] : indptr[stop]] = found
        return Instance(
            indptr=indptr,
            site_idx=site_idx,
            cost=cost,
            unserved=np.where(length < m, self.rounded(np.where(np.isfinite(reach), reach, 0.0)), np.inf),
            weight=self.weight.reshape(1, n),
            standing=np.full(m, FREE, dtype=np.int8),
            open_min=np.array([p], dtype=np.int64),
            open_max=np.array([p], dtype=np.int64),
            capacity=np.full((m, 1, 1), np.inf),
            row_point=np.arange(n, dtype=np.int32),
            row_group=np.zeros(n, dtype=np.int32),
        )
