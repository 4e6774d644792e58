"""``CompareDocument``: the shape of ``compare.json``, whose published JSON schema is made from these classes."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from nearer.planning.document import Part

SCHEMA = 1


class Reached(Part):
    """Access of some people with one plan, unweighted."""

    mean_min: float
    within: float = Field(description="share of people within coverage_min")
    unreached: float = Field(description="people out of reach")


class ComparedPlan(Part):
    """One plan and its figures."""

    label: str = Field(description="how the plan is called here: its folder's name, longer where two are alike")
    folder: str = Field(description="as seen from the folder of the comparison")
    sha256: str = Field(description="of its plan.json")
    study: str
    status: str
    value: float = Field(description="the objective, in the unit of that plan")
    bound: float
    gap: float
    opened: int
    centres: int = Field(description="our own centres open in the plan")
    spent: float | None = Field(description="money for opening, upgrading and closing; null where no costs are given")
    running: float | None = Field(description="money a year at the end; null where no costs are given")
    before: Reached
    after: Reached
    farthest_min: float | None = Field(description="longest way among those who reach a centre")
    only: list[str] = Field(description="ids that this plan alone opens")


class ComparedSite(Part):
    """A site that some plan opens, upgrades or closes."""

    id: str
    name: str
    area: str | None
    lon: float
    lat: float
    status: list[Literal["opened", "upgraded", "closed"] | None] = Field(
        description="per plan; null where the plan leaves the site as it is"
    )
    people: list[float | None] = Field(description="people nearest to it, per plan; null where it is not open")


class ComparedGroup(Part):
    """Access of a group, per plan."""

    name: str
    plans: list[Reached | None] = Field(description="null where a plan's study has no such group")


class ComparedArea(Part):
    """An area, per plan."""

    name: str
    people: float
    opened: list[int] = Field(description="sites opened there")
    mean_min: list[float | None]
    within: list[float | None]
    unreached: list[float | None]


class Overlap(Part):
    """How much two plans have in common."""

    plans: list[str]
    common: int = Field(description="sites that both open")
    share: float = Field(description="of the sites that either opens; 1 where neither opens any")


class CompareDocument(Part):
    """Everything ``compare.json`` holds."""

    nearer: str
    schema_: int = Field(SCHEMA, alias="schema")
    kind: Literal["compare"] = "compare"
    coverage_min: float = Field(description="minutes that count as near, of the first plan")
    same_people: bool = Field(
        description="whether people, streets and what counts as near are the same, so that measures can be compared"
    )
    same_objective: bool = Field(description="whether values and bounds can be compared too")
    differs: list[str] = Field(description="what the plans were made from that is not the same, one sentence each")
    plans: list[ComparedPlan]
    in_all: list[str] = Field(description="ids that every plan opens")
    overlaps: list[Overlap]
    sites: list[ComparedSite] = Field(description="those that the plans do not agree on first")
    groups: list[ComparedGroup]
    areas: list[ComparedArea]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
