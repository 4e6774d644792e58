"""Boundaries, districts, and which points lie in them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point, Polygon, box

from nearer.errors import InputError
from nearer.inputs.area import boundary_of, districts_of, name_areas, within
from nearer.inputs.columns import Frame
from nearer.inputs.frames import frame_of


def frame(shapes: list[object], **columns: list[object]) -> Frame:
    return frame_of(gpd.GeoDataFrame(columns, geometry=shapes, crs=4326), "area.geojson")


LON, LAT = np.array([0.5, 1.5, 2.0, 2.1]), np.array([0.5, 0.5, 0.5, 0.5])


def test_a_boundary_joins_all_polygons_and_includes_its_edge() -> None:
    boundary = boundary_of(frame([box(0, 0, 1, 1), box(1, 0, 2, 1)]))
    assert len(boundary) == 1
    assert boundary.crs == 4326
    assert within(LON, LAT, boundary).tolist() == [True, True, True, False]


def test_a_margin_is_measured_in_metres() -> None:
    ground = boundary_of(frame([box(9.49, 47.99, 9.51, 48)]))
    lon, lat = np.array([9.5, 9.5]), np.array([48 + 0.0009, 48 + 0.0011])  # 100 m and 122 m north of the edge
    assert within(lon, lat, ground, 110.0).tolist() == [True, False]


def test_districts_name_points_and_the_first_of_several_wins() -> None:
    districts = districts_of(frame([box(0, 0, 2, 1), box(1, 0, 2, 1)], name=["West", "East"]), "name")
    assert name_areas(LON, LAT, districts).tolist() == ["West", "West", "West", ""]
    districts = districts_of(frame([box(1, 0, 2, 1), box(0, 0, 2, 1)], name=["East", "West"]), "name")
    assert name_areas(LON, LAT, districts).tolist() == ["West", "East", "East", ""]


def test_districts_of_one_name_are_joined() -> None:
    districts = districts_of(frame([box(5, 0, 6, 1), box(0, 0, 1, 1), box(2, 0, 3, 1)], name=["B", "A", "B"]), "name")
    assert districts["name"].tolist() == ["B", "A"]
    assert [shape.area for shape in districts.geometry] == [2, 1]


def test_polygons_that_cross_themselves_are_mended() -> None:
    boundary = boundary_of(frame([Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])]))
    assert boundary.geometry.is_valid.all()
    assert [shape.area for shape in boundary.geometry] == [2]


def test_faults_of_polygons_are_listed_by_row() -> None:
    with pytest.raises(InputError) as caught:
        districts_of(frame([Point(1, 1), None, box(0, 0, 1, 1)], name=["a", "b", ""]), "name")
    assert [str(fault) for fault in caught.value.faults] == [
        "area.geojson, row 3: the geometry is empty; draw it, or delete the row.",
        "area.geojson, row 2: a Point encloses no ground; give polygons.",
        "area.geojson, row 4, column name: the district has no name; name it.",
    ]


def test_a_missing_name_column_suggests_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r'column name: there is no such column; the nearest is "NAME": set \[area\] name'
    ):
        districts_of(frame([box(0, 0, 1, 1)], NAME=["a"]), "name")


def test_a_table_without_geometry_and_metres_without_a_system_are_refused() -> None:
    data = frame([box(0, 0, 1, 1)])
    with pytest.raises(InputError, match="the file holds no polygons"):
        boundary_of(Frame("area.csv", data.table, data.rows))
    with pytest.raises(InputError, match="the polygons are not in degrees"):
        boundary_of(frame([box(500_000, 5_000_000, 600_000, 5_100_000)]))
