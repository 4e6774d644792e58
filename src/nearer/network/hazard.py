"""Travel times around ground that nobody can use or cross: a flood, a landslide, a closed quarter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from nearer.inputs.geo import LocalPlane
from nearer.inputs.sources import StreetsSource
from nearer.inputs.tables import Tables
from nearer.network.compute import Network, base_speed_kmh
from nearer.network.graph import StreetGraph, without_segments
from nearer.network.snap import NOT_JOINED, Snap, snap_xy
from nearer.network.times import TravelTimes
from nearer.network.travel import travel_times
from nearer.progress import Progress, Stop
from nearer.units import UNREACHED, BoolArray, FloatArray

_PAIRS_AT_ONCE = 200_000


@dataclass(frozen=True)
class Cut:
    """
    What a hazard leaves of a network.

    Parameters
    ----------
    times
        Times on the streets that are left, as ``Network.times``.
    people_mask, sites_mask
        Points inside, its edge included, bool (n,).
    segments
        Street segments cut.
    """

    times: TravelTimes
    people_mask: BoolArray
    sites_mask: BoolArray
    segments: int


def cut_network(
    network: Network,
    tables: Tables,
    source: StreetsSource,
    ground: gpd.GeoDataFrame,
    *,
    threads: int,
    progress: Progress,
    stop: Stop,
) -> Cut:
    """
    Compute times anew where some ground cannot be used.

    Street segments that touch the ground are gone. People and sites inside are joined to nothing; those outside are
    joined to the nearest street that is left, unless the walk there would touch the ground. Without streets, a straight
    line that touches the ground leads nowhere; in a ready table of times, only the points inside are cut.

    Parameters
    ----------
    network, tables, source
        What the plan was made on.
    ground
        Polygons in WGS 84.
    threads, progress, stop
        As for ``travel_times``.

    Raises
    ------
    StoppedError
        ``stop`` said yes.
    """
    people, sites = tables.people.table, tables.sites.table
    shape = in_plane(ground, network.plane)
    shapely.prepare(shape)
    people_xy = network.plane.to_xy(people["lon"].to_numpy(), people["lat"].to_numpy())
    sites_xy = network.plane.to_xy(sites["lon"].to_numpy(), sites["lat"].to_numpy())
    people_mask, sites_mask = (np.asarray(shapely.intersects_xy(shape, *xy)) for xy in (people_xy, sites_xy))
    graph = network.graph
    if graph is None:
        lines = source.mode == "straight" and tables.times is None
        times = _without_pairs(network.times, people_mask, sites_mask, shape if lines else None, people_xy, sites_xy)
        return Cut(times, people_mask, sites_mask, 0)
    cut_mask = touched_segments(graph, shape)
    left = without_segments(graph, cut_mask)
    kmh = base_speed_kmh(source)
    people_snap, site_snap = (
        _kept_dry(snap_xy(left, *xy, source.snap_m, access_kmh=kmh), xy, shape, inside)
        for xy, inside in ((people_xy, people_mask), (sites_xy, sites_mask))
    )
    limit_ms = network.times.limit_ms
    times = travel_times(left, people_snap, site_snap, limit_ms, threads=threads, progress=progress, stop=stop)
    return Cut(times, people_mask, sites_mask, int(cut_mask.sum()))


def in_plane(ground: gpd.GeoDataFrame, plane: LocalPlane) -> Any:
    """All polygons as one shape in metres."""
    shape = shapely.union_all(np.asarray(ground.geometry.array, dtype=object))
    return shapely.transform(shape, lambda lonlat: np.column_stack(plane.to_xy(lonlat[:, 0], lonlat[:, 1])))


def touched_segments(graph: StreetGraph, shape: Any) -> BoolArray:
    """Segments that touch a (prepared) shape in the graph's plane, bool (n_segments,)."""
    ends = np.stack([graph.from_idx, graph.to_idx], axis=1)
    return np.asarray(shapely.intersects(shape, shapely.linestrings(np.stack([graph.x[ends], graph.y[ends]], axis=2))))


def _kept_dry(joined: Snap, xy: tuple[FloatArray, FloatArray], shape: Any, inside: BoolArray) -> Snap:
    """Unjoin points inside a shape, and those whose walk to the street touches it."""
    gone = inside.copy()
    some = np.flatnonzero(joined.joined_mask & ~inside)
    ends = [np.column_stack([at[some], on[some]]) for at, on in zip(xy, (joined.x, joined.y), strict=True)]
    walks = shapely.linestrings(np.stack(ends, axis=2))
    gone[some] |= shapely.intersects(shape, walks)
    return replace(
        joined,
        segment_idx=np.where(gone, NOT_JOINED, joined.segment_idx).astype(np.int32),
        distance_m=np.where(gone, np.inf, joined.distance_m),
        x=np.where(gone, np.nan, joined.x),
        y=np.where(gone, np.nan, joined.y),
        access_ms=np.where(gone, UNREACHED, joined.access_ms).astype(np.int32),
    )


def _without_pairs(
    times: TravelTimes,
    people_mask: BoolArray,
    sites_mask: BoolArray,
    shape: Any | None,
    people_xy: tuple[FloatArray, FloatArray],
    sites_xy: tuple[FloatArray, FloatArray],
) -> TravelTimes:
    """Leave out pairs with an end inside, and where a shape is given those whose straight line touches it."""
    point = np.repeat(np.arange(times.n_points), np.diff(times.indptr))
    keep = ~people_mask[point] & ~sites_mask[times.site_idx]
    if shape is not None:
        left = np.flatnonzero(keep)
        for first in range(0, len(left), _PAIRS_AT_ONCE):
            some = left[first : first + _PAIRS_AT_ONCE]
            p, s = point[some], times.site_idx[some]
            corners = [np.column_stack([people_xy[axis][p], sites_xy[axis][s]]) for axis in (0, 1)]
            keep[some] = ~shapely.intersects(shape, shapely.linestrings(np.stack(corners, axis=2)))
    before = np.concatenate([[0], np.cumsum(keep)])
    return TravelTimes(before[times.indptr], times.site_idx[keep], times.time_ms[keep], times.n_sites, times.limit_ms)
