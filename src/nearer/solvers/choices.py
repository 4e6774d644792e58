"""
Beyond one optimum: what forcing a site costs, and other good plans that differ.

Both speak of the same problem as the plan they start from, and every figure is a pair: what was found, and what is
proven that nothing undercuts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from nearer.errors import UsageError
from nearer.model import FORBIDDEN, FREE, OPEN, Certificate, Instance, Solution, Status
from nearer.model.check import recompute_value
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import solve
from nearer.solvers.exchange import best_swaps
from nearer.solvers.reasons import Forced, bounded, opened_sites, search
from nearer.solvers.vicinity import Apart, Vicinity
from nearer.units import BoolArray, FloatArray

__all__ = ["Alternative", "Alternatives", "Forced", "opened_sites", "other_plans", "spread", "warm_multipliers", "why"]

_PLAN_WORK = 400_000_000  # for each priced problem: a few seconds at city size


def why(
    instance: Instance,
    solution: Solution,
    sites: Iterable[int] | None = None,
    *,
    threads: int = 1,
    work_limit: int | None = 20_000_000,
    stop: Stop | None = None,
) -> Iterator[Forced]:
    """
    For each site: what is lost without it if the plan opens it, and what forcing it costs if not.

    Each is a problem of its own, solved from the plan's sites on, so that the best replacement is found too. A rise is
    against the plan's value and its bound: ``at_least`` stays valid where the plan is not proven optimal.

    Parameters
    ----------
    instance, solution
        A problem and its plan.
    sites
        Which to ask about; default every free site the plan opens.
    work_limit
        Work for each site (see ``solve``): exact where that is enough, bounded otherwise.
    stop
        Ends the answers early.
    """
    wanted = opened_sites(solution, instance) if sites is None else sites
    if Vicinity.holds(instance):
        yield from _why_near(instance, solution, wanted, threads, work_limit, stop)
        return
    warm = {} if instance.capacitated or instance.objective != "sum" else warm_multipliers(solution)
    for site in wanted:
        if stop is not None and stop():
            return
        opened = bool(solution.open_mask[site])
        forced = _decided(instance, int(site), not opened)
        answer = solve(
            forced,
            gap=0.0,
            threads=threads,
            work_limit=work_limit,
            stop=stop or Stop(),
            start=opened_sites(solution, forced),
            **warm,
        )
        if answer.status is Status.INFEASIBLE:
            yield Forced(int(site), not opened, np.inf, np.inf, None)
            continue
        yield Forced(
            int(site),
            not opened,
            max(answer.bound - solution.objective, 0.0),
            answer.objective - solution.objective,
            answer.open_mask,
        )


def _why_near(
    instance: Instance,
    solution: Solution,
    wanted: Iterable[int],
    threads: int,
    work_limit: int | None,
    stop: Stop | None,
) -> Iterator[Forced]:
    around = Vicinity(instance, solution, threads=threads, stop=stop)
    can_search = around.small and bool(around.master)
    known = {forced.site: (j, forced) for j, forced in enumerate(bounded(around, best_swaps(around.core, around.plan)))}
    for site in wanted:
        if stop is not None and stop():
            return
        j, forced = known[int(site)]
        yield search(around, forced, j, work_limit) if can_search and not forced.exact else forced


def _decided(instance: Instance, site: int, is_open: bool) -> Instance:
    standing = instance.standing.copy()
    standing[site] = OPEN if is_open else FORBIDDEN
    if not is_open:
        return replace(instance, standing=standing)
    return replace(
        instance,
        standing=standing,
        open_min=np.maximum(instance.open_min - 1, 0),
        open_max=instance.open_max - 1,
    )


@dataclass(frozen=True)
class Alternative:
    """
    Another good plan.

    Parameters
    ----------
    open_mask
        Its open sites, bool (n_sites,).
    value
        Its objective, without any penalty.
    bound
        No plan that differs as much from all plans before it costs less than this.
    differs
        Sites it opens that the first plan does not.
    """

    open_mask: BoolArray
    value: float
    bound: float
    differs: int


@dataclass(frozen=True)
class Alternatives:
    """
    Other good plans.

    Parameters
    ----------
    plans
        In the order found: each is the best that was found apart from all before it.
    no_more
        Whether it is proven that no further plan differs enough within the gap.
    """

    plans: tuple[Alternative, ...]
    no_more: bool


def other_plans(
    instance: Instance,
    solution: Solution,
    *,
    count: int = 3,
    differ: int = 1,
    within: float = 0.01,
    slack: float | None = None,
    gap: float = 1e-4,
    threads: int = 1,
    work_limit: int | None = 200_000_000,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Alternatives:
    """
    Further plans within a relative gap of the first that open sites which it, and each other, do not.

    Each is the best plan, as far as ``gap`` asks, of the problem with a row more for every plan to keep away from;
    see ``vicinity``. With capacities such a row is priced instead: see ``_differing``.

    Parameters
    ----------
    instance, solution
        A problem whose cost is a sum, and its plan.
    count, differ, within
        Plans wanted, sites that each must open and no plan before it does, and how much dearer one may be.
    slack
        The same in the unit of the objective, in place of ``within``.
    gap
        Relative gap at which another plan is good enough.
    work_limit
        Work for each plan (see ``solve``).
    stop
        Ends the search early with what was found.

    Raises
    ------
    UsageError
        The objective is not a sum, or the sites obey rules of their own.
    """
    if instance.objective != "sum" or instance.rules is not None:
        raise UsageError("other plans are found where costs are summed and sites open or do not, and nowhere else yet")
    stop = stop or Stop()
    free = instance.standing == FREE
    earlier = [solution.open_mask & free]
    limit = solution.objective + (within * abs(solution.objective) if slack is None else slack)
    around = Vicinity(instance, solution, threads=threads, stop=stop) if Vicinity.holds(instance) else None
    apart: Apart | None = None
    if around is not None and (around.small or around.core.decided):
        apart = Apart(around.core.m, differ)
        apart.add(around.plan)
    found: list[Alternative] = []
    no_more = False
    with (progress or Silent()).step("Other plans", count) as tick:
        while len(found) < count and not no_more and not stop():
            if around is not None and apart is not None:
                nearest, no_more = _apart(around, apart, limit, gap, work_limit)
            else:
                nearest, no_more = _differing(instance, earlier, differ, limit, threads, stop)
            if nearest is None:
                break
            found.append(replace(nearest, differs=int(np.sum(nearest.open_mask & free & ~earlier[0]))))
            earlier.append(nearest.open_mask & free)
            tick(1)
    return Alternatives(tuple(found), no_more)


def _apart(
    around: Vicinity, apart: Apart, limit: float, gap: float, work_limit: int | None
) -> tuple[Alternative | None, bool]:
    """The best plan found apart from those before it, which it joins; None, and whether none is left."""
    if around.core.decided or not apart.possible(np.full(around.core.m, -1), around.core.k_max):
        return None, True
    state = around.search(apart=apart, starts=[], limit=limit, gap=gap, work_limit=work_limit)
    if not np.isfinite(state.value):
        return None, state.bound >= limit
    open_mask: BoolArray = around.instance.standing == OPEN
    open_mask[state.open_site] = True
    apart.add(around.positions(open_mask))
    return Alternative(open_mask, state.value, state.bound, 0), False


def _differing(
    instance: Instance, earlier: list[BoolArray], differ: int, limit: float, threads: int, stop: Stop
) -> tuple[Alternative | None, bool]:
    """
    The best plan found that differs from all earlier ones, with its bound; None, and whether none is within the limit.

    Opening a site that an earlier plan opens is given a price μ. For every μ, the priced optimum less μ times the
    sites that may be shared is a lower bound for all plans that differ enough (Lagrangian relaxation of the overlap),
    and some priced optimum that does differ is a plan; μ is raised until it does, then bisected.
    """
    k = int(instance.open_max[0])
    overlap = np.sum(earlier, axis=0).astype(np.float64)
    may_share = sum(min(k, int(one.sum())) - differ for one in earlier)
    free = instance.standing == FREE
    best: Alternative | None = None
    bound = -np.inf
    low, high = 0.0, None
    price = max(abs(limit) * 1e-4, 1e-9)
    for _ in range(24):
        if stop():
            break
        start = np.flatnonzero((best.open_mask if best else earlier[-1]) & free).astype(np.int32)
        answer = solve(
            _priced(instance, price * overlap),
            gap=1e-9,
            threads=threads,
            stop=stop,
            work_limit=_PLAN_WORK,
            start=start,
        )
        bound = max(bound, answer.bound - price * max(may_share, 0))
        if bound > limit:
            return None, True
        opened = answer.open_mask & free
        if all(int(np.sum(opened & ~one)) >= differ for one in earlier):
            value = recompute_value(instance, answer.open_mask)
            if value <= limit and (best is None or value < best.value):
                best = Alternative(answer.open_mask, value, bound, 0)
            high = price
        else:
            low = price
        if high is None:
            price *= 8.0
        elif high - low <= 1e-3 * high or (best is not None and best.value - bound <= 1e-9 * abs(best.value)):
            break
        else:
            price = (low + high) / 2
    return (None if best is None else replace(best, bound=min(bound, best.value))), False


def _priced(instance: Instance, extra: FloatArray) -> Instance:
    price: FloatArray = instance.price + extra
    capacity_levels = instance.n_levels
    open_cost = (
        np.zeros((instance.n_sites, capacity_levels)) if instance.open_cost is None else instance.open_cost.copy()
    )
    open_cost[:, 0] = price
    return replace(instance, open_cost=open_cost)


def warm_multipliers(solution: Solution) -> dict[str, FloatArray]:
    """
    A few of the multipliers that proved a plan, for ``solve(changed, **warm_multipliers(plan))`` on the same rows.

    Whatever changed, any multipliers prove something, and those of a problem nearby prove nearly as much.
    """
    if not isinstance(solution.certificate, Certificate):
        return {}
    return {"multipliers": spread(solution.certificate.multipliers)}


def spread(rows: FloatArray) -> FloatArray:
    """Six of many multipliers, the first and the last among them."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), 6)).astype(np.int64))]
