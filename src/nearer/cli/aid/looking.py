"""Looking back: flows, movement cards and indicators over a span of days; the made-up year."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nearer.cli.aid.shared import AsJson, answering, asker_of, place_of, rows_table
from nearer.cli.console import note, progress_bars, say, say_json

First = Annotated[
    str | None, typer.Option("--first", metavar="DAY", help="First day.", show_default="the first there is")
]
Last = Annotated[str | None, typer.Option("--last", metavar="DAY", help="Last day.", show_default="the last there is")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it as .csv or .xlsx instead.")]

_SHARES = ("fill", "least_fill", "median_fill", "waste_share")


def flows(
    context: typer.Context,
    site: Annotated[str | None, typer.Option(metavar="CODE", help="Only this site.")] = None,
    first: First = None,
    last: Last = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Show what each site held at the beginning and the end of some days, and what came and went between."""
    with answering(as_json):
        from nearer.aid.seeing import flows as flows_of
        from nearer.aid.seeing import span_of
        from nearer.aid.store import Store, sql_of

        with Store(asker_of(context).ledger) as store, store.reading() as connection:
            sql = sql_of(connection)
            rows = flows_of(sql, span_of(sql, first, last), site=site)
        give(rows, {"flows": rows}, out, as_json)


def stock_card(
    context: typer.Context,
    site: Annotated[str, typer.Argument(metavar="SITE", help="Where.")],
    item: Annotated[str | None, typer.Option(metavar="CODE", help="Of which item.")] = None,
    lot: Annotated[str | None, typer.Option(metavar="LOT", help="Or of which lot.")] = None,
    first: First = None,
    last: Last = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Show the movement card of an item or a lot: opening, what came and went, closing; what is set aside is there."""
    with answering(as_json):
        from nearer.aid.seeing import span_of
        from nearer.aid.seeing import stock_card as card_of
        from nearer.aid.store import Store, sql_of

        with Store(asker_of(context).ledger) as store, store.reading() as connection:
            sql = sql_of(connection)
            card = card_of(sql, span_of(sql, first, last), site, item=item, lot=lot)
        if not as_json and out is None:
            say(f"{item or lot} at {site}, {card['first']} to {card['last']}")
            say(f"opening {card['opening']}")
        give(card, {"card": card["lines"]}, out, as_json)
        if not as_json and out is None:
            say(f"closing {card['closing']}")


def indicators(
    context: typer.Context,
    first: First = None,
    last: Last = None,
    expected: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Households that were to be reached, for the coverage.")
    ] = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Say how some days went: who was reached, how fairly, how fast, what was wasted and what it cost."""
    with answering(as_json):
        from nearer.aid.seeing import indicators as indicators_of
        from nearer.aid.seeing import span_of
        from nearer.aid.store import Store, sql_of

        with Store(asker_of(context).ledger) as store, store.reading() as connection:
            sql = sql_of(connection)
            found = indicators_of(sql, span_of(sql, first, last), expected=expected)
        tables = {name: getattr(found, name) for name in ("centres", "items", "fill", "waste", "weeks")}
        if as_json or out is not None:
            give(found.as_json(), {"figures": found.figures(), **tables}, out, as_json)
            return
        say(f"{found.first} to {found.last}")
        rows_table([{**row, "value": figure(row["value"])} for row in found.figures()[2:]])
        for name in ("centres", "items"):
            if tables[name]:
                say("")
                rows_table([{key: shown(key, value) for key, value in row.items()} for row in tables[name]])


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(metavar="N", help="Another number, another year.")] = 1,
    households: Annotated[int, typer.Option(min=10, max=100_000, help="How many come.")] = 240,
    as_json: AsJson = False,
) -> None:
    """Make a ledger with a made-up year of a hub and four centres, to look around in."""
    with answering(as_json), progress_bars() as progress:
        from nearer.aid.demo import make_demo

        asker = asker_of(context)
        made = make_demo(asker.ledger, seed=seed, households=households, progress=progress)
        if as_json:
            say_json(made)
        else:
            say(f"{place_of(asker.ledger)} holds a made-up year: {made['transactions']} transactions.")


def give(value: Any, sheets: dict[str, Any], out: Path | None, as_json: bool) -> None:
    """Write tables to a file, or print the value for programs, or the first table for people."""
    if out is not None:
        from nearer.aid.exports.sheets import write_sheets

        for path in write_sheets(out, sheets):
            note(f"{path} is written.") if as_json else say(f"{path} is written.")
    if as_json:
        say_json(value)
    elif out is None:
        (rows, *_) = sheets.values()
        if rows:
            rows_table([{key: shown(key, value) for key, value in row.items()} for row in rows])
        else:
            say("Nothing.")


def shown(name: str, value: Any) -> Any:
    """A cell for people: a share as a percentage."""
    if name in _SHARES and value is not None:
        return f"{100 * value:.0f} %"
    return figure(value)


def figure(value: Any) -> Any:
    """A number for people, with at most two decimals where it is no whole one."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


COMMANDS = {"flows": flows, "stock-card": stock_card, "indicators": indicators, "demo": demo}
