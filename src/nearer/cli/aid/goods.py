"""Taking in, holding, moving, making and counting."""

from __future__ import annotations

from typing import Annotated

import typer

from nearer.cli.aid.shared import (
    AsJson,
    At,
    BestBefore,
    Cold,
    Id,
    LotAmounts,
    Programme,
    UseBy,
    Wanted,
    amounts_from,
    answering,
    do,
    lots_from,
    quantity_from,
    wanted_from,
    whole,
)
from nearer.errors import UsageError

Site = Annotated[str, typer.Argument(metavar="SITE", help="Which centre, hub or partner.")]
Giver = Annotated[str, typer.Option("--giver", metavar="CODE", help="Who gives it.")]
ForSite = Annotated[str | None, typer.Option("--for-site", metavar="CODE", help="The only site that may give it out.")]
ForItem = Annotated[str | None, typer.Option("--for-item", metavar="CODE", help="Money: the only item it may buy.")]


def receive(
    context: typer.Context,
    site: Site,
    gift: Annotated[list[str], typer.Argument(metavar="ITEM=QUANTITY…", help="One lot each, such as rice=4sack.")],
    giver: Giver,
    use_by: UseBy = None,
    best_before: BestBefore = None,
    cold: Cold = False,
    value: Annotated[
        str | None, typer.Option(metavar="CURRENCY=COINS", help="What each lot is worth, such as chf=4500.")
    ] = None,
    for_programme: Programme = None,
    for_site: ForSite = None,
    for_item: ForItem = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Take in a gift of goods or money."""
    with answering(as_json):
        worth: dict[str, object] = {}
        if value is not None:
            ((currency, coins, unit),) = amounts_from([value])
            worth = {"currency": currency, "value": whole(currency, coins, unit)}
        common = {
            "use_by": use_by,
            "best_before": best_before,
            "cold": cold,
            "for_programme": for_programme,
            "for_site": for_site,
            "for_item": for_item,
            **worth,
        }
        lines = [line | common for line in wanted_from(gift)]
        fields = {"site": site, "giver": giver, "lines": lines}
        do(context, "receive", fields, id=id, at=at, as_json=as_json, said=f"Taken in at {site}.")


def pledge(
    context: typer.Context,
    money: Annotated[str, typer.Argument(metavar="MONEY=AMOUNT", help="Such as chf=200CHF.")],
    giver: Giver,
    for_programme: Programme = None,
    for_site: ForSite = None,
    for_item: ForItem = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Note money that was promised."""
    with answering(as_json):
        (line,) = wanted_from([money])
        marks = {"for_programme": for_programme, "for_site": for_site, "for_item": for_item}
        said = "Promised: {pledge}, {quantity} of lot {lot}."
        do(context, "pledge", {"giver": giver, **line, **marks}, id=id, at=at, as_json=as_json, said=said)


def receive_pledge(
    context: typer.Context,
    pledge: Annotated[str, typer.Argument(metavar="PLEDGE", help="Such as P31.")],
    site: Site,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 150CHF.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Take in promised money, all of it or a part."""
    with answering(as_json):
        fields = {"pledge": pledge, "site": site, **quantity_from(amount)}
        said = "{quantity} came in; {open} of {pledge} are still to come."
        do(context, "receive-pledge", fields, id=id, at=at, as_json=as_json, said=said)


def buy(
    context: typer.Context,
    site: Site,
    goods: Annotated[str, typer.Argument(metavar="ITEM=QUANTITY", help="What is bought: one lot.")],
    price: Annotated[str, typer.Option(metavar="MONEY=AMOUNT", help="What it costs in all, such as chf=85CHF.")],
    use_by: UseBy = None,
    best_before: BestBefore = None,
    cold: Cold = False,
    for_programme: Programme = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Buy goods with money that the site holds."""
    with answering(as_json):
        (bought,), (paid,) = wanted_from([goods]), wanted_from([price])
        fields = {
            "site": site,
            **bought,
            "money": paid["item"],
            "price": paid["quantity"],
            "price_unit": paid.get("unit"),
            "use_by": use_by,
            "best_before": best_before,
            "cold": cold,
            "for_programme": for_programme,
        }
        said = "Bought {quantity} {item}: lot {lot}."
        do(context, "buy", fields, id=id, at=at, as_json=as_json, said=said)


def spend(
    context: typer.Context,
    site: Site,
    money: Annotated[str, typer.Argument(metavar="MONEY=AMOUNT", help="Such as chf=12.50CHF.")],
    reason: Annotated[str, typer.Option(help="transport, rent, energy, wages, equipment or other.")],
    for_programme: Programme = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Pay for what is no goods."""
    with answering(as_json):
        (line,) = wanted_from([money])
        fields = {
            "site": site,
            "money": line["item"],
            "amount": line["quantity"],
            "unit": line.get("unit"),
            "reason": reason,
            "for_programme": for_programme,
        }
        do(context, "spend", fields, id=id, at=at, as_json=as_json, said=f"Paid by {site}.")


def reserve(
    context: typer.Context,
    site: Site,
    lines: Wanted,
    for_site: Annotated[str | None, typer.Option(metavar="CODE", help="Which site will get it.")] = None,
    for_programme: Programme = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Set goods aside."""
    with answering(as_json):
        fields = {"site": site, "lines": wanted_from(lines), "for_site": for_site, "for_programme": for_programme}
        do(context, "reserve", fields, id=id, at=at, as_json=as_json, said="Set aside: {reservation}.")


def release(
    context: typer.Context,
    reservation: Annotated[str, typer.Argument(metavar="RESERVATION", help="Such as R17.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Give free what is left of a reservation."""
    with answering(as_json):
        fields = {"reservation": reservation}
        do(context, "release", fields, id=id, at=at, as_json=as_json, said="{reservation} is free again.")


def send(
    context: typer.Context,
    site: Site,
    to: Annotated[str, typer.Argument(metavar="TO", help="Where it goes.")],
    lines: Annotated[
        list[str] | None, typer.Argument(metavar="ITEM=QUANTITY…", help="Items, such as rice=20kg.")
    ] = None,
    reservation: Annotated[str | None, typer.Option(metavar="RESERVATION", help="All that it holds.")] = None,
    for_programme: Programme = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Send goods to another site; what ends first goes first."""
    with answering(as_json):
        fields = {
            "site": site,
            "to": to,
            "lines": wanted_from(lines or []),
            "reservation": reservation,
            "for_programme": for_programme,
        }
        do(context, "send", fields, id=id, at=at, as_json=as_json, said="On its way: {shipment}.")


def arrive(
    context: typer.Context,
    shipment: Annotated[str, typer.Argument(metavar="SHIPMENT", help="Such as T23.")],
    lines: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LOT=GOOD[+DAMAGED]…", help="What came of each lot, in base units.", show_default="all in full"
        ),
    ] = None,
    damage: Annotated[str, typer.Option(help="broken, wet, pests, temperature, packaging or other.")] = "other",
    more_to_come: Annotated[bool, typer.Option("--more-to-come", help="What is missing is still on its way.")] = False,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Take in a shipment; what did not come is lost, what came too much is a variance."""
    with answering(as_json):
        found = []
        for text in lines or []:
            first, _, spoilt = text.partition("+")
            ((lot, good, unit),) = amounts_from([first])
            if spoilt and not spoilt.isdigit():
                raise UsageError(f"{text!r} is no arrival; write L12-1=38+2 for 38 good and 2 damaged.")
            found.append({"lot": lot, "good": whole(lot, good, unit), "damaged": int(spoilt or 0)})
        fields = {"shipment": shipment, "lines": found, "damage": damage, "more_to_come": more_to_come}
        do(context, "arrive", fields, id=id, at=at, as_json=as_json, said="{shipment} has come in at {site}.")


def damage(
    context: typer.Context,
    site: Site,
    lots: LotAmounts,
    reason: Annotated[str, typer.Option(help="broken, wet, pests, temperature, packaging or other.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Write off what is spoilt."""
    with answering(as_json):
        fields = {"site": site, "lines": lots_from(lots), "reason": reason}
        do(context, "damage", fields, id=id, at=at, as_json=as_json, said="Written off at {site}.")


def lose(
    context: typer.Context,
    site: Site,
    lots: LotAmounts,
    reason: Annotated[str, typer.Option(help="missing, theft, transport or other.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Write off what is gone."""
    with answering(as_json):
        fields = {"site": site, "lines": lots_from(lots), "reason": reason}
        do(context, "lose", fields, id=id, at=at, as_json=as_json, said="Written off at {site}.")


def expire(context: typer.Context, site: Site, id: Id = None, at: At = None, as_json: AsJson = False) -> None:
    """Write off all that is past its use-by day."""
    with answering(as_json):
        said = "Written off at {site} on {day}."
        do(context, "expire", {"site": site}, id=id, at=at, as_json=as_json, said=said)


def give_back(
    context: typer.Context,
    site: Site,
    lots: LotAmounts,
    reason: Annotated[str, typer.Option(help="refused, unsuitable, recalled, surplus or other.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Give goods or money back to the giver."""
    with answering(as_json):
        fields = {"site": site, "lines": lots_from(lots), "reason": reason}
        do(context, "give-back", fields, id=id, at=at, as_json=as_json, said="Given back by {site}.")


def recall(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(metavar="LOT", help="Such as L12-1.")],
    reason: Annotated[str, typer.Option(help="maker, authority, giver or own-check.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Stop a lot, and all that was made of it, from being picked."""
    with answering(as_json):
        fields = {"lot": lot, "reason": reason}
        do(
            context,
            "recall",
            fields,
            id=id,
            at=at,
            as_json=as_json,
            said=f"{lot} is recalled; see `nearer aid trace {lot}`.",
        )


def make(
    context: typer.Context,
    site: Site,
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Which recipe.")],
    times: Annotated[int, typer.Argument(metavar="TIMES", min=1, help="How many batches.")],
    use_by: UseBy = None,
    for_programme: Programme = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Make kits, or repack."""
    with answering(as_json):
        fields = {
            "site": site,
            "recipe": recipe,
            "times": times,
            "use_by": use_by,
            "for_programme": for_programme,
        }
        do(context, "make", fields, id=id, at=at, as_json=as_json, said="Made {quantity} {item}: lot {lot}.")


def count(
    context: typer.Context,
    site: Site,
    lots: Annotated[
        list[str] | None, typer.Argument(metavar="LOT=COUNTED…", help="What is there of each lot, in base units.")
    ] = None,
    found: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM=QUANTITY", help="Goods without a lot, opening stock too; may be repeated."),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why it differs: miscount, missing, theft, found or unexplained.")
    ] = "unexplained",
    use_by: UseBy = None,
    best_before: BestBefore = None,
    cold: Cold = False,
    cutoff: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", help="Last transaction before counting.", show_default="the last one"),
    ] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Enter a stocktake; only what was counted is touched."""
    with answering(as_json):
        fields = {
            "site": site,
            "lines": [
                {"lot": lot, "counted": whole(lot, amount, unit), "reason": reason}
                for lot, amount, unit in amounts_from(lots or [])
            ],
            "found": [
                line | {"use_by": use_by, "best_before": best_before, "cold": cold} for line in wanted_from(found or [])
            ],
            "cutoff": cutoff,
        }
        said = "Counted: {stocktake}, against transaction {cutoff}."
        do(context, "stocktake", fields, id=id, at=at, as_json=as_json, said=said)


COMMANDS = {
    "receive": receive,
    "pledge": pledge,
    "receive-pledge": receive_pledge,
    "buy": buy,
    "spend": spend,
    "reserve": reserve,
    "release": release,
    "send": send,
    "arrive": arrive,
    "damage": damage,
    "lose": lose,
    "expire": expire,
    "give-back": give_back,
    "recall": recall,
    "make": make,
    "count": count,
}
