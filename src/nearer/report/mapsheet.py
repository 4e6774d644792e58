"""A plan laid out for drawing: projected, grouped and simplified once, for every map of a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import geopandas as gpd
import numpy as np

from nearer.planning.document import SourceFile
from nearer.planning.plan import Plan
from nearer.report import words
from nearer.report.mapbase import outline_path, street_layers, street_paths
from nearer.report.mapcells import OUT, CellGroup, cell_groups
from nearer.report.mapframe import WIDTH, Frame, Ground, frame_of, lonlat

Which = Literal["before", "after", "opened", "far"]


@dataclass(frozen=True)
class Canvas:
    """
    What lies under every map of a page, drawn once.

    Parameters
    ----------
    ground, frame
        What is drawn, and where.
    prefix
        Start of every id, so that several sheets can share a page.
    names
        Areas to be named, those with most people first: text and spot in units.
    source
        Whose map it is.
    defs
        Shared definitions, content of ``<defs>``.
    """

    ground: Ground
    frame: Frame
    prefix: str
    names: list[tuple[str, float, float]]
    source: str
    defs: str


@dataclass(frozen=True)
class Sheet(Canvas):
    """
    A plan laid out for drawing.

    Parameters
    ----------
    plan
        The plan.
    groups
        People's cells.
    stage
        The phase that a map shows, None for the whole plan.
    """

    plan: Plan
    groups: list[CellGroup]
    stage: int | None = None


def source_line(sources: Iterable[SourceFile]) -> str:
    """Whose data the maps show."""
    found = [source.licence for source in sources if source.licence]
    ours = [licence for licence in found if "OpenStreetMap" in licence]
    return "© OpenStreetMap contributors" if ours else "; ".join(dict.fromkeys(found))


def _areas(people: gpd.GeoDataFrame, frame: Frame) -> list[tuple[str, float, float]]:
    named = people[people["area"].fillna("") != ""]
    if named.empty:
        return []
    x, y = frame.place(*lonlat(named))
    total = named["total"].to_numpy(dtype=np.float64)
    groups = named.groupby("area", sort=True).indices
    found: list[tuple[float, str, float, float]] = []
    for area, idx in groups.items():
        px, py = (float(np.average(values[idx], weights=total[idx])) for values in (x, y))
        found.append((float(total[idx].sum()), str(area), px, py))
    return [(name, px, py) for _, name, px, py in sorted(found, key=lambda spot: (-spot[0], spot[1]))]


def lay_out(plan: Plan, prefix: str = "nearer") -> Sheet:
    """Project, group and simplify everything the maps of a plan share."""
    canvas = lay_ground(plan, plan.document.sources, prefix)
    groups = cell_groups(plan, canvas.frame, words.near_min(plan.document))
    defs = canvas.defs + named_paths([group.drawing for group in groups], prefix)
    return Sheet(**{**vars(canvas), "defs": defs}, plan=plan, groups=groups)


def named_paths(drawings: Iterable[str], prefix: str) -> str:
    """Paths with the ids ``prefix-c0``, ``prefix-c1`` …, for ``<use>``."""
    return "".join(
        drawing.replace("<path", f'<path id="{prefix}-c{place}"', 1) for place, drawing in enumerate(drawings)
    )


def lay_ground(plan: Ground, sources: Iterable[SourceFile], prefix: str) -> Canvas:
    """Project and simplify what lies under and over people's cells."""
    frame = frame_of(plan)
    paths = street_paths(plan.streets, frame) if plan.streets is not None else {}
    full = f'width="{WIDTH}" height="{frame.height}"'
    ground = f'<rect class="nr-ground" {full}/>'
    edge = ""
    if plan.boundary is not None and (outline := outline_path(plan.boundary, frame)):
        ground = f'<rect class="nr-beyond" {full}/><path class="nr-ground" fill-rule="evenodd" d="{outline}"/>'
        edge = f'<path class="nr-edge" d="{outline}"/>'
    if plan.districts is not None and (outline := outline_path(plan.districts, frame)):
        edge += f'<path class="nr-district" d="{outline}"/>'
    defs = (
        f'<pattern id="{prefix}-hatch" width="44" height="44" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect class="nr-hatch-ground" width="44" height="44"/>'
        f'<path class="nr-hatch-line" stroke-width="15" d="M7.5 0V44"/></pattern>'
        f'<symbol id="{prefix}-ground" viewBox="0 0 {WIDTH} {frame.height}">{ground}'
        f"{street_layers(paths, ('path', 'minor', 'ferry'))}</symbol>"
        f'<symbol id="{prefix}-over" viewBox="0 0 {WIDTH} {frame.height}">'
        f"{street_layers(paths, ('major', 'motorway'))}{edge}</symbol>"
    )
    return Canvas(plan, frame, prefix, _areas(plan.people, frame), source_line(sources), defs)


def at_stage(sheet: Sheet, stage: int) -> Sheet:
    """The same ground at the end of a phase: what opened before stands, and what opens later is not there yet."""
    plan = sheet.plan
    sites = plan.sites.copy()
    status = sites["status"].to_numpy(dtype=object).copy()
    ids = sites["id"].to_numpy(dtype=object)
    for number, phase in enumerate(plan.document.phases):
        if number < stage:
            status[np.isin(ids, phase.opened)] = "existing"
        elif number > stage:
            status[np.isin(ids, phase.opened)] = "candidate"
            status[np.isin(ids, [*phase.closed, *phase.upgraded]) & (status != "candidate")] = "existing"
    sites["status"] = status
    then = replace(plan, sites=sites)
    return replace(sheet, ground=then, plan=then, stage=stage)


def cells(sheet: Sheet, which: Which) -> str:
    """People's cells in the colours of one map."""

    def fill(group: CellGroup) -> str:
        minutes = group.before if which == "before" else group.after
        minutes = minutes if sheet.stage is None else group.stages[sheet.stage]
        hatch = f'fill="url(#{sheet.prefix}-hatch)" stroke="url(#{sheet.prefix}-hatch)"'
        if which == "opened":
            return f'class="nr-g{group.gain}"'
        if which == "far" and not group.far:
            return 'class="nr-dim"'
        return hatch if minutes == OUT else f'class="nr-m{minutes}"'

    return "".join(f'<use href="#{sheet.prefix}-c{n}" {fill(group)}/>' for n, group in enumerate(sheet.groups))
