"""What fairness costs: the most that can be served when everybody keeps at least a part of the fair share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nearer.aid.allocation.case import Case
from nearer.aid.allocation.fair import Delivery
from nearer.aid.allocation.journeys import build_journeys
from nearer.aid.allocation.stages import NOTHING, SAME, goals_of, relax
from nearer.lp import LpStatus
from nearer.progress import Progress, Silent, Stop


@dataclass(frozen=True)
class FrontierPoint:
    """
    One point between fairness and the total.

    Parameters
    ----------
    kept
        The part of its fair share that every line keeps at least, 0 … 1.
    lowest
        The lowest fill rate of what can be served.
    served_kg, bound_kg
        Served, and what no allocation that keeps as much can exceed.
    """

    kept: float
    lowest: float
    served_kg: float
    bound_kg: float
    proven: bool


def fairness_frontier(
    case: Case, points: int = 5, stop: Stop | None = None, progress: Progress | None = None
) -> tuple[FrontierPoint, ...]:
    """
    Serve most while every item and centre keeps a part of its fair share, for parts from all of it to nothing.

    Packs may be split here, minima are not asked for, and a stop leaves points out.
    """
    stop, progress = stop or Stop(), progress or Silent()
    minima_aside = replace(case, requests=tuple(replace(r, minimum=0) for r in case.requests))
    journeys = build_journeys(minima_aside)
    relaxed = relax(minima_aside, journeys, stop, progress)
    if not relaxed.shares.proven or not journeys.n_goals:
        return ()
    goals, found = goals_of(journeys), []
    kg = np.array([item.kg for item in case.items])[journeys.goal_item][journeys.goal]
    delivery = Delivery(goals, stop)
    fair, can = relaxed.shares.fill * journeys.asked, relaxed.shares.bound > NOTHING
    with progress.step("fairness against the total", points) as tick:
        for kept in np.linspace(1.0, 0.0, points):
            # What rounding leaves of a share that is exactly reached is not asked for.
            delivery.at_least(kept * fair * (1 - 1e-10))
            status, value, bound = delivery.least(-kg)
            if status is not LpStatus.OPTIMAL:
                break
            fill = np.bincount(journeys.goal, weights=delivery.x, minlength=journeys.n_goals) / journeys.asked
            lowest = float(fill[can].min(initial=1.0))
            served, most = -value, max(-value, -bound)
            found.append(FrontierPoint(float(kept), lowest, served, most, most - served <= SAME * max(served, 1e-9)))
            tick(1, f"{kept:.2f}")
    return tuple(found)
