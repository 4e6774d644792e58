"""``make_gaps``: crowded areas with too few places in reach, named, ranked, and what would mend them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

import nearer
from nearer.demand import Demand
from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import Streets, Tables
from nearer.network import TravelTimes
from nearer.planning import gapdoc
from nearer.planning.access import Access, mean_minutes
from nearer.planning.catchment import Catchment, floating_catchment
from nearer.planning.document import Snapping, SourceFile
from nearer.planning.far import surroundings
from nearer.planning.gapareas import JOIN_M, contiguous, neighbour_m
from nearer.planning.gapframes import areas_frame, people_frame, sites_frame
from nearer.planning.gapnotes import gap_notes, rule
from nearer.planning.gapplaces import places_of
from nearer.planning.gapscene import Scene
from nearer.planning.sizing import Level
from nearer.units import UNREACHED, BoolArray, FloatArray, IntArray, minutes_to_ms

MOST = 50
"""Gaps that are listed, at most."""
LEAST_PEOPLE = 1.0
"""A gap where fewer lack a place is not listed."""


@dataclass(frozen=True)
class Gaps:
    """
    Gaps in the user's own ids, with what it takes to draw and to check them.

    Parameters
    ----------
    document
        What ``gaps.json`` holds.
    areas
        One polygon per gap listed, WGS 84: ``rank``, ``name`` and the figures of `gapdoc.Gap`.
    people
        Every point, points in WGS 84: ``id``, ``total``, one column per group, ``area``, ``need``, ``minutes`` to the
        nearest centre (NaN = out of reach), ``count`` of open centres in reach, ``supply`` (places per person in
        reach), ``lacking`` (people × shortfall), ``gap`` (Int64, rank of the gap it belongs to).
    sites
        Every site read, points in WGS 84: ``id``, ``name``, ``status`` ("existing" | "candidate" | "other"),
        ``places``, ``demand``, ``ratio``, ``mends`` (text, ranks of the gaps it would mend best).
    streets, boundary, districts, shapes, cell_m
        As read, for the maps; None where the study has none.
    run
        What differs from run to run.
    """

    document: gapdoc.GapsDocument
    areas: gpd.GeoDataFrame
    people: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    streets: Streets | None = None
    boundary: gpd.GeoDataFrame | None = None
    districts: gpd.GeoDataFrame | None = None
    shapes: gpd.GeoSeries | None = None
    cell_m: float | None = None
    run: dict[str, Any] = field(default_factory=dict)


def need_of(demand: Demand, group: str | None) -> FloatArray:
    """People whose need counts, float64 (n_classes, n_points): everyone, or one group at its own speed."""
    if group is None:
        return demand.class_people
    need = np.zeros_like(demand.class_people)
    c = demand.class_names.index(group) if group in demand.class_names else 0
    need[c] = demand.people[demand.groups.index(group)]
    return need


def typical_reach_m(people_xy: FloatArray, sites_xy: FloatArray, times: TravelTimes, within_ms: int) -> float:
    """
    Straight metres that ``within_ms`` carry people: the median over journeys, ``JOIN_M`` without any.

    Journeys of half as long or longer count, since on short ones the way to the street weighs too much; where there are
    none, the shorter ones have to do.

    Parameters
    ----------
    people_xy, sites_xy
        Metres, float64 (n, 2).
    times
        Of everyone without a speed of their own.
    """
    for least_ms in (within_ms / 2, 1):
        at = np.flatnonzero((times.time_ms <= within_ms) & (times.time_ms >= least_ms))
        if len(at):
            point = np.searchsorted(times.indptr, at, side="right") - 1
            straight = np.hypot(*(people_xy[point] - sites_xy[times.site_idx[at]]).T)
            return float(np.median(straight / times.time_ms[at]) * within_ms)
    return JOIN_M


def make_gaps(
    *,
    name: str,
    settings: dict[str, Any],
    tables: Tables,
    demand: Demand,
    class_times: Sequence[TravelTimes],
    candidate_mask: BoolArray,
    standard: gapdoc.Standard,
    crs: str,
    snapping: dict[str, Snapping],
    run: dict[str, Any],
    levels: Sequence[Level] = (),
    suburbs: tuple[Sequence[str], FloatArray] = ((), np.zeros((0, 2))),
) -> Gaps:
    """
    Find the areas where people have fewer places in reach than the standard.

    Parameters
    ----------
    name, settings
        Of the study.
    tables, demand
        What was read; existing sites and those of other providers are open.
    class_times
        Uncut times of each speed class; site positions are rows of ``tables.sites.table``.
    candidate_mask
        Sites that may open, bool (n_sites,).
    standard
        What access is measured against.
    crs
        The system distances were measured in.
    snapping
        How "people" and "sites" were joined to the streets.
    run
        What differs from run to run.
    levels
        Sizes that a centre can have, smallest first; default one, for as many people as the standard says.
    suburbs
        Names of suburbs and their places, degrees, float64 (n, 2); areas are named after them.

    Raises
    ------
    InputError
        A capacity is no number of people, or a site has a level that is none.
    """
    table = tables.sites.table
    open_mask = table["status"].isin(["existing", "other"]).to_numpy()
    within_ms = minutes_to_ms(standard.minutes)
    places, n_given = places_of(tables.sites, standard.people, levels)
    need = need_of(demand, standard.group)
    caught = floating_catchment(need, class_times, places, open_mask, candidate_mask, within_ms, standard.decay)
    access = Access.to_open(demand, class_times, open_mask)
    around, plane = surroundings(tables, candidate_mask)
    reach_m = typical_reach_m(around.people_xy, around.sites_xy, class_times[0], within_ms)
    join_m = neighbour_m(around.people_xy, tables.people.cell_m)

    lacking = caught.lacking.sum(axis=0)
    short = np.flatnonzero(lacking > 0)
    area = contiguous(around.people_xy[short], lacking[short], join_m, 2.0 * max(reach_m, join_m))
    members = _members(short, area, lacking)
    listed = members[:MOST]
    scene = Scene(
        tables, demand, need, caught, access, around, plane, open_mask, candidate_mask, places, standard, within_ms,
        reach_m, join_m, tuple(levels) or (Level("", standard.people),), _suburbs(suburbs, plane),
    )  # fmt: skip
    found = [scene.describe(rank, points) for rank, points in enumerate(listed, start=1)]

    gap_of = pd.array([pd.NA] * demand.n_points, dtype="Int64")
    for rank, points in enumerate(listed, start=1):
        gap_of[points] = rank
    document = gapdoc.GapsDocument(
        nearer=nearer.__version__,
        study=name,
        inputs={source.path: source.sha256 for source in tables.sources},
        settings=settings,
        standard=standard,
        rule=rule(standard, n_given),
        crs=crs,
        reach_m=reach_m,
        join_m=join_m,
        measures=_measures(demand, need, caught, access, places[open_mask]),
        found=len(members),
        gaps=[gap for gap, _ in found],
        centres=[
            gapdoc.OpenCentre(
                id=str(table["id"].iloc[site]),
                name=str(table["name"].iloc[site]),
                status=table["status"].iloc[site],
                places=float(places[site]),
                demand=float(caught.demand[site]),
                ratio=float(caught.ratio[site]) if caught.demand[site] > 0 else None,
            )
            for site in np.flatnonzero(open_mask)
        ],
        snapping=snapping,
        sources=[
            SourceFile(path=source.path, sha256=source.sha256, kind=source.kind, licence=source.licence)
            for source in tables.sources
        ],
        notes=gap_notes(tables, demand, standard, n_given, int(open_mask.sum())),
    )
    return Gaps(
        document=document,
        areas=areas_frame(document, [shape for _, shape in found]),
        people=people_frame(tables, need, caught, access, gap_of),
        sites=sites_frame(table, places, caught, document),
        streets=tables.streets,
        boundary=tables.boundary,
        districts=tables.districts,
        shapes=tables.people.shapes,
        cell_m=tables.people.cell_m,
        run=run,
    )


def _members(short: IntArray, area: IntArray, lacking: FloatArray) -> list[IntArray]:
    """Points of each area, most people lacking first; areas where hardly anybody lacks a place are left out."""
    order = np.argsort(area, kind="stable")
    parts = [short[part] for part in np.split(order, np.flatnonzero(np.diff(area[order])) + 1) if len(part)]
    sums = [math.fsum(lacking[part]) for part in parts]
    ranked = sorted(range(len(parts)), key=lambda a: (-sums[a], int(parts[a][0])))
    return [np.sort(parts[a]) for a in ranked if sums[a] >= LEAST_PEOPLE]


def _suburbs(suburbs: tuple[Sequence[str], FloatArray], plane: LocalPlane) -> tuple[list[str], FloatArray]:
    names, lonlat = suburbs
    return list(names), np.column_stack(plane.to_xy(lonlat[:, 0], lonlat[:, 1]))


def _measures(
    demand: Demand, need: FloatArray, caught: Catchment, access: Access, places: FloatArray
) -> gapdoc.GapMeasures:
    total, offered = math.fsum(need.ravel()), math.fsum(places)
    lost = caught.count == 0
    minutes = float(mean_minutes(need.ravel(), access.time_ms.ravel()))
    steps = np.minimum(caught.count, 3).ravel()
    return gapdoc.GapMeasures(
        people=math.fsum(demand.total),
        need=total,
        places=offered,
        supply=offered / total if total > 0 else None,
        lacking=math.fsum(caught.lacking.ravel()),
        beyond=math.fsum(need[lost]),
        crowded=math.fsum(need[~lost & (caught.shortfall > 0)]),
        unreached=math.fsum(need[access.time_ms == UNREACHED]),
        mean_min=None if math.isnan(minutes) else minutes,
        by_count={key: math.fsum(need.ravel()[steps == step]) for step, key in enumerate(("0", "1", "2", "3 or more"))},
    )
