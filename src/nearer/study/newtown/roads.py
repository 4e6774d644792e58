"""Newtown's main roads: between neighbouring places, ranked by who would use them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nearer.study.newtown.ground import OLD, VILLAGE, Ground
from nearer.study.newtown.neighbours import gabriel, nearest
from nearer.units import FloatArray, IntArray

PRIMARY, SECONDARY, TERTIARY, RESIDENTIAL, LIVING, FOOTWAY, STEPS, PEDESTRIAN = range(8)
HIGHWAY = ("primary", "secondary", "tertiary", "residential", "living_street", "footway", "steps", "pedestrian")
"""Street classes and their OpenStreetMap tags."""

STEP_M = 60.0  # main roads have a node at least this often
RINGS = (0.36, 0.8)  # depth of the ring roads


@dataclass(frozen=True)
class Roads:
    """
    Main roads as a graph between places, and as lines on the ground.

    Parameters
    ----------
    ends
        Places that each road joins, int64 (n_roads, 2).
    rank
        Street class of each road, int64 (n_roads,).
    ring
        Number of the ring road it belongs to, int64 (n_roads,), -1 for none.
    x, y
        Nodes, float64 (n_nodes,), metres; the first n_places are the places.
    edges, road_idx
        Ends of each straight piece, int64 (n_edges, 2), and its road, int64 (n_edges,).
    """

    ends: IntArray
    rank: IntArray
    ring: IntArray
    x: FloatArray
    y: FloatArray
    edges: IntArray
    road_idx: IntArray


def make_roads(ground: Ground, seed: int) -> Roads:
    """Join neighbouring places and rank the roads: rings and what most people would take into town come first."""
    rng = np.random.default_rng([seed, 2])
    x, y = ground.places.T
    ends = (
        gabriel(x, y, limit_m=np.inf) if len(x) > 3 else np.column_stack([np.zeros(len(x) - 1), np.arange(1, len(x))])
    )
    ends = ends.astype(np.int64)
    gates, gate_ends = _gates(ground)
    x, y = np.concatenate([x, gates[:, 0]]), np.concatenate([y, gates[:, 1]])
    ends = np.vstack([ends, gate_ends])
    length = np.hypot(x[ends[:, 0]] - x[ends[:, 1]], y[ends[:, 0]] - y[ends[:, 1]])
    # Roads between villages far apart would only cut fields.
    keep = (length < 3.2 * np.median(length)) | (ends[:, 1] >= len(ground.places))
    ends, length = ends[keep], length[keep]
    rank, ring = _ranks(ground, x, y, ends, length)

    n_nodes, nodes_x, nodes_y, edges, road_idx = len(x), [x], [y], [], []
    bend = rng.normal(0.0, 0.045, (len(ends), 2)).clip(-0.1, 0.1)
    for road, (i, j) in enumerate(ends):
        n_steps = max(1, int(np.ceil(length[road] * 1.05 / STEP_M)))
        t = np.arange(1, n_steps) / n_steps
        aside = bend[road, 0] * np.sin(np.pi * t) + 0.5 * bend[road, 1] * np.sin(2 * np.pi * t)
        nodes_x.append(x[i] + t * (x[j] - x[i]) - aside * (y[j] - y[i]))
        nodes_y.append(y[i] + t * (y[j] - y[i]) + aside * (x[j] - x[i]))
        chain = np.concatenate([[i], n_nodes + np.arange(n_steps - 1), [j]])
        edges.append(np.column_stack([chain[:-1], chain[1:]]))
        road_idx.append(np.full(n_steps, road))
        n_nodes += n_steps - 1
    return Roads(
        ends,
        rank,
        ring,
        np.concatenate(nodes_x),
        np.concatenate(nodes_y),
        np.vstack(edges).astype(np.int64),
        np.concatenate(road_idx),
    )


def _gates(ground: Ground) -> tuple[FloatArray, IntArray]:
    """Where roads leave the area, and the place each comes from."""
    n_gates = int(np.clip(len(ground.places) // 14, 3, 40))
    theta = 2 * np.pi * (np.arange(n_gates) + 0.5) / n_gates + ground.wobble[0]
    r = ground.outer_m * ground.outline(theta) * 0.995
    gates = np.column_stack([r * np.cos(theta), r * np.sin(theta)])
    from_idx = nearest(ground.places, *gates.T)[1]
    return gates, np.column_stack([from_idx, len(ground.places) + np.arange(n_gates)]).astype(np.int64)


def _ranks(
    ground: Ground, x: FloatArray, y: FloatArray, ends: IntArray, length: FloatArray
) -> tuple[IntArray, IntArray]:
    n = len(x)
    pull = np.ones(n)  # people who come into town from each place, and travellers through each gate
    pull[: len(ground.places)] = np.where(ground.kind == VILLAGE, 1.0, np.where(ground.kind == OLD, 0.0, 2.5))
    pull[len(ground.places) :] = 8.0
    graph = csr_array((length, (ends[:, 0], ends[:, 1])), shape=(n, n))
    far, before = dijkstra(graph, directed=False, indices=np.array(0), return_predecessors=True)
    flow = pull.copy()
    for i in np.argsort(-far):  # from the rim inwards
        if before[i] >= 0:
            flow[before[i]] += flow[i]
    carried = np.zeros(len(ends))
    for side, other in ((0, 1), (1, 0)):
        down = before[ends[:, side]] == ends[:, other]
        carried[down] = flow[ends[down, side]]
    rank = np.full(len(ends), TERTIARY)
    rank[carried > 0.006 * pull.sum()] = SECONDARY
    rank[carried > 0.035 * pull.sum()] = PRIMARY

    ring = np.full(len(ends), -1)
    for number, depth in enumerate(RINGS):
        on_ring = _ring(ground, graph, ends, depth, n)
        ring[on_ring] = number
        rank[on_ring] = PRIMARY
    return rank, ring


def _ring(ground: Ground, graph: csr_array, ends: IntArray, depth: float, n: int) -> IntArray:
    """Roads on the shortest closed line through the places nearest to a depth, in every direction."""
    n_turns = int(np.clip(2 * np.pi * depth * ground.city_m / 2500.0, 5, 60))
    theta = 2 * np.pi * np.arange(n_turns) / n_turns
    r = depth * ground.city_m * ground.outline(theta)
    stops = nearest(ground.places, r * np.cos(theta), r * np.sin(theta))[1]
    stops = stops[np.concatenate([[True], stops[1:] != stops[:-1]])]
    used = set()
    before = dijkstra(graph, directed=False, indices=stops, return_predecessors=True)[1]
    for turn, stop in enumerate(stops):
        at = int(stops[(turn + 1) % len(stops)])
        while at != stop and before[turn, at] >= 0:
            used.add((min(at, int(before[turn, at])), max(at, int(before[turn, at]))))
            at = int(before[turn, at])
    keys = {(min(i, j), max(i, j)): road for road, (i, j) in enumerate(ends.tolist())}
    return np.array(sorted(keys[pair] for pair in used), dtype=np.int64)
