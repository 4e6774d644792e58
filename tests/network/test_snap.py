"""Points joined to the nearest place on a street."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from nearer.network.snap import NOT_JOINED, snap, snap_xy
from nearer.units import UNREACHED

from .streets import KMH, PLANE, graph_xy, random_graph


def cross():
    """A street from west to east with a motorway just north of it."""
    return graph_xy(
        [(0, 0), (100, 0), (100, 20), (0, 20)], [(0, 1, KMH, KMH), (2, 3, KMH, KMH, "motorway"), (1, 2, KMH, KMH)]
    )


def snap_one(graph, x, y, cap_m, **more):
    return snap_xy(graph, np.array([float(x)]), np.array([float(y)]), cap_m, **more)


def test_a_point_joins_beside_itself_and_not_at_the_next_node():
    joined = snap_one(cross(), 30, -8, 500, access_kmh=4.8)
    assert joined.segment_idx.tolist() == [0]
    assert joined.fraction[0] == pytest.approx(0.3)
    assert (joined.x[0], joined.y[0], joined.distance_m[0]) == pytest.approx((30, 0, 8), abs=1e-3)
    assert joined.access_ms.tolist() == [6_000]  # 8 m at 4.8 km/h


def test_a_motorway_next_door_is_not_joined():
    joined = snap_one(cross(), 30, 18, 500)
    assert joined.segment_idx.tolist() == [0]
    assert joined.distance_m[0] == pytest.approx(18, abs=1e-3)


def test_the_cap_itself_is_still_near_enough():
    graph = cross()
    reach = snap_one(graph, 103, -4, 500).distance_m[0]
    assert snap_one(graph, 103, -4, reach).segment_idx.tolist() == [0]
    beyond = snap_one(graph, 103, -4, np.nextafter(reach, 0) - 1e-9)
    assert beyond.segment_idx.tolist() == [NOT_JOINED]
    assert beyond.access_ms.tolist() == [UNREACHED]
    assert np.isinf(beyond.distance_m[0])
    assert np.isnan(beyond.x[0])


def test_ties_go_to_the_lowest_segment():
    star = graph_xy([(0, 0), (50, 0), (0, 50), (-50, 0)], [(0, 1, KMH, KMH), (2, 0, KMH, KMH), (0, 3, KMH, KMH)])
    node = int(np.flatnonzero((np.abs(star.x) < 1) & (np.abs(star.y) < 1))[0])
    joined = snap_one(star, star.x[node], star.y[node] - 30, 500)
    assert (joined.segment_idx.tolist(), joined.fraction.tolist()) == ([0], [0.0])


def test_far_beyond_the_streets_the_nearest_is_still_found():
    joined = snap_one(cross(), 5_000, -20_000, 1e6)
    assert (joined.segment_idx.tolist(), joined.fraction.tolist()) == ([0], [1.0])
    assert joined.distance_m[0] == pytest.approx(np.hypot(4_900, 20_000), rel=1e-6)


def test_coordinates_in_degrees_join_alike():
    graph = cross()
    lon, lat = PLANE.to_lonlat(np.array([30.0]), np.array([-8.0]))
    by_degrees, by_metres = snap(graph, lon, lat, 500), snap_one(graph, 30, -8, 500)
    assert by_degrees.segment_idx.tolist() == by_metres.segment_idx.tolist()
    assert by_degrees.distance_m[0] == pytest.approx(by_metres.distance_m[0], abs=1e-6)


def test_no_points_and_no_streets_to_join_are_fine():
    assert snap(cross(), np.zeros(0), np.zeros(0), 500).n == 0
    motorway = graph_xy([(0, 0), (100, 0)], [(0, 1, KMH, KMH, "motorway")])
    assert snap_one(motorway, 0, 0, 500).segment_idx.tolist() == [NOT_JOINED]


@pytest.mark.parametrize("seed", range(8))
def test_random_points_join_where_shapely_says(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 25)
    x, y = rng.uniform(-8_000, 8_000, (2, 120))
    cap_m = float(rng.choice([300.0, 1_500.0, 20_000.0]))
    joined = snap_xy(graph, x, y, cap_m)
    lines = shapely.linestrings(
        np.stack(
            [
                np.stack([graph.x[graph.from_idx], graph.y[graph.from_idx]], axis=1),
                np.stack([graph.x[graph.to_idx], graph.y[graph.to_idx]], axis=1),
            ],
            axis=1,
        )
    )
    away = shapely.distance(shapely.points(x, y)[:, None], lines[None, :])
    near = away.min(axis=1) <= cap_m
    np.testing.assert_array_equal(joined.joined_mask, near)
    np.testing.assert_allclose(joined.distance_m[near], away.min(axis=1)[near], atol=1e-6)
    mine = joined.segment_idx[near]
    np.testing.assert_allclose(away[near, mine], away.min(axis=1)[near], atol=1e-6)
    on_line = shapely.line_interpolate_point(lines[mine], joined.fraction[near], normalized=True)
    np.testing.assert_allclose(shapely.get_x(on_line), joined.x[near], atol=1e-6)
    np.testing.assert_allclose(shapely.get_y(on_line), joined.y[near], atol=1e-6)
