"""
Sites that serve whatever happens: so many of them, so that the expected or the worst of given scenarios costs least.

The expected cost is a p-median over the rows of all scenarios, each weighed with its probability. The worst is
``min_X max_s cost_s(X)``. For any weights λ ≥ 0 that sum to 1, ``max_s cost_s(X) ≥ Σ_s λ_s cost_s(X)``, so the p-median
with these weights bounds it from below. Weights come from the matrix game between scenarios and the sets found so far
(a linear programme), the next set from the p-median under them, until neither gains: the Lagrangian dual. What gap it
leaves is closed by HiGHS where the problem is small enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nearer.lp import Lp, LpStatus, MipProblem, MipStatus, solve_mip
from nearer.model import FREE, Certificate, Instance, RulesCertificate, Solution, Status, single_phase
from nearer.model.check import recompute_value
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import solve
from nearer.units import BoolArray, FloatArray, IntArray

_ROUNDS = 60
_MIP_PAIRS = 30_000
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Reserve:
    """
    Sites that serve whatever happens.

    Parameters
    ----------
    sites
        Ascending, int64 (number,).
    costs
        Cost × weight in each scenario, float64 (n_scenarios,).
    value, bound
        What was minimised, and what no choice goes below.
    weights
        λ of the bound, float64 (n_scenarios,).
    certificate
        Proof of the bound under ``weights``; None where it is HiGHS's own word.
    status
        ``OPTIMAL``, ``GAP`` or ``FEASIBLE``.
    """

    sites: IntArray
    costs: FloatArray
    value: float
    bound: float
    weights: FloatArray
    certificate: Certificate | RulesCertificate | None
    status: Status


def weighed(scenarios: Sequence[Instance], weights: FloatArray, number: int) -> Instance:
    """
    The rows of all scenarios, one below the other, each scenario's weights multiplied.

    Parameters
    ----------
    scenarios
        The same sites in each; ``FREE`` ones may be chosen. A site that is out in a scenario stands in no row of it.
    weights
        float64 (n_scenarios,).
    number
        Sites to choose.
    """
    pairs = np.concatenate([[0], np.cumsum([len(one.site_idx) for one in scenarios])])
    ends = [one.indptr[1:] + first for one, first in zip(scenarios, pairs, strict=False)]
    return single_phase(
        np.concatenate([np.zeros(1, dtype=np.int64), *ends]),
        np.concatenate([one.site_idx for one in scenarios]),
        np.concatenate([one.cost for one in scenarios]),
        np.concatenate([one.weight[0] * factor for one, factor in zip(scenarios, weights, strict=True)]),
        np.concatenate([one.unserved for one in scenarios]),
        scenarios[0].standing,
        number,
        number,
    )


def costs_of(scenarios: Sequence[Instance], chosen: BoolArray) -> FloatArray:
    """What a choice costs in each scenario, float64 (n_scenarios,)."""
    return np.array([recompute_value(one, chosen) for one in scenarios])


def expected_reserve(
    scenarios: Sequence[Instance],
    probability: FloatArray,
    number: int,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    stop: Stop | None = None,
    progress: Progress | None = None,
    solver: Callable[..., Solution] = solve,
) -> Reserve:
    """Choose sites so that the cost expected over the scenarios is least; parameters as for ``worst_reserve``."""
    instance = weighed(scenarios, probability, number)
    found = solver(instance, gap=gap, seed=seed, threads=threads, stop=stop or Stop(), progress=progress or Silent())
    chosen = found.open_mask & (instance.standing == FREE)
    costs = costs_of(scenarios, chosen)
    value = float(probability @ costs)
    bound = min(max(found.bound, 0.0), value)
    return Reserve(np.flatnonzero(chosen), costs, value, bound, probability, found.certificate, found.status)


def worst_reserve(
    scenarios: Sequence[Instance],
    probability: FloatArray,
    number: int,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    stop: Stop | None = None,
    progress: Progress | None = None,
    solver: Callable[..., Solution] = solve,
) -> Reserve:
    """
    Choose sites so that the worst scenario costs least.

    Parameters
    ----------
    scenarios, number
        As for ``weighed``.
    probability
        Of each scenario, float64 (n_scenarios,), summing to 1: the weights to start from.
    gap, seed, threads, stop, progress
        As for ``solve``.
    solver
        Who solves each p-median.
    """
    stop, progress = stop or Stop(), progress or Silent()
    weights, seen = probability.astype(np.float64), set()
    best_sites: IntArray = np.zeros(0, dtype=np.int64)
    best_costs, best = np.full(len(scenarios), np.inf), np.inf
    bound, proven, certificate = 0.0, weights, None
    rows: list[FloatArray] = []
    for _ in range(_ROUNDS):
        instance = weighed(scenarios, weights, number)
        found = solver(instance, gap=min(gap, 1e-6), seed=seed, threads=threads, stop=stop, progress=progress)
        chosen = found.open_mask & (instance.standing == FREE)
        costs = costs_of(scenarios, chosen)
        if costs.max() < best:
            best_sites, best_costs, best = np.flatnonzero(chosen), costs, float(costs.max())
        if found.bound > bound:
            bound, proven, certificate = float(found.bound), weights, found.certificate
        known = tuple(np.flatnonzero(chosen).tolist())
        if stop() or best - bound <= gap * abs(best) or known in seen:
            break
        seen.add(known)
        rows.append(costs)
        weights = _game(np.array(rows), stop)
    if best - bound > _TOLERANCE * abs(best) and sum(len(one.site_idx) for one in scenarios) <= _MIP_PAIRS:
        answer = _by_mip(scenarios, number, best_sites, stop)
        if answer is not None:
            sites, costs, mip_bound = answer
            if costs.max() < best:
                best_sites, best_costs, best = sites, costs, float(costs.max())
            if mip_bound > bound:
                bound, certificate = mip_bound, None
    bound = min(bound, best)
    if best - bound <= _TOLERANCE * abs(best):
        status = Status.OPTIMAL
    else:
        status = Status.GAP if best - bound <= gap * abs(best) else Status.FEASIBLE
    return Reserve(best_sites, best_costs, best, bound, proven, certificate, status)


def _game(costs: FloatArray, stop: Stop) -> FloatArray:
    """Weights of the scenarios under which the cheapest of some choices costs most, float64 (n_scenarios,)."""
    n, m = costs.shape
    scale = max(float(costs.max()), 1e-300)
    model = Lp(stop)
    model.add_columns(np.append(np.zeros(m), -1.0), np.append(np.zeros(m), -np.inf), np.full(m + 1, np.inf))
    # z ≤ λ · costs of each choice; the weights sum to 1
    values = np.column_stack([costs / scale, np.full(n, -1.0)])
    column = np.tile(np.arange(m + 1), n)
    model.add_rows(np.zeros(n), np.full(n, np.inf), np.arange(n + 1) * (m + 1), column, values.ravel())
    model.add_rows(np.ones(1), np.ones(1), np.array([0, m]), np.arange(m), np.ones(m))
    if model.solve() is not LpStatus.OPTIMAL:
        return np.full(m, 1.0 / m)
    weights = np.clip(model.x[:m], 0.0, None)
    return np.asarray(weights / weights.sum())


def _by_mip(
    scenarios: Sequence[Instance], number: int, start: IntArray, stop: Stop
) -> tuple[IntArray, FloatArray, float] | None:
    """
    The whole problem as one programme: sites chosen, shares of each row's pairs, and the worst cost above all.

    ``min t``; ``Σ_j x_ij + u_i = 1``; ``x_ij ≤ z_j``; ``Σ z = number``; ``t ≥`` what each scenario's rows cost.
    """
    free = np.flatnonzero(scenarios[0].standing == FREE)
    place = np.full(scenarios[0].n_sites, -1, dtype=np.int64)
    place[free] = np.arange(len(free))
    p = len(free)
    pair_site: list[IntArray] = []
    pair_row: list[IntArray] = []
    pair_cost: list[FloatArray] = []
    row_cost: list[FloatArray] = []
    scenario_of_pair: list[IntArray] = []
    scenario_of_row: list[IntArray] = []
    n_rows = 0
    for s, one in enumerate(scenarios):
        row = np.repeat(np.arange(one.n_rows), np.diff(one.indptr))
        keep = place[one.site_idx] >= 0
        pair_site.append(place[one.site_idx[keep]])
        pair_row.append(n_rows + row[keep])
        pair_cost.append(one.weight[0][row[keep]] * np.asarray(one.cost, dtype=np.float64)[keep])
        row_cost.append(one.weight[0] * one.unserved)
        scenario_of_pair.append(np.full(int(keep.sum()), s))
        scenario_of_row.append(np.full(one.n_rows, s))
        n_rows += one.n_rows
    site, row, cost = np.concatenate(pair_site), np.concatenate(pair_row), np.concatenate(pair_cost)
    of_pair, of_row, alone = np.concatenate(scenario_of_pair), np.concatenate(scenario_of_row), np.concatenate(row_cost)
    n = len(site)
    scale = max(float(np.bincount(of_row, weights=alone, minlength=len(scenarios)).max()), 1e-300)
    first_pair, first_row, last = p, p + n, p + n + n_rows  # columns: z, x, u, t
    order = np.argsort(row, kind="stable")
    served_ptr = np.cumsum(np.bincount(row, minlength=n_rows) + 1)
    served = np.empty(n + n_rows, dtype=np.int64)
    at_u = served_ptr - 1
    served[at_u] = first_row + np.arange(n_rows)
    inner = np.ones(n + n_rows, dtype=bool)
    inner[at_u] = False
    served[inner] = first_pair + order
    parts_column = [served, np.stack([first_pair + np.arange(n), site], axis=1).ravel(), np.arange(p)]
    parts_value = [np.ones(n + n_rows), np.tile([1.0, -1.0], n), np.ones(p)]
    counts = [np.diff(np.concatenate([[0], served_ptr])), np.full(n, 2), np.array([p])]
    lower = [np.ones(n_rows), np.full(n, -np.inf), np.array([float(number)])]
    upper = [np.ones(n_rows), np.zeros(n), np.array([float(number)])]
    for s in range(len(scenarios)):
        mine, here = np.flatnonzero(of_pair == s), np.flatnonzero(of_row == s)
        parts_column.append(np.concatenate([first_pair + mine, first_row + here, [last]]))
        parts_value.append(np.concatenate([-cost[mine] / scale, -alone[here] / scale, [1.0]]))
        counts.append(np.array([len(mine) + len(here) + 1]))
        lower.append(np.zeros(1))
        upper.append(np.full(1, np.inf))
    n_columns = last + 1
    objective = np.zeros(n_columns)
    objective[last] = 1.0
    integer = np.zeros(n_columns, dtype=bool)
    integer[:p] = True
    high = np.ones(n_columns)
    high[last] = np.inf
    problem = MipProblem(
        cost=objective,
        lower=np.zeros(n_columns),
        upper=high,
        integer=integer,
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
        indptr=np.concatenate([[0], np.cumsum(np.concatenate(counts))]),
        column=np.concatenate(parts_column),
        value=np.concatenate(parts_value),
    )
    result = solve_mip(problem, lambda bound, nodes: stop(), remaining_s=stop.remaining_s, relative_gap=1e-9)
    if result.x is None:
        return None
    chosen = np.zeros(scenarios[0].n_sites, dtype=bool)
    chosen[free[np.argsort(-result.x[:p], kind="stable")[:number]]] = True
    bound = result.bound * scale
    if result.status is not MipStatus.OPTIMAL:
        bound *= 1 - 1e-9
    costs = costs_of(scenarios, chosen)
    # HiGHS's own tolerances: the two meet where it says that it is done
    done = result.status is MipStatus.OPTIMAL and abs(costs.max() - bound) <= 2e-6 * scale
    return np.flatnonzero(chosen), costs, float(costs.max()) if done else float(bound)
