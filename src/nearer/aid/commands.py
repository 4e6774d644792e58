"""
What a desk can ask of the ledger, each as one checked value.

A quantity is a whole number or a decimal text ("1.5") of a unit that the item has; it must come to whole base units.
Codes are short and have no spaces. Nothing here can hold a person's name, address or story: a private giver is a code,
a household an opaque tag, a reason one of a list.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

CODE = r"^[a-z0-9][a-z0-9-]{0,39}$"
LABEL = r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,119}$"
UNIT = r"^[^\W\d_][\w./-]{0,19}$"
LOT = r"^L[0-9]+-[0-9]+$"
REFERENCE = r"^[A-Z][0-9]+(-[0-9]+)?$"
CONFLICT = r"^X[0-9]+-[0-9]+$"
TAG = r"^[0-9a-f]{32,64}$"
IFRC = r"^[A-Z0-9][A-Z0-9.,/+_-]{3,19}$"
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
FIGURE = r"^-?[0-9]+(\.[0-9]+)?$"
REASON = r"^[^\x00-\x1f\x7f]{1,1000}$"
AMOUNT = r"^[0-9]{1,15}(\.[0-9]{1,9})?$"

Code = Annotated[str, StringConstraints(pattern=CODE)]
Label = Annotated[str, StringConstraints(pattern=LABEL)]
Unit = Annotated[str, StringConstraints(pattern=UNIT)]
Lot = Annotated[str, StringConstraints(pattern=LOT)]
Reference = Annotated[str, StringConstraints(pattern=REFERENCE)]
Conflict = Annotated[str, StringConstraints(pattern=CONFLICT)]
Tag = Annotated[str, StringConstraints(pattern=TAG)]
Quantity = Annotated[int, Field(ge=0, le=10**15)] | Annotated[str, StringConstraints(pattern=AMOUNT)]
BaseUnits = Annotated[int, Field(gt=0, le=10**15)]
Count = Annotated[int, Field(ge=0, le=10**15)]

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Annotated[str, StringConstraints(pattern=CLOCK)]
Figure = Annotated[str, StringConstraints(pattern=FIGURE)]

DamageReason = Literal["broken", "wet", "pests", "temperature", "packaging", "other"]
LossReason = Literal["missing", "theft", "transport", "other"]
VarianceReason = Literal["miscount", "missing", "theft", "found", "unexplained"]
ReturnReason = Literal["refused", "unsuitable", "recalled", "surplus", "other"]
PayReason = Literal["transport", "rent", "energy", "wages", "equipment", "other"]
ResolveReason = Literal[
    "emergency", "goods-found", "goods-not-booked", "entry-mistake", "card-replaced", "clock", "put-right", "other"
]
StateReason = Literal["planned", "flood", "fire", "outage", "staff", "safety", "full", "other"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Command(_Model):
    """One thing to do, whole or not at all."""

    kind: ClassVar[str]

    def body(self) -> dict[str, Any]:
        """All that was asked for, as plain JSON, without what was left at its default."""
        return self.model_dump(mode="json", exclude_defaults=True)


# Set-up


class AddSite(Command):
    """A centre, hub or partner."""

    kind: ClassVar[str] = "add-site"
    site: Code
    name: Label
    type: Literal["centre", "hub", "partner"] = "centre"
    time_zone: str = "UTC"


class SetSiteState(Command):
    """Open, limit or close a site."""

    kind: ClassVar[str] = "set-site-state"
    site: Code
    state: Literal["open", "limited", "closed"]
    reason: StateReason | None = None


class AddParty(Command):
    """Somebody who gives: an organisation by its name, a private giver by a code alone."""

    kind: ClassVar[str] = "add-party"
    party: Code
    organisation: Label | None = None


class AddItem(Command):
    """A kind of goods, or a currency, counted in whole base units."""

    kind: ClassVar[str] = "add-item"
    item: Code
    name: Label
    unit: Unit
    type: Literal["goods", "money"] = "goods"
    category: Code | None = None
    ifrc_code: Annotated[str, StringConstraints(pattern=IFRC)] | None = None
    units: dict[Unit, BaseUnits] = Field(default_factory=dict, description="Base units in each further unit or pack.")


class AddUnit(Command):
    """A further unit or pack of an item."""

    kind: ClassVar[str] = "add-unit"
    item: Code
    unit: Unit
    base_units: BaseUnits


class Wanted(_Model):
    """So much of an item."""

    item: Code
    quantity: Quantity
    unit: Unit | None = None


class AddRecipe(Command):
    """What one kit, or one batch of a repacking, is made of."""

    kind: ClassVar[str] = "add-recipe"
    recipe: Code
    item: Code
    quantity: Quantity = 1
    unit: Unit | None = None
    lines: Annotated[tuple[Wanted, ...], Field(min_length=1)]


class AddProgramme(Command):
    """A promise to households, with at most so many visits in a period (any number without)."""

    kind: ClassVar[str] = "add-programme"
    programme: Code
    name: Label
    visits: Annotated[int, Field(ge=1, le=1000)] | None = None


class Rule(_Model):
    """What a household of ``size_from`` or more gets of an item in a period, until the next rule for a larger size."""

    item: Code
    quantity: Quantity
    unit: Unit | None = None
    size_from: Annotated[int, Field(ge=1, le=100)] = 1


class OpenPeriod(Command):
    """A span of days with its rules, or with those of an earlier period."""

    kind: ClassVar[str] = "open-period"
    programme: Code
    period: Code
    first_day: date
    last_day: date
    rules: tuple[Rule, ...] = ()
    like: Code | None = None

    @model_validator(mode="after")
    def _one_source_of_rules(self) -> OpenPeriod:
        if bool(self.rules) == (self.like is not None):
            raise ValueError("give either rules or an earlier period whose rules hold on")
        if self.last_day < self.first_day:
            raise ValueError("the last day is before the first")
        return self


# Taking in


class Gift(_Model):
    """One lot of a gift."""

    item: Code
    quantity: Quantity
    unit: Unit | None = None
    use_by: date | None = None
    best_before: date | None = None
    cold: bool = False
    value: Count | None = Field(default=None, description="What it is worth, in base units of the currency.")
    currency: Code | None = None
    for_programme: Code | None = None
    for_site: Code | None = None
    for_item: Code | None = Field(default=None, description="Money only: what it may buy.")

    @model_validator(mode="after")
    def _value_has_currency(self) -> Gift:
        if (self.value is None) != (self.currency is None):
            raise ValueError("a value needs its currency, and a currency its value")
        return self


class Receive(Command):
    """A gift of goods or money has come in."""

    kind: ClassVar[str] = "receive"
    site: Code
    giver: Code
    lines: Annotated[tuple[Gift, ...], Field(min_length=1, max_length=1000)]


class Pledge(Command):
    """Money was promised."""

    kind: ClassVar[str] = "pledge"
    giver: Code
    item: Code
    quantity: Quantity
    unit: Unit | None = None
    for_programme: Code | None = None
    for_site: Code | None = None
    for_item: Code | None = None


class ReceivePledge(Command):
    """Promised money has come in, all of it or a part."""

    kind: ClassVar[str] = "receive-pledge"
    pledge: Reference
    site: Code
    quantity: Quantity
    unit: Unit | None = None


class Buy(Command):
    """Money becomes a lot of goods; the funds that paid are its sources."""

    kind: ClassVar[str] = "buy"
    site: Code
    money: Code
    price: Quantity
    price_unit: Unit | None = None
    item: Code
    quantity: Quantity
    unit: Unit | None = None
    use_by: date | None = None
    best_before: date | None = None
    cold: bool = False
    for_programme: Code | None = None


class Spend(Command):
    """Money pays for what is no goods."""

    kind: ClassVar[str] = "spend"
    site: Code
    money: Code
    amount: Quantity
    unit: Unit | None = None
    reason: PayReason
    for_programme: Code | None = None


# Holding and moving


class Reserve(Command):
    """Set goods aside, those first that end first."""

    kind: ClassVar[str] = "reserve"
    site: Code
    lines: Annotated[tuple[Wanted, ...], Field(min_length=1)]
    for_site: Code | None = None
    for_programme: Code | None = None


class Release(Command):
    """Give what is left of a reservation free again."""

    kind: ClassVar[str] = "release"
    reservation: Reference


class Send(Command):
    """Goods leave for another site; picked first-ended first out, or all that a reservation holds."""

    kind: ClassVar[str] = "send"
    site: Code
    to: Code
    lines: tuple[Wanted, ...] = ()
    reservation: Reference | None = None
    for_programme: Code | None = None

    @model_validator(mode="after")
    def _something(self) -> Send:
        if bool(self.lines) == (self.reservation is not None):
            raise ValueError("give either lines or a reservation")
        if self.site == self.to:
            raise ValueError("goods are sent to another site")
        return self


class Arrived(_Model):
    """How much of a lot arrived, in base units."""

    lot: Lot
    good: Count
    damaged: Count = 0


class Arrive(Command):
    """A shipment has come in: in full without lines; what is missing is lost, unless more is to come."""

    kind: ClassVar[str] = "arrive"
    shipment: Reference
    lines: tuple[Arrived, ...] = ()
    damage: DamageReason = "other"
    more_to_come: bool = False

    @model_validator(mode="after")
    def _each_lot_once(self) -> Arrive:
        _once(line.lot for line in self.lines)
        return self


class LotAmount(_Model):
    """So much of one lot, in base units."""

    lot: Lot
    quantity: BaseUnits


class Damage(Command):
    """Goods are spoilt."""

    kind: ClassVar[str] = "damage"
    site: Code
    lines: Annotated[tuple[LotAmount, ...], Field(min_length=1)]
    reason: DamageReason


class Lose(Command):
    """Goods or money are gone."""

    kind: ClassVar[str] = "lose"
    site: Code
    lines: Annotated[tuple[LotAmount, ...], Field(min_length=1)]
    reason: LossReason


class Expire(Command):
    """Write off whatever at a site is past its use-by day."""

    kind: ClassVar[str] = "expire"
    site: Code


class GiveBack(Command):
    """Goods or money go back to the giver."""

    kind: ClassVar[str] = "give-back"
    site: Code
    lines: Annotated[tuple[LotAmount, ...], Field(min_length=1)]
    reason: ReturnReason


class Recall(Command):
    """Nothing of a lot is picked any more."""

    kind: ClassVar[str] = "recall"
    lot: Lot
    reason: Literal["maker", "authority", "giver", "own-check"]


class Make(Command):
    """Make kits or repack, by a recipe."""

    kind: ClassVar[str] = "make"
    site: Code
    recipe: Code
    times: Annotated[int, Field(ge=1, le=10**9)]
    use_by: date | None = Field(default=None, description="Earlier than its parts', where making shortens it.")
    for_programme: Code | None = None


# Counting


class Counted(_Model):
    """How much of a lot is there, in base units."""

    lot: Lot
    counted: Count
    reason: VarianceReason = "unexplained"


class Found(_Model):
    """Goods that no lot accounts for; also how opening stock comes in."""

    item: Code
    quantity: Quantity
    unit: Unit | None = None
    use_by: date | None = None
    best_before: date | None = None
    cold: bool = False


class Stocktake(Command):
    """What was counted; nothing else is touched."""

    kind: ClassVar[str] = "stocktake"
    site: Code
    lines: tuple[Counted, ...] = ()
    found: tuple[Found, ...] = ()
    cutoff: Annotated[int, Field(ge=1, le=10**15)] | None = Field(
        default=None, description="Last transaction before counting; without it, the last there is."
    )

    @model_validator(mode="after")
    def _each_lot_once(self) -> Stocktake:
        if not self.lines and not self.found:
            raise ValueError("nothing was counted")
        _once(line.lot for line in self.lines)
        return self


# Households


class HandOver(Command):
    """A household receives goods within what it is entitled to."""

    kind: ClassVar[str] = "hand-over"
    site: Code
    programme: Code
    tag: Tag
    size: Annotated[int, Field(ge=1, le=100)] = Field(
        description="People in the household; used when its account is opened, and not kept."
    )
    lines: Annotated[tuple[Wanted, ...], Field(min_length=1)]
    proof: Literal["tap", "pin", "witness"] = "tap"
    witness: Code | None = Field(default=None, description="Staff code of who stood beside it, with that proof.")
    reservation: Reference | None = None
    already_given: bool = Field(
        default=False, description="It has physically happened: keep it, and flag what goes beyond the books."
    )

    @model_validator(mode="after")
    def _witness_with_its_proof(self) -> HandOver:
        if self.witness is not None and self.proof != "witness":
            raise ValueError("a witness goes with the proof witness")
        return self


# Desks without a connection


class LeasedClaim(_Model):
    """A household that a cut-off desk may serve."""

    tag: Tag
    size: Annotated[int, Field(ge=1, le=100)] = Field(
        description="People in the household; used when its account is opened, and not kept."
    )


class Lease(Command):
    """A desk takes goods and a list of entitled households with it, until a moment."""

    kind: ClassVar[str] = "lease"
    site: Code
    desk: Code
    programme: Code
    period: Code
    until: AwareDatetime
    lines: tuple[Wanted, ...] = ()
    claims: Annotated[tuple[LeasedClaim, ...], Field(max_length=20_000)] = ()

    @model_validator(mode="after")
    def _each_claim_once(self) -> Lease:
        if not self.lines and not self.claims:
            raise ValueError("a lease is of goods, of households, or of both")
        if len({claim.tag for claim in self.claims}) < len(self.claims):
            raise ValueError("a household is named twice")
        return self


class EndLease(Command):
    """A desk is back, or its time is over: what it did not give goes back to the stock."""

    kind: ClassVar[str] = "end-lease"
    lease: Reference
    how: Literal["returned", "expired"] = "returned"


class ItemAmount(_Model):
    """So much of an item, in base units."""

    item: Code
    quantity: BaseUnits


class HandOverOffline(Command):
    """
    What a cut-off desk has given: one entry of its journal. It has happened and is never refused for what it was.

    A household is a number on the lease's list, or the tag of a card that was not on it. Tag and size are looked up
    when the entry comes in and are no part of what makes two entries the same: ``mark``, which the desk made, is.
    """

    kind: ClassVar[str] = "hand-over-offline"
    lease: Reference
    moment: AwareDatetime = Field(description="When, by the desk's clock.")
    claim: Annotated[int, Field(ge=1, le=10**6)] | None = None
    mark: Tag | None = None
    tag: Tag | None = None
    size: Annotated[int, Field(ge=1, le=100)] | None = Field(default=None, description="None for an unknown card.")
    lots: tuple[LotAmount, ...] = Field(default=(), description="What it took from its leased lots.")
    beyond: tuple[ItemAmount, ...] = Field(default=(), description="What it gave beyond its leased lots.")
    proof: Literal["tap", "pin", "witness"] = "tap"
    witness: Code | None = Field(default=None, description="Staff code of who stood beside it, with that proof.")

    @model_validator(mode="after")
    def _one_household(self) -> HandOverOffline:
        if (self.claim is None) == (self.tag is None) or (self.tag is None) != (self.mark is None):
            raise ValueError("give either a number on the list, or mark and tag of a card that is not on it")
        if not self.lots and not self.beyond:
            raise ValueError("nothing was given")
        if self.witness is not None and self.proof != "witness":
            raise ValueError("a witness goes with the proof witness")
        _once(line.lot for line in self.lots)
        return self

    def body(self) -> dict[str, Any]:
        """What the desk said, without what was looked up for it."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"tag", "size"})


class Resolve(Command):
    """A coordinator has looked at a conflict and says what it was."""

    kind: ClassVar[str] = "resolve"
    conflict: Conflict
    reason: ResolveReason


# Telling


class Publish(Command):
    """A table of households served, for everybody: counts that are too small are hidden, now and later."""

    kind: ClassVar[str] = "publish"
    rows: Literal["site", "programme"] = "site"
    columns: Literal["week", "month"] = "week"
    first_day: date
    last_day: date
    least: Annotated[int, Field(ge=3, le=1000)] = Field(default=10, description="Counts below this are hidden.")

    @model_validator(mode="after")
    def _days_in_order(self) -> Publish:
        if self.last_day < self.first_day:
            raise ValueError("the last day is before the first")
        if not 2000 <= self.first_day.year <= self.last_day.year < 9000 or (self.last_day - self.first_day).days > 1100:
            raise ValueError("a table covers at most three years")
        return self


# Asking, and what sharing needs to know


class MeasureItem(Command):
    """What an item weighs and how much room it takes, and in which packs it travels."""

    kind: ClassVar[str] = "measure-item"
    item: Code
    unit: Unit | None = Field(default=None, description="The unit that is measured; the base unit without.")
    milligrams: BaseUnits
    cubic_mm: Count = 0
    pack: Unit | None = Field(default=None, description="The unit that travels whole; the base unit without.")


class OpenDay(_Model):
    """A weekday on which a site is open, with its hours where they matter to people."""

    weekday: Weekday
    opens: Clock | None = None
    closes: Clock | None = None

    @model_validator(mode="after")
    def _in_order(self) -> OpenDay:
        if (self.opens is None) != (self.closes is None):
            raise ValueError("give both when it opens and when it closes, or neither")
        if self.opens is not None and self.closes is not None and self.closes <= self.opens:
            raise ValueError("it closes before it opens")
        return self


class SetHours(Command):
    """The weekdays on which a site sends, receives and hands over."""

    kind: ClassVar[str] = "set-hours"
    site: Code
    days: Annotated[tuple[OpenDay, ...], Field(min_length=1, max_length=7)]

    @model_validator(mode="after")
    def _each_day_once(self) -> SetHours:
        if len({day.weekday for day in self.days}) < len(self.days):
            raise ValueError("a weekday is named twice")
        return self


class SetCapacity(Command):
    """What a site can store; no limit where nothing is said."""

    kind: ClassVar[str] = "set-capacity"
    site: Code
    grams: Count | None = None
    millilitres: Count | None = None
    cold_millilitres: Count | None = None


class SetVehicle(Command):
    """What a vehicle takes away from its site on each of its trips a day; no trips while it is out of service."""

    kind: ClassVar[str] = "set-vehicle"
    vehicle: Code
    site: Code
    grams: Count
    millilitres: Count | None = None
    trips: Annotated[int, Field(ge=0, le=50)] = 1


class Way(_Model):
    """How long it takes from one site to another; the way back takes as long, unless it has a line of its own."""

    origin: Code
    to: Code
    seconds: Annotated[int, Field(ge=0, le=10**7)]
    days: Annotated[int, Field(ge=0, le=30)] = Field(default=0, description="Days until arrival; 0: the same day.")

    @model_validator(mode="after")
    def _elsewhere(self) -> Way:
        if self.origin == self.to:
            raise ValueError("a way leads from one site to another")
        return self


class SetWays(Command):
    """Travel times between sites, for all pairs named."""

    kind: ClassVar[str] = "set-ways"
    lines: Annotated[tuple[Way, ...], Field(min_length=1, max_length=100_000)]

    @model_validator(mode="after")
    def _each_pair_once(self) -> SetWays:
        if len({(way.origin, way.to) for way in self.lines}) < len(self.lines):
            raise ValueError("a pair of sites is named twice")
        return self


class SetTarget(Command):
    """How much of an item a centre wants to have, and the part of it that comes before others' wishes."""

    kind: ClassVar[str] = "set-target"
    site: Code
    item: Code
    target: Quantity
    minimum: Quantity = 0
    unit: Unit | None = None


class Ask(Command):
    """A centre asks for goods, besides what it has and what is on its way."""

    kind: ClassVar[str] = "ask"
    site: Code
    lines: Annotated[tuple[Wanted, ...], Field(min_length=1, max_length=1000)]
    needed_by: date | None = None
    for_programme: Code | None = None


class CloseRequest(Command):
    """A request is met in another way, or not needed any more."""

    kind: ClassVar[str] = "close-request"
    request: Reference
    outcome: Literal["met", "withdrawn"]


# Sharing


class ProposedLine(_Model):
    """Goods of one lot that are to leave one site for another on a day; onward: once they have come to a hub."""

    day: date
    arrives: date
    lot: Lot
    origin: Code
    to: Code
    for_site: Code
    quantity: BaseUnits
    onward: bool = False


class ProposedStage(_Model):
    """What a stage of the allocation reached, and what no other can better; figures as decimal text."""

    stage: Label
    unit: Label
    value: Figure
    bound: Figure
    proven: bool


class ProposedShare(_Model):
    """What a centre is to get of an item, of what it asked for, and why."""

    site: Code
    item: Code
    asked: BaseUnits
    given: Count
    fair: Figure
    bound: Figure
    because: Annotated[str, StringConstraints(pattern=REASON)]


class Closure(_Model):
    """A site that is closed when the proposal is approved."""

    site: Code
    reason: StateReason = "other"


class Surge(_Model):
    """How many thousandths of its usual need a site has from then on."""

    site: Code
    per_mille: Annotated[int, Field(ge=1, le=100_000)]


class Takeover(_Model):
    """How many thousandths of a closed site's need another one takes over."""

    site: Code
    to: Code
    per_mille: Annotated[int, Field(ge=1, le=1000)]


class Propose(Command):
    """Keep an allocation for a person to decide on; nothing moves."""

    kind: ClassVar[str] = "propose"
    type: Literal["share", "crisis"] = "share"
    as_of: Annotated[int, Field(ge=1, le=10**15)]
    first_day: date
    last_day: date
    inputs: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    solver: Label
    status: Literal["proven", "unproven", "stopped"]
    stages: tuple[ProposedStage, ...] = ()
    lines: Annotated[tuple[ProposedLine, ...], Field(max_length=100_000)] = ()
    shares: Annotated[tuple[ProposedShare, ...], Field(max_length=100_000)] = ()
    closures: tuple[Closure, ...] = ()
    surges: tuple[Surge, ...] = ()
    takeovers: tuple[Takeover, ...] = ()


class Approve(Command):
    """A person approves a proposal, all of it or without some lines: goods are set aside, sites closed."""

    kind: ClassVar[str] = "approve"
    proposal: Reference
    without: tuple[Annotated[int, Field(ge=1, le=100_000)], ...] = ()
    until: date | None = Field(default=None, description="Later days are planned again.")


class Decline(Command):
    """A person declines a proposal; everything stays as it is."""

    kind: ClassVar[str] = "decline"
    proposal: Reference
    reason: Literal["out-of-date", "unfair", "impractical", "other"] = "other"


# Mending


class Reverse(Command):
    """Undo one transaction's postings by a new one."""

    kind: ClassVar[str] = "reverse"
    transaction: Annotated[int, Field(ge=1, le=10**15)]


def _once(lots: Any) -> None:
    seen: set[str] = set()
    for lot in lots:
        if lot in seen:
            raise ValueError(f"lot {lot} is named twice")
        seen.add(lot)


COMMANDS: dict[str, type[Command]] = {command.kind: command for command in Command.__subclasses__()}
"""Every command by its kind."""
