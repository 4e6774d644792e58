"""What a run over several aims in order knows so far, and what each turn leaves to those after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nearer.model import Instance, TracePoint
from nearer.model.aims import Aim, coverage, times_to_open, unreached
from nearer.solvers.limited import Effort, Least, Limit, least_possible
from nearer.solvers.turns import Question, Share, Turn
from nearer.units import MS_PER_MIN, BoolArray, FloatArray

NEAR = 1e-12
"""Two sums of the same terms differ by no more, relative to them."""


def farther_than(question: Question, within_ms: int, name: str, *, each: bool = False) -> Aim:
    """People, or with ``each`` rows, farther than so long; everyone who lives there counts once."""
    counted = (question.people > 0).astype(np.float64) if each else question.people
    return replace(coverage(counted, within_ms, within_ms, name), size_of=abs, value_of=float, maximise=False)


@dataclass
class OrderedRun:
    """The state of a run over all turns."""

    question: Question
    effort: Effort
    times: Instance
    limits: list[Limit] = field(default_factory=list)
    plans: list[BoolArray] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    trace: tuple[TracePoint, ...] = ()

    def hardened(self, within_ms: int, name: str, most: float) -> Limit:
        """A limit on the people farther than a time; on rows, where only those are left whom no site can serve."""
        aim = farther_than(self.question, within_ms, name)
        if most <= least_possible(self.times, aim) * (1 + NEAR):
            rows = farther_than(self.question, within_ms, name, each=True)
            return Limit(name, rows, least_possible(self.times, rows), hard=True)
        return Limit(name, aim, most)

    def people_left(self, reach: Limit) -> float:
        """People out of reach that a limit leaves."""
        everyone = farther_than(self.question, self.question.limit_ms, "unreached")
        return least_possible(self.times, everyone) if reach.hard else reach.most

    def note(
        self, found: Least, name: str, unit: str, maximise: bool, value: float, bound: float, tolerance: float,
        *, asked: bool = True, limits: Sequence[Limit] | None = None,
    ) -> None:  # fmt: skip
        """Keep what a turn reached, and its plan."""
        assert found.open_mask is not None
        self.plans.append(found.open_mask)
        bound = max(bound, value) if maximise else min(bound, value)
        self.turns.append(
            Turn(
                name, unit, maximise, value, bound, tolerance, found.optimal, found.reached, found.proof,
                found.certificate, named(self.limits if limits is None else limits, found.prices), asked,
            )
        )  # fmt: skip

    def measured(self, turn: Turn) -> Turn:
        """A turn with its values before and after."""
        before, final = (self._value_of(turn.name, mask) for mask in (self.question.before, self.plans[-1]))
        return replace(turn, before=before, final=final)

    def _value_of(self, name: str, open_mask: BoolArray) -> float:
        times, people = self.question.times, self.question.people
        opened = open_mask & ~self.question.before
        for asked in (unreached(people), *self.question.turns):
            if isinstance(asked, Share) and name == "cost":
                return float(np.count_nonzero(opened)) if asked.price is None else math.fsum(asked.price[opened])
            if isinstance(asked, Aim) and asked.name == name:
                return asked.value_of(asked.total(times_to_open(times, open_mask)))
        return longest(times, people, open_mask) / MS_PER_MIN


def named(limits: Sequence[Limit], prices: Sequence[float]) -> tuple[tuple[str, float], ...]:
    """Price of each limit by name; those of a limit that has been replaced since stand last and are left out."""
    return tuple((limit.name, price) for limit, price in zip(limits, prices, strict=False))


def longest(times: Instance, people: FloatArray, open_mask: BoolArray) -> float:
    """Longest time in milliseconds of anybody within reach; 0 where nobody is."""
    found = times_to_open(times, open_mask)[people > 0]
    return float(found[np.isfinite(found)].max(initial=0.0))
