"""What a study in stages makes good: an objective as a cost per person and millisecond, for each phase and for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearer.demand import Demand
from nearer.model import OPEN
from nearer.model.aims import Aim, coverage, equal, travel
from nearer.model.build_staged import StagedRows
from nearer.model.terms import Options
from nearer.network import TravelTimes
from nearer.planning.access import Access
from nearer.study.asking import kappa_before
from nearer.study.settings import Study
from nearer.units import FloatArray, IntArray, minutes_to_ms

STAGED_AIMS = ("travel", "coverage", "equal", "cost")
"""Objectives that go with phases, levels and money."""


@dataclass(frozen=True)
class Goal:
    """
    An objective over phases.

    Parameters
    ----------
    whole, phases
        The aim over all phases, and over each alone, on rows that count for the years of their phase.
    option_cost
        What options cost in the objective, float64 (n_options,).
    """

    whole: Aim
    phases: tuple[Aim, ...]
    option_cost: FloatArray

    @property
    def is_money(self) -> bool:
        """Whether money, or the number of centres, is all that counts."""
        return self.whole.name == "cost"


def goal_of(
    name: str,
    study: Study,
    rows: StagedRows,
    options: Options,
    counted: Sequence[float],
    today: Demand,
    class_times: Sequence[TravelTimes],
    stand: IntArray,
) -> Goal:
    """One objective of a study in stages; ``counted`` is what a minute, or a year of money, counts for per phase."""
    unreached_ms = minutes_to_ms(study.unreached_min)
    nothing = np.zeros(len(options.site))
    if name == "cost":
        money = options.spent.sum(axis=1) + options.running @ np.asarray(counted)
        unit = "money"
        if not money.any():
            money, unit = options.opened.any(axis=1).astype(np.float64), "centres"
        aim = replace(
            travel(np.zeros(rows.n_rows), unreached_ms),
            name="cost",
            unit=unit,
            value_of=lambda total: total,
            bound_of=lambda total: max(total, 0.0),
            total_of=lambda value: value,
        )
        return Goal(aim, tuple(aim for _ in counted), np.asarray(money, dtype=np.float64))
    if name == "coverage":
        near = study.plan.coverage_min
        full, none = (minutes_to_ms(minutes) for minutes in (study.plan.decay_min or (near, near)))
        return Goal(
            coverage(rows.weight.ravel(), full, none), tuple(coverage(w, full, none) for w in rows.weight), nothing
        )
    if name == "equal":
        kappa = kappa_before(study, today, Access.to_open(today, class_times, stand == OPEN))
        whole = equal(rows.weight.ravel(), kappa, unreached_ms, unreached_ms)
        return Goal(whole, tuple(equal(w, kappa, unreached_ms, unreached_ms) for w in rows.weight), nothing)
    return Goal(travel(rows.weight.ravel(), unreached_ms), tuple(travel(w, unreached_ms) for w in rows.weight), nothing)
