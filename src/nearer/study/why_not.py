"""Why there is no plan: the rules that conflict, in words, and by how much."""

from __future__ import annotations

import math
from collections.abc import Callable

from nearer.model import Instance, ServiceLimit, Solution, Status
from nearer.model.evaluate_rules import rules_of
from nearer.progress import Stop
from nearer.solvers.conflict import Conflicting, conflict, only_limit
from nearer.units import MS_PER_MIN

_SHOWN = 3  # pairs of sites that lie too near to each other; the rest is counted


def why_not(instance: Instance, solution: Solution, solve: Callable[[Instance], Solution], stop: Stop) -> str:
    """The rules that conflict, in words, and by how much."""
    if solution.status is Status.UNKNOWN:
        return "No plan that obeys the rules was found in the time allowed; allow more with --time-limit."
    found = conflict(instance, stop.within(60.0))
    if found:
        many = [one for one in found if one.wish]
        lines = [f"  {one.name}: {_asked(one)}" for one in found if one not in many[_SHOWN:]]
        if len(many) > _SHOWN:
            lines.append(f"  {len(many) - _SHOWN} more {many[0].wish}")
        title = "This rule cannot be kept:" if len(found) == 1 else "No plan keeps these rules together:"
        return "\n".join([title, *lines])
    limits = rules_of(instance).limits
    lines = []
    for limit in limits:
        best = solve(only_limit(instance, limit))
        if best.bound > limit.most * (1 + 1e-9):
            lines.append(f"  {limit.name}: {_short(limit, best)}")
    if lines:
        return "\n".join(["No choice of sites within the other rules can keep this promise:", *lines])
    if limits:
        named = [f"  {limit.name}" for limit in limits]
        return "\n".join(
            ["Each of these promises can be kept, but not together with the others and the rules:", *named]
        )
    return "There is no plan that obeys all the rules."


def _asked(one: Conflicting) -> str:
    ends = []
    if math.isfinite(one.lower) and one.lower == one.upper:
        ends = [f"exactly {one.lower:,g} asked"]
    else:
        ends += [f"at least {one.lower:,g} asked"] if math.isfinite(one.lower) else []
        ends += [f"at most {one.upper:,g} allowed"] if math.isfinite(one.upper) else []
    reach = "" if math.isnan(one.possible) else f"; with the others kept the nearest possible is {one.possible:,g}"
    return ", ".join(ends) + reach


def _short(limit: ServiceLimit, best: Solution) -> str:
    """By how much a promise fails, at the least."""
    people = max(float(limit.factor.sum()), 1e-9)
    if limit.beyond is None:
        return (
            f"{limit.most / people / MS_PER_MIN:.3g} minutes promised, and no plan goes below "
            f"{best.bound / people / MS_PER_MIN:.3g}"
        )
    return (
        f"{100 * (1 - limit.most / people):.3g} % promised, and no plan goes above "
        f"{100 * (1 - best.bound / people):.3g} %"
    )
