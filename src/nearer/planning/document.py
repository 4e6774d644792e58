"""``PlanDocument``: the shape of ``plan.json``, whose published JSON schema is made from these classes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1


class Part(BaseModel):
    """A frozen part of the document; unknown keys are refused, so that the schema stays the truth."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Objective(Part):
    """What was made good first, and its weighted value; larger is better for coverage, smaller for all others."""

    name: Literal["travel", "coverage", "farthest", "equal", "cost"]
    value: float
    unit: str = "person-minutes"


class Turn(Part):
    """
    One objective of a plan with several, or with rules: each is made good within what those before it keep.

    "unreached" (people out of reach) stands before "farthest", which is of those within reach.
    """

    name: Literal["travel", "coverage", "unreached", "farthest", "equal", "cost"]
    unit: str
    before: float = Field(description="with the sites of today")
    value: float = Field(description="with the finished plan")
    found: float = Field(description="best value found in its turn, before later objectives took what is tolerated")
    bound: float = Field(description="what no plan within the limits of its turn betters")
    gap: float = Field(description="|value − bound| / max(|value|, 1e-9): what was tolerated counts")
    tolerance: float = Field(description="part of found that later objectives may give up")
    status: Literal["optimal", "gap", "feasible"] = Field(description="how its turn ended: found against bound")
    proof: Literal["certificate", "solver"]
    prices: dict[str, float] = Field(
        {}, description="certificate: what breaking each limit by one unit costs in it, in the solver's units"
    )


class Measures(Part):
    """Access of all people, unweighted; out of reach counts at ``unreached_min`` in ``mean_min`` only."""

    people: float
    mean_min: float
    mean_min_reached: float | None = Field(description="mean over those who reach a site; null if nobody does")
    within: dict[str, float] = Field(description="minutes → share of people (0 … 1)")
    gini: float | None = Field(
        None, description="Gini coefficient of minutes, 0 = all alike, unreached at unreached_min"
    )
    ede_min: float | None = Field(
        None, description="Kolm-Pollak equally-distributed equivalent: minutes that would be as good if all had them"
    )
    worst_decile_min: float | None = Field(
        None, description="mean minutes of the tenth of people who are farthest, unreached at unreached_min"
    )
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


class CoveredShares(Part):
    """Shares of people, unweighted, 0 … 1."""

    once: float = Field(description="one open centre or more within the minutes")
    twice: float = Field(description="two open centres or more within them")


class Covered(CoveredShares):
    """Everyone and each group."""

    groups: dict[str, CoveredShares] = {}


class Backup(Part):
    """Who has a centre near, and who has two, where ``[plan] second_share`` is asked for."""

    second_share: float = Field(description="share of a person that counts only with a second centre")
    minutes: float = Field(description="what counts as near")
    before: Covered
    after: Covered


class SiteStep(Part):
    """A site opens, rises to a level, or closes (level null) in a phase."""

    phase: str
    level: str | None = Field(description='the level it then has, "" without levels; null where it closes')


class Otherwise(Part):
    """What it costs to decide one site otherwise than the plan does, everything else chosen anew."""

    at_least_person_min: float | None = Field(
        description="weighted person-minutes that are lost whatever else is chosen; null where no plan is left"
    )
    at_most_person_min: float | None = Field(description="lost with the best such plan found; null where none is left")
    searched: bool = Field(
        description="true: the lower figure is a search's own word; false: proven by multipliers in proof.npz"
    )
    opens: list[str] = Field([], description="ids that this plan opens and the plan does not")
    closes: list[str] = Field([], description="ids that the plan opens and this one does not")


class PlannedSite(Part):
    """A site that is open in the plan, or was closed by it."""

    id: str
    name: str
    status: Literal["existing", "opened", "upgraded", "closed"]
    phase: str | None = Field(None, description="phase in which it opens, rises or closes; null where it stays")
    agency: str | None = None
    level: str | None = None
    level_before: str | None = Field(None, description="upgraded sites: the level of today")
    sent: float | None = Field(None, description="people sent there in the last phase, where room is limited")
    room: float | None = Field(None, description="people it can serve at its level; null = no limit")
    spent: float | None = Field(None, description="money that opening, upgrading or closing it takes")
    steps: list[SiteStep] = Field([], description="what becomes of it, in order, where there are phases or levels")
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
    without: Otherwise | None = Field(None, description="opened sites: if it must stay closed")


class RejectedSite(Part):
    """A candidate that the plan leaves out."""

    id: str
    name: str
    forced: Otherwise = Field(description="if it must open all the same")


class OtherPlan(Part):
    """Another good plan, told by what it does otherwise."""

    value: float
    bound: float = Field(description="no plan that differs as much from all before it costs less")
    opens: list[str] = Field(description="ids that it opens and the plan does not")
    closes: list[str] = Field(description="ids that the plan opens and it does not")


class OtherPlans(Part):
    """Other plans that were asked for."""

    count: int = Field(description="how many were asked for")
    differ: int = Field(description="sites that each opens and neither the plan nor any before it does, at least")
    within: float = Field(description="how much dearer they may be, as a share of the plan's value")
    plans: list[OtherPlan]
    no_more: bool = Field(description="whether it is proven that no further one lies within that gap")
    in_all: list[str] = Field(description="ids that the plan and all of them open")


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
    before_gini: float | None = None
    after_gini: float | None = None
    before_ede_min: float | None = None
    after_ede_min: float | None = None
    before_worst_decile_min: float | None = Field(None, description="mean minutes of its farthest tenth")
    after_worst_decile_min: float | None = None


class PhasePlan(Part):
    """What one phase opens, costs and brings; its people are those of the phase."""

    name: str
    years: float
    counted: float = Field(description="what a minute of this phase counts for: its years, discounted")
    people: float
    opened: list[str] = Field(description="ids, in the order in which they are best built")
    upgraded: list[str]
    closed: list[str]
    centres: int = Field(description="ours that are open at its end")
    spent: float = Field(description="money for opening, upgrading and closing")
    running: float = Field(description="money a year for all that is open")
    value: float = Field(description="the objective on this phase alone, people × counted, in its unit")
    mean_min: float = Field(description="average as people are sent; who has no place counts as out of reach")
    mean_nearest_min: float = Field(description="average if every centre took everybody who is nearest to it")
    mean_room_min: float = Field(description="average if people go to the nearest centre with room, the nearest first")
    unmet: float = Field(description="people out of reach or without a place, as they are sent")
    unmet_room: float = Field(description="the same if people go to the nearest centre with room")
    alone_value: float | None = Field(None, description="the best that could be done by then if no other phase counted")
    alone_bound: float | None = Field(None, description="what even that cannot go below")
    greedy_value: float | None = Field(None, description="value of this phase if each phase only looked at itself")


class AgencyPlan(Part):
    """What one agency opens, hosts and pays."""

    name: str
    venues_today: int
    opened: list[str]
    people: float = Field(description="people sent to its centres in the last phase")
    spent: list[float] = Field(description="money for opening, upgrading and closing, per phase")
    running: list[float] = Field(description="money a year, per phase")
    budget: float | None = None
    running_budget: float | None = None


class LevelUse(Part):
    """How the centres of one level are used in the last phase."""

    name: str
    centres: int
    people: float = Field(description="people sent there")
    capacity: float | None = Field(description="room of all of them; null where one has no limit")


class ProgrammeUse(Part):
    """Seats of one programme in the last phase."""

    name: str
    group: str
    wanted: float
    seated: float
    mean_min: float | None = Field(description="average minutes of those seated; null if nobody is")


class RuleUse(Part):
    """A rule of the study and where the plan stands."""

    name: str
    value: float
    lower: float | None = None
    upper: float | None = None
    agency: str | None = Field(None, description="whose promise it is; null where it is asked of the whole plan")


class UnmetArea(Part):
    """People of an area and a group without a place, or out of reach, in the last phase."""

    area: str
    people: float
    groups: dict[str, float] = {}


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


class Unservable(Part):
    """A place whose people no site could serve within ``everyone_within_min``."""

    id: str = Field(description="of the point, as in your list")
    people: float
    area: str = ""
    minutes: float | None = Field(description="to the nearest site that may be open; null where none is within reach")


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
    objective: Objective = Field(description="the first of the objectives asked for; the whole list is in objectives")
    objectives: list[Turn] = Field(
        [], description="in order; empty where travel alone is asked for and no rule stands beside it"
    )
    kappa_per_min: float | None = Field(
        None, description="κ of the Kolm-Pollak measure and objective, scaled from the situation before"
    )
    before_value: float = Field(description="the objective with the sites of today")
    bound: float
    gap: float
    gain_gap: float
    proof: Literal["certificate", "solver"]
    crs: str = Field(description="the projected system distances were measured in")
    opened: int
    sites: list[PlannedSite]
    rejected: list[RejectedSite] = Field([], description="candidates left out, those that cost least to force first")
    alternatives: OtherPlans | None = Field(None, description="other good plans, where they were asked for")
    measures: BeforeAfter
    backup: Backup | None = Field(None, description="twofold cover, where it was asked for")
    curve: Curve
    phases: list[PhasePlan] = []
    agencies: list[AgencyPlan] = []
    levels: list[LevelUse] = []
    programmes: list[ProgrammeUse] = []
    rules: list[RuleUse] = Field([], description="rules across sites and promises to groups; pairs apart left out")
    unmet: list[UnmetArea] = []
    greedy_value: float | None = Field(None, description="the objective if each phase only looked at itself")
    compared: bool = Field(
        True, description="false where the time limit left no time to look at each phase for itself as well"
    )
    areas: list[AreaAccess] = []
    far: list[FarPlace] = []
    unservable: list[Unservable] = Field(
        [], description="everyone_within_min: who makes it impossible, most people first (first 100)"
    )
    unservable_people: float = Field(0.0, description="people whom no site could serve within everyone_within_min")
    snapping: dict[str, Snapping] = Field({}, description="people, sites")
    sources: list[SourceFile] = []
    notes: list[str] = Field([], description="method and limits, one sentence each")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
