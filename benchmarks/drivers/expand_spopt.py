"""Open more sites with spopt and HiGHS: PROBLEM.npz LIMIT_S OUT.json; runs in the peers' environment."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pulp
from spopt.locate import PMedian

problem, limit_s, out = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
with np.load(problem) as file:
    distance, weight, standing, more = file["distance"], file["weight"], file["standing"], int(file["more"])

noted = {}
clock, cpu = time.perf_counter(), time.process_time()
model = PMedian.from_cost_matrix(
    distance, weight, p_facilities=int(standing.sum()) + more, predefined_facilities_arr=standing.astype(int)
)
noted["build_s"], noted["build_cpu_s"] = time.perf_counter() - clock, time.process_time() - cpu
clock, cpu = time.perf_counter(), time.process_time()
try:
    model = model.solve(pulp.HiGHS(msg=False, timeLimit=limit_s, gapRel=0.0, threads=2))
    noted["status"] = pulp.LpStatus[model.problem.status]
    # The answer is read from the model's own decisions: which sites are open.
    is_open = [variable.value() > 0.5 for variable in model.fac_vars]
    noted["open"] = np.flatnonzero(is_open).tolist()
except RuntimeError as error:
    noted["status"], noted["open"] = str(error), None
noted["solve_s"], noted["solve_cpu_s"] = time.perf_counter() - clock, time.process_time() - cpu
noted |= {"bound": None, "pairs": distance.size}
out.write_text(json.dumps(noted))
