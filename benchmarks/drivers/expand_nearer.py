"""Open more sites with ``nearer.solvers``: PROBLEM.npz LIMIT_S OUT.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from expansion import rows_that_matter
from laps import Laps

from nearer.model import FREE, OPEN, Instance, Solution
from nearer.model.instance import single_phase
from nearer.progress import Stop
from nearer.solvers import solve

problem, limit_s, out = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])


def built(distance: np.ndarray, weight: np.ndarray, standing: np.ndarray, more: int) -> Instance:
    """The sites that stand open are what a point pays where no new one serves it."""
    point, site, cost, nearest = rows_that_matter(distance, standing)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(point, minlength=len(weight)))])
    kind = np.where(standing, OPEN, FREE)
    return single_phase(indptr, site, cost, weight, nearest, kind, more, more)


def solved(instance: Instance) -> Solution:
    """To the optimum, on two threads."""
    return solve(instance, gap=0.0, threads=2, stop=Stop(limit_s))


rng = np.random.default_rng(0)
solved(built(rng.random((60, 30)), np.ones(60), np.arange(30) < 5, 8))  # load what was compiled

with np.load(problem) as file:
    distance, weight, standing, more = file["distance"], file["weight"], file["standing"], int(file["more"])
laps = Laps()
instance = built(distance, weight, standing, more)
laps.lap("build")
solution = solved(instance)
laps.lap("solve")
laps.noted |= {
    "open": np.flatnonzero(solution.open_mask).tolist(),
    "value": solution.objective,
    "bound": solution.bound,
    "status": str(solution.status),
    "pairs": len(instance.site_idx),
    "trace": [list(point) for point in solution.trace],
}
out.write_text(json.dumps(laps.noted))
