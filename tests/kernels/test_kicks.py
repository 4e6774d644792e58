"""Kicks: never worse, and what they say they saved is what they saved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.kernels import pmedian as kernels
from nearer.kernels.kicks import kick_search
from nearer.kernels.moves import Table
from nearer.units import BoolArray, FloatArray, IntArray

Case = tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]


def made(seed: int, n: int, m: int, priced: bool) -> Case:
    """Rows with some sites each, sorted by cost; caps above them; prices."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, m + 1, n)
    ptr = np.concatenate([[0], np.cumsum(counts)])
    col = np.concatenate([rng.permutation(m)[:k] for k in counts]).astype(np.int32)
    val = np.concatenate([np.sort(rng.integers(0, 20, k)) for k in counts]).astype(float)
    price = rng.integers(0, 15, m).astype(float) if priced else np.zeros(m)
    return ptr, col, val, np.full(n, 25.0), price


def total(case: Case, opened: BoolArray) -> float:
    ptr, col, val, cap, price = case
    return float(kernels.costs(ptr, col, val, cap, opened).sum() + price[opened].sum())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 9), st.booleans(), st.data())
def test_what_kicks_save_is_told_and_the_number_of_sites_stays_allowed(
    seed: int, m: int, priced: bool, data: st.DataObject
) -> None:
    case = made(seed, 14, m, priced)
    ptr, col, val, cap, price = case
    low = data.draw(st.integers(1, m - 1))
    high = data.draw(st.integers(low, m))
    opened = np.isin(np.arange(m), np.random.default_rng(seed).permutation(m)[:low])
    before = total(case, opened)
    twin = kernels.columns(ptr, col, val, m)
    saved, kicks, _ = kick_search(Table(ptr, col, val, *twin, cap, price, low, high), opened, seed, 1e-9, 3_000)
    assert kicks > 0
    assert total(case, opened) == pytest.approx(before - saved)
    assert saved >= 0
    assert low <= opened.sum() <= high


def test_kicks_leave_a_poor_local_optimum() -> None:
    """Points on a line in two heaps, all sites in the wrong one: single swaps and kicks find the way."""
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(0, 10, 40), rng.uniform(100, 110, 40)])
    cost = np.abs(x[:, None] - x[None, :])
    order = np.argsort(cost, axis=1, kind="stable")
    ptr = np.arange(0, 80 * 80 + 1, 80)
    case: Case = (
        ptr,
        order.ravel().astype(np.int32),
        np.take_along_axis(cost, order, 1).ravel(),
        np.full(80, 500.0),
        np.zeros(80),
    )
    opened = np.arange(80) < 6
    twin = kernels.columns(*case[:3], 80)
    before = total(case, opened)
    for seed in range(5):
        kick_search(Table(*case[:3], *twin, *case[3:], 6, 6), opened, seed, 1e-9, 200_000)
    assert opened.sum() == 6
    assert opened[:40].sum() == opened[40:].sum() == 3
    assert total(case, opened) < before / 10


def test_the_same_seed_kicks_the_same_way() -> None:
    case = made(3, 60, 20, False)
    twin = kernels.columns(*case[:3], 20)
    plans = []
    for _ in range(2):
        opened = np.arange(20) < 7
        kick_search(Table(*case[:3], *twin, *case[3:], 7, 7), opened, 5, 1e-9, 50_000)
        plans.append(opened)
    assert np.array_equal(*plans)
