"""Plans whose rows are served whole, kicked a few sites at a time: one closes, one opens beside it, rows go anew."""

from __future__ import annotations

import numpy as np

from nearer.kernels import exchange
from nearer.solvers.budget import Budget
from nearer.solvers.capacitated_core import CapacitatedCore
from nearer.solvers.capacitated_plan import Plan, make_plan
from nearer.units import BoolArray, FloatArray, IntArray

_DENSE = 30_000_000  # rows × sites, above which no plan is kicked
_AROUND = 8  # open sites beside the one that closes, whose rows go anew
_CLOSED = 12  # sites beside a row, of which one opens
_TABU = 300  # iterations, fewer where there are few rows
_EACH = 20_000  # work of a kick beside what it looks at
_ALONE = 0.1  # how often a site closes, or opens, alone where that is allowed


class Kicks:
    """
    Kicks the best plan of a core whose rows must all be served.

    Parameters
    ----------
    core
        Rows are whole.
    seed
        Start of the random choices.
    """

    def __init__(self, core: CapacitatedCore, seed: int) -> None:
        self.core, self.rng = core, np.random.default_rng(seed)
        self.value = core.dense(np.arange(core.m))

    @staticmethod
    def suits(core: CapacitatedCore) -> bool:
        """Whether a core can be kicked: no row may stay unserved, and its pairs are not too many."""
        return 0 < core.n * core.m <= _DENSE and bool(np.isinf(core.idle).all())

    def run(self, plan: Plan, budget: Budget, work: int) -> Plan:
        """Kick for so much work; never worse than the start."""
        core = self.core
        where = np.empty(core.n, dtype=np.int32)
        where[plan.row] = plan.site
        is_open = plan.open_mask.copy()
        end, better = budget.spent + work, False
        while budget.spent < end and not budget.exhausted():
            around, row = self.around(where, is_open)
            sites = self.exchanged(around, row, is_open)
            if sites is None:
                budget.spend(core.m + _EACH)
                continue
            was = float(self.value[where[row], row].sum()) + float(core.price[around].sum())
            to, cost, spent = self.settled(sites, row, where[row], is_open)
            budget.spend(spent + core.m + _EACH)
            if cost <= was + 1e-9 * abs(was):
                better |= cost < was - 1e-9 * abs(was)
                is_open[around] = False
                is_open[to[0]] = True
                where[row] = to[1]
        if not better:
            return plan
        return make_plan(core, is_open, np.arange(core.n, dtype=np.int32), where, np.ones(core.n))

    def around(self, where: IntArray, is_open: BoolArray) -> tuple[IntArray, IntArray]:
        """Open sites near a row at random, the first of them free to close if any is, and all rows that they serve."""
        core = self.core
        middle = int(self.rng.integers(core.n))
        opened = np.flatnonzero(is_open)
        near = opened[np.argsort(self.value[opened, middle], kind="stable")[: _AROUND + 1]]
        near = near[self.rng.permutation(len(near))]
        near = near[np.argsort(core.must[near], kind="stable")]
        return near, np.flatnonzero(np.isin(where, near))

    def exchanged(self, around: IntArray, row: IntArray, is_open: BoolArray) -> IntArray | None:
        """The sites around after one closed and one opened, or one of the two; None where that is not allowed."""
        core, n_open = self.core, int(is_open.sum())
        kind = self.rng.random()
        closes = not (kind < _ALONE and n_open < core.k_max)
        opens = not (_ALONE <= kind < 2 * _ALONE and n_open > core.k_min)
        if closes and core.must[around[0]]:
            return None
        sites = around[1:] if closes else around
        if opens:
            beside = self.value[:, int(self.rng.choice(row))] if len(row) else self.value[:, 0]
            free = np.flatnonzero(~is_open & np.isfinite(beside))
            if not len(free):
                return None
            few = free[np.argsort(beside[free], kind="stable")[:_CLOSED]]
            sites = np.append(sites, self.rng.choice(few))
        enough = len(sites) and core.room[sites].sum() >= core.need[row].sum() * (1 - 1e-12)
        return sites.astype(np.int64) if enough else None

    def settled(
        self, sites: IntArray, row: IntArray, where: IntArray, is_open: BoolArray
    ) -> tuple[tuple[IntArray, IntArray], float, int]:
        """Rows to some sites and sites to the middle of their rows, in turns: both, the cost, and the work."""
        core = self.core
        best: tuple[IntArray, IntArray] = (sites, where)
        least, spent = np.inf, 0
        closed = ~is_open
        while True:
            value, need, room = self.value[np.ix_(sites, row)], core.need[row], core.room[sites]
            place = np.full(core.m, -1)
            place[sites] = np.arange(len(sites))
            to = place[where].astype(np.int32)
            lost = (to < 0) | ~np.isfinite(value[np.maximum(to, 0), np.arange(len(row))])
            to[lost] = value[:, lost].argmin(axis=0)
            if not np.isfinite(value[to, np.arange(len(row))]).all():
                break
            price = max(float(value.min(axis=0).sum()) / max(float(need.sum()), 1e-300), 1e-9)
            found = to.copy()
            iterations = min(_TABU, 20 + 4 * len(row))
            cost = exchange.exchange_whole(to, value, need, room, price, iterations, found)
            spent += iterations * (value.size + min(len(row) ** 2, 20_000))
            load = np.bincount(found, weights=need, minlength=len(sites))
            cost += float(core.price[sites].sum())
            if cost >= least * (1 - 1e-9) or np.any(load > room * (1 + 1e-12)):
                break
            least, best = cost, (sites, sites[found])
            moved = self.to_the_middle(sites, row, found, np.asarray(load, dtype=np.float64), closed)
            if np.array_equal(moved, sites):
                break
            sites, where = moved, moved[found]
        return best, least, spent

    def to_the_middle(
        self, sites: IntArray, row: IntArray, found: IntArray, load: FloatArray, closed: BoolArray
    ) -> IntArray:
        """Each site where it would serve its rows for the least, of those that are closed."""
        core, sites = self.core, sites.copy()
        may = closed.copy()
        may[sites] = False
        for k in np.flatnonzero(~core.must[sites]):
            cost = self.value[:, row[found == k]].sum(axis=1) + core.price
            cost[~may | (core.room < load[k])] = np.inf
            j = int(cost.argmin())
            now = float(self.value[sites[k], row[found == k]].sum()) + float(core.price[sites[k]])
            if cost[j] < now - 1e-9 * abs(now):
                may[j], may[sites[k]] = False, bool(closed[sites[k]])
                sites[k] = j
        return sites
