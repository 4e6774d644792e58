"""
Dynamic location: options of sites over phases under side rules and limits.

A Lagrangian of the demand rows bounds from below and proposes options; a transport problem sends the people. Small
cases go to HiGHS as a whole.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from nearer.lp import MipStatus
from nearer.model import Instance, Rules, RulesCertificate, Solution, Status, relative_gap
from nearer.model.evaluate_rules import rules_of
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.budget import Budget
from nearer.solvers.dynamic_core import DynamicCore, make_core, sampled
from nearer.solvers.dynamic_cover import is_covering, solve_covering
from nearer.solvers.dynamic_dual import DynamicDual, Point, StoppedError
from nearer.solvers.dynamic_exact import Exact, solve_exactly
from nearer.solvers.dynamic_options import OptionChoice
from nearer.solvers.dynamic_plan import Plan, Sender
from nearer.solvers.dynamic_search import Interchange
from nearer.solvers.dynamic_start import easy_options
from nearer.solvers.state import State, no_plan
from nearer.units import FloatArray, IntArray

_SMALL = 4_000  # columns of the compact model up to which it is all there is
_ROUND = 12  # iterations of the Lagrangian between plans
_IDLE = 6  # rounds without progress after which the search ends
_SAMPLE = 800_000  # pairs of a problem that gives the first guess
_CORE = 100_000  # columns of a core that is left to HiGHS
_RAISES = 14  # of the price of a broken limit
_REACHES = 12  # other options tried while no plan keeps the limits
_HALVINGS = 4  # of what lies between a price that is too low and one that holds
_ROUGH = 0.01  # gap at which that is enough


@dataclass
class DynamicRun:
    """
    One run on one instance; see ``solve_dynamic``.

    ``rounds`` of the Lagrangian at most, where that is not None; ``start`` is a plan known, as options of the sites.
    """

    instance: Instance
    state: State
    threads: int
    rounds: int | None = None
    start: IntArray | None = None

    def __post_init__(self) -> None:
        stop = self.state.budget.stop
        self.core: DynamicCore = make_core(self.instance)
        self.choice = OptionChoice(self.core.rules, stop)
        self.dual = DynamicDual(self.core, self.choice, self.state.budget, self.threads)
        self.sender = Sender(self.core, stop, self.threads)
        self.plan: Plan | None = None
        self.pi = np.zeros(len(self.core.rules.limits))  # prices of limits at which the plan was found
        self.infeasible = False
        self.warm = False  # whether the multipliers say well what room is worth
        self.search = Interchange(self.core, self.state.budget) if Interchange.fits(self.core) else None
        self._broken: tuple[Plan, FloatArray] | None = None  # the last that broke a limit, and at which prices
        self._seen: set[bytes] = set()
        self._followed: Plan | None = None
        self.hint: IntArray | None = None  # options that a sample of the rows found good

    def run(self) -> None:
        """Until the state is done, or nothing moves any more."""
        with suppress(StoppedError):
            self._search()

    def _search(self) -> None:
        state = self.state
        if self.start is not None:
            self.begin_with(self.start)
        if self.plan is None:
            first = self._first_point()
            if first is not None:
                self.propose(first)
            if self.infeasible or state.done():
                return
        if self.dual.best is None:
            self.dual.begin(*((self._first_multipliers(),) if self.plan is None else (self.plan.halfway, self.pi)))
            self.infeasible = self.dual.infeasible
            self._prove()
        idle = 0
        rounds = 0
        while not state.done() and not self.infeasible and idle < _IDLE and rounds != self.rounds:
            rounds += 1
            self.follow()
            value, bound = state.value, -np.inf if self.dual.best is None else self.dual.best.bound
            self.dual.climb(state.value, _ROUND, state.proved)
            self._prove()
            self.propose(self.dual.best)
            here = -np.inf if self.dual.best is None else self.dual.best.bound
            moved = value - state.value > 1e-6 * abs(state.value) or here - bound > 1e-5 * abs(bound)
            idle = 0 if moved else idle + 1

    def finish(self) -> Exact | None:
        """The compact model of what fixing by reduced cost leaves, if that is small; None where it is not tried."""
        core, point, state = self.core, self.dual.proof, self.state
        rules = core.rules
        keep = np.ones(rules.n_options, dtype=bool)
        if point is not None and self.plan is not None:
            above = point.reduced - np.minimum.reduceat(point.reduced, rules.option_ptr[:-1])[rules.option_site]
            keep = point.bound + above < state.cutoff
            keep[self.plan.option] = True
        opens = np.logical_or.reduceat(keep & np.any(rules.option_level >= 0, axis=1), rules.option_ptr[:-1])
        keep_pair = opens[self.instance.site_idx]
        if not np.any(self.instance.weight) and all(limit.beyond is not None for limit in rules.limits):
            # nobody is better off beyond every limit than unserved
            keep_pair &= np.asarray(self.instance.cost) <= core.beyond.max(initial=0.0)
        if core.n_phases * (int(keep_pair.sum()) + core.n_rows) + int(keep.sum()) > _CORE:
            return None
        return solve_exactly(self.instance, state.budget, state.gap, state.value, keep, keep_pair)

    def _first_point(self) -> Point | None:
        """Multipliers good enough for a first plan, of this problem or of a sample of its rows."""
        n_pairs = len(self.core.cost)
        if n_pairs > 2 * _SAMPLE:
            part = sampled(self.instance, -(-n_pairs // _SAMPLE))
            state = State(Budget(self.state.budget.stop, self.state.budget.limit), whole=False, gap=_ROUGH)
            run = DynamicRun(part, state, self.threads, rounds=4)
            run.run()
            self.state.budget.spend(state.budget.spent)
            self.infeasible = run.infeasible
            self.warm = run.plan is not None
            self.hint = None if run.plan is None else run.plan.option
            return run.dual.best
        self.dual.begin(self._first_multipliers())
        self.infeasible = self.dual.infeasible
        self._prove()
        return self.dual.best

    def follow(self) -> None:
        """Go on from the multipliers that prove the best plan's sending best, where they bound more than ours."""
        if self.plan is None or self.plan is self._followed:
            return
        self._followed = self.plan
        best, pi = self.dual.best, self.pi
        self.dual.leap(self.plan.lam, pi)
        if not self.dual.infeasible:
            self.dual.leap(self.plan.halfway, pi)
        if self.dual.infeasible:
            self.infeasible = True
        elif self.dual.best is not best:
            self._prove()

    def _first_multipliers(self) -> FloatArray:
        """What a row costs if a fair share of the sites is open, nearest first."""
        core = self.core
        long = np.diff(core.indptr)
        at = np.minimum(core.indptr[:-1] + np.maximum(long // 40, 4), core.indptr[1:] - 1)
        found = np.zeros(core.n_rows)
        found[long > 0] = core.cost[at[long > 0]]
        return core.weight * np.minimum(found[core.order][:, None], np.where(np.isinf(core.cap), np.inf, core.cap))

    def _prove(self) -> None:
        if self.dual.proof is not None:
            self.state.proved(self.dual.proof.bound)

    def propose(self, point: Point | None) -> None:
        """A plan from the multipliers: the cheapest whole choice of options, and people sent to it."""
        if point is None:
            return
        option = self.rounded(point)
        if option is None or option.tobytes() in self._seen:
            return
        self._seen.add(option.tobytes())
        if self.search is not None:
            option = self.search.improved(option, point.pi)
        self.offer(option, point)
        if self.plan is None and self._broken is not None:
            self._reach(*self._broken)

    def _reach(self, plan: Plan, pi: FloatArray) -> None:
        """
        Choose options anew where what a plan breaks costs more, until one keeps the limits, then where it costs less.

        The climb begins between the two: far from there prices of limits take it very long.
        """
        low, high = 0.1 * pi, np.full(len(pi), np.inf)
        for _ in range(_REACHES):
            there = self.dual.look(plan.halfway, pi)
            option = None if there is None else self.rounded(there)
            found = None if option is None else self.sender.plan(option, None, pi)
            if found is None or self.state.budget.exhausted():
                return
            if found.keeps:
                self._keep(found, pi)
                high = pi
            else:
                low = pi
            self.dual.begin(found.halfway, pi)
            self._prove()
            pi = 10.0 * pi if np.isinf(high).any() else np.sqrt(np.maximum(low, 1e-2 * high) * high)
            again = self.sender.plan(found.option, None, pi)
            if again is None:
                return
            plan = again

    def rounded(self, point: Point) -> IntArray | None:
        """The cheapest whole choice of options at a point, among those that are near to being taken."""
        core, state = self.core, self.state
        rules = core.rules
        above = point.reduced - np.minimum.reduceat(point.reduced, rules.option_ptr[:-1])[rules.option_site]
        for more in (100, 400, rules.n_options):
            rank = min(core.n_sites + more, rules.n_options) - 1
            keep = (above <= np.partition(above, rank)[rank]) | (point.z > 1e-9)

            def ask(bound: float, nodes: int) -> bool:
                return state.budget.exhausted()

            result, option = self.choice.rounded(
                point.q, keep, ask, state.budget.stop.remaining_s, relative_gap=3e-4, max_nodes=50
            )
            state.budget.spend(result.iterations * 200 + int(keep.sum()))
            if option is not None and self.choice.obeyed(option):
                return option
            if result.status is MipStatus.STOPPED and state.budget.exhausted():
                return None
        if result.status is MipStatus.INFEASIBLE:
            self.infeasible = True
        return None

    def offer(self, option: IntArray, point: Point) -> None:
        """Send people to some options, raising the price of what they break, and keep the plan if it is better."""
        core = self.core
        level = core.rules.option_level[option]
        price = np.zeros((core.n_sites, core.n_pools, core.n_phases))
        for t in range(core.n_phases):
            at = np.flatnonzero(level[:, t] >= 0)
            price[at, :, t] = point.rate[at, :, t, level[at, t]]
        price[~np.isfinite(price)] = 0.0
        pi, low, idle = point.pi.copy(), None, 0
        plan = self.sender.plan(option, price if self.warm else None, pi)
        for _ in range(_RAISES):
            self.state.budget.spend(core.n_rows * core.n_phases * 100)
            if plan is None or np.all(plan.excess <= 0) or not np.isfinite(plan.value):
                break
            # a limit is broken: let it charge more
            pi, low = self._raised(pi, plan), pi
            if self.search is not None:
                before, option = option, self.search.improved(option, pi)
                if np.array_equal(option, before) and np.all(pi > self.pi):
                    break  # no single interchange mends it at any price
            excess, plan = plan.excess, self.sender.plan(option, price, pi)
            if plan is not None and np.all(plan.excess >= 0.999 * excess) and self.search is None:
                idle += 1
                if idle == 3:
                    break  # no way of sending people mends it
        if plan is None:
            return
        self.warm = True
        self._keep(plan, pi)
        if low is not None and plan.keeps:
            self._lower(plan, low, pi)
        self._broken = None if plan.keeps or not np.isfinite(plan.value) else (plan, pi)

    def _raised(self, pi: FloatArray, plan: Plan) -> FloatArray:
        """Higher prices of the limits that a plan breaks."""
        rules = self.core.rules
        most = np.array([limit.most for limit in rules.limits])
        size = abs(plan.value) + float(np.abs(rules.option_cost).max(initial=0.0))
        least = 1e-3 * size / np.maximum(np.abs(most), plan.excess)
        return np.asarray(np.where(plan.excess > 0, np.maximum(3 * pi, least), pi))

    def _lower(self, plan: Plan, low: FloatArray, high: FloatArray) -> None:
        """Prices between those at which a limit was broken and those at which a plan keeps them all."""
        if self.search is None:
            return
        for _ in range(_HALVINGS):
            if self.state.budget.exhausted():
                return
            pi = np.sqrt(np.maximum(low, 1e-2 * high) * high)
            found = self.sender.plan(self.search.improved(plan.option, pi), None, pi)
            if found is None:
                return
            self.dual.leap(found.halfway, pi)
            self._prove()
            if found.keeps:
                self._keep(found, pi)
                plan, high = found, pi
            else:
                low = pi

    def begin_with(self, option: IntArray) -> None:
        """Take a plan that is known, and what interchange makes of it at prices at which its limits hold."""
        pi = np.zeros(len(self.core.rules.limits))
        known = self.sender.plan(option, None, pi)
        if known is None or not known.keeps:
            return
        self._keep(known, pi)
        if self.search is None or self.state.budget.exhausted():
            return
        low, tried = pi, []
        for _ in range(_RAISES):
            better = self.sender.plan(self.search.improved(option, pi), None, pi)
            if better is None or self.state.budget.exhausted():
                return
            tried.append(better)
            if better.keeps:
                self._keep(better, pi)
                self._lower(better, low, pi)
                break
            pi, low = self._raised(pi, better), pi
        if len(pi) == 1 and self.plan is not None and len(tried) > 1:
            # the least price at which no plan seen that breaks the limit is better than the best that keeps it, nearly
            value = self.plan.value
            dear = sorted((value - one.value) / one.excess[0] for one in tried if one.excess[0] > 0)
            price = np.array([max(dear[len(dear) // 2], 0.0)])
            option = self.search.improved(option, price)
            free, paid = (self.sender.plan(option, None, each) for each in (np.zeros(1), price))
            if free is not None and paid is not None:
                # who is far pays about half of it where another site may open
                self.dual.begin(free.halfway + np.maximum(paid.lam - free.lam, 0.0) / 2, price)

    def _keep(self, plan: Plan, pi: FloatArray) -> None:
        """Keep a plan if it is one and better."""
        if plan.keeps and (self.plan is None or plan.value < self.plan.value):
            self.plan, self.pi = plan, pi
            self.state.found(plan.value, np.zeros(0, dtype=np.int32))


def solve_dynamic(
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
    Choose an option for every site and send everybody so that all phases together cost least.

    Parameters
    ----------
    instance
        With rules.
    gap
        Relative gap at which the run may end.
    seed
        Not used: nothing is random.
    threads
        Threads at most; the result does not depend on it.
    work_limit, stop
        See ``Budget``.
    progress
        Where to report.
    start
        Levels of a plan known, int (n_phases, n_sites); not used where they are none of the options.
    """
    stop = stop or Stop()
    budget = Budget(stop, work_limit)
    began_s = stop.elapsed_s
    rules = rules_of(instance)
    with (progress or Silent()).step("Choosing sites") as tick:

        def tell(value: float, bound: float) -> None:
            known = np.isfinite(value) and np.isfinite(bound)
            tick(1, f"gap {100 * relative_gap(value, bound):.3g} %" if known else "", (value, bound))

        state = State(budget, whole=False, gap=gap, tell=tell)
        run = None
        exact: Exact | None = None
        by_solver = False
        n_columns = instance.n_phases * (len(instance.cost) + instance.n_rows) + rules.n_options
        if is_covering(instance):
            exact = solve_covering(instance, budget, gap)
        elif n_columns <= _SMALL or instance.single_source:
            exact = solve_exactly(instance, budget, gap)
        elif not stop():
            run = DynamicRun(instance, state, threads, start=_options_of(rules, start))
            run.run()
        if run is not None and not (run.infeasible or state.reached or budget.exhausted()):
            exact = run.finish()
            if exact is not None:
                by_solver = exact.bound > state.bound
                state.proved(exact.bound)
        if exact is not None and exact.option is not None:
            state.found(exact.value, np.zeros(0, dtype=np.int32))
            state.proved(exact.bound)
        nothing = not np.isfinite(state.value) and not (run is not None and run.infeasible)
        if nothing and not instance.single_source and (exact is None or exact.status is MipStatus.STOPPED):
            run = _at_once(instance, run, state, threads)
            exact = None
    seconds = stop.elapsed_s - began_s
    if run is not None and (exact is None or exact.option is None) and (run.plan is not None or exact is None):
        return _solution(instance, run, state, seconds, by_solver)
    assert exact is not None
    if exact.option is None or exact.assignment is None:
        return no_plan(instance, exact.status is MipStatus.INFEASIBLE, seconds, budget.spent)
    phase, row, site, share = exact.assignment
    return Solution(
        status=_status(exact.value, max(exact.bound, min(state.bound, exact.value)), gap),
        level=np.ascontiguousarray(rules.option_level[exact.option].T),
        row_idx=row,
        assigned_idx=site,
        share=share,
        objective=exact.value,
        bound=max(exact.bound, min(state.bound, exact.value)),
        proof="solver",
        certificate=None,
        trace=tuple(state.trace),
        seconds=seconds,
        work=budget.spent,
        phase_idx=phase,
    )


def _at_once(instance: Instance, run: DynamicRun | None, state: State, threads: int) -> DynamicRun:
    """The run with a plan that is easily found, whatever the clock says; without one where it is not."""
    run = DynamicRun(instance, state, threads) if run is None else run
    option = easy_options(run.core) if run.hint is None else run.hint
    if run.choice.obeyed(option):
        run.sender.stop = Stop()
        run.begin_with(option)
    if run.plan is not None and run.dual.proof is None:
        rules = run.core.rules
        least = np.minimum.reduceat(rules.option_cost, rules.option_ptr[:-1])
        # nobody's way costs less than nothing
        state.proved(float(least.sum()) - 1e-12 * float(np.abs(least).sum()))
    return run


def _solution(instance: Instance, run: DynamicRun, state: State, seconds: float, by_solver: bool) -> Solution:
    """What a run found, with the certificate of its bound unless HiGHS proved more."""
    plan = run.plan
    if plan is None:
        return no_plan(instance, run.infeasible, seconds, state.budget.spent)
    phase = np.concatenate([np.full(len(one.row), t) for one, t in zip(plan.sent, _phases(run.core), strict=True)])
    certificate: RulesCertificate | None = None
    if run.dual.proof is not None and not by_solver:
        certificate = run.dual.certificate()
    elif run.dual.proof is None:
        rules = run.core.rules
        none = np.zeros((instance.n_phases, instance.n_rows))
        certificate = RulesCertificate(none, np.zeros(rules.n_sides), np.zeros(len(rules.limits)))
    row, site, share = (np.concatenate([getattr(one, name) for one in plan.sent]) for name in ("row", "site", "share"))
    order = np.lexsort((site, row, phase))
    return Solution(
        status=_status(state.value, state.bound, state.gap),
        level=np.ascontiguousarray(run.core.rules.option_level[plan.option].T),
        row_idx=row[order],
        assigned_idx=site[order],
        share=share[order],
        objective=state.value,
        bound=state.bound,
        proof="certificate" if certificate is not None else "solver",
        certificate=certificate,
        trace=tuple(state.trace),
        seconds=seconds,
        work=state.budget.spent,
        phase_idx=phase[order].astype(np.int16),
    )


def _options_of(rules: Rules, level: IntArray | None) -> IntArray | None:
    """Options with the levels of a plan that keeps the side rules; None where there are none."""
    option = None if level is None else rules.option_of(np.asarray(level))
    if option is None or np.any(option < 0) or not OptionChoice(rules, Stop()).obeyed(option):
        return None
    return option


def _phases(core: DynamicCore) -> list[int]:
    return [t for _ in range(core.n_pools) for t in range(core.n_phases)]


def _status(value: float, bound: float, gap: float) -> Status:
    if value - bound <= 1e-9 * abs(value):
        return Status.OPTIMAL
    return Status.GAP if relative_gap(value, bound) <= gap else Status.FEASIBLE
