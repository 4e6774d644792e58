"""What others may know: tables for everybody, and what became of a gift."""

from __future__ import annotations

from typing import Annotated

import typer

from nearer.cli.aid.looking import Out, give
from nearer.cli.aid.shared import AsJson, At, Id, answering, asker_of, do, rows_table
from nearer.cli.console import say, say_json


def publish(
    context: typer.Context,
    first: Annotated[str, typer.Option(metavar="DAY", help="First day: a Monday, or the first of a month.")],
    last: Annotated[str, typer.Option(metavar="DAY", help="Last day: a Sunday, or the last of a month.")],
    rows: Annotated[str, typer.Option(help="site or programme.")] = "site",
    columns: Annotated[str, typer.Option(help="week or month.")] = "week",
    least: Annotated[int, typer.Option(metavar="K", help="Counts below this are hidden.")] = 10,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Make a table of households served, for everybody: small counts are hidden, and what would tell them."""
    with answering(as_json):
        fields = {"rows": rows, "columns": columns, "first_day": first, "last_day": last, "least": least}
        said = "{release}: {shown} counts are told, {hidden} are hidden; see `nearer aid published {release}`."
        do(context, "publish", fields, id=id, at=at, as_json=as_json, said=said)


def published(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Such as B120.", show_default="a list of all")
    ] = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Show a published table, or which there are; a hidden count is empty."""
    with answering(as_json):
        from nearer.aid.publishing import releases
        from nearer.aid.refusals import unknown
        from nearer.aid.store import Store, sql_of

        with Store(asker_of(context).ledger) as store, store.reading() as connection:
            known = releases(sql_of(connection))
        if name is None:
            lines = [
                {
                    "release": found.name,
                    "rows": found.rows,
                    "columns": found.columns,
                    "first": str(found.span.first),
                    "last": str(found.span.last),
                    "least": found.least,
                }
                for found in known
            ]
            give(lines, {"releases": lines}, out, as_json)
            return
        asked = next((found for found in known if found.name == name), None)
        if asked is None:
            raise unknown("release", name, "see `nearer aid published`")
        if as_json or out is not None:
            give(asked.as_rows(), {"households": asked.as_rows()}, out, as_json)
            return
        say(f"Households served, {asked.span}; counts below {asked.least}, and what would tell them, are hidden (–).")
        rows_table(asked.as_table())


def thanks(
    context: typer.Context,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The thank-you number, T….")],
    least: Annotated[
        int, typer.Option(min=3, metavar="K", help="Places and weeks with fewer households served are not told.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Tell a giver how much of a gift was handed over, and where and when as far as nobody is recognised by it."""
    with answering(as_json):
        from nearer.aid.publishing.giver import gift_of
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            found = gift_of(store, number, least=least)
        if as_json:
            say_json(found)
            return
        for gift in found["gifts"]:
            say(f"{gift['name']}: {gift['given']} {gift['unit']} given, {gift['handed_over']} handed over.")
            if gift["places"]:
                rows_table(gift["places"])
        say(f"Counted up to {found['until']}. Places and weeks with fewer than {least} households are not told.")


COMMANDS = {"publish": publish, "published": published, "thanks": thanks}
