"""So many people within a time, with the fewest new sites or at the least cost."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nearer.errors import InfeasibleError
from nearer.model import FORBIDDEN, OPEN
from nearer.model.aims import times_to_open
from nearer.solvers.limited import Effort, Least, Limit, least
from nearer.solvers.ordered_run import NEAR, OrderedRun, farther_than, named
from nearer.solvers.turns import Share, Turn
from nearer.units import MS_PER_MIN


def take_share(run: OrderedRun, turn: Share, tolerance: float, part: Effort) -> None:
    """The fewest new sites, or the least cost, that puts a share of people within a time."""
    times, people = run.times, run.question.people
    aim = farther_than(run.question, turn.within_ms, "within_share")
    everyone = math.fsum(people)
    most = everyone - turn.share * everyone * (1 - 1e-12)
    usable = np.asarray(times.standing != FORBIDDEN)
    limit = Limit("within_share", aim, most)
    widest = replace(times, open_min=np.array([0]), open_max=np.array([times.free_mask.sum()]))
    if not limit.kept(widest, usable):
        best = 1 - aim.total(times_to_open(widest, usable)) / everyone
        raise InfeasibleError(
            f"Even with every candidate open only {100 * best:.4g} % of people are within "
            f"{turn.within_ms / MS_PER_MIN:g} minutes, and {100 * turn.share:g} % were asked: ask for at most "
            f"{math.floor(1e4 * best) / 1e4:g}, allow more minutes, or add candidates."
        )
    if turn.price is not None:
        _cheapest(run, turn, limit, tolerance, part)
    else:
        _fewest(run, limit, tolerance, part)
    run.limits.append(limit)


def _cheapest(run: OrderedRun, turn: Share, limit: Limit, tolerance: float, part: Effort) -> None:
    assert turn.price is not None
    price = np.where(run.question.before, 0.0, turn.price)  # forced sites cost what they cost
    usable = np.asarray(run.times.standing != FORBIDDEN)
    found = least(run.times, None, [*run.limits, limit], part, start=[*run.plans[-1:], usable], site_price=price)
    if found.open_mask is None or int((found.open_mask & run.times.free_mask).sum()) > run.times.open_max[0]:
        raise InfeasibleError(
            f"{int(run.times.open_max[0])} new sites cannot put so many people within "
            f"{turn.within_ms / MS_PER_MIN:g} minutes: allow more sites."
        )
    run.note(found, "cost", "cost", False, found.value, found.bound, tolerance, limits=[*run.limits, limit])
    run.limits.append(Limit("cost", None, found.value * (1 + tolerance), price=price))


def _fewest(run: OrderedRun, limit: Limit, tolerance: float, part: Effort) -> None:
    """Halve between numbers of sites that are proven too few and that were found to do."""
    times, most_allowed = run.times, int(run.times.open_max[0])
    usable = np.asarray(times.standing != FORBIDDEN)
    low, high, plan = -1, int(times.free_mask.sum()), usable
    proof: Least | None = None
    while high - low > 1 and not part.over:
        middle = (low + high) // 2 if low >= 0 else min((low + high) // 2, max(2 * low + 4, 8))
        middle = max(middle, low + 1)
        asked = replace(times, open_min=np.array([0]), open_max=np.array([middle]))
        piece = part.part(0.5)
        found = least(asked, limit.aim, run.limits, piece, start=run.plans[-1:], goal=limit.most)
        part.take_back(piece)
        if found.open_mask is not None and limit.kept(asked, found.open_mask):
            plan = found.open_mask
            high = int((plan & times.free_mask).sum())
        elif found.bound > limit.most * (1 + NEAR) or found.impossible:
            low, proof = middle, found
        else:
            break
    if high > most_allowed:
        needed = f"at least {low + 1} are needed" if low >= most_allowed else f"{high} would do"
        raise InfeasibleError(
            f"{most_allowed} new sites do not put so many people within reach: {needed}; raise open_max, or ask "
            "for a smaller share."
        )
    run.plans.append(plan)
    n_forced = int(np.count_nonzero((times.standing == OPEN) & ~run.question.before))
    found = proof or Least(plan, optimal=high == 0)
    run.turns.append(
        Turn(
            name="cost", unit="sites", maximise=False, found=float(high + n_forced),
            bound=float(low + 1 + n_forced), tolerance=tolerance,
            optimal=high == low + 1, reached=high - low - 1 <= run.effort.gap * high, proof=found.proof,
            certificate=found.certificate,
            prices=named(run.limits, found.prices),
        )
    )  # fmt: skip
    run.times = replace(
        times, open_min=np.array([0]), open_max=np.array([min(math.floor(high * (1 + tolerance)), most_allowed)])
    )
