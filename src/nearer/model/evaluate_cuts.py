"""
What zero-half cuts of a certificate change about its sums, in plain NumPy.

A cut names sets of sites: S is open or z_S = 1. Half the sum of ``z_S + y(S) ≥ 1`` over the sets, every coefficient and
then the right side rounded up, holds for every plan (Chvátal 1973). A row whose nearest open site lies beyond a set
pays a price μ for it, so that all beyond may be called cheaper by μ once the cut is charged instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model.certificate import Certificate
from nearer.units import BoolArray, FloatArray, IntArray

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Charged:
    """
    The cuts that have a price with one row of multipliers.

    Parameters
    ----------
    gain
        What the prices add to the bound.
    reward
        What they take off the price of each site, rounded up, float64 (n_sites,).
    lowered
        What they take off each row beyond all its sets, rounded up, float64 (n_rows,).
    sets, amount
        The sets, and the price of each, rounded up.
    """

    gain: float
    reward: FloatArray
    lowered: FloatArray
    sets: IntArray
    amount: FloatArray


@dataclass(frozen=True)
class Cuts:
    """
    The cuts of a certificate.

    Parameters
    ----------
    certificate
        Whose they are.
    row, limit
        Row of each set, and the price up to which its sites go, int32 and float64 (n_sets,).
    share_start, share_site, share
        Coefficients ⌈c_j/2⌉ of each cut.
    """

    certificate: Certificate
    n_rows: int
    n_sites: int
    row: IntArray
    limit: FloatArray
    share_start: IntArray
    share_site: IntArray
    share: FloatArray

    @classmethod
    def of(
        cls, certificate: Certificate, n_rows: int, n_sites: int, priced: Callable[[int], tuple[IntArray, FloatArray]]
    ) -> Cuts:
        """
        Read the sets of all cuts.

        Parameters
        ----------
        priced
            Row → its sites, and cost × weight of each.

        Raises
        ------
        CheckFailedError
            The arrays make no cuts of these rows and sites.
        """
        _check_arrays(certificate, n_rows, n_sites)
        row = certificate.cut_row
        limit = np.zeros(len(row))
        members: list[IntArray] = [np.zeros(0, dtype=np.int64)] * len(row)
        order = np.argsort(row, kind="stable")
        last = -1
        sites: IntArray = np.zeros(0, dtype=np.int64)
        prices = np.zeros(0)
        for k in order.tolist():
            if row[k] != last:
                last = int(row[k])
                sites, prices = priced(last)
            at = np.flatnonzero(sites == certificate.cut_site[k])
            if len(at) != 1:
                raise CheckFailedError(
                    f"The certificate proves nothing: a cut asks for a pair of row {last} that is not there."
                )
            limit[k] = prices[at[0]]
            members[k] = sites[prices <= limit[k]]
        start, site, share = [0], [], []
        for a, b in zip(certificate.cut_start[:-1].tolist(), certificate.cut_start[1:].tolist(), strict=True):
            held, count = np.unique(np.concatenate(members[a:b]), return_counts=True)
            site.append(held)
            share.append((count + 1) // 2)
            start.append(start[-1] + len(held))
        return cls(
            *(certificate, n_rows, n_sites, row, limit, np.array(start)),
            share_site=np.concatenate(site),
            share=np.concatenate(share).astype(np.float64),
        )

    def charged(self, multiplier: int) -> Charged | None:
        """The cuts that have a price with a row of multipliers; None where none has."""
        certificate = self.certificate
        takes = np.flatnonzero(certificate.take_multiplier == multiplier)
        if not len(takes):
            return None
        cut, amount = certificate.take_cut[takes], certificate.take_amount[takes]
        sets, owner = _spans(certificate.cut_start, cut)
        up = 1 + (len(sets) + 4) * _EPS  # more than the error of any sum of them
        sizes = np.diff(certificate.cut_start)[cut]
        shares, of = _spans(self.share_start, cut)
        reward = np.bincount(self.share_site[shares], self.share[shares] * amount[of], minlength=self.n_sites)
        return Charged(
            gain=float((amount * ((sizes + 1) // 2)).sum()) / (1 + (len(takes) + 4) * _EPS),
            reward=np.asarray(reward * (1 + (len(shares) + 4) * _EPS), dtype=np.float64),
            lowered=np.asarray(np.bincount(self.row[sets], amount[owner], self.n_rows) * up, dtype=np.float64),
            sets=sets,
            amount=amount[owner] * up,
        )


@dataclass(frozen=True)
class Beyond:
    """Which of some pairs lie beyond each set: ``pair[start[k]:start[k + 1]]``."""

    start: IntArray
    pair: IntArray

    @classmethod
    def of(cls, cuts: Cuts, start: IntArray, pair: IntArray, price: FloatArray) -> Beyond:
        """Pairs of row i, wherever they lie, are ``pair[start[i]:start[i + 1]]``; ``price`` is of all pairs."""
        ends, found = [0], [np.zeros(0, dtype=np.int64)]
        for row, limit in zip(cuts.row.tolist(), cuts.limit.tolist(), strict=True):
            here = pair[start[row] : start[row + 1]]
            found.append(here[price[here] > limit])
            ends.append(ends[-1] + len(found[-1]))
        return cls(np.array(ends), np.concatenate(found))

    def taken(self, charged: Charged, n_pairs: int) -> FloatArray:
        """What is taken off each pair, float64 (n_pairs,)."""
        at, owner = _spans(self.start, charged.sets)
        return np.bincount(self.pair[at], charged.amount[owner], minlength=n_pairs).astype(np.float64)


def _spans(start: IntArray, which: IntArray) -> tuple[IntArray, IntArray]:
    """Positions from ``start[k]`` to ``start[k + 1]`` for some k, and whose each is."""
    first = start[which].astype(np.int64)
    sizes = start[which + 1] - first
    owner = np.repeat(np.arange(len(which)), sizes)
    return first[owner] - (np.cumsum(sizes) - sizes)[owner] + np.arange(len(owner)), owner


def _check_arrays(certificate: Certificate, n_rows: int, n_sites: int) -> None:
    start, n_sets = certificate.cut_start, len(certificate.cut_row)
    whole = (start, certificate.cut_row, certificate.cut_site, certificate.take_multiplier, certificate.take_cut)
    amount = certificate.take_amount

    def within(values: IntArray, most: int) -> BoolArray:
        return (values >= 0) & (values < most)

    good = all(part.ndim == 1 and np.issubdtype(part.dtype, np.integer) for part in whole)
    good = good and amount.ndim == 1 and amount.dtype == np.float64 and bool(np.isfinite(amount).all())
    good = good and len(certificate.cut_site) == n_sets and len(start) > 1 and start[0] == 0 and start[-1] == n_sets
    good = good and len(certificate.take_multiplier) == len(certificate.take_cut) == len(amount)
    good = good and bool(np.all(np.diff(start) > 0) and np.all(amount >= 0))
    good = good and bool(within(certificate.cut_row, n_rows).all() and within(certificate.cut_site, n_sites).all())
    good = good and bool(within(certificate.take_cut, len(start) - 1).all())
    good = good and bool(within(certificate.take_multiplier, len(certificate.multipliers)).all())
    if not good:
        raise CheckFailedError("The certificate proves nothing: its cuts are none of these rows and sites.")
