"""What every command is made of: codes, amounts, reasons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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


class Part(BaseModel):
    """A checked value that stands on its own or in a command."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Wanted(Part):
    """So much of an item."""

    item: Code
    quantity: Quantity
    unit: Unit | None = None


class LotAmount(Part):
    """So much of one lot, in base units."""

    lot: Lot
    quantity: BaseUnits


class Command(Part):
    """One thing to do, whole or not at all."""

    kind: ClassVar[str]

    def body(self) -> dict[str, Any]:
        """All that was asked for, as plain JSON, without what was left at its default."""
        return self.model_dump(mode="json", exclude_defaults=True)


def each_once(lots: Iterable[str]) -> None:
    """Raise ValueError at the first lot that stands there twice."""
    seen: set[str] = set()
    for lot in lots:
        if lot in seen:
            raise ValueError(f"lot {lot} is named twice")
        seen.add(lot)
