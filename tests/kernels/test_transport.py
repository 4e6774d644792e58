"""The transport kernel and the knapsack kernel against SciPy's linear programmes and a naive twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from nearer.kernels.dynamic import knapsack_values
from nearer.kernels.transport import transport


@pytest.mark.parametrize("case", range(60))
def test_nobody_can_be_sent_cheaper_whatever_prices_it_begins_with(case: int) -> None:
    rng = np.random.default_rng(case)
    n, m = int(rng.integers(1, 12)), int(rng.integers(1, 6))
    cost = rng.integers(0, 20, (n, m)) + (rng.random((n, m)) if case % 2 else 0.0)
    need = rng.integers(1, 9, n).astype(float) if case % 3 else rng.random(n) + 0.01
    idle = rng.integers(5, 30, n).astype(float)
    reach = (rng.random((n, m)) < 0.7) & (cost < idle[:, None])
    room = rng.integers(1, 15, m).astype(float)
    room[rng.random(m) < 0.15] = np.inf
    price = rng.random(m) * rng.choice([0, 1, 10, 30])
    ptr = np.concatenate([[0], np.cumsum(reach.sum(axis=1))]).astype(np.int64)
    row, site = np.nonzero(reach)
    flow, left, _ = transport(
        ptr, site.astype(np.int32), cost[reach], need, idle, room, price, int(rng.integers(0, 20)), 3.0, 10**6
    )
    served = np.bincount(row, flow, n)
    assert np.allclose(served + left, need)
    assert np.all(np.bincount(site, flow, m) <= room * (1 + 1e-9))
    equal, most = np.zeros((n, len(site) + n)), np.zeros((m, len(site) + n))
    equal[row, np.arange(len(site))] = 1.0
    equal[np.arange(n), len(site) + np.arange(n)] = 1.0
    most[site, np.arange(len(site))] = 1.0
    finite = np.isfinite(room)
    solve_lp: Any = linprog
    least = solve_lp(
        np.concatenate([cost[reach], idle]), A_ub=most[finite] if finite.any() else None,
        b_ub=room[finite] if finite.any() else None, A_eq=equal, b_eq=need, method="highs",
    )  # fmt: skip
    assert np.isclose((flow * cost[reach]).sum() + (left * idle).sum(), least.fun)
    # and the prices prove it: rows at their cheapest, less what rooms take
    unit = np.minimum(idle, np.array([(cost[i] + price)[reach[i]].min(initial=np.inf) for i in range(n)]))
    proven = (unit * need).sum() - (price * np.where(price > 0, room, 0.0))[finite].sum()
    assert np.isclose(proven, least.fun)


@pytest.mark.parametrize("case", [4335, 4406])
def test_rows_that_are_split_over_centres_that_lie_alike_do_not_go_in_circles(case: int) -> None:
    rng = np.random.default_rng(case)
    n, m = int(rng.integers(60, 200)), int(rng.integers(8, 16))
    cost = np.abs(rng.integers(0, 5, n)[:, None] - rng.integers(0, 5, m)[None, :]) + 1.0
    order = np.argsort(cost, axis=1, kind="stable")
    need = np.round(rng.gamma(0.8, 3.0, n) * 1.06 + 0.01, 2) * rng.choice([1.06, 1 / 3, 0.7])
    weight = need * 2.7149
    unit = np.repeat(weight, m) * np.round(np.take_along_axis(cost, order, 1).ravel() * 123_457) / np.repeat(need, m)
    idle = weight * 9e5 / need
    room = need.sum() / m * 0.93 * rng.choice([1 / 3, 0.5, 1.0, 1.7], m)
    price = rng.random(m) * 4e5
    ptr = np.arange(0, n * m + 1, m).astype(np.int64)
    _, left, pushed = transport(ptr, order.ravel().astype(np.int32), unit, need, idle, room, price, 10, 2e5, 20_000)
    assert pushed < 20 * n
    assert np.isclose(left.sum(), max(need.sum() - room.sum(), 0.0))


@pytest.mark.parametrize("case", range(40))
def test_a_knapsack_takes_what_gains_most_and_never_claims_more_when_pairs_are_left_out(case: int) -> None:
    rng = np.random.default_rng(case)
    n, n_levels = int(rng.integers(1, 40)), int(rng.integers(1, 4))
    need = rng.integers(0, 5, n).astype(float)
    unit = rng.integers(0, 12, n).astype(float) + (rng.random(n) if case % 2 else 0.0)
    cost = rng.integers(0, 6, n)
    room = np.sort(rng.integers(0, 40, n_levels)).astype(float)
    floor = float(rng.choice([0.0, 2.0]))
    inside = unit - cost > floor if floor else np.ones(n, dtype=bool)
    value, rate, tied = np.empty((1, 1, n_levels)), np.empty((1, 1, 1, n_levels)), np.empty((1, 1, 1, n_levels))
    for keep, cut in ((np.ones(n, dtype=bool), 0.0), (inside | (need == 0), floor)):
        row = np.flatnonzero(keep).astype(np.int32)
        knapsack_values(
            np.array([0, len(row)]), row, cost[row].astype(np.int32), unit[:, None], np.ones((n, 1)), need[:, None],
            np.zeros(0), np.zeros((n, 1, 0)), room.reshape(1, n_levels, 1), np.array([cut]), 1, 0, 1, value, rate,
            tied,
        )  # fmt: skip
        for level in range(n_levels):
            gain, left = 0.0, room[level]
            for i in sorted(range(n), key=lambda i: cost[i] - unit[i]):
                if unit[i] > cost[i] and room[level] > 0:
                    taken = min(left, need[i])
                    gain += (unit[i] - cost[i]) * (taken if need[i] else 1.0)
                    left -= taken
            if cut == 0.0:
                assert np.isclose(-value[0, 0, level], gain)
            else:
                assert -value[0, 0, level] >= gain - 1e-9
