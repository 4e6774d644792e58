"""``CurveDocument``: the shape of ``curve.json``, whose published JSON schema is made from these classes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from nearer.planning.document import Part, SourceFile

SCHEMA = 1


class Nested(Part):
    """A network that contains the one before it, beside the best of its size."""

    value: float = Field(description="weighted person-minutes")
    mean_min: float = Field(description="average of all people, unweighted")
    above_value: float = Field(description="how far above the best network found, as a share of that one's value")
    above_bound: float = Field(description="how far above the bound, as a share of it: at most so far from the best")


class CurveSize(Part):
    """The best network of one size."""

    centres: int = Field(description="our own centres: those of today and the opened ones")
    opened: int
    solved: bool = Field(description="whether this size had a run of its own; else it is the better nested network")
    status: Literal["optimal", "gap", "feasible"] | None = Field(description="how its run ended; null without one")
    value: float = Field(description="weighted person-minutes")
    bound: float = Field(description="no network of this size has a smaller value")
    bound_from: int | None = Field(
        description="centres of the larger network whose bound holds here too; null where this size has its own"
    )
    gap: float
    gain_gap: float = Field(description="(value − bound) / (value today − bound)")
    each_brings: float | None = Field(
        description="person-minutes saved by each further centre since the last size solved; null at the first"
    )
    each_brings_least: float | None = Field(description="proven: not less, whatever the best networks are")
    each_brings_most: float | None = Field(description="proven: not more")
    mean_min: float = Field(description="average of all people, unweighted")
    within: float = Field(description="share of people within coverage_min")
    unreached: float = Field(description="people out of reach")
    sites: list[str] = Field(description="ids of the opened sites, sorted")
    greedy: Nested = Field(description="the network that opens, each time, the site that helps most")
    backwards: Nested | None = Field(
        description="the network left of the largest one when, each time, the site that is missed least is closed"
    )


class Falloff(Part):
    """Where further centres bring little: a rule in words, and what follows from it."""

    rule: str
    average: float = Field(description="person-minutes that a centre brings on average from today to the last size")
    centres: int | None = Field(description="size after which every further centre brings less than half the average")
    earliest: int | None = Field(description="proven: not before this size")
    latest: int | None = Field(description="proven: not after this size")
    shares: dict[str, int] = Field(description="share of the whole gain → smallest size solved that reaches it")


class Effect(Part):
    """How one figure went with the volume, other things of the same table equal."""

    of: Literal["reach", "centres"]
    doubled: float = Field(description="factor of the volume where the figure is twice as large")
    low: float = Field(description="lower end of the 95 % interval")
    high: float = Field(description="upper end")


class Fit(Part):
    """One regression of the past volume."""

    name: Literal["per centre", "in all", "in all, with a trend"]
    observations: int
    blocks: int = Field(description="what was left out one at a time for the interval: centres, or periods")
    effects: list[Effect]
    intercept: float = Field(description="logarithm of the volume where every figure's logarithm and the time are 0")
    trend_per_period: float | None = Field(None, description="factor of the volume from one period to the next")
    curve: list[dict[str, float]] = Field(
        [], description="within what was observed only: centres, volume, low and high of the 95 % band"
    )


class History(Part):
    """What a table of past volume says."""

    file: str = Field(description="as seen from the study's folder")
    sha256: str
    unit: str = Field(description="visits or units")
    centres: int = Field(description="centres with a volume")
    periods: list[str]
    open: list[int] = Field(description="centres open in each period")
    volume: list[float] = Field(description="volume in each period")
    observed: list[int] = Field(description="fewest and most centres open in any period")
    unmatched: list[str] = Field(description="centres of the table that the study does not know (first 100)")
    time_correlation: float | None = Field(
        description="rank correlation of centres open and time; near 1 the two cannot be told apart"
    )
    fits: list[Fit]
    says: list[str] = Field(description="what was found, one sentence each")
    limits: list[str] = Field(description="what such a table cannot show, one sentence each")


class CurveDocument(Part):
    """Everything ``curve.json`` holds."""

    nearer: str
    schema_: int = Field(SCHEMA, alias="schema")
    kind: Literal["curve"] = "curve"
    study: str
    seed: int
    inputs: dict[str, str] = Field(description="path as written in the study → sha256 of the file")
    settings: dict[str, Any] = Field(description="the study file as understood, defaults filled in")
    objective: Literal["travel"]
    unit: str = "person-minutes"
    today: int = Field(description="our own centres today")
    to: int = Field(description="centres asked for")
    step: int
    complete: bool = Field(description="whether every size asked for was solved")
    coverage_min: float
    unreached_min: float
    people: float
    weight: float = Field(description="weight of all people in the objective; as many as people without group weights")
    sizes: list[CurveSize] = Field(description="every size from today to the largest, also those between the steps")
    greedy: list[str] = Field(description="ids in the order in which each helps most after those before it")
    backwards: list[str] = Field(description="ids of the largest network in the order that closing backwards leaves")
    falloff: Falloff | None = Field(description="null where fewer than three sizes were solved")
    history: History | None = None
    sources: list[SourceFile] = Field([], description="files that were read")
    notes: list[str] = Field([], description="method and limits, one sentence each")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def weighted(self) -> bool:
        """Whether some people count for more or less than others."""
        return bool(self.settings.get("plan", {}).get("group_weights"))
