"""What an allocation is asked about: goods, wishes and ways, as frozen values in days from the first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Item:
    """
    A kind of goods, counted in whole base units.

    Parameters
    ----------
    kg, litres
        Weight and room of one base unit; the weight is above zero, since what different items served, wasted and
        travelled is added up in kilograms.
    cold
        Whether it must lie in cold storage.
    """

    id: str
    kg: float
    litres: float = 0.0
    cold: bool = False


@dataclass(frozen=True)
class Place:
    """
    A centre or a hub.

    Parameters
    ----------
    hub
        Whether goods may pass through on their way to somewhere else.
    open_days
        Days of the horizon on which it sends, receives and hands over.
    send_kg, send_litres
        What its vehicles carry away in a day.
    store_kg, store_litres, store_cold_litres
        Room for goods: weight and volume of what need not be cold, volume of what must.
    taken_kg, taken_litres
        What of its vehicles' loads is promised already, day by day; empty for nothing.
    """

    id: str
    hub: bool
    open_days: frozenset[int]
    send_kg: float = math.inf
    send_litres: float = math.inf
    store_kg: float = math.inf
    store_litres: float = math.inf
    store_cold_litres: float = math.inf
    taken_kg: Sequence[float] = ()
    taken_litres: Sequence[float] = ()


@dataclass(frozen=True)
class Lot:
    """
    Goods that lie, or will arrive, at one place.

    Parameters
    ----------
    item, place
        Positions.
    quantity, pack
        Base units, and base units in one pack.
    first
        Day from which it is there.
    last
        Last day on which it may be moved or handed over (use-by), −1 where it has expired; None where it keeps.
    use_by, best_before
        As written on it. After best-before goods may still be handed over.
    programme, centre
        Earmark: the only programme, the only centre (position) that may have it; None for all.
    """

    id: str
    item: int
    place: int
    quantity: int
    pack: int = 1
    first: int = 0
    last: int | None = None
    use_by: date | None = None
    best_before: date | None = None
    programme: str | None = None
    centre: int | None = None


@dataclass(frozen=True)
class Request:
    """
    What a centre asks for one programme.

    Parameters
    ----------
    centre, item
        Positions.
    quantity, minimum
        Base units asked for, and the part that comes before everybody's other wishes.
    first, last
        Days on which it may be handed over.
    """

    centre: int
    item: int
    quantity: int
    minimum: int = 0
    programme: str = ""
    first: int = 0
    last: int = 0


@dataclass(frozen=True)
class Link:
    """
    A way between two places.

    Parameters
    ----------
    origin, to
        Positions.
    minutes
        Travel time.
    days
        Days from sending to arrival; 0 arrives on the same day.
    kg, litres
        What may travel in a day.
    """

    origin: int
    to: int
    minutes: float
    days: int = 0
    kg: float = math.inf
    litres: float = math.inf


@dataclass(frozen=True)
class Case:
    """
    Everything an allocation is made from; ``read_case`` checks it.

    Parameters
    ----------
    start
        The first day, day 0.
    days
        Length of the horizon.
    planned
        Lot, where to (positions) and day of what an earlier plan meant to send: rather that than something else.
    """

    start: date
    days: int
    items: tuple[Item, ...]
    places: tuple[Place, ...]
    lots: tuple[Lot, ...]
    requests: tuple[Request, ...]
    links: tuple[Link, ...]
    planned: frozenset[tuple[int, int, int]] = frozenset()

    def date(self, day: int) -> date:
        """The date of a day of the horizon."""
        return self.start + timedelta(days=day)
