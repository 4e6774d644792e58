"""
The least worst time of those within reach, given how many people are out of it.

A worst time of at most T is a limit on the people farther than T, which no plan can lower further when nobody is
needlessly out of reach; so each threshold is a maximal covering problem, and a proof that fewer cannot be left out is
a proof that the worst time is above T.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nearer.model import FORBIDDEN, OPEN, Certificate, Instance
from nearer.model.aims import times_to_open
from nearer.solvers.limited import Effort, Least, Limit, least
from nearer.solvers.ordered_run import NEAR, OrderedRun, farther_than, longest
from nearer.solvers.pcenter import solve_pcenter
from nearer.units import MS_PER_MIN, BoolArray, FloatArray


def take_farthest(run: OrderedRun, tolerance: float, part: Effort) -> None:
    """The least worst time of those within reach, given how many people are out of it."""
    reach = next(limit for limit in reversed(run.limits) if limit.name == "unreached")
    plan = run.plans[-1]
    if reach.hard and all(limit.hard for limit in run.limits):
        found = _center(run, plan, part)
    else:
        found = _by_thresholds(run, plan, reach, part)
    assert found.open_mask is not None
    found.reached = found.optimal or found.value - found.bound <= run.effort.gap * found.value
    run.note(found, "farthest", "minutes", False, found.value / MS_PER_MIN, found.bound / MS_PER_MIN, tolerance)
    within_ms = math.floor(found.value * (1 + tolerance))
    run.limits.remove(reach)
    most = run.people_left(reach)
    run.limits.append(run.hardened(within_ms, "farthest", most))


def _center(run: OrderedRun, plan: BoolArray, part: Effort) -> Least:
    """As a p-center: everyone who can be reached is."""
    instance = centre_instance(run.times, run.question.people, run.limits)
    start = np.flatnonzero(plan & run.times.free_mask)
    solution = solve_pcenter(
        instance, gap=part.gap, seed=part.seed, work_limit=part.left, stop=part.stop, progress=part.progress,
        start=start,
    )  # fmt: skip
    part.spent += solution.work
    open_mask = solution.open_mask if math.isfinite(solution.objective) else plan
    worst = longest(run.times, run.question.people, open_mask)
    if worst > longest(run.times, run.question.people, plan):
        open_mask, worst = plan, longest(run.times, run.question.people, plan)
    bound = min(max(solution.bound, 0.0), worst)
    certificate = solution.certificate if isinstance(solution.certificate, Certificate) else None
    return Least(open_mask, worst, bound, worst - bound < 1.0, certificate=certificate)


def _by_thresholds(run: OrderedRun, plan: BoolArray, reach: Limit, part: Effort) -> Least:
    """Halve between times that are proven too short and that were found to do."""
    most = run.people_left(reach)
    counts = run.question.people > 0
    before = times_to_open(run.times, np.asarray(run.times.standing == OPEN))[counts]
    pair = np.asarray(run.times.cost)[counts[np.repeat(np.arange(run.times.n_rows), np.diff(run.times.indptr))]]
    known = np.unique(np.concatenate([pair, before[np.isfinite(before)].astype(np.int64), [0]]))
    best = Least(plan, longest(run.times, run.question.people, plan), 0.0)
    best.certificate = None
    others = [limit for limit in run.limits if limit is not reach]
    low, high = -1, int(np.searchsorted(known, best.value))
    while high - low > 1 and not part.over:
        middle = (low + high) // 2
        # whole milliseconds: nothing lies between this time and the next but its own proof
        asked_ms = int(known[middle + 1]) - 1
        aim = farther_than(run.question, asked_ms, "farthest")
        piece = part.part(0.34)
        found = least(run.times, aim, others, piece, start=[best.open_mask], goal=most * (1 + NEAR))  # type: ignore[list-item]
        part.take_back(piece)
        if found.open_mask is not None and found.value <= most * (1 + NEAR):
            best.open_mask = found.open_mask
            best.value = longest(run.times, run.question.people, found.open_mask)
            high = int(np.searchsorted(known, best.value))
        elif found.bound > most * (1 + NEAR):
            low = middle
            best.bound, best.proof = float(known[middle + 1]), found.proof
            best.certificate, best.prices = found.certificate, found.prices
        else:
            break
    if high == 0:
        best.bound = best.value
    best.bound = min(best.bound, best.value)
    best.optimal = best.value - best.bound < 1.0
    return best


def centre_instance(times: Instance, people: FloatArray, limits: Sequence[Limit]) -> Instance:
    """The p-center of the rows that some site can serve; a row that must be near has only the sites that are."""
    rows = np.repeat(np.arange(times.n_rows), np.diff(times.indptr))
    usable = times.standing[times.site_idx] != FORBIDDEN
    keep = usable.copy()
    for limit in limits:
        if limit.aim is None or not limit.hard:
            continue
        cost = np.asarray(limit.aim.cost_of(times.cost))
        can = np.zeros(times.n_rows, dtype=bool)
        can[rows[usable & (cost == 0)]] = True
        keep &= ~can[rows] | (cost == 0)
    reached = np.bincount(rows[keep], minlength=times.n_rows) > 0
    return Instance(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(rows[keep], minlength=times.n_rows))]).astype(np.int64),
        site_idx=times.site_idx[keep],
        cost=times.cost[keep],
        unserved=np.where(reached & (people > 0), np.inf, 0.0),
        weight=np.where(reached & (people > 0), 1.0, 0.0).reshape(1, -1),
        standing=times.standing,
        open_min=times.open_min,
        open_max=times.open_max,
        capacity=times.capacity,
        row_point=times.row_point,
        row_group=times.row_group,
        objective="max",
    )
