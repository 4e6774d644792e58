"""The frame of a map: from degrees to the whole units that paths are written in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import geopandas as gpd
import numpy as np

from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import Streets
from nearer.units import FloatArray

WIDTH = 4800
"""Width of every map in units; a tenth of a pixel on a map drawn 480 pixels wide."""

_TALLEST, _WIDEST = 1.45, 0.72
_PAD = 0.03
_FOOT = 0.05  # a strip below everything, for the scale bar and the source
_OUTLINE = 1.5
_LEAST_M = 400.0


class Ground(Protocol):
    """What every map draws on: a plan, or gaps (see `Plan` for the columns)."""

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """Sites with their ``status``."""

    @property
    def people(self) -> gpd.GeoDataFrame:
        """Points with their ``total`` and ``area``."""

    @property
    def streets(self) -> Streets | None:
        """Streets, if the study has any."""

    @property
    def boundary(self) -> gpd.GeoDataFrame | None:
        """The outline of the study, if it has one."""

    @property
    def districts(self) -> gpd.GeoDataFrame | None:
        """Named polygons, if the study has any."""

    @property
    def shapes(self) -> gpd.GeoSeries | None:
        """Cells of people, where the input had cells."""

    @property
    def cell_m(self) -> float | None:
        """Side of square cells, metres."""


@dataclass(frozen=True)
class Frame:
    """
    What part of the world a map shows, north up.

    Parameters
    ----------
    plane
        The plane in which metres are measured.
    left_m, top_m
        The upper left corner, metres.
    per_m
        Units per metre.
    height
        Height in units; the width is ``WIDTH``.
    """

    plane: LocalPlane
    left_m: float
    top_m: float
    per_m: float
    height: int

    def place(self, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Units to the right of and below the upper left corner."""
        x, y = self.plane.to_xy(lon, lat)
        return (x - self.left_m) * self.per_m, (self.top_m - y) * self.per_m

    def scale_bar(self) -> tuple[float, int]:
        """A round length in metres, 1, 2 or 5 times a power of ten, and its units; at most a quarter of the width."""
        longest = WIDTH / 4 / self.per_m
        power = 10.0 ** math.floor(math.log10(longest))
        length = max(step * power for step in (1, 2, 5) if step * power <= longest)
        return length, round(length * self.per_m)


def lonlat(points: gpd.GeoDataFrame) -> tuple[FloatArray, FloatArray]:
    """Coordinates of point features, float64."""
    geometry = points.geometry
    return geometry.x.to_numpy(dtype=np.float64), geometry.y.to_numpy(dtype=np.float64)


def frame_of(plan: Ground) -> Frame:
    """Frame everyone who lives in the study, every open centre and a close outline, neither too tall nor too wide."""
    lon, lat = lonlat(plan.people)
    shown = plan.sites[plan.sites["status"].isin(["existing", "opened", "upgraded", "closed"])]
    site_lon, site_lat = lonlat(shown)
    lon, lat = np.concatenate([lon, site_lon]), np.concatenate([lat, site_lat])
    plane = LocalPlane.around(lon, lat)
    x, y = plane.to_xy(lon, lat)
    if plan.boundary is not None and len(plan.boundary):
        west, south, east, north = plan.boundary.total_bounds
        edge_x, edge_y = plane.to_xy(np.array([west, west, east, east]), np.array([south, north, south, north]))
        # An outline little larger than what lives in it is worth showing whole; a country around a town is not.
        if np.ptp(edge_x) <= _OUTLINE * np.ptp(x) and np.ptp(edge_y) <= _OUTLINE * np.ptp(y):
            x, y = np.concatenate([x, edge_x]), np.concatenate([y, edge_y])
    margin = 2 * _PAD * max(np.ptp(x), np.ptp(y)) + (plan.cell_m or 0.0)
    wide, tall = max(np.ptp(x) + margin, _LEAST_M), max(np.ptp(y) + margin, _LEAST_M)
    aspect = min(max(tall / wide, _WIDEST), _TALLEST)
    wide = max(wide, tall / aspect)
    tall = wide * aspect
    per_m = WIDTH / wide
    left, top = (x.min() + x.max() - wide) / 2, (y.min() + y.max() + tall) / 2
    return Frame(plane, float(left), float(top), float(per_m), round((tall + _FOOT * wide) * per_m))
