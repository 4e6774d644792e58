"""``why`` and ``alternatives`` of a result, computed again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from nearer.errors import Fault, InputError
from nearer.model import FREE, Certificate
from nearer.model.check import agrees
from nearer.model.evaluate import cheapest_open, decided_bounds
from nearer.study.problems import Problem
from nearer.units import BoolArray

_NUMBER = (int, float)
_REMEDY = "give a file that `nearer solve --json` wrote"


def check_choices(problem: Problem, result: dict[str, Any], certificate: Certificate | None) -> Iterator[str]:
    """A clause for each thing that is said of other plans and other sites and is not so."""
    opened = _mask(problem, result["open"])
    if result.get("why") is not None:
        yield from _check_why(problem, result, opened, certificate)
    if result.get("alternatives") is not None:
        yield from _check_alternatives(problem, result, opened)


def refuse_malformed(result: dict[str, Any], file: str) -> None:
    """
    Make sure that both fields have the shape that ``nearer solve`` gives them.

    Raises
    ------
    InputError
        One does not.
    """
    why, others = result.get("why"), result.get("alternatives")
    if why is not None and not (isinstance(why, list) and all(_is_reason(one) for one in why)):
        raise InputError([Fault("it does not hold reasons", file=file, column="why", remedy=_REMEDY)])
    if others is not None and not _is_alternatives(others):
        raise InputError([Fault("it does not hold other plans", file=file, column="alternatives", remedy=_REMEDY)])


def _is_reason(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("site"), int)
        and isinstance(one.get("open"), bool)
        and isinstance(one.get("searched"), bool)
        and all(isinstance(one.get(key, 0), (*_NUMBER, type(None))) for key in ("at_least", "at_most"))
        and all(_are_sites(one.get(key)) for key in ("opens", "closes"))
    )


def _is_alternatives(others: Any) -> bool:
    return (
        isinstance(others, dict)
        and isinstance(others.get("differ"), int)
        and isinstance(others.get("within"), _NUMBER)
        and isinstance(others.get("plans"), list)
        and all(
            isinstance(one, dict)
            and _are_sites(one.get("open"))
            and all(isinstance(one.get(key), _NUMBER) for key in ("objective", "bound"))
            for one in others["plans"]
        )
    )


def _are_sites(sites: Any) -> bool:
    return isinstance(sites, list) and all(isinstance(site, int) and site >= 1 for site in sites)


def _mask(problem: Problem, sites: list[int]) -> BoolArray:
    mask = np.zeros(problem.instance.n_sites, dtype=bool)
    mask[[site - 1 for site in sites if site <= len(mask)]] = True
    return mask


def _cost(problem: Problem, opened: BoolArray) -> float:
    """What the instance pays, ``inf`` where somebody who must be is not served."""
    instance = problem.instance
    if problem.covered_of is None:
        instance = replace(instance, unserved=np.full(instance.n_rows, np.inf))
    weight, best = np.asarray(instance.weight[0]), cheapest_open(instance, opened)
    if np.isinf(best).any():
        return math.inf
    return math.fsum([*(weight * best), *instance.price[opened]])


def _allowed(problem: Problem, opened: BoolArray) -> bool:
    low, high = int(problem.instance.open_min[0]), int(problem.instance.open_max[0])
    return low <= int(opened.sum()) <= high


def _check_why(
    problem: Problem, result: dict[str, Any], opened: BoolArray, certificate: Certificate | None
) -> Iterator[str]:
    instance = problem.instance
    value = problem.value(result["objective"])
    bound = -math.inf if result.get("bound") is None else problem.value(result["bound"])
    free = (np.flatnonzero(instance.standing == FREE) + 1).tolist()
    if [one["site"] for one in result["why"]] != free:
        yield "why does not tell of every site once"
        return
    proven = _proven(problem, certificate)
    for one in result["why"]:
        site, least, most = one["site"], one["at_least"], one["at_most"]
        if one["open"] == bool(opened[site - 1]):
            yield f"why forces site {site} to what it is"
            return
        slack = 1e-9 * max(abs(value), 1.0)
        if most is not None:
            plan = (opened | _mask(problem, one["opens"])) & ~_mask(problem, one["closes"])
            if bool(plan[site - 1]) != one["open"] or not _allowed(problem, plan):
                yield f"the plan for site {site} does not decide it otherwise"
                return
            rise = _cost(problem, plan) - value
            if not agrees(rise, most) and abs(rise - most) > slack:
                yield f"deciding site {site} otherwise costs at most {rise:.17g}, not {most:.17g}"
                return
            if least is None or least > most + slack:
                yield f"the least cost of site {site} lies above the most"
                return
        if least is not None and not one["searched"] and least != most and proven is not None:
            known = max(float(proven[int(one["open"])][site - 1]), bound) - value
            if least > known + slack:
                yield f"deciding site {site} otherwise is proven to cost {known:.17g}, not {least:.17g}"
                return


def _proven(problem: Problem, certificate: Certificate | None) -> Any:
    """Bounds with each site closed and open by the certificate's last multipliers, which no leaf uses."""
    if certificate is None or certificate.multipliers.shape[1:] != (problem.instance.n_rows,):
        return None
    return decided_bounds(problem.instance, certificate.multipliers[-1])


def _check_alternatives(problem: Problem, result: dict[str, Any], opened: BoolArray) -> Iterator[str]:
    told, earlier = result["alternatives"], [opened]
    value = result["objective"]
    for number, one in enumerate(told["plans"], start=1):
        plan = _mask(problem, one["open"])
        if int(plan.sum()) != len(one["open"]) or not _allowed(problem, plan):
            yield f"alternative {number} does not open as many sites as were asked for"
            return
        fewest = min(int(np.sum(plan & ~before)) for before in earlier)
        if fewest < told["differ"]:
            yield f"alternative {number} opens {fewest} sites that an earlier plan does not, not {told['differ']}"
        found = problem.value(_cost(problem, plan))
        if not agrees(found, one["objective"]):
            yield f"alternative {number} is worth {found:.17g}, not {one['objective']:.17g}"
        if abs(found - value) > told["within"] * abs(value) and not agrees(abs(found - value), told["within"] * value):
            yield f"alternative {number} is farther from the value than {told['within']:g}"
        if problem.value(one["bound"]) > problem.value(one["objective"]) and not agrees(one["bound"], one["objective"]):
            yield f"the bound of alternative {number} lies on the wrong side of its value"
        earlier.append(plan)
