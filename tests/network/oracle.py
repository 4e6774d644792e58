"""Travel times by SciPy on the whole graph, forwards from people, point by point."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nearer.network.graph import StreetGraph
from nearer.network.snap import Snap
from nearer.network.times import TravelTimes


def scipy_times(graph: StreetGraph, people: Snap, sites: Snap, limit_ms: int) -> dict[tuple[int, int], int]:
    """Every pair within the limit."""
    matrix = csr_array((graph.cost_ms.astype(np.float64), graph.head, graph.indptr), shape=(graph.n_nodes,) * 2)
    arrivals = [_arrivals(graph, sites, j) for j in range(sites.n)]
    pairs = {}
    for i in range(people.n):
        segment = people.segment_idx[i]
        if segment < 0:
            continue
        leaving = _departures(graph, people, i)
        # The search may end at the limit: what lies beyond is too far anyway.
        rows = dijkstra(matrix, indices=[node for node, _ in leaving], limit=limit_ms) if leaving else []
        for j in range(sites.n):
            if sites.segment_idx[j] < 0:
                continue
            ways = [
                ms + row[node] + rest for (_, ms), row in zip(leaving, rows, strict=True) for node, rest in arrivals[j]
            ]
            if sites.segment_idx[j] == segment:
                ways += _direct(graph, segment, people.fraction[i], sites.fraction[j])
            total = min(ways, default=np.inf) + int(people.access_ms[i]) + int(sites.access_ms[j])
            if total <= limit_ms:
                pairs[i, j] = int(total)
    return pairs


def pairs_of(times: TravelTimes) -> dict[tuple[int, int], int]:
    """The same from the result under test."""
    point_idx = np.repeat(np.arange(times.n_points), np.diff(times.indptr))
    return {(int(i), int(j)): int(t) for i, j, t in zip(point_idx, times.site_idx, times.time_ms, strict=True)}


def _split(time_ms, fraction):
    before = int(np.rint(int(time_ms) * float(fraction)))
    return before, int(time_ms) - before


def _departures(graph, snap, i):
    segment, ways = snap.segment_idx[i], []
    if graph.forward_ms[segment] >= 0:
        ways.append((graph.to_idx[segment], _split(graph.forward_ms[segment], snap.fraction[i])[1]))
    if graph.backward_ms[segment] >= 0:
        ways.append((graph.from_idx[segment], _split(graph.backward_ms[segment], snap.fraction[i])[0]))
    return ways + _at_node(graph, snap, i)


def _arrivals(graph, snap, j):
    segment, ways = snap.segment_idx[j], []
    if segment >= 0 and graph.forward_ms[segment] >= 0:
        ways.append((graph.from_idx[segment], _split(graph.forward_ms[segment], snap.fraction[j])[0]))
    if segment >= 0 and graph.backward_ms[segment] >= 0:
        ways.append((graph.to_idx[segment], _split(graph.backward_ms[segment], snap.fraction[j])[1]))
    return ways + _at_node(graph, snap, j)


def _at_node(graph, snap, i):
    """Who stands exactly at a node is in the node, whatever the directions of the segment."""
    nodes = {0.0: graph.from_idx, 1.0: graph.to_idx}.get(float(snap.fraction[i]))
    return [] if nodes is None or snap.segment_idx[i] < 0 else [(nodes[snap.segment_idx[i]], 0)]


def _direct(graph, segment, here, there):
    ways = []
    if graph.forward_ms[segment] >= 0 and here <= there:
        ways.append(_split(graph.forward_ms[segment], there)[0] - _split(graph.forward_ms[segment], here)[0])
    if graph.backward_ms[segment] >= 0 and here >= there:
        ways.append(_split(graph.backward_ms[segment], here)[0] - _split(graph.backward_ms[segment], there)[0])
    return ways
