"""
The linear relaxation of twofold cover, each term at the lower envelope of what it pays.

With y(T) = Σ_{j∈T} y_j, the envelope of (one, two, 0) is a sum of *hinges* ``a · max(0, r − y(T))``: where the first
cover saves at least as much as the second, a = one − 2·two at r = 1 and a = two at r = 2; else a = one / 2 at r = 2.
In the second case more is true once a site of T is fixed open: a = two at r = 2 (one cover less is missing).

The LP is that of ``hinges.py``; its duals are fractions f of the hinges, and λ_t = Σ a f.
"""

from __future__ import annotations

import numpy as np

from nearer.solvers.budget import Budget
from nearer.solvers.hinges import Hinges
from nearer.solvers.twofold_core import TwofoldCore
from nearer.units import FloatArray, IntArray


class TwofoldMaster(Hinges):
    """The relaxation of a core, solved again as sites are fixed and hinges are written out."""

    def __init__(self, core: TwofoldCore, lam: FloatArray, budget: Budget) -> None:
        self.core = core
        concave = core.one >= 2 * core.two
        first = np.flatnonzero(concave & (core.one > 2 * core.two))
        second = np.flatnonzero(~concave | (core.two > 0))
        self.term: IntArray = np.concatenate([first, second])
        needs = np.concatenate([np.ones(len(first)), np.full(len(second), 2.0)])
        amount = np.concatenate([(core.one - 2 * core.two)[first], np.where(concave, core.two, core.one / 2)[second]])
        # Once a site of the term is fixed open, these may count more.
        self.steeper: FloatArray = np.concatenate([amount[: len(first)], core.two[second]])
        self._root_amount = amount.copy()
        below = np.zeros(core.n)
        paid = np.empty(len(self.term))
        for at in (slice(len(first), None), slice(0, len(first))):  # the flat hinge fills first
            paid[at] = np.clip(lam[self.term[at]] - below[self.term[at]], 0.0, amount[at])
            np.add.at(below, self.term[at], amount[at])
        fraction = paid / np.maximum(amount, 1e-300)
        begin, end = core.ptr[self.term], core.ptr[self.term + 1]
        super().__init__(core.m, core.col, begin, end - begin, amount, needs, fraction, budget)
        self.start(self._costs(), core.k_min, core.k_max)
        self._fixed: IntArray = np.full(core.m, -1, dtype=np.int8)
        self.constant = self._constant()
        self.write(np.flatnonzero((fraction > 0.05) & (fraction < 0.95)))

    def _costs(self) -> FloatArray:
        """Cost of each site with the hinges that are linear, in LP units, float64 (m,)."""
        core = self.core
        slope = np.bincount(self.term[self.below], self.amount[self.below], minlength=core.n)
        return np.asarray((core.price - np.bincount(core.col, slope[core.terms], minlength=core.m)) / self.unit)

    def _constant(self) -> float:
        """What the linear hinges pay with nothing open."""
        return self.core.base + float((self.amount * self.needs)[self.below].sum())

    def separate(self) -> int:
        """Write out the hinges that the last solution gets wrong; returns how many."""
        core = self.core
        openness = np.bincount(core.terms, self.y[core.col], minlength=core.n).astype(np.float64)
        n_wrong = self.write_wrong(openness[self.term])
        self.budget.spend(core.nnz)
        return n_wrong

    def multipliers(self) -> FloatArray:
        """λ of the terms that prove at least the value of the last solution, float64 (n,)."""
        return np.asarray(np.bincount(self.term, self.amount * self.fractions(), minlength=self.core.n))

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
            self.constant = self._constant()
            self.lp.set_costs(np.arange(core.m), self._costs())
            self.lp.set_costs(core.m + np.arange(len(self.order)), amount[self.order] / self.unit)
