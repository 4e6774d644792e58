"""What every solver promises, as assertions over small random instances solved by enumeration."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from nearer.model import FORBIDDEN, FREE, OPEN, Instance, Solution, Status, single_phase
from nearer.model.check import certified_bound, check_solution, recompute_value
from nearer.progress import Stop

Solve = Callable[..., Solution]


def random_instance(rng: np.random.Generator) -> Instance:
    """A small instance full of ties, zeros, gaps and equal rows; some sites stand open, may not open, or cost."""
    n, m = int(rng.integers(1, 13)), int(rng.integers(1, 9))
    top = int(rng.choice([1, 3, 30, 10_000_000]))
    cost = rng.integers(0, top + 1, (n, m)).astype(np.float64)
    if rng.random() < 0.5:
        cost += np.round(rng.random((n, m)), 3)
    if rng.random() < 0.5:
        cost[n // 2] = cost[0]
    reachable = rng.random((n, m)) < rng.choice([1.0, 0.6])
    weight = rng.integers(0, 4, n).astype(np.float64) if rng.random() < 0.5 else rng.random(n) * 1e4
    standing = rng.choice([FREE, FREE, FREE, OPEN, FORBIDDEN], m).astype(np.int8)
    low, high = sorted(int(k) for k in rng.integers(0, int(np.sum(standing == FREE)) + 1, 2))
    price = rng.integers(0, 2 * top + 2, m).astype(np.float64) if rng.random() < 0.5 else None
    if price is not None and rng.random() < 0.3 and not np.any(weight % 1) and not np.any(cost % 1):
        price -= top  # some cost something to close; only whole values, since a value of 0 has no relative gap
    low = low if rng.random() < 0.5 else high
    rows, sites = np.nonzero(reachable)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    unserved = np.full(n, float(top + rng.choice([1, 1000])))
    return single_phase(indptr, sites, cost[rows, sites], weight, unserved, standing, low, high, price=price)


def brute_force(instance: Instance) -> float:
    """Least value over every choice of ``open_min`` to ``open_max`` free sites."""
    best = math.inf
    for k in range(int(instance.open_min[0]), int(instance.open_max[0]) + 1):
        for chosen in combinations(np.flatnonzero(instance.free_mask), k):
            open_mask = instance.standing == OPEN
            open_mask[list(chosen)] = True
            best = min(best, recompute_value(instance, open_mask))
    return best


def _cases(n_cases: int, seed: int) -> Iterator[Instance]:
    rng = np.random.default_rng(seed)
    for _ in range(n_cases):
        yield random_instance(rng)


def check_solver(solve: Solve, *, n_cases: int = 200, seed: int = 0) -> None:
    """
    Assert what every solver promises.

    On each case: the enumerated optimum, called optimal; every rule kept and the certificate evaluated by the
    independent checker; values falling and bounds rising along the trace; the same result for one and two threads;
    and, stopped before it starts, still a plan with a valid bound and no claim to be optimal that is not proven.

    Parameters
    ----------
    solve
        Called as ``solve(instance, gap=0.0, threads=…, stop=…)``.

    Raises
    ------
    AssertionError
        A promise is broken; the message names the case.
    """
    for case, instance in enumerate(_cases(n_cases, seed)):
        best = brute_force(instance)
        solution = solve(instance, gap=0.0)
        place = f"case {case} of seed {seed}"
        assert solution.status is Status.OPTIMAL, f"{place}: {solution.status}"
        assert math.isclose(solution.objective, best, rel_tol=1e-9, abs_tol=1e-9), f"{place}: {solution.objective}"
        assert check_solution(instance, solution) == [], place
        check_proof(instance, solution, place)
        _check_trace(solution, place)
        _check_same(solution, solve(instance, gap=0.0, threads=2), place)
        stopped = Stop()
        stopped.cancel()
        early = solve(instance, gap=0.0, stop=stopped)
        assert early.bound <= best + 1e-9 * abs(best) + 1e-9, (
            f"{place}: the bound of a stopped run is above the optimum"
        )
        assert check_solution(instance, early) == [], f"{place}, stopped"
        check_proof(instance, early, f"{place}, stopped")


def check_proof(instance: Instance, solution: Solution, place: str = "the solution") -> None:
    """
    Assert that the certificate proves the bound claimed, evaluated apart from the solver.

    Raises
    ------
    AssertionError
        The certificate proves less.
    """
    if solution.certificate is None:
        return
    proven = certified_bound(instance, solution.certificate, solution.objective)
    parts = vars(solution.certificate)
    multipliers = parts["multipliers"] if "multipliers" in parts else parts["row_multiplier"]
    slack = max(1e-9 * abs(solution.objective), 1e-9 * float(np.abs(multipliers).sum()), 1e-9)
    assert proven >= solution.bound - slack, f"{place}: claimed {solution.bound!r}, certified {proven!r}"


def _check_trace(solution: Solution, place: str) -> None:
    values = [point.value for point in solution.trace]
    bounds = [point.bound for point in solution.trace]
    assert values == sorted(values, reverse=True), f"{place}: values rise along the trace"
    assert bounds == sorted(bounds), f"{place}: bounds fall along the trace"


def _check_same(one: Solution, two: Solution, place: str) -> None:
    assert np.array_equal(one.level, two.level), f"{place}: sites differ between one and two threads"
    assert (one.objective, one.bound, one.work) == (two.objective, two.bound, two.work), f"{place}: figures differ"
