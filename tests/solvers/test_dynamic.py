"""Dynamic location against enumeration, and on a town with everything at once."""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import pytest
from benchmarks.dynamic import TINY, make

from nearer.model import FREE, Instance, Rules, RulesCertificate, ServiceLimit, Status
from nearer.model.check import certified_bound, check_solution
from nearer.model.evaluate_rules import rules_bound
from nearer.progress import Stop
from nearer.solvers import dynamic, solve
from nearer.solvers.dynamic_cover import is_covering
from nearer.solvers.horizon import frozen
from nearer.testing.rules import brute_force_rules, check_rules_solver, rules_cases


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_of_small_cases_is_found_and_called_so(seed: int) -> None:
    check_rules_solver(solve, n_cases=25, seed=200 + seed)


def town(**changes: object) -> Instance:
    """Two hundred cells in four groups, 40 sites, three phases, levels, money of two agencies."""
    return make(dataclasses.replace(TINY, **changes), seed=3)  # type: ignore[arg-type]


def without_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the Lagrangian do what would go to HiGHS as a whole."""
    monkeypatch.setattr(dynamic, "_SMALL", 0)


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Lagrangian and its plans, without HiGHS on the core."""
    monkeypatch.setattr(dynamic, "_SMALL", 0)
    monkeypatch.setattr(dynamic, "_CORE", -1)


@pytest.mark.parametrize("seed", range(2))
def test_the_lagrangian_and_the_core_it_leaves_find_the_same_optima(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    without_small(monkeypatch)
    check_rules_solver(solve, n_cases=6, seed=300 + seed)


@pytest.mark.parametrize("seed", range(3))
def test_the_lagrangian_alone_claims_nothing_false(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    for instance in rules_cases(8, 400 + seed):
        best = brute_force_rules(instance)
        solution = solve(instance, gap=0.0)
        assert check_solution(instance, solution) == []
        if solution.status is Status.INFEASIBLE:
            assert math.isinf(best)
            continue
        if math.isfinite(best):
            assert solution.bound <= best + 1e-6 * abs(best) + 1e-6
            assert solution.objective >= best - 1e-6 * abs(best) - 1e-6
        else:
            assert math.isinf(solution.objective)
        if solution.certificate is not None:
            proven = certified_bound(instance, solution.certificate, solution.objective)
            assert proven >= solution.bound - 1e-9 * abs(solution.bound) - 1e-9


@pytest.mark.parametrize("levels", [0, 3])
def test_a_town_has_a_plan_that_holds_and_a_bound_that_its_certificate_proves(
    levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)
    instance = town(levels=levels)
    one, two = (solve(instance, gap=0.2, threads=threads, work_limit=4_000_000) for threads in (1, 2))
    assert check_solution(instance, one) == []
    assert one.certificate is not None
    assert rules_bound(instance, one.certificate) >= one.bound - 1e-9 * abs(one.bound)
    assert one.gap < 0.2
    assert (one.objective, one.bound) == (two.objective, two.bound)
    assert np.array_equal(one.level, two.level)
    assert np.array_equal(one.share, two.share)


def test_more_time_stops_when_it_is_over() -> None:
    instance = town()
    began = time.monotonic()
    solution = solve(instance, gap=0.0, stop=Stop(1.0))
    assert time.monotonic() - began < 4.0  # 0.5 s on a machine of one's own
    assert check_solution(instance, solution) == []


def test_a_clock_that_runs_out_anywhere_leaves_the_best_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    instance = town()
    for asked in range(20, 400, 31):
        ticks = iter(range(10**9))
        solution = solve(instance, gap=0.0, stop=Stop(float(asked), clock=lambda ticks=ticks: float(next(ticks))))
        assert check_solution(instance, solution) == []
        if math.isfinite(solution.bound) and math.isfinite(solution.objective):
            assert solution.certificate is not None
            assert rules_bound(instance, solution.certificate) >= solution.bound - 1e-9 * abs(solution.bound)


def changed(instance: Instance, **rules: object) -> Instance:
    """The same with other rules."""
    assert instance.rules is not None
    return dataclasses.replace(instance, rules=dataclasses.replace(instance.rules, **rules))  # type: ignore[arg-type]


def test_need_above_all_capacity_and_no_capacity_at_all_leave_people_unserved(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    instance = town()
    for room in (0.0, 1.0):
        solution = solve(dataclasses.replace(instance, capacity=np.full(instance.capacity.shape, room)), gap=0.01)
        assert check_solution(instance, dataclasses.replace(solution, bound=0.0, status=Status.FEASIBLE)) == []
        served = float((solution.share * instance.weight[solution.phase_idx, solution.row_idx]).sum())
        n_open = np.count_nonzero(solution.level >= 0)
        assert served <= room * n_open * instance.capacity.shape[2] + 1e-6
        if room == 0.0:
            nobody = float((instance.weight * instance.unserved).sum())
            assert math.isclose(solution.objective, nobody, rel_tol=1e-9)
            assert solution.status in (Status.OPTIMAL, Status.GAP)


def test_no_money_leaves_what_stands_and_contradicting_sides_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    instance = town()
    rules = instance.rules
    assert rules is not None
    money = np.array(["money" in name for name in rules.side_name])
    least = np.where(rules.side_lower > 0, -np.inf, rules.side_lower)
    poor = changed(
        instance, side_lower=least, side_upper=np.where(money & (rules.side_upper < 50), 0.0, rules.side_upper)
    )
    solution = solve(poor, gap=0.05, work_limit=4_000_000)
    assert check_solution(poor, solution) == []
    assert not np.any((solution.level >= 0) & (instance.standing == FREE))
    opened = np.array([name.startswith("opened") for name in rules.side_name])
    never = changed(
        instance,
        side_lower=np.where(opened, 41.0, rules.side_lower),
        side_upper=np.where(opened, 41.0, rules.side_upper),
    )
    assert solve(never).status is Status.INFEASIBLE


def test_one_option_each_is_a_transport_problem_and_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    instance = town()
    free = solve(instance, gap=0.3, work_limit=3_000_000)
    assert instance.rules is not None
    option = instance.rules.option_of(free.level)
    only = Rules(
        option_ptr=np.arange(instance.n_sites + 1),
        option_level=instance.rules.option_level[option],
        option_cost=instance.rules.option_cost[option],
        side_ptr=np.zeros(1, dtype=np.int64),
        side_option=np.zeros(0, dtype=np.int32),
        side_value=np.zeros(0),
        side_lower=np.zeros(0),
        side_upper=np.zeros(0),
    )
    solution = solve(dataclasses.replace(instance, rules=only), gap=1e-7)
    assert solution.gap < 1e-7
    assert solution.objective <= free.objective * (1 + 1e-9)


def test_rows_without_people_or_sites_in_reach_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    instance = town()
    weight = instance.weight.copy()
    weight[:, ::3] = 0.0
    empty = dataclasses.replace(
        instance,
        weight=np.concatenate([weight, np.ones((3, 2))], axis=1),
        indptr=np.concatenate([instance.indptr, instance.indptr[-1:], instance.indptr[-1:]]),
        unserved=np.append(instance.unserved, [7.0, 7.0]),
        row_point=np.append(instance.row_point, [200, 201]).astype(np.int32),
        row_group=np.append(instance.row_group, [0, 1]).astype(np.int32),
    )
    solution = solve(empty, gap=0.2, work_limit=4_000_000)
    assert check_solution(empty, solution) == []
    assert not np.any(solution.row_idx >= instance.n_rows)
    assert solution.certificate is not None
    assert rules_bound(empty, solution.certificate) >= solution.bound - 1e-9 * abs(solution.bound)


def money_alone(instance: Instance, rng: np.random.Generator) -> Instance:
    """The same where nobody's way costs anything, no room has an end, and promises say who must be near."""
    assert instance.rules is not None
    where = instance.weight.sum(axis=1) * 0.6
    limits = tuple(
        ServiceLimit("near", instance.weight * (np.arange(instance.n_phases) == t)[:, None], float(beyond), where[t])
        for t in range(instance.n_phases)
        for beyond in rng.choice([4, 9, 14], 1 + (rng.random() < 0.3), replace=False)
    )
    cost = np.round(rng.random(instance.rules.n_options) * 20, 1)
    return dataclasses.replace(
        changed(instance, limits=limits, option_cost=cost),
        weight=np.zeros_like(instance.weight),
        need=instance.weight,
        capacity=np.where(instance.capacity > 0, np.inf, 0.0),
    )


def test_money_alone_under_promises_of_who_is_near_is_a_cover_with_the_enumerated_optimum() -> None:
    rng = np.random.default_rng(11)
    solved = 0
    for case in rules_cases(30, 500):
        instance = money_alone(case, rng)
        assert is_covering(instance)
        best, solution = brute_force_rules(instance), solve(instance, gap=0.0)
        assert check_solution(instance, solution) == []
        assert math.isclose(solution.objective, best, rel_tol=1e-6, abs_tol=1e-6)
        assert solution.status is (Status.OPTIMAL if math.isfinite(best) else Status.INFEASIBLE)
        solved += math.isfinite(best) and solution.objective > 0
    assert solved > 7


def test_money_alone_with_rooms_that_fill_has_a_plan_that_keeps_its_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    instance = town()
    assert instance.rules is not None
    at_end = instance.weight * (np.arange(instance.n_phases) == instance.n_phases - 1)[:, None]
    promise = ServiceLimit("near", at_end, 3_000.0, 0.5 * float(at_end.sum()))
    price = (instance.rules.option_level[:, -1] + 1.0) * 10
    without_money = [not name.startswith(("money", "opened")) for name in instance.rules.side_name]
    poor = dataclasses.replace(
        changed(
            instance,
            limits=(promise,),
            option_cost=price,
            side_upper=np.where(without_money, instance.rules.side_upper, np.inf),
        ),
        weight=np.zeros_like(instance.weight),
        need=instance.weight,
    )
    assert not is_covering(poor)
    solution = solve(poor, gap=0.01, work_limit=30_000_000)
    assert check_solution(poor, solution) == []
    assert math.isfinite(solution.objective)
    assert 0 < solution.bound <= solution.objective


def test_a_clock_that_has_run_out_leaves_a_plan_that_is_easily_found() -> None:
    found = 0
    for case in (town(), town(levels=0), *rules_cases(30, 700)):
        solution = solve(case, gap=0.0, stop=Stop(0.0))
        assert check_solution(case, solution) == []
        if solution.certificate is not None:
            assert isinstance(solution.certificate, RulesCertificate)
            assert rules_bound(case, solution.certificate) >= solution.bound - 1e-9 * abs(solution.bound) - 1e-9
        found += math.isfinite(solution.objective)
    assert found >= 20
    instance = town()
    today = np.tile(np.where(instance.standing == FREE, -1, 0).astype(np.int16), (instance.n_phases, 1))
    hasty, as_it_is = solve(instance, gap=0.0, stop=Stop(0.0)), solve(frozen(instance, today), gap=0.01)
    assert hasty.objective < 0.95 * as_it_is.objective


def test_a_clock_that_has_run_out_does_not_begin_a_large_model(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    monkeypatch.setattr(dynamic, "solve_exactly", lambda *args, **more: pytest.fail("HiGHS was asked"))
    solution = solve(town(), gap=0.0, stop=Stop(0.0))
    assert math.isfinite(solution.objective)
    assert check_solution(town(), solution) == []
