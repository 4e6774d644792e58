"""Kernels of points in the plane and a few sites: which is nearest, and how much of a fractional choice is near."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray


@kernel
def nearest_of(
    x: FloatArray, y: FloatArray, site_x: FloatArray, site_y: FloatArray, squared: FloatArray, whose: IntArray
) -> None:
    """Lower ``squared``, the squared distance of each point to its nearest site, and say which of these sites it is."""
    for i in range(len(x)):
        best = squared[i]
        at = whose[i]
        for j in range(len(site_x)):
            d = (x[i] - site_x[j]) * (x[i] - site_x[j]) + (y[i] - site_y[j]) * (y[i] - site_y[j])
            if d < best:
                best = d
                at = j
        squared[i] = best
        whose[i] = at


@kernel
def share_within(
    x: FloatArray, y: FloatArray, site_x: FloatArray, site_y: FloatArray, share: FloatArray, limit: float
) -> FloatArray:
    """Sum of the shares of the sites at most ``limit`` from each point, float64 (n,), no further than to 1."""
    total = np.zeros(len(x))
    near = limit * limit * (1.0 - 1e-12)
    far = limit * limit * (1.0 + 1e-12)
    for i in range(len(x)):
        for j in range(len(site_x)):
            across, up = x[i] - site_x[j], y[i] - site_y[j]
            squared = across * across + up * up
            if squared > far:
                continue
            if squared < near or np.sqrt(squared) <= limit:
                total[i] += share[j]
                if total[i] >= 1.0:
                    break
    return total
