"""
Multipliers carried from cells to what lies in them, and what a climb on cells brings to all points.

A multiplier is about how far its point has to go, and changes steadily from place to place: between the centres of
cells it is taken to be linear (on Delaunay triangles). What differs within a cell is kept when the cells climb on and
only their rise is carried over, as a multigrid method does (Brandt 1977).
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import Delaunay, QhullError

from nearer.kernels import triangles as kernels
from nearer.solvers.ascent import Ascent, levelled
from nearer.solvers.budget import Budget
from nearer.solvers.tiles import PlaneDual, Tiles
from nearer.units import FloatArray, IntArray


class Between:
    """
    From values at cells to values at points, or at smaller cells.

    Parameters
    ----------
    cells, cell
        Cells, and where each begins among the points (``Tiles.cells``).
    x, y, own
        Where values are wanted, float64 (n,), and the cell of each, which is all that counts where cells lie on a line.
    """

    def __init__(self, cells: Tiles, x: FloatArray, y: FloatArray, own: IntArray) -> None:
        self.corner = np.repeat(own[:, None], 3, axis=1).astype(np.int32)
        self.share = np.tile(np.array([1.0, 0.0, 0.0]), (len(x), 1))
        known = np.flatnonzero(cells.weight > 0)  # others have no centre
        cx, cy = cells.x[known], cells.y[known]
        if len(known) < 3:
            return
        try:
            net = Delaunay(np.column_stack([cx, cy]))
        except QhullError:
            return
        corner, self.share = kernels.shares(x, y, cx, cy, net.simplices, net.neighbors)
        self.corner = known[corner]

    def __call__(self, value: FloatArray) -> FloatArray:
        """Values there, from those at the cells."""
        return np.asarray((value[self.corner] * self.share).sum(axis=1))


class Grid:
    """Cells of the points, on which their multipliers climb."""

    def __init__(self, tiles: Tiles, size: int) -> None:
        self.tiles = tiles
        self.cells, self.cell = tiles.cells(size)
        self.between = Between(self.cells, tiles.x, tiles.y, np.repeat(np.arange(self.cells.n), np.diff(self.cell)))

    def risen(self, dual: PlaneDual, lam: FloatArray, plan: IntArray, iterations: int, budget: Budget) -> FloatArray:
        """Multipliers of all points after so many iterations on cells, with the sites that are not fixed closed."""
        cells, weight = self.cells, self.tiles.weight
        safe = np.where(cells.weight > 0, cells.weight, 1.0)
        before = np.add.reduceat(weight * lam, self.cell[:-1]) / safe
        on_cells = PlaneDual(cells, dual.p)
        on_cells.fix(~dual.live, dual.opened)
        ascent = Ascent(on_cells, before)
        upper = cells.value(plan)
        ascent.take(*levelled(on_cells, before, plan, 3, budget))
        for _ in range(0, iterations, 50):
            ascent.climb(upper, 50, budget)
            ascent.take(*levelled(on_cells, ascent.lam, plan, 3, budget))
        return np.maximum(lam + self.between(ascent.lam - before), 0.0)
