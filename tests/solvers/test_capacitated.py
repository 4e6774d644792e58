"""Capacitated location against enumeration, published optima and the independent checker."""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from nearer.errors import UsageError
from nearer.lp import MipProblem, MipStatus, solve_mip
from nearer.model import FORBIDDEN, FREE, OPEN, Instance, Status
from nearer.model.check import certified_bound, check_solution
from nearer.model.evaluate import evaluate_certificate
from nearer.progress import Stop
from nearer.solvers import solve
from nearer.solvers.budget import Budget
from nearer.solvers.capacitated_core import make_capacitated_core
from nearer.solvers.capacitated_drop import dropped
from nearer.solvers.capacitated_plan import assign_split
from nearer.testing import check_proof

from .instances import from_dense


def capacitated(
    cost: np.ndarray,
    need: np.ndarray | None,
    capacity: np.ndarray,
    price: np.ndarray,
    *,
    single_source: bool,
    weight: np.ndarray | None = None,
    standing: np.ndarray | None = None,
    low: int = 0,
    high: int | None = None,
    unserved: float = np.inf,
) -> Instance:
    """From a dense matrix where a negative cost means "cannot serve"."""
    n, m = cost.shape
    standing = np.zeros(m, dtype=np.int8) if standing is None else standing
    high = int((standing == FREE).sum()) if high is None else high
    weight = np.ones(n) if weight is None else weight
    plain = from_dense(cost, weight, standing, high, unserved, at_least=low)
    return dataclasses.replace(
        plain,
        capacity=np.asarray(capacity, dtype=np.float64).reshape(m, 1, 1),
        open_cost=np.asarray(price, dtype=np.float64).reshape(m, 1),
        need=need,
        single_source=single_source,
    )


def random_case(rng: np.random.Generator, single_source: bool) -> Instance:
    """Small, full of ties, zeros, absent pairs and tight capacities; now and then nothing is possible."""
    n, m = (int(rng.integers(1, 6)), int(rng.integers(1, 5))) if single_source else rng.integers(1, 8, 2)
    top = int(rng.choice([1, 3, 30, 100_000]))
    cost = rng.integers(0, top + 1, (n, m)).astype(np.float64)
    if rng.random() < 0.4:
        cost += np.round(rng.random((n, m)), 3)
    if rng.random() < 0.3:
        cost[n // 2] = cost[0]
    cost[rng.random((n, m)) < rng.choice([0.0, 0.3])] = -1
    need = rng.integers(0, 9, n).astype(np.float64) if rng.random() < 0.8 else None
    weight = rng.integers(0, 4, n).astype(np.float64) if rng.random() < 0.5 else np.ones(n)
    capacity = rng.integers(0, 14, m).astype(np.float64)
    if rng.random() < 0.3:
        capacity[0] = np.inf
    standing = rng.choice([FREE, FREE, FREE, OPEN, FORBIDDEN], m).astype(np.int8)
    low, high = sorted(int(k) for k in rng.integers(0, int(np.sum(standing == FREE)) + 1, 2))
    price = rng.integers(0, 2 * top + 2, m).astype(np.float64)
    if rng.random() < 0.2:
        price -= top
    unserved = np.inf if rng.random() < 0.5 else float(top + rng.choice([1, 50]))
    return capacitated(
        cost, need, capacity, price, single_source=single_source, weight=weight, standing=standing,
        low=low if rng.random() < 0.6 else high, high=high, unserved=unserved,
    )  # fmt: skip


def dense(instance: Instance) -> np.ndarray:
    matrix = np.full((instance.n_rows, instance.n_sites), np.inf)
    rows = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
    matrix[rows, instance.site_idx] = instance.weight[0][rows] * instance.cost
    return matrix


def best_assignment(instance: Instance, open_site: np.ndarray) -> float:
    """Least cost of serving all rows from some sites: by enumeration, or the transport problem as a plain LP."""
    n, s = instance.n_rows, len(open_site)
    need = instance.weight[0] if instance.need is None else instance.need
    value = np.column_stack([dense(instance)[:, open_site], np.full(n, np.inf)])
    left = np.isfinite(instance.unserved)
    value[left, s] = instance.weight[0][left] * instance.unserved[left]
    room = np.append(instance.capacity[open_site, 0, 0], np.inf)
    if instance.single_source:
        best = math.inf
        for where in itertools.product(range(s + 1), repeat=n):
            cost = sum(value[i, j] for i, j in enumerate(where))
            if cost < best and all(sum(need[i] for i in range(n) if where[i] == j) <= room[j] for j in range(s)):
                best = cost
        return best
    rows, sites = np.nonzero(np.isfinite(value))
    if not len(rows):
        return math.inf
    a_eq = np.zeros((n, len(rows)))
    a_eq[rows, np.arange(len(rows))] = 1.0
    a_ub = np.zeros((s + 1, len(rows)))
    a_ub[sites, np.arange(len(rows))] = need[rows]
    finite = np.isfinite(room)
    found = linprog(
        value[rows, sites], a_ub[finite] if finite.any() else None, room[finite] if finite.any() else None,
        a_eq, np.ones(n), (0, 1), "highs",
    )  # fmt: skip
    return float(found.fun) if found.status == 0 else math.inf


def brute_force(instance: Instance) -> float:
    best = math.inf
    standing = np.flatnonzero(instance.standing == OPEN)
    for k in range(int(instance.open_min[0]), int(instance.open_max[0]) + 1):
        for chosen in itertools.combinations(np.flatnonzero(instance.free_mask), k):
            open_site = np.sort(np.concatenate([standing, np.array(chosen, dtype=np.int64)])).astype(np.int64)
            best = min(best, best_assignment(instance, open_site) + float(instance.price[open_site].sum()))
    return best


@pytest.mark.parametrize("single_source", [False, True])
def test_small_problems_are_solved_to_the_enumerated_optimum(single_source: bool) -> None:
    rng = np.random.default_rng(5)
    seen = set()
    for case in range(150):
        instance = random_case(rng, single_source)
        best = brute_force(instance)
        solution = solve(instance, gap=0.0) if instance.capacitated else None
        if solution is None:
            continue
        seen.add(solution.status)
        assert check_solution(instance, solution) == [], case
        check_proof(instance, solution, f"case {case}")
        if math.isinf(best):
            assert solution.status is Status.INFEASIBLE, case
            continue
        if abs(best) > 1e-9:  # 0 is near nothing, relatively
            assert solution.status is Status.OPTIMAL, (case, best, solution.objective, solution.bound)
        assert math.isclose(solution.objective, best, rel_tol=1e-8, abs_tol=1e-8), case
        if not single_source:
            assert solution.proof == "certificate", case
        stopped = Stop()
        stopped.cancel()
        early = solve(instance, gap=0.0, stop=stopped)
        assert early.bound <= best + 1e-9 * abs(best) + 1e-9, case
        assert check_solution(instance, early) == [], case
        check_proof(instance, early, f"case {case}, stopped")
    assert {Status.OPTIMAL, Status.INFEASIBLE} <= seen


def fewest(n: int, m: int, seed: int = 0) -> Instance:
    """The fewest sites that hold everybody in reach: nothing but their number is paid, whatever is split."""
    rng = np.random.default_rng(seed)
    points, sites = rng.random((n, 2)), rng.random((m, 2))
    away = np.hypot(points[:, None, 0] - sites[:, 0], points[:, None, 1] - sites[:, 1])
    reach = np.maximum(0.25, np.sort(away, axis=1)[:, 1])
    need = rng.integers(1, 100, n).astype(np.float64)
    room = np.round(4 * need.sum() / m * rng.uniform(0.8, 1.2, m))
    return capacitated(np.where(away <= reach[:, None], 0.0, -1.0), need, room, np.ones(m), single_source=False)


def test_where_only_open_sites_are_paid_for_the_bound_is_a_whole_number_of_them() -> None:
    small = fewest(12, 7)
    assert small.whole
    found = solve(small, gap=0.0)
    assert (found.status, found.objective) == (Status.OPTIMAL, brute_force(small))
    larger = fewest(40, 20)
    found = solve(larger, gap=0.0, stop=Stop(20.0))
    assert found.status is Status.OPTIMAL
    assert check_solution(larger, found) == []
    check_proof(larger, found, "fewest")


def test_sites_are_dropped_until_the_others_have_no_room() -> None:
    for seed in range(4):
        small = fewest(14, 9, seed)
        core = make_capacitated_core(small)
        plan = dropped(core, np.full(core.m, 0.5), Budget(Stop()))
        assert plan is not None
        assert plan.value == plan.open_mask.sum()
        served = np.bincount(plan.row, weights=plan.share, minlength=core.n)
        load = np.bincount(plan.site, weights=plan.share * core.need[plan.row], minlength=core.m)
        assert served == pytest.approx(np.ones(core.n))
        assert np.all(load <= np.where(plan.open_mask, core.room, 0.0) + 1e-6)
        for j in np.flatnonzero(plan.open_mask):
            fewer = plan.open_mask.copy()
            fewer[j] = False
            assert assign_split(core, fewer, np.inf, Stop()).plan is None
        assert plan.value <= brute_force(small) + 1


def test_dropping_ends_with_as_many_sites_as_may_open() -> None:
    rng = np.random.default_rng(3)
    cost = np.floor(rng.uniform(0, 100, (20, 10)))
    made = capacitated(cost, np.ones(20), np.full(10, 8.0), np.zeros(10), single_source=False, low=3, high=3)
    core = make_capacitated_core(made)
    plan = dropped(core, np.full(core.m, 0.5), Budget(Stop()))
    assert plan is not None
    assert plan.open_mask.sum() == 3
    assert brute_force(made) <= plan.value <= 1.5 * brute_force(made)


def test_room_that_is_short_everywhere_is_found_by_dropping() -> None:
    found = solve(fewest(300, 120), gap=0.0, work_limit=60_000_000)
    assert (found.status, found.objective) == (Status.OPTIMAL, 27.0)


def town(n: int, m: int, single_source: bool, seed: int = 0, tight: float = 3.0) -> Instance:
    rng = np.random.default_rng(seed)
    people, sites = rng.random((n, 2)), rng.random((m, 2))
    cost = np.floor(100 * np.hypot(*(people[:, None] - sites).transpose(2, 0, 1)))
    need = rng.integers(5, 36, n).astype(np.float64)
    capacity = np.full(m, np.ceil(tight * need.sum() / m))
    return capacitated(cost, need, capacity, rng.integers(100, 300, m), single_source=single_source, weight=need)


@pytest.mark.parametrize("single_source", [False, True])
def test_a_town_is_proven_and_checked(single_source: bool) -> None:
    instance = town(60, 12, single_source)
    solution = solve(instance, gap=0.0)
    assert solution.status is Status.OPTIMAL
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)
    values, bounds = [t.value for t in solution.trace], [t.bound for t in solution.trace]
    assert values == sorted(values, reverse=True)
    assert bounds == sorted(bounds)


@pytest.mark.parametrize("single_source", [False, True])
def test_a_work_limit_ends_at_the_same_point_whatever_the_threads(single_source: bool) -> None:
    instance = town(80, 20, single_source)
    runs = [solve(instance, gap=0.0, work_limit=3_000_000, threads=threads) for threads in (1, 2)]
    assert (runs[0].objective, runs[0].bound, runs[0].work) == (runs[1].objective, runs[1].bound, runs[1].work)
    assert np.array_equal(runs[0].level, runs[1].level)
    assert check_solution(instance, runs[0]) == []


@pytest.mark.parametrize("single_source", [False, True])
def test_the_clock_is_kept(single_source: bool) -> None:
    instance = town(300, 60, single_source)
    solve(town(60, 12, single_source), gap=0.0)  # compile first
    began = time.monotonic()
    solution = solve(instance, gap=0.0, stop=Stop(1.0))
    assert time.monotonic() - began < 2.0
    assert check_solution(instance, solution) == []
    assert solution.bound <= solution.objective


def test_a_row_that_one_site_must_serve_is_never_split() -> None:
    cost, need = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]), np.full(3, 2.0)
    split = capacitated(cost, need, np.array([3.0, 3.0]), np.zeros(2), single_source=False)
    assert solve(split, gap=0.0).objective == 1.5 + 2 * 1.5
    whole = dataclasses.replace(split, single_source=True)
    assert solve(whole, gap=0.0).status is Status.INFEASIBLE


def test_capacities_by_group_are_refused() -> None:
    instance = capacitated(np.ones((2, 2)), None, np.ones(2), np.zeros(2), single_source=False)
    with pytest.raises(UsageError, match="group"):
        solve(dataclasses.replace(instance, capacity=np.ones((2, 1, 2))))


def test_the_checker_finds_overloads_splits_and_wrong_values() -> None:
    instance = town(30, 6, True)
    solution = solve(instance, gap=0.0)
    tight = dataclasses.replace(instance, capacity=instance.capacity * 0.2)
    assert any("capacity" in fault for fault in check_solution(tight, solution))
    wrong = dataclasses.replace(solution, objective=solution.objective + 1)
    assert any("the value is" in fault for fault in check_solution(instance, wrong))
    halved = dataclasses.replace(solution, share=solution.share * 0.5)
    assert any("in part" in fault for fault in check_solution(instance, halved))


def test_no_multipliers_prove_more_than_the_optimum() -> None:
    rng = np.random.default_rng(8)
    for _ in range(40):
        instance = random_case(rng, False)
        best = brute_force(instance)
        if not instance.capacitated or math.isinf(best):
            continue
        certificate = solve(instance, gap=0.0).certificate
        assert certificate is not None
        for scale in (0.0, 0.5, 1.0, 1.7):
            moved = dataclasses.replace(certificate, multipliers=certificate.multipliers * scale)
            assert evaluate_certificate(instance, moved) <= best + 1e-9 * abs(best) + 1e-9
        assert certified_bound(instance, certificate, best) >= best - 1e-7 * abs(best) - 1e-7


def test_a_stopped_mip_says_so_and_a_start_counts() -> None:
    rng = np.random.default_rng(0)
    n = 40
    weight = rng.integers(10, 60, n).astype(np.float64)
    problem = MipProblem(
        cost=-weight - rng.integers(0, 5, n), lower=np.zeros(n), upper=np.ones(n), integer=np.ones(n, dtype=bool),
        row_lower=np.array([-np.inf]), row_upper=np.array([weight.sum() // 3]),
        indptr=np.array([0, n]), column=np.arange(n), value=weight,
    )  # fmt: skip
    full = solve_mip(problem, lambda bound, nodes: False)
    assert full.status is MipStatus.OPTIMAL
    assert full.x is not None
    assert problem.cost @ full.x == pytest.approx(full.bound)
    again = solve_mip(problem, lambda bound, nodes: False, start=np.round(full.x))
    assert again.bound == pytest.approx(full.bound)
    impossible = dataclasses.replace(problem, row_lower=np.array([weight.sum() + 1]), row_upper=np.array([np.inf]))
    assert solve_mip(impossible, lambda bound, nodes: False).status is MipStatus.INFEASIBLE


def orlib_cap(path: Path, capacity: float | None) -> Instance:
    """An OR-Library ``cap`` file; costs are of whole customers."""
    words = path.read_text().split()
    m, n = int(words[0]), int(words[1])
    sites = np.array(
        [[capacity if w == "capacity" else float(w) for w in words[2 + 2 * j : 4 + 2 * j]] for j in range(m)]
    )
    rest = np.array(words[2 + 2 * m :], dtype=np.float64).reshape(n, m + 1)
    return capacitated(rest[:, 1:], rest[:, 0], sites[:, 0], sites[:, 1], single_source=False)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "capacity", "optimum"),
    [
        ("cap41", None, 1040444.375),
        ("cap51", None, 1025208.225),
        ("cap64", None, 1045650.250),
        ("capa", 8000.0, 19240822.449),
        ("capa", 12000.0, 17765201.949),
    ],
)
def test_published_optima_are_proven(data_dir: Path, name: str, capacity: float | None, optimum: float) -> None:
    instance = orlib_cap(data_dir / "instances" / "orlib_cap" / f"{name}.txt", capacity)
    solution = solve(instance, gap=0.0)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(optimum, abs=1e-2)
    assert check_solution(instance, solution) == []
    assert solution.proof == "certificate"
    check_proof(instance, solution)


@pytest.mark.data
@pytest.mark.parametrize(("name", "optimum"), [("p1", 8848), ("p33", 11629), ("p65", 24445)])
def test_published_optima_of_single_sources_are_proven(data_dir: Path, name: str, optimum: int) -> None:
    numbers = [float(word) for word in (data_dir / "instances" / "sscflp" / "holmberg" / name).read_text().split()]
    m, n = int(numbers[0]), int(numbers[1])
    sites = np.array(numbers[2 : 2 + 2 * m]).reshape(m, 2)
    need = np.array(numbers[2 + 2 * m : 2 + 2 * m + n])
    cost = np.array(numbers[2 + 2 * m + n : 2 + 2 * m + n + m * n]).reshape(m, n).T
    instance = capacitated(cost, need, sites[:, 0], sites[:, 1], single_source=True)
    solution = solve(instance, gap=0.0)
    assert (solution.status, solution.objective) == (Status.OPTIMAL, optimum)
    assert check_solution(instance, solution) == []
