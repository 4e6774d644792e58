"""Proposals of who gets what, and their approval."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from nearer.aid.commands.kinds import (
    REASON,
    BaseUnits,
    Code,
    Command,
    Count,
    Figure,
    Label,
    Lot,
    Part,
    Reference,
    StateReason,
)


class ProposedLine(Part):
    """Goods of one lot that are to leave one site for another on a day; onward: once they have come to a hub."""

    day: date
    arrives: date
    lot: Lot
    origin: Code
    to: Code
    for_site: Code
    quantity: BaseUnits
    onward: bool = False


class ProposedStage(Part):
    """What a stage of the allocation reached, and what no other can better; figures as decimal text."""

    stage: Label
    unit: Label
    value: Figure
    bound: Figure
    proven: bool


class ProposedShare(Part):
    """What a centre is to get of an item, of what it asked for, and why."""

    site: Code
    item: Code
    asked: BaseUnits
    given: Count
    fair: Figure
    bound: Figure
    because: Annotated[str, StringConstraints(pattern=REASON)]


class Closure(Part):
    """A site that is closed when the proposal is approved."""

    site: Code
    reason: StateReason = "other"


class Surge(Part):
    """How many thousandths of its usual need a site has from then on."""

    site: Code
    per_mille: Annotated[int, Field(ge=1, le=100_000)]


class Takeover(Part):
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
