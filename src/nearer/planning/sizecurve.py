"""The best network of every size, in the user's ids: what each further centre brings, and where that falls off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nearer.demand import Demand
from nearer.model import OPEN, relative_gap
from nearer.network import TravelTimes
from nearer.planning.access import Access, first_two
from nearer.planning.curvedoc import CurveSize, Falloff, Nested
from nearer.planning.make import gain_gap
from nearer.planning.measures import measure, minutes_key
from nearer.solvers.sizes import Growing, Sized, Sizes
from nearer.units import MS_PER_MIN, UNREACHED, BoolArray, IntArray, StrArray

SHARES = (0.5, 0.8, 0.9)
RULE = (
    "The last size at which the centre added still brings at least half of what a centre brings on average between "
    "today and the largest size solved; every centre after it brings less than half."
)


class Reach(NamedTuple):
    """Access with some sites open: average minutes of all people, share within the threshold, people out of reach."""

    mean_min: float
    within: float
    unreached: float


class Measurer:
    """
    Measures many networks of one study that all contain what stands open today.

    Parameters
    ----------
    demand, class_times
        People, and uncut times of each class.
    standing
        As in ``Instance``.
    coverage_min, unreached_ms
        What counts as near, and what a person out of reach counts as.
    """

    def __init__(
        self,
        demand: Demand,
        class_times: Sequence[TravelTimes],
        standing: IntArray,
        coverage_min: float,
        unreached_ms: int,
    ) -> None:
        self._demand, self._coverage_min, self._unreached_ms = demand, coverage_min, unreached_ms
        self._times = [nearer_than_standing(times, standing == OPEN) for times in class_times]

    def __call__(self, open_mask: BoolArray) -> Reach:
        """Access of all people with these sites open, bool (n_sites,)."""
        access = Access.to_open(self._demand, self._times, open_mask)
        found = measure(access.people, access.time_ms, (self._coverage_min,), self._unreached_ms)
        return Reach(found.mean_min, found.within[minutes_key(self._coverage_min)], found.unreached)


def nearer_than_standing(times: TravelTimes, stands: BoolArray) -> TravelTimes:
    """Without the pairs that are farther than the nearest site that stands open: nobody goes there."""
    first, _ = first_two(times.indptr, times.site_idx, stands)
    nearest = np.full(times.n_points, UNREACHED, dtype=np.int64)
    has = first >= 0
    nearest[has] = times.time_ms[first[has]]
    rows = np.repeat(np.arange(times.n_points), np.diff(times.indptr))
    keep = times.time_ms <= nearest[rows]
    indptr = np.zeros(times.n_points + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows[keep], minlength=times.n_points), out=indptr[1:])
    return TravelTimes(indptr, times.site_idx[keep], times.time_ms[keep], times.n_sites, times.limit_ms)


def curve_sizes(sizes: Sizes, ids: StrArray, ours: int, measured: Measurer) -> list[CurveSize]:
    """
    Every size in the user's ids, from today to the largest.

    Parameters
    ----------
    sizes
        What was solved; at least one size.
    ids
        Of the sites.
    ours
        Our own centres of today.
    measured
        What a network does for people.
    """
    known = sizes.known()
    before = known[0].value / MS_PER_MIN
    free = sizes.instance.free_mask
    found: list[CurveSize] = []
    last: Sized | None = None
    for one in known:
        solved = one.status is not None
        value, bound = one.value / MS_PER_MIN, one.bound / MS_PER_MIN
        each, least, most = _each(last, one) if solved else (None, None, None)
        reach = measured(one.open_mask)
        found.append(
            CurveSize(
                centres=ours + one.opened,
                opened=one.opened,
                solved=solved,
                status=None if one.status is None else one.status.value,
                value=value,
                bound=bound,
                bound_from=None if one.from_size is None else ours + one.from_size,
                gap=relative_gap(value, bound),
                gain_gap=gain_gap(value, bound, before),
                each_brings=each,
                each_brings_least=least,
                each_brings_most=most,
                **reach._asdict(),
                sites=sorted(str(ids[site]) for site in np.flatnonzero(one.open_mask & free)),
                greedy=_nested(sizes, sizes.greedy, one, measured),
                backwards=None if sizes.backwards is None else _nested(sizes, sizes.backwards, one, measured),
            )
        )
        if solved:
            last = one
    return found


def _each(last: Sized | None, one: Sized) -> tuple[float | None, float | None, float | None]:
    """What each centre since the last size solved brings: as found, at least and at most."""
    if last is None:
        return None, None, None
    more = (one.opened - last.opened) * MS_PER_MIN
    return (
        (last.value - one.value) / more,
        max(last.bound - one.value, 0.0) / more,
        max(last.value - one.bound, 0.0) / more,
    )


def _nested(sizes: Sizes, way: Growing, one: Sized, measured: Measurer) -> Nested:
    value = float(way.value[one.opened])
    mask = sizes.mask_of(way.site[: one.opened])
    return Nested(
        value=value / MS_PER_MIN,
        mean_min=measured(mask).mean_min,
        above_value=(value - one.value) / max(one.value, 1e-9),
        above_bound=(value - one.bound) / max(one.bound, 1e-9),
    )


def falloff(sizes: Sequence[CurveSize]) -> Falloff | None:
    """
    Where returns fall off by the rule; None for fewer than three sizes solved.

    The rule is applied three times: to what was found, and to what is proven at least and at most, so that it is said
    how sure the size is.
    """
    solved = [size for size in sizes if size.solved]
    if len(solved) < 3:
        return None
    first, last = solved[0], solved[-1]
    n = last.opened - first.opened
    average = (first.value - last.value) / n
    low, high = max(first.bound - last.value, 0.0) / n, max(first.value - last.bound, 0.0) / n
    found = _last_above(solved, [size.each_brings for size in solved], average / 2)
    earliest = _last_above(solved, [size.each_brings_least for size in solved], high / 2)
    latest = _last_above(solved, [size.each_brings_most for size in solved], low / 2)
    gain = first.value - last.value
    shares = {
        f"{share:g}": next(size.centres for size in solved if first.value - size.value >= share * gain * (1 - 1e-12))
        for share in SHARES
        if gain > 0
    }
    return Falloff(rule=RULE, average=average, centres=found, earliest=earliest, latest=latest, shares=shares)


def _last_above(sizes: Sequence[CurveSize], brings: Sequence[float | None], least: float) -> int | None:
    enough = [size.centres for size, each in zip(sizes, brings, strict=True) if each is not None and each >= least > 0]
    return max(enough, default=None)
