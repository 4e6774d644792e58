"""Plan phases, levels and budgets together with ``nearer.solvers``: TOWN.npz LIMIT_S SEEDS OUT.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).parent))
from benchmarks.dynamic import Town, make
from each_seed import GAP, Answer, answers
from laps import Laps

from nearer.model import Status
from nearer.progress import Stop
from nearer.solvers import solve


def read(path: Path) -> Town:
    """The town that the file names."""
    with np.load(path) as file:
        return Town(**json.loads(str(file["town"])))


def warmed(town: Town) -> None:
    """One that is large enough not to go to HiGHS as a whole, so that what was compiled is loaded."""
    like = Town("warm", 300, 40, 6, 4_000, 8, town.phases, town.levels, town.groups)
    solve(make(like), gap=GAP, threads=2, stop=Stop(8.0))


def once(town: Town, limit_s: float, seed: int) -> Answer:
    instance = make(town)
    laps = Laps()
    laps.lap("build")  # the instance is what it solves
    solution = solve(instance, gap=GAP, seed=seed, threads=2, stop=Stop(limit_s))
    laps.lap("solve")
    found = solution.status not in (Status.INFEASIBLE, Status.UNKNOWN)
    phase = solution.phase_idx if solution.phase_idx is not None else np.zeros(len(solution.row_idx), int)
    return laps.noted | {
        "open": [] if found else None,
        "level": solution.level.tolist(),
        "assigned": [a.tolist() for a in (phase, solution.row_idx, solution.assigned_idx, solution.share)],
        "bound": solution.bound if np.isfinite(solution.bound) else None,
        "status": str(solution.status),
        "optimal": solution.status in (Status.OPTIMAL, Status.GAP),
    }


if __name__ == "__main__":
    answers(once, warmed, read)
