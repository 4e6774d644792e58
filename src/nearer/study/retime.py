"""Travel times once more, for the independent check: SciPy's Dijkstra and plain NumPy instead of the kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nearer.inputs.geo import LocalPlane
from nearer.inputs.sources import StreetsSource
from nearer.inputs.tables import Tables, positions
from nearer.inputs.tags import WALK_KMH
from nearer.network import Snap, StreetGraph, build_graph, snap
from nearer.units import FloatArray, IntArray, minutes_to_ms

_CELLS_PER_CHUNK = 4_000_000  # of a dense block of sites × nodes or sites × people


@dataclass(frozen=True)
class Pairs:
    """
    Who is within reach of what.

    Parameters
    ----------
    point, site, time_ms
        int64 (n_pairs,), milliseconds, at most one entry per pair, ordered by point, then site.
    """

    point: IntArray
    site: IntArray
    time_ms: IntArray

    @cached_property
    def _by_site(self) -> tuple[IntArray, IntArray]:
        """Positions of the pairs in the order of their sites, and the sites in that order."""
        order = np.argsort(self.site, kind="stable")
        return order, self.site[order]

    def of_site(self, site: int) -> tuple[IntArray, IntArray]:
        """Points within reach of a site, in rising order, and their milliseconds."""
        order, sites = self._by_site
        mine = order[np.searchsorted(sites, site, "left") : np.searchsorted(sites, site, "right")]
        return self.point[mine], self.time_ms[mine]

    def scaled(self, factor: float, limit_ms: int) -> Pairs:
        """Times of somebody who takes ``factor`` times as long, to the nearest millisecond, up to a limit."""
        time_ms = np.rint(self.time_ms * factor).astype(np.int64)
        near = time_ms <= limit_ms
        return Pairs(self.point[near], self.site[near], time_ms[near])


def plane_of(tables: Tables) -> LocalPlane:
    """The plane a study measures in: centred on its people and sites."""
    both = [(table["lon"].to_numpy(), table["lat"].to_numpy()) for table in (tables.people.table, tables.sites.table)]
    return LocalPlane.around(np.concatenate([lon for lon, _ in both]), np.concatenate([lat for _, lat in both]))


def retime(tables: Tables, source: StreetsSource, folder: Path) -> dict[str, Pairs]:
    """
    Times from every point to every site, by speed class; "" is everyone without a speed of their own.

    Parameters
    ----------
    tables
        What was read.
    source
        ``[streets]`` of the study.
    folder
        The study folder, where the elevation raster lies.
    """
    return by_class(retime_base(tables, source, folder), source, tables)


def retime_base(tables: Tables, source: StreetsSource, folder: Path) -> Pairs:
    """Times of everyone without a speed of their own, as far as the fastest gets within the limit."""
    if tables.times is not None:
        return _from_table(tables, minutes_to_ms(source.limit_min))
    reach_ms, base_kmh = reach(source)
    if source.mode == "straight":
        return _straight(tables, base_kmh, source.detour, reach_ms)
    return _over_streets(tables, source, base_kmh, folder, reach_ms)


def reach(source: StreetsSource) -> tuple[int, float]:
    """How far times are needed, ms, and the speed of everyone without a speed of their own, km/h."""
    on_foot = source.mode in ("walk", "straight")
    base_kmh = source.speed_kmh if on_foot and source.speed_kmh is not None else WALK_KMH
    own = source.group_speeds_kmh if on_foot else {}
    limit_ms = minutes_to_ms(source.limit_min)
    return math.ceil(limit_ms * max(1.0, *(kmh / base_kmh for kmh in own.values()), 1.0)), base_kmh


def by_class(base: Pairs, source: StreetsSource, tables: Tables) -> dict[str, Pairs]:
    """Times by speed class; "" is everyone without a speed of their own."""
    if tables.times is not None:
        return {"": base}
    _, base_kmh = reach(source)
    own = source.group_speeds_kmh if source.mode in ("walk", "straight") else {}
    limit_ms = minutes_to_ms(source.limit_min)
    return {name: base.scaled(base_kmh / own[name] if name else 1.0, limit_ms) for name in ("", *own)}


def _sorted(point: IntArray, site: IntArray, time_ms: IntArray) -> Pairs:
    """Ordered, the least time of each pair."""
    order = np.lexsort((time_ms, site, point))
    point, site, time_ms = (np.asarray(a, dtype=np.int64)[order] for a in (point, site, time_ms))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (point[1:] != point[:-1]) | (site[1:] != site[:-1])
    return Pairs(point[first], site[first], time_ms[first])


def _from_table(tables: Tables, limit_ms: int) -> Pairs:
    table = tables.times
    assert table is not None
    point = positions(tables.people.table["id"], table["from"])
    site = positions(tables.sites.table["id"], table["to"])
    time_ms = np.rint(table["minutes"].to_numpy(dtype=np.float64) * 60_000)
    near = (time_ms <= limit_ms) & (point >= 0) & (site >= 0)
    return _sorted(point[near], site[near], time_ms[near].astype(np.int64))


def _straight(tables: Tables, kmh: float, detour: float, limit_ms: int) -> Pairs:
    plane = plane_of(tables)
    people, sites = tables.people.table, tables.sites.table
    x, y = plane.to_xy(people["lon"].to_numpy(), people["lat"].to_numpy())
    site_x, site_y = plane.to_xy(sites["lon"].to_numpy(), sites["lat"].to_numpy())
    ms_per_m = detour / (kmh / 3.6) * 1_000
    found = []
    for chunk in _chunks(len(sites), len(people)):
        far_m = np.sqrt((x - site_x[chunk, None]) ** 2 + (y - site_y[chunk, None]) ** 2)
        found.append(_block(chunk, np.rint(far_m * ms_per_m), limit_ms))
    return _gathered(found)


def _over_streets(tables: Tables, source: StreetsSource, access_kmh: float, folder: Path, limit_ms: int) -> Pairs:
    if tables.streets is None:
        raise ValueError("tables hold neither streets nor times")
    elevation = folder / source.elevation if source.elevation and source.mode == "walk" else None
    graph = build_graph(tables.streets, plane_of(tables), elevation=elevation)
    people, sites = (
        snap(graph, table["lon"].to_numpy(), table["lat"].to_numpy(), source.snap_m, access_kmh=access_kmh)
        for table in (tables.people.table, tables.sites.table)
    )
    return street_pairs(graph, people, sites, limit_ms)


def street_pairs(graph: StreetGraph, people: Snap, sites: Snap, limit_ms: int) -> Pairs:
    """
    Journeys over streets, as ``nearer.network.travel_times`` states them, one search per site on the transposed graph.

    Parameters
    ----------
    graph, people, sites
        Streets, and points joined to them.
    limit_ms
        Longest journey, access walks included, inclusive.
    """
    person_idx = np.flatnonzero(people.joined_mask)
    site_idx = np.flatnonzero(sites.joined_mask)
    here, there = _Stretch.of(graph, people, person_idx), _Stretch.of(graph, sites, site_idx)
    n_nodes, n_sites = graph.n_nodes, len(site_idx)

    # Each site becomes a node of its own, with the way from both ends of its street as edges. One millisecond is
    # added to those, since a matrix that is sparse might lose a zero.
    tail = np.repeat(np.arange(n_nodes), np.diff(graph.indptr))
    number = n_nodes + np.arange(n_sites)
    by_start, by_end = np.isfinite(there.enter_start), np.isfinite(there.enter_end)
    rows = np.concatenate([graph.head, number[by_start], number[by_end]])
    columns = np.concatenate([tail, there.start[by_start], there.end[by_end]])
    costs = np.concatenate([graph.cost_ms, there.enter_start[by_start] + 1, there.enter_end[by_end] + 1])
    backwards = csr_array((costs.astype(np.float64), (rows, columns)), shape=(n_nodes + n_sites, n_nodes + n_sites))

    by_segment = np.argsort(here.segment, kind="stable")
    found = []
    for chunk in _chunks(n_sites, max(n_nodes, len(person_idx))):
        to_site = dijkstra(backwards, indices=number[chunk], limit=float(limit_ms + 1)) - 1.0
        way = np.minimum(to_site[:, here.start] + here.leave_start, to_site[:, here.end] + here.leave_end)
        for k, site in enumerate(chunk):
            same = by_segment[
                slice(*np.searchsorted(here.segment, there.segment[site] + np.arange(2), sorter=by_segment))
            ]
            with np.errstate(invalid="ignore"):  # inf − inf on a way that is closed for both
                onwards, back = there.along[site] - here.along[same], here.against[same] - there.against[site]
            ahead, behind = here.fraction[same] <= there.fraction[site], here.fraction[same] >= there.fraction[site]
            onwards = np.where(ahead & np.isfinite(onwards), onwards, np.inf)
            back = np.where(behind & np.isfinite(back), back, np.inf)
            way[k, same] = np.minimum(way[k, same], np.minimum(onwards, back))
        way += people.access_ms[person_idx].astype(np.float64)
        way += sites.access_ms[site_idx[chunk], None].astype(np.float64)
        found.append(_block(chunk, way, limit_ms))
    pairs = _gathered(found)
    return _sorted(person_idx[pairs.point], site_idx[pairs.site], pairs.time_ms)


@dataclass(frozen=True)
class _Stretch:
    """
    Points on their segments: milliseconds from and to both ends, float64 (n,), ``inf`` where that way is closed.

    A point splits a segment's time in each direction into whole milliseconds that add up. Who stands exactly at an end
    stands in that node, whatever the directions of the segment: ``leave`` and ``enter`` count from and to the nodes
    ``start`` and ``end``, ``along`` and ``against`` from and to the start on the segment itself.
    """

    segment: IntArray
    fraction: FloatArray
    start: IntArray
    end: IntArray
    along: FloatArray
    against: FloatArray
    leave_start: FloatArray
    leave_end: FloatArray
    enter_start: FloatArray
    enter_end: FloatArray

    @classmethod
    def of(cls, graph: StreetGraph, joined: Snap, which: IntArray) -> _Stretch:
        segment, fraction = joined.segment_idx[which], joined.fraction[which]
        forward_ms, backward_ms = graph.forward_ms[segment], graph.backward_ms[segment]
        forward, backward = forward_ms >= 0, backward_ms >= 0
        along = np.where(forward, np.rint(forward_ms * fraction), np.inf)
        against = np.where(backward, np.rint(backward_ms * fraction), np.inf)
        rest = np.where(forward, forward_ms - along, np.inf)
        rest_back = np.where(backward, backward_ms - against, np.inf)
        at_start, at_end = fraction == 0.0, fraction == 1.0
        return cls(
            segment=segment,
            fraction=fraction,
            start=graph.from_idx[segment],
            end=graph.to_idx[segment],
            along=along,
            against=against,
            leave_start=np.where(at_start, 0.0, against),
            leave_end=np.where(at_end, 0.0, rest),
            enter_start=np.where(at_start, 0.0, along),
            enter_end=np.where(at_end, 0.0, rest_back),
        )


def _chunks(n_sites: int, width: int) -> list[IntArray]:
    size = max(1, _CELLS_PER_CHUNK // max(width, 1))
    return [np.arange(first, min(first + size, n_sites)) for first in range(0, n_sites, size)]


def _block(chunk: IntArray, time_ms: FloatArray, limit_ms: int) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs within the limit of a dense block, sites × people."""
    site, point = np.nonzero(time_ms <= limit_ms)
    return point, chunk[site], time_ms[site, point].astype(np.int64)


def _gathered(found: list[tuple[IntArray, IntArray, IntArray]]) -> Pairs:
    nothing = (np.zeros(0, dtype=np.int64),) * 3
    point, site, time_ms = (np.concatenate(column) for column in zip(nothing, *found, strict=True))
    return _sorted(point, site, time_ms)
