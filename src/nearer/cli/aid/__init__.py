"""``nearer aid``: the desk on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from nearer.cli.aid import (
    asking,
    books,
    cards,
    conflicts,
    giving_out,
    goods,
    households,
    keeping,
    looking,
    offline,
    people,
    reporting,
    serving,
    setup,
    sharing,
    taking_in,
    telling,
)
from nearer.cli.aid.doorkeeper import guarded
from nearer.cli.aid.shared import DEFAULT_LEDGER, Asker
from nearer.cli.options import HouseholdsOption, KeysOption, LedgerPlace

app = typer.Typer(
    name="aid",
    help="The ledger of what centres hold and hand over, from the giver to the household.",
    epilog="Set NEARER_AID_LEDGER and NEARER_AID_BY once instead of giving --ledger and --by each time.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def where(
    context: typer.Context,
    ledger: Annotated[str, LedgerPlace] = DEFAULT_LEDGER,
    by: Annotated[
        str, typer.Option("--by", "--as", metavar="CODE", envvar="NEARER_AID_BY", help="Staff code of who asks.")
    ] = "desk",
    desk: Annotated[str, typer.Option(metavar="CODE", envvar="NEARER_AID_DESK", help="Which desk.")] = "desk",
    households: HouseholdsOption = None,
    keys: KeysOption = None,
) -> None:
    """Keep where the ledger is and who asks for the command that follows."""
    context.obj = Asker(ledger, by, desk, households, keys)


_DOORS = (setup, goods, cards, households, conflicts, people, books, looking, keeping, serving, telling)
_MORE = (asking, sharing, taking_in, giving_out, reporting)
for _module in (*_DOORS, *_MORE):
    for _name, _function in _module.COMMANDS.items():
        app.command(_name)(guarded(_name, _function))
app.add_typer(offline.app, name="offline")
