"""The nearest of many segments to each of many points, on a grid."""

from __future__ import annotations

import math

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray


@kernel
def nearest_segment(
    px: FloatArray,
    py: FloatArray,
    ends: FloatArray,
    cell_ptr: IntArray,
    cell_segment: IntArray,
    n_x: int,
    n_y: int,
    x0: float,
    y0: float,
    cell_m: float,
    cap_m: float,
    segment_idx: IntArray,
    fraction: FloatArray,
    distance_m: FloatArray,
) -> None:
    """
    Find the segment nearest to each point, searching the grid in growing square rings.

    Parameters
    ----------
    px, py
        Points, float64 (n_points,), metres.
    ends
        Segments as x1, y1, x2, y2, float64 (n_segments, 4), metres.
    cell_ptr, cell_segment
        Segments that may touch each grid cell, row by row: int64 (n_x · n_y + 1,), int32.
    n_x, n_y, x0, y0, cell_m
        Size, lower left corner and cell side of the grid.
    cap_m
        Farthest distance looked at, inclusive.
    segment_idx, fraction, distance_m
        Out: the nearest segment (-1 where none is near enough; the lowest where several are equally near), where on it
        (0 … 1) and how far.
    """
    for i in range(len(px)):
        column = math.floor((px[i] - x0) / cell_m)
        row = math.floor((py[i] - y0) / cell_m)
        nearest, nearest_t, nearest_d2 = -1, 0.0, cap_m * cap_m
        ring = max(0, max(max(-column, column - n_x + 1), max(-row, row - n_y + 1)))
        last = max(max(column, n_x - 1 - column), max(row, n_y - 1 - row))
        # Whatever lies in ring r is at least (r - 1) cells away.
        while ring <= last and (ring == 0 or ((ring - 1) * cell_m) ** 2 <= nearest_d2):
            for r in range(max(0, row - ring), min(n_y - 1, row + ring) + 1):
                step = 1 if abs(r - row) == ring or ring == 0 else 2 * ring
                c = column - ring
                while c <= column + ring:
                    if 0 <= c < n_x:
                        cell = r * n_x + c
                        for k in range(cell_ptr[cell], cell_ptr[cell + 1]):
                            s = cell_segment[k]
                            ax, ay, bx, by = ends[s, 0], ends[s, 1], ends[s, 2], ends[s, 3]
                            ux, uy = bx - ax, by - ay
                            length2 = ux * ux + uy * uy
                            t = ((px[i] - ax) * ux + (py[i] - ay) * uy) / length2 if length2 > 0.0 else 0.0
                            # At an end the end's own coordinates count, so that neighbours tie exactly.
                            if t <= 0.0:
                                t, dx, dy = 0.0, px[i] - ax, py[i] - ay
                            elif t >= 1.0:
                                t, dx, dy = 1.0, px[i] - bx, py[i] - by
                            else:
                                dx, dy = px[i] - (ax + t * ux), py[i] - (ay + t * uy)
                            d2 = dx * dx + dy * dy
                            if d2 < nearest_d2 or (d2 == nearest_d2 and (nearest < 0 or s < nearest)):
                                nearest, nearest_t, nearest_d2 = s, t, d2
                    c += step
            ring += 1
        segment_idx[i] = nearest
        fraction[i] = nearest_t
        distance_m[i] = math.sqrt(nearest_d2) if nearest >= 0 else math.inf
