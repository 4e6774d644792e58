"""``Plan``: a finished plan in the user's own ids, with what it takes to draw and to check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd

from nearer.inputs.tables import Streets
from nearer.model import Certificate, RulesCertificate
from nearer.planning.document import BeforeAfter, PlanDocument


@dataclass(frozen=True)
class Plan:
    """
    A plan.

    Parameters
    ----------
    document
        What ``plan.json`` holds.
    sites
        Every site read, points in WGS 84: ``id``, ``name``, ``status`` ("existing" | "opened" | "candidate" | "other"),
        ``people``, ``order`` (Int64, opened sites in order of gain), ``gain_person_min``, ``loss_person_min``,
        ``replacement``, then the user's own columns.
    people
        Every point, points in WGS 84: ``id``, ``total``, one column per group, ``area``, ``minutes_before``,
        ``minutes_after`` (NaN = out of reach), ``site_before``, ``site_after`` (ids, "" = none).
    streets, boundary, districts, shapes, cell_m
        As read, for the maps; None where the study has none.
    certificate
        The proof, None where the bound is the solver's own.
    assignment
        Who is sent where, where room is limited: ``phase``, ``pool`` (0 = everyone, then programmes), ``speed_class``,
        ``point``, ``site`` (positions in the tables as read) and ``share``, arrays of one length; None where everybody
        goes to the nearest.
    turn_certificates
        Proofs of the other objectives of a plan with several, by name.
    run
        What differs from run to run: seconds per step, threads, host, versions, trace.
    """

    document: PlanDocument
    sites: gpd.GeoDataFrame
    people: gpd.GeoDataFrame
    streets: Streets | None = None
    boundary: gpd.GeoDataFrame | None = None
    districts: gpd.GeoDataFrame | None = None
    shapes: gpd.GeoSeries | None = None
    cell_m: float | None = None
    certificate: Certificate | RulesCertificate | None = None
    assignment: dict[str, Any] | None = None
    turn_certificates: Mapping[str, Certificate | RulesCertificate] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def bound(self) -> float:
        """Lower bound of the objective."""
        return self.document.bound

    @property
    def gap(self) -> float:
        """Relative gap between value and bound."""
        return self.document.gap

    @property
    def measures(self) -> BeforeAfter:
        """Access before and after."""
        return self.document.measures
