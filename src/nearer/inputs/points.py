"""Where each record lies: coordinates from geometries or from two columns, checked for the usual mix-ups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from nearer.errors import Faults
from nearer.inputs.columns import Frame, find_column, note_rows, read_numbers
from nearer.inputs.frames import read_crs
from nearer.inputs.geo import WGS84
from nearer.units import BoolArray, FloatArray, IntArray

POINT, POLYGONS = (
    int(shapely.GeometryType.POINT),
    (
        int(shapely.GeometryType.POLYGON),
        int(shapely.GeometryType.MULTIPOLYGON),
    ),
)
_NEAR_DEG = 3.0  # how far outside its area of use a coordinate system is still taken seriously, degrees


@dataclass(frozen=True)
class Located:
    """
    Where records lie.

    Parameters
    ----------
    lon, lat
        WGS 84, float64 (n,), NaN where a fault was noted.
    shapes
        Polygons in WGS 84, object (n,), None for points; None where no record is a polygon.
    mended
        How many polygons crossed themselves and were made valid.
    """

    lon: FloatArray
    lat: FloatArray
    shapes: NDArray[Any] | None = None
    mended: int = 0


def locate(
    frame: Frame, faults: Faults, *, lon: str, lat: str, crs: str | None, section: str, needed: BoolArray | None = None
) -> Located | None:
    """
    Find where the records of a frame lie.

    Parameters
    ----------
    lon, lat, crs
        Coordinate columns, for frames without geometry, and their system (None = WGS 84).
    section
        Where in the study the file is named, for remedies, e.g. "[people]".
    needed
        Records whose place matters, bool (n,); the others may lack one.
    """
    mask = np.ones(frame.n, dtype=bool) if needed is None else needed
    if frame.geometry is not None:
        return _from_geometry(frame, frame.geometry, faults, mask, section)
    lon_values = find_column(frame, lon, faults, f"{section} lon")
    lat_values = find_column(frame, lat, faults, f"{section} lat")
    if lon_values is None or lat_values is None:
        return None
    x = read_numbers(frame, lon_values, faults, lon, coordinate=True)
    y = read_numbers(frame, lat_values, faults, lat, coordinate=True)
    for values, given, column in ((x, lon_values, lon), (y, lat_values, lat)):
        empty = np.isnan(values) & mask & np.asarray(given.isna() | (given.astype(str).str.strip() == ""), dtype=bool)
        note_rows(faults, frame.rows, empty, "the cell is empty", column=column, remedy="give the coordinate")
    if crs is not None:
        system = read_crs(crs, faults, f"{section} crs")
        if system is None:
            return None
        return _placed(x, y, system, crs, frame.rows, faults, mask)
    x, y = check_degrees(x, y, frame.rows, faults, (lon, lat), section, mask)
    return Located(x, y)


def _placed(
    x: FloatArray, y: FloatArray, system: CRS, crs: str, rows: IntArray, faults: Faults, mask: BoolArray
) -> Located:
    """Bring coordinates of another system to WGS 84."""
    lon, lat = Transformer.from_crs(system, CRS(WGS84), always_xy=True).transform(x, y)
    lost = np.isfinite(x) & np.isfinite(y) & ~(np.isfinite(lon) & np.isfinite(lat) & _in_area_of_use(lon, lat, system))
    note_rows(
        faults,
        rows,
        lost & mask,
        lambda k: f"{x[k]:g}, {y[k]:g} lies outside the coordinate system {crs}",
        remedy="check the coordinates and the system",
    )
    good = np.isfinite(lon) & np.isfinite(lat) & ~lost
    return Located(np.where(good, lon, np.nan), np.where(good, lat, np.nan))


def _in_area_of_use(lon: FloatArray, lat: FloatArray, system: CRS) -> BoolArray:
    """Whether points lie near the ground a coordinate system is made for; elsewhere the system was not meant."""
    area = system.area_of_use
    if area is None or area.west > area.east:  # unknown, or across the date line
        return np.asarray(np.abs(lat) <= 90)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (lon >= area.west - _NEAR_DEG)
            & (lon <= area.east + _NEAR_DEG)
            & (lat >= area.south - _NEAR_DEG)
            & (lat <= area.north + _NEAR_DEG)
        )


def check_degrees(
    lon: FloatArray,
    lat: FloatArray,
    rows: IntArray,
    faults: Faults,
    columns: tuple[str | None, str | None],
    section: str,
    mask: BoolArray,
) -> tuple[FloatArray, FloatArray]:
    """
    Check that coordinates are degrees, longitude first.

    Returns
    -------
    lon, lat
        The same, NaN where a fault was noted.
    """
    with np.errstate(invalid="ignore"):
        metres = (np.abs(lon) > 360) | (np.abs(lat) > 360)
        tall, wide = np.abs(lat) > 90, np.abs(lon) > 180
    bad = tall | wide
    out = np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)
    bad = bad & mask
    known = int((np.isfinite(lon) & np.isfinite(lat) & mask).sum())
    if not bad.any():
        return out
    k = int(np.flatnonzero(bad)[0])
    pair = f"{lon[k]:.10g}, {lat[k]:.10g}"
    crs_remedy = f'set {section} crs to their system, such as "EPSG:2056"'
    if 2 * int((metres & mask).sum()) > known:
        faults.add(
            f"the coordinates are not degrees but look like metres of a map projection (first: {pair})",
            row=int(rows[k]),
            column=columns[0],
            remedy=crs_remedy,
        )
    elif 2 * int((tall & mask & (np.abs(lon) <= 90)).sum()) > known:
        faults.add(
            f"longitude and latitude look swapped, for latitudes end at 90 (first: {pair})",
            row=int(rows[k]),
            column=columns[1],
            remedy="exchange the two columns",
        )
    else:
        note_rows(
            faults,
            rows,
            wide & mask,
            lambda k: f"longitude {lon[k]:.10g} is beyond ±180 degrees",
            column=columns[0],
            remedy="correct it" if not metres.any() else f"correct it, or {crs_remedy}",
        )
        note_rows(
            faults,
            rows,
            tall & mask & ~(wide & metres),
            lambda k: f"latitude {lat[k]:.10g} is beyond ±90 degrees",
            column=columns[1],
            remedy="correct it (are longitude and latitude swapped?)",
        )
    return out


def _from_geometry(frame: Frame, geometry: NDArray[Any], faults: Faults, mask: BoolArray, section: str) -> Located:
    """Points as they are, polygons by a point inside."""
    shapes = geometry.copy()
    lone = np.array([g is not None and g.geom_type == "MultiPoint" and len(g.geoms) == 1 for g in shapes], dtype=bool)
    shapes[lone] = [g.geoms[0] for g in shapes[lone]]
    kind = shapely.get_type_id(shapes)
    is_point, is_polygon = kind == POINT, np.isin(kind, POLYGONS)
    note_rows(faults, frame.rows, (kind == -1) & mask, "the geometry is empty", remedy="draw it, or delete the row")
    note_rows(
        faults,
        frame.rows,
        ~is_point & ~is_polygon & (kind != -1) & mask,
        lambda k: f"a {shapes[k].geom_type} is neither a point nor a polygon",
        remedy="give points or polygons",
    )
    lon, lat = np.full(frame.n, np.nan), np.full(frame.n, np.nan)
    lon[is_point], lat[is_point] = shapely.get_x(shapes[is_point]), shapely.get_y(shapes[is_point])
    mended = 0
    if is_polygon.any():
        shapes[is_polygon], mended = mend_polygons(shapes[is_polygon])
        lon[is_polygon], lat[is_polygon] = inside(shapes[is_polygon])
    lost = (is_point | is_polygon) & ~(np.isfinite(lon) & np.isfinite(lat))
    note_rows(
        faults,
        frame.rows,
        lost & mask,
        "the geometry encloses nothing or lies outside its coordinate system",
        remedy="check its coordinates",
    )
    lon, lat = check_degrees(lon, lat, frame.rows, faults, (None, None), section, mask)
    if not is_polygon.any():
        return Located(lon, lat)
    shapes[~is_polygon] = None
    return Located(lon, lat, shapes, mended)


def mend_polygons(shapes: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Make polygons that cross themselves valid, keeping only their areas; also how many."""
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    broken = finite & ~shapely.is_valid(shapes)
    if broken.any():
        shapes = shapes.copy()
        shapes[broken] = [_areas(shape) for shape in shapely.make_valid(shapes[broken])]
    return shapes, int(broken.sum())


def _areas(shape: Any) -> Any:
    """The polygons among what ``make_valid`` returns."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def inside(shapes: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """A point inside each polygon: its centroid where that lies inside, else one that does; NaN where it is empty."""
    points = shapely.centroid(shapes)
    out = ~shapely.contains(shapes, points)
    # A polygon that left its coordinate system has infinite corners; no point is inside.
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    points[out & finite] = shapely.point_on_surface(shapes[out & finite])
    points[~finite] = None
    return np.asarray(shapely.get_x(points), dtype=np.float64), np.asarray(shapely.get_y(points), dtype=np.float64)
