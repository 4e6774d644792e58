"""One page about some days, for staff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.aid.looking import First, Last
from nearer.cli.aid.shared import AsJson, answering, asker_of
from nearer.cli.console import say, say_json
from nearer.cli.options import Language, LanguageOption
from nearer.language import language as speaking


def report(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the page goes.")] = Path("aid.html"),
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Whose report it is.", show_default="The centres")
    ] = None,
    first: First = None,
    last: Last = None,
    expected: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Households that were to be reached, for the coverage.")
    ] = None,
    language: LanguageOption = Language.EN,
    as_json: AsJson = False,
) -> None:
    """Write one page about some days: who was reached, how fairly, what was lost, what lies where; for staff."""
    with answering(as_json):
        from nearer.aid.seeing import flows, indicators, span_of
        from nearer.aid.store import Store, sql_of
        from nearer.report.aidpage import aid_html, write_aid_page

        with Store(asker_of(context).ledger) as store, store.reading() as connection:
            sql = sql_of(connection)
            span = span_of(sql, first, last)
            found = indicators(sql, span, expected=expected).as_json()
            money = {item for (item,) in sql.all("SELECT item FROM items WHERE kind = 'money'")}
            rows = [row for row in flows(sql, span) if row["item"] not in money]
            coins = {
                str(item): (str(unit), int(each))
                for item, unit, each in sql.all("SELECT item, unit, base_units FROM item_units")
                if item in money and unit == item.upper()
            }
            names = {str(code): str(name) for code, name in sql.all("SELECT site, name FROM sites")}
            names |= {str(code): str(name) for code, name in sql.all("SELECT item, name FROM items")}
        asked = "" if expected is None else f" --expected {expected}"
        spoken = "" if language is Language.EN else f" --language {language.value}"
        command = f"nearer aid report --first {span.first} --last {span.last}{asked}{spoken}"
        with speaking(language.value):
            page = aid_html(title, found, rows, names, coins, command)
        write_aid_page(page, out)
        if as_json:
            say_json({"file": str(out), "first": str(span.first), "last": str(span.last)})
        else:
            say(f"{out} is written: {span}.")


COMMANDS = {"report": report}
