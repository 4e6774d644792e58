"""``SensitivityDocument``: the shape of ``sensitivity.json``; its published schema is made from these classes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from nearer.planning.document import Part, SourceFile

SCHEMA = 1


class ScenarioPlan(Part):
    """A scenario and the best plan for it."""

    name: str
    what: str = Field(description="what is otherwise, in words")
    settings: dict[str, Any] = Field(description="as in `[[scenarios]]`, defaults filled in")
    hedged: bool = Field(
        description="whether the robust plan counts it: every scenario given; in the standard set not those that lose "
        "a site, since that is known before it opens"
    )
    people: float
    before: float = Field(description="weighted person-minutes with the centres of today")
    value: float = Field(description="with the best plan found for it")
    bound: float = Field(description="no plan has a smaller value in it")
    gap: float
    status: Literal["optimal", "gap", "feasible"]
    sites: list[str] = Field(description="ids that this plan opens, sorted")


class SiteChoice(Part):
    """How often a site is chosen."""

    id: str
    name: str
    area: str | None
    lon: float
    lat: float
    count: int = Field(description="scenarios whose best plan opens it")
    share: float = Field(description="of all scenarios in which it can be had")
    kind: Literal["every", "most", "few"] = Field(
        description="in every scenario's plan; in at least half of them; in fewer"
    )
    as_given: bool = Field(description="whether the plan for the situation as given opens it")
    robust: bool = Field(description="whether the robust plan opens it")


class PlanInAll(Part):
    """One plan in every scenario: a row of the regret table."""

    name: str = Field(description="the scenario it is best for; `robust` for the robust plan")
    sites: list[str]
    values: list[float] = Field(description="weighted person-minutes in each scenario")
    regret: list[float] = Field(description="how far above the best plan found for that scenario, as a share of it")
    regret_most: list[float] = Field(description="the same against what is proven: never more")
    worst: float = Field(description="largest regret over the scenarios that are hedged")
    worst_in: str


class RobustPlan(Part):
    """One plan for all scenarios."""

    goal: Literal["regret", "value"] = Field(
        description="regret: the least worst regret; value: the least worst value, as a multiple of the best as given"
    )
    value: float = Field(description="its worst figure over the scenarios")
    bound: float = Field(description="no plan has a smaller worst figure")
    proof: Literal["certificate", "solver"]
    mix: list[float] = Field(description="weights of the scenarios, which together prove mix_bound; 0 where not hedged")
    mix_bound: float = Field(description="what the certificate of the scenarios so mixed proves")
    price: float = Field(description="its regret in the situation as given: what safety costs if nothing changes")
    sites: list[str]


class SensitivityDocument(Part):
    """Everything ``sensitivity.json`` holds."""

    nearer: str
    schema_: int = Field(SCHEMA, alias="schema")
    kind: Literal["sensitivity"] = "sensitivity"
    study: str
    seed: int
    inputs: dict[str, str] = Field(description="path as written in the study → sha256 of the file")
    settings: dict[str, Any] = Field(description="the study file as understood, defaults filled in")
    objective: Literal["travel"]
    unit: str = "person-minutes"
    open: int = Field(description="candidates opened in every scenario")
    today: int = Field(description="our own centres today")
    complete: bool = Field(description="whether every scenario reached a proof or the gap asked for")
    scenarios: list[ScenarioPlan] = Field(description="the situation as given first")
    choices: list[SiteChoice] = Field(description="every site that some plan opens, most often chosen first")
    plans: list[PlanInAll] = Field(description="the plans of the scenarios, those alike once, and the robust one last")
    robust: RobustPlan
    sources: list[SourceFile] = Field([], description="files that were read")
    notes: list[str] = Field([], description="method and limits, one sentence each")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
