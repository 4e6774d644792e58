"""The tables of the report as rows of words, and ``sites.csv``."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from nearer.files import written_whole
from nearer.language import figures, language, t, told
from nearer.planning.document import Measures, PlanDocument
from nearer.planning.plan import Plan
from nearer.report import words
from nearer.report.choices import chosen_anew
from nearer.report.mapframe import lonlat
from nearer.report.mapmarks import LETTERED, letters

LONGEST = 20
"""Rows of a table that names areas; the rest is in ``plan.gpkg``."""

_FIRST = ("id", "name", "status", "order", "phase", "agency", "level", "area", "people", "sent", "room", "spent")
_THEN = (
    *("gain_person_min", "loss_person_min", "people_nearer", "replacement", "replaced_loss_person_min"),
    *("otherwise_least_person_min", "otherwise_most_person_min"),
)


class GroupRow(NamedTuple):
    """Everyone or one group, in words."""

    name: str
    people: str
    mean: tuple[str, str]
    within: tuple[str, str]
    unreached: tuple[str, str]


class OpenedRow(NamedTuple):
    """A new centre, in words; ``part`` is its share of the whole gain, 0 … 1."""

    order: str
    name: str
    where: str
    phase: str
    agency: str
    people: str
    gain: str
    part: float
    loss: str
    replacement: str
    replaced: str
    saves: bool
    anew: str


class FarRow(NamedTuple):
    """A place that remains far, in words."""

    letter: str
    name: str
    people: str
    unreached: str
    minutes: str
    nearest: str
    mend: str
    mend_minutes: str
    mend_unreached: str


class AreaRow(NamedTuple):
    """An area, in words."""

    name: str
    people: str
    mean: tuple[str, str]
    within: tuple[str, str]
    unreached: str


def site_names(plan: Plan) -> dict[str, str]:
    """Name (else id) of every site, told apart where names are the same."""
    areas = {site.id: site.area for site in plan.document.sites}
    named = zip(plan.sites["id"].astype(str), plan.sites["name"].fillna("").astype(str), strict=True)
    return words.told_apart((i, name, areas.get(i)) for i, name in named)


def _share_within(measures: Measures, near: float) -> str:
    found = [share for key, share in measures.within.items() if math.isclose(float(key), near)]
    return words.percent(found[0]) if found else words.NONE


def group_rows(document: PlanDocument) -> list[GroupRow]:
    """Everyone, then each group."""
    before, after = document.measures.before, document.measures.after
    near = words.near_min(document)
    everyone = (words.percent(words.within(document, "before")), words.percent(words.within(document, "after")))
    pairs: list[tuple[str, Measures, Measures]] = [(t("Everyone"), before, after)]
    pairs += [(name, was, after.groups[name]) for name, was in before.groups.items() if name in after.groups]
    return [
        GroupRow(
            name=name.replace("_", " "),
            people=words.whole(now.people),
            mean=words.minutes_pair(was.mean_min, now.mean_min),
            within=everyone if now is after else (_share_within(was, near), _share_within(now, near)),
            unreached=(words.whole(was.unreached), words.whole(now.unreached)),
        )
        for name, was, now in pairs
    ]


def _replaced(plan: Plan, loss: float | None) -> str:
    """
    What is still lost with a replacement.

    It may save hours where rules across sites or room speak against it, or where hours were not what came first.
    """
    if loss is not None and _saves(loss):
        text = t("{hours} more saved", hours=words.hours(-loss))
    else:
        text = t("{hours} still lost", hours=words.hours(loss))
    return t("{text}, if rules and room allow", text=text) if plan.document.phases else text


def _saves(loss: float | None) -> bool:
    """Whether the hours lost, as they are shown, are below zero."""
    with language("en"):
        return words.hours(loss).startswith("-")


def opened_rows(plan: Plan) -> list[OpenedRow]:
    """All new centres in order of gain."""
    names = site_names(plan)
    opened = sorted((s for s in plan.document.sites if s.status == "opened"), key=lambda s: (s.order or math.inf, s.id))
    total = sum(site.gain_person_min or 0.0 for site in opened)
    return [
        OpenedRow(
            order="" if site.order is None else figures(str(site.order)),
            name=names.get(site.id, site.id),
            where=site.area or "",
            phase=site.phase or "",
            agency=site.agency or "",
            people=words.whole(site.people),
            gain=words.hours(site.gain_person_min),
            part=max(0.0, (site.gain_person_min or 0.0) / total) if total > 0 else 0.0,
            loss=words.hours(site.loss_person_min),
            replacement="" if site.replacement is None else names.get(site.replacement, site.replacement),
            replaced=_replaced(plan, site.replaced_loss_person_min),
            saves=_saves(site.replaced_loss_person_min),
            anew=chosen_anew(site.replaced_loss_person_min, site.without),
        )
        for site in opened
    ]


def far_rows(plan: Plan) -> list[FarRow]:
    """Places that remain far, lettered as on the map."""
    names = site_names(plan)
    places = plan.document.far[:LETTERED]
    rows = []
    for letter, place in zip(letters(len(places)), places, strict=True):
        minutes, then = words.minutes_pair(place.minutes, place.mend_minutes)
        out = place.people if place.minutes is None else place.unreached
        rows.append(
            FarRow(
                letter=letter,
                name=told(place.name) or f"{place.lat:.4f}, {place.lon:.4f}",
                people=words.whole(place.people),
                unreached=words.whole(out),
                minutes=minutes,
                nearest="" if place.nearest_site is None else names.get(place.nearest_site, place.nearest_site),
                mend="" if place.mend is None else names.get(place.mend, place.mend),
                mend_minutes=then,
                mend_unreached=words.whole(left) if (left := place.mend_unreached or 0.0) >= 0.5 else "",
            )
        )
    return rows


def area_rows(document: PlanDocument) -> list[AreaRow]:
    """Areas, those with most people still far first."""
    ranked = sorted(document.areas, key=lambda area: (-(1.0 - area.after_within) * area.people, area.name))
    return [
        AreaRow(
            name=area.name or t("elsewhere"),
            people=words.whole(area.people),
            mean=words.minutes_pair(area.before_mean_min, area.after_mean_min),
            within=(words.percent(area.before_within), words.percent(area.after_within)),
            unreached=words.whole(area.after_unreached),
        )
        for area in ranked
    ]


def sites_frame(plan: Plan) -> pd.DataFrame:
    """
    Every site with what the plan says of it, then the user's own columns.

    Opened sites come first, in order of gain, then the others as they were read.
    """
    table = pd.DataFrame(plan.sites.drop(columns=plan.sites.geometry.name)).reset_index(drop=True)
    table["lon"], table["lat"] = (values.round(7) for values in lonlat(plan.sites))
    known = pd.DataFrame([site.model_dump() for site in plan.document.sites])
    if len(known):
        known = known.drop_duplicates("id").set_index("id")
        for column in (*_FIRST, *_THEN):
            if column not in table and column in known:
                table[column] = table["id"].map(known[column])
    for column in ("people", *(column for column in _THEN if column != "replacement")):
        if column in table:
            table[column] = pd.to_numeric(table[column]).round(3)
    if "order" in table:
        table["order"] = table["order"].astype("Int64")
    first = [column for column in (*_FIRST, *_THEN) if column in table and not _ours_and_empty(table, column)]
    rest = [column for column in table.columns if column not in (*_FIRST, *_THEN, "lon", "lat")]
    table = table[[*first, "lon", "lat", *rest]]
    return table.sort_values("order", kind="stable", na_position="last") if "order" in table else table


def _ours_and_empty(table: pd.DataFrame, column: str) -> bool:
    """Whether a column that only some studies have (phases, agencies, levels) holds nothing."""
    return column in ("phase", "agency", "level", "area", "sent", "room", "spent") and bool(table[column].isna().all())


def write_sites_csv(plan: Plan, path: Path) -> None:
    """
    Write ``sites.csv``: UTF-8, comma, one row per site, empty where there is nothing.

    Raises
    ------
    NearerError
        The file cannot be written.
    """
    with written_whole(Path(path)) as beside:
        sites_frame(plan).to_csv(
            beside, index=False, lineterminator="\n", encoding="utf-8", quoting=csv.QUOTE_MINIMAL, na_rep=""
        )
