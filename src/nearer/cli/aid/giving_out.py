"""Files for others: the standards of supply chains, humanitarian data and directories, and what a study reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nearer.cli.aid.looking import First, Last
from nearer.cli.aid.shared import AsJson, answering, asker_of
from nearer.cli.console import say, say_json

if TYPE_CHECKING:
    from nearer.aid.driver import Sql
    from nearer.aid.seeing import Span

File = Annotated[Path, typer.Argument(metavar="FILE", help="Where it goes.")]
Places = Annotated[
    Path | None,
    typer.Option("--places", metavar="FILE", help="Where centres lie: id, lon, lat, as a study's sites."),
]


def export_epcis(
    context: typer.Context, file: File, first: First = None, last: Last = None, as_json: AsJson = False
) -> None:
    """Write the goods' way as EPCIS 2.0 events (JSON-LD); hand-overs are summed up by centre and day."""
    with answering(as_json):
        from nearer.aid.exports.epcis import epcis_document

        def made(sql: Sql, span: Span, ledger: str) -> tuple[str, int]:
            document = epcis_document(sql, span, ledger)
            return _json(document), len(document["epcisBody"]["eventList"])

        _write(context, file, first, last, made, "events", as_json)


def export_hxl(
    context: typer.Context,
    release: Annotated[str, typer.Argument(metavar="NAME", help="A published table, such as B120.")],
    file: File,
    as_json: AsJson = False,
) -> None:
    """Write a published table as CSV with HXL tags; a hidden count is empty."""
    with answering(as_json):
        from nearer.aid.exports.hxl import hxl_text
        from nearer.aid.publishing import releases
        from nearer.aid.refusals import unknown

        def made(sql: Sql, span: Span, ledger: str) -> tuple[str, int]:
            asked = next((found for found in releases(sql) if found.name == release), None)
            if asked is None:
                raise unknown("release", release, "see `nearer aid published`")
            text = hxl_text(sql, asked)
            return text, text.count("\n") - 2

        _write(context, file, None, None, made, "rows", as_json)


def export_hsds(
    context: typer.Context,
    file: File,
    organisation: Annotated[str, typer.Option(metavar="NAME", help="Who offers the programmes.")],
    places: Places = None,
    as_json: AsJson = False,
) -> None:
    """Write the directory of programmes and centres in the form of Open Referral (HSDS 3, JSON)."""
    with answering(as_json):
        from nearer.aid.exports.hsds import hsds_services
        from nearer.aid.exports.places import read_places

        where = None if places is None else read_places(places)

        def made(sql: Sql, span: Span, ledger: str) -> tuple[str, int]:
            services = hsds_services(sql, ledger, organisation, where)
            return _json(services), len(services)

        _write(context, file, None, None, made, "services", as_json)


def export_demand(
    context: typer.Context,
    file: File,
    first: First = None,
    last: Last = None,
    by: Annotated[str, typer.Option(help="month or week.")] = "month",
    places: Places = None,
    least: Annotated[int, typer.Option(min=3, metavar="K", help="Rows of fewer households are left out.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Write past visits for a study: by centre and period for `nearer curve --history`, or with places, as people."""
    with answering(as_json):
        from nearer.aid.exports.demand import demand_rows, history_rows
        from nearer.aid.exports.places import read_places
        from nearer.aid.exports.sheets import csv_text
        from nearer.errors import UsageError

        if by not in ("month", "week"):
            raise UsageError(f"Periods are by month or week, not by {by}; give one of the two.")
        where = None if places is None else read_places(places)

        def made(sql: Sql, span: Span, ledger: str) -> tuple[str, int]:
            if where is not None:
                rows = demand_rows(sql, span, where, least=least)
            else:
                rows = history_rows(sql, span, by=by, least=least)
            if not rows:
                raise UsageError(
                    f"No centre served {least} households in {span}; give more days, or a smaller --least."
                )
            return csv_text(rows), len(rows)

        _write(context, file, first, last, made, "rows", as_json)


def export_table(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="WHAT", help="balances, movements, or a list such as items.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv or .xlsx.")],
    as_json: AsJson = False,
) -> None:
    """Write balances, movements or a list as CSV or XLSX."""
    with answering(as_json):
        from nearer.aid.exports.sheets import write_sheets
        from nearer.aid.store import Store
        from nearer.aid.views import LISTED, balances_of, listed, movements_of
        from nearer.errors import UsageError

        if what not in ("balances", "movements", *LISTED):
            raise UsageError(f"There is no table {what}; there are balances, movements, {', '.join(LISTED)}.")
        with Store(asker_of(context).ledger) as store:
            if what == "balances":
                rows = balances_of(store)
            else:
                rows = movements_of(store) if what == "movements" else listed(store, what)
        write_sheets(file, {what: rows})
        _told(file, len(rows), "rows", as_json)


def _write(
    context: typer.Context,
    file: Path,
    first: str | None,
    last: str | None,
    made: Callable[[Sql, Span, str], tuple[str, int]],
    what: str,
    as_json: bool,
) -> None:
    """Make a text from one view of the ledger and write it, whole or not at all."""
    from nearer.aid.seeing import span_of
    from nearer.aid.store import Store, sql_of
    from nearer.files import written_whole

    with Store(asker_of(context).ledger) as store, store.reading() as connection:
        sql = sql_of(connection)
        text, number = made(sql, span_of(sql, first, last), store.ledger(connection))
    with written_whole(file) as beside:
        beside.write_text(text, encoding="utf-8", newline="")
    _told(file, number, what, as_json)


def _told(file: Path, number: int, what: str, as_json: bool) -> None:
    if as_json:
        say_json({"file": str(file), what: number})
    else:
        say(f"{file} is written: {number} {what}.")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


COMMANDS = {
    "export-epcis": export_epcis,
    "export-hxl": export_hxl,
    "export-hsds": export_hsds,
    "export-demand": export_demand,
    "export-table": export_table,
}
