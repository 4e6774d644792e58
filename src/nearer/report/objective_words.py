"""Objectives, rules and equity in the words and rows of the report."""

from __future__ import annotations

from typing import NamedTuple

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
    people = f"people within {near} minutes"
    if decay:
        people = f"people near (whole up to {decay[0]:g} minutes, not at all from {decay[1]:g})"
    if (twice := document.backup) is not None:
        share = f"{100 * twice.second_share:g}{words.THIN}%"
        people += f", {share} of each counting only once a second open centre is that near too"
    return {
        "travel": "minutes of everyone together",
        "coverage": people,
        "unreached": "people out of reach",
        "farthest": "longest time of anybody within reach",
        "equal": "minutes that would be as good if all had them (Kolm-Pollak)",
        "cost": f"what it takes to bring enough people within {near} minutes",
    }[name]


def aims(document: PlanDocument) -> str:
    """What the plan makes good, in one sentence."""
    trip = words.trip(document)
    if document.phases and len(document.objectives) < 2:
        return _over_phases(document)
    if not document.objectives:
        return f"The plan makes the sum of everyone's {trip} to the nearest centre as short as it can."
    verbs = {"coverage": "the most", "unreached": "the fewest"}
    listed = [f"{verbs.get(turn.name, 'the least')} {name_of(turn.name, document)}" for turn in document.objectives]
    if len(listed) == 1:
        return f"The plan goes for {listed[0]}."
    kept = [
        f"{turn.tolerance * 100:g}{words.THIN}% of {name_of(turn.name, document)}"
        for turn in document.objectives
        if turn.tolerance > 0
    ]
    given = (
        f"; later ones may give up {' and '.join(kept)}" if kept else "; none may give up what one before it reached"
    )
    return f"The plan goes, in this order, for {', then '.join(listed)}{given}."


def _over_phases(document: PlanDocument) -> str:
    """What a plan with phases, levels or money makes good."""
    name = document.objective.name
    if name == "travel":
        goal = f"The plan makes the sum of everyone's {words.trip(document)} as short as it can"
    elif name == "cost":
        goal = f"The plan takes as {'little money' if document.objective.unit == 'money' else 'few centres'} as it can"
    else:
        most = "most" if name == "coverage" else "least"
        goal = f"The plan goes for the {most} {name_of(name, document)}"
    if len(document.phases) < 2:
        return f"{goal}."
    return (
        f"{goal}, over all phases; a phase counts for its years. Maps and figures of before and after are for the "
        "people of today."
    )


def rules(document: PlanDocument) -> list[str]:
    """The rules that stand beside the objectives, one sentence each."""
    found = []
    if within := words.setting(document, "plan.everyone_within_min"):
        found.append(f"Everyone whom any site could serve within {words.bare(within)} minutes is within that time.")
        if document.unservable:
            most = document.unservable[0]
            where = f" in \u2068{most.area}\u2069" if most.area else ""
            found.append(
                f"No site could do so for {words.people(document.unservable_people)} at "
                f"{words.count(len(document.unservable), 'place')} named in plan.json, most of them at "
                f"\u2068{most.id}\u2069{where} ({words.people(most.people)})."
            )
    if share := words.setting(document, "plan.within_share"):
        near = words.bare(words.near_min(document))
        found.append(f"At least {share * 100:g}{words.THIN}% of all people are brought within {near} minutes.")
    for key, said in (("force", "had to open"), ("forbid", "could not open")):
        if ids := words.setting(document, f"plan.{key}", []):
            found.append(f"These candidates {said}: \u2068{', '.join(map(str, ids))}\u2069.")
    return found


def in_turns(document: PlanDocument) -> str:
    """How good a plan with several objectives is; claims no more than each bound does."""
    sites = words.count(document.opened, "site")
    if document.status == "optimal":
        return f"In the order asked, no other choice of {sites} is better: proven for each objective."
    short = [turn for turn in document.objectives if turn.status != "optimal"]
    listed = ", ".join(
        f"{name_of(turn.name, document)} by more than {words.percent_up(_short_of(turn))}" for turn in short
    )
    return f"In the order asked, no choice of {sites} betters {listed}; the rest is proven."


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
                name=f"{name[:1].upper()}{name[1:]}, {turn.unit}",
                today=f"{turn.before:,.1f}",
                plan=f"{turn.value:,.1f}",
                bound=f"{turn.bound:,.1f}",
                better="more is better" if larger else "less is better",
                gap=f"{100 * turn.gap:.6f} %",
                proof="proof.npz" if turn.proof == "certificate" else "the solver's word",
            )
        )
    return found


def even_rows(document: PlanDocument) -> list[EvenRow]:
    """Everyone, each group, then the areas with most people; empty where a plan holds no measures of equity."""
    before, after = document.measures.before, document.measures.after
    pairs: list[tuple[str, Measures, Measures]] = [("Everyone", before, after)]
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
    return words.NONE if value is None else f"{value:.2f}"
