"""The order of wishes: minima, fair shares, most served, least waste, change and travel, first to expire, soonest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array, vstack

from nearer.aid.allocation.case import Case
from nearer.aid.allocation.fair import Delivery, FairShares, Goals, fair_shares
from nearer.aid.allocation.journeys import NO_LINK, Journeys, Limit
from nearer.lp import LpStatus
from nearer.progress import Progress, Silent, Stop
from nearer.units import BoolArray, FloatArray, IntArray

SAME = 1e-9
"""Relative difference up to which a value and its bound are the same."""

NOTHING = 1e-9
"""Fill rates up to this are none."""
LAST_STAGE = "soonest"


@dataclass(frozen=True)
class Stage:
    """
    One stage, with what is proven of it.

    Parameters
    ----------
    name, unit
        What was sought, and in what it is measured.
    value, bound
        What was reached, and what no allocation that keeps the earlier stages can better.
    proven
        Whether they are the same.
    """

    name: str
    unit: str
    value: float
    bound: float
    proven: bool


@dataclass(frozen=True)
class Relaxed:
    """
    The best allocation where packs may be split.

    Parameters
    ----------
    x
        float64 (n_columns,), base units on each journey.
    shares
        The fair shares by item and centre.
    minima
        Fill rates of the minima, float64 (n_requests,); 1 where none is asked for.
    stages
        What was reached and proven.
    """

    x: FloatArray
    shares: FairShares
    minima: FloatArray
    stages: tuple[Stage, ...]

    @property
    def complete(self) -> bool:
        """Whether every stage was gone through."""
        return self.shares.proven and self.stages[-1].name == LAST_STAGE


def base_prices(case: Case, journeys: Journeys) -> list[FloatArray]:
    """Prices of limits whose cuts are plain: all of an item; all days of a link, of a place's vehicles, of its room."""
    limit, subject = journeys.limit, journeys.subject
    found: list[FloatArray] = []
    item_of = np.array([lot.item for lot in case.lots] or [0])
    is_lot = limit == Limit.LOT
    item = np.where(is_lot, item_of[np.where(is_lot, subject, 0)], -1)
    found += [(item == k).astype(np.float64) for k in np.unique(item[is_lot])]
    for kind in sorted({int(k) for k in limit} - {int(Limit.LOT), int(Limit.ASKED)}):
        here = limit == kind
        found += [(here & (subject == s)).astype(np.float64) for s in np.unique(subject[here])]
    return found


def waste_columns(case: Case, journeys: Journeys) -> tuple[FloatArray, float]:
    """Kilograms that one unit on each journey saves from expiring within the horizon, and all that would expire."""
    kg = np.array([case.items[lot.item].kg for lot in case.lots])
    ends = np.array([lot.last is not None and lot.last < case.days for lot in case.lots], dtype=bool)
    quantity = np.array([lot.quantity for lot in case.lots], dtype=np.float64)
    if not len(kg):
        return np.zeros(0), 0.0
    return np.where(ends, kg, 0.0)[journeys.lot], float((quantity * kg)[ends].sum())


def travel_columns(case: Case, journeys: Journeys) -> FloatArray:
    """Tonne-hours of one unit on each journey: float64 (n_columns,)."""
    kg = np.array([case.items[lot.item].kg for lot in case.lots] or [0.0])
    minutes = np.array([*(link.minutes for link in case.links), 0.0])  # position −1: no link
    return np.asarray(kg[journeys.lot] * (minutes[journeys.link] + minutes[journeys.link2]) / 60_000)


def age_columns(case: Case, journeys: Journeys) -> FloatArray:
    """Tonnes times days, at most a year, until one unit on each journey would have expired: float64 (n_columns,)."""
    kg = np.array([case.items[lot.item].kg for lot in case.lots] or [0.0])
    ends = [min((d for d in (lot.use_by, lot.best_before) if d is not None), default=None) for lot in case.lots]
    days = np.array([365 if end is None else min(365, max(0, (end - case.start).days)) for end in ends] or [0])
    return np.asarray(kg[journeys.lot] * days[journeys.lot] / 1_000)


def wait_columns(case: Case, journeys: Journeys) -> FloatArray:
    """Tonnes times days from the first until one unit on each journey is handed over: float64 (n_columns,)."""
    kg = np.array([case.items[lot.item].kg for lot in case.lots] or [0.0])
    return np.asarray(kg[journeys.lot] * journeys.handed / 1_000)


def changed_columns(case: Case, journeys: Journeys) -> FloatArray:
    """Kilograms of one unit on each journey that an earlier plan had not: float64 (n_columns,); 0 without a plan."""
    if not case.planned:
        return np.zeros(journeys.n_columns)
    kg = np.array([item.kg for item in case.items] or [0.0])[journeys.goal_item][journeys.goal]
    to = np.array([link.to for link in case.links] or [0])[journeys.link]
    kept = [key in case.planned for key in zip(journeys.lot.tolist(), to.tolist(), journeys.day.tolist(), strict=True)]
    return np.where(np.array(kept, dtype=bool) | (journeys.link == NO_LINK), 0.0, kg)


def goals_of(journeys: Journeys) -> Goals:
    """Fill rates by item and centre."""
    ones = np.ones(journeys.n_goals)
    return Goals(journeys.matrix, journeys.room, journeys.goal, journeys.asked, journeys.asked, ones)


def relax(case: Case, journeys: Journeys, stop: Stop, progress: Progress | None = None) -> Relaxed:
    """Go through all stages with packs that may be split; stopped early, later stages are left out."""
    progress = progress or Silent()
    prices = base_prices(case, journeys)
    goals, stages = goals_of(journeys), []
    minima = np.ones(len(case.requests))
    wanted = np.array([r.minimum for r in case.requests], dtype=np.float64)
    if wanted.any():
        first = _minima(case, journeys, wanted, prices, stop, progress)
        minima[first[0]] = first[1].fill[first[2]]
        stages.append(_lowest("minima", first[1], wanted[first[0]] > 0, first[2]))
        goals = _held(journeys, goals, minima * wanted)
        prices = [np.r_[price, np.zeros(len(goals.room) - len(price))] for price in prices]
    delivery = Delivery(goals, stop)
    shares = fair_shares(delivery, prices, progress)
    stages.append(_lowest("fair shares", shares, shares.bound >= 0, np.arange(len(shares.bound))))
    if not shares.proven:
        return Relaxed(shares.x, shares, minima, tuple(stages))
    kg = np.array([item.kg for item in case.items])[journeys.goal_item] if journeys.n_goals else np.zeros(0)
    served = float((shares.fill * goals.asked) @ kg)
    bound = float((shares.bound * goals.asked) @ kg)
    # At the leximin point nobody can have more without somebody else having less: nothing is left to decide.
    asked = float(goals.asked @ kg)
    stages.append(Stage("served", "kg", served, max(served, bound), _same(served, bound, asked)))
    got = np.bincount(journeys.goal, weights=shares.x, minlength=journeys.n_goals).astype(np.float64)
    delivery.at_least(got)
    x = shares.x
    saved, at_risk = waste_columns(case, journeys)
    todo = (
        ("waste", "kg", -saved, at_risk),
        *((("change", "kg", changed_columns(case, journeys), 0.0),) if case.planned else ()),
        ("travel", "tonne-hours", travel_columns(case, journeys), 0.0),
        ("first what expires first", "tonne-days", age_columns(case, journeys), 0.0),
        (LAST_STAGE, "tonne-days", wait_columns(case, journeys), 0.0),
    )
    with progress.step("waste and travel", len(todo)) as tick:
        for name, unit, cost, constant in todo:
            if not cost.any():
                stages.append(Stage(name, unit, constant, constant, True))
                continue
            status, value, bound = delivery.least(cost)
            if status is not LpStatus.OPTIMAL:
                break
            x = delivery.x
            delivery.keep(cost, value)
            proven = _same(value, max(bound, -constant), abs(constant))
            # None of them can be below zero, whatever rounding says.
            value, bound = max(0.0, constant + value), max(0.0, constant + min(value, bound))
            stages.append(Stage(name, unit, value, bound, proven))
            tick(1, name)
    return Relaxed(x, shares, minima, tuple(stages))


def _same(value: float, bound: float, beside: float = 0.0) -> bool:
    return abs(value - bound) <= SAME * max(abs(value), beside, 1e-9)


def _lowest(name: str, shares: FairShares, counted: BoolArray, goal: IntArray) -> Stage:
    """A leximin stage by its lowest fill rate among what can be served at all."""
    fill, bound = shares.fill[goal][counted], shares.bound[goal][counted]
    some = bound > NOTHING
    if not some.any():
        return Stage(name, "lowest fill rate", 0.0, 0.0, shares.proven)
    value, most = float(fill[some].min()), float(bound[some].min())
    return Stage(name, "lowest fill rate", value, max(value, most), shares.proven)


def _minima(
    case: Case, journeys: Journeys, wanted: FloatArray, prices: list[FloatArray], stop: Stop, progress: Progress
) -> tuple[BoolArray, FairShares, IntArray]:
    """Fair shares of the minima: which requests have one, the shares, and the goal of each of those."""
    order = np.lexsort((np.arange(len(case.requests)), journeys.goal_of_request))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    quantity = np.array([r.quantity for r in case.requests], dtype=np.float64)[order]
    target = np.where(wanted[order] > 0, wanted[order], quantity)
    goal = rank[journeys.request].astype(np.int32)
    goals = Goals(journeys.matrix, journeys.room, goal, target, quantity, (wanted[order] > 0).astype(np.float64))
    shares = fair_shares(Delivery(goals, stop), prices, progress)
    has = wanted > 0
    return has, shares, rank[has]


def _held(journeys: Journeys, goals: Goals, least: FloatArray) -> Goals:
    """The same goals, with at least so much for each request, base units."""
    some = np.flatnonzero(least > 0)
    if not len(some):
        return goals
    row = np.full(len(least), -1)
    row[some] = np.arange(len(some))
    of = row[journeys.request]
    columns = np.flatnonzero(of >= 0)
    extra = csc_array((-np.ones(len(columns)), (of[columns], columns)), shape=(len(some), journeys.n_columns))
    room = np.r_[goals.room, -least[some] * (1 - 1e-10)]
    return replace(goals, matrix=csc_array(vstack([goals.matrix, extra])), room=room)
