"""Keeping a ledger: copies and back, a later release's form, and what must be there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nearer.cli.aid.doorkeeper import are_people, open_people, place_of_people
from nearer.cli.aid.shared import AsJson, amounts_from, answering, asker_of, place_of, rows_table
from nearer.cli.console import FAILED, progress_bars, say, say_json


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; with .gz at its end, packed.")],
    as_json: AsJson = False,
) -> None:
    """Copy the whole ledger into a file, as it is at one moment; households, cards and keys are not in it."""
    with answering(as_json):
        from nearer.aid.backup import backup as copied

        with progress_bars() as progress:
            made = copied(asker_of(context).ledger, file, progress)
        if as_json:
            say_json(made)
        else:
            say(f"{file}: transaction {made['seq']}, {made['rows']} rows, head {made['hash'][:12]}….")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `nearer aid backup` wrote it.")],
    as_json: AsJson = False,
) -> None:
    """Make a ledger out of a copy, where there is none yet; every row, the head and the audit must agree."""
    with answering(as_json):
        from nearer.aid.backup import restore as restored

        asker = asker_of(context)
        with progress_bars() as progress:
            made = restored(file, asker.ledger, progress)
        if as_json:
            say_json(made)
        else:
            say(
                f"{place_of(asker.ledger)} is ready: transaction {made['seq']}, {made['rows']} rows, "
                f"head {made['hash'][:12]}…. Nothing changed, and the audit holds."
            )


def backup_households(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; with .gz at its end, packed.")],
    as_json: AsJson = False,
) -> None:
    """Copy households, cards, staff and access log into a file for your eyes alone; the keys are never in it."""
    with answering(as_json):
        from nearer.aid.households.copying import backup as copied

        with open_people(context, any_form=True) as people:
            made = copied(people, file)
        if as_json:
            say_json(made)
        else:
            say(f"{file}: {made['rows']} rows. Keep it no longer than you need it; the keys of periods are not in it.")


def restore_households(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `nearer aid backup-households` wrote it.")],
    as_json: AsJson = False,
) -> None:
    """Make a household database out of a copy, where there is none yet; every row must agree."""
    with answering(as_json):
        from nearer.aid.households.copying import restore as restored

        place = place_of_people(context)
        made = restored(file, place)
        if as_json:
            say_json(made)
        else:
            say(f"{place_of(place)} is ready: {made['rows']} rows. Run `nearer aid retain`: some may be over.")


def upgrade(context: typer.Context, as_json: AsJson = False) -> None:
    """Bring the ledger and the household database of an earlier release to this one's form. Make copies before."""
    with answering(as_json):
        from nearer.aid.backup import upgrade as upgraded
        from nearer.aid.households.copying import upgrade as upgraded_people

        made = upgraded(asker_of(context).ledger)
        people = upgraded_people(place_of_people(context)) if are_people(context) else None
        if as_json:
            say_json(made | {"households": people})
            return
        if made["before"] == made["form"]:
            say(f"The ledger has the form {made['form']} already.")
        else:
            say(f"From {made['before']} to {made['form']}; the head is transaction {made['seq']} as before.")
        if people is not None and people["before"] == people["form"]:
            say(f"The household database has the form {people['form']} already.")
        elif people is not None:
            say(f"The household database went from {people['before']} to {people['form']}.")


def assert_balance(
    context: typer.Context,
    site: Annotated[str, typer.Argument(metavar="SITE", help="Where.")],
    lines: Annotated[
        list[str], typer.Argument(metavar="WHAT=QUANTITY…", help="Items or lots in base units: rice=50000, L8-1=4.")
    ],
    as_json: AsJson = False,
) -> None:
    """Check that a site holds just so much, free and set aside together. Exit code 1 if it does not."""
    with answering(as_json):
        from nearer.aid.store import Store
        from nearer.aid.views import held_of
        from nearer.errors import UsageError

        found: list[dict[str, Any]] = []
        with Store(asker_of(context).ledger) as store:
            for what, quantity, unit in amounts_from(lines):
                if unit is not None or "." in quantity:
                    raise UsageError(f"Give whole base units: {what}=40, without a unit.")
                is_lot = what[:1] == "L"
                held = held_of(store, site, item=None if is_lot else what, lot=what if is_lot else None)
                found.append(
                    {"lot" if is_lot else "item": what, "asserted": int(quantity), "held": held}
                    | {"difference": held - int(quantity)}
                )
        wrong = [row for row in found if row["difference"]]
        if as_json:
            say_json({"site": site, "holds": not wrong, "lines": found})
        elif wrong:
            say(f"{site} holds something else:")
            rows_table(wrong)
        else:
            say(f"{site} holds what was asserted.")
        if wrong:
            raise typer.Exit(FAILED)


COMMANDS = {
    "backup": backup,
    "restore": restore,
    "backup-households": backup_households,
    "restore-households": restore_households,
    "upgrade": upgrade,
    "assert-balance": assert_balance,
}
