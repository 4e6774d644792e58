"""Where points lie in a triangulation."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray

_OUTSIDE = -1e-12


@kernel
def shares(
    x: FloatArray, y: FloatArray, corner_x: FloatArray, corner_y: FloatArray, triangle: IntArray, across: IntArray
) -> tuple[IntArray, FloatArray]:
    """
    The triangle of each point, found by walking from that of the point before, and where in it the point lies.

    Parameters
    ----------
    triangle, across
        Corners of each triangle, and the triangle across from each corner (-1: none), int32 (n_triangles, 3).

    Returns
    -------
    corner, share
        Corners, int32 (n, 3), and how near to each, float64 (n, 3), one in all; of a point beside all triangles where
        it is nearest to on the edge that ends the walk.
    """
    corner = np.empty((len(x), 3), dtype=np.int32)
    share = np.empty((len(x), 3))
    t = 0
    part = np.empty(3)
    for i in range(len(x)):
        for _ in range(len(triangle) + 1):
            a, b, c = triangle[t, 0], triangle[t, 1], triangle[t, 2]
            bx, by = corner_x[b] - corner_x[a], corner_y[b] - corner_y[a]
            cx, cy = corner_x[c] - corner_x[a], corner_y[c] - corner_y[a]
            px, py = x[i] - corner_x[a], y[i] - corner_y[a]
            area = bx * cy - by * cx
            if area == 0.0:
                part[0], part[1], part[2] = 1.0, 0.0, 0.0
                break
            part[1] = (px * cy - py * cx) / area
            part[2] = (bx * py - by * px) / area
            part[0] = 1.0 - part[1] - part[2]
            least = int(part.argmin())
            if part[least] >= _OUTSIDE or across[t, least] < 0:
                break
            t = across[t, least]
        total = 0.0
        for k in range(3):
            corner[i, k] = triangle[t, k]
            share[i, k] = max(part[k], 0.0)
            total += share[i, k]
        for k in range(3):
            share[i, k] /= total
    return corner, share
