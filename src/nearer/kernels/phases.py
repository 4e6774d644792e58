"""
Interchange of sites over phases where no site is ever full: one comes, another goes, or its time and level change.

Rows are those of ``kernels.dynamic``: number i is row ``order[i]`` of ``indptr``. What a pair costs a row in a phase is
``slope · cost``, and ``extra`` for every threshold ``beyond`` that it passes; never more than ``idle``. State:
``is_open`` (n_sites, n_phases); ``d1``, ``d2`` (n_rows, n_phases) the two least costs; ``a1`` the first's site or -1.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray


@kernel
def _paid(cost: float, i: int, t: int, slope: FloatArray, beyond: FloatArray, extra: FloatArray) -> float:
    """What a pair costs a row in a phase."""
    paid: float = slope[i, t] * cost
    for at in range(len(beyond)):
        if cost > beyond[at]:
            paid += extra[i, t, at]
    return paid


@kernel
def two_nearest(
    indptr: IntArray,
    site: IntArray,
    cost: IntArray,
    i: int,
    row: int,
    slope: FloatArray,
    beyond: FloatArray,
    extra: FloatArray,
    idle: FloatArray,
    is_open: BoolArray,
    d1: FloatArray,
    d2: FloatArray,
    a1: IntArray,
) -> int:
    """First and second nearest site open in each phase, for one row; returns pairs scanned."""
    scanned = 0
    for t in range(idle.shape[1]):
        d1[i, t], d2[i, t], a1[i, t] = idle[i, t], idle[i, t], -1
        for e in range(indptr[row], indptr[row + 1]):
            paid = _paid(cost[e], i, t, slope, beyond, extra)
            if paid >= idle[i, t]:
                break
            scanned += 1
            if is_open[site[e], t]:
                if a1[i, t] < 0:
                    d1[i, t], a1[i, t] = paid, site[e]
                else:
                    d2[i, t] = paid
                    break
    return scanned


@kernel
def all_two_nearest(
    indptr: IntArray,
    site: IntArray,
    cost: IntArray,
    order: IntArray,
    slope: FloatArray,
    beyond: FloatArray,
    extra: FloatArray,
    idle: FloatArray,
    is_open: BoolArray,
    d1: FloatArray,
    d2: FloatArray,
    a1: IntArray,
) -> None:
    """The same for all rows."""
    for i in range(len(order)):
        two_nearest(indptr, site, cost, i, order[i], slope, beyond, extra, idle, is_open, d1, d2, a1)


@kernel
def _fits(
    gone: int,
    come: int,
    gone_closed: int,
    come_open: int,
    optr: IntArray,
    oside: IntArray,
    ovalue: FloatArray,
    total: FloatArray,
    low: FloatArray,
    high: FloatArray,
    change: FloatArray,
) -> bool:
    """Whether the side rules hold after two sites change their options (−1: no change); ``change`` is scratch."""
    for side in range(2):
        options = (gone, gone_closed) if side == 0 else (come, come_open)
        for what in range(2):
            o = options[what]
            if o >= 0:
                sign = -1.0 if what == 0 else 1.0
                for e in range(optr[o], optr[o + 1]):
                    change[oside[e]] += sign * ovalue[e]
    fine = True
    for side in range(2):
        options = (gone, gone_closed) if side == 0 else (come, come_open)
        for what in range(2):
            o = options[what]
            if o >= 0:
                for e in range(optr[o], optr[o + 1]):
                    s = oside[e]
                    if change[s] != 0.0:
                        after = total[s] + change[s]
                        slack = 1e-9 * max(1.0, abs(after))
                        if (change[s] > 0.0 and after > high[s] + slack) or (
                            change[s] < 0.0 and after < low[s] - slack
                        ):
                            fine = False
    for side in range(2):
        options = (gone, gone_closed) if side == 0 else (come, come_open)
        for what in range(2):
            o = options[what]
            if o >= 0:
                for e in range(optr[o], optr[o + 1]):
                    change[oside[e]] = 0.0
    return fine


@kernel
def interchange(
    indptr: IntArray,
    site: IntArray,
    cost: IntArray,
    order: IntArray,
    cptr: IntArray,
    crow: IntArray,
    ccost: IntArray,
    slope: FloatArray,
    beyond: FloatArray,
    extra: FloatArray,
    idle: FloatArray,
    path_open: BoolArray,
    option_path: IntArray,
    option_of: IntArray,
    option_cost: FloatArray,
    optr: IntArray,
    oside: IntArray,
    ovalue: FloatArray,
    low: FloatArray,
    high: FloatArray,
    option: IntArray,
    total: FloatArray,
    is_open: BoolArray,
    d1: FloatArray,
    d2: FloatArray,
    a1: IntArray,
    loss: FloatArray,
    start: int,
    quiet: int,
    least: float,
    budget: int,
) -> tuple[int, int, int, float]:
    """
    Let sites take another option, or exchange theirs with a site that is open longer, as long as that saves.

    One scan of a site's column gives its gain in each phase and what each other site's going then costs less (Resende,
    Werneck 2007, with a phase axis).

    Parameters
    ----------
    cptr, crow, ccost
        Columns by site.
    path_open, option_path, option_of
        Which phases a path of levels is open in (n_paths, n_phases); path of each option; option of each site and path
        (n_sites, n_paths), -1 = none.
    optr, oside, ovalue
        Side rules of each option.
    option, total
        Options taken (n_sites,), and the sides' totals; changed in place.
    loss
        What closing a site costs per phase, float64 (n_sites, n_phases).
    start, quiet, least, budget
        Site to begin with; sites tried in vain so far; least saving of a move; pairs to scan at most.

    Returns
    -------
    start, quiet, spent, saved
        To go on with; pairs scanned; total saved.
    """
    n_sites, n_phases = is_open.shape
    n_paths = len(path_open)
    gain = np.zeros(n_phases)
    credit = np.zeros((n_sites, n_phases))
    touched = np.empty(n_sites, dtype=np.int64)
    is_touched = np.zeros(n_sites, dtype=np.bool_)
    change = np.zeros(len(low))
    # paths open in all phases of another, and in more
    longer = np.zeros((n_paths, n_paths), dtype=np.bool_)
    for p in range(n_paths):
        for q in range(n_paths):
            more, fewer = False, False
            for t in range(n_phases):
                more = more or (path_open[q, t] and not path_open[p, t])
                fewer = fewer or (path_open[p, t] and not path_open[q, t])
            longer[p, q] = more and not fewer
    spent, saved = 0, 0.0
    j = start
    while quiet < n_sites and spent < budget:
        mine = option_path[option[j]]
        n_closed, n_other = 0, 0
        for t in range(n_phases):
            gain[t] = 0.0
            n_closed += not is_open[j, t]
        for p in range(n_paths):
            n_other += option_of[j, p] >= 0
        n_touched = 0
        if n_closed > 0 and n_other > 1:
            for e in range(cptr[j], cptr[j + 1]):
                i = crow[e]
                for t in range(n_phases):
                    if is_open[j, t]:
                        continue
                    paid = _paid(ccost[e], i, t, slope, beyond, extra)
                    if paid < d2[i, t]:
                        if paid < d1[i, t]:
                            gain[t] += d1[i, t] - paid
                        r = a1[i, t]
                        if r >= 0:
                            if not is_touched[r]:
                                is_touched[r] = True
                                touched[n_touched] = r
                                n_touched += 1
                            credit[r, t] += d2[i, t] - max(paid, d1[i, t])
            spent += (cptr[j + 1] - cptr[j]) * n_closed
        spent += n_sites
        best, out, path = least, -1, -1
        for p in range(n_paths):
            o = option_of[j, p]
            if o >= 0 and p != mine:
                net = option_cost[option[j]] - option_cost[o]
                for t in range(n_phases):
                    if path_open[p, t] and not is_open[j, t]:
                        net += gain[t]
                    elif is_open[j, t] and not path_open[p, t]:
                        net -= loss[j, t]
                if net > best and _fits(-1, option[j], -1, o, optr, oside, ovalue, total, low, high, change):
                    best, out, path = net, -1, p
        if n_closed > 0 and n_other > 1:
            for i in range(n_sites):
                p = option_path[option[i]]
                if not longer[mine, p] or option_of[i, mine] < 0 or option_of[j, p] < 0:
                    continue
                net = option_cost[option[j]] - option_cost[option_of[j, p]]
                net += option_cost[option[i]] - option_cost[option_of[i, mine]]
                for t in range(n_phases):
                    if path_open[p, t] and not is_open[j, t]:
                        net += gain[t] - loss[i, t] + credit[i, t]
                if net > best and _fits(
                    option[i], option[j], option_of[i, mine], option_of[j, p], optr, oside, ovalue, total, low, high,
                    change,
                ):  # fmt: skip
                    best, out, path = net, i, p
        for n in range(n_touched):
            credit[touched[n], :] = 0.0
            is_touched[touched[n]] = False
        if path < 0:
            quiet += 1
            j = j + 1 if j + 1 < n_sites else 0
            continue
        saved += best
        quiet = 0
        for side in range(2):
            s = j if side == 0 else out
            if s < 0:
                continue
            now = option_of[j, path] if side == 0 else option_of[out, mine]
            for e in range(optr[option[s]], optr[option[s] + 1]):
                total[oside[e]] -= ovalue[e]
            for e in range(optr[now], optr[now + 1]):
                total[oside[e]] += ovalue[e]
            option[s] = now
            for t in range(n_phases):
                is_open[s, t] = path_open[option_path[now], t]
        for side in range(2):
            s = j if side == 0 else out
            if s < 0:
                continue
            for e in range(cptr[s], cptr[s + 1]):
                i = crow[e]
                near = False
                for t in range(n_phases):
                    paid = _paid(ccost[e], i, t, slope, beyond, extra)
                    if paid <= d2[i, t] and paid < idle[i, t]:
                        near = True
                if not near:
                    continue
                for t in range(n_phases):
                    if a1[i, t] >= 0:
                        loss[a1[i, t], t] -= d2[i, t] - d1[i, t]
                spent += two_nearest(indptr, site, cost, i, order[i], slope, beyond, extra, idle, is_open, d1, d2, a1)
                for t in range(n_phases):
                    if a1[i, t] >= 0:
                        loss[a1[i, t], t] += d2[i, t] - d1[i, t]
        j = j + 1 if j + 1 < n_sites else 0
    return j, quiet, spent, saved
