"""``Instance``: a location problem as frozen arrays, without ids or geography."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from nearer.model.rules import Rules
from nearer.units import BoolArray, FloatArray, IntArray

FREE, OPEN, FORBIDDEN = 0, 1, -1
"""Standing of a site: may open, stands open, may not open."""


@dataclass(frozen=True)
class Instance:
    """
    Demand rows, sites and rules.

    A *row* is the people of one group at one point; without groups that move or are limited apart, a row is a point.
    Phase, level and group axes have length 1 where unused, capacities are infinite where unused.

    Parameters
    ----------
    indptr, site_idx, cost
        Sparse rows sorted by cost, then site: int64 (n_rows + 1,), int32 (n_pairs,), and cost per unit of weight
        (n_pairs,), int32 or int64 where all are whole, else float64, never negative. A stored 0 is a cost; an absent
        pair cannot serve.
    unserved
        Cost per unit of weight where no open site serves the row, (n_rows,), same unit; ``inf`` = must be served.
    weight
        Weight per phase and row, float64 (n_phases, n_rows), never negative.
    standing
        ``FREE``, ``OPEN`` or ``FORBIDDEN`` per site, int8 (n_sites,).
    open_min, open_max
        Number of ``FREE`` sites to open by the end of each phase, int64 (n_phases,); equal where exact.
    capacity
        float64 (n_sites, n_levels, n_groups), weight a site can serve; ``inf`` = no limit.
    row_point, row_group
        Point and group of each row, int32 (n_rows,).
    open_cost
        Cost of a site that is open, per site and level, float64 (n_sites, n_levels), same unit as cost × weight; below
        zero where closing is what costs. None = nothing.
    need
        What a row takes of a site's capacity, float64 (n_rows,), or (n_phases, n_rows) with rules; None = its weight.
    single_source
        Whether a row is served whole by one site.
    objective
        "sum": cost × weight of all rows, and opening costs. "max": the dearest row, cost × weight, alone.
    rules
        What each site may become and what ties sites together. None = free sites may open, ``open_min`` to
        ``open_max`` of them; else the rules alone say what may be open, and ``standing``, ``open_min``, ``open_max``
        and ``open_cost`` only tell what was so before.
    second_share
        Share of a row's weight that pays the cost of the second cheapest open site instead of the cheapest one's,
        0 … 1, float64 (n_rows,): twofold cover, where it must be there twice. None = 0 throughout.
    """

    indptr: IntArray
    site_idx: IntArray
    cost: IntArray | FloatArray
    unserved: FloatArray
    weight: FloatArray
    standing: IntArray
    open_min: IntArray
    open_max: IntArray
    capacity: FloatArray
    row_point: IntArray
    row_group: IntArray
    open_cost: FloatArray | None = None
    need: FloatArray | None = None
    single_source: bool = False
    objective: Literal["sum", "max"] = "sum"
    rules: Rules | None = None
    second_share: FloatArray | None = None

    def __post_init__(self) -> None:
        n_rows = len(self.indptr) - 1
        if self.indptr[0] != 0 or self.indptr[-1] != len(self.site_idx) or len(self.cost) != len(self.site_idx):
            raise ValueError("rows do not fit together")
        if self.unserved.shape != (n_rows,) or self.weight.shape != (len(self.open_max), n_rows):
            raise ValueError("unserved costs and weights must have one entry per row")
        if len(self.site_idx) and (self.site_idx.min() < 0 or self.site_idx.max() >= self.n_sites):
            raise ValueError("a row names a site that does not exist")
        if np.any(self.weight < 0) or np.any(np.asarray(self.cost) < 0):
            raise ValueError("weights and costs must not be negative")
        if self.open_cost is not None and self.open_cost.shape != (self.n_sites, self.n_levels):
            raise ValueError("opening costs must have one entry per site and level")
        if self.need is not None and self.need.shape not in ((n_rows,), self.weight.shape):
            raise ValueError("needs must have one entry per row, or per phase and row")
        if self.rules is not None:
            self._check_rules(self.rules)
        second = np.zeros(n_rows) if self.second_share is None else self.second_share
        if second.shape != (n_rows,) or not np.all((second >= 0) & (second <= 1)):
            raise ValueError("second shares must be from 0 to 1, one per row")
        if np.any(self.open_min > self.open_max):
            raise ValueError("open_min must not exceed open_max")

    def _check_rules(self, rules: Rules) -> None:
        if len(rules.option_ptr) != self.n_sites + 1 or rules.option_level.shape[1] != self.n_phases:
            raise ValueError("options must be given for every site and phase")
        if rules.option_level.min(initial=-1) < -1 or rules.option_level.max(initial=-1) >= self.n_levels:
            raise ValueError("an option names a level that does not exist")
        if any(limit.factor.shape != self.weight.shape for limit in rules.limits):
            raise ValueError("limits must have a factor per phase and row")

    @property
    def n_rows(self) -> int:
        """Number of demand rows."""
        return len(self.indptr) - 1

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.standing)

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return len(self.open_max)

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return int(self.capacity.shape[1])

    @property
    def free_mask(self) -> BoolArray:
        """Sites that may open, bool (n_sites,)."""
        return np.asarray(self.standing == FREE)

    @property
    def capacitated(self) -> bool:
        """Whether any site's capacity is finite."""
        return not bool(np.isinf(self.capacity).all())

    @property
    def price(self) -> FloatArray:
        """Cost of each site being open at its first level, float64 (n_sites,)."""
        return np.zeros(self.n_sites) if self.open_cost is None else np.asarray(self.open_cost[:, 0])

    def need_in(self, phase: int) -> FloatArray:
        """What each row takes of a site's capacity in a phase, float64 (n_rows,)."""
        if self.need is None:
            return np.asarray(self.weight[phase])
        return np.asarray(self.need if self.need.ndim == 1 else self.need[phase])

    @cached_property
    def whole(self) -> bool:
        """Whether all costs and weights are whole numbers, so that values are whole too."""
        if self.rules is not None:  # limits split rows, and money is seldom whole
            return False
        if self.open_cost is not None and np.any(self.open_cost % 1 != 0):
            return False
        pays = bool(np.any(np.asarray(self.cost)) or np.any(self.unserved[np.isfinite(self.unserved)]))
        if self.capacitated and not self.single_source and pays:  # else all that is paid is the open sites
            # split by whole units at best: whole values then need needs that are weights, and whole capacities
            finite = self.capacity[np.isfinite(self.capacity)]
            if np.any(finite % 1 != 0) or not (self.need is None or np.array_equal(self.need, self.weight[-1])):
                return False
        if self.second_share is not None and np.any(self.weight * self.second_share % 1 != 0):
            return False
        unserved = self.unserved[np.isfinite(self.unserved)]
        costs_whole = np.issubdtype(np.asarray(self.cost).dtype, np.integer) or bool(np.all(self.cost % 1 == 0))
        return costs_whole and bool(np.all(unserved % 1 == 0)) and bool(np.all(self.weight % 1 == 0))


def single_phase(
    indptr: IntArray,
    site_idx: IntArray,
    cost: IntArray | FloatArray,
    weight: FloatArray,
    unserved: FloatArray,
    standing: IntArray,
    open_min: int,
    open_max: int,
    row_point: IntArray | None = None,
    row_group: IntArray | None = None,
    price: FloatArray | None = None,
) -> Instance:
    """
    Make an instance of one phase, one level, one group and no capacities, rows sorted here if they are not.

    ``price`` is what each open site costs, float64 (n_sites,); None = nothing. The rest is as in ``Instance``.
    """
    n_rows, n_sites = len(indptr) - 1, len(standing)
    if not _sorted(indptr, site_idx, cost):
        order = _order(np.repeat(np.arange(n_rows), np.diff(indptr)), site_idx, cost)
        site_idx, cost = site_idx[order], cost[order]
    return Instance(
        indptr=np.asarray(indptr, dtype=np.int64),
        site_idx=np.asarray(site_idx, dtype=np.int32),
        cost=cost,
        unserved=np.asarray(unserved, dtype=np.float64),
        weight=np.asarray(weight, dtype=np.float64).reshape(1, n_rows),
        standing=np.asarray(standing, dtype=np.int8),
        open_min=np.array([open_min], dtype=np.int64),
        open_max=np.array([open_max], dtype=np.int64),
        capacity=np.full((n_sites, 1, 1), np.inf),
        row_point=np.arange(n_rows, dtype=np.int32) if row_point is None else row_point,
        row_group=np.zeros(n_rows, dtype=np.int32) if row_group is None else row_group,
        open_cost=None if price is None else np.asarray(price, dtype=np.float64).reshape(n_sites, 1),
    )


def _sorted(indptr: IntArray, site_idx: IntArray, cost: IntArray | FloatArray) -> bool:
    """Whether every row is sorted by cost, then site."""
    rises = cost[1:] > cost[:-1]
    rises |= (cost[1:] == cost[:-1]) & (site_idx[1:] >= site_idx[:-1])
    begins = indptr[1:-1]
    rises[begins[(begins > 0) & (begins < len(cost))] - 1] = True  # from one row to the next anything goes
    return bool(rises.all())


def _order(row: IntArray, site_idx: IntArray, cost: IntArray | FloatArray) -> IntArray:
    """Positions by row, then cost, then site."""
    if np.issubdtype(cost.dtype, np.integer) and len(cost) and cost.min() >= 0:
        n_costs, n_sites = int(cost.max()) + 1, int(site_idx.max()) + 1
        if (int(row[-1]) + 1) * n_costs * n_sites < 2**63:  # one key sorts several times faster than three
            return np.argsort((row * n_costs + cost) * n_sites + site_idx)
    return np.lexsort((site_idx, cost, row))
