"""
Results of ``nearer solve`` checked against the benchmark file, by separate plain code.

Only the reading of the file is shared with what made the result.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from nearer.errors import CheckFailedError, Fault, InputError
from nearer.model import FORBIDDEN, Certificate, Instance
from nearer.model.center_plane import CenterPoints
from nearer.model.certificate import CenterProof, load_proof
from nearer.model.check import agrees, certified_bound, is_optimal
from nearer.model.check_center import certified_dearest
from nearer.model.check_partial import certified_partial, covered_weight
from nearer.model.check_plane import certified_center
from nearer.model.evaluate import cheapest_open, pair_rows, second_cheapest_open
from nearer.model.plane import Rounding
from nearer.progress import Progress
from nearer.study.pairs import Format
from nearer.study.problems import Problem, median_points, read_problem
from nearer.study.request import Kind, Request
from nearer.study.result_choices import check_choices, refuse_malformed
from nearer.study.result_points import check_points
from nearer.units import BoolArray, FloatArray, IntArray

_SHARE_TOL = 1e-7
_NUMBER = (int, float)
_REQUIRED: dict[str, type | tuple[type, ...]] = {
    "problem": str,
    "format": str,
    "open": list,
    "objective": _NUMBER,
    "status": str,
}
_OPTIONAL: dict[str, type | tuple[type, ...]] = {
    "bound": _NUMBER,
    "distance": str,
    "p": int,
    "radius": _NUMBER,
    "budget": _NUMBER,
    "capacity": _NUMBER,
    "problem_number": int,
    "second_share": _NUMBER,
    "decay_to": _NUMBER,
    "decay_table": list,
    "assignment": list,
    "proof_file": str,
    "sites_file": str,
    "cover_share": _NUMBER,
}
_CHOICES = {"why", "alternatives"}
_REMEDY = "give a file that `nearer solve --json` wrote, of a run that found something"


@dataclass(frozen=True)
class ResultCheck:
    """
    What an independent evaluation makes of a result.

    Parameters
    ----------
    value
        Value of the open sites, computed again; of what is covered in maximal covering. ``nan`` where the result does
        not say enough for it.
    bound
        Bound that the certificate proves; None without one.
    differences
        One clause each for what the result claims and is not so.
    """

    value: float
    bound: float | None
    differences: tuple[str, ...]


def verify_result(result_file: Path, instance_file: Path, progress: Progress | None = None) -> ResultCheck:
    """
    Check a result of ``solve_file`` against the benchmark file: every rule, value, bound, status.

    Raises
    ------
    InputError
        The result or the benchmark file cannot be read.
    """
    result = _read_result(result_file)
    request = _request(result)
    if request.sites_file is not None and not Path(request.sites_file).is_file():
        request = replace(request, sites_file=str(instance_file.parent / Path(request.sites_file).name))
    certificate = _certificate(result_file, Path(result["proof_file"])) if result.get("proof_file") else None
    chosen = np.array(sorted(set(result["open"])), dtype=np.int64) - 1
    further = bool(result.keys() & _CHOICES)  # what asks for all pairs
    if not further and (rows := median_points(instance_file, request)) is not None:
        return ResultCheck(*check_points(result, request, rows, chosen, certificate, progress))
    of_points = request.problem == "p-center" and not isinstance(certificate, Certificate)
    problem = read_problem(instance_file, request, near=of_points and not further, plain=True)
    instance = problem.instance
    if len(chosen) and (chosen[0] < 0 or chosen[-1] >= instance.n_sites):
        raise InputError([Fault(f"open sites must be 1 to {instance.n_sites}", file=result_file.name, column="open")])
    open_mask = np.zeros(instance.n_sites, dtype=bool)
    open_mask[chosen] = True
    found = [*_check_number(problem, result, chosen)]
    if problem.center is not None:
        cost, more = _center_cost(problem.center, chosen, result.get("assignment"))
    else:
        evaluate = _split_cost if instance.capacitated else _nearest_cost
        cost, more = evaluate(instance, open_mask, result.get("assignment"))
    found += more
    if problem.needed is not None and (covered := covered_weight(instance, open_mask)) < problem.needed:
        found.append(f"the open sites cover {covered:,.12g} where {problem.needed:,.12g} are asked for")
    value = problem.value(cost)
    if math.isinf(cost):
        found.append("some customer cannot be served by the open sites")
    elif not math.isnan(cost) and not agrees(value, result["objective"]):
        found.append(f"the open sites are worth {value:.17g}, not {result['objective']:.17g}")
    found += _check_bound(problem, result)
    bound = None
    if certificate is not None:
        try:
            bound = _certified_bound(problem, certificate, result["objective"])
        except CheckFailedError as error:
            found.append(str(error).rstrip("."))
        else:
            sign = 1 if problem.covered_of is None else -1
            said = result.get("bound")
            if said is not None and sign * said > sign * bound and not agrees(said, bound):
                found.append(f"the certificate proves {bound:.17g}, not {said:.17g}")
    found += check_choices(problem, result, None if isinstance(certificate, CenterProof) else certificate)
    return ResultCheck(value, bound, tuple(found))


def _check_number(problem: Problem, result: dict[str, Any], chosen: IntArray) -> list[str]:
    if len(chosen) != len(result["open"]):
        return ["a site is open twice"]
    low, high = int(problem.instance.open_min[0]), int(problem.instance.open_max[0])
    if low <= len(chosen) <= high:
        return []
    asked = f"p is {low}" if low == high else f"{low} to {high} may be"
    return [f"{len(chosen)} different sites are open where {asked}"]


def _check_bound(problem: Problem, result: dict[str, Any]) -> list[str]:
    if result.get("bound") is None:
        return ["it is called optimal without a bound"] if result["status"] == "optimal" else []
    # In the direction of the instance, which is always a minimisation.
    value, bound = problem.value(result["objective"]), problem.value(result["bound"])
    if bound > value:
        return [f"the bound lies {'above' if problem.covered_of is None else 'below'} the value"]
    if result["status"] == "optimal" and not is_optimal(value, bound, problem.instance.whole):
        return [f"it is called optimal with a bound of {result['bound']:.17g}"]
    return []


def _certified_bound(problem: Problem, certificate: Certificate | CenterProof, objective: float) -> float:
    instance, value = problem.instance, problem.value(objective)
    if problem.needed is not None and isinstance(certificate, Certificate):
        return certified_partial(instance, problem.needed, certificate, value)
    if isinstance(certificate, CenterProof):
        if problem.center is None or problem.request.p is None:
            raise CheckFailedError("The certificate is one of a p-center of points, and this is none.")
        return certified_center(problem.center, problem.request.p, certificate, value)
    if instance.objective == "max":
        return certified_dearest(instance, certificate, value)
    bound = certified_bound(instance, certificate, value)
    smaller = problem.smaller()
    if smaller is not instance:
        _refuse_wrong_reduction(instance, smaller)
        bound = max(bound, certified_bound(smaller, certificate, value))
    return problem.value(bound)


def _refuse_wrong_reduction(instance: Instance, reduced: Instance) -> None:
    """
    Make sure that a bound of the smaller instance is one of the whole.

    Customers left out can only lower it. A site that may not open must cover nothing of the others beyond what one
    covers that may: then that one takes its place in any cover.
    """
    gone = np.flatnonzero((instance.standing != FORBIDDEN) & (reduced.standing == FORBIDDEN))
    if not len(gone):
        return
    sites_of = [set(part.tolist()) for part in np.split(instance.site_idx, instance.indptr[1:-1])]
    customers_of: list[set[int]] = [set() for _ in range(instance.n_sites)]
    for customer in np.flatnonzero(reduced.weight[0] > 0).tolist():
        for site in sites_of[customer]:
            customers_of[site].add(customer)
    for site in gone.tolist():
        covered = customers_of[site]
        others = sites_of[min(covered)] if covered else set()
        if covered and not any(reduced.standing[k] != FORBIDDEN and covered <= customers_of[k] for k in others):
            raise CheckFailedError(f"Site {site + 1} was left out, and no other covers all that it covers.")


def _center_cost(points: CenterPoints, chosen: IntArray, assignment: list[Any] | None) -> tuple[float, list[str]]:
    """Distance of the farthest point, and what is wrong with an assignment that was given."""
    best = points.distances(chosen)
    cost = float(best.max(initial=0.0))
    if assignment is None:
        return cost, []
    if len(assignment) != points.n_rows or not all(
        isinstance(site, int) and 1 <= site <= points.n_sites for site in assignment
    ):
        return cost, ["the assignment does not give every customer a site"]
    site = np.array(assignment, dtype=np.int64) - 1
    if not np.isin(site, chosen).all():
        return cost, ["the assignment sends customers to sites that are not open"]
    squared = np.square(points.x - points.site_x[site]) + np.square(points.y - points.site_y[site])
    if np.any(points.rounded(np.sqrt(squared)) > best):
        return cost, ["the assignment sends customers farther than to their nearest open site"]
    return cost, []


def _nearest_cost(instance: Instance, open_mask: BoolArray, assignment: list[Any] | None) -> tuple[float, list[str]]:
    """Cost with every row at its cheapest open site, and what is wrong with an assignment that was given."""
    best = cheapest_open(instance, open_mask)
    mean = best
    if instance.second_share is not None:
        share = instance.second_share
        mean = (1 - share) * best + share * second_cheapest_open(instance, open_mask)
    weight = np.asarray(instance.weight[0])
    paid = np.multiply(weight, mean, out=np.where(np.isinf(mean), np.inf, 0.0), where=weight > 0)
    if instance.objective == "max":
        cost = float(paid.max())
    else:
        cost = math.inf if np.isinf(paid).any() else math.fsum([*paid, *instance.price[open_mask]])
    if assignment is None:
        return cost, []
    if len(assignment) != instance.n_rows or not all(isinstance(site, int) for site in assignment):
        return cost, ["the assignment does not give every customer a site"]
    site = np.array(assignment, dtype=np.int64) - 1
    if np.any(site < -1) or np.any(site >= instance.n_sites):
        return cost, ["the assignment does not give every customer a site"]
    served = site >= 0
    if np.any(np.isinf(instance.unserved) & ~served):
        return cost, ["the assignment does not give every customer a site"]
    if not open_mask[site[served]].all():
        return cost, ["the assignment sends customers to sites that are not open"]
    given = instance.unserved.astype(np.float64)
    given[served] = _pair_costs(instance, np.flatnonzero(served), site[served])
    if np.any(given > best):
        return cost, ["the assignment sends customers farther than to their nearest open site"]
    return cost, []


def _split_cost(instance: Instance, open_mask: BoolArray, assignment: list[Any] | None) -> tuple[float, list[str]]:
    """Cost of an assignment within capacities, and the rules that it breaks."""
    if assignment is None:
        return math.nan, ["there is no assignment, without which capacities cannot be checked"]
    given = [[k + 1, site, 1.0] for k, site in enumerate(assignment)] if instance.single_source else assignment
    try:
        triples = np.array(given, dtype=np.float64).reshape(-1, 3)
    except (TypeError, ValueError):
        return math.nan, ["the assignment is not made of numbers"]
    if not np.isfinite(triples).all() or np.any(triples[:, :2] % 1 != 0):
        return math.nan, ["the assignment is not made of numbers"]
    row, site = triples[:, 0].astype(np.int64) - 1, triples[:, 1].astype(np.int64) - 1
    share = triples[:, 2]
    if np.any((row < 0) | (row >= instance.n_rows) | (site < 0) | (site >= instance.n_sites)):
        return math.nan, ["the assignment names a customer or a site that does not exist"]
    found = []
    if not open_mask[site].all():
        found.append("the assignment sends customers to sites that are not open")
    if np.any(share <= 0):
        found.append("the assignment has a share that is not above 0")
    served = np.bincount(row, weights=share, minlength=instance.n_rows)
    if np.any(np.abs(served - 1) > _SHARE_TOL):
        found.append(f"customer {int(np.argmax(np.abs(served - 1))) + 1} is not served exactly once")
    need = np.asarray(instance.weight[0] if instance.need is None else instance.need)
    load = np.bincount(site, weights=need[row] * share, minlength=instance.n_sites)
    limit = instance.capacity[:, 0, 0]
    full = np.flatnonzero(load > limit * (1 + _SHARE_TOL))
    if len(full):
        found.append(f"site {full[0] + 1} serves {load[full[0]]:g} with a capacity of {limit[full[0]]:g}")
    cost = _pair_costs(instance, row, site)
    if np.isinf(cost).any():
        return math.nan, [*found, "the assignment sends customers to a site that cannot serve them"]
    paid = share * instance.weight[0][row] * cost
    return math.fsum([*paid, *instance.price[open_mask]]), found


def _pair_costs(instance: Instance, row: IntArray, site: IntArray) -> FloatArray:
    """Cost per unit of weight of some pairs, ``inf`` where there is no such pair."""
    key = pair_rows(instance) * instance.n_sites + instance.site_idx
    order = np.argsort(key)
    wanted = row * instance.n_sites + site
    if not len(key):
        return np.full(len(wanted), np.inf)
    place = order[np.minimum(np.searchsorted(key, wanted, sorter=order), len(order) - 1)]
    return np.where(key[place] == wanted, np.asarray(instance.cost, dtype=np.float64)[place], np.inf)


def _request(result: dict[str, Any]) -> Request:
    return Request(
        problem=result["problem"],
        file_format=result["format"],
        p=result.get("p"),
        radius=result.get("radius"),
        budget=result.get("budget"),
        distance=result.get("distance") or "floor",
        capacity=result.get("capacity"),
        problem_number=result.get("problem_number"),
        second_share=result.get("second_share"),
        decay_to=result.get("decay_to"),
        decay_table=tuple((at, share) for at, share in table) if (table := result.get("decay_table")) else None,
        sites_file=result.get("sites_file"),
        cover_share=result.get("cover_share"),
    )


def _read_result(path: Path) -> dict[str, Any]:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError([Fault("there is no such file", file=str(path))]) from None
    except (OSError, ValueError) as error:
        raise InputError([Fault(f"not readable as JSON: {error}", file=path.name)]) from error
    if not isinstance(result, dict):
        raise InputError([Fault("it holds no result", file=path.name, remedy=_REMEDY)])
    wrong = [key for key, kind in _REQUIRED.items() if not isinstance(result.get(key), kind)]
    wrong += [key for key, kind in _OPTIONAL.items() if not isinstance(result.get(key), (kind, type(None)))]
    faults = [Fault("it is missing or of another kind", file=path.name, column=key, remedy=_REMEDY) for key in wrong]
    if not faults:
        for key, known in (("problem", Kind), ("format", Format), ("distance", Rounding)):
            if result.get(key) is not None and result[key] not in get_args(known):
                faults.append(Fault(f"{result[key]!r} is not known", file=path.name, column=key, remedy=_REMEDY))
        steps = result.get("decay_table") or []
        if not all(isinstance(s, list) and len(s) == 2 and all(isinstance(x, _NUMBER) for x in s) for s in steps):
            faults.append(Fault("it must hold [distance, share] pairs", file=path.name, column="decay_table"))
        if not all(isinstance(site, int) for site in result["open"]):
            faults.append(Fault("open must hold whole numbers", file=path.name, column="open", remedy=_REMEDY))
    if faults:
        raise InputError(faults)
    refuse_malformed(result, path.name)
    return dict(result)


def _certificate(result_file: Path, proof_file: Path) -> Certificate | CenterProof:
    """The certificate of a result, where the result says or beside it."""
    for path in (proof_file, result_file.parent / proof_file.name):
        if path.is_file():
            try:
                return load_proof(path)
            except (OSError, ValueError, KeyError) as error:
                raise InputError([Fault(f"not a certificate: {error}", file=str(path))]) from error
    remedy = "put it beside the result"
    raise InputError([Fault("the proof named in the result is not there", file=str(proof_file), remedy=remedy)])
