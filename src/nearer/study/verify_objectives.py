"""
The check of plans with several objectives or rules: every value and limit by its definition, every bound anew.

Only the certificates' own evaluation is shared with the plain check; costs of objectives are written out here again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model import FORBIDDEN, FREE, OPEN, Certificate, Instance, single_phase
from nearer.model.check import agrees, certified_bound
from nearer.model.check_center import certified_dearest
from nearer.planning.document import PlanDocument, Turn
from nearer.study.recount import Recount
from nearer.study.verify_twofold import covered_twice, proven_twice
from nearer.units import BoolArray, FloatArray, IntArray, minutes_to_ms

_MS = 60_000.0
_NEAR = 1e-9


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


Found = tuple[str, bool, float | str | None, float | str | None]


def check_objectives(
    document: PlanDocument,
    recount: Recount,
    open_mask: BoolArray,
    certificate_of: Callable[[str], Certificate],
) -> tuple[list[Found], list[str]]:
    """
    Compare what a plan says of its objectives and rules with what they come to.

    Parameters
    ----------
    certificate_of
        The certificate of an objective by name; raises ``CheckFailedError`` or ``KeyError`` where there is none.

    Returns
    -------
    list of (name, agrees, claimed, found), list of str
        Everything compared, and what could not be.
    """
    facts = Facts(recount, open_mask)
    study = recount.study
    names = [part for name in study.aims for part in (("unreached", name) if name == "farthest" else (name,))]
    told = [turn.name for turn in document.objectives]
    checks: list[Found] = [("objectives: order", told == names, ", ".join(told), ", ".join(names))]
    if told != names:
        return checks, []
    checks += list(_rules(facts))
    checks += list(_unservable(document, facts))
    first = document.objectives[names.index(study.aims[0])]
    for key, one, other in (
        ("name", document.objective.name, first.name),
        ("unit", document.objective.unit, first.unit),
        ("value", document.objective.value, first.value),
        ("value before", document.before_value, first.before),
        ("bound", document.bound, first.bound),
        ("gap", document.gap, first.gap),
        ("proof", document.proof, first.proof),
    ):
        checks.append((f"objective: {key}", one == other, one, other))
    gain = 0.0
    if first.value != first.bound:
        gain = abs(first.value - first.bound) / max(abs(first.before - first.bound), 1e-9)
    checks.append(("gain_gap", agrees(document.gain_gap, gain), document.gain_gap, gain))
    worst = next((s for s in ("feasible", "gap") if any(turn.status == s for turn in document.objectives)), "optimal")
    checks.append(("status", document.status == worst, document.status, worst))
    notes: list[str] = []
    limits = everyone_kept(facts)
    most_open: int | None = None
    tolerances = dict(zip(study.aims, study.tolerances, strict=True))
    for turn in document.objectives:
        main = turn is first
        checks += list(_values(facts, turn, tolerances.get(turn.name, 0.0)))
        if turn.proof == "solver":
            notes.append(f"The bound of {turn.name} is the solver's own word; it was compared with the value only.")
        else:
            try:
                proven = _proven(facts, turn, limits, most_open, partial(certificate_of, "" if main else turn.name))
                sign = -1.0 if turn.name == "coverage" else 1.0
                holds = sign * turn.bound <= sign * proven or agrees(turn.bound, proven)
                checks.append((f"{turn.name}: bound", holds, turn.bound, proven))
            except (CheckFailedError, KeyError) as error:
                checks.append((f"{turn.name}: bound", False, turn.bound, str(error)))
        limits, most_open = next_limits(facts, turn, limits, most_open)
    return checks, notes


def _rules(facts: Facts) -> Iterator[Found]:
    plan, ids = facts.recount.study.plan, facts.recount.tables.sites.table["id"]
    left = [str(site) for site in ids[facts.forced & ~facts.opened]]
    yield "rule: forced sites open", not left, ", ".join(left[:5]), "all"
    if plan.everyone_within_min is not None:
        within = minutes_to_ms(plan.everyone_within_min)
        far = math.fsum(facts.people[(facts.after > within) & (facts.possible <= within)])
        yield "rule: everyone within", far == 0, "nobody who could be nearer", f"{far:g} people farther"
    if plan.within_share is not None:
        near = math.fsum(facts.people[facts.after <= minutes_to_ms(plan.coverage_min)]) / math.fsum(facts.people)
        yield "rule: share within", near >= plan.within_share - _NEAR, plan.within_share, near


def _unservable(document: PlanDocument, facts: Facts) -> Iterator[Found]:
    """Who makes it impossible that everyone is near."""
    within_min, told = facts.recount.study.plan.everyone_within_min, document.unservable
    if within_min is None:
        yield "unservable", not told and document.unservable_people == 0, len(told), 0
        return
    far = facts.possible > minutes_to_ms(within_min)
    people = math.fsum(facts.people[far])
    yield "unservable: people", agrees(document.unservable_people, people), document.unservable_people, people
    point = np.concatenate([np.flatnonzero(lives) for lives in facts.lives.values()])
    here = np.bincount(point[far], weights=facts.people[far], minlength=len(facts.recount.tables.people.table))
    known = dict(zip(facts.recount.tables.people.table["id"], here, strict=True))
    wrong = [one.id for one in told if not agrees(known.get(one.id, 0.0), one.people)]
    listed = min(int(np.count_nonzero(here)), 100)
    yield "unservable: places", not wrong and len(told) == listed, ", ".join(wrong[:5]) or len(told), listed


def _values(facts: Facts, turn: Turn, tolerance: float) -> Iterator[Found]:
    value = facts.value(turn.name, facts.after, facts.opened)
    before = facts.value(turn.name, facts.before, np.zeros_like(facts.opened))
    yield f"{turn.name}: value", _alike(turn.value, value), turn.value, value
    yield f"{turn.name}: value before", _alike(turn.before, before), turn.before, before
    yield f"{turn.name}: tolerance", turn.tolerance == tolerance, turn.tolerance, tolerance
    sign = -1.0 if turn.name == "coverage" else 1.0
    most = turn.found + sign * tolerance * turn.found
    kept = sign * value <= sign * most or _alike(value, most)
    yield f"{turn.name}: kept by later objectives", kept, value, most
    gap = abs(turn.value - turn.bound) / max(abs(turn.value), 1e-9)
    yield f"{turn.name}: gap", agrees(turn.gap, gap), turn.gap, gap
    short = sign * (turn.found - turn.bound)
    sound = short >= 0 or agrees(turn.found, turn.bound)
    yield f"{turn.name}: bound is no better than found", sound, turn.bound, turn.found
    if turn.status == "optimal":
        parts = facts.weight * (facts.second_share or 1.0)
        whole = bool(np.all(facts.weight % 1 == 0) and np.all(parts % 1 == 0)) and turn.name in ("travel", "coverage")
        decay = facts.recount.study.plan.decay_min if turn.name == "coverage" else None
        unit = 1.0 / _MS if turn.name in ("travel", "farthest") else 1.0
        if decay:
            unit = 1.0 / (_MS * (decay[1] - decay[0]))
        close = short <= _NEAR * abs(turn.found) * (1 + 1e-6) or (
            (whole or turn.name == "farthest" or (turn.name == "cost" and facts.price is None)) and short < unit
        )
        yield f"{turn.name}: optimal", close, turn.found, turn.bound


def _alike(one: float, other: float) -> bool:
    return agrees(one, other) or abs(one - other) <= 1e-12


def everyone_kept(facts: Facts) -> list[Kept]:
    """The rule that everyone is near, where there is one."""
    within_min = facts.recount.study.plan.everyone_within_min
    if within_min is None:
        return []
    term = facts.farther(minutes_to_ms(within_min), each=True)
    return [Kept("everyone_within", term, term.paid(facts.possible), hard=True)]


def no_farther(facts: Facts, name: str, within_ms: float, most: float) -> Kept:
    """At most so many people are farther than a time; row by row, where only those are left whom no site can serve."""
    people, rows = facts.farther(within_ms), facts.farther(within_ms, each=True)
    if most <= people.paid(facts.possible) * (1 + 1e-12):
        return Kept(name, rows, rows.paid(facts.possible), hard=True)
    return Kept(name, people, most)


def next_limits(facts: Facts, turn: Turn, limits: list[Kept], most_open: int | None) -> tuple[list[Kept], int | None]:
    """What the turns after this one must keep."""
    study = facts.recount.study
    limit_ms = minutes_to_ms(study.streets.limit_min)
    if turn.name == "cost":
        share = _share(facts)
        if facts.price is None:
            high = facts.recount.to_open[1] - int(facts.forced.sum())
            n_forced = int(facts.forced.sum())
            found = round(turn.found) - n_forced
            return [*limits, share], min(math.floor(found * (1 + turn.tolerance)), high)
        own = Kept("cost", None, turn.found * (1 + turn.tolerance), price=_free_price(facts))
        return [*limits, own, share], most_open
    if turn.name == "unreached":
        return [*limits, no_farther(facts, "unreached", limit_ms, turn.found)], most_open
    if turn.name == "farthest":
        within_ms = math.floor(round(turn.found * _MS) * (1 + turn.tolerance))
        others = [limit for limit in limits if limit.name != "unreached"]
        return [*others, no_farther(facts, "farthest", within_ms, _left(facts, limits))], most_open
    term = facts.term(turn.name)
    kept = turn.found * (1 - turn.tolerance if turn.name == "coverage" else 1 + turn.tolerance)
    most = facts.out_of_unit(turn.name, kept)
    if turn.name == "coverage" and study.plan.decay_min is None and most <= term.paid(facts.possible) * (1 + 1e-12):
        rows = Term((facts.weight > 0).astype(np.float64), term.cost)
        return [*limits, Kept(turn.name, rows, rows.paid(facts.possible), hard=True)], most_open
    return [*limits, Kept(turn.name, term, most)], most_open


def _left(facts: Facts, limits: list[Kept]) -> float:
    """People that the limit on who is out of reach leaves out."""
    reach = next(limit for limit in limits if limit.name == "unreached")
    return facts.term("unreached").paid(facts.possible) if reach.hard else reach.most


def _share(facts: Facts) -> Kept:
    plan, everyone = facts.recount.study.plan, math.fsum(facts.people)
    term = facts.farther(minutes_to_ms(plan.coverage_min))
    return Kept("within_share", term, everyone - (plan.within_share or 0.0) * everyone * (1 - 1e-12))


def _free_price(facts: Facts) -> FloatArray:
    assert facts.price is not None
    return facts.price


def _proven(
    facts: Facts,
    turn: Turn,
    limits: list[Kept],
    most_open: int | None,
    certificate: Callable[[], Certificate],
) -> float:
    """What the certificate of a turn proves, in its unit."""
    n_forced = int(facts.forced.sum())
    if turn.name == "farthest":
        bound_ms = round(turn.bound * _MS)
        if bound_ms == 0:
            return 0.0
        if all(limit.hard for limit in limits):
            return certified_dearest(facts.centre(limits), certificate(), round(turn.found * _MS)) / _MS
        others = [limit for limit in limits if limit.name != "unreached"]
        at_least = evaluated(facts, facts.farther(bound_ms - 1), others, turn.prices, certificate(), most_open)
        return turn.bound if at_least > _left(facts, limits) * (1 + 1e-12) else 0.0
    if turn.name == "cost" and facts.price is None:
        few = round(turn.bound) - n_forced - 1
        if few < 0:
            return turn.bound if round(turn.bound) <= n_forced else 0.0
        share = _share(facts)
        assert share.term is not None
        at_least = evaluated(facts, share.term, limits, turn.prices, certificate(), few)
        return turn.bound if at_least > share.most * (1 + 1e-12) else 0.0
    if turn.name == "cost":
        kept = [*limits, _share(facts)]
        return evaluated(facts, None, kept, turn.prices, certificate(), most_open, _free_price(facts))
    if turn.name == "coverage" and facts.second_share is not None:
        return proven_twice(facts, certificate())
    total = evaluated(facts, facts.term(turn.name), limits, turn.prices, certificate(), most_open)
    return facts.in_unit(turn.name, max(total, 0.0))


def evaluated(
    facts: Facts,
    term: Term | None,
    limits: list[Kept],
    prices: dict[str, float],
    certificate: Certificate,
    most_open: int | None,
    site_price: FloatArray | None = None,
) -> float:
    """Least total cost of a term that a certificate proves, limits priced in and what they allow taken off."""
    terms = [(1.0, term)] if term is not None else []
    price, shift = np.zeros(len(facts.forced)) if site_price is None else site_price.copy(), 0.0
    for limit in limits:
        mu = prices.get(limit.name, 0.0)
        if not (math.isfinite(mu) and mu >= 0):
            raise CheckFailedError(f"The price {mu!r} of a limit is none.")
        if limit.term is not None and mu > 0:
            terms.append((mu, limit.term))
        if limit.price is not None:
            price = price + mu * limit.price
        shift += mu * limit.most
    instance = facts.instance(terms, most_open, price if np.any(price) else None)
    total = certified_bound(instance, certificate) - shift
    whole = facts.instance([(1.0, term)] if term is not None else [], most_open, site_price).whole
    return float(math.ceil(total - 1e-9 * max(abs(total), 1.0))) if whole and math.isfinite(total) else total
