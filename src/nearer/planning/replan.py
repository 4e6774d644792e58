"""What to open, bring back or move first when centres are out, each with what it saves and how good it can be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nearer.model import (
    FORBIDDEN,
    FREE,
    OPEN,
    Certificate,
    Instance,
    RulesCertificate,
    Status,
    relative_gap,
)
from nearer.model.build import build_instance
from nearer.planning.access import sum_by
from nearer.planning.gains import without_each
from nearer.planning.stress import Situation, newly_cut_off
from nearer.planning.stress_document import Move, Replan, Step
from nearer.progress import Progress, Stop
from nearer.solvers import solve
from nearer.solvers.apart import Elsewhere
from nearer.solvers.budget import Budget
from nearer.solvers.core import make_core
from nearer.solvers.search import greedy_start
from nearer.units import MS_PER_MIN, NO_SITE, BoolArray, IntArray, StrArray


@dataclass(frozen=True)
class Replanned:
    """A re-plan as it is written down, its sites in order, and the proof of its bound."""

    written: Replan
    order: IntArray
    certificate: Certificate | RulesCertificate | None


def replan_instance(situation: Situation, pool_mask: BoolArray, number: int, unreached_ms: int) -> Instance:
    """The problem of opening exactly ``number`` sites of a pool beside those in service."""
    standing = np.where(situation.open_mask, OPEN, np.where(pool_mask, FREE, FORBIDDEN)).astype(np.int8)
    return build_instance(situation.demand, situation.class_times, standing, number, number, unreached_ms)


def replan(
    situation: Situation,
    pool_mask: BoolArray,
    number: int,
    unreached_ms: int,
    ids: StrArray,
    names: StrArray,
    *,
    gap: float,
    seed: int,
    threads: int,
    stop: Stop,
    progress: Progress,
    elsewhere: Elsewhere | None = None,
) -> Replanned | None:
    """
    Which sites of a pool to open first: the best next one each time, and the best set of that number.

    Parameters
    ----------
    situation
        Who lives where, and what is in service.
    pool_mask
        Sites that may open, none of them in service, bool (n_sites,).
    number
        How many are asked for; fewer where the pool is smaller.
    unreached_ms
        What a person out of reach counts as.
    ids, names
        Of all sites.
    gap, seed, threads, stop, progress
        As for ``solve``.
    elsewhere
        Whose worker solves it; None solves it here.

    Returns
    -------
    Replanned
        None where the pool is empty or nothing was asked for.
    """
    number = min(number, int(pool_mask.sum()))
    if number <= 0:
        return None
    instance = replan_instance(situation, pool_mask, number, unreached_ms)
    core = make_core(instance)
    order = core.site[greedy_start(core, Budget(stop))]
    solver = solve if elsewhere is None else elsewhere.solve
    solution = solver(instance, gap=gap, seed=seed, threads=threads, stop=stop, progress=progress, start=order)
    steps, order_value = _steps(situation, order, unreached_ms, ids, names)
    value = solution.objective / MS_PER_MIN
    bound = max(solution.bound, 0.0) / MS_PER_MIN
    chosen = np.flatnonzero(solution.open_mask & pool_mask)
    return Replanned(
        Replan(
            number=number,
            pool=int(pool_mask.sum()),
            steps=steps,
            order_value=order_value,
            best=[str(ids[site]) for site in chosen],
            best_names=[str(names[site]) for site in chosen],
            value=value,
            bound=bound,
            gap=relative_gap(value, bound),
            status="optimal"
            if solution.status is Status.OPTIMAL
            else "gap"
            if solution.status is Status.GAP
            else "feasible",
        ),
        order,
        solution.certificate,
    )


def _steps(
    situation: Situation, order: IntArray, unreached_ms: int, ids: StrArray, names: StrArray
) -> tuple[list[Step], float]:
    """What each site of an order saves after those before it, and the objective with all of them."""
    weight, people = situation.demand.class_weight, situation.demand.class_people
    now = situation.access()
    left = now.counted_ms(unreached_ms)
    cut = now.site_idx == NO_SITE
    steps = []
    for site in order.tolist():
        gain, back = 0.0, 0.0
        for c, times in enumerate(situation.class_times):
            pairs = np.flatnonzero(times.site_idx == site)
            point = np.searchsorted(times.indptr, pairs, side="right") - 1
            time_ms = times.time_ms[pairs].astype(np.float64)
            gain += float((weight[c, point] * np.maximum(left[c, point] - time_ms, 0.0)).sum())
            back += float(people[c, point[cut[c, point]]].sum())
            left[c, point] = np.minimum(left[c, point], time_ms)
            cut[c, point] = False
        steps.append(
            Step(id=str(ids[site]), name=str(names[site]), gain_person_min=gain / MS_PER_MIN, people_back=back)
        )
    return steps, float((weight * left).sum()) / MS_PER_MIN


def moves(
    situation: Situation, ours_mask: BoolArray, pool_mask: BoolArray, number: int, unreached_ms: int, ids: StrArray
) -> list[Move]:
    """
    Centres in service moved to a place of the pool where they help more: the best single move, up to ``number`` times.

    Parameters
    ----------
    ours_mask
        Which of the sites in service may move, bool (n_sites,).
    """
    open_mask, found = situation.open_mask.copy(), []
    movable = ours_mask & open_mask
    standing = np.where(open_mask & ~movable, OPEN, np.where(movable | pool_mask, FREE, FORBIDDEN)).astype(np.int8)
    whole = build_instance(situation.demand, situation.class_times, standing, 0, len(standing), unreached_ms)
    for _ in range(number):
        _, replacement, left = without_each(replace(whole, standing=standing.copy()), open_mask)
        may = np.flatnonzero(movable & (replacement != NO_SITE))
        if not len(may):
            break
        start = int(may[np.lexsort((may, left[may]))[0]])
        end, saved = int(replacement[start]), -float(left[start])
        if saved <= 0.0:
            break
        found.append(Move(from_=str(ids[start]), to=str(ids[end]), gain_person_min=saved / MS_PER_MIN))
        open_mask[start], open_mask[end] = False, True
        movable[start], standing[start] = False, FORBIDDEN  # nobody moves to where somebody left
    return found


def loss_of_each(
    situation: Situation, ours_mask: BoolArray, unreached_ms: int
) -> tuple[IntArray, list[float], list[float]]:
    """
    What losing each of our centres alone would cost, dearest first.

    Returns
    -------
    site, loss, cut_off
        Position, weighted person-minutes, and people it alone reaches.
    """
    now, n = situation.access(), len(situation.open_mask)
    reached = now.site_idx != NO_SITE
    following = replace(now, time_ms=now.next_ms)
    more = (situation.demand.class_weight * (following.counted_ms(unreached_ms) - now.counted_ms(unreached_ms)))[
        reached
    ]
    loss = sum_by(now.site_idx[reached], more, n)
    cut = sum_by(now.site_idx[reached], np.where(newly_cut_off(now, following), now.people, 0.0)[reached], n)
    sites = np.flatnonzero(ours_mask & situation.open_mask)
    sites = sites[np.lexsort((sites, -loss[sites]))]
    return sites, (loss[sites] / MS_PER_MIN).tolist(), cut[sites].tolist()
