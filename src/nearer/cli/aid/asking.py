"""Requests and targets, and what sharing needs to know of items, sites, vehicles and ways."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.aid.shared import (
    AsJson,
    At,
    Id,
    Programme,
    Wanted,
    amounts_from,
    answering,
    asker_of,
    do,
    rows_table,
    wanted_from,
)
from nearer.cli.console import say, say_json
from nearer.errors import UsageError

Site = Annotated[str, typer.Argument(metavar="SITE", help="Which centre, hub or partner.")]
Item = Annotated[str, typer.Argument(metavar="ITEM", help="Which item.")]

MILLIGRAMS = {"mg": 1, "g": 1_000, "kg": 10**6, "t": 10**9}
CUBIC_MM = {"ml": 1_000, "cl": 10_000, "dl": 10**5, "l": 10**6, "m3": 10**9}


def measured(text: str, units: dict[str, int], finest: int = 1) -> int:
    """
    A weight or a volume in whole finest units, such as ``1.2kg``.

    Raises
    ------
    UsageError
        It is none.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z0-9]+)", text.strip())
    if match is None or match[2] not in units:
        names = list(units)
        raise UsageError(f"{text!r} is no such amount; write 1.5{names[-2]}, in {', '.join(names)}.")
    exact = Decimal(match[1]) * units[match[2]] / finest
    if exact != int(exact):
        raise UsageError(f"{text!r} is finer than is kept; round it.")
    return int(exact)


def measure_item(
    context: typer.Context,
    item: Item,
    weight: Annotated[str, typer.Option(metavar="WEIGHT", help="What one unit weighs, such as 1.2kg.")],
    volume: Annotated[
        str | None, typer.Option(metavar="VOLUME", help="The room that it takes, such as 1.5l.", show_default="none")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="The unit that is measured.", show_default="the base unit")] = None,
    pack: Annotated[
        str | None, typer.Option(metavar="UNIT", help="The unit that travels whole.", show_default="the base unit")
    ] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say what an item weighs, how much room it takes, and in which packs it travels."""
    with answering(as_json):
        fields = {
            "item": item,
            "unit": unit,
            "milligrams": measured(weight, MILLIGRAMS),
            "cubic_mm": None if volume is None else measured(volume, CUBIC_MM),
            "pack": pack,
        }
        do(context, "measure-item", fields, id=id, at=at, as_json=as_json, said="{item} is measured.")


def set_hours(
    context: typer.Context,
    site: Site,
    days: Annotated[list[str], typer.Argument(metavar="DAY[=HOURS]…", help="Such as mon wed=09:00-12:30.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say on which weekdays a site is open; without it, on all."""
    with answering(as_json):
        found = []
        for text in days:
            day, _, hours = text.partition("=")
            opens, dash, closes = hours.partition("-")
            if hours and not dash:
                raise UsageError(f"{text!r} are no hours; write mon, or mon=09:00-12:30.")
            found.append({"weekday": day} | ({"opens": opens, "closes": closes} if hours else {}))
        do(context, "set-hours", {"site": site, "days": found}, id=id, at=at, as_json=as_json, said="{site}: {days}.")


def set_capacity(
    context: typer.Context,
    site: Site,
    weight: Annotated[
        str | None, typer.Option(metavar="WEIGHT", help="What its shelves hold, such as 2t.", show_default="no limit")
    ] = None,
    volume: Annotated[str | None, typer.Option(metavar="VOLUME", help="Such as 5m3.", show_default="no limit")] = None,
    cold: Annotated[
        str | None, typer.Option(metavar="VOLUME", help="Its cold room, such as 300l.", show_default="no limit")
    ] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say what a site can store."""
    with answering(as_json):
        fields = {
            "site": site,
            "grams": None if weight is None else measured(weight, MILLIGRAMS, 1_000),
            "millilitres": None if volume is None else measured(volume, CUBIC_MM, 1_000),
            "cold_millilitres": None if cold is None else measured(cold, CUBIC_MM, 1_000),
        }
        do(context, "set-capacity", fields, id=id, at=at, as_json=as_json, said="{site} has its limits.")


def set_vehicle(
    context: typer.Context,
    vehicle: Annotated[str, typer.Argument(metavar="VEHICLE", help="Code of the vehicle.")],
    site: Annotated[str, typer.Option(metavar="CODE", help="Where it starts from.")],
    weight: Annotated[str, typer.Option(metavar="WEIGHT", help="What it carries, such as 800kg.")],
    volume: Annotated[str | None, typer.Option(metavar="VOLUME", help="Such as 6m3.", show_default="no limit")] = None,
    trips: Annotated[int, typer.Option(min=0, help="Trips a day; 0 while it is out of service.")] = 1,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add a vehicle, or say anew what it takes; a site without any has no limit."""
    with answering(as_json):
        fields = {
            "vehicle": vehicle,
            "site": site,
            "grams": measured(weight, MILLIGRAMS, 1_000),
            "millilitres": None if volume is None else measured(volume, CUBIC_MM, 1_000),
            "trips": trips,
        }
        do(context, "set-vehicle", fields, id=id, at=at, as_json=as_json, said="{vehicle} starts from {site}.")


def set_ways(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with from, to, minutes; days may stand beside.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Keep travel times between sites, from a table."""
    with answering(as_json):
        from nearer.aid.sharing.waytable import read_ways

        fields = {"lines": read_ways(file)}
        do(context, "set-ways", fields, id=id, at=at, as_json=as_json, said="{ways} ways are known.")


def set_target(
    context: typer.Context,
    site: Site,
    target: Annotated[str, typer.Argument(metavar="ITEM=QUANTITY", help="What it wants to have; 0 for no target.")],
    minimum: Annotated[
        str | None, typer.Option(metavar="QUANTITY", help="The part that comes first.", show_default="none")
    ] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say how much of an item a centre wants to have."""
    with answering(as_json):
        ((item, quantity, unit),) = amounts_from([target])
        least, least_unit = "0", unit
        if minimum is not None:
            ((_, least, least_unit),) = amounts_from([f"x={minimum}"])
            if least_unit != unit:
                raise UsageError(f"Give the minimum in the same unit as the target{f', {unit}' if unit else ''}.")
        fields = {"site": site, "item": item, "target": quantity, "minimum": least, "unit": unit}
        do(context, "set-target", fields, id=id, at=at, as_json=as_json, said="{site} wants {target} {item}.")


def ask(
    context: typer.Context,
    site: Site,
    lines: Wanted,
    needed_by: Annotated[
        str | None, typer.Option(metavar="DAY", help="Last day on which it helps.", show_default="any day")
    ] = None,
    for_programme: Programme = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Ask for goods for a centre, besides what it has and what is on its way."""
    with answering(as_json):
        fields = {
            "site": site,
            "lines": wanted_from(lines),
            "needed_by": needed_by,
            "for_programme": for_programme,
        }
        do(context, "ask", fields, id=id, at=at, as_json=as_json, said="Asked: {request}.")


def close_request(
    context: typer.Context,
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="Such as Q12.")],
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="met or withdrawn.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """End a request that was met in another way or is not needed any more."""
    with answering(as_json):
        fields = {"request": request, "outcome": outcome}
        do(context, "close-request", fields, id=id, at=at, as_json=as_json, said="{request} is {outcome}.")


def requests(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the requests that are open, and how much of each nothing has met yet."""
    with answering(as_json):
        from nearer.aid.sharing.needs import open_requests
        from nearer.aid.sharing.state import read_state
        from nearer.aid.store import Store, sql_of

        with Store(asker_of(context).ledger) as store, store.reading() as connection:
            sql = sql_of(connection)
            state = read_state(sql)
            rows = [
                {
                    "request": line.request,
                    "site": line.site,
                    "item": line.item,
                    "asked": line.asked,
                    "open": line.open,
                    "unit": state.units[line.item],
                    "needed_by": line.needed_by,
                    "programme": line.programme,
                }
                for line in open_requests(sql, state)
            ]
        if as_json:
            say_json(rows)
        elif rows:
            rows_table(rows)
        else:
            say("Nothing.")


COMMANDS = {
    "measure-item": measure_item,
    "set-hours": set_hours,
    "set-capacity": set_capacity,
    "set-vehicle": set_vehicle,
    "set-ways": set_ways,
    "set-target": set_target,
    "ask": ask,
    "close-request": close_request,
    "requests": requests,
}
