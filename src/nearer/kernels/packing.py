"""
Kernels of single-source location: 0-1 knapsacks per site, and the Lagrangian that they bound.

Columns as in ``knapsack``: ``cptr``, ``crow``, ``cval``. Every function here rounds in favour of a valid bound: rooms
are taken a billionth larger than they are, and a knapsack that is not solved within its steps counts at its fractional
value.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray

_SLACK = 1e-9
_STEPS = 20_000  # of one knapsack
_MANY = 500  # items of a knapsack that is not solved anew for each of them


@kernel
def pack(gain: FloatArray, need: FloatArray, n: int, room: float, take: BoolArray, trial: BoolArray) -> float:
    """
    Greatest ``Σ gain`` of items that fit together, by depth-first search (Horowitz, Sahni 1974).

    Parameters
    ----------
    gain, need
        Of the first ``n`` items, by gain per need, greatest first; what needs nothing before everything else.
    take
        Set to the items chosen, bool.
    trial
        Of the same length, to work in.

    Returns
    -------
    float
        The greatest sum; where the search ends early, the fractional one, and ``take`` is a good choice.
    """
    best, value, left = -1.0, 0.0, room
    top = 0.0
    j, steps = 0, 0
    for k in range(n):
        take[k] = False
        trial[k] = False
    while True:
        # what the rest could add at best
        bound, free = value, left
        k = j
        while k < n and need[k] <= free:
            free -= need[k]
            bound += gain[k]
            k += 1
        steps += k - j + 1
        if k < n and free > 0.0:
            bound += gain[k] * free / need[k]
        if steps == k - j + 1:
            top = bound
        if bound > best:
            while j < k:
                trial[j] = True
                left -= need[j]
                value += gain[j]
                j += 1
            if j < n:
                trial[j] = False
                j += 1
            if j < n:
                if steps <= _STEPS:
                    continue
                if value > best:
                    best = value
                    for i in range(n):
                        take[i] = trial[i]
                return max(top, best)
            if value > best:
                best = value
                for i in range(n):
                    take[i] = trial[i]
        if steps > _STEPS:
            return max(top, best)
        # back to the last item taken, without it
        j = min(j, n) - 1
        while j >= 0 and not trial[j]:
            j -= 1
        if j < 0:
            return max(best, 0.0)
        trial[j] = False
        left += need[j]
        value -= gain[j]
        j += 1


@kernel
def by_ratio(gain: FloatArray, need: FloatArray, n: int, item: IntArray) -> None:
    """Sort the first ``n`` items in place by gain per need, greatest first; ``item`` goes along."""
    ratio = np.empty(n)
    for k in range(n):
        ratio[k] = -gain[k] / need[k] if need[k] > 0.0 else -np.inf
    order = np.argsort(ratio, kind="mergesort")
    g, a, e = gain[:n].copy(), need[:n].copy(), item[:n].copy()
    for k in range(n):
        gain[k], need[k], item[k] = g[order[k]], a[order[k]], e[order[k]]


@kernel
def site_packs(
    cptr: IntArray,
    crow: IntArray,
    cval: FloatArray,
    need: FloatArray,
    room: FloatArray,
    lam: FloatArray,
    rho: FloatArray,
    fill: FloatArray,
) -> None:
    """Least ``Σ (cval − λ) x`` per site over whole rows that fit, into ``rho`` (m,) and ``fill`` (nnz,), 0 or 1."""
    m = len(cptr) - 1
    longest = 0
    for j in range(m):
        longest = max(longest, cptr[j + 1] - cptr[j])
    gain, size, item = np.empty(longest), np.empty(longest), np.empty(longest, dtype=np.int64)
    take, trial = np.empty(longest, dtype=np.bool_), np.empty(longest, dtype=np.bool_)
    for j in range(m):
        total, wanted, n = 0.0, 0.0, 0
        for e in range(cptr[j], cptr[j + 1]):
            i = crow[e]
            worth = lam[i] - cval[e]
            fill[e] = 0.0
            if worth > 0.0:
                gain[n], size[n], item[n] = worth, need[i], e
                total += worth
                wanted += need[i]
                n += 1
        most = room[j] * (1.0 + _SLACK)
        if wanted <= most:
            for k in range(n):
                fill[item[k]] = 1.0
            rho[j] = -total
        else:
            by_ratio(gain, size, n, item)
            rho[j] = -pack(gain, size, n, most, take, trial)
            for k in range(n):
                if take[k]:
                    fill[item[k]] = 1.0


@kernel
def cheapest_by_count(rho: FloatArray, must: BoolArray, k_min: int, k_max: int, chosen: BoolArray) -> float:
    """Least ``Σ ρ`` over sets with all that must, and so many in all; which, into ``chosen`` (m,)."""
    m = len(rho)
    total, inside, negative = 0.0, 0, 0
    for j in range(m):
        chosen[j] = must[j]
        if must[j]:
            total += rho[j]
            inside += 1
        elif rho[j] < 0.0:
            negative += 1
    if inside + negative >= k_min and inside + negative <= k_max:
        for j in range(m):
            if rho[j] < 0.0 and not must[j]:
                chosen[j] = True
                total += rho[j]
        return total
    wanted = min(max(negative, k_min - inside), k_max - inside)
    for j in np.argsort(rho, kind="mergesort"):
        if wanted <= 0:
            break
        if not must[j]:
            chosen[j] = True
            total += rho[j]
            wanted -= 1
    return total


@kernel
def cheapest_by_room(rho: FloatArray, must: BoolArray, room: FloatArray, demand: float, chosen: BoolArray) -> float:
    """Least ``Σ ρ`` over sets with all that must, and room for ``demand``: what is left out is a knapsack."""
    m = len(rho)
    total, held = 0.0, 0.0
    gain, size, item = np.empty(m), np.empty(m), np.empty(m, dtype=np.int64)
    n = 0
    for j in range(m):
        held += room[j]
        total += rho[j]
        chosen[j] = True
        if not must[j] and rho[j] >= 0.0:
            gain[n], size[n], item[n] = rho[j], room[j], j
            n += 1
    spare = held - demand * (1.0 - _SLACK)
    if spare < 0.0:
        return np.inf
    by_ratio(gain, size, n, item)
    take, trial = np.empty(n, dtype=np.bool_), np.empty(n, dtype=np.bool_)
    saved = pack(gain, size, n, spare, take, trial)
    for k in range(n):
        if take[k]:
            chosen[item[k]] = False
    return float(total - saved)


@kernel
def cheapest_sites(
    rho: FloatArray,
    must: BoolArray,
    room: FloatArray,
    k_min: int,
    k_max: int,
    demand: float,
    chosen: BoolArray,
    other: BoolArray,
) -> float:
    """The better of both bounds on which sites open; ``inf`` where nothing is possible."""
    value = cheapest_by_count(rho, must, k_min, k_max, chosen)
    held = 0.0
    for j in range(len(rho)):
        if chosen[j]:
            held += room[j]
    if held >= demand * (1.0 - _SLACK):
        return float(value)
    also = cheapest_by_room(rho, must, room, demand, other)
    if also > value:
        chosen[:] = other
        return float(also)
    return float(value)


@kernel
def evaluate_packs(
    cptr: IntArray,
    crow: IntArray,
    cval: FloatArray,
    need: FloatArray,
    price: FloatArray,
    room: FloatArray,
    must: BoolArray,
    k_min: int,
    k_max: int,
    demand: float,
    lam: FloatArray,
    rho: FloatArray,
    fill: FloatArray,
    chosen: BoolArray,
    other: BoolArray,
) -> float:
    """``L(λ)`` with 0-1 knapsacks, rounded down; ``rho`` includes prices."""
    site_packs(cptr, crow, cval, need, room, lam, rho, fill)
    m = len(room)
    base, size = 0.0, 0.0
    longest = 64
    for i in range(len(lam)):
        base += lam[i]
        size += abs(lam[i])
    for j in range(m):
        size += 2.0 * abs(rho[j]) + abs(price[j])
        rho[j] += price[j]
        longest = max(longest, 64 + cptr[j + 1] - cptr[j])
    bound = base + cheapest_sites(rho, must, room, k_min, k_max, demand, chosen, other)
    return float(bound - 2.3e-16 * (longest + m + len(lam)) * size)


@kernel
def climb_packs(
    cptr: IntArray,
    crow: IntArray,
    cval: FloatArray,
    need: FloatArray,
    price: FloatArray,
    room: FloatArray,
    must: BoolArray,
    k_min: int,
    k_max: int,
    demand: float,
    ceiling: FloatArray,
    upper: float,
    enough: float,
    iterations: int,
    lam: FloatArray,
    rho: FloatArray,
    served_avg: FloatArray,
    use_avg: FloatArray,
    share: FloatArray,
    memory: FloatArray,
) -> int:
    """
    Iterations of the volume algorithm on ``evaluate_packs``; all arrays from ``lam`` on are updated in place.

    ``memory`` is bound, factor of steps, misses, weight of averages, and whether it is begun; to begin, zeros.
    Returns the iterations done; fewer than asked where it has ended: proven ``enough``, or steps too small.
    """
    m, n, nnz = len(room), len(lam), len(crow)
    new_rho, fill, chosen, other = np.empty(m), np.empty(nnz), np.empty(m, np.bool_), np.empty(m, np.bool_)
    trial, served = np.empty(n), np.empty(n)
    if memory[4] == 0.0:
        memory[0] = evaluate_packs(
            cptr, crow, cval, need, price, room, must, k_min, k_max, demand, lam, rho, fill, chosen, other
        )
        served_avg[:] = 0.0
        for j in range(m):
            share[j] = 1.0 if chosen[j] else 0.0
            for e in range(cptr[j], cptr[j + 1]):
                use_avg[e] = fill[e] if chosen[j] else 0.0
                served_avg[crow[e]] += use_avg[e]
        memory[1], memory[2], memory[3], memory[4] = 0.2, 0.0, 0.1, 1.0
    for iteration in range(iterations):
        if memory[0] >= enough or memory[1] < 1e-4:
            return iteration
        norm = 0.0
        for i in range(n):
            d = 1.0 - served_avg[i]
            if (lam[i] >= ceiling[i] and d > 0.0) or (lam[i] <= 0.0 and d < 0.0):
                d = 0.0
            norm += d * d
        if norm < 1e-12:
            return iteration
        target = upper if upper < np.inf else memory[0] + 0.05 * abs(memory[0]) + 1.0
        step = memory[1] * max(target - memory[0], 1e-9 * abs(target)) / norm
        for i in range(n):
            d = 1.0 - served_avg[i]
            if (lam[i] >= ceiling[i] and d > 0.0) or (lam[i] <= 0.0 and d < 0.0):
                d = 0.0
            trial[i] = min(max(lam[i] + step * d, 0.0), ceiling[i])
        bound = evaluate_packs(
            cptr, crow, cval, need, price, room, must, k_min, k_max, demand, trial, new_rho, fill, chosen, other
        )
        weight = memory[3]
        served[:] = 0.0
        for j in range(m):
            share[j] += weight * ((1.0 if chosen[j] else 0.0) - share[j])
            for e in range(cptr[j], cptr[j + 1]):
                x = fill[e] if chosen[j] else 0.0
                use_avg[e] += weight * (x - use_avg[e])
                served[crow[e]] += x
        turn = 0.0
        for i in range(n):
            turn += (1.0 - served[i]) * (1.0 - served_avg[i])
            served_avg[i] += weight * (served[i] - served_avg[i])
        if bound > memory[0]:
            memory[2] = 0.0 if bound > memory[0] + 1e-5 * abs(memory[0]) else memory[2] + 1.0
            memory[0] = bound
            lam[:] = trial
            rho[:] = new_rho
            if turn > 0.0:
                memory[1] = min(memory[1] * 1.1, 1.5)
        else:
            memory[2] += 1.0
        if memory[2] >= 15.0:
            memory[1] *= 0.66
            memory[2] = 0.0
            memory[3] = max(0.02, memory[3] * 0.9)
    return iterations


@kernel
def site_bounds(
    rho: FloatArray,
    must: BoolArray,
    room: FloatArray,
    k_min: int,
    k_max: int,
    demand: float,
    opened: FloatArray,
    closed: FloatArray,
) -> float:
    """Least ``Σ ρ`` over the sets that may open, returned, and over those with and without each site, (m,) each."""
    m = len(rho)
    chosen, other, forced = np.empty(m, np.bool_), np.empty(m, np.bool_), must.copy()
    least = cheapest_sites(rho, must, room, k_min, k_max, demand, chosen, other)
    best = chosen.copy()
    n_must = 0
    for j in range(m):
        n_must += must[j]
    r, f, c = rho[1:].copy(), must[1:].copy(), room[1:].copy()
    spare, also = np.empty(max(m - 1, 0), np.bool_), np.empty(max(m - 1, 0), np.bool_)
    for j in range(m):
        if j > 0:  # all but j
            r[j - 1], f[j - 1], c[j - 1] = rho[j - 1], must[j - 1], room[j - 1]
        opened[j], closed[j] = least, least
        if must[j]:
            closed[j] = np.inf
        elif best[j]:
            if k_min > m - 1:
                closed[j] = np.inf
            else:
                closed[j] = max(least, cheapest_sites(r, f, c, k_min, k_max, demand, spare, also))
        elif n_must + 1 > k_max:
            opened[j] = np.inf
        else:
            forced[j] = True
            opened[j] = max(least, cheapest_sites(rho, forced, room, k_min, k_max, demand, chosen, other))
            forced[j] = False
    return float(least)


@kernel
def pair_bounds(
    cptr: IntArray,
    crow: IntArray,
    cval: FloatArray,
    need: FloatArray,
    room: FloatArray,
    lam: FloatArray,
    price: FloatArray,
    rho: FloatArray,
    opened: FloatArray,
    closed: FloatArray,
    enough: float,
    begin: int,
    end: int,
    within: FloatArray,
    without: FloatArray,
) -> None:
    """
    Bounds where a pair is used, and where it is not, (nnz,) each, at the cost of a knapsack for each pair.

    ``opened`` and ``closed`` are whole bounds by site, ``rho`` its reduced cost with ``price``. Once a bound reaches
    ``enough`` it is not made better. Only pairs of the sites from ``begin`` to before ``end`` are looked at; where
    more than ``_MANY`` rows would gain there, room is priced instead of packed.
    """
    m = len(cptr) - 1
    longest = 0
    for j in range(m):
        longest = max(longest, cptr[j + 1] - cptr[j])
    gain, size, item = np.empty(longest), np.empty(longest), np.empty(longest, dtype=np.int64)
    g, a = np.empty(longest), np.empty(longest)
    take, trial = np.empty(longest, dtype=np.bool_), np.empty(longest, dtype=np.bool_)
    for j in range(begin, end):
        alone = rho[j] - price[j]  # least sum without the price
        wanted, n = 0.0, 0
        for e in range(cptr[j], cptr[j + 1]):
            i = crow[e]
            worth = lam[i] - cval[e]
            if worth > 0.0:
                gain[n], size[n], item[n] = worth, need[i], e
                wanted += need[i]
                n += 1
        by_ratio(gain, size, n, item)
        most = room[j] * (1.0 + _SLACK)
        # worth of room at the end of the knapsack, and what its fractional value lacks to the whole one
        rate, left, lacking = 0.0, most, -alone
        for k in range(n):
            if size[k] > left:
                rate = gain[k] / size[k]
                lacking -= rate * left
                break
            left -= size[k]
            lacking -= gain[k]
        for e in range(cptr[j], cptr[j + 1]):
            i = crow[e]
            reduced = max(cval[e] - lam[i] + rate * need[i], 0.0) + lacking
            within[e] = opened[j]
            without[e] = min(closed[j], opened[j])
            if opened[j] >= enough:
                continue
            if opened[j] + reduced >= enough or n > _MANY:
                within[e] = max(opened[j], opened[j] + reduced)
                continue
            if wanted - (need[i] if cval[e] < lam[i] else 0.0) + need[i] <= most:
                within[e] = opened[j] + max(cval[e] - lam[i], 0.0)
            else:
                count = 0
                for k in range(n):
                    if item[k] != e:
                        g[count], a[count] = gain[k], size[k]
                        count += 1
                value = cval[e] - lam[i] - pack(g, a, count, most - need[i], take, trial)
                within[e] = opened[j] + max(value - alone, 0.0)
        if closed[j] < enough or n > _MANY:
            continue
        for k in range(n):
            e = item[k]
            count = 0
            total = 0.0
            weight = 0.0
            for h in range(n):
                if h != k:
                    g[count], a[count] = gain[h], size[h]
                    total += gain[h]
                    weight += size[h]
                    count += 1
            value = -total if weight <= most else -pack(g, a, count, most, take, trial)
            without[e] = min(closed[j], opened[j] + max(value - alone, 0.0))
