"""What deciding a site otherwise costs, for all sites at once, against enumeration."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from nearer.errors import UsageError
from nearer.model import OPEN, Instance
from nearer.model.check import recompute_value
from nearer.model.evaluate import decided_bounds
from nearer.progress import Stop
from nearer.solvers import solve
from nearer.solvers.choices import other_plans
from nearer.solvers.exchange import best_swaps
from nearer.solvers.reasons import reasons
from nearer.solvers.vicinity import Apart, Vicinity

from .test_choices import town, values


def value_of(instance: Instance, chosen: set[int]) -> float:
    mask = instance.standing == OPEN
    mask[list(chosen)] = True
    return recompute_value(instance, mask)


def opened(instance: Instance, mask: np.ndarray) -> set[int]:
    return set(np.flatnonzero(mask & instance.free_mask).tolist())


@pytest.mark.parametrize("seed", range(4))
def test_every_free_site_has_its_cost_of_being_decided_otherwise(seed: int) -> None:
    instance = town(seed)
    solution = solve(instance, gap=0.0)
    plans = values(instance)
    best = min(plans.values())
    answer = reasons(instance, solution)
    assert [one.site for one in answer.forced] == np.flatnonzero(instance.free_mask).tolist()
    for one in answer.forced:
        rise = min(v for plan, v in plans.items() if (one.site in plan) == one.open) - best
        assert one.exact
        assert one.at_most == pytest.approx(rise)
        assert recompute_value(instance, one.plan) == pytest.approx(best + one.at_most)


@pytest.mark.parametrize("work_limit", [0, 200_000])
def test_without_work_the_figures_still_lie_on_both_sides_and_multipliers_prove_the_lower(work_limit: int) -> None:
    instance = town(3, n=300, m=40, k=8)
    solution = solve(instance, gap=0.0)
    exact = {one.site: one for one in reasons(instance, solution, work_limit=500_000_000).forced}
    rough = reasons(instance, solution, work_limit=work_limit)
    closed, may_open = decided_bounds(instance, rough.multipliers)
    assert any(one.at_least > 0 for one in rough.forced)
    for one in rough.forced:
        assert one.at_least <= exact[one.site].at_most + 1e-6
        assert one.at_most >= exact[one.site].at_most - 1e-6
        if not one.searched:
            proven = (may_open if one.open else closed)[one.site]
            assert one.at_least <= max(proven, solution.bound) - solution.objective + 1e-6 or one.exact


def test_the_figures_do_not_depend_on_the_threads() -> None:
    instance = town(3, n=300, m=40, k=8)
    solution = solve(instance, gap=0.0)
    one, two = (reasons(instance, solution, threads=threads) for threads in (1, 2))
    assert [(f.at_least, f.at_most) for f in one.forced] == [(f.at_least, f.at_most) for f in two.forced]


def test_where_every_candidate_opens_none_can_be_done_without_and_none_is_left_out() -> None:
    instance = town(0, m=4, k=3)
    solution = solve(instance, gap=0.0)
    answer = reasons(instance, solution)
    assert len(answer.forced) == 3
    assert all(not one.open and one.plan is None and one.at_most == np.inf for one in answer.forced)


def test_where_nothing_may_open_no_site_can_be_forced() -> None:
    instance = town(0, k=0)
    answer = reasons(instance, solve(instance, gap=0.0))
    assert all(one.open and one.plan is None for one in answer.forced)


def test_the_best_exchange_is_the_best_of_all_exchanges() -> None:
    instance = town(5, m=9, k=3)
    around = Vicinity(instance, solve(instance, gap=0.0))
    plan = {int(j) for j in around.core.site[around.plan]}
    rest = opened(instance, instance.free_mask) - plan
    base = value_of(instance, plan)
    swaps = best_swaps(around.core, around.plan)
    for j, site in enumerate(around.core.site.tolist()):
        if site in plan:
            rises = {k: value_of(instance, plan - {site} | {k}) - base for k in rest}
        else:
            rises = {k: value_of(instance, plan - {k} | {site}) - base for k in plan}
        assert swaps.cost[j] == pytest.approx(min(rises.values()))
        assert rises[int(around.core.site[swaps.other[j]])] == pytest.approx(min(rises.values()))


def test_where_fewer_may_open_a_site_may_be_dropped_without_a_replacement() -> None:
    instance = town(2, m=8, k=4)
    instance = replace(instance, open_min=np.zeros(1, dtype=np.int64))
    solution = solve(instance, gap=0.0)
    free = np.flatnonzero(instance.free_mask).tolist()
    plans = [set(c) for size in range(5) for c in combinations(free, size)]
    worth = [value_of(instance, plan) for plan in plans]
    for one in reasons(instance, solution).forced:
        allowed = [v for plan, v in zip(plans, worth, strict=True) if (one.site in plan) == one.open]
        assert one.exact
        assert one.at_most == pytest.approx(min(allowed) - min(worth))


@pytest.mark.parametrize("seed", range(4))
def test_another_plan_is_the_best_that_is_far_enough_from_all_before(seed: int) -> None:
    instance = town(seed, m=12, k=4)
    solution = solve(instance, gap=0.0)
    plans = values(instance)
    earlier = [opened(instance, solution.open_mask)]
    answer = other_plans(instance, solution, count=4, differ=2, within=1.0, gap=0.0)
    assert len(answer.plans) == 4
    for other in answer.plans:
        best = min(v for plan, v in plans.items() if all(len(plan - one) >= 2 for one in earlier))
        assert other.value == pytest.approx(best)
        assert other.bound == pytest.approx(best, abs=1.0)
        earlier.append(opened(instance, other.open_mask))


def test_more_differences_than_sites_left_are_known_to_be_impossible() -> None:
    instance = town(0, m=6, k=3)
    answer = other_plans(instance, solve(instance, gap=0.0), differ=3, within=10.0)
    assert (answer.plans, answer.no_more) == ((), True)


def test_other_plans_run_out_when_no_two_are_far_enough_apart() -> None:
    instance = town(1, m=7, k=3)  # six free sites: beside the plan only its complement differs in three
    solution = solve(instance, gap=0.0)
    answer = other_plans(instance, solution, count=5, differ=3, within=10.0)
    (only,) = answer.plans
    assert not opened(instance, only.open_mask) & opened(instance, solution.open_mask)


def test_a_worst_case_objective_is_refused() -> None:
    instance = replace(town(0), objective="max")
    with pytest.raises(UsageError, match="summed"):
        other_plans(instance, solve(town(0), gap=0.0))


def test_keeping_away_counts_sites_opened_that_the_earlier_plan_does_not() -> None:
    apart = Apart(5, 2)
    apart.add(np.array([0, 1, 2]))
    assert apart.allows(np.array([2, 3, 4]))
    assert not apart.allows(np.array([0, 1, 4]))
    undecided = np.full(5, -1)
    assert apart.possible(undecided, 3)
    assert not apart.possible(np.array([-1, -1, -1, -1, 0]), 3)
    assert not apart.possible(np.array([1, 1, -1, -1, -1]), 3)


def test_whoever_has_stopped_gets_bounds_and_no_other_plans() -> None:
    instance = town(3, n=300, m=40, k=8)
    solution = solve(instance, gap=0.0)
    stop = Stop()
    stop.cancel()
    answer = other_plans(instance, solution, stop=stop)
    assert (answer.plans, answer.no_more) == ((), False)
    exact = {one.site: one.at_most for one in reasons(instance, solution, work_limit=500_000_000).forced}
    for one in reasons(instance, solution, stop=stop).forced:
        assert one.at_least <= exact[one.site] + 1e-6 <= one.at_most + 2e-6


def test_a_clock_that_runs_out_keeps_the_plans_found_so_far() -> None:
    instance = town(3, n=300, m=40, k=8)
    solution = solve(instance, gap=0.0)
    ticks = iter(range(10**9))
    stop = Stop(600, clock=lambda: float(next(ticks)))  # a second passes whenever somebody asks
    answer = other_plans(instance, solution, count=50, differ=1, within=0.5, gap=0.0, stop=stop)
    assert 0 < len(answer.plans) < 50
    assert not answer.no_more
    for other in answer.plans:
        assert other.bound <= other.value == pytest.approx(recompute_value(instance, other.open_mask))
