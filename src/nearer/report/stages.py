"""Phases, money, agencies, levels and promises in words, for the report."""

from __future__ import annotations

from typing import NamedTuple

from nearer.language import figures, t, told
from nearer.planning.document import PlanDocument
from nearer.planning.plan import Plan
from nearer.report import words
from nearer.report.tables import site_names


class PhaseRow(NamedTuple):
    """A phase, in words."""

    name: str
    years: str
    opened: list[str]
    changed: list[str]
    centres: str
    spent: str
    running: str
    sent: str
    nearest: str
    room: str
    unmet: str


class HorizonRow(NamedTuple):
    """What a phase costs the long run, in words."""

    name: str
    value: str
    alone: str
    price: str
    greedy: str


class Stages(NamedTuple):
    """Everything that the section on phases shows; lists are empty where the study has nothing of the kind."""

    phases: list[PhaseRow]
    money: bool
    limited: bool
    horizon: list[HorizonRow]
    horizon_words: str
    horizon_unit: str
    agencies: list[tuple[str, ...]]
    levels: list[tuple[str, ...]]
    programmes: list[tuple[str, ...]]
    rules: list[tuple[str, ...]]
    unmet: list[tuple[str, ...]]
    guidance: str


def money(amount: float) -> str:
    """Money short: 950, 40,000, 1.25 M."""
    for step, unit in ((1e9, t("bn")), (1e6, t("M"))):
        if abs(amount) >= step:
            short = f"{amount / step:,.3g}" if abs(amount) < 999.5 * step else f"{amount / step:,.0f}"
            return f"{figures(short)}{words.THIN}{unit}"
    return words.number(amount) if amount == round(amount) else words.number(amount, 2)


def stages(plan: Plan) -> Stages | None:
    """The section on phases; None where the study has none of this."""
    document = plan.document
    if not document.phases:
        return None
    names = site_names(plan)
    limited = any(site.sent is not None for site in document.sites)
    paid = any(phase.spent or phase.running for phase in document.phases)
    return Stages(
        phases=[_phase(document, names, at) for at in range(len(document.phases))],
        money=paid,
        limited=limited,
        horizon=_horizon(document),
        horizon_words=_horizon_words(document),
        horizon_unit=_unit(document),
        agencies=_agencies(document, names),
        levels=[
            (
                told(one.name),
                words.whole(one.centres),
                words.whole(one.people),
                t("no limit") if one.capacity is None else words.whole(one.capacity),
                words.NONE if not one.capacity else words.percent(one.people / one.capacity),
            )
            for one in document.levels
        ],
        programmes=[
            (one.name, one.group, words.whole(one.wanted), words.whole(one.seated), words.minutes(one.mean_min))
            for one in document.programmes
        ],
        rules=[(told(one.name), _number(one.value), _ends(one.lower, one.upper)) for one in document.rules],
        unmet=[
            (one.area or t("elsewhere"), words.whole(one.people), words.joined(
                f"{group.replace('_', ' ')} {words.whole(n)}" for group, n in one.groups.items() if n >= 0.5
            ))
            for one in document.unmet
            if one.people >= 0.5
        ],
        guidance=_guidance(document) if limited else "",
    )  # fmt: skip


def _phase(document: PlanDocument, names: dict[str, str], at: int) -> PhaseRow:
    phase = document.phases[at]
    changed = [t("{name} rises", name=names.get(i, i)) for i in phase.upgraded]
    changed += [t("{name} closes", name=names.get(i, i)) for i in phase.closed]
    return PhaseRow(
        name=phase.name,
        years=words.bare(phase.years),
        opened=[names.get(i, i) for i in phase.opened],
        changed=changed,
        centres=words.whole(phase.centres),
        spent=money(phase.spent),
        running=money(phase.running),
        sent=words.minutes(phase.mean_min),
        nearest=words.minutes(phase.mean_nearest_min),
        room=words.minutes(phase.mean_room_min),
        unmet=words.whole(phase.unmet),
    )


def _unit(document: PlanDocument) -> str:
    """The unit in which values of the objective are shown."""
    return words.unit("person-hours" if document.objective.unit == "person-minutes" else document.objective.unit)


def _shown(document: PlanDocument, value: float) -> str:
    """A value of the objective, in the unit shown."""
    if document.objective.unit == "person-minutes":
        return words.hours(value)
    return words.number(value, 2) if document.objective.unit == "minutes" else words.whole(value)


def _worse(document: PlanDocument, value: float, best: float) -> float:
    """How much a value is worse than another, in the unit of both; below zero where it is better."""
    return best - value if document.objective.name == "coverage" else value - best


def _horizon(document: PlanDocument) -> list[HorizonRow]:
    found: list[HorizonRow] = []
    for phase in document.phases:
        if phase.alone_value is None or phase.greedy_value is None:
            continue
        scale = max(abs(phase.alone_value), 1e-9)
        price = _worse(document, phase.value, phase.alone_value) / scale
        found.append(
            HorizonRow(
                name=phase.name,
                value=_shown(document, phase.value),
                alone=_shown(document, phase.alone_value),
                price=words.percent(max(price, 0.0)),
                greedy=_shown(document, phase.greedy_value),
            )
        )
    return found


def _horizon_words(document: PlanDocument) -> str:
    """What planning all phases together is worth, against deciding each for itself."""
    greedy, value = document.greedy_value, document.objective.value
    if greedy is None and not document.compared:
        return t("The time limit left no time to compare this with deciding each phase for itself.")
    if greedy is None:
        tried = any(phase.alone_value is not None for phase in document.phases)
        return t("Deciding each phase for itself would end in a phase that cannot keep the rules.") if tried else ""
    saved = _worse(document, greedy, value)
    if saved <= 1e-6 * max(value, 1.0):
        return t("Deciding each phase for itself, one after the other, would have done as well.")
    said = {
        "saved": _shown(document, saved),
        "unit": _unit(document),
        "share": words.percent(saved / max(abs(greedy), 1e-9)),
    }
    if document.objective.name == "coverage":
        return t(
            "Planned together the phases bring {saved} more {unit} within {near} minutes, years counted, ({share}) "
            "against deciding each for itself, one after the other.",
            near=words.bare(words.near_min(document)),
            **said,
        )
    return t(
        "Planned together the phases save {saved} {unit} ({share}) against deciding each for itself, one after the "
        "other.",
        **said,
    )


def _agencies(document: PlanDocument, names: dict[str, str]) -> list[tuple[str, ...]]:
    return [
        (
            one.name,
            words.whole(one.venues_today),
            words.joined(names.get(i, i) for i in one.opened) or words.NONE,
            words.whole(one.people),
            money(sum(one.spent)),
            words.NONE if one.budget is None else money(one.budget),
            money(one.running[-1]),
        )
        for one in document.agencies
    ]


def _number(value: float) -> str:
    return money(value) if abs(value) >= 10_000 or value == round(value) else figures(f"{value:,.4g}")


def _ends(lower: float | None, upper: float | None) -> str:
    if lower is not None and lower == upper:
        return t("exactly {n}", n=_number(lower))
    parts = [t("at least {n}", n=_number(lower))] if lower is not None else []
    parts += [t("at most {n}", n=_number(upper))] if upper is not None else []
    return words.joined(parts) or t("no limit")


def _guidance(document: PlanDocument) -> str:
    """How far the plan relies on people going where they are sent."""
    last = document.phases[-1]
    sent, room = words.minutes_pair(last.mean_min, last.mean_room_min)
    if last.unmet >= 0.5:
        start = words.folk(
            last.unmet,
            "",
            "At the end {people} has no place within reach.",
            "At the end {people} have no place within reach.",
        )
    else:
        start = t("At the end everybody within reach of a centre has a place.")
    if sent == room:
        same = t("It makes no difference whether people are sent or go to the nearest centre with room.")
        return f"{start} {same}"
    differs = t(
        "As people are sent the average is {sent} minutes; if everybody goes to the nearest centre with room, "
        "the nearest first, it is {room}. Who has no place counts as out of reach in both.",
        sent=sent,
        room=room,
    )
    return f"{start} {differs}"


def phase_lines(document: PlanDocument) -> list[str]:
    """A line for each phase, for the command line; none where there is one phase without money or limits."""
    found: list[str] = []
    limited = any(site.sent is not None for site in document.sites)
    paid = any(phase.spent or phase.running for phase in document.phases)
    if len(document.phases) < 2 and not (limited or paid):
        return found
    for phase in document.phases:
        parts = [words.count(len(phase.opened), "new centre")]
        if phase.upgraded:
            parts.append(t("{n} upgraded", n=figures(str(len(phase.upgraded)))))
        if phase.closed:
            parts.append(t("{n} closed", n=figures(str(len(phase.closed)))))
        if paid:
            parts.append(
                t("{spent} spent, {running} a year to run", spent=money(phase.spent), running=money(phase.running))
            )
        average = words.minutes(phase.mean_min if limited else phase.mean_nearest_min)
        parts.append(t("average {average} minutes", average=average))
        if limited and phase.unmet >= 0.5:
            parts.append(t("{people} without a place within reach", people=words.people(phase.unmet)))
        found.append(f"{phase.name}: {words.joined(parts)}.")
    said = _horizon_words(document)
    return [*found, *([said] if said else [])]
