"""The p-median kernels against naive twins, compiled and not."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from nearer.kernels import moves
from nearer.kernels import pmedian as fast


def rows(seed: int, n: int = 30, m: int = 9, top: int = 12):
    """Sparse rows of whole costs below a cap, with a dense twin where ``inf`` is an absent pair."""
    rng = np.random.default_rng(seed)
    cap = rng.integers(2, top, n).astype(float)
    dense = rng.integers(0, top, (n, m)).astype(float)
    dense[dense >= cap[:, None]] = np.inf
    ptr, col, val = [0], [], []
    for row in dense:
        order = [j for j in np.lexsort((np.arange(m), row)) if np.isfinite(row[j])]
        col += order
        val += [row[j] for j in order]
        ptr.append(len(col))
    return np.array(ptr), np.array(col, dtype=np.int32), np.array(val), cap, dense


def cost(dense: np.ndarray, cap: np.ndarray, chosen: list[int]) -> float:
    return float(np.minimum(cap, dense[:, chosen].min(axis=1, initial=np.inf)).sum())


@pytest.mark.parametrize("seed", range(8))
def test_columns_hold_the_same_entries(seed: int) -> None:
    ptr, col, val, _, dense = rows(seed)
    cptr, crow, cval = fast.columns(ptr, col, val, dense.shape[1])
    again = np.full_like(dense, np.inf)
    for j in range(dense.shape[1]):
        again[crow[cptr[j] : cptr[j + 1]], j] = cval[cptr[j] : cptr[j + 1]]
    assert np.array_equal(again, dense)


@pytest.mark.parametrize("seed", range(8))
def test_lazy_greedy_opens_what_plain_greedy_opens(seed: int) -> None:
    ptr, col, val, cap, dense = rows(seed)
    m = dense.shape[1]
    naive: list[int] = []
    for _ in range(4):
        naive.append(min((j for j in range(m) if j not in naive), key=lambda j: (cost(dense, cap, [*naive, j]), j)))
    opened = fast.greedy(*fast.columns(ptr, col, val, m), cap, np.zeros(m), 4, 4)
    assert opened.tolist() == naive


@pytest.mark.parametrize("seed", range(8))
def test_swap_search_ends_where_no_swap_helps_and_saves_what_it_says(seed: int) -> None:
    ptr, col, val, cap, dense = rows(seed, n=60, m=14, top=40)
    m = dense.shape[1]
    mask = np.zeros(m, dtype=bool)
    mask[:4] = True
    table = moves.Table(ptr, col, val, *fast.columns(ptr, col, val, m), cap, np.zeros(m), 4, 4)
    plan, _ = moves.plan_of(table, mask)
    before = plan.d1.sum()
    assert before == cost(dense, cap, [0, 1, 2, 3])
    _, quiet, _, saved = moves.swap_search(table, plan, 0, 0, 1e-9, 10**9)
    chosen = np.flatnonzero(mask).tolist()
    after = cost(dense, cap, chosen)
    assert quiet == m
    assert len(chosen) == 4
    assert before - after == pytest.approx(saved)
    assert plan.d1.sum() == pytest.approx(after)
    for out in chosen:
        for come in set(range(m)) - set(chosen):
            assert cost(dense, cap, [come, *(j for j in chosen if j != out)]) >= after - 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_prices_and_serving_counts_match_their_definitions(seed: int) -> None:
    ptr, col, val, cap, dense = rows(seed)
    rng = np.random.default_rng(seed)
    lam = rng.random(len(cap)) * cap
    finite = np.where(np.isfinite(dense), dense, 1e9)
    assert np.allclose(
        fast.site_prices(ptr, col, val, lam, 0, len(cap), dense.shape[1]),
        np.minimum(0, finite - lam[:, None]).sum(axis=0),
    )
    chosen = rng.random(dense.shape[1]) < 0.5
    out = np.empty(len(cap))
    fast.times_served(*fast.columns(ptr, col, val, dense.shape[1]), lam, np.flatnonzero(chosen), out)
    assert np.array_equal(out, 1 - ((dense < lam[:, None]) & chosen).sum(axis=1))


@pytest.mark.parametrize("seed", range(8))
def test_costs_are_those_of_the_cheapest_open_site(seed: int) -> None:
    ptr, col, val, cap, dense = rows(seed)
    mask = np.random.default_rng(seed).random(dense.shape[1]) < 0.4
    expected = np.minimum(cap, np.where(mask, dense, np.inf).min(axis=1))
    assert np.array_equal(fast.costs(ptr, col, val, cap, mask), expected)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="already without compilation")
def test_the_same_holds_without_compilation() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__]
    result = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-2000:]


@pytest.mark.parametrize("seed", range(8))
def test_flips_keep_what_a_plan_comes_to(seed: int) -> None:
    ptr, col, val, cap, dense = rows(seed, n=40, m=12)
    rng = np.random.default_rng(seed)
    m = dense.shape[1]
    price = rng.integers(0, 9, m).astype(float)
    table = moves.Table(ptr, col, val, *fast.columns(ptr, col, val, m), cap, price, 0, m)
    mask = rng.random(m) < 0.3
    plan, _ = moves.plan_of(table, mask)
    for site in rng.integers(0, m, 60):
        before = plan.d1.sum() + price[mask].sum()
        more, _ = moves.flip(table, plan, site)
        again, _ = moves.plan_of(table, mask.copy())
        assert before + more == pytest.approx(again.d1.sum() + price[mask].sum())
        for kept, fresh in ((plan.d1, again.d1), (plan.a1, again.a1), (plan.d2, again.d2)):
            assert np.array_equal(kept, fresh)
        assert np.allclose(plan.loss, again.loss)
