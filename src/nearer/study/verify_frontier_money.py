"""The check of a frontier of money: the steps, the money, the people and the bound of every point again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model.check import agrees
from nearer.model.evaluate_rules import rules_bound
from nearer.planning.frontierdoc import FrontierDocument, TradePoint
from nearer.study.checks import Check, equal, load_arrays
from nearer.study.frontier import FRONTIER_PROOF, SENDINGS, proof_name, sending_name
from nearer.study.frontier_money import BOUGHT, MONEY, asking_for
from nearer.study.verify_agencies import AgencyFacts, ceilings
from nearer.study.verify_people import SLACK, People
from nearer.study.verify_sending import send_best
from nearer.study.verify_stages import check_counts, check_places, load_rules_certificate, money_of, staged_again
from nearer.study.verify_steps import Story, check_steps, story_of

_SENT = ("phase", "pool", "speed_class", "point", "site", "share")


def check_money_frontier(
    document: FrontierDocument, facts: AgencyFacts, asked: float | None
) -> tuple[list[Check], tuple[str, ...]]:
    """
    Check everything that a frontier of money says of its points.

    Parameters
    ----------
    facts
        The study as written in the document, its tables and times, and the folder of the frontier.
    asked
        The gap asked for, where it is known.
    """
    names = [document.first.name, document.second.name]
    other = next((name for name in names if name != MONEY), "")
    fits = MONEY in names and other in BOUGHT and facts.study.aims == (other,) and document.held == MONEY
    checks = [Check("objectives", fits, str(names), "cost and the study's own")]
    if not fits:
        return checks, ("The rest was not checked, since the objectives are not the study's.",)
    checks += list(_check_before(document, facts, other))
    for number, point in enumerate(document.points, start=1):
        checks += list(_check_point(document, facts, other, point, number))
        gap = abs(_values(document, point)[1] - point.bound) / max(abs(_values(document, point)[1]), 1e-9)
        checks.append(equal(f"point {number}: gap", point.gap, gap))
        if point.status == "optimal":
            checks.append(Check(f"point {number}: optimal", gap <= 1e-6, point.gap, gap))
        elif point.status == "gap" and asked is not None:
            checks.append(Check(f"point {number}: status", gap <= asked * (1 + 1e-6) + 1e-9, f"at most {asked:g}", gap))
    sign = -1.0 if other == "coverage" else 1.0
    for number, (one, next_) in enumerate(pairwise(document.points), start=1):
        (cost, value), (more, better) = _values(document, one), _values(document, next_)
        trades = more > cost and sign * better < sign * value
        checks.append(Check(f"points {number} and {number + 1} trade", trades, f"{cost:g}, {value:g}", str(better)))
    checks.append(equal("complete", document.complete, all(point.status != "feasible" for point in document.points)))
    solver = any(point.proof == "solver" for point in document.points)
    note = "Some bounds are the solver's own word; they were compared with the values only."
    return checks, (note,) if solver else ()


def _values(document: FrontierDocument, point: TradePoint) -> tuple[float, float]:
    """Money, and the other objective."""
    return (point.first, point.second) if document.first.name == MONEY else (point.second, point.first)


def _people(facts: AgencyFacts, story: Story) -> People:
    return People(facts.study, facts.tables, facts.pairs, facts.phases, story, facts.folder)


def _money(facts: AgencyFacts, story: Story, unit: str) -> float:
    """Everything paid over all phases, or the number of new centres."""
    if unit != "money":
        return float(sum(site not in story.today for site in story.level[-1]))
    spent, running = money_of(facts.study, facts.table, facts.phases, story)
    return math.fsum(spent[:, 0]) + math.fsum(np.array(_people(facts, story).counted) * running[:, 0])


def _check_before(document: FrontierDocument, facts: AgencyFacts, other: str) -> Iterator[Check]:
    today = story_of([], facts.study, facts.table, facts.phases)
    units = {"travel": "person-minutes", "coverage": "people", "equal": "minutes"}
    for which, aim in (("first", document.first), ("second", document.second)):
        if aim.name == MONEY:
            found = _money(facts, today, aim.unit)
            yield Check(f"{which}: unit", aim.unit in ("money", "centres"), aim.unit, "money or centres")
        else:
            people = _people(facts, today)
            send_best(people)
            found = people.value_over_phases()
            yield equal(f"{which}: unit", aim.unit, units[aim.name])
        yield _near(f"{which}: before", aim.before, found)
        yield equal(f"{which}: larger is better", aim.larger_is_better, aim.name == "coverage")


def _check_point(
    document: FrontierDocument, facts: AgencyFacts, other: str, point: TradePoint, number: int
) -> Iterator[Check]:
    name, study, table = f"point {number}", facts.study, facts.table
    unknown = [site.id for site in point.sites if site.id not in table.index]
    yield Check(f"{name}: sites", not unknown, ", ".join(unknown[:5]), "sites of the study")
    if unknown:
        return
    story = story_of(point.sites, study, table, facts.phases)
    stages = check_steps(study, table, story)
    yield Check(f"{name}: levels and openings", stages.ok, stages.claimed, stages.found)
    if not stages.ok:
        return
    yield equal(f"{name}: opened", sorted(point.opened), sorted(set(story.level[-1]) - set(story.today)))
    for check in (
        *check_counts(study, table, facts.phases, story),
        *check_places(study, facts.tables, table, facts.phases, story),
    ):
        yield Check(f"{name}: {check.name}", check.ok, check.claimed, check.found)
    over = [rule for rule, taken, most in ceilings(facts, story) if taken > most + SLACK * max(1.0, abs(taken))]
    yield Check(f"{name}: ceilings", not over, ", ".join(over[:5]), "kept")
    money, value = _values(document, point)
    unit = document.first.unit if document.first.name == MONEY else document.second.unit
    paid = _money(facts, story, unit)
    yield _near(f"{name}: cost", money, paid)
    yield Check(f"{name}: level", paid <= point.level + SLACK * max(1.0, point.level), paid, f"at most {point.level:g}")
    people = _people(facts, story)
    path = facts.folder / SENDINGS / sending_name(number)
    try:
        people.sent = load_arrays(path, _SENT) if path.exists() else None
    except CheckFailedError as error:
        yield Check(f"{name}: sending", False, path.name, str(error))
        return
    met = [people.met(t) for t in range(len(facts.phases))]
    for phase, one in zip(facts.phases, met, strict=True):
        yield Check(f"{name}: {phase.name}, everybody has one place", *one.once)
        yield Check(f"{name}: {phase.name}, within capacity", *one.loads)
    for stand in people.promises(met):
        kept = stand.value <= stand.most + SLACK * max(1.0, stand.most) and stand.value >= stand.least - SLACK
        yield Check(f"{name}: {stand.name}", kept, stand.value, f"{stand.least:g} to {stand.most:g}")
    yield _near(f"{name}: {other}", value, people.value_over_phases())
    yield _check_bound(facts, other, point, value, number)


def _check_bound(facts: AgencyFacts, other: str, point: TradePoint, value: float, number: int) -> Check:
    """The bound is no better than the value, and what the multipliers prove of every plan that costs no more."""
    name, sign = f"point {number}: bound", -1.0 if other == "coverage" else 1.0
    if sign * point.bound > sign * value and not agrees(point.bound, value):
        return Check(name, False, point.bound, f"no better than {value:g}")
    if point.proof == "solver":
        return Check(name, True, point.bound, value)
    reason = "proves nothing"
    # the dearest point is the best of all, and its proof knows no level
    for aims, found in (((MONEY, other), [point.level]), ((other,), [])):
        try:
            certificate = load_rules_certificate(facts.folder / FRONTIER_PROOF, proof_name(number))
            staged = staged_again(asking_for(facts.study, *aims), facts.tables, facts.pairs, found)
            proven = staged.goal.whole.bound_of(rules_bound(staged.instance, certificate))
        except CheckFailedError as error:
            reason = str(error)
            continue
        if sign * point.bound <= sign * proven + 1e-9 * abs(proven) or agrees(point.bound, proven):
            return Check(name, True, point.bound, proven)
        reason = f"{proven:g}"
    return Check(name, False, point.bound, reason)


def _near(name: str, told: float, found: float) -> Check:
    """Sums over shares that a solver rounded agree less well than sums of the same terms."""
    return Check(name, abs(told - found) <= SLACK * max(abs(told), abs(found), 1.0), told, found)
