"""FasterPAM on a square p-median without weights: PROBLEM.npz LIMIT_S SEEDS OUT.json; in the peers' environment."""

from __future__ import annotations

import sys
from pathlib import Path

import kmedoids

sys.path.insert(0, str(Path(__file__).parent))
from each_seed import Answer, answers
from laps import Laps
from problem_file import ProblemFile


def once(problem: ProblemFile, limit_s: float, seed: int) -> Answer:
    laps = Laps()
    matrix = problem.matrix(1e12)
    laps.lap("build")
    found = kmedoids.fasterpam(matrix, problem.p, random_state=seed, n_cpu=1)
    laps.lap("solve")
    is_open = sorted(int(site) for site in found.medoids)
    return laps.noted | {"open": is_open, "bound": None, "status": "local optimum", "optimal": False}


if __name__ == "__main__":
    answers(once)
