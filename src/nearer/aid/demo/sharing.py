"""Goods that are shared by what centres ask for, once a month of the made-up year."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from nearer.aid import commands as c
from nearer.aid.demo import network as n
from nearer.aid.sharing import propose
from nearer.aid.sharing.build import Wish

if TYPE_CHECKING:
    from nearer.aid.demo.year import _Town

ASKED = {"soap": 24, "nappies": 40}
"""What each centre asks for on the first Monday of a month, in base units, besides what the truck brings."""

WEIGHTS = {"soap": 100_000, "nappies": 40_000}
"""Milligrams of one."""


def set_up() -> list[c.Command]:
    """What sharing must know: weights, ways, and the vehicle."""
    found: list[c.Command] = [c.MeasureItem(item=item, milligrams=weight) for item, weight in WEIGHTS.items()]
    minutes = dict(zip(n.CENTRES, (12, 45, 15, 25), strict=True))
    found.append(c.SetWays(lines=tuple(c.Way(origin=n.HUB, to=to, seconds=60 * much) for to, much in minutes.items())))
    found.append(c.SetVehicle(vehicle="van", site=n.HUB, grams=900_000))
    return found


def share(town: _Town) -> None:
    """Centres ask, the hub shares, a person approves, and what is set aside for today leaves."""
    closed = town.closed()
    for k, centre in enumerate(n.CENTRES):
        if centre != closed:
            wanted = tuple(c.Wanted(item=item, quantity=amount) for item, amount in ASKED.items())
            town.do(c.Ask(site=centre, lines=wanted, needed_by=town.day + timedelta(days=6)), 12 * 60 + k)
    drafted = propose.draft(town.store, Wish(town.day, 2, ("requests",)))
    made = town.do(drafted.command, 13 * 60, by="office")
    if not drafted.command.lines:
        return
    approved = town.do(c.Approve(proposal=made["proposal"]), 13 * 60 + 10, by="office")
    for k, load in enumerate(approved["loads"]):
        sent = town.do(
            c.Send(site=load["from"], to=load["to"], reservation=load["reservation"]), 14 * 60 + k, by="driver"
        )
        town.under_way.append(sent)


def is_first_monday(day: date) -> bool:
    """When centres ask."""
    return day.weekday() == 0 and day.day <= 7
