"""Reasons and other plans as rows of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nearer.language import figures, t, tn
from nearer.planning.document import OtherPlans, Otherwise, PlanDocument
from nearer.report import plan_words, words

SHOWN = 12
"""Rows of the table of nearest misses; the rest is in ``sites.csv``."""
_NAMED = 30  # longest list of names in a sentence


class MissRow(NamedTuple):
    """A candidate left out, in words."""

    name: str
    cost: str
    closes: str
    opens: str


class OtherRow(NamedTuple):
    """Another plan, in words."""

    number: str
    worse: str
    hours: str
    least: str
    opens: str
    closes: str


class Choices(NamedTuple):
    """What stands in the report beside the plan; ``misses_left`` more candidates are left out of the first table."""

    misses: list[MissRow]
    misses_left: int
    some_bounded: bool
    others: list[OtherRow]
    others_title: str
    others_text: str


def choices(document: PlanDocument, names: dict[str, str]) -> Choices:
    """Both tables of a plan; empty where it tells of neither."""
    known = [site for site in document.rejected if site.forced.at_most_person_min is not None]
    told = document.alternatives
    return Choices(
        misses=[
            MissRow(
                name=names.get(site.id, site.name or site.id),
                cost=cost(site.forced),
                closes=_listed(site.forced.closes, names),
                opens=_listed([i for i in site.forced.opens if i != site.id], names),
            )
            for site in known[:SHOWN]
        ],
        misses_left=max(0, len(known) - SHOWN),
        some_bounded=any(_between(site.forced) for site in known[:SHOWN]),
        others=[] if told is None else _other_rows(document, told, names),
        others_title="" if told is None else plan_words.others(told),
        others_text="" if told is None else _in_all(document, told, names),
    )


def cost(one: Otherwise) -> str:
    """Hours lost: one figure where it is exact, else what is proven, if anything, and what was found."""
    least, most = words.hours(max(one.at_least_person_min or 0.0, 0.0)), words.hours(one.at_most_person_min)
    if least == most:
        return most
    if least == words.hours(0.0):
        return t("up to {most}", most=most)
    return t("{least} to {most}", least=least, most=most)


def _between(one: Otherwise) -> bool:
    """Whether the hours are not known exactly."""
    return words.hours(max(one.at_least_person_min or 0.0, 0.0)) != words.hours(one.at_most_person_min)


def chosen_anew(replaced: float | None, without: Otherwise | None) -> str:
    """What a replaced centre's loss becomes if everything else may change too, to follow "… still lost"."""
    if without is None or without.at_most_person_min is None:
        return ""
    if words.hours(without.at_most_person_min) == words.hours(replaced):
        return "" if _between(without) else t(", whatever else is chosen")
    return t("; {cost} with all chosen anew", cost=cost(without))


def _other_rows(document: PlanDocument, told: OtherPlans, names: dict[str, str]) -> list[OtherRow]:
    value = document.objective.value
    scale = max(abs(value), 1e-9)
    return [
        OtherRow(
            number=figures(str(number)),
            worse=_share((other.value - value) / scale),
            hours=words.hours(other.value - value),
            least=_share(max(other.bound - value, 0.0) / scale),
            opens=_listed(other.opens, names),
            closes=_listed(other.closes, names),
        )
        for number, other in enumerate(told.plans, start=1)
    ]


def _share(share: float) -> str:
    """A small share as percent, two figures."""
    return figures(f"{100 * share:.2g}{words.THIN}%" if abs(share) >= 1e-7 else f"0{words.THIN}%")


def _in_all(document: PlanDocument, told: OtherPlans, names: dict[str, str]) -> str:
    """Which centres every plan opens."""
    if not told.plans:
        return ""
    opened = [site.id for site in document.sites if site.status == "opened"]
    apart = [i for i in opened if i not in set(told.in_all)]
    if not told.in_all:
        return t("No new centre is in every one of these plans, the plan of this report among them.")
    counted = tn(
        len(opened),
        "{part} of the {n} new centre are in every plan",
        "{part} of the {n} new centres are in every plan",
        part=figures(str(len(told.in_all))),
    )
    if len(told.in_all) <= min(_NAMED, len(apart)):
        return t("{counted}: {names}.", counted=counted, names=_listed(told.in_all, names))
    if len(apart) <= _NAMED:
        return t("{counted}: all but {names}.", counted=counted, names=_listed(apart, names))
    return t("{counted}; plan.json lists them.", counted=counted)


def _listed(ids: Sequence[str], names: dict[str, str]) -> str:
    return t("; ").join(names.get(i, i) for i in ids)  # names have commas in them
