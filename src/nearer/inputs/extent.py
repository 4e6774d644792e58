"""Checks across files: do people, sites and streets lie in the same place?"""

from __future__ import annotations

from typing import Any

import numpy as np

from nearer.errors import Faults
from nearer.inputs.columns import note_rows
from nearer.inputs.geo import lengths_m
from nearer.inputs.tables import Streets
from nearer.units import M_PER_KM, BoolArray, FloatArray, IntArray

Bounds = tuple[float, float, float, float]
"""West, south, east, north, degrees."""


def box_of(lon: FloatArray, lat: FloatArray) -> Bounds:
    """Bounding box of points."""
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def street_box(streets: Streets) -> Bounds:
    """Bounding box of the streets."""
    return box_of(streets.lon, streets.lat)


def grown(box: Bounds, margin_m: float) -> Bounds:
    """A box with a margin in metres on all sides."""
    west, south, east, north = box
    a_degree = 111_000.0
    d_lat = margin_m / a_degree
    d_lon = d_lat / max(0.01, float(np.cos(np.radians(min(89.0, max(abs(south), abs(north)))))))
    return west - d_lon, south - d_lat, east + d_lon, north + d_lat


def off_box_m(lon: FloatArray, lat: FloatArray, box: Bounds) -> FloatArray:
    """How far points lie outside a box, metres, 0 inside."""
    west, south, east, north = box
    return lengths_m(lon, lat, np.clip(lon, west, east), np.clip(lat, south, north))


def look_swapped(lon: FloatArray, lat: FloatArray, box: Bounds) -> bool:
    """Whether most points lie outside a box, and inside it with longitude and latitude exchanged."""
    west, south, east, north = box
    pad = max(east - west, north - south, 0.02)

    def in_box(x: FloatArray, y: FloatArray) -> BoolArray:
        return (x >= west - pad) & (x <= east + pad) & (y >= south - pad) & (y <= north + pad)

    return 2 * int((~in_box(lon, lat) & in_box(lat, lon)).sum()) > len(lon)


def note_swapped(faults: Faults, file: str, columns: tuple[str, str], what: str) -> None:
    """Say that a file's coordinates are exchanged."""
    faults.add(
        f"longitude and latitude look swapped: exchanged, most rows lie within {what}",
        file=file,
        column=f"{columns[0]}, {columns[1]}",
        remedy="exchange the two columns",
    )


def note_outside(faults: Faults, file: str, rows: IntArray, table: Any, box: Bounds, far_m: float, what: str) -> None:
    """Note sites farther outside a box than ``far_m`` metres."""
    off_m = off_box_m(table["lon"].to_numpy(), table["lat"].to_numpy(), box)
    ids = table["id"].tolist()
    note_rows(
        faults,
        rows,
        off_m > far_m,
        lambda k: f'site "{ids[k]}" lies {_distance(off_m[k])} outside {what}',
        remedy="correct its coordinates, or leave out what lies outside by [area] boundary",
        file=file,
    )


def _distance(metres: float) -> str:
    return f"{metres / M_PER_KM:,.1f} km" if metres >= M_PER_KM else f"{metres:.0f} m"
