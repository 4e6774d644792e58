"""What is read as homes, residential ground and boundaries."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from nearer.errors import InputError
from nearer.inputs.landuse import Ground, is_elsewhere, is_home, n_floors, read_boundaries, read_ground

from .handmade_town import PLANE, Town


def ground_of(town: Town, folder: Path) -> Ground:
    return read_ground(town.write(folder), name="town.osm")


def middles(ground: Ground) -> set[tuple[int, int]]:
    points = ground.homes.to_crs(PLANE.crs).centroid
    return {(round(point.x), round(point.y)) for point in points}


@pytest.mark.parametrize(
    "tags",
    [
        {"building": "yes"},
        {"building": "yes", "name": "Haus zur Linde", "addr:housenumber": "3"},
        {"building": "house"},
        {"building": "apartments", "shop": "bakery"},
        {"building": "farm"},
        {"building": "yes", "building:use": "residential", "office": "yes"},
        {"building": "yes", "shop": "no"},
    ],
)
def test_a_building_is_a_home_unless_its_tags_speak_against_it(tags: dict[str, str]) -> None:
    assert is_home(tags)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"building": "no"},
        {"building": "school"},
        {"building": "church"},
        {"building": "industrial"},
        {"building": "commercial"},
        {"building": "barn"},
        {"building": "garage"},
        {"building": "hut"},
        {"building": "yes", "amenity": "school"},
        {"building": "yes", "amenity": "place_of_worship"},
        {"building": "yes", "shop": "supermarket"},
        {"building": "yes", "tourism": "hotel"},
        {"building": "yes", "power": "substation"},
        {"building": "yes", "building:use": "equestrian"},
    ],
)
def test_schools_churches_work_and_sheds_are_no_homes(tags: dict[str, str]) -> None:
    assert not is_home(tags)


@pytest.mark.parametrize(
    ("tags", "floors"),
    [
        ({"building:levels": "3"}, 3.0),
        ({"building:levels": "2.5"}, 2.5),
        ({}, math.nan),
        ({"building:levels": "2;3"}, math.nan),
        ({"building:levels": "0"}, math.nan),
        ({"building:levels": "1000"}, math.nan),
        ({"building:levels": "nan"}, math.nan),
    ],
)
def test_floors_are_taken_only_where_believable(tags: dict[str, str], floors: float) -> None:
    np.testing.assert_equal(n_floors(tags), floors)


def test_work_water_woods_and_school_grounds_are_lived_on_by_nobody() -> None:
    for tags in ({"landuse": "industrial"}, {"natural": "water"}, {"landuse": "forest"}, {"amenity": "school"}):
        assert is_elsewhere(tags)
    for tags in ({"landuse": "residential"}, {"landuse": "retail"}, {"leisure": "nature_reserve"}, {}):
        assert not is_elsewhere(tags)


def test_buildings_on_the_grounds_of_schools_and_works_are_left_out(tmp_path: Path) -> None:
    town = Town()
    town.box(0, 0, 100, 100, amenity="school")
    town.box(200, 0, 100, 100, landuse="industrial")
    town.box(400, 0, 100, 100, landuse="residential")
    town.box(600, 0, 100, 100, landuse="meadow")
    for x in (50, 250, 450, 650):
        town.house(x, 50, building="yes")
    assert middles(ground_of(town, tmp_path)) == {(450, 50), (650, 50)}


def test_a_church_mapped_as_a_point_inside_an_outline_makes_it_no_home(tmp_path: Path) -> None:
    town = Town()
    town.house(0, 0)
    town.node(1, 1, amenity="place_of_worship")
    town.house(100, 0)
    town.node(101, 1, amenity="restaurant")  # flats above
    town.node(150, 0, amenity="place_of_worship")  # beside
    assert middles(ground_of(town, tmp_path)) == {(100, 0)}


def test_a_home_with_a_courtyard_is_assembled_from_its_rings(tmp_path: Path) -> None:
    town = Town()
    outer, inner = town.box(0, 0, 40, 40), town.box(10, 10, 20, 20)
    town.relation([(outer, "outer"), (inner, "inner")], type="multipolygon", building="apartments")
    ground = ground_of(town, tmp_path)
    assert ground.homes.to_crs(PLANE.crs).area.tolist() == pytest.approx([1200.0], rel=1e-3)


def test_a_way_with_building_and_highway_missing_nodes_keeps_what_is_there(tmp_path: Path) -> None:
    town = Town()
    refs = [town.node(0, 0), town.node(100, 0), 999]
    town.way_of(refs, highway="residential")
    town.way_of([999, refs[0]], highway="residential")
    town.way_of([*refs, refs[0]], building="house")
    ground = ground_of(town, tmp_path)
    assert ground.home_streets.to_crs(PLANE.crs).length.tolist() == pytest.approx([100.0], abs=0.1)
    assert len(ground.homes) == 0


def test_streets_are_told_apart_by_whether_people_live_along_them(tmp_path: Path) -> None:
    town = Town()
    for y, kind in enumerate(
        ("residential", "living_street", "tertiary", "unclassified", "track", "service", "motorway")
    ):
        town.line((0, y * 50), (100, y * 50), highway=kind)
    town.line((0, -50), (100, -50), highway="residential", tunnel="yes")
    ground = ground_of(town, tmp_path)
    assert (len(ground.home_streets), len(ground.roads)) == (2, 2)


def test_boundaries_are_assembled_from_relations_sorted_and_of_one_level(tmp_path: Path) -> None:
    town = Town()
    corners = [town.node(*at) for at in ((0, 0), (100, 0), (100, 100), (0, 100))]
    east = town.way_of(corners[:3])
    west = town.way_of([corners[2], corners[3], corners[0]])
    town.relation(
        [(east, "outer"), (west, "outer")], type="boundary", boundary="administrative", admin_level="8", name="B"
    )
    ring = town.box(200, 0, 50, 50)
    town.relation([(ring, "outer")], type="boundary", boundary="administrative", admin_level="8", name="A")
    town.relation([(ring, "outer")], type="boundary", boundary="administrative", admin_level="6", name="C")
    town.relation([(east, "outer")], type="boundary", boundary="administrative", admin_level="8", name="cut off")
    found = read_boundaries(town.write(tmp_path), 8, name="town.osm")
    assert found["name"].tolist() == ["A", "B"]
    assert found.to_crs(PLANE.crs).area.tolist() == pytest.approx([2500.0, 10_000.0], rel=1e-3)


def test_an_extract_cut_short_is_a_fault_of_that_file(tmp_path: Path) -> None:
    path = tmp_path / "town.osm"
    path.write_text('<osm version="0.6"><node id="1" lon="9" lat="47"/><way id="1">', encoding="utf-8")
    with pytest.raises(InputError, match=r"town\.osm"):
        read_ground(path, name="town.osm")
    with pytest.raises(InputError, match=r"gone\.osm"):
        read_boundaries(tmp_path / "gone.osm", 8, name="gone.osm")


def test_an_extract_without_anything_built_gives_empty_ground(tmp_path: Path) -> None:
    town = Town()
    town.node(0, 0, place="village")
    ground = ground_of(town, tmp_path)
    assert [len(part) for part in vars(ground).values()] == [0] * 6
