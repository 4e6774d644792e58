"""
The linear relaxation over prefixes: one term per distinct set of nearest sites, written out only where it matters.

A row with costs v_1 ≤ v_2 ≤ … pays v_1 + Σ_e (v_{e+1} − v_e) · max(0, 1 − y(S_e)), where S_e are its e nearest sites
and y(S) = Σ_{j∈S} y_j (Cornuejols, Nemhauser, Wolsey 1980; Elloumi 2010). Rows that see the same nearest sites share
the term, and neighbours mostly do, so terms are summed over rows (AlBdaiwi, Ghosh, Goldengorin 2011):

``min base + Σ_j price_j y_j + Σ_S a_S · max(0, 1 − y(S))``,  k_min ≤ Σ y ≤ k_max.

Each term starts as linear: ``1 − y(S)`` where the multipliers say that no site of S is open, else ``0``. Where a
solution disagrees, the term is written out with a column of its own, ``s ≥ y(S) − 1`` or ``s ≥ 1 − y(S)``, at cost
a_S: the basis stays dual feasible, so the dual simplex goes on from there. The duals are fractions f_S of the terms,
and λ_i = v_1 + Σ_e (v_{e+1} − v_e) f_{S_e} are multipliers that prove at least the value of the relaxation, since
Σ_{e≥l} (v_{e+1} − v_e) f_e ≥ (λ − v_l)⁺ for f in 0 … 1.
"""

from __future__ import annotations

import numpy as np

from nearer.lp import Lp, LpStatus
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.solvers.core import Core
from nearer.units import BoolArray, FloatArray, IntArray

_VIOLATION = 1e-7
_HASH_SEED = 20_240_229  # of the keys that tell sets apart; a collision would only weaken a bound, never break it


class Prefixes:
    """
    Distinct sets of nearest sites of a core.

    Attributes
    ----------
    of_entry
        Set of each entry (the row's sites up to and including it), int32 (nnz,).
    step
        Cost step that follows each entry, float64 (nnz,); 0 within ties.
    amount
        a_S, the sum of the steps, float64 (n_sets,).
    last, first
        One entry that ends each set and the start of that entry's row, int64 (n_sets,): ``col[first:last + 1]`` are
        the sites of the set.
    """

    def __init__(self, core: Core) -> None:
        keys = np.random.default_rng(_HASH_SEED).integers(0, 2**63, core.m, dtype=np.uint64)
        sums = np.cumsum(keys[core.col], dtype=np.uint64)  # wraps, on purpose
        before = np.concatenate([np.zeros(1, dtype=np.uint64), sums])[core.ptr[:-1]]
        following = np.concatenate([core.val[1:], np.zeros(1)])
        following[core.ptr[1:] - 1] = core.cap
        self.step: FloatArray = following - core.val
        _, self.last, of_entry = np.unique(sums - before[core.rows], return_index=True, return_inverse=True)
        self.of_entry: IntArray = of_entry.astype(np.int32)
        self.first: IntArray = core.ptr[core.rows[self.last]]
        self.amount: FloatArray = np.bincount(self.of_entry, self.step, minlength=len(self.last)).astype(np.float64)

    def openness(self, core: Core, y: FloatArray) -> FloatArray:
        """y(S) of each set, float64 (n_sets,)."""
        sums = np.concatenate([np.zeros(1), np.cumsum(y[core.col])])
        return np.asarray(sums[self.last + 1] - sums[self.first])


class Master:
    """The relaxation of a core, solved again as sites are fixed and terms are written out."""

    def __init__(self, core: Core, lam: FloatArray, budget: Budget) -> None:
        self.core, self.budget = core, budget
        self.prefixes = sets = Prefixes(core)
        paid = np.clip(lam[core.rows] - core.val, 0.0, sets.step)
        fraction = np.bincount(sets.of_entry, paid, minlength=len(sets.amount)) / np.maximum(sets.amount, 1e-300)
        self.below: BoolArray = fraction >= 0.5
        self.written: BoolArray = sets.amount <= 0.0  # nothing to write out where nothing is paid
        self.unit = max(float(sets.amount.mean()), 1e-300)
        self.lp = Lp(budget.stop)
        slope = np.bincount(core.col, self._tail(np.where(self.below, 1.0, 0.0)), minlength=core.m)
        self.lp.add_columns((core.price - slope) / self.unit, np.zeros(core.m), np.ones(core.m))
        self.lp.add_rows(
            np.array([float(core.k_min)]),
            np.array([float(core.k_max)]),
            np.array([0, core.m]),
            np.arange(core.m),
            np.ones(core.m),
        )
        self.constant = core.base + float(core.least.sum()) + float(sets.amount[self.below].sum())
        self.order: IntArray = np.zeros(0, dtype=np.int64)  # sets written out, in the order of the LP's rows
        self.write(np.flatnonzero((fraction > 0.05) & (fraction < 0.95) & ~self.written))

    def _tail(self, fraction: FloatArray) -> FloatArray:
        """Per entry, Σ over this and later entries of the row of step × fraction of the entry's set."""
        core = self.core
        sums = np.concatenate([np.zeros(1), np.cumsum(self.prefixes.step * fraction[self.prefixes.of_entry])])
        return np.asarray(sums[core.ptr[1:]][core.rows] - sums[:-1])

    def write(self, sets: IntArray) -> None:
        """Write terms out: a column and a row each."""
        if len(sets) == 0:
            return
        core, prefixes = self.core, self.prefixes
        start = self.core.m + len(self.order)
        first, sizes = prefixes.first[sets], prefixes.last[sets] - prefixes.first[sets] + 1
        indptr = np.concatenate([[0], np.cumsum(sizes + 1)])
        own = indptr[1:] - 1
        is_site = np.ones(indptr[-1], dtype=bool)
        is_site[own] = False
        offset = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        column = np.empty(indptr[-1], dtype=np.int32)
        entry = np.empty(indptr[-1])
        column[is_site] = core.col[np.repeat(first, sizes) + offset]
        # s + y(S) >= 1 above the multipliers, s - y(S) >= -1 below them.
        sign = np.where(self.below[sets], -1.0, 1.0)
        entry[is_site] = np.repeat(sign, sizes)
        column[own], entry[own] = start + np.arange(len(sets)), 1.0
        none = np.zeros(len(sets))
        self.lp.add_columns(prefixes.amount[sets] / self.unit, none, none + np.inf)
        self.lp.add_rows(sign, none + np.inf, indptr, column, entry)
        self.written[sets] = True
        self.order = np.concatenate([self.order, sets])

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
        """Write out the terms that the last solution gets wrong; returns how many."""
        openness = self.prefixes.openness(self.core, self.y)
        excess = np.where(self.below, openness - 1.0, 1.0 - openness)
        wrong = np.flatnonzero((excess > _VIOLATION) & ~self.written)
        self.write(wrong)
        self.budget.spend(self.core.nnz)
        return len(wrong)

    @property
    def term_dual(self) -> FloatArray:
        """Duals of the terms written out, in their order."""
        return self.lp.row_dual[1:]

    def multipliers(self) -> FloatArray:
        """Multipliers that prove at least the value of the last solution, float64 (n,)."""
        core, sets = self.core, self.prefixes
        fraction = self.below.astype(np.float64)
        dual = np.clip(self.term_dual * self.unit / np.maximum(sets.amount[self.order], 1e-300), 0.0, 1.0)
        fraction[self.order] = np.where(self.below[self.order], 1.0 - dual, dual)
        paid = np.bincount(core.rows, sets.step * fraction[sets.of_entry], minlength=core.n)
        return np.asarray(np.clip(core.least + paid, core.least, core.cap))

    def fix(self, site: IntArray, value: IntArray) -> None:
        """Fix sites closed (0) or open (1); all others are free."""
        lower, upper = np.zeros(self.core.m), np.ones(self.core.m)
        lower[site[value == 1]] = 1.0
        upper[site[value == 0]] = 0.0
        self.lp.set_bounds(np.arange(self.core.m), lower, upper)
