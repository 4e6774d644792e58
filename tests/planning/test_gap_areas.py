"""Points become contiguous areas that can be walked across, and areas call for centres."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.errors import InputError
from nearer.inputs.tables import Sites
from nearer.planning.gapareas import JOIN_M, across_m, contiguous, neighbour_m, outline
from nearer.planning.gapplaces import places_of
from nearer.planning.sizing import SERVED, Level, size_area

LEVEL = [Level("", 100.0)]


def grid(columns: int, rows: int, step: float = 100.0, at: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    x, y = np.meshgrid(np.arange(columns) * step + at[0], np.arange(rows) * step + at[1])
    return np.column_stack([x.ravel(), y.ravel()])


def parts_connected(xy: np.ndarray, join_m: float) -> bool:
    """Naive: spread from the first point until nothing is added."""
    seen, todo = {0}, [0]
    while todo:
        here = todo.pop()
        for other in np.flatnonzero(np.hypot(*(xy - xy[here]).T) <= join_m):
            if other not in seen:
                seen.add(int(other))
                todo.append(int(other))
    return len(seen) == len(xy)


def test_neighbours_are_one_area_and_those_apart_are_not() -> None:
    xy = np.array([[0.0, 0.0], [250.0, 0.0], [500.0, 0.0], [900.0, 0.0]])
    area = contiguous(xy, np.ones(4), 300.0, 5_000.0)
    assert area[0] == area[1] == area[2] != area[3]


def test_no_points_are_no_area() -> None:
    assert len(contiguous(np.zeros((0, 2)), np.zeros(0), 300.0, 2_000.0)) == 0


def test_two_crowds_joined_by_a_thin_row_are_two_areas_each_around_its_crowd() -> None:
    west, east = grid(5, 5), grid(5, 5, at=(4_000.0, 0.0))
    row = grid(36, 1, at=(500.0, 200.0))
    xy = np.concatenate([west, row, east])
    weight = np.concatenate([np.full(25, 50.0), np.full(36, 1.0), np.full(25, 40.0)])
    area = contiguous(xy, weight, 300.0, 3_000.0)
    assert len(set(area[:25])) == len(set(area[-25:])) == 1
    assert area[0] != area[-1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([500.0, 900.0, 2_000.0]))
def test_divided_areas_stay_contiguous(seed: int, widest_m: float) -> None:
    rng = np.random.default_rng(seed)
    xy = grid(20, 15)[rng.random(300) < 0.6] + 50.0  # one point a square, in its middle
    area = contiguous(xy, rng.random(len(xy)), 150.0, widest_m)
    assert sorted(set(area)) == list(range(area.max() + 1))
    for one in range(area.max() + 1):
        assert parts_connected(xy[area == one], 150.0)


def test_neighbours_are_300_m_apart_or_one_and_a_half_cells() -> None:
    assert neighbour_m(grid(4, 4), 100.0) == JOIN_M
    assert neighbour_m(grid(4, 4, 400.0), 400.0) == 600.0
    assert neighbour_m(grid(4, 4, 500.0), None) == pytest.approx(750.0)
    assert neighbour_m(np.zeros((1, 2)), None) == JOIN_M


def test_ground_of_square_cells_is_theirs_with_small_holes_filled() -> None:
    block = grid(4, 4)
    hole = block[~np.all(block == [100.0, 100.0], axis=1)]
    for xy in (block, hole):
        shape = outline(xy, JOIN_M, 100.0, None)
        assert shapely.area(shape) == pytest.approx(160_000, rel=0.1)
        assert shapely.covers(shape, shapely.points([100.0, 100.0]))


def test_cells_that_are_neighbours_make_one_piece() -> None:
    shape = outline(np.array([[0.0, 0.0], [300.0, 0.0], [300.0, 300.0]]), JOIN_M, 100.0, None)
    assert shape.geom_type == "Polygon"


def test_the_longest_line_of_a_rectangle_is_its_diagonal_and_of_a_row_its_length() -> None:
    assert across_m(grid(4, 5)) == 500.0
    assert across_m(grid(7, 1)) == 600.0
    assert across_m(np.zeros((1, 2))) == 0.0


def test_people_alone_say_the_least_number_of_centres() -> None:
    (one,) = size_area(np.zeros((1, 2)), np.array([250.0]), 1_000.0, LEVEL)
    assert (one.low, one.high) == (3, 3)
    (exact,) = size_area(np.zeros((1, 2)), np.array([200.0]), 1_000.0, LEVEL)
    assert (exact.low, exact.high) == (2, 2)


def test_extent_calls_for_more_where_one_centre_does_not_reach_all() -> None:
    xy = np.array([[0.0, 0.0], [3_000.0, 0.0], [6_000.0, 0.0]])
    (one,) = size_area(xy, np.array([20.0, 20.0, 20.0]), 1_000.0, LEVEL)
    assert (one.low, one.high) == (1, 3)


def test_a_last_farm_calls_for_no_centre_of_its_own() -> None:
    xy = np.array([[0.0, 0.0], [3_000.0, 0.0]])
    (one,) = size_area(xy, np.array([96.0, 4.0]), 1_000.0, LEVEL)
    assert (one.low, one.high) == (1, 1)
    (two,) = size_area(xy, np.array([94.0, 6.0]), 1_000.0, LEVEL)
    assert (two.low, two.high) == (1, 2)
    assert SERVED == 0.95


def test_each_level_has_a_range_of_its_own() -> None:
    found = size_area(np.zeros((1, 2)), np.array([900.0]), 1_000.0, [Level("small", 200), Level("large", 500)])
    assert [(one.level.name, one.low, one.high) for one in found] == [("small", 5, 5), ("large", 2, 2)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_the_least_number_never_passes_the_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy, lacking = rng.uniform(0, 4_000, (40, 2)), rng.uniform(0, 30, 40)
    for one in size_area(xy, lacking, 700.0, [Level("", 50.0), Level("", 400.0)]):
        assert 1 <= one.low <= one.high <= 40 + lacking.sum() / one.level.capacity


def _sites(rows: list[tuple[str, object, object]]) -> Sites:
    table = pd.DataFrame(
        {
            "id": [f"s{k}" for k in range(len(rows))],
            "status": [row[0] for row in rows],
            "capacity": [row[1] for row in rows],
            "level": [row[2] for row in rows],
        }
    )
    return Sites(table, file=np.full(len(rows), "venues.csv", dtype=object), row=np.arange(2, len(rows) + 2))


def test_a_site_is_for_its_own_word_else_its_level_else_the_standard() -> None:
    levels = [Level("small", 200.0), Level("large", 900.0)]
    rows = [
        ("existing", 50, "small"), ("existing", None, "small"), ("existing", "", ""), ("other", "70", None),
        ("candidate", None, "small"), ("candidate", None, ""), ("candidate", 300, ""), ("candidate", 5_000, "large"),
    ]  # fmt: skip
    places, n_stated = places_of(_sites(rows), 500.0, levels)
    assert places.tolist() == [50, 200, 500, 70, 200, 900, 300, 900]
    assert n_stated == 7
    places, n_stated = places_of(_sites(rows), 500.0)
    assert places.tolist() == [50, 500, 500, 70, 500, 500, 300, 5_000]
    assert n_stated == 4


def test_every_site_with_a_faulty_capacity_or_level_is_told() -> None:
    rows = [("existing", "many", ""), ("existing", -1, ""), ("candidate", None, "huge")]
    with pytest.raises(InputError) as caught:
        places_of(_sites(rows), 500.0, [Level("small", 200.0)])
    told = [(fault.file, fault.row, fault.column) for fault in caught.value.faults]
    assert told == [("venues.csv", 2, "capacity"), ("venues.csv", 3, "capacity"), ("venues.csv", 4, "level")]
