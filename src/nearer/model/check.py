"""
The independent check of a solution, in plain NumPy and slow on purpose where that is clearer.

Nothing here is shared with the solvers or their kernels: what they claim is computed again from the arrays alone.
"""

from __future__ import annotations

import math

import numpy as np

from nearer.model import evaluate
from nearer.model.certificate import Certificate, RulesCertificate
from nearer.model.check_center import certified_dearest, recompute_dearest
from nearer.model.check_rules import check_rules
from nearer.model.evaluate import cheapest_open, evaluate_certificate, pair_places, second_cheapest_open
from nearer.model.evaluate_rules import rules_bound
from nearer.model.instance import FORBIDDEN, FREE, OPEN, Instance
from nearer.model.solution import Solution, Status
from nearer.progress import Progress
from nearer.units import BoolArray, IntArray

__all__ = [
    "agrees",
    "assigned_value",
    "certified_bound",
    "check_solution",
    "evaluate_certificate",
    "is_optimal",
    "recompute_value",
]

REL_TOL = 1e-9
"""Two float sums of the same terms in different orders agree this well, relative to the larger."""


def recompute_value(instance: Instance, open_mask: BoolArray, phase: int = 0) -> float:
    """
    Cost of a set of open sites: each row at the cheapest of them and of staying unserved, and their own prices.

    Where an instance has second shares, that part of a row's weight pays the second cheapest open site instead.

    Parameters
    ----------
    instance
        The problem.
    open_mask
        Which sites are open, bool (n_sites,).
    phase
        Whose weights count.

    Returns
    -------
    float
        The correctly rounded sum, or the dearest row where the objective is "max"; ``inf`` where a row that must be
        served is not.
    """
    if instance.objective == "max":
        return recompute_dearest(instance, open_mask, phase)
    best = cheapest_open(instance, open_mask)
    if np.isinf(best).any():
        return math.inf
    if instance.second_share is not None:
        share = np.asarray(instance.second_share)
        best = np.where(share > 0, (1 - share) * best + share * second_cheapest_open(instance, open_mask), best)
    weight = np.asarray(instance.weight[phase])
    paid = np.multiply(weight, best, out=np.zeros_like(weight), where=weight > 0)
    return math.fsum([*paid, *instance.price[open_mask]])


def certified_bound(
    instance: Instance,
    certificate: Certificate | RulesCertificate,
    cutoff: float = math.inf,
    progress: Progress | None = None,
) -> float:
    """What a certificate proves, by the formula of the instance's objective and rules."""
    if isinstance(certificate, RulesCertificate):
        return min(rules_bound(instance, certificate), cutoff)
    if instance.objective == "max":
        return certified_dearest(instance, certificate, cutoff)
    return evaluate.certified_bound(instance, certificate, cutoff, progress)


def is_optimal(value: float, bound: float, whole: bool) -> bool:
    """Whether a bound is near enough to a value to say "optimal" (``docs/conventions.md``)."""
    return value - bound <= REL_TOL * abs(value) or (whole and value - bound < 1.0)


def agrees(left: float, right: float) -> bool:
    """Whether two sums of the same terms agree up to rounding."""
    return left == right or abs(left - right) <= REL_TOL * max(abs(left), abs(right))


def check_solution(instance: Instance, solution: Solution) -> list[str]:
    """
    Compare a solution with every rule of its instance.

    Parameters
    ----------
    instance, solution
        The problem and what a solver says of it. The bound itself is the business of ``evaluate_certificate``.

    Returns
    -------
    list of str
        One sentence per broken rule or false claim; empty when all is well.
    """
    if solution.status in (Status.INFEASIBLE, Status.UNKNOWN):
        return []
    if solution.level.shape != (instance.n_phases, instance.n_sites):
        return [f"levels have shape {solution.level.shape} for {instance.n_phases} phases, {instance.n_sites} sites"]
    if instance.rules is not None:
        return check_rules(instance, solution)
    return [
        *_check_sites(instance, solution.level),
        *_check_assignment(instance, solution),
        *_check_claims(instance, solution),
    ]


def _check_sites(instance: Instance, level: IntArray) -> list[str]:
    found = []
    if level.min(initial=-1) < -1 or level.max(initial=-1) >= instance.n_levels:
        found.append("a site has a level that does not exist")
    is_open = level >= 0
    for phase in range(instance.n_phases):
        opened = int(np.count_nonzero(is_open[phase] & (instance.standing == FREE)))
        low, high = int(instance.open_min[phase]), int(instance.open_max[phase])
        if not low <= opened <= high:
            found.append(f"phase {phase}: {opened} sites opened where {low} to {high} were asked")
        for standing, wanted, words in ((OPEN, True, "stands open but is closed"), (FORBIDDEN, False, "may not open")):
            for site in np.flatnonzero((instance.standing == standing) & (is_open[phase] != wanted)):
                found.append(f"phase {phase}: site {site} {words}")
        if phase and np.any(is_open[phase - 1] & ~is_open[phase]):
            found.append(f"phase {phase}: a site that was open before is closed")
    return found


def _check_assignment(instance: Instance, solution: Solution) -> list[str]:
    row, site, share = solution.row_idx, solution.assigned_idx, np.asarray(solution.share, dtype=np.float64)
    if not (len(row) == len(site) == len(share)):
        return ["assignment triples differ in length"]
    if not _in_range(instance, solution):
        return ["an assignment names a row or a site that does not exist"]
    found = []
    if np.any(~(share > 0) | (share > 1 + REL_TOL)):
        found.append("a share is not above 0 and at most 1")
    if np.any(~solution.open_mask[site]):
        found.append("people are sent to a site that is not open")

    exists, place = pair_places(instance, row, site)
    if not exists.all():
        found.append("people are sent to a site that cannot serve them")
    if len(np.unique(row.astype(np.int64) * instance.n_sites + site)) != len(row):
        found.append("a row is sent to one site twice")

    served = np.bincount(row, weights=share, minlength=instance.n_rows)
    if np.any(served > 1 + REL_TOL):
        found.append("shares of a row add up to more than 1")
    if np.any(np.isinf(instance.unserved) & (served < 1 - REL_TOL)):
        found.append("a row that must be served is not, or only in part")

    if np.isinf(instance.capacity).all():
        best = cheapest_open(instance, solution.open_mask)
        if exists.all() and np.any(np.asarray(instance.cost)[place] > best[row]):
            found.append("people are sent farther than to their nearest open site")
        if np.any((best < instance.unserved) & (served < 1 - REL_TOL)):
            found.append("people within reach of an open site are left unserved")
    else:
        found += _check_loads(instance, solution)
    if instance.single_source:
        if np.any(share < 1 - REL_TOL):
            found.append("a row that one site must serve whole is served in part")
        if len(np.unique(row)) != len(row):
            found.append("a row that one site must serve whole is sent to several")
    return found


def _in_range(instance: Instance, solution: Solution) -> bool:
    """Whether all rows and sites of an assignment exist, and its triples are whole."""
    row, site = solution.row_idx, solution.assigned_idx
    if not len(row) == len(site) == len(solution.share):
        return False
    return not len(row) or bool(
        row.min() >= 0 and row.max() < instance.n_rows and site.min() >= 0 and site.max() < instance.n_sites
    )


def _check_loads(instance: Instance, solution: Solution) -> list[str]:
    """Each site within its capacity for each group; what a row takes is its need, else its weight."""
    need = instance.weight[-1] if instance.need is None else instance.need
    load = np.zeros((instance.n_sites, instance.capacity.shape[2]))
    row, site = solution.row_idx, solution.assigned_idx
    group = instance.row_group[row] if load.shape[1] > 1 else np.zeros(len(row), dtype=np.int32)
    np.add.at(load, (site, group), np.asarray(solution.share, dtype=np.float64) * np.asarray(need)[row])
    limit = instance.capacity[np.arange(instance.n_sites), np.maximum(solution.level[-1], 0)]
    if np.any(load > np.where(solution.open_mask[:, None], limit, 0.0) * (1 + REL_TOL)):
        return ["a site serves more than its capacity"]
    return []


def assigned_value(instance: Instance, solution: Solution) -> float:
    """
    Cost of an assignment of the last phase as it stands: shares, what is left unserved, and open sites.

    Returns
    -------
    float
        The correctly rounded sum; ``inf`` where a pair does not exist or a row that must be served is not.
    """
    weight, share = np.asarray(instance.weight[-1]), np.asarray(solution.share, dtype=np.float64)
    row, site = np.asarray(solution.row_idx), np.asarray(solution.assigned_idx)
    exists, place = pair_places(instance, row, site)
    served = np.bincount(row, weights=share, minlength=instance.n_rows)
    # shares that rounding kept from adding up to 1 leave nobody behind
    left = np.where(served < 1 - REL_TOL, 1 - served, 0.0)
    if not exists.all() or np.any((left > 0) & np.isinf(instance.unserved)):
        return math.inf
    level = np.asarray(solution.level[-1])
    is_open = np.flatnonzero(level >= 0)
    paid = [weight[row] * share * np.asarray(instance.cost, dtype=np.float64)[place]]
    paid += [(weight * left)[left > 0] * instance.unserved[left > 0]]
    if instance.open_cost is not None:
        paid += [instance.open_cost[is_open, np.minimum(level[is_open], instance.n_levels - 1)]]
    return math.fsum(np.concatenate(paid))


def _check_claims(instance: Instance, solution: Solution) -> list[str]:
    found = []
    if np.isinf(instance.capacity).all():
        value = math.fsum(
            recompute_value(instance, solution.level[phase] >= 0, phase) for phase in range(instance.n_phases)
        )
    elif instance.n_phases == 1 and instance.objective == "sum" and _in_range(instance, solution):
        value = assigned_value(instance, solution)
    else:
        value = solution.objective
    if not agrees(value, solution.objective):
        found.append(f"the value is {value!r}, not {solution.objective!r}")
    if math.isnan(solution.bound) or solution.bound > solution.objective:
        found.append(f"the bound {solution.bound!r} lies above the value {solution.objective!r}")
    if solution.status is Status.OPTIMAL and not is_optimal(solution.objective, solution.bound, instance.whole):
        found.append(f"called optimal with value {solution.objective!r} and bound {solution.bound!r}")
    if (solution.proof == "certificate") != (solution.certificate is not None):
        found.append(f"the proof is called {solution.proof!r} but the certificate says otherwise")
    return found
