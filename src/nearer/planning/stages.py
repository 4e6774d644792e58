"""``Stages``: a solved study with phases, levels, money and agencies, and what can be read off it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from nearer.demand import Demand
from nearer.inputs.tables import Tables
from nearer.model import CLOSED, FORBIDDEN, FREE, OPEN, Instance, Solution
from nearer.model.aims import Aim
from nearer.model.build_staged import StagedRows
from nearer.model.check_rules import triples
from nearer.model.evaluate_rules import assigned_cost, rules_of
from nearer.model.terms import Options
from nearer.planning.access import first_two, sum_by
from nearer.planning.gains import in_order
from nearer.units import BoolArray, FloatArray, IntArray, StrArray


@dataclass(frozen=True)
class StageNames:
    """
    Words for the numbers of a staged instance.

    Parameters
    ----------
    phases, years
        Per phase.
    levels
        Per level, "" where nobody states it.
    agencies
        Name, budget and running budget of each.
    programmes
        Name and group of each.
    share
        Part of a site's money per agency, (n_agencies, n_sites).
    owner
        Agency of each site, "" where none.
    """

    phases: tuple[str, ...]
    years: tuple[float, ...]
    levels: tuple[str, ...]
    agencies: tuple[tuple[str, float | None, float | None], ...]
    programmes: tuple[tuple[str, str], ...]
    share: FloatArray
    owner: Sequence[str]


@dataclass(frozen=True)
class Horizon:
    """
    How the phases fare against looking at one at a time.

    Parameters
    ----------
    alone_value, alone_bound
        Best value of each phase if no other counted, and its bound, float64 (n_phases,).
    greedy_value
        Value of each phase if each is decided in turn for itself alone, float64 (n_phases,).

    A value is ``inf`` where no plan keeps the rules, and NaN where there was no time to find out.
    """

    alone_value: FloatArray
    alone_bound: FloatArray
    greedy_value: FloatArray

    @property
    def compared(self) -> bool:
        """Whether there was time for all of it."""
        return not (np.isnan(self.alone_value).any() or np.isnan(self.greedy_value).any())


def final_standing(instance: Instance, level: IntArray) -> IntArray:
    """Standing of sites for the picture of the last phase: what closes is forbidden; int8 (n_sites,)."""
    standing = instance.standing.copy()
    standing[(instance.standing == OPEN) & (level[-1] == CLOSED)] = FORBIDDEN
    return standing


def build_order(instance: Instance, single: Instance, level: IntArray) -> tuple[IntArray, FloatArray]:
    """
    Opened sites in the order in which they are best built, phase by phase, and what each saves at its turn.

    Parameters
    ----------
    instance
        The staged one.
    single
        One phase of the same sites without capacities, uncut.
    level
        int16 (n_phases, n_sites).
    """
    new = instance.standing != OPEN
    order: list[IntArray] = []
    gains: list[FloatArray] = []
    stands = (instance.standing == OPEN) & (level[-1] != CLOSED)
    for t in range(instance.n_phases):
        before = level[t - 1] != CLOSED if t else np.zeros(instance.n_sites, dtype=bool)
        opened = new & (level[t] != CLOSED) & ~before
        standing = np.where(stands, OPEN, np.where(opened, FREE, FORBIDDEN)).astype(np.int8)
        site, gain = in_order(replace(single, standing=standing), opened)
        order.append(site)
        gains.append(gain)
        stands = stands | opened
    return np.concatenate(order), np.concatenate(gains)


class Goal(Protocol):
    """The objective over phases; see ``study.goals``."""

    @property
    def whole(self) -> Aim:
        """Over all phases."""

    @property
    def phases(self) -> tuple[Aim, ...]:
        """Over each phase alone."""

    @property
    def is_money(self) -> bool:
        """Whether money, or the number of centres, is all that counts."""


@dataclass(frozen=True)
class Taken:
    """
    The turn of one objective.

    Parameters
    ----------
    goal
        What was made good.
    instance, solution
        What was solved, its costs those of the goal, and how.
    before_total
        Its total cost with the sites of today.
    tolerance
        Part of its value that later turns may give up.
    """

    goal: Goal
    instance: Instance
    solution: Solution
    before_total: float
    tolerance: float


@dataclass(frozen=True)
class Stages:
    """
    A solved study in stages, and what it takes to tell of it.

    Parameters
    ----------
    tables, demands
        What was read, and who lives there in each phase.
    rows, instance, options, solution
        What was solved, and how.
    today
        Level of each site today, ``CLOSED`` where it is not open, int16 (n_sites,).
    turns
        What was made good, in order; ``instance`` and ``solution`` are of the last.
    counted
        What a minute of each phase counts for, float64 (n_phases,).
    names
        Words for numbers.
    unreached_ms
        What a person out of reach counts as.
    horizon
        None where there is one phase, or money alone counts.
    order, gain
        Opened sites as they are best built, and what each saves at its turn: see ``build_order``.
    """

    tables: Tables
    demands: Sequence[Demand]
    rows: StagedRows
    instance: Instance
    options: Options
    today: IntArray
    solution: Solution
    turns: tuple[Taken, ...]
    counted: FloatArray
    names: StageNames
    unreached_ms: int
    horizon: Horizon | None
    order: IntArray
    gain: FloatArray

    @property
    def last(self) -> int:
        """The last phase."""
        return self.instance.n_phases - 1

    @property
    def goal(self) -> Goal:
        """What was made good first."""
        return self.turns[0].goal

    def total(self, turn: Taken) -> float:
        """Total cost of the finished plan in an objective."""
        if turn is self.turns[-1]:
            return turn.solution.objective
        paid = [float(rules_of(turn.instance).option_cost[self.option].sum())]
        for t in range(self.instance.n_phases):
            row, _, share, place = self.sent(t)
            paid.append(assigned_cost(turn.instance, t, row, place, share))
        return math.fsum(paid)

    @cached_property
    def level(self) -> IntArray:
        """Level of each site in each phase, int16 (n_phases, n_sites)."""
        return np.asarray(self.solution.level)

    @cached_property
    def option(self) -> IntArray:
        """Option that each site takes, int64 (n_sites,)."""
        return rules_of(self.instance).option_of(self.level)

    @cached_property
    def ids(self) -> StrArray:
        """Ids of the sites, object (n_sites,)."""
        return self.tables.sites.table["id"].to_numpy(dtype=object)

    @cached_property
    def ours(self) -> BoolArray:
        """Sites that are not another provider's, bool (n_sites,)."""
        return np.asarray((self.tables.sites.table["status"] != "other").to_numpy())

    @cached_property
    def turn(self) -> IntArray:
        """Place of each site in the order of building, int64 (n_sites,); as many as there are where it is not built."""
        turn = np.full(self.instance.n_sites, len(self.order), dtype=np.int64)
        turn[self.order] = np.arange(len(self.order))
        return turn

    def is_open(self, phase: int) -> BoolArray:
        """Sites open at the end of a phase, bool (n_sites,)."""
        return np.asarray(self.level[phase] != CLOSED)

    def sent(self, phase: int) -> tuple[IntArray, IntArray, FloatArray, IntArray]:
        """Rows, sites, shares and pairs of the assignment of a phase."""
        row, site, share = triples(self.solution, phase)
        return row, site, share, self.rows.places(row, site)

    def left(self, phase: int) -> FloatArray:
        """Share of each row that has no place in a phase, float64 (n_rows,)."""
        row, _, share = triples(self.solution, phase)
        served = np.bincount(row, weights=share, minlength=self.rows.n_rows)
        return np.where(served < 1 - 1e-9, 1 - served, 0.0)

    def people(self, phase: int) -> FloatArray:
        """People of each row who come for what everybody comes for, float64 (n_rows,)."""
        return np.where(self.rows.row_pool == 0, self.rows.people[phase], 0.0)

    @cached_property
    def load(self) -> FloatArray:
        """People sent to each site in the last phase, float64 (n_sites,)."""
        row, site, share = triples(self.solution, self.last)
        return sum_by(site, share * self.people(self.last)[row], self.instance.n_sites)

    @cached_property
    def nearest_ms(self) -> FloatArray:
        """Milliseconds of each row to the nearest open site, ``inf`` out of reach; float64 (n_phases, n_rows)."""
        rows = self.rows
        best = np.full(rows.weight.shape, np.inf)
        for phase in range(len(best)):
            first, _ = first_two(rows.indptr, rows.site_idx, self.is_open(phase))
            best[phase, first >= 0] = rows.cost[first[first >= 0]]
        return best
