"""
Zero-half cuts of the relaxation over prefixes: half the sum of an odd number of terms, rounded up.

With z_S = max(0, 1 − y(S)) every plan has z_S + y(S) ≥ 1. Of q of these, half the sum with every coefficient and then
the right side rounded up is ``Σ z_S + Σ_j ⌈c_j / 2⌉ y_j ≥ ⌈q / 2⌉``, where c_j is how many of the sets hold site j
(Chvátal 1973; Caprara, Fischetti 1996; the odd holes of Avella, Sassano, Vasil'ev 2007 are among them).

A cut with a price μ takes μ off the step of each of its sets and adds ``μ (⌈q/2⌉ − Σ ⌈c_j/2⌉ y_j)``: a Lagrangian
bound as before, with sites farther than the set cheaper by μ for the row whose step it was. Steps are those of rows, so
a cut is told in pieces, each of which names a row for every set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.kernels import zero_half as kernels
from nearer.solvers.core import Core
from nearer.units import FloatArray, IntArray, ranges

_HALF = 0.5  # how far from tight a set may be
_LEAST = 0.01  # violation of a cut, in halves
_LONGEST = 25  # sets in a cut
_ORDERS = 4  # in which columns are eliminated
_SUMS = 4_000  # looked at, for each order
_ROWS, _WORK = 4_000, 50_000_000  # sets looked at, the tightest; words, above which no further order is tried
_EACH = 3  # cuts that a set may be new in
_LOOKED = 50  # times as many sums as cuts wanted are looked at
_HASH_SEED = 20_240_301  # of the keys that tell sets apart; a collision would only lose a cut
_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Pieces:
    """
    What the prices of cuts take off the steps of rows.

    Parameters
    ----------
    start
        Where each piece begins in ``entry``, int64 (n_pieces + 1,).
    entry
        Entry of a core (row and last site of the set) for each set of a piece, int64.
    amount
        Price of each piece, float64 (n_pieces,).
    """

    start: IntArray
    entry: IntArray
    amount: FloatArray

    @classmethod
    def none(cls) -> Pieces:
        """No cut has a price."""
        return cls(np.zeros(1, dtype=np.int64), _NONE, np.zeros(0))

    def __len__(self) -> int:
        return len(self.amount)

    def taken(self, core: Core) -> tuple[FloatArray, FloatArray]:
        """How much cheaper each entry, and staying unserved in each row, becomes: float64 (nnz,) and (n,)."""
        sizes = np.diff(self.start)
        change = np.bincount(self.entry, np.repeat(self.amount, sizes), minlength=core.nnz)
        upto = np.zeros(core.nnz)
        total = np.zeros(core.n)
        rows = np.unique(core.rows[self.entry])
        span = core.ptr[rows + 1] - core.ptr[rows]
        at = ranges(core.ptr[rows], span)
        sums = np.cumsum(change[at])
        ends = np.cumsum(span) - 1
        before = np.concatenate([np.zeros(1), sums[ends[:-1]]])
        upto[at] = np.maximum(sums - change[at] - np.repeat(before, span), 0.0)
        total[rows] = sums[ends] - before
        return upto, total

    def reward(self, core: Core) -> tuple[FloatArray, float]:
        """What each site is worth for being in the cuts, float64 (m,), and what all prices add."""
        sizes = np.diff(self.start)
        first = core.ptr[core.rows[self.entry]]
        span = self.entry + 1 - first
        at = ranges(first, span)
        piece = np.repeat(np.repeat(np.arange(len(self)), sizes), span)
        key, count = np.unique(piece * core.m + core.col[at], return_counts=True)
        worth = self.amount[key // core.m] * ((count + 1) // 2)
        reward = np.bincount(key % core.m, worth, minlength=core.m)
        return reward.astype(np.float64), float((self.amount * ((sizes + 1) // 2)).sum())


class SetRows:
    """Which entries, each with a step of its own, make up the amount of each set."""

    def __init__(self, of_entry: IntArray, step: FloatArray) -> None:
        entries = np.flatnonzero(step > 0)
        self.entry: IntArray = entries[np.argsort(of_entry[entries], kind="stable")]
        self.step = step
        self.start: IntArray = np.searchsorted(of_entry[self.entry], np.arange(int(of_entry.max(initial=-1)) + 2))

    def pieces(self, cuts: list[IntArray], price: FloatArray) -> Pieces:
        """Share the prices of cuts out over the rows of their sets, from the first row on."""
        place: dict[int, int] = {}
        left: dict[int, float] = {}
        start, entry, amount = [0], [], []
        for sets, wanted in zip(cuts, price.tolist(), strict=True):
            names = sets.tolist()
            while wanted > 0.0:
                take = wanted
                for s in names:
                    if s not in place:
                        place[s] = int(self.start[s])
                        left[s] = float(self.step[self.entry[place[s]]])
                    while left[s] <= 1e-12 * wanted and place[s] + 1 < self.start[s + 1]:
                        place[s] += 1
                        left[s] = float(self.step[self.entry[place[s]]])
                    take = min(take, left[s])
                if take <= 0.0:
                    break  # the rounding of the linear programme asks for more than there is
                for s in names:
                    left[s] -= take
                    entry.append(int(self.entry[place[s]]))
                start.append(len(entry))
                amount.append(take)
                wanted -= take
        return Pieces(np.array(start, dtype=np.int64), np.array(entry, dtype=np.int64), np.array(amount))


def _sums_over(entries: IntArray, first: IntArray, last: IntArray) -> IntArray:
    """Sum of the entries from first to last, for each pair of these; unsigned ones wrap."""
    sums = np.concatenate([np.zeros(1, dtype=entries.dtype), np.cumsum(entries, dtype=entries.dtype)])
    return np.asarray(sums[last + 1] - sums[first])


def violated_cuts(
    core: Core,
    y: FloatArray,
    openness: FloatArray,
    ends: tuple[IntArray, IntArray],
    useful: IntArray,
    rng: np.random.Generator,
    most: int,
) -> tuple[list[IntArray], int]:
    """
    Cuts that a fractional solution breaks, each as its sets, and the work it took to find them.

    Parameters
    ----------
    y, openness
        Openness of each site, and of the sites of each set together.
    ends
        First and last entry of each set.
    useful
        Sets that have an amount, ascending.
    most
        Cuts to return.
    """
    first, last = ends
    y = np.where(y < 1e-9, 0.0, np.where(y > 1 - 1e-9, 1.0, y))
    near = useful[np.abs(1.0 - openness[useful]) < _HALF]
    support = np.flatnonzero((y > 0) & (y < 1))
    if not len(near) or not len(support):
        return [], 0
    # Sets with the same open sites have the same key; a site that is open anyway makes a set that adds nothing.
    keys = np.zeros(core.m, dtype=np.uint64)
    keys[support] = np.random.default_rng(_HASH_SEED).integers(1, 2**63, len(support), dtype=np.uint64)
    key = _sums_over(keys[core.col], first[near], last[near])
    kept = (key != 0) & (_sums_over((y == 1)[core.col].astype(np.int32), first[near], last[near]) == 0)
    near, key = near[kept], key[kept]
    # Of sets with the same open sites the tightest counts, of those the smallest.
    weight = np.abs(1.0 - openness[near])
    order = np.lexsort((last[near] - first[near], np.round(weight, 9)))
    order = order[np.sort(np.unique(key[order], return_index=True)[1])][:_ROWS]
    weight, near = weight[order], near[order]
    spans = last[near] + 1 - first[near]
    at = ranges(first[near], spans)
    row, site = np.repeat(np.arange(len(near)), spans), core.col[at]
    column = np.full(core.m, -1, dtype=np.int64)
    column[support] = np.arange(len(support))
    words = np.zeros((len(near), (len(support) + 63) // 64), dtype=np.uint64)
    keep = column[site] >= 0
    where = column[site[keep]]
    np.bitwise_or.at(words, (row[keep], where // 64), np.uint64(1) << (where % 64).astype(np.uint64))
    value = y[support]
    spent = int(spans.sum())
    sums, totals = [], []
    for turn in range(_ORDERS):
        if spent > _WORK:
            break
        columns = np.argsort(-value - (0.6 * rng.random(len(value)) if turn else 0.0), kind="stable")
        rows = rng.permutation(len(near)) if turn else np.arange(len(near))
        found, total, looked = kernels.odd_sums(words, weight, value, columns, rows, _LONGEST, _SUMS)
        spent += looked
        rank = np.flatnonzero(total < 1 - _LEAST)
        sums.append(found[rank])
        totals.append(total[rank])
    return _best_sums(np.concatenate(sums), np.concatenate(totals), near, most), spent


def _best_sums(held: IntArray, total: FloatArray, near: IntArray, most: int) -> list[IntArray]:
    """The most broken and shortest of some sums, no set in more than so many unless another of the cut is new."""
    score = total + 0.02 * np.bitwise_count(held).sum(axis=1)
    often = np.zeros(len(near), dtype=np.int64)
    seen: set[bytes] = set()
    cuts: list[IntArray] = []
    for k in np.argsort(score, kind="stable")[: _LOOKED * most]:
        name = held[k].tobytes()
        if name in seen:
            continue
        seen.add(name)
        chosen = np.flatnonzero(np.unpackbits(held[k].view(np.uint8), bitorder="little"))
        if often[chosen].min() < _EACH:
            often[chosen] += 1
            cuts.append(near[chosen])
            if len(cuts) == most:
                break
    return cuts
