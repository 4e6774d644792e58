"""Set cover without what is dominated: the same fewest sites, by brute force, and stopped at any point."""

from __future__ import annotations

from itertools import combinations, count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.model import FREE, Instance, single_phase
from nearer.progress import Stop
from nearer.study import domination
from nearer.study.domination import without_dominated
from nearer.units import BoolArray


def as_instance(covers: BoolArray) -> Instance:
    n, m = covers.shape
    site_idx = np.nonzero(covers)[1]
    indptr = np.concatenate([[0], np.cumsum(covers.sum(axis=1))])
    zeros, free = np.zeros(len(site_idx), dtype=np.int32), np.full(m, FREE)
    return single_phase(indptr, site_idx, zeros, np.ones(n), np.full(n, 2.0), free, 0, m, price=np.ones(m))


def fewest(covers: BoolArray, allowed: BoolArray, wanted: BoolArray) -> int:
    sites = np.flatnonzero(allowed)
    return next(
        k
        for k in range(len(sites) + 1)
        if any(covers[wanted][:, list(chosen)].any(axis=1).all() for chosen in combinations(sites, k))
    )


@st.composite
def coverings(draw: st.DrawFn) -> BoolArray:
    n, m = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    covers = np.array(draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m))).reshape(n, m)
    covers[~covers.any(axis=1), draw(st.integers(0, m - 1))] = True
    return covers


@settings(max_examples=200, deadline=None)
@given(covers=coverings(), stop_after=st.integers(0, 8))
def test_the_fewest_sites_stay_the_same_and_cover_all(covers: BoolArray, stop_after: int) -> None:
    n, m = covers.shape
    ticks = count()
    for stop in (None, Stop(stop_after, clock=lambda: float(next(ticks)))):
        smaller = without_dominated(as_instance(covers), stop)
        allowed, wanted = smaller.standing == FREE, smaller.weight[0] > 0
        best = fewest(covers, np.ones(m, dtype=bool), np.ones(n, dtype=bool))
        assert fewest(covers, allowed, wanted) == best
        for chosen in combinations(np.flatnonzero(allowed), best):
            if covers[wanted][:, list(chosen)].any(axis=1).all():
                assert covers[:, list(chosen)].any(axis=1).all()


def test_equal_sites_and_customers_leave_the_first() -> None:
    smaller = without_dominated(as_instance(np.ones((3, 3), dtype=bool)))
    assert (smaller.standing == FREE).tolist() == [True, False, False]
    assert smaller.weight.tolist() == [[1, 0, 0]]


def test_what_would_take_too_long_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = as_instance(np.ones((3, 3), dtype=bool))
    monkeypatch.setattr(domination, "_MOST_PRODUCTS", 8)
    assert without_dominated(instance) is instance


def test_comparing_in_parts_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    at = np.sort(np.random.default_rng(5).random(40))
    covers = np.abs(at[:, None] - at) < 0.1
    whole = without_dominated(as_instance(covers))
    monkeypatch.setattr(domination, "_PRODUCTS_AT_ONCE", 10)
    parts = without_dominated(as_instance(covers))
    assert (whole.standing.tolist(), whole.weight.tolist()) == (parts.standing.tolist(), parts.weight.tolist())
    assert np.count_nonzero(whole.standing == FREE) < 40
