"""The floating catchment, by hand, against a naive twin, and what it must conserve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.network import TravelTimes
from nearer.planning.catchment import ZONE_WEIGHTS, Decay, decay_weight, floating_catchment

M = 60_000
WITHIN = 15 * M


def times(minutes: list[list[float | None]], limit_min: float = 30.0) -> TravelTimes:
    triples = [(i, j, round(t * M)) for i, row in enumerate(minutes) for j, t in enumerate(row) if t is not None]
    point, site, time_ms = (np.array(column, dtype=np.int64) for column in zip(*triples, strict=True))
    return TravelTimes.from_pairs(point, site, time_ms, len(minutes), len(minutes[0]), round(limit_min * M))


def caught(need: list[float], minutes: list[list[float | None]], places: list[float], is_open: list[bool], **more):
    n = len(places)
    return floating_catchment(
        np.array([need]), [times(minutes)], np.array(places), np.array(is_open), np.ones(n, bool), WITHIN, **more
    )


def test_two_centres_and_three_points_by_hand() -> None:
    # centre 0 is for 100 and reaches points 0 and 1 (200 people): half a place each
    # centre 1 is for 100 and reaches points 1 and 2 (400 people): a quarter of a place each
    found = caught([100, 100, 300], [[5, None], [10, 10], [20, 15]], [100, 100], [True, True])
    assert found.demand.tolist() == [200, 400]
    assert found.ratio.tolist() == [0.5, 0.25]
    assert found.supply[0].tolist() == [0.5, 0.75, 0.25]
    assert found.count[0].tolist() == [1, 2, 1]
    assert found.lacking[0].tolist() == [50, 25, 225]


def test_a_catchment_ends_exactly_at_its_minutes() -> None:
    found = caught([10, 10], [[15], [15 + 1 / M]], [10], [True])
    assert found.supply[0].tolist() == [1, 0]
    assert found.count[0].tolist() == [1, 0]


def test_candidates_take_no_part_until_they_open_but_know_their_catchment() -> None:
    found = caught([100], [[5, 5]], [50, 70], [True, False])
    assert found.supply[0].tolist() == [0.5]
    assert found.ratio.tolist() == [0.5, 0.7]


def test_plenty_in_one_place_does_not_make_up_for_want_in_another() -> None:
    found = caught([10, 10], [[5], [None]], [100], [True])
    assert found.supply[0].tolist() == [10, 0]
    assert found.lacking[0].tolist() == [0, 10]


def test_classes_of_people_share_the_same_places_at_their_own_speed() -> None:
    need = np.array([[60.0], [40.0]])
    slow = times([[20]])
    found = floating_catchment(
        need, [times([[10]]), slow], np.array([30.0]), np.array([True]), np.array([True]), WITHIN
    )
    assert found.supply.tolist() == [[0.5], [0.0]], "the slow ones do not reach it and do not crowd it"


@pytest.mark.parametrize(("minutes", "weight"), [(0, 1), (5, 1), (5.001, 0.68), (10, 0.68), (10.001, 0.22), (15, 0.22)])
def test_thirds_of_the_minutes_weigh_as_published(minutes: float, weight: float) -> None:
    assert decay_weight(np.array([round(minutes * M)]), WITHIN, "slow")[0] == weight
    assert decay_weight(np.array([WITHIN + 1]), WITHIN, "slow")[0] == 0


def test_decay_by_hand() -> None:
    # 100 · 1 + 100 · 0.22 = 122 weighted people; the far ones get 0.22 of the ratio
    found = caught([100, 100], [[4], [14]], [61], [True], decay="slow")
    assert found.demand.tolist() == [122]
    assert found.supply[0] == pytest.approx([0.5, 0.11])


@st.composite
def towns(draw: st.DrawFn):
    n, m = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    need = draw(st.lists(st.integers(0, 500), min_size=2 * n, max_size=2 * n))
    minute = st.one_of(st.none(), st.integers(0, 29))
    rows = [draw(st.lists(minute, min_size=m, max_size=m)) for _ in range(2 * n)]
    places = draw(st.lists(st.integers(0, 900), min_size=m, max_size=m))
    is_open = draw(st.lists(st.booleans(), min_size=m, max_size=m))
    return np.array(need, float).reshape(2, n), rows, np.array(places, float), np.array(is_open)


def _class_times(rows, n, m):
    found = []
    for part in (rows[:n], rows[n:]):
        pairs = [(i, j, t * M) for i, row in enumerate(part) for j, t in enumerate(row) if t is not None]
        point, site, time_ms = (np.array(c, dtype=np.int64) for c in (zip(*pairs, strict=True) if pairs else ([],) * 3))
        found.append(TravelTimes.from_pairs(point, site, time_ms, n, m, 30 * M))
    return found


@settings(max_examples=150, deadline=None)
@given(towns(), st.sampled_from(["none", "slow", "sharp"]))
def test_what_centres_offer_is_neither_lost_nor_made(town, decay: Decay) -> None:
    need, rows, places, is_open = town
    n, m = need.shape[1], len(places)
    found = floating_catchment(need, _class_times(rows, n, m), places, is_open, np.ones(m, bool), WITHIN, decay)
    reached = is_open & (found.demand > 0)
    assert (need * found.supply).sum() == pytest.approx(places[reached].sum(), rel=1e-12, abs=1e-9)
    assert (found.lacking >= 0).all()
    assert (found.lacking <= need).all()


@settings(max_examples=100, deadline=None)
@given(towns(), st.sampled_from(["none", "slow", "sharp"]))
def test_the_catchment_is_that_of_its_definition(town, decay: Decay) -> None:
    need, rows, places, is_open = town
    n, m = need.shape[1], len(places)
    found = floating_catchment(need, _class_times(rows, n, m), places, is_open, np.ones(m, bool), WITHIN, decay)

    def f(c: int, i: int, j: int) -> float:
        t = rows[c * n + i][j]
        return 0.0 if t is None or t > 15 else ZONE_WEIGHTS[decay][0 if t <= 5 else 1 if t <= 10 else 2]

    for c in range(2):
        for i in range(n):
            supply = 0.0
            for j in np.flatnonzero(is_open):
                demand = sum(need[d, k] * f(d, k, j) for d in range(2) for k in range(n))
                supply += places[j] / demand * f(c, i, j) if demand else 0.0
            assert found.supply[c, i] == pytest.approx(supply, rel=1e-12)
            assert found.count[c, i] == sum(f(c, i, j) > 0 for j in np.flatnonzero(is_open))


@settings(max_examples=60, deadline=None)
@given(towns())
def test_another_open_centre_leaves_nobody_worse_off(town) -> None:
    need, rows, places, is_open = town
    n, m = need.shape[1], len(places)
    class_times = _class_times(rows, n, m)
    before = floating_catchment(need, class_times, places, is_open, np.ones(m, bool), WITHIN)
    for site in np.flatnonzero(~is_open):
        more = is_open | (np.arange(m) == site)
        after = floating_catchment(need, class_times, places, more, np.ones(m, bool), WITHIN)
        assert (after.lacking <= before.lacking + 1e-9).all()
