"""
Places in reach of people: the two-step floating catchment.

Step 1 shares what each centre offers among everybody within reach of it; step 2 adds up, for each person, the shares of
all centres within reach (Luo & Wang 2003, Environment and Planning B 30, 865-884). With decay, people count less in a
catchment the farther they live, in three zones (Luo & Qi 2009, Health & Place 15, 1100-1107).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nearer.network import TravelTimes
from nearer.planning.access import sum_by
from nearer.units import BoolArray, FloatArray, IntArray

Decay = Literal["none", "slow", "sharp"]

ZONE_WEIGHTS: dict[Decay, tuple[float, float, float]] = {
    "none": (1.0, 1.0, 1.0),
    "slow": (1.0, 0.68, 0.22),
    "sharp": (1.0, 0.42, 0.09),
}
"""What a journey counts in the first, second and last third of the catchment (Luo & Qi 2009: slow and sharp steps)."""

_NOISE = 1e-9  # a shortfall no larger than this share is that of floating-point sums


def decay_weight(time_ms: IntArray, within_ms: int, decay: Decay) -> FloatArray:
    """
    What a journey counts, float64 of the shape of ``time_ms``; 0 beyond ``within_ms``.

    Each third of the catchment includes its upper end.
    """
    zone = np.searchsorted(np.array([within_ms, 2 * within_ms, 3 * within_ms]), 3 * time_ms.astype(np.int64))
    return np.append(ZONE_WEIGHTS[decay], 0.0)[zone]


@dataclass(frozen=True)
class Reach:
    """
    Pairs of points and sites within the catchment, of one class of people.

    Parameters
    ----------
    point_idx, site_idx
        int64 (n_pairs,), in the order of points.
    weight
        What the journey counts, float64 (n_pairs,).
    """

    point_idx: IntArray
    site_idx: IntArray
    weight: FloatArray

    @classmethod
    def within(cls, times: TravelTimes, site_mask: BoolArray, within_ms: int, decay: Decay) -> Reach:
        """Pairs of some sites, no farther than ``within_ms``."""
        at = np.flatnonzero((times.time_ms <= within_ms) & site_mask[times.site_idx])
        point = np.searchsorted(times.indptr, at, side="right") - 1
        return cls(point, times.site_idx[at].astype(np.int64), decay_weight(times.time_ms[at], within_ms, decay))

    def of(self, keep: BoolArray) -> Reach:
        """Some of the pairs, bool (n_pairs,)."""
        return Reach(self.point_idx[keep], self.site_idx[keep], self.weight[keep])


@dataclass(frozen=True)
class Catchment:
    """
    What is in reach of whom.

    Parameters
    ----------
    need
        People who need a place, float64 (n_classes, n_points).
    reach
        Pairs of each class with every site that is open or may open.
    demand
        Weighted people in the catchment of each site, float64 (n_sites,).
    ratio
        Places per person of each site's catchment if it is open, float64 (n_sites,); 0 where nobody is in reach.
    count
        Open sites in reach, int64 (n_classes, n_points).
    supply
        Places per person in reach, float64 (n_classes, n_points): at least 1 where the standard is met.
    """

    need: FloatArray
    reach: tuple[Reach, ...]
    demand: FloatArray
    ratio: FloatArray
    count: IntArray
    supply: FloatArray

    @property
    def shortfall(self) -> FloatArray:
        """Share of a place that a person lacks, 0 … 1, float64 (n_classes, n_points)."""
        return shortfall(self.supply)

    @property
    def lacking(self) -> FloatArray:
        """People × shortfall, float64 (n_classes, n_points)."""
        return self.need * self.shortfall


def shortfall(supply: FloatArray) -> FloatArray:
    """Share of a place that a person lacks, given places per person in reach."""
    lack = 1.0 - supply
    return np.where(lack > _NOISE, lack, 0.0)


def floating_catchment(
    need: FloatArray,
    class_times: Sequence[TravelTimes],
    places: FloatArray,
    open_mask: BoolArray,
    usable_mask: BoolArray,
    within_ms: int,
    decay: Decay = "none",
) -> Catchment:
    """
    Share the places of all open sites among the people within reach.

    What the open sites offer is neither lost nor made: Σ need · supply = Σ places of the open sites that anybody with a
    need can reach.

    Parameters
    ----------
    need
        People who need a place, float64 (n_classes, n_points).
    class_times
        Times of each class, uncut.
    places
        How many people each site is for, float64 (n_sites,).
    open_mask, usable_mask
        Sites that are open, and that are or could be, bool (n_sites,).
    within_ms
        How far a catchment reaches, inclusive.
    decay
        See ``ZONE_WEIGHTS``.
    """
    n_sites, n_points = len(places), need.shape[1]
    usable = usable_mask | open_mask
    reach = tuple(Reach.within(times, usable, within_ms, decay) for times in class_times)
    demand = np.zeros(n_sites)
    for people, pairs in zip(need, reach, strict=True):
        demand += sum_by(pairs.site_idx, people[pairs.point_idx] * pairs.weight, n_sites)
    ratio = np.divide(places, demand, out=np.zeros(n_sites), where=demand > 0)
    count, supply = np.zeros(need.shape, dtype=np.int64), np.zeros(need.shape)
    for c, pairs in enumerate(reach):
        is_open = pairs.of(open_mask[pairs.site_idx])
        count[c] = np.bincount(is_open.point_idx, minlength=n_points)
        supply[c] = sum_by(is_open.point_idx, ratio[is_open.site_idx] * is_open.weight, n_points)
    return Catchment(need, reach, demand, ratio, count, supply)
