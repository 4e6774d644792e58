"""What is asked of a plan in several turns, and what each of them reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nearer.model import OPEN, Certificate, Instance, Solution, Status, TracePoint
from nearer.model.aims import Aim
from nearer.units import BoolArray, FloatArray


@dataclass(frozen=True)
class Share:
    """
    So many people within a time, with the fewest new sites or at the least cost.

    Parameters
    ----------
    within_ms, share
        The time, and the part of all people, 0 … 1.
    price
        Cost of opening each site, float64 (n_sites,); None = their number counts.
    """

    within_ms: int
    share: float
    price: FloatArray | None = None


@dataclass(frozen=True)
class Question:
    """
    What is asked of some rows of times.

    Parameters
    ----------
    times
        Costs in milliseconds; rows may be cut at the nearest site that stands open. Standing sites include forced ones.
    people
        People of each row, float64 (n_rows,).
    limit_ms
        Longest time within reach.
    turns
        What to make good, first things first: an aim, "farthest", or a ``Share``, which comes first where it comes.
    tolerances
        What each may give up for those after it, as a part of its value; one per turn.
    everyone_ms
        Everybody whom any site could serve within so long must be; None = no such rule.
    existing
        Sites of today, bool (n_sites,); None = those that stand open.
    """

    times: Instance
    people: FloatArray
    limit_ms: int
    turns: tuple[Aim | Share | str, ...]
    tolerances: tuple[float, ...]
    everyone_ms: int | None = None
    existing: BoolArray | None = None

    @property
    def before(self) -> BoolArray:
        """Sites of today, bool (n_sites,)."""
        return np.asarray(self.times.standing == OPEN) if self.existing is None else self.existing


@dataclass(frozen=True)
class Turn:
    """
    What one turn reached.

    Parameters
    ----------
    name, unit, maximise
        Of the aim.
    found, bound
        The best value found in this turn, and what no plan within the limits of the turn can better; in ``unit``.
    tolerance
        Part of ``found`` that later turns may give up.
    optimal, reached
        Whether the two meet, and whether they are as near as was asked.
    proof, certificate
        "certificate", with the arrays, or "solver".
    prices
        Name and price of each limit that the certificate is made for.
    asked
        Whether the user named it, or it belongs to "farthest".
    before, final
        Value with the sites of today, and with the finished plan.
    """

    name: str
    unit: str
    maximise: bool
    found: float
    bound: float
    tolerance: float
    optimal: bool
    reached: bool
    proof: str
    certificate: Certificate | None
    prices: tuple[tuple[str, float], ...] = ()
    asked: bool = True
    before: float = math.nan
    final: float = math.nan


@dataclass(frozen=True)
class Answer:
    """The plan, and what each turn reached; ``trace`` is of the last turn, in its unit."""

    open_mask: BoolArray
    turns: tuple[Turn, ...]
    trace: tuple[TracePoint, ...] = ()
    work: int = 0
    seconds: float = 0.0


def solution_of(answer: Answer) -> Solution:
    """The answer as a ``Solution`` of its last turn: the sites, how the run ended, and the trace."""
    last, level = answer.turns[-1], np.where(answer.open_mask, 0, -1).astype(np.int16).reshape(1, -1)
    none = np.zeros(0, dtype=np.int32)
    return Solution(
        status=ended(answer.turns),
        level=level,
        row_idx=none,
        assigned_idx=none,
        share=np.zeros(0),
        objective=last.found,
        bound=last.bound,
        proof=last.proof,
        certificate=last.certificate,
        trace=answer.trace,
        seconds=answer.seconds,
        work=answer.work,
    )


def ended(turns: Sequence[Turn]) -> Status:
    """How a run over several turns ended: as its weakest turn did."""
    if all(turn.optimal for turn in turns):
        return Status.OPTIMAL
    return Status.GAP if all(turn.reached for turn in turns) else Status.FEASIBLE
