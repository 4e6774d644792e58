"""Kernels of capacitated location against naive twins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from nearer.kernels.knapsack import NO_SITE, assign_in_turn, assign_whole, improve_whole, served_of, site_knapsacks


def columns(value: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of a dense (sites, rows) matrix; ``inf`` = absent."""
    site, row = np.nonzero(np.isfinite(value))
    cptr = np.concatenate([[0], np.cumsum(np.bincount(site, minlength=len(value)))])
    return cptr, row.astype(np.int32), value[site, row]


@pytest.mark.parametrize("seed", range(30))
def test_a_site_fills_its_room_with_what_gains_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    s, n = 4, int(rng.integers(1, 9))
    value = rng.integers(0, 20, (s, n)).astype(np.float64)
    value[rng.random((s, n)) < 0.2] = np.inf
    need, room = rng.integers(0, 6, n).astype(np.float64), rng.integers(0, 15, s).astype(np.float64)
    lam = rng.random(n) * 25
    cptr, crow, cval = columns(value)
    rho, rate, fill = np.empty(s), np.empty(s), np.empty(len(crow))
    site_knapsacks(cptr, crow, cval, need, room, lam, rho, rate, fill)
    for j in range(s):
        here = slice(cptr[j], cptr[j + 1])
        if cptr[j] == cptr[j + 1]:
            assert rho[j] == 0.0
            continue
        found = linprog(cval[here] - lam[crow[here]], need[None, crow[here]], [room[j]], bounds=(0, 1), method="highs")
        assert rho[j] == pytest.approx(found.fun, abs=1e-9)
        assert (fill[here] * need[crow[here]]).sum() <= room[j] + 1e-9
        # weak duality with the rate, and no gap
        priced = np.minimum(cval[here] - lam[crow[here]] + rate[j] * need[crow[here]], 0.0).sum() - rate[j] * room[j]
        assert priced == pytest.approx(rho[j], abs=1e-9)
    mask = rng.random(s) < 0.5
    served, use = np.empty(n), np.empty(len(crow))
    served_of(cptr, crow, fill, mask, served, use)
    assert np.allclose(served, np.bincount(crow, weights=use, minlength=n))
    assert np.array_equal(use > 0, (fill > 0) & np.repeat(mask, np.diff(cptr)))


@pytest.mark.parametrize("assign", [assign_whole, assign_in_turn])
@pytest.mark.parametrize("seed", range(20))
def test_whole_rows_stay_within_room_and_no_move_or_exchange_saves(seed: int, assign) -> None:
    rng = np.random.default_rng(seed)
    s, n = 3, 8
    value = rng.integers(0, 30, (s, n)).astype(np.float64)
    value[rng.random((s, n)) < 0.1] = np.inf
    need, room = rng.integers(1, 6, n).astype(np.float64), np.full(s, 12.0)
    idle = np.full(n, 40.0)
    where, complete = assign(value, idle, need, room, value)
    assert complete
    improve_whole(where, value, idle, need, room, 100)

    def cost(at: np.ndarray) -> float:
        load = np.bincount(at[at >= 0], weights=need[at >= 0], minlength=s)
        if np.any(load > room):
            return np.inf
        return float(sum(idle[i] if j == NO_SITE else value[j, i] for i, j in enumerate(at)))

    best = cost(where)
    assert np.isfinite(best)
    for i in range(n):
        for j in range(s):
            moved = where.copy()
            moved[i] = j
            assert cost(moved) >= best - 1e-6
        for h in range(n):
            if where[i] >= 0 and where[h] >= 0:
                swapped = where.copy()
                swapped[[i, h]] = swapped[[h, i]]
                assert cost(swapped) >= best - 1e-6


def test_a_row_without_a_place_that_must_have_one_is_said() -> None:
    where, complete = assign_whole(
        np.zeros((1, 2)), np.full(2, np.inf), np.full(2, 2.0), np.array([3.0]), np.zeros((1, 2))
    )
    assert not complete
    assert sorted(where) == [NO_SITE, 0]
