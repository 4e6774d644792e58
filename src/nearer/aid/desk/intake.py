"""Gifts of goods and money, promised money, purchases and payments."""

from __future__ import annotations

from datetime import date
from typing import Any

from nearer.aid import accounts
from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.canonical import canonical, sha256_hex
from nearer.aid.desk.lookup import base_units, need, need_open, need_type
from nearer.aid.desk.pick import NO_END, pick
from nearer.aid.driver import Value
from nearer.aid.refusals import RefusedError, unknown


def new_lot(
    book: Book,
    *,
    origin: str,
    item: str,
    use_by: date | str | None = None,
    best_before: date | str | None = None,
    **more: Value,
) -> str:
    """Write a lot's row and return its code, ``L<transaction>-<line>``."""
    line = book.count_of("lots") + 1
    lot = f"L{book.seq}-{line}"
    ends = [str(day) for day in (use_by, best_before) if day is not None]
    book.add(
        "lots",
        **{
            "lot": lot,
            "line": line,
            "origin": origin,
            "item": item,
            "use_by": None if use_by is None else str(use_by),
            "best_before": None if best_before is None else str(best_before),
            "first_out": min(ends, default=NO_END),
            "cold": 0,
            **more,
        },
    )
    return lot


def thanks_for(book: Book, giver: str) -> str:
    """A number for the giver by which the gift can be found again and no other gift guessed."""
    # The chain's head is as random as the ids that clients make.
    return "T" + sha256_hex(canonical(["thanks", book.previous, book.id, giver]))[:15].upper()


def receive(book: Book, command: c.Receive) -> dict[str, Any]:
    """DONOR → STOCK, one new lot for each line."""
    need_open(book, command.site)
    need(book, "giver", command.giver)
    thanks = thanks_for(book, command.giver)
    lots = []
    for line in command.lines:
        amount = base_units(book, line.item, line.quantity, line.unit)
        need(book, "programme", line.for_programme)
        need(book, "site", line.for_site)
        if line.currency is not None:
            need_type(book, line.currency, "money")
        if line.for_item is not None:
            need_type(book, line.item, "money")
            need_type(book, line.for_item, "goods")
        lot = new_lot(
            book,
            origin="gift",
            item=line.item,
            giver=command.giver,
            use_by=line.use_by,
            best_before=line.best_before,
            cold=int(line.cold),
            value=line.value,
            currency=line.currency,
            for_programme=line.for_programme,
            for_site=line.for_site,
            for_item=line.for_item,
            thanks=thanks,
        )
        book.move(lot, amount, accounts.donor(command.giver), accounts.stock(command.site))
        lots.append({"lot": lot, "item": line.item, "quantity": amount})
    return {"lots": lots, "thanks": thanks}


def pledge(book: Book, command: c.Pledge) -> dict[str, Any]:
    """DONOR → PLEDGED: money that is promised."""
    need(book, "giver", command.giver)
    need_type(book, command.item, "money")
    need(book, "programme", command.for_programme)
    need(book, "site", command.for_site)
    if command.for_item is not None:
        need_type(book, command.for_item, "goods")
    amount = base_units(book, command.item, command.quantity, command.unit)
    thanks = thanks_for(book, command.giver)
    lot = new_lot(
        book,
        origin="gift",
        item=command.item,
        giver=command.giver,
        for_programme=command.for_programme,
        for_site=command.for_site,
        for_item=command.for_item,
        thanks=thanks,
    )
    name = f"P{book.seq}"
    book.add("pledges", pledge=name, lot=lot)
    book.move(lot, amount, accounts.donor(command.giver), accounts.pledged(name))
    return {"pledge": name, "lot": lot, "quantity": amount, "thanks": thanks}


def receive_pledge(book: Book, command: c.ReceivePledge) -> dict[str, Any]:
    """PLEDGED → STOCK."""
    need_open(book, command.site)
    row = book.sql.one(
        "SELECT p.lot, l.item FROM pledges p JOIN lots l ON l.lot = p.lot WHERE p.pledge = ?", command.pledge
    )
    if row is None:
        raise unknown("pledge", command.pledge, "see `nearer aid balances --kind PLEDGED`")
    amount = base_units(book, row[1], command.quantity, command.unit)
    source = accounts.pledged(command.pledge)
    book.move(row[0], amount, source, accounts.stock(command.site))
    return {"pledge": command.pledge, "lot": row[0], "quantity": amount, "open": book.balance(source, row[0]) - amount}


def buy(book: Book, command: c.Buy) -> dict[str, Any]:
    """Money STOCK → CONVERT, the goods' new lot CONVERT → STOCK; what the money is meant for holds for the goods."""
    need_open(book, command.site)
    need_type(book, command.money, "money")
    need_type(book, command.item, "goods")
    need(book, "programme", command.for_programme)
    price = base_units(book, command.money, command.price, command.price_unit)
    amount = base_units(book, command.item, command.quantity, command.unit)
    stock = accounts.stock(command.site)
    funds = pick(
        book,
        stock,
        command.money,
        price,
        day=book.day_at(command.site),
        programme=command.for_programme,
        site=command.site,
        to_buy=command.item,
    )
    earmarks = earmarks_of(book, [lot for lot, _ in funds])
    lot = new_lot(
        book,
        origin="purchase",
        item=command.item,
        use_by=command.use_by,
        best_before=command.best_before,
        cold=int(command.cold),
        value=price,
        currency=command.money,
        **earmarks,
    )
    turn_into(book, command.site, funds, lot, amount)
    return {
        "lot": lot,
        "item": command.item,
        "quantity": amount,
        "paid": [{"lot": fund, "quantity": paid} for fund, paid in funds],
    }


def spend(book: Book, command: c.Spend) -> dict[str, Any]:
    """STOCK → SPENT: money for what is no goods."""
    need(book, "site", command.site)
    need_type(book, command.money, "money")
    need(book, "programme", command.for_programme)
    amount = base_units(book, command.money, command.amount, command.unit)
    stock, target = accounts.stock(command.site), accounts.gone(accounts.SPENT, command.site)
    paid = []
    day = book.day_at(command.site)
    taken = pick(book, stock, command.money, amount, day=day, programme=command.for_programme, site=command.site)
    for line, (lot, part) in enumerate(taken, start=1):
        book.move(lot, part, stock, target)
        book.add("reasons", line=line, account=target, lot=lot, quantity=part, reason=command.reason)
        paid.append({"lot": lot, "quantity": part})
    return {"paid": paid}


def earmarks_of(book: Book, lots: list[str]) -> dict[str, Value]:
    """What goods made of these lots are meant for: whatever any of them is meant for."""
    found: dict[str, Value] = {"for_programme": None, "for_site": None}
    for lot in lots:
        row = book.sql.one("SELECT for_programme, for_site FROM lots WHERE lot = ?", lot)
        assert row is not None
        for name, value in zip(found, row, strict=True):
            if value is not None and found[name] not in (None, value):
                raise RefusedError(
                    "Lots meant for different things ({found}, {value}) are not put together.",
                    found=found[name],
                    value=value,
                )
            found[name] = value if value is not None else found[name]
    return found


def turn_into(book: Book, site: str, sources: list[tuple[str, int]], lot: str, quantity: int) -> None:
    """Sources STOCK → CONVERT, the new lot CONVERT → STOCK, and what came from where."""
    stock, convert = accounts.stock(site), accounts.convert(site)
    for source, amount in sources:
        book.move(source, amount, stock, convert)
        book.add("lot_sources", lot=lot, source=source, quantity=amount)
    book.move(lot, quantity, convert, stock)
