"""Plan a generated town: NAME SOLVER LIMIT_S OUT.json."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.dynamic import TINY, TOWNS, make

from nearer.model import Status
from nearer.progress import Stop
from nearer.solvers import solve
from nearer.solvers.budget import Budget
from nearer.solvers.dynamic_exact import solve_exactly

name, solver, limit_s, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4])
instance = make(TOWNS[name][0])
n_columns = instance.n_phases * len(instance.cost)
noted = {"pairs": len(instance.cost)}
if solver == "nearer":
    solve(make(TINY), work_limit=3_000_000)  # compiled code is in memory before anything is timed
    began, cpu = time.perf_counter(), time.process_time()
    found = solve(instance, gap=1e-3, threads=2, stop=Stop(limit_s))
    noted |= {"solve_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    noted |= {"value": found.objective, "bound": found.bound, "gap": found.gap, "status": str(found.status)}
    noted["trace"] = [[x if math.isfinite(x) else None for x in point] for point in found.trace]
    assert found.status is not Status.UNKNOWN
elif n_columns <= 3_000_000:
    began, cpu = time.perf_counter(), time.process_time()
    exact = solve_exactly(instance, Budget(Stop(limit_s)), 1e-3)
    noted |= {"solve_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    if math.isfinite(exact.value):
        noted |= {"value": exact.value, "bound": exact.bound, "gap": (exact.value - exact.bound) / exact.value}
        noted["status"] = str(exact.status)
    else:
        noted["why"] = "no plan"
else:
    noted["why"] = "too large"
out.write_text(json.dumps(noted))
