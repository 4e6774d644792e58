"""Setting up: the ledger, sites, givers, items, recipes, programmes and periods."""

from __future__ import annotations

from typing import Annotated

import typer

from nearer.cli.aid.shared import (
    AsJson,
    At,
    Id,
    amounts_from,
    answering,
    asker_of,
    do,
    place_of,
    quantity_from,
    wanted_from,
)
from nearer.cli.console import say, say_json
from nearer.errors import UsageError

Code = Annotated[str, typer.Argument(metavar="CODE", help="Short code: small letters, digits, dashes.")]
Name = Annotated[str, typer.Option("--name", help="What people call it.")]


def init(context: typer.Context, as_json: AsJson = False) -> None:
    """Make an empty ledger."""
    with answering(as_json):
        from nearer.aid.migrate import create

        asker = asker_of(context)
        made = create(asker.ledger, actor=asker.by)
        if as_json:
            say_json(made)
        else:
            say(f"{place_of(asker.ledger)} is ready. Its number is {made['ledger']}.")


def add_site(
    context: typer.Context,
    site: Code,
    name: Name,
    type: Annotated[str, typer.Option(help="centre, hub or partner.")] = "centre",
    time_zone: Annotated[str, typer.Option(metavar="ZONE", help="Such as Europe/Vaduz: where its days end.")] = "UTC",
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add a centre, a hub or a partner."""
    with answering(as_json):
        fields = {"site": site, "name": name, "type": type, "time_zone": time_zone}
        do(context, "add-site", fields, id=id, at=at, as_json=as_json, said="{site} is there.")


def site_state(
    context: typer.Context,
    site: Code,
    state: Annotated[str, typer.Argument(metavar="STATE", help="open, limited or closed.")],
    reason: Annotated[
        str | None, typer.Option(help="planned, flood, fire, outage, staff, safety, full or other.")
    ] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Open, limit or close a site."""
    with answering(as_json):
        fields = {"site": site, "state": state, "reason": reason}
        do(context, "set-site-state", fields, id=id, at=at, as_json=as_json, said="{site} is {state}.")


def add_giver(
    context: typer.Context,
    giver: Code,
    organisation: Annotated[
        str | None, typer.Option(metavar="NAME", help="An organisation's name; a private giver is a code alone.")
    ] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add somebody who gives."""
    with answering(as_json):
        fields = {"party": giver, "organisation": organisation}
        do(context, "add-party", fields, id=id, at=at, as_json=as_json, said="{party} is there.")


def add_item(
    context: typer.Context,
    item: Code,
    name: Name,
    unit: Annotated[str, typer.Option(help="The smallest unit that is counted: g, ml, piece, a coin.")],
    units: Annotated[
        list[str] | None, typer.Argument(metavar="UNIT=BASE…", help="Further units and packs, such as kg=1000.")
    ] = None,
    money: Annotated[bool, typer.Option("--money", help="A currency; its unit is the smallest coin.")] = False,
    category: Annotated[str | None, typer.Option(metavar="CODE", help="Group of items.")] = None,
    ifrc: Annotated[str | None, typer.Option(metavar="CODE", help="Code in the IFRC's catalogue.")] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add a kind of goods, or a currency."""
    with answering(as_json):
        fields = {
            "item": item,
            "name": name,
            "unit": unit,
            "type": "money" if money else None,
            "units": {what: quantity for what, quantity, _ in amounts_from(units or [])} or None,
            "category": category,
            "ifrc_code": ifrc,
        }
        do(context, "add-item", fields, id=id, at=at, as_json=as_json, said="{item} is there.")


def add_unit(
    context: typer.Context,
    item: Code,
    unit: Annotated[str, typer.Argument(metavar="UNIT=BASE", help="Such as pallet=40000.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add a unit or a pack to an item."""
    with answering(as_json):
        ((name, amount, _),) = amounts_from([unit])
        fields = {"item": item, "unit": name, "base_units": amount}
        do(context, "add-unit", fields, id=id, at=at, as_json=as_json, said="{item} can be counted in {unit}.")


def add_recipe(
    context: typer.Context,
    recipe: Code,
    makes: Annotated[str, typer.Option(metavar="ITEM=QUANTITY", help="What one batch makes, such as kit=1.")],
    parts: Annotated[list[str], typer.Argument(metavar="ITEM=QUANTITY…", help="What one batch takes.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add what a kit is made of, or how something is repacked."""
    with answering(as_json):
        (made,) = wanted_from([makes])
        fields = {"recipe": recipe, **made, "lines": wanted_from(parts)}
        do(context, "add-recipe", fields, id=id, at=at, as_json=as_json, said="{recipe} is there.")


def add_programme(
    context: typer.Context,
    programme: Code,
    name: Name,
    visits: Annotated[
        int | None, typer.Option(min=1, help="Most visits in a period.", show_default="any number")
    ] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add a programme: what is promised to households."""
    with answering(as_json):
        fields = {"programme": programme, "name": name, "visits": visits}
        do(context, "add-programme", fields, id=id, at=at, as_json=as_json, said="{programme} is there.")


def open_period(
    context: typer.Context,
    programme: Code,
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="Code of the period.")],
    first: Annotated[str, typer.Option(metavar="DAY", help="First day.")],
    last: Annotated[str, typer.Option(metavar="DAY", help="Last day.")],
    rules: Annotated[
        list[str] | None,
        typer.Argument(metavar="ITEM=QUANTITY[@SIZE]…", help="What a household gets; rice=5kg@3 from three people on."),
    ] = None,
    like: Annotated[str | None, typer.Option(metavar="PERIOD", help="Keep the rules of an earlier period.")] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Open a period with what each household is entitled to in it."""
    with answering(as_json):
        found = []
        for text in rules or []:
            amount, _, size = text.partition("@")
            if size and not size.isdigit():
                raise UsageError(f"{text!r} is no rule; write rice=5kg, or rice=5kg@3 from three people on.")
            item, _, quantity = amount.partition("=")
            found.append({"item": item, **quantity_from(quantity), **({"size_from": int(size)} if size else {})})
        fields = {
            "programme": programme,
            "period": period,
            "first_day": first,
            "last_day": last,
            "rules": found or None,
            "like": like,
        }
        do(context, "open-period", fields, id=id, at=at, as_json=as_json, said="{programme} has the period {period}.")


COMMANDS = {
    "init": init,
    "add-site": add_site,
    "site-state": site_state,
    "add-giver": add_giver,
    "add-item": add_item,
    "add-unit": add_unit,
    "add-recipe": add_recipe,
    "add-programme": add_programme,
    "open-period": open_period,
}
