"""
Value and proven bound of a p-median of points in the plane, however many, in plain NumPy: no pair is kept.

As in ``evaluate``, nothing is shared with the solvers or their kernels. Points are taken block by block as they lie,
each with the sites that the greatest multiplier of the block reaches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nearer.model.certificate import Certificate
from nearer.model.evaluate import Bounds, evaluate_certificate
from nearer.model.evaluate_cuts import Charged, Cuts
from nearer.model.plane import PlaneRows
from nearer.units import FloatArray, IntArray

_BLOCK = 256  # points
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


def bound_of_points(rows: PlaneRows, p: int, certificate: Certificate, cutoff: float = math.inf) -> float:
    """
    What a certificate proves about opening p sites, for all pairs, raised to the next whole number where all are whole.

    Raises
    ------
    CheckFailedError
        The arrays do not fit the problem, or the tree leaves a plan out.
    """
    # Sizes alone count here: the bounds below know the pairs.
    instance = rows.instance(np.zeros(rows.n_rows), p)
    bound = evaluate_certificate(instance, certificate, cutoff, _PointBounds(rows, p, certificate.multipliers))
    return min(float(math.ceil(bound)), cutoff) if is_whole(rows) and math.isfinite(bound) else bound


def is_whole(rows: PlaneRows) -> bool:
    """Whether every value is a whole number."""
    return rows.whole and bool(np.all(rows.weight % 1 == 0))


class _PointBounds(Bounds):
    """Bounds whose sums over rows are formed from the points."""

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

    def charge(self, certificate: Certificate) -> None:
        """Let the cuts of the certificate take part; raises where they are none of these rows and sites."""
        rows = self.rows
        every = np.arange(rows.n_sites)

        def priced(row: int) -> tuple[IntArray, FloatArray]:
            return every, rows.weight[row] * _costs(rows, np.array([row]), rows.site_x, rows.site_y)[0]

        self.cuts = Cuts.of(certificate, rows.n_rows, rows.n_sites, priced)

    def _of_multipliers(self, index: int) -> tuple[float, FloatArray, float]:
        if index in self._sums:
            return self._sums[index]
        rows = self.rows
        lam = np.minimum(self.multipliers[index], self.ceiling)
        rho, error, count = np.zeros(rows.n_sites), np.zeros(rows.n_sites), np.zeros(rows.n_sites)
        total_size = float(np.abs(lam).sum())
        charged = None if self.cuts is None else self.cuts.charged(index)
        lowered = np.zeros(len(lam)) if charged is None else charged.lowered
        off = {} if charged is None or self.cuts is None else _by_row(self.cuts, charged)
        for block, site in self._blocks(lam + lowered):
            weight, most = rows.weight[block, None], lam[block, None]
            price = weight * _costs(rows, block, rows.site_x[site], rows.site_y[site])
            slack = np.abs(most) + 2 * lowered[block, None]
            size = price + slack
            if off:
                price = _taken_off(price, block, off)
            below = price - most
            # A price within rounding of its multiplier adds nothing but its error.
            active = below <= 2 * _EPS * slack
            size = np.where(active, size, 0.0).sum(axis=0)
            rho[site] += np.minimum(np.where(active, below, 0.0), 0.0).sum(axis=0)
            error[site] += 3 * size
            count[site] += active.sum(axis=0)
            total_size += float(size.sum())
        exact = self.whole and charged is None and total_size < 2.0**53 / 4 and bool(np.all(lam % 1 == 0))
        eps = 0.0 if exact else _EPS
        rho = rho - eps * ((count + 2) * np.abs(rho) + error)
        base = math.fsum(lam) - 2 * eps * math.fsum(np.abs(lam))
        if charged is not None:
            base += charged.gain - eps * (abs(base) + 2 * charged.gain)
            rho -= charged.reward
            rho -= 2 * eps * (np.abs(rho) + charged.reward)
        sums = base, rho, eps
        self._sums[index] = sums
        return sums

    def _blocks(self, lam: FloatArray) -> Iterator[tuple[IntArray, IntArray]]:
        """Points near each other, and the sites that any of them reaches."""
        rows = self.rows
        used = np.flatnonzero(rows.weight > 0)
        if not len(used):
            return
        strip = max(1, round(math.sqrt(len(used) * _BLOCK)))  # points in a strip from top to bottom
        along = used[np.argsort(rows.x[used], kind="stable")]
        reach = np.divide(lam, rows.weight, out=np.zeros_like(lam), where=rows.weight > 0)
        for start in range(0, len(along), strip):
            part = along[start : start + strip]
            part = part[np.argsort(rows.y[part], kind="stable")]
            for first in range(0, len(part), _BLOCK):
                block = part[first : first + _BLOCK]
                # Rounded distances may be one less than distances; and a hair more against rounding.
                most = (float(reach[block].max()) + (1.0 if rows.whole else 0.0)) * (1 + 1e-9) + 1e-9
                x, y = rows.x[block], rows.y[block]
                dx = np.maximum(np.maximum(x.min() - rows.site_x, rows.site_x - x.max()), 0.0)
                dy = np.maximum(np.maximum(y.min() - rows.site_y, rows.site_y - y.max()), 0.0)
                yield block, np.flatnonzero(dx * dx + dy * dy <= most * most)


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
