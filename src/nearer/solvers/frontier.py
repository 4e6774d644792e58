"""
What two aims cost each other: one held to a level, the other made as good as that allows, level by level.

The ε-constraint method (Haimes, Lasdon, Wismer 1971) between the two plans that are best for one aim first and then
for the other. Each point is bounded: no plan that keeps the level does better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from nearer.model import Certificate
from nearer.model.aims import Aim, times_to_open, unreached
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.limited import Effort, Limit, least
from nearer.solvers.ordered import take_aim
from nearer.solvers.ordered_everyone import serve_everyone
from nearer.solvers.ordered_farthest import take_farthest
from nearer.solvers.ordered_run import OrderedRun, named
from nearer.solvers.turns import Question
from nearer.units import MS_PER_MIN, BoolArray


@dataclass(frozen=True)
class FrontierPoint:
    """
    One plan of a frontier, values in the aims' units.

    Parameters
    ----------
    open_mask
        bool (n_sites,).
    level, held
        What the held aim may come to, and what it does.
    value, bound
        Of the other aim; the bound is over all plans that keep the level.
    optimal, reached, proof
        Whether the two meet, whether they are as near as was asked, and who vouches.
    certificate, prices
        The proof, None where it is the solver's own word, and the price of each limit that it is made for.
    """

    open_mask: BoolArray
    level: float
    held: float
    value: float
    bound: float
    optimal: bool
    reached: bool
    proof: str
    certificate: Certificate | None = None
    prices: tuple[tuple[str, float], ...] = ()


class FrontierRun:
    """One frontier; see ``frontier``."""

    def __init__(self, question: Question, held: Aim | str, free: Aim, effort: Effort) -> None:
        self.question, self.held, self.free, self.effort = question, held, free, effort
        self.base = OrderedRun(question, effort, question.times)
        self.plans: list[BoolArray] = []

    def value(self, aim: Aim | str, open_mask: BoolArray) -> float:
        """Value of an aim with some sites open."""
        found = times_to_open(self.question.times, open_mask)
        if isinstance(aim, Aim):
            return aim.value_of(aim.total(found))
        reached = found[(self.question.people > 0) & np.isfinite(found)]
        return float(reached.max(initial=0.0)) / MS_PER_MIN

    def branch(self) -> OrderedRun:
        """A run that starts with what every point keeps."""
        return replace(
            self.base, limits=list(self.base.limits), plans=[*self.base.plans, *self.plans], turns=[], trace=()
        )

    def turn(self, run: OrderedRun, aim: Aim | str, share: float) -> None:
        """One more aim of a branch."""
        part = self.effort.part(share)
        if isinstance(aim, Aim):
            take_aim(run, aim, 0.0, part)
        else:
            take_farthest(run, 0.0, part)
        self.effort.take_back(part)

    def ends(self, share: float) -> tuple[FrontierPoint, FrontierPoint]:
        """The plans that are best for the held aim first, and for the other first."""
        serve_everyone(self.base)
        if isinstance(self.held, str):
            part = self.effort.part(share)
            take_aim(self.base, unreached(self.question.people), 0.0, part, asked=False)
            self.effort.take_back(part)
        strict = self.branch()
        self.turn(strict, self.held, share)
        self.turn(strict, self.free, share)
        loose = self.branch()
        self.turn(loose, self.free, share)
        self.turn(loose, self.held, share)
        self.plans += [strict.plans[-1], loose.plans[-1]]
        first, last = strict.turns[-1], loose.turns[-2]
        return (
            FrontierPoint(
                strict.plans[-1], strict.turns[-2].found, self.value(self.held, strict.plans[-1]), first.found,
                first.bound, first.optimal, first.reached, first.proof, first.certificate, first.prices,
            ),
            FrontierPoint(
                loose.plans[-1], self.value(self.held, loose.plans[-1]), self.value(self.held, loose.plans[-1]),
                self.value(self.free, loose.plans[-1]), last.bound, last.optimal, last.reached, last.proof,
                last.certificate, last.prices,
            ),
        )  # fmt: skip

    def at(self, level: float, share: float) -> FrontierPoint | None:
        """The best plan that keeps a level of the held aim; None where none was found."""
        run = self.branch()
        if isinstance(self.held, Aim):
            run.limits.append(Limit(self.held.name, self.held, self.held.total_of(level)))
        else:
            reach = next(limit for limit in run.limits if limit.name == "unreached")
            run.limits.remove(reach)
            run.limits.append(run.hardened(math.floor(level * MS_PER_MIN), "farthest", run.people_left(reach)))
        part = self.effort.part(share)
        found = least(run.times, self.free, run.limits, part, start=self.plans)
        self.effort.take_back(part)
        if found.open_mask is None:
            return None
        self.plans.append(found.open_mask)
        value, bound = self.free.value_of(found.value), self.free.bound_of(found.bound)
        bound = max(bound, value) if self.free.maximise else min(bound, value)
        held = self.value(self.held, found.open_mask)
        prices = named(run.limits, found.prices)
        return FrontierPoint(
            found.open_mask, level, held, value, bound, found.optimal, found.reached, found.proof, found.certificate,
            prices,
        )  # fmt: skip

    def points(self, n_points: int) -> Iterator[FrontierPoint]:
        """The ends, and levels evenly between them."""
        strict, loose = self.ends(1.0 / (n_points + 3))
        yield strict
        for k in range(1, n_points - 1):
            level = strict.held + (loose.held - strict.held) * k / (n_points - 1)
            if strict.held != loose.held and (point := self.at(level, 1.0 / (n_points - k + 1))) is not None:
                yield point
        yield loose


def frontier(
    question: Question,
    *,
    points: int = 8,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> tuple[str, list[FrontierPoint]]:
    """
    Trade two aims against each other.

    Parameters
    ----------
    question
        Two turns; "farthest" is the one that is held to levels where it occurs, else the first.
    points
        Points wanted, both ends included, 2 or more; those that coincide are given once.

    Returns
    -------
    held
        Name of the aim that is held.
    list of FrontierPoint
        From the best level of the held aim to the best value of the other; none is worse than another in both.
    """
    first, second = question.turns
    held, free = (second, first) if isinstance(second, str) else (first, second)
    assert isinstance(free, Aim)
    assert isinstance(held, Aim | str)
    effort = Effort(stop or Stop(), gap, seed, threads, work_limit, progress or Silent())
    run = FrontierRun(question, held, free, effort)
    kept: list[FrontierPoint] = []
    sign = -1.0 if free.maximise else 1.0
    up = -1.0 if isinstance(held, Aim) and held.maximise else 1.0
    for point in run.points(points):
        # a later point has a looser level: it is worth having only if it is better in the other aim
        if kept and sign * point.value >= sign * kept[-1].value - 1e-12 * abs(kept[-1].value):
            continue
        while kept and up * kept[-1].held >= up * point.held:
            kept.pop()
        kept.append(point)
    return (held if isinstance(held, str) else held.name), kept
