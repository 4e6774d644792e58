"""How evenly minutes are spread over people: Gini, Kolm-Pollak equivalent, the farthest tenth."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nearer.units import MS_PER_MIN, UNREACHED, FloatArray, IntArray

WORST_SHARE = 0.1
"""Part of people that "the farthest tenth" are."""


class Equity(NamedTuple):
    """Three figures of one spread of minutes, in the names of ``plan.json``."""

    gini: float
    ede_min: float
    worst_decile_min: float


def equity(people: FloatArray, time_ms: IntArray, unreached_ms: int, kappa_per_min: float) -> Equity | None:
    """
    Equity of the minutes of some people; None where there is nobody.

    Parameters
    ----------
    people, time_ms
        People and their time, arrays of one shape, ``UNREACHED`` where out of reach.
    unreached_ms
        What a person out of reach counts as.
    kappa_per_min
        Aversion to inequality of the Kolm-Pollak equivalent ``(1/κ) ln Σ (p/P) exp(κ t)``, above 0.
    """
    minutes = np.where(time_ms == UNREACHED, unreached_ms, time_ms).ravel() / MS_PER_MIN
    order = np.argsort(minutes, kind="stable")
    t, p = minutes[order], people.ravel()[order]
    t, p = t[p > 0], p[p > 0]
    if not len(t):
        return None
    filled = np.cumsum(p)
    everyone, walked = float(filled[-1]), math.fsum(p * t)
    # each person is as often the farther of two as there are people before, and the nearer as there are after
    apart = math.fsum(p * t * (2 * filled - p - everyone))
    gini = apart / (everyone * walked) if walked > 0 else 0.0
    top = float(t[-1])
    mean = math.fsum(p * np.exp(kappa_per_min * (t - top))) / everyone
    last = WORST_SHARE * everyone
    taken = np.clip(last - (everyone - filled), 0.0, p)
    return Equity(max(gini, 0.0), top + math.log(mean) / kappa_per_min, math.fsum(taken * t) / math.fsum(taken))
