"""Stocktakes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from nearer.aid.commands.kinds import Code, Command, Count, Lot, Part, Quantity, Unit, VarianceReason, each_once


class Counted(Part):
    """How much of a lot is there, in base units."""

    lot: Lot
    counted: Count
    reason: VarianceReason = "unexplained"


class Found(Part):
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
        each_once(line.lot for line in self.lines)
        return self
