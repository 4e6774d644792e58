"""
Set cover, all sites at one price, with sites that stand open: the fewest more that cover every row.

Plans come from greedy and a weighting local search that takes one site less each time. Bounds come in turns: for k one
above the bound known, a tree proves that k sites are too few, or finds a cover with k.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from nearer.kernels import covering as kernels
from nearer.model import FREE, OPEN, Instance, Solution, Status
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.budget import Budget
from nearer.solvers.proof import ProofTree
from nearer.solvers.setcover_tree import CoverSearch
from nearer.solvers.state import State
from nearer.units import BoolArray, FloatArray, IntArray

_QUICK, _LONG = 500, 5_000  # times that a search for one site less may scan all entries
_MOST = 20_000  # entries that count for this at most, so that no search takes more than a second or two
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


class SetCoverRun:
    """One run on one instance; see ``solve_set_cover``."""

    def __init__(self, instance: Instance, state: State, seed: int) -> None:
        self.state, self.seed = state, seed
        self.rows = CoverRows.of(instance)
        state.budget.spend(2 * len(instance.site_idx))
        self.proof = ProofTree()
        self.proof.set_leaf(0, self.proof.add(partial(self.rows.spread, np.zeros(self.rows.n))))

    def run(self, start: IntArray | None) -> None:
        """From the first plan to a proof, or until the state is done."""
        state, rows = self.state, self.rows
        self.first_plan(start)
        state.proved(rows.base + (1.0 if rows.n else 0.0))
        if rows.n:
            self.proof.set_leaf(0, self.proof.add(partial(rows.spread, np.eye(1, rows.n)[0])))
        if not state.done():
            self.fewer(_QUICK)
        search = CoverSearch(rows, state.budget)
        lam = search.root()
        if lam is not None:
            self.proof.set_leaf(0, self.proof.add(partial(rows.spread, lam)))
            state.proved(rows.base + search.bound(lam))
        if not state.done():
            self.fewer(_LONG)
        while not state.done():
            k = round(state.bound - rows.base)  # so many sites are not ruled out
            proof = search.too_few(k)
            if search.plan is not None:
                self.keep(search.plan)
            if proof is None:
                if state.value - rows.base > k:
                    return
            else:
                self.proof = proof
                state.proved(rows.base + k + 1)

    def first_plan(self, start: IntArray | None) -> None:
        """Greedy, those given first."""
        rows = self.rows
        rank = np.zeros(rows.m)
        if start is not None:
            rank[np.isin(rows.site, start)] = 1.0
        cptr, crow = rows.twin
        self.keep(
            np.asarray(
                kernels.greedy_cover(rows.ptr, rows.ptr[1:], rows.col, np.arange(rows.n), cptr, crow, rank, rows.m)
            )
        )
        self.state.budget.spend(3 * len(rows.col))

    def keep(self, plan: IntArray) -> None:
        """Offer a cover to the state, without the sites it can spare, the last first."""
        rows = self.rows
        opened = np.zeros(rows.m, dtype=bool)
        opened[plan] = True
        times = np.bincount(rows.rows[opened[rows.col]], minlength=rows.n)
        cptr, crow = rows.twin
        for j in np.sort(plan)[::-1]:
            mine = crow[cptr[j] : cptr[j + 1]]
            if np.all(times[mine] >= 2):
                times[mine] -= 1
                opened[j] = False
        self.state.found(rows.base + float(opened.sum()), rows.site[opened])

    def fewer(self, times: int) -> None:
        """Search for covers of one site less, again and again, each for so many scans of all entries."""
        rows, state = self.rows, self.state
        n, m = rows.n, rows.m
        cptr, crow = rows.twin
        free = np.ones(m, dtype=bool)
        work = times * min(len(rows.col), _MOST)
        while not state.done() and len(state.open_site) > 1:
            opened: BoolArray = np.isin(rows.site, state.open_site)
            # The site that alone covers least goes first.
            covers = np.bincount(rows.rows[opened[rows.col]], minlength=n)
            alone = np.bincount(rows.col, covers[rows.rows] == 1, minlength=m)
            opened[np.flatnonzero(opened)[np.argmin(alone[opened])]] = False
            count, whose, score = (np.zeros(size, dtype=np.int64) for size in (n, n, m))
            weight = np.ones(n, dtype=np.int64)
            memory = np.array([self.seed % 2_147_483_648, -1, -1], dtype=np.int64)
            left = kernels.weighting_start(cptr, crow, n, opened, count, whose, score)
            until = state.budget.spent + work
            while left > 0 and state.budget.spent < until and not state.budget.exhausted():
                left, done, spent = kernels.weighting_search(
                    *(rows.ptr, rows.ptr[1:], rows.col, free, np.arange(n), cptr, crow),
                    *(opened, count, whose, score, weight, memory, 1_000_000_000, _SLICE),
                )
                state.budget.spend(spent + n)
                if done == 0:
                    break
            if left > 0:
                return
            self.keep(np.flatnonzero(opened))


def solve_set_cover(
    instance: Instance,
    *,
    gap: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
    start: IntArray | None = None,
) -> Solution:
    """
    Cover every row with the fewest sites.

    Parameters
    ----------
    instance
        As ``nearer.model.is_set_cover`` tells: costs of 0, free sites at the price 1, any number of them, every row
        coverable and dearer uncovered than all free sites together. Dominated sites are better left out before.
    gap
        Relative gap at which the run may end.
    threads
        Not used: one is enough.
    work_limit
        Entries to scan at most (see ``Budget``): ends a run at the same point on every machine.
    start
        Sites to start from, e.g. those of the last plan.
    """
    stop = stop or Stop()
    budget = Budget(stop, work_limit)
    began_s = stop.elapsed_s
    with (progress or Silent()).step("Choosing sites") as tick:
        state = State(budget, True, gap, floor=0.0)
        state.tell = lambda value, bound: tick(1, f"{value:g} sites, at least {bound:g}", (value, bound))
        run = SetCoverRun(instance, state, seed)
        run.run(start)
    open_mask = instance.standing == OPEN
    open_mask[state.open_site] = True
    rows = np.repeat(np.arange(instance.n_rows, dtype=np.int32), np.diff(instance.indptr))
    at = np.flatnonzero(open_mask[instance.site_idx])
    row_idx, first = np.unique(rows[at], return_index=True)
    return Solution(
        status=Status.OPTIMAL if state.optimal else Status.GAP if state.reached else Status.FEASIBLE,
        level=np.where(open_mask, 0, -1).astype(np.int16).reshape(1, -1),
        row_idx=row_idx.astype(np.int32),
        assigned_idx=instance.site_idx[at[first]],
        share=np.ones(len(row_idx)),
        objective=state.value,
        bound=state.bound,
        proof="certificate",
        certificate=run.proof.certificate(),
        trace=tuple(state.trace),
        seconds=stop.elapsed_s - began_s,
        work=budget.spent,
    )
