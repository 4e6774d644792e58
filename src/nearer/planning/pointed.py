"""Travel times of points held in regions, and what plans ask of them; see ``nearer.solvers.regions``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from nearer.model import Instance
from nearer.model.build import instance_of_points
from nearer.network import TravelTimes
from nearer.network.parted import Parted
from nearer.planning.access import rows_of, two_open
from nearer.solvers.regions import Arrays, Held, Region, Regions, Span
from nearer.units import BoolArray, FloatArray, IntArray


@dataclass
class Points:
    """
    Some neighbouring points, as a region.

    Parameters
    ----------
    times
        Theirs, to all sites.
    weight
        float64 (n_points,).
    unreached_ms
        What a person out of reach counts as.
    """

    times: TravelTimes
    weight: FloatArray
    unreached_ms: int

    def instance(self, standing: IntArray) -> Instance:
        """A row for each point that weighs anything."""
        return instance_of_points(self.times, self.weight, np.array(standing), self.unreached_ms)


@dataclass(frozen=True)
class InParts:
    """
    Regions of points whose times lie in parts.

    Parameters
    ----------
    parted
        The parts.
    weight_file
        Weight of every point, ``.npy``, in a folder that workers see.
    cuts
        First point of each region, and the end.
    unreached_ms
        What a person out of reach counts as.
    """

    parted: Parted
    weight_file: Path
    cuts: tuple[int, ...]
    unreached_ms: int

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.cuts) - 1

    def load(self, first: int, last: int) -> Sequence[Held]:
        """As ``Source`` says: each part is read once, and no more of it kept than is asked for."""
        begin = self.cuts[first]
        times = self.parted.points(begin, self.cuts[last])
        weight = np.load(self.weight_file, mmap_mode="r", allow_pickle=False)
        return [
            Points(times.between(a - begin, b - begin), np.array(weight[a:b]), self.unreached_ms)
            for a, b in pairwise(self.cuts[first : last + 1])
        ]


class TimesElsewhere:
    """
    Travel times held in regions, as far as plans ask for them.

    Parameters
    ----------
    regions
        Of ``Points``.
    cuts
        First point of each region, and the end.
    limit_ms
        As in ``TravelTimes``.
    """

    def __init__(self, regions: Regions, cuts: Sequence[int], limit_ms: int) -> None:
        self._regions, self._spans, self.limit_ms = regions, list(pairwise(cuts)), limit_ms

    def two_open(self, open_mask: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
        """As ``access.two_open``."""
        found = self._regions.ask(nearest_of_points, plan=open_mask)
        site, time_ms, next_ms = (np.concatenate([one[name] for one in found]) for name in ("site", "time", "next"))
        return site, time_ms, next_ms

    def rows_of(self, points: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """As ``access.rows_of``; ``points`` ascend."""
        found = self._regions.ask(pairs_of_points, self._spans, points=points)
        owner, site, time_ms = (np.concatenate([one[name] for one in found]) for name in ("owner", "site", "time"))
        return owner, site, time_ms


def nearest_of_points(region: Region, span: Span, plan: BoolArray) -> Arrays:
    """First and second open site of a region's points."""
    assert isinstance(region.held, Points)
    site, time_ms, next_ms = two_open(region.held.times, np.array(plan))
    return {"site": site, "time": time_ms, "next": next_ms}


def pairs_of_points(region: Region, span: Span, points: IntArray) -> Arrays:
    """All pairs of those of some points that are the region's."""
    assert isinstance(region.held, Points)
    first, last = np.searchsorted(points, span)
    owner, site, time_ms = rows_of(region.held.times, np.array(points[first:last]) - span[0])
    return {"owner": owner + first, "site": site, "time": time_ms}
