"""
Plans from a relaxation by diving: open what it opens, or nearly, solve it again, and so on until all is decided.

A relaxed solution opens most sites wholly where bounds are tight; rounding it at once spoils the rest, which the
relaxation itself settles well once a part is fixed.
"""

from __future__ import annotations

import numpy as np

from nearer.lp import LpStatus
from nearer.solvers.master import Master
from nearer.units import FloatArray, IntArray

_OPEN = 0.9  # openness from which a site opens
_SHARE = 0.05  # of what must still open, opened at once, the most open first
_TINY = 1e-6


def dive(master: Master, fixed: IntArray, worst: float, most: int) -> tuple[IntArray | None, bool]:
    """
    A plan that a relaxed solution leads to, or None, and whether it would take too long; the solution stays.

    Parameters
    ----------
    master
        As solved with these sites fixed. Terms that get wrong on the way are written out, and stay.
    fixed
        -1 free, 0 closed, 1 open, int8 (m,).
    worst
        Value of the relaxation above which the way leads nowhere.
    most
        Iterations of the simplex that the way may take, guessed from the part that is done.
    """
    start, began, k_max = master.lp.basis(), master.lp.iterations, master.core.k_max
    wanted = k_max - int((fixed == 1).sum())
    y, on_way = master.y.copy(), fixed.copy()
    plan: IntArray | None = None
    too_long = False
    while True:
        left = k_max - int((on_way == 1).sum())
        order = _most_open(y, on_way)
        if left <= 0 or not len(order):
            plan = np.flatnonzero(on_way == 1).astype(np.int32)
            break
        too_long = (master.lp.iterations - began) * wanted > most * (wanted - left)
        if too_long:
            break
        n_open = max(int(np.count_nonzero(y[order] >= _OPEN)) + 1, int(np.ceil(_SHARE * left)))
        on_way[order[: min(n_open, left)]] = 1
        status = _solved(master, on_way)
        if status is LpStatus.OPTIMAL and master.value < worst and master.separate() > 0:
            status = master.solve()
        if status is not LpStatus.OPTIMAL or master.value >= worst:
            break
        y = master.y.copy()
    master.lp.set_basis(start)
    return plan if _solved(master, fixed) is LpStatus.OPTIMAL else None, too_long


def _most_open(y: FloatArray, fixed: IntArray) -> IntArray:
    """Free sites that are open at all, the most open first, ties to the lowest index."""
    order = np.argsort(-np.where(fixed < 0, y, -1.0), kind="stable")
    return order[: int(np.count_nonzero((fixed < 0) & (y > _TINY)))]


def _solved(master: Master, fixed: IntArray) -> LpStatus:
    sites = np.flatnonzero(fixed >= 0)
    master.fix(sites, fixed[sites])
    return master.solve()
