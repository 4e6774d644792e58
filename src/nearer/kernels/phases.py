"""
Interchange of sites over phases where no site is ever full: one comes, another goes, at the same time and level.

Rows are those of ``kernels.dynamic``: number i is row ``order[i]`` of ``indptr``. State: ``is_open`` (n_sites,
n_phases); ``d1``, ``d2`` (n_rows, n_phases) the two least costs per unit of weight, at most ``cap``; ``a1`` the first's
site or -1.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray


@kernel
def two_nearest(
    indptr: IntArray,
    site: IntArray,
    cost: IntArray,
    i: int,
    row: int,
    cap: FloatArray,
    is_open: BoolArray,
    d1: FloatArray,
    d2: FloatArray,
    a1: IntArray,
) -> int:
    """First and second nearest site open in each phase, for one row; returns pairs scanned."""
    scanned = 0
    for t in range(cap.shape[1]):
        d1[i, t], d2[i, t], a1[i, t] = cap[i, t], cap[i, t], -1
        for e in range(indptr[row], indptr[row + 1]):
            if cost[e] >= cap[i, t]:
                break
            scanned += 1
            if is_open[site[e], t]:
                if a1[i, t] < 0:
                    d1[i, t], a1[i, t] = cost[e], site[e]
                else:
                    d2[i, t] = cost[e]
                    break
    return scanned


@kernel
def all_two_nearest(
    indptr: IntArray,
    site: IntArray,
    cost: IntArray,
    order: IntArray,
    cap: FloatArray,
    is_open: BoolArray,
    d1: FloatArray,
    d2: FloatArray,
    a1: IntArray,
) -> None:
    """The same for all rows."""
    for i in range(len(order)):
        two_nearest(indptr, site, cost, i, order[i], cap, is_open, d1, d2, a1)


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
    weight: FloatArray,
    cap: FloatArray,
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
    Let sites that are closed throughout take the place of others, or open besides, as long as that saves.

    One scan of a candidate's column gives its gain in each phase and what each site's going then costs less (Resende,
    Werneck 2007, with a phase axis).

    Parameters
    ----------
    cptr, crow, ccost
        Columns by site.
    path_open, option_path, option_of
        Which phases a path of levels is open in (n_paths, n_phases); path of each option; option of each site and path
        (n_sites, n_paths), -1 = none. Path 0 is closed throughout.
    optr, oside, ovalue
        Side rules of each option.
    option, total
        Options taken (n_sites,), and the sides' totals; changed in place.
    loss
        What closing a site costs per phase, float64 (n_sites, n_phases).
    start, quiet, least, budget
        Candidate to begin with; candidates tried in vain so far; least saving of a move; pairs to scan at most.

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
    spent, saved = 0, 0.0
    j = start
    while quiet < n_sites and spent < budget:
        if option_path[option[j]] != 0:
            quiet += 1
            j = j + 1 if j + 1 < n_sites else 0
            continue
        gain[:] = 0.0
        n_touched = 0
        for e in range(cptr[j], cptr[j + 1]):
            i = crow[e]
            for t in range(n_phases):
                if ccost[e] < d2[i, t]:
                    w = weight[i, t]
                    if ccost[e] < d1[i, t]:
                        gain[t] += w * (d1[i, t] - ccost[e])
                    r = a1[i, t]
                    if r >= 0:
                        if not is_touched[r]:
                            is_touched[r] = True
                            touched[n_touched] = r
                            n_touched += 1
                        credit[r, t] += w * (d2[i, t] - max(ccost[e], d1[i, t]))
        spent += (cptr[j + 1] - cptr[j]) * n_phases + n_sites
        best, out, path = least, -1, -1
        for p in range(1, n_paths):
            o = option_of[j, p]
            if o >= 0:
                net = option_cost[option[j]] - option_cost[o]
                for t in range(n_phases):
                    if path_open[p, t]:
                        net += gain[t]
                if net > best and _fits(-1, option[j], -1, o, optr, oside, ovalue, total, low, high, change):
                    best, out, path = net, -1, p
        for i in range(n_sites):
            p = option_path[option[i]]
            if p == 0 or option_of[i, 0] < 0 or option_of[j, p] < 0:
                continue
            net = option_cost[option[j]] - option_cost[option_of[j, p]]
            net += option_cost[option[i]] - option_cost[option_of[i, 0]]
            for t in range(n_phases):
                if path_open[p, t]:
                    net += gain[t] - loss[i, t] + credit[i, t]
            if net > best and _fits(
                option[i], option[j], option_of[i, 0], option_of[j, p], optr, oside, ovalue, total, low, high, change
            ):
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
            now = option_of[j, path] if side == 0 else option_of[out, 0]
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
                    if ccost[e] <= d2[i, t]:
                        near = True
                if not near:
                    continue
                for t in range(n_phases):
                    if a1[i, t] >= 0:
                        loss[a1[i, t], t] -= weight[i, t] * (d2[i, t] - d1[i, t])
                spent += two_nearest(indptr, site, cost, i, order[i], cap, is_open, d1, d2, a1)
                for t in range(n_phases):
                    if a1[i, t] >= 0:
                        loss[a1[i, t], t] += weight[i, t] * (d2[i, t] - d1[i, t])
        j = j + 1 if j + 1 < n_sites else 0
    return j, quiet, spent, saved
