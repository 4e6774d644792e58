"""What an allocation proposes to a person: shipments, hand-outs, shares with reasons, and what is proven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from nearer.aid.allocation.stages import Stage


@dataclass(frozen=True)
class Shipment:
    """
    Whole packs of one lot that leave one place for another on one day.

    Parameters
    ----------
    centre
        The centre they are for; ``to`` is a hub on the way where it differs.
    packs, quantity
        Packs, and base units in them.
    """

    day: date
    arrives: date
    lot: str
    item: str
    origin: str
    to: str
    centre: str
    packs: int
    quantity: int


@dataclass(frozen=True)
class HandOut:
    """
    Base units of a lot that a centre can hand over from a day on, for a programme.

    Parameters
    ----------
    after_best_before
        Whether that day lies after the date of best quality; it may still be handed over, and people are told.
    """

    day: date
    centre: str
    item: str
    programme: str
    lot: str
    quantity: int
    after_best_before: bool


@dataclass(frozen=True)
class Share:
    """
    What a centre gets of an item.

    Parameters
    ----------
    asked, given
        Base units.
    fair
        The fill rate it would have if packs could be split: of the sorted rates of all, no allocation has higher ones.
    bound
        What proves ``fair``: equal to it where the fair shares are proven.
    held_by
        What holds the fair rate down.
    because
        The line for people.
    """

    centre: str
    item: str
    asked: int
    given: int
    fair: float
    bound: float
    held_by: str
    because: str

    @property
    def fill(self) -> float:
        """Given of asked, 0 … 1."""
        return self.given / self.asked


@dataclass(frozen=True)
class SetAside:
    """A request that nothing can serve, and why."""

    centre: str
    item: str
    asked: int
    because: str


@dataclass(frozen=True)
class Expiring:
    """What of a lot is neither handed over by its use-by date nor can be, base units."""

    lot: str
    item: str
    place: str
    use_by: date
    quantity: int


@dataclass(frozen=True)
class Packing:
    """
    What whole packs cost in fairness.

    Parameters
    ----------
    exact
        Whether no choice of whole packs has higher sorted fill rates.
    lowest, lowest_bound
        The lowest fill rate of what can be served, and what it would be at most if packs could be split.
    lower_lines, largest_loss
        Lines below their fair rate, and the most that one of them is below.
    served_kg, served_kg_split
        Served with whole packs, and with packs that may be split.
    """

    exact: bool
    lowest: float
    lowest_bound: float
    lower_lines: int
    largest_loss: float
    served_kg: float
    served_kg_split: float


@dataclass(frozen=True)
class Proposal:
    """
    An allocation for a person to approve.

    Parameters
    ----------
    stages
        What each stage reached with packs that may be split, with its bound.
    complete
        Whether all stages were gone through; a stop leaves later ones out.
    """

    start: date
    days: int
    shipments: tuple[Shipment, ...]
    hand_outs: tuple[HandOut, ...]
    shares: tuple[Share, ...]
    set_aside: tuple[SetAside, ...]
    expiring: tuple[Expiring, ...]
    stages: tuple[Stage, ...]
    packing: Packing
    complete: bool
