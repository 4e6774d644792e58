"""
Kernels of covering within a threshold, on the rows of an instance as they are.

A row i is *within* a threshold t where ``weight · cost < t``; its pairs within t are the first of its sorted row. Rows
hold all sites; ``free`` says which of them may open. ``cap`` is what a row costs with the sites that stand open,
weight included, −inf where the row does not count; a row *needs* cover where ``cap ≥ t``. Nothing is copied but the
pairs within one threshold, by site: ``cptr`` int64 (m + 1,), ``crow`` int32.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray


@kernel
def row_limits(
    indptr: IntArray, site: IntArray, cost: FloatArray, weight: FloatArray, unserved: FloatArray, standing: IntArray
) -> tuple[FloatArray, FloatArray]:
    """``cap`` of each row and the least it can cost at all, both float64 (n,), −inf where the weight is 0."""
    n = len(unserved)
    cap = np.full(n, -np.inf)
    least = np.full(n, -np.inf)
    for i in range(n):
        if weight[i] <= 0.0:
            continue
        cap[i] = weight[i] * unserved[i]
        seen = False
        least[i] = cap[i]
        for e in range(indptr[i], indptr[i + 1]):
            v = weight[i] * cost[e]
            if v >= cap[i]:
                break
            if standing[site[e]] >= 0 and not seen:
                least[i] = v
                seen = True
            if standing[site[e]] == 1:
                cap[i] = v
                break
    return cap, least


@kernel
def reach(indptr: IntArray, cost: FloatArray, weight: FloatArray, cap: FloatArray, threshold: float) -> IntArray:
    """End of the pairs within the threshold, int64 (n,), by halving; the start of the row where it needs no cover."""
    n = len(cap)
    end = np.empty(n, dtype=np.int64)
    for i in range(n):
        low = indptr[i]
        high = indptr[i + 1]
        if not cap[i] >= threshold:
            high = low
        while low < high:
            middle = (low + high) // 2
            if weight[i] * cost[middle] < threshold:
                low = middle + 1
            else:
                high = middle
        end[i] = low
    return end


@kernel
def columns_within(
    indptr: IntArray, end: IntArray, site: IntArray, free: BoolArray, rows: IntArray
) -> tuple[IntArray, IntArray]:
    """Pairs of ``rows`` up to ``end``, by site: ``cptr``, and ``crow`` as positions in ``rows``, ascending."""
    m = len(free)
    cptr = np.zeros(m + 1, dtype=np.int64)
    for i in rows:
        for e in range(indptr[i], end[i]):
            if free[site[e]]:
                cptr[site[e] + 1] += 1
    for j in range(m):
        cptr[j + 1] += cptr[j]
    fill = cptr[:-1].copy()
    crow = np.empty(cptr[m], dtype=np.int32)
    for at in range(len(rows)):
        i = rows[at]
        for e in range(indptr[i], end[i]):
            if free[site[e]]:
                crow[fill[site[e]]] = at
                fill[site[e]] += 1
    return cptr, crow


@kernel
def plan_costs(
    indptr: IntArray, site: IntArray, cost: FloatArray, weight: FloatArray, cap: FloatArray, chosen: BoolArray
) -> FloatArray:
    """What each row costs with these free sites open beside those that stand, float64 (n,)."""
    paid = cap.copy()
    for i in range(len(cap)):
        if cap[i] < 0.0:
            continue
        for e in range(indptr[i], indptr[i + 1]):
            v = weight[i] * cost[e]
            if v >= cap[i]:
                break
            if chosen[site[e]]:
                paid[i] = v
                break
    return paid


@kernel
def cheapest_entry(
    indptr: IntArray, site: IntArray, cost: FloatArray, unserved: FloatArray, is_open: BoolArray
) -> IntArray:
    """Place of each row's cheapest pair with an open site, int64 (n,); -1 where staying unserved is cheaper."""
    entry = np.full(len(unserved), -1, dtype=np.int64)
    for i in range(len(unserved)):
        for e in range(indptr[i], indptr[i + 1]):
            if cost[e] > unserved[i]:
                break
            if is_open[site[e]]:
                entry[i] = e
                break
    return entry


@kernel
def next_value(
    indptr: IntArray,
    site: IntArray,
    cost: FloatArray,
    weight: FloatArray,
    cap: FloatArray,
    free: BoolArray,
    threshold: float,
) -> float:
    """The least value that a plan can have and that is not below the threshold."""
    best = np.inf
    for i in range(len(cap)):
        if not cap[i] >= threshold:
            continue
        best = min(best, cap[i])
        low = indptr[i]
        high = indptr[i + 1]
        while low < high:
            middle = (low + high) // 2
            if weight[i] * cost[middle] < threshold:
                low = middle + 1
            else:
                high = middle
        for e in range(low, indptr[i + 1]):
            v = weight[i] * cost[e]
            if v >= best:
                break
            if free[site[e]]:
                best = v
                break
    return best


@kernel
def middles(
    indptr: IntArray, cost: FloatArray, weight: FloatArray, cap: FloatArray, low_value: float, high_value: float
) -> tuple[FloatArray, IntArray]:
    """Middle value and number of the pairs of each row above ``low_value`` and below ``high_value``."""
    n = len(cap)
    middle_value = np.zeros(n)
    count = np.zeros(n, dtype=np.int64)
    for i in range(n):
        if not cap[i] > low_value:
            continue
        top = min(cap[i], high_value)
        first = indptr[i]
        high = indptr[i + 1]
        while first < high:
            middle = (first + high) // 2
            if weight[i] * cost[middle] <= low_value:
                first = middle + 1
            else:
                high = middle
        last = first
        high = indptr[i + 1]
        while last < high:
            middle = (last + high) // 2
            if weight[i] * cost[middle] < top:
                last = middle + 1
            else:
                high = middle
        count[i] = last - first
        if last > first:
            middle_value[i] = weight[i] * cost[(first + last) // 2]
    return middle_value, count


@kernel
def coverage(indptr: IntArray, end: IntArray, site: IntArray, rows: IntArray, share: FloatArray) -> FloatArray:
    """Sum of ``share`` over the sites within the threshold, float64 (len(rows),), no further than to 1."""
    total = np.zeros(len(rows))
    for at in range(len(rows)):
        i = rows[at]
        for e in range(indptr[i], end[i]):
            total[at] += share[site[e]]
            if total[at] >= 1.0:
                break
    return total


@kernel
def greedy_cover(
    indptr: IntArray,
    end: IntArray,
    site: IntArray,
    rows: IntArray,
    cptr: IntArray,
    crow: IntArray,
    rank: FloatArray,
    k: int,
) -> IntArray:
    """
    Open k sites, each time the one of most uncovered rows, ties to the greater rank and the lowest index.

    A site of rank 0.5 or more comes before all others. Fewer sites where all rows are covered before.
    """
    m = len(rank)
    gain = np.empty(m, dtype=np.int64)
    for j in range(m):
        gain[j] = cptr[j + 1] - cptr[j]
    covered = np.zeros(len(rows), dtype=np.bool_)
    left = len(rows)
    opened = np.empty(k, dtype=np.int32)
    n_open = 0
    while n_open < k and left > 0:
        best = -1
        for j in range(m):
            if gain[j] <= 0:
                continue
            if best < 0:
                best = j
                continue
            first, other = rank[j] >= 0.5, rank[best] >= 0.5
            if first != other:
                if first:
                    best = j
            elif gain[j] > gain[best] or (gain[j] == gain[best] and rank[j] > rank[best]):
                best = j
        if best < 0:
            break
        opened[n_open] = best
        n_open += 1
        for f in range(cptr[best], cptr[best + 1]):
            at = crow[f]
            if not covered[at]:
                covered[at] = True
                left -= 1
                for e in range(indptr[rows[at]], end[rows[at]]):
                    gain[site[e]] -= 1
    return opened[:n_open]


@kernel
def undominated(words: IntArray) -> BoolArray:
    """
    Sites whose rows are not all covered by another one too (of equal ones the first is kept), bool (m,).

    ``words`` holds one bit per row, uint64 (m, n_words). A site without rows is never kept.
    """
    m, n_words = words.shape
    size = np.zeros(m, dtype=np.int64)
    for j in range(m):
        for b in range(n_words):
            x = words[j, b]
            while x:
                x &= x - np.uint64(1)
                size[j] += 1
    order = np.argsort(-size, kind="mergesort")
    kept = np.empty(m, dtype=np.int64)
    n_kept = 0
    keep = np.zeros(m, dtype=np.bool_)
    for j in order:
        if size[j] == 0:
            break
        inside = False
        for t in range(n_kept):
            k = kept[t]
            inside = True
            for b in range(n_words):
                if words[j, b] & ~words[k, b]:
                    inside = False
                    break
            if inside:
                break
        if not inside:
            kept[n_kept] = j
            n_kept += 1
            keep[j] = True
    return keep


@kernel
def weighting_start(
    cptr: IntArray, crow: IntArray, n: int, opened: BoolArray, count: IntArray, whose: IntArray, score: IntArray
) -> int:
    """Fill the state of ``weighting_search`` for these open sites, all rows at weight 1; returns uncovered rows."""
    m = len(opened)
    count[:] = 0
    whose[:] = 0
    score[:] = 0
    for j in range(m):
        if opened[j]:
            for f in range(cptr[j], cptr[j + 1]):
                count[crow[f]] += 1
                whose[crow[f]] += j
    for j in range(m):
        for f in range(cptr[j], cptr[j + 1]):
            if count[crow[f]] == (1 if opened[j] else 0):
                score[j] += 1
    uncovered = 0
    for at in range(n):
        if count[at] == 0:
            uncovered += 1
    return uncovered


@kernel
def weighting_search(
    indptr: IntArray,
    end: IntArray,
    site: IntArray,
    free: BoolArray,
    rows: IntArray,
    cptr: IntArray,
    crow: IntArray,
    opened: BoolArray,
    count: IntArray,
    whose: IntArray,
    score: IntArray,
    row_weight: IntArray,
    memory: IntArray,
    iterations: int,
    budget: int,
) -> tuple[int, int, int]:
    """
    Swap sites until every row is covered: vertex weighting with a short memory (Zhang, Lü et al. 2020).

    Each step takes an uncovered row at random and makes the best swap that covers it; where the weight of uncovered
    rows does not fall, each of them counts one more from then on. A site just opened stays for the next step, one
    just closed stays closed.

    Parameters
    ----------
    count, whose, score, row_weight
        Open sites that cover each row, the sum of their indices, weight gained (closed) or lost (open) per site, and
        weight per row, all int64; see ``weighting_start``.
    memory
        State of the random numbers, site last opened, site last closed, int64 (3,); −1 = none.
    budget
        Entries to scan at most, so that a call stays short.

    Returns
    -------
    uncovered, done, spent
        Rows left uncovered, steps made, entries scanned.
    """
    n, m = len(rows), len(opened)
    queue = np.empty(n, dtype=np.int64)
    place = np.full(n, -1, dtype=np.int64)
    left = 0
    for at in range(n):
        if count[at] == 0:
            queue[left] = at
            place[at] = left
            left += 1
    open_list = np.flatnonzero(opened)
    k = len(open_list)
    less = np.zeros(m, dtype=np.int64)
    touched = np.empty(m, dtype=np.int64)
    spent = 0
    done = 0
    while left > 0 and done < iterations and spent < budget and k > 0:
        done += 1
        memory[0] = (memory[0] * 1_103_515_245 + 12_345) % 2_147_483_648
        i = rows[queue[(memory[0] >> 8) % left]]
        best = np.int64(-9_223_372_036_854_775_807)
        come = -1
        out = -1
        for e in range(indptr[i], end[i]):
            j = site[e]
            if not free[j] or opened[j] or j == memory[2]:
                continue
            n_touched = 0
            for f in range(cptr[j], cptr[j + 1]):
                at = crow[f]
                if count[at] == 1:
                    r = whose[at]
                    if less[r] == 0:
                        touched[n_touched] = r
                        n_touched += 1
                    less[r] += row_weight[at]
            spent += cptr[j + 1] - cptr[j] + k
            for t in range(k):
                r = open_list[t]
                net = score[j] - (score[r] - less[r])
                if r != memory[1] and net > best:
                    best = net
                    come = j
                    out = t
            for t in range(n_touched):
                less[touched[t]] = 0
        if come < 0:
            spent += 1
            memory[1] = -1
            memory[2] = -1
            continue
        gone = open_list[out]
        for f in range(cptr[come], cptr[come + 1]):
            at = crow[f]
            i = rows[at]
            if count[at] == 0:
                for e in range(indptr[i], end[i]):
                    score[site[e]] -= row_weight[at]
                score[come] += row_weight[at]
                left -= 1
                last = queue[left]
                queue[place[at]] = last
                place[last] = place[at]
                place[at] = -1
                spent += end[i] - indptr[i]
            elif count[at] == 1:
                score[whose[at]] -= row_weight[at]
            count[at] += 1
            whose[at] += come
        # Gains of ``come`` were counted as of a closed site; now it loses what it alone covers.
        opened[come] = True
        score[come] = 0
        for f in range(cptr[come], cptr[come + 1]):
            if count[crow[f]] == 1:
                score[come] += row_weight[crow[f]]
        opened[gone] = False
        open_list[out] = come
        score[gone] = 0
        for f in range(cptr[gone], cptr[gone + 1]):
            at = crow[f]
            i = rows[at]
            count[at] -= 1
            whose[at] -= gone
            if count[at] == 0:
                for e in range(indptr[i], end[i]):
                    score[site[e]] += row_weight[at]
                queue[left] = at
                place[at] = left
                left += 1
                spent += end[i] - indptr[i]
            elif count[at] == 1:
                score[whose[at]] += row_weight[at]
        score[gone] = 0
        for f in range(cptr[gone], cptr[gone + 1]):
            if count[crow[f]] == 0:
                score[gone] += row_weight[crow[f]]
        spent += 2 * (cptr[come + 1] - cptr[come] + cptr[gone + 1] - cptr[gone])
        memory[1] = come
        memory[2] = gone
        if best <= 0:
            for t in range(left):
                at = queue[t]
                row_weight[at] += 1
                for e in range(indptr[rows[at]], end[rows[at]]):
                    score[site[e]] += 1
                spent += end[rows[at]] - indptr[rows[at]]
    return left, done, spent
