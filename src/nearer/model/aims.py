"""
Aims: what is to be made small or large, as a cost per person that grows with the time to the nearest open site.

Each is a p-median on transformed times (``docs/objectives.md``), so that one method and one certificate serve all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nearer.model.instance import Instance
from nearer.units import MS_PER_MIN, BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Aim:
    """
    One aim on the rows of an instance of times.

    Parameters
    ----------
    name, unit
        As ``plan.json`` says them.
    weight
        People of each row as the aim counts them, float64 (n_rows,).
    cost_of
        Times in milliseconds → cost per person, never falling.
    unserved
        Cost per person where no open site is within reach; nothing costs more.
    value_of
        Total cost → value in ``unit``.
    bound_of
        Lower bound of the total cost → bound of the value, rounded to the safe side.
    size_of
        Total cost → the difference in total cost that makes a relative gap of 1, or less than that.
    total_of
        Value → total cost: the inverse of ``value_of``.
    maximise
        Whether larger values are better.
    """

    name: str
    unit: str
    weight: FloatArray
    cost_of: Callable[[IntArray | FloatArray], FloatArray | IntArray]
    unserved: float
    value_of: Callable[[float], float]
    bound_of: Callable[[float], float]
    size_of: Callable[[float], float]
    total_of: Callable[[float], float]
    maximise: bool = False

    def paid(self, time_ms: FloatArray) -> FloatArray:
        """Weighted cost of each row at a time in milliseconds, ``inf`` where out of reach; float64 (n_rows,)."""
        reached = np.isfinite(time_ms)
        each = np.full(len(time_ms), self.unserved)
        each[reached] = np.minimum(self.cost_of(time_ms[reached].astype(np.int64)), self.unserved)
        return np.asarray(self.weight * each)

    def total(self, time_ms: FloatArray) -> float:
        """Total cost of the rows at these times, the correctly rounded sum."""
        return math.fsum(self.paid(time_ms))


def travel(weight: FloatArray, unreached_ms: int) -> Aim:
    """Least sum of minutes; the unreached count at ``unreached_ms``."""
    return Aim(
        "travel",
        "person-minutes",
        weight,
        lambda time_ms: time_ms,
        float(unreached_ms),
        value_of=lambda total: total / MS_PER_MIN,
        bound_of=lambda total: max(total, 0.0) / MS_PER_MIN,
        size_of=abs,
        total_of=lambda value: value * MS_PER_MIN,
    )


def coverage(weight: FloatArray, full_ms: int, none_ms: int, name: str = "coverage") -> Aim:
    """
    Most people near: each counts 1 up to ``full_ms``, 0 from ``none_ms``, and in between a share that falls linearly.

    With both equal, who is exactly as far still counts whole (Church, ReVelle 1974; gradual: Berman, Krass, Drezner
    2003). What is made small is what is missing, in whole units where people are.
    """
    span = max(none_ms - full_ms, 1)
    everyone = math.fsum(weight)
    slack = 0.0 if span == 1 and np.all(weight % 1 == 0) else 4e-16 * everyone

    def missing(time_ms: IntArray | FloatArray) -> IntArray:
        if none_ms <= full_ms:
            return (np.asarray(time_ms) > full_ms).astype(np.int64)
        return np.clip(np.asarray(time_ms, dtype=np.int64) - full_ms, 0, span)

    def covered(total: float) -> float:
        return max(everyone - total / span, 0.0)

    return Aim(
        name,
        "people",
        weight,
        missing,
        float(span),
        value_of=covered,
        bound_of=lambda total: min(everyone - max(total, 0.0) / span + (slack if total > 0 else 0.0), everyone),
        size_of=lambda total: covered(total) * span * (1 - 1e-6),
        total_of=lambda value: (everyone - value) * span,
        maximise=True,
    )


def unreached(people: FloatArray) -> Aim:
    """Fewest people out of reach of every open site, everyone counted once."""
    return Aim(
        "unreached",
        "people",
        people,
        lambda time_ms: np.zeros(len(time_ms), dtype=np.int64),
        1.0,
        value_of=lambda total: total,
        bound_of=lambda total: max(total, 0.0),
        size_of=abs,
        total_of=lambda value: value,
    )


def equal(weight: FloatArray, kappa_per_min: float, top_ms: int, unreached_ms: int) -> Aim:
    """
    Least Kolm-Pollak equally-distributed equivalent, ``(1/κ) ln Σ (w/W) exp(κ t)`` (Kolm 1976; Logan et al. 2021).

    What is made small is ``Σ w exp(κ (t − top))``, which has the same order and does not overflow.

    Parameters
    ----------
    kappa_per_min
        κ, above 0.
    top_ms
        A time that nobody's exceeds, nor, where sites only open, will.
    """
    kappa = kappa_per_min / MS_PER_MIN
    everyone = math.fsum(weight)

    def ede_ms(total: float) -> float:
        if total <= 0 or everyone <= 0:
            return 0.0
        return max(top_ms + math.log(total / everyone) / kappa, 0.0)

    def least_ms(total: float) -> float:
        if total <= 0 or everyone <= 0:
            return 0.0
        part = math.log(total / everyone) / kappa
        return max(top_ms + part - 1e-15 * (top_ms + abs(part) + 2 / kappa), 0.0)

    def size(total: float) -> float:
        span = kappa * ede_ms(total)
        return total * span / (1.0 + span)

    return Aim(
        "equal",
        "minutes",
        weight,
        lambda time_ms: np.exp(kappa * (np.minimum(time_ms, unreached_ms) - float(top_ms))),
        math.exp(min(kappa * (unreached_ms - top_ms), 700.0)),  # nobody is unserved where this is cut
        value_of=lambda total: ede_ms(total) / MS_PER_MIN,
        bound_of=lambda total: least_ms(total) / MS_PER_MIN,
        size_of=size,
        total_of=lambda value: everyone * math.exp(kappa * (value * MS_PER_MIN - top_ms)),
    )


def kappa_of(people: FloatArray, minutes: FloatArray) -> float:
    """
    κ per minute, scaled from a situation: Σ p·t / Σ p·t² (Logan et al. 2021, with an aversion of 1).

    So scaled, κ t is 1 for a typical time and the same plan is best whatever the unit. Where everybody is at 0 minutes
    κ is 1, which then changes nothing.

    Parameters
    ----------
    people, minutes
        People and their times today, those out of reach at ``unreached_min``; any order gives the same bits.
    """
    moment, square = math.fsum(people * minutes), math.fsum(people * minutes * minutes)
    return moment / square if square > 0 else 1.0


def times_to_open(times: Instance, open_mask: BoolArray) -> FloatArray:
    """Milliseconds of each row to the nearest open site, ``inf`` where none is within reach; float64 (n_rows,)."""
    found = np.full(times.n_rows, np.inf)
    hit = open_mask[times.site_idx]
    rows = np.repeat(np.arange(times.n_rows), np.diff(times.indptr))
    np.minimum.at(found, rows[hit], np.asarray(times.cost, dtype=np.float64)[hit])
    return found
