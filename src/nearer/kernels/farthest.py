"""Kernels of points in the plane and a few sites: the farthest ones around each, and the middle of a circle."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray


@kernel
def outer_points(
    x: FloatArray, y: FloatArray, site_x: FloatArray, site_y: FloatArray, whose: IntArray, sectors: int
) -> IntArray:
    """The farthest point of each site in each sector around it, -1 where it has none, int64 (sites, sectors)."""
    squared = np.full((len(site_x), sectors), -1.0)
    outer = np.full((len(site_x), sectors), -1, dtype=np.int64)
    for i in range(len(x)):
        k = whose[i]
        across = x[i] - site_x[k]
        up = y[i] - site_y[k]
        d = across * across + up * up
        s = min(int((np.arctan2(up, across) / (2.0 * np.pi) + 0.5) * sectors), sectors - 1)
        if d > squared[k, s]:
            squared[k, s] = d
            outer[k, s] = i
    return outer


@kernel
def circle_middles(x: FloatArray, y: FloatArray, order: IntArray, ptr: IntArray) -> tuple[FloatArray, FloatArray]:
    """
    About the middle of the smallest circle around each group of points (Badoiu, Clarkson 2003), float64 (groups,).

    ``order[ptr[k]:ptr[k + 1]]`` are the points of group k; ``nan`` where it has none.
    """
    n = len(ptr) - 1
    middle_x = np.full(n, np.nan)
    middle_y = np.full(n, np.nan)
    for k in range(n):
        if ptr[k] == ptr[k + 1]:
            continue
        at_x = 0.0
        at_y = 0.0
        for e in range(ptr[k], ptr[k + 1]):
            at_x += x[order[e]]
            at_y += y[order[e]]
        at_x /= ptr[k + 1] - ptr[k]
        at_y /= ptr[k + 1] - ptr[k]
        for step in range(1, 100):
            far = -1.0
            who = order[ptr[k]]
            for e in range(ptr[k], ptr[k + 1]):
                i = order[e]
                d = (x[i] - at_x) * (x[i] - at_x) + (y[i] - at_y) * (y[i] - at_y)
                if d > far:
                    far = d
                    who = i
            at_x += (x[who] - at_x) / (step + 1)
            at_y += (y[who] - at_y) / (step + 1)
        middle_x[k] = at_x
        middle_y[k] = at_y
    return middle_x, middle_y
