"""``StressDocument``: the shape of ``stress.json``, whose published JSON schema is made from these classes."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from nearer.planning.document import Access, FarPlace, Part

STRESS_SCHEMA = 1


class Surge(Part):
    """More (or fewer) people than the study counts, in one area, of one group, or everywhere."""

    what: Literal["area", "group", "all"]
    name: str = ""
    factor: float = Field(description="people there then ÷ people there now")


class HazardAsked(Part):
    """Ground that nobody can use or cross."""

    file: str
    sha256: str
    sites: list[str] = Field(description="open centres inside, which are out")
    candidates: int = Field(description="other sites inside, which cannot open")
    segments: int = Field(description="street segments cut")
    people_inside: float = Field(description="people who live inside")


class Asked(Part):
    """What was assumed to happen."""

    out_of_service: list[str] = Field([])
    hazard: HazardAsked | None = None
    surge: list[Surge] = Field([])


class StressedSite(Part):
    """A centre that was open before, its people before and after."""

    id: str
    name: str
    status: Literal["existing", "opened", "upgraded", "other"]
    lon: float
    lat: float
    area: str | None = None
    out: Literal["outage", "hazard"] | None = Field(None, description="why it is out; null = it stays in service")
    people_before: float
    people_after: float = Field(description="people whose nearest centre it is then")
    arriving: float = Field(description="those of them who went elsewhere before, or nowhere")
    capacity: float | None = Field(None, description="people it can serve; null = no limit is known")
    over: float = Field(0.0, description="people above its capacity if everybody goes to the nearest")
    people_with_room: float | None = Field(
        None,
        description="people it serves where whoever is nearest is served first and the rest go on; null = no limits",
    )
    people_sent: float | None = Field(None, description="people whom the system sends to it; null = no limits")


class Flow(Part):
    """People who change from one centre to another."""

    from_: str | None = Field(alias="from", description="id of their centre before; null = none")
    to: str | None = Field(description="id of their centre after; null = out of reach")
    people: float
    minutes_more: float | None = Field(
        description="how much longer their walk becomes on average; null if no walk is left"
    )

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class StressedArea(Part):
    """What happens to the people of one named area."""

    name: str
    people: float
    cut_off: float = Field(description="people out of reach who were not before")
    longer: float = Field(description="people whose walk becomes longer, those cut off included")
    before_mean_min: float
    after_mean_min: float


class WithRoom(Part):
    """Everybody goes to the nearest centre that has room; whoever is nearer comes first."""

    served: float
    unmet: float = Field(description="people within reach of a centre for whom none has room")
    mean_min_served: float | None
    unmet_areas: dict[str, float] = Field({})
    mean_min: float | None = Field(
        None, description="average of everybody; who has no place, or reaches none, counts as unreached_min"
    )


class Sent(Part):
    """Everybody goes where the system sends them, so that all together walk least and nobody beyond what has room."""

    opened: list[str] = Field(description="what opens for it: the best set of that number found")
    opened_names: list[str] = Field(description="their names")
    pool: int = Field(description="sites that may open")
    mean_min: float = Field(description="average of everybody; who has no place counts as unreached_min")
    unmet: float = Field(description="people without a place, out of reach or for want of room")
    value: float = Field(description="weighted person-minutes")
    bound: float = Field(description="no sending, and no set of that number, has fewer")
    gap: float
    status: Literal["optimal", "gap", "feasible"]
    proof: Literal["certificate", "solver"]


class Step(Part):
    """One centre in the order in which to open or reopen."""

    id: str
    name: str
    gain_person_min: float = Field(description="weighted person-minutes saved after those before it")
    people_back: float = Field(description="people brought back within reach, after those before it")


class Replan(Part):
    """What to open, or to bring back, first."""

    number: int = Field(description="how many were asked for")
    pool: int = Field(description="sites that may")
    steps: list[Step] = Field(description="the best next one each time")
    order_value: float = Field(description="objective with all of the steps")
    best: list[str] = Field(description="the best set found of that number; its order says nothing")
    best_names: list[str] = Field(description="their names")
    value: float = Field(description="objective with the best set")
    bound: float = Field(description="no set of that number has a smaller objective")
    gap: float
    status: Literal["optimal", "gap", "feasible"]


class Move(Part):
    """A centre in service moved to where it helps more, the best single move each time."""

    from_: str = Field(alias="from")
    to: str
    gain_person_min: float

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Spread(Part):
    """A figure over many draws."""

    mean: float = Field(description="over the draws")
    exact_mean: float = Field(description="over all sets there are, by formula")
    standard_error: float = Field(description="of the mean over the draws; 0 where all sets were looked at")
    low: float = Field(description="2.5 % of the draws are below")
    median: float
    high: float = Field(description="2.5 % of the draws are above")
    most: float


class RandomLosses(Part):
    """So many centres out at random, every set as likely as any other."""

    number: int
    of: int = Field(description="centres that may be out")
    draws: int
    exact: bool = Field(description="whether every possible set was looked at once, instead of draws")
    mean_min: Spread = Field(description="average minutes, out of reach at unreached_min")
    cut_off: Spread = Field(description="people out of reach who are not without the loss")
    far: Spread = Field(description="people farther than coverage_min, out of reach included")
    worst_drawn: list[str]


class WorstLoss(Part):
    """The centres whose loss together hurts most."""

    number: int
    of: int
    sites: list[str]
    loss_person_min: float = Field(description="weighted person-minutes more")
    bound: float = Field(description="no loss of that number costs more")
    gap: float
    status: Literal["optimal", "feasible"]
    cut_off: float = Field(description="people out of reach who are not without the loss")
    mean_min: float
    sent: Sent | None = Field(None, description="this loss as the system then sends people; null without capacities")


class SiteLoss(Part):
    """What the loss of one centre alone would cost."""

    id: str
    name: str
    loss_person_min: float
    cut_off: float


class Hardened(Part):
    """Which centres to make safe, so that the worst loss of others hurts least."""

    number: int
    against: int = Field(description="how many others are lost then")
    sites: list[str]
    worst: list[str] = Field(description="the worst loss that remains")
    loss_person_min: float = Field(description="what that costs")
    unprotected_person_min: float = Field(description="what the worst loss costs if nothing is made safe")
    at_most: float = Field(description="proven: with these made safe, no loss costs more")
    bound: float = Field(description="whichever are made safe, some loss costs at least this")
    gap: float
    status: Literal["optimal", "feasible"]
    proof: Literal["certificate", "solver"] = Field(description="a tree of losses, or HiGHS's word on some losses")


class Scenario(Part):
    """One thing that may happen."""

    name: str
    probability: float
    out: list[str]


class StockPlan(Part):
    """Where to keep reserve stock, by one measure."""

    sites: list[str]
    expected: float = Field(description="weighted person-minutes to the nearest stocked centre in service, expected")
    worst: float = Field(description="the same in the worst scenario")
    bound: float = Field(description="no choice does better in the measure of this plan")
    gap: float
    status: Literal["optimal", "gap", "feasible"]
    proof: Literal["certificate", "solver"] = Field(description="whether the bound can be evaluated again")
    weights: list[float] = Field(description="of the scenarios, under which the bound holds on average; they sum to 1")


class Stock(Part):
    """Where to keep reserve stock so that it is near when centres are out."""

    number: int
    scenarios: list[Scenario]
    expected: StockPlan = Field(description="best on average")
    worst: StockPlan = Field(description="best in the worst scenario")


class StressDocument(Part):
    """Everything ``stress.json`` holds."""

    nearer: str
    schema_: int = Field(STRESS_SCHEMA, alias="schema")
    study: str
    plan: str = Field(description="sha256 of the plan.json that was put to the test")
    seed: int
    inputs: dict[str, str] = Field(description="path → sha256 of every file read")
    asked: Asked
    capacity: Literal["given", "unlimited"]
    value_before: float = Field(description="weighted person-minutes to the nearest centre, whatever the plan aimed at")
    value_after: float
    before: Access
    after: Access
    people_more: float = Field(description="people added by surges")
    cut_off: float = Field(description="people out of reach who were not before")
    cut_off_groups: dict[str, float] = Field({})
    longer: float = Field(description="people whose walk becomes longer, those cut off included")
    areas: list[StressedArea] = Field([])
    places: list[FarPlace] = Field([], description="places that lose most: people newly cut off or far")
    sites: list[StressedSite] = Field([])
    flows: list[Flow] = Field([], description="who goes where instead, most people first")
    with_room: WithRoom | None = Field(None, description="null where no capacity is known")
    sent: Sent | None = Field(None, description="as the system sends people; null where no capacity is known")
    reopen: Replan | None = None
    open: Replan | None = None
    reopen_sent: Sent | None = Field(None, description="the best to bring back where room is limited")
    open_sent: Sent | None = Field(None, description="the best to open where room is limited")
    moves: list[Move] = Field([])
    critical: list[SiteLoss] = Field([], description="what losing each of the centres left would cost, dearest first")
    random: RandomLosses | None = None
    worst: WorstLoss | None = None
    harden: Hardened | None = None
    stock: Stock | None = None
    notes: list[str] = Field([])

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def stopped_early(self) -> bool:
        """Whether some search was ended before it was proven or near enough."""
        stocked = () if self.stock is None else (self.stock.expected, self.stock.worst)
        parts = (self.reopen, self.open, self.worst, self.harden, *stocked)
        return any(part is not None and part.status == "feasible" for part in parts)
