"""
The linear relaxation over prefixes: one term per distinct set of nearest sites, written out only where it matters.

A row with costs v_1 ≤ v_2 ≤ … pays v_1 + Σ_e (v_{e+1} − v_e) · max(0, 1 − y(S_e)), where S_e are its e nearest sites
and y(S) = Σ_{j∈S} y_j (Cornuejols, Nemhauser, Wolsey 1980; Elloumi 2010). Rows that see the same nearest sites share
the term, and neighbours mostly do, so terms are summed over rows (AlBdaiwi, Ghosh, Goldengorin 2011):

``min base + Σ_j price_j y_j + Σ_S a_S · max(0, 1 − y(S))``,  k_min ≤ Σ y ≤ k_max.

The terms are hinges that each need one site open (``hinges.py``). The LP's duals are fractions f_S of the terms, and
λ_i = v_1 + Σ_e (v_{e+1} − v_e) f_{S_e} are multipliers that prove at least the value of the relaxation, since
Σ_{e≥l} (v_{e+1} − v_e) f_e ≥ (λ − v_l)⁺ for f in 0 … 1.
"""

from __future__ import annotations

import numpy as np

from nearer.solvers.budget import Budget
from nearer.solvers.core import Core
from nearer.solvers.hinges import Hinges
from nearer.units import FloatArray, IntArray

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


class Master(Hinges):
    """The relaxation of a core, solved again as sites are fixed and terms are written out."""

    def __init__(self, core: Core, lam: FloatArray, budget: Budget) -> None:
        self.core = core
        self.prefixes = sets = Prefixes(core)
        paid = np.clip(lam[core.rows] - core.val, 0.0, sets.step)
        fraction = np.bincount(sets.of_entry, paid, minlength=len(sets.amount)) / np.maximum(sets.amount, 1e-300)
        needs = np.ones(len(sets.amount))
        sizes = sets.last - sets.first + 1
        super().__init__(core.m, core.col, sets.first, sizes, sets.amount, needs, fraction, budget)
        slope = np.bincount(core.col, self._tail(np.where(self.below, 1.0, 0.0)), minlength=core.m)
        self.start((core.price - slope) / self.unit, core.k_min, core.k_max)
        self.constant = core.base + float(core.least.sum()) + float(sets.amount[self.below].sum())
        self.write(np.flatnonzero((fraction > 0.05) & (fraction < 0.95)))

    def _tail(self, fraction: FloatArray) -> FloatArray:
        """Per entry, Σ over this and later entries of the row of step × fraction of the entry's set."""
        core = self.core
        sums = np.concatenate([np.zeros(1), np.cumsum(self.prefixes.step * fraction[self.prefixes.of_entry])])
        return np.asarray(sums[core.ptr[1:]][core.rows] - sums[:-1])

    def separate(self) -> int:
        """Write out the terms that the last solution gets wrong; returns how many."""
        n_wrong = self.write_wrong(self.prefixes.openness(self.core, self.y))
        self.budget.spend(self.core.nnz)
        return n_wrong

    def multipliers(self) -> FloatArray:
        """Multipliers that prove at least the value of the last solution, float64 (n,)."""
        core, sets = self.core, self.prefixes
        paid = np.bincount(core.rows, sets.step * self.fractions()[sets.of_entry], minlength=core.n)
        return np.asarray(np.clip(core.least + paid, core.least, core.cap))

    def fix(self, site: IntArray, value: IntArray) -> None:
        """Fix sites closed (0) or open (1); all others are free."""
        lower, upper = np.zeros(self.core.m), np.ones(self.core.m)
        lower[site[value == 1]] = 1.0
        upper[site[value == 0]] = 0.0
        self.lp.set_bounds(np.arange(self.core.m), lower, upper)
