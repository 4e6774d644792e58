"""Reserving, sending, losing and making."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from nearer.aid.commands.kinds import (
    Code,
    Command,
    Count,
    DamageReason,
    LossReason,
    Lot,
    LotAmount,
    Part,
    Reference,
    ReturnReason,
    Wanted,
    each_once,
)


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


class Arrived(Part):
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
        each_once(line.lot for line in self.lines)
        return self


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
