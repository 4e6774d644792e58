"""Heights of street nodes, and how slopes change walking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from pyproj import CRS, Transformer
from rasterio.errors import RasterioError
from rasterio.windows import Window

from nearer.errors import Fault, InputError
from nearer.inputs.geo import WGS84
from nearer.units import FloatArray


def tobler_factor(slope: FloatArray) -> FloatArray:
    """
    Walking speed on a slope as a multiple of that on the flat; 1 where the slope is unknown.

    Tobler's hiking function, 6 exp(-3.5 |s + 0.05|) km/h (W. Tobler 1993, Three presentations on geographical analysis
    and modeling, NCGIA technical report 93-1), divided by its value at s = 0: 1.19 at its best, 5 % downhill.

    Parameters
    ----------
    slope
        Rise per metre in the direction of travel, float64; steeper than 1 counts as 1, no street is.
    """
    known = np.clip(np.nan_to_num(slope, nan=0.0), -1.0, 1.0)
    return np.asarray(np.exp(-3.5 * (np.abs(known + 0.05) - 0.05)))


def sample_elevation(path: Path, lon: FloatArray, lat: FloatArray, *, name: str | None = None) -> FloatArray:
    """
    Heights of points by bilinear interpolation between cell centres, metres, NaN where the raster knows nothing.

    Parameters
    ----------
    path
        Single-band raster, heights in metres; of several bands the first counts.
    lon, lat
        Points in WGS 84, float64 (n,), degrees.
    name
        How the file is called in messages; default its path.

    Raises
    ------
    InputError
        The raster is missing, cannot be read, says not where it lies, or covers none of the points.
    """
    name = name or str(path)
    try:
        with rasterio.open(path) as raster:
            if raster.crs is None:
                raise InputError([Fault("has no coordinate system", name, remedy="give a georeferenced GeoTIFF")])
            to_raster = Transformer.from_crs(CRS(WGS84), CRS(raster.crs.to_wkt()), always_xy=True)
            x, y = to_raster.transform(np.asarray(lon), np.asarray(lat))
            grid = ~raster.transform
            column = grid.a * np.asarray(x) + grid.b * np.asarray(y) + grid.c - 0.5  # from the centres of cells
            row = grid.d * np.asarray(x) + grid.e * np.asarray(y) + grid.f - 0.5
            inside = (column > -1) & (column < raster.width) & (row > -1) & (row < raster.height)
            if not inside.any():
                raise InputError([Fault("covers none of the streets", name, remedy="give a raster of the same place")])
            left, top = int(max(column[inside].min(), 0)), int(max(row[inside].min(), 0))
            right = int(min(column[inside].max() + 2, raster.width))
            bottom = int(min(row[inside].max() + 2, raster.height))
            band = raster.read(1, window=Window(left, top, right - left, bottom - top), masked=True)
    except (RasterioError, OSError) as error:
        raise InputError([Fault(f"cannot be read as a raster ({error})", name)]) from error
    height = np.ma.filled(band.astype(np.float64), np.nan)
    found = np.full(len(lon), np.nan)
    # Beyond the outermost centres the edge's own height holds.
    c = np.clip(column[inside] - left, 0, height.shape[1] - 1)
    r = np.clip(row[inside] - top, 0, height.shape[0] - 1)
    c0, r0 = np.floor(c).astype(np.int64), np.floor(r).astype(np.int64)
    c1, r1 = np.minimum(c0 + 1, height.shape[1] - 1), np.minimum(r0 + 1, height.shape[0] - 1)
    upper = height[r0, c0] * (1 - (c - c0)) + height[r0, c1] * (c - c0)
    lower = height[r1, c0] * (1 - (c - c0)) + height[r1, c1] * (c - c0)
    found[inside] = upper * (1 - (r - r0)) + lower * (r - r0)
    return found
