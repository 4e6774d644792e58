"""The cheapest single exchange for every site at once, by sums over sparse rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from nearer.kernels import moves
from nearer.solvers.core import Core
from nearer.units import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Swaps:
    """
    The cheapest single exchange that decides each site otherwise than a plan does.

    Parameters
    ----------
    cost
        Rise of the objective, float64 (m,); ``inf`` where no single exchange does.
    other
        Site that moves the other way, int64 (m,); -1 where none has to.
    """

    cost: FloatArray
    other: IntArray


def best_swaps(core: Core, plan: IntArray) -> Swaps:
    """
    For each site, what it costs to close it (if open) or open it (if not), the best other site moving in exchange.

    With site j in the place of r the cost rises by loss_r − gain_j − extra_rj (Resende, Werneck 2004, section 3).
    """
    m = core.m
    inside = np.zeros(m, dtype=bool)
    inside[plan] = True
    nearest, _ = moves.plan_of(core.table, inside)
    d1, a1, d2 = nearest.d1, nearest.a1, nearest.d2
    owned = a1 >= 0
    loss = np.bincount(a1[owned], (d2 - d1)[owned], minlength=m) - core.price
    at = np.flatnonzero(~inside[core.col] & (core.val < d2[core.rows]))
    row, col, val = core.rows[at], core.col[at], core.val[at]
    beside = np.maximum(d1[row] - val, 0.0)
    gain = np.bincount(col, beside, minlength=m) - core.price
    mine = owned[row]
    extra = coo_array(((d2[row] - val - beside)[mine], (a1[row[mine]], col[mine])), shape=(m, m)).tocsr()
    return cheapest_swaps(inside, loss, gain, extra, core.k_min, core.k_max)


def cheapest_swaps(
    inside: BoolArray, loss: FloatArray, gain: FloatArray, extra: csr_array, k_min: int, k_max: int
) -> Swaps:
    """
    As ``best_swaps``, from what each site's moves come to.

    Parameters
    ----------
    inside
        The plan, bool (m,).
    loss, gain
        What closing each open site costs, and what opening each closed one saves, prices included, float64 (m,).
    extra
        How much of the loss of an open site (row) a closed one (column) makes good beyond its gain.
    """
    m, n_open = len(inside), int(inside.sum())
    cost, other = np.full(m, np.inf), np.full(m, -1, dtype=np.int64)
    if n_open < k_max:
        cost[~inside] = -gain[~inside]
    if n_open > k_min:
        cost[inside] = loss[inside]

    def exchange(sites: IntArray, own: FloatArray, others: IntArray, theirs: FloatArray, common: csr_array) -> None:
        """Each site with the other that costs least in itself, or with one whose people it shares."""
        if not len(sites) or not len(others):
            return
        cheapest = int(others[np.argmin(theirs[others])])
        for site in sites:
            span = slice(common.indptr[site], common.indptr[site + 1])
            found = np.append(common.indices[span], cheapest)
            rise = own[site] + theirs[found] - np.append(common.data[span], 0.0)
            best = int(np.lexsort((found, rise))[0])
            if rise[best] < cost[site]:
                cost[site], other[site] = rise[best], found[best]

    out, into = np.flatnonzero(inside), np.flatnonzero(~inside)
    exchange(out, loss, into, -gain, extra)
    exchange(into, -gain, out, loss, extra.T.tocsr())
    return Swaps(cost, other)
