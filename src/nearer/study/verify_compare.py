"""The independent check of a comparison: every plan's figures counted again from its own inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from nearer.files import sha256
from nearer.model import OPEN
from nearer.planning.comparedoc import CompareDocument, ComparedPlan
from nearer.planning.curvefiles import read_as
from nearer.planning.document import PlanDocument
from nearer.planning.files import PLAN_FILE, read_document
from nearer.study.checks import Check, Verdict, equal, vector
from nearer.study.compare import COMPARE_FILE
from nearer.study.provenance import origin_of
from nearer.study.recount import Recount
from nearer.study.retime import retime
from nearer.study.retime_pairs import Pairs


def verify_compare(folder: Path, study_folder: Path | None = None) -> Verdict:
    """
    Check a comparison against its plans, and their figures against the inputs.

    The proofs of the plans, values of plans in phases, and money are the business of ``verify_plan``.

    Raises
    ------
    InputError
        There is no comparison, or a plan or an input is missing or has changed.
    """
    folder = Path(folder)
    folder = folder.parent if folder.name == COMPARE_FILE else folder
    told = read_as(CompareDocument, folder / COMPARE_FILE, "run `nearer compare` again")
    checks: list[Check] = []
    documents = []
    for plan in told.plans:
        documents.append(read_document(folder / plan.folder))
        found = sha256(folder / plan.folder / PLAN_FILE)
        checks.append(Check(f"{plan.label}: unchanged", found == plan.sha256, plan.sha256, found))
    checks += _check_sites(told, documents)
    for place, (plan, document) in enumerate(zip(told.plans, documents, strict=True)):
        checks += _check_figures(told, place, plan, document, folder / plan.folder, study_folder)
    return Verdict(tuple(checks))


def _check_sites(told: CompareDocument, documents: list[PlanDocument]) -> Iterator[Check]:
    opened = [sorted(site.id for site in document.sites if site.status == "opened") for document in documents]
    common = [site for site in opened[0] if all(site in one for one in opened)]
    yield equal("sites in all", told.in_all, common)
    for place, plan in enumerate(told.plans):
        rest = [site for n, one in enumerate(opened) if n != place for site in one]
        yield equal(f"{plan.label}: alone", plan.only, [site for site in opened[place] if site not in rest])
        rows = sorted(row.id for row in told.sites if row.status[place] == "opened")
        yield equal(f"{plan.label}: sites", rows, opened[place])
        yield equal(f"{plan.label}: opened", plan.opened, len(opened[place]))
    both = list(combinations(opened, 2))
    yield equal("overlaps", [row.common for row in told.overlaps], [len([s for s in a if s in b]) for a, b in both])


def _check_figures(
    told: CompareDocument,
    place: int,
    plan: ComparedPlan,
    document: PlanDocument,
    folder: Path,
    given: Path | None,
) -> Iterator[Check]:
    origin = origin_of(document, folder, PLAN_FILE, given)
    study, tables = origin.study, origin.tables
    pairs: dict[str, Pairs] = retime(tables, study.streets, origin.folder)
    recount = Recount(study, tables, pairs)
    before = recount.nearest(recount.standing == OPEN)
    closed = frozenset(site.id for site in document.sites if site.status == "closed")
    recount = replace(recount, closed=closed)
    chosen = tables.sites.table["id"].isin({site.id for site in document.sites if site.status == "opened"}).to_numpy()
    after = recount.nearest(chosen | (recount.standing == OPEN))
    for name, nearest, reached in (("before", before, plan.before), ("after", after, plan.after)):
        values = [reached.mean_min, reached.within, reached.unreached]
        yield vector(f"{plan.label}: {name}", values, recount.reach(nearest), ["mean_min", "within", "unreached"])
    if not study.staged and plan.value == document.objective.value and document.objective.name == "travel":
        yield equal(f"{plan.label}: value", plan.value, recount.value_ms(after) / 60_000.0)
    groups = recount.access(after)["groups"]
    near = f"{study.plan.coverage_min:g}"
    for group in told.groups:
        one = group.plans[place]
        if one is not None:
            found = groups[group.name]
            yield vector(
                f"{plan.label}: {group.name}",
                [one.mean_min, one.within, one.unreached],
                [found["mean_min"], found["within"][near], found["unreached"]],
                ["mean_min", "within", "unreached"],
            )
    areas = recount.areas(before, after)
    here = [area for area in told.areas if area.mean_min[place] is not None]
    names = [area.name for area in here]
    yield equal(f"{plan.label}: areas", names, sorted(areas))
    if names == sorted(areas):
        for key in ("mean_min", "within", "unreached"):
            values = [getattr(area, key)[place] for area in here]
            yield vector(f"{plan.label}: areas, {key}", values, [areas[n][f"after_{key}"] for n in names], names)
