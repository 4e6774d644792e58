"""Rows to cover and the sites that cover them: what greedy, swaps and the tree of a set cover work on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nearer.kernels import covering as kernels
from nearer.model import FREE, OPEN, Instance
from nearer.solvers.budget import Budget
from nearer.units import BoolArray, FloatArray, IntArray

_SLICE = 5_000_000  # entries a kernel call may scan: well below 0.2 s


@dataclass(frozen=True)
class CoverRows:
    """
    What is left to cover, and by which free sites.

    Parameters
    ----------
    base
        Prices of the sites that stand open.
    row, site
        Positions in the instance, int32 (n,) and (m,).
    ptr, col
        Free sites of each row, int64 (n + 1,) and int32.
    dear
        What leaving each row uncovered costs, float64 (n,): more than any cover.
    n_rows
        Rows of the instance.
    """

    base: float
    row: IntArray
    site: IntArray
    ptr: IntArray
    col: IntArray
    dear: FloatArray
    n_rows: int

    @classmethod
    def of(cls, instance: Instance) -> CoverRows:
        """Take out rows that are covered or do not count."""
        rows = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
        free = instance.standing == FREE
        wanted = instance.weight[0] > 0
        wanted[rows[instance.standing[instance.site_idx] == OPEN]] = False
        keep = free[instance.site_idx] & wanted[rows]
        place = np.cumsum(free) - 1
        row = np.flatnonzero(wanted)
        return cls(
            base=float(instance.price[instance.standing == OPEN].sum()),
            row=row.astype(np.int32),
            site=np.flatnonzero(free).astype(np.int32),
            ptr=np.concatenate([[0], np.cumsum(np.bincount(rows[keep], minlength=instance.n_rows)[row])]),
            col=place[instance.site_idx[keep]].astype(np.int32),
            dear=instance.weight[0][row] * instance.unserved[row],
            n_rows=instance.n_rows,
        )

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.row)

    @property
    def m(self) -> int:
        """Free sites."""
        return len(self.site)

    @cached_property
    def rows(self) -> IntArray:
        """Row of each entry, int64 (nnz,)."""
        return np.repeat(np.arange(self.n), np.diff(self.ptr))

    @cached_property
    def twin(self) -> tuple[IntArray, IntArray]:
        """The entries by site: ``cptr``, ``crow``."""
        twin: tuple[IntArray, IntArray] = kernels.columns_within(
            self.ptr, self.ptr[1:], self.col, np.ones(self.m, dtype=bool), np.arange(self.n)
        )
        return twin

    def sums(self, lam: FloatArray) -> FloatArray:
        """Sum of λ over the rows of each site, float64 (m,)."""
        return np.bincount(self.col, lam[self.rows], minlength=self.m).astype(np.float64)

    def spread(self, lam: FloatArray) -> FloatArray:
        """λ as multipliers of all rows of the instance."""
        full = np.zeros(self.n_rows)
        full[self.row] = lam
        return full

    def greedy(self, rank: FloatArray, most: int) -> IntArray:
        """Up to ``most`` sites that cover many rows, those of rank 0.5 or more first."""
        cptr, crow = self.twin
        plan: IntArray = kernels.greedy_cover(
            self.ptr, self.ptr[1:], self.col, np.arange(self.n), cptr, crow, rank, most
        )
        return plan

    def swap(self, opened: BoolArray, work: int, seed: int, budget: Budget) -> bool:
        """Swap sites in ``opened`` until all rows are covered (``kernels.weighting_search``); whether they are."""
        n, m = self.n, self.m
        cptr, crow = self.twin
        count, whose, score = (np.zeros(size, dtype=np.int64) for size in (n, n, m))
        weight, free = np.ones(n, dtype=np.int64), np.ones(m, dtype=bool)
        memory = np.array([seed % 2_147_483_648, -1, -1], dtype=np.int64)
        left = kernels.weighting_start(cptr, crow, n, opened, count, whose, score)
        until = budget.spent + work
        while left > 0 and budget.spent < until and not budget.exhausted():
            left, done, spent = kernels.weighting_search(
                *(self.ptr, self.ptr[1:], self.col, free, np.arange(n), cptr, crow),
                *(opened, count, whose, score, weight, memory, 1_000_000_000, _SLICE),
            )
            budget.spend(spent + n)
            if done == 0:
                break
        return bool(left == 0)
