"""
Iterated interchange on the rows of ``kernels.pmedian``: kicks, and descents that look only where something changed.

After a kick only sites that share a row with one that came or went can help, so a descent costs what its neighbourhood
costs, not a round over all sites (Lourenço, Martin, Stützle 2003; the moves are those of Resende and Werneck 2007).
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray

_STRENGTH = 3  # swaps of a kick
_LONGEST = 64  # moves of a descent


@kernel
def _flip(
    ptr: IntArray,
    col: IntArray,
    val: FloatArray,
    cptr: IntArray,
    crow: IntArray,
    cval: FloatArray,
    cap: FloatArray,
    open_mask: BoolArray,
    d1: FloatArray,
    a1: IntArray,
    d2: FloatArray,
    loss: FloatArray,
    site: int,
) -> tuple[float, int]:
    """Open or close a site; returns what all rows pay more, and the entries scanned."""
    open_mask[site] = not open_mask[site]
    more = 0.0
    spent = cptr[site + 1] - cptr[site]
    for e in range(cptr[site], cptr[site + 1]):
        i = crow[e]
        v = cval[e]
        if v > d2[i]:
            continue
        old = d1[i]
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
        more += d1[i] - old
    return more, spent


@kernel
def kick_search(
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
    seed: int,
    least: float,
    budget: int,
) -> tuple[float, int, int]:
    """
    Kick the plan and descend again and again; a kick that did not save more than ``least`` is taken back.

    Parameters
    ----------
    open_mask
        The plan, a local optimum best; changed in place, never to a worse one.
    seed
        Of the kicks.
    budget
        Entries to scan at most, so that a call stays short.

    Returns
    -------
    saved, kicks, spent
        What all rows and prices cost less; kicks tried; entries scanned.
    """
    np.random.seed(seed)  # noqa: NPY002  numba knows no other kind of its own
    n = len(cap)
    m = len(open_mask)
    d1 = np.empty(n)
    d2 = np.empty(n)
    a1 = np.empty(n, dtype=np.int32)
    loss = -price
    spent = n
    for i in range(n):
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
    n_open = 0
    for j in range(m):
        if open_mask[j]:
            n_open += 1
    credit = np.zeros(m)
    touched = np.empty(m, dtype=np.int32)
    queued = np.zeros(m, dtype=np.bool_)
    queue = np.empty(m, dtype=np.int32)
    moves = np.empty(2 * (_STRENGTH + _LONGEST), dtype=np.int32)
    total = 0.0
    kicks = 0
    while spent < budget and kicks < budget:
        kicks += 1
        n_moves = 0
        n_before = n_open
        change = 0.0
        waiting = 0
        near = np.random.randint(2)  # noqa: NPY002  whether the kick stays in one place
        i = np.random.randint(n)  # noqa: NPY002
        for _ in range(_STRENGTH - near):
            out = a1[i]
            if out < 0:
                break
            length = 0
            for f in range(ptr[i], ptr[i + 1]):
                if val[f] > d2[i]:
                    break
                length += 1
            come = -1
            for _try in range(8):
                j = col[ptr[i] + np.random.randint(length)]  # noqa: NPY002
                if not open_mask[j]:
                    come = j
                    break
            if come < 0:
                break
            for side in range(2):
                s = come if side == 0 else out
                more, scanned = _flip(ptr, col, val, cptr, crow, cval, cap, open_mask, d1, a1, d2, loss, s)
                change += more + (price[s] if open_mask[s] else -price[s])
                spent += scanned
                moves[n_moves] = s
                n_moves += 1
            i = crow[cptr[come] + np.random.randint(cptr[come + 1] - cptr[come])]  # noqa: NPY002
            if near == 0:
                i = np.random.randint(n)  # noqa: NPY002
        if n_moves == 0:
            spent += 8
            continue
        cheapest = -1  # open site that is lost most easily
        stale = True
        fresh = 0  # moves whose neighbours are queued already
        while True:
            while fresh < n_moves:
                s = moves[fresh]
                fresh += 1
                for e in range(cptr[s], cptr[s + 1]):
                    k = crow[e]
                    if cval[e] > d2[k]:
                        continue
                    for f in range(ptr[k], ptr[k + 1]):
                        spent += 1
                        if val[f] > d2[k]:
                            break
                        if not queued[col[f]]:
                            queued[col[f]] = True
                            queue[waiting] = col[f]
                            waiting += 1
            if waiting == 0 or n_moves + 2 > len(moves):
                break
            waiting -= 1
            j = queue[waiting]
            queued[j] = False
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
                    k = crow[e]
                    v = cval[e]
                    if v < d1[k]:
                        gain += d1[k] - v
                    if v < d2[k] and a1[k] >= 0:
                        r = a1[k]
                        good = d2[k] - max(v, d1[k])
                        if good > 0.0:
                            if credit[r] == 0.0:
                                touched[n_touched] = r
                                n_touched += 1
                            credit[r] += good
                spent += cptr[j + 1] - cptr[j] + 4
                if n_open < k_max and gain > best:
                    best = gain
                    come = j
                if stale:
                    cheapest = -1
                    for r in range(m):
                        if open_mask[r] and (cheapest < 0 or loss[r] < loss[cheapest]):
                            cheapest = r
                    stale = False
                    spent += m // 8
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
            for side in range(2):
                s = come if side == 0 else out
                if s < 0:
                    continue
                more, scanned = _flip(ptr, col, val, cptr, crow, cval, cap, open_mask, d1, a1, d2, loss, s)
                change += more + (price[s] if open_mask[s] else -price[s])
                n_open += 1 if open_mask[s] else -1
                stale = True
                spent += scanned
                moves[n_moves] = s
                n_moves += 1
        for w in range(waiting):
            queued[queue[w]] = False
        if change < -least:
            total -= change
            continue
        while n_moves > 0:
            n_moves -= 1
            s = moves[n_moves]
            _, scanned = _flip(ptr, col, val, cptr, crow, cval, cap, open_mask, d1, a1, d2, loss, s)
            spent += scanned
        n_open = n_before
    return total, kicks, spent
