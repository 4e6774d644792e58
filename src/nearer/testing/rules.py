"""What a solver of instances with rules promises: small random cases, enumerated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog

from nearer.model import CLOSED, FREE, OPEN, Instance, Rules, ServiceLimit, Solution, Status
from nearer.model.check import certified_bound, check_solution
from nearer.model.evaluate import pair_rows
from nearer.model.evaluate_rules import rules_of
from nearer.model.rules import limit_costs
from nearer.progress import Stop
from nearer.units import FloatArray, IntArray

Solve = Callable[..., Solution]


def random_rules_instance(rng: np.random.Generator) -> Instance:
    """A small instance with phases, levels, pools, growth, upgrades, closures, budgets and limits, now and then."""
    n_t, n_l, n_k = int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(1, 3))
    n_r, n_j = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    if n_t == 3:
        n_j = min(n_j, 3)
    cost = rng.integers(0, 20, (n_r, n_j))
    reach = rng.random((n_r, n_j)) < rng.choice([1.0, 0.7])
    rows, sites = np.nonzero(reach)
    order = np.lexsort((sites, cost[rows, sites], rows))
    rows, sites = rows[order], sites[order]
    weight = np.round(rng.random((n_t, n_r)) * 10, rng.choice([0, 2]))
    standing = rng.choice([FREE, FREE, OPEN], n_j).astype(np.int8)
    capacity = np.full((n_j, n_l, n_k), np.inf)
    if rng.random() < 0.6:
        capacity = np.round(np.sort(rng.random((n_j, n_l, n_k)) * 20, axis=1), 1)
    capacity[rng.random(capacity.shape) < 0.1] = 0.0
    may_close = rng.random() < 0.3
    return Instance(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_r))]).astype(np.int64),
        site_idx=sites.astype(np.int32),
        cost=cost[rows, sites].astype(np.int32),
        unserved=np.full(n_r, float(rng.choice([25, 60]))),
        weight=weight,
        standing=standing,
        open_min=np.zeros(n_t, dtype=np.int64),
        open_max=np.full(n_t, n_j, dtype=np.int64),
        capacity=capacity,
        row_point=np.arange(n_r, dtype=np.int32),
        row_group=rng.integers(0, n_k, n_r).astype(np.int32),
        need=None if rng.random() < 0.5 else np.round(rng.random((n_t, n_r)) * 8, 1),
        rules=_random_rules(rng, standing, n_t, n_l, weight, may_close),
    )


def _random_rules(
    rng: np.random.Generator, standing: IntArray, n_t: int, n_l: int, weight: FloatArray, may_close: bool
) -> Rules:
    ptr, levels = [0], []
    for stands in standing:
        paths = [path for path in product(range(CLOSED, n_l), repeat=n_t) if all(np.diff(path) >= 0)]
        if stands == OPEN:
            paths = [path for path in paths if path[0] >= 0]
            if may_close:
                paths += [(CLOSED,) * n_t]
        levels += paths
        ptr.append(len(levels))
    level = np.array(levels, dtype=np.int16).reshape(len(levels), n_t)
    site = np.repeat(np.arange(len(standing)), np.diff(ptr))
    priced = rng.random() < 0.5
    money = np.where(level[:, -1] >= 0, rng.integers(1, 9, len(standing))[site] + level[:, -1], 0).astype(np.float64)
    sides: list[tuple[str, FloatArray, float, float]] = []
    opened = ((level >= 0) & (standing[site] == FREE)[:, None]).astype(np.float64)
    for t in range(n_t):
        if rng.random() < 0.6:
            most = float(rng.integers(0, len(standing) + 1))
            sides.append((f"opened by phase {t}", opened[:, t], 0.0 if rng.random() < 0.7 else -math.inf, most))
    if rng.random() < 0.5:
        sides.append(("budget", money, -math.inf, float(rng.integers(0, 20))))
    if rng.random() < 0.2:
        district = np.asarray(rng.random(len(standing)) < 0.5)[site]
        sides.append(("district", ((level[:, -1] >= 0) & district).astype(np.float64), 1.0, math.inf))
    limits = []
    if rng.random() < 0.4:
        factor = weight * (rng.random(weight.shape[1]) < 0.6)
        beyond = None if rng.random() < 0.5 else float(rng.integers(3, 18))
        most = float(factor.sum()) * (rng.uniform(3, 30) if beyond is None else rng.uniform(0.2, 1.0))
        limits.append(ServiceLimit("a limit", factor, beyond, most))
    used = np.concatenate([np.zeros(0, dtype=np.intp), *(np.flatnonzero(v) for _, v, _, _ in sides)])
    return Rules(
        option_ptr=np.array(ptr, dtype=np.int64),
        option_level=level,
        option_cost=money * (rng.integers(0, 8) if priced else 0),
        side_ptr=np.cumsum([0, *(int(np.count_nonzero(values)) for _, values, _, _ in sides)]).astype(np.int64),
        side_option=used.astype(np.int32),
        side_value=np.concatenate([v[v != 0] for _, v, _, _ in sides] or [np.zeros(0)]),
        side_lower=np.array([low for _, _, low, _ in sides], dtype=np.float64),
        side_upper=np.array([high for _, _, _, high in sides], dtype=np.float64),
        side_name=tuple(name for name, _, _, _ in sides),
        limits=tuple(limits),
    )


def brute_force_rules(instance: Instance) -> float:
    """Least value over every choice of options, people sent by a linear programme; ``inf`` where there is none."""
    rules, best = rules_of(instance), math.inf
    for options in product(*(range(a, b) for a, b in zip(rules.option_ptr[:-1], rules.option_ptr[1:], strict=True))):
        totals = rules.side_totals(np.array(options))
        if np.all(totals >= rules.side_lower - 1e-9) and np.all(totals <= rules.side_upper + 1e-9):
            fixed = float(rules.option_cost[list(options)].sum())
            best = min(best, fixed + _sent(instance, rules.option_level[list(options)].T))
    return best


def _sent(instance: Instance, level: IntArray) -> float:
    """Cheapest way of sending people to sites of given levels (n_phases, n_sites), by SciPy's linear programme."""
    rules = rules_of(instance)
    n_t, n_r, n_k = instance.n_phases, instance.n_rows, instance.capacity.shape[2]
    row, site = pair_rows(instance), instance.site_idx
    cost = np.asarray(instance.cost, dtype=np.float64)
    n_e = len(row)
    n_x = n_t * (n_e + n_r)
    objective = np.concatenate(
        [np.concatenate([instance.weight[t][row] * cost, instance.weight[t] * instance.unserved]) for t in range(n_t)]
    )
    upper = np.ones(n_x)
    equal = np.zeros((n_t * n_r, n_x))
    most, ceiling = [], []
    for t in range(n_t):
        first = t * (n_e + n_r)
        equal[t * n_r + row, first + np.arange(n_e)] = 1.0
        equal[t * n_r + np.arange(n_r), first + n_e + np.arange(n_r)] = 1.0
        pool = instance.row_group[row] if n_k > 1 else np.zeros(n_e, dtype=np.int64)
        room = np.where(level[t][:, None] >= 0, instance.capacity[np.arange(len(level[t])), level[t]], 0.0)
        upper[first + np.arange(n_e)] = room[site, pool] > 0
        for j, k in product(range(instance.n_sites), range(n_k)):
            if np.isfinite(room[j, k]):
                line = np.zeros(n_x)
                here = (site == j) & (pool == k)
                line[first + np.flatnonzero(here)] = instance.need_in(t)[row[here]]
                most.append(line)
                ceiling.append(room[j, k])
    for limit in rules.limits:
        idle = instance.unserved if limit.beyond is None else np.ones(n_r)
        parts = [
            np.concatenate([limit.factor[t][row] * limit_costs(limit, cost), limit.factor[t] * idle])
            for t in range(n_t)
        ]
        most.append(np.concatenate(parts))
        ceiling.append(limit.most)
    solve_lp: Any = linprog
    found = solve_lp(
        objective,
        A_ub=np.array(most).reshape(len(most), n_x),
        b_ub=np.array(ceiling, dtype=np.float64),
        A_eq=equal,
        b_eq=np.ones(n_t * n_r),
        bounds=np.column_stack([np.zeros(n_x), upper]),
        method="highs",
    )
    return float(found.fun) if found.status == 0 else math.inf


def rules_cases(n_cases: int, seed: int) -> Iterator[Instance]:
    """So many instances whose enumeration is quick."""
    rng = np.random.default_rng(seed)
    while n_cases:
        instance = random_rules_instance(rng)
        if math.prod(np.diff(rules_of(instance).option_ptr).tolist()) <= 400:
            n_cases -= 1
            yield instance


def check_rules_solver(solve: Solve, *, n_cases: int = 60, seed: int = 0) -> None:
    """
    Assert what a solver of instances with rules promises.

    The enumerated optimum or its absence; every rule kept by the independent checker; a bound that no better plan
    contradicts and that the certificate proves where there is one; the same result for one and two threads; and,
    stopped before it starts, nothing false.

    Raises
    ------
    AssertionError
        A promise is broken; the message names the case.
    """
    for case, instance in enumerate(rules_cases(n_cases, seed)):
        place = f"case {case} of seed {seed}"
        best = brute_force_rules(instance)
        solution = solve(instance, gap=0.0)
        if math.isinf(best):
            assert solution.status is Status.INFEASIBLE, f"{place}: {solution.status}, and there is no plan"
            continue
        assert solution.status is Status.OPTIMAL, f"{place}: {solution.status}"
        assert math.isclose(solution.objective, best, rel_tol=1e-6, abs_tol=1e-6), (
            f"{place}: {solution.objective} where {best} is the least"
        )
        assert check_solution(instance, solution) == [], place
        again = solve(instance, gap=0.0, threads=2)
        assert np.array_equal(solution.level, again.level), f"{place}: sites differ between one and two threads"
        assert (solution.objective, solution.bound) == (again.objective, again.bound), f"{place}: figures differ"
        stopped = Stop()
        stopped.cancel()
        early = solve(instance, gap=0.0, stop=stopped)
        assert early.bound <= best + 1e-6 * abs(best) + 1e-6, f"{place}: a stopped run claims too much"
        assert check_solution(instance, early) == [], f"{place}, stopped"
        for one in (solution, early):
            if one.certificate is not None:
                proven = certified_bound(instance, one.certificate, one.objective)
                assert proven >= one.bound - 1e-9 * abs(one.bound) - 1e-9, f"{place}: certified only {proven!r}"
