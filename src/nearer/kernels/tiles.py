"""
Kernels of the p-median on points in the plane that hold no pairs: distances are formed anew in each pass.

Points are sorted so that neighbours follow each other (``hilbert``) and taken in tiles; each pass gathers the sites
that a tile may reach from a grid, and runs over points and sites of the tile with the sites innermost, each with a sum
of its own, so that the loop is vectorised and its sums do not depend on the machine.

Costs are distances (``up`` = 0) or whole numbers: ``up`` · floor(``up`` · distance + ``shift``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray

_CURVE = 16  # bits of the curve each way


class Points(NamedTuple):
    """
    Points by tiles.

    Parameters
    ----------
    x, y, weight
        float64 (n,).
    box
        Left, right, low and high of each tile, float64 (4, n_tiles).
    tile
        First point of each tile, and n, int64 (n_tiles + 1,).
    """

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    box: FloatArray
    tile: IntArray


class SiteGrid(NamedTuple):
    """Sites by cells of a grid, in its order; see ``kernels.plane.Grid``."""

    x0: float
    y0: float
    size: float
    nx: int
    ny: int
    start: IntArray
    x: FloatArray
    y: FloatArray


class Costing(NamedTuple):
    """How costs come from distances: see above."""

    up: float
    shift: float


class Nearest(NamedTuple):
    """Of each point the cost at its cheapest open site, which one, and the cost at the second."""

    d1: FloatArray
    a1: IntArray
    d2: FloatArray


@kernel
def hilbert(x: FloatArray, y: FloatArray, x0: float, y0: float, size: float) -> IntArray:
    """Place of each point on a Hilbert curve through a square, int64 (n,)."""
    place = np.empty(len(x), dtype=np.int64)
    most = (1 << _CURVE) - 1
    for i in range(len(x)):
        a = min(max(int((x[i] - x0) / size * most), 0), most)
        b = min(max(int((y[i] - y0) / size * most), 0), most)
        d = 0
        s = 1 << (_CURVE - 1)
        while s > 0:
            right = 1 if a & s else 0
            up = 1 if b & s else 0
            d += s * s * ((3 * right) ^ up)
            if up == 0:
                if right == 1:
                    a = most - a
                    b = most - b
                a, b = b, a
            s >>= 1
        place[i] = d
    return place


@kernel
def _gather(box: FloatArray, t: int, reach: float, grid: SiteGrid, found: IntArray) -> int:
    """Fill sites (in the order of the grid) nearer to the box of a tile than a reach; returns how many."""
    left, right, low, high = box[0, t], box[1, t], box[2, t], box[3, t]
    x0, y0, size, nx, ny, start, site_x, site_y = grid
    c0 = int(min(max(np.floor((left - reach - x0) / size) - 1.0, 0.0), float(nx)))
    c1 = int(max(min(np.floor((right + reach - x0) / size) + 2.0, float(nx)), 0.0))
    r0 = int(min(max(np.floor((low - reach - y0) / size) - 1.0, 0.0), float(ny)))
    r1 = int(max(min(np.floor((high + reach - y0) / size) + 2.0, float(ny)), 0.0))
    n = 0
    if c1 <= c0:
        return 0
    # A hair more than the reach: the box distance is rounded too.
    most = reach * reach * (1.0 + 1e-12)
    for r in range(r0, r1):
        for e in range(start[r * nx + c0], start[r * nx + c1]):
            dx = max(left - site_x[e], site_x[e] - right, 0.0)
            dy = max(low - site_y[e], site_y[e] - high, 0.0)
            if dx * dx + dy * dy <= most:
                found[n] = e
                n += 1
    return n


@kernel
def prices(
    points: Points, lam: FloatArray, lo: int, hi: int, grid: SiteGrid, costing: Costing
) -> tuple[FloatArray, int]:
    """
    Sum over the points of tiles lo … hi of weight · min(0, cost − λ) for each site, float64 (m,), and the pairs formed.

    Parameters
    ----------
    lam
        Multipliers per unit of weight, float64 (n,).
    """
    x, y, weight, box, tile = points
    up, shift = costing
    site_x, site_y = grid.x, grid.y
    m = len(site_x)
    rho = np.zeros(m)
    found = np.empty(m, dtype=np.int32)
    bx = np.empty(m + 8)
    by = np.empty(m + 8)
    acc = np.empty(m + 8)
    spent = 0
    for t in range(lo, hi):
        reach = -1.0
        for i in range(tile[t], tile[t + 1]):
            if weight[i] > 0.0:
                reach = max(reach, lam[i])
        if reach < 0.0:
            continue
        if up != 0.0:
            reach += 1.0
        n = _gather(box, t, reach, grid, found)
        for k in range(n):
            bx[k] = site_x[found[k]]
            by[k] = site_y[found[k]]
            acc[k] = 0.0
        # Whole vectors: sites at no distance that counts fill the last one.
        wide = (n + 7) // 8 * 8
        for k in range(n, wide):
            bx[k] = np.inf
            by[k] = np.inf
            acc[k] = 0.0
        for i in range(tile[t], tile[t + 1]):
            xi = x[i]
            yi = y[i]
            li = lam[i]
            wi = weight[i]
            if up == 0.0:
                for k in range(wide):
                    dx = bx[k] - xi
                    dy = by[k] - yi
                    acc[k] += wi * min(np.sqrt(dx * dx + dy * dy) - li, 0.0)
            else:
                for k in range(wide):
                    dx = bx[k] - xi
                    dy = by[k] - yi
                    acc[k] += wi * min(up * np.floor(up * np.sqrt(dx * dx + dy * dy) + shift) - li, 0.0)
        for k in range(n):
            rho[found[k]] += acc[k]
        spent += n * (tile[t + 1] - tile[t])
    return rho, spent


@kernel
def times_served(
    points: Points,
    lam: FloatArray,
    lo: int,
    hi: int,
    site_x: FloatArray,
    site_y: FloatArray,
    costing: Costing,
    served: FloatArray,
) -> None:
    """``served[i]`` = number of these sites that cost point i less than λ, for the points of tiles lo … hi."""
    x, y, box, tile = points.x, points.y, points.box, points.tile
    up, shift = costing
    m = len(site_x)
    for t in range(lo, hi):
        first = tile[t]
        last = tile[t + 1]
        reach = 0.0
        for i in range(first, last):
            served[i] = 0.0
            reach = max(reach, lam[i])
        if up != 0.0:
            reach += 1.0
        most = reach * reach * (1.0 + 1e-12)
        for j in range(m):
            sx = site_x[j]
            sy = site_y[j]
            dx = max(box[0, t] - sx, sx - box[1, t], 0.0)
            dy = max(box[2, t] - sy, sy - box[3, t], 0.0)
            if dx * dx + dy * dy > most:
                continue
            if up == 0.0:
                for i in range(first, last):
                    ax = sx - x[i]
                    ay = sy - y[i]
                    served[i] += 1.0 if np.sqrt(ax * ax + ay * ay) < lam[i] else 0.0
            else:
                for i in range(first, last):
                    ax = sx - x[i]
                    ay = sy - y[i]
                    cost = up * np.floor(up * np.sqrt(ax * ax + ay * ay) + shift)
                    served[i] += 1.0 if cost < lam[i] else 0.0


@kernel
def two_nearest(
    points: Points, which: IntArray, site_x: FloatArray, site_y: FloatArray, costing: Costing, nearest: Nearest
) -> None:
    """
    Fill cost and place of the cheapest of some sites (of equals the first), and the cost of the second cheapest.

    Parameters
    ----------
    which
        Tiles whose points are looked at, int64.
    """
    x, y, box, tile = points.x, points.y, points.box, points.tile
    up, shift = costing
    d1, a1, d2 = nearest
    m = len(site_x)
    near = np.empty(m, dtype=np.int32)
    for t in which:
        # Sites farther from the whole tile than the second nearest is from any point of it are none's.
        one = np.inf
        two = np.inf
        for j in range(m):
            dx = max(abs(site_x[j] - box[0, t]), abs(site_x[j] - box[1, t]))
            dy = max(abs(site_y[j] - box[2, t]), abs(site_y[j] - box[3, t]))
            far = dx * dx + dy * dy
            if far < one:
                two = one
                one = far
            elif far < two:
                two = far
        n = 0
        for j in range(m):
            dx = max(box[0, t] - site_x[j], site_x[j] - box[1, t], 0.0)
            dy = max(box[2, t] - site_y[j], site_y[j] - box[3, t], 0.0)
            if dx * dx + dy * dy <= two * (1.0 + 1e-12):
                near[n] = j
                n += 1
        for i in range(tile[t], tile[t + 1]):
            best = np.inf
            second = np.inf
            at = -1
            for k in range(n):
                dx = site_x[near[k]] - x[i]
                dy = site_y[near[k]] - y[i]
                cost = np.sqrt(dx * dx + dy * dy)
                if up != 0.0:
                    cost = up * np.floor(up * cost + shift)
                if cost < best:
                    second = best
                    best = cost
                    at = near[k]
                elif cost < second:
                    second = cost
            d1[i] = best
            a1[i] = at
            d2[i] = second


@kernel
def smoothed(
    points: Points, lam: FloatArray, lo: int, hi: int, grid: SiteGrid, share: FloatArray, ramp: float
) -> tuple[float, FloatArray, int]:
    """
    Cost of sites that are open in part, and what a little more of each would save, for the points of tiles lo … hi.

    A point takes ``share · min((λ − d) / ramp, 1)`` of each site nearer than λ, which is chosen so that it takes one
    in all: the least of ``Σ d x + ramp / 2 · Σ x² / share``. It is as smooth as the points are many.

    Parameters
    ----------
    lam
        Multipliers to start from, near the ones sought; changed to those.
    share
        Openness of each site in the order of the grid, float64 (m,); more than one in all.

    Returns
    -------
    cost, slope, spent
        Weighted cost; its derivative by ``share``, float64 (m,); pairs formed.
    """
    x, y, weight, box, tile = points
    site_x, site_y = grid.x, grid.y
    m = len(site_x)
    slope = np.zeros(m)
    found = np.empty(m, dtype=np.int32)
    bx = np.empty(m + 8)
    by = np.empty(m + 8)
    acc = np.empty(m + 8)
    far = np.empty(m + 8)
    open_at = np.empty(m, dtype=np.int32)
    part = np.empty(m)
    near = np.empty(m)
    cost = 0.0
    spent = 0
    for t in range(lo, hi):
        reach = 0.0
        for i in range(tile[t], tile[t + 1]):
            reach = max(reach, lam[i])
        reach = reach * 1.2 + 1e-9
        while True:
            n = _gather(box, t, reach, grid, found)
            n_open = 0
            in_all = 0.0
            for k in range(n):
                bx[k] = site_x[found[k]]
                by[k] = site_y[found[k]]
                acc[k] = 0.0
                if share[found[k]] > 0.0:
                    open_at[n_open] = k
                    part[n_open] = share[found[k]]
                    in_all += part[n_open]
                    n_open += 1
            if in_all <= 1.0 and n < m:
                reach *= 1.4
                continue
            wide = (n + 7) // 8 * 8
            for k in range(n, wide):
                bx[k] = np.inf
                by[k] = np.inf
                acc[k] = 0.0
            here = 0.0
            short = False
            for i in range(tile[t], tile[t + 1]):
                xi = x[i]
                yi = y[i]
                wi = weight[i]
                for k in range(wide):
                    dx = bx[k] - xi
                    dy = by[k] - yi
                    far[k] = np.sqrt(dx * dx + dy * dy)
                for q in range(n_open):
                    near[q] = far[open_at[q]]
                # λ by Newton's method, halved where that leaves the bracket.
                a = 0.0
                b = np.inf
                li = lam[i]
                for _ in range(60):
                    over = -1.0
                    grows = 0.0
                    for q in range(n_open):
                        u = li - near[q]
                        if u > 0.0:
                            if u < ramp:
                                over += part[q] * u / ramp
                                grows += part[q]
                            else:
                                over += part[q]
                    if abs(over) < 1e-9:
                        break
                    if over > 0.0:
                        b = li
                    else:
                        a = li
                    step = li - over * ramp / grows if grows > 0.0 else -1.0
                    if not a < step < b:
                        step = (a + b) / 2.0 if b < np.inf else a * 1.2 + ramp
                    if abs(step - li) <= 1e-12 * li:
                        break
                    li = step
                if li > reach and n < m:
                    short = True
                    reach = max(li, reach) * 1.2
                    break
                lam[i] = li
                for q in range(n_open):
                    u = max(li - near[q], 0.0)
                    r = min(u / ramp, 1.0)
                    here += wi * part[q] * (near[q] * r + 0.5 * ramp * r * r)
                for k in range(wide):
                    u = max(li - far[k], 0.0)
                    r = min(u / ramp, 1.0)
                    acc[k] -= wi * (u * r - 0.5 * ramp * r * r)
            if not short:
                break
        for k in range(n):
            slope[found[k]] += acc[k]
        cost += here
        spent += n * (tile[t + 1] - tile[t])
    return cost, slope, spent


@kernel
def moves(
    points: Points,
    nearest: Nearest,
    most: FloatArray,
    place: int,
    out: int,
    come: IntArray,
    site_x: FloatArray,
    site_y: FloatArray,
    costing: Costing,
) -> FloatArray:
    """
    What all points pay more once an open site closes and one of some others opens, float64 (len(come),).

    Parameters
    ----------
    most
        Greatest d2 of each tile, float64 (n_tiles,).
    place, out
        The site that closes, as ``a1`` names it and among the sites.
    come
        Sites, of which one opens.
    """
    x, y, weight, box, tile = points
    up, shift = costing
    d1, a1, d2 = nearest
    k = len(come)
    bx = np.empty(k)
    by = np.empty(k)
    more = np.zeros(k)
    for e in range(k):
        bx[e] = site_x[come[e]]
        by[e] = site_y[come[e]]
    left = bx.min()
    right = bx.max()
    low = by.min()
    high = by.max()
    for t in range(len(tile) - 1):
        # None of the sites is near enough to matter, and none of the points is served by the one that closes.
        reach = most[t] + (1.0 if up != 0.0 else 0.0)
        dx = max(box[0, t] - right, left - box[1, t], 0.0)
        dy = max(box[2, t] - high, low - box[3, t], 0.0)
        nearby = dx * dx + dy * dy <= reach * reach * (1.0 + 1e-12)
        sx = site_x[out]
        sy = site_y[out]
        dx = max(box[0, t] - sx, sx - box[1, t], 0.0)
        dy = max(box[2, t] - sy, sy - box[3, t], 0.0)
        if not nearby and dx * dx + dy * dy > reach * reach * (1.0 + 1e-12):
            continue
        for i in range(tile[t], tile[t + 1]):
            wi = weight[i]
            pays = d2[i] if a1[i] == place else d1[i]
            now = d1[i]
            for e in range(k):
                ax = bx[e] - x[i]
                ay = by[e] - y[i]
                cost = np.sqrt(ax * ax + ay * ay)
                if up != 0.0:
                    cost = up * np.floor(up * cost + shift)
                more[e] += wi * (min(cost, pays) - now)
    return more
