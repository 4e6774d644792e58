"""Measures of access: how far people walk, all people in the denominator and nobody weighted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nearer.demand import Demand
from nearer.network import TravelTimes
from nearer.planning import document
from nearer.planning.access import Access, PointTimes, two_open
from nearer.planning.equity import equity
from nearer.units import MS_PER_MIN, NO_SITE, UNREACHED, BoolArray, FloatArray, IntArray, minutes_to_ms

USUAL_MINUTES = (5.0, 10.0, 15.0, 20.0, 30.0)


def thresholds(coverage_min: float, limit_ms: int) -> tuple[float, ...]:
    """Minutes that shares of people are given for: the usual ones within the limit, and the study's own."""
    usual = {minutes for minutes in USUAL_MINUTES if minutes_to_ms(minutes) <= limit_ms}
    return tuple(sorted(usual | {float(coverage_min)}))


def minutes_key(minutes: float) -> str:
    """A number of minutes as a key of ``within``: "15", "7.5"."""
    return f"{minutes:g}"


def measure(
    people: FloatArray,
    time_ms: IntArray,
    minutes: Sequence[float],
    unreached_ms: int,
    kappa_per_min: float | None = None,
) -> document.Measures:
    """
    Access of some people.

    Parameters
    ----------
    people, time_ms
        People and their time, arrays of one shape, ``UNREACHED`` where out of reach.
    minutes
        Thresholds of ``within``.
    unreached_ms
        What a person out of reach counts as in ``mean_min``.
    kappa_per_min
        κ of the measures of equity; None to leave them out.
    """
    people, time_ms = people.ravel(), time_ms.ravel()
    reached = (time_ms != UNREACHED) & (people > 0)
    everyone = math.fsum(people)
    near, walks = people[reached], time_ms[reached]
    walked_ms, arrived = math.fsum(near * walks), math.fsum(near)
    unreached = math.fsum(people[time_ms == UNREACHED])

    def share(part: float) -> float:
        return min(part / everyone, 1.0) if everyone > 0 else 0.0

    even = None if kappa_per_min is None else equity(people, time_ms, unreached_ms, kappa_per_min)
    return document.Measures(
        people=everyone,
        mean_min=(walked_ms + unreached * unreached_ms) / everyone / MS_PER_MIN if everyone > 0 else 0.0,
        mean_min_reached=walked_ms / arrived / MS_PER_MIN if arrived > 0 else None,
        within={minutes_key(m): share(math.fsum(near[walks <= minutes_to_ms(m)])) for m in minutes},
        farthest_min=int(walks.max()) / MS_PER_MIN if len(walks) else None,
        unreached=unreached,
        **({} if even is None else even._asdict()),
    )


def group_rows(demand: Demand, access: Access) -> dict[str, tuple[FloatArray, IntArray]]:
    """
    People and times of each group.

    A group with a walking speed of its own has its own times; any other is taken to walk like everyone else, at the
    points where it lives.
    """
    rows = {}
    for g, name in enumerate(demand.groups):
        c = demand.class_names.index(name) if name in demand.class_names else 0
        rows[name] = demand.people[g], access.time_ms[c]
    return rows


def measure_access(
    demand: Demand,
    access: Access,
    minutes: Sequence[float],
    unreached_ms: int,
    cut_off: float,
    kappa_per_min: float | None = None,
) -> document.Access:
    """Access of everyone and of each group; ``cut_off`` people are reached by no site at all."""
    everyone = measure(access.people, access.time_ms, minutes, unreached_ms, kappa_per_min)
    groups = {
        name: measure(people, time_ms, minutes, unreached_ms, kappa_per_min)
        for name, (people, time_ms) in group_rows(demand, access).items()
    }
    return document.Access(**everyone.model_dump(), unreachable_from_any_site=cut_off, groups=groups)


def covered(demand: Demand, access: Access, coverage_min: float) -> document.Covered:
    """Who has one open site, and who two, within some minutes: everyone and each group."""
    near_ms = minutes_to_ms(coverage_min)
    first, second = group_rows(demand, access), group_rows(demand, replace(access, time_ms=access.next_ms))

    def share(people: FloatArray, time_ms: IntArray) -> float:
        everyone = math.fsum(people.ravel())
        return min(math.fsum(people[time_ms <= near_ms]) / everyone, 1.0) if everyone > 0 else 0.0

    return document.Covered(
        once=share(access.people, access.time_ms),
        twice=share(access.people, access.next_ms),
        groups={
            name: document.CoveredShares(once=share(*first[name]), twice=share(*second[name])) for name in demand.groups
        },
    )


def people_cut_off(demand: Demand, class_times: Sequence[TravelTimes | PointTimes], usable_mask: BoolArray) -> float:
    """People whom none of the usable sites reaches, open or not."""
    total = []
    for people, times in zip(demand.class_people, class_times, strict=True):
        site, _, _ = two_open(times, usable_mask)
        total.append(math.fsum(people[site == NO_SITE]))
    return math.fsum(total)


def curve(demand: Demand, before: Access, after: Access, limit_ms: int) -> document.Curve:
    """Share of people within 0, ½, 1 … minutes up to the limit, in whole minutes where that is more than an hour."""
    limit_min = limit_ms / MS_PER_MIN
    step = 0.5 if limit_min <= 60 else 1.0
    minutes = [k * step for k in range(int(limit_min / step) + 1)]
    edges = np.array([minutes_to_ms(m) for m in minutes])

    def shares(people: FloatArray, time_ms: IntArray) -> list[float]:
        people, time_ms = people.ravel(), time_ms.ravel()
        everyone = math.fsum(people)
        if everyone <= 0:
            return [0.0] * len(edges)
        order = np.argsort(time_ms, kind="stable")
        filled = np.concatenate([[0.0], np.cumsum(people[order])])
        reached = filled[np.searchsorted(time_ms[order], edges, side="right")]
        return [min(float(value) / everyone, 1.0) for value in reached]

    rows_before, rows_after = group_rows(demand, before), group_rows(demand, after)
    return document.Curve(
        minutes=minutes,
        before=shares(before.people, before.time_ms),
        after=shares(after.people, after.time_ms),
        groups={
            name: {"before": shares(*rows_before[name]), "after": shares(*rows_after[name])} for name in demand.groups
        },
    )
