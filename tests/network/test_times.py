"""Sparse rows of times, and times without streets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.errors import InputError
from nearer.inputs.geo import LocalPlane
from nearer.network.straight import straight_times, table_times
from nearer.network.times import Packing, TravelTimes, scaled

from .oracle import pairs_of
from .streets import PLANE

triples = st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 4)), st.integers(0, 2_000), max_size=30)


def from_dict(pairs, limit_ms=1_000, n_points=6, n_sites=5):
    keys = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    time_ms = np.array(list(pairs.values()), dtype=np.int64)
    return TravelTimes.from_pairs(keys[:, 0], keys[:, 1], time_ms, n_points, n_sites, limit_ms)


@settings(deadline=None)
@given(triples)
def test_rows_are_sorted_by_time_then_site_and_cut_at_the_limit(pairs):
    times = from_dict(pairs)
    for i in range(6):
        row = slice(times.indptr[i], times.indptr[i + 1])
        expected = sorted((ms, j) for (p, j), ms in pairs.items() if p == i and ms <= 1_000)
        assert list(zip(times.time_ms[row], times.site_idx[row], strict=True)) == expected
    assert (times.indptr.dtype, times.site_idx.dtype, times.time_ms.dtype) == (np.int64, np.int32, np.int32)


@settings(deadline=None)
@given(triples)
def test_packed_and_unpacked_sorting_agree(pairs):
    packed = from_dict(pairs)
    fits = Packing.fits
    try:
        Packing.fits = staticmethod(lambda *_: False)
        loose = from_dict(pairs)
    finally:
        Packing.fits = staticmethod(fits)
    for name in ("indptr", "site_idx", "time_ms"):
        np.testing.assert_array_equal(getattr(packed, name), getattr(loose, name))


def test_a_pair_of_the_largest_numbers_survives_packing():
    n_points, n_sites, limit_ms = 2_000_000, 20_000, 36_000_000
    one = np.array([n_points - 1]), np.array([n_sites - 1]), np.array([limit_ms])
    assert Packing.fits(n_points, n_sites, limit_ms)
    assert pairs_of(TravelTimes.from_pairs(*one, n_points, n_sites, limit_ms)) == {
        (n_points - 1, n_sites - 1): limit_ms
    }


@settings(deadline=None)
@given(triples, st.floats(0.3, 3.0))
def test_scaling_rounds_to_the_millisecond_and_sorts_again(pairs, factor):
    slow = scaled(from_dict(pairs, 2_000), factor, 1_500)
    expected = {pair: round(ms * factor) for pair, ms in pairs.items() if round(ms * factor) <= 1_500}
    assert pairs_of(slow) == expected
    for i in range(6):
        row = slice(slow.indptr[i], slow.indptr[i + 1])
        order = list(zip(slow.time_ms[row], slow.site_idx[row], strict=True))
        assert order == sorted(order)


def test_scaling_by_one_keeps_everything():
    times = from_dict({(0, 1): 0, (2, 3): 999})
    assert pairs_of(scaled(times, 1.0, 1_000)) == pairs_of(times)


@pytest.mark.parametrize("seed", range(4))
def test_straight_times_agree_with_all_distances(seed, monkeypatch):
    monkeypatch.setattr("nearer.network.straight.PAIRS_PER_CHUNK", 50)
    rng = np.random.default_rng(seed)
    (px, py), (sx, sy) = rng.uniform(-2_000, 2_000, (2, 40)), rng.uniform(-2_000, 2_000, (2, 9))
    limit_ms = 20 * 60_000
    times = straight_times(*PLANE.to_lonlat(px, py), *PLANE.to_lonlat(sx, sy), PLANE, 4.8, 1.3, limit_ms)
    expected = np.rint(np.hypot(px[:, None] - sx, py[:, None] - sy) * 1.3 / (4.8 / 3.6) * 1_000)
    found = pairs_of(times)
    for i in range(40):
        for j in range(9):
            if abs(expected[i, j] - limit_ms) > 1:  # projecting there and back costs micrometres
                assert ((i, j) in found) == (expected[i, j] <= limit_ms)
            assert abs(found.get((i, j), expected[i, j]) - expected[i, j]) <= 1


def test_a_straight_limit_is_inclusive_and_zero_is_a_time():
    plane = LocalPlane(0.0, 0.0)
    lon, lat = plane.to_lonlat(np.array([0.0, 80.0]), np.zeros(2))
    times = straight_times(lon, lat, lon[:1], lat[:1], plane, 4.8, 1.0, 60_000)
    assert pairs_of(times) == {(0, 0): 0, (1, 0): 60_000}
    assert straight_times(lon, lat, lon[:0], lat[:0], plane, 4.8, 1.0, 60_000).n_pairs == 0


def ids(*names):
    return pd.Series(names, dtype=object)


def test_of_repeated_pairs_the_least_counts_and_beyond_the_limit_is_absent():
    table = pd.DataFrame(
        [("a", "x", 12.0), ("a", "x", 7.5), ("b", "x", 30.0), ("b", "y", 30.001), ("a", "y", 0.0)],
        columns=["from", "to", "minutes"],
    )
    times = table_times(table, ids("a", "b", "c"), ids("x", "y"), 30 * 60_000)
    assert pairs_of(times) == {(0, 0): 450_000, (1, 0): 1_800_000, (0, 1): 0}


def test_every_minute_that_is_no_time_is_reported_with_its_row():
    table = pd.DataFrame(
        [("a", "x", 1.0), ("a", "z", -1.0), ("a", "x", np.nan), *[("a", "x", np.inf)] * 8],
        columns=["from", "to", "minutes"],
    )
    with pytest.raises(InputError) as caught:
        table_times(table, ids("a"), ids("x"), 60_000, file="minutes.csv")
    faults = caught.value.faults
    assert [(f.column, f.row) for f in faults[:3]] == [("minutes", 3), ("minutes", 4), ("minutes", 5)]
    assert "5 more rows" in str(faults[-1])
    assert all(f.file == "minutes.csv" for f in faults)


def test_ids_that_the_study_does_not_have_are_passed_over():
    table = pd.DataFrame([("q", "x", 1.0), ("a", "z", 1.0), ("a", "x", 0.5)], columns=["from", "to", "minutes"])
    assert pairs_of(table_times(table, ids("a"), ids("x"), 60_000)) == {(0, 0): 30_000}
