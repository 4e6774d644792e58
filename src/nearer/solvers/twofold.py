"""
Twofold cover with sites that stand open: greedy, interchange, Lagrangian, fixing, relaxation, branch and bound.

The steps are those of ``pmedian.py``, with terms that want two open sites.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from nearer.errors import UsageError
from nearer.kernels import twofold as kernels
from nearer.kernels.pmedian import first_open
from nearer.model import OPEN, Instance, Solution
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import volume
from nearer.solvers.budget import Budget
from nearer.solvers.lagrangian import opposites
from nearer.solvers.proof import ProofTree
from nearer.solvers.search import filled
from nearer.solvers.state import State, no_plan
from nearer.solvers.twofold_core import TwofoldCore, start_state
from nearer.solvers.twofold_dual import RelaxedCover, first_guess
from nearer.solvers.twofold_master import TwofoldMaster
from nearer.solvers.twofold_tree import TwofoldTree, interchange
from nearer.solvers.volume import Dual
from nearer.units import BoolArray, IntArray

_ROUND = 150  # iterations of the Lagrangian between attempts to fix sites
_LP_TERMS, _LP_ENTRIES = 60_000, 4_000_000  # the relaxation is left out above this size


class TwofoldRun:
    """One run on one instance; see ``solve_twofold``."""

    def __init__(self, instance: Instance, state: State, seed: int) -> None:
        self.instance, self.state = instance, state
        self.rng = np.random.default_rng(seed)
        self.decided = start_state(instance)
        self.core = TwofoldCore.of(instance, self.decided)
        state.budget.spend(4 * len(instance.site_idx))
        self.proof = ProofTree()
        state.budget.ahead = self.proof.ahead
        self.dual = Dual(np.zeros(self.core.n), np.zeros(self.core.m), -np.inf, np.zeros(self.core.m))

    @property
    def fixed_open(self) -> IntArray:
        """Free sites of the instance that fixing has opened, positions."""
        return np.flatnonzero((self.decided == 1) & self.instance.free_mask)

    def run(self, start: IntArray | None) -> None:
        """From the first plan to a proof, or until the state is done."""
        state = self.state
        if self.core.decided:
            self.finish()
            return
        self.first_plan(start)
        self.note_dual(RelaxedCover(self.core).dual(first_guess(self.core, self.core_plan())))
        stalled = 0
        while not state.done() and stalled < 2 and not self.core.decided:
            before = state.value - state.bound
            self.climb_once()
            self.improve_plan()
            shrunk = self.fix()
            slow = state.value - state.bound > 0.7 * before
            stalled = stalled + 1 if slow and not shrunk else 0
        while not state.done() and not self.core.decided:
            if self.core.n <= _LP_TERMS and self.core.nnz <= _LP_ENTRIES:
                master = TwofoldMaster(self.core, self.dual.lam, state.budget)
                TwofoldTree(self.core, master, state, self.proof, self.fixed_open).run()
                return
            # Too large for the relaxation: the Lagrangian and the search go on alone.
            spent = state.budget.spent
            self.climb_once()
            self.improve_plan()
            self.fix()
            if state.budget.spent == spent:
                return

    def keep(self, plan: IntArray) -> None:
        """Offer a plan of the core to the state."""
        self.state.found(self.core.value(plan), np.concatenate([self.fixed_open, self.core.site[plan]]))

    def first_plan(self, start: IntArray | None) -> None:
        """Greedy, or the plan given, improved by interchange."""
        core, state = self.core, self.state
        if start is not None:
            known = np.flatnonzero(np.isin(core.site, start))[: core.k_max].astype(np.int32)
            plan = filled(known, np.zeros(core.m), core.k_min)
        else:
            plan = np.asarray(
                kernels.greedy(core.ptr, core.col, *core.twin, core.one, core.two, core.price, core.k_min, core.k_max)
            )
            state.budget.spend(2 * core.nnz + core.m * len(plan))
        self.keep(plan)
        self.keep(interchange(core, plan, state.budget))

    def core_plan(self) -> IntArray:
        """The best plan, as far as its sites are still free, completed."""
        core = self.core
        plan = np.flatnonzero(np.isin(core.site, self.state.open_site)).astype(np.int32)
        return filled(plan[: core.k_max], self.dual.rho, core.k_min)

    def note_dual(self, dual: Dual) -> None:
        """Take over better multipliers."""
        self.dual = dual
        self.proof.set_leaf(0, self.proof.add(partial(self.core.by_row, dual.lam)))
        self.state.proved(dual.bound)

    def climb_once(self) -> None:
        """One round of the volume algorithm."""
        state, dual = self.state, self.dual
        self.note_dual(
            volume.climb(
                RelaxedCover(self.core),
                dual.lam,
                state.value,
                state.budget,
                _ROUND,
                state.proved,
                dual.share,
                state.cutoff,
            )
        )

    def improve_plan(self) -> None:
        """Plans from the sites most often open while climbing, and from kicks to the best plan."""
        core, state = self.core, self.state
        if core.decided:
            return
        wanted = max(core.k_min, min(core.k_max, round(float(self.dual.share.sum()))))
        often = np.argsort(-self.dual.share, kind="stable")[:wanted].astype(np.int32)
        self.keep(interchange(core, np.sort(often), state.budget))
        for _ in range(8):
            if state.optimal or state.budget.exhausted():
                break
            self.keep(interchange(core, self.kicked(self.core_plan(), 3), state.budget))

    def kicked(self, plan: IntArray, strength: int) -> IntArray:
        """Replace a few open sites by closed ones that share a term with them, at random."""
        core = self.core
        mask = np.zeros(core.m, dtype=bool)
        mask[plan] = True
        cptr, crow = core.twin
        for _ in range(min(strength, len(plan), core.m - len(plan))):
            out = int(self.rng.choice(np.flatnonzero(mask)))
            terms = crow[cptr[out] : cptr[out + 1]]
            if len(terms) == 0:
                continue
            t = int(self.rng.choice(terms))
            near = core.col[core.ptr[t] : core.ptr[t + 1]]
            near = near[~mask[near]]
            if len(near):
                mask[out] = False
                mask[int(self.rng.choice(near))] = True
        return np.flatnonzero(mask).astype(np.int32)

    def fix(self) -> bool:
        """Fix sites by reduced cost and shrink the core; whether it shrank by a tenth."""
        core, dual = self.core, self.dual
        chosen = np.zeros(core.m, dtype=bool)
        chosen[core.cheapest_set(dual.rho)] = True
        opposite = dual.bound + opposites(dual.rho, chosen, core.k_min, core.k_max)
        given_up: BoolArray = opposite >= self.state.cutoff
        n_fixed = int(given_up.sum())
        if n_fixed < 0.05 * core.m or n_fixed == 0:
            return False
        self.state.discard(float(opposite[given_up].min()))
        closed, opened = given_up & ~chosen, given_up & chosen
        multiplier = self.proof.add(partial(core.by_row, dual.lam))
        self.proof.add_fixings(0, core, np.flatnonzero(closed), np.flatnonzero(opened), multiplier)
        self.decided[core.site[closed]], self.decided[core.site[opened]] = 0, 1
        lam = core.by_row(dual.lam)
        self.core = TwofoldCore.of(self.instance, self.decided)
        self.state.budget.spend(4 * len(self.instance.site_idx))
        keep = ~given_up
        self.dual = Dual(self.core.by_term(lam), dual.rho[keep], dual.bound, dual.share[keep])
        if self.core.decided:
            self.finish()
        return n_fixed >= 0.1 * core.m

    def finish(self) -> None:
        """Nothing is left to decide: what the fixings leave is one plan, bounded by its own cost."""
        core = self.core
        wanted = core.m if core.k_min == core.m else core.k_min
        plan = np.arange(wanted, dtype=np.int32)
        self.keep(plan)
        # A site that must open needs no price to do so, and no price, however high, lets one open that may not.
        dual = RelaxedCover(core).dual(np.zeros(core.n) if wanted == core.m else core.steep)
        self.proof.set_leaf(0, self.proof.add(partial(core.by_row, dual.lam)))
        self.state.proved(dual.bound)


def solve_twofold(
    instance: Instance,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
    start: IntArray | None = None,
    size: Callable[[float], float] | None = None,
) -> Solution:
    """
    Open sites so that least weight is left uncovered, where a share of it counts only when covered twice.

    Parameters
    ----------
    instance
        A covering (``nearer.model.covering_instance``): one phase, no capacities, all costs 0, ``second_share`` given.
    gap
        Relative gap at which the run may end.
    threads
        Not used: one is enough.
    work_limit
        Entries to scan at most (see ``Budget``): ends a run at the same point on every machine.
    start
        Sites to start from, e.g. those of the last plan.
    size
        What the gap is measured by, as in ``State``; None = the weight left uncovered.

    Raises
    ------
    UsageError
        Costs are not all 0, or a row must be served.
    """
    if np.any(np.asarray(instance.cost) != 0) or not np.isfinite(instance.unserved).all():
        raise UsageError("Twofold cover is solved where covering costs nothing: leave out gradual decay.")
    stop = stop or Stop()
    budget = Budget(stop, work_limit)
    began_s = stop.elapsed_s
    if int(instance.open_min[0]) > int(instance.free_mask.sum()):
        return no_plan(instance)
    with (progress or Silent()).step("Choosing sites") as tick:
        state = State(budget, instance.whole, gap, floor=0.0 if np.all(instance.price >= 0) else -np.inf, size=size)
        state.tell_gap(tick)
        run = TwofoldRun(instance, state, seed)
        run.run(start)
    open_mask = instance.standing == OPEN
    open_mask[state.open_site] = True
    first = first_open(instance.indptr, instance.site_idx, open_mask)
    row_idx = np.flatnonzero(first >= 0)
    return state.solution(open_mask, row_idx, instance.site_idx[first[row_idx]], run.proof.certificate(), began_s)
