"""How many centres an area calls for, as a range: from its people alone, and from its people and extent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from nearer.planning.access import sum_by
from nearer.planning.gapareas import SQUARE_M, Spots
from nearer.units import FloatArray

SERVED = 0.95
"""A cover is complete when so large a share of those who lack a place has one: not every farm calls for a centre."""
_SLACK = 1e-9


@dataclass(frozen=True)
class Level:
    """A size of centre: its name, and how many people it is for."""

    name: str
    capacity: float


@dataclass(frozen=True)
class Sizing:
    """
    How many centres of one level an area calls for.

    Parameters
    ----------
    level
        The level.
    low
        So many at least: people who lack a place, shared among as many as each is for.
    high
        So many do: centres put one after the other where most of them live, each for those within its reach and no
        more than it is for, until ``SERVED`` of them have a place.
    """

    level: Level
    low: int
    high: int


def size_area(xy: FloatArray, lacking: FloatArray, reach_m: float, levels: Sequence[Level]) -> list[Sizing]:
    """
    Size an area for each level.

    Parameters
    ----------
    xy
        Points of the area, metres, float64 (n_points, 2).
    lacking
        People × shortfall at each, float64 (n_points,).
    reach_m
        Straight metres that the standard's minutes carry people.
    levels
        Sizes of centre, each for more than nobody.
    """
    total = math.fsum(lacking)
    found = []
    for level in levels:
        low = max(1, math.ceil(total / level.capacity - _SLACK)) if total > 0 else 0
        found.append(Sizing(level, low, max(low, _cover(xy, lacking, reach_m, level.capacity))))
    return found


def _cover(xy: FloatArray, lacking: FloatArray, reach_m: float, capacity: float) -> int:
    """Centres that a greedy cover takes; each takes the nearest first."""
    spots = Spots.gather(xy, max(SQUARE_M, reach_m / 10))
    left = sum_by(spots.spot, lacking, spots.n)
    rest = (1.0 - SERVED) * float(left.sum())
    tree = cKDTree(spots.xy)
    near = [np.sort(np.array(tree.query_ball_point(spot, reach_m), dtype=np.int64)) for spot in spots.xy]
    n = 0
    while float(left.sum()) > rest + _SLACK:
        within = np.array([min(float(left[hits].sum()), capacity) for hits in near])
        # of places that serve as many, the one where most live
        best = int(np.lexsort((-left, -np.round(within, 6)))[0])
        hits = near[best]
        hits = hits[np.argsort(np.hypot(*(spots.xy[hits] - spots.xy[best]).T), kind="stable")]
        before = np.cumsum(left[hits]) - left[hits]
        left[hits] -= np.clip(capacity - before, 0.0, left[hits])
        n += 1
    return n
