"""The p-center of points in the plane: points, sites and rounded distances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from nearer.units import FloatArray, IntArray


@dataclass(frozen=True)
class CenterPoints:
    """
    Points to be served, each with the weight 1, and sites.

    Parameters
    ----------
    x, y
        Points, float64 (n_rows,).
    site_x, site_y
        float64 (n_sites,).
    rounded
        What is made of Euclidean distances; must keep their order.
    whole
        Whether what it makes are whole numbers.
    """

    x: FloatArray
    y: FloatArray
    site_x: FloatArray
    site_y: FloatArray
    rounded: Callable[[FloatArray], FloatArray]
    whole: bool

    @property
    def n_rows(self) -> int:
        """Points."""
        return len(self.x)

    @property
    def n_sites(self) -> int:
        """Sites."""
        return len(self.site_x)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(np.column_stack([self.site_x, self.site_y]))

    def nearest_site(self, x: FloatArray | float, y: FloatArray | float) -> IntArray:
        """The site nearest to each place, int64."""
        return np.asarray(self._tree.query(np.column_stack([np.atleast_1d(x), np.atleast_1d(y)]))[1], dtype=np.int64)

    def sites_near(self, x: FloatArray, y: FloatArray, distance: float) -> IntArray:
        """The sites within a distance of any of some places, int64."""
        near = self._tree.query_ball_point(np.column_stack([x, y]), distance)
        return np.unique(np.concatenate([np.asarray(some, dtype=np.int64) for some in near]))

    def distances(self, open_idx: IntArray) -> FloatArray:
        """Rounded distance of each point to the nearest of some sites, float64 (n_rows,)."""
        squared = np.full(self.n_rows, np.inf)
        for j in open_idx:
            np.minimum(squared, np.square(self.x - self.site_x[j]) + np.square(self.y - self.site_y[j]), out=squared)
        return np.asarray(self.rounded(np.sqrt(squared)))

    def nearest_open(self, open_idx: IntArray) -> IntArray:
        """The nearest of some sites for each point, by rounded distance, of equals the lowest, int64 (n_rows,)."""
        best = np.full(self.n_rows, np.inf)
        at = np.full(self.n_rows, -1, dtype=np.int64)
        for j in np.sort(open_idx):
            distance = self.distances(np.array([j]))
            nearer = distance < best
            best[nearer], at[nearer] = distance[nearer], j
        return at
