"""Corrections: the opposite of a transaction, as a transaction of its own; and conflicts that were looked at."""

from __future__ import annotations

from typing import Any

from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.refusals import RefusedError, unknown


def reverse(book: Book, command: c.Reverse) -> dict[str, Any]:
    """Post the opposite; a household's account gets back what it drew."""
    target = command.transaction
    row = book.sql.one("SELECT kind, reverses FROM transactions WHERE seq = ?", target)
    if row is None:
        raise unknown("transaction", str(target), f"the last one is {book.seq - 1}")
    if row[1] is not None:
        raise RefusedError(
            "Transaction {target} is itself a reversal; do the first command again instead.", target=target
        )
    if row[0] in ("lease", "end-lease"):
        raise RefusedError("Transaction {target} is about a lease, which is ended and not reversed.", target=target)
    done = book.sql.one("SELECT seq FROM transactions WHERE reverses = ?", target)
    if done is not None:
        raise RefusedError("Transaction {target} was reversed by {done} already.", target=target, done=done[0])
    postings = book.sql.all("SELECT account, lot, quantity FROM postings WHERE seq = ? ORDER BY line", target)
    if not postings:
        raise RefusedError(
            "Transaction {target} ({kind}) moved nothing, so there is nothing to reverse.", target=target, kind=row[0]
        )
    book.reverses = target
    book.move_back((account, lot, int(quantity)) for account, lot, quantity in postings)
    for programme, period, tag, item, quantity in book.sql.all(
        "SELECT programme, period, tag, item, quantity FROM draws WHERE seq = ? ORDER BY item", target
    ):
        book.draw((programme, period, tag), item, -int(quantity))
    return {"reverses": target}


def resolve(book: Book, command: c.Resolve) -> dict[str, Any]:
    """A conflict is looked at and closed with a reason; nothing is moved."""
    row = book.sql.one("SELECT 1 FROM conflicts WHERE conflict = ?", command.conflict)
    if row is None:
        raise unknown("conflict", command.conflict, "see `nearer aid conflicts`")
    done = book.sql.one("SELECT reason FROM resolutions WHERE conflict = ?", command.conflict)
    if done is not None:
        raise RefusedError(
            "The conflict {conflict} is resolved already, as {done}.", conflict=command.conflict, done=done[0]
        )
    book.add("resolutions", conflict=command.conflict, reason=command.reason)
    return {"conflict": command.conflict, "reason": command.reason}
