"""People from population rasters: cells read strip by strip, summed to a coarser grid, empty ones left out."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from pyproj import CRS, Transformer
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from nearer.errors import Faults
from nearer.inputs.frames import read_crs
from nearer.inputs.geo import WGS84, lengths_m
from nearer.inputs.people import check_groups
from nearer.inputs.sources import PeopleSource
from nearer.inputs.tables import People
from nearer.units import FloatArray, IntArray

Bounds = tuple[float, float, float, float]

_STRIP_CELLS = 4_000_000  # raster cells held at a time, per layer
_NEARLY = 0.01  # a cell this much smaller than asked still counts as large enough (99.9 m for 100 m)
_SLACK = 1e-4  # share by which single-precision groups may exceed their total through rounding
_EDGE = 1e-3  # grids are the same when their corners agree within this share of a cell


@dataclass(frozen=True)
class _Grid:
    """Where a raster lies, and how its cells are gathered."""

    transform: Any
    crs: CRS
    width: int
    height: int
    factor: tuple[int, int]  # cells gathered across and down
    size_m: tuple[float, float]  # ground size of one raster cell at the middle

    @property
    def gathered_m(self) -> tuple[float, float]:
        """Ground size of a gathered cell, metres across and down."""
        return self.size_m[0] * self.factor[0], self.size_m[1] * self.factor[1]


def read_raster(
    path: Path,
    source: PeopleSource,
    group_paths: Mapping[str, Path] | None = None,
    *,
    name: str | None = None,
    bounds: Bounds | None = None,
) -> People:
    """
    Read people from a raster whose cells hold counts.

    Cells without data, not finite or negative are empty. Cells are summed in blocks that start at the raster's own
    corner, so that a boundary does not change the blocks.

    Parameters
    ----------
    path
        Raster of all people; its first band counts.
    source
        ``cell_m`` is the least size of a block in metres, ``crs`` replaces the raster's own system, ``groups`` names
        the rasters of the groups, for messages.
    group_paths
        Group name → raster on the same grid.
    name
        The file as the study writes it.
    bounds
        West, south, east, north in degrees: blocks outside are not read.

    Raises
    ------
    InputError
        The raster cannot be read, has no georeference or no people, or a group's raster lies otherwise or exceeds it.
    """
    faults = Faults(name or path.name)
    check_groups(source.groups, faults)
    paths = {"": path, **(group_paths or {})}
    files = {"": name or path.name, **source.groups}
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        layers = {}
        for layer, layer_path in paths.items():
            try:
                layers[layer] = stack.enter_context(rasterio.open(layer_path))
            except RasterioError as error:
                first = str(error).splitlines()[0][:200]
                faults.add(
                    f"the raster is damaged or of another kind ({first})",
                    file=files[layer],
                    remedy="give a GeoTIFF; copy or export it again",
                )
        faults.raise_if_any()
        grid = _grid(layers[""], source, faults)
        faults.raise_if_any()
        assert grid is not None
        for layer, dataset in layers.items():
            if layer:
                _check_same_grid(dataset, layers[""], faults, files[layer], files[""])
        faults.raise_if_any()
        try:
            strips = list(_strips(list(layers.values()), grid, bounds))
        except RasterioError as error:
            first = str(error).splitlines()[0][:200]
            faults.add(f"the raster breaks off or is damaged ({first})", remedy="copy or export it again")
            strips = []
        n_bands = layers[""].count
    faults.raise_if_any()
    return _people(strips, list(layers)[1:], grid, source, faults, n_bands)


def _grid(dataset: Any, source: PeopleSource, faults: Faults) -> _Grid | None:
    """Where the raster lies, or None with a fault."""
    crs = read_crs(source.crs, faults, "[people] crs") if source.crs else (dataset.crs and CRS(dataset.crs.to_wkt()))
    if faults.found:
        return None
    if dataset.transform.is_identity or not crs:
        faults.add(
            "the raster has no georeference: nothing says where on the globe it lies",
            remedy="give the GeoTIFF with its coordinate system, or set [people] crs"
            if not dataset.transform.is_identity
            else "export it again as a GeoTIFF with its coordinate system",
        )
        return None
    row, column = dataset.height / 2, dataset.width / 2
    x, y = _at(dataset.transform, column + np.array([0.0, 1.0, 0.0]), row + np.array([0.0, 0.0, 1.0]))
    lon, lat = Transformer.from_crs(crs, CRS(WGS84), always_xy=True).transform(x, y)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all() and np.abs(lat).max() <= 90 and np.abs(lon).max() <= 180):
        faults.add(
            f'the raster does not lie on the globe in "{crs.name}"', remedy="set [people] crs to its coordinate system"
        )
        return None
    across, down = lengths_m(lon[[0, 0]], lat[[0, 0]], lon[[1, 2]], lat[[1, 2]]).tolist()
    least = source.cell_m or 0.0
    factor = tuple(max(1, math.ceil(least * (1 - _NEARLY) / size)) for size in (across, down))
    return _Grid(dataset.transform, crs, dataset.width, dataset.height, (factor[0], factor[1]), (across, down))


def _at(transform: Any, column: Any, row: Any) -> tuple[Any, Any]:
    """Apply an affine transform to positions."""
    return (
        transform.a * column + transform.b * row + transform.c,
        transform.d * column + transform.e * row + transform.f,
    )


def _check_same_grid(dataset: Any, other: Any, faults: Faults, file: str, other_file: str) -> None:
    """Note a raster that does not lie cell on cell over the other."""
    same = (dataset.width, dataset.height) == (other.width, other.height)
    size = max(abs(value) for value in (other.transform.a, other.transform.b, other.transform.d, other.transform.e))
    for corner in ((0, 0), (other.width, other.height)):
        same = same and np.allclose(
            _at(dataset.transform, *corner), _at(other.transform, *corner), rtol=0, atol=_EDGE * size
        )
    if not same or (dataset.crs and other.crs and dataset.crs != other.crs):
        faults.add(
            f"the raster does not lie on the grid of {other_file}", file=file, remedy="export both on the same grid"
        )


def _strips(
    datasets: Sequence[Any], grid: _Grid, bounds: Bounds | None
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Rows, columns and people (n_layers, n) of the gathered cells that hold people, strip by strip from the top."""
    across, down = grid.factor
    first_row, last_row, first_column, last_column = _window(grid, bounds)
    width = min(last_column * across, grid.width) - first_column * across
    if width <= 0:
        return
    step = max(1, _STRIP_CELLS // (width * down))
    for row in range(first_row, last_row, step):
        top, bottom = row * down, min(min(row + step, last_row) * down, grid.height)
        window = Window(first_column * across, top, width, bottom - top)
        sums = np.stack([_gathered(dataset, window, across, down) for dataset in datasets])
        rows, columns = np.nonzero(sums.max(axis=0) > 0)
        yield rows + row, columns + first_column, sums[:, rows, columns]


def _window(grid: _Grid, bounds: Bounds | None) -> tuple[int, int, int, int]:
    """First and last gathered rows and columns that touch the bounds."""
    across, down = grid.factor
    n_rows, n_columns = math.ceil(grid.height / down), math.ceil(grid.width / across)
    if bounds is None:
        return 0, n_rows, 0, n_columns
    west, south, east, north = transform_bounds(WGS84, rasterio.crs.CRS.from_wkt(grid.crs.to_wkt()), *bounds)
    columns, rows = _at(~grid.transform, np.array([west, west, east, east]), np.array([south, north, south, north]))
    return (
        max(0, math.floor(rows.min() / down) - 1),
        min(n_rows, math.ceil(rows.max() / down) + 1),
        max(0, math.floor(columns.min() / across) - 1),
        min(n_columns, math.ceil(columns.max() / across) + 1),
    )


def _gathered(dataset: Any, window: Window, across: int, down: int) -> FloatArray:
    """People in the blocks of a window, float64."""
    read = dataset.read(1, window=window, masked=True)
    people = np.ma.filled(read.astype(np.float64), 0.0)
    people[~(np.isfinite(people) & (people > 0))] = 0.0
    if down > 1:
        people = np.add.reduceat(people, np.arange(0, people.shape[0], down), axis=0)
    if across > 1:
        people = np.add.reduceat(people, np.arange(0, people.shape[1], across), axis=1)
    return np.asarray(people)


def _people(
    strips: Sequence[tuple[IntArray, IntArray, FloatArray]],
    groups: Sequence[str],
    grid: _Grid,
    source: PeopleSource,
    faults: Faults,
    n_bands: int,
) -> People:
    """Points and outlines of the gathered cells."""
    if not any(len(rows) for rows, _, _ in strips):
        faults.add("nobody lives in the raster", remedy="check that it holds people per cell, and the boundary")
    faults.raise_if_any()
    rows, columns = (np.concatenate([strip[k] for strip in strips]) for k in (0, 1))
    people = np.concatenate([strip[2] for strip in strips], axis=1)
    total = people[0]
    for group, values in zip(groups, people[1:], strict=True):
        excess = values > total * (1 + _SLACK)
        if excess.any():
            k = int(np.argmax(values - total))
            faults.add(
                f"group {group} exceeds the total in {int(excess.sum()):,} cells, worst {values[k]:g} > {total[k]:g}",
                file=source.groups[group],
                remedy="a group is a part of the total",
            )
    faults.raise_if_any()
    across, down = grid.factor
    left, right = columns * across, np.minimum((columns + 1) * across, grid.width)
    top, bottom = rows * down, np.minimum((rows + 1) * down, grid.height)
    to_lonlat = Transformer.from_crs(grid.crs, CRS(WGS84), always_xy=True)

    def place(column: FloatArray | IntArray, row: FloatArray | IntArray) -> tuple[FloatArray, FloatArray]:
        return to_lonlat.transform(*_at(grid.transform, column, row))

    corners = np.stack(
        [np.column_stack(place(x, y)) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
    )
    lon, lat = place((left + right) / 2, (top + bottom) / 2)
    table = pd.DataFrame({"id": [f"r{row}c{column}" for row, column in zip(rows, columns, strict=True)]})
    table = table.assign(lon=lon, lat=lat, total=total)
    for group, values in zip(groups, people[1:], strict=True):
        table[group] = np.minimum(values, total)
    size = grid.gathered_m
    alike = abs(size[0] - size[1]) <= 0.02 * max(size)
    shapes = gpd.GeoSeries(shapely.polygons(corners.transpose(1, 0, 2)), crs=WGS84)
    keep = (total > 0) & np.isfinite(lon) & np.isfinite(lat)
    return People(
        table.assign(area="")[keep].reset_index(drop=True).astype({"id": str, "area": str}),
        tuple(groups),
        shapes[keep].reset_index(drop=True),
        round(sum(size) / 2, 1) if alike else None,
        _notes(grid, faults.file or "", n_bands),
    )


def _notes(grid: _Grid, file: str, n_bands: int) -> tuple[str, ...]:
    across, down = grid.factor
    wide, high = (f"{size:.0f}" for size in grid.gathered_m)
    notes = [f"People are counted in raster cells of about {wide} m × {high} m, each stood for by its centre."]
    if (across, down) != (1, 1):
        notes.append(f"Each of them sums {across} × {down} cells of {file}.")
    if n_bands > 1:
        notes.append(f"{file} holds {n_bands} bands; the first was taken as people.")
    return tuple(notes)
