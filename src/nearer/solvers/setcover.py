"""
Set cover, all sites at one price, with sites that stand open: the fewest more that cover every row.

Plans come from greedy and a weighting local search that takes one site less each time. Bounds come in turns: for k one
above the bound known, a tree proves that k sites are too few, or finds a cover with k.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from nearer.kernels.pmedian import first_open
from nearer.model import OPEN, Instance, Solution
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.budget import Budget
from nearer.solvers.cover_rows import CoverRows
from nearer.solvers.proof import ProofTree
from nearer.solvers.setcover_tree import CoverSearch
from nearer.solvers.state import State
from nearer.units import BoolArray, IntArray

_QUICK, _LONG = 500, 5_000  # times that a search for one site less may scan all entries
_MOST = 20_000  # entries that count for this at most, so that no search takes more than a second or two


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
        self.keep(rows.greedy(rank, rows.m))
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
        work = times * min(len(rows.col), _MOST)
        while not state.done() and len(state.open_site) > 1:
            opened: BoolArray = np.isin(rows.site, state.open_site)
            # The site that alone covers least goes first.
            covers = np.bincount(rows.rows[opened[rows.col]], minlength=n)
            alone = np.bincount(rows.col, covers[rows.rows] == 1, minlength=m)
            opened[np.flatnonzero(opened)[np.argmin(alone[opened])]] = False
            if not rows.swap(opened, work, self.seed, state.budget):
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
    first = first_open(instance.indptr, instance.site_idx, open_mask)
    row_idx = np.flatnonzero(first >= 0)
    return state.solution(open_mask, row_idx, instance.site_idx[first[row_idx]], run.proof.certificate(), began_s)
