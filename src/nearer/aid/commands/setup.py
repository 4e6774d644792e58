"""Sites, parties, items, programmes and periods."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from nearer.aid.commands.kinds import IFRC, BaseUnits, Code, Command, Label, Part, Quantity, StateReason, Unit, Wanted


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


class Rule(Part):
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
