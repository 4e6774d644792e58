"""Requests, and what sharing needs to know: hours, room, vehicles, ways."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from nearer.aid.commands.kinds import (
    BaseUnits,
    Clock,
    Code,
    Command,
    Count,
    Part,
    Quantity,
    Reference,
    Unit,
    Wanted,
    Weekday,
)


class MeasureItem(Command):
    """What an item weighs and how much room it takes, and in which packs it travels."""

    kind: ClassVar[str] = "measure-item"
    item: Code
    unit: Unit | None = Field(default=None, description="The unit that is measured; the base unit without.")
    milligrams: BaseUnits
    cubic_mm: Count = 0
    pack: Unit | None = Field(default=None, description="The unit that travels whole; the base unit without.")


class OpenDay(Part):
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


class Way(Part):
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
