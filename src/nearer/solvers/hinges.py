"""
A linear relaxation over the openness y of sites, made of hinges that are written out only where they matter.

``min constant + Σ_j cost_j y_j + Σ_h a_h · max(0, r_h − y(S_h))``,  k_min ≤ Σ y ≤ k_max, with y(S) = Σ_{j∈S} y_j.

Each hinge starts as linear: ``r − y(S)`` where the multipliers say that S is not open enough, else ``0``. Where a
solution disagrees, the hinge is written out with a column of its own, ``s ≥ y(S) − r`` or ``s ≥ r − y(S)``, at cost
a: the basis stays dual feasible, so the dual simplex goes on from there. The duals are fractions of the hinges.
"""

from __future__ import annotations

import numpy as np

from nearer.lp import Lp, LpStatus
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.units import BoolArray, FloatArray, IntArray, ranges

_VIOLATION = 1e-7


class Hinges:
    """
    The relaxation, solved again as sites are fixed and hinges are written out; its children say what the hinges are.

    Attributes
    ----------
    amount, needs
        a and r of each hinge, float64 (n_hinges,).
    first, sizes
        Where the sites of each hinge begin in ``sites``, and how many they are, int (n_hinges,).
    below
        Whether a hinge that is not written out counts as ``r − y(S)``, bool (n_hinges,).
    written, order
        Which hinges are written out, and in which order.
    rows
        Row of the LP of each hinge written out, in their order.
    unit
        What the LP counts costs in.
    constant, cost
        What no openness changes, and the costs of sites in the LP, with hinges not written out as they count.
    """

    constant: float
    cost: FloatArray

    def __init__(
        self,
        m: int,
        sites: IntArray,
        first: IntArray,
        sizes: IntArray,
        amount: FloatArray,
        needs: FloatArray,
        fraction: FloatArray,
        budget: Budget,
    ) -> None:
        self.m, self.sites, self.first, self.sizes = m, sites, first, sizes
        self.amount, self.needs, self.budget = amount, needs, budget
        self.below: BoolArray = fraction >= 0.5
        self.written: BoolArray = np.zeros(len(amount), dtype=bool)
        self.order: IntArray = np.zeros(0, dtype=np.int64)
        self.rows: IntArray = np.zeros(0, dtype=np.int64)
        self.unit = max(float(amount.mean()), 1e-300) if len(amount) else 1.0
        self.lp = Lp(budget.stop)

    def start(self, cost: FloatArray, k_min: int, k_max: int) -> None:
        """Give the LP its sites, at their costs with every hinge linear, and how many of them open."""
        m, self.cost = self.m, cost
        self.lp.add_columns(cost, np.zeros(m), np.ones(m))
        least, most = np.array([float(k_min)]), np.array([float(k_max)])
        self.lp.add_rows(least, most, np.array([0, m]), np.arange(m), np.ones(m))

    def write(self, hinges: IntArray) -> None:
        """Write hinges out: a column and a row each."""
        if len(hinges) == 0:
            return
        start = self.m + len(self.order)
        first, sizes = self.first[hinges], self.sizes[hinges]
        indptr = np.concatenate([[0], np.cumsum(sizes + 1)])
        own = indptr[1:] - 1
        is_site = np.ones(indptr[-1], dtype=bool)
        is_site[own] = False
        column = np.empty(indptr[-1], dtype=np.int32)
        entry = np.empty(indptr[-1])
        column[is_site] = self.sites[ranges(first, sizes)]
        # s + y(S) >= r where the hinge is 0, s - y(S) >= -r where it is linear.
        sign = np.where(self.below[hinges], -1.0, 1.0)
        entry[is_site] = np.repeat(sign, sizes)
        column[own], entry[own] = start + np.arange(len(hinges)), 1.0
        none = np.zeros(len(hinges))
        self.lp.add_columns(self.amount[hinges] / self.unit, none, none + np.inf)
        self.rows = np.concatenate([self.rows, self.lp.n_rows + np.arange(len(hinges))])
        self.lp.add_rows(sign * self.needs[hinges], none + np.inf, indptr, column, entry)
        self.written[hinges] = True
        self.order = np.concatenate([self.order, hinges])

    def flip(self, hinges: IntArray) -> None:
        """Count hinges, about to be written out no longer, by their other half."""
        sizes = self.sizes[hinges]
        amount = np.where(self.below[hinges], 1.0, -1.0) * self.amount[hinges]
        at = ranges(self.first[hinges], sizes)
        self.cost = self.cost + np.bincount(self.sites[at], np.repeat(amount / self.unit, sizes), minlength=self.m)
        self.constant -= float((amount * self.needs[hinges]).sum())
        self.below[hinges] = ~self.below[hinges]
        self.lp.set_costs(np.arange(self.m), self.cost)

    def write_wrong(self, openness: FloatArray, most: int | None = None) -> int:
        """Write out the hinges, or the worst of them, that a solution with y(S) = ``openness`` gets wrong; how many."""
        excess = np.where(self.below, openness - self.needs, self.needs - openness)
        wrong = np.flatnonzero((excess > _VIOLATION) & ~self.written & (self.amount > 0))
        if most is not None and len(wrong) > most:
            loss = excess[wrong] * self.amount[wrong]
            wrong = np.sort(wrong[np.argsort(-loss, kind="stable")[:most]])
        self.write(wrong)
        return len(wrong)

    def solve(self) -> LpStatus:
        """Solve and count the work."""
        before = self.lp.iterations
        status = self.lp.solve()
        self.budget.spend((self.lp.iterations - before) * LP_ITERATION_WORK + self.lp.n_rows)
        return status

    @property
    def y(self) -> FloatArray:
        """Openness of each site in the last solution, float64 (m,)."""
        return np.clip(self.lp.x[: self.m], 0.0, 1.0)

    @property
    def value(self) -> float:
        """Value of the last solution (not a safe bound)."""
        return self.constant + self.unit * self.lp.objective

    @property
    def hinge_dual(self) -> FloatArray:
        """Duals of the hinges written out, in their order."""
        return self.lp.row_dual[self.rows]

    def fractions(self) -> FloatArray:
        """How much of each hinge's amount the last solution's duals take, 0 … 1, float64 (n_hinges,)."""
        fraction = self.below.astype(np.float64)
        dual = np.clip(self.hinge_dual * self.unit / np.maximum(self.amount[self.order], 1e-300), 0.0, 1.0)
        fraction[self.order] = np.where(self.below[self.order], 1.0 - dual, dual)
        return fraction
