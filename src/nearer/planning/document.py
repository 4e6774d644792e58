"""``PlanDocument``: the shape of ``plan.json``, whose published JSON schema is made from these classes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1


class Part(BaseModel):
    """A frozen part of the document; unknown keys are refused, so that the schema stays the truth."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Objective(Part):
    """What was minimised, and its weighted value."""

    name: Literal["travel"]
    value: float
    unit: str = "person-minutes"


class Measures(Part):
    """Access of all people, unweighted; out of reach counts at ``unreached_min`` in ``mean_min`` only."""

    people: float
    mean_min: float
    mean_min_reached: float | None = Field(description="mean over those who reach a site; null if nobody does")
    within: dict[str, float] = Field(description="minutes → share of people (0 … 1)")
    farthest_min: float | None = Field(description="longest among those who reach a site; null if nobody does")
    unreached: float = Field(description="people out of reach")


class Access(Measures):
    """Access of everyone and of each group."""

    unreachable_from_any_site: float = Field(description="people whom no existing, candidate or other site reaches")
    groups: dict[str, Measures] = {}


class BeforeAfter(Part):
    """Access with the sites of today and with the plan."""

    before: Access
    after: Access


class PlannedSite(Part):
    """A site that is open in the plan, or was closed by it."""

    id: str
    name: str
    status: Literal["existing", "opened", "upgraded", "closed"]
    phase: str | None = None
    agency: str | None = None
    level: str | None = None
    people: float = Field(description="people nearest to this site in the plan")
    lon: float
    lat: float
    area: str | None = None
    order: int | None = Field(None, description="opened sites: place in the order of gain, from 1")
    gain_person_min: float | None = Field(
        None, description="opened sites: weighted person-minutes saved when opened in this order, after those before it"
    )
    loss_person_min: float | None = Field(
        None, description="opened sites: weighted person-minutes lost if the plan had to do without it"
    )
    people_nearer: float | None = Field(None, description="people for whom the plan's walk is shorter because of it")
    replacement: str | None = Field(None, description="id of the best candidate in its place")
    replaced_loss_person_min: float | None = Field(None, description="what is still lost with that replacement")


class AreaAccess(Part):
    """Access in one named area."""

    name: str
    people: float
    before_mean_min: float
    after_mean_min: float
    before_unreached: float
    after_unreached: float
    before_within: float = Field(description="share within coverage_min")
    after_within: float


class FarPlace(Part):
    """People who walk longer than ``coverage_min`` or reach no site: neighbouring points joined, worst place first."""

    name: str
    people: float
    lon: float
    lat: float
    minutes: float | None = Field(description="mean walk in the plan of those who reach a site; null if nobody does")
    unreached: float = Field(0.0, description="people of this place out of reach in the plan")
    nearest_site: str | None = Field(description="id of the nearest open site; null where out of reach")
    mend: str | None = Field(None, description="id of the unopened candidate that would help most, if any")
    mend_minutes: float | None = Field(
        None, description="mean walk of the same people if that candidate opened too; of those it reaches if none were"
    )
    mend_unreached: float | None = Field(None, description="people of this place then still out of reach")


class Curve(Part):
    """Cumulative share of people within so many minutes."""

    minutes: list[float]
    before: list[float]
    after: list[float]
    groups: dict[str, dict[str, list[float]]] = {}


class Snapping(Part):
    """How people and sites were joined to the street network."""

    points: int
    joined: int
    median_m: float
    farthest_m: float
    cap_m: float
    unjoined: list[str] = Field(description="ids that no street within the cap could take (first 100)")
    unjoined_people: float = 0.0


class SourceFile(Part):
    """A file that was read."""

    path: str
    sha256: str
    kind: str
    licence: str = ""


class PlanDocument(Part):
    """Everything ``plan.json`` holds."""

    nearer: str
    schema_: int = Field(SCHEMA, alias="schema")
    study: str
    seed: int
    inputs: dict[str, str] = Field(description="path as written in the study → sha256 of the file")
    settings: dict[str, Any] = Field(description="the study file as understood, defaults filled in")
    status: Literal["optimal", "gap", "feasible", "infeasible", "unknown"]
    objective: Objective
    before_value: float = Field(description="the objective with the sites of today")
    bound: float
    gap: float
    gain_gap: float
    proof: Literal["certificate", "solver"]
    crs: str = Field(description="the projected system distances were measured in")
    opened: int
    sites: list[PlannedSite]
    measures: BeforeAfter
    curve: Curve
    phases: list[dict[str, Any]] = []
    agencies: list[dict[str, Any]] = []
    areas: list[AreaAccess] = []
    far: list[FarPlace] = []
    snapping: dict[str, Snapping] = Field({}, description="people, sites")
    sources: list[SourceFile] = []
    notes: list[str] = Field([], description="method and limits, one sentence each")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
