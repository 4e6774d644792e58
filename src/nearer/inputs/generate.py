"""Candidates along streets, for places without a list of venues."""

from __future__ import annotations

import heapq

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import STREET_CLASSES, Streets
from nearer.units import FloatArray, IntArray

Bounds = tuple[float, float, float, float]

_PER_SPACING = 10  # places looked at along each spacing of street
_NO_PLACE = ("motorway", "ferry")


def candidates_along(
    streets: Streets, spacing_m: float, *, bounds: Bounds | None = None, ground: shapely.Geometry | None = None
) -> pd.DataFrame:
    """
    Choose places on streets so that no two are nearer than the spacing and no street is much farther from one.

    Places are looked at every tenth of the spacing, and taken from the north one after the other, always the one
    nearest to those taken that is the spacing away from all of them. The same streets give the same places.

    Parameters
    ----------
    streets
        Street segments; motorways and ferries are passed over.
    spacing_m
        Least distance between two candidates, metres as the crow flies.
    bounds
        West, south, east, north in degrees; places outside are passed over.
    ground
        Polygons in WGS 84; places outside are passed over.

    Returns
    -------
    DataFrame
        ``id`` ("g1", "g2", … from the north-west), ``name`` (the street's, "" where it has none), ``lon``, ``lat``.
    """
    barred = [STREET_CLASSES.index(name) for name in _NO_PLACE]
    open_segments = np.flatnonzero(~np.isin(streets.street_class, barred))
    segments = _touching(streets, open_segments, bounds)
    empty = pd.DataFrame({"id": [], "name": [], "lon": [], "lat": []}).astype({"id": str, "name": str})
    if not len(segments):
        return empty
    ends = streets.from_idx[segments], streets.to_idx[segments]
    plane = LocalPlane.around(*(np.concatenate([values[end] for end in ends]) for values in (streets.lon, streets.lat)))
    x0, y0 = plane.to_xy(streets.lon[ends[0]], streets.lat[ends[0]])
    x1, y1 = plane.to_xy(streets.lon[ends[1]], streets.lat[ends[1]])
    parts = np.maximum(1, np.ceil(np.hypot(x1 - x0, y1 - y0) * _PER_SPACING / spacing_m)).astype(np.int64)
    of = np.repeat(np.arange(len(segments)), parts)
    along = (np.arange(len(of)) - np.repeat(np.cumsum(parts) - parts, parts) + 0.5) / parts[of]
    # Between its ends a segment is straight in degrees, as the street graph takes it.
    lon = streets.lon[ends[0]][of] * (1 - along) + streets.lon[ends[1]][of] * along
    lat = streets.lat[ends[0]][of] * (1 - along) + streets.lat[ends[1]][of] * along
    x, y = plane.to_xy(lon, lat)
    inside = np.ones(len(of), dtype=bool)
    if bounds is not None:
        west, south, east, north = bounds
        inside &= (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    if ground is not None:
        shapely.prepare(ground)
        inside &= shapely.intersects_xy(ground, lon, lat)
    kept = np.flatnonzero(inside)
    if not len(kept):
        return empty
    chosen = kept[_spaced(x[kept], y[kept], spacing_m)]
    order = np.lexsort((x[chosen], -np.floor(y[chosen] / spacing_m)))
    chosen = chosen[order]
    names = np.array(streets.way_names, dtype=object)[streets.way_idx[segments[of[chosen]]]]
    ids = [f"g{k}" for k in range(1, len(chosen) + 1)]
    return pd.DataFrame({"id": ids, "name": names, "lon": lon[chosen], "lat": lat[chosen]})


def _touching(streets: Streets, segments: IntArray, bounds: Bounds | None) -> IntArray:
    """Segments whose box touches the bounds."""
    if bounds is None or not len(segments):
        return segments
    west, south, east, north = bounds
    ends = np.stack([streets.from_idx[segments], streets.to_idx[segments]])
    lon, lat = streets.lon[ends], streets.lat[ends]
    touch = (
        (lon.max(axis=0) >= west) & (lon.min(axis=0) <= east) & (lat.max(axis=0) >= south) & (lat.min(axis=0) <= north)
    )
    return np.asarray(segments[touch])


def _spaced(x: FloatArray, y: FloatArray, spacing_m: float) -> IntArray:
    """
    Positions of points at least the spacing apart, to which none can be added.

    Each next one is the point nearest to those taken, so that gaps stay close to the spacing; the first lies farthest
    north.
    """
    points = np.column_stack((x, y))
    tree = cKDTree(points)
    blocked = np.zeros(len(x), dtype=bool)
    chosen: list[int] = []
    front: list[tuple[float, int, int]] = []  # distance, point, whose ring it is in
    rings: dict[int, IntArray] = {}

    def advance(taken: int) -> None:
        """Put the nearest free point around a taken one on the front."""
        ring = rings[taken][~blocked[rings[taken]]]
        if len(ring):
            rings[taken] = ring
            off = points[ring[0]] - points[taken]
            heapq.heappush(front, (float(np.hypot(*off)), int(ring[0]), taken))
        else:
            del rings[taken]

    for start in np.lexsort((x, -y)).tolist():
        if blocked[start]:
            continue
        front.append((0.0, start, -1))
        while front:
            _, point, owner = heapq.heappop(front)
            if not blocked[point]:
                chosen.append(point)
                around = np.array(tree.query_ball_point(points[point], 2 * spacing_m), dtype=np.int64)
                off_m = np.hypot(*(points[around] - points[point]).T)
                blocked[around[off_m < spacing_m * (1 - 1e-9)]] = True
                order = np.lexsort((around, off_m))
                rings[point] = around[order]
                advance(point)
            if owner >= 0:
                advance(owner)
    return np.asarray(chosen, dtype=np.int64)
