"""
Proofs that k sites are too few for a set cover: branch and bound over HiGHS LPs, depth first.

The relaxation ``min Σ y, Σ_{j∈S_i} y_j ≥ 1`` begins with few rows; those that a solution leaves uncovered are added.
Its duals λ bound every node by ``Σ λ + Σ_{open} (1 − Λ_j) + Σ_{free} min(0, 1 − Λ_j)``, Λ_j = Σ_{i∋j} λ_i, whatever the
LP says. Sites are fixed by reduced cost and by probing: a few iterations with the site open, or closed, whose duals
often rule that out. The site to branch on is the one whose probes, or the mean of its earlier ones, gain most on both
sides (reliability branching, Achterberg, Koch, Martin 2005).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from nearer.kernels import covering as kernels
from nearer.lp import Lp, LpStatus
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.solvers.cover_rows import CoverRows
from nearer.solvers.proof import ProofTree
from nearer.units import FloatArray, IntArray

_MARGIN = 1e-6  # by how much multipliers must prove more than k
_WHOLE = 1e-6
_ROWS_AT_ONCE = 40
_PROBE_ITERATIONS, _RELIABLE, _LOOK_AHEAD = 20, 4, 6
_STORED = 100_000_000  # multipliers of one proof at most: 0.8 GB


class CoverSearch:
    """
    The relaxation of a set cover, kept from one question to the next.

    Attributes
    ----------
    plan
        A cover found on the way, sites in the order of ``rows``, or None.
    nodes_done
        Nodes of all trees.
    """

    def __init__(self, rows: CoverRows, budget: Budget) -> None:
        self.rows, self.budget = rows, budget
        self.plan: IntArray | None = None
        self.nodes_done = 0
        m = rows.m
        self._size = np.diff(rows.ptr)
        self._lp = Lp(budget.stop)
        self._lp.add_columns(np.ones(m), np.zeros(m), np.ones(m))
        self._in_lp: IntArray = np.full(m, -1, dtype=np.int8)
        self._order: IntArray = np.zeros(0, dtype=np.int64)
        # Gains per unit of openness when closed and when opened, and how many were seen.
        self._gain, self._seen = np.zeros((2, m)), np.zeros((2, m))
        self._add_uncovered(np.zeros(m))

    def bound(self, lam: FloatArray, fixed: IntArray | None = None) -> float:
        """Fewest sites that λ proves, not rounded, where some are fixed closed (0) or open (1)."""
        return self._bound(lam, np.full(self.rows.m, -1, dtype=np.int8) if fixed is None else fixed)[0]

    def _bound(self, lam: FloatArray, fixed: IntArray) -> tuple[float, FloatArray]:
        reduced = 1.0 - self.rows.sums(lam)
        total = float(lam.sum()) + float(reduced[fixed == 1].sum()) + float(np.minimum(reduced[fixed < 0], 0.0).sum())
        return total - 1e-12 * float(lam.sum()), reduced

    def root(self) -> FloatArray | None:
        """Multipliers of the whole relaxation, float64 (n,); None when stopped."""
        return self._relax(np.full(self.rows.m, -1, dtype=np.int8), np.inf)

    @property
    def solution(self) -> FloatArray:
        """What the relaxation opened last of each site, float64 (m,)."""
        return self._lp.x

    def too_few(self, k: int) -> ProofTree | None:
        """A proof that no k sites cover all; None when stopped, or where ``plan`` is a cover of at most k."""
        rows, proof = self.rows, ProofTree()
        limit = k + _MARGIN
        stack: list[tuple[int, IntArray, Any]] = [(0, np.full(rows.m, -1, dtype=np.int8), None)]
        while stack:
            place, fixed, basis = stack.pop()
            if basis is not None:
                self._lp.set_basis(basis)
            self.nodes_done += 1
            if proof.n_multipliers * rows.n_rows > _STORED:
                return None
            branch = self._settle(place, fixed, limit, proof)
            if branch is None:
                return None
            if branch < 0:
                continue
            closed = fixed.copy()
            fixed[branch], closed[branch] = 1, 0
            site = int(rows.site[branch])
            above = proof.add_node(place, site, 1), proof.add_node(place, site, 0)
            # The open branch goes on from where the LP is; the closed one comes back to it.
            stack.append((above[1], closed, self._lp.basis()))
            stack.append((above[0], fixed, None))
        return proof

    def _settle(self, place: int, fixed: IntArray, limit: float, proof: ProofTree) -> int | None:
        """Bound a node and fix sites; the site to branch on, −1 where nothing is left, None to end the search."""
        rows = self.rows
        while True:
            if self.budget.exhausted():
                return None
            dead = np.flatnonzero(np.bincount(rows.rows, fixed[rows.col] != 0, minlength=rows.n) == 0)
            if len(dead):
                lam = np.zeros(rows.n)
                lam[dead[0]] = rows.dear[dead[0]]
                proof.set_leaf(place, proof.add(partial(rows.spread, lam)))
                return -1
            found = self._relax(fixed, limit)
            if found is None:
                return None
            lam = found
            total, reduced = self._bound(lam, fixed)
            multiplier = proof.add(partial(rows.spread, lam))
            if total > limit:
                proof.set_leaf(place, multiplier)
                return -1
            free = fixed < 0
            closed = np.flatnonzero(free & (total + reduced > limit) & (reduced > 0))
            opened = np.flatnonzero(free & (total - reduced > limit) & (reduced < 0))
            proof.add_fixings(place, rows, closed, opened, multiplier)
            fixed[closed], fixed[opened] = 0, 1
            y = self._lp.x.copy()
            fraction = np.where(fixed < 0, np.minimum(y, 1.0 - y), 0.0)
            if fraction.max(initial=0.0) <= _WHOLE:
                self.plan = np.flatnonzero(y > 0.5)
                return None
            branch = self._probe(place, fixed, total, y, limit, proof)
            if branch >= 0:
                return branch

    def _probe(self, place: int, fixed: IntArray, total: float, y: FloatArray, limit: float, proof: ProofTree) -> int:
        """The best fractional site to branch on; −1 after one was fixed instead, so that all begins anew."""
        expected = [self._expected(side) for side in (0, 1)]
        fractional = np.flatnonzero((fixed < 0) & (np.minimum(y, 1.0 - y) > _WHOLE))
        closing, opening = expected[0] * y, expected[1] * (1.0 - y)
        score = np.maximum(closing, 1e-4) * np.maximum(opening, 1e-4) if self._seen.any() else y
        self._put(fixed)
        best, best_score, worse = -1, -1.0, 0
        for j in fractional[np.argsort(-score[fractional], kind="stable")].tolist():
            gains = [float(closing[j]), float(opening[j])]
            if self._seen[:, j].min() < _RELIABLE:
                for side in (0, 1):
                    gain = self._probe_side(place, fixed, j, side, total, limit, proof)
                    if fixed[j] >= 0:
                        self._in_lp[j] = side
                        return -1
                    gains[side] = gain
                    self._gain[side, j] += gain / (y[j] if side == 0 else 1.0 - y[j])
                    self._seen[side, j] += 1
                self._lp.set_bounds(np.array([j]), np.zeros(1), np.ones(1))
            value = max(gains[0], 1e-4) * max(gains[1], 1e-4)
            if value > best_score * 1.001:
                best, best_score, worse = j, value, 0
            else:
                worse += 1
                if worse >= _LOOK_AHEAD or self.budget.exhausted():
                    break
        return best

    def _probe_side(
        self, place: int, fixed: IntArray, j: int, side: int, total: float, limit: float, proof: ProofTree
    ) -> float:
        """What the bound gains with a site closed (0) or open (1); where that is too much, it is fixed."""
        before = self._lp.iterations
        dual = self._lp.probe(j, float(side), float(side), _PROBE_ITERATIONS)
        self.budget.spend(LP_ITERATION_WORK * (2 + self._lp.iterations - before))
        if dual is None:  # no solution, or stopped: the child's own turn will tell
            return 1.0
        lam = self._full(dual)
        fixed[j] = side
        there, _ = self._bound(lam, fixed)
        fixed[j] = -1
        if there > limit:
            multiplier = proof.add(partial(self.rows.spread, lam))
            only, none = np.array([j]), np.zeros(0, dtype=np.int64)
            closed, opened = (none, only) if side == 0 else (only, none)
            proof.add_fixings(place, self.rows, closed, opened, multiplier)
            fixed[j] = 1 - side
        return max(there - total, 0.0)

    def _expected(self, side: int) -> FloatArray:
        """Gain per unit to expect of each site: the mean of its own, else of all."""
        gain, seen = self._gain[side], self._seen[side]
        mean: FloatArray = np.where(seen > 0, gain / np.maximum(seen, 1.0), gain.sum() / max(float(seen.sum()), 1.0))
        return mean

    def _put(self, fixed: IntArray) -> None:
        """Give the LP these bounds."""
        changed = np.flatnonzero(fixed != self._in_lp)
        self._lp.set_bounds(changed, (fixed[changed] == 1).astype(float), (fixed[changed] != 0).astype(float))
        self._in_lp = fixed.copy()

    def _full(self, dual: FloatArray) -> FloatArray:
        lam = np.zeros(self.rows.n)
        lam[self._order] = np.clip(dual, 0.0, 1.0)
        return lam

    def _relax(self, fixed: IntArray, limit: float) -> FloatArray | None:
        """Multipliers of a node, with as many rows as it takes, or until they prove more than the limit."""
        self._put(fixed)
        while True:
            before = self._lp.iterations
            if self.budget.exhausted() or self._lp.solve() is not LpStatus.OPTIMAL:
                return None
            self.budget.spend(LP_ITERATION_WORK * (1 + self._lp.iterations - before) + 2 * len(self.rows.col))
            lam = self._full(self._lp.row_dual)
            if self._lp.objective > limit and self._bound(lam, fixed)[0] > limit:
                return lam
            if not self._add_uncovered(self._lp.x):
                return lam

    def _add_uncovered(self, y: FloatArray) -> bool:
        """Add rows that a fractional choice leaves uncovered, such as share few sites; whether there are any."""
        rows = self.rows
        total = kernels.coverage(rows.ptr, rows.ptr[1:], rows.col, np.arange(rows.n), y)
        open_at = np.flatnonzero(total < 1.0 - _WHOLE)
        if len(open_at) == 0:
            return False
        order = open_at[np.lexsort((self._size[open_at], np.round(total[open_at], 2)))]
        taken = np.zeros(rows.m, dtype=bool)
        picked: list[int] = []
        for i in order[: 50 * _ROWS_AT_ONCE]:
            sites = rows.col[rows.ptr[i] : rows.ptr[i + 1]]
            if not picked or 2 * np.count_nonzero(taken[sites]) < len(sites):
                taken[sites] = True
                picked.append(int(i))
                if len(picked) == _ROWS_AT_ONCE:
                    break
        more = np.array(picked, dtype=np.int64)
        sizes = self._size[more]
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        at = np.arange(indptr[-1]) - np.repeat(indptr[:-1], sizes) + np.repeat(rows.ptr[more], sizes)
        n = len(more)
        self._lp.add_rows(np.ones(n), np.full(n, np.inf), indptr, rows.col[at], np.ones(len(at)))
        self._order = np.concatenate([self._order, more])
        return True
