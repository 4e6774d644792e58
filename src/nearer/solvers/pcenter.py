"""
The p-center with sites that stand open: the dearest row as cheap as possible, by one set cover per threshold.

Thresholds are values that a plan can have. One below which no plan stays, proven by a set cover, is a lower bound; a
plan found below one is the next value. They halve what lies between, first by relaxation and search, then by branching.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels import covering as kernels
from nearer.model import OPEN, Certificate, Instance, Solution
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.budget import Budget
from nearer.solvers.pcenter_cover import Answer, Cover
from nearer.solvers.pcenter_proof import CoverProof, nothing_proven
from nearer.solvers.pcenter_rows import Rows
from nearer.solvers.state import State, no_plan
from nearer.units import IntArray

_QUICK, _LONG = 20_000_000, 200_000_000  # entries that one search for a plan may scan


class PCenterRun:
    """One run on one instance; see ``solve_pcenter``."""

    def __init__(self, instance: Instance, state: State, seed: int) -> None:
        self.state, self.seed = state, seed
        self.rows = Rows.of(instance)
        self.k_min = int(instance.open_min[0])
        state.budget.spend(self.rows.nnz)
        self.proof: CoverProof | None = None
        self.subset: IntArray = np.zeros(0, dtype=np.int64)

    @property
    def done(self) -> bool:
        """Whether to end: proven, also that there is no plan, out of budget, or good enough."""
        return self.state.bound == np.inf or self.state.done()

    def run(self, start: IntArray | None) -> None:
        """From the first plan to a proof, or until the state is done."""
        self.first_bound()
        if self.state.bound == np.inf:
            return
        self.first_plan(start)
        self.halve()
        nodes = 200
        while not self.done:
            # The best value is mostly the least one: what a proof needs is "nothing below it".
            answer = self.ask(self.state.value, nodes)
            if answer is Answer.OPEN and not self.done:
                middle = self.rows.between(self.state.bound, self.state.value)
                if middle is not None:
                    self.ask(middle, nodes)
            nodes *= 3

    def first_bound(self) -> None:
        """Some row costs so much whatever opens."""
        row = int(np.argmax(self.rows.least)) if len(self.rows.least) else 0
        least = float(self.rows.least.max(initial=0.0))
        if least > 0.0:
            self.proof = CoverProof.of_one(min(least, self.rows.beyond), np.array([row]), np.ones(1))
        self.proved(least)

    def proved(self, bound: float) -> None:
        """Raise the bound; ``inf`` means that there is no plan."""
        if bound == np.inf:
            self.state.bound = bound
        else:
            self.state.proved(bound)

    def keep(self, plan: IntArray) -> None:
        """Offer a plan to the state, with as many sites as must open."""
        missing = self.k_min - len(plan)
        if missing > 0:
            others = np.setdiff1d(np.flatnonzero(self.rows.free), plan)[:missing]
            plan = np.concatenate([plan, others]).astype(np.int32)
        self.state.budget.spend(self.rows.nnz // max(len(plan), 1))
        value = self.rows.value(plan)
        if np.isfinite(value):
            self.state.found(value, plan)

    def first_plan(self, start: IntArray | None) -> None:
        """The plan given, and one that opens the cheapest site of the dearest row, again and again."""
        rows = self.rows
        if start is not None:
            known = start[rows.free[start]]
            self.keep(np.sort(known[: rows.k]).astype(np.int32))
        plan: list[int] = []
        while len(plan) < rows.k:
            paid = rows.paid(np.array(plan, dtype=np.int32))
            row = int(np.argmax(paid))
            site = rows.site[rows.indptr[row] : rows.indptr[row + 1]]
            cheapest = site[rows.free[site]][:1]
            self.state.budget.spend(rows.nnz // (len(plan) + 1))
            if paid[row] <= rows.least[row] or len(cheapest) == 0 or self.state.budget.exhausted():
                break
            plan.append(int(cheapest[0]))
        self.keep(np.sort(np.array(plan, dtype=np.int32)))

    def halve(self) -> None:
        """Close in on the least threshold that the relaxation does not rule out."""
        top, asked = self.state.value, False
        while not self.done:
            middle = self.rows.between(self.state.bound, top)
            if middle is None:
                if asked:
                    return
                middle = top
            before = self.state.value
            answer = self.ask(middle, 0)
            if self.state.value < before:
                top, asked = min(top, self.state.value), asked and top < self.state.value
            if answer is Answer.OPEN:
                top, asked = middle, True

    def ask(self, value: float, nodes: int) -> Answer:
        """Whether a plan stays below a value; without nodes, as far as relaxation and a quick search tell."""
        state, rows = self.state, self.rows
        cover = Cover(rows, min(value, rows.beyond), self.subset, state.budget)
        if state.value >= value and not nodes and self.try_plan(cover, np.zeros(len(rows.free)), 0):
            return Answer.YES
        answer = cover.relax()
        if (
            answer is Answer.OPEN
            and not state.budget.exhausted()
            and self.try_plan(cover, cover.y, _LONG if nodes else _QUICK)
        ):
            return Answer.YES
        if answer is Answer.OPEN and nodes:
            answer = cover.branch(nodes)
        if len(cover.lam) == len(cover.subset):
            self.subset = cover.subset[cover.lam > 0.0]
        if answer is Answer.NO:
            self.proof = cover.proof
            self.proved(value)
        elif answer is Answer.YES and cover.plan is not None:
            self.keep(cover.plan)
        return answer

    def try_plan(self, cover: Cover, rank: np.ndarray, work: int) -> bool:
        """Round a relaxed solution, search from there, and tell whether a plan stays below the threshold."""
        plan = cover.greedy(rank)
        if self.rows.value(plan) >= cover.threshold and work:
            plan = cover.search(plan, 1_000_000_000, work, self.seed)
        self.keep(plan)
        return self.state.value < cover.threshold

    def certificate(self, n_rows: int) -> Certificate:
        """What proves the bound."""
        return nothing_proven(n_rows) if self.proof is None else self.proof.certificate(n_rows)


def solve_pcenter(
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
    Open sites so that the dearest row (weight × cost to the cheapest open site) is as cheap as possible.

    Parameters
    ----------
    instance
        One phase, one level, no capacities, ``objective`` "max"; rows of weight 0 do not count, nor do prices.
    gap
        Relative gap at which the run may end.
    threads
        Not used: one is enough.
    work_limit
        Entries to scan at most (see ``Budget``): ends a run at the same point on every machine.
    start
        Sites to start from, e.g. those of the last plan.

    Returns
    -------
    Solution
        ``INFEASIBLE`` where a row must be served and no plan serves all such rows, proven by the certificate;
        ``UNKNOWN`` where the run ended before it knew.
    """
    stop = stop or Stop()
    began_s = stop.elapsed_s
    budget = Budget(stop, work_limit)
    if int(instance.open_min[0]) > int(instance.free_mask.sum()):
        return no_plan(instance)
    with (progress or Silent()).step("Choosing sites") as tick:
        state = State(budget, False, gap, floor=0.0)
        state.tell_gap(tick)
        run = PCenterRun(instance, state, seed)
        run.run(start)
    return _solution(instance, run, began_s)


def _without_idle(run: PCenterRun) -> IntArray:
    """The best plan; where fewer may open than do, without sites that bring nothing, the last first."""
    plan, rows = run.state.open_site, run.rows
    for site in plan[::-1]:
        if len(plan) <= run.k_min or run.state.budget.stop():
            break
        without = plan[plan != site]
        if rows.value(without) <= run.state.value:
            plan = without
    return plan


def _solution(instance: Instance, run: PCenterRun, began_s: float) -> Solution:
    state = run.state
    found = bool(np.isfinite(state.value))
    open_mask = np.zeros(instance.n_sites, dtype=bool)
    if found:
        open_mask = instance.standing == OPEN
        open_mask[_without_idle(run)] = True
    entry = kernels.cheapest_entry(instance.indptr, instance.site_idx, instance.cost, instance.unserved, open_mask)
    served = np.flatnonzero(entry >= 0)
    certificate = run.certificate(instance.n_rows)
    return state.solution(open_mask, served, instance.site_idx[entry[served]], certificate, began_s)
