"""People from points, polygons and H3 cells."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPoint, Point, Polygon, box

from nearer.errors import InputError
from nearer.inputs.frames import read_frame
from nearer.inputs.people import people_from_frame, people_of, square_side_m
from nearer.inputs.sources import PeopleSource
from nearer.inputs.tables import People

HEADER = "id,lon,lat,population,children\n"


def read(folder: Path, text: str, **settings: object) -> People:
    (folder / "people.csv").write_text(text, encoding="utf-8")
    source = PeopleSource(file="people.csv", **settings)  # type: ignore[arg-type]
    return people_of(read_frame(folder / "people.csv", crs=source.crs, section="[people]"), source)


def faults(folder: Path, text: str, **settings: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text, **settings)
    return [str(fault) for fault in caught.value.faults]


def test_points_are_read_and_empty_ones_dropped(tmp_path: Path) -> None:
    people = read(
        tmp_path, HEADER + "007,9.5,47.1,10,4\nb,9.6,47.2,0,0\nc,9.7,47.3,2.5,2.5\n", groups={"young": "children"}
    )
    assert people.table.to_dict("list") == {
        "id": ["007", "c"],
        "lon": [9.5, 9.7],
        "lat": [47.1, 47.3],
        "total": [10.0, 2.5],
        "young": [4.0, 2.5],
        "area": ["", ""],
    }
    assert people.groups == ("young",)
    assert people.shapes is None
    assert people.cell_m is None
    assert people.notes == ("1 of 3 records of people.csv holds no people and was left out.",)


def test_an_empty_point_may_lack_its_place(tmp_path: Path) -> None:
    assert read(tmp_path, "id,lon,lat,population\na,9,47,1\nb,,,0\n").n == 1


def test_points_that_may_separate_thousands_are_noted(tmp_path: Path) -> None:
    rows = "id,lon,lat,population\na,9,47,1.410\nb,9,47,{}\nc,9,47,0\n"
    (noted,) = [note for note in read(tmp_path, rows.format("12.300")).notes if "decimals" in note]
    assert noted.startswith("people.csv, column population: all numbers have three decimals, such as 1.410.")
    for number in ("12.30", "0.300", "7"):
        assert not [note for note in read(tmp_path, rows.format(number)).notes if "decimals" in note]


def test_without_ids_the_row_numbers_are(tmp_path: Path) -> None:
    assert read(tmp_path, "lon,lat,population\n9,47,0\n9,47,1\n").table["id"].tolist() == ["3"]


def test_columns_may_be_called_otherwise(tmp_path: Path) -> None:
    people = read(
        tmp_path, "code;x;y;all\nk;2760000;1220000;5\n", id="code", lon="x", lat="y", total="all", crs="EPSG:2056"
    )
    row = people.table.iloc[0]
    assert row["id"] == "k"
    assert (row["lon"], row["lat"]) == pytest.approx((9.55, 47.1), abs=0.05)


def test_all_faults_of_a_file_are_found_at_once(tmp_path: Path) -> None:
    text = HEADER + "a,9.5,47.1,10,4\na,9.5,47.1,-3,0\nc,,47.1,5,9\nd,9.5,ten,x,\n"
    assert faults(tmp_path, text, groups={"young": "children"}) == [
        'people.csv, row 5, column population: "x" is not a number; give a plain number such as 1234.5.',
        "people.csv, row 3, column population: -3 people is less than none; give 0 or more.",
        "people.csv, row 5, column children: the cell is empty; give a number, 0 where nobody lives.",
        "people.csv, row 4, column children: 9 people of group young are more than the 5 who live there; "
        "a group is a part of the total.",
        'people.csv, row 3, column id: id "a" stands already in row 2; give each row an id of its own.',
        'people.csv, row 5, column lat: "ten" is not a number; give a plain number such as 1234.5.',
        "people.csv, row 4, column lon: the cell is empty; give the coordinate.",
    ]


def test_missing_columns_suggest_the_nearest(tmp_path: Path) -> None:
    assert faults(tmp_path, "id,longitude,lat,Population\na,1,2,3\n", groups={"young": "kids"}) == [
        'people.csv, column population: there is no such column; the nearest is "Population": set [people] total to '
        "it, or rename it.",
        "people.csv, column kids: there is no such column; the columns are id, longitude, lat, Population: set "
        "[people] groups.young to one of them.",
        'people.csv, column lon: there is no such column; the nearest is "longitude": set [people] lon to it, '
        "or rename it.",
    ]


def test_a_total_of_zero_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, HEADER + "a,9,47,0,0\nb,9,47,0,0\n") == [
        "people.csv, column population: nobody lives here: all numbers are 0; check that it is this column."
    ]


def test_more_people_than_live_on_earth_are_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, "id,lon,lat,population\na,1,2,5\nb,1,3,1e30\n") == [
        "people.csv, row 3, column population: 1e+30 people in all are more than live on Earth (the most here: 1e+30); "
        "check that it is this column, and that it counts people."
    ]


def test_metres_given_as_degrees_ask_for_their_system(tmp_path: Path) -> None:
    assert faults(tmp_path, "id,lon,lat,population\na,500000,5200000,1\nb,500100,5200000,1\n") == [
        "people.csv, row 2, column lon: the coordinates are not degrees but look like metres of a map projection "
        '(first: 500000, 5200000); set [people] crs to their system, such as "EPSG:2056".'
    ]


def test_latitudes_beyond_the_pole_mean_swapped_columns(tmp_path: Path) -> None:
    assert faults(tmp_path, "id,lon,lat,population\na,1.3,103.8,1\nb,1.4,103.9,1\n") == [
        "people.csv, row 2, column lat: longitude and latitude look swapped, for latitudes end at 90 "
        "(first: 1.3, 103.8); exchange the two columns."
    ]


def test_single_coordinates_out_of_range_are_listed_by_row(tmp_path: Path) -> None:
    rows = "".join(f"{k},9,47,1\n" for k in range(5)) + "x,9,97,1\ny,190,47,1\n"
    assert faults(tmp_path, "id,lon,lat,population\n" + rows) == [
        "people.csv, row 8, column lon: longitude 190 is beyond ±180 degrees; correct it.",
        "people.csv, row 7, column lat: latitude 97 is beyond ±90 degrees; correct it (are longitude and latitude "
        "swapped?).",
    ]


def test_an_unknown_system_is_refused(tmp_path: Path) -> None:
    found = faults(tmp_path, "lon,lat,population\n9,47,1\n", crs="EPSG:1234567")
    assert found[0].startswith('people.csv: "EPSG:1234567" is not a known coordinate system; set [people] crs to')


def test_coordinates_outside_their_system_are_a_fault(tmp_path: Path) -> None:
    found = faults(tmp_path, "lon,lat,population\n2760000,1220000,1\n9,47,1\n", crs="EPSG:2056")
    assert found == [
        "people.csv, row 3: 9, 47 lies outside the coordinate system EPSG:2056; check the coordinates and the system."
    ]


@pytest.mark.parametrize("group", ["id", "lon", "lat", "total", "area"])
def test_groups_may_not_take_the_tables_own_names(tmp_path: Path, group: str) -> None:
    assert (
        f'a group may not be called "{group}"'
        in faults(tmp_path, HEADER + "a,9,47,1,1\n", groups={group: "children"})[0]
    )


CELLS = sorted(h3.grid_disk(h3.latlng_to_cell(47.14, 9.52, 9), 1))


def test_h3_cells_are_recognised_and_keep_their_outline(tmp_path: Path) -> None:
    people = read(tmp_path, "cell,population\n" + "".join(f"{cell},{k}\n" for k, cell in enumerate(CELLS)))
    assert people.n == 6
    assert people.shapes is not None
    lat, lon = h3.cell_to_latlng(CELLS[1])
    assert (people.table["lon"][0], people.table["lat"][0]) == (lon, lat)
    corners = shapely.get_coordinates(people.shapes[0])[:-1]
    assert corners.tolist() == [[x, y] for y, x in h3.cell_to_boundary(CELLS[1])]
    assert people.cell_m is None


def test_a_cell_that_is_none_is_named_among_those_that_are(tmp_path: Path) -> None:
    cells = [h3.latlng_to_cell(47.1 + 0.01 * k, 9.5, 9) for k in range(3)]
    rows = "\n".join(f"{cell},5" for cell in [*cells, "89zz"])
    assert faults(tmp_path, f"hex,population\n{rows}\n") == [
        'people.csv, row 5, column hex: "89zz" is not an H3 cell; give ids such as 89a901291abffff.'
    ]


def test_a_named_cell_column_gives_outlines_beside_coordinates(tmp_path: Path) -> None:
    people = read(tmp_path, f"id,lon,lat,population\n{CELLS[0]},9.52,47.14,5\n", h3="id")
    assert people.table["lon"].tolist() == [9.52]
    assert people.shapes is not None


def test_what_is_no_cell_is_named(tmp_path: Path) -> None:
    found = faults(tmp_path, f"cell,population\n{CELLS[0]},5\nnowhere,5\n,5\n", h3="cell")
    assert found[0].startswith('people.csv, row 3, column cell: "nowhere" is not an H3 cell')
    assert found[1].startswith("people.csv, row 4, column cell: the cell id is empty")


def frame(geometry: list[object], crs: object = 4326, **columns: list[object]) -> gpd.GeoDataFrame:
    columns.setdefault("population", [10] * len(geometry))
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=crs)


def test_polygons_are_stood_for_by_a_point_inside_and_kept() -> None:
    horseshoe = Polygon([(0, 0), (3, 0), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3)])
    people = people_from_frame(frame([box(0, 0, 1, 1), horseshoe]))
    assert (people.table["lon"][0], people.table["lat"][0]) == (0.5, 0.5)
    assert people.shapes is not None
    for point, shape in zip(people.table[["lon", "lat"]].to_numpy(), people.shapes, strict=True):
        assert shape.contains(Point(point))
    assert people.table["id"].tolist() == ["2", "3"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=3, max_size=12))
def test_the_point_of_any_polygon_lies_inside(corners: list[tuple[float, float]]) -> None:
    hull = MultiPoint(corners).convex_hull
    if hull.geom_type != "Polygon" or hull.area < 1e-9:
        return
    people = people_from_frame(frame([hull.difference(hull.centroid.buffer(hull.length / 50))]))
    assert people.shapes is not None
    assert people.shapes[0].intersects(Point(people.table["lon"][0], people.table["lat"][0]))


def test_a_polygon_that_crosses_itself_is_mended_and_noted() -> None:
    people = people_from_frame(frame([Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])]))
    assert people.shapes is not None
    assert people.shapes[0].is_valid
    assert people.notes == ("1 polygons of people crossed themselves and were made valid.",)


def test_squares_of_one_size_give_their_side() -> None:
    squares = [box(x, y, x + 250, y + 250) for x in (2_760_000, 2_770_000) for y in (1_210_000, 1_230_000)]
    people = people_from_frame(frame(squares, crs=2056))
    assert people.cell_m == 250


@pytest.mark.parametrize(
    "shapes",
    [
        [box(9, 47, 9.01, 47.01)],
        [box(0, 0, 0.01, 0.01), box(0, 0, 0.02, 0.02)],
        [Polygon([(0, 0), (0.01, 0), (0.015, 0.00866), (0.005, 0.00866)])],
        [Polygon([(0, 0), (1, 0), (0, 1)])],
        [],
    ],
)
def test_other_shapes_give_no_side(shapes: list[Polygon]) -> None:
    assert square_side_m(np.array(shapes, dtype=object)) is None


def test_geometries_in_metres_ask_for_their_system() -> None:
    with pytest.raises(InputError, match=r"like metres of a map projection .* set \[people\] crs to their system"):
        people_from_frame(frame([Point(500_000, 5_200_000)]))


def test_wrong_and_empty_geometries_are_named_by_row() -> None:
    with pytest.raises(InputError) as caught:
        people_from_frame(frame([Point(1, 1), None, LineString([(0, 0), (1, 1)]), MultiPoint([(2, 2)])]))
    assert [str(fault) for fault in caught.value.faults] == [
        "people, row 3: the geometry is empty; draw it, or delete the row.",
        "people, row 4: a LineString is neither a point nor a polygon; give points or polygons.",
    ]


def test_points_and_polygons_together_have_no_outlines() -> None:
    assert people_from_frame(frame([Point(1, 1), box(0, 0, 1, 1)])).shapes is None


def test_groups_may_be_listed_by_their_column() -> None:
    people = people_from_frame(frame([Point(1, 1)], kids=[3]), groups=["kids"])
    assert people.table["kids"].tolist() == [3.0]


def test_a_group_that_exceeds_its_total_by_rounding_is_cut_to_it() -> None:
    people = people_from_frame(frame([Point(1, 1)], population=[0.3], kids=[0.1 + 0.2]), groups=["kids"])
    assert people.table["kids"][0] == 0.3


@pytest.mark.data
def test_porto_alegre_has_812935_people_in_1124_cells(data_dir: Path) -> None:
    path = data_dir / "cities" / "porto_alegre" / "poa_hexgrid.csv"
    for given_as in ({}, {"h3": "id"}):
        people = people_of(read_frame(path), PeopleSource(file=path.name, **given_as))  # type: ignore[arg-type]
        assert people.n == 1124
        assert people.table["total"].sum() == 812_935
        assert (people.shapes is not None) == bool(given_as)


@pytest.mark.data
def test_porto_alegre_says_which_rows_lack_healthcare(data_dir: Path) -> None:
    path = data_dir / "cities" / "porto_alegre" / "poa_hexgrid.csv"
    with pytest.raises(InputError) as caught:
        people_of(read_frame(path), PeopleSource(file=path.name, total="jobs"))
    assert len(caught.value.faults) == 5


@pytest.mark.data
def test_helsinkis_grid_is_of_250_m_squares(data_dir: Path) -> None:
    path = data_dir / "cities" / "helsinki" / "helsinki_population_grid_2020.gpkg"
    people = people_of(read_frame(path), PeopleSource(file=path.name))
    assert people.n == 92
    assert people.cell_m == 250
    assert people.shapes is not None
