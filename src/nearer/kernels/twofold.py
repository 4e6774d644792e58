"""
Kernels of twofold cover, on sparse rows.

A *term* t is a set of free sites, ``ptr`` int64 (n + 1,), ``col`` int32, that pays ``one[t]`` while none of them is
open, ``two[t]`` with one open and nothing from two on; the twin by site is ``cptr``, ``crow``. Beside the open sites,
``State`` arrays hold per term the number of open sites, the sum of their positions and of the squares of these
(int64 (3, n)), from which two of them can be told, and per site what opening it would save, or what it saves
(float64 (m,)).
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray


@kernel
def columns(ptr: IntArray, col: IntArray, m: int) -> tuple[IntArray, IntArray]:
    """Terms of each site: ``cptr`` int64 (m + 1,), ``crow`` int32, ascending."""
    cptr = np.zeros(m + 1, dtype=np.int64)
    for e in range(len(col)):
        cptr[col[e] + 1] += 1
    for j in range(m):
        cptr[j + 1] += cptr[j]
    fill = cptr[:-1].copy()
    crow = np.empty(len(col), dtype=np.int32)
    for t in range(len(ptr) - 1):
        for e in range(ptr[t], ptr[t + 1]):
            crow[fill[col[e]]] = t
            fill[col[e]] += 1
    return cptr, crow


@kernel
def _saved_from(n: int, one: float, two: float) -> float:
    """What the next site saves where n are open."""
    if n == 0:
        return one - two
    if n == 1:
        return two
    return 0.0


@kernel
def start_state(
    ptr: IntArray, col: IntArray, one: FloatArray, two: FloatArray, opened: BoolArray, seen: IntArray, worth: FloatArray
) -> float:
    """Fill ``seen`` and ``worth`` for these open sites; returns what all terms pay together."""
    seen[:] = 0
    worth[:] = 0.0
    paid = 0.0
    for t in range(len(one)):
        for e in range(ptr[t], ptr[t + 1]):
            j = np.int64(col[e])
            if opened[j]:
                seen[0, t] += 1
                seen[1, t] += j
                seen[2, t] += j * j
        n = seen[0, t]
        if n == 0:
            paid += one[t]
        elif n == 1:
            paid += two[t]
        for e in range(ptr[t], ptr[t + 1]):
            if opened[col[e]]:
                worth[col[e]] += _saved_from(n - 1, one[t], two[t])
            else:
                worth[col[e]] += _saved_from(n, one[t], two[t])
    return paid


@kernel
def _flip(
    site: int,
    ptr: IntArray,
    col: IntArray,
    cptr: IntArray,
    crow: IntArray,
    one: FloatArray,
    two: FloatArray,
    opened: BoolArray,
    seen: IntArray,
    worth: FloatArray,
) -> int:
    """Open a closed site or close an open one; returns entries scanned."""
    spent = 0
    step = -1 if opened[site] else 1
    for f in range(cptr[site], cptr[site + 1]):
        t = crow[f]
        n = seen[0, t]
        seen[0, t] = n + step
        seen[1, t] += step * site
        seen[2, t] += step * site * site
        low = min(n, n + step)
        # What a site is worth to a term depends on the others: nothing changes where at least two others stay.
        if low >= 3:
            continue
        spent += ptr[t + 1] - ptr[t]
        for e in range(ptr[t], ptr[t + 1]):
            j = col[e]
            if j == site:
                continue
            if opened[j]:
                worth[j] += _saved_from(n + step - 1, one[t], two[t]) - _saved_from(n - 1, one[t], two[t])
            else:
                worth[j] += _saved_from(n + step, one[t], two[t]) - _saved_from(n, one[t], two[t])
    opened[site] = not opened[site]
    return int(spent + cptr[site + 1] - cptr[site])


@kernel
def greedy(
    ptr: IntArray,
    col: IntArray,
    cptr: IntArray,
    crow: IntArray,
    one: FloatArray,
    two: FloatArray,
    price: FloatArray,
    k_min: int,
    k_max: int,
) -> IntArray:
    """
    Open sites, each time the one that saves most after its price; ties to the lowest index.

    A first cover that saves less than the second counts as half of both, or nothing would be worth beginning.
    """
    m, n = len(price), len(one)
    half = np.minimum(two, one / 2)
    opened = np.zeros(m, dtype=np.bool_)
    seen = np.empty((3, n), dtype=np.int64)
    worth = np.empty(m)
    start_state(ptr, col, one, half, opened, seen, worth)
    for count in range(k_max):
        best = -1
        for j in range(m):
            if not opened[j] and (best < 0 or worth[j] - price[j] > worth[best] - price[best]):
                best = j
        if best < 0 or (count >= k_min and worth[best] - price[best] <= 0.0):
            break
        _flip(best, ptr, col, cptr, crow, one, half, opened, seen, worth)
    return np.flatnonzero(opened).astype(np.int32)


@kernel
def swap_search(
    ptr: IntArray,
    col: IntArray,
    cptr: IntArray,
    crow: IntArray,
    one: FloatArray,
    two: FloatArray,
    price: FloatArray,
    k_min: int,
    k_max: int,
    opened: BoolArray,
    seen: IntArray,
    worth: FloatArray,
    start: int,
    quiet: int,
    least: float,
    budget: int,
) -> tuple[int, int, int]:
    """
    Swap, open or close a site as soon as that saves more than ``least``.

    With what each site is worth at hand, a swap of r for j saves the worth of j less that of r and, at each term of
    both, what the two take from each other: the second difference of what it pays.

    Parameters
    ----------
    start, quiet
        Site to try first, and sites tried since the last move; the search ends where ``quiet`` is m.
    budget
        Entries to scan at most, so that a call stays short.

    Returns
    -------
    start, quiet, spent
        To go on with, and entries scanned.
    """
    m = len(opened)
    n_open = 0
    for j in range(m):
        if opened[j]:
            n_open += 1
    both = np.zeros(m)
    touched = np.empty(m, dtype=np.int64)
    spent = 0
    j = start
    while quiet < m and spent < budget:
        best = least
        come = -1
        out = -1
        spent += 4
        if opened[j]:
            if n_open > k_min and price[j] - worth[j] > best:
                out = j
        else:
            net_j = worth[j] - price[j]
            if n_open < k_max and net_j > best:
                best = net_j
                come = j
            if n_open > 0:
                n_touched = 0
                for f in range(cptr[j], cptr[j + 1]):
                    t = crow[f]
                    n = seen[0, t]
                    if n == 0 or n > 2:
                        continue
                    # Both lie in the term: the swap leaves it as it is, though j gains there and r is missed.
                    common = _saved_from(n - 1, one[t], two[t]) - _saved_from(n, one[t], two[t])
                    if n == 1:
                        a = seen[1, t]
                        b = a
                    else:
                        root = np.int64(np.sqrt(np.float64(2 * seen[2, t] - seen[1, t] * seen[1, t])) + 0.5)
                        a = (seen[1, t] - root) // 2
                        b = (seen[1, t] + root) // 2
                    for side in range(n):
                        r = a if side == 0 else b
                        if both[r] == 0.0:
                            touched[n_touched] = r
                            n_touched += 1
                            both[r] = 1e-300
                        both[r] += common
                spent += cptr[j + 1] - cptr[j] + m // 16
                for r in range(m):
                    if opened[r]:
                        net = net_j - (worth[r] - price[r]) + both[r]
                        if net > best:
                            best = net
                            come = j
                            out = r
                for x in range(n_touched):
                    both[touched[x]] = 0.0
        if come < 0 and out < 0:
            quiet += 1
            j = j + 1 if j + 1 < m else 0
            continue
        quiet = 0
        if out >= 0:
            spent += _flip(out, ptr, col, cptr, crow, one, two, opened, seen, worth)
            n_open -= 1
        if come >= 0:
            spent += _flip(come, ptr, col, cptr, crow, one, two, opened, seen, worth)
            n_open += 1
        j = j + 1 if j + 1 < m else 0
    return j, quiet, spent


@kernel
def site_sums(ptr: IntArray, col: IntArray, lam: FloatArray, m: int) -> FloatArray:
    """Sum of λ over the terms of each site, float64 (m,)."""
    total = np.zeros(m)
    for t in range(len(lam)):
        if lam[t] != 0.0:
            for e in range(ptr[t], ptr[t + 1]):
                total[col[e]] += lam[t]
    return total


@kernel
def least_paid(
    ptr: IntArray,
    col: IntArray,
    one: FloatArray,
    two: FloatArray,
    lam: FloatArray,
    fixed: IntArray,
    pays: FloatArray,
    times: IntArray,
) -> None:
    """
    Per term the least of cost + λ · (open sites) over what is left to decide, and for how many open sites.

    ``fixed`` says of each site −1 free, 0 closed, 1 open.
    """
    for t in range(len(lam)):
        low = 0
        high = 0
        for e in range(ptr[t], ptr[t + 1]):
            x = fixed[col[e]]
            if x == 1:
                low += 1
                high += 1
            elif x < 0:
                high += 1
        best = np.inf
        at = 0
        if low == 0:
            best = one[t]
        if low <= 1 and high >= 1 and two[t] + lam[t] < best:
            best = two[t] + lam[t]
            at = 1
        if high >= 2:
            n = max(low, 2)
            if n * lam[t] < best:
                best = n * lam[t]
                at = n
        pays[t] = best
        times[t] = at


@kernel
def times_open(ptr: IntArray, col: IntArray, chosen: BoolArray, count: IntArray) -> None:
    """Chosen sites in each term."""
    for t in range(len(count)):
        n = 0
        for e in range(ptr[t], ptr[t + 1]):
            if chosen[col[e]]:
                n += 1
        count[t] = n
