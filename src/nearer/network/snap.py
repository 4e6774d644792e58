"""Joining points to the nearest point of a street."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from nearer.errors import StoppedError
from nearer.inputs.tags import WALK_KMH
from nearer.kernels.jit import run_chunks
from nearer.kernels.nearest import nearest_segment
from nearer.network.graph import StreetGraph
from nearer.progress import Stop
from nearer.units import M_PER_KM, MS_PER_S, UNREACHED, BoolArray, FloatArray, IntArray

POINTS_PER_CALL = 20_000
"""Points joined before a kernel call returns, some 50 ms."""

NOT_JOINED = -1
"""Segment of a point that no street is near enough to."""


@dataclass(frozen=True)
class Snap:
    """
    Where points join the streets.

    Parameters
    ----------
    segment_idx
        int32 (n,), ``NOT_JOINED`` where every street is farther than the cap.
    fraction
        Where on the segment, float64 (n,), 0 = at its ``from`` node, 1 = at its ``to`` node.
    distance_m
        How far the point was moved, float64 (n,), metres, ``inf`` where not joined.
    x, y
        The point on the street in the graph's plane, float64 (n,), metres; NaN where not joined.
    access_ms
        The walk to the street, int32 (n,), ``UNREACHED`` where not joined.
    """

    segment_idx: IntArray
    fraction: FloatArray
    distance_m: FloatArray
    x: FloatArray
    y: FloatArray
    access_ms: IntArray

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.segment_idx)

    @property
    def joined_mask(self) -> BoolArray:
        """Points that were joined, bool (n,)."""
        return np.asarray(self.segment_idx != NOT_JOINED)

    def cut(self, n: int) -> tuple[Snap, Snap]:
        """The first ``n`` points, and the others."""
        arrays = [getattr(self, field.name) for field in fields(self)]
        return Snap(*(array[:n] for array in arrays)), Snap(*(array[n:] for array in arrays))


def snap(
    graph: StreetGraph,
    lon: FloatArray,
    lat: FloatArray,
    cap_m: float,
    *,
    access_kmh: float = WALK_KMH,
    threads: int = 1,
    stop: Stop | None = None,
) -> Snap:
    """
    Join points to the nearest place on a street that can be stepped onto; ties go to the lowest segment.

    Parameters
    ----------
    graph
        Streets.
    lon, lat
        Points in WGS 84, float64 (n,), degrees.
    cap_m
        Farthest a point may be moved, metres, inclusive.
    access_kmh
        Speed of the walk to the street, km/h, whatever the mode afterwards.
    threads, stop
        Points are worked on in chunks by this many threads; asked between chunks.

    Raises
    ------
    StoppedError
        ``stop`` said yes.
    """
    x, y = graph.plane.to_xy(lon, lat) if len(lon) else (np.zeros(0), np.zeros(0))
    return snap_xy(graph, x, y, cap_m, access_kmh=access_kmh, threads=threads, stop=stop)


def snap_xy(
    graph: StreetGraph,
    x: FloatArray,
    y: FloatArray,
    cap_m: float,
    *,
    access_kmh: float = WALK_KMH,
    threads: int = 1,
    stop: Stop | None = None,
) -> Snap:
    """Join points given in the graph's plane; otherwise as :func:`snap`."""
    n = len(x)
    joinable = np.flatnonzero(graph.joinable_mask)
    segment_idx, fraction = np.full(n, NOT_JOINED, dtype=np.int32), np.zeros(n)
    distance_m = np.full(n, np.inf)
    if len(joinable) and n:
        tail, head = graph.from_idx[joinable], graph.to_idx[joinable]
        ends = np.stack([graph.x[tail], graph.y[tail], graph.x[head], graph.y[head]], axis=1)
        grid = _grid(ends)
        x, y = (np.ascontiguousarray(axis, dtype=np.float64) for axis in (x, y))

        def work(part: slice) -> None:
            if stop is not None and stop():
                raise StoppedError("Stopped before the points were joined to the streets.")
            out = (array[part] for array in (segment_idx, fraction, distance_m))
            nearest_segment(x[part], y[part], ends, *grid, float(cap_m), *out)

        parts = [slice(first, first + POINTS_PER_CALL) for first in range(0, n, POINTS_PER_CALL)]
        for _ in run_chunks(work, parts, threads):
            pass
        segment_idx = np.where(segment_idx >= 0, joinable[segment_idx], NOT_JOINED).astype(np.int32)
    joined = segment_idx != NOT_JOINED
    tail, head = graph.from_idx[segment_idx[joined]], graph.to_idx[segment_idx[joined]]
    on_x, on_y = np.full(n, np.nan), np.full(n, np.nan)
    on_x[joined] = graph.x[tail] + fraction[joined] * (graph.x[head] - graph.x[tail])
    on_y[joined] = graph.y[tail] + fraction[joined] * (graph.y[head] - graph.y[tail])
    access_ms = np.full(n, UNREACHED, dtype=np.int32)
    walk_ms = np.rint(distance_m[joined] / (access_kmh * M_PER_KM / 3_600.0) * MS_PER_S)
    access_ms[joined] = np.minimum(walk_ms, UNREACHED).astype(np.int64)
    return Snap(segment_idx, fraction, distance_m, on_x, on_y, access_ms)


def _grid(ends: FloatArray) -> tuple[IntArray, IntArray, int, int, float, float, float]:
    """Segments by grid cell, about as many cells as segments: starts, segments, columns, rows, corner, cell side."""
    low_x, high_x = np.minimum(ends[:, 0], ends[:, 2]), np.maximum(ends[:, 0], ends[:, 2])
    low_y, high_y = np.minimum(ends[:, 1], ends[:, 3]), np.maximum(ends[:, 1], ends[:, 3])
    x0, y0 = float(low_x.min()), float(low_y.min())
    width, height = float(high_x.max()) - x0, float(high_y.max()) - y0
    cell_m = max(float(np.sqrt(width * height / len(ends))), max(width, height) / (2.0 * len(ends)), 10.0)
    n_x, n_y = int(width / cell_m) + 1, int(height / cell_m) + 1
    c0, r0 = ((low_x - x0) / cell_m).astype(np.int64), ((low_y - y0) / cell_m).astype(np.int64)
    n_columns = ((high_x - x0) / cell_m).astype(np.int64) - c0 + 1
    n_rows = ((high_y - y0) / cell_m).astype(np.int64) - r0 + 1
    # Every cell of a segment's bounding box, written as (segment, k-th cell of its box).
    n_cells = n_columns * n_rows
    segment = np.repeat(np.arange(len(ends), dtype=np.int32), n_cells)
    k = np.arange(len(segment), dtype=np.int64) - np.repeat(np.cumsum(n_cells) - n_cells, n_cells)
    cell = (r0[segment] + k // n_columns[segment]) * n_x + c0[segment] + k % n_columns[segment]
    order = np.argsort(cell, kind="stable")
    cell_ptr = np.zeros(n_x * n_y + 1, dtype=np.int64)
    np.cumsum(np.bincount(cell, minlength=n_x * n_y), out=cell_ptr[1:])
    return cell_ptr, segment[order], n_x, n_y, x0, y0, cell_m
