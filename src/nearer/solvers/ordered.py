"""
Several aims in order: each as good as can be while those before it keep what they reached, within tolerances.

"farthest" takes three turns: the fewest people out of reach, then the least worst time of those who are not, then, if
nothing else was asked after it, travel.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nearer.errors import InfeasibleError
from nearer.model import TracePoint
from nearer.model.aims import Aim, unreached
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.limited import Effort, Limit, least, least_possible, priced
from nearer.solvers.ordered_everyone import serve_everyone
from nearer.solvers.ordered_farthest import take_farthest
from nearer.solvers.ordered_run import NEAR, OrderedRun
from nearer.solvers.ordered_share import take_share
from nearer.solvers.turns import Answer, Question, Share


def solve_ordered(
    question: Question,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Take the turns one after the other, each within what those before it keep.

    Parameters
    ----------
    question
        Rows of times, what to make good, and the rules.
    gap, seed, threads, work_limit, stop, progress
        As in ``solve_pmedian``; the limits are shared out over the turns.

    Raises
    ------
    InfeasibleError
        No plan keeps the rules, with the reason and by how much.
    """
    stop = stop or Stop()
    effort = Effort(stop, gap, seed, threads, work_limit, progress or Silent())
    began_s = stop.elapsed_s
    run = OrderedRun(question, effort, question.times)
    serve_everyone(run)
    steps: list[tuple[Aim | Share | str, float, bool]] = []
    for turn, tolerance in zip(question.turns, question.tolerances, strict=True):
        if turn == "farthest":
            steps.append((unreached(question.people), 0.0, False))
        steps.append((turn, tolerance, True))
    for at, (turn, tolerance, asked) in enumerate(steps):
        part = effort.part(1.0 / (len(steps) - at))
        if isinstance(turn, Share):
            take_share(run, turn, tolerance, part)
        elif isinstance(turn, str):
            take_farthest(run, tolerance, part)
        else:
            take_aim(run, turn, tolerance, part, asked=asked)
        effort.take_back(part)
    return Answer(
        run.plans[-1],
        tuple(run.measured(turn) for turn in run.turns),
        run.trace,
        effort.spent,
        stop.elapsed_s - began_s,
    )


def take_aim(run: OrderedRun, aim: Aim, tolerance: float, part: Effort, *, asked: bool = True) -> None:
    """One aim, within the limits so far."""
    found = least(run.times, aim, run.limits, part, start=run.plans[-1:])
    if found.open_mask is None:
        raise InfeasibleError("No plan obeys the rules." if found.impossible else "No plan was found in time.")
    value, bound = aim.value_of(found.value), aim.bound_of(found.bound)
    run.note(found, aim.name, aim.unit, aim.maximise, value, bound, tolerance, asked=asked)
    run.trace = tuple(
        TracePoint(
            seconds,
            aim.value_of(total) if math.isfinite(total) else total,
            aim.bound_of(least_total) if math.isfinite(least_total) else least_total,
        )
        for seconds, total, least_total in found.trace
    )
    if aim.name == "unreached":
        run.limits.append(run.hardened(run.question.limit_ms, "unreached", found.value))
        return
    kept = value * (1 - tolerance) if aim.maximise else value * (1 + tolerance)
    most = max(aim.total_of(kept), found.value)
    hard = most <= least_possible(run.times, aim) * (1 + NEAR) and aim.name == "coverage" and aim.unserved == 1.0
    if hard:
        rows = replace(aim, weight=(aim.weight > 0).astype(np.float64))
        run.limits.append(Limit(aim.name, rows, least_possible(run.times, rows), hard=True))
    else:
        tight = found.optimal and tolerance == 0 and priced(run.times, aim, [], []).whole
        run.limits.append(Limit(aim.name, aim, most, unit=1.0 if tight else 0.0))
