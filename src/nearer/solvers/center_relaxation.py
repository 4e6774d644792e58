"""
The linear relaxation of covering all points of a plane within a threshold, few rows and few sites at a time.

``min Σ y, Σ of y_j over the sites j within t of i ≥ 1``. Rows that the openness y leaves uncovered and sites whose rows
hold more than 1 of the duals λ join in turns; both are found by one pass over all points or sites from coordinates.
Whatever the programme says, ``Σ λ / max(1, max_j Λ_j)``, with Λ_j the sum of λ over the rows of j, is a lower bound of
the number of sites, for then λ is feasible in the dual with all sites.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.kernels.cells import Cells, Places
from nearer.model.center_plane import CenterPoints
from nearer.solvers.budget import Budget
from nearer.solvers.center_programme import CenterProgramme
from nearer.units import FloatArray, IntArray

MARGIN = 1e-6
"""By how much multipliers must prove more than p."""
_SURE = 1e-9  # what a bound is lowered by, relative, against rounding
_AT_ONCE = 40  # rows or sites that join at least


@dataclass(frozen=True)
class Relaxed:
    """
    What the relaxation tells of a threshold.

    Parameters
    ----------
    proven
        Whether more than p sites are needed; None where it was not solved to the end.
    least
        Sites that are proven to be needed.
    row, lam
        Rows and their multipliers, above 0.
    site, y
        Sites that are open in part, and by how much; empty where it was not solved to the end.
    """

    proven: bool | None
    least: float
    row: IntArray
    lam: FloatArray
    site: IntArray
    y: FloatArray


def by_cells(points: CenterPoints) -> tuple[CenterPoints, tuple[Cells, IntArray], tuple[Cells, IntArray]]:
    """Points and sites in the order of their cells; these cells, and where each of them was before."""
    rows = sites = Cells.of(points.x, points.y)
    if points.site_x is not points.x or points.site_y is not points.y:
        sites = Cells.of(points.site_x, points.site_y)
    placed = CenterPoints(rows[0].x, rows[0].y, sites[0].x, sites[0].y, points.rounded, points.whole)
    return placed, rows, sites


class CenterRelaxation:
    """Rows and sites that mattered last are where the next threshold starts."""

    def __init__(self, points: CenterPoints, rows: Cells, sites: Cells, p: int, budget: Budget, threads: int) -> None:
        self.points, self.p, self.budget, self.threads = points, p, budget, threads
        self.row: IntArray = np.zeros(0, dtype=np.int64)
        self.site: IntArray = np.zeros(0, dtype=np.int64)
        self._rows, self._sites = rows, sites

    def sums(self, rows: bool, at: IntArray, share: FloatArray, squared: float) -> FloatArray:
        """Shares of sites ``at`` near each row (``rows``), or of rows ``at`` near each site."""
        cells, places = self._around(rows, at)
        return cells.sums(places, share, squared, self.threads)

    def _around(self, rows: bool, at: IntArray) -> tuple[Cells, Places]:
        points = self.points
        self.budget.spend(len(at) * 100 + (points.n_rows if rows else points.n_sites))
        if rows:
            return self._rows, (points.site_x[at], points.site_y[at])
        return self._sites, (points.x[at], points.y[at])

    def _loads(self, row: IntArray, lam: FloatArray, squared: float) -> tuple[FloatArray, IntArray]:
        """Of each cell of sites the one with the greatest sum of λ near it, where above 1, the greatest first."""
        cells, places = self._around(False, row)
        load, site = cells.extremes(places, lam, squared, 1.0, 1.0, self.threads)
        order = np.argsort(-load, kind="stable")
        return load[order], site[order]

    def _shares(self, site: IntArray, y: FloatArray, squared: float) -> tuple[FloatArray, IntArray]:
        """Of each cell of rows the one with the least openness near it, where below 1, the least first."""
        cells, places = self._around(True, site)
        total, row = cells.extremes(places, y, squared, -1.0, 1.0 - MARGIN, self.threads)
        order = np.argsort(total, kind="stable")
        return total[order], row[order]

    def ask(self, squared: float, work: int) -> Relaxed:
        """Whether more than p sites are needed within this squared distance, for so much work at most."""
        points, p = self.points, self.p
        reach = float(np.sqrt(squared))
        until = self.budget.spent + work
        programme = CenterProgramme(points, p, squared, self.budget)
        programme.add_sites(self.site)
        programme.add_points(self.row)
        least = 0.0
        lam: FloatArray = np.zeros(len(self.row))
        y: FloatArray = np.zeros(0)
        proven: bool | None = None
        primal = False
        while self.budget.spent < until and not self.budget.exhausted():
            solved = programme.solve(primal)
            if solved is None:
                break
            lam, y = solved
            row = programme.pair[:, 0]
            active = np.flatnonzero(lam > 0)
            load, over = self._loads(row[active], lam[active], squared)
            bound = float(lam.sum()) / float(load.max(initial=1.0)) * (1.0 - _SURE)
            least = max(least, bound)
            if bound > p + MARGIN:
                proven = True
                break
            # More sites only lower what these rows need, and more rows only raise it: sites join above p, rows below.
            if lam.sum() > p and load.max(initial=1.0) > 1.0 + MARGIN:
                over = over[load > 1.0 + MARGIN]
                programme.add_sites(spaced(over, points.site_x, points.site_y, 0.15 * reach, max(_AT_ONCE, 2 * p)))
                primal = True
                continue
            opened = np.flatnonzero(y > 1e-9)
            total, under = self._shares(programme.site[opened], y[opened], squared)
            if len(under) == 0 or 0.0 < y.sum() <= p * total.min():
                proven = False
                break
            primal = False
            programme.add_points(spaced(under, points.x, points.y, 0.3 * reach, max(_AT_ONCE, 2 * p)))
        active = np.flatnonzero(lam > 1e-12)
        opened = np.flatnonzero(y > 1e-9)
        found = Relaxed(
            proven,
            least,
            programme.pair[active, 0],
            lam[active],
            programme.site[opened],
            y[opened],
        )
        if len(active):
            self.row = found.row
        if len(opened):
            self.site = found.site
        return found


def spaced(order: IntArray, x: FloatArray, y: FloatArray, distance: float, most: int) -> IntArray:
    """The first of some points, then each that lies farther than a distance from those taken, int64."""
    left = np.ones(len(order), dtype=bool)
    taken: list[int] = []
    while len(taken) < most and left.any():
        at = order[int(np.argmax(left))]
        taken.append(int(at))
        left &= np.hypot(x[order] - x[at], y[order] - y[at]) > distance
        left[order == at] = False
    return np.array(taken, dtype=np.int64)
