"""
Kernels of the p-median, and of its kin with prices per site, on sparse rows.

Rows hold, for each demand row, the weighted costs below its ``cap`` (what it costs with the sites that stand open
already), sorted ascending: ``ptr`` int64 (n + 1,), ``col`` int32 (nnz,), ``val`` float64 (nnz,). The column twin
``cptr``, ``crow``, ``cval`` holds the same entries by site. ``NO_SITE`` in an assignment: at cap.
"""

from __future__ import annotations

import heapq

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray


@kernel
def columns(ptr: IntArray, col: IntArray, val: FloatArray, m: int) -> tuple[IntArray, IntArray, FloatArray]:
    """Column twin of sparse rows: ``cptr`` int64 (m + 1,), ``crow`` int32, ``cval`` float64, rows ascending."""
    cptr = np.zeros(m + 1, dtype=np.int64)
    for e in range(len(col)):
        cptr[col[e] + 1] += 1
    for j in range(m):
        cptr[j + 1] += cptr[j]
    fill = cptr[:-1].copy()
    crow = np.empty(len(col), dtype=np.int32)
    cval = np.empty(len(col), dtype=np.float64)
    for i in range(len(ptr) - 1):
        for e in range(ptr[i], ptr[i + 1]):
            at = fill[col[e]]
            crow[at] = i
            cval[at] = val[e]
            fill[col[e]] = at + 1
    return cptr, crow, cval


@kernel
def below_caps(
    ptr: IntArray, col: IntArray, cost: FloatArray, weight: FloatArray, cap: FloatArray, keep: BoolArray
) -> tuple[BoolArray, IntArray, IntArray, FloatArray]:
    """
    Entries of kept sites whose weighted cost lies below the row's cap, in rows that have any.

    Parameters
    ----------
    ptr, col, cost, weight
        Rows sorted by cost per unit of weight.
    cap
        float64 (n,).
    keep
        Sites to keep, bool (m,).

    Returns
    -------
    full, ptr, col, val
        Which rows are left, and their entries with sites numbered anew.
    """
    n = len(cap)
    place = np.empty(len(keep), dtype=np.int32)
    n_kept = 0
    for j in range(len(keep)):
        place[j] = n_kept
        n_kept += keep[j]
    full = np.zeros(n, dtype=np.bool_)
    n_rows = n_entries = 0
    for i in range(n):
        for e in range(ptr[i], ptr[i + 1]):
            if weight[i] * cost[e] >= cap[i]:
                break
            if keep[col[e]]:
                n_entries += 1
                full[i] = True
        n_rows += full[i]
    new_ptr = np.zeros(n_rows + 1, dtype=np.int64)
    new_col = np.empty(n_entries, dtype=np.int32)
    val = np.empty(n_entries, dtype=np.float64)
    row = at = 0
    for i in range(n):
        if not full[i]:
            continue
        for e in range(ptr[i], ptr[i + 1]):
            v = weight[i] * cost[e]
            if v >= cap[i]:
                break
            if keep[col[e]]:
                new_col[at] = place[col[e]]
                val[at] = v
                at += 1
        row += 1
        new_ptr[row] = at
    return full, new_ptr, new_col, val


@kernel
def first_open(ptr: IntArray, col: IntArray, open_mask: BoolArray) -> IntArray:
    """First entry of each row whose site is open, -1 where none is, int64 (n,)."""
    first = np.full(len(ptr) - 1, -1, dtype=np.int64)
    for i in range(len(ptr) - 1):
        for e in range(ptr[i], ptr[i + 1]):
            if open_mask[col[e]]:
                first[i] = e
                break
    return first


@kernel
def greedy(
    cptr: IntArray, crow: IntArray, cval: FloatArray, cap: FloatArray, price: FloatArray, k_min: int, k_max: int
) -> IntArray:
    """
    Open sites, each time the one that saves most after its price (ties: lowest index), with lazy evaluation.

    Goes on to ``k_min`` whatever the saving, and to ``k_max`` while there is one. A saving only shrinks as sites open
    (submodularity), so an old saving is an upper bound and the top of a heap whose saving was just recomputed is the
    best of all (Minoux 1978).
    """
    m = len(cptr) - 1
    cost = cap.copy()
    heap = [(0.0, 0)]
    heap.pop()
    for j in range(m):
        saving = -price[j]
        for e in range(cptr[j], cptr[j + 1]):
            saving += cost[crow[e]] - cval[e]
        heap.append((-saving, j))
    heapq.heapify(heap)
    fresh = np.zeros(m, dtype=np.int64)
    opened = np.empty(min(k_max, m), dtype=np.int32)
    n_open = 0
    while n_open < len(opened):
        less, j = heapq.heappop(heap)
        if fresh[j] < n_open:
            saving = -price[j]
            for e in range(cptr[j], cptr[j + 1]):
                if cval[e] < cost[crow[e]]:
                    saving += cost[crow[e]] - cval[e]
            fresh[j] = n_open
            heapq.heappush(heap, (-saving, j))
            continue
        if n_open >= k_min and less >= 0.0:
            break
        opened[n_open] = j
        n_open += 1
        for e in range(cptr[j], cptr[j + 1]):
            if cval[e] < cost[crow[e]]:
                cost[crow[e]] = cval[e]
    return opened[:n_open]


@kernel
def nearest_two(
    ptr: IntArray,
    col: IntArray,
    val: FloatArray,
    cap: FloatArray,
    open_mask: BoolArray,
    d1: FloatArray,
    a1: IntArray,
    d2: FloatArray,
) -> float:
    """Fill first and second cheapest open cost per row and the first's site; returns the sum of the first."""
    total = 0.0
    for i in range(len(cap)):
        d1[i] = cap[i]
        d2[i] = cap[i]
        a1[i] = -1
        for e in range(ptr[i], ptr[i + 1]):
            if open_mask[col[e]]:
                if a1[i] < 0:
                    a1[i] = col[e]
                    d1[i] = val[e]
                else:
                    d2[i] = val[e]
                    break
        total += d1[i]
    return total


@kernel
def costs(ptr: IntArray, col: IntArray, val: FloatArray, cap: FloatArray, open_mask: BoolArray) -> FloatArray:
    """Cost of each row with these sites open, float64 (n,)."""
    out = cap.copy()
    for i in range(len(cap)):
        for e in range(ptr[i], ptr[i + 1]):
            if open_mask[col[e]]:
                out[i] = val[e]
                break
    return out


@kernel
def swap_search(
    ptr: IntArray,
    col: IntArray,
    val: FloatArray,
    cptr: IntArray,
    crow: IntArray,
    cval: FloatArray,
    cap: FloatArray,
    price: FloatArray,
    k_min: int,
    k_max: int,
    open_mask: BoolArray,
    d1: FloatArray,
    a1: IntArray,
    d2: FloatArray,
    start: int,
    quiet: int,
    least: float,
    budget: int,
) -> tuple[int, int, int, float]:
    """
    Swap, open or close a site as soon as that saves more than ``least`` (Resende & Werneck 2007).

    For a closed site j, one scan of its column gives its saving, and for each open site r how much of the loss of
    closing r it makes good; untouched sites compete through the one that is lost most easily. An open site is tried
    for closing, a closed one for opening alone, where ``k_min`` and ``k_max`` allow it.

    Parameters
    ----------
    start
        Site to try first; the search goes round.
    quiet
        Sites tried since the last move; the search ends at m (a local optimum).
    budget
        Entries to scan at most, so that a call stays short.

    Returns
    -------
    start, quiet, spent, saved
        To go on with; entries scanned; total saved.
    """
    m = len(open_mask)
    n_open = 0
    loss = -price.copy()  # what closing a site costs, its price saved
    for j in range(m):
        if open_mask[j]:
            n_open += 1
    for i in range(len(cap)):
        if a1[i] >= 0:
            loss[a1[i]] += d2[i] - d1[i]
    credit = np.zeros(m)
    touched = np.empty(m, dtype=np.int32)
    spent = len(cap)
    saved = 0.0
    cheapest = -1
    stale = True
    j = start
    while quiet < m and spent < budget:
        if stale:
            cheapest = -1
            for r in range(m):
                if open_mask[r] and (cheapest < 0 or loss[r] < loss[cheapest]):
                    cheapest = r
            stale = False
        come = -1
        out = -1
        best = least
        if open_mask[j]:
            if n_open > k_min and -loss[j] > best:
                best = -loss[j]
                out = j
        else:
            gain = -price[j]
            n_touched = 0
            for e in range(cptr[j], cptr[j + 1]):
                i = crow[e]
                v = cval[e]
                if v < d1[i]:
                    gain += d1[i] - v
                if v < d2[i] and a1[i] >= 0:
                    r = a1[i]
                    good = d2[i] - max(v, d1[i])
                    if good > 0.0:
                        if credit[r] == 0.0:
                            touched[n_touched] = r
                            n_touched += 1
                        credit[r] += good
            spent += cptr[j + 1] - cptr[j] + 4
            if n_open < k_max and gain > best:
                best = gain
                come = j
            if cheapest >= 0:
                net = gain - loss[cheapest] + credit[cheapest]
                if net > best:
                    best = net
                    come = j
                    out = cheapest
                for t in range(n_touched):
                    r = touched[t]
                    net = gain - loss[r] + credit[r]
                    if net > best or (net == best and come == j and 0 <= r < out):
                        best = net
                        come = j
                        out = r
            for t in range(n_touched):
                credit[touched[t]] = 0.0
        if come < 0 and out < 0:
            quiet += 1
            j = j + 1 if j + 1 < m else 0
            continue
        saved += best
        quiet = 0
        stale = True
        if out >= 0:
            open_mask[out] = False
            n_open -= 1
        if come >= 0:
            open_mask[come] = True
            n_open += 1
        for side in range(2):
            s = come if side == 0 else out
            if s < 0:
                continue
            for e in range(cptr[s], cptr[s + 1]):
                i = crow[e]
                if cval[e] > d2[i]:
                    continue
                if a1[i] >= 0:
                    loss[a1[i]] -= d2[i] - d1[i]
                d1[i] = cap[i]
                d2[i] = cap[i]
                a1[i] = -1
                for f in range(ptr[i], ptr[i + 1]):
                    spent += 1
                    if open_mask[col[f]]:
                        if a1[i] < 0:
                            a1[i] = col[f]
                            d1[i] = val[f]
                        else:
                            d2[i] = val[f]
                            break
                if a1[i] >= 0:
                    loss[a1[i]] += d2[i] - d1[i]
        j = j + 1 if j + 1 < m else 0
    return j, quiet, spent, saved


@kernel
def site_prices(ptr: IntArray, col: IntArray, val: FloatArray, lam: FloatArray, lo: int, hi: int, m: int) -> FloatArray:
    """Reduced cost of opening each site, Σ over rows lo … hi of min(0, val − λ), float64 (m,)."""
    rho = np.zeros(m)
    for i in range(lo, hi):
        x = lam[i]
        for e in range(ptr[i], ptr[i + 1]):
            if val[e] >= x:
                break
            rho[col[e]] += val[e] - x
    return rho


@kernel
def times_served(
    ptr: IntArray, col: IntArray, val: FloatArray, lam: FloatArray, chosen: BoolArray, lo: int, hi: int, out: FloatArray
) -> int:
    """``out[i]`` = 1 − number of chosen sites that serve row i below λ (a supergradient); returns entries scanned."""
    spent = 0
    for i in range(lo, hi):
        served = 0
        x = lam[i]
        for e in range(ptr[i], ptr[i + 1]):
            if val[e] >= x:
                break
            spent += 1
            if chosen[col[e]]:
                served += 1
        out[i] = 1.0 - served
    return spent
