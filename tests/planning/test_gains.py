"""Gains, losses and replacements against a naive twin that evaluates every plan from scratch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.model import FREE, OPEN, Instance, single_phase
from nearer.model.check import recompute_value
from nearer.planning.gains import compute_gains


def naive(instance: Instance, open_mask: np.ndarray) -> dict[int, tuple[int, float, float, int, float]]:
    """Site → place in the order, gain, loss, replacement, loss that remains with it."""
    opened = np.flatnonzero(open_mask & (instance.standing == FREE))
    spare = np.flatnonzero(~open_mask & (instance.standing == FREE))
    order, gains = [], []
    now = instance.standing == OPEN
    while len(order) < len(opened):
        value = recompute_value(instance, now)
        best, best_gain = -1, -1.0
        for j in opened:
            if j not in order:
                with_j = now.copy()
                with_j[j] = True
                gain = value - recompute_value(instance, with_j)
                if gain > best_gain:
                    best, best_gain = int(j), gain
        order.append(best)
        gains.append(best_gain)
        now[best] = True
    found = {}
    value = recompute_value(instance, open_mask)
    for place, j in enumerate(order):
        without = open_mask.copy()
        without[j] = False
        loss = recompute_value(instance, without) - value
        replacement, remaining = -1, loss
        for k in spare:
            swapped = without.copy()
            swapped[k] = True
            after = recompute_value(instance, swapped) - value
            if after < remaining:
                replacement, remaining = int(k), after
        found[j] = place, gains[place], loss, replacement, remaining
    return found


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 9))
def test_gains_agree_with_evaluating_every_plan(seed: int, n_rows: int, n_sites: int) -> None:
    rng = np.random.default_rng(seed)
    reach = rng.random((n_rows, n_sites)) < 0.6
    instance = single_phase(
        indptr=np.concatenate([[0], np.cumsum(reach.sum(axis=1))]),
        site_idx=np.nonzero(reach)[1],
        cost=rng.integers(0, 30, (n_rows, n_sites))[reach],
        weight=rng.integers(0, 9, n_rows).astype(float),
        unserved=np.full(n_rows, 25.0),
        standing=rng.choice([OPEN, FREE, FREE, -1], n_sites),
        open_min=0,
        open_max=n_sites,
    )
    open_mask = (instance.standing == OPEN) | ((instance.standing == FREE) & (rng.random(n_sites) < 0.5))
    gains = compute_gains(instance, open_mask)
    expected = naive(instance, open_mask)
    got = {
        int(j): (place, gains.gain[place], gains.loss[place], int(gains.replacement[place]), gains.replaced_loss[place])
        for place, j in enumerate(gains.site_idx)
    }
    assert got == expected


def test_gains_add_up_to_the_whole_saving() -> None:
    rng = np.random.default_rng(3)
    instance = single_phase(
        indptr=np.arange(0, 41 * 10, 10),
        site_idx=np.tile(np.arange(10), 40),
        cost=rng.random(400),
        weight=rng.random(40),
        unserved=np.full(40, 2.0),
        standing=np.array([OPEN, *[FREE] * 9]),
        open_min=4,
        open_max=4,
    )
    open_mask = np.arange(10) < 5
    saved = recompute_value(instance, instance.standing == OPEN) - recompute_value(instance, open_mask)
    assert compute_gains(instance, open_mask).gain.sum() == pytest.approx(saved)
