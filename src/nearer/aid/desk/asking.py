"""Requests and targets of centres, and what sharing needs to know of items, sites, vehicles and ways."""

from __future__ import annotations

from typing import Any

from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.desk.lookup import base_units, need, need_type
from nearer.aid.refusals import RefusedError, unknown


def measure_item(book: Book, command: c.MeasureItem) -> dict[str, Any]:
    """Say what an item weighs, measures and travels in; the last word counts."""
    need_type(book, command.item, "goods")
    book.add(
        "measures",
        item=command.item,
        base_units=base_units(book, command.item, 1, command.unit),
        milligrams=command.milligrams,
        cubic_mm=command.cubic_mm,
        pack=base_units(book, command.item, 1, command.pack),
    )
    return {"item": command.item}


def set_hours(book: Book, command: c.SetHours) -> dict[str, Any]:
    """Say on which weekdays a site is open."""
    need(book, "site", command.site)
    for day in command.days:
        book.add("hours", site=command.site, weekday=day.weekday, opens=day.opens, closes=day.closes)
    return {"site": command.site, "days": " ".join(day.weekday for day in command.days)}


def set_capacity(book: Book, command: c.SetCapacity) -> dict[str, Any]:
    """Say what a site can store."""
    need(book, "site", command.site)
    book.add(
        "capacities",
        site=command.site,
        grams=command.grams,
        millilitres=command.millilitres,
        cold_millilitres=command.cold_millilitres,
    )
    return {"site": command.site}


def set_vehicle(book: Book, command: c.SetVehicle) -> dict[str, Any]:
    """Add a vehicle, or say anew where it is, what it takes and how often it goes."""
    need(book, "site", command.site)
    book.add(
        "vehicles",
        vehicle=command.vehicle,
        site=command.site,
        grams=command.grams,
        millilitres=command.millilitres,
        trips=command.trips,
    )
    return {"vehicle": command.vehicle, "site": command.site}


def set_ways(book: Book, command: c.SetWays) -> dict[str, Any]:
    """Keep travel times; all unknown sites are told at once."""
    known = {site for (site,) in book.sql.all("SELECT site FROM sites")}
    named = {way.origin for way in command.lines} | {way.to for way in command.lines}
    if strangers := sorted(named - known):
        raise unknown("site", "', '".join(strangers), "see `nearer aid list sites`")
    for way in command.lines:
        book.add("ways", from_site=way.origin, to_site=way.to, seconds=way.seconds, days=way.days)
    return {"ways": len(command.lines)}


def set_target(book: Book, command: c.SetTarget) -> dict[str, Any]:
    """Say how much of an item a centre wants to have; 0 ends it."""
    need(book, "site", command.site)
    need_type(book, command.item, "goods")
    minimum, target = (
        0 if float(quantity) == 0 else base_units(book, command.item, quantity, command.unit)
        for quantity in (command.minimum, command.target)
    )
    if minimum > target:
        raise RefusedError(
            "The minimum {minimum} is above the target {target}; raise the target.",
            minimum=command.minimum,
            target=command.target,
        )
    book.add("targets", site=command.site, item=command.item, minimum=minimum, target=target)
    return {"site": command.site, "item": command.item, "minimum": minimum, "target": target}


def ask(book: Book, command: c.Ask) -> dict[str, Any]:
    """Ask for goods, an item only once."""
    need(book, "site", command.site)
    need(book, "programme", command.for_programme)
    needed_by = None if command.needed_by is None else command.needed_by.isoformat()
    if needed_by is not None and needed_by < (day := book.day_at(command.site)):
        raise RefusedError(
            "It is {day} at {site}; goods cannot be there by {needed_by}.",
            day=day,
            site=command.site,
            needed_by=needed_by,
        )
    name = f"Q{book.seq}"
    book.add("requests", request=name, site=command.site, for_programme=command.for_programme, needed_by=needed_by)
    wanted: dict[str, int] = {}
    for line in command.lines:
        need_type(book, line.item, "goods")
        wanted[line.item] = wanted.get(line.item, 0) + base_units(book, line.item, line.quantity, line.unit)
    for item, quantity in wanted.items():
        book.add("request_lines", request=name, item=item, quantity=quantity)
    return {"request": name, "lines": [{"item": item, "quantity": quantity} for item, quantity in wanted.items()]}


def close_request(book: Book, command: c.CloseRequest) -> dict[str, Any]:
    """End a request before goods have met it."""
    if book.sql.one("SELECT 1 FROM requests WHERE request = ?", command.request) is None:
        raise unknown("request", command.request, "see `nearer aid requests`")
    ended = book.sql.one("SELECT outcome FROM request_ends WHERE request = ?", command.request)
    if ended is not None:
        raise RefusedError("The request {request} was {outcome} already.", request=command.request, outcome=ended[0])
    book.add("request_ends", request=command.request, outcome=command.outcome)
    return {"request": command.request, "outcome": command.outcome}
