"""
Kernels of one region's rows: what a plan costs there, and what moves would save, in whole numbers.

Costs are counted in units of 1 / ``scale``, rounded, so that sums over regions do not depend on how they are added.
Rows are those of ``kernels.pmedian``.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray


@kernel
def units(cost: float, scale: float) -> int:
    """A cost in whole units."""
    return int(np.rint(cost * scale))


@kernel
def two_cheapest(
    ptr: IntArray, col: IntArray, val: FloatArray, cap: FloatArray, open_mask: BoolArray
) -> tuple[FloatArray, IntArray, FloatArray, int]:
    """First open cost of each row, its site (-1: at cap), the second open cost; and the entries scanned."""
    n = len(cap)
    d1, a1, d2 = cap.copy(), np.full(n, -1, dtype=np.int32), cap.copy()
    scanned = 0
    for i in range(n):
        for e in range(ptr[i], ptr[i + 1]):
            scanned += 1
            if open_mask[col[e]]:
                if a1[i] >= 0:
                    d2[i] = val[e]
                    break
                a1[i] = col[e]
                d1[i] = val[e]
    return d1, a1, d2, scanned


@kernel
def savings(
    ptr: IntArray, col: IntArray, val: FloatArray, d1: FloatArray, scale: float, m: int
) -> tuple[IntArray, int]:
    """What opening each site saves beside what is open, int64 (m,); and the entries scanned."""
    gain = np.zeros(m, dtype=np.int64)
    scanned = 0
    for i in range(len(d1)):
        now = units(d1[i], scale)
        for e in range(ptr[i], ptr[i + 1]):
            scanned += 1
            if val[e] >= d1[i]:
                break
            gain[col[e]] += now - units(val[e], scale)
    return gain, scanned


@kernel
def savings_in_turn(
    ptr: IntArray, col: IntArray, val: FloatArray, d1: FloatArray, turn: IntArray, n_turns: int, scale: float
) -> tuple[IntArray, int]:
    """
    What each of some sites saves when they open one after the other, int64 (n_turns,); and the entries scanned.

    ``turn`` is the turn of each site, -1 for those that do not open, int32 (m,).
    """
    saved = np.zeros(n_turns, dtype=np.int64)
    scanned = 0
    for i in range(len(d1)):
        for e in range(ptr[i], ptr[i + 1]):
            scanned += 1
            if val[e] >= d1[i]:
                break
            t = turn[col[e]]
            if t < 0:
                continue
            before = d1[i]
            for f in range(ptr[i], ptr[i + 1]):  # the cheapest of those that opened earlier
                scanned += 1
                if val[f] >= before:
                    break
                if 0 <= turn[col[f]] < t:
                    before = val[f]
                    break
            if val[e] < before:
                saved[t] += units(before, scale) - units(val[e], scale)
    return saved, scanned


@kernel
def move_table(
    ptr: IntArray,
    col: IntArray,
    val: FloatArray,
    d1: FloatArray,
    a1: IntArray,
    d2: FloatArray,
    open_mask: BoolArray,
    scale: float,
) -> tuple[IntArray, IntArray, IntArray, IntArray, int]:
    """
    What a region has to say on every single move of a plan (Resende, Werneck 2004, section 3: loss, gain and extra).

    Returns
    -------
    loss, gain
        What closing each open site costs, and what opening each closed one saves, int64 (m,).
    pair, extra
        ``r · m + j``, not sorted and not unique, and how much of the loss of r is made good by j beyond its gain.
    scanned
        Entries.
    """
    n, m = len(d1), len(open_mask)
    loss, gain = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    n_pairs = scanned = 0
    for i in range(n):
        for e in range(ptr[i], ptr[i + 1]):
            scanned += 1
            if val[e] >= d2[i]:
                break
            n_pairs += a1[i] >= 0 and not open_mask[col[e]]
    pair, extra = np.empty(n_pairs, dtype=np.int64), np.empty(n_pairs, dtype=np.int64)
    at = 0
    for i in range(n):
        first, second = units(d1[i], scale), units(d2[i], scale)
        r = np.int64(a1[i])
        if r >= 0:
            loss[r] += second - first
        for e in range(ptr[i], ptr[i + 1]):
            if val[e] >= d2[i]:
                break
            j = col[e]
            if open_mask[j]:
                continue
            v = units(val[e], scale)
            gain[j] += max(first - v, 0)
            if r >= 0:
                pair[at] = r * m + j
                extra[at] = second - max(v, first)
                at += 1
    return loss, gain, pair, extra, scanned


@kernel
def times_served(ptr: IntArray, col: IntArray, val: FloatArray, lam: FloatArray, chosen: BoolArray) -> IntArray:
    """How many chosen sites serve each row below its multiplier, int32 (n,)."""
    out = np.zeros(len(lam), dtype=np.int32)
    for i in range(len(lam)):
        for e in range(ptr[i], ptr[i + 1]):
            if val[e] >= lam[i]:
                break
            out[i] += chosen[col[e]]
    return out
