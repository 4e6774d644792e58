"""
The linear relaxation of twofold cover, each term at the lower envelope of what it pays.

With y(T) = Σ_{j∈T} y_j, the envelope of (one, two, 0) is a sum of *hinges* ``a · max(0, r − y(T))``: where the first
cover saves at least as much as the second, a = one − 2·two at r = 1 and a = two at r = 2; else a = one / 2 at r = 2.
In the second case more is true once a site of T is fixed open: a = two at r = 2 (one cover less is missing).

As in ``master.py``, a hinge starts as linear, ``r − y(T)`` or ``0``, as the multipliers say, and is written out with a
column of its own, at cost a, where a solution disagrees. The duals are fractions f of the hinges, and λ_t = Σ a f.
"""

from __future__ import annotations

import numpy as np

from nearer.lp import Lp, LpStatus
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.solvers.twofold_core import TwofoldCore
from nearer.units import BoolArray, FloatArray, IntArray

_VIOLATION = 1e-7


class TwofoldMaster:
    """The relaxation of a core, solved again as sites are fixed and hinges are written out."""

    def __init__(self, core: TwofoldCore, lam: FloatArray, budget: Budget) -> None:
        self.core, self.budget = core, budget
        concave = core.one >= 2 * core.two
        first = np.flatnonzero(concave & (core.one > 2 * core.two))
        second = np.flatnonzero(~concave | (core.two > 0))
        self.term: IntArray = np.concatenate([first, second])
        self.needs: FloatArray = np.concatenate([np.ones(len(first)), np.full(len(second), 2.0)])
        self.amount: FloatArray = np.concatenate(
            [(core.one - 2 * core.two)[first], np.where(concave, core.two, core.one / 2)[second]]
        )
        # Once a site of the term is fixed open, these may count more.
        self.steeper: FloatArray = np.concatenate([self.amount[: len(first)], core.two[second]])
        self._root_amount = self.amount.copy()
        below = np.zeros(core.n)
        paid = np.empty(len(self.term))
        for at in (slice(len(first), None), slice(0, len(first))):  # the flat hinge fills first
            paid[at] = np.clip(lam[self.term[at]] - below[self.term[at]], 0.0, self.amount[at])
            np.add.at(below, self.term[at], self.amount[at])
        fraction = paid / np.maximum(self.amount, 1e-300)
        self.below: BoolArray = fraction >= 0.5
        self.written: BoolArray = np.zeros(len(self.term), dtype=bool)
        self.order: IntArray = np.zeros(0, dtype=np.int64)
        self.unit = max(float(self.amount.mean()), 1e-300) if len(self.term) else 1.0
        self.lp = Lp(budget.stop)
        self.lp.add_columns(self._costs(), np.zeros(core.m), np.ones(core.m))
        self.lp.add_rows(
            np.array([float(core.k_min)]),
            np.array([float(core.k_max)]),
            np.array([0, core.m]),
            np.arange(core.m),
            np.ones(core.m),
        )
        self._fixed: IntArray = np.full(core.m, -1, dtype=np.int8)
        self.write(np.flatnonzero((fraction > 0.05) & (fraction < 0.95)))

    def _costs(self) -> FloatArray:
        """Cost of each site with the hinges that are linear, in LP units, float64 (m,)."""
        core = self.core
        slope = np.bincount(self.term[self.below], self.amount[self.below], minlength=core.n)
        return np.asarray((core.price - np.bincount(core.col, slope[core.terms], minlength=core.m)) / self.unit)

    @property
    def constant(self) -> float:
        """What the linear hinges pay with nothing open."""
        return self.core.base + float((self.amount * self.needs)[self.below].sum())

    def write(self, hinges: IntArray) -> None:
        """Write hinges out: a column and a row each."""
        if len(hinges) == 0:
            return
        core = self.core
        start = core.m + len(self.order)
        first = core.ptr[self.term[hinges]]
        sizes = core.ptr[self.term[hinges] + 1] - first
        indptr = np.concatenate([[0], np.cumsum(sizes + 1)])
        own = indptr[1:] - 1
        is_site = np.ones(indptr[-1], dtype=bool)
        is_site[own] = False
        offset = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        column = np.empty(indptr[-1], dtype=np.int32)
        entry = np.empty(indptr[-1])
        column[is_site] = core.col[np.repeat(first, sizes) + offset]
        # s + y(T) >= r where the hinge is 0, s - y(T) >= -r where it is linear.
        sign = np.where(self.below[hinges], -1.0, 1.0)
        entry[is_site] = np.repeat(sign, sizes)
        column[own], entry[own] = start + np.arange(len(hinges)), 1.0
        none = np.zeros(len(hinges))
        self.lp.add_columns(self.amount[hinges] / self.unit, none, none + np.inf)
        self.lp.add_rows(sign * self.needs[hinges], none + np.inf, indptr, column, entry)
        self.written[hinges] = True
        self.order = np.concatenate([self.order, hinges])

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
        """Value of the last solution (not a safe bound)."""
        return self.constant + self.unit * self.lp.objective

    def separate(self) -> int:
        """Write out the hinges that the last solution gets wrong; returns how many."""
        core = self.core
        openness = np.bincount(core.terms, self.y[core.col], minlength=core.n)[self.term]
        excess = np.where(self.below, openness - self.needs, self.needs - openness)
        wrong = np.flatnonzero((excess > _VIOLATION) & ~self.written & (self.amount > 0))
        self.write(wrong)
        self.budget.spend(core.nnz)
        return len(wrong)

    def multipliers(self) -> FloatArray:
        """λ of the terms that prove at least the value of the last solution, float64 (n,)."""
        fraction = self.below.astype(np.float64)
        amount = self.amount[self.order]
        dual = np.clip(self.lp.row_dual[1:] * self.unit / np.maximum(amount, 1e-300), 0.0, 1.0)
        fraction[self.order] = np.where(self.below[self.order], 1.0 - dual, dual)
        return np.asarray(np.bincount(self.term, self.amount * fraction, minlength=self.core.n))

    def fix(self, site: IntArray, value: IntArray) -> None:
        """Fix sites closed (0) or open (1); all others are free."""
        core = self.core
        fixed = np.full(core.m, -1, dtype=np.int8)
        fixed[site] = value
        if np.array_equal(fixed, self._fixed):
            return
        self._fixed = fixed
        self.lp.set_bounds(np.arange(core.m), (fixed == 1).astype(float), (fixed != 0).astype(float))
        if not np.any(self.steeper > self._root_amount):
            return
        near = np.bincount(core.terms, fixed[core.col] == 1, minlength=core.n) > 0
        amount = np.where(near[self.term], np.maximum(self.steeper, self._root_amount), self._root_amount)
        if not np.array_equal(amount, self.amount):
            self.amount = amount
            self.lp.set_costs(np.arange(core.m), self._costs())
            self.lp.set_costs(core.m + np.arange(len(self.order)), amount[self.order] / self.unit)
