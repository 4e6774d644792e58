"""Objectives, rules and equity in the words and rows of the report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nearer.language import figures, t, tn
from nearer.planning.document import Measures, PlanDocument, Turn
from nearer.report import words

_LONGEST = 20
"""Areas named in the table of equity; the others are in ``plan.json``."""


class TurnRow(NamedTuple):
    """One objective, in words."""

    name: str
    today: str
    plan: str
    bound: str
    better: str
    gap: str
    proof: str


class EvenRow(NamedTuple):
    """How evenly minutes are spread over everyone, a group, or an area."""

    name: str
    worst: tuple[str, str]
    equivalent: tuple[str, str]
    gini: tuple[str, str]


def name_of(name: str, document: PlanDocument) -> str:
    """What an objective is called in a sentence."""
    near = words.bare(words.near_min(document))
    decay = words.setting(document, "plan.decay_min")
    people = t("people within {near} minutes", near=near)
    if decay:
        people = t(
            "people near (whole up to {whole} minutes, not at all from {none})",
            whole=words.bare(decay[0]),
            none=words.bare(decay[1]),
        )
    if (twice := document.backup) is not None:
        people += t(
            ", {share} of each counting only once a second open centre is that near too",
            share=words.percent_bare(twice.second_share),
        )
    return {
        "travel": t("minutes of everyone together"),
        "coverage": people,
        "unreached": t("people out of reach"),
        "farthest": t("longest time of anybody within reach"),
        "equal": t("minutes that would be as good if all had them (Kolm-Pollak)"),
        "cost": t("what it takes to bring enough people within {near} minutes", near=near),
    }[name]


def _wanted(name: str, document: PlanDocument) -> str:
    """An objective with how much of it is wanted."""
    said = name_of(name, document)
    if name == "coverage":
        return t("the most {what}", what=said)
    return t("the fewest {what}", what=said) if name == "unreached" else t("the least {what}", what=said)


def aims(document: PlanDocument) -> str:
    """What the plan makes good, in one sentence."""
    trip = words.trip(document)
    if document.phases and len(document.objectives) < 2:
        return _over_phases(document)
    if not document.objectives:
        return t("The plan makes the sum of everyone's {trip} to the nearest centre as short as it can.", trip=trip)
    listed = [_wanted(turn.name, document) for turn in document.objectives]
    if len(listed) == 1:
        return t("The plan goes for {what}.", what=listed[0])
    kept = [
        t("{share} of {what}", share=words.percent_bare(turn.tolerance), what=name_of(turn.name, document))
        for turn in document.objectives
        if turn.tolerance > 0
    ]
    given = t("; none may give up what one before it reached")
    if kept:
        given = t("; later ones may give up {kept}", kept=t(" and ").join(kept))
    return t("The plan goes, in this order, for {listed}{given}.", listed=t(", then ").join(listed), given=given)


def _over_phases(document: PlanDocument) -> str:
    """What a plan with phases, levels or money makes good."""
    name = document.objective.name
    if name == "travel":
        goal = t("The plan makes the sum of everyone's {trip} as short as it can", trip=words.trip(document))
    elif name == "cost" and document.objective.unit == "money":
        goal = t("The plan takes as little money as it can")
    elif name == "cost":
        goal = t("The plan takes as few centres as it can")
    else:
        goal = t("The plan goes for {what}", what=_wanted(name, document))
    if len(document.phases) < 2:
        return f"{goal}."
    return t(
        "{goal}, over all phases; a phase counts for its years. Maps and figures of before and after are for the "
        "people of today.",
        goal=goal,
    )


def rules(document: PlanDocument) -> list[str]:
    """The rules that stand beside the objectives, one sentence each."""
    found = []
    if within := words.setting(document, "plan.everyone_within_min"):
        found.append(
            t(
                "Everyone whom any site could serve within {n} minutes is within that time.",
                n=words.bare(within),
            )
        )
        if document.unservable:
            most = document.unservable[0]
            where = t(" in {area}", area=f"\u2068{most.area}\u2069") if most.area else ""
            found.append(
                tn(
                    len(document.unservable),
                    "No site could do so for {people} at {n} place named in plan.json, most of them at {most}{where} "
                    "({there}).",
                    "No site could do so for {people} at {n} places named in plan.json, most of them at {most}{where} "
                    "({there}).",
                    people=words.people(document.unservable_people),
                    most=f"\u2068{most.id}\u2069",
                    where=where,
                    there=words.people(most.people),
                )
            )
    if share := words.setting(document, "plan.within_share"):
        near = words.bare(words.near_min(document))
        found.append(
            t(
                "At least {share} of all people are brought within {near} minutes.",
                share=words.percent_bare(share),
                near=near,
            )
        )
    if ids := words.setting(document, "plan.force", []):
        found.append(t("These candidates had to open: {ids}.", ids=_named(ids)))
    if ids := words.setting(document, "plan.forbid", []):
        found.append(t("These candidates could not open: {ids}.", ids=_named(ids)))
    return found


def _named(ids: Iterable[object]) -> str:
    return f"\u2068{words.joined(map(str, ids))}\u2069"


def in_turns(document: PlanDocument) -> str:
    """How good a plan with several objectives is; claims no more than each bound does."""
    if document.status == "optimal":
        return tn(
            document.opened,
            "In the order asked, no other choice of {n} site is better: proven for each objective.",
            "In the order asked, no other choice of {n} sites is better: proven for each objective.",
        )
    listed = words.joined(
        t("{what} by more than {gap}", what=name_of(turn.name, document), gap=words.percent_up(_short_of(turn)))
        for turn in document.objectives
        if turn.status != "optimal"
    )
    return tn(
        document.opened,
        "In the order asked, no choice of {n} site betters {listed}; the rest is proven.",
        "In the order asked, no choice of {n} sites betters {listed}; the rest is proven.",
        listed=listed,
    )


def _short_of(turn: Turn) -> float:
    return abs(turn.found - turn.bound) / max(abs(turn.found), 1e-9)


def turn_rows(document: PlanDocument) -> list[TurnRow]:
    """Each objective with its bound."""
    found = []
    for turn in document.objectives:
        larger = turn.name == "coverage"
        name = name_of(turn.name, document)
        found.append(
            TurnRow(
                name=t("{name}, {unit}", name=f"{name[:1].upper()}{name[1:]}", unit=words.unit(turn.unit)),
                today=words.number(turn.before, 1),
                plan=words.number(turn.value, 1),
                bound=words.number(turn.bound, 1),
                better=t("more is better") if larger else t("less is better"),
                gap=figures(f"{100 * turn.gap:.6f} %"),
                proof="proof.npz" if turn.proof == "certificate" else t("the solver's word"),
            )
        )
    return found


def even_rows(document: PlanDocument) -> list[EvenRow]:
    """Everyone, each group, then the areas with most people; empty where a plan holds no measures of equity."""
    before, after = document.measures.before, document.measures.after
    pairs: list[tuple[str, Measures, Measures]] = [(t("Everyone"), before, after)]
    pairs += [(name, was, after.groups[name]) for name, was in before.groups.items() if name in after.groups]
    rows = [
        _even(
            name.replace("_", " "),
            was.worst_decile_min,
            now.worst_decile_min,
            was.ede_min,
            now.ede_min,
            was.gini,
            now.gini,
        )
        for name, was, now in pairs
        if now.gini is not None
    ]  # fmt: skip
    areas = sorted(document.areas, key=lambda area: (-area.people, area.name))
    rows += [
        _even(
            area.name, area.before_worst_decile_min, area.after_worst_decile_min, area.before_ede_min,
            area.after_ede_min, area.before_gini, area.after_gini,
        )
        for area in areas[:_LONGEST]
        if area.after_gini is not None
    ]  # fmt: skip
    return rows


def _even(
    name: str,
    worst_before: float | None,
    worst_after: float | None,
    ede_before: float | None,
    ede_after: float | None,
    gini_before: float | None,
    gini_after: float | None,
) -> EvenRow:
    return EvenRow(
        name,
        words.minutes_pair(worst_before, worst_after),
        words.minutes_pair(ede_before, ede_after),
        (_two(gini_before), _two(gini_after)),
    )


def _two(value: float | None) -> str:
    return words.NONE if value is None else figures(f"{value:.2f}")
