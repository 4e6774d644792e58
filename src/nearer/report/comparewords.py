"""Sentences and the table of a comparison, as a planner reads them."""

from __future__ import annotations

import re

from nearer.language import spoken, t, tn
from nearer.planning.comparedoc import CompareDocument
from nearer.report import words


def headline(document: CompareDocument) -> str:
    """What the plans have in common, in one sentence."""
    n = words.bare(len(document.plans))
    numbers = {plan.opened for plan in document.plans}
    common = len(document.in_all)
    shared = tn(common, "{n} site is in all of them", "{n} sites are in all of them") if common else ""
    shared = shared or t("no site is in all")
    if len(numbers) > 1:
        return t("{n} plans open different numbers of sites; {shared}.", n=n, shared=shared)
    return t("{n} plans each open {sites}; {shared}.", n=n, sites=words.count(numbers.pop(), "site"), shared=shared)


def best(document: CompareDocument) -> str:
    """Which plan has the shortest average way, where that can be said; "" elsewhere."""
    if not document.same_people:
        return ""
    ranked = sorted(document.plans, key=lambda plan: plan.after.mean_min)
    first, last = ranked[0], ranked[-1]
    one, other = words.minutes_pair(first.after.mean_min, last.after.mean_min)
    if one == other:
        return t("The average way is {minutes} minutes with every one of them.", minutes=one)
    return t(
        "The average way is shortest with {first} ({least} minutes) and longest with {last} ({most}).",
        first=f"\u2068{first.label}\u2069",
        least=one,
        last=f"\u2068{last.label}\u2069",
        most=other,
    )


def differing(document: CompareDocument) -> list[str]:
    """What the plans were not made from alike, one sentence each."""
    return [_differing(line, [plan.label for plan in document.plans]) for line in document.differs]


def _differing(line: str, labels: list[str]) -> str:
    """A sentence of ``CompareDocument.differs`` in the language spoken; it is read again by the names of the plans."""
    if spoken() == "en":
        return line
    one = f"(?:{'|'.join(sorted(map(re.escape, labels), key=len, reverse=True))})"
    some = f"{one}(?: and {one})*"
    form = rf"(.+) is (?:not the same file in ({some}(?: as in {some})+)|read in ({some}))(?: and not in ({some}))?\."

    def listed(plans: str) -> str:
        return words.joined(f"\u2068{label}\u2069" for label in re.findall(one, plans))

    if found := re.fullmatch(form, line):
        file, versions, only, absent = found.groups()
        said = t("{file} is read in {plans}", file=f"\u2068{file}\u2069", plans=listed(only)) if only else ""
        if versions:
            groups = t(" as in ").join(map(listed, re.findall(f"({some})(?: as in |$)", versions)))
            said = t("{file} is not the same file in {groups}", file=f"\u2068{file}\u2069", groups=groups)
        return said + (t(" and not in {plans}.", plans=listed(absent)) if absent else ".")
    if found := re.fullmatch(rf"(\S+) is (.+ in {one})\.", line):
        pairs = re.findall(rf"(.*?) in ({one})(?:, |$)", found[2])
        told = [
            t("{value} in {plan}", value=t("unset") if value == "unset" else value, plan=f"\u2068{label}\u2069")
            for value, label in pairs
        ]
        return t("{key} is {values}.", key=f"\u2068{found[1]}\u2069", values=words.joined(told))
    return line


def meaning(document: CompareDocument) -> str:
    """What differences leave to be compared."""
    if not document.same_people:
        return t("The measures of these plans cannot be compared with one another; each is that of its own study.")
    if not document.same_objective:
        return t("Values and bounds cannot be compared with one another; the measures of access can.")
    return t("Figures can be compared all the same.")


def summary(document: CompareDocument) -> list[str]:
    """The few lines a command line prints under its tables."""
    lines = [headline(document), best(document)]
    if len(document.plans) > 2:
        lines += [
            tn(
                row.common,
                "{one} and {other} share {n} site ({share} of all they open).",
                "{one} and {other} share {n} sites ({share} of all they open).",
                one=row.plans[0],
                other=row.plans[1],
                share=words.percent(row.share),
            )
            for row in document.overlaps
        ]
    if document.differs:
        lines.append(t("Not made from the same:"))
        lines += [f"  {text}" for text in differing(document)]
    if not document.same_people:
        lines.append(
            t("So the measures of these plans cannot be compared with one another; each is that of its own study.")
        )
    elif not document.same_objective:
        lines.append(t("So values and bounds cannot be compared with one another; the measures of access can."))
    return [line for line in lines if line]


def table(document: CompareDocument) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the terminal's table: a row for each plan."""
    near = words.bare(document.coverage_min)
    header = [
        *(t("plan"), t("new"), t("alone"), t("minutes"), t("within {near} min", near=near)),
        *(t("out of reach"), t("better by at most")),
    ]
    rows = [
        [
            plan.label,
            words.bare(plan.opened),
            words.bare(len(plan.only)),
            words.number(plan.after.mean_min, 2),
            words.percent(plan.after.within),
            words.whole(plan.after.unreached),
            t("proven") if plan.status == "optimal" else words.percent_up(plan.gap),
        ]
        for plan in document.plans
    ]
    return header, rows
