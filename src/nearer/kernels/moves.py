"""
The moves of an interchange on the rows of ``kernels.pmedian``: what opening, closing or swapping a site saves.

Every search over plans is made of these: the best move of one site, and the change of a plan by one site.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray


class Table(NamedTuple):
    """
    Rows, their column twin, what each row costs at most and each site when open: see ``kernels.pmedian``.

    Parameters
    ----------
    k_min, k_max
        Sites to open, at least and at most.
    """

    ptr: IntArray
    col: IntArray
    val: FloatArray
    cptr: IntArray
    crow: IntArray
    cval: FloatArray
    cap: FloatArray
    price: FloatArray
    k_min: int
    k_max: int


class Plan(NamedTuple):
    """
    A plan and what it comes to.

    Parameters
    ----------
    open_mask
        bool (m,).
    d1, a1, d2
        First open cost of each row, its site (-1: at cap), and the second open cost.
    loss
        What closing an open site costs, its price saved, float64 (m,).
    credit, touched
        Room for ``best_move``: zeros (m,) and int32 (m,).
    """

    open_mask: BoolArray
    d1: FloatArray
    a1: IntArray
    d2: FloatArray
    loss: FloatArray
    credit: FloatArray
    touched: IntArray


@kernel
def look(rows: Table, open_mask: BoolArray, d1: FloatArray, a1: IntArray, d2: FloatArray, i: int) -> int:
    """Fill first and second open cost of a row; returns the entries scanned."""
    d1[i] = rows.cap[i]
    d2[i] = rows.cap[i]
    a1[i] = -1
    for e in range(rows.ptr[i], rows.ptr[i + 1]):
        if open_mask[rows.col[e]]:
            if a1[i] < 0:
                a1[i] = rows.col[e]
                d1[i] = rows.val[e]
            else:
                d2[i] = rows.val[e]
                return int(e + 1 - rows.ptr[i])
    return int(rows.ptr[i + 1] - rows.ptr[i])


@kernel
def plan_of(rows: Table, open_mask: BoolArray) -> tuple[Plan, int]:
    """What a plan comes to, which later moves keep up to date in place; and the entries scanned."""
    n, m = len(rows.cap), len(open_mask)
    d1, a1, d2 = np.empty(n), np.empty(n, dtype=np.int32), np.empty(n)
    loss = -rows.price
    spent = n
    for i in range(n):
        spent += look(rows, open_mask, d1, a1, d2, i)
        if a1[i] >= 0:
            loss[a1[i]] += d2[i] - d1[i]
    return Plan(open_mask, d1, a1, d2, loss, np.zeros(m), np.empty(m, dtype=np.int32)), spent


@kernel
def flip(rows: Table, plan: Plan, site: int) -> tuple[float, int]:
    """Open or close a site; returns what rows and prices cost more, and the entries scanned."""
    d1, a1, d2, loss = plan.d1, plan.a1, plan.d2, plan.loss
    opening = not plan.open_mask[site]
    plan.open_mask[site] = opening
    more = rows.price[site] if opening else -rows.price[site]
    spent = rows.cptr[site + 1] - rows.cptr[site]
    for e in range(rows.cptr[site], rows.cptr[site + 1]):
        i = rows.crow[e]
        v = rows.cval[e]
        if v > d2[i]:
            continue
        old, r = d1[i], a1[i]
        if r >= 0:
            loss[r] -= d2[i] - old
        if not opening:
            spent += look(rows, plan.open_mask, d1, a1, d2, i)
        elif v < old or (v == old and site < r) or r < 0:
            d2[i] = old if r >= 0 else rows.cap[i]
            d1[i] = v
            a1[i] = site
        else:
            d2[i] = v
        r = a1[i]
        if r >= 0:
            loss[r] += d2[i] - d1[i]
        more += d1[i] - old
    return more, spent


@kernel
def easiest(plan: Plan) -> int:
    """The open site that is lost most easily, of equals the lowest; -1 where none is open."""
    best = -1
    for r in range(len(plan.open_mask)):
        if plan.open_mask[r] and (best < 0 or plan.loss[r] < plan.loss[best]):
            best = r
    return best


@kernel
def best_move(rows: Table, plan: Plan, n_open: int, site: int, easy: int, least: float) -> tuple[float, int, int, int]:
    """
    The best move that opens a site, or that closes it, if it saves more than ``least``.

    One scan of the column of a closed site gives its saving, and for each open site r how much of the loss of closing
    r it makes good; untouched sites compete through the one that is lost most easily (Resende & Werneck 2007).

    Parameters
    ----------
    easy
        From ``easiest``.

    Returns
    -------
    saving, come, out, spent
        The site that opens and the one that closes, -1 for none; the entries scanned.
    """
    best, come, out = least, -1, -1
    loss, credit, touched = plan.loss, plan.credit, plan.touched
    if plan.open_mask[site]:
        if n_open > rows.k_min and -loss[site] > best:
            return -loss[site], -1, site, 1
        return best, -1, -1, 1
    gain = -rows.price[site]
    n_touched = 0
    for e in range(rows.cptr[site], rows.cptr[site + 1]):
        i = rows.crow[e]
        v = rows.cval[e]
        if v >= plan.d2[i]:
            continue
        if v < plan.d1[i]:
            gain += plan.d1[i] - v
        r = plan.a1[i]
        if r >= 0:
            good = plan.d2[i] - max(v, plan.d1[i])
            if good > 0.0:
                if credit[r] == 0.0:
                    touched[n_touched] = r
                    n_touched += 1
                credit[r] += good
    if n_open < rows.k_max and gain > best:
        best, come = gain, site
    if easy >= 0:
        net = gain - loss[easy] + credit[easy]
        if net > best:
            best, come, out = net, site, easy
    for t in range(n_touched):
        r = touched[t]
        net = gain - loss[r] + credit[r]
        if net > best or (net == best and come == site and 0 <= r < out):
            best, come, out = net, site, r
        credit[r] = 0.0
    return best, come, out, rows.cptr[site + 1] - rows.cptr[site] + 4


@kernel
def swap_search(
    rows: Table, plan: Plan, start: int, quiet: int, least: float, budget: int
) -> tuple[int, int, int, float]:
    """
    Swap, open or close a site as soon as that saves more than ``least``, where ``k_min`` and ``k_max`` allow it.

    Parameters
    ----------
    start
        Site to try first; the search goes round.
    quiet
        Sites tried since the last move; the search ends at m (a local optimum).
    budget
        Entries to scan at most, so that a call stays short.

    Returns
    -------
    start, quiet, spent, saved
        To go on with; entries scanned; total saved.
    """
    m = len(plan.open_mask)
    n_open = int(plan.open_mask.sum())
    spent, saved = 0, 0.0
    easy = easiest(plan)
    j = start
    while quiet < m and spent < budget:
        best, come, out, scanned = best_move(rows, plan, n_open, j, easy, least)
        spent += scanned
        quiet += 1
        if come >= 0 or out >= 0:
            quiet = 0
            saved += best
            for s in (come, out):
                if s >= 0:
                    spent += flip(rows, plan, s)[1]
                    n_open += 1 if plan.open_mask[s] else -1
            easy = easiest(plan)
        j = j + 1 if j + 1 < m else 0
    return j, quiet, spent, saved
