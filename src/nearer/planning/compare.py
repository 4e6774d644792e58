"""Plans side by side: sites in common and only in one, measures, groups, areas, costs, and what they were made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import PurePath
from typing import Any, NamedTuple

import nearer
from nearer.errors import UsageError
from nearer.planning.comparedoc import (
    ComparedArea,
    ComparedGroup,
    CompareDocument,
    ComparedPlan,
    ComparedSite,
    Overlap,
    Reached,
)
from nearer.planning.document import Measures, PlanDocument, PlannedSite

_ASKED = ("study.name", "study.seed", "plan.open", "plan.open_max")  # what plans are compared for
_OF_PEOPLE = ("streets.", "people.", "area.", "plan.coverage_min", "plan.unreached_min")


class Given(NamedTuple):
    """
    A plan to be compared.

    Its folder as people name it, the folder as seen from the comparison, the hash of its ``plan.json``, the plan, and
    its settings with the defaults of this version filled in.
    """

    folder: PurePath
    seen: str
    sha256: str
    document: PlanDocument
    settings: dict[str, Any]


def compare_plans(given: Sequence[Given]) -> CompareDocument:
    """
    Everything that several plans have in common, and not.

    Raises
    ------
    UsageError
        Fewer than two plans, or two that share neither an input file nor a site.
    """
    if len(given) < 2:
        raise UsageError("Give two plan folders or more to compare.")
    labels = labels_of([one.folder for one in given])
    documents = [one.document for one in given]
    _refuse_strangers(labels, documents)
    inputs, people_inputs = _different_inputs(labels, documents)
    settings = _different_settings(labels, [one.settings for one in given])
    of_people = [key for key in settings if key.startswith(_OF_PEOPLE)]
    same_people = not people_inputs and not of_people
    opened = [{site.id for site in document.sites if site.status == "opened"} for document in documents]
    near = [_near_min(document) for document in documents]
    return CompareDocument(
        nearer=nearer.__version__,
        coverage_min=near[0],
        same_people=same_people,
        same_objective=same_people and not settings,
        differs=[*inputs, *settings.values()],
        plans=[_plan(one, label, opened, place) for place, (one, label) in enumerate(zip(given, labels, strict=True))],
        in_all=sorted(set.intersection(*opened)),
        overlaps=[
            Overlap(
                plans=[labels[a], labels[b]],
                common=len(opened[a] & opened[b]),
                share=len(opened[a] & opened[b]) / len(opened[a] | opened[b]) if opened[a] | opened[b] else 1.0,
            )
            for a, b in combinations(range(len(given)), 2)
        ],
        sites=_sites(documents),
        groups=_groups(documents, near),
        areas=_areas(documents),
    )


def labels_of(folders: Sequence[PurePath]) -> list[str]:
    """The shortest ends of the paths that tell them apart; numbered where a folder is given twice."""
    parts = [folder.parts[::-1] for folder in folders]
    labels = []
    for place, mine in enumerate(parts):
        others = [other for n, other in enumerate(parts) if n != place and other != mine]
        length = 1
        while length < len(mine) and any(other[:length] == mine[:length] for other in others):
            length += 1
        label = "/".join(part.strip("/\\") for part in mine[:length][::-1])
        if parts.count(mine) > 1:
            label += f" ({parts[: place + 1].count(mine)})"
        labels.append(label)
    return labels


def _refuse_strangers(labels: Sequence[str], documents: Sequence[PlanDocument]) -> None:
    for (a, one), (b, other) in combinations(zip(labels, documents, strict=True), 2):
        shared = set(one.inputs.values()) & set(other.inputs.values())
        if not shared and not {site.id for site in one.sites} & {site.id for site in other.sites}:
            raise UsageError(
                f"{a} and {b} were made from different files and have no site in common: they are plans of different "
                "studies, and nothing of them can be compared."
            )


def _different_inputs(labels: Sequence[str], documents: Sequence[PlanDocument]) -> tuple[list[str], list[str]]:
    """A sentence for each file that is not the same in all plans; all of them, and those that measures hang on."""
    kinds = {source.path: source.kind for document in documents for source in document.sources}
    names = sorted({name for document in documents for name in document.inputs})
    found, of_people = [], []
    for name in names:
        versions: dict[str | None, list[str]] = {}
        for label, document in zip(labels, documents, strict=True):
            versions.setdefault(document.inputs.get(name), []).append(label)
        if len(versions) == 1:
            continue
        absent = versions.pop(None, [])
        groups = [" and ".join(group) for group in versions.values()]
        text = f"{name} is not the same file in " + " as in ".join(groups) if len(groups) > 1 else f"{name} is read"
        if len(groups) == 1:
            text += f" in {groups[0]}"
        text += f" and not in {' and '.join(absent)}." if absent else "."
        found.append(text)
        if kinds.get(name, "") not in ("sites", "existing", "candidates"):
            of_people.append(text)
    return found, of_people


def _different_settings(labels: Sequence[str], settings: Sequence[dict[str, Any]]) -> dict[str, str]:
    """A sentence for each setting that is not the same in all plans, apart from what plans are compared for."""
    flat = [_flat(one) for one in settings]
    keys = sorted({key for one in flat for key in one})
    found = {}
    for key in keys:
        values = [one.get(key) for one in flat]
        if key in _ASKED or key.startswith("sites[") or all(value == values[0] for value in values):
            continue
        told = [
            f"{'unset' if value is None else value} in {label}" for label, value in zip(labels, values, strict=True)
        ]
        found[key] = f"{key} is {', '.join(told)}."
    return found


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for name, item in value.items() for k, v in _flat(item, f"{key}.{name}" if key else name).items()}
    if isinstance(value, list | tuple):
        return {k: v for n, item in enumerate(value, 1) for k, v in _flat(item, f"{key}[{n}]").items()}
    return {key: value}


def _near_min(document: PlanDocument) -> float:
    return float(document.settings.get("plan", {}).get("coverage_min") or 15.0)


def _reached(measures: Measures, near_min: float) -> Reached:
    within = next((share for key, share in measures.within.items() if math.isclose(float(key), near_min)), 0.0)
    return Reached(mean_min=measures.mean_min, within=within, unreached=measures.unreached)


def _plan(one: Given, label: str, opened: Sequence[set[str]], place: int) -> ComparedPlan:
    document = one.document
    near = _near_min(document)
    others = set().union(*(sites for n, sites in enumerate(opened) if n != place))
    costs = [site.spent for site in document.sites if site.spent is not None]
    return ComparedPlan(
        label=label,
        folder=one.seen,
        sha256=one.sha256,
        study=document.study,
        status=document.status,
        value=document.objective.value,
        bound=document.bound,
        gap=document.gap,
        opened=document.opened,
        centres=sum(site.status != "closed" for site in document.sites),
        spent=math.fsum(costs) if costs else None,
        running=document.phases[-1].running if document.phases else None,
        before=_reached(document.measures.before, near),
        after=_reached(document.measures.after, near),
        farthest_min=document.measures.after.farthest_min,
        only=sorted(opened[place] - others),
    )


def _sites(documents: Sequence[PlanDocument]) -> list[ComparedSite]:
    known: list[dict[str, PlannedSite]] = [{site.id: site for site in document.sites} for document in documents]
    changed = {site.id: site for one in known for site in one.values() if site.status != "existing"}
    rows = []
    for site in changed.values():
        here = [one.get(site.id) for one in known]
        rows.append(
            ComparedSite(
                id=site.id,
                name=site.name,
                area=site.area,
                lon=site.lon,
                lat=site.lat,
                status=[None if found is None or found.status == "existing" else found.status for found in here],
                people=[None if found is None or found.status == "closed" else found.people for found in here],
            )
        )

    def rank(row: ComparedSite) -> tuple[bool, int, str]:
        return len(set(row.status)) == 1, -sum(status is not None for status in row.status), row.id

    return sorted(rows, key=rank)


def _groups(documents: Sequence[PlanDocument], near: Sequence[float]) -> list[ComparedGroup]:
    names = list(dict.fromkeys(name for document in documents for name in document.measures.after.groups))
    return [
        ComparedGroup(
            name=name,
            plans=[
                _reached(document.measures.after.groups[name], minutes)
                if name in document.measures.after.groups
                else None
                for document, minutes in zip(documents, near, strict=True)
            ],
        )
        for name in names
    ]


def _areas(documents: Sequence[PlanDocument]) -> list[ComparedArea]:
    known = [{area.name: area for area in document.areas} for document in documents]
    names = sorted({name for one in known for name in one})
    rows = []
    for name in names:
        here = [one.get(name) for one in known]
        first = next(area for area in here if area is not None)
        rows.append(
            ComparedArea(
                name=name,
                people=first.people,
                opened=[
                    sum(site.status == "opened" and site.area == name for site in document.sites)
                    for document in documents
                ],
                mean_min=[None if area is None else area.after_mean_min for area in here],
                within=[None if area is None else area.after_within for area in here],
                unreached=[None if area is None else area.after_unreached for area in here],
            )
        )
    return rows
