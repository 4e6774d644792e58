"""
Partial set cover: the cheapest sites that cover at least so much weight (Cordeau, Furini, Ljubic 2019).

A tree over the relaxation ``min Σ f_j y_j, Σ_{j∈S_i} y_j + u_i ≥ 1, Σ w_i u_i ≤ U``, to which the rows that a solution
leaves uncovered for more than u_i are added, the heaviest first. Its duals λ, μ bound a node by

    −μ U + Σ min(λ_i, μ w_i) + Σ_{open} (f_j − Λ_j) + Σ_{free} min(0, f_j − Λ_j) ,  Λ_j = Σ of λ_i over j's customers

for any λ, μ ≥ 0. The certificate holds λ of a node with μ behind it as one multiplier more.
"""

from __future__ import annotations

from functools import partial
from heapq import heappop, heappush

import numpy as np

from nearer.kernels import covering as kernels
from nearer.lp import Lp, LpStatus
from nearer.model import Instance, Solution
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.solvers.proof import ProofTree
from nearer.solvers.state import State
from nearer.units import BoolArray, FloatArray, IntArray, ranges

_WHOLE = 1e-6
_ROWS_AT_ONCE = 300


class PartialCoverRun:
    """One run; see ``solve_partial_cover``."""

    def __init__(self, instance: Instance, needed: float, state: State) -> None:
        self.instance, self.state = instance, state
        self.weight = instance.weight[0]
        self.price = instance.price
        self.needed, self.spare = needed, float(self.weight.sum()) - needed
        self.n, self.m = instance.n_rows, instance.n_sites
        self.rows = np.repeat(np.arange(self.n), np.diff(instance.indptr))
        self.site = np.arange(self.m)
        self.cptr, self.crow = kernels.columns_within(
            instance.indptr, instance.indptr[1:], instance.site_idx, np.ones(self.m, dtype=bool), np.arange(self.n)
        )
        self.proof = ProofTree()
        state.budget.ahead = self.proof.ahead
        self.proof.set_leaf(0, self.proof.add(partial(np.zeros, self.n + 1)))
        self._lp = Lp(state.budget.stop)
        self._lp.add_columns(self.price.astype(np.float64), np.zeros(self.m), np.ones(self.m))
        self._lp.add_columns(np.zeros(self.n), np.zeros(self.n), np.ones(self.n))
        self._lp.add_rows(
            np.array([-np.inf]), np.array([self.spare]), np.array([0, self.n]), self.m + np.arange(self.n), self.weight
        )
        self._order: IntArray = np.zeros(0, dtype=np.int64)
        self._in_lp: IntArray = np.full(self.m, -1, dtype=np.int8)
        self._choice: dict[int, int] = {}  # the site to branch on at each node that waits

    def covered(self, opened: BoolArray) -> float:
        """Weight that these sites cover."""
        reached = np.bincount(self.rows, opened[self.instance.site_idx], minlength=self.n) > 0
        return float(self.weight[reached].sum())

    def keep(self, opened: BoolArray) -> None:
        """Offer sites that cover enough, without those that can be spared, the dearest first."""
        opened = opened.copy()
        for j in np.argsort(-self.price, kind="stable"):
            if opened[j]:
                opened[j] = False
                opened[j] = self.covered(opened) < self.needed
        self.state.budget.spend(len(self.rows) * int(opened.sum()))
        self.state.found(float(self.price[opened].sum()), np.flatnonzero(opened).astype(np.int32))

    def complete(self, opened: BoolArray, rank: FloatArray) -> None:
        """Open the site of most new weight per price and rank, until enough is covered; then keep that."""
        opened = opened.copy()
        left = self.weight.copy()
        left[np.bincount(self.rows, opened[self.instance.site_idx], minlength=self.n) > 0] = 0.0
        missing = self.needed - (float(self.weight.sum()) - float(left.sum()))
        while missing > 0:
            gain = np.bincount(self.instance.site_idx, left[self.rows], minlength=self.m)
            score = np.where(opened, -1.0, np.minimum(gain, missing) / np.maximum(self.price, 1e-9) * rank)
            best = int(np.argmax(score))
            if gain[best] <= 0.0:
                if rank.min() == rank.max():
                    return
                rank = np.ones(self.m)
                continue
            opened[best] = True
            mine = self.crow[self.cptr[best] : self.cptr[best + 1]]
            missing -= float(left[mine].sum())
            left[mine] = 0.0
        if self.covered(opened) >= self.needed:
            self.keep(opened)

    def run(self) -> None:
        """Best bound first, until the bound meets the best plan or the state is done."""
        state = self.state
        self.complete(np.zeros(self.m, dtype=bool), np.ones(self.m))
        state.proved(0.0)
        heap: list[tuple[float, int, int, IntArray]] = []
        self._settle(heap, 0, np.full(self.m, -1, dtype=np.int8))
        while heap and not state.done():
            state.proved(heap[0][0])
            if heap[0][0] >= state.cutoff:
                return
            _, _, place, fixed = heappop(heap)
            branch = self._choice[place]
            site = int(self.site[branch])
            for value in (1, 0):
                child = fixed.copy()
                child[branch] = value
                self._settle(heap, self.proof.add_node(place, site, value), child)
        if not heap and not state.budget.exhausted():
            state.proved(state.value)

    def _bound(self, lam: FloatArray, fixed: IntArray) -> tuple[float, FloatArray]:
        """What λ and μ prove of a node, a hair less, and the reduced prices of the sites."""
        lam, mu = np.minimum(lam[:-1], lam[-1] * self.weight), float(lam[-1])
        reduced = self.price - np.bincount(self.instance.site_idx, lam[self.rows], minlength=self.m)
        total = float(lam.sum()) - mu * self.spare + float(reduced[fixed == 1].sum())
        total += float(np.minimum(reduced[fixed < 0], 0.0).sum())
        return total - 1e-11 * (float(lam.sum()) + mu * self.spare + 1.0), reduced

    def _settle(self, heap: list[tuple[float, int, int, IntArray]], place: int, fixed: IntArray) -> None:
        """Bound a node; put it on the heap unless nothing better is below."""
        state = self.state
        lam = self._relax(fixed)
        if lam is None:  # stopped: the parent's multipliers hold here
            heappush(heap, (state.bound, place, place, fixed))
            return
        bound, reduced = self._bound(lam, fixed)
        self.proof.set_leaf(place, self.proof.add(partial(np.asarray, lam)))
        if bound >= state.cutoff:
            return
        y = self._lp.x[: self.m].copy()
        self.complete((y > 1.0 - _WHOLE) & (fixed != 0), np.where(fixed == 0, 0.0, y + 1e-6))
        if np.isfinite(state.cutoff):
            free = fixed < 0
            closed = np.flatnonzero(free & (reduced > 0) & (bound + reduced >= state.cutoff))
            sure = np.flatnonzero(free & (reduced < 0) & (bound - reduced >= state.cutoff))
            if len(closed) or len(sure):
                self.proof.add_fixings(place, self, closed, sure, self.proof.n_multipliers - 1)
                fixed[closed], fixed[sure] = 0, 1
        if bound >= state.cutoff:
            return
        fraction = np.where(fixed < 0, np.minimum(y, 1.0 - y), -1.0)
        branch = int(np.argmax(fraction * np.sqrt(self.price + 1e-9)))
        if fraction[branch] <= _WHOLE:
            left = np.flatnonzero(fixed < 0)
            if not len(left):
                return
            branch = int(left[0])
        self._choice[place] = branch
        heappush(heap, (bound, place, place, fixed))

    def _relax(self, fixed: IntArray) -> FloatArray | None:
        """λ with μ behind it, float64 (n + 1,); None when stopped."""
        changed = np.flatnonzero(fixed != self._in_lp)
        self._lp.set_bounds(changed, (fixed[changed] == 1).astype(float), (fixed[changed] != 0).astype(float))
        self._in_lp = fixed.copy()
        col, ptr = self.instance.site_idx, self.instance.indptr
        dead = np.bincount(self.rows, fixed[col] != 0, minlength=self.n) == 0
        lost = float(self.weight[dead].sum()) - self.spare
        if lost > 1e-9 * max(self.spare, 1.0):
            price = (float(self.price.sum()) + 1.0) / lost
            return np.concatenate([np.where(dead, price * self.weight, 0.0), [price]])
        while True:
            before = self._lp.iterations
            if self.state.budget.exhausted() or self._lp.solve() is not LpStatus.OPTIMAL:
                return None
            self.state.budget.spend(LP_ITERATION_WORK * (1 + self._lp.iterations - before) + 2 * len(col))
            y, u = self._lp.x[: self.m], self._lp.x[self.m :].copy()
            lacking = 1.0 - np.bincount(self.rows, y[col], minlength=self.n)
            known = np.zeros(self.n, dtype=bool)
            known[self._order] = True
            u[~known] = 0.0
            short = self.weight * np.maximum(lacking - u, 0.0)
            short[known] = 0.0
            if float(short.sum()) <= 1e-7 * max(self.needed, 1.0):
                break
            more = np.argsort(-short, kind="stable")[:_ROWS_AT_ONCE]
            more = more[short[more] > 0.0]
            sizes = np.diff(ptr)[more]
            starts = np.concatenate([[0], np.cumsum(sizes + 1)])
            at = ranges(ptr[more], sizes)
            column = np.insert(col[at].astype(np.int64), np.cumsum(sizes), self.m + more)
            self._lp.add_rows(np.ones(len(more)), np.full(len(more), np.inf), starts, column, np.ones(len(column)))
            self._order = np.concatenate([self._order, more])
        dual = np.maximum(self._lp.row_dual[1:], 0.0)
        lam = np.zeros(self.n + 1)
        lam[self._order] = dual
        lam[-1] = max(-float(self._lp.row_dual[0]), 0.0)
        return lam


def solve_partial_cover(
    instance: Instance,
    needed: float,
    *,
    gap: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Solution:
    """
    Cover at least ``needed`` of the weight as cheaply as can be.

    Parameters
    ----------
    instance
        Every site free, with what it costs; rows hold the sites that cover them, at no cost, and may stay uncovered.
    needed
        Weight to cover; all sites together must cover as much.
    gap
        Relative gap at which the run may end.
    seed, threads
        Not used: nothing is drawn at random, and nodes are bounded one after the other by one thread.
    work_limit
        Entries to scan at most (see ``Budget``): ends a run at the same point on every machine.

    Returns
    -------
    Solution
        Each row of its certificate's multipliers holds μ behind λ; see ``nearer.model.check_partial``.
    """
    stop = stop or Stop()
    began_s = stop.elapsed_s
    budget = Budget(stop, work_limit)
    with (progress or Silent()).step("Choosing sites") as tick:
        state = State(budget, bool(np.all(instance.price % 1 == 0)), gap, floor=0.0)
        state.tell_gap(tick)
        run = PartialCoverRun(instance, needed, state)
        run.run()
    open_mask = np.zeros(instance.n_sites, dtype=bool)
    open_mask[state.open_site] = True
    none = np.zeros(0, dtype=np.int32)
    return state.solution(open_mask, none, none, run.proof.certificate(), began_s)
