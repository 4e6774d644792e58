"""Primal side of dynamic location: the best way to send people to sites whose levels are chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nearer.kernels import dynamic as kernels
from nearer.kernels import transport as flows
from nearer.kernels.jit import run_chunks
from nearer.progress import Stop
from nearer.solvers.dynamic_core import DynamicCore
from nearer.units import FloatArray, IntArray

_NEAREST, _ENTRIES = 20, 3_000_000
"""Nearest open sites of a row, among which it may be sent where there are so many pairs; others are seldom used."""
_PATHS = 200_000  # of one transport problem: a hundred times what is usual
_MUST = 1e6  # what leaving out a row that must be served costs, in dearest pairs


@dataclass(frozen=True)
class Sent:
    """
    How the people of one phase and pool are sent.

    Parameters
    ----------
    row, site, share
        Triples in the instance's numbers; unserved shares are absent.
    price
        What a unit of room is worth, float64 (n_sites,), 0 where closed.
    worth
        Multipliers of the rows that prove this best for the levels given, by position among ``rows`` of the pool.
    halfway
        Those half as far as the second best site, which are good ones where other levels may be chosen.
    pushed
        Paths it took.
    """

    row: IntArray
    site: IntArray
    share: FloatArray
    price: FloatArray
    worth: FloatArray
    halfway: FloatArray
    pushed: int


@dataclass(frozen=True)
class Plan:
    """
    Options of the sites, and who goes where.

    Parameters
    ----------
    option
        int64 (n_sites,).
    value
        Everything it costs; ``inf`` where somebody who must be served is not.
    excess
        By how much each limit is broken, at most 0 where it is kept, float64 (n_limits,).
    sent
        By pool, then phase.
    lam
        Multipliers of the rows for these levels, float64 (n_rows, n_phases).
    halfway
        Those half as far as each row's second best site.
    """

    option: IntArray
    value: float
    excess: FloatArray
    sent: tuple[Sent, ...]
    lam: FloatArray
    halfway: FloatArray

    @property
    def keeps(self) -> bool:
        """Whether it is a plan at all."""
        return math.isfinite(self.value) and bool(np.all(self.excess <= 0))


class Sender:
    """Makes plans of options; prices of room are kept from plan to plan, for a quick start."""

    def __init__(self, core: DynamicCore, stop: Stop, threads: int) -> None:
        self.core, self.stop, self.threads = core, stop, threads
        self.rows = [np.arange(a, b) for a, b in pairwise(core.pool_ptr)]
        dearest = float(np.asarray(core.cost).max(initial=1))
        self._must = _MUST * max(dearest, 1.0)
        self._nearest = _NEAREST if len(core.cost) > _ENTRIES else core.n_sites

    def plan(self, option: IntArray, price: FloatArray | None, pi: FloatArray) -> Plan | None:
        """
        Send everybody to the levels of some options at least cost, limits charged at ``pi``.

        Parameters
        ----------
        price
            What room may be worth, float64 (n_sites, n_pools, n_phases), to begin with.

        Returns
        -------
        Plan or None
            None where the clock ran out.
        """
        core = self.core
        level = core.rules.option_level[option]  # sites × phases
        slope, extra, idle = core.priced(pi)
        parts = [(k, t) for k in range(core.n_pools) for t in range(core.n_phases)]

        def work(part: tuple[int, int]) -> Sent:
            k, t = part
            begin = np.zeros(core.n_sites) if price is None else price[:, k, t]
            return self._send(level[:, t], k, t, begin, slope, extra, idle)

        sent = []
        for one in run_chunks(work, parts, min(self.threads, len(parts))):
            if self.stop():
                return None
            sent.append(one)
        value, excess = 0.0, np.zeros(len(core.rules.limits))
        lam, halfway = np.zeros(core.weight.shape), np.zeros(core.weight.shape)
        for (k, t), one in zip(parts, sent, strict=True):
            paid, counted = self._true(k, t, one)
            value += paid
            excess += counted
            lam[self.rows[k], t] = one.worth
            halfway[self.rows[k], t] = one.halfway
        most = np.array([limit.most for limit in core.rules.limits])
        value += math.fsum(core.rules.option_cost[option])
        return Plan(option, value, excess - most, tuple(sent), np.minimum(lam, idle), np.minimum(halfway, idle))

    def _send(
        self, level: IntArray, k: int, t: int, begin: FloatArray, slope: FloatArray, extra: FloatArray, idle: FloatArray
    ) -> Sent:
        core, rows = self.core, self.rows[k]
        room = np.where(level >= 0, core.room[np.arange(core.n_sites), np.maximum(level, 0), k], 0.0)
        is_open = room > 0
        endless = np.isinf(room[is_open]).all()
        need, weight = core.need[rows, t], core.weight[rows, t]
        price = np.zeros(core.n_sites)
        worth = np.minimum(idle[rows, t], self._must * np.maximum(slope[rows, t], 1.0))
        flowing = rows[(need > 0) & ((slope[rows, t] > 0) | (idle[rows, t] > 0))] if not endless else rows[:0]
        standing = rows[(need <= 0) | (weight > 0)] if endless else rows[need <= 0]
        if endless:
            standing = rows[(weight > 0) | np.isinf(core.instance.unserved[core.order[rows]])]
        row, site, share, pushed = [], [], [], 0
        self_worth = np.zeros(core.n_rows)
        self_worth[rows] = worth
        halfway = self_worth.copy()
        if len(standing):
            found, second = np.empty(len(standing)), np.empty(len(standing))
            which = np.empty(len(standing), dtype=np.int32)
            kernels.nearest_among(
                core.indptr,
                core.site,
                core.cost,
                core.order,
                standing,
                is_open,
                slope,
                core.beyond,
                extra,
                idle,
                t,
                found,
                second,
                which,
            )
            cap_site = core.cap_site[standing, t]
            to = np.where(which >= 0, which, cap_site)
            at = np.flatnonzero(to >= 0)
            row.append(standing[at])
            site.append(to[at])
            share.append(np.ones(len(at)))
            self_worth[standing] = found
            halfway[standing] = np.where(np.isinf(second), found, (found + second) / 2)
        if len(flowing):
            sites = np.flatnonzero(is_open)
            place = np.full(core.n_sites, -1, dtype=np.int64)
            place[sites] = np.arange(len(sites))
            limit = np.where(np.isinf(idle), self._must * np.maximum(slope, 1.0), idle)
            optr, osite, ocost = flows.open_lists(
                core.indptr, core.site, core.cost, core.order, flowing, place, slope, core.beyond,
                extra, core.need, limit, t, self._nearest,
            )  # fmt: skip
            a = core.need[flowing, t]
            found_price = begin[sites]
            away = limit[flowing, t] / a
            rounds = 80 if begin.any() else 160
            flow, left, pushed = flows.transport(
                optr, osite, ocost, a, away, room[sites], found_price, rounds,
                (0.02 if begin.any() else 0.2) * float(np.median(away)), _PATHS,
            )  # fmt: skip
            price[sites] = found_price
            at = np.flatnonzero(flow > 0)
            which_row = np.repeat(np.arange(len(flowing)), np.diff(optr))[at]
            row.append(flowing[which_row])
            site.append(sites[osite[at]])
            share.append(np.minimum(flow[at] / a[which_row], 1.0))
            # the cap may be a sure site, never full
            sure = np.flatnonzero((left > 1e-9 * a) & (core.cap_site[flowing, t] >= 0))
            row.append(flowing[sure])
            site.append(core.cap_site[flowing[sure], t])
            share.append(left[sure] / a[sure])
            least, second = flows.two_least(optr, osite, ocost, found_price, limit[flowing, t] / a)
            self_worth[flowing] = least * a
            halfway[flowing] = (least + second) * a / 2
        none = np.zeros(0, dtype=np.int64)
        return Sent(
            core.order[np.concatenate([none, *row])].astype(np.int32),
            np.concatenate([none, *site]).astype(np.int32),
            np.concatenate([np.zeros(0), *share]),
            price,
            self_worth[rows],
            halfway[rows],
            pushed,
        )

    def _true(self, k: int, t: int, sent: Sent) -> tuple[float, FloatArray]:
        """What a phase and pool costs without what limits charge, and what it counts for each limit."""
        core, instance, rows = self.core, self.core.instance, self.core.order[self.rows[k]]
        cost = np.empty(len(sent.row))
        kernels.costs_of(instance.indptr, instance.site_idx, np.asarray(instance.cost), sent.row, sent.site, cost)
        served = np.bincount(sent.row, weights=sent.share, minlength=core.n_rows)[rows]
        left = np.where(served < 1 - 1e-9, 1 - served, 0.0)
        unserved, weight = instance.unserved[rows], np.asarray(instance.weight[t])
        with np.errstate(invalid="ignore"):
            idle = np.where(left > 0, np.where(np.isinf(unserved), np.inf, weight[rows] * left * unserved), 0.0)
        paid = float(np.add.reduce(weight[sent.row] * sent.share * cost)) + float(np.add.reduce(idle))
        counted = []
        for limit in core.rules.limits:
            factor = limit.factor[t]
            met = cost if limit.beyond is None else (cost > limit.beyond).astype(np.float64)
            away = np.where(factor[rows] * left > 0, unserved if limit.beyond is None else 1.0, 0.0)
            counted.append(float((factor[sent.row] * sent.share * met).sum() + (factor[rows] * left * away).sum()))
        return paid, np.array(counted)
