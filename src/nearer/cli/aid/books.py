"""Asking the ledger: lists, balances, movements, traces, audit, heads; and many commands from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nearer.cli.aid.doorkeeper import allowed
from nearer.cli.aid.shared import AsJson, answering, asker_of, rows_table
from nearer.cli.console import FAILED, note, progress_bars, say, say_json

Kind = Annotated[str | None, typer.Option(metavar="KIND", help="Such as STOCK, TRANSIT or HANDED_OVER.")]
Site = Annotated[str | None, typer.Option(metavar="CODE", help="Only this site.")]
Item = Annotated[str | None, typer.Option(metavar="CODE", help="Only this item.")]
Lot = Annotated[str | None, typer.Option(metavar="LOT", help="Only this lot.")]


def show_list(
    context: typer.Context,
    table: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="sites, parties, items, item_units, recipes, recipe_lines, programmes, periods or entitlement_rules.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show what was set up."""
    with answering(as_json):
        from nearer.aid.store import Store
        from nearer.aid.views import listed

        with Store(asker_of(context).ledger) as store:
            _show(listed(store, table), as_json)


def balances(
    context: typer.Context,
    kind: Kind = None,
    site: Site = None,
    item: Item = None,
    lot: Lot = None,
    as_json: AsJson = False,
) -> None:
    """Show what is where, in base units, those first that end first."""
    with answering(as_json):
        from nearer.aid.store import Store
        from nearer.aid.views import balances_of

        with Store(asker_of(context).ledger) as store:
            _show(balances_of(store, kind=kind, site=site, item=item, lot=lot), as_json)


def movements(
    context: typer.Context, site: Site = None, item: Item = None, lot: Lot = None, as_json: AsJson = False
) -> None:
    """Show every posting in order, and what its account then held."""
    with answering(as_json):
        from nearer.aid.store import Store
        from nearer.aid.views import movements_of

        with Store(asker_of(context).ledger) as store:
            _show(movements_of(store, site=site, item=item, lot=lot), as_json)


def trace(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="WHAT", help="A lot, a transaction or a thank-you number.")],
    as_json: AsJson = False,
) -> None:
    """Follow lots back to their givers and forward to where they went."""
    with answering(as_json):
        from nearer.aid.store import Store
        from nearer.aid.trace import trace as traced

        with Store(asker_of(context).ledger) as store:
            found = traced(store, name)
        if as_json:
            say_json(found)
            return
        for lot in found["lots"]:
            recalled = f", RECALLED ({lot['recalled']})" if lot["recalled"] else ""
            say(f"{lot['lot']}: {lot['made']} {lot['unit']} of {lot['item']}, by {lot['origin']}{recalled}")
            say("from")
            rows_table(lot["back"])
            say("to")
            _show(lot["forward"], False)


def audit(
    context: typer.Context,
    head: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="An exported head that must be in the chain; repeatable.")
    ] = None,
    public_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Who must have signed the heads.", show_default="whoever they name"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove the ledger: chain, sums, promises; the first bad row is named. Exit code 1 if anything is wrong."""
    with answering(as_json):
        from nearer.aid.audit import audit as audited
        from nearer.aid.audit import findings_text
        from nearer.aid.heads import read_head
        from nearer.aid.store import Store

        heads = [read_head(file, public_key) for file in head or []]
        with Store(asker_of(context).ledger) as store, progress_bars() as progress:
            report = audited(store, heads, progress)
        if as_json:
            say_json(report.as_json())
        else:
            for line in findings_text(report):
                say(line)
        if not report.holds:
            raise typer.Exit(FAILED)


def key(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes.")],
    as_json: AsJson = False,
) -> None:
    """Make a key to sign heads with; tell others the public part."""
    with answering(as_json):
        from nearer.aid.heads import make_key

        public = make_key(file)
        if as_json:
            say_json({"public_key": public})
        else:
            say(f"{file} is made; keep it. The public key is {public}")


def head(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the signed head goes; give it away.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="The private key.")],
    as_json: AsJson = False,
) -> None:
    """Export the chain's head, signed, so that a cut or rewritten ledger can be found later."""
    with answering(as_json):
        from nearer.aid.heads import export_head, fingerprint, write_head
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            made = export_head(store, key)
        write_head(made, file)
        if as_json:
            say_json(made)
        else:
            say(f"{file}: transaction {made['seq']}, signed by the key {fingerprint(made['public_key'])}.")


def do_all(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="One command as JSON on each line; - for standard input.")
    ],
) -> None:
    """Carry out commands from a file, in order; what was done before is not done again. Answers as JSON lines."""
    with answering():
        import json

        from nearer.aid.reading import read_commands
        from nearer.aid.refusals import RefusedError
        from nearer.aid.store import Store

        asker = asker_of(context)
        with Store(asker.ledger) as store:
            for row in read_commands(file):
                allowed(context, row.command.kind, row.by)
                try:
                    answer = store.do(row.command, id=row.id, actor=row.by or asker.by, desk=asker.desk, at=row.at)
                except RefusedError as error:
                    note(f"{row.place}:")
                    raise error from None
                typer.echo(json.dumps({"id": row.id, **answer}, ensure_ascii=False))


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        say_json(rows)
    elif rows:
        rows_table(rows)
    else:
        say("Nothing.")


COMMANDS = {
    "list": show_list,
    "balances": balances,
    "movements": movements,
    "trace": trace,
    "audit": audit,
    "key": key,
    "head": head,
    "do": do_all,
}
