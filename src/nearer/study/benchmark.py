"""Benchmark files solved: the engineers' door to the solvers. Checking the results is ``result.py``'s."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nearer.errors import UsageError
from nearer.files import written_whole
from nearer.kernels.jit import default_threads
from nearer.model import Instance, Solution, Status, relative_gap
from nearer.model.certificate import CenterProof
from nearer.model.check import recompute_value
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import solve
from nearer.solvers.center_plane import solve_center
from nearer.solvers.growing import solve_growing
from nearer.solvers.partial_cover import solve_partial_cover
from nearer.study.benchmark_choices import Asked, answered
from nearer.study.limits import Run
from nearer.study.problems import Problem, read_problem
from nearer.study.request import Request
from nearer.units import NO_SITE, BoolArray, IntArray


def solve_file(
    path: Path,
    request: Request,
    *,
    time_limit_s: float | None = None,
    gap: float = 0.0,
    work_limit: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    with_assignment: bool = False,
    proof_file: Path | None = None,
    asked: Asked | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """
    Solve a benchmark file.

    Parameters
    ----------
    path, request
        The file, and what is asked of it.
    time_limit_s, gap, work_limit, seed, threads, progress, stop
        As for every solver; the time is the solver's alone.
    with_assignment
        Write the site of each customer; capacitated results always hold it, since nobody else can check them.
    proof_file
        Where to write the certificate.
    asked
        What is asked beyond one optimum.
    tell
        Told what memory a large file will take.

    Returns
    -------
    dict
        The result as ``docs/solve.md`` describes it.

    Raises
    ------
    InputError, UsageError
        As ``read_problem``.
    StoppedError
        Somebody asked to stop before the solver had begun.
    """
    run = Run(time_limit_s, gap, work_limit, threads or default_threads(), progress or Silent(), stop or Stop())
    start_s = time.perf_counter()
    asked = asked or Asked()
    if with_assignment and request.file_format == "points" and request.problem == "max-cover":
        raise UsageError("Customers of format points are merged as they are read: leave out --assignment.")
    problem = read_problem(
        path, request, tell, run.go_on, not asked.anything, threads=run.threads, progress=run.progress
    )
    asked.check(problem)
    seconds_read = time.perf_counter() - start_s
    head = _head(path, problem, seconds_read)
    if problem.impossible:
        return head | {"status": str(Status.INFEASIBLE), "reason": problem.impossible, "peak_mb": peak_mb()}
    problem, solution, center_proof = _solved(problem, run, seed)
    status, open_mask = solution.status, solution.open_mask
    known = status not in (Status.INFEASIBLE, Status.UNKNOWN)
    must_serve = known and problem.covered_of is None and problem.center is None and problem.needed is None
    if must_serve and len(_unserved(problem, open_mask)):
        if problem.request.problem == "set-cover":
            solution = _all_covered(problem, solution)
            open_mask = solution.open_mask
        else:
            status = Status.INFEASIBLE if solution.bound >= problem.serving_below else Status.UNKNOWN
    if status in (Status.INFEASIBLE, Status.UNKNOWN):
        proven = status is Status.INFEASIBLE
        return head | {
            "status": str(status),
            "reason": "no choice of sites serves everybody" if proven else "nothing was found that serves everybody",
            "bound": None if proven else _number(problem.value(solution.bound), problem.instance.whole),
            "seconds": round(solution.seconds, 4),
            "work": solution.work,
            "peak_mb": peak_mb(),
        }
    more, solution = answered(problem, solution, asked, run)
    proof = center_proof or solution.certificate
    has_proof_file = proof_file is not None and proof is not None
    if proof_file is not None and proof is not None:
        proof.save(proof_file)
    whole = problem.instance.whole
    value, bound = problem.value(solution.objective), problem.value(solution.bound)
    if status is Status.FEASIBLE and relative_gap(value, bound) <= run.gap:
        status = Status.GAP
    result = head | {
        "status": str(status),
        "objective": _number(value, whole),
        "bound": _number(bound, whole),
        "gap": _number(relative_gap(value, bound), whole=False),
        "seconds": round(solution.seconds, 4),
        "open": (np.flatnonzero(open_mask) + 1).tolist(),
        "trace": [
            [round(s, 4), _number(problem.value(v), whole), _number(problem.value(b), whole)]
            for s, v, b in solution.trace
        ],
        "work": solution.work,
        "proof": solution.proof,
        "proof_file": str(proof_file) if has_proof_file else None,
        "peak_mb": peak_mb(),
    }
    if with_assignment or problem.instance.capacitated:
        result["assignment"] = _assignment(problem, solution, open_mask)
    return result | more


def write_result(result: dict[str, Any], path: Path) -> None:
    """Write a result as JSON, whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def peak_mb() -> float | None:
    """Most memory this process has held, MB; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024, 1)
    if os.name == "posix":
        import resource

        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 1)  # bytes on macOS
    return None


def _head(path: Path, problem: Problem, seconds_read: float) -> dict[str, Any]:
    """What a result says of the problem, and of an answer not yet found."""
    request, instance = problem.request, problem.instance
    return {
        "problem": request.problem,
        "file": str(path),
        "format": request.file_format,
        "distance": request.distance if request.file_format == "tsplib" else None,
        "radius": request.radius,
        "budget": request.budget,
        "capacity": request.capacity,
        "problem_number": request.problem_number,
        "second_share": request.second_share,
        "decay_to": request.decay_to,
        "decay_table": None if request.decay_table is None else [list(step) for step in request.decay_table],
        "sites_file": request.sites_file,
        "cover_share": request.cover_share,
        "n_demand": instance.n_rows if problem.n_customers is None else problem.n_customers,
        "n_rows": instance.n_rows,
        "n_sites": instance.n_sites,
        "p": request.p,
        "status": None,
        "objective": None,
        "bound": None,
        "gap": None,
        "seconds": 0.0,
        "seconds_read": round(seconds_read, 4),
        "open": [],
        "trace": [],
        "work": 0,
        "proof": None,
        "proof_file": None,
        "peak_mb": None,
    }


def _solved(problem: Problem, run: Run, seed: int) -> tuple[Problem, Solution, CenterProof | None]:
    """The problem with the rows that it took, and the solver's answer, making rows counted to its seconds."""
    proof: CenterProof | None = None
    options = run.effort(seed) | {"gap": _solver_gap(problem, run.gap)}
    stop = options["stop"]
    if problem.plane is not None:
        assert problem.request.p is not None
        instance, solution = solve_growing(problem.plane, problem.request.p, **options)
        problem = replace(problem, instance=instance)
    elif problem.needed is not None:
        solution = solve_partial_cover(problem.instance, problem.needed, **options)
    elif problem.center is not None:
        assert problem.request.p is not None
        solution, proof = solve_center(problem.center, problem.request.p, **options)
    else:
        solution = solve(problem.smaller(stop), **options)
    return problem, replace(solution, seconds=stop.elapsed_s), proof


def _solver_gap(problem: Problem, gap: float) -> float:
    """
    The gap to ask of the solver, which measures against its own value.

    In maximal covering that is the weight left out, while the gap asked for is one of the weight covered. Any plan
    tells how little may be left out at worst; here the sites that cover most, each by itself.
    """
    if problem.covered_of is None or gap == 0:
        return gap
    instance = problem.instance
    weight = instance.weight[0][_pair_rows(instance)]
    alone = np.bincount(instance.site_idx, weights=weight, minlength=instance.n_sites)
    chosen = np.zeros(instance.n_sites, dtype=bool)
    chosen[np.argsort(-alone, kind="stable")[: int(instance.open_max[0])]] = True
    left_out = recompute_value(instance, chosen)
    return gap * (problem.covered_of - left_out) / left_out if left_out > 0 else gap


def _pair_rows(instance: Instance) -> IntArray:
    return np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))


def _unserved(problem: Problem, open_mask: BoolArray) -> IntArray:
    """Rows that no open site can serve."""
    instance = problem.instance
    served = np.zeros(instance.n_rows, dtype=bool)
    served[_pair_rows(instance)[open_mask[instance.site_idx]]] = True
    return np.flatnonzero(~served)


def _all_covered(problem: Problem, solution: Solution) -> Solution:
    """A covering that was stopped early, completed: the site that covers most of what is left, until nothing is."""
    instance = problem.instance
    level = solution.level.copy()
    rows = _pair_rows(instance)
    while len(lost := _unserved(problem, level[-1] >= 0)):
        site = np.bincount(instance.site_idx[np.isin(rows, lost)], minlength=instance.n_sites).argmax()
        level[-1, site] = 0
    return replace(solution, level=level, objective=float(np.count_nonzero(level[-1] >= 0)))


def _assignment(problem: Problem, solution: Solution, open_mask: BoolArray) -> list[Any]:
    """
    Who goes where, in numbers from 1.

    One site per customer, 0 where nobody serves; where demand may be split, [customer, site, share] instead.
    """
    instance = problem.instance
    if problem.center is not None:
        return [int(site) + 1 for site in problem.center.nearest_open(np.flatnonzero(open_mask))]
    if instance.capacitated and not instance.single_source:
        triples = sorted(zip(solution.row_idx, solution.assigned_idx, solution.share, strict=True))
        return [[int(row) + 1, int(site) + 1, float(share)] for row, site, share in triples]
    site = np.full(instance.n_rows, NO_SITE, dtype=np.int64)
    if instance.capacitated:
        site[solution.row_idx] = solution.assigned_idx
    else:
        # Rows are sorted by cost, then site: the first open entry is the nearest, of equals the lowest.
        at = np.flatnonzero(open_mask[instance.site_idx])
        row, first = np.unique(_pair_rows(instance)[at], return_index=True)
        site[row] = instance.site_idx[at[first]]
    return (site + 1).tolist()


def _number(value: float, whole: bool) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if whole and value == int(value) else float(value)
