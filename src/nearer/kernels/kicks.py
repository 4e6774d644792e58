"""
Iterated interchange on the rows of ``kernels.pmedian``: kicks, and descents that look only where something changed.

After a kick only sites that share a row with one that came or went can help, so a descent costs what its neighbourhood
costs, not a round over all sites (Lourenço, Martin, Stützle 2003; the moves are those of Resende and Werneck 2007).
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.kernels.moves import Plan, Table, best_move, easiest, flip, plan_of
from nearer.units import BoolArray, IntArray

_STRENGTH = 3  # swaps of a kick
_LONGEST = 64  # moves of a descent


@kernel
def _kick(rows: Table, plan: Plan, moves: IntArray) -> tuple[int, float, int]:
    """Swap open sites for closed ones, mostly near them: moves made, what all costs more, entries scanned."""
    n_moves, change, spent = 0, 0.0, 8
    near = np.random.randint(3)  # noqa: NPY002  1: the kick stays in one place; 2: one site goes from there to elsewhere
    i = np.random.randint(len(rows.cap))  # noqa: NPY002
    for _ in range(_STRENGTH - near):
        out = np.int64(plan.a1[i])
        if out < 0:
            break
        length = 0
        for f in range(rows.ptr[i], rows.ptr[i + 1]):
            if rows.val[f] > plan.d2[i]:
                break
            length += 1
        come = np.int64(-1)
        for _try in range(8):
            j = np.int64(rows.col[rows.ptr[i] + np.random.randint(length)])  # noqa: NPY002
            if not plan.open_mask[j]:
                come = j
                break
        if come < 0:
            break
        if near == 2:
            out = np.int64(plan.a1[np.random.randint(len(rows.cap))])  # noqa: NPY002
            if out < 0:
                break
        for s in (come, out):
            more, scanned = flip(rows, plan, s)
            change += more
            spent += scanned
            moves[n_moves] = s
            n_moves += 1
        i = rows.crow[rows.cptr[come] + np.random.randint(rows.cptr[come + 1] - rows.cptr[come])]  # noqa: NPY002
        if near == 0:
            i = np.random.randint(len(rows.cap))  # noqa: NPY002
    return n_moves, change, spent


@kernel
def _queue_near(
    rows: Table, plan: Plan, site: int, queued: BoolArray, queue: IntArray, waiting: int
) -> tuple[int, int]:
    """Queue the sites that share with this one a row for which both could be first or second; sites, entries."""
    spent = rows.cptr[site + 1] - rows.cptr[site]
    for e in range(rows.cptr[site], rows.cptr[site + 1]):
        i = rows.crow[e]
        if rows.cval[e] > plan.d2[i]:
            continue
        for f in range(rows.ptr[i], rows.ptr[i + 1]):
            spent += 1
            if rows.val[f] > plan.d2[i]:
                break
            j = rows.col[f]
            if not queued[j]:
                queued[j] = True
                queue[waiting] = j
                waiting += 1
    return waiting, spent


@kernel
def kick_search(rows: Table, open_mask: BoolArray, seed: int, least: float, budget: int) -> tuple[float, int, int]:
    """
    Kick the plan and descend again and again; a kick after which the plan costs more is taken back.

    One that costs the same is kept: on a grid most plans have many as good beside them, and some of those lead on.

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
    m = len(open_mask)
    plan, spent = plan_of(rows, open_mask)
    n_open = int(open_mask.sum())
    queued = np.zeros(m, dtype=np.bool_)
    queue = np.empty(m, dtype=np.int32)
    moves = np.empty(2 * (_STRENGTH + _LONGEST), dtype=np.int32)
    saved = 0.0
    kicks = 0
    while spent < budget and kicks < budget:
        kicks += 1
        n_before = n_open
        n_moves, change, scanned = _kick(rows, plan, moves)
        spent += scanned
        easy, stale = -1, True
        fresh = waiting = 0  # moves whose neighbours are queued already; sites queued
        while n_moves > 0:
            while fresh < n_moves:
                waiting, scanned = _queue_near(rows, plan, moves[fresh], queued, queue, waiting)
                spent += scanned
                fresh += 1
            if waiting == 0 or n_moves + 2 > len(moves):
                break
            waiting -= 1
            j = queue[waiting]
            queued[j] = False
            if stale:
                easy, stale = easiest(plan), False
                spent += m // 8
            _, come, out, scanned = best_move(rows, plan, n_open, j, easy, least)
            spent += scanned
            for s in (come, out):
                if s >= 0:
                    more, scanned = flip(rows, plan, s)
                    change += more
                    spent += scanned
                    n_open += 1 if open_mask[s] else -1
                    moves[n_moves] = s
                    n_moves += 1
                    stale = True
        for w in range(waiting):
            queued[queue[w]] = False
        if change <= 0.0:
            saved -= change
            continue
        while n_moves > 0:
            n_moves -= 1
            spent += flip(rows, plan, moves[n_moves])[1]
        n_open = n_before
    return saved, kicks, spent
