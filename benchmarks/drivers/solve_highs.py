"""Solve the compact model of a problem file with HiGHS alone: PROBLEM.npz LIMIT_S SEEDS OUT.json."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import highspy
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from each_seed import Answer, answers
from laps import Laps
from problem_file import Model, ProblemFile, answer, backup, compact


def searched(model: Model, limit_s: float, seed: int, laps: Laps, gap: float = 0.0) -> tuple[Any, dict[str, Any]]:
    """The best solution, None if there is none, and what HiGHS says."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.cost), len(model.row_lower)
    lp.col_cost_, lp.col_lower_, lp.col_upper_, lp.offset_ = model.cost, model.lower, model.upper, model.offset
    lp.row_lower_, lp.row_upper_ = model.row_lower, model.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    matrix = model.matrix
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(whole)] for whole in model.integer]
    highspy.Highs.resetGlobalScheduler(True)  # one process has one number of threads, whoever asked first
    highs = highspy.Highs()
    options = {"output_flag": False, "threads": 2, "time_limit": limit_s, "mip_rel_gap": gap, "random_seed": seed}
    for option, setting in options.items():
        highs.setOptionValue(option, setting)
    highs.passModel(lp)
    laps.lap("build")
    highs.run()
    laps.lap("solve")
    highspy.Highs.resetGlobalScheduler(True)
    info, status = highs.getInfo(), highs.getModelStatus()
    has_plan = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    said = {
        "bound": info.mip_dual_bound if np.isfinite(info.mip_dual_bound) else None,
        "status": highs.modelStatusToString(status),
        "optimal": status == highspy.HighsModelStatus.kOptimal,
    }
    return np.asarray(highs.getSolution().col_value) if has_plan else None, said


def once(problem: ProblemFile, limit_s: float, seed: int) -> Answer:
    laps = Laps()
    if problem.kind == "backup":
        fewest, _ = searched(compact(replace(problem, kind="set-cover")), limit_s, seed, Laps())
        if fewest is None:
            return laps.noted | {"open": None, "bound": None, "status": "no cover found", "optimal": False}
        model = backup(problem, round(float(fewest.sum())))
    else:
        model = compact(problem)
    x, said = searched(model, limit_s, seed, laps)
    return laps.noted | said | ({"open": None} if x is None else answer(problem, model, x))


if __name__ == "__main__":
    answers(once)
