"""``Core``: the problem that is left once open sites, empty rows and fixed sites are taken out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nearer.errors import UsageError
from nearer.kernels import pmedian as kernels
from nearer.kernels.moves import Table
from nearer.model import FORBIDDEN, FREE, OPEN, Instance
from nearer.units import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Core:
    """
    Open between ``k_min`` and ``k_max`` of m free sites; a row that none of them serves stays at its cap.

    Parameters
    ----------
    base
        Cost of the rows left out, and of the sites that stand open.
    k_min, k_max
        Sites to open, at least and at most.
    price
        What each free site costs when open, float64 (m,).
    site, row
        Positions in the instance, int32 (m,) and (n,).
    cap
        Weighted cost of each row with the sites that stand open, float64 (n,).
    ptr, col, val
        Weighted costs below the cap, rows ascending by (cost, site): see ``kernels.pmedian``.
    """

    base: float
    k_min: int
    k_max: int
    price: FloatArray
    site: IntArray
    row: IntArray
    cap: FloatArray
    ptr: IntArray
    col: IntArray
    val: FloatArray

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.cap)

    @property
    def m(self) -> int:
        """Free sites."""
        return len(self.site)

    @property
    def nnz(self) -> int:
        """Entries."""
        return len(self.val)

    @cached_property
    def twin(self) -> tuple[IntArray, IntArray, FloatArray]:
        """The entries by site: ``cptr``, ``crow``, ``cval``."""
        twin: tuple[IntArray, IntArray, FloatArray] = kernels.columns(self.ptr, self.col, self.val, self.m)
        return twin

    @cached_property
    def table(self) -> Table:
        """All of it as the kernels of moves take it."""
        return Table(self.ptr, self.col, self.val, *self.twin, self.cap, self.price, self.k_min, self.k_max)

    @cached_property
    def least(self) -> FloatArray:
        """Cheapest entry of each row, float64 (n,)."""
        return np.asarray(self.val[self.ptr[:-1]])

    @cached_property
    def rows(self) -> IntArray:
        """Row of each entry, int64 (nnz,)."""
        return np.repeat(np.arange(self.n), np.diff(self.ptr))

    def value(self, open_idx: IntArray) -> float:
        """Cost with these free sites open."""
        mask = np.zeros(self.m, dtype=bool)
        mask[open_idx] = True
        return self.base + float(self.price[open_idx].sum()) + float(self.caps_with(mask).sum())

    @property
    def decided(self) -> bool:
        """Whether nothing is left to choose: no row depends on it and no price."""
        return self.m == self.k_min or self.k_max == 0 or (self.n == 0 and not self.price.any())

    def cheapest_set(self, rank: FloatArray) -> IntArray:
        """The set of least total rank, at least k_min and at most k_max sites, ties to the lowest index."""
        return cheapest_set(rank, self.k_min, self.k_max)

    def caps_with(self, opened: BoolArray) -> FloatArray:
        """Caps of the rows once these sites stand open, float64 (n,)."""
        return np.asarray(kernels.costs(self.ptr, self.col, self.val, self.cap, opened))

    def restricted(self, closed: BoolArray, opened: BoolArray) -> Core:
        """Take out sites fixed closed, and sites fixed open after lowering the caps to what they cost."""
        n_opened = int(opened.sum())
        return _compressed(
            self.base + float(self.price[opened].sum()),
            max(self.k_min - n_opened, 0),
            self.k_max - n_opened,
            self.price,
            self.site,
            self.row,
            self.caps_with(opened),
            (self.ptr, self.col, self.val, np.ones(self.n)),
            ~(closed | opened),
        )


def cheapest_set(rank: FloatArray, k_min: int, k_max: int) -> IntArray:
    """Positions of least total rank, at least k_min and at most k_max, ties to the lowest index."""
    order = np.argsort(rank, kind="stable")
    return order[: max(k_min, min(k_max, int(np.count_nonzero(rank < 0))))]


def _compressed(
    base: float,
    k_min: int,
    k_max: int,
    price: FloatArray,
    site: IntArray,
    row: IntArray,
    cap: FloatArray,
    entries: tuple[IntArray, IntArray, IntArray | FloatArray, FloatArray],
    keep: BoolArray,
) -> Core:
    """What lies below the caps at the sites kept; ``entries``: rows, sites, costs and weights of the rows."""
    full, ptr, col, val = kernels.below_caps(*entries, cap, keep)
    return Core(
        base=base + float(cap[~full].sum()),
        k_min=k_min,
        k_max=min(k_max, int(keep.sum())),
        price=price[keep],
        site=site[keep],
        row=row[full],
        cap=cap[full],
        ptr=ptr,
        col=col,
        val=val,
    )


def standing_caps(instance: Instance) -> FloatArray:
    """
    Weighted cost of each row with the sites that stand open, float64 (n_rows,).

    Raises
    ------
    UsageError
        A row must be served but does not hold every site, so that no finite cap is valid.
    """
    caps = instance.unserved.copy()
    must = ~np.isfinite(caps)
    if must.any():
        usable = np.add.reduceat(
            np.append(instance.standing[instance.site_idx] != FORBIDDEN, False), instance.indptr[:-1], dtype=np.int64
        )
        usable[np.diff(instance.indptr) == 0] = 0
        n_usable = int(np.sum(instance.standing != FORBIDDEN))
        if np.any(usable[must] < n_usable) or (instance.open_min[0] < 1 and not np.any(instance.standing == OPEN)):
            raise UsageError(
                "some rows must be served although not every site can serve them; give a cost for being out of reach"
            )
        # Whatever opens, a full row pays at most its dearest entry.
        held = must & (np.diff(instance.indptr) > 0)
        caps[must] = 0.0
        caps[held] = instance.cost[instance.indptr[1:][held] - 1]
    if np.any(instance.standing == OPEN):
        first = kernels.first_open(instance.indptr, instance.site_idx, instance.standing == OPEN)
        served = first >= 0
        caps[served] = np.minimum(caps[served], instance.cost[first[served]])
    return np.asarray(instance.weight[0] * caps)


def make_core(instance: Instance) -> Core:
    """Reduce an uncapacitated instance of one phase; raises as ``standing_caps``."""
    caps = standing_caps(instance)
    return _compressed(
        base=float(instance.price[instance.standing == OPEN].sum()),
        k_min=int(instance.open_min[0]),
        k_max=int(instance.open_max[0]),
        price=instance.price,
        site=np.arange(instance.n_sites, dtype=np.int32),
        row=np.arange(instance.n_rows, dtype=np.int32),
        cap=caps,
        entries=(instance.indptr, instance.site_idx, instance.cost, instance.weight[0]),
        keep=instance.standing == FREE,
    )
