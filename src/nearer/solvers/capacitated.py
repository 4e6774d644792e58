"""
Capacitated location: Lagrangian and fixing, then a tree of Lagrangians where rows may be split, else HiGHS on the rest.

Each step leaves a plan and a bound behind. What Lagrangians prove comes with a certificate; where HiGHS's tree proves
more, as it can where each row is served by one site, the proof is called "solver".
"""

from __future__ import annotations

import numpy as np

from nearer.model import Instance, Solution, Status
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import capacitated_dual as dual_side
from nearer.solvers.budget import Budget
from nearer.solvers.capacitated_core import CapacitatedCore, make_capacitated_core
from nearer.solvers.capacitated_drop import dropped
from nearer.solvers.capacitated_dual import CapacitatedDual
from nearer.solvers.capacitated_kicks import Kicks
from nearer.solvers.capacitated_plan import (
    Plan,
    assign_split,
    assign_whole,
    improve_whole,
    make_plan,
    moved,
    whole_plan,
)
from nearer.solvers.capacitated_proof import CapacitatedProof
from nearer.solvers.capacitated_tree import CapacitatedTree
from nearer.solvers.capacitated_whole import WholeTree
from nearer.solvers.state import State
from nearer.units import BoolArray, FloatArray, IntArray

_NEAR = 1.02  # times the best value, up to which a plan is worth a longer search
_MOVED = 1.2  # the same, for sites to move to the middle of what they serve
_SEARCH_SHARE = 0.3  # of the work so far, up to which such searches are made
_KICK_SHARE = 0.5  # of the work so far, up to which plans are kicked
_TREE_ENDS = 0.01  # relative gap up to which a tree may end soon, so that kicks which bring nothing become rare
_KICK_WORK, _KICK_GAIN = 100_000_000, 5e-4  # of one round, and what it brings to be followed by another at once
_NEIGHBOURS = 40  # sets of sites beside the best that are tried without success
_DROPPED, _DROP_ENTRIES = 0.01, 300_000  # relative gap from which sites are dropped one by one; pairs at most
_ROUND = 150  # iterations of the Lagrangian between attempts to fix sites


class CapacitatedRun:
    """One run on one instance; see ``solve_capacitated``."""

    def __init__(self, instance: Instance, state: State, seed: int = 0) -> None:
        self.instance, self.state, self.seed = instance, state, seed
        self.core = self.whole = make_capacitated_core(instance)
        self.plan: tuple[IntArray, IntArray, IntArray, FloatArray] | None = None
        self.certified = -np.inf
        self.lam = np.zeros(self.core.n)
        self.proof = CapacitatedProof(self.core.n)
        state.budget.ahead = self.proof.ahead
        self.infeasible = False
        self._tried: set[bytes] = set()
        self._searched = 0
        self._kicked = self._idle_kicks = 0
        self._kicks: Kicks | None = None

    def run(self, start: IntArray | None) -> None:
        """From the first bound to a proof, or until the state is done."""
        state, core = self.state, self.core
        if self.hopeless(core):
            self.infeasible = True
            return
        cheapest = np.full(core.n, np.inf)
        np.minimum.at(cheapest, core.crow, core.cval)
        lam = np.minimum(1.2 * np.where(np.isfinite(cheapest), cheapest, 0.0), core.idle)
        self.climb(lam, 0)
        if start is not None:
            self.offer_sites(np.isin(core.site, start) | core.must)
        if not state.budget.exhausted():
            self.climb(self.lam, _ROUND)
        self.improve_plan()
        stalled = 0
        while not state.done() and stalled < 2:
            before = min(state.value, 1e300) - state.bound
            self.climb(self.lam, _ROUND)
            self.improve_plan()
            shrunk = self.fix()
            if self.hopeless(self.core):
                self.nothing_better()
                return
            slow = min(state.value, 1e300) - state.bound > 0.8 * before
            stalled = stalled + 1 if slow and not shrunk else 0
        if state.done():
            return
        if core.whole_rows:
            self.branch_on_whole_rows()
        else:
            self.drop()
            self.branch_and_bound()

    @staticmethod
    def hopeless(core: CapacitatedCore) -> bool:
        """Whether counts and sums alone leave no plan."""
        if core.k_min > core.m or core.k_max < max(core.k_min, int(core.must.sum())):
            return True
        stranded = ~np.isfinite(core.idle) & (np.bincount(core.crow, minlength=core.n) == 0)
        free = np.sort(core.room[~core.must])[::-1][: core.k_max - int(core.must.sum())]
        most = float(core.room[core.must].sum()) + float(free.sum())
        return bool(stranded.any()) or most < float(core.need[~np.isfinite(core.idle)].sum()) * (1 - 1e-9)

    def nothing_better(self) -> None:
        """What was given up bounds everything."""
        if np.isfinite(self.state.value):
            self.state.proved(self.state.cutoff)
        else:
            self.infeasible = True

    def climb(self, lam: FloatArray, iterations: int) -> None:
        """One round of the volume algorithm; the certificate follows the best bound."""
        state = self.state
        dual = dual_side.climb(self.core, lam, state.value, state.budget, iterations, state.proved, state.cutoff)
        self.dual: CapacitatedDual = dual
        self.lam, self.certified = dual.lam, dual.bound
        self.proof.bound_by(0, dual.lam)

    def keep(self, core: CapacitatedCore, plan: Plan | None) -> bool:
        """Offer a plan of a core; whether it is better than the best."""
        if plan is None or not plan.value < self.state.value:
            return False
        site = core.site
        opened = site[plan.open_mask]
        self.plan = (opened, plan.row, site[plan.site].astype(np.int32), plan.share)
        self.state.found(plan.value, opened)
        return True

    def offer_sites(self, open_mask: BoolArray) -> bool:
        """Assign to a set of sites and offer that; once for each set."""
        core = self.core
        key = core.site[open_mask].tobytes()
        n_open = int(open_mask.sum())
        if key in self._tried or not core.k_min <= n_open <= core.k_max:
            return False
        self._tried.add(key)
        state = self.state
        assigned = assign_whole(core, open_mask, self.dual.rate)
        state.budget.spend(assigned.work)
        better = self.keep(core, assigned.plan)
        near = assigned.plan is None or assigned.plan.value < _NEAR * state.value
        eager = not np.isfinite(state.value) or self._searched <= _SEARCH_SHARE * state.budget.spent
        if core.whole_rows and near and eager and not state.budget.exhausted():
            searched = improve_whole(core, open_mask, self.dual.rate, assigned.plan)
            self._searched += searched.work
            state.budget.spend(searched.work)
            better |= self.keep(core, searched.plan)
            if searched.plan is not None and (assigned.plan is None or searched.plan.value < assigned.plan.value):
                assigned = searched
        if core.whole_rows and assigned.plan is not None and assigned.plan.value < _MOVED * state.value:
            better |= self.offer_moved(assigned.plan)
        if not core.whole_rows and not state.budget.exhausted():
            assigned = assign_split(core, open_mask, state.value, state.budget.stop)
            state.budget.spend(assigned.work)
            better |= self.keep(core, assigned.plan)
        return better

    def offer_moved(self, plan: Plan) -> bool:
        """Move sites to the middle of what they serve, and assign anew; whether that is better than the best."""
        core, state = self.core, self.state
        state.budget.spend(len(core.crow))
        step = None if state.budget.exhausted() else moved(core, plan)
        if step is None:
            return False
        better = self.keep(core, step)
        return self.offer_sites(step.open_mask) or better

    def improve_plan(self) -> None:
        """Plans from the sites that the Lagrangian opened most, more and more of them until none helps."""
        core, dual = self.core, self.dual
        order = np.lexsort((dual.rho, -dual.share))
        order = order[np.argsort(~core.must[order], kind="stable")]
        room = np.cumsum(core.room[order])
        must_serve = float(core.need[~np.isfinite(core.idle)].sum())
        first = max(core.k_min, int(core.must.sum()), int(np.searchsorted(room, must_serve * (1 - 1e-9))) + 1)
        worse = 0
        for n_open in range(first, core.k_max + 1):
            open_mask = np.zeros(core.m, dtype=bool)
            open_mask[order[:n_open]] = True
            worse = 0 if self.offer_sites(open_mask) else worse + 1
            if (np.isfinite(self.state.value) and worse >= 3) or self.state.done():
                break

    def drop(self) -> None:
        """Where plans of the Lagrangian are far off, one that starts with every site open."""
        state, core = self.state, self.core
        near = np.isfinite(state.value) and state.value - state.bound <= _DROPPED * abs(state.value)
        if near or state.done() or len(core.crow) > _DROP_ENTRIES:
            return
        self.keep(core, dropped(core, self.dual.share, state.budget))

    def fix(self) -> bool:
        """Close or open sites by reduced cost; whether the core shrank by a tenth."""
        core, dual, state = self.core, self.dual, self.state
        if not np.isfinite(state.value):
            return False
        opened, closed = dual_side.opposites(core, dual)
        shut = (opened >= state.cutoff) & ~core.must
        must = (closed >= state.cutoff) & ~core.must & ~shut
        if not shut.any() and not must.any():
            return False
        state.discard(float(min(opened[shut].min(initial=np.inf), closed[must].min(initial=np.inf))))
        self.proof.fix(0, core.site[shut], 0)
        self.proof.fix(0, core.site[must], 1)
        keep_entry = np.ones(len(core.crow), dtype=bool)
        self.core = core.restricted(~shut, core.must | must, keep_entry)
        if not self.hopeless(self.core):
            share, use = dual.share[~shut], dual.use[(~shut)[core.entry_site]]
            self.climb(dual.lam, 0)
            self.dual.share, self.dual.use = share, use
        return int(shut.sum()) >= 0.1 * core.m

    def branch_and_bound(self) -> None:
        """The tree of Lagrangians."""
        state = self.state
        tree = CapacitatedTree(self.core, self.dual, state, self.proof, self.keep)
        finished = tree.run()
        self.infeasible = finished and not np.isfinite(state.value)
        self.certified = tree.certified

    def try_neighbours(self) -> None:
        """Open, close or replace one of the best plan's sites, by reduced cost, as long as that helps."""
        core, state, rho = self.core, self.state, self.dual.rho
        better = np.isfinite(state.value)
        while better and not state.done():
            better = False
            best = np.isin(core.site, state.open_site)
            inside, outside = np.flatnonzero(best & ~core.must), np.flatnonzero(~best)
            drop, add = np.append(inside, -1), np.append(outside, -1)
            change = np.append(rho[outside], 0.0) - np.append(rho[inside], 0.0)[:, None]
            wanted = float(core.need[~np.isfinite(core.idle)].sum()) * (1 - 1e-9)
            fails = 0
            for k in np.argsort(change, axis=None, kind="stable"):
                out, into = int(drop[k // len(add)]), int(add[k % len(add)])
                open_mask = best.copy()
                open_mask[[j for j in (out,) if j >= 0]] = False
                open_mask[[j for j in (into,) if j >= 0]] = True
                if core.room[open_mask].sum() < wanted or core.site[open_mask].tobytes() in self._tried:
                    continue
                better = self.offer_sites(open_mask)
                fails += 1
                if better or fails >= _NEIGHBOURS or state.done():
                    break

    def kick(self) -> None:
        """Kick the best plan as long as that helps much, and for a share of all work, less where it helped last."""
        core, state = self.whole, self.state  # of the plan, whose sites may be fixed since
        if self.plan is None or not Kicks.suits(core):
            return
        self._kicks = self._kicks or Kicks(core, self.seed)
        while not state.done():
            opened, row, site, part = self.plan
            best = make_plan(core, np.isin(core.site, opened), row, np.searchsorted(core.site, site), part)
            before, spent = state.value, state.budget.spent
            better = self.keep(core, self._kicks.run(best, state.budget, min(_KICK_WORK, 400 * len(core.crow))))
            self._idle_kicks = 0 if better else self._idle_kicks + 1
            self._kicked += state.budget.spent - spent
            if state.value > before - _KICK_GAIN * abs(before) and not self.may_kick():
                break

    def may_kick(self) -> bool:
        """Whether kicks took less than their share of the work so far; near the end less than if that is far off."""
        state = self.state
        near = state.value - state.bound <= _TREE_ENDS * abs(state.value)
        return self._kicked <= _KICK_SHARE / (1 + self._idle_kicks if near else 1) * state.budget.spent

    def branch_on_whole_rows(self) -> None:
        """The tree of 0-1 knapsack Lagrangians."""
        self.try_neighbours()
        self.kick()
        core = self.core

        def offer_sites(site: IntArray, lam: FloatArray) -> None:
            open_mask = np.isin(core.site, site)
            if core.site[open_mask].tobytes() not in self._tried:
                _, self.dual.rho, self.dual.rate, _, _ = dual_side.evaluate(core, lam)
                self.offer_sites(open_mask)
            if self.may_kick():
                self.kick()

        def offer_rows(site: IntArray, where: IntArray) -> None:
            self.keep(core, whole_plan(core, site, where))

        tree = WholeTree(self.state, offer_sites, offer_rows)
        finished = tree.run(core, self.lam)
        self.infeasible = finished and not np.isfinite(self.state.value)


def solve_capacitated(
    instance: Instance,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
    start: IntArray | None = None,
) -> Solution:
    """
    Open sites and assign rows within the sites' capacities so that everything together costs least.

    Parameters
    ----------
    instance
        One phase, level and group of capacities; rows may be split between sites unless ``single_source``.
    gap
        Relative gap at which the run may end.
    seed, threads
        Of the kicks, and as every solver takes it; nothing here runs on more than one thread.
    work_limit
        Entries to scan at most (see ``Budget``): ends a run at the same point on every machine.
    start
        Sites to start from, e.g. those of the last plan.

    Raises
    ------
    UsageError
        There are capacities by level or by group.
    """
    stop = stop or Stop()
    began_s = stop.elapsed_s
    floor = 0.0 if np.all(instance.price >= 0) else -np.inf
    state = State(Budget(stop, work_limit), instance.whole, gap, floor=floor)
    with (progress or Silent()).step("Choosing sites") as tick:
        state.tell_gap(tick)
        run = CapacitatedRun(instance, state, seed)
        run.run(start)
    return _solution(instance, run, stop.elapsed_s - began_s)


def _solution(instance: Instance, run: CapacitatedRun, seconds: float) -> Solution:
    state = run.state
    level = np.full((1, instance.n_sites), -1, dtype=np.int16)
    none = np.zeros(0, dtype=np.int32)
    row: IntArray = none
    site: IntArray = none
    share = np.zeros(0)
    if run.plan is not None:
        opened, row, site, share = run.plan
        level[0, opened] = 0
    proven = min(run.certified, state.discarded)
    proven = max(float(np.ceil(proven)) if state.whole and np.isfinite(proven) else proven, state.floor)
    certified = run.plan is not None and proven >= state.bound
    return Solution(
        status=Status.INFEASIBLE if run.infeasible else state.status,
        level=level,
        row_idx=np.asarray(row, dtype=np.int32),
        assigned_idx=np.asarray(site, dtype=np.int32),
        share=share,
        objective=state.value,
        bound=np.inf if run.infeasible else state.bound,
        proof="certificate" if certified else "solver",
        certificate=run.proof.certificate() if certified else None,
        trace=tuple(point for point in state.trace if np.isfinite(point.value)),
        seconds=seconds,
        work=state.budget.spent,
    )
