"""People spread over the ground they live on."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from nearer.errors import InputError
from nearer.inputs.geo import WGS84
from nearer.inputs.spread import DENSE_SHARE, dense_cells, share_out, share_within, spread_people
from nearer.inputs.tables import People

from .handmade_town import PLANE, Town


def areas(*boxes: tuple[float, float, float, float], **columns: list[object]) -> gpd.GeoDataFrame:
    """Polygons from (west, south, east, north) in metres; named a, b, … with 100 people each unless told."""
    shapes = gpd.GeoSeries([shapely.box(*box) for box in boxes], crs=PLANE.crs).to_crs(WGS84)
    table = {"name": list("abcdef"[: len(boxes)]), "population": [100] * len(boxes)} | columns
    return gpd.GeoDataFrame(table, geometry=shapes)


def spread(polygons: gpd.GeoDataFrame, town: Town, folder: Path, **more: object) -> People:
    given_more = {"total": "population", "groups": {}, "cell_m": 100.0} | more
    return spread_people(polygons, town.write(folder), name="areas.geojson", osm_name="town.osm", **given_more)


def placed(people: People) -> pd.DataFrame:
    """The table with metres of the town beside it."""
    x, y = PLANE.to_xy(people.table["lon"].to_numpy(), people.table["lat"].to_numpy())
    return people.table.assign(x=x, y=y)


def village(town: Town, x: float, y: float, *, houses: bool, length: float = 600) -> None:
    """Draw three parallel residential streets, 80 m apart, with a house each 25 m on both sides if wanted."""
    for row in range(3):
        street_y = y + row * 80
        town.line((x, street_y), (x + length, street_y), highway="residential")
        for step in range(int(length // 25) if houses else 0):
            for side in (-20, 20):
                town.house(x + 12 + step * 25, street_y + side)


def test_where_buildings_are_dense_people_live_in_them_by_floor_area(tmp_path: Path) -> None:
    town = Town()
    for south in (100, 400):
        town.line((100, south), (100, south + 60), highway="residential")
    for number in range(6):
        town.house(80, 80 + 20 * number)  # two floors where none are mapped
    for number in range(4):
        town.house(80, 380 + 20 * number, building__levels="4" if number % 2 else "2")
    people = placed(spread(areas((-500, -500, 500, 900)), town, tmp_path, cell_m=300.0))
    assert people["total"].tolist() == [50.0, 50.0]
    assert people["x"].tolist() == pytest.approx([80.0, 80.0], abs=0.1)
    assert people["y"].tolist() == pytest.approx([130.0, (380 + 420 + 2 * 400 + 2 * 440) / 6], abs=0.1)


def test_where_buildings_are_missing_people_live_along_residential_streets(tmp_path: Path) -> None:
    town = Town()
    town.line((-400, 0), (400, 0), highway="residential")
    town.line((-400, 400), (400, 400), highway="tertiary")
    town.house(300, 300)  # one mapped house does not make a town without streets
    people = placed(spread(areas((-500, -500, 500, 500), population=[1000]), town, tmp_path))
    along = people[people["y"].abs() < 50]
    assert along["total"].sum() > 950
    assert len(along) >= 16


def test_residential_landuse_takes_people_without_any_street(tmp_path: Path) -> None:
    town = Town()
    town.box(0, 0, 300, 300, landuse="residential")
    town.box(100, 100, 100, 100, leisure="park")
    people = placed(spread(areas((-500, -500, 500, 500), population=[800]), town, tmp_path))
    assert people["total"].sum() == 800
    assert not ((people["x"].between(110, 190)) & (people["y"].between(110, 190))).any()


def test_streets_through_works_and_woods_take_nobody(tmp_path: Path) -> None:
    town = Town()
    town.line((-400, 0), (400, 0), highway="residential")
    town.box(0, -200, 450, 400, landuse="industrial")
    people = placed(spread(areas((-500, -500, 500, 500)), town, tmp_path))
    assert people["x"].max() <= 0


def test_a_quarter_with_buildings_and_one_without_get_alike_for_like_streets(tmp_path: Path) -> None:
    town = Town()
    village(town, -1500, 0, houses=True)
    village(town, 1000, 0, houses=False)
    people = placed(spread(areas((-2000, -500, 2000, 500), population=[10_000]), town, tmp_path))
    built = people[people["x"] < 0]["total"].sum()
    assert built == pytest.approx(5000, rel=0.08)


def test_sheds_barns_and_lonely_cabins_take_nobody(tmp_path: Path) -> None:
    town = Town()
    town.line((0, 0), (100, 0), highway="tertiary")
    town.house(20, 20)
    town.box(40, 20, 5, 5, building="yes")  # 25 m²
    town.house(60, 20, building="barn")
    town.house(300, 300)  # farther than 100 m from the street
    people = placed(spread(areas((-500, -500, 500, 500)), town, tmp_path, cell_m=10.0))
    assert [(round(row.x), round(row.y), row.total) for row in people.itertuples()] == [(20, 20, 100.0)]


def test_a_big_building_of_unknown_use_counts_no_more_than_a_big_home(tmp_path: Path) -> None:
    town = Town()
    town.line((0, 0), (400, 0), highway="tertiary")
    town.box(10, 10, 50, 50, building="yes")  # 2,500 m², counted as 400
    town.box(310, 10, 20, 20, building="yes")  # 400 m²
    people = spread(areas((-500, -500, 500, 500)), town, tmp_path)
    assert people.table["total"].tolist() == [50.0, 50.0]


def test_each_polygon_keeps_its_exact_total_and_whole_people(tmp_path: Path) -> None:
    town = Town()
    village(town, -600, 0, houses=True, length=1200)
    polygons = areas((-700, -300, 0, 700), (0, -300, 700, 700), population=[997, 13], kids=[201, 0])
    people = spread(polygons, town, tmp_path, groups={"children": "kids"})
    sums = people.table.groupby("area")[["total", "children"]].sum()
    assert sums.to_dict("index") == {"a": {"total": 997, "children": 201}, "b": {"total": 13, "children": 0}}
    assert (people.table["total"] % 1 == 0).all()
    assert (people.table["children"] % 1 == 0).all()
    assert people.table["children"].between(0, people.table["total"]).all()
    assert (people.table["total"] > 0).all()
    assert people.groups == ("children",)


def test_a_polygon_where_nobody_lives_gets_no_cells(tmp_path: Path) -> None:
    town = Town()
    village(town, -600, 0, houses=True, length=1200)
    people = spread(areas((-700, -300, 0, 700), (0, -300, 700, 700), population=[0, 10]), town, tmp_path)
    assert set(people.table["area"]) == {"b"}
    assert len(people.notes) == 1


def test_a_cell_on_a_border_comes_once_per_polygon_under_different_ids(tmp_path: Path) -> None:
    town = Town()
    town.line((-90, 50), (90, 50), highway="residential")
    people = spread(areas((-500, -500, 20, 500), (20, -500, 540, 500)), town, tmp_path, cell_m=200.0)
    assert people.table["id"].is_unique
    assert people.shapes is not None
    shared = people.shapes.to_wkb().duplicated(keep=False)
    assert people.table["area"][shared].tolist() == ["a", "b"]
    assert people.table["id"][shared].str.match(r"^c_-?\d+_-?\d+(_2)?$").all()


def test_points_lie_in_their_cell_and_their_polygon(tmp_path: Path) -> None:
    town = Town()
    village(town, -600, -200, houses=True, length=500)
    village(town, 100, -200, houses=False, length=500)
    polygons = areas((-700, -500, 33, 700), (33, -500, 800, 700), population=[1000, 2000])
    people = spread(polygons, town, tmp_path)
    points = gpd.points_from_xy(people.table["lon"], people.table["lat"])
    assert people.shapes is not None
    assert people.shapes.covers(gpd.GeoSeries(points, crs=WGS84)).all()
    homes_of = polygons.set_index("name").geometry
    assert all(homes_of[area].covers(point) for area, point in zip(people.table["area"], points, strict=True))
    assert people.shapes.to_crs(PLANE.crs).area.to_numpy() == pytest.approx(10_000, rel=1e-3)
    assert people.cell_m == 100.0


def test_the_point_of_a_bent_border_is_moved_to_ground_inside(tmp_path: Path) -> None:
    town = Town()
    town.line((0, 0), (0, 90), highway="tertiary")
    town.line((90, 0), (90, 90), highway="tertiary")
    for x in (10, 80):
        town.house(x, 60)
    polygons = areas((0, 0, 1, 1))
    horseshoe = shapely.Polygon([(0, 0), (90, 0), (90, 90), (70, 90), (70, 20), (20, 20), (20, 90), (0, 90)])
    polygons.geometry = gpd.GeoSeries([horseshoe], crs=PLANE.crs).to_crs(WGS84)
    people = placed(spread(polygons, town, tmp_path, cell_m=1000.0))
    assert [round(x) for x in sorted(people["x"])] in ([10], [80], [10, 80])


def test_without_residential_ground_people_are_set_along_streets_and_the_report_says_so(tmp_path: Path) -> None:
    town = Town()
    town.line((-1000, 0), (-500, 0), highway="tertiary")
    village(town, 500, 0, houses=True)
    polygons = areas((-1200, -300, 0, 300), (0, -300, 1200, 300))
    people = placed(spread(polygons, town, tmp_path))
    assert people[people["area"] == "a"]["y"].abs().max() < 1
    assert "mapped in a;" in spread(polygons, town, tmp_path).notes[1]


def test_without_any_street_people_are_set_in_the_middle(tmp_path: Path) -> None:
    town = Town()
    town.node(0, 0, place="village")
    people = placed(spread(areas((0, 0, 100, 100)), town, tmp_path, cell_m=1000.0))
    assert [(round(row.x), round(row.y), row.total) for row in people.itertuples()] == [(50, 50, 100.0)]


def test_the_coordinate_system_and_the_order_of_columns_do_not_matter(tmp_path: Path) -> None:
    town = Town()
    village(town, -600, 0, houses=True)
    polygons = areas((-700, -300, 700, 700), population=[997])
    one = spread(polygons, town, tmp_path)
    other = spread(polygons.to_crs("EPSG:2056")[["population", "geometry", "name"]], town, tmp_path)
    pd.testing.assert_frame_equal(one.table, other.table, atol=1e-6)
    pd.testing.assert_frame_equal(one.table, spread(polygons, town, tmp_path).table)
    bare = polygons.set_crs(None, allow_override=True)
    pd.testing.assert_frame_equal(one.table, spread(bare, town, tmp_path).table)


def test_all_faults_of_the_polygons_are_told_at_once(tmp_path: Path) -> None:
    polygons = areas((0, 0, 1, 1), (1, 0, 2, 1), (2, 0, 3, 1), population=[100, -5, "many"], kids=[101, 0, 0])
    polygons.loc[0, "geometry"] = shapely.Point(9.5, 47.1)
    with pytest.raises(InputError) as caught:
        spread(polygons, Town(), tmp_path, groups={"children": "kids", "older": "age_65"})
    told = [(fault.file, fault.row, fault.column) for fault in caught.value.faults]
    assert told == [
        ("areas.geojson", 4, "population"),
        ("areas.geojson", 3, "population"),
        ("areas.geojson", None, "age_65"),
        ("areas.geojson", 2, "kids"),
        ("areas.geojson", 3, "kids"),
        ("areas.geojson", 2, "geometry"),
    ]


@pytest.mark.parametrize(
    ("polygons", "words"),
    [(areas(), "no polygons"), (areas((0, 0, 1, 1), population=[0]), "nobody lives")],
)
def test_nobody_to_spread_is_a_fault(polygons: gpd.GeoDataFrame, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        spread(polygons, Town(), tmp_path)


def test_dense_is_decided_by_the_neighbourhood_as_a_naive_count_does() -> None:
    rng = np.random.default_rng(7)
    footprint = rng.choice([0.0, 0.0, 120.0, 400.0], size=(9, 7))
    ground = rng.uniform(0.0, 10_000.0, size=(9, 7))
    expected = np.zeros((9, 7), dtype=bool)
    for row in range(9):
        for col in range(7):
            near = np.s_[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2]
            expected[row, col] = footprint[near].sum() > max(0.0, DENSE_SHARE * ground[near].sum())
    np.testing.assert_array_equal(dense_cells(footprint, ground, 100.0), expected)
    assert 0 < expected.sum() < expected.size


def test_neighbourhoods_are_as_wide_whatever_the_cells() -> None:
    footprint = np.zeros((11, 11))
    footprint[5, 5] = 100.0
    bare = np.zeros((11, 11))
    assert [int(dense_cells(footprint, bare, cell_m).sum()) for cell_m in (50.0, 100.0, 250.0, 1000.0)] == [25, 9, 1, 1]


weights = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=40).map(np.asarray)


@given(total=st.integers(0, 100_000), weight=weights)
def test_shares_are_whole_exact_and_within_one_person(total: int, weight: np.ndarray) -> None:
    people = share_out(float(total), weight)
    assert people.sum() == total
    assert (people % 1 == 0).all()
    assert (np.abs(people - total * weight / weight.sum()) < 1 + 1e-6).all()


def test_the_largest_remainders_get_the_last_people_and_ties_the_first() -> None:
    assert share_out(10.0, np.array([1.0, 1.0, 1.0])).tolist() == [4, 3, 3]
    assert share_out(7.0, np.array([50.0, 31.0, 19.0])).tolist() == [4, 2, 1]
    assert share_out(2.5, np.array([1.0, 3.0])).tolist() == [1, 1.5]


@given(
    people=st.lists(st.integers(0, 60), min_size=1, max_size=60).filter(sum).map(lambda n: np.asarray(n, dtype=float)),
    part=st.floats(0, 1),
)
def test_a_group_never_exceeds_the_people_of_a_cell(people: np.ndarray, part: float) -> None:
    group = np.floor(people.sum() * part)
    members = share_within(float(group), people)
    assert members.sum() == group
    assert ((members >= 0) & (members <= people) & (members % 1 == 0)).all()
    assert (np.abs(members - people * group / people.sum()) < 1 + 1e-6).all()


@given(part=st.floats(0, 1))
def test_a_group_that_is_not_whole_still_adds_up(part: float) -> None:
    people = np.array([1.0, 2.5, 0.0, 3.0])
    members = share_within(part * 6.5, people)
    assert members.sum() == pytest.approx(part * 6.5)
    assert ((members >= 0) & (members <= people + 1e-9)).all()
