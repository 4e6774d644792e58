"""
Value and proven bound of a p-median of points in the plane, however many, in plain NumPy: no pair is kept.

As in ``evaluate``, nothing is shared with the solvers or their kernels. Points are taken block by block as they lie,
each with the sites that the greatest multiplier of the block reaches; sites that are closed where a multiplier counts
are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nearer.model.certificate import Certificate
from nearer.model.evaluate import Bounds, evaluate_certificate
from nearer.model.evaluate_cuts import Charged, Cuts
from nearer.model.instance import FREE, single_phase
from nearer.model.plane import PlaneRows
from nearer.progress import Progress
from nearer.units import BoolArray, FloatArray, IntArray

_BLOCK = 128  # points
_CELLS = 32_768  # of points × sites looked at together, so that they stay in the processor's cache
_EPS = float(np.finfo(np.float64).eps)


def value_of_points(rows: PlaneRows, open_idx: IntArray) -> float:
    """Cost × weight with some sites open, correctly rounded."""
    return math.fsum(rows.weight * nearest_of_points(rows, open_idx))


def nearest_of_points(rows: PlaneRows, open_idx: IntArray) -> FloatArray:
    """Cost per unit of weight at the nearest of some sites, float64 (n_rows,)."""
    x, y = rows.site_x[open_idx], rows.site_y[open_idx]
    step = max(1, 3_000_000 // max(len(open_idx), 1))
    parts = range(0, rows.n_rows, step)
    best = [_costs(rows, slice(start, start + step), x, y).min(axis=1) for start in parts]
    return np.concatenate(best)


def bound_of_points(
    rows: PlaneRows, p: int, certificate: Certificate, cutoff: float = math.inf, progress: Progress | None = None
) -> float:
    """
    What a certificate proves about opening p sites, for all pairs, raised to the next whole number where all are whole.

    Raises
    ------
    CheckFailedError
        The arrays do not fit the problem, or the tree leaves a plan out.
    """
    none = np.zeros(0, dtype=np.int64)
    start, unserved, standing = (
        np.zeros(rows.n_rows + 1, dtype=np.int64),
        np.full(rows.n_rows, np.inf),
        np.full(rows.n_sites, FREE),
    )
    # Sizes alone count here: the bounds below know the pairs.
    instance = single_phase(start, none, none, rows.weight, unserved, standing, p, p)
    bounds = _PointBounds(rows, p, certificate.multipliers)
    bound = evaluate_certificate(instance, certificate, cutoff, bounds, progress)
    return min(float(math.ceil(bound)), cutoff) if is_whole(rows) and math.isfinite(bound) else bound


def is_whole(rows: PlaneRows) -> bool:
    """Whether every value is a whole number."""
    return rows.whole and bool(np.all(rows.weight % 1 == 0))


@dataclass(frozen=True)
class _Block:
    """Points near each other, int64 (n,), and the box around them."""

    row: IntArray
    low_x: float
    high_x: float
    low_y: float
    high_y: float


class _PointBounds(Bounds):
    """Bounds whose sums over rows are formed from the points, for sites that may be open where they are asked for."""

    def __init__(self, rows: PlaneRows, p: int, multipliers: FloatArray) -> None:
        none = np.zeros(0)
        no_pairs = np.zeros(0, dtype=np.int64)
        super().__init__(
            open_min=p,
            open_max=p,
            standing_open=np.zeros(rows.n_sites, dtype=bool),
            site_price=np.zeros(rows.n_sites),
            multipliers=multipliers,
            ceiling=np.where(rows.weight > 0, math.inf, 0.0),
            pair_row=no_pairs,
            pair_site=no_pairs,
            pair_price=none,
            whole=is_whole(rows),
            room=None,
            need=none,
        )
        self.rows = rows
        self.blocks = list(_blocks(rows))
        self.known: dict[int, BoolArray] = {}

    def charge(self, certificate: Certificate) -> None:
        """Let the cuts of the certificate take part; raises where they are none of these rows and sites."""
        rows = self.rows
        every = np.arange(rows.n_sites)

        def priced(row: int) -> tuple[IntArray, FloatArray]:
            return every, rows.weight[row] * _costs(rows, np.array([row]), rows.site_x, rows.site_y)[0]

        self.cuts = Cuts.of(certificate, rows.n_rows, rows.n_sites, priced)

    def _of_multipliers(self, index: int, state: IntArray) -> tuple[float, FloatArray, float]:
        known = self.known.setdefault(index, np.zeros(self.rows.n_sites, dtype=bool))
        base, rho, eps = self._sums.get(index, (0.0, np.zeros(len(known)), 0.0))
        asked = np.flatnonzero((state != 0) & ~known)
        if index not in self._sums or len(asked):
            base, rho[asked], more = self._summed(index, asked)
            known[asked] = True
            eps = max(eps, more)
            self._sums[index] = base, rho, eps
        return base, rho, eps

    def _summed(self, index: int, asked: IntArray) -> tuple[float, FloatArray, float]:
        """As ``_of_multipliers``, ρ of some sites, each only as far as its sums go."""
        rows = self.rows
        lam = np.minimum(self.multipliers[index], self.ceiling)
        by_x = asked[np.argsort(rows.site_x[asked], kind="stable")]
        x, y = rows.site_x[by_x], rows.site_y[by_x]
        total, error, count = np.zeros(len(x)), np.zeros(len(x)), np.zeros(len(x))
        charged = None if self.cuts is None else self.cuts.charged(index)
        lowered = np.zeros(len(lam)) if charged is None else charged.lowered
        off = {} if charged is None or self.cuts is None else _by_row(self.cuts, charged)
        reach = np.divide(lam + lowered, rows.weight, out=np.zeros_like(lam), where=rows.weight > 0)
        # A term counts where a price is at most its multiplier, so that no term is larger than twice that; nor is the
        # error of one that is left out, since its price lies within rounding of the multiplier.
        size = 2 * np.abs(lam) + 3 * lowered
        for block in self.blocks:
            row = block.row
            near = _near(block, float(reach[row].max()) + (1.0 if rows.whole else 0.0), x, y)
            error[near] += 3 * float(size[row].sum())
            count[near] += len(row)
            weight, most = rows.weight[row, None], lam[row, None]
            step = max(1, _CELLS // len(row))
            for at in range(0, len(near), step):
                part = near[at : at + step]
                price = _costs(rows, row, x[part], y[part])
                price *= weight
                if off:
                    price = _taken_off(price, row, off)
                price -= most
                total[part] += np.minimum(price, 0.0, out=price).sum(axis=0)
        total_size = float(error.sum() + np.abs(lam).sum())
        exact = self.whole and charged is None and total_size < 2.0**53 / 4 and bool(np.all(lam % 1 == 0))
        eps = 0.0 if exact else _EPS
        rho = np.zeros(rows.n_sites)
        rho[by_x] = total - eps * ((count + 2) * np.abs(total) + error)
        rho = rho[asked]
        base = math.fsum(lam) - 2 * eps * math.fsum(np.abs(lam))
        if charged is not None:
            base += charged.gain - eps * (abs(base) + 2 * charged.gain)
            rho -= charged.reward[asked]
            rho -= 2 * eps * (np.abs(rho) + charged.reward[asked])
        return base, rho, eps


def _blocks(rows: PlaneRows) -> Iterator[_Block]:
    """Points of some weight, near each other."""
    used = np.flatnonzero(rows.weight > 0)
    strip = max(1, round(math.sqrt(len(used) * _BLOCK)))  # points in a strip from top to bottom
    along = used[np.argsort(rows.x[used], kind="stable")]
    for start in range(0, len(along), strip):
        part = along[start : start + strip]
        part = part[np.argsort(rows.y[part], kind="stable")]
        for first in range(0, len(part), _BLOCK):
            row = part[first : first + _BLOCK]
            x, y = rows.x[row], rows.y[row]
            yield _Block(row, float(x.min()), float(x.max()), float(y.min()), float(y.max()))


def _near(block: _Block, reach: float, x: FloatArray, y: FloatArray) -> IntArray:
    """Places, their x rising, that lie within reach of a block, a hair more against rounding; int64."""
    reach = reach * (1 + 1e-9) + 1e-9
    if reach < 0:
        return np.zeros(0, dtype=np.int64)
    wide = reach + 4 * _EPS * (abs(block.low_x) + abs(block.high_x))  # where a sum of the two is rounded
    low, high = np.searchsorted(x, [block.low_x - wide, block.high_x + wide])
    x, y = x[low : high + 1], y[low : high + 1]
    dx = np.maximum(np.maximum(block.low_x - x, x - block.high_x), 0.0)
    dy = np.maximum(np.maximum(block.low_y - y, y - block.high_y), 0.0)
    return np.asarray(low + np.flatnonzero(dx * dx + dy * dy <= reach * reach))


def _costs(rows: PlaneRows, part: slice | IntArray, site_x: FloatArray, site_y: FloatArray) -> FloatArray:
    squared = np.square(rows.x[part, None] - site_x)
    squared += np.square(rows.y[part, None] - site_y)
    return np.asarray(rows.rounded(np.sqrt(squared, out=squared)))


def _by_row(cuts: Cuts, charged: Charged) -> dict[int, list[tuple[float, float]]]:
    """Row → the price up to which each of its sets goes, and what is taken off beyond."""
    off: dict[int, list[tuple[float, float]]] = {}
    for k, amount in zip(charged.sets.tolist(), charged.amount.tolist(), strict=True):
        off.setdefault(int(cuts.row[k]), []).append((float(cuts.limit[k]), amount))
    return off


def _taken_off(price: FloatArray, block: IntArray, off: dict[int, list[tuple[float, float]]]) -> FloatArray:
    """Prices of a block of rows, float64 (n_block, n_sites), less what cuts take off them."""
    less = price.copy()
    for place, row in enumerate(block.tolist()):
        for limit, amount in off.get(row, ()):
            less[place, price[place] > limit] -= amount
    return less
