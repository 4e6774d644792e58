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
    cptr: IntArray, crow: IntArray, cval: FloatArray, lam: FloatArray, chosen: IntArray, out: FloatArray
) -> int:
    """``out[i]`` = 1 − number of chosen sites that serve row i below λ (a supergradient); returns entries scanned."""
    out[:] = 1.0
    spent = 0
    for j in chosen:
        spent += cptr[j + 1] - cptr[j]
        for e in range(cptr[j], cptr[j + 1]):
            if cval[e] < lam[crow[e]]:
                out[crow[e]] -= 1.0
    return spent
