"""
Solve the compact model of a problem file with OR-Tools: PROGRAM PROBLEM.npz LIMIT_S SEEDS OUT.json.

PROGRAM is ``sat`` (CP-SAT) or ``scip``, both through OR-Tools' own model builder; runs in the peers'
environment. CP-SAT gets every variable that may be whole as a whole one, since it knows no others, and eight workers,
since with fewer it leaves out what it needs here: pmed1 is not proven in 8 s by two workers, and in 3 s by eight.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from ortools.linear_solver.python import model_builder as mb
from scipy.sparse import csr_matrix

sys.path.insert(0, str(Path(__file__).parent))
from each_seed import Answer, answers
from laps import Laps
from problem_file import Model, ProblemFile, answer, compact


def searched(
    program: str, model: Model, limit_s: float, seed: int, laps: Laps, gap: float = 0.0
) -> tuple[Any, dict[str, Any]]:
    """The best solution, None if there is none, and what the program says."""
    builder = mb.Model()
    a, helper = csr_matrix(model.matrix), builder.helper
    a = csr_matrix((a.data, a.indices.astype(np.int32), a.indptr.astype(np.int32)), shape=a.shape)
    helper.fill_model_from_sparse_data(model.lower, model.upper, model.cost, model.row_lower, model.row_upper, a)
    helper.set_objective_offset(model.offset)
    for column in np.flatnonzero(model.could_be if program == "sat" else model.integer):
        helper.set_var_integrality(int(column), True)
    solver = mb.Solver(program)
    if not solver.solver_is_supported():
        raise SystemExit(f"this OR-Tools has no {program}")
    solver.set_time_limit_in_seconds(limit_s)
    more = f"num_workers:8 random_seed:{seed} relative_gap_limit:{gap}" if program == "sat" else f"limits/gap = {gap}"
    solver.set_solver_specific_parameters(more)
    laps.lap("build")
    status = solver.solve(builder)
    laps.lap("solve")
    has_plan = status in (mb.SolveStatus.OPTIMAL, mb.SolveStatus.FEASIBLE)
    x = np.asarray(solver.values(builder.get_variables())) if has_plan else None
    bound = solver.best_objective_bound if has_plan else None
    known = bound is not None and np.isfinite(bound) and abs(bound) < 1e19
    said = {"bound": bound if known else None, "status": status.name, "optimal": status == mb.SolveStatus.OPTIMAL}
    return x, said


def once(problem: ProblemFile, limit_s: float, seed: int) -> Answer:
    laps = Laps()
    model = compact(problem)
    x, said = searched(sys.argv[1], model, limit_s, seed, laps)
    return laps.noted | said | ({"open": None} if x is None else answer(problem, model, x))


if __name__ == "__main__":
    answers(once)
