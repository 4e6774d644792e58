"""The ground a study covers: its boundary, its named districts, and where nothing may open."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from nearer.errors import Faults
from nearer.inputs.columns import Frame, find_column, note_rows, texts
from nearer.inputs.geo import WGS84, LocalPlane
from nearer.inputs.points import POLYGONS, mend_polygons
from nearer.units import BoolArray, FloatArray, StrArray


def polygons_of(frame: Frame, faults: Faults) -> NDArray[Any]:
    """Valid polygons of a frame in WGS 84, object (n,), with faults for whatever is none."""
    if frame.geometry is None:
        faults.add("the file holds no polygons", remedy="give a GeoJSON or GeoPackage file with polygons")
        return np.zeros(0, dtype=object)
    kind = shapely.get_type_id(frame.geometry)
    note_rows(faults, frame.rows, kind == -1, "the geometry is empty", remedy="draw it, or delete the row")
    shapes = frame.geometry
    note_rows(
        faults,
        frame.rows,
        (kind != -1) & ~np.isin(kind, POLYGONS),
        lambda k: f"a {shapes[k].geom_type} encloses no ground",
        remedy="give polygons",
    )
    shapes = shapes[np.isin(kind, POLYGONS)]
    box = shapely.bounds(shapes)
    if len(shapes) and not (
        np.isfinite(box).all() and np.abs(box[:, [0, 2]]).max() <= 180 and np.abs(box[:, [1, 3]]).max() <= 90
    ):
        faults.add("the polygons are not in degrees", remedy="save the file in WGS 84 (EPSG:4326)")
        return np.zeros(0, dtype=object)
    return mend_polygons(shapes)[0]


def boundary_of(frame: Frame) -> gpd.GeoDataFrame:
    """
    Join all polygons of a frame into one, WGS 84.

    Raises
    ------
    InputError
        A record is no polygon.
    """
    faults = Faults(frame.file)
    shapes = polygons_of(frame, faults)
    faults.raise_if_any()
    return gpd.GeoDataFrame(geometry=[shapely.union_all(shapes)], crs=WGS84)


def districts_of(frame: Frame, name: str) -> gpd.GeoDataFrame:
    """
    Polygons with their names, joined where a name stands twice, in the order of the file, WGS 84.

    Parameters
    ----------
    name
        Column that holds the name.

    Raises
    ------
    InputError
        A record is no polygon or has no name.
    """
    faults = Faults(frame.file)
    shapes = polygons_of(frame, faults)
    column = find_column(frame, name, faults, "[area] name")
    names = np.zeros(0, dtype=object) if column is None else texts(column)
    note_rows(faults, frame.rows[: len(names)], names == "", "the district has no name", column=name, remedy="name it")
    faults.raise_if_any()
    data = gpd.GeoDataFrame({"name": names}, geometry=shapes, crs=WGS84)
    return data if data["name"].is_unique else data.dissolve("name", sort=False).reset_index()[["name", "geometry"]]


def within(lon: FloatArray, lat: FloatArray, ground: gpd.GeoDataFrame, margin_m: float = 0.0) -> BoolArray:
    """
    Which points lie on some ground, its edge included, bool (n,).

    Parameters
    ----------
    lon, lat
        WGS 84, float64 (n,).
    ground
        Polygons in WGS 84.
    margin_m
        How far beyond the edge still counts, metres.
    """
    shape = shapely.union_all(np.asarray(ground.geometry.array, dtype=object))
    if margin_m <= 0:
        shapely.prepare(shape)
        return np.asarray(shapely.intersects_xy(shape, lon, lat))
    west, south, east, north = shape.bounds
    plane = LocalPlane.around(np.array([west, east]), np.array([south, north]))
    flat = shapely.transform(shape, lambda lonlat: np.column_stack(plane.to_xy(lonlat[:, 0], lonlat[:, 1])))
    near = flat.buffer(margin_m)
    shapely.prepare(near)
    return np.asarray(shapely.intersects_xy(near, *plane.to_xy(lon, lat)))


def name_areas(lon: FloatArray, lat: FloatArray, districts: gpd.GeoDataFrame) -> StrArray:
    """Name of the district each point lies in, object (n,); the first of several, "" in none."""
    tree = shapely.STRtree(np.asarray(districts.geometry.array, dtype=object))
    point_idx, district_idx = tree.query(shapely.points(lon, lat), predicate="intersects")
    first = np.full(len(lon), len(districts), dtype=np.int64)
    np.minimum.at(first, point_idx, district_idx)
    return np.append(districts["name"].to_numpy(dtype=object), "")[first]
