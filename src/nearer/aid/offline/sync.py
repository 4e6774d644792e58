"""
A cut-off desk's journal comes into the ledger: later, in any order, in parts, more than once.

Each entry is a command with its own id, so it counts once. None is refused for what it was: it has happened, and what
goes beyond goods or household is posted with a conflict. Refused is only what cannot be read, or names a lease or a lot
that this ledger has not.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from nearer.aid import commands as c
from nearer.aid.canonical import canonical, sha256_hex
from nearer.aid.clock import moment_of
from nearer.aid.households.book import log_read, tag_of
from nearer.aid.households.store import Households
from nearer.aid.households.tables import cards, households
from nearer.aid.offline.away import leases_of
from nearer.aid.offline.document import Entry, ledger_of
from nearer.aid.offline.journal import OfflineDesk
from nearer.aid.refusals import BusyError, RefusedError
from nearer.aid.store import Store, sql_of
from nearer.errors import UsageError

Known = Callable[[str, str, str], tuple[str, int] | None]
"""Tag and size of a card (by its hash) in a programme and period; None where nobody has it."""

CLOCKS_DIFFER = timedelta(hours=1)
"""How far a desk's clock may be from the ledger's before what it says is flagged."""


def nobody(card: str, programme: str, period: str) -> tuple[str, int] | None:
    """Where there is no household database: every card is unknown."""
    return None


def known_in(people: Households, by: str) -> Known:
    """Looks cards up in a household database, whatever their state: who was served was served. Readings are logged."""

    def known(card: str, programme: str, period: str) -> tuple[str, int] | None:
        with people.writing() as connection:
            log_read(connection, people, by, "sync", card)
            row = connection.execute(
                sa.select(cards.c.household, households.c.size)
                .join(households, households.c.household == cards.c.household)
                .where(cards.c.card == card)
            ).first()
        if row is None:
            return None
        try:
            return tag_of(people, programme, period, row[0]), int(row[1])
        except RefusedError:  # the period's key is gone: nobody can tell any more whose it was
            return None

    return known


def sync(desk: OfflineDesk, store: Store, known: Known) -> dict[str, Any]:
    """
    Bring a desk's journal into a ledger that is at hand, in parts until all is there or nothing more goes in.

    Returns
    -------
    dict
        ``kept`` and ``refused``, as ``receive``.
    """
    kept: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    while (message := desk.message()) is not None:
        answer = receive(store, message, known)
        desk.confirmed(answer)
        kept += answer["kept"]
        refused = answer["refused"]
        if not answer["kept"]:
            break
    return {"kept": kept, "refused": refused}


def give_back(desk: OfflineDesk, store: Store, known: Known, *, actor: str) -> dict[str, Any]:
    """
    Bring the journal, end the lease and erase the desk; again, if it was cut off in between.

    Returns
    -------
    dict
        As ``sync``, and ``lines``: lots and base units that went back into the stock.

    Raises
    ------
    RefusedError
        The ledger has not every entry; nothing was ended or erased.
    """
    told = sync(desk, store, known)
    desk.need_all_kept()
    name = desk.lease.lease
    lines: list[dict[str, Any]] = []
    try:
        lines = store.do(c.EndLease(lease=name), id=f"give-back-{name}-{desk.lease.salt}", actor=actor)["lines"]
    except RefusedError:
        # Somebody ended it as expired; the desk is erased all the same.
        if name in {row["lease"] for row in leases_of(store, open_only=True)}:
            raise
    desk.forget()
    return told | {"lines": lines}


def receive(store: Store, message: dict[str, Any], known: Known) -> dict[str, Any]:
    """
    Post the entries of a message (``OfflineDesk.message``).

    Parameters
    ----------
    store
        The ledger.
    message
        ``{"version": 1, "ledger": …, "desk": …, "entries": […]}``.
    known
        Whose a card is that was not on the list.

    Returns
    -------
    dict
        ``kept``: id, transaction, handover and conflicts of each entry that is in the ledger, now or since an earlier
        message. ``refused``: id and why. What is in neither was not reached and is to be sent again.

    Raises
    ------
    UsageError
        It is no such message, or for another ledger; nothing was posted.
    """
    entries = message.get("entries") if isinstance(message, dict) else None
    if not isinstance(entries, list) or message.get("version") != 1:
        raise UsageError("This is no journal of an offline desk, or of another release.")
    if message.get("ledger") != ledger_of(store):
        raise UsageError("This journal belongs to another ledger; bring it there.")
    kept: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for plain in entries:
        id = str(plain.get("id", "")) if isinstance(plain, dict) else ""
        try:
            entry = Entry.model_validate(plain)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
            refused.append({"id": id, "why": f"The entry cannot be read: {faults}."})
            continue
        try:
            answer = _post(store, entry, known)
        except BusyError:
            break
        except (RefusedError, UsageError) as error:
            refused.append({"id": id, "why": str(error)})
            continue
        kept.append({"id": id} | {k: answer[k] for k in ("transaction", "handover", "conflicts") if k in answer})
    return {"kept": kept, "refused": refused}


def _post(store: Store, entry: Entry, known: Known) -> dict[str, Any]:
    with store.reading() as connection:
        row = sql_of(connection).one(
            "SELECT l.desk, l.programme, l.period, t.at FROM leases l JOIN transactions t ON t.seq = l.seq "
            "WHERE l.lease = ?",
            entry.lease,
        )
    if row is None:
        raise RefusedError("There is no lease '{lease}' in this ledger.", lease=entry.lease)
    desk, programme, period, since = row
    household: dict[str, Any] = {"claim": entry.claim}
    if entry.claim is None:
        # Whoever it is, it happened: a card that nobody has gets a tag that leads nowhere.
        found = None if entry.card is None else known(entry.card, programme, period)
        tag, size = found or (sha256_hex(canonical(["unknown card", entry.lease, entry.mark])), None)
        household = {"mark": entry.mark, "tag": tag, "size": size}
    command = c.HandOverOffline(
        lease=entry.lease,
        moment=entry.moment,
        lots=entry.lots,
        beyond=entry.beyond,
        proof=entry.proof,
        witness=entry.witness,
        **household,
    )
    # A clock that was wrong does not keep a hand-over out; the command flags that the moment is not the desk's.
    begun, now = moment_of(str(since)), store.now()
    at = entry.moment
    if not begun - CLOCKS_DIFFER <= at <= now + CLOCKS_DIFFER:
        at = min(max(at, begun), now)
    return store.do(command, id=entry.id, actor=entry.by, desk=str(desk), at=at)
