"""From demand and travel times to an ``Instance``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nearer.demand import Demand
from nearer.model.instance import FORBIDDEN, FREE, OPEN, Instance, single_phase
from nearer.network import TravelTimes
from nearer.units import BoolArray, FloatArray, IntArray

_POINTS_AT_ONCE = 20_000
"""So that what is held on the way does not grow with the number of points."""


def build_instance(
    demand: Demand,
    class_times: Sequence[TravelTimes],
    standing: IntArray,
    open_min: int,
    open_max: int,
    unreached_ms: int,
    cut: bool = True,
    everyone: bool = False,
) -> Instance:
    """
    One row per speed class and point with weight, costs in whole milliseconds.

    Parameters
    ----------
    demand, class_times
        ``class_times[c]`` holds the times of ``demand.class_names[c]``, points × sites.
    standing
        ``FREE``, ``OPEN`` or ``FORBIDDEN`` per site, int8 (n_sites,).
    open_min, open_max
        Free sites to open, at least and at most.
    unreached_ms
        What a person out of reach counts as.
    cut
        Leave out the sites that can never serve a row because a site that stands open is at least as near. Exact for
        travel, coverage, farthest and equal without capacities, closures or levels, and for nothing else.
    everyone
        Keep rows of people who weigh nothing: rules on all people need them.
    """
    count_parts, site_parts, cost_parts, weights, points, groups = [], [], [], [], [], []
    for group, times in enumerate(class_times):
        weight = demand.class_weight[group]
        lives = (demand.class_people[group] if everyone else weight) > 0
        wanted = np.flatnonzero(lives)
        for first in range(0, times.n_points, _POINTS_AT_ONCE):
            last = min(first + _POINTS_AT_ONCE, times.n_points)
            counts, site_idx, cost = _usable(times, first, last, standing, lives, unreached_ms, cut)
            count_parts.append(counts[lives[first:last]])
            site_parts.append(site_idx)
            cost_parts.append(cost)
        weights.append(weight[wanted])
        points.append(wanted)
        groups.append(np.full(len(wanted), group))
    weight_all = np.concatenate(weights)
    return single_phase(
        indptr=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate(count_parts))]),
        site_idx=np.concatenate(site_parts),
        cost=np.concatenate(cost_parts),
        weight=weight_all,
        unserved=np.full(len(weight_all), float(unreached_ms)),
        standing=standing,
        open_min=open_min,
        open_max=open_max,
        row_point=np.concatenate(points).astype(np.int32),
        row_group=np.concatenate(groups).astype(np.int32),
    )


def instance_of_points(times: TravelTimes, weight: FloatArray, standing: IntArray, unreached_ms: int) -> Instance:
    """One row for each point that weighs anything, cut, as ``build_instance`` makes them of a single class."""
    lives = weight > 0
    found = [
        _usable(times, first, min(first + _POINTS_AT_ONCE, times.n_points), standing, lives, unreached_ms, True)
        for first in range(0, max(times.n_points, 1), _POINTS_AT_ONCE)
    ]
    counts = np.concatenate([one[0] for one in found])[lives]
    return single_phase(
        indptr=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]),
        site_idx=np.concatenate([one[1] for one in found]),
        cost=np.concatenate([one[2] for one in found]),
        weight=weight[lives],
        unserved=np.full(int(lives.sum()), float(unreached_ms)),
        standing=standing,
        open_min=0,
        open_max=int(np.count_nonzero(standing == FREE)),
    )


def _usable(
    times: TravelTimes,
    first: int,
    last: int,
    standing: IntArray,
    lives: BoolArray,
    unreached_ms: int,
    cut: bool,
) -> tuple[IntArray, IntArray, IntArray]:
    """Entries of the points ``first`` to ``last`` that may serve: how many of each point, their sites and times."""
    indptr = times.indptr[first : last + 1]
    part = slice(int(indptr[0]), int(indptr[-1]))
    site_idx, time_ms = times.site_idx[part], times.time_ms[part]
    n = last - first
    rows = np.repeat(np.arange(n), np.diff(indptr))
    stand = standing[site_idx]
    usable = (stand != FORBIDDEN) & lives[first:last][rows] & (time_ms < unreached_ms)
    if cut:
        nearest = np.full(n, unreached_ms, dtype=np.int64)
        first_open = np.zeros(len(rows), dtype=bool)
        # Rows are sorted, so the first open entry of a row is its nearest open site.
        open_at = np.flatnonzero(usable & (stand == OPEN))
        open_at = open_at[np.flatnonzero(np.diff(rows[open_at], prepend=-1))]
        first_open[open_at] = True
        nearest[rows[open_at]] = time_ms[open_at]
        usable &= first_open | ((stand != OPEN) & (time_ms < nearest[rows]))
    return np.bincount(rows[usable], minlength=n), site_idx[usable], time_ms[usable]
