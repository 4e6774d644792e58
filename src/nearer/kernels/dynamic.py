"""
Kernels of dynamic location: knapsacks of every site, phase, level and pool under multipliers, and who they serve.

Knapsack q = j · n_pools + k holds the rows of pool k that site j can serve: ``crow`` int32, ``ccost`` (cost per unit
of weight). Rows carry per phase, float64 (n_rows, n_phases): ``need``; ``unit``, λ per unit of need; ``slope``, what a
unit of cost costs per unit of need; per threshold ``beyond[l]`` what being farther adds per unit of need (``extra``,
one axis more). What a pair gains per unit of need is ``unit − slope · cost − extra``. Where a row needs nothing, these
are per row instead.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray

_BINS = 128  # at most 256, the values of a byte


@kernel
def knapsack_columns(
    indptr: IntArray, site: IntArray, cost: IntArray, order: IntArray, pool: IntArray, n_sites: int, n_pools: int,
    width: float, n_bands: int,
) -> tuple[IntArray, IntArray, IntArray]:  # fmt: skip
    """
    Columns of sparse rows, each in bands of cost, rows ascending within a band.

    ``order[i]`` is the row of ``indptr`` that is number i here; ``pool`` its pool. Band b of knapsack q is at
    ``cptr[q · n_bands + b]`` to the next, costs b · width and more; the last band has all that is dearer.
    """
    cptr = np.zeros(n_sites * n_pools * n_bands + 1, dtype=np.int64)
    for i in range(len(order)):
        for e in range(indptr[order[i]], indptr[order[i] + 1]):
            band = min(int(cost[e] / width), n_bands - 1)
            cptr[(site[e] * n_pools + pool[i]) * n_bands + band + 1] += 1
    for q in range(len(cptr) - 1):
        cptr[q + 1] += cptr[q]
    fill = cptr[:-1].copy()
    crow = np.empty(len(site), dtype=np.int32)
    ccost = np.empty(len(site), dtype=cost.dtype)
    for i in range(len(order)):
        for e in range(indptr[order[i]], indptr[order[i] + 1]):
            band = min(int(cost[e] / width), n_bands - 1)
            q = (site[e] * n_pools + pool[i]) * n_bands + band
            crow[fill[q]] = i
            ccost[fill[q]] = cost[e]
            fill[q] += 1
    return cptr, crow, ccost


@kernel
def gather_active(
    cptr: IntArray,
    crow: IntArray,
    ccost: IntArray,
    width: float,
    n_bands: int,
    highest: FloatArray,
    least_slope: FloatArray,
    ceiling: float,
    gentlest: float,
    cut: FloatArray,
    lo: int,
    hi: int,
    aptr: IntArray,
    arow: IntArray,
    acost: IntArray,
) -> None:
    """
    Pairs of the knapsacks lo … hi with ``highest[row] − least_slope[row] · cost > cut[q]``, in the same order.

    ``ceiling`` and ``gentlest`` are the most and the least of the former two. Where ``arow`` is empty the pairs are
    counted into ``aptr[q + 1]``; else copied to where ``aptr`` says.
    """
    counting = len(arow) == 0
    for q in range(lo, hi):
        n, at, floor = 0, 0 if counting else aptr[q], cut[q]
        for band in range(n_bands):
            if gentlest * band * width >= ceiling - floor:
                break
            for e in range(cptr[q * n_bands + band], cptr[q * n_bands + band + 1]):
                r = crow[e]
                if highest[r] - least_slope[r] * ccost[e] > floor:
                    if counting:
                        n += 1
                    else:
                        arow[at] = r
                        acost[at] = ccost[e]
                        at += 1
        if counting:
            aptr[q + 1] = n


@kernel
def knapsack_values(
    cptr: IntArray,
    crow: IntArray,
    ccost: IntArray,
    unit: FloatArray,
    slope: FloatArray,
    need: FloatArray,
    beyond: FloatArray,
    extra: FloatArray,
    room: FloatArray,
    cut: FloatArray,
    n_pools: int,
    first: int,
    last: int,
    value: FloatArray,
    rate: FloatArray,
    tied: FloatArray,
) -> None:
    """
    Least ``Σ −gain · x`` of each knapsack (site, phase, level, pool) over ``0 ≤ x ≤ 1``, ``Σ need x ≤ room``.

    Dantzig (1957), without sorting: gains per need fall into bins, and only the bin in which a room ends is sorted.

    Parameters
    ----------
    room
        float64 (n_sites, n_levels, n_pools).
    cut
        Most that a pair left out of the columns gains per need, float64 (n_knapsacks,), 0 where none is left out: room
        that would go to such pairs counts as if they filled it, so that no value is too high.
    first, last
        Sites to do.
    value
        Written: sum over the pools, float64 (n_sites, n_phases, n_levels).
    rate, tied
        Written, float64 (n_sites, n_pools, n_phases, n_levels): gain per need at which the room ends (``cut`` where all
        that gain more fit), and the share taken of the pairs that gain just that; ``inf`` and 0 where there is no room
        at all.
    """
    n_phases, n_levels = unit.shape[1], room.shape[1]
    longest = 0
    for q in range(first * n_pools, last * n_pools):
        longest = max(longest, cptr[q + 1] - cptr[q])
    needs, ratios = np.empty(longest), np.empty(longest)
    bins = np.empty(longest, dtype=np.uint8)
    bin_need, bin_gain, bin_count = np.empty(_BINS), np.empty(_BINS), np.empty(_BINS, dtype=np.int64)
    for j in range(first, last):
        for t in range(n_phases):
            for level in range(n_levels):
                value[j, t, level] = 0.0
        for k in range(n_pools):
            q = j * n_pools + k
            floor = cut[q]
            for t in range(n_phases):
                n = 0
                free, total, wanted, highest = 0.0, 0.0, 0.0, 0.0
                for e in range(cptr[q], cptr[q + 1]):
                    r = crow[e]
                    ratio = unit[r, t] - slope[r, t] * ccost[e]
                    for at in range(len(beyond)):
                        if ccost[e] > beyond[at]:
                            ratio -= extra[r, t, at]
                    if ratio > floor:
                        a = need[r, t]
                        if a > 0.0:
                            ratios[n] = ratio
                            needs[n] = a
                            total += ratio * a
                            wanted += a
                            highest = max(highest, ratio)
                            n += 1
                        else:
                            free += ratio
                    elif ratio > 0.0 and need[r, t] <= 0.0:
                        free += ratio
                binned = False
                per = 0.0
                for level in range(n_levels):
                    most = room[j, level, k]
                    if most <= 0.0:
                        rate[j, k, t, level] = np.inf
                        tied[j, k, t, level] = 0.0
                        continue
                    if wanted <= most:
                        value[j, t, level] -= free + total
                        if floor > 0.0:
                            value[j, t, level] -= floor * (most - wanted)
                        rate[j, k, t, level] = floor
                        tied[j, k, t, level] = 1.0
                        continue
                    if not binned:
                        binned = True
                        bin_need[:] = 0.0
                        bin_gain[:] = 0.0
                        bin_count[:] = 0
                        per = _BINS / (highest - floor)
                        for i in range(n):
                            b = max(min(int((ratios[i] - floor) * per), _BINS - 1), 0)
                            bins[i] = b
                            bin_need[b] += needs[i]
                            bin_gain[b] += needs[i] * ratios[i]
                            bin_count[b] += 1
                    b = _BINS - 1
                    left, got = most, 0.0
                    while b > 0 and bin_need[b] <= left:
                        left -= bin_need[b]
                        got += bin_gain[b]
                        b -= 1
                    here, size = np.empty(bin_count[b]), np.empty(bin_count[b])
                    m = 0
                    for i in range(n):
                        if bins[i] == b:
                            here[m] = ratios[i]
                            size[m] = needs[i]
                            m += 1
                    best_first = np.argsort(-here)
                    end, share = floor, 1.0
                    i = 0
                    while i < m:
                        x = here[best_first[i]]
                        same = 0.0
                        while i < m and here[best_first[i]] == x:
                            same += size[best_first[i]]
                            i += 1
                        if same > left:
                            end, share = x, max(left, 0.0) / same
                            got += x * max(left, 0.0)
                            break
                        left -= same
                        got += x * same
                        end, share = x, 1.0
                    rate[j, k, t, level] = end
                    tied[j, k, t, level] = share
                    value[j, t, level] -= free + got


@kernel
def knapsack_service(
    cptr: IntArray,
    crow: IntArray,
    ccost: IntArray,
    unit: FloatArray,
    slope: FloatArray,
    need: FloatArray,
    beyond: FloatArray,
    extra: FloatArray,
    n_pools: int,
    pool: int,
    phase: int,
    taken: FloatArray,
    rate: FloatArray,
    tied: FloatArray,
    served: FloatArray,
    met: FloatArray,
) -> int:
    """
    Shares that the knapsacks of one pool and phase serve, where ``taken`` (n_sites, n_phases, n_levels) are the levels.

    They are added to ``served`` (n_rows, n_phases); share × cost, and shares beyond each threshold, to ``met`` (n_rows,
    n_phases, 1 + n_thresholds) unless its last axis is 0. Returns pairs scanned.
    """
    n_levels, t, k = taken.shape[2], phase, pool
    with_limits = met.shape[2] > 0
    scanned = 0
    for j in range(len(taken)):
        some = 0.0
        for level in range(n_levels):
            some += taken[j, t, level]
        if some <= 0.0:
            continue
        q = j * n_pools + k
        for e in range(cptr[q], cptr[q + 1]):
            r = crow[e]
            ratio = unit[r, t] - slope[r, t] * ccost[e]
            for at in range(len(beyond)):
                if ccost[e] > beyond[at]:
                    ratio -= extra[r, t, at]
            if ratio <= 0.0:
                continue
            share = 0.0
            for level in range(n_levels):
                y = taken[j, t, level]
                if y <= 0.0:
                    continue
                end = rate[j, k, t, level]
                if need[r, t] <= 0.0:
                    share += y if end < np.inf else 0.0
                elif ratio > end:
                    share += y
                elif ratio == end:
                    share += y * tied[j, k, t, level]
            served[r, t] += share
            if with_limits:
                met[r, t, 0] += share * ccost[e]
                for at in range(len(beyond)):
                    if ccost[e] > beyond[at]:
                        met[r, t, 1 + at] += share
        scanned += cptr[q + 1] - cptr[q]
    return scanned


@kernel
def nearest_open(
    indptr: IntArray, site: IntArray, cost: IntArray, mask: BoolArray, found: FloatArray, which: IntArray
) -> None:
    """First site marked in each row, and its cost; -1 and ``inf`` where there is none."""
    for r in range(len(indptr) - 1):
        found[r] = np.inf
        which[r] = -1
        for e in range(indptr[r], indptr[r + 1]):
            if mask[site[e]]:
                found[r] = cost[e]
                which[r] = site[e]
                break


@kernel
def nearest_among(
    indptr: IntArray,
    site: IntArray,
    cost: IntArray,
    order: IntArray,
    rows: IntArray,
    mask: BoolArray,
    slope: FloatArray,
    beyond: FloatArray,
    extra: FloatArray,
    idle: FloatArray,
    phase: int,
    found: FloatArray,
    second: FloatArray,
    which: IntArray,
) -> None:
    """
    Nearest site marked of some rows and what it costs them whole, and the second nearest.

    -1 and ``idle`` where staying unserved costs no more.
    """
    for i in range(len(rows)):
        r = rows[i]
        which[i] = -1
        found[i] = idle[r, phase]
        second[i] = idle[r, phase]
        for e in range(indptr[order[r]], indptr[order[r] + 1]):
            if mask[site[e]]:
                paid = slope[r, phase] * cost[e]
                for at in range(len(beyond)):
                    if cost[e] > beyond[at]:
                        paid += extra[r, phase, at]
                if paid >= idle[r, phase]:
                    break
                if which[i] >= 0:
                    second[i] = paid
                    break
                which[i] = site[e]
                found[i] = paid


@kernel
def costs_of(indptr: IntArray, site: IntArray, cost: IntArray, row: IntArray, to: IntArray, out: FloatArray) -> None:
    """Cost of some pairs, by row and site; ``inf`` where there is none."""
    for i in range(len(row)):
        out[i] = np.inf
        for e in range(indptr[row[i]], indptr[row[i] + 1]):
            if site[e] == to[i]:
                out[i] = cost[e]
                break
