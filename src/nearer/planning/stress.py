"""What an outage, a hazard or a surge does to people: who is cut off, who takes over, who has no room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearer.demand import Demand
from nearer.kernels.outage import nearest_with_room
from nearer.network import TravelTimes
from nearer.planning.access import Access, sum_by
from nearer.planning.stress_document import Flow, StressedArea, WithRoom
from nearer.units import MS_PER_MIN, NO_SITE, UNREACHED, BoolArray, FloatArray, StrArray

N_FLOWS = 200
"""Flows written down, those of most people first."""


@dataclass(frozen=True)
class Situation:
    """
    Who lives where, how far everything is, and what is open.

    Parameters
    ----------
    demand
        People and what they weigh.
    class_times
        Uncut times of each speed class, points × sites.
    open_mask
        Sites in service, other providers' included, bool (n_sites,).
    """

    demand: Demand
    class_times: Sequence[TravelTimes]
    open_mask: BoolArray

    def access(self) -> Access:
        """Everyone at the nearest site in service."""
        return Access.to_open(self.demand, self.class_times, self.open_mask)

    def value_ms(self, unreached_ms: int, access: Access | None = None) -> float:
        """The plan's objective, weight × ms, the unreached at ``unreached_ms``."""
        found = self.access() if access is None else access
        return math.fsum((self.demand.class_weight * found.counted_ms(unreached_ms)).ravel())


def newly_cut_off(before: Access, after: Access) -> BoolArray:
    """People's points out of reach after and not before, bool (n_classes, n_points)."""
    return np.asarray((before.time_ms != UNREACHED) & (after.time_ms == UNREACHED))


def longer_mask(before: Access, after: Access) -> BoolArray:
    """Where the walk becomes longer or ends, bool (n_classes, n_points); ``UNREACHED`` is the longest of times."""
    return np.asarray(after.time_ms > before.time_ms)


def cut_off_groups(demand: Demand, cut_mask: BoolArray) -> dict[str, float]:
    """Members of each group at points that are cut off; a group walks with its own class, or with everyone."""
    found = {}
    for g, name in enumerate(demand.groups):
        c = demand.class_names.index(name) if name in demand.class_names else 0
        found[name] = math.fsum(demand.people[g][cut_mask[c]])
    return found


def stressed_areas(names: StrArray, before: Access, after: Access, unreached_ms: int) -> list[StressedArea]:
    """
    What happens to each named area, those with most people cut off first.

    Parameters
    ----------
    names
        Area of each point, "" where unknown.
    before, after
        Nearest sites then and now; people are those of ``after``, so that surges change no walk.
    """
    found, area = np.unique(names.astype(str), return_inverse=True)
    n = len(found)
    people = after.people
    total = sum_by(area, people.sum(axis=0), n)
    cut = sum_by(area, np.where(newly_cut_off(before, after), people, 0.0).sum(axis=0), n)
    longer = sum_by(area, np.where(longer_mask(before, after), people, 0.0).sum(axis=0), n)
    walks = [sum_by(area, (people * access.counted_ms(unreached_ms)).sum(axis=0), n) for access in (before, after)]
    rows = [
        StressedArea(
            name=str(found[a]),
            people=float(total[a]),
            cut_off=float(cut[a]),
            longer=float(longer[a]),
            before_mean_min=float(walks[0][a] / total[a] / MS_PER_MIN),
            after_mean_min=float(walks[1][a] / total[a] / MS_PER_MIN),
        )
        for a in range(n)
        if found[a] and total[a] > 0
    ]
    return sorted(rows, key=lambda row: (-row.cut_off, -row.longer, row.name))


def flows(ids: Sequence[str], before: Access, after: Access) -> list[Flow]:
    """Who goes where instead, most people first, at most ``N_FLOWS``."""
    n = len(ids) + 1  # the last stands for none
    start, end = (
        np.where(before.site_idx < 0, n - 1, before.site_idx),
        np.where(after.site_idx < 0, n - 1, after.site_idx),
    )
    moved = (start != end) & (after.people > 0)
    key = start[moved].astype(np.int64) * n + end[moved]
    pairs, which = np.unique(key, return_inverse=True)
    people = sum_by(which, after.people[moved], len(pairs))
    walked = (before.time_ms[moved] != UNREACHED) & (after.time_ms[moved] != UNREACHED)
    more = np.where(walked, after.time_ms[moved].astype(np.float64) - before.time_ms[moved], 0.0)
    added = sum_by(which, after.people[moved] * more, len(pairs))
    order = np.lexsort((pairs, -people))[:N_FLOWS]

    def name(at: int) -> str | None:
        return None if at == n - 1 else str(ids[at])

    return [
        Flow(
            from_=name(int(pairs[k] // n)),
            to=name(int(pairs[k] % n)),
            people=float(people[k]),
            minutes_more=None if n - 1 in (pairs[k] // n, pairs[k] % n) else float(added[k] / people[k] / MS_PER_MIN),
        )
        for k in order.tolist()
    ]


def only(access: Access, mask: BoolArray) -> Access:
    """The same access, of the people marked alone."""
    return replace(access, people=np.where(mask, access.people, 0.0))


@dataclass(frozen=True)
class Seated:
    """
    Who is served where room is limited.

    Parameters
    ----------
    served
        People served by each site, float64 (n_sites,).
    unmet
        People of each class and point without room, of those within reach, float64 (n_classes, n_points).
    mean_min
        Average minutes of those served; None if nobody is.
    """

    served: FloatArray
    unmet: FloatArray
    mean_min: float | None


def seat(situation: Situation, capacity: FloatArray) -> Seated:
    """
    Send everyone to the nearest open site with room; whoever is nearer is served first.

    Both sides rank by the same time (ties: the lower class, point, site), so there is one stable outcome, and going
    through all pairs in the order of their times finds it.

    Parameters
    ----------
    situation
        People, times, what is open.
    capacity
        People a site can serve, float64 (n_sites,), ``inf`` = no limit.
    """
    n_points, parts = situation.demand.n_points, []
    for c, times in enumerate(situation.class_times):
        pairs = np.flatnonzero(situation.open_mask[times.site_idx])
        row = np.searchsorted(times.indptr, pairs, side="right") - 1
        parts.append((c * n_points + row, times.site_idx[pairs], times.time_ms[pairs]))
    row, site, time_ms = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((site, row, time_ms))
    left = situation.demand.class_people.ravel().copy()
    room = np.where(situation.open_mask, capacity, 0.0)
    reached = np.zeros(len(left), dtype=bool)
    reached[row] = True
    served, walked = nearest_with_room(row[order], site[order], time_ms[order], left, room)
    total = math.fsum(served)
    return Seated(
        served=served,
        unmet=np.where(reached, left, 0.0).reshape(situation.demand.class_people.shape),
        mean_min=walked / total / MS_PER_MIN if total > 0 else None,
    )


def with_room(seated: Seated, names: StrArray, situation: Situation, unreached_ms: int) -> WithRoom:
    """The outcome as it is written down, areas with most unmet first."""
    served, everyone = math.fsum(seated.served), math.fsum(situation.demand.class_people.ravel())
    walked = 0.0 if seated.mean_min is None else seated.mean_min * served
    without = max(everyone - served, 0.0) * unreached_ms / MS_PER_MIN
    found, area = np.unique(names.astype(str), return_inverse=True)
    unmet = sum_by(area, seated.unmet.sum(axis=0), len(found))
    order = [a for a in np.lexsort((found, -unmet)).tolist() if found[a] and unmet[a] > 0]
    return WithRoom(
        served=served,
        unmet=math.fsum(seated.unmet.ravel()),
        mean_min_served=seated.mean_min,
        unmet_areas={str(found[a]): float(unmet[a]) for a in order},
        mean_min=(walked + without) / everyone if everyone > 0 else None,
    )


def served_by(access: Access, n_sites: int) -> FloatArray:
    """People nearest to each site, float64 (n_sites,)."""
    reached = access.site_idx != NO_SITE
    return sum_by(access.site_idx[reached], access.people[reached], n_sites)


def arriving(before: Access, after: Access, n_sites: int) -> FloatArray:
    """People who come to each site and did not before, float64 (n_sites,)."""
    new = (after.site_idx != NO_SITE) & (after.site_idx != before.site_idx)
    return sum_by(after.site_idx[new], after.people[new], n_sites)
