"""Whole packs: given one by one to who has least, then moved from who has more to who has less."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray

_ROOM = 1e-9
"""Relative room for the rounding of sums."""


@kernel
def _fits(ptr: IntArray, row: IntArray, use: FloatArray, left: FloatArray, slack: FloatArray, j: int, q: float) -> bool:
    for e in range(ptr[j], ptr[j + 1]):  # noqa: SIM110 (compiled: no generators)
        if use[e] > 0 and use[e] * q > left[row[e]] + slack[row[e]]:
            return False
    return True


@kernel
def _keeps(
    ptr: IntArray, row: IntArray, use: FloatArray, left: FloatArray, slack: FloatArray, j: int, q: float
) -> bool:
    # What made room for others by leaving cannot simply stay.
    for e in range(ptr[j], ptr[j + 1]):  # noqa: SIM110 (compiled: no generators)
        if use[e] < 0 and use[e] * -q > left[row[e]] + slack[row[e]]:
            return False
    return True


@kernel
def put(ptr: IntArray, row: IntArray, use: FloatArray, left: FloatArray, j: int, q: float) -> None:
    """Take what ``q`` base units on journey ``j`` use from what is left of the limits."""
    for e in range(ptr[j], ptr[j + 1]):
        left[row[e]] -= use[e] * q


@kernel
def top_up(
    ptr: IntArray, row: IntArray, use: FloatArray, left: FloatArray, slack: FloatArray, goal_ptr: IntArray,
    order: IntArray, request: IntArray, lot: IntArray, pack: IntArray, asked: FloatArray, given: IntArray,
    lot_left: IntArray, request_left: IntArray, packs: IntArray, served: IntArray, closed: IntArray, most: int,
) -> int:  # fmt: skip
    """
    Give packs, each to the goal with the lowest fill rate that can take one, until none can or ``most`` are given.

    A pack is given where every limit has room for all of it; of the last pack for a request what is still asked for is
    served, and the rest stays at the centre.

    Parameters
    ----------
    ptr, row, use
        Journeys as sparse columns of the limits.
    left, slack
        float64 (n_rows,): what is left of each limit (changed), and the rounding it is given.
    goal_ptr, order
        int64 (n_goals + 1,), (n_columns,): the journeys of each goal in the order in which they are tried.
    request, lot, pack
        int32, int32, int64 (n_columns,).
    asked, given
        float64, int64 (n_goals,): units asked for and served (changed).
    lot_left, request_left
        int64, changed: units still in each lot, still asked for.
    packs, served
        int64 (n_columns,), changed: packs of each journey, and units that they serve.
    closed
        int64 (n_goals,), changed: 1 where a goal can take nothing more.

    Returns
    -------
    int
        Packs given.
    """
    done = 0
    while done < most:
        poorest, least = -1, np.inf
        for g in range(len(asked)):
            if not closed[g] and given[g] / asked[g] < least:
                poorest, least = g, given[g] / asked[g]
        if poorest < 0:
            break
        closed[poorest] = 1
        for k in range(goal_ptr[poorest], goal_ptr[poorest + 1]):
            j = order[k]
            if request_left[request[j]] <= 0 or lot_left[lot[j]] < pack[j]:
                continue
            if not _fits(ptr, row, use, left, slack, j, float(pack[j])):
                continue
            put(ptr, row, use, left, j, float(pack[j]))
            units = min(pack[j], request_left[request[j]])
            packs[j] += 1
            served[j] += units
            given[poorest] += units
            request_left[request[j]] -= units
            lot_left[lot[j]] -= pack[j]
            closed[poorest] = 0
            done += 1
            break
    return done


@kernel
def move(
    ptr: IntArray, row: IntArray, use: FloatArray, left: FloatArray, slack: FloatArray, goal_ptr: IntArray,
    order: IntArray, request: IntArray, lot: IntArray, pack: IntArray, asked: FloatArray, given: IntArray,
    lot_left: IntArray, request_left: IntArray, packs: IntArray, served: IntArray, goal: IntArray,
    lot_ptr: IntArray, by_lot: IntArray, centre: IntArray, centre_ptr: IntArray, by_centre: IntArray, goals: IntArray,
) -> int:  # fmt: skip
    """
    For some goals, give a pack in place of one of a goal with more, where both then have more than the poorer had.

    The other pack is of the same lot, or goes to the same centre, whose link or shelves may be what is full. The sorted
    fill rates only rise. Parameters as ``top_up``; ``goal``, ``centre`` int64 (n_columns,) of each journey; ``lot_ptr``
    and ``by_lot``, ``centre_ptr`` and ``by_centre``: the journeys of each lot and centre; ``goals``: whom to try.

    Returns
    -------
    int
        Packs moved.
    """
    moved = 0
    for b in goals:
        had = given[b] / asked[b]
        found = False
        for k in range(goal_ptr[b], goal_ptr[b + 1]):
            j = order[k]
            if found:
                break
            if request_left[request[j]] <= 0:
                continue
            gain = min(pack[j], request_left[request[j]])
            best, best_after = -1, had + 1e-12
            n_same = lot_ptr[lot[j] + 1] - lot_ptr[lot[j]]
            n_near = centre_ptr[centre[j] + 1] - centre_ptr[centre[j]]
            for i in range(n_same + n_near):
                d = by_lot[lot_ptr[lot[j]] + i] if i < n_same else by_centre[centre_ptr[centre[j]] + i - n_same]
                a = goal[d]
                if packs[d] == 0 or a == b:
                    continue
                freed = pack[d] if lot[d] == lot[j] else 0
                if lot_left[lot[j]] + freed < pack[j]:
                    continue
                lost = served[d] - min(served[d], (packs[d] - 1) * pack[d])
                after = min((given[a] - lost) / asked[a], (given[b] + gain) / asked[b])
                if after > best_after and _keeps(ptr, row, use, left, slack, d, float(pack[d])):
                    put(ptr, row, use, left, d, -float(pack[d]))
                    if _fits(ptr, row, use, left, slack, j, float(pack[j])):
                        best, best_after = d, after
                    put(ptr, row, use, left, d, float(pack[d]))
            if best >= 0:
                d, a = best, goal[best]
                lost = served[d] - min(served[d], (packs[d] - 1) * pack[d])
                put(ptr, row, use, left, d, -float(pack[d]))
                put(ptr, row, use, left, j, float(pack[j]))
                lot_left[lot[d]] += pack[d]
                lot_left[lot[j]] -= pack[j]
                packs[d] -= 1
                served[d] -= lost
                given[a] -= lost
                request_left[request[d]] += lost
                packs[j] += 1
                served[j] += gain
                given[b] += gain
                request_left[request[j]] -= gain
                found = True
                moved += 1
    return moved
