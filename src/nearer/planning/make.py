"""``make_plan``: a solution in, a plan in the user's ids out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

import nearer
from nearer.demand import Demand
from nearer.inputs.geo import WGS84
from nearer.inputs.tables import Tables
from nearer.model import FREE, OPEN, Instance, Solution, relative_gap
from nearer.model.aims import kappa_of
from nearer.network import TravelTimes
from nearer.planning import document
from nearer.planning.access import Access, PointTimes, sum_by
from nearer.planning.areas import area_of_sites, areas
from nearer.planning.far import far_places, surroundings
from nearer.planning.gains import Gains, compute_gains
from nearer.planning.measures import covered, curve, measure_access, people_cut_off, thresholds
from nearer.planning.notes import notes
from nearer.planning.plan import Plan
from nearer.planning.unservable import unservable
from nearer.solvers.turns import Answer
from nearer.units import MS_PER_MIN, NO_SITE, BoolArray, FloatArray, IntArray

_OURS = (
    *("id", "name", "status", "people", "order", "gain_person_min", "loss_person_min", "replacement"),
    *("otherwise_least_person_min", "otherwise_most_person_min"),
)


def make_plan(
    *,
    name: str,
    settings: dict[str, Any],
    seed: int,
    tables: Tables,
    demand: Demand,
    class_times: Sequence[TravelTimes | PointTimes],
    instance: Instance,
    solution: Solution,
    unreached_ms: int,
    coverage_min: float,
    crs: str,
    snapping: dict[str, document.Snapping],
    run: dict[str, Any],
    today: BoolArray | None = None,
    before_ms: float | None = None,
    answer: Answer | None = None,
    everyone_ms: int | None = None,
    second_share: float | None = None,
    gains: Gains | None = None,
) -> Plan:
    """
    Translate a solution into the user's ids and measure what it does for people.

    Parameters
    ----------
    name, settings, seed
        Of the study.
    tables, demand
        What was read, and what it weighs.
    class_times
        Uncut times of each speed class; site positions are rows of ``tables.sites.table``.
    instance, solution
        Costs in milliseconds, weights in people; the instance's rows may be cut.
    unreached_ms
        What a person out of reach counts as.
    coverage_min
        Minutes that count as near.
    crs
        The system distances were measured in.
    snapping
        How "people" and "sites" were joined to the streets.
    run
        What differs from run to run; becomes ``run.json``.
    today
        Sites that are open today, where that is not what stands open in the instance; bool (n_sites,).
    before_ms
        The objective with the sites of today, where that is not everybody's time to the nearest.
    answer
        What each objective reached, where travel alone is not all that was asked.
    everyone_ms
        The time that everyone must be within where possible; None where there is no such rule.
    second_share
        Share of a person that counts only with a second open site near; None where cover is not twofold.
    gains
        What each site brings, where the instance has no rows to tell.
    """
    table = tables.sites.table
    standing = instance.standing
    open_mask = solution.open_mask | (standing == OPEN)
    today = standing == OPEN if today is None else today
    before = Access.to_open(demand, class_times, today)
    after = Access.to_open(demand, class_times, open_mask)
    kappa_per_min = kappa_of(demand.class_people.ravel(), before.counted_ms(unreached_ms).ravel() / MS_PER_MIN)
    gains = gains or compute_gains(instance, open_mask)
    served = after.people_per_site(len(table))
    nearer_by = _people_nearer(after, len(table))

    around, _ = surroundings(tables, (standing == FREE) & ~open_mask)
    limit_ms = class_times[0].limit_ms
    minutes = thresholds(coverage_min, limit_ms)
    cut_off = people_cut_off(demand, class_times, standing >= FREE)
    if answer is None:
        value = solution.objective / MS_PER_MIN
        before_ms = _value_ms(demand, before, unreached_ms) if before_ms is None else before_ms
        before_value = before_ms / MS_PER_MIN
        bound = max(solution.bound, 0.0) / MS_PER_MIN  # nothing costs less than nothing
        asked, proof = document.Objective(name="travel", value=value), solution.certificate
        turns, others = [], {}
    else:
        turns = written_turns(answer)
        first = next(turn for turn in answer.turns if turn.asked)
        asked = document.Objective(name=first.name, value=first.final, unit=first.unit)
        value, before_value, bound, proof = first.final, first.before, first.bound, first.certificate
        others = {
            turn.name: turn.certificate for turn in answer.turns if turn is not first and turn.certificate is not None
        }
    beyond, beyond_people = (
        ([], 0.0)
        if everyone_ms is None
        else unservable(tables, Access.to_open(demand, class_times, standing >= FREE), everyone_ms)
    )
    written = document.PlanDocument(
        nearer=nearer.__version__,
        study=name,
        seed=seed,
        inputs={source.path: source.sha256 for source in tables.sources},
        settings=settings,
        status=solution.status.value,
        objective=asked,
        objectives=turns,
        kappa_per_min=kappa_per_min,
        before_value=before_value,
        bound=bound,
        gap=relative_gap(value, bound),
        gain_gap=gain_gap(value, bound, before_value),
        proof=("certificate" if proof is not None else "solver") if answer is None else first.proof,
        crs=crs,
        opened=len(gains.site_idx),
        sites=_planned_sites(table, gains, served, nearer_by, area_of_sites(tables, around.people_xy, around.sites_xy)),
        measures=document.BeforeAfter(
            before=measure_access(demand, before, minutes, unreached_ms, cut_off, kappa_per_min),
            after=measure_access(demand, after, minutes, unreached_ms, cut_off, kappa_per_min),
        ),
        backup=None
        if second_share is None
        else document.Backup(
            second_share=second_share,
            minutes=coverage_min,
            before=covered(demand, before, coverage_min),
            after=covered(demand, after, coverage_min),
        ),
        curve=curve(demand, before, after, limit_ms),
        areas=areas(around.areas, before, after, coverage_min, unreached_ms, kappa_per_min),
        far=far_places(around, class_times, after, coverage_min, unreached_ms),
        unservable=beyond,
        unservable_people=beyond_people,
        snapping=snapping,
        sources=[
            document.SourceFile(path=source.path, sha256=source.sha256, kind=source.kind, licence=source.licence)
            for source in tables.sources
        ],
        notes=notes(tables, demand, coverage_min, limit_ms, unreached_ms),
    )
    return Plan(
        document=written,
        sites=_sites_frame(table, gains, open_mask, standing, served),
        people=people_frame(tables, before, after),
        streets=tables.streets,
        boundary=tables.boundary,
        districts=tables.districts,
        shapes=tables.people.shapes,
        cell_m=tables.people.cell_m,
        certificate=proof,
        turn_certificates=others,
        run=run,
    )


def written_turns(answer: Answer) -> list[document.Turn]:
    """Each objective as ``plan.json`` says it."""
    return [
        document.Turn(
            name=turn.name,
            unit=turn.unit,
            before=turn.before,
            value=turn.final,
            found=turn.found,
            bound=turn.bound,
            gap=relative_gap(turn.final, turn.bound),
            tolerance=turn.tolerance,
            status="optimal" if turn.optimal else "gap" if turn.reached else "feasible",
            proof=turn.proof,
            prices={name: price for name, price in turn.prices if price > 0},
        )
        for turn in answer.turns
    ]


def gain_gap(value: float, bound: float, before_value: float) -> float:
    """|value − bound| / |before − bound|, 0 where value and bound are equal."""
    if value == bound:
        return 0.0
    return abs(value - bound) / max(abs(before_value - bound), 1e-9)


def _value_ms(demand: Demand, access: Access, unreached_ms: int) -> float:
    return float((demand.class_weight * access.counted_ms(unreached_ms)).sum())


def _people_nearer(after: Access, n_sites: int) -> FloatArray:
    """People of each site whose next open site is farther, float64 (n_sites,)."""
    shorter = (after.site_idx != NO_SITE) & (after.next_ms > after.time_ms)
    return sum_by(after.site_idx[shorter], after.people[shorter], n_sites)


def _planned_sites(
    table: pd.DataFrame, gains: Gains, served: FloatArray, nearer_by: FloatArray, area: list[str | None]
) -> list[document.PlannedSite]:
    """Existing sites in the order of the table, then the opened ones in order of gain."""
    ids = table["id"].to_numpy(dtype=object)

    def describe(site: int, **more: Any) -> document.PlannedSite:
        row = table.iloc[site]
        return document.PlannedSite(
            id=str(row["id"]),
            name=str(row["name"]),
            agency=_text(row.get("agency")),
            level=_text(row.get("level")),
            people=float(served[site]),
            lon=float(row["lon"]),
            lat=float(row["lat"]),
            area=area[site],
            **more,
        )

    existing = [
        describe(int(site), status="existing") for site in np.flatnonzero((table["status"] == "existing").to_numpy())
    ]
    opened = [
        describe(
            int(site),
            status="opened",
            order=place + 1,
            gain_person_min=float(gains.gain[place]) / MS_PER_MIN,
            loss_person_min=float(gains.loss[place]) / MS_PER_MIN,
            people_nearer=float(nearer_by[site]),
            replacement=None if gains.replacement[place] == NO_SITE else str(ids[gains.replacement[place]]),
            replaced_loss_person_min=None
            if gains.replacement[place] == NO_SITE
            else float(gains.replaced_loss[place]) / MS_PER_MIN,
        )
        for place, site in enumerate(gains.site_idx)
    ]
    return [*existing, *opened]


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) or value == "" else str(value)


def _sites_frame(
    table: pd.DataFrame, gains: Gains, open_mask: BoolArray, standing: IntArray, served: FloatArray
) -> gpd.GeoDataFrame:
    ids = table["id"].to_numpy(dtype=object)
    status = table["status"].to_numpy(dtype=object).copy()
    status[open_mask & (standing == FREE)] = "opened"
    order = pd.array([pd.NA] * len(table), dtype="Int64")
    order[gains.site_idx] = np.arange(1, len(gains.site_idx) + 1)
    gain, loss = np.full(len(table), np.nan), np.full(len(table), np.nan)
    gain[gains.site_idx], loss[gains.site_idx] = gains.gain / MS_PER_MIN, gains.loss / MS_PER_MIN
    replacement = np.full(len(table), "", dtype=object)
    known = gains.replacement != NO_SITE
    replacement[gains.site_idx[known]] = ids[gains.replacement[known]]
    ours = pd.DataFrame(
        {
            "id": ids,
            "name": table["name"].to_numpy(dtype=object),
            "status": status,
            "people": served,
            "order": order,
            "gain_person_min": gain,
            "loss_person_min": loss,
            "replacement": replacement,
        }
    )
    theirs = table.drop(columns=["id", "name", "status", "lon", "lat"]).reset_index(drop=True)
    theirs = theirs.rename(columns={column: f"{column}_given" for column in theirs.columns if column in _OURS})
    return gpd.GeoDataFrame(
        pd.concat([ours, theirs], axis=1), geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84
    )


def people_frame(tables: Tables, before: Access, after: Access) -> gpd.GeoDataFrame:
    """Every point with its minutes and sites before and after, as ``Plan.people``."""
    table = tables.people.table
    # one more at the end, so that NO_SITE finds ""
    ids = np.append(tables.sites.table["id"].to_numpy(dtype=object), "")
    frame = table[["id", "total", *tables.people.groups, "area"]].reset_index(drop=True)
    frame["minutes_before"], frame["minutes_after"] = before.minutes(), after.minutes()
    frame["site_before"], frame["site_after"] = ids[before.main_site()], ids[after.main_site()]
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)
