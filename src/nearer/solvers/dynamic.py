"""
Dynamic location: options of sites over phases under side rules and limits.

The compact model in HiGHS, for small cases.
"""

from __future__ import annotations

import numpy as np

from nearer.lp import MipStatus, solve_mip
from nearer.model import Instance, Solution, Status, TracePoint, relative_gap
from nearer.model.compact import compact_model
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.units import FloatArray, IntArray


def solve_dynamic(
    instance: Instance,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
    start: IntArray | None = None,
) -> Solution:
    """
    Choose an option for every site and send everybody so that all phases together cost least.

    Parameters
    ----------
    instance
        With rules.
    gap
        Relative gap at which the run may end.
    """
    stop = stop or Stop()
    budget = Budget(stop, work_limit)
    began_s = stop.elapsed_s
    model = compact_model(instance)
    trace: list[TracePoint] = []

    def ask(bound: float, nodes: int) -> bool:
        budget.spend(LP_ITERATION_WORK)
        return budget.exhausted()

    with (progress or Silent()).step("Choosing sites"):
        result = solve_mip(model.problem, ask, remaining_s=stop.remaining_s, relative_gap=max(gap, 1e-10))
    level = np.full((instance.n_phases, instance.n_sites), -1, dtype=np.int16)
    none = np.zeros(0, dtype=np.int32)
    if result.x is None:
        status = Status.INFEASIBLE if result.status is MipStatus.INFEASIBLE else Status.UNKNOWN
        bound = np.inf if status is Status.INFEASIBLE else -np.inf
        return Solution(status, level, none, none, np.zeros(0), np.inf, bound, "solver", None)
    phase, row, site, share = model.assignment(result.x)
    value = float(model.problem.cost @ result.x)
    bound = min(result.bound - 1e-10 * abs(result.bound), value)
    if result.status is MipStatus.OPTIMAL and value - bound <= 1e-6:
        bound = value
    trace.append(TracePoint(stop.elapsed_s - began_s, value, bound))
    return Solution(
        status=_status(value, bound, gap),
        level=model.levels(result.x),
        row_idx=row,
        assigned_idx=site,
        share=_shares(share),
        objective=value,
        bound=bound,
        proof="solver",
        certificate=None,
        trace=tuple(trace),
        seconds=stop.elapsed_s - began_s,
        work=budget.spent,
        phase_idx=phase,
    )


def _shares(share: FloatArray) -> FloatArray:
    return np.minimum(share, 1.0)


def _status(value: float, bound: float, gap: float) -> Status:
    if value - bound <= 1e-9 * abs(value):
        return Status.OPTIMAL
    return Status.GAP if relative_gap(value, bound) <= gap else Status.FEASIBLE
