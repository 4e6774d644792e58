"""Candidates along streets."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from nearer.inputs.generate import candidates_along
from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import STREET_CLASSES, Streets

PLANE = LocalPlane(9.5, 47.1)
MINOR, MOTORWAY, FERRY = (STREET_CLASSES.index(name) for name in ("minor", "motorway", "ferry"))


def streets_of(lines: list[list[tuple[float, float]]], classes: list[int] | None = None) -> Streets:
    """Streets from corners in metres around the plane's centre; way k is called "Street k"."""
    corners = np.array([corner for line in lines for corner in line], dtype=float)
    lon, lat = PLANE.to_lonlat(corners[:, 0], corners[:, 1])
    start = np.cumsum([0, *(len(line) for line in lines)])
    from_idx = np.concatenate([np.arange(a, b - 1) for a, b in pairwise(start.tolist())])
    way = np.concatenate([np.full(len(line) - 1, k) for k, line in enumerate(lines)])
    kmh = np.full(len(way), 4.8, dtype=np.float32)
    kinds = np.array(classes or [MINOR] * len(lines), dtype=np.uint8)[way]
    names = tuple(f"Street {k}" for k in range(len(lines)))
    return Streets(lon, lat, from_idx, from_idx + 1, kmh, kmh, way, kinds, names, "walk")


def lines_of(streets: Streets) -> np.ndarray:
    ends = [np.column_stack((streets.lon[idx], streets.lat[idx])) for idx in (streets.from_idx, streets.to_idx)]
    return np.asarray(shapely.linestrings(np.stack(ends, axis=1)))


corner = st.tuples(st.integers(-800, 800), st.integers(-800, 800))
line = st.lists(corner, min_size=2, max_size=5)


@settings(max_examples=25, deadline=None)
@given(st.lists(line, min_size=1, max_size=6), st.sampled_from([50.0, 137.0, 400.0]))
def test_candidates_lie_on_streets_apart_from_each_other_and_near_every_street(
    lines: list[list[tuple[float, float]]], spacing: float
) -> None:
    streets = streets_of(lines)
    made = candidates_along(streets, spacing)
    again = candidates_along(streets, spacing)
    assert made.equals(again)
    assert made["id"].tolist() == [f"g{k + 1}" for k in range(len(made))]
    points = shapely.points(made["lon"], made["lat"])
    segments = lines_of(streets)
    nearest = np.array([shapely.distance(segments, point).min() for point in points])
    assert nearest.max() < 1e-9
    xy = np.column_stack(PLANE.to_xy(made["lon"].to_numpy(), made["lat"].to_numpy()))
    apart = cdist(xy, xy) + np.where(np.eye(len(xy)), np.inf, 0)
    assert apart.min() > spacing * 0.999  # planes around different centres differ a little
    ends = np.column_stack(PLANE.to_xy(streets.lon, streets.lat))
    # At most half a tenth of the spacing lies between a street's end and the first place looked at.
    assert cdist(ends, xy).min(axis=1).max() <= spacing * 1.0501


def test_names_come_from_the_street_and_numbers_run_from_the_north_west() -> None:
    made = candidates_along(streets_of([[(0, 0), (1000, 0)], [(0, 600), (1000, 600)]]), 250)
    assert made["name"].tolist()[0] == "Street 1"
    assert made["name"].tolist()[-1] == "Street 0"
    upper = made[made["name"] == "Street 1"]
    assert upper["lon"].is_monotonic_increasing
    assert len(upper) == 4


def test_motorways_and_ferries_are_passed_over() -> None:
    lines = [[(0, 0), (1000, 0)], [(0, 600), (1000, 600)], [(0, -600), (1000, -600)]]
    assert set(candidates_along(streets_of(lines, [MOTORWAY, MINOR, FERRY]), 100)["name"]) == {"Street 1"}
    assert not len(candidates_along(streets_of(lines[:1], [MOTORWAY]), 100))


def test_places_outside_bounds_and_ground_are_passed_over() -> None:
    streets = streets_of([[(-1000, 0), (1000, 0)], [(0, -1000), (0, 1000)]])
    west, east = PLANE.to_lonlat(np.array([-500.0, 500.0]), np.array([-500.0, 500.0]))[0]
    south, north = PLANE.to_lonlat(np.array([-500.0, 500.0]), np.array([-500.0, 500.0]))[1]
    inside = candidates_along(streets, 100, bounds=(west, south, east, north))
    assert inside["lon"].between(west, east).all()
    assert inside["lat"].between(south, north).all()
    ground = candidates_along(streets, 100, ground=shapely.box(west, south, east, north))
    assert ground.equals(inside)
    assert not len(candidates_along(streets, 100, bounds=(0, 0, 1, 1)))
