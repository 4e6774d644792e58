"""Which points lie near which: the graph that Newtown's streets are chosen from, and the nearest of a set."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.spatial import Delaunay, KDTree

from nearer.units import FloatArray, IntArray


def gabriel(x: FloatArray, y: FloatArray, limit_m: float, strip: int = 150_000) -> IntArray:
    """
    Edges between points whose diametral circle holds no other point, none longer than the limit.

    On a jittered lattice this leaves blocks with four sides, and it always contains the shortest spanning tree. Work
    goes by strips that overlap by the limit, which bounds memory and changes nothing: whether an edge belongs depends
    only on points within its own length (K. R. Gabriel and R. R. Sokal, 1969, doi:10.2307/2412323).

    Returns
    -------
    int64 (n_edges, 2), lower position first, sorted.
    """
    n = len(x)
    cuts = np.quantile(x, np.linspace(0.0, 1.0, max(1, n // strip) + 1))
    cuts[0], cuts[-1] = -np.inf, np.inf
    found = []
    for low, high in pairwise(cuts.tolist()):
        at = np.flatnonzero((x >= low - limit_m) & (x <= high + limit_m))
        corners = at[Delaunay(np.column_stack([x[at], y[at]])).simplices.astype(np.int64)]
        codes, fine = [], []
        for k in range(3):
            apex, i, j = corners[:, k], corners[:, (k + 1) % 3], corners[:, (k + 2) % 3]
            fine.append((x[i] - x[apex]) * (x[j] - x[apex]) + (y[i] - y[apex]) * (y[j] - y[apex]) > 0)
            codes.append(np.minimum(i, j) * n + np.maximum(i, j))
        code, group = np.unique(np.concatenate(codes), return_inverse=True)
        blunt = np.bincount(group[~np.concatenate(fine)], minlength=len(code))
        code = code[blunt == 0]
        i, j = code // n, code % n
        middle = (x[i] + x[j]) / 2
        keep = (middle >= low) & (middle < high) & (np.hypot(x[i] - x[j], y[i] - y[j]) <= limit_m)
        found.append(code[keep])
    code = np.sort(np.concatenate(found))
    return np.column_stack([code // n, code % n])


def nearest(points: FloatArray, x: FloatArray, y: FloatArray) -> tuple[FloatArray, IntArray]:
    """Distance to the nearest of some points (n, 2) and its position, float64 and int64 like x."""
    distance, position = KDTree(points).query(np.column_stack([x, y]))
    return np.asarray(distance, dtype=np.float64), np.asarray(position, dtype=np.int64)
