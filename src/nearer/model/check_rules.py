"""The independent check of a solution to an instance with rules, in plain NumPy."""

from __future__ import annotations

import math

import numpy as np

from nearer.model.evaluate import pair_places
from nearer.model.evaluate_rules import assigned_cost, limit_total, rules_of
from nearer.model.instance import Instance
from nearer.model.solution import Solution, Status
from nearer.units import FloatArray, IntArray

_TOL = 1e-6
"""Slack of sums of shares and money, relative to the larger side: HiGHS works to 1e-7."""


def check_rules(instance: Instance, solution: Solution) -> list[str]:
    """One sentence per broken rule or false claim of a solution to an instance with rules; empty when all is well."""
    rules = rules_of(instance)
    level = np.asarray(solution.level)
    option = rules.option_of(level)
    found = [f"site {site} takes levels that are none of its options" for site in np.flatnonzero(option < 0)]
    if found:
        return found
    totals = rules.side_totals(option)
    for side in range(rules.n_sides):
        low, high, total = float(rules.side_lower[side]), float(rules.side_upper[side]), float(totals[side])
        slack = _TOL * max(1.0, abs(total))
        if not low - slack <= total <= high + slack:
            found.append(f"{rules.side_name[side]}: {total:g}, asked was {low:g} to {high:g}")
    value, counted = 0.0, np.zeros(len(rules.limits))
    for phase in range(instance.n_phases):
        row, site, share = triples(solution, phase)
        exists, place = pair_places(instance, row, site)
        if not exists.all():
            return [*found, f"phase {phase}: people are sent to a site that cannot serve them"]
        found += _check_phase(instance, phase, level[phase], row, site, share)
        value += assigned_cost(instance, phase, row, place, share)
        for at in range(len(rules.limits)):
            counted[at] += limit_total(instance, at, phase, row, place, share)
    for limit, total in zip(rules.limits, counted, strict=True):
        if total > limit.most + _TOL * max(1.0, abs(limit.most)):
            found.append(f"{limit.name}: {total:g} where {limit.most:g} is the most")
    value += math.fsum(rules.option_cost[option])
    if not math.isclose(value, solution.objective, rel_tol=1e-7, abs_tol=1e-6):
        found.append(f"the value is {value!r}, not {solution.objective!r}")
    if math.isnan(solution.bound) or solution.bound > solution.objective * (1 + 1e-9) + 1e-9:
        found.append(f"the bound {solution.bound!r} lies above the value {solution.objective!r}")
    if solution.status is Status.OPTIMAL and solution.objective - solution.bound > 1e-9 * abs(solution.objective):
        found.append(f"called optimal with value {solution.objective!r} and bound {solution.bound!r}")
    return found


def triples(solution: Solution, phase: int) -> tuple[IntArray, IntArray, FloatArray]:
    """Rows, sites and shares of the assignment of a phase."""
    if solution.phase_idx is None:
        return solution.row_idx, solution.assigned_idx, np.asarray(solution.share, dtype=np.float64)
    here = solution.phase_idx == phase
    return solution.row_idx[here], solution.assigned_idx[here], np.asarray(solution.share[here], dtype=np.float64)


def _check_phase(
    instance: Instance, phase: int, level: IntArray, row: IntArray, site: IntArray, share: FloatArray
) -> list[str]:
    found = []
    if np.any(~(share > 0) | (share > 1 + _TOL)):
        found.append(f"phase {phase}: a share is not above 0 and at most 1")
    if np.any(level[site] < 0):
        found.append(f"phase {phase}: people are sent to a site that is not open")
    served = np.bincount(row, weights=share, minlength=instance.n_rows)
    if np.any(served > 1 + _TOL):
        found.append(f"phase {phase}: shares of a row add up to more than 1")
    if np.any(np.isinf(instance.unserved) & (served < 1 - _TOL)):
        found.append(f"phase {phase}: a row that must be served is not, or only in part")
    n_pools = instance.capacity.shape[2]
    pool = instance.row_group[row] if n_pools > 1 else np.zeros(len(row), dtype=np.int32)
    load = np.zeros((instance.n_sites, n_pools))
    np.add.at(load, (site, pool), share * instance.need_in(phase)[row])
    room = np.where((level >= 0)[:, None], instance.capacity[np.arange(instance.n_sites), np.maximum(level, 0)], 0.0)
    if np.any(load > room * (1 + _TOL) + _TOL):
        found.append(f"phase {phase}: a site serves more than its capacity")
    if np.any(room[site, pool] <= 0):
        found.append(f"phase {phase}: people are sent to a site that does not serve their group")
    if instance.single_source and (np.any(share < 1 - _TOL) or len(np.unique(row)) != len(row)):
        found.append(f"phase {phase}: a row that one site must serve whole is split")
    return found
