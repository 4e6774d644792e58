"""Gifts, pledges, purchases and money spent."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from nearer.aid.commands.kinds import Code, Command, Count, Part, PayReason, Quantity, Reference, Unit


class Gift(Part):
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
