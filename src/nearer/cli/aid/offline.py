"""``nearer aid offline``: a desk without a connection, its lease, its journal and how both come back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nearer.cli.aid.doorkeeper import are_people, guarded, open_people, token_from
from nearer.cli.aid.shared import (
    AsJson,
    Id,
    amounts_from,
    answering,
    asker_of,
    moment_from,
    rows_table,
    wanted_from,
)
from nearer.cli.console import FAILED, say, say_json
from nearer.errors import Fault, InputError

if TYPE_CHECKING:
    from nearer.aid.offline.document import Card, Entry
    from nearer.aid.offline.journal import OfflineDesk
    from nearer.aid.offline.sync import Known
    from nearer.aid.store import Store

app = typer.Typer(
    name="offline",
    help="Work without a connection: take goods and a list of households along, keep a journal, bring it back.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Folder = Annotated[
    Path,
    typer.Option("--folder", metavar="DIR", envvar="NEARER_AID_OFFLINE", help="The desk's own folder."),
]
Token = Annotated[str, typer.Argument(metavar="CARD", help="The card as scanned; - reads it from standard input.")]

_HERE = Path("offline-desk")


def lease(
    context: typer.Context,
    site: Annotated[str, typer.Argument(metavar="SITE", help="Which site's goods and households.")],
    programme: Annotated[str, typer.Option(metavar="CODE", help="Which programme.")],
    period: Annotated[str, typer.Option(metavar="PERIOD", help="Which period.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="When it ends: 8h from now, or 2026-03-02T18:00+01:00.")],
    lines: Annotated[
        list[str] | None, typer.Argument(metavar="ITEM=QUANTITY…", help="Goods to take along, such as rice=20kg.")
    ] = None,
    cards: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Cards to take along, one a line.", show_default="those at home at the site"),
    ] = None,
    folder: Folder = _HERE,
    id: Id = None,
    as_json: AsJson = False,
) -> None:
    """Take goods and households along: connected desks leave both alone until the lease ends."""
    with answering(as_json):
        from nearer.aid.clock import moment_text
        from nearer.aid.commands import Wanted
        from nearer.aid.offline.document import take_lease
        from nearer.aid.offline.journal import OfflineDesk
        from nearer.aid.store import Store

        asker = asker_of(context)
        OfflineDesk.need_none(folder)
        id = id or str(uuid.uuid4())
        with Store(asker.ledger) as store:
            chosen, left_out = _cards(context, store, site, programme, period, cards, id)
            document = take_lease(
                store,
                chosen,
                site=site,
                desk=asker.desk,
                programme=programme,
                period=period,
                until=_end(until, store.now()),
                lines=[Wanted.model_validate(line) for line in wanted_from(lines or [])],
                id=id,
                actor=asker.by,
            )
        OfflineDesk.begin(folder, document)
        ends = moment_text(document.until)
        told = {"lease": document.lease, "until": ends, "households": len(document.claims), "left_out": left_out}
        if as_json:
            say_json(told)
            return
        many = len(document.claims)
        say(f"{folder} has the lease {document.lease} with {many} household{'' if many == 1 else 's'}, until {ends}.")
        if left_out:
            say(f"{left_out} are with another desk and were left out.")
        if document.stock:
            rows_table([line.model_dump(mode="json") for line in document.stock])


def look(context: typer.Context, card: Token, folder: Folder = _HERE, as_json: AsJson = False) -> None:
    """Show what a card may have at this desk."""
    with answering(as_json), _desk(folder) as desk:
        found = desk.look(_hash_of(card))
        found.pop("claim", None)
        if as_json:
            say_json(found)
        elif not found["listed"]:
            say("Not on the list of this lease.")
            say(_BOUND)
        else:
            left = ", ".join(f"{amount} {item}" for item, amount in found["left"].items() if amount)
            say(f"On the list. Left in this period: {left or 'nothing'}.")
            if found["visits"] is not None:
                say(f"Visits left: {found['visits']}.")


def hand_over(
    context: typer.Context,
    card: Token,
    lines: Annotated[list[str], typer.Argument(metavar="ITEM=QUANTITY…", help="Items, such as rice=2kg.")],
    proof: Annotated[str, typer.Option(help="How the receiver confirmed: tap, pin or witness.")] = "tap",
    emergency: Annotated[
        bool, typer.Option("--emergency", help="A card that is not on the list, or more than was leased; flagged.")
    ] = False,
    size: Annotated[
        int | None, typer.Option(min=1, max=100, help="People in the household of a card that is not on the list.")
    ] = None,
    folder: Folder = _HERE,
    id: Id = None,
    as_json: AsJson = False,
) -> None:
    """Hand goods over without a connection; it is in the journal before this answers."""
    with answering(as_json), _desk(folder) as desk:
        wanted: dict[str, int] = {}
        for item, quantity, unit in amounts_from(lines):
            wanted[item] = wanted.get(item, 0) + desk.base_units(item, quantity, unit)
        entry = desk.hand_over(
            _hash_of(card),
            wanted,
            by=asker_of(context).by,
            proof=proof,
            size=size,
            emergency=emergency,
            id=id,
        )
        _tell(entry, as_json)


def stock(context: typer.Context, folder: Folder = _HERE, as_json: AsJson = False) -> None:
    """Show what this desk still has."""
    with answering(as_json), _desk(folder) as desk:
        rows = desk.stock()
        if as_json:
            say_json(rows)
        elif rows:
            rows_table(rows)
        else:
            say("Nothing is left.")


def journal(context: typer.Context, folder: Folder = _HERE, as_json: AsJson = False) -> None:
    """Show what this desk has given, and whether the ledger has it."""
    with answering(as_json), _desk(folder) as desk:
        rows = desk.journal()
        if as_json:
            say_json(rows)
            return
        if not rows:
            say("Nothing was given yet.")
            return
        rows_table([_line(row) for row in rows])


def sync(context: typer.Context, folder: Folder = _HERE, as_json: AsJson = False) -> None:
    """Bring the journal into the ledger; as often as one likes."""
    with answering(as_json):
        from nearer.aid.offline.sync import sync as synced
        from nearer.aid.store import Store

        with _desk(folder) as desk, Store(asker_of(context).ledger) as store, _known(context) as known:
            told = synced(desk, store, known)
        if as_json:
            say_json(told)
        else:
            _tell_sync(told)
    if told["refused"]:
        raise typer.Exit(FAILED)


def give_back(context: typer.Context, folder: Folder = _HERE, as_json: AsJson = False) -> None:
    """Bring the journal, give back what is left of goods and list, and erase the desk."""
    with answering(as_json):
        from nearer.aid.offline.sync import give_back as given_back
        from nearer.aid.store import Store

        asker = asker_of(context)
        with _desk(folder) as desk, Store(asker.ledger) as store, _known(context) as known:
            told = given_back(desk, store, known, actor=asker.by)
        if as_json:
            say_json(told)
            return
        _tell_sync(told)
        say("The lease has ended; list and journal are erased here.")
        if told["lines"]:
            say("Back in the stock:")
            rows_table(told["lines"])


_BOUND = (
    "In an emergency it can be served here once, with --emergency: it is kept and flagged, "
    "and is at most one more than it is entitled to."
)


def _desk(folder: Path) -> OfflineDesk:
    from nearer.aid.offline.journal import OfflineDesk

    return OfflineDesk(folder)


def _end(text: str, now: datetime) -> datetime:
    """``8h`` from now, or a moment."""
    if re.fullmatch(r"[1-9][0-9]{0,2}h", text):
        return now + timedelta(hours=int(text[:-1]))
    return moment_from(text)


def _hash_of(token: str) -> str:
    from nearer.aid.households.cards import card_hash

    return card_hash(token_from(token))


def _cards(
    context: typer.Context, store: Store, site: str, programme: str, period: str, file: Path | None, id: str
) -> tuple[list[Card], int]:
    """The cards to take along, and how many are with other desks."""
    from nearer.aid.offline.choosing import cards_for
    from nearer.errors import UsageError

    by = asker_of(context).by
    if not are_people(context):
        if file is not None:
            raise UsageError("There is no household database, so no card leads to a household.")
        return [], 0
    tokens = None
    if file is not None:
        try:
            tokens = file.read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError([Fault("cannot be read", str(file))]) from error
    with open_people(context) as people:
        return cards_for(store, people, programme, period, site, tokens, id, by)


@contextmanager
def _known(context: typer.Context) -> Iterator[Known]:
    """Whose a card is, by the household database where there is one."""
    from nearer.aid.offline.sync import known_in, nobody

    if not are_people(context):
        yield nobody
    else:
        with open_people(context) as people:
            yield known_in(people, asker_of(context).by)


def _tell(entry: Entry, as_json: bool) -> None:
    from nearer.aid.offline.document import plain

    if as_json:
        say_json(plain(entry))
        return
    say(f"Handed over and kept in the journal: {entry.id}.")
    if lines := [*entry.lots, *entry.beyond]:
        rows_table([line.model_dump() for line in lines])
    if entry.claim is None or entry.beyond:
        say("It will be flagged in the ledger, for a coordinator to look at.")


def _line(row: dict[str, Any]) -> dict[str, Any]:
    entry = row["entry"]
    given = [f"{line['lot']}={line['quantity']}" for line in entry.get("lots", [])]
    given += [f"{line['item']}={line['quantity']}" for line in entry.get("beyond", [])]
    answer = row["answer"] or {}
    return {
        "number": row["number"],
        "at": entry["moment"],
        "list": entry.get("claim", "not on it"),
        "given": " ".join(given),
        "state": row["state"],
        "handover": answer.get("handover"),
        "why": answer.get("why"),
    }


def _tell_sync(told: dict[str, Any]) -> None:
    flagged = [conflict for row in told["kept"] for conflict in row.get("conflicts", [])]
    say(f"{len(told['kept'])} hand-overs are in the ledger, {len(told['refused'])} are refused.")
    if flagged:
        say("Kept, with a flag for a coordinator:")
        rows_table(flagged)
    for row in told["refused"]:
        say(f"{row['id']}: {row['why']}")


# What touches the ledger is done only for who may do it; at the desk itself nobody can be asked.
COMMANDS: dict[str, Callable[..., None]] = {
    "lease": guarded("lease", lease),
    "look": look,
    "hand-over": hand_over,
    "stock": stock,
    "journal": journal,
    "sync": guarded("sync", sync),
    "give-back": guarded("end-lease", give_back),
}
for _name, _function in COMMANDS.items():
    app.command(_name)(_function)
