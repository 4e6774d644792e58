"""What forcing a site costs, and other good plans, against enumeration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from nearer.model import FREE, OPEN, Instance, Status
from nearer.model.check import recompute_value
from nearer.solvers import solve
from nearer.solvers.choices import opened_sites, other_plans, warm_multipliers, why
from nearer.testing import check_proof

from .instances import from_dense


def town(seed: int, n: int = 60, m: int = 11, k: int = 3, n_fixed: int = 1) -> Instance:
    rng = np.random.default_rng(seed)
    points, sites = rng.random((n, 2)), rng.random((m, 2))
    cost = np.rint(1000 * np.hypot(*(points[:, None] - sites[None]).transpose(2, 0, 1)))
    standing = np.full(m, FREE, dtype=np.int8)
    standing[:n_fixed] = OPEN
    return from_dense(cost, rng.integers(1, 9, n).astype(float), standing, k, 3000.0)


def values(instance: Instance) -> dict[frozenset[int], float]:
    """Value of every plan by the free sites it opens."""
    out = {}
    for chosen in combinations(np.flatnonzero(instance.free_mask).tolist(), int(instance.open_max[0])):
        mask = instance.standing == OPEN
        mask[list(chosen)] = True
        out[frozenset(chosen)] = recompute_value(instance, mask)
    return out


@pytest.mark.parametrize("seed", range(5))
def test_forcing_a_site_costs_what_enumeration_says(seed: int) -> None:
    instance = town(seed)
    solution = solve(instance, gap=0.0)
    plans = values(instance)
    best = min(plans.values())
    answers = list(why(instance, solution, np.flatnonzero(instance.free_mask)))
    assert len(answers) == int(instance.free_mask.sum())
    for answer in answers:
        allowed = [v for plan, v in plans.items() if (answer.site in plan) == answer.open]
        assert answer.open != bool(solution.open_mask[answer.site])
        assert answer.exact
        assert answer.at_most == pytest.approx(min(allowed) - best)
        assert recompute_value(instance, answer.plan) == pytest.approx(min(allowed))


def test_a_site_that_cannot_be_done_without_has_no_plan_left() -> None:
    instance = town(0, m=4, k=3)
    solution = solve(instance, gap=0.0)
    assert all(answer.plan is None and answer.at_least == np.inf for answer in why(instance, solution))


def test_little_work_still_bounds_the_cost_of_a_site_from_both_sides() -> None:
    instance = town(3, n=300, m=40, k=8)
    solution = solve(instance, gap=0.0)
    site = int(opened_sites(solution, instance)[0])
    (rough,) = why(instance, solution, [site], work_limit=1)
    (exact,) = why(instance, solution, [site], work_limit=None)
    assert rough.at_least <= exact.at_most <= rough.at_most


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("differ", [1, 2])
def test_other_plans_differ_enough_and_their_bounds_hold(seed: int, differ: int) -> None:
    instance = town(seed)
    solution = solve(instance, gap=0.0)
    plans = values(instance)
    earlier = [frozenset(opened_sites(solution, instance).tolist())]
    others = other_plans(instance, solution, count=3, differ=differ, within=0.5).plans
    assert others
    for other in others:
        opened = frozenset(np.flatnonzero(other.open_mask & instance.free_mask).tolist())
        assert all(len(opened - one) >= differ for one in earlier)
        allowed = [v for plan, v in plans.items() if all(len(plan - one) >= differ for one in earlier)]
        assert other.value == pytest.approx(plans[opened])
        assert other.bound <= min(allowed) + 1e-6
        assert min(allowed) <= other.value <= 1.5 * solution.objective
        assert other.differs == len(opened - earlier[0])
        earlier.append(opened)


def test_no_other_plan_is_offered_beyond_the_gap() -> None:
    instance = town(1)
    solution = solve(instance, gap=0.0)
    second = sorted(values(instance).values())[1]
    short = (second - solution.objective) / solution.objective * 0.9
    answer = other_plans(instance, solution, within=short)
    assert answer.plans == ()
    assert answer.no_more


def test_a_changed_problem_starts_from_the_last_plan() -> None:
    instance = town(2, n=300, m=40, k=8)
    solution = solve(instance, gap=0.0)
    rng = np.random.default_rng(0)
    changed = from_dense(
        np.asarray(instance.cost).reshape(300, -1)[:, np.argsort(np.argsort(instance.site_idx[:40]))],
        rng.integers(1, 9, 300).astype(float),
        instance.standing,
        8,
        3000.0,
    )
    cold = solve(changed, gap=0.0)
    warm = solve(changed, gap=0.0, start=opened_sites(solution, instance), **warm_multipliers(solution))
    assert warm.status is cold.status is Status.OPTIMAL
    assert warm.objective == pytest.approx(cold.objective, rel=1e-9)
    check_proof(changed, warm)


def test_an_unchanged_problem_is_proven_again_with_less_work() -> None:
    instance = town(2, n=400, m=60, k=12)
    cold = solve(instance, gap=0.0)
    warm = solve(instance, gap=0.0, start=opened_sites(cold, instance), **warm_multipliers(cold))
    assert warm.objective == cold.objective
    assert warm.work < cold.work
