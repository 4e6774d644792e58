"""Stocktakes: only what was counted is touched, against a named cut-off, as a variance with a reason."""

from __future__ import annotations

from typing import Any

from nearer.aid import accounts
from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.desk.intake import new_lot
from nearer.aid.desk.lookup import base_units, item_of, need, need_type
from nearer.aid.refusals import RefusedError

ON_THE_SHELF = (
    "SELECT COALESCE(SUM(p.quantity), 0) FROM postings p JOIN accounts a ON a.account = p.account "
    "WHERE p.lot = ? AND a.site = ? AND a.kind IN ('STOCK', 'RESERVED') "
    "AND substr(a.reference, 1, 1) <> 'K' AND p.seq <= ?"
)
"""What was at a site of a lot after a transaction; the audit asks the same."""


def stocktake(book: Book, command: c.Stocktake) -> dict[str, Any]:
    """
    STOCK ⇄ VARIANCE by what was counted less what should have been there at the cut-off.

    What is reserved lies on the same shelf: it is expected and counted too. A variance that free stock cannot bear is
    refused: it means that goods which were not there have been reserved or sent since.
    """
    need(book, "site", command.site)
    cutoff = book.seq - 1 if command.cutoff is None else command.cutoff
    if cutoff >= book.seq:
        raise RefusedError(
            "There is no transaction {cutoff} yet; the last one is {seq}.", cutoff=cutoff, seq=book.seq - 1
        )
    name = f"S{book.seq}"
    book.add("stocktakes", stocktake=name, site=command.site, cutoff=cutoff)
    stock, variance = accounts.stock(command.site), accounts.variance(command.site)
    answer = []
    number = 0
    for line in command.lines:
        item_of(book, line.lot)
        expected = _expected(book, command.site, line.lot, cutoff)
        difference = line.counted - expected
        book.add("stocktake_lines", stocktake=name, lot=line.lot, expected=expected, counted=line.counted)
        if difference:
            number += 1
            book.add("reasons", line=number, account=variance, lot=line.lot, quantity=-difference, reason=line.reason)
        if difference > 0:
            book.move(line.lot, difference, variance, stock)
        elif difference < 0:
            free = book.balance(stock, line.lot)
            if free < -difference:
                raise RefusedError(
                    "{difference} of lot {lot} are missing and only {free} are free at {site}; release what is "
                    "reserved, or reverse what was sent, and count again.",
                    difference=-difference,
                    lot=line.lot,
                    free=free,
                    site=command.site,
                )
            book.move(line.lot, -difference, stock, variance)
        answer.append({"lot": line.lot, "expected": expected, "counted": line.counted, "variance": difference})
    found = []
    for entry in command.found:
        need_type(book, entry.item, "goods")
        amount = base_units(book, entry.item, entry.quantity, entry.unit)
        lot = new_lot(
            book,
            origin="count",
            item=entry.item,
            use_by=entry.use_by,
            best_before=entry.best_before,
            cold=int(entry.cold),
        )
        book.add("stocktake_lines", stocktake=name, lot=lot, expected=0, counted=amount)
        book.move(lot, amount, variance, stock)
        number += 1
        book.add("reasons", line=number, account=variance, lot=lot, quantity=-amount, reason="found")
        found.append({"lot": lot, "item": entry.item, "quantity": amount})
    return {"stocktake": name, "cutoff": cutoff, "lines": answer, "found": found}


def _expected(book: Book, site: str, lot: str, cutoff: int) -> int:
    """
    What stock and reservations of a site held of a lot after the transaction ``cutoff``.

    What a desk has leased (K…) went with it and lies on no shelf.
    """
    row = book.sql.one(ON_THE_SHELF, lot, site, cutoff)
    assert row is not None
    return int(row[0])
