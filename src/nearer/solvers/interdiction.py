"""
The worst sites to lose together, and which to make safe: r-interdiction median, without and with fortification.

Church, Scaparra, Middleton 2004 (r-IM); with fortification: Scaparra, Church 2008, in ``fortify``. A row pays more only
when its nearest sites are all lost, so what a loss S costs is a sum over *sets of nearest sites*,

``loss(S) = Σ_T gain_T [T ⊆ S]``,  ``gain_T = Σ_i w_i (c_i,k+1 − c_i,k)`` over rows i whose k nearest are T,

and only sets of at most r matter. It never shrinks as S grows, and it is supermodular. The bound: split each gain among
the members of its set in any way, ``Σ_{j∈T} share_Tj = gain_T``. If T ⊆ S, the shares of its members are all counted,
else some of them may be, so ``loss(S) ≤ Σ_{j∈S} Σ_{T∋j} share_Tj``, at most the sum of the r largest of
``price_j = Σ_{T∋j} share_Tj``. (It is weak duality of the linear relaxation: a set is taken at most as far as each of
its members.) Where some sites are in and some out, sets with a member out drop, members in hand their share on to the
others, and sets that are in whole count whole.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nearer.files import save_arrays
from nearer.model import FORBIDDEN, FREE, Instance
from nearer.progress import Stop
from nearer.units import BoolArray, FloatArray, IntArray

TOLERANCE = 1e-9
"""Relative difference at which value and bound count as equal (DESIGN section 3)."""

MOST_NODES = 20_000
_ROUNDS = 300
_LEAST_SHARE = 1e-6


@dataclass(frozen=True)
class NearestSets:
    """
    Sets of nearest sites and what it costs to lose all of one.

    Parameters
    ----------
    indptr, site
        Members of each set, ascending: int64 (n_sets + 1,), int64 (n_members,).
    gain
        Cost × weight, float64 (n_sets,), above zero.
    n_sites
        Number of sites.
    """

    indptr: IntArray
    site: IntArray
    gain: FloatArray
    n_sites: int

    @property
    def owner(self) -> IntArray:
        """Set of each member, int64 (n_members,)."""
        return np.repeat(np.arange(len(self.gain)), np.diff(self.indptr))

    def loss(self, lost_mask: BoolArray) -> float:
        """What losing these sites costs, as far as the sets tell (losses of at most as many sites as they hold)."""
        return math.fsum(self.gain[_all_of(self, lost_mask)])


def _all_of(sets: NearestSets, mask: BoolArray) -> BoolArray:
    if not len(sets.gain):
        return np.zeros(0, dtype=bool)
    return np.asarray(np.logical_and.reduceat(mask[sets.site], sets.indptr[:-1]))


def nearest_sets(instance: Instance, most: int) -> NearestSets:
    """
    Gather the sets of nearest sites of all rows.

    Parameters
    ----------
    instance
        ``FREE`` sites stand open and may be lost, ``OPEN`` ones stand and cannot be, ``FORBIDDEN`` ones are not there.
        One phase, no capacities, a finite cost of being unserved.
    most
        How many sites are lost at most.

    Raises
    ------
    ValueError
        A row must be served whatever happens.
    """
    if not np.isfinite(instance.unserved).all():
        raise ValueError("a loss needs a cost of being out of reach for every row")
    there = instance.standing[instance.site_idx] != FORBIDDEN
    indptr = np.concatenate([[0], np.cumsum(there)])[instance.indptr]
    start, end, site_idx = indptr[:-1], indptr[1:], instance.site_idx[there].astype(np.int64)
    cost, weight = np.asarray(instance.cost, dtype=np.float64)[there], np.asarray(instance.weight[0])
    alive = np.flatnonzero((weight > 0) & (start < end))
    parts: list[tuple[NDArray[np.int64], FloatArray]] = []
    members = np.zeros((len(alive), 0), dtype=np.int64)
    for k in range(most):
        at = start[alive] + k
        inside = at < end[alive]
        inside[inside] = (instance.standing[site_idx[at[inside]]] == FREE) & (
            cost[at[inside]] < instance.unserved[alive[inside]]
        )
        alive, at, members = alive[inside], at[inside], members[inside]
        if not len(alive):
            break
        members = np.column_stack([members, site_idx[at]])
        beyond = instance.unserved[alive].copy()
        more = at + 1 < end[alive]
        beyond[more] = np.minimum(beyond[more], cost[at[more] + 1])
        gain = weight[alive] * (beyond - cost[at])
        keys, which = np.unique(np.sort(members, axis=1), axis=0, return_inverse=True)
        total = np.bincount(which.ravel(), weights=gain, minlength=len(keys))
        useful = total > 0
        parts.append((keys[useful], np.asarray(total[useful], dtype=np.float64)))
    sizes = [np.full(len(gain), keys.shape[1], dtype=np.int64) for keys, gain in parts]
    none = np.zeros(0, dtype=np.int64)
    return NearestSets(
        indptr=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate([none, *sizes]))]),
        site=np.concatenate([none, *(keys.ravel() for keys, _ in parts)]),
        gain=np.concatenate([np.zeros(0), *(gain for _, gain in parts)]),
        n_sites=instance.n_sites,
    )


@dataclass(frozen=True)
class LossProof:
    """
    A tree whose leaves bound every loss from above.

    Parameters
    ----------
    share
        Split of each set's gain among its members, float64 (n_members,), above zero; only its proportions count.
    branch
        Site that each node decides, int64 (n_nodes,), -1 in a leaf; node 0 is the root.
    lost, kept
        Children where that site is lost and where it stays, int64 (n_nodes,), -1 in a leaf.
    """

    share: FloatArray
    branch: IntArray
    lost: IntArray
    kept: IntArray

    def save(self, path: Path) -> None:
        """Write the arrays to a compressed ``.npz`` file, whole or not at all."""
        save_arrays(path, {field.name: getattr(self, field.name) for field in fields(self)})


@dataclass(frozen=True)
class Loss:
    """
    The worst loss found and a bound on all.

    Parameters
    ----------
    sites
        Sites lost, ascending, int64 (n_lost,).
    value, bound
        Cost × weight more: of these sites, and what no loss of as many exceeds.
    proof
        What proves the bound.
    nodes
        Nodes of the search.
    """

    sites: IntArray
    value: float
    bound: float
    proof: LossProof
    nodes: int

    @property
    def optimal(self) -> bool:
        """Whether value and bound meet."""
        return self.bound - self.value <= TOLERANCE * abs(self.value)


class LossSearch:
    """
    Best-first branch and bound over one collection of sets.

    Parameters
    ----------
    sets
        Sets of nearest sites, for losses of ``number`` at most.
    losable_mask
        Sites that may be lost, bool (n_sites,).
    number
        How many are lost.
    """

    def __init__(self, sets: NearestSets, losable_mask: BoolArray, number: int) -> None:
        self.sets, self.losable_mask = sets, losable_mask
        self.number = min(number, int(losable_mask.sum()))
        self.owner = sets.owner
        size = np.diff(sets.indptr)
        self.share = balanced(sets, (sets.gain / np.maximum(size, 1))[self.owner], self.number)

    def node(self, lost: Sequence[int], kept_mask: BoolArray) -> tuple[float, FloatArray, float]:
        """Bound, price of each site, and what the sites lost cost already; ``kept_mask`` marks sites that stay."""
        return node_bound(self.sets, self.owner, self.share, self.number, lost, kept_mask | ~self.losable_mask)

    def run(self, safe_mask: BoolArray | None = None, stop: Stop | None = None, most_nodes: int = MOST_NODES) -> Loss:
        """
        Find the worst loss that spares the safe sites.

        Parameters
        ----------
        safe_mask
            Sites that cannot be lost, bool (n_sites,).
        stop
            Who may end the search early.
        most_nodes
            Nodes after which it ends, the same on every machine.
        """
        stop = stop or Stop()
        safe = np.zeros(self.sets.n_sites, dtype=bool) if safe_mask is None else safe_mask
        number = min(self.number, int((self.losable_mask & ~safe).sum()))
        branch, lost_child, kept_child = [-1], [-1], [-1]
        best, best_sites = -1.0, np.zeros(0, dtype=np.int64)
        heap: list[tuple[float, int, tuple[int, ...], tuple[int, ...]]] = []
        done = 0.0  # greatest bound of the leaves that are closed

        def look(index: int, lost: tuple[int, ...], kept: tuple[int, ...]) -> None:
            nonlocal best, best_sites, done
            kept_mask = safe.copy()
            kept_mask[list(kept)] = True
            bound, price, _ = self.node(lost, kept_mask)
            may = np.flatnonzero(self.losable_mask & ~kept_mask)
            may = may[~np.isin(may, lost)]
            top = may[np.lexsort((may, -price[may]))][: number - len(lost)]
            sites = np.sort(np.concatenate([np.array(lost, dtype=np.int64), top]))
            mask = np.zeros(self.sets.n_sites, dtype=bool)
            mask[sites] = True
            value = self.sets.loss(mask)
            if value > best or not len(best_sites):
                best, best_sites = value, sites
            if len(lost) + len(top) < number or len(lost) == number or bound <= value:
                done = max(done, bound)  # nothing left to decide
            else:
                heapq.heappush(heap, (-bound, index, lost, kept))

        look(0, (), ())
        while heap and -heap[0][0] > best * (1 + 0.5 * TOLERANCE):
            if len(branch) >= most_nodes or stop():
                break
            _, index, lost, kept = heapq.heappop(heap)
            kept_mask = safe.copy()
            kept_mask[list(kept)] = True
            _, price, _ = self.node(lost, kept_mask)
            may = np.flatnonzero(self.losable_mask & ~kept_mask)
            may = may[~np.isin(may, lost)]
            site = int(may[np.lexsort((may, -price[may]))][0])
            branch[index] = site
            for children, child in (
                (lost_child, ((*lost, site), kept)),
                (kept_child, (lost, (*kept, site))),
            ):
                children[index] = len(branch)
                branch.append(-1)
                lost_child.append(-1)
                kept_child.append(-1)
                look(children[index], *child)
        bound = max(best, done, -heap[0][0] if heap else 0.0)
        if bound - best <= TOLERANCE * abs(best):
            bound = best
        proof = LossProof(
            self.share, *(np.array(column, dtype=np.int64) for column in (branch, lost_child, kept_child))
        )
        return Loss(best_sites, max(best, 0.0), bound, proof, len(branch))


def node_bound(
    sets: NearestSets,
    owner: IntArray,
    share: FloatArray,
    number: int,
    lost: Sequence[int],
    kept_mask: BoolArray,
) -> tuple[float, FloatArray, float]:
    """
    Bound on all losses that hold some sites and spare others.

    Parameters
    ----------
    sets, owner
        Sets and ``sets.owner``.
    share
        Split of each gain; only its proportions count.
    number
        How many sites are lost in all.
    lost, kept_mask
        Sites lost for certain, and sites that stay, bool (n_sites,).

    Returns
    -------
    bound, price, fixed
        The bound, what each undecided site adds to it at most, float64 (n_sites,), and what the certain losses cost.
    """
    price = np.zeros(sets.n_sites)
    if not len(sets.gain):
        return 0.0, price, 0.0
    lost_mask = np.zeros(sets.n_sites, dtype=bool)
    lost_mask[list(lost)] = True
    left = number - len(lost)
    is_lost = lost_mask[sets.site]
    open_members = np.diff(sets.indptr) - np.add.reduceat(is_lost.astype(np.int64), sets.indptr[:-1])
    alive = ~np.logical_or.reduceat(kept_mask[sets.site], sets.indptr[:-1]) & (open_members <= left)
    fixed = math.fsum(sets.gain[alive & (open_members == 0)])
    counted = (alive & (open_members > 0))[owner] & ~is_lost
    parts, which = share[counted], owner[counted]
    total = np.bincount(which, weights=parts, minlength=len(sets.gain))
    scale = np.divide(sets.gain, total, out=np.zeros(len(sets.gain)), where=total > 0)
    price += np.bincount(sets.site[counted], weights=parts * scale[which], minlength=sets.n_sites)
    top = np.sort(price)[::-1][:left]
    # rounded up: sums of float64 lose far less than this
    return (fixed + float(top.sum())) * (1 + 1e-12), price, fixed


def balanced(sets: NearestSets, share: FloatArray, number: int) -> FloatArray:
    """
    Shares for which the sum of the largest prices is small: members with a high price hand shares to the others.

    Every split is valid; this one is found by multiplicative steps and the best of all is kept.
    """
    if not len(sets.gain) or number == 0:
        return share
    owner, best, best_bound = sets.owner, share, math.inf
    now = share.copy()
    for step in range(_ROUNDS):
        price = np.bincount(sets.site, weights=now, minlength=sets.n_sites)
        order = np.sort(price)[::-1]
        bound = float(order[:number].sum())
        if bound < best_bound:
            best, best_bound = now, bound
        level = max(float(order[min(number, len(order)) - 1]), 1e-300)
        now = now * np.exp(-(2.0 / (1.0 + 0.05 * step)) * np.minimum(price / level, 5.0))[sets.site]
        total = np.add.reduceat(now, sets.indptr[:-1])
        now = now / np.maximum(total, 1e-300)[owner] * sets.gain[owner]
        now = np.maximum(now, _LEAST_SHARE * sets.gain[owner])
    return best


def worst_loss(
    instance: Instance, number: int, *, stop: Stop | None = None, most_nodes: int = MOST_NODES
) -> tuple[Loss, NearestSets]:
    """
    The sites whose loss together costs most.

    Parameters
    ----------
    instance
        As for ``nearest_sets``.
    number
        How many are lost; fewer where fewer may be.
    stop, most_nodes
        When to end early, with a bound.
    """
    sets = nearest_sets(instance, number)
    return LossSearch(sets, instance.standing == FREE, number).run(None, stop, most_nodes), sets
