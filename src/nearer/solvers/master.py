"""
The linear relaxation by Benders cuts: one θ per row, one y per free site, cuts separated in closed form.

``min Σ θ_i`` with ``θ_i ≥ b − Σ_j (b − v_ij)⁺ y_j`` for levels b among the row's costs and its cap (Cornuejols,
Nemhauser, Wolsey 1980; Duran-Mateluna, Ales, Elloumi 2023). Started from good multipliers, the two levels around each
λ_i give a master that already proves L(λ). The duals of the cuts average to multipliers that prove the master's value.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels import pmedian as kernels
from nearer.lp import Lp, LpStatus
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.solvers.core import Core
from nearer.units import FloatArray, IntArray

_VIOLATION = 1e-7  # of the row's span: smaller violations are left


class Master:
    """
    The relaxation of a core, solved again as sites are fixed and cuts are added.

    Rows are scaled to span 0 … 1 and the objective to a mean of 1, which keeps HiGHS's tolerances meaningful.
    """

    def __init__(self, core: Core, lam: FloatArray, budget: Budget) -> None:
        self.core, self.budget = core, budget
        self.span = core.cap - core.least
        self.unit = max(float(self.span.mean()), 1e-300)
        self.lp = Lp(budget.stop)
        self.lp.add_columns(np.zeros(core.m), np.zeros(core.m), np.ones(core.m))
        self.lp.add_columns(self.span / self.unit, np.zeros(core.n), np.full(core.n, np.inf))
        one_row = np.array([0, core.m])
        count = np.array([float(core.k)])
        self.lp.add_rows(count, count, one_row, np.arange(core.m), np.ones(core.m))
        self.cut_row: IntArray = np.zeros(0, dtype=np.int64)
        self.cut_level: FloatArray = np.zeros(0)
        self._add_around(lam)

    def _add_around(self, lam: FloatArray) -> None:
        """Cuts at the levels just below (or at) and just above each multiplier."""
        core = self.core
        at_or_below = np.add.reduceat(core.val <= lam[core.rows], core.ptr[:-1])
        last = core.ptr[:-1] + np.maximum(at_or_below, 1) - 1
        below = core.val[last]
        following = np.minimum(last + 1, core.nnz - 1)
        above = np.where(last + 1 < core.ptr[1:], core.val[following], core.cap)
        rows = np.arange(core.n)
        # A cut at the row's least cost says θ ≥ least, which is the column's bound.
        useful = below > core.least
        self.add(np.concatenate([rows[useful], rows]), np.concatenate([below[useful], above]))

    def add(self, row: IntArray, level: FloatArray) -> None:
        """Append cuts."""
        core = self.core
        indptr, site, value = kernels.cut_entries(core.ptr, core.col, core.val, row, level)
        sizes = np.diff(indptr)
        span = self.span[row]
        # Each cut: its sites, then its θ.
        starts = indptr + np.arange(len(row) + 1)
        column = np.empty(starts[-1], dtype=np.int32)
        entry = np.empty(starts[-1])
        theta_at = starts[1:] - 1
        sites_at = np.ones(starts[-1], dtype=bool)
        sites_at[theta_at] = False
        column[sites_at], entry[sites_at] = site, value / np.repeat(span, sizes)
        column[theta_at], entry[theta_at] = core.m + row, 1.0
        lower = (level - core.least[row]) / span
        self.lp.add_rows(lower, np.full(len(row), np.inf), starts, column, entry)
        self.cut_row = np.concatenate([self.cut_row, row])
        self.cut_level = np.concatenate([self.cut_level, level])

    def solve(self) -> LpStatus:
        """Solve and count the work."""
        before = self.lp.iterations
        status = self.lp.solve()
        self.budget.spend((self.lp.iterations - before) * LP_ITERATION_WORK + self.lp.n_rows)
        return status

    @property
    def y(self) -> FloatArray:
        """Openness of each site in the last solution, float64 (m,)."""
        return np.clip(self.lp.x[: self.core.m], 0.0, 1.0)

    @property
    def value(self) -> float:
        """Cost of the last solution in the master (not a safe bound)."""
        return self.core.base + float(self.core.least.sum()) + self.unit * self.lp.objective

    def separate(self) -> int:
        """Add the violated cuts; returns how many."""
        core = self.core
        theta = core.least + self.span * self.lp.x[core.m :]
        level = np.empty(core.n)
        kernels.violated(core.ptr, core.col, core.val, core.cap, self.y, theta, self.span * _VIOLATION, level)
        self.budget.spend(core.nnz)
        found = np.flatnonzero(level >= 0)
        self.add(found, level[found])
        return len(found)

    def purge(self) -> None:
        """Drop cuts that are slack in the last solution."""
        core = self.core
        dual = self.lp.row_dual[1:]
        theta = core.least + self.span * self.lp.x[core.m :]
        indptr, site, value = kernels.cut_entries(core.ptr, core.col, core.val, self.cut_row, self.cut_level)
        sums = np.zeros(len(self.cut_row))
        filled = np.diff(indptr) > 0
        if len(site):
            sums[filled] = np.add.reduceat(value * self.y[site], indptr[:-1][filled])
        slack = theta[self.cut_row] + sums - self.cut_level
        drop = (dual <= 0) & (slack > 1e-6 * self.span[self.cut_row])
        if drop.sum() > 0.2 * len(drop):
            self.lp.delete_rows(np.concatenate([[False], drop]))
            self.cut_row, self.cut_level = self.cut_row[~drop], self.cut_level[~drop]

    def multipliers(self) -> FloatArray:
        """
        Average the levels of each row's cuts by their duals: multipliers that prove at least the master's value.

        (b − v)⁺ is convex in b, so one cut at the average level is no weaker than the average of the cuts.
        """
        core = self.core
        share = np.clip(self.lp.row_dual[1:], 0.0, None) * self.unit / self.span[self.cut_row]
        weight = np.bincount(self.cut_row, share, minlength=core.n)
        level = np.bincount(self.cut_row, share * self.cut_level, minlength=core.n)
        lam = level + np.maximum(1.0 - weight, 0.0) * core.least
        return np.asarray(np.clip(lam / np.maximum(weight, 1.0), core.least, core.cap))

    def fix(self, site: IntArray, value: IntArray) -> None:
        """Fix sites closed (0) or open (1); all others are free."""
        lower, upper = np.zeros(self.core.m), np.ones(self.core.m)
        lower[site[value == 1]] = 1.0
        upper[site[value == 0]] = 0.0
        self.lp.set_bounds(np.arange(self.core.m), lower, upper)
