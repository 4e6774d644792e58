"""The rule that everyone whom some site could serve within a time is: a plan that keeps it, or why there is none."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nearer.errors import InfeasibleError
from nearer.model import FORBIDDEN, FREE
from nearer.model.aims import times_to_open
from nearer.solvers.limited import Least, Limit, least, least_possible
from nearer.solvers.ordered_run import OrderedRun, farther_than
from nearer.units import MS_PER_MIN


def serve_everyone(run: OrderedRun) -> None:
    """
    Take up the rule, with a plan that keeps it; nothing where there is no such rule.

    Raises
    ------
    InfeasibleError
        No plan keeps it, with the reason and by how much.
    """
    within_ms = run.question.everyone_ms
    if within_ms is None:
        return
    aim = farther_than(run.question, within_ms, "everyone_within", each=True)
    unavoidable = least_possible(run.times, aim)
    found = least(run.times, aim, [], run.effort, goal=unavoidable)
    if found.open_mask is None or found.value > unavoidable:
        most = int(run.times.open_max[0])
        raise InfeasibleError(_why_not_everyone(run, within_ms, found, unavoidable, most))
    run.limits.append(Limit("everyone_within", aim, unavoidable, hard=True))
    run.plans.append(found.open_mask)


def _why_not_everyone(run: OrderedRun, within_ms: int, found: Least, unavoidable: float, most: int) -> str:
    minutes = f"{within_ms / MS_PER_MIN:g}"
    if found.bound <= unavoidable:
        return (
            f"No plan was found in time that brings everyone within {minutes} minutes with {most} new sites, nor a "
            "proof that there is none: give more time, or ask for more sites."
        )
    left = ""
    if found.open_mask is not None:
        now = times_to_open(run.times, found.open_mask)
        possible = times_to_open(run.times, np.asarray(run.times.standing != FORBIDDEN))
        people = math.fsum(run.question.people[(now > within_ms) & (possible <= within_ms)])
        left = f" (the best that was found leaves {people:,.0f} people farther)"
    needed = _sites_needed(run, within_ms)
    by = f"at least {needed} are needed: open {needed - most} more, or allow more minutes" if needed > most else (
        "allow more minutes, or more sites"
    )  # fmt: skip
    if most == 1:
        return f"1 new site cannot bring everyone within {minutes} minutes{left}; {by}."
    return f"{most} new sites cannot bring everyone within {minutes} minutes{left}; {by}."


def _sites_needed(run: OrderedRun, within_ms: int) -> int:
    """Sites that it takes at least to serve within a time everyone whom some site can serve so."""
    times = replace(run.times, open_min=np.array([0]), open_max=np.array([int(run.times.free_mask.sum())]))
    aim = farther_than(run.question, within_ms, "everyone_within", each=True)
    limit = Limit("everyone_within", aim, least_possible(times, aim), hard=True)
    usable = np.asarray(times.standing != FORBIDDEN)
    found = least(times, None, [limit], run.effort, start=[usable], site_price=(times.standing == FREE) * 1.0)
    return math.ceil(found.bound - 1e-6)
