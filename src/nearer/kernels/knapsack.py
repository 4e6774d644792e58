"""
Kernels of capacitated location: fractional knapsacks per site, and quick assignments to given sites.

Columns hold, for each site, the rows it can serve: ``cptr`` int64 (m + 1,), ``crow`` int32 (nnz,), ``cval`` float64
(nnz,) the cost of serving the row whole. ``need`` is what a row takes of a capacity when served whole.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray

NO_SITE = -1


@kernel
def site_knapsacks(
    cptr: IntArray,
    crow: IntArray,
    cval: FloatArray,
    need: FloatArray,
    room: FloatArray,
    lam: FloatArray,
    rho: FloatArray,
    rate: FloatArray,
    fill: FloatArray,
) -> None:
    """
    Least ``Σ (cval − λ) x`` per site over ``0 ≤ x ≤ 1``, ``Σ need x ≤ room`` (Dantzig 1957), written to the last three.

    ``rho`` (m,) is that value, ``rate`` (m,) what a unit of room is worth at the end of the knapsack, ``fill`` (nnz,)
    the shares.
    """
    for j in range(len(cptr) - 1):
        first, last = cptr[j], cptr[j + 1]
        total, wanted, n_active = 0.0, 0.0, 0
        for e in range(first, last):
            gain = lam[crow[e]] - cval[e]
            if gain > 0.0:
                fill[e] = 1.0
                total -= gain
                wanted += need[crow[e]]
                n_active += 1
            else:
                fill[e] = 0.0
        rate[j] = 0.0
        if wanted > room[j]:
            entry = np.empty(n_active, dtype=np.int64)
            ratio = np.empty(n_active)
            n_active = 0
            for e in range(first, last):
                gain = lam[crow[e]] - cval[e]
                if gain > 0.0:
                    entry[n_active] = e
                    # rows that need nothing come first, whatever they gain
                    ratio[n_active] = -gain / need[crow[e]] if need[crow[e]] > 0.0 else -np.inf
                    n_active += 1
            left, total = room[j], 0.0
            for k in np.argsort(ratio, kind="mergesort"):
                e = entry[k]
                i = crow[e]
                gain = lam[i] - cval[e]
                if need[i] <= left:
                    left -= need[i]
                    total -= gain
                else:
                    if rate[j] == 0.0:
                        rate[j] = gain / need[i]
                    fill[e] = left / need[i]
                    total -= gain * fill[e]
                    left = 0.0
        rho[j] = total


@kernel
def served_of(
    cptr: IntArray, crow: IntArray, fill: FloatArray, open_mask: BoolArray, served: FloatArray, use: FloatArray
) -> None:
    """Shares of the sites marked, summed per row into ``served`` (n,), and by entry in ``use`` (nnz,), else 0."""
    served[:] = 0.0
    for j in range(len(open_mask)):
        for e in range(cptr[j], cptr[j + 1]):
            if open_mask[j]:
                served[crow[e]] += fill[e]
                use[e] = fill[e]
            else:
                use[e] = 0.0


@kernel
def assign_whole(
    value: FloatArray, idle: FloatArray, need: FloatArray, room: FloatArray, guide: FloatArray
) -> tuple[IntArray, bool]:
    """
    Send each row whole to one of few sites, by largest regret first.

    Parameters
    ----------
    value
        Cost of each row at each site, ``inf`` where it cannot be served, float64 (s, n).
    idle
        Cost of leaving a row unserved, ``inf`` where that is not allowed, float64 (n,).
    need, room
        What a row takes (n,), and what each site can give (s,).
    guide
        Cost that decides the order and the choice, float64 (s, n); e.g. ``value`` plus a price of room.

    Returns
    -------
    tuple
        Site of each row, int32 (n,), ``NO_SITE`` where unserved; and whether every row that must be served is.
    """
    s, n = value.shape
    where = np.full(n, NO_SITE, dtype=np.int32)
    left = room.copy()
    best = np.full(n, NO_SITE, dtype=np.int32)
    runner_up = np.full(n, NO_SITE, dtype=np.int32)
    regret = np.full(n, -np.inf)
    done = np.zeros(n, dtype=np.bool_)
    stale = np.ones(n, dtype=np.bool_)
    complete = True
    for _ in range(n):
        chosen = -1
        for i in range(n):
            if done[i]:
                continue
            if stale[i]:
                first, second, best[i], runner_up[i] = np.inf, np.inf, NO_SITE, NO_SITE
                for j in range(s):
                    if need[i] <= left[j] and value[j, i] < np.inf and value[j, i] <= idle[i]:
                        g = guide[j, i]
                        if g < first:
                            first, second, best[i], runner_up[i] = g, first, j, best[i]
                        elif g < second:
                            second, runner_up[i] = g, j
                second = min(second, idle[i])
                if best[i] == NO_SITE:
                    regret[i] = np.inf if idle[i] == np.inf else -np.inf
                else:
                    regret[i] = second - first
                stale[i] = False
            if chosen < 0 or regret[i] > regret[chosen] or (regret[i] == regret[chosen] and need[i] > need[chosen]):
                chosen = i
        done[chosen] = True
        j = best[chosen]
        where[chosen] = j
        if j == NO_SITE:
            complete = complete and idle[chosen] < np.inf
            continue
        left[j] -= need[chosen]
        for i in range(n):
            # only rows that came to this site first or second, and do not fit now, see another choice
            if not done[i] and need[i] > left[j] and (best[i] == j or runner_up[i] == j):
                stale[i] = True
    return where, complete


@kernel
def assign_in_turn(
    value: FloatArray, idle: FloatArray, need: FloatArray, room: FloatArray, guide: FloatArray
) -> tuple[IntArray, bool]:
    """As ``assign_whole``, by the regret that rows have at the start: one pass, for very many rows."""
    s, n = value.shape
    regret = np.empty(n)
    for i in range(n):
        first, second = np.inf, np.inf
        for j in range(s):
            g = guide[j, i] if value[j, i] <= idle[i] else np.inf
            if g < first:
                first, second = g, first
            elif g < second:
                second = g
        second = min(second, idle[i])
        regret[i] = second - first if first < np.inf else 0.0
    where = np.full(n, NO_SITE, dtype=np.int32)
    left = room.copy()
    complete = True
    for i in np.argsort(-regret, kind="mergesort"):
        best, to = np.inf, NO_SITE
        for j in range(s):
            if need[i] <= left[j] and value[j, i] < np.inf and value[j, i] <= idle[i] and guide[j, i] < best:
                best, to = guide[j, i], j
        where[i] = to
        if to != NO_SITE:
            left[to] -= need[i]
        else:
            complete = complete and idle[i] < np.inf
    return where, complete


@kernel
def improve_whole(
    where: IntArray,
    value: FloatArray,
    idle: FloatArray,
    need: FloatArray,
    room: FloatArray,
    rounds: int,
    exchange: bool = True,
) -> None:
    """
    Move single rows, and exchange pairs between sites, as long as that saves; ``where`` is changed in place.

    At most ``rounds`` passes over all rows. Rows may start unserved at infinite cost; a move that serves one is taken.
    """
    s, n = value.shape
    left = room.copy()
    now = np.empty(n)
    for i in range(n):
        if where[i] == NO_SITE:
            now[i] = idle[i]
        else:
            now[i] = value[where[i], i]
            left[where[i]] -= need[i]
    for _ in range(rounds):
        changed = False
        for i in range(n):
            best, to = now[i] - 1e-9 * abs(now[i]) if now[i] < np.inf else np.inf, NO_SITE
            for j in range(s):
                if j != where[i] and value[j, i] < best and need[i] <= left[j]:
                    best, to = value[j, i], j
            if to != NO_SITE:
                if where[i] != NO_SITE:
                    left[where[i]] += need[i]
                left[to] -= need[i]
                where[i], now[i] = to, best
                changed = True
        for i in range(n if exchange else 0):
            a = where[i]
            if a == NO_SITE:
                continue
            saving, with_row = 1e-9 * abs(now[i]), -1
            for h in range(n):
                b = where[h]
                if b < 0 or b == a:
                    continue
                less = now[i] + now[h] - value[b, i] - value[a, h]
                if less > saving and need[i] - need[h] <= left[b] and need[h] - need[i] <= left[a]:
                    saving, with_row = less, h
            if with_row >= 0:
                h = with_row
                b = where[h]
                left[a] += need[i] - need[h]
                left[b] += need[h] - need[i]
                where[i], where[h] = b, a
                now[i], now[h] = value[b, i], value[a, h]
                changed = True
        if not changed:
            break
