"""Solve a p-median with pbp-pmedian: PROBLEM.npz LIMIT_S SEEDS OUT.json; runs in the peers' environment."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pbp_pmedian

sys.path.insert(0, str(Path(__file__).parent))
from each_seed import Answer, answers
from laps import Laps
from problem_file import ProblemFile


def once(problem: ProblemFile, limit_s: float, seed: int) -> Answer:
    laps = Laps()
    # Its rows are sites and its columns customers; a weight is part of the cost.
    matrix = np.ascontiguousarray((problem.matrix(1e12) * problem.weight[:, None]).T)
    standing = np.flatnonzero(problem.standing).tolist()
    laps.lap("build")
    try:
        if standing:  # its router takes none of those; this is its engine for a large p
            value, found, _, code, _ = pbp_pmedian.solve_expand(
                matrix, problem.p, force_open=standing, time_limit=limit_s
            )
        else:
            value, found, _, code, _ = pbp_pmedian.solve(matrix, problem.p, time_limit=limit_s)
    except RuntimeError as error:  # what it says instead of an answer
        value, found, code = None, None, str(error)
    laps.lap("solve")
    proven = value is not None and code == 0
    return laps.noted | {
        "open": None if found is None else sorted(int(site) for site in found),
        "bound": float(value) if proven else None,
        "status": "solved" if proven else f"no answer ({code})",
        "optimal": proven,
    }


if __name__ == "__main__":
    answers(once)
