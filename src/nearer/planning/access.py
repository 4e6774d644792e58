"""Who is nearest to which open site: the step that every measure of a plan starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nearer.demand import Demand
from nearer.network import TravelTimes
from nearer.units import NO_SITE, UNREACHED, BoolArray, FloatArray, IntArray, ranges

_ROWS_AT_ONCE = 20_000
"""So that what is held on the way does not grow with the number of rows."""


def first_two(indptr: IntArray, site_idx: IntArray, open_mask: BoolArray) -> tuple[IntArray, IntArray]:
    """
    Positions, in the arrays of pairs, of each row's cheapest and second cheapest open site.

    Parameters
    ----------
    indptr, site_idx
        Sparse rows sorted by cost, then site: int64 (n_rows + 1,), int32 (n_pairs,).
    open_mask
        Which sites are open, bool (n_sites,).

    Returns
    -------
    first, second
        int64 (n_rows,), -1 where there is none. Ties go to the lowest site.
    """
    n_rows = len(indptr) - 1
    first = np.full(n_rows, -1, dtype=np.int64)
    second = first.copy()
    for begin in range(0, n_rows, _ROWS_AT_ONCE):
        part = indptr[begin : begin + _ROWS_AT_ONCE + 1]
        hits = np.flatnonzero(open_mask[site_idx[part[0] : part[-1]]]) + part[0]
        row = begin + np.searchsorted(part, hits, side="right") - 1
        starts = np.ones(len(hits), dtype=bool)
        starts[1:] = row[1:] != row[:-1]
        first[row[starts]] = hits[starts]
        follows = np.flatnonzero(starts[:-1] & ~starts[1:]) + 1
        second[row[follows]] = hits[follows]
    return first, second


def pairs_of(indptr: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Positions of all pairs of some rows, and for each the place of its row in ``rows``; both int64."""
    counts = indptr[rows + 1] - indptr[rows]
    owner = np.repeat(np.arange(len(rows)), counts)
    return ranges(indptr[rows], counts), owner


class PointTimes(Protocol):
    """Travel times that do not lie here, as far as plans ask for them."""

    limit_ms: int

    def two_open(self, open_mask: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
        """As the function of that name."""

    def rows_of(self, points: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """As the function of that name; ``points`` ascend."""


def two_open(times: TravelTimes | PointTimes, open_mask: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """
    Nearest open site of each point, its time, and the time to the second nearest, int32 (n_points,) each.

    ``NO_SITE`` and ``UNREACHED`` where there is none.
    """
    if not isinstance(times, TravelTimes):
        return times.two_open(open_mask)
    site = np.full(times.n_points, NO_SITE, dtype=np.int32)
    time, following = (np.full(times.n_points, UNREACHED, dtype=np.int32) for _ in range(2))
    first, second = first_two(times.indptr, times.site_idx, open_mask)
    reached, twice = first >= 0, second >= 0
    site[reached] = times.site_idx[first[reached]]
    time[reached] = times.time_ms[first[reached]]
    following[twice] = times.time_ms[second[twice]]
    return site, time, following


def rows_of(times: TravelTimes | PointTimes, points: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """All pairs of some points: the place of each one's point in ``points``, its site, its milliseconds."""
    if not isinstance(times, TravelTimes):
        return times.rows_of(points)
    pairs, owner = pairs_of(times.indptr, points)
    return owner, times.site_idx[pairs], times.time_ms[pairs]


def sum_by(label: IntArray, values: FloatArray, n_labels: int) -> FloatArray:
    """Sum of the values of each label, float64 (n_labels,), added in their order."""
    return np.asarray(np.bincount(label, weights=values, minlength=n_labels), dtype=np.float64)


@dataclass(frozen=True)
class Access:
    """
    Nearest open site of each speed class at each point.

    Parameters
    ----------
    people
        People, float64 (n_classes, n_points).
    site_idx
        Nearest open site, int32 (n_classes, n_points), ``NO_SITE`` where none is within reach.
    time_ms
        Its time, int32 (n_classes, n_points), ``UNREACHED`` there.
    next_ms
        Time to the second nearest open site, likewise.
    """

    people: FloatArray
    site_idx: IntArray
    time_ms: IntArray
    next_ms: IntArray

    @classmethod
    def to_open(cls, demand: Demand, class_times: Sequence[TravelTimes | PointTimes], open_mask: BoolArray) -> Access:
        """Send everyone to the nearest open site."""
        shape = demand.class_people.shape
        site = np.full(shape, NO_SITE, dtype=np.int32)
        time, following = (np.full(shape, UNREACHED, dtype=np.int32) for _ in range(2))
        for c, times in enumerate(class_times):
            site[c], time[c], following[c] = two_open(times, open_mask)
        return cls(demand.class_people, site, time, following)

    def counted_ms(self, unreached_ms: int) -> FloatArray:
        """Times with the unreached at ``unreached_ms``, float64 (n_classes, n_points)."""
        return np.where(self.time_ms == UNREACHED, float(unreached_ms), self.time_ms.astype(np.float64))

    def minutes(self) -> FloatArray:
        """Mean minutes of the people of each point who reach a site, float64 (n_points,); NaN where nobody does."""
        return mean_minutes(self.people, self.time_ms)

    def main_site(self) -> IntArray:
        """Site of the largest class of each point, int32 (n_points,); ties go to the first class."""
        largest = np.argmax(self.people, axis=0)
        return np.asarray(self.site_idx[largest, np.arange(self.people.shape[1])])

    def people_per_site(self, n_sites: int) -> FloatArray:
        """People nearest to each site, float64 (n_sites,)."""
        reached = self.site_idx != NO_SITE
        return sum_by(self.site_idx[reached], self.people[reached], n_sites)


def mean_minutes(people: FloatArray, time_ms: IntArray) -> FloatArray:
    """Mean minutes over the first axis of those within reach, weighted by people; NaN where there are none."""
    people = np.where(time_ms == UNREACHED, 0.0, people)
    total = people.sum(axis=0)
    with np.errstate(invalid="ignore"):
        # the share first: a single class then keeps its time to the last bit
        return np.asarray((people / total * time_ms).sum(axis=0) / 60_000.0)
