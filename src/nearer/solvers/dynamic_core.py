"""An instance with rules as the dynamic solver sees it: fewer pairs where that is exact, and columns by knapsack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from nearer.kernels import dynamic as kernels
from nearer.model import Instance
from nearer.model.evaluate_rules import rules_of
from nearer.model.rules import Rules
from nearer.units import BoolArray, FloatArray, IntArray

BANDS = 16
_CHUNK_ENTRIES = 500_000  # fixed, so that results do not depend on the number of threads


@dataclass(frozen=True)
class DynamicCore:
    """
    Rows, knapsacks and options.

    Parameters
    ----------
    instance
        What it was made from.
    indptr, site, cost
        Rows of the pairs that can matter: the instance's own where none was cut.
    order
        Rows are numbered pool by pool here: number i is row ``order[i]`` of ``indptr``, int64 (n_rows,).
    pool_ptr
        Pool k holds the numbers ``pool_ptr[k]`` to ``pool_ptr[k + 1]``, int64 (n_pools + 1,).
    cap
        What a row costs at most per unit of weight, float64 (n_rows, n_phases): staying unserved, or the nearest site
        that is surely open without a limit. ``inf`` where it must be served and no such site is there.
    cap_site
        That site, int32 (n_rows, n_phases), -1 for staying unserved.
    weight, need
        float64 (n_rows, n_phases), so that one row's phases lie together.
    room
        float64 (n_sites, n_levels, n_pools).
    factor
        Of each limit, float64 (n_limits, n_rows, n_phases).
    cptr, crow, ccost, width
        Columns by knapsack, in ``BANDS`` bands of so much cost; see ``kernels.dynamic``.
    """

    instance: Instance
    rules: Rules
    indptr: IntArray
    site: IntArray
    cost: IntArray | FloatArray
    order: IntArray
    pool_ptr: IntArray
    cap: FloatArray
    cap_site: IntArray
    weight: FloatArray
    need: FloatArray
    room: FloatArray
    cptr: IntArray
    crow: IntArray
    ccost: IntArray | FloatArray
    width: float
    factor: FloatArray

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.weight)

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return int(self.weight.shape[1])

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.room)

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return int(self.room.shape[1])

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return int(self.room.shape[2])

    @cached_property
    def chunks(self) -> list[tuple[int, int]]:
        """Ranges of sites of about half a million pairs each."""
        at = self.cptr[:: self.n_pools * BANDS]
        n_chunks = max(1, -(-int(at[-1]) // _CHUNK_ENTRIES))
        cuts = np.searchsorted(at, np.linspace(0, at[-1], n_chunks + 1))
        cuts[0], cuts[-1] = 0, self.n_sites
        return [(int(a), int(b)) for a, b in pairwise(cuts) if b > a]

    @cached_property
    def beyond(self) -> FloatArray:
        """Thresholds of the limits that have one, float64 (n_thresholds,)."""
        return np.array([limit.beyond for limit in self.rules.limits if limit.beyond is not None], dtype=np.float64)

    def priced(self, limit_price: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """
        What limits charge, for some prices π.

        Returns
        -------
        slope, extra
            Cost per unit of cost (n_rows, n_phases), and what being beyond each threshold adds (…, n_thresholds).
        idle
            What staying unserved costs, or the nearest sure site, (n_rows, n_phases): most that λ may be.
        """
        slope = self.weight.copy()
        extra = np.zeros((*self.weight.shape, len(self.beyond)))
        at = 0
        for limit, factor, price in zip(self.rules.limits, self.factor, limit_price, strict=True):
            if limit.beyond is None:
                slope += price * factor
            else:
                extra[:, :, at] += price * factor
                at += 1
        with np.errstate(invalid="ignore"):
            idle = np.where(slope > 0, slope * self.cap, 0.0)
        for at, beyond in enumerate(self.beyond):
            # who is left unserved counts as beyond every threshold
            idle = idle + np.where((self.cap > beyond) | (self.cap_site < 0), extra[:, :, at], 0.0)
        return slope, extra, np.where(np.isinf(self.cap), np.inf, idle)


def make_core(instance: Instance) -> DynamicCore:
    """Cut pairs that no plan needs, and arrange the others."""
    rules = rules_of(instance)
    n_pools = instance.capacity.shape[2]
    pool = (instance.row_group if n_pools > 1 else np.zeros(instance.n_rows)).astype(np.int64)
    cap, cap_site = _caps(instance, rules, pool)
    indptr, site = instance.indptr, instance.site_idx
    cost: Any = np.asarray(instance.cost)
    furthest = cap.max(axis=0, initial=0.0)
    # a pair farther than a sure site is never better; one dearer than staying away may still keep a limit
    sure = np.all(cap_site >= 0, axis=0)
    for limit in rules.limits:
        if limit.beyond is not None:
            furthest = np.where(sure, furthest, np.maximum(furthest, limit.beyond * (1 + 1e-12)))
    if not rules.limits:  # nobody is there to be served, unless they must be
        furthest = np.where((instance.weight.max(axis=0) > 0) | np.isinf(instance.unserved), furthest, 0.0)
    if len(cost):
        kept = cost < np.repeat(furthest, np.diff(indptr))
        if not kept.all():
            before = np.concatenate([[0], np.cumsum(kept)])
            indptr = before[indptr]
            site, cost = site[kept], cost[kept]
        del kept
    order = np.argsort(pool, kind="stable")
    width = float(cost.max(initial=1)) / BANDS or 1.0
    cptr, crow, ccost = kernels.knapsack_columns(
        indptr, site, cost, order, pool[order], instance.n_sites, n_pools, width, BANDS
    )

    def arranged(by_phase: FloatArray | list[FloatArray]) -> FloatArray:
        return np.ascontiguousarray(np.asarray(by_phase, dtype=np.float64).T[order])

    return DynamicCore(
        instance=instance,
        rules=rules,
        indptr=indptr,
        site=site,
        cost=cost,
        order=order,
        pool_ptr=np.concatenate([[0], np.cumsum(np.bincount(pool, minlength=n_pools))]).astype(np.int64),
        cap=np.ascontiguousarray(cap.T[order]),
        cap_site=np.ascontiguousarray(cap_site.T[order]),
        weight=arranged(instance.weight),
        need=arranged([instance.need_in(t) for t in range(instance.n_phases)]),
        room=np.ascontiguousarray(instance.capacity, dtype=np.float64),
        cptr=cptr,
        crow=crow,
        ccost=ccost,
        width=width,
        factor=np.array([arranged(limit.factor) for limit in rules.limits]).reshape(-1, *instance.weight.T.shape),
    )


def sampled(instance: Instance, every: int) -> Instance:
    """
    One row in so many of each pool, weighted up to stand for all: much smaller, and near enough for a first guess.

    Nothing it says is a bound of the whole.
    """
    rules = rules_of(instance)
    pool = instance.row_group if instance.capacity.shape[2] > 1 else np.zeros(instance.n_rows, dtype=np.int64)
    row = np.sort(np.concatenate([np.flatnonzero(pool == k)[::every] for k in range(instance.capacity.shape[2])]))
    long = np.diff(instance.indptr)[row]
    indptr = np.concatenate([[0], np.cumsum(long)]).astype(np.int64)
    pair = np.arange(indptr[-1]) + np.repeat(instance.indptr[row] - indptr[:-1], long)

    def raised(amount: FloatArray) -> FloatArray:
        amount = np.asarray(amount, dtype=np.float64)
        total, part = (np.bincount(pool[at], weights=amount[at], minlength=1) for at in (slice(None), row))
        return np.asarray(amount[row] * np.divide(total, part, out=np.zeros_like(total), where=part > 0)[pool[row]])

    return replace(
        instance,
        indptr=indptr,
        site_idx=instance.site_idx[pair],
        cost=np.asarray(instance.cost)[pair],
        unserved=instance.unserved[row],
        weight=np.array([raised(part) for part in instance.weight]),
        row_point=instance.row_point[row],
        row_group=instance.row_group[row],
        need=None
        if instance.need is None
        else np.array([raised(instance.need_in(t)) for t in range(instance.n_phases)]),
        rules=replace(
            rules,
            limits=tuple(replace(one, factor=np.array([raised(part) for part in one.factor])) for one in rules.limits),
        ),
    )


def _caps(instance: Instance, rules: Rules, pool: IntArray) -> tuple[FloatArray, IntArray]:
    """Per phase and row, what staying unserved costs or the nearest site open without limit whatever is chosen."""
    cap = np.repeat(np.asarray(instance.unserved, dtype=np.float64)[None, :], instance.n_phases, axis=0)
    cap_site = np.full(cap.shape, -1, dtype=np.int32)
    for t in range(instance.n_phases):
        level = rules.option_level[:, t]
        endless = np.isinf(instance.capacity[rules.option_site, np.maximum(level, 0)]) & (level >= 0)[:, None]
        sure = np.logical_and.reduceat(endless, rules.option_ptr[:-1], axis=0)  # sites × pools
        for k in range(instance.capacity.shape[2]):
            if sure[:, k].any():
                nearest, which = nearest_of(instance.indptr, instance.site_idx, instance.cost, sure[:, k])
                nearer = (pool == k) & (nearest <= cap[t]) & (which >= 0)
                cap[t][nearer], cap_site[t][nearer] = nearest[nearer], which[nearer]
    return cap, cap_site


def nearest_of(
    indptr: IntArray, site: IntArray, cost: IntArray | FloatArray, mask: BoolArray
) -> tuple[FloatArray, IntArray]:
    """Cost and number of the nearest site marked, float64 and int32 (n_rows,); ``inf`` and -1 where there is none."""
    found, which = np.empty(len(indptr) - 1), np.empty(len(indptr) - 1, dtype=np.int32)
    kernels.nearest_open(indptr, site, cost, mask, found, which)
    return found, which
