"""
The bound that a certificate proves, evaluated in plain NumPy without the solver that found it.

Nothing here is shared with the solvers or their kernels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from nearer.model.certificate import Certificate
from nearer.model.certified_tree import check_arrays, shares
from nearer.model.evaluate_cuts import Beyond, Cuts
from nearer.model.evaluate_twofold import TwofoldBounds
from nearer.model.instance import FORBIDDEN, FREE, OPEN, Instance
from nearer.progress import Progress, Silent, Tick
from nearer.units import BoolArray, FloatArray, IntArray

_EPS = float(np.finfo(np.float64).eps)
_MANY = 100  # fixings from which their opposites are bounded together
_EXACT = 2.0**53  # whole numbers below this are exact in float64


def evaluate_certificate(
    instance: Instance,
    certificate: Certificate,
    cutoff: float = math.inf,
    given: Bounds | None = None,
    progress: Progress | None = None,
) -> float:
    """
    Evaluate the lower bound that a certificate proves, from its multipliers alone.

    Parameters
    ----------
    instance
        A problem of one phase, without capacities or with one per site. Without, it need not be the cut one that the
        solver saw: a multiplier above
        the price of the nearest site that stands open is lowered to it here, which never lowers the bound and makes
        all farther pairs idle, so that cut and uncut rows prove the same.
    certificate
        Tree, fixings and multipliers; see ``Certificate`` for the formula and its source.
    cutoff
        Value of a known plan, the most that can be proven.
    given
        What evaluates the multipliers; None = from the pairs of the instance.
    progress
        Where to report; default silent.

    Returns
    -------
    float
        The least bound over all leaves and all opposites of fixings, at most ``cutoff``, rounded down by the float64
        error of each sum. Where all costs and weights are whole (``instance.whole``) the next whole number above is
        also proven (``certified_bound``).

    Raises
    ------
    CheckFailedError
        The arrays do not fit the instance, or the tree leaves a plan out: it is no proof.
    """
    check_arrays(instance, certificate)
    twice = instance.second_share is not None
    bounds = given or (TwofoldBounds if twice else Bounds).of(instance, certificate.multipliers)
    if certificate.cut and isinstance(bounds, Bounds) and bounds.room is None:
        bounds.charge(certificate)  # elsewhere cuts change nothing: the multipliers prove what they do without
    used = set(certificate.node_multiplier.tolist()) | set(certificate.fix_multiplier.tolist())
    with (progress or Silent()).step("Evaluating the bound", len(used - {-1})) as tick:
        least = _least(bounds, instance, certificate, cutoff, tick)
    # No cost is negative, so unless an open site earns money nothing is worth less than what stands open.
    return max(least, 0.0) if np.all(instance.price >= 0) else least


def _least(
    bounds: Bounds | TwofoldBounds, instance: Instance, certificate: Certificate, cutoff: float, tick: Tick
) -> float:
    """The least bound over all that a certificate divides the plans into; tells of each row of multipliers."""
    least, seen = cutoff, set()
    for share in shares(instance, certificate, _MANY if isinstance(bounds, Bounds) else None):
        if len(share.site) and isinstance(bounds, Bounds):
            closed, opened = bounds.with_one_more(share.multiplier, share.state)
            alone = np.where(share.value == 0, closed[share.site], opened[share.site])
            least = min(least, float(np.nanmin(alone, initial=math.inf)))  # nan: decided before, and refused next
        else:
            least = min(least, bounds.at(share.multiplier, share.state))
        if share.multiplier not in seen:
            seen.add(share.multiplier)
            tick()
    return least


def certified_bound(
    instance: Instance, certificate: Certificate, cutoff: float = math.inf, progress: Progress | None = None
) -> float:
    """What ``evaluate_certificate`` proves, raised to the next whole number where every value is whole."""
    bound = evaluate_certificate(instance, certificate, cutoff, progress=progress)
    return min(float(math.ceil(bound)), cutoff) if instance.whole and math.isfinite(bound) else bound


def decided_bounds(instance: Instance, multipliers: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    L(λ) where one free site is decided and all others are not.

    Parameters
    ----------
    instance
        As for ``evaluate_certificate``.
    multipliers
        λ, float64 (n_rows,).

    Returns
    -------
    closed, opened
        Bound where each site stays closed, and where it opens, float64 (n_sites,), the next whole number where every
        value is whole; ``nan`` for sites that are not free.
    """
    state = np.where(instance.standing == FREE, -1, 0).astype(np.int8)
    closed, opened = Bounds.of(instance, multipliers.reshape(1, -1)).with_one_more(0, state)
    return (np.ceil(closed), np.ceil(opened)) if instance.whole else (closed, opened)


def cheapest_open(instance: Instance, open_mask: BoolArray) -> FloatArray:
    """Cost per unit of weight of each row, float64 (n_rows,), ``inf`` where it must be served and is not."""
    best = instance.unserved.astype(np.float64)
    hit = open_mask[instance.site_idx]
    np.minimum.at(best, pair_rows(instance)[hit], np.asarray(instance.cost)[hit])
    return best


def second_cheapest_open(instance: Instance, open_mask: BoolArray) -> FloatArray:
    """Cost per unit of weight at the second cheapest open site, at most unserved, float64 (n_rows,)."""
    at = np.flatnonzero(open_mask[instance.site_idx])
    row, cost = pair_rows(instance)[at], np.asarray(instance.cost)[at]
    order = np.lexsort((cost, row))
    row, cost = row[order], cost[order]
    first = np.searchsorted(row, np.arange(instance.n_rows))
    twice = np.flatnonzero(np.searchsorted(row, np.arange(instance.n_rows), side="right") - first >= 2)
    second = instance.unserved.astype(np.float64)
    second[twice] = np.minimum(second[twice], cost[first[twice] + 1])
    return second


def pair_rows(instance: Instance) -> IntArray:
    """Row of each stored pair, int64 (n_pairs,)."""
    return np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))


def pair_places(instance: Instance, row: IntArray, site: IntArray) -> tuple[BoolArray, IntArray]:
    """Whether each pair of a row and a site is stored, and where: bool and int64, one entry per pair asked about."""
    pair_key = pair_rows(instance) * instance.n_sites + instance.site_idx
    key = row.astype(np.int64) * instance.n_sites + site
    if not len(pair_key):
        return np.zeros(len(key), dtype=bool), np.zeros(len(key), dtype=np.int64)
    order = np.argsort(pair_key)
    place = order[np.minimum(np.searchsorted(pair_key, key, sorter=order), len(order) - 1)]
    return np.asarray(pair_key[place] == key), place


def _fewest(instance: Instance) -> int:
    """So many free sites that even the roomiest of them hold, with those that stand open, what must be served."""
    if not instance.capacitated:
        return 0
    need = np.asarray(instance.weight[0] if instance.need is None else instance.need)
    room = instance.capacity[:, 0, 0]
    wanted = float(need[np.isinf(instance.unserved)].sum()) * (1 - 1e-9) - float(room[instance.standing == OPEN].sum())
    roomiest = np.sort(room[instance.standing == FREE])[::-1]
    return 0 if wanted <= 0 else int(np.searchsorted(np.cumsum(roomiest), wanted)) + 1


@dataclass
class Bounds:
    """
    Lagrangian bounds of many parts of one tree.

    The sums over rows depend on the multipliers only, so each is formed once: ``_sums`` keeps, per row of
    multipliers, the first sum of the formula and ρ per site, both rounded down.
    """

    open_min: int
    open_max: int
    standing_open: BoolArray
    site_price: FloatArray
    multipliers: FloatArray
    ceiling: FloatArray
    pair_row: IntArray
    pair_site: IntArray
    pair_price: FloatArray
    whole: bool
    room: FloatArray | None
    need: FloatArray
    _sums: dict[int, tuple[float, FloatArray, float]] = field(default_factory=dict)
    cuts: Cuts | None = None
    _beyond: Beyond | None = None

    def charge(self, certificate: Certificate) -> None:
        """
        Let the cuts of the certificate take part.

        Raises
        ------
        CheckFailedError
            They are none of these rows and sites.
        """
        n_rows = len(self.ceiling)
        order = np.argsort(self.pair_row, kind="stable")
        start = np.searchsorted(self.pair_row[order], np.arange(n_rows + 1))

        def priced(row: int) -> tuple[IntArray, FloatArray]:
            here = order[start[row] : start[row + 1]]
            return self.pair_site[here], self.pair_price[here]

        self.cuts = Cuts.of(certificate, n_rows, len(self.site_price), priced)
        self._beyond = Beyond.of(self.cuts, start, order, self.pair_price)

    @classmethod
    def of(cls, instance: Instance, multipliers: FloatArray) -> Bounds:
        """From the pairs of an instance."""
        weight = np.asarray(instance.weight[0])
        standing_open = instance.standing == OPEN
        # an open site may be full, so with capacities only staying unserved is sure to be possible
        nearest = instance.unserved if instance.capacitated else cheapest_open(instance, standing_open)
        # weight 0 counts 0 even where the row must be served: a smaller sum, so still a bound
        ceiling = np.multiply(weight, nearest, out=np.zeros_like(weight), where=weight > 0)
        if instance.capacitated:
            ceiling[np.isinf(instance.unserved)] = math.inf
        pair_row = pair_rows(instance)
        price = weight[pair_row] * np.asarray(instance.cost, dtype=np.float64)
        # Only pairs up to the ceiling, and some ulps more against rounding, can be below a multiplier.
        keep = (price <= ceiling[pair_row] * (1 + 4 * _EPS)) & (instance.standing[instance.site_idx] != FORBIDDEN)
        need = weight if instance.need is None else np.asarray(instance.need, dtype=np.float64)
        if instance.capacitated and instance.single_source:  # a row that does not fit whole does not go there
            keep &= need[pair_row] <= instance.capacity[instance.site_idx, 0, 0]
        return cls(
            open_min=max(int(instance.open_min[0]), _fewest(instance)),
            open_max=int(instance.open_max[0]),
            standing_open=standing_open,
            site_price=instance.price,
            multipliers=multipliers,
            ceiling=ceiling,
            pair_row=pair_row[keep],
            pair_site=np.asarray(instance.site_idx[keep]),
            pair_price=price[keep],
            whole=instance.whole,
            room=instance.capacity[:, 0, 0] if instance.capacitated else None,
            need=need,
        )

    def at(self, multiplier: int, state: IntArray) -> float:
        """Bound where some free sites are decided, int8 (n_sites,); ``inf`` where no plan is left."""
        n_decided_open = int(np.count_nonzero(state == 1))
        undecided = np.flatnonzero(state == -1)
        if n_decided_open > self.open_max or n_decided_open + len(undecided) < self.open_min:
            return math.inf
        base, rho, eps = self._of_multipliers(multiplier, state)
        # The fewest that must open do, and of the others those that lower the bound, as many as may.
        must = min(max(self.open_min - n_decided_open, 0), len(undecided))
        may = min(self.open_max - n_decided_open, len(undecided))
        cheapest = np.sort(rho[undecided])[:may]
        chosen = np.concatenate([cheapest[:must], np.minimum(cheapest[must:], 0.0)])
        fixed = rho[self.standing_open | (state == 1)]
        total = math.fsum([base, *fixed.tolist(), *chosen.tolist()])
        magnitude = abs(base) + float(np.abs(fixed).sum()) + float(np.abs(chosen).sum())
        return total - 4 * eps * magnitude

    def with_one_more(self, multiplier: int, state: IntArray) -> tuple[FloatArray, FloatArray]:
        """``at`` with each undecided site closed, and open, float64 (n_sites,) each; ``nan`` where it is decided."""
        base, rho, eps = self._of_multipliers(multiplier, state)
        undecided = np.flatnonzero(state == -1)
        order = undecided[np.argsort(rho[undecided], kind="stable")]
        each = rho[order]
        fixed = rho[self.standing_open | (state == 1)]
        left, low = len(each) - 1, self.open_min - int(np.count_nonzero(state == 1))
        high = low + self.open_max - self.open_min
        total = math.fsum([base, *fixed.tolist()])
        size = abs(base) + float(np.abs(fixed).sum()) + float(np.abs(each[: max(low, 0) + 1]).sum())
        size -= float(np.minimum(each[max(low, 0) + 1 : max(high, 0) + 1], 0.0).sum())
        error = 12 * eps * (size + np.abs(each))
        closed, opened = np.full(len(rho), math.nan), np.full(len(rho), math.nan)
        closed[order] = total + _without_each(each, low, high) - error if low <= left and high >= 0 else math.inf
        can_open = low <= left + 1 and high >= 1
        opened[order] = total + each + _without_each(each, low - 1, high - 1) - error if can_open else math.inf
        return closed, opened

    def _of_multipliers(self, index: int, state: IntArray) -> tuple[float, FloatArray, float]:
        """Sum over the rows, ρ of each site that may be open in a state, and the error of a float64 operation."""
        if index in self._sums:
            return self._sums[index]
        lam = np.minimum(self.multipliers[index], self.ceiling)
        n_sites = len(self.standing_open)
        charged = None if self.cuts is None else self.cuts.charged(index)
        price, most = self.pair_price, np.abs(lam)[self.pair_row]
        if charged is not None and self._beyond is not None:
            lam = np.minimum(lam, self.ceiling - charged.lowered)
            price = price - self._beyond.taken(charged, len(price))
            most = (np.abs(lam) + 2 * charged.lowered)[self.pair_row]
        below = price - lam[self.pair_row]
        # A price within rounding of its multiplier adds nothing but its error.
        active = np.flatnonzero(below <= 2 * _EPS * most)
        site, term = self.pair_site[active], np.minimum(below[active], 0.0)
        size = self.pair_price[active] + most[active]
        for_room = np.zeros(n_sites)
        if self.room is not None:
            # Weak duality of the knapsack: a price per unit of room, whatever it is, bounds it.
            rate = self._rates(site, self.pair_row[active], term)
            taken = rate[site] * self.need[self.pair_row[active]]
            term, size = np.minimum(below[active] + taken, 0.0), size + taken
            priced = np.flatnonzero(rate > 0)
            for_room[priced] = rate[priced] * self.room[priced]
        total_size = float(size.sum() + np.abs(lam).sum())
        # Whole numbers of this size are added without any error.
        total_size += float(np.abs(self.site_price).sum())
        plain = self.room is None and charged is None
        exact = self.whole and plain and total_size < _EXACT / 4 and bool(np.all(lam % 1 == 0))
        eps = 0.0 if exact else _EPS
        count = np.bincount(site, minlength=n_sites)
        rho = np.asarray(np.bincount(site, weights=term, minlength=n_sites), dtype=np.float64)
        error = (count + 2) * (np.abs(rho) + np.abs(self.site_price) + for_room)
        rho = np.asarray(self.site_price - for_room + rho, dtype=np.float64)
        rho = rho - eps * (error + 3 * np.bincount(site, weights=size, minlength=n_sites))
        base = math.fsum(lam) - 2 * eps * math.fsum(np.abs(lam))
        if charged is not None:
            base += charged.gain - eps * (abs(base) + 2 * charged.gain)
            rho -= charged.reward
            rho -= 2 * eps * (np.abs(rho) + charged.reward)
        sums = base, np.asarray(rho, dtype=np.float64), eps
        self._sums[index] = sums
        return sums

    def _rates(self, site: IntArray, row: IntArray, term: FloatArray) -> FloatArray:
        """Worth of a unit of room where not all that would gain fits (the critical ratio of Dantzig 1957)."""
        assert self.room is not None
        rate = np.zeros(len(self.room))
        load = np.bincount(site, weights=self.need[row], minlength=len(rate))
        order = np.argsort(site, kind="stable")
        starts = np.searchsorted(site[order], np.arange(len(rate) + 1))
        for j in np.flatnonzero(load > self.room):
            here = order[starts[j] : starts[j + 1]]
            here = here[self.need[row[here]] > 0]
            ratio = -term[here] / self.need[row[here]]
            best_first = np.argsort(-ratio, kind="stable")
            filled = np.cumsum(self.need[row[here[best_first]]])
            rate[j] = ratio[best_first[min(int(np.searchsorted(filled, self.room[j], side="right")), len(here) - 1)]]
        return rate


def _without_each(rho: FloatArray, must: int, may: int) -> FloatArray:
    """
    The least sum of ``must`` to ``may`` of some numbers without each of them; numbers rise, float64 (n,).

    Each comes from the sum of all, correctly rounded, by at most four additions.
    """
    must, may = max(must, 0), max(may, 0)
    place = np.arange(len(rho))
    counted = np.where(place < must, rho, np.where(place < may, np.minimum(rho, 0.0), 0.0))
    sums = math.fsum(counted) - counted
    # whatever follows comes one place earlier, which matters where the places end that must, and may, be taken
    for end in {must, may}:
        if 0 < end < len(rho):
            taken = rho[end] if end == must else min(rho[end], 0.0)
            sums[:end] += taken - counted[end]
    return np.asarray(sums)
