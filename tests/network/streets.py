"""Hand-made and random streets, laid out in metres."""

from __future__ import annotations

import itertools

import numpy as np

from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import STREET_CLASSES, Streets
from nearer.network.graph import StreetGraph, build_graph
from nearer.network.snap import Snap

PLANE = LocalPlane(10.0, 50.0)
KMH = 3.6  # one metre per second, so that a metre takes 1,000 ms


def streets_xy(nodes, segments, *, mode="walk", street_class="minor"):
    """``nodes`` in metres; ``segments`` as (from, to, forward km/h, backward km/h[, class])."""
    lon, lat = PLANE.to_lonlat(*np.asarray(nodes, dtype=np.float64).T)
    classes = [segment[4] if len(segment) > 4 else street_class for segment in segments]
    return Streets(
        lon=lon,
        lat=lat,
        from_idx=np.array([s[0] for s in segments], dtype=np.int32),
        to_idx=np.array([s[1] for s in segments], dtype=np.int32),
        forward_kmh=np.array([s[2] for s in segments], dtype=np.float32),
        backward_kmh=np.array([s[3] for s in segments], dtype=np.float32),
        way_idx=np.arange(len(segments), dtype=np.int32),
        street_class=np.array([STREET_CLASSES.index(c) for c in classes], dtype=np.uint8),
        way_names=("",) * len(segments),
        mode=mode,
    )


def graph_xy(nodes, segments, *, mode="walk") -> StreetGraph:
    return build_graph(streets_xy(nodes, segments, mode=mode), PLANE)


def random_graph(rng: np.random.Generator, n_nodes: int = 12, *, mode: str = "walk") -> StreetGraph:
    """Streets of every kind: two-way, one-way either way round, bends, dead ends, rings, islands."""
    nodes = rng.uniform(-6_000, 6_000, (n_nodes, 2)).tolist()
    segments = []
    for _ in range(int(rng.integers(n_nodes // 2, 2 * n_nodes))):
        a, b = (int(i) for i in rng.choice(n_nodes, 2, replace=False))
        forward, backward = [(KMH, KMH), (KMH, 0), (0, KMH), (KMH, 7.2)][int(rng.integers(4))]
        bends = int(rng.integers(0, 4))
        path = [a, *range(len(nodes), len(nodes) + bends), b]
        nodes += rng.uniform(-6_000, 6_000, (bends, 2)).tolist()
        for tail, head in itertools.pairwise(path):
            turned = rng.random() < 0.3  # a mapper may draw a piece the other way round
            segments.append((head, tail, backward, forward) if turned else (tail, head, forward, backward))
    return graph_xy(nodes, segments, mode=mode)


def random_snap(rng: np.random.Generator, graph: StreetGraph, n: int) -> Snap:
    """Points anywhere on the streets, some exactly at nodes, some not joined."""
    segment_idx = rng.integers(0, graph.n_segments, n).astype(np.int32)
    fraction = rng.choice([0.0, 0.25, 0.5, 1.0, rng.random()], n)
    access_ms = rng.integers(0, 50_000, n).astype(np.int32)
    lost = rng.random(n) < 0.1
    segment_idx[lost] = -1
    return snap_at(segment_idx, fraction, access_ms)


def snap_at(segment_idx, fraction, access_ms=0) -> Snap:
    """A snap made by hand."""
    segment_idx = np.atleast_1d(np.asarray(segment_idx, dtype=np.int32))
    n = len(segment_idx)
    access = np.broadcast_to(np.asarray(access_ms, dtype=np.int32), n)
    return Snap(
        segment_idx=segment_idx,
        fraction=np.broadcast_to(np.asarray(fraction, dtype=np.float64), n),
        distance_m=np.zeros(n),
        x=np.zeros(n),
        y=np.zeros(n),
        access_ms=np.where(segment_idx < 0, np.int32(2**31 - 1), access).astype(np.int32),
    )
