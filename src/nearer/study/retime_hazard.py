"""Travel times around a hazard once more, for the independent check: segments one by one, SciPy's Dijkstra."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from nearer.inputs.sources import StreetsSource
from nearer.inputs.tables import Tables
from nearer.network import Snap, StreetGraph, build_graph, snap
from nearer.study.retime import by_class, plane_of, reach, retime_base
from nearer.study.retime_pairs import Pairs
from nearer.study.retime_streets import street_pairs
from nearer.units import BoolArray


@dataclass(frozen=True)
class Around:
    """
    What is left around a hazard.

    Parameters
    ----------
    class_pairs
        Pairs by speed class, as ``retime`` gives them.
    people_mask, sites_mask
        Points inside, bool (n,).
    segments
        Street segments cut.
    """

    class_pairs: dict[str, Pairs]
    people_mask: BoolArray
    sites_mask: BoolArray
    segments: int


def retime_around(tables: Tables, source: StreetsSource, folder: Path, ground: gpd.GeoDataFrame) -> Around:
    """
    Times from every point to every site where some ground cannot be used; parameters as for ``retime``.

    Parameters
    ----------
    ground
        Polygons in WGS 84.
    """
    plane = plane_of(tables)
    shape = shapely.transform(
        shapely.union_all(np.asarray(ground.geometry.array, dtype=object)),
        lambda lonlat: np.column_stack(plane.to_xy(lonlat[:, 0], lonlat[:, 1])),
    )
    both = []
    for table in (tables.people.table, tables.sites.table):
        x, y = plane.to_xy(table["lon"].to_numpy(), table["lat"].to_numpy())
        mask: BoolArray = np.zeros(len(x), dtype=np.bool_)
        for k in range(len(x)):
            mask[k] = shape.intersects(shapely.Point(x[k], y[k]))
        both.append((x, y, mask))
    (people_x, people_y, people_mask), (sites_x, sites_y, sites_mask) = both
    if tables.times is not None or source.mode == "straight":
        base = retime_base(tables, source, folder)
        keep = ~people_mask[base.point] & ~sites_mask[base.site]
        if tables.times is None:
            ends = (
                np.column_stack([people_x[base.point], sites_x[base.site]]),
                np.column_stack([people_y[base.point], sites_y[base.site]]),
            )
            keep &= ~shapely.intersects(shape, shapely.linestrings(np.stack(ends, axis=2)))
        left, segments = Pairs(base.point[keep], base.site[keep], base.time_ms[keep]), 0
    else:
        assert tables.streets is not None
        elevation = folder / source.elevation if source.elevation and source.mode == "walk" else None
        graph = build_graph(tables.streets, plane, elevation=elevation)
        cut: BoolArray = np.zeros(graph.n_segments, dtype=np.bool_)
        for k, (a, b) in enumerate(zip(graph.from_idx.tolist(), graph.to_idx.tolist(), strict=True)):
            cut[k] = shape.intersects(shapely.LineString([(graph.x[a], graph.y[a]), (graph.x[b], graph.y[b])]))
        dry = _dry_graph(graph, cut)
        limit_ms, access_kmh = reach(source)
        joined = []
        for table, (x, y, inside) in zip((tables.people.table, tables.sites.table), both, strict=True):
            found = snap(dry, table["lon"].to_numpy(), table["lat"].to_numpy(), source.snap_m, access_kmh=access_kmh)
            joined.append(_unjoined(found, x, y, shape, inside))
        left, segments = street_pairs(dry, joined[0], joined[1], limit_ms), int(cut.sum())
    return Around(by_class(left, source, tables), people_mask, sites_mask, segments)


def _dry_graph(graph: StreetGraph, cut: BoolArray) -> StreetGraph:
    """The graph without some segments, its edges gathered one by one."""
    best: dict[tuple[int, int], int] = {}
    kept = np.flatnonzero(~cut)
    for k in kept.tolist():
        a, b = int(graph.from_idx[k]), int(graph.to_idx[k])
        for edge, time_ms in (((a, b), int(graph.forward_ms[k])), ((b, a), int(graph.backward_ms[k]))):
            if time_ms >= 0:
                best[edge] = min(time_ms, best.get(edge, time_ms))
    edges = sorted(best)
    indptr = np.zeros(graph.n_nodes + 1, dtype=np.int64)
    for tail, _ in edges:
        indptr[tail + 1] += 1
    names = ("from_idx", "to_idx", "length_m", "forward_ms", "backward_ms", "way_idx", "joinable_mask")
    parts: dict[str, Any] = {name: getattr(graph, name)[kept] for name in names}
    return replace(
        graph,
        indptr=np.cumsum(indptr),
        head=np.array([head for _, head in edges], dtype=np.int32),
        cost_ms=np.array([best[edge] for edge in edges], dtype=np.int32),
        **parts,
    )


def _unjoined(found: Snap, x: Any, y: Any, shape: Any, inside: BoolArray) -> Snap:
    """Points inside, and those whose walk to the street touches the shape, joined to nothing."""
    segment = found.segment_idx.copy()
    for k in np.flatnonzero(found.joined_mask).tolist():
        walk = shapely.LineString([(x[k], y[k]), (found.x[k], found.y[k])])
        if inside[k] or shape.intersects(walk):
            segment[k] = -1
    return replace(found, segment_idx=segment)
