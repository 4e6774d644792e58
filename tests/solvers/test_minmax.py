"""One plan for several scenarios, against enumeration."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from nearer.model import FREE, OPEN
from nearer.model.check import certified_bound, recompute_value
from nearer.solvers.minmax import Scenario, Scenarios, solve_robust
from nearer.solvers.pmedian import solve_pmedian

from .instances import from_dense


def random_scenarios(seed: int, n: int = 25, m: int = 9, k: int = 3) -> Scenarios:
    """Two sets of times, one of them slower and without two sites, and several weights."""
    rng = np.random.default_rng(seed)
    people, sites = rng.random((n, 2)), rng.random((m, 2))
    base = np.rint(1000 * np.hypot(*(people[:, None] - sites[None]).transpose(2, 0, 1)))
    standing = np.full(m, FREE, dtype=np.int8)
    standing[0] = OPEN
    slow = np.rint(base * 1.3)
    lost = np.zeros(m, dtype=bool)
    lost[[3, 5]] = True
    slow[:, lost] = -1
    grounds = []
    for cost in (base, slow):
        cost = np.where(cost > 800, -1, cost)
        grounds.append(from_dense(cost.astype(np.int64), np.ones(n), standing, k, unserved=1200.0))
    none = np.zeros(m, dtype=bool)
    cases = [Scenario(0, rng.integers(1, 30, n).astype(float), none) for _ in range(3)]
    cases.append(Scenario(1, rng.integers(1, 30, n).astype(float), lost))
    return Scenarios(tuple(grounds), tuple(cases))


def every_plan(scenarios: Scenarios) -> list[np.ndarray]:
    ground = scenarios.grounds[0]
    plans = []
    for chosen in combinations(np.flatnonzero(ground.standing == FREE), int(ground.open_max[0])):
        mask = ground.standing == OPEN
        mask[list(chosen)] = True
        plans.append(mask)
    return plans


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["regret", "value"])
def test_the_robust_plan_is_the_best_of_all_and_its_bound_holds(seed: int, kind: str) -> None:
    scenarios = random_scenarios(seed)
    alone = [solve_pmedian(scenarios.alone(case), gap=0.0) for case in range(4)]
    best = np.array([answer.objective for answer in alone])
    scale, offset = (1.0 / best, np.ones(4)) if kind == "regret" else (np.full(4, 1.0 / best.max()), np.zeros(4))
    found = solve_robust(scenarios, scale, offset, [answer.open_mask for answer in alone], gap=1e-6)
    worst = [float((scale * scenarios.values(plan) - offset).max()) for plan in every_plan(scenarios)]
    assert found.value == pytest.approx(min(worst), abs=1e-6)
    assert found.bound <= min(worst) + 1e-9
    assert found.value - found.bound <= 1e-5
    assert found.mix_bound <= min(worst) + 1e-9
    if found.certificate is not None:
        mixed = scenarios.mixed(found.mix * scale)
        proven = certified_bound(mixed, found.certificate) - float((found.mix * offset).sum())
        assert proven == pytest.approx(found.mix_bound, abs=1e-9)


def test_a_scenario_alone_is_the_best_without_what_is_lost() -> None:
    scenarios = random_scenarios(3)
    for case in range(4):
        answer = solve_pmedian(scenarios.alone(case), gap=0.0)
        assert answer.objective == pytest.approx(min(scenarios.value(case, plan) for plan in every_plan(scenarios)))
        assert not (answer.open_mask & scenarios.cases[case].lost).any()


def test_values_in_scenarios_are_those_of_the_checker() -> None:
    scenarios = random_scenarios(5)
    for plan in every_plan(scenarios)[:10]:
        for case, one in enumerate(scenarios.cases):
            instance = replace(scenarios.grounds[one.ground], weight=one.weight.reshape(1, -1))
            assert scenarios.values(plan)[case] == pytest.approx(recompute_value(instance, plan), rel=1e-12)
