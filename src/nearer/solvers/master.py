"""
The linear relaxation over prefixes: one term per distinct set of nearest sites, written out only where it matters.

A row with costs v_1 ≤ v_2 ≤ … pays v_1 + Σ_e (v_{e+1} − v_e) · max(0, 1 − y(S_e)), where S_e are its e nearest sites
and y(S) = Σ_{j∈S} y_j (Cornuejols, Nemhauser, Wolsey 1980; Elloumi 2010). Rows that see the same nearest sites share
the term, and neighbours mostly do, so terms are summed over rows (AlBdaiwi, Ghosh, Goldengorin 2011):

``min base + Σ_j price_j y_j + Σ_S a_S · max(0, 1 − y(S))``,  k_min ≤ Σ y ≤ k_max.

The terms are hinges that each need one site open (``hinges.py``). The LP's duals are fractions f_S of the terms, and
λ_i = v_1 + Σ_e (v_{e+1} − v_e) f_{S_e} are multipliers that prove at least the value of the relaxation, since
Σ_{e≥l} (v_{e+1} − v_e) f_e ≥ (λ − v_l)⁺ for f in 0 … 1. Zero-half cuts (``zero_half.py``) are rows of their own; what
their prices take off the steps is no longer there for the multipliers.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from nearer.solvers.budget import Budget
from nearer.solvers.core import Core
from nearer.solvers.hinges import Hinges
from nearer.solvers.zero_half import Pieces, SetRows, violated_cuts
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
        self.most_terms: int | None = None  # written out at once
        self.cuts: list[IntArray] = []  # as sets
        self.cut_rows: IntArray = np.zeros(0, dtype=np.int64)  # of the LP
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
        n_wrong = self.write_wrong(self.prefixes.openness(self.core, self.y), self.most_terms)
        self.budget.spend(self.core.nnz)
        return n_wrong

    def cut(self, rng: np.random.Generator, most: int) -> int:
        """Add up to so many zero-half cuts that the last solution breaks; returns how many."""
        sets = self.prefixes
        useful = np.flatnonzero(sets.amount > 1e-9 * self.unit)
        openness = sets.openness(self.core, self.y)
        found, spent = violated_cuts(self.core, self.y, openness, (sets.first, sets.last), useful, rng, most)
        self.budget.spend(self.core.nnz + spent)
        known = {cut.tobytes() for cut in self.cuts}
        new = [cut for cut in found if cut.tobytes() not in known]
        if new:
            self._add(new)
        return len(new)

    def _add(self, cuts: list[IntArray]) -> None:
        """Give the LP a row for each cut: Σ z_S + Σ ⌈c_j / 2⌉ y_j ≥ ⌈q / 2⌉."""
        core, sets = self.core, self.prefixes
        members = np.unique(np.concatenate(cuts))
        self.write(members[~self.written[members]])
        place = np.zeros(len(sets.amount), dtype=np.int64)
        place[self.order] = core.m + np.arange(len(self.order))
        span, column, entry, least = [0], [], [], []
        for cut in cuts:
            sites = np.concatenate([core.col[sets.first[s] : sets.last[s] + 1] for s in cut])
            held, count = np.unique(sites, return_counts=True)
            # Where s ≥ y(S) − 1 is written out, z = s + 1 − y(S).
            linear = cut[self.below[cut]]
            share = ((count + 1) // 2).astype(np.float64)
            for s in linear:
                share[np.searchsorted(held, core.col[sets.first[s] : sets.last[s] + 1])] -= 1.0
            some = share != 0
            column += [held[some], place[cut]]
            entry += [share[some], np.ones(len(cut))]
            least.append((len(cut) + 1) // 2 - len(linear))
            span.append(span[-1] + int(some.sum()) + len(cut))
        self.cut_rows = np.concatenate([self.cut_rows, self.lp.n_rows + np.arange(len(cuts))])
        self.cuts += cuts
        lower = np.array(least, dtype=np.float64)
        self.lp.add_rows(lower, lower + np.inf, np.array(span), np.concatenate(column), np.concatenate(entry))

    def slim(self) -> None:
        """Take out cuts without a price in the last solution, and terms that are linear in it."""
        basic_column, basic_row = self.lp.statuses()
        idle = basic_row[self.cut_rows]
        self.cuts = [cut for cut, out in zip(self.cuts, idle, strict=True) if not out]
        named = np.zeros(len(self.amount), dtype=bool)
        for cut in self.cuts:
            named[cut] = True
        own = self.core.m + np.arange(len(self.order))
        # Of a term's row and column one is basic, so that what is left is a basis again.
        gone = ~named[self.order] & (basic_row[self.rows] != basic_column[own])
        other = gone & basic_column[own]  # by its other half
        gone &= other | ((self.lp.row_dual[self.rows] <= 0.0) & (self.lp.x[own] <= 0.0))
        self.flip(self.order[other])
        rows = np.zeros(self.lp.n_rows, dtype=bool)
        rows[self.rows[gone]] = True
        rows[self.cut_rows[idle]] = True
        columns = np.zeros(len(basic_column), dtype=bool)
        columns[own[gone]] = True
        self.lp.thin(columns, rows)
        up = np.cumsum(rows)
        self.written[self.order[gone]] = False
        self.order = self.order[~gone]
        self.rows = self.rows[~gone] - up[self.rows[~gone]]
        self.cut_rows = self.cut_rows[~idle] - up[self.cut_rows[~idle]]

    @cached_property
    def _set_rows(self) -> SetRows:
        return SetRows(self.prefixes.of_entry, self.prefixes.step)

    def pieces(self) -> Pieces:
        """What the prices of the cuts in the last solution take off the steps of rows."""
        if not self.cuts:
            return Pieces.none()
        price = self.lp.row_dual[self.cut_rows] * self.unit
        priced = np.flatnonzero(price > 1e-9 * self.unit)
        return self._set_rows.pieces([self.cuts[k] for k in priced], price[priced])

    def multipliers(self, pieces: Pieces | None = None) -> FloatArray:
        """Multipliers that prove, with these pieces, at least the value of the last solution, float64 (n,)."""
        core, sets = self.core, self.prefixes
        if pieces is None or not len(pieces):
            paid = np.bincount(core.rows, sets.step * self.fractions()[sets.of_entry], minlength=core.n)
            return np.asarray(np.clip(core.least + paid, core.least, core.cap))
        off = np.bincount(pieces.entry, np.repeat(pieces.amount, np.diff(pieces.start)), minlength=core.nnz)
        taken = np.bincount(sets.of_entry, off, minlength=len(sets.amount))
        left = np.maximum(sets.amount - taken, 0.0)
        # Of what is left of a set's amount, the dual of z + y(S) ≥ 1 is paid: a row's, or what is over of z ≥ 0's.
        dual, order = self.hinge_dual * self.unit, self.order
        paid_of = np.where(self.below, left, 0.0)
        paid_of[order] = np.where(self.below[order], left[order] - dual, dual)
        fraction = np.clip(np.divide(paid_of, left, out=np.zeros_like(left), where=left > 0), 0.0, 1.0)
        step = np.maximum(sets.step - off, 0.0)
        total = np.bincount(core.rows, off, minlength=core.n)
        paid = np.bincount(core.rows, step * fraction[sets.of_entry], minlength=core.n)
        return np.asarray(np.clip(core.least + paid, core.least, core.cap - total))

    def fix(self, site: IntArray, value: IntArray) -> None:
        """Fix sites closed (0) or open (1); all others are free."""
        lower, upper = np.zeros(self.core.m), np.ones(self.core.m)
        lower[site[value == 1]] = 1.0
        upper[site[value == 0]] = 0.0
        self.lp.set_bounds(np.arange(self.core.m), lower, upper)
