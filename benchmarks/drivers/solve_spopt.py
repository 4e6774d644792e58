"""
Solve a problem file with spopt and HiGHS through PuLP: PROBLEM.npz LIMIT_S SEEDS OUT.json; in the peers' environment.

spopt takes whole matrices. Its capacitated p-median multiplies distances by the demand, so that a cost per customer is
handed over divided by it; its capacitated set cover splits demand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pulp
from spopt.locate import LSCP, LSCPB, MCLP, PCenter, PMedian

sys.path.insert(0, str(Path(__file__).parent))
from each_seed import Answer, answers
from laps import Laps
from problem_file import ProblemFile


def built(problem: ProblemFile, solver: Any) -> Any:
    """The model of spopt for this kind of problem."""
    kind, n = problem.kind, problem.n_rows
    standing = problem.standing.astype(int) if problem.standing.any() else None
    if kind in ("max-cover", "set-cover", "backup", "cflp"):
        away = np.ones((n, problem.n_sites))
        away[problem.row, problem.site] = 0.0
        if kind == "max-cover":
            return MCLP.from_cost_matrix(away, problem.weight, 0.5, p_facilities=problem.p)
        if kind == "backup":
            return LSCPB.from_cost_matrix(away, 0.5, solver)
        if kind == "cflp":
            return LSCP.from_cost_matrix(
                away, 0.5, demand_quantity_arr=problem.need, facility_capacity_arr=problem.capacity
            )
        return LSCP.from_cost_matrix(away, 0.5)
    matrix = problem.matrix(1e6)
    if kind == "p-center":
        return PCenter.from_cost_matrix(matrix, p_facilities=problem.p)
    if kind == "sscflp":
        return PMedian.from_cost_matrix(
            matrix / problem.need[:, None], problem.need, problem.p, facility_capacities=problem.capacity
        )
    return PMedian.from_cost_matrix(matrix, problem.weight, problem.p, predefined_facilities_arr=standing)


def once(problem: ProblemFile, limit_s: float, seed: int) -> Answer:
    laps = Laps()
    solver = pulp.HiGHS(msg=False, timeLimit=limit_s, gapRel=0.0, threads=2)
    found: Answer = {"open": None}
    try:
        model = built(problem, solver)
        laps.lap("build")
        model = model.solve() if problem.kind == "backup" else model.solve(solver)
        # The answer is read from the model's own decisions.
        found["open"] = [at for at, variable in enumerate(model.fac_vars) if variable.value() > 0.5]
        if problem.kind in ("cflp", "sscflp"):
            share = np.array([[variable.value() or 0.0 for variable in line] for line in model.cli_assgn_vars])
            if problem.kind == "cflp":  # what lies out of reach is free in its model
                reach = np.zeros_like(share)
                reach[problem.row, problem.site] = 1.0
                share *= reach
            row, site = np.nonzero(share > 1e-9)
            found["assigned"] = [row.tolist(), site.tolist(), share[row, site].tolist()]
        status = pulp.LpStatus[model.problem.status]
    except RuntimeError as error:
        status = str(error)
    laps.lap("solve")
    said = {"bound": None, "status": status, "optimal": status == "Optimal"}
    return {"build_s": 0.0, "build_cpu_s": 0.0} | laps.noted | said | found


if __name__ == "__main__":
    answers(once)
