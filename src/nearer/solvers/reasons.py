"""What it costs to decide each site otherwise than a plan does: bounded for all at once, exact where that is quick."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from nearer.model import FREE, OPEN, Instance, Solution
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.core import standing_caps
from nearer.solvers.exchange import Swaps, best_swaps
from nearer.solvers.lagrangian import Choice, opposites
from nearer.solvers.proof import HasSites
from nearer.solvers.vicinity import Vicinity
from nearer.solvers.volume import Dual
from nearer.units import BoolArray, FloatArray, IntArray

_LEAST_WORK = 8_000_000  # some tenths of a second: small problems take longer for the same work
_PATIENCE = 6  # searches in a row that change nothing: the problem is too hard for this much work
_EPS = float(np.finfo(np.float64).eps)


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
    searched
        Whether ``at_least`` comes from a search of its own; else from the multipliers of the plan.
    """

    site: int
    open: bool
    at_least: float
    at_most: float
    plan: BoolArray | None
    searched: bool = True

    @property
    def exact(self) -> bool:
        """Whether the two figures meet."""
        return self.at_most - self.at_least <= 1e-9 * max(abs(self.at_most), 1.0) or not np.isfinite(self.at_most)


@dataclass(frozen=True)
class Reasons:
    """
    Every free site decided otherwise.

    Parameters
    ----------
    forced
        One for each free site, in the order of the sites.
    multipliers
        Those that bound the sites which were not searched, float64 (n_rows,): ``L(λ)`` with the site decided.
    """

    forced: tuple[Forced, ...]
    multipliers: FloatArray


def reasons(
    instance: Instance,
    solution: Solution,
    *,
    nearest: int = 12,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Reasons:
    """
    What forcing each rejected site costs, and what doing without each opened one.

    One evaluation of good multipliers bounds all from below, the best single exchange from above. Then the rejected
    sites that cost least, the opened ones and the rest are searched one by one until the work is done.

    Parameters
    ----------
    instance, solution
        A problem that ``Vicinity.holds``, and its plan.
    nearest
        Rejected sites to search before the opened ones.
    work_limit
        Entries to scan (see ``Budget``); default a sixth of what the plan took.
    stop
        Ends the searches early.
    """
    limit = max(solution.work // 6, _LEAST_WORK) if work_limit is None else work_limit
    around = Vicinity(instance, solution, threads=threads, stop=stop, work_limit=limit)
    core = around.core
    can_search = around.small and bool(around.master)
    found = bounded(around, best_swaps(around.core, around.plan))
    misses = _cheapest(found, opened=True)
    idle = 0
    order = [*misses[:nearest], *_cheapest(found, opened=False), *misses[nearest:]]
    with (progress or Silent()).step("Asking why", len(order)) as tick:
        for done, j in enumerate(order):
            left = limit - around.budget.spent
            if not can_search or around.budget.exhausted() or idle == _PATIENCE:
                break
            if not found[j].exact:
                share = max(left // (len(order) - done), left // 8)  # what is quick gets done, what is not ends early
                known, found[j] = found[j], search(around, found[j], j, share)
                idle = 0 if (found[j].at_least, found[j].at_most) != (known.at_least, known.at_most) else idle + 1
            tick(1)
    cap = standing_caps(instance)
    cap[core.row] = around.root.lam
    return Reasons(tuple(found), cap)


class Choices(Choice, HasSites, Protocol):
    """What is left to choose, and which sites of the instance these are."""


class Around(Protocol):
    """A problem around its plan, as ``Vicinity``."""

    value: float
    bound: float
    whole: bool
    plan: IntArray
    root: Dual

    @property
    def core(self) -> Choices:
        """What is left to choose."""

    def mask(self, plan: IntArray) -> BoolArray:
        """Open sites of the instance, from positions of the core."""


def at_least(around: Around, dual: Dual) -> FloatArray:
    """Rise of the objective that multipliers prove when a site is decided otherwise than the plan, float64 (m,)."""
    core = around.core
    chosen = np.zeros(core.m, dtype=bool)
    chosen[core.cheapest_set(dual.rho)] = True
    bound = dual.bound + np.maximum(opposites(dual.rho, chosen, core.k_min, core.k_max), 0.0)
    # A site that the multipliers and the plan decide differently is forced by neither.
    inside = np.zeros(core.m, dtype=bool)
    inside[around.plan] = True
    bound[chosen != inside] = dual.bound
    bound -= 64 * _EPS * (abs(dual.bound) + float(np.abs(dual.rho).sum()))
    if around.whole:
        bound = np.ceil(bound - 1e-3)  # so that whoever adds in another order comes to the same number
    return np.asarray(np.maximum(bound, around.bound) - around.value)


def bounded(around: Around, swaps: Swaps) -> list[Forced]:
    """Both figures for every free site, from multipliers and single exchanges."""
    rise = at_least(around, around.root)
    inside = np.zeros(around.core.m, dtype=bool)
    inside[around.plan] = True
    return [_by_exchange(around, j, bool(inside[j]), float(rise[j]), swaps) for j in range(around.core.m)]


def _cheapest(found: list[Forced], *, opened: bool) -> list[int]:
    """Positions of the sites that would have to open, or close, those that cost least first."""
    wanted = [j for j, one in enumerate(found) if one.open == opened and one.plan is not None]
    return sorted(wanted, key=lambda j: (found[j].at_most, j))


def _by_exchange(around: Around, j: int, is_open: bool, rise: float, swaps: Swaps) -> Forced:
    core = around.core
    site, cost, other = int(core.site[j]), float(swaps.cost[j]), int(swaps.other[j])
    if not np.isfinite(cost):
        return Forced(site, not is_open, np.inf, np.inf, None, searched=False)
    plan = np.setxor1d(around.plan, [j] if other < 0 else [j, other]).astype(np.int32)
    return Forced(site, not is_open, min(rise, cost), cost, around.mask(plan), searched=False)


def search(around: Vicinity, known: Forced, j: int, work_limit: int | None) -> Forced:
    """Better figures for one site, position ``j`` of the core, within so much work; none worse than what is known."""
    fixed = np.full(around.core.m, -1, dtype=np.int8)
    fixed[j] = 1 if known.open else 0
    starts = [] if known.plan is None else [around.positions(known.plan)]
    state = around.search(fixed=fixed, starts=starts, work_limit=work_limit)
    rise = state.bound - around.value
    searched = rise > known.at_least
    better = replace(known, at_least=rise, searched=True) if searched else known
    if state.value - around.value < known.at_most:
        open_mask: BoolArray = around.instance.standing == OPEN
        open_mask[state.open_site] = True
        better = replace(better, at_most=state.value - around.value, plan=open_mask)
    return replace(better, at_least=min(better.at_least, better.at_most))


def opened_sites(solution: Solution, instance: Instance) -> IntArray:
    """Free sites that a plan opens: the warm start for a changed problem (``solve(changed, start=…)``)."""
    return np.flatnonzero(solution.open_mask & (instance.standing == FREE)).astype(np.int32)
