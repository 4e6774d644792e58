"""Primal side of capacitated location: the best assignment to given sites that a moment allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.kernels import exchange
from nearer.kernels import knapsack as kernels
from nearer.lp import Lp, LpStatus
from nearer.progress import Stop
from nearer.solvers.capacitated_core import CapacitatedCore
from nearer.units import BoolArray, FloatArray, IntArray

_TINY = 1e-9
_MANY = 5_000  # rows beyond which pairs of them are not compared
_STEPS = 50_000_000  # of a quick assignment, a fraction of a second
_TABU, _TABU_STEPS = 2_000, 40_000_000  # iterations of a tabu search, and what they may look at, a fraction of a second
_MOVES = 20_000_000  # open sites × sites, beyond which moves are not compared
_LEFT_OUT = 1e4  # what leaving out a row that must be served costs at least, in values of the plan


@dataclass(frozen=True)
class Plan:
    """
    Open sites of a core and who goes where.

    Parameters
    ----------
    value
        Everything it costs.
    open_mask
        bool (m,).
    row, site, share
        Assignment triples.
    """

    value: float
    open_mask: BoolArray
    row: IntArray
    site: IntArray
    share: FloatArray


@dataclass(frozen=True)
class Assigned:
    """
    What came of assigning rows to a set of sites.

    Parameters
    ----------
    plan
        None where some row found no place.
    lam
        Multipliers that prove that no way of splitting rows is cheaper with these sites; None where that was not asked.
    work
        As a ``Budget`` counts.
    """

    plan: Plan | None
    lam: FloatArray | None
    work: int


def make_plan(core: CapacitatedCore, open_mask: BoolArray, row: IntArray, site: IntArray, share: FloatArray) -> Plan:
    """Price an assignment."""
    key = core.entry_site * core.n + core.crow
    value = core.cval[np.searchsorted(key, site.astype(np.int64) * core.n + row)]
    served = np.bincount(row, weights=share, minlength=core.n)
    idle = np.isfinite(core.idle) & (served < 1.0 - _TINY)
    left = float(((1.0 - served[idle]) * core.idle[idle]).sum())
    return Plan(float((value * share).sum()) + left + float(core.price[open_mask].sum()), open_mask, row, site, share)


def whole_plan(core: CapacitatedCore, site: IntArray, where: IntArray) -> Plan | None:
    """
    Price what was found elsewhere, None where it breaks a rule.

    ``site`` are the open sites, ``where`` the site of each row or -1, as positions in the instance.
    """
    row = np.flatnonzero(where >= 0)
    open_mask = np.isin(core.site, site) | core.must
    at = np.searchsorted(core.site, where[row])
    load = np.bincount(at, weights=core.need[row], minlength=core.m)
    broken = (
        not core.k_min <= int(open_mask.sum()) <= core.k_max
        or bool(np.any(load > core.room * (1 + 1e-12)))
        or bool(np.isinf(core.idle[where < 0]).any())
        or not bool(open_mask[at].all())
    )
    return None if broken else make_plan(core, open_mask, row.astype(np.int32), at, np.ones(len(row)))


def assign_whole(core: CapacitatedCore, open_mask: BoolArray, rate: FloatArray) -> Assigned:
    """
    Assign each row to one of the sites marked: by regret, then by moves and exchanges.

    ``rate`` is the worth of a unit of each site's room, a guide.
    """
    sites = np.flatnonzero(open_mask)
    value, room = core.dense(sites), core.room[sites]
    best: Plan | None = None
    rounds = max(1, min(50, _STEPS // max(1, core.n * (len(sites) + min(core.n, _MANY)))))
    for guide in (value + rate[sites][:, None] * core.need, value):
        assign = kernels.assign_whole if core.n <= _MANY else kernels.assign_in_turn
        where, complete = assign(value, core.idle, core.need, room, guide)
        kernels.improve_whole(where, value, core.idle, core.need, room, rounds, core.n <= _MANY)
        if complete or not np.isinf(core.idle[where < 0]).any():
            row = np.flatnonzero(where >= 0)
            plan = make_plan(core, open_mask, row.astype(np.int32), sites[where[row]], np.ones(len(row)))
            if best is None or plan.value < best.value:
                best = plan
    return Assigned(best, None, 20 * value.size)


def improve_whole(core: CapacitatedCore, open_mask: BoolArray, rate: FloatArray, start: Plan | None) -> Assigned:
    """
    Look for a better assignment to the sites marked by tabu search, from a plan or from where each row would go.

    Rows that may stay unserved go to one more site then, which has room for all.
    """
    sites = np.flatnonzero(open_mask)
    value, room = np.vstack([core.dense(sites), core.idle]), np.append(core.room[sites], np.inf)
    guide = value + np.append(rate[sites], 0.0)[:, None] * core.need
    where = np.argmin(guide, axis=0).astype(np.int32)
    if start is not None:
        where[:] = len(sites)
        where[start.row] = np.searchsorted(sites, start.site)
    if not np.isfinite(value[where, np.arange(core.n)]).all():
        return Assigned(None, None, value.size)
    iterations = min(_TABU, _TABU_STEPS // (value.size + min(core.n * core.n, 20_000)))
    price = max(float(rate[sites].max()), float(value.min(axis=0).sum()) / max(float(core.need.sum()), 1e-300), 1e-9)
    best = where.copy()
    found = exchange.exchange_whole(where, value, core.need, room, price, iterations, best)
    work = iterations * (value.size + min(core.n * core.n, 20_000))
    if not np.isfinite(found):
        return Assigned(None, None, work)
    row = np.flatnonzero(best < len(sites))
    load = np.bincount(best[row], weights=core.need[row], minlength=len(sites))
    if np.any(load > core.room[sites] * (1 + 1e-12)):  # sums of many moves were off
        return Assigned(None, None, work)
    return Assigned(make_plan(core, open_mask, row.astype(np.int32), sites[best[row]], np.ones(len(row))), None, work)


def moved(core: CapacitatedCore, plan: Plan) -> Plan | None:
    """Each open site moved to where it serves its rows for less, those that save most first; None where none does."""
    sites = np.flatnonzero(plan.open_mask)
    if not 0 < len(sites) * core.m <= _MOVES:
        return None
    group = np.full(core.n, -1, dtype=np.int64)
    group[plan.row] = np.searchsorted(sites, plan.site)
    served = np.flatnonzero(group[core.crow] >= 0)
    at, shape = group[core.crow[served]] * core.m + core.entry_site[served], (len(sites), core.m)
    cost = np.bincount(at, weights=core.cval[served], minlength=shape[0] * shape[1]).reshape(shape) + core.price
    rows, load = np.bincount(group[plan.row], minlength=shape[0]), np.zeros(shape[0])
    np.add.at(load, group[plan.row], core.need[plan.row])
    fits = np.bincount(at, minlength=shape[0] * shape[1]).reshape(shape) == rows[:, None]
    cost[~fits | (load[:, None] > core.room)] = np.inf
    now = cost[np.arange(shape[0]), sites]
    cost[:, plan.open_mask] = np.inf
    goes = np.full(shape[0], -1)
    for k in np.argsort(cost.min(axis=1) - now, kind="stable"):
        j = int(cost[k].argmin())
        if rows[k] and not core.must[sites[k]] and cost[k, j] < now[k] - 1e-9 * abs(now[k]):
            goes[k] = j
            cost[:, j] = np.inf
    if np.all(goes < 0):
        return None
    sites = np.where(goes < 0, sites, goes)
    open_mask = np.zeros(core.m, dtype=bool)
    open_mask[sites] = True
    return make_plan(core, open_mask, plan.row, sites[group[plan.row]], plan.share)


def assign_split(core: CapacitatedCore, open_mask: BoolArray, value: float, stop: Stop) -> Assigned:
    """
    Assign rows to the sites marked in the cheapest way, split where that helps: the transport problem.

    ``value`` of a plan known, or ``inf``: what it takes for a row that finds no place to prove that none is better.
    """
    transport = Transport(core, np.flatnonzero(open_mask), value, stop)
    return transport.assigned() if transport.solve() else Assigned(None, None, transport.work)


class Transport:
    """
    The transport problem to some sites of a core, which may close and open between solves.

    Parameters
    ----------
    sites
        Ascending; all are open at first.
    value
        Of a plan known, or ``inf``: a row that finds no place costs many times as much.
    """

    def __init__(self, core: CapacitatedCore, sites: IntArray, value: float, stop: Stop) -> None:
        self.core, self.sites = core, sites
        self.open_mask = np.zeros(core.m, dtype=bool)
        self.open_mask[sites] = True
        entry = np.flatnonzero(self.open_mask[core.entry_site])
        self._row, self._place = core.crow[entry].astype(np.int64), np.searchsorted(sites, core.entry_site[entry])
        high = float(core.cval.max(initial=1.0))
        idle = np.minimum(core.idle, _LEFT_OUT * max(abs(value) if np.isfinite(value) else high * core.n, high, 1.0))
        self.lp = lp = Lp(stop)
        n_columns = len(entry) + core.n
        lp.add_columns(np.concatenate([core.cval[entry], idle]), np.zeros(n_columns), np.ones(n_columns))
        self._column = np.argsort(self._place, kind="stable")
        self._begins = np.searchsorted(self._place[self._column], np.arange(len(sites) + 1))
        room = np.where(core.room[sites] > 0, core.room[sites], 1.0)
        at = np.concatenate([self._row, np.arange(core.n), core.n + self._place])
        column = np.concatenate([np.arange(n_columns), np.arange(len(entry))])
        coefficient = np.concatenate([np.ones(n_columns), core.need[self._row] / room[self._place]])
        order = np.lexsort((column, at))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=core.n + len(sites)))])
        lower = np.concatenate([np.ones(core.n), np.full(len(sites), -np.inf)])
        upper = np.concatenate([np.ones(core.n), np.where(core.room[sites] > 0, 1.0, 0.0)])
        lp.add_rows(lower, upper, indptr, column[order], coefficient[order])

    @property
    def work(self) -> int:
        """Of all solves, as a ``Budget`` counts."""
        return 1000 * self.lp.iterations

    def set_open(self, place: int, is_open: bool) -> None:
        """Open or close the site at a place of ``sites``."""
        self.open_mask[self.sites[place]] = is_open
        column = self._column[self._begins[place] : self._begins[place + 1]]
        self.lp.set_bounds(column, np.zeros(len(column)), np.full(len(column), float(is_open)))

    def solve(self) -> bool:
        """Whether the cheapest assignment to the open sites was found before the run was stopped."""
        return self.lp.solve() is LpStatus.OPTIMAL

    @property
    def serves_all(self) -> bool:
        """Whether the last solution serves every row that must be served."""
        left = self.lp.x[len(self._row) :]
        return not np.any(left[np.isinf(self.core.idle)] > _TINY)

    def assigned(self) -> Assigned:
        """What the last solution comes to."""
        core = self.core
        lam = np.clip(self.lp.row_dual[: core.n], 0.0, core.idle)
        if not self.serves_all:
            return Assigned(None, lam, self.work)
        share, left = self.lp.x[: len(self._row)], self.lp.x[len(self._row) :]
        keep = share > _TINY
        row, share = self._row[keep], np.minimum(share[keep], 1.0)
        served = np.bincount(row, weights=share, minlength=core.n)
        # rounding left out or doubled a little of rows that are served in full
        share = np.where(left[row] <= _TINY, share / served[row], share)
        plan = make_plan(core, self.open_mask.copy(), row.astype(np.int32), self.sites[self._place[keep]], share)
        return Assigned(plan, lam, self.work)
