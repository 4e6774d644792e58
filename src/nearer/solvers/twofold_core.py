"""``TwofoldCore``: what is left of a twofold cover once standing, fixed and useless sites are taken out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nearer.kernels import twofold as kernels
from nearer.model import FREE, OPEN, Instance
from nearer.solvers.core import cheapest_set
from nearer.units import BoolArray, FloatArray, IntArray

# 128 bits tell sets apart; the certificate does not rely on it
_HASH_SEED = 20_240_229


@dataclass(frozen=True)
class TwofoldCore:
    """
    Open between ``k_min`` and ``k_max`` of m free sites.

    Rows with the same free sites and the same second share, and equally covered by what is open, are one *term*: it
    pays ``one`` with none of its sites open, ``two`` with one and nothing with more.

    Parameters
    ----------
    base
        Cost of what is settled, prices of open sites included.
    k_min, k_max, price, site
        As in ``Core``.
    ptr, col
        Sites of each term, int64 (n + 1,) and int32.
    one, two
        float64 (n,).
    term, share
        Term of each row of the instance, int32 (n_rows,), −1 = settled, and the row's part of its cost, float64.
    """

    base: float
    k_min: int
    k_max: int
    price: FloatArray
    site: IntArray
    ptr: IntArray
    col: IntArray
    one: FloatArray
    two: FloatArray
    term: IntArray
    share: FloatArray

    @classmethod
    def of(cls, instance: Instance, state: IntArray) -> TwofoldCore:
        """
        Reduce an instance where some free sites are decided.

        ``state`` says of each site −1 undecided, 0 closed, 1 open (int8 (n_sites,)); standing ones are open.
        """
        is_open, free = state == 1, state < 0
        rows = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
        near = np.bincount(rows[is_open[instance.site_idx]], minlength=instance.n_rows)
        useful = free[instance.site_idx]
        degree = np.bincount(rows[useful], minlength=instance.n_rows)
        assert instance.second_share is not None
        weight = np.asarray(instance.weight[0])
        cost = np.multiply(weight, instance.unserved, out=np.zeros_like(weight), where=weight > 0)
        last = cost * instance.second_share
        # With two sites nothing is left to pay; with one in all, the second half is lost.
        settled = np.where(near >= 2, 0.0, np.where(near + degree == 0, cost, np.where(near + degree == 1, last, 0.0)))
        one = np.where(near == 0, cost, np.where(near == 1, last, 0.0)) - settled
        two = np.where((near == 0) & (degree >= 2), last, 0.0)
        counts = (degree > 0) & (one > 0)
        keep = useful & counts[rows]
        ratio = np.where(two > 0, instance.second_share, 0.0)
        place = np.cumsum(free) - 1
        order = np.lexsort((place[instance.site_idx[keep]], rows[keep]))
        sites, of_row = place[instance.site_idx[keep]][order], rows[keep][order]
        term, first = _equal_rows(of_row, sites, ratio, np.flatnonzero(counts), int(free.sum()))
        full_term = np.full(instance.n_rows, -1, dtype=np.int32)
        full_term[counts] = term
        n = len(first)
        ends = np.searchsorted(of_row, np.arange(instance.n_rows + 1))
        sizes = (ends[1:] - ends[:-1])[first]
        ptr = np.concatenate([[0], np.cumsum(sizes)])
        at = np.arange(ptr[-1]) - np.repeat(ptr[:-1], sizes) + np.repeat(ends[first], sizes)
        total = np.bincount(term, one[counts], minlength=n).astype(np.float64)
        share = np.zeros(instance.n_rows)
        share[counts] = one[counts] / total[term]
        n_opened = int((is_open & (instance.standing == FREE)).sum())
        return cls(
            base=float(settled.sum()) + float(instance.price[is_open].sum()),
            k_min=max(int(instance.open_min[0]) - n_opened, 0),
            k_max=min(int(instance.open_max[0]) - n_opened, int(free.sum())),
            price=instance.price[free],
            site=np.flatnonzero(free).astype(np.int32),
            ptr=ptr,
            col=sites[at].astype(np.int32),
            one=total,
            two=np.bincount(term, two[counts], minlength=n).astype(np.float64),
            term=full_term,
            share=share,
        )

    @property
    def n(self) -> int:
        """Terms."""
        return len(self.one)

    @property
    def m(self) -> int:
        """Free sites."""
        return len(self.site)

    @property
    def nnz(self) -> int:
        """Entries."""
        return len(self.col)

    @cached_property
    def terms(self) -> IntArray:
        """Term of each entry, int64 (nnz,)."""
        return np.repeat(np.arange(self.n), np.diff(self.ptr))

    @cached_property
    def twin(self) -> tuple[IntArray, IntArray]:
        """The entries by site: ``cptr``, ``crow``."""
        twin: tuple[IntArray, IntArray] = kernels.columns(self.ptr, self.col, self.m)
        return twin

    @cached_property
    def steep(self) -> FloatArray:
        """The most that λ of a term may usefully be: the first slope of its lower envelope, float64 (n,)."""
        return np.maximum(self.one - self.two, self.one / 2)

    @property
    def decided(self) -> bool:
        """Whether nothing is left to choose."""
        return self.m == self.k_min or self.k_max == 0 or (self.n == 0 and not self.price.any())

    def cheapest_set(self, rank: FloatArray) -> IntArray:
        """The set of least total rank, at least k_min and at most k_max sites, ties to the lowest index."""
        return cheapest_set(rank, self.k_min, self.k_max)

    def value(self, open_idx: IntArray) -> float:
        """Cost with these free sites open."""
        chosen = np.zeros(self.m, dtype=bool)
        chosen[open_idx] = True
        count = np.empty(self.n, dtype=np.int64)
        kernels.times_open(self.ptr, self.col, chosen, count)
        paid = float(self.one[count == 0].sum()) + float(self.two[count == 1].sum())
        return self.base + float(self.price[open_idx].sum()) + paid

    def by_row(self, lam: FloatArray) -> FloatArray:
        """λ of the terms as multipliers of the instance's rows, float64 (n_rows,)."""
        return np.asarray(np.where(self.term >= 0, self.share * np.append(lam, 0.0)[self.term], 0.0))

    def by_term(self, lam: FloatArray) -> FloatArray:
        """Multipliers of the instance's rows as λ of the terms, within what is useful, float64 (n,)."""
        counts = self.term >= 0
        total = np.bincount(self.term[counts], lam[counts], minlength=self.n)
        return np.clip(total, 0.0, self.steep)


def start_state(instance: Instance) -> IntArray:
    """−1 for free sites, 1 for those that stand open, 0 for forbidden ones, int8 (n_sites,)."""
    return np.where(instance.standing == FREE, -1, np.where(instance.standing == OPEN, 1, 0)).astype(np.int8)


def _equal_rows(
    of_row: IntArray, sites: IntArray, ratio: FloatArray, rows: IntArray, m: int
) -> tuple[IntArray, IntArray]:
    """Number of the set of each of ``rows``, and the first row of each set; sorted by number of the first row."""
    keys = np.random.default_rng(_HASH_SEED).integers(0, 2**63, (2, max(m, 1)), dtype=np.uint64)
    n_all = len(ratio)
    digest: BoolArray | IntArray = np.zeros((n_all, 3), dtype=np.uint64)
    for part in range(2):
        with np.errstate(over="ignore"):
            np.add.at(digest[:, part], of_row, keys[part][sites])  # wraps, on purpose
    digest[:, 2] = ratio.view(np.uint64)
    _, first, inverse = np.unique(digest[rows], axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[inverse.ravel()].astype(np.int32), rows[first[order]]
