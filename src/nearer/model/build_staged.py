"""From demand per phase and travel times to the rows of an ``Instance`` with rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nearer.demand import Demand
from nearer.model.aims import Aim
from nearer.model.instance import Instance
from nearer.model.rules import Rules
from nearer.network import TravelTimes
from nearer.units import FloatArray, IntArray


@dataclass(frozen=True)
class Programme:
    """
    Something that a group comes for, with seats of its own.

    Parameters
    ----------
    name, group
        Its name, and the group it is for.
    rate
        Seats that a member of the group asks for.
    weight
        What a minute of theirs counts for.
    """

    name: str
    group: str
    rate: float
    weight: float


@dataclass(frozen=True)
class StagedRows:
    """
    Rows of an instance: first everybody by speed class and point (pool 0), then each programme by point.

    Parameters
    ----------
    indptr, site_idx, cost
        As in ``Instance``.
    weight, need, people
        float64 (n_phases, n_rows): what a row counts for, takes of a site's room, and how many people it is.
    row_point, row_pool, row_class
        int32 (n_rows,).
    """

    indptr: IntArray
    site_idx: IntArray
    cost: IntArray
    weight: FloatArray
    need: FloatArray
    people: FloatArray
    row_point: IntArray
    row_pool: IntArray
    row_class: IntArray

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.row_point)

    @cached_property
    def pair_row(self) -> IntArray:
        """Row of each pair, int64 (n_pairs,)."""
        return np.repeat(np.arange(self.n_rows), np.diff(self.indptr))

    @cached_property
    def _by_key(self) -> tuple[IntArray, IntArray, int]:
        n_sites = int(self.site_idx.max(initial=-1)) + 1
        key = self.pair_row * n_sites + self.site_idx
        order = np.argsort(key, kind="stable")
        return order, key[order], n_sites

    def places(self, row: IntArray, site: IntArray) -> IntArray:
        """Where pairs of rows and sites are stored, all of which must be, int64."""
        order, key, n_sites = self._by_key
        return order[np.searchsorted(key, row.astype(np.int64) * n_sites + site)]

    def group_people(self, demands: Sequence[Demand], group: str | None) -> FloatArray:
        """People of a group in each row of pool 0, None for everyone; float64 (n_phases, n_rows)."""
        everyone = self.row_pool == 0
        if group is None:
            return np.where(everyone, self.people, 0.0)
        found = np.zeros(self.people.shape)
        for phase, demand in enumerate(demands):
            own = demand.class_names.index(group) if group in demand.class_names else 0
            mine = everyone & (self.row_class == own)
            found[phase, mine] = demand.people[demand.groups.index(group)][self.row_point[mine]]
        return found


def staged_rows(
    demands: Sequence[Demand],
    class_times: Sequence[TravelTimes],
    years: Sequence[float],
    programmes: Sequence[Programme],
    unreached_ms: int,
) -> StagedRows:
    """
    Rows of everybody and of programmes; pairs as dear as staying out of reach are left out.

    Parameters
    ----------
    demands
        One per phase, of the same points, groups and classes.
    class_times
        Uncut times of each speed class.
    years
        What a minute of a phase counts for: its years, discounted.
    programmes
        In the order of pools 1, 2 …
    """
    parts: list[tuple[TravelTimes, FloatArray, FloatArray, FloatArray, int, int]] = []
    for c, times in enumerate(class_times):
        people = np.array([demand.class_people[c] for demand in demands])
        weight = np.array([demand.class_weight[c] for demand in demands])
        parts.append((times, weight, people, people, 0, c))
    for pool, programme in enumerate(programmes, start=1):
        names = demands[0].class_names
        c = names.index(programme.group) if programme.group in names else 0
        g = demands[0].groups.index(programme.group)
        people = np.array([demand.people[g] for demand in demands])
        parts.append((class_times[c], programme.weight * people, programme.rate * people, people, pool, c))
    counted = np.asarray(years, dtype=np.float64)[:, None]
    indptrs, sites, costs, weights, needs, heads, points, pools, classes = [], [], [], [], [], [], [], [], []
    filled = 0
    for times, weight, need, people, pool, c in parts:
        wanted = np.flatnonzero((weight > 0).any(axis=0) | (need > 0).any(axis=0))
        in_row = np.zeros(times.n_points, dtype=bool)
        in_row[wanted] = True
        point = np.repeat(np.arange(times.n_points), np.diff(times.indptr))
        usable = in_row[point] & (times.time_ms < unreached_ms)
        counts = np.bincount(point[usable], minlength=times.n_points)[wanted]
        indptrs.append(filled + np.cumsum(counts))
        filled += int(counts.sum())
        sites.append(times.site_idx[usable])
        costs.append(times.time_ms[usable])
        weights.append(weight[:, wanted] * counted)
        needs.append(need[:, wanted])
        heads.append(people[:, wanted])
        points.append(wanted)
        pools.append(np.full(len(wanted), pool))
        classes.append(np.full(len(wanted), c))
    return StagedRows(
        indptr=np.concatenate([np.zeros(1, dtype=np.int64), *indptrs]).astype(np.int64),
        site_idx=np.concatenate(sites).astype(np.int32),
        cost=np.concatenate(costs),
        weight=np.concatenate(weights, axis=1),
        need=np.concatenate(needs, axis=1),
        people=np.concatenate(heads, axis=1),
        row_point=np.concatenate(points).astype(np.int32),
        row_pool=np.concatenate(pools).astype(np.int32),
        row_class=np.concatenate(classes).astype(np.int32),
    )


def staged_instance(
    rows: StagedRows,
    rules: Rules,
    standing: IntArray,
    capacity: FloatArray,
    unreached_ms: int,
    aim: Aim,
    *,
    whole: bool = False,
) -> Instance:
    """
    Rows and rules as an instance.

    Parameters
    ----------
    capacity
        float64 (n_sites, n_levels, n_pools).
    aim
        What milliseconds cost; where nothing that people meet counts, costs stay milliseconds.
    whole
        Whether everybody of a row goes to one place.
    """
    n_phases = len(rows.weight)
    n_free = int(np.count_nonzero(standing == 0))
    weight = rows.weight if aim.weight.any() else np.zeros_like(rows.weight)
    cost = np.minimum(aim.cost_of(rows.cost), aim.unserved)
    if np.issubdtype(cost.dtype, np.integer) or np.all(cost % 1 == 0):
        cost = cost.astype(np.int32)
    return Instance(
        indptr=rows.indptr,
        site_idx=rows.site_idx,
        cost=cost,
        unserved=np.full(rows.n_rows, float(aim.unserved)),
        weight=weight,
        standing=standing,
        open_min=np.zeros(n_phases, dtype=np.int64),
        open_max=np.full(n_phases, n_free, dtype=np.int64),
        capacity=capacity,
        row_point=rows.row_point,
        row_group=rows.row_pool,
        need=rows.need,
        single_source=whole,
        rules=rules,
    )
