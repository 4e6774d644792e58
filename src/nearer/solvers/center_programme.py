"""
The linear programme of covering some points of a plane by some sites, and lenses: sites that cover two points.

``min Σ y, Σ of y_j over the sites j that cover row i ≥ 1``; a row is a pair of points, which a site covers where both
are within the threshold, and of a single point twice the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nearer.lp import Lp, LpStatus
from nearer.model.center_plane import CenterPoints
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.units import BoolArray, FloatArray, IntArray


class CenterProgramme:
    """Some rows and sites; a column before all others covers every row, for p + 1, so that there is always a plan."""

    def __init__(self, points: CenterPoints, p: int, squared: float, budget: Budget) -> None:
        self.points, self.squared, self.budget = points, squared, budget
        self.pair: IntArray = np.zeros((0, 2), dtype=np.int64)  # points of each row; twice the same where it is one
        self.site: IntArray = np.zeros(0, dtype=np.int64)
        self.has: BoolArray = np.zeros(points.n_sites, dtype=bool)
        self.lp = Lp(budget.stop)
        self.lp.add_columns(np.array([p + 1.0]), np.zeros(1), np.array([np.inf]))

    @property
    def single(self) -> BoolArray:
        """Which rows are points and no lenses."""
        return np.asarray(self.pair[:, 0] == self.pair[:, 1])

    def near(self, row: IntArray, site: IntArray) -> BoolArray:
        """Which points are within the threshold of which sites, bool (len(row), len(site))."""
        points = self.points
        squared = np.square(points.x[row, None] - points.site_x[None, site])
        squared += np.square(points.y[row, None] - points.site_y[None, site])
        return np.asarray(squared <= self.squared)

    def within(self, pair: IntArray, site: IntArray) -> BoolArray:
        """Which sites lie in which lenses, bool (len(pair), len(site))."""
        return self.near(pair[:, 0], site) & self.near(pair[:, 1], site)

    def add_points(self, row: IntArray) -> None:
        """Add rows of one point each, those that are not there."""
        row = row[~np.isin(row, self.pair[self.single, 0])]
        self.add_rows(np.column_stack([row, row]))

    def add_rows(self, pair: IntArray) -> None:
        """Add rows, points or lenses, none of them there."""
        within = np.concatenate([np.ones((len(pair), 1), dtype=bool), self.within(pair, self.site)], axis=1)
        _, column = np.nonzero(within)
        indptr = np.concatenate([[0], np.cumsum(within.sum(axis=1))])
        self.lp.add_rows(np.ones(len(pair)), np.full(len(pair), np.inf), indptr, column, np.ones(len(column)))
        self.pair = np.concatenate([self.pair, pair])

    def drop_rows(self, mask: BoolArray) -> None:
        """Take rows out."""
        self.lp.delete_rows(mask)
        self.pair = self.pair[~mask]

    def add_sites(self, site: IntArray) -> None:
        """Add sites, those that are not there, none of them closed."""
        site = site[~self.has[site]]
        within = self.within(self.pair, site).T
        _, row = np.nonzero(within)
        indptr = np.concatenate([[0], np.cumsum(within.sum(axis=1))])
        one = np.ones(len(site))
        self.lp.add_entries(one, 0.0 * one, np.inf * one, indptr, row, np.ones(len(row)))
        self.site = np.concatenate([self.site, site])
        self.has[site] = True

    def close(self, closed: BoolArray) -> None:
        """Set which sites are closed."""
        top = np.where(closed[self.site], 0.0, np.inf)
        self.lp.set_bounds(np.arange(1, len(top) + 1), np.zeros(len(top)), top)

    def solve(self, primal: bool = False) -> tuple[FloatArray, FloatArray] | None:
        """λ of the rows and openness of the sites; None when stopped."""
        before = self.lp.iterations
        self.lp.use_primal(primal)
        solved = self.lp.solve() is LpStatus.OPTIMAL
        self.lp.use_primal(False)
        self._spend(before)
        return (np.maximum(self.lp.row_dual, 0.0), self.lp.x[1:]) if solved else None

    def glance(self, iterations: int) -> float:
        """About what the programme is worth, after so many iterations of the simplex at most."""
        before = self.lp.iterations
        value = self.lp.glance(iterations)
        self._spend(before)
        return value

    def _spend(self, before: int) -> None:
        each = LP_ITERATION_WORK + self.lp.n_rows * len(self.site) // 100
        self.budget.spend(each * (4 + self.lp.iterations - before))

    def thin(self, rows: BoolArray, sites: BoolArray, share: float) -> BoolArray:
        """Take out those of some rows and sites that are idle, if more than a share of all; the sites that stay."""
        basic_column, basic_row = self.lp.statuses()
        rows = rows & basic_row
        sites = sites & ~basic_column[1:]
        if rows.sum() + sites.sum() <= share * (len(rows) + len(sites)):
            return np.ones(len(sites), dtype=bool)
        self.lp.thin(np.concatenate([[False], sites]), rows)
        self.has[self.site[sites]] = False
        self.pair, self.site = self.pair[~rows], self.site[~sites]
        return ~sites

    def basis(self) -> tuple[Any, IntArray, IntArray]:
        """To come back to."""
        return self.lp.basis(), self.pair, self.site

    def set_basis(self, taken: tuple[Any, IntArray, IntArray]) -> None:
        """Come back, with other rows and sites."""
        basis, pair, site = taken
        column = {j: k for k, j in enumerate(site.tolist())}
        row = {(a, b): k for k, (a, b) in enumerate(pair.tolist())}
        columns = np.array([0] + [1 + column.get(j, -2) for j in self.site.tolist()])
        rows = np.array([row.get((a, b), -1) for a, b in self.pair.tolist()])
        self.lp.set_basis(Lp.basis_of(basis, columns, rows))
