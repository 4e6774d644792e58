"""Desks without a connection: leases, their hand-overs, conflicts."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, Field, model_validator

from nearer.aid.commands.kinds import (
    BaseUnits,
    Code,
    Command,
    Conflict,
    LotAmount,
    Part,
    Reference,
    ResolveReason,
    Tag,
    Wanted,
    each_once,
)


class LeasedClaim(Part):
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


class ItemAmount(Part):
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
        each_once(line.lot for line in self.lots)
        return self

    def body(self) -> dict[str, Any]:
        """What the desk said, without what was looked up for it."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"tag", "size"})


class Resolve(Command):
    """A coordinator has looked at a conflict and says what it was."""

    kind: ClassVar[str] = "resolve"
    conflict: Conflict
    reason: ResolveReason
