"""
People spread over the ground they live on, where only the totals of larger areas are known.

Homes decide where buildings are densely mapped; elsewhere it is residential ground: residential landuse and strips
along residential streets. Which of the two holds is decided for each neighbourhood by one rule, so that a town whose
buildings are mapped in one quarter only keeps its other quarters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio.features
import shapely
from rasterio import Affine
from scipy import ndimage

from nearer.errors import Faults
from nearer.inputs.geo import WGS84, LocalPlane
from nearer.inputs.landuse import Ground, read_ground
from nearer.inputs.tables import People
from nearer.units import BoolArray, FloatArray, IntArray

SHED_M2 = 30.0
"""Buildings with a smaller footprint are sheds and garages."""

FLOORS = 2.0
"""Floors of a home whose floors are not mapped."""

HOME_MAX_M2 = 400.0
"""The footprint of such a home counts up to this: larger ones are often halls that are mapped as no more than that."""

NEAR_STREET_M = 100.0
"""Buildings farther from every street and from residential landuse are barns and cabins."""

STRIP_M = 40.0
"""Residential ground reaches this far on both sides of a residential street: a plot and a half."""

DENSE_SHARE = 0.03
"""
Share of residential ground under homes from which buildings count as densely mapped: a house of 150 m² on every 60 m of
street. Suburbs that are fully mapped have 0.06 to 0.2, and few places lie between 0.03 and 0.05.
"""

NEIGHBOURHOOD_M = 300.0
"""The rule of density looks at a square of about this side around each cell."""

PIXEL_M = 10.0
"""Residential ground is measured on a grid of this step."""


@dataclass(frozen=True)
class _Pieces:
    """Ground that takes people: metres in the plane, and a weight in square metres of floor; float64 (n,) each."""

    x: FloatArray
    y: FloatArray
    weight: FloatArray

    @property
    def n(self) -> int:
        return len(self.x)

    def where(self, keep: BoolArray | IntArray) -> _Pieces:
        return _Pieces(self.x[keep], self.y[keep], self.weight[keep])

    @cached_property
    def tree(self) -> shapely.STRtree:
        points: Any = shapely.points(self.x, self.y)
        return shapely.STRtree(points)

    def within(self, polygon: Any) -> _Pieces:
        return self.where(np.sort(self.tree.query(polygon, predicate="covers"))) if self.n else self


def spread_people(
    polygons: gpd.GeoDataFrame,
    osm: Path,
    *,
    total: str,
    groups: Mapping[str, str],
    cell_m: float,
    name: str,
    osm_name: str,
) -> People:
    """
    Spread the known totals of polygons over the ground people live on.

    Parameters
    ----------
    polygons
        Areas with known totals, in any coordinate system (WGS 84 where it names none); their column ``name`` becomes
        the people's ``area``.
    osm
        OpenStreetMap extract with buildings, landuse and streets.
    total
        Column with all people.
    groups
        Group name → column; each group is a part of the total.
    cell_m
        Side of the square cells in which people are gathered, metres.
    name, osm_name
        The two files as the user wrote them, for messages.

    Returns
    -------
    people
        One point per cell and polygon, the weighted middle of the homes or the residential ground inside. People are
        whole in each cell, and each polygon's totals are exact. The shape is the whole cell also where it crosses a
        border, so that two cells may share one square there.

    Raises
    ------
    InputError
        A column is missing; a total is not a number or negative; a group exceeds the total; a row is no polygon; the
        extract cannot be read.
    """
    totals, group_totals = _checked(polygons, total, groups, name)
    places = polygons.geometry.set_crs(WGS84) if polygons.crs is None else polygons.geometry.to_crs(WGS84)
    west, south, east, north = places.total_bounds
    plane = LocalPlane.around(np.array([west, east]), np.array([south, north]))
    shapes = shapely.make_valid(_on(plane, places))
    areas = [str(value) for value in polygons["name"].fillna("")] if "name" in polygons else [""] * len(polygons)

    ground = read_ground(osm, name=osm_name)
    homes, open_ground = _weighed(ground, shapes, cell_m, plane)
    streets = _along(np.concatenate([_on(plane, ground.home_streets), _on(plane, ground.roads)]))

    rows: list[pd.DataFrame] = []
    no_homes: list[str] = []
    for row, polygon in enumerate(shapes):
        if totals[row] == 0:
            continue
        pieces = _joined(homes.within(polygon), open_ground.within(polygon))
        if not pieces.n:
            no_homes.append(areas[row] or f"row {row + 2}")
            pieces = streets.within(polygon)
        if not pieces.n:
            middle = polygon.representative_point()
            pieces = _Pieces(np.array([middle.x]), np.array([middle.y]), np.ones(1))
        cells = _gathered(pieces, polygon, cell_m)
        cells["total"] = share_out(totals[row], np.asarray(cells["weight"]))
        for group in groups:
            cells[group] = share_within(group_totals[group][row], np.asarray(cells["total"]))
        rows.append(cells[cells["total"] > 0].assign(area=areas[row]))
    return _people(rows, tuple(groups), cell_m, plane, no_homes)


def share_out(total: float, weight: FloatArray) -> FloatArray:
    """
    Share people out in proportion to weights, whole people each, by largest remainder.

    Parameters
    ----------
    total
        People to share out; a fraction that is left of a total that is not whole goes to the heaviest.
    weight
        Weights, float64 (n,), not all zero. Ties go to the lowest index.

    Returns
    -------
    people
        float64 (n,), whole numbers that add up to ``total``, each less than one person from its exact share.
    """
    whole = np.floor(total)
    exact = whole * (weight / weight.sum())
    people = np.floor(exact)
    left = round(float(whole - people.sum()))
    people[np.argsort(people - exact, kind="stable")[:left]] += 1.0
    people[np.argmax(weight)] += total - whole
    return np.asarray(people)


def share_within(group: float, people: FloatArray) -> FloatArray:
    """
    Share a group out over people already shared out, never more than live there.

    Many cells hold equally few people and would tie for the remainders, so these are carried on from cell to cell
    instead of going to the first ones.

    Parameters
    ----------
    group
        Members in all, at most ``people.sum()``.
    people
        People per cell, float64 (n,).

    Returns
    -------
    members
        float64 (n,), each 0 … ``people``, whole where the people and the group are whole; they add up to ``group``.
    """
    share = group / people.sum()
    carried = np.minimum(np.floor(np.cumsum(people) * share + 0.5), np.floor(group))
    carried[-1] = np.floor(group)
    members = np.minimum(np.diff(carried, prepend=0.0), people)
    # What is left of numbers that are not whole goes where there is room.
    taken = np.minimum(np.cumsum(people - members), group - members.sum())
    return np.asarray(members + np.diff(taken, prepend=0.0))


def dense_cells(footprint_m2: FloatArray, ground_m2: FloatArray, cell_m: float) -> BoolArray:
    """
    Tell in which cells buildings are densely mapped.

    Parameters
    ----------
    footprint_m2, ground_m2
        Square metres under homes, and of residential ground, per cell; float64 (n_rows, n_columns).
    cell_m
        Side of the cells, metres.

    Returns
    -------
    dense
        Whether homes cover `DENSE_SHARE` of the residential ground in the neighbourhood of each cell, and there are any
        there; bool (n_rows, n_columns).
    """
    reach = max(0, round((NEIGHBOURHOOD_M / cell_m - 1.0) / 2.0))
    window = np.ones((2 * reach + 1, 2 * reach + 1))
    homes = ndimage.convolve(footprint_m2, window, mode="constant")
    ground = ndimage.convolve(ground_m2, window, mode="constant")
    return np.asarray((homes > 0.0) & (homes >= DENSE_SHARE * ground))


def _checked(
    polygons: gpd.GeoDataFrame, total: str, groups: Mapping[str, str], name: str
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Give the totals and each group's as float64 (n_polygons,), or every fault of the file at once."""
    faults = Faults(name)
    columns = {"": total, **groups}
    found: dict[str, FloatArray] = {}
    if not len(polygons):
        faults.add("the file holds no polygons")
    for key, column in columns.items():
        if column not in polygons:
            known = ", ".join(str(label) for label in polygons.columns if label != polygons.geometry.name)
            faults.add("the column is missing", column=column, remedy=f"columns found: {known}")
            continue
        values = np.asarray(pd.to_numeric(polygons[column], errors="coerce"), dtype=np.float64)
        for row in np.flatnonzero(~np.isfinite(values)).tolist():
            faults.add("not a number of people", row=row + 2, column=column)
        for row in np.flatnonzero(values < 0).tolist():
            faults.add(f"{values[row]:g} people is less than none", row=row + 2, column=column)
        found[key] = values
    for group, column in groups.items():
        if "" in found and group in found:
            for row in np.flatnonzero(found[group] > found[""]).tolist():
                message = f"{found[group][row]:g} people of {group} are more than all {found[''][row]:g}"
                faults.add(message, row=row + 2, column=column)
    for row, shape in enumerate(polygons.geometry):
        if shape is None or shape.is_empty or shape.geom_type not in ("Polygon", "MultiPolygon"):
            faults.add("no polygon", row=row + 2, column="geometry", remedy="give areas with known totals as polygons")
    if not faults.found and not np.sum(found[""]) > 0:
        faults.add("nobody lives in any of the polygons", column=total)
    faults.raise_if_any()
    return found.pop(""), found


def _weighed(ground: Ground, polygons: Any, cell_m: float, plane: LocalPlane) -> tuple[_Pieces, _Pieces]:
    """
    Weigh homes by floor area where they are densely mapped, and residential ground where they are not.

    A square metre of ground weighs as many of floor as it bears where homes are densely mapped in this extract.

    Returns
    -------
    homes, open_ground
        What takes people, in square metres of floor.
    """
    x0, y0, x1, y1 = shapely.total_bounds(polygons)
    col0, row0 = int(np.floor(x0 / cell_m)), int(np.floor(y0 / cell_m))
    n_cols, n_rows = int(np.floor(x1 / cell_m)) - col0 + 1, int(np.floor(y1 / cell_m)) - row0 + 1

    def cell_of(pieces: _Pieces) -> IntArray:
        cols = np.floor(pieces.x / cell_m).astype(np.int64) - col0
        rows = np.floor(pieces.y / cell_m).astype(np.int64) - row0
        inside = (cols >= 0) & (cols < n_cols) & (rows >= 0) & (rows < n_rows)
        return np.where(inside, rows * n_cols + cols, n_rows * n_cols)  # one more cell for all that lies outside

    def per_cell(cell: IntArray, value: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(cell, value, minlength=n_rows * n_cols + 1)[:-1], dtype=np.float64)

    homes, footprint = _homes(ground, plane)
    pixels = _pixels(ground, (x0, y0, x1, y1), min(PIXEL_M, cell_m / 4.0), plane)
    home_cell, pixel_cell = cell_of(homes), cell_of(pixels)
    ground_m2 = per_cell(pixel_cell, pixels.weight)
    grid = (n_rows, n_cols)
    dense = dense_cells(per_cell(home_cell, footprint).reshape(grid), ground_m2.reshape(grid), cell_m).ravel()

    built_up = dense & (ground_m2 > 0)
    floor_m2 = float(per_cell(home_cell, homes.weight)[built_up].sum())
    per_m2 = floor_m2 / float(ground_m2[built_up].sum()) if floor_m2 > 0 else 1.0
    bare = pixels.where(~np.append(dense, True)[pixel_cell])
    return homes.where(np.append(dense, False)[home_cell]), _Pieces(bare.x, bare.y, bare.weight * per_m2)


def _homes(ground: Ground, plane: LocalPlane) -> tuple[_Pieces, FloatArray]:
    """Homes as points with their floor area, and their footprints; no sheds, nothing far from any street."""
    outlines = _on(plane, ground.homes)
    footprint = shapely.area(outlines)
    middles = shapely.centroid(outlines)
    near = np.concatenate([_on(plane, part) for part in (ground.home_streets, ground.roads, ground.residential)])
    kept = np.zeros(len(outlines), dtype=np.bool_)
    if len(near) and len(outlines):
        kept[shapely.STRtree(near).query(middles, predicate="dwithin", distance=NEAR_STREET_M)[0]] = True
    kept &= footprint >= SHED_M2
    known = np.isfinite(ground.floors)
    footprint = np.where(known, footprint, np.minimum(footprint, HOME_MAX_M2))
    area = footprint * np.where(known, ground.floors, FLOORS)
    return _Pieces(shapely.get_x(middles), shapely.get_y(middles), area).where(kept), footprint[kept]


def _pixels(ground: Ground, bounds: tuple[float, float, float, float], pixel_m: float, plane: LocalPlane) -> _Pieces:
    """Residential ground as pixel centres, each with its square metres."""
    x0, y0, x1, y1 = bounds
    n_cols, n_rows = int((x1 - x0) // pixel_m) + 1, int((y1 - y0) // pixel_m) + 1
    strips = shapely.buffer(_on(plane, ground.home_streets), STRIP_M)
    burnt = [(shape, 1) for shape in (*_on(plane, ground.residential), *strips)]
    burnt += [(shape, 0) for shape in _on(plane, ground.elsewhere)]
    if not burnt:
        return _Pieces(np.zeros(0), np.zeros(0), np.zeros(0))
    grid = Affine(pixel_m, 0.0, x0, 0.0, -pixel_m, y1)
    mask = rasterio.features.rasterize(burnt, out_shape=(n_rows, n_cols), transform=grid, dtype="uint8")
    rows, cols = np.nonzero(mask)
    east, south = (cols + 0.5) * pixel_m, (rows + 0.5) * pixel_m
    return _Pieces(np.asarray(x0 + east), np.asarray(y1 - south), np.full(len(rows), pixel_m**2))


def _on(plane: LocalPlane, series: gpd.GeoSeries) -> Any:
    """Shapes in the metres of the plane, object (n,)."""
    return np.asarray(series.to_crs(plane.crs), dtype=object)


def _along(lines: Any, step_m: float = 20.0) -> _Pieces:
    """Streets as points a step apart, each with the length it stands for."""
    if not len(lines):
        return _Pieces(np.zeros(0), np.zeros(0), np.zeros(0))
    length = shapely.length(lines)
    n_steps = np.maximum(1, np.ceil(length / step_m)).astype(np.int64)
    line = np.repeat(np.arange(len(lines)), n_steps)
    step = (length / n_steps)[line]
    nth = np.arange(len(line)) - np.repeat(np.cumsum(n_steps) - n_steps, n_steps)
    points = shapely.line_interpolate_point(lines[line], (nth + 0.5) * step)
    return _Pieces(shapely.get_x(points), shapely.get_y(points), step)


def _joined(one: _Pieces, other: _Pieces) -> _Pieces:
    return _Pieces(*(np.concatenate(pair) for pair in ((one.x, other.x), (one.y, other.y), (one.weight, other.weight))))


def _gathered(pieces: _Pieces, polygon: Any, cell_m: float) -> pd.DataFrame:
    """
    Gather pieces in square cells, sorted by row and column.

    Returns
    -------
    cells
        Columns ``col``, ``row`` (of the grid), ``x``, ``y`` (weighted middle, inside the polygon) and ``weight``.
    """
    table = pd.DataFrame({"x": pieces.x, "y": pieces.y, "weight": pieces.weight})
    table["col"] = np.floor(pieces.x / cell_m).astype(np.int64)
    table["row"] = np.floor(pieces.y / cell_m).astype(np.int64)
    table["wx"], table["wy"] = table["x"] * table["weight"], table["y"] * table["weight"]
    cells = table.groupby(["row", "col"], sort=True)[["wx", "wy", "weight"]].sum().reset_index()
    cells["x"], cells["y"] = cells["wx"] / cells["weight"], cells["wy"] / cells["weight"]
    outside = ~shapely.covers(polygon, shapely.points(np.asarray(cells["x"]), np.asarray(cells["y"])))
    for place in np.flatnonzero(outside):
        # The middle of what lies on both sides of a bend of the border may fall outside: take the nearest piece.
        cell = cells.loc[place]
        own = table[(table["row"] == cell["row"]) & (table["col"] == cell["col"])]
        nearest = np.argmin(np.hypot(own["x"] - cell["x"], own["y"] - cell["y"]))
        cells.loc[place, ["x", "y"]] = own[["x", "y"]].iloc[nearest].to_numpy()
    return cells[["col", "row", "x", "y", "weight"]]


def _people(
    rows: list[pd.DataFrame], groups: tuple[str, ...], cell_m: float, plane: LocalPlane, no_homes: list[str]
) -> People:
    """Bring the cells of all polygons into one table, with ids, squares and the words that state the method."""
    cells = pd.concat(rows, ignore_index=True)
    ids = "c_" + cells["col"].astype(str) + "_" + cells["row"].astype(str)
    again = ids.groupby(ids).cumcount()  # a cell on a border comes once per polygon
    ids = ids.where(again == 0, ids + "_" + (again + 1).astype(str))
    lon, lat = plane.to_lonlat(np.asarray(cells["x"]), np.asarray(cells["y"]))
    table = pd.DataFrame({"id": ids, "lon": lon, "lat": lat, "total": cells["total"]})
    for group in groups:
        table[group] = cells[group]
    table["area"] = cells["area"]
    west, south = np.asarray(cells["col"]) * cell_m, np.asarray(cells["row"]) * cell_m
    squares = gpd.GeoSeries(shapely.box(west, south, west + cell_m, south + cell_m), crs=plane.crs).to_crs(WGS84)
    notes = [
        f"Only the totals of larger areas are known; people are spread over cells of {cell_m:g} m, by the floor "
        "area of homes where OpenStreetMap has buildings densely, and by residential landuse and streets where it has "
        "not. How many live in a single cell is therefore an estimate."
    ]
    if no_homes:
        notes.append(f"No residential ground is mapped in {', '.join(no_homes)}; people there are set along streets.")
    return People(table, groups, squares, cell_m, tuple(notes))
