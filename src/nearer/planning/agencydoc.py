"""``AgenciesDocument``: the shape of ``agencies.json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from nearer.planning.document import Part, SiteStep

SCHEMA = 1


class CoalitionSite(Part):
    """A site that a coalition changes."""

    id: str
    name: str
    agency: str | None
    steps: list[SiteStep]


class AgencyPromise(Part):
    """What an agency promises to a group."""

    agency: str
    name: str
    least: float | None = Field(description="the part of the group, 0 to 1; null where minutes are promised")
    most: float | None = Field(description="minutes on average; null where a part is promised")


class CoalitionPlan(Part):
    """What some agencies could do together, without the others."""

    members: list[str]
    value: float = Field(description="weighted person-minutes of the best plan found")
    bound: float = Field(description="no plan of theirs goes below")
    gap: float
    proof: Literal["certificate", "solver"] = Field(
        description="who vouches for the bound: multipliers in proofs/, or the solver's own word"
    )
    saves: float = Field(description="weighted person-minutes saved against today")
    sites: list[CoalitionSite]
    promises: list[float] = Field(
        [], description="where each promise of the agencies would stand if everybody went to the nearest centre"
    )


class AgencyWorth(Part):
    """What one agency brings and gains."""

    name: str
    alone_saves: float = Field(description="saved against today if it planned alone")
    contribution: float = Field(description="lost if it dropped out of the joint plan")
    contribution_least: float
    contribution_most: float = Field(description="by values and bounds, whatever better plans there may be")
    shapley: float | None = Field(None, description="its share of all that is saved; null for many agencies")
    shapley_least: float | None = None
    shapley_most: float | None = None


class AgenciesDocument(Part):
    """Everything ``agencies.json`` holds."""

    nearer: str
    kind: Literal["agencies"] = "agencies"
    schema_: int = Field(SCHEMA, alias="schema")
    study: str
    seed: int
    inputs: dict[str, str]
    settings: dict[str, Any]
    unit: str = "person-minutes"
    today_value: float
    joint_value: float
    joint_bound: float
    separate_value: float | None = Field(
        description="if each carried out its own plan, unaware of the others; null where plans exclude each other"
    )
    separate_breaks: list[str] = Field(description="ceilings for all that this would break, and then is no plan")
    joint_gain: float | None = Field(description="separate_value − joint_value; null where that is no plan")
    agencies: list[AgencyWorth]
    promises: list[AgencyPromise] = Field([], description="what agencies promise; coalitions are not held to it")
    coalitions: list[CoalitionPlan]
    notes: list[str]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
