"""
Beyond one optimum: what forcing a site costs, and other good plans that differ.

Both speak of the same problem as the plan they start from, and every figure is a pair: what was found, and what is
proven that nothing undercuts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from nearer.model import FORBIDDEN, FREE, OPEN, Certificate, Instance, Solution, Status
from nearer.model.check import recompute_value
from nearer.progress import Stop
from nearer.solvers import solve
from nearer.units import BoolArray, FloatArray, IntArray

_PLAN_WORK = 400_000_000  # for each priced problem: a few seconds at city size


@dataclass(frozen=True)
class Forced:
    """
    What it costs to decide one site otherwise than the plan does.

    Parameters
    ----------
    site
        Position.
    open
        What is forced: True = the plan left it out, and it must open; False = it must stay closed.
    at_least, at_most
        Rise of the objective: proven, and of the best plan found. Equal where ``exact``.
    plan
        Open sites of that plan, bool (n_sites,); None where no plan is left.
    """

    site: int
    open: bool
    at_least: float
    at_most: float
    plan: BoolArray | None

    @property
    def exact(self) -> bool:
        """Whether the two figures meet."""
        return self.at_most - self.at_least <= 1e-9 * max(abs(self.at_most), 1.0) or not np.isfinite(self.at_most)


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


def other_plans(
    instance: Instance,
    solution: Solution,
    *,
    count: int = 3,
    differ: int = 1,
    within: float = 0.01,
    threads: int = 1,
    stop: Stop | None = None,
) -> list[Alternative]:
    """
    Further plans within a relative gap of the first that differ from it, and from each other, in enough sites.

    Opening a site that an earlier plan opens is given a price μ. For every μ, the priced optimum less μ times the
    sites that may be shared is a lower bound for all plans that differ enough (Lagrangian relaxation of the overlap),
    and some priced optimum that does differ is a plan; μ is raised until it does, then bisected.

    Parameters
    ----------
    instance, solution
        A problem with an exact number of sites to open, and its plan.
    count, differ, within
        Plans wanted, sites that must differ between any two, and how much dearer one may be.
    stop
        Ends the search early with what was found.

    Returns
    -------
    list of Alternative
        In the order found; shorter than ``count`` where no further plan lies within the gap (proven where the last
        bound says so) or the search ended.
    """
    stop = stop or Stop()
    free = instance.standing == FREE
    earlier = [solution.open_mask & free]
    limit = solution.objective + within * abs(solution.objective)
    found: list[Alternative] = []
    while len(found) < count and not stop():
        nearest = _differing(instance, earlier, differ, limit, threads, stop)
        if nearest is None:
            break
        found.append(replace(nearest, differs=int(np.sum(nearest.open_mask & free & ~earlier[0]))))
        earlier.append(nearest.open_mask & free)
    return found


def _differing(
    instance: Instance, earlier: list[BoolArray], differ: int, limit: float, threads: int, stop: Stop
) -> Alternative | None:
    """The best plan found that differs from all earlier ones, with its bound; None where none lies within the limit."""
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
            work_limit=400_000_000,
            start=start,
        )
        bound = max(bound, answer.bound - price * max(may_share, 0))
        if bound > limit:
            return None
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
    return None if best is None else replace(best, bound=min(bound, best.value))


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
    rows = solution.certificate.multipliers
    return {"multipliers": rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), 6)).astype(np.int64))]}


def opened_sites(solution: Solution, instance: Instance) -> IntArray:
    """Free sites that a plan opens: the warm start for a changed problem (``solve(changed, start=…)``)."""
    return np.flatnonzero(solution.open_mask & (instance.standing == FREE)).astype(np.int32)
