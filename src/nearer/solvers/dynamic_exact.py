"""Dynamic location by the compact model in HiGHS: for small cases, and for the core that fixing leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.lp import MipStatus, solve_mip
from nearer.model import Instance
from nearer.model.compact import compact_model
from nearer.model.evaluate_rules import rules_of
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.units import BoolArray, FloatArray, IntArray

_DEAF_S = 1e-4  # seconds per column in which HiGHS may not ask


@dataclass(frozen=True)
class Exact:
    """
    What HiGHS says of the compact model.

    Parameters
    ----------
    status
        Its own.
    option
        Option of each site, int64 (n_sites,); None without a plan.
    assignment
        Phase, row, site and share.
    value, bound
        Of its plan (``inf`` without), and proven by it for the options and pairs kept.
    """

    status: MipStatus
    option: IntArray | None
    assignment: tuple[IntArray, IntArray, IntArray, FloatArray] | None
    value: float
    bound: float


def solve_exactly(
    instance: Instance,
    budget: Budget,
    gap: float,
    cutoff: float = np.inf,
    keep_option: BoolArray | None = None,
    keep_pair: BoolArray | None = None,
) -> Exact:
    """
    Search the compact model, without the options and pairs not kept.

    Parameters
    ----------
    cutoff
        Value of a plan known: only better ones are of interest, and no bound above it is claimed.
    """
    rules = rules_of(instance)
    model = compact_model(instance, keep_pair)
    problem = model.problem
    if keep_option is not None:
        problem.upper[: rules.n_options][~keep_option] = 0.0

    # HiGHS does not ask while it prepares its root node: end that much earlier
    begun_s = budget.stop.remaining_s
    margin_s = min(0.4 * begun_s, _DEAF_S * len(problem.cost)) if np.isfinite(begun_s) else 0.0

    def ask(bound: float, nodes: int) -> bool:
        budget.spend(LP_ITERATION_WORK)
        return budget.exhausted() or budget.stop.remaining_s <= margin_s

    result = solve_mip(
        problem, ask, remaining_s=budget.stop.remaining_s - margin_s, relative_gap=max(gap, 1e-10), cutoff=cutoff
    )
    if result.x is None:
        bound = cutoff if result.status is not MipStatus.STOPPED else result.bound
        return Exact(result.status, None, None, np.inf, bound)
    value = float(problem.cost @ result.x)
    bound = min(result.bound - 1e-10 * abs(result.bound), value)
    if result.status is MipStatus.OPTIMAL and value - bound <= 1e-6:
        bound = value
    option = rules.option_of(model.levels(result.x))
    return Exact(result.status, option, model.assignment(result.x), value, bound)
