"""Open more sites with HiGHS alone, on the same sparse rows: PROBLEM.npz LIMIT_S OUT.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import highspy
import numpy as np
from scipy.sparse import csr_array

sys.path.insert(0, str(Path(__file__).parent))
from expansion import rows_that_matter
from laps import Laps

problem, limit_s, out = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
with np.load(problem) as file:
    distance, weight, standing, more = file["distance"], file["weight"], file["standing"], int(file["more"])

laps = Laps()
point, site, cost, nearest = rows_that_matter(distance, standing)
free = np.flatnonzero(~standing)
place = np.full(len(standing), -1)
place[free] = np.arange(len(free))
n_pairs, n_free, n_points = len(point), len(free), len(weight)
pair = np.arange(n_pairs)
# Columns: one per pair (share of the point that goes there), then one per candidate (open or not).
# Rows: one per point (share <= 1), one per pair (share <= open), one for the number to open.
row = np.concatenate([point, n_points + pair, n_points + pair, np.full(n_free, n_points + n_pairs)])
column = np.concatenate([pair, pair, n_pairs + place[site], n_pairs + np.arange(n_free)])
value = np.concatenate([np.ones(2 * n_pairs), -np.ones(n_pairs), np.ones(n_free)])
matrix = csr_array((value, (row, column)), shape=(n_points + n_pairs + 1, n_pairs + n_free))
upper = np.concatenate([np.ones(n_points), np.zeros(n_pairs), [more]])
lower = np.concatenate([np.full(n_points + n_pairs, -highspy.kHighsInf), [more]])

model = highspy.HighsLp()
model.num_col_, model.num_row_ = n_pairs + n_free, n_points + n_pairs + 1
model.col_cost_ = np.concatenate([weight[point] * (cost - nearest[point]), np.zeros(n_free)])
model.col_lower_, model.col_upper_ = np.zeros(n_pairs + n_free), np.ones(n_pairs + n_free)
model.row_lower_, model.row_upper_ = lower, upper
model.offset_ = float(weight @ nearest)
model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
kind = [highspy.HighsVarType.kContinuous] * n_pairs + [highspy.HighsVarType.kInteger] * n_free
model.integrality_ = kind
highs = highspy.Highs()
for option, setting in (("output_flag", False), ("threads", 2), ("time_limit", limit_s), ("mip_rel_gap", 0.0)):
    highs.setOptionValue(option, setting)
highs.passModel(model)
laps.lap("build")
highs.run()
laps.lap("solve")
found = highs.getInfo()
has_plan = found.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
is_open = standing.copy()
if has_plan:
    is_open[free] = np.asarray(highs.getSolution().col_value)[n_pairs:] > 0.5
laps.noted |= {
    "open": np.flatnonzero(is_open).tolist() if has_plan else None,
    "bound": found.mip_dual_bound if np.isfinite(found.mip_dual_bound) else None,
    "status": highs.modelStatusToString(highs.getModelStatus()),
    "pairs": n_pairs,
}
out.write_text(json.dumps(laps.noted))
