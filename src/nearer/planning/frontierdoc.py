"""``FrontierDocument``: the shape of ``frontier.json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from nearer.planning.agencydoc import CoalitionSite
from nearer.planning.document import Part

FRONTIER_SCHEMA = 1

AimName = Literal["travel", "coverage", "farthest", "equal", "cost"]


class FrontierAim(Part):
    """One of the two objectives."""

    name: AimName
    unit: str
    before: float = Field(description="with the sites of today")
    larger_is_better: bool


class TradePoint(Part):
    """One plan: no other in the list is at least as good in both objectives."""

    first: float
    second: float
    level: float = Field(description="what the held objective may come to here")
    bound: float = Field(description="what no plan that keeps the level betters, in the other objective")
    gap: float = Field(description="|value − bound| / max(|value|, 1e-9) of the other objective")
    status: Literal["optimal", "gap", "feasible"]
    proof: Literal["certificate", "solver"]
    prices: dict[str, float] = Field(
        {}, description="certificate: what breaking each limit by one unit costs in the other objective, solver's units"
    )
    opened: list[str] = Field(description="ids of the sites opened, in the order they were read")
    sites: list[CoalitionSite] = Field([], description="cost: what becomes of each site that changes, phase by phase")


class FrontierDocument(Part):
    """Everything ``frontier.json`` holds."""

    nearer: str
    schema_: int = Field(FRONTIER_SCHEMA, alias="schema")
    study: str
    seed: int
    inputs: dict[str, str] = Field(description="path as written in the study → sha256 of the file")
    settings: dict[str, Any] = Field(description="the study file as understood, defaults filled in")
    first: FrontierAim
    second: FrontierAim
    held: AimName = Field(description="the objective that is held to levels; the other is made good and bounded")
    unreached: float | None = Field(
        None, description="farthest: people out of reach, as few as any plan leaves; null for other objectives"
    )
    points: list[TradePoint]
    complete: bool = Field(description="whether every point is as near to its bound as was asked")
    notes: list[str] = Field([], description="what a reader should know, one sentence each")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
