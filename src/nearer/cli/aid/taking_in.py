"""Taking in spreadsheets: gifts, opening stock, catalogues of items."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nearer.cli.aid.shared import AsJson, answering, asker_of
from nearer.cli.console import say, say_json

if TYPE_CHECKING:
    from nearer.aid.imports import Reading
    from nearer.aid.store import Store

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or XLSX with a header.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it; without, it is only shown what would be done.")]
Units = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Further spellings: CSV with the columns spelling and unit.")
]
Site = Annotated[str | None, typer.Option(metavar="CODE", help="Where, if the file does not say so.")]
AddItems = Annotated[bool, typer.Option("--add-items", help="Add items that the ledger does not have.")]


def import_gifts(
    context: typer.Context,
    file: File,
    site: Site = None,
    giver: Annotated[str | None, typer.Option(metavar="CODE", help="Who gives, if the file does not say so.")] = None,
    units: Units = None,
    add_items: AddItems = False,
    add_organisations: Annotated[
        bool, typer.Option("--add-organisations", help="Add givers by their names; only where none is a person.")
    ] = False,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Take in gifts from a spreadsheet; a file that is taken in twice counts once."""
    with answering(as_json):
        from nearer.aid.imports import gifts_from, read_spellings
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            reading = gifts_from(
                store,
                file,
                read_spellings(units),
                site=site,
                giver=giver,
                add_items=add_items,
                add_organisations=add_organisations,
            )
            _end(context, store, reading, apply, as_json)


def import_stock(
    context: typer.Context,
    file: File,
    site: Site = None,
    units: Units = None,
    add_items: AddItems = False,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Count in opening stock from a spreadsheet; a file that is taken in twice counts once."""
    with answering(as_json):
        from nearer.aid.imports import read_spellings, stock_from
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            reading = stock_from(store, file, read_spellings(units), site=site, add_items=add_items)
            _end(context, store, reading, apply, as_json)


def import_items(
    context: typer.Context,
    file: File,
    codes: Annotated[
        list[str] | None, typer.Argument(metavar="CODE…", help="Only these IFRC codes.", show_default="all")
    ] = None,
    units: Units = None,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Add items from a catalogue, such as the IFRC's."""
    with answering(as_json):
        from nearer.aid.imports import items_from, read_spellings
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            reading = items_from(store, file, read_spellings(units), codes=codes or None)
            _end(context, store, reading, apply, as_json)


def import_epcis(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An EPCIS 2.0 document in JSON.")],
    classes: Annotated[
        Path, typer.Option(metavar="FILE", help="What goods are called here: CSV with the columns class and item.")
    ],
    site: Annotated[str, typer.Option(metavar="CODE", help="Where it came to.")],
    giver: Annotated[str, typer.Option(metavar="CODE", help="Who gives.")],
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Take in goods that a partner's EPCIS events say have come; each event is one receipt."""
    with answering(as_json):
        from nearer.aid.imports import receipts_from
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            _end(context, store, receipts_from(store, file, classes, site=site, giver=giver), apply, as_json)


def _end(context: typer.Context, store: Store, reading: Reading, apply: bool, as_json: bool) -> None:
    """Do what was read, or show it."""
    from nearer.aid.imports import post

    asker = asker_of(context)
    answers = post(store, reading, actor=asker.by, desk=asker.desk) if apply else []
    if as_json:
        say_json({"applied": apply, **reading.as_json(), "answers": answers})
        return
    kinds = Counter(one.command.kind for one in reading.planned)
    done = sum(one.done for one in reading.planned)
    what = ", ".join(f"{number} × {kind}" for kind, number in kinds.items()) or "nothing"
    say(f"{reading.file}: {reading.rows} {'row' if reading.rows == 1 else 'rows'}, {what}.")
    for note in reading.notes:
        say(note)
    if done:
        say(f"{done} of these were taken in before and count once.")
    numbers = [str(answer["thanks"]) for answer in answers if "thanks" in answer]
    if numbers:
        say(f"Thank-you numbers: {', '.join(numbers)}")
    say("Taken in." if apply else "Nothing was written; give --apply to do it.")


COMMANDS = {
    "import-gifts": import_gifts,
    "import-stock": import_stock,
    "import-items": import_items,
    "import-epcis": import_epcis,
}
