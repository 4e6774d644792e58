"""Solve a p-median of points with ``nearer.solvers``: PROBLEM.npz LIMIT_S GAP OUT.json; processor seconds."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from nearer.model import Certificate
from nearer.model.check import certified_bound
from nearer.model.evaluate_points import bound_of_points, value_of_points
from nearer.model.plane import PlaneRows
from nearer.progress import Stop
from nearer.solvers.growing import solve_growing
from nearer.solvers.planar import solve_planar
from nearer.solvers.pmedian import solve_pmedian

problem, limit_s, gap, out = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
clock = time.process_time


def points(demand: np.ndarray, sites: np.ndarray, whole: bool = False) -> PlaneRows:
    """Points with a weight of one each; distances may be rounded down."""
    x, y, site_x, site_y = (xy[:, k].copy() for xy in (demand, sites) for k in (0, 1))
    return PlaneRows(x, y, np.ones(len(demand)), site_x, site_y, "floor" if whole else "exact")


rng = np.random.default_rng(0)
solve_planar(points(rng.random((900, 2)), rng.random((90, 2))), 5)  # load what was compiled
with np.load(problem) as file:
    demand, sites, p = file["demand"], file["sites"], int(file["p"])
    standing = file.get("standing")
    rows = points(demand, sites, bool(file["whole"]))
began_s = clock()
if standing is None:
    instance, solution = solve_growing(rows, p, gap=gap, stop=Stop(limit_s, clock))
else:
    # A site no nearer than what stands never serves a point, and what stands is what it pays otherwise.
    nearest = cKDTree(standing).query(demand, workers=1)[0]
    instance = replace(rows.instance(nearest, p), unserved=nearest)
    left_s = limit_s - (clock() - began_s)
    solution = solve_pmedian(instance, gap=gap, stop=Stop(left_s, clock))
solved_s = clock() - began_s
certificate = solution.certificate
assert isinstance(certificate, Certificate)
if standing is None:
    value = value_of_points(rows, np.flatnonzero(solution.open_mask))
    bound = bound_of_points(rows, p, certificate, value)
else:
    value, bound = solution.objective, certified_bound(instance, certificate, solution.objective)
before_s = solved_s - solution.seconds
out.write_text(
    json.dumps(
        {
            "value": value,
            "bound": min(bound, solution.bound),
            "holds": bool(
                bound >= solution.bound - 1e-9 * abs(bound) and abs(value - solution.objective) <= 1e-9 * value
            ),
            "cpu_s": solved_s,
            "check_s": clock() - began_s - solved_s,
            "trace": [[point.seconds + before_s, point.value, point.bound] for point in solution.trace],
        }
    )
)
