"""
The p-median on rows of nearest sites that grow only where the optimum needs more.

A row that ends early can stay unserved at the cost of its last site: a relaxation, so every bound holds for all pairs
(Avella, Boccia, Salerno, Vasilyev 2012). Its optimum is the true one once no row of the plan lies beyond its end; and
no row can prove more by a site that costs more than its multiplier.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from nearer.kernels import pmedian as kernels
from nearer.model import Certificate, Instance, Solution, Status, TracePoint, relative_gap
from nearer.model.plane import PlaneRows
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.budget import Budget
from nearer.solvers.planar import solve_planar
from nearer.solvers.pmedian import PMedianRun, solve_pmedian
from nearer.solvers.state import OPTIMAL_GAP, State
from nearer.units import BoolArray, FloatArray, IntArray

_REACH = 1.5
"""How far rows reach, in distances to the second nearest site of the first plan: multipliers end well before."""
_AT_FIRST = 16  # sites that a row holds at least, and for the first plan three times as many as come on one that opens
_SAMPLE = 10_000_000  # pairs of the rows that are asked for the first plan, more where many sites open
_PAIRS_PER_OPEN = 6_000_000  # above so many, rows are not worth holding: distances are formed anew (``planar``)
_MANY = 1e-3  # share of rows whose multipliers end with their row, above which rows grow before the run goes on


class NearestRows(Protocol):
    """Demand rows whose nearest sites can be asked for; see ``nearer.model.plane``."""

    @property
    def n_rows(self) -> int:
        """Demand rows."""

    @property
    def n_sites(self) -> int:
        """Sites."""

    def some(self, row: IntArray) -> NearestRows:
        """A part of the demand."""

    def instance(self, reach: FloatArray, p: int, threads: int = 1) -> Instance:
        """The relaxation in which each row holds the sites within a distance."""

    def reach_of(self, k: int, threads: int = 1) -> FloatArray:
        """Distance to the k-th nearest site of each row, float64 (n_rows,); ``inf`` where k is all of them."""

    def two_nearest(self, open_idx: IntArray, threads: int = 1) -> tuple[FloatArray, FloatArray]:
        """Distance to the nearest and second nearest of some sites, float64 (n_rows,) each."""

    def value_with(self, open_idx: IntArray, threads: int = 1) -> float:
        """Cost × weight of all rows with some sites open."""


def solve_growing(
    rows: NearestRows,
    p: int,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> tuple[Instance, Solution]:
    """
    Open p sites so that the weighted cost to the nearest is least, over all pairs.

    Parameters
    ----------
    rows, p
        The problem.
    gap, seed, threads, work_limit, stop, progress
        As for ``solve_pmedian``; the work limit counts for each time the rows have grown.

    Returns
    -------
    Instance, Solution
        The rows as they ended, which hold the nearest open site of every row, and the plan: its objective is that of
        the problem with all pairs, its bound and certificate hold there too.
    """
    stop, progress = stop or Stop(), progress or Silent()
    if isinstance(rows, PlaneRows) and rows.n_rows * rows.n_sites > _PAIRS_PER_OPEN * p:
        return solve_planar(
            *(rows, p), gap=gap, seed=seed, threads=threads, work_limit=work_limit, stop=stop, progress=progress
        )
    began_s = stop.elapsed_s
    with progress.step("Measuring how far rows must reach"):
        start = _first_plan(rows, p, seed, threads, stop, work_limit)
        plan, value = start, rows.value_with(start, threads)  # the best, counted with all pairs
        trace = [TracePoint(stop.elapsed_s, value, -np.inf)]
        reach = _REACH * _second(rows, start, threads) if p > 1 else np.full(rows.n_rows, np.inf)
        reach = np.maximum(reach, rows.reach_of(min(rows.n_sites, _AT_FIRST), threads))
        instance = rows.instance(reach, p, threads)
    multipliers: FloatArray | None = None
    best: Solution | None = None  # proves most: rows that grow lose no bound
    work = 0
    while True:
        solution = solve_pmedian(
            instance,
            gap=gap,
            seed=seed,
            threads=threads,
            work_limit=work_limit,
            stop=stop,
            progress=progress,
            start=start,
            multipliers=multipliers,
            enough_rows=_Enough(instance, rows.n_sites),
        )
        start = np.flatnonzero(solution.open_mask).astype(np.int32)
        cost = rows.value_with(start, threads)
        missed = cost > solution.objective + OPTIMAL_GAP * abs(cost)
        trace += [TracePoint(s, min(value, max(v, cost)), b) for s, v, b in solution.trace]
        plan, value = (start, cost) if cost <= value else (plan, value)
        work += solution.work
        certificate = solution.certificate
        assert isinstance(certificate, Certificate)
        if best is None or solution.bound > best.bound:
            best = solution
        ended = stop() or (work_limit is not None and solution.work >= work_limit)
        short = _short(instance, certificate, rows.n_sites)
        good = not missed and _status(value, best.bound, instance.whole, gap) is not Status.FEASIBLE
        if ended or good or not (missed or short.any()):
            break
        reach = np.where(short, 1.5 * reach, reach)
        if missed:
            reach = np.maximum(reach, _second(rows, start, threads))
        instance = rows.instance(reach, p, threads)
        multipliers = certificate.multipliers[:1]
    if missed:
        instance = rows.instance(np.maximum(reach, _second(rows, plan, threads)), p, threads)
    bound = min(best.bound, value)
    open_mask = np.isin(np.arange(rows.n_sites), plan)
    row, assigned = _assigned(instance, open_mask)
    return instance, replace(
        solution,
        level=np.where(open_mask, 0, -1).astype(np.int16).reshape(1, -1),
        status=_status(value, bound, instance.whole, gap),
        objective=value,
        bound=bound,
        certificate=best.certificate,
        trace=tuple(trace),
        seconds=stop.elapsed_s - began_s,
        work=work,
        row_idx=row,
        assigned_idx=assigned,
        share=np.ones(len(row)),
    )


class _Enough:
    """Whether the multipliers of a run are free of the ends of their rows, but for a few."""

    def __init__(self, instance: Instance, n_sites: int) -> None:
        self.weight, self.unserved = instance.weight[0], instance.unserved
        self.short = np.diff(instance.indptr) < n_sites

    def __call__(self, row: IntArray, lam: FloatArray) -> bool:
        """For some rows and their multipliers."""
        row, lam = row[self.short[row]], lam[self.short[row]]
        at_end = lam >= self.weight[row] * self.unserved[row]
        return int(np.count_nonzero(at_end)) <= _MANY * len(self.short)


def _short(instance: Instance, certificate: Certificate, n_sites: int) -> BoolArray:
    """Rows that hold not all sites and whose multipliers, at some leaf, are as great as they can be."""
    short = (np.diff(instance.indptr) < n_sites) & (instance.weight[0] > 0)
    most = certificate.multipliers.max(axis=0) + certificate.taken()
    short[short] = most[short] >= instance.weight[0][short] * instance.unserved[short]
    return np.asarray(short)


def _first_plan(rows: NearestRows, p: int, seed: int, threads: int, stop: Stop, work_limit: int | None) -> IntArray:
    """A plan for a part of the demand, on rows of a few sites."""
    few = min(rows.n_sites, _AT_FIRST + 3 * -(-rows.n_sites // p))
    step = max(1, rows.n_rows // max(_SAMPLE // few, 20 * p))
    sample = rows.some(np.arange(0, rows.n_rows, step)) if step > 1 else rows
    instance = sample.instance(sample.reach_of(few, threads), p, threads)
    state = State(Budget(stop, work_limit), instance.whole, 0.0)
    PMedianRun(instance, state, seed, threads).first_plan(None)
    return state.open_site.astype(np.int32)


def _second(rows: NearestRows, plan: IntArray, threads: int) -> FloatArray:
    """How far the second nearest site of a plan is, or twice the only one; a hair more, so that it lies within."""
    nearest, second = rows.two_nearest(plan, threads)
    return np.where(np.isfinite(second), second, 2 * nearest) * (1 + 1e-9) + 1e-9


def _status(value: float, bound: float, whole: bool, gap: float) -> Status:
    if value - bound <= OPTIMAL_GAP * abs(value) or (whole and value - bound < 1.0):
        return Status.OPTIMAL
    return Status.GAP if relative_gap(value, bound) <= gap else Status.FEASIBLE


def _assigned(instance: Instance, open_mask: BoolArray) -> tuple[IntArray, IntArray]:
    """Rows, and the first open entry of each: the nearest site, of equals the lowest."""
    first = kernels.first_open(instance.indptr, instance.site_idx, open_mask)
    row = np.flatnonzero(first >= 0)
    return row.astype(np.int32), np.asarray(instance.site_idx[first[row]])
