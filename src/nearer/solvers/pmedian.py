"""
The p-median with sites that stand open: greedy, interchange, Lagrangian, fixing, linear relaxation, branch and bound.

Each step leaves a plan and a bound behind; the next starts from them on the smaller problem that fixing left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nearer.kernels import moves
from nearer.kernels import pmedian as kernels
from nearer.model import OPEN, Instance, Solution
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import lagrangian as dual_side
from nearer.solvers.budget import Budget
from nearer.solvers.core import Core, make_core, standing_caps
from nearer.solvers.elite import Elite
from nearer.solvers.master import Master
from nearer.solvers.proof import ProofBuilder
from nearer.solvers.search import filled, greedy_start, interchange
from nearer.solvers.state import State, no_plan
from nearer.solvers.tree import Tree
from nearer.solvers.volume import Dual
from nearer.units import BoolArray, FloatArray, IntArray

LP_ENTRIES = 8_000_000
"""The relaxation is left out above so many."""

_LP_ROWS = 1_000_000  # the same of rows
_ROUND = 150  # iterations of the Lagrangian between attempts to fix sites
_RUSH = (100, 100, 100)  # iterations of the first climb, between looks at the plans that show on it
_KICKS = 40_000_000  # entries scanned by kicks in each round, fewer where the problem is small
_NEAR = 1e-3  # relative gap
_FEW_SITES, _FEW_ENTRIES = 150, 50_000  # up to which the relaxation takes milliseconds
_TRIED = 60  # nodes of a tree without cuts
_FAR = 1e-3  # relative gap between plan and relaxation, above which plans are searched from elsewhere too
_AFRESH = 400_000_000  # entries scanned by that, at most; and no more than by all before it
_LP_ROUNDS = 50  # of writing terms out before sites are fixed
_NOTHING = 1e-15  # share of the cost below which a loss is an error of rounding
_MANY_ROWS = 120_000  # above so many the relaxation, which gathers them, is cheaper than to climb on


class PMedianRun:
    """One run on one instance; see ``solve_pmedian``."""

    def __init__(
        self,
        instance: Instance,
        state: State,
        seed: int,
        threads: int,
        enough_rows: Callable[[IntArray, FloatArray], bool] | None = None,
        rest: tuple[Core, ProofBuilder] | None = None,
    ) -> None:
        self.instance, self.state, self.threads = instance, state, threads
        self.enough_rows = enough_rows
        self.rng = np.random.default_rng(seed)
        self.core, self.proof = rest or (make_core(instance), ProofBuilder(standing_caps(instance)))
        state.budget.ahead = self.proof.ahead
        self.fixed_open: IntArray = np.zeros(0, dtype=np.int32)
        self.dual: Dual | None = None
        self.elite = Elite(self.core, threads)
        self.afresh = False  # whether plans were searched from elsewhere

    def run(self, start: IntArray | None, multipliers: FloatArray | None) -> None:
        """From the first plan to a proof, or until the state is done."""
        state, core = self.state, self.core
        if core.decided:
            self.finish()
            return
        self.first_plan(start)
        # With one site to open, multipliers as high as they go count what each costs in all.
        lam = core.cap if core.k_max == 1 else self.between_two_nearest(self.core_plan())
        self.dual = Dual(lam, np.zeros(core.m), -np.inf, np.zeros(core.m))
        self.note_dual(dual_side.climb(core, lam, state.value, state.budget, 0, self.threads, state.proved))
        if multipliers is not None and not state.done():
            self.take_over(multipliers)
        else:
            self.rush()
        self.close_gap(multipliers)

    def close_gap(self, multipliers: FloatArray | None) -> None:
        """On from good multipliers: climb and fix as long as that pays, then branch and bound."""
        assert self.dual is not None
        state, stalled = self.state, 0
        while not state.done() and stalled < 2 and not self.core.decided and not self.near(multipliers):
            before = state.value - state.bound
            self.improve_plan(self.climb_once())
            shrunk = self.fix()
            slow = state.value - state.bound > 0.7 * before
            stalled = stalled + 1 if slow and not shrunk else 0
        if self.enough_rows is not None and not self.enough_rows(self.core.row, self.dual.lam):
            return
        while not state.done() and not self.core.decided:
            if self.fits_lp:
                self.branch_and_bound()
                return
            # Too large for the relaxation: the Lagrangian and the search go on alone.
            spent = state.budget.spent
            self.improve_plan(self.climb_once())
            self.fix()
            if state.budget.spent == spent:
                return

    def near(self, multipliers: FloatArray | None) -> bool:
        """Whether the multipliers, of an earlier run or of many rows, are so close that the relaxation is faster."""
        state = self.state
        if self.few_sites:
            return True
        quick = multipliers is not None or self.core.n > _MANY_ROWS
        return quick and self.fits_lp and state.value - state.bound <= _NEAR * abs(state.value)

    @property
    def few_sites(self) -> bool:
        """Whether so few sites are left that the relaxation takes milliseconds."""
        return self.core.m <= _FEW_SITES and self.core.nnz <= _FEW_ENTRIES

    @property
    def fits_lp(self) -> bool:
        """Whether the core is small enough for the relaxation."""
        return self.core.n <= _LP_ROWS and self.core.nnz <= LP_ENTRIES

    def take_over(self, multipliers: FloatArray) -> None:
        """Start from the best of some multipliers of an earlier run, if they prove more, and fix what they can."""
        assert self.dual is not None
        for given in multipliers:
            lam = np.clip(given[self.core.row], self.core.least, self.core.cap)
            state = self.state
            dual = dual_side.climb(self.core, lam, state.value, state.budget, 0, self.threads, state.proved)
            state.budget.spend(self.core.nnz)
            if dual.bound > self.dual.bound:
                self.note_dual(dual)
        self.fix()

    def first_plan(self, start: IntArray | None) -> None:
        """Greedy, or the plan given, improved by interchange."""
        core, state = self.core, self.state
        if start is not None:
            place = np.full(self.instance.n_sites, -1, dtype=np.int64)
            place[core.site] = np.arange(core.m)
            known = place[start]
            plan = filled(known[known >= 0][: core.k_max].astype(np.int32), np.zeros(core.m), core.k_min)
        else:
            plan = greedy_start(core, state.budget)
        self.keep(plan)
        self.keep(interchange(core, plan, state.budget))

    def keep(self, plan: IntArray) -> None:
        """Offer a plan of the core to the state, and to those that are put together."""
        self.elite.add(plan)
        self.state.found(self.core.value(plan), np.concatenate([self.fixed_open, self.core.site[plan]]))

    def core_plan(self) -> IntArray:
        """The best plan, as far as its sites are still free, completed."""
        core = self.core
        plan = np.flatnonzero(np.isin(core.site, self.state.open_site)).astype(np.int32)
        rank = self.dual.rho if self.dual is not None and len(self.dual.rho) == core.m else np.zeros(core.m)
        return filled(plan[: core.k_max], rank, core.k_min)

    def between_two_nearest(self, plan: IntArray) -> FloatArray:
        """Multipliers halfway between first and second nearest open site: a good first guess."""
        core = self.core
        mask = np.zeros(core.m, dtype=bool)
        mask[plan] = True
        nearest, _ = moves.plan_of(core.table, mask)
        return np.asarray((nearest.d1 + nearest.d2) / 2)

    def note_dual(self, dual: Dual) -> None:
        """Take over better multipliers."""
        self.dual = dual
        self.proof.set_leaf(0, self.proof.add_multipliers(self.core, dual.lam, dual.pieces))
        self.state.proved(dual.bound)

    def rush(self) -> None:
        """The first and longest way up, with a look at the plans that show on it."""
        assert self.dual is not None
        state = self.state
        for iterations in _RUSH:
            if state.done() or self.core.decided:
                return
            seen: list[IntArray] = []
            dual = dual_side.rush(
                self.core,
                self.dual.lam,
                state.value,
                state.budget,
                iterations,
                self.threads,
                state.proved,
                state.cutoff,
                seen.append,
            )
            if dual.bound > self.dual.bound:
                self.note_dual(dual)
            self.improve_plan(seen)
            self.fix()

    def climb_once(self) -> list[IntArray]:
        """One round of the volume algorithm; returns what its iterations opened."""
        assert self.dual is not None
        state = self.state
        seen: list[IntArray] = []
        self.note_dual(
            dual_side.climb(
                self.core,
                self.dual.lam,
                state.value,
                state.budget,
                _ROUND,
                self.threads,
                state.proved,
                self.dual.share,
                state.cutoff,
                seen.append,
            )
        )
        return seen

    def improve_plan(self, seen: list[IntArray]) -> None:
        """Plans from what was open while climbing, put together and kicked."""
        assert self.dual is not None
        core, state = self.core, self.state
        if core.decided or state.optimal:
            return
        wanted = max(core.k_min, min(core.k_max, round(float(self.dual.share.sum()))))
        often = np.argsort(-self.dual.share, kind="stable")[:wanted]
        work = max(10 * core.nnz, min(_KICKS, 400 * core.nnz))
        self.elite.improve([*seen, often], self.dual.rho, self.rng, state.budget, work)
        self.keep(self.elite.best)

    def fix(self) -> bool:
        """Fix sites by reduced cost and shrink the core; whether it shrank by a tenth."""
        assert self.dual is not None
        core, dual = self.core, self.dual
        closed, opened, opposite = dual_side.fixable(core, dual, self.state.cutoff)
        n_fixed = int(closed.sum() + opened.sum())
        if n_fixed < 0.05 * core.m:
            return False
        self.state.discard(opposite)
        multiplier = self.proof.add_multipliers(core, dual.lam, dual.pieces)
        self.proof.add_fixings(0, core, np.flatnonzero(closed), np.flatnonzero(opened), multiplier)
        self.proof.settle(core, core.caps_with(opened))
        self.fixed_open = np.concatenate([self.fixed_open, core.site[opened]])
        self.core = core.restricted(closed, opened)
        at = np.searchsorted(core.row, self.core.row)
        lam = np.clip(dual.lam[at], self.core.least, self.core.cap) if self.core.n else np.zeros(0)
        keep = ~(closed | opened)
        self.elite.move(self.core, dual.rho[keep])
        # Without their cuts these multipliers fix nothing more.
        rho = dual.rho[keep] if dual.pieces is None else np.zeros(self.core.m)
        self.dual = Dual(lam, rho, dual.bound, dual.share[keep])
        if self.core.decided:
            self.finish()
        return n_fixed >= 0.1 * core.m

    def finish(self) -> None:
        """Nothing is left to decide: what the fixings leave is one plan, bounded by its own cost."""
        core = self.core
        wanted = core.m if core.k_min == core.m else core.k_min
        plan = np.arange(wanted, dtype=np.int32)
        self.keep(plan)
        everything = np.zeros(core.m, dtype=bool)
        everything[plan] = True
        lam = core.caps_with(everything)
        self.proof.set_leaf(0, self.proof.add_multipliers(core, lam))
        rho = dual_side.prices(core, lam, dual_side.row_chunks(core), 1)
        bound, _ = dual_side.bound_of(core, lam, rho)
        self.state.proved(dual_side.rounded_down(bound, core, lam, rho))

    def branch_and_bound(self) -> None:
        """
        Solve the relaxation, then with cuts; write it anew as long as it fixes sites; search what is left.

        Where few sites are left a short tree without cuts is tried first: cuts cost more than they save there.
        """
        state, cutting = self.state, False
        tree: Tree | None = None
        while not (state.done() or self.core.decided):
            assert self.dual is not None
            if tree is None:
                master = Master(self.core, self.dual.lam, state.budget)
                tree = Tree(self.core, master, state, self.proof, self.fixed_open, self.threads, self.elite)
            tree.cutting, tree.most_nodes = cutting, math.inf if cutting else _TRIED
            share = self.dual.share
            dual = tree.relax(tree.root_fixed, _LP_ROUNDS)
            if dual is None:
                return
            if dual.bound > self.dual.bound:
                self.note_dual(replace(dual, share=master.y))
            self.search_afresh(share, master.value)
            tree.round_up(master.y, tree.root_fixed)
            before = self.core.m
            self.fix()
            if self.core.m < before:
                tree = None
            elif cutting or self.few_sites:
                tree.root, n_fixings = self.dual, self.proof.n_fixings
                tree.run()
                if not (tree.anew or tree.outgrown):
                    return
                cutting = cutting or tree.outgrown
                self.proof.fell(n_fixings)
                state.retract(self.dual.bound)
                self.note_dual(self.dual)
                self.fix()
                tree = None
            else:
                cutting = True

    def search_afresh(self, openness: FloatArray, relaxed: float) -> None:
        """Plans from elsewhere, once, if the relaxation says that the best is too far off; not in milliseconds."""
        state = self.state
        if self.afresh or self.few_sites or state.reached or state.value - relaxed <= _FAR * abs(state.value):
            return
        self.afresh = True
        self.elite.afresh(openness, self.rng, state.budget, min(state.budget.spent, _AFRESH))
        self.keep(self.elite.best)


def solve_pmedian(
    instance: Instance,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
    start: IntArray | None = None,
    multipliers: FloatArray | None = None,
    size: Callable[[float], float] | None = None,
    goal: float | None = None,
    enough_rows: Callable[[IntArray, FloatArray], bool] | None = None,
) -> Solution:
    """
    Open sites so that the weighted cost to the cheapest open site is least.

    Parameters
    ----------
    instance
        One phase, one level, no capacities; ``standing`` says which sites stand open, are free or forbidden.
    gap
        Relative gap at which the run may end.
    work_limit
        Entries to scan at most (see ``Budget``): ends a run at the same point on every machine.
    start
        Sites to start from, e.g. those of the last plan.
    multipliers
        Multipliers to start from, float64 (n_candidates, n_rows), e.g. some of the last certificate's.
    size
        Value → the difference that makes a gap of 1, where it is not the value itself (``State``).
    goal
        Ask only whether a plan is at most this.
    enough_rows
        Asked once the multipliers have settled, with rows and their multipliers: whether the rows are long enough to
        go on. None = they are (``growing``).

    Raises
    ------
    UsageError
        A row must be served, but not every site can serve it.
    """
    stop = stop or Stop()
    budget = Budget(stop, work_limit)
    began_s = stop.elapsed_s
    if int(instance.open_min[0]) > int(instance.free_mask.sum()):
        return no_plan(instance)
    with (progress or Silent()).step("Choosing sites") as tick:
        floor = 0.0 if np.all(instance.price >= 0) else -np.inf
        state = State(budget, instance.whole, gap, floor=floor, size=size, goal=goal)
        state.tell_gap(tick)
        run = PMedianRun(instance, state, seed, threads, enough_rows)
        run.run(start, multipliers)
    return _solution(instance, run, began_s)


def _solution(instance: Instance, run: PMedianRun, began_s: float) -> Solution:
    state = run.state
    open_mask = instance.standing == OPEN
    open_mask[state.open_site] = True
    _close_idle(instance, open_mask)
    first = kernels.first_open(instance.indptr, instance.site_idx, open_mask)
    row_idx = np.flatnonzero(first >= 0)
    row_idx = row_idx[np.asarray(instance.cost)[first[row_idx]] <= instance.unserved[row_idx]]
    assigned_idx = instance.site_idx[first[row_idx]]
    return state.solution(open_mask, row_idx, assigned_idx, run.proof.certificate(), began_s)


def _close_idle(instance: Instance, open_mask: BoolArray) -> None:
    """Where fewer sites may open than did, close those that bring nothing, the last first."""
    spare = int((open_mask & instance.free_mask).sum()) - int(instance.open_min[0])
    if spare <= 0:
        return
    core = make_core(instance)
    mask = open_mask[core.site]
    plan, _ = moves.plan_of(core.table, mask)
    nothing = _NOTHING * float(plan.d1.sum())
    for site in np.flatnonzero(mask)[::-1]:
        if spare > 0 and abs(plan.loss[site]) <= nothing:
            moves.flip(core.table, plan, site)
            spare -= 1
    open_mask[core.site] = mask
