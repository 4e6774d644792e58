"""Kernel of single-source plans: tabu search over moves and exchanges of rows between given sites."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray

_PAIRS = 20_000  # exchanges looked at in one iteration
_HOLD = 8  # iterations for which a row does not go back, at least


@kernel
def _excess(load: float, room: float) -> float:
    return load - room if load > room else 0.0


@kernel
def exchange_whole(
    where: IntArray,
    value: FloatArray,
    need: FloatArray,
    room: FloatArray,
    price: float,
    iterations: int,
    best: IntArray,
) -> float:
    """
    Move or exchange rows, the best that is not tabu each time, through overloads at a price that adapts.

    (Díaz, Fernández 2001; the adapting price of overloads as Yagiura, Ibaraki, Glover 2004.)

    Parameters
    ----------
    where
        Site of each row to begin with, int32 (n,), changed in place; each row has one, within room or not.
    value
        Cost of each row at each site, ``inf`` where it cannot be served, float64 (s, n).
    need, room
        float64 (n,), (s,).
    price
        Of a unit of overload, at first; positive.
    best
        Set to the cheapest assignment within the rooms, int32 (n,).

    Returns
    -------
    float
        What that costs; ``inf`` where there was none.
    """
    s, n = value.shape
    load = np.zeros(s)
    cost = 0.0
    for i in range(n):
        load[where[i]] += need[i]
        cost += value[where[i], i]
    over = 0.0
    for j in range(s):
        over += _excess(load[j], room[j])
    until = np.zeros((s, n), dtype=np.int64)
    found = np.inf
    if over <= 0.0:
        found = cost
        best[:] = where
    stride = max(1, (n * n) // (2 * _PAIRS))
    dearest, cheapest = 1e6 * price, 1e-3 * price
    for t in range(1, iterations + 1):
        least, row, to, other = np.inf, -1, -1, -1
        for i in range(n):
            a = where[i]
            relief = _excess(load[a] - need[i], room[a]) - _excess(load[a], room[a])
            for j in range(s):
                if j == a or value[j, i] == np.inf:
                    continue
                more = relief + _excess(load[j] + need[i], room[j]) - _excess(load[j], room[j])
                delta = value[j, i] - value[a, i] + price * more
                best_yet = over + more <= 1e-12 and cost + value[j, i] - value[a, i] < found
                if delta < least and (until[j, i] < t or best_yet):
                    least, row, to, other = delta, i, j, -1
        for i in range(t % stride, n, stride):
            a = where[i]
            for h in range(n):
                b = where[h]
                if b == a or (stride == 1 and h < i) or value[b, i] == np.inf or value[a, h] == np.inf:
                    continue
                change = value[b, i] - value[a, i] + value[a, h] - value[b, h]
                if change >= least and price * (over) <= change - least:
                    continue
                shift = need[i] - need[h]
                more = (
                    _excess(load[a] - shift, room[a])
                    - _excess(load[a], room[a])
                    + _excess(load[b] + shift, room[b])
                    - _excess(load[b], room[b])
                )
                delta = change + price * more
                best_yet = over + more <= 1e-12 and cost + change < found
                if delta < least and ((until[b, i] < t and until[a, h] < t) or best_yet):
                    least, row, to, other = delta, i, b, h
        if row < 0:
            price *= 1.5
            continue
        a = where[row]
        hold = t + _HOLD + (t * 7) % 11
        cost += value[to, row] - value[a, row]
        load[a] -= need[row]
        load[to] += need[row]
        where[row] = to
        until[a, row] = hold
        if other >= 0:
            cost += value[a, other] - value[to, other]
            load[to] -= need[other]
            load[a] += need[other]
            where[other] = a
            until[to, other] = hold
        over = 0.0
        for j in range(s):
            over += _excess(load[j], room[j])
        if over <= 0.0:
            price = max(price * 0.93, cheapest)
            if found == np.inf or cost < found - 1e-9 * abs(found):
                found = cost
                best[:] = where
        else:
            price = min(price * 1.07, dearest)
    return found
