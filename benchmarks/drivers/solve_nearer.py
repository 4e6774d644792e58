"""Solve a problem file with ``nearer.solvers``: PROBLEM.npz LIMIT_S SEEDS OUT.json."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from each_seed import Answer, answers
from laps import Laps
from problem_file import ProblemFile

from nearer.model import FREE, OPEN, Instance, Solution, Status, covering_instance
from nearer.progress import Stop
from nearer.solvers import solve
from nearer.study.domination import without_dominated


def built(problem: ProblemFile) -> Instance:
    """The instance, whole costs as whole numbers."""
    whole = bool(np.all(problem.cost % 1 == 0)) and problem.cost.max(initial=0.0) < 2**31
    standing = np.where(problem.standing > 0, OPEN, FREE).astype(np.int8)
    more = problem.p - int(problem.standing.sum())
    low, high = (
        (more, more) if problem.p >= 0 else (0 if problem.kind in ("set-cover", "backup") else 1, problem.n_sites)
    )
    priced = problem.price.any()
    return Instance(
        indptr=problem.indptr,
        site_idx=problem.site.astype(np.int32),
        cost=problem.cost.astype(np.int32) if whole else problem.cost,
        unserved=problem.unserved,
        weight=problem.weight[None, :],
        standing=standing,
        open_min=np.array([low]),
        open_max=np.array([high]),
        capacity=problem.capacity[:, None, None],
        row_point=np.arange(problem.n_rows, dtype=np.int32),
        row_group=np.zeros(problem.n_rows, dtype=np.int32),
        open_cost=problem.price[:, None] if priced else None,
        need=problem.need if np.isfinite(problem.capacity).any() else None,
        single_source=problem.single_source,
        objective="max" if problem.kind == "p-center" else "sum",
    )


def solved(problem: ProblemFile, instance: Instance, stop: Stop, seed: int) -> Solution:
    """As ``nearer solve`` does it."""
    if problem.kind == "backup":
        return backed_up(problem, instance, stop, seed)
    smaller = without_dominated(instance, stop) if problem.kind == "set-cover" else instance
    return solve(smaller, gap=0.0, seed=seed, threads=2, stop=stop)


def backed_up(problem: ProblemFile, instance: Instance, stop: Stop, seed: int) -> Solution:
    """The fewest sites that cover everybody, then so many of them that as few as can be are not covered twice."""
    fewest = solve(without_dominated(instance, stop), gap=0.0, seed=seed, threads=2, stop=stop)
    n, n_open = problem.n_rows, int(fewest.open_mask.sum())
    twice = covering_instance(
        problem.indptr,
        problem.site.astype(np.int32),
        np.full(n, n + 1.0),  # one person not covered at all is dearer than all not covered twice
        np.zeros(problem.n_sites, np.int8),
        n_open,
        n_open,
        second_share=1 / (n + 1),
    )
    return solve(twice, gap=0.0, seed=seed, threads=2, stop=stop)


def tiny(like: ProblemFile) -> ProblemFile:
    """A few rows and sites of the same kind, to load what was compiled before anything is timed."""
    rng = np.random.default_rng(0)
    n, m = 24, 10
    near = np.sort(rng.random((n, m)), axis=1)
    near = np.round(near * 1000) if bool(np.all(like.cost % 1 == 0)) else near
    limited = bool(np.isfinite(like.capacity).any())
    covering = like.kind in ("max-cover", "set-cover", "backup")
    return ProblemFile(
        kind=like.kind,
        indptr=np.arange(n + 1) * m,
        site=np.concatenate([rng.permutation(m) for _ in range(n)]),
        cost=np.zeros(n * m) if covering else near.ravel(),
        weight=np.ones(n),
        unserved=np.full(n, np.inf) if not np.isfinite(like.unserved).any() else np.full(n, like.unserved.max()),
        need=np.ones(n),
        price=np.full(m, like.price.max()),
        capacity=np.full(m, 8.0 if limited else np.inf),
        standing=np.arange(m) < min(2, int(like.standing.sum())),
        p=5 if like.p >= 0 else -1,
        single_source=like.single_source,
    )


def warmed(problem: ProblemFile) -> None:
    """A tiny one first."""
    small = tiny(problem)
    solved(small, built(small), Stop(10.0), 0)


def once(problem: ProblemFile, limit_s: float, seed: int) -> Answer:
    laps = Laps()
    instance = built(problem)
    laps.lap("build")
    solution = solved(problem, instance, Stop(limit_s), seed)
    laps.lap("solve")
    found = solution.status not in (Status.INFEASIBLE, Status.UNKNOWN)
    laps.noted |= {
        "open": np.flatnonzero(solution.open_mask).tolist() if found else None,
        "bound": solution.bound if np.isfinite(solution.bound) else None,
        "status": str(solution.status),
        "optimal": solution.status is Status.OPTIMAL,
    }
    if found and instance.capacitated:
        laps.noted["assigned"] = [a.tolist() for a in (solution.row_idx, solution.assigned_idx, solution.share)]
    return laps.noted


if __name__ == "__main__":
    answers(once, warmed)
