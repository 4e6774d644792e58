"""
The transport problem with few sites: rows may be split, sites have room, staying unserved has a price.

Successive shortest paths (Jewell 1958; Tomizawa 1971) over the sites alone: an arc from site a to site b is the row now
at a that loses least by going to b. Prices of room to begin with may be anything not below zero: good ones leave little
to do. Node S stands for staying unserved, node S + 1 for the end of all flow.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray

_NONE = -1


@kernel
def open_lists(
    indptr: IntArray,
    site: IntArray,
    cost: IntArray,
    order: IntArray,
    rows: IntArray,
    place: IntArray,
    slope: FloatArray,
    beyond: FloatArray,
    extra: FloatArray,
    need: FloatArray,
    idle: FloatArray,
    phase: int,
    most: int,
) -> tuple[IntArray, IntArray, FloatArray]:
    """
    Open sites of some rows, the nearest ``most`` of each, and what a unit of need costs there if less than unserved.

    ``place`` (n_sites,) is a site's number among the open ones, or -1. Returns ``optr``, ``osite``, ``ocost``.
    """
    n = len(rows)
    optr = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        r = rows[i]
        m = 0
        for e in range(indptr[order[r]], indptr[order[r] + 1]):
            if place[site[e]] >= 0:
                paid = slope[r, phase] * cost[e]
                for limit in range(len(beyond)):
                    if cost[e] > beyond[limit]:
                        paid += extra[r, phase, limit]
                if paid < idle[r, phase]:
                    m += 1
                    if m == most:
                        break
        optr[i + 1] = optr[i] + m
    osite = np.empty(optr[n], dtype=np.int32)
    ocost = np.empty(optr[n])
    for i in range(n):
        r = rows[i]
        at = optr[i]
        for e in range(indptr[order[r]], indptr[order[r] + 1]):
            if at == optr[i + 1]:
                break
            if place[site[e]] >= 0:
                paid = slope[r, phase] * cost[e]
                for limit in range(len(beyond)):
                    if cost[e] > beyond[limit]:
                        paid += extra[r, phase, limit]
                if paid < idle[r, phase]:
                    osite[at] = place[site[e]]
                    ocost[at] = paid / need[r, phase]
                    at += 1
    return optr, osite, ocost


@kernel
def two_least(
    optr: IntArray, osite: IntArray, ocost: FloatArray, price: FloatArray, idle: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What a unit of need of each row costs where it costs least and second least, prices of room counted, (n,)."""
    least, second = idle.copy(), idle.copy()
    for i in range(len(idle)):
        for p in range(optr[i], optr[i + 1]):
            x = ocost[p] + price[osite[p]]
            if x < least[i]:
                second[i] = least[i]
                least[i] = x
            elif x < second[i]:
                second[i] = x
    return least, second


@kernel
def _edges_from(
    a: int,
    head: IntArray,
    nxt: IntArray,
    flow: FloatArray,
    tiny: FloatArray,
    orow: IntArray,
    optr: IntArray,
    osite: IntArray,
    ocost: FloatArray,
    idle: FloatArray,
    delta: FloatArray,
    via: IntArray,
) -> None:
    """Cheapest way from site a to every other, anew from the rows now there; drops rows that left."""
    unserved = delta.shape[0] - 1
    delta[a, :] = np.inf
    before = _NONE
    at = head[a]
    while at != _NONE:
        following = nxt[at]
        i = orow[at]
        if flow[at] <= tiny[i]:
            if before == _NONE:
                head[a] = following
            else:
                nxt[before] = following
            nxt[at] = -2  # in no list
        else:
            before = at
            here = ocost[at]
            for p in range(optr[i], optr[i + 1]):
                b = osite[p]
                if b != a and ocost[p] - here < delta[a, b]:
                    delta[a, b] = ocost[p] - here
                    via[a, b] = at
            if idle[i] - here < delta[a, unserved]:
                delta[a, unserved] = idle[i] - here
                via[a, unserved] = at
        at = following


@kernel
def _edge_from_unserved(
    b: int,
    cptr: IntArray,
    cpos: IntArray,
    first: IntArray,
    orow: IntArray,
    ocost: FloatArray,
    idle: FloatArray,
    left: FloatArray,
    tiny: FloatArray,
    delta: FloatArray,
    via: IntArray,
) -> None:
    """
    Cheapest unserved row for site b, anew.

    Columns are sorted by what going there saves; before ``first[b]`` nobody is unserved.
    """
    unserved = delta.shape[0] - 1
    c = first[b]
    while c < cptr[b + 1] and left[orow[cpos[c]]] <= tiny[orow[cpos[c]]]:
        c += 1
    first[b] = c
    if c < cptr[b + 1]:
        delta[unserved, b] = ocost[cpos[c]] - idle[orow[cpos[c]]]
        via[unserved, b] = cpos[c]
    else:
        delta[unserved, b] = np.inf
        via[unserved, b] = _NONE


@kernel
def transport(
    optr: IntArray,
    osite: IntArray,
    ocost: FloatArray,
    need: FloatArray,
    idle: FloatArray,
    room: FloatArray,
    price: FloatArray,
    rounds: int,
    span: float,
    steps: int,
) -> tuple[FloatArray, FloatArray, int]:
    """
    Send every row at least cost.

    Parameters
    ----------
    optr, osite, ocost
        Open sites of each row and the cost of a unit of need there.
    need, idle
        Of each row, float64 (n,): what it takes of a room, above 0; cost of a unit left unserved, finite.
    room
        float64 (S,), above 0, ``inf`` = no limit.
    price
        Prices of a unit of room to begin with, float64 (S,), not below 0; changed to the best ones.
    rounds, span
        Prices are first moved so many times towards room = load, by steps that begin at ``span`` and shrink: cheap, and
        it leaves fewer paths.
    steps
        Paths to push at most; what is too much then is left unserved.

    Returns
    -------
    flow
        Need of each row sent to each of its open sites, float64 (len(osite),).
    left
        Need of each row left unserved, float64 (n,).
    pushed
        Paths pushed.
    """
    n, n_open = len(need), len(room)
    unserved, end = n_open, n_open + 1
    total = need.sum()
    small = 1e-13 * max(total, 1e-300)
    tiny = np.minimum(1e-10 * need, 1e-10 * max(total, 1e-300) / max(n, 1))
    orow = np.empty(len(osite), dtype=np.int32)
    cptr = np.zeros(n_open + 1, dtype=np.int64)
    for i in range(n):
        for p in range(optr[i], optr[i + 1]):
            orow[p] = i
            cptr[osite[p] + 1] += 1
    for s in range(n_open):
        cptr[s + 1] += cptr[s]
    cpos = np.empty(len(osite), dtype=np.int64)
    fill = cptr[:-1].copy()
    for p in range(len(osite)):
        cpos[fill[osite[p]]] = p
        fill[osite[p]] += 1
    rank = np.empty(len(osite), dtype=np.int64)
    first = cptr[:-1].copy()
    for s in range(n_open):
        saving = np.empty(cptr[s + 1] - cptr[s])
        for c in range(cptr[s], cptr[s + 1]):
            saving[c - cptr[s]] = ocost[cpos[c]] - idle[orow[cpos[c]]]
        best_first = np.argsort(saving, kind="mergesort")
        cpos[cptr[s] : cptr[s + 1]] = cpos[cptr[s] : cptr[s + 1]][best_first]
        for c in range(cptr[s], cptr[s + 1]):
            rank[cpos[c]] = c

    v = np.zeros(n_open + 2)
    for s in range(n_open):
        v[s] = price[s] if room[s] < np.inf else 0.0
    wanted = np.empty(n_open)
    for k in range(rounds):
        wanted[:] = 0.0
        for i in range(n):
            best, at = idle[i], _NONE
            for p in range(optr[i], optr[i + 1]):
                if ocost[p] >= best:
                    break  # prices are not below zero
                if ocost[p] + v[osite[p]] < best:
                    best = ocost[p] + v[osite[p]]
                    at = osite[p]
            if at != _NONE:
                wanted[at] += need[i]
        step = span * (1.0 - k / rounds) ** 2
        for s in range(n_open):
            if room[s] < np.inf:
                v[s] = max(v[s] + step * min(max((wanted[s] - room[s]) / room[s], -1.0), 1.0), 0.0)
    flow = np.zeros(len(osite))
    left = np.zeros(n)
    head = np.full(n_open, _NONE, dtype=np.int64)
    nxt = np.full(len(osite), -2, dtype=np.int64)
    load = np.zeros(n_open + 1)
    for i in range(n):
        best, at = idle[i], _NONE
        for p in range(optr[i], optr[i + 1]):
            if ocost[p] + v[osite[p]] < best:
                best = ocost[p] + v[osite[p]]
                at = p
        if at == _NONE:
            left[i] = need[i]
            load[unserved] += need[i]
        else:
            flow[at] = need[i]
            load[osite[at]] += need[i]
            nxt[at] = head[osite[at]]
            head[osite[at]] = at
    delta = np.full((n_open + 1, n_open + 1), np.inf)
    via = np.full((n_open + 1, n_open + 1), _NONE, dtype=np.int64)
    for s in range(n_open):
        _edges_from(s, head, nxt, flow, tiny, orow, optr, osite, ocost, idle, delta, via)
        _edge_from_unserved(s, cptr, cpos, first, orow, ocost, idle, left, tiny, delta, via)
    out = np.empty(n_open + 1)
    excess = np.zeros(n_open + 2)
    out[unserved] = load[unserved]
    for s in range(n_open):
        out[s] = room[s] if v[s] > 0.0 else min(load[s], room[s])
        excess[s] = load[s] - out[s]
        excess[end] -= excess[s]

    far = np.empty(n_open + 2)
    done = np.empty(n_open + 2, dtype=np.bool_)
    came = np.empty(n_open + 2, dtype=np.int64)
    pushed = 0
    while pushed < steps:
        some = False
        for a in range(n_open + 2):
            done[a] = False
            came[a] = _NONE
            far[a] = np.inf
            if excess[a] > small:
                far[a] = 0.0
                some = True
        if not some:
            break
        target = _NONE
        while True:
            a, near = _NONE, np.inf
            for b in range(n_open + 2):
                if not done[b] and far[b] < near:
                    a, near = b, far[b]
            if a == _NONE:
                break
            done[a] = True
            if excess[a] < -small:
                target = a
                break
            if a == end:
                for b in range(n_open + 1):
                    if not done[b] and out[b] > small:
                        x = near + max(v[b] - v[end], 0.0)
                        if x < far[b]:
                            far[b] = x
                            came[b] = a
            else:
                for b in range(n_open + 1):
                    if delta[a, b] < np.inf and not done[b]:
                        x = near + max(delta[a, b] + v[b] - v[a], 0.0)
                        if x < far[b]:
                            far[b] = x
                            came[b] = a
                if not done[end] and (a == unserved or out[a] < room[a] - small):
                    x = near + max(v[end] - v[a], 0.0)
                    if x < far[end]:
                        far[end] = x
                        came[end] = a
        if target == _NONE:
            break
        reach = far[target]
        for a in range(n_open + 2):
            if done[a] and far[a] < reach:
                v[a] += reach - far[a]
        # a row that the path takes from a to b and on to c goes from a to c: it may have next to nothing at b
        b = target
        while came[b] != _NONE:
            a = came[b]
            if a < unserved and b <= unserved and came[a] != _NONE and came[a] != end:
                before = came[a]
                if orow[via[before, a]] == orow[via[a, b]] and delta[before, b] < np.inf:
                    came[b] = before
                    continue
            b = a
        # how much the path takes
        amount = -excess[target]
        b = target
        while came[b] != _NONE:
            a = came[b]
            if a == end:
                amount = min(amount, out[b])
            elif b == end:
                if a != unserved:
                    amount = min(amount, room[a] - out[a])
            elif a == unserved:
                amount = min(amount, left[orow[via[a, b]]])
            else:
                amount = min(amount, flow[via[a, b]])
            b = a
        amount = min(amount, excess[b])
        excess[b] -= amount
        excess[target] += amount
        pushed += 1
        # push it: rows first, then the edges anew of all sites on the path
        b = target
        while came[b] != _NONE:
            a = came[b]
            if a == end:
                out[b] -= amount
            elif b == end:
                out[a] += amount
            else:
                if a == unserved:
                    p = via[a, b]
                    i = orow[p]
                    left[i] = left[i] - amount if left[i] - amount > tiny[i] else 0.0
                else:
                    at = via[a, b]
                    i = orow[at]
                    flow[at] = flow[at] - amount if flow[at] - amount > tiny[i] else 0.0
                    p = _NONE
                    if b != unserved:
                        for h in range(optr[i], optr[i + 1]):
                            if osite[h] == b:
                                p = h
                                break
                if b == unserved:
                    left[i] += amount
                    for h in range(optr[i], optr[i + 1]):
                        first[osite[h]] = min(first[osite[h]], rank[h])
                        if ocost[h] - idle[i] < delta[unserved, osite[h]]:
                            delta[unserved, osite[h]] = ocost[h] - idle[i]
                            via[unserved, osite[h]] = h
                else:
                    flow[p] += amount
                    if nxt[p] == -2:
                        nxt[p] = head[b]
                        head[b] = p
                if a == unserved and left[i] == 0.0:
                    for h in range(optr[i], optr[i + 1]):
                        if via[unserved, osite[h]] == h:
                            _edge_from_unserved(osite[h], cptr, cpos, first, orow, ocost, idle, left, tiny, delta, via)
            b = a
        b = target
        while b != _NONE:
            if b < unserved:
                _edges_from(b, head, nxt, flow, tiny, orow, optr, osite, ocost, idle, delta, via)
            b = came[b]
    # what rounding, or too few steps, left above a room stays unserved
    for s in range(n_open):
        held = 0.0
        for c in range(cptr[s], cptr[s + 1]):
            held += flow[cpos[c]]
        if held > room[s]:
            over = held - room[s]
            for c in range(cptr[s], cptr[s + 1]):
                p = cpos[c]
                if over > 0.0 and flow[p] > 0.0:
                    less = min(over, flow[p])
                    flow[p] -= less
                    left[orow[p]] += less
                    over -= less
        price[s] = max(v[s] - v[end], 0.0)
    return flow, left, pushed
