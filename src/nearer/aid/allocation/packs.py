"""Whole packs: rounded from shares that may be split, for any size; and found exactly where a case is small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.aid.allocation.case import Case
from nearer.aid.allocation.journeys import NO_LINK, Journeys, Limit
from nearer.kernels.giving import move, top_up
from nearer.progress import Stop
from nearer.units import FloatArray, IntArray

_ROUNDS = 20
_PACKS_A_CALL = 500
_GOALS_A_CALL = 200


@dataclass(frozen=True)
class Packed:
    """
    Whole packs on journeys.

    Parameters
    ----------
    packs
        int64 (n_columns,): packs sent; where goods lie at the centre already, base units taken from the shelf.
    served
        int64 (n_columns,): base units of them that serve the request; the rest of a last pack stays at the centre.
    fill
        float64 (n_goals,).
    """

    packs: IntArray
    served: IntArray
    fill: FloatArray


def pack_sizes(case: Case, journeys: Journeys) -> IntArray:
    """Base units that go together on each journey: int64 (n_columns,); 1 on the centre's own shelf."""
    sizes = np.array([lot.pack for lot in case.lots] or [1], dtype=np.int64)
    return np.where(journeys.link == NO_LINK, 1, sizes[journeys.lot]).astype(np.int64)


def round_to_packs(case: Case, journeys: Journeys, x: FloatArray, age: FloatArray, stop: Stop) -> Packed:
    """
    Round down, give what is left pack by pack to who has least, then move packs to who has less.

    Rounding down loses less than one pack on each journey used; everything after only raises the sorted fill rates.

    Parameters
    ----------
    x
        float64 (n_columns,), base units.
    age
        float64 (n_columns,): what expires first is tried first.
    """
    n = journeys.n_columns
    pack = pack_sizes(case, journeys)
    packs = np.floor(x / pack + 1e-7).astype(np.int64)
    served = packs * pack
    matrix = journeys.matrix
    ptr, row, use = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data.astype(np.float64)
    # Limits that cannot bind where packs are split may bind by one last pack: lots and wishes are counted apart.
    lot_left = np.array([lot.quantity for lot in case.lots] or [0], dtype=np.int64)
    request_left = np.array([r.quantity for r in case.requests] or [0], dtype=np.int64)
    room = np.where((journeys.limit == Limit.LOT) | (journeys.limit == Limit.ASKED), np.inf, journeys.room)
    left = room - matrix @ served.astype(np.float64)
    slack = 1e-9 * np.maximum(1.0, np.where(np.isfinite(room), np.abs(room), 1.0))
    _give_back(matrix, packs, served, pack, left, slack)
    np.subtract.at(lot_left, journeys.lot, served)
    np.subtract.at(request_left, journeys.request, served)
    given = np.bincount(journeys.goal, weights=served, minlength=journeys.n_goals).astype(np.int64)
    goal_ptr, goal = journeys.start, journeys.goal.astype(np.int64)
    order = np.lexsort((np.arange(n), age, -x, goal)).astype(np.int64)
    by_lot = np.argsort(journeys.lot, kind="stable").astype(np.int64)
    lot_ptr = np.searchsorted(journeys.lot[by_lot], np.arange(len(lot_left) + 1)).astype(np.int64)
    centre = journeys.goal_centre[journeys.goal].astype(np.int64)
    by_centre = np.argsort(centre, kind="stable").astype(np.int64)
    centre_ptr = np.searchsorted(centre[by_centre], np.arange(len(case.places) + 1)).astype(np.int64)
    shared = (
        ptr, row, use, left, slack, goal_ptr, order, journeys.request, journeys.lot, pack, journeys.asked, given,
        lot_left, request_left, packs, served,
    )  # fmt: skip
    for _ in range(_ROUNDS):
        closed = np.zeros(journeys.n_goals, dtype=np.int64)
        while not stop() and top_up(*shared, closed, _PACKS_A_CALL) == _PACKS_A_CALL:
            pass
        moved = 0
        poorest_first = np.argsort(given / journeys.asked, kind="stable").astype(np.int64)
        for begin in range(0, journeys.n_goals, _GOALS_A_CALL):
            if stop():
                break
            some = poorest_first[begin : begin + _GOALS_A_CALL]
            moved += int(move(*shared, goal, lot_ptr, by_lot, centre, centre_ptr, by_centre, some))
        if not moved:
            break
    return Packed(packs, served, given / journeys.asked)


def _give_back(
    matrix: object, packs: IntArray, served: IntArray, pack: IntArray, left: FloatArray, slack: FloatArray
) -> None:
    """Where goods that were to make room are rounded away, take back packs that counted on it, the last first."""
    by_row = matrix.tocsr()  # type: ignore[attr-defined]
    while True:
        short = np.flatnonzero(left < -slack)
        if not len(short):
            return
        r = int(short[0])
        span = slice(by_row.indptr[r], by_row.indptr[r + 1])
        able = by_row.indices[span][(by_row.data[span] > 0) & (packs[by_row.indices[span]] > 0)]
        j = int(able.max())
        packs[j] -= 1
        served[j] -= pack[j]
        at = slice(matrix.indptr[j], matrix.indptr[j + 1])  # type: ignore[attr-defined]
        left[matrix.indices[at]] += matrix.data[at] * pack[j]  # type: ignore[attr-defined]
