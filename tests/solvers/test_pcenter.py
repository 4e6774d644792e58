"""The p-center solver against enumeration, published optima and the independent checker."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from nearer.errors import CheckFailedError
from nearer.model import FORBIDDEN, FREE, OPEN, Instance, Solution, Status, single_phase
from nearer.model.check_center import certified_dearest, recompute_dearest
from nearer.model.evaluate import cheapest_open
from nearer.progress import Stop
from nearer.solvers.pcenter import solve_pcenter

from .instances import from_dense
from .test_pmedian import pmed


def random_center(rng: np.random.Generator) -> Instance:
    """A small instance full of ties, zeros, gaps and equal rows; some rows must be served."""
    n, m = int(rng.integers(1, 13)), int(rng.integers(1, 9))
    top = int(rng.choice([1, 3, 30, 10_000_000]))
    cost = rng.integers(0, top + 1, (n, m)).astype(np.float64)
    if rng.random() < 0.5:
        cost += np.round(rng.random((n, m)), 3)
    if rng.random() < 0.5:
        cost[n // 2] = cost[0]
    if rng.random() < 0.3:
        cost[:, m // 2] = cost[:, 0]
    rows, sites = np.nonzero(rng.random((n, m)) < rng.choice([1.0, 0.6, 0.3]))
    weight = rng.integers(0, 4, n).astype(np.float64) if rng.random() < 0.5 else rng.random(n) * 1e4
    standing = rng.choice([FREE, FREE, FREE, OPEN, FORBIDDEN], m).astype(np.int8)
    low, high = sorted(int(k) for k in rng.integers(0, int(np.sum(standing == FREE)) + 1, 2))
    unserved = np.full(n, float(top + rng.choice([1, 1000])))
    unserved[rng.random(n) < rng.choice([0.0, 0.3])] = np.inf
    unserved[rng.random(n) < rng.choice([0.0, 0.3])] = top / 2
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    instance = single_phase(
        indptr, sites, cost[rows, sites], weight, unserved, standing, low if rng.random() < 0.5 else high, high
    )
    return replace(instance, objective="max")


def enumerated(instance: Instance) -> float:
    best = math.inf
    for k in range(int(instance.open_min[0]), int(instance.open_max[0]) + 1):
        for chosen in combinations(np.flatnonzero(instance.free_mask), k):
            open_mask = instance.standing == OPEN
            open_mask[list(chosen)] = True
            best = min(best, recompute_dearest(instance, open_mask))
    return best


def check(instance: Instance, solution: Solution, best: float) -> None:
    """The plan keeps the rules and is worth what it says; the certificate proves the bound, which is not too high."""
    assert solution.bound <= best
    assert certified_dearest(instance, solution.certificate) >= solution.bound
    if math.isinf(solution.objective):
        return
    is_open = solution.open_mask
    assert is_open[instance.standing == OPEN].all()
    assert not is_open[instance.standing == FORBIDDEN].any()
    assert instance.open_min[0] <= np.sum(is_open & instance.free_mask) <= instance.open_max[0]
    assert recompute_dearest(instance, is_open) == solution.objective
    assert solution.bound <= solution.objective
    served = cheapest_open(instance, is_open)
    for row, site in zip(solution.row_idx, solution.assigned_idx, strict=True):
        pairs = slice(instance.indptr[row], instance.indptr[row + 1])
        assert is_open[site]
        assert instance.cost[pairs][instance.site_idx[pairs] == site] == served[row]
    assert np.all(np.isin(np.flatnonzero(served < instance.unserved), solution.row_idx))
    values, bounds = [t.value for t in solution.trace], [t.bound for t in solution.trace]
    assert values == sorted(values, reverse=True)
    assert bounds == sorted(bounds)


@pytest.mark.parametrize("seed", range(4))
def test_small_instances_are_solved_as_by_enumeration_and_proven(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(100):
        instance = random_center(rng)
        best = enumerated(instance)
        solution = solve_pcenter(instance)
        assert solution.objective == solution.bound == best
        assert solution.status is (Status.OPTIMAL if math.isfinite(best) else Status.INFEASIBLE)
        check(instance, solution, best)
        two = solve_pcenter(instance, threads=2)
        assert np.array_equal(two.level, solution.level)
        assert two.work == solution.work
        stopped = Stop()
        stopped.cancel()
        check(instance, solve_pcenter(instance, stop=stopped), best)
        check(instance, solve_pcenter(instance, work_limit=solution.work // 2), best)


def test_rows_that_no_plan_serves_are_infeasible_and_proven_so() -> None:
    # Three pairs of rows, each pair with a site of its own, and two sites to open.
    cost = np.full((6, 3), -1)
    cost[[0, 1], 0] = cost[[2, 3], 1] = cost[[4, 5], 2] = 7
    instance = replace(from_dense(cost, np.ones(6), np.zeros(3, dtype=np.int8), 2), objective="max")
    solution = solve_pcenter(instance)
    assert (solution.status, solution.bound) == (Status.INFEASIBLE, math.inf)
    assert certified_dearest(instance, solution.certificate) == math.inf


def test_more_sites_than_there_are_is_infeasible() -> None:
    instance = from_dense(np.ones((2, 2)), np.ones(2), np.array([FREE, FORBIDDEN], dtype=np.int8), 2, 9.0)
    assert solve_pcenter(replace(instance, objective="max")).status is Status.INFEASIBLE


def test_at_most_p_opens_no_site_that_brings_nothing() -> None:
    cost = np.array([[1, 1, 1], [1, 1, 1]])
    instance = from_dense(cost, np.ones(2), np.zeros(3, dtype=np.int8), 3, 9.0, at_least=0)
    assert int(solve_pcenter(replace(instance, objective="max")).open_mask.sum()) == 1


def test_a_forged_threshold_is_refused() -> None:
    cost = np.array([[1, 5, 9], [5, 1, 9], [9, 9, 2]])
    instance = replace(from_dense(cost, np.ones(3), np.zeros(3, dtype=np.int8), 2), objective="max")
    solution = solve_pcenter(instance)
    assert solution.objective == 5.0
    multipliers = solution.certificate.multipliers.copy()
    multipliers[0] *= 9.0 / 5.0
    with pytest.raises(CheckFailedError, match="does not prove"):
        certified_dearest(instance, replace(solution.certificate, multipliers=multipliers))


@pytest.mark.data
@pytest.mark.parametrize("name", ["pmed1", "pmed5", "pmed7", "pmed13", "pmed15"])
def test_published_optima_of_or_library_are_proven(data_dir: Path, name: str) -> None:
    folder = data_dir / "instances" / "pmed"
    with (folder / "optima.csv").open() as file:
        best = {row["instance"]: int(row["pcenter_opt"]) for row in csv.DictReader(file)}[name]
    cost, p = pmed(folder / f"{name}.txt")
    instance = from_dense(cost, np.ones(len(cost)), np.zeros(len(cost), dtype=np.int8), p)
    instance = replace(instance, objective="max")
    solution = solve_pcenter(instance, stop=Stop(60))
    assert solution.status is Status.OPTIMAL
    assert solution.objective == best
    check(instance, solution, best)
