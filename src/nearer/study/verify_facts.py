"""What plans with several objectives are held against: people, times and costs of objectives, written out again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nearer.model import FORBIDDEN, FREE, OPEN, Instance, single_phase
from nearer.study.recount import Recount
from nearer.study.verify_twofold import covered_twice
from nearer.units import BoolArray, FloatArray, IntArray, minutes_to_ms

_MS = 60_000.0


@dataclass(frozen=True)
class Term:
    """Weight of each row, and cost per unit of it of times in ms (``inf`` = out of reach), never falling."""

    weight: FloatArray
    cost: Callable[[FloatArray], FloatArray]

    def paid(self, time_ms: FloatArray) -> float:
        """Total cost at some times."""
        return math.fsum(self.weight * self.cost(time_ms))


@dataclass(frozen=True)
class Kept:
    """A limit: what a term, and the prices of open sites, may come to; ``hard`` where no site could lower it."""

    name: str
    term: Term | None
    most: float
    hard: bool = False
    price: FloatArray | None = None


@dataclass(frozen=True)
class Facts:
    """Rows of people × classes, pairs within reach, and what the study asks of them."""

    recount: Recount
    open_mask: BoolArray

    @cached_property
    def lives(self) -> dict[str, BoolArray]:
        """Points where somebody of a class lives."""
        return {name: people > 0 for name, people in self.recount.people.items()}

    @cached_property
    def people(self) -> FloatArray:
        """People of each row."""
        return np.concatenate([self.recount.people[name][lives] for name, lives in self.lives.items()])

    @cached_property
    def weight(self) -> FloatArray:
        """What each row counts in weighted objectives."""
        return np.concatenate([self.recount.weight[name][lives] for name, lives in self.lives.items()])

    @cached_property
    def pairs(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Row, site and time of each pair whose site may be open."""
        rows, sites, times, done = [], [], [], 0
        for name, pairs in self.recount.class_pairs.items():
            lives = self.lives[name]
            place = done + np.cumsum(lives) - 1
            use = lives[pairs.point] & (self.recount.standing[pairs.site] != FORBIDDEN)
            rows.append(place[pairs.point[use]])
            sites.append(pairs.site[use])
            times.append(pairs.time_ms[use].astype(np.float64))
            done += int(lives.sum())
        return np.concatenate(rows), np.concatenate(sites), np.concatenate(times)

    def times_to(self, open_mask: BoolArray) -> FloatArray:
        """Time of each row to the nearest of some sites, ``inf`` where none is within reach."""
        row, site, time_ms = self.pairs
        found = np.full(len(self.people), np.inf)
        np.minimum.at(found, row[open_mask[site]], time_ms[open_mask[site]])
        return found

    @cached_property
    def before(self) -> FloatArray:
        """Times to the sites of today."""
        return self.times_to(self.recount.standing == OPEN)

    @cached_property
    def after(self) -> FloatArray:
        """Times with the plan."""
        return self.times_to(self.open_mask)

    @cached_property
    def possible(self) -> FloatArray:
        """Times with every site open that may be."""
        return self.times_to(self.recount.standing != FORBIDDEN)

    @cached_property
    def forced(self) -> BoolArray:
        """Candidates that must open."""
        return self.recount.tables.sites.table["id"].isin(self.recount.study.plan.force).to_numpy()

    @property
    def second_share(self) -> float | None:
        """Share of a person that counts only with a second open site near."""
        return self.recount.study.plan.second_share

    @property
    def opened(self) -> BoolArray:
        """Candidates that the plan opens."""
        return np.asarray(self.open_mask & (self.recount.standing == FREE))

    @cached_property
    def price(self) -> FloatArray | None:
        """Cost of each candidate, None where their number counts."""
        table = self.recount.tables.sites.table
        if "cost" not in table:
            return None
        given = np.array([_number(value) for value in table["cost"]])
        candidate = (table["status"] == "candidate").to_numpy()
        return np.where(candidate & np.isfinite(given), given, 0.0) if np.isfinite(given[candidate]).any() else None

    def farther(self, within_ms: float, *, each: bool = False) -> Term:
        """People, or rows, farther than a time."""
        return Term(np.ones(len(self.people)) if each else self.people, lambda t: (t > within_ms).astype(np.float64))

    def term(self, name: str) -> Term:
        """Cost of an objective that is a sum over people."""
        plan, unreached = self.recount.study.plan, float(self.recount.unreached_ms)
        if name == "travel":
            return Term(self.weight, lambda t: np.minimum(t, unreached))
        if name == "unreached":
            return Term(self.people, lambda t: np.isinf(t).astype(np.float64))
        if name == "coverage":
            near = (plan.coverage_min, plan.coverage_min)
            full, none = (minutes_to_ms(m) for m in plan.decay_min or near)
            if full == none:
                return Term(self.weight, lambda t: (t > full).astype(np.float64))
            return Term(self.weight, lambda t: np.minimum(np.maximum(t - full, 0.0), none - full))
        kappa, top = self.recount.kappa_per_min / _MS, self.top_ms
        return Term(self.weight, lambda t: np.exp(np.minimum(kappa * (np.minimum(t, unreached) - top), 700.0)))

    @cached_property
    def top_ms(self) -> float:
        """Longest time today, out of reach as it counts."""
        return float(np.minimum(self.before, self.recount.unreached_ms).max(initial=0.0))

    def value(self, name: str, time_ms: FloatArray, opened: BoolArray) -> float:
        """An objective by its definition, in its unit."""
        if name == "farthest":
            return float(time_ms[np.isfinite(time_ms)].max(initial=0.0)) / _MS
        if name == "coverage" and self.second_share is not None:
            return covered_twice(self, np.asarray(opened | (self.recount.standing == OPEN)))
        if name == "cost":
            return math.fsum(self.price[opened]) if self.price is not None else float(np.count_nonzero(opened))
        return self.in_unit(name, self.term(name).paid(time_ms))

    def in_unit(self, name: str, total: float) -> float:
        """A total cost in the unit of its objective."""
        if name == "travel":
            return total / _MS
        if name == "coverage":
            full, none = (minutes_to_ms(m) for m in self.recount.study.plan.decay_min or (0.0, 0.0))
            return max(math.fsum(self.weight) - total / max(none - full, 1), 0.0)
        if name == "equal":
            everyone = math.fsum(self.weight)
            if total <= 0 or everyone <= 0:
                return 0.0
            return max(self.top_ms + math.log(total / everyone) / (self.recount.kappa_per_min / _MS), 0.0) / _MS
        return total

    def out_of_unit(self, name: str, value: float) -> float:
        """A value as a total cost."""
        if name == "travel":
            return value * _MS
        if name == "coverage":
            full, none = (minutes_to_ms(m) for m in self.recount.study.plan.decay_min or (0.0, 0.0))
            return (math.fsum(self.weight) - value) * max(none - full, 1)
        if name == "equal":
            kappa = self.recount.kappa_per_min / _MS
            return math.fsum(self.weight) * math.exp(kappa * (value * _MS - self.top_ms))
        return value

    def instance(
        self,
        terms: list[tuple[float, Term]],
        most_open: int | None = None,
        price: FloatArray | None = None,
    ) -> Instance:
        """The p-median of summed terms, rows at weight 1; forced sites stand open."""
        row, site, time_ms = self.pairs
        low, high = self.recount.to_open
        n_forced = int(self.forced.sum())
        cost, unserved = np.zeros(len(row)), np.zeros(len(self.people))
        for factor, term in terms:
            cost += factor * term.weight[row] * term.cost(time_ms)
            unserved += factor * term.weight * term.cost(np.full(len(self.people), np.inf))
        use = cost < unserved[row]
        order = np.lexsort((site[use], row[use]))
        return single_phase(
            np.concatenate([[0], np.cumsum(np.bincount(row[use], minlength=len(self.people)))]),
            site[use][order],
            cost[use][order],
            np.ones(len(self.people)),
            unserved,
            np.where(self.forced, OPEN, self.recount.standing),
            0 if most_open is not None else low - n_forced,
            high - n_forced if most_open is None else most_open,
            price=price,
        )

    def centre(self, limits: list[Kept]) -> Instance:
        """The p-center of all rows that some site can serve, each only by sites that its limits allow."""
        row, site, time_ms = self.pairs
        use = np.ones(len(row), dtype=bool)
        for limit in limits:
            if limit.term is not None:
                good = limit.term.cost(time_ms) == 0
                can = np.zeros(len(self.people), dtype=bool)
                can[row[good]] = True
                use &= good | ~can[row]
        reached = np.bincount(row[use], minlength=len(self.people)) > 0
        low, high = self.recount.to_open
        n_forced, n_sites = int(self.forced.sum()), len(self.forced)
        order = np.lexsort((site[use], time_ms[use], row[use]))
        return Instance(
            indptr=np.concatenate([[0], np.cumsum(np.bincount(row[use], minlength=len(self.people)))]).astype(np.int64),
            site_idx=site[use][order].astype(np.int32),
            cost=time_ms[use][order].astype(np.int64),
            unserved=np.where(reached, np.inf, 0.0),
            weight=reached.astype(np.float64).reshape(1, -1),
            standing=np.where(self.forced, OPEN, self.recount.standing).astype(np.int8),
            open_min=np.array([low - n_forced]),
            open_max=np.array([high - n_forced]),
            capacity=np.full((n_sites, 1, 1), np.inf),
            row_point=np.arange(len(self.people), dtype=np.int32),
            row_group=np.zeros(len(self.people), dtype=np.int32),
            objective="max",
        )


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
