"""``StreetGraph``: streets as a directed graph with whole milliseconds on its edges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from nearer.inputs.geo import LocalPlane, lengths_m
from nearer.inputs.tables import STREET_CLASSES, Streets
from nearer.network.chains import Chains, string_streets
from nearer.network.slope import sample_elevation, tobler_factor
from nearer.units import M_PER_KM, MS_PER_S, BoolArray, FloatArray, IntArray

CLOSED = -1
"""Time of a segment in a direction nobody may travel."""

MAX_EDGE_MS = 2**30 - 1
"""Longest time an edge may hold (twelve days), so that sums of two stay in int32."""

ISLAND_M = 5_000.0
"""Streets that an island needs, metres, to be kept beside the largest component: about a village's."""

NOT_JOINABLE = tuple(STREET_CLASSES.index(name) for name in ("motorway", "ferry"))


@dataclass(frozen=True)
class StreetGraph:
    """
    A directed graph in compressed rows, and the segments that points are joined to.

    Nodes follow a Hilbert curve, so that neighbours on the ground are neighbours in memory. Times are whole
    milliseconds, at least 1 per edge, so that sums are exact in any order and in float64.

    Parameters
    ----------
    indptr, head, cost_ms
        Edges: int64 (n_nodes + 1,), int32 (n_edges,), int32 (n_edges,) in ms; at most one edge from a node to another.
    lon, lat, x, y
        Nodes in WGS 84 and in ``plane``, float64 (n_nodes,), degrees and metres.
    component_idx
        Component of each node, int32 (n_nodes,), the largest (by length of streets) is 0.
    from_idx, to_idx
        Ends of each segment, int32 (n_segments,); segments keep the order of the streets they were made from.
    length_m
        float64 (n_segments,).
    forward_ms, backward_ms
        int32 (n_segments,), ``CLOSED`` where nobody may travel; never both.
    way_idx
        Way of each segment in the streets' own numbering, int32 (n_segments,).
    joinable_mask
        Segments a walker can step onto, bool (n_segments,): no motorways, no ferries.
    mode
        Mode of travel.
    plane
        The plane of ``x`` and ``y``.
    """

    indptr: IntArray
    head: IntArray
    cost_ms: IntArray
    lon: FloatArray
    lat: FloatArray
    x: FloatArray
    y: FloatArray
    component_idx: IntArray
    from_idx: IntArray
    to_idx: IntArray
    length_m: FloatArray
    forward_ms: IntArray
    backward_ms: IntArray
    way_idx: IntArray
    joinable_mask: BoolArray
    mode: str
    plane: LocalPlane

    def __post_init__(self) -> None:
        if len(self.indptr) != self.n_nodes + 1 or self.indptr[-1] != len(self.head):
            raise ValueError("rows of the street graph do not fit together")
        if len(self.cost_ms) and self.cost_ms.min() < 1:
            raise ValueError("every edge takes at least one millisecond")
        if np.any((self.forward_ms < 0) & (self.backward_ms < 0)):
            raise ValueError("a segment is closed in both directions")

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.lon)

    @property
    def n_segments(self) -> int:
        """Number of segments."""
        return len(self.from_idx)

    @cached_property
    def chains(self) -> Chains:
        """The same graph between junctions only, which is what travel times are computed on."""
        return string_streets(self.from_idx, self.to_idx, self.forward_ms, self.backward_ms, self.n_nodes)


def build_graph(
    streets: Streets, plane: LocalPlane, *, elevation: Path | None = None, name: str | None = None
) -> StreetGraph:
    """
    Turn street segments into a graph.

    Kept are the largest component and islands with at least ``ISLAND_M`` of streets; smaller ones are mostly mapping
    faults that would trap whoever is joined to them. On foot a component is what hangs together in any direction; by
    bicycle or car it is what can be both left and come back to, so that one-way streets lead nobody to a dead end, and
    one-way links from one component to another are left out.

    Parameters
    ----------
    streets
        Segments with speeds.
    plane
        Where nodes get their metres.
    elevation
        Elevation raster; slopes then change walking times by Tobler's function, other modes ignore them.
    name
        How the raster is called in messages; default its path.

    Raises
    ------
    InputError
        The elevation raster cannot be read.
    """
    usable = ((streets.forward_kmh > 0) | (streets.backward_kmh > 0)) & (streets.from_idx != streets.to_idx)
    segment_idx = np.flatnonzero(usable)
    from_idx, to_idx = streets.from_idx[segment_idx], streets.to_idx[segment_idx]
    length_m = lengths_m(streets.lon[from_idx], streets.lat[from_idx], streets.lon[to_idx], streets.lat[to_idx])
    component_idx = _components(
        from_idx,
        to_idx,
        length_m,
        streets.forward_kmh[segment_idx] > 0,
        streets.backward_kmh[segment_idx] > 0,
        len(streets.lon),
        strong=streets.mode != "walk",
    )
    within = (component_idx[from_idx] >= 0) & (component_idx[from_idx] == component_idx[to_idx])
    segment_idx, from_idx, to_idx, length_m = (a[within] for a in (segment_idx, from_idx, to_idx, length_m))

    used = np.zeros(len(streets.lon), dtype=np.bool_)
    used[from_idx] = used[to_idx] = True
    old_idx = np.flatnonzero(used)
    x, y = plane.to_xy(streets.lon[old_idx], streets.lat[old_idx]) if len(old_idx) else (np.zeros(0), np.zeros(0))
    order = np.argsort(hilbert_index(x, y), kind="stable")
    old_idx, x, y = old_idx[order], x[order], y[order]
    new_idx = np.full(len(streets.lon), -1, dtype=np.int32)
    new_idx[old_idx] = np.arange(len(old_idx), dtype=np.int32)
    from_idx, to_idx = new_idx[from_idx], new_idx[to_idx]
    lon, lat = streets.lon[old_idx], streets.lat[old_idx]

    forward_factor = backward_factor = np.ones(len(from_idx))
    if elevation is not None and streets.mode == "walk":
        height = sample_elevation(elevation, lon, lat, name=name)
        slope = (height[to_idx] - height[from_idx]) / np.maximum(length_m, 1.0)
        forward_factor, backward_factor = tobler_factor(slope), tobler_factor(-slope)
    forward_ms = _times_ms(length_m, streets.forward_kmh[segment_idx], forward_factor)
    backward_ms = _times_ms(length_m, streets.backward_kmh[segment_idx], backward_factor)
    indptr, head, cost_ms = _rows(from_idx, to_idx, forward_ms, backward_ms, len(old_idx))
    return StreetGraph(
        indptr=indptr,
        head=head,
        cost_ms=cost_ms,
        lon=np.asarray(lon, dtype=np.float64),
        lat=np.asarray(lat, dtype=np.float64),
        x=x,
        y=y,
        component_idx=component_idx[old_idx],
        from_idx=from_idx,
        to_idx=to_idx,
        length_m=length_m,
        forward_ms=forward_ms,
        backward_ms=backward_ms,
        way_idx=np.asarray(streets.way_idx[segment_idx], dtype=np.int32),
        joinable_mask=~np.isin(streets.street_class[segment_idx], NOT_JOINABLE),
        mode=streets.mode,
        plane=plane,
    )


def without_segments(graph: StreetGraph, cut_mask: BoolArray) -> StreetGraph:
    """
    The same streets with some segments gone; nodes, components and all other segments stay, those in their order.

    Parameters
    ----------
    graph
        Streets.
    cut_mask
        Segments that are gone, bool (n_segments,).
    """
    keep = ~cut_mask
    parts = {
        name: getattr(graph, name)[keep]
        for name in ("from_idx", "to_idx", "length_m", "forward_ms", "backward_ms", "way_idx", "joinable_mask")
    }
    indptr, head, cost_ms = _rows(
        parts["from_idx"], parts["to_idx"], parts["forward_ms"], parts["backward_ms"], graph.n_nodes
    )
    return replace(graph, indptr=indptr, head=head, cost_ms=cost_ms, **parts)


def hilbert_index(x: FloatArray, y: FloatArray, bits: int = 16) -> IntArray:
    """Position of points along a Hilbert curve over their bounding square, int64 (n,)."""
    if not len(x):
        return np.zeros(0, dtype=np.int64)
    side = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    cells = 2**bits - 1
    u = ((x - x.min()) / side * cells).astype(np.int64)
    v = ((y - y.min()) / side * cells).astype(np.int64)
    index = np.zeros(len(u), dtype=np.int64)
    for bit in range(bits - 1, -1, -1):
        half = 1 << bit
        right, upper = (u & half) > 0, (v & half) > 0
        index += half * half * ((3 * right) ^ upper)
        # Each lower quarter is a turned copy of the whole curve.
        u, v = u & (half - 1), v & (half - 1)
        u, v = np.where(right & ~upper, half - 1 - u, u), np.where(right & ~upper, half - 1 - v, v)
        u, v = np.where(upper, u, v), np.where(upper, v, u)
    return index


def _components(
    from_idx: IntArray,
    to_idx: IntArray,
    length_m: FloatArray,
    forward_mask: BoolArray,
    backward_mask: BoolArray,
    n_nodes: int,
    *,
    strong: bool,
) -> IntArray:
    """Component of each node by falling length of streets, -1 where it is too small to keep, int32 (n_nodes,)."""
    if not len(from_idx):
        return np.full(n_nodes, -1, dtype=np.int32)
    tail = np.concatenate([from_idx[forward_mask], to_idx[backward_mask]])
    head = np.concatenate([to_idx[forward_mask], from_idx[backward_mask]])
    links = csr_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(n_nodes, n_nodes))
    n_found, label = connected_components(links, directed=True, connection="strong" if strong else "weak")
    inside = label[from_idx] == label[to_idx]
    total_m = np.bincount(label[from_idx[inside]], weights=length_m[inside], minlength=n_found)
    order = np.argsort(-total_m, kind="stable")
    kept = order[(total_m[order] >= ISLAND_M) | (np.arange(n_found) == 0)]
    number = np.full(n_found, -1, dtype=np.int32)
    number[kept] = np.arange(len(kept), dtype=np.int32)
    return np.asarray(number[label])


def _times_ms(length_m: FloatArray, speed_kmh: FloatArray, factor: FloatArray) -> IntArray:
    """Whole milliseconds per segment, ``CLOSED`` where the speed is 0."""
    speed = np.asarray(speed_kmh, dtype=np.float64) * (M_PER_KM / 3_600.0) * factor
    with np.errstate(divide="ignore", invalid="ignore"):
        time_ms = np.clip(np.rint(length_m / speed * MS_PER_S), 1, MAX_EDGE_MS)
    return np.where(speed_kmh > 0, time_ms, CLOSED).astype(np.int32)


def _rows(
    from_idx: IntArray, to_idx: IntArray, forward_ms: IntArray, backward_ms: IntArray, n_nodes: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Edges in compressed rows, the quickest of parallel ones."""
    forward, backward = forward_ms >= 0, backward_ms >= 0
    tail = np.concatenate([from_idx[forward], to_idx[backward]]).astype(np.int64)
    head = np.concatenate([to_idx[forward], from_idx[backward]]).astype(np.int64)
    cost_ms = np.concatenate([forward_ms[forward], backward_ms[backward]])
    if not len(tail):
        return np.zeros(n_nodes + 1, dtype=np.int64), head.astype(np.int32), cost_ms
    pair = tail * n_nodes + head
    order = np.argsort(pair, kind="stable")
    pair, cost_ms = pair[order], cost_ms[order]
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    pair, cost_ms = pair[first], np.minimum.reduceat(cost_ms, first)
    indptr = np.zeros(n_nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(pair // n_nodes, minlength=n_nodes), out=indptr[1:])
    return indptr, (pair % n_nodes).astype(np.int32), cost_ms
