"""Plans whose rows may be split: every site open at first, closed one by one as long as the others have room."""

from __future__ import annotations

import numpy as np

from nearer.solvers.budget import Budget
from nearer.solvers.capacitated_core import CapacitatedCore
from nearer.solvers.capacitated_plan import Plan, Transport
from nearer.units import FloatArray

_LEAST = 1e-9  # relative saving for which a site closes
_UNLOVED = 0.3  # what a site counts that no multipliers opened, beside 1 for one that all did


def dropped(core: CapacitatedCore, share: FloatArray, budget: Budget) -> Plan | None:
    """
    Close sites as long as that saves something, or too many are open; None where that leads to no plan.

    Small and dear ones that multipliers rarely opened go first: where room is what is short, sites that were opened
    most leave many small ones, and no single change leads on from there (DROP of Feldman, Lehrer, Ray 1966, in an
    order of our own). Each trial is a transport problem, solved from the last one's basis.

    Parameters
    ----------
    share
        Average share in which each site was open while multipliers climbed, float64 (m,).
    budget
        Asked and charged at each trial.
    """
    transport = Transport(core, np.arange(core.m), np.inf, budget.stop)
    if not transport.solve() or not transport.serves_all:
        budget.spend(transport.work)
        return None
    opened = transport.open_mask
    worth = core.room * (_UNLOVED + share)
    rank = np.divide(worth, core.price, out=np.full(core.m, np.inf), where=core.price > 0)
    order = np.lexsort((worth, rank))
    must_serve = float(core.need[~np.isfinite(core.idle)].sum()) * (1 - 1e-12)
    least, charged, closed = transport.lp.objective + float(core.price.sum()), 0, True
    while closed:
        closed = False
        for j in order[opened[order] & ~core.must[order]].tolist():
            if int(opened.sum()) <= core.k_min or float(core.room[opened].sum() - core.room[j]) < must_serve:
                continue
            if budget.exhausted():
                return _plan(transport)
            transport.set_open(j, False)
            solved = transport.solve()
            budget.spend(transport.work - charged)
            charged = transport.work
            cost = transport.lp.objective + float(core.price[opened].sum())
            too_many = int(opened.sum()) >= core.k_max
            if solved and transport.serves_all and (too_many or cost < least - _LEAST * abs(least)):
                least, closed = cost, True
            else:
                transport.set_open(j, True)
    return _plan(transport)


def _plan(transport: Transport) -> Plan | None:
    """The plan of the sites that are open."""
    if int(transport.open_mask.sum()) > transport.core.k_max or not transport.solve():
        return None
    return transport.assigned().plan
