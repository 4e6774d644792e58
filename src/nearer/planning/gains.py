"""What each opened site brings, what would be lost without it, and the best replacement."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

from nearer.model import FREE, OPEN, Instance
from nearer.model.instance import single_phase
from nearer.planning.access import first_two, sum_by
from nearer.progress import Stop
from nearer.solvers import regions as asked
from nearer.solvers.budget import Budget
from nearer.solvers.interchange import look
from nearer.solvers.outline import Outline, field_of, without_rows
from nearer.solvers.regions import Regions
from nearer.units import NO_SITE, BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Gains:
    """
    Opened sites in order of gain, all arrays (n_opened,); costs × weights in the unit of the instance.

    Parameters
    ----------
    site_idx
        The sites, int64, the one that brings most first.
    gain
        Saved when opened in this order, after those before it.
    loss
        Added to the objective if the finished plan had to do without it.
    replacement
        Candidate that mends most of that loss, int64, ``NO_SITE`` where none mends any.
    replaced_loss
        What is still lost with it; below zero where the exchange would be a gain.
    """

    site_idx: IntArray
    gain: FloatArray
    loss: FloatArray
    replacement: IntArray
    replaced_loss: FloatArray


def compute_gains(instance: Instance, open_mask: BoolArray) -> Gains:
    """
    Judge every opened site of a plan.

    Parameters
    ----------
    instance
        One phase without capacities; its rows may be cut at the nearest site that stands open, since none farther
        ever serves.
    open_mask
        Sites open in the plan, bool (n_sites,).
    """
    opened_mask = open_mask & (instance.standing == FREE)
    site_idx, gain = in_order(instance, opened_mask)
    loss, replacement, replaced = without_each(instance, open_mask)
    return Gains(site_idx, gain, loss[site_idx], replacement[site_idx], replaced[site_idx])


def _cost_at(instance: Instance, position: IntArray) -> FloatArray:
    """Cost of one pair per row, that of staying unserved where it is lower or the position is -1."""
    cost = instance.unserved.copy()
    has = position >= 0
    cost[has] = np.minimum(cost[has], np.asarray(instance.cost)[position[has]])
    return cost


def in_order(instance: Instance, opened_mask: BoolArray) -> tuple[IntArray, FloatArray]:
    """Greedy order by gain; a gain only shrinks as others open, so an old one is a bound and few are formed again."""
    best = _cost_at(instance, first_two(instance.indptr, instance.site_idx, instance.standing == OPEN)[0])
    weight = np.asarray(instance.weight[0])
    hits = np.flatnonzero(opened_mask[instance.site_idx])
    hits = hits[np.argsort(instance.site_idx[hits], kind="stable")]
    rows = np.searchsorted(instance.indptr, hits, side="right") - 1
    costs = np.asarray(instance.cost)[hits].astype(np.float64)
    bounds = np.searchsorted(instance.site_idx[hits], np.arange(instance.n_sites + 1))

    def saving(site: int) -> float:
        column = slice(bounds[site], bounds[site + 1])
        row = rows[column]
        return float((weight[row] * np.maximum(best[row] - costs[column], 0.0)).sum())

    heap = [(-saving(int(site)), int(site), 0) for site in np.flatnonzero(opened_mask)]
    heapq.heapify(heap)
    order: list[int] = []
    gains: list[float] = []
    while heap:
        negative, site, formed = heapq.heappop(heap)
        if formed < len(order):
            heapq.heappush(heap, (-saving(site), site, len(order)))
            continue
        order.append(site)
        gains.append(-negative)
        column = slice(bounds[site], bounds[site + 1])
        best[rows[column]] = np.minimum(best[rows[column]], costs[column])
    return np.array(order, dtype=np.int64), np.array(gains)


def gains_by_regions(regions: Regions, standing: IntArray, open_mask: BoolArray) -> Gains:
    """
    ``compute_gains`` where the rows lie in regions.

    Only the pairs of open sites come here, one or two a row; losses and replacements are put together from the moves
    that each region tells of.
    """
    found = regions.ask(asked.open_pairs, standing=standing, plan=open_mask)
    length, site, cost, unserved, weight = (
        np.concatenate([one[name] for one in found]) for name in ("length", "site", "cost", "unserved", "weight")
    )
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(length)])
    opened = open_mask & (standing == FREE)
    site_idx, gain = in_order(single_phase(indptr, site, cost, weight, unserved, standing, 0, 0), opened)

    free = np.flatnonzero(standing == FREE)
    plan, ground = open_mask[free], without_rows(standing, 0, len(free))
    field = field_of(Outline(regions, ground, standing, 0, len(free)))
    scale, now = field.scale, look(field, plan, Budget(Stop()))
    place = np.full(len(standing), -1, dtype=np.int64)
    place[free] = np.arange(len(free))
    mine = place[site_idx]
    anywhere = int(np.argmax(np.where(plan, -1, now.gain))) if not plan.all() else -1
    replacement = np.full(len(mine), NO_SITE, dtype=np.int64)
    loss = now.loss[mine]
    replaced = loss.copy()
    for at, out in enumerate(mine):
        span = slice(*np.searchsorted(now.out, [out, out + 1]))
        columns = now.come[span] if anywhere < 0 else np.append(now.come[span], anywhere)
        saved = now.gain[columns] + (now.extra[span] if anywhere < 0 else np.append(now.extra[span], 0))
        if len(columns):
            best = int(np.lexsort((columns, -saved))[0])
            if saved[best] > 0:
                replacement[at], replaced[at] = free[columns[best]], loss[at] - saved[best]
    return Gains(site_idx, gain, loss / scale, replacement, replaced / scale)


def without_each(instance: Instance, open_mask: BoolArray) -> tuple[FloatArray, IntArray, FloatArray]:
    """
    Loss, best replacement and remaining loss per site, (n_sites,).

    A candidate k in the place of j saves what it saves beside the whole plan, and at the rows of j also the stretch
    between the first and the second nearest (Resende & Werneck 2004, section 3: loss, gain and extra).
    """
    n_sites = instance.n_sites
    weight = np.asarray(instance.weight[0])
    first, second = first_two(instance.indptr, instance.site_idx, open_mask)
    nearest, following = _cost_at(instance, first), _cost_at(instance, second)
    served = first >= 0
    owner = np.full(instance.n_rows, NO_SITE, dtype=np.int64)
    owner[served] = instance.site_idx[first[served]]
    loss = sum_by(owner[served], (weight * (following - nearest))[served], n_sites)

    spare = (instance.standing == FREE) & ~open_mask
    pairs = np.flatnonzero(spare[instance.site_idx])
    row = np.searchsorted(instance.indptr, pairs, side="right") - 1
    cost = np.asarray(instance.cost)[pairs]
    useful = cost < following[row]
    pairs, row, cost = pairs[useful], row[useful], cost[useful]
    beside = weight[row] * np.maximum(nearest[row] - cost, 0.0)
    saving = sum_by(instance.site_idx[pairs], beside, n_sites)
    extra = weight[row] * (following[row] - cost) - beside
    mine = served[row]
    extras = coo_array(
        (extra[mine], (owner[row[mine]], instance.site_idx[pairs[mine]])), shape=(n_sites, n_sites)
    ).tocsr()
    extras.sort_indices()

    anywhere = int(np.argmax(np.where(spare, saving, -1.0))) if spare.any() else NO_SITE
    replacement = np.full(n_sites, NO_SITE, dtype=np.int64)
    replaced = loss.copy()
    for site in np.flatnonzero(open_mask & (instance.standing == FREE)):
        columns = extras.indices[extras.indptr[site] : extras.indptr[site + 1]]
        saved = saving[columns] + extras.data[extras.indptr[site] : extras.indptr[site + 1]]
        best, most = (anywhere, float(saving[anywhere])) if anywhere != NO_SITE else (NO_SITE, 0.0)
        if len(columns):
            at = int(np.argmax(saved))
            if (-saved[at], columns[at]) < (-most, best):
                best, most = int(columns[at]), float(saved[at])
        if most > 0.0:
            replacement[site], replaced[site] = best, loss[site] - most
    return loss, replacement, replaced
