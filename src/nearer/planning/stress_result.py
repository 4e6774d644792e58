"""``Stress``: a plan put to the test, with what it takes to draw and to check it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd

from nearer.inputs.geo import WGS84
from nearer.inputs.tables import Tables
from nearer.planning.access import Access
from nearer.planning.document import PlanDocument
from nearer.planning.make import people_frame
from nearer.planning.plan import Plan
from nearer.planning.stress import newly_cut_off
from nearer.planning.stress_document import StressDocument
from nearer.units import FloatArray


class Proof(Protocol):
    """What proves a bound."""

    def save(self, path: Path) -> None:
        """Write it to a file."""


@dataclass(frozen=True)
class Stress:
    """
    A plan put to the test.

    Parameters
    ----------
    document
        What ``stress.json`` holds.
    before, after
        The plan as maps draw it: everything open, and then (lost centres "closed", those to open first "opened" with
        their ``order``). Both tell people's minutes before and after.
    hazard
        Ground that cannot be used, WGS 84; None where nothing was asked of it.
    certificates
        Proofs of bounds by name ("open", "worst" …).
    run
        What differs from run to run.
    """

    document: StressDocument
    before: Plan
    after: Plan
    hazard: gpd.GeoDataFrame | None = None
    certificates: dict[str, Proof] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """Every site after, points in WGS 84: ``id``, ``name``, ``status``, ``out``, people before and after …"""
        return self.after.sites

    @property
    def people(self) -> gpd.GeoDataFrame:
        """Every point with ``minutes_before``, ``minutes_after`` and ``cut_off`` people, points in WGS 84."""
        return self.after.people


def stress_of(
    written: StressDocument,
    plan: PlanDocument,
    tables: Tables,
    was: Access,
    now: Access,
    certificates: dict[str, Proof],
    run: dict[str, Any],
    totals: FloatArray,
    hazard: gpd.GeoDataFrame | None = None,
) -> Stress:
    """
    Put together what was found.

    Parameters
    ----------
    written, plan
        The answer, and the plan it is about.
    tables
        What was read, with the people there are after.
    was, now
        Who goes where before and after, the same people in both.
    certificates, run, hazard
        See ``Stress``.
    totals
        People of each point before, float64 (n_points,).
    """
    people = people_frame(tables, was, now)
    people["cut_off"] = np.where(newly_cut_off(was, now), now.people, 0.0).sum(axis=0)
    after_sites = _sites_frame(tables, written)
    before_sites = after_sites.copy()
    known = {site.id for site in written.sites if site.status != "other"}
    is_open = before_sites["id"].isin(known)
    before_sites.loc[is_open, "status"] = "existing"
    before_sites.loc[~is_open & (before_sites["status"] == "opened"), "status"] = "candidate"
    parts: dict[str, Any] = {
        "streets": tables.streets,
        "boundary": tables.boundary,
        "districts": tables.districts,
        "shapes": tables.people.shapes,
        "cell_m": tables.people.cell_m,
    }
    return Stress(
        document=written,
        before=Plan(document=plan, sites=before_sites, people=people.assign(total=totals), **parts),
        after=Plan(document=plan, sites=after_sites, people=people, **parts),
        hazard=hazard,
        certificates=certificates,
        run=run,
    )


def _sites_frame(tables: Tables, written: StressDocument) -> gpd.GeoDataFrame:
    table = tables.sites.table
    told = {site.id: site for site in written.sites}
    order = {step.id: place for place, step in enumerate(written.open.steps, 1)} if written.open else {}
    status = []
    for site, listed in zip(table["id"], table["status"], strict=True):
        known = told.get(site)
        if known is None:
            status.append("opened" if site in order else "candidate")
        elif known.out:
            status.append("closed")
        else:
            status.append("other" if listed == "other" else "existing")
    rows = [told.get(site) for site in table["id"]]
    frame = pd.DataFrame(
        {
            "id": table["id"].to_numpy(dtype=object),
            "name": table["name"].to_numpy(dtype=object),
            "status": status,
            "out": ["" if row is None or row.out is None else row.out for row in rows],
            "people_before": [np.nan if row is None else row.people_before for row in rows],
            "people_after": [np.nan if row is None else row.people_after for row in rows],
            "capacity": [np.nan if row is None or row.capacity is None else row.capacity for row in rows],
            "over": [np.nan if row is None else row.over for row in rows],
            "order": pd.array([order.get(site, pd.NA) for site in table["id"]], dtype="Int64"),
        }
    )
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)
