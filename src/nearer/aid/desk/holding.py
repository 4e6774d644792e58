"""Reservations, shipments, write-offs, returns and recalls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nearer.aid import accounts
from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.desk.lookup import base_units, item_of, need, need_open, need_type
from nearer.aid.desk.pick import pick
from nearer.aid.refusals import RefusedError, unknown


def reserve(book: Book, command: c.Reserve) -> dict[str, Any]:
    """STOCK → RESERVED."""
    need(book, "site", command.site)
    need(book, "site", command.for_site)
    need(book, "programme", command.for_programme)
    name = f"R{book.seq}"
    source = accounts.stock(command.site)
    target = accounts.reserved(command.site, name)
    book.add(
        "reservations",
        reservation=name,
        site=command.site,
        for_site=command.for_site,
        for_programme=command.for_programme,
    )
    lines = pick_lines(
        book,
        command.lines,
        source,
        site=command.for_site or command.site,
        programme=command.for_programme,
        at=command.site,
    )
    for lot, amount in lines:
        book.move(lot, amount, source, target)
    return {"reservation": name, "lines": _lines(lines)}


def release(book: Book, command: c.Release) -> dict[str, Any]:
    """RESERVED → STOCK, all that is left."""
    site = reservation_of(book, command.reservation)[0]
    source = accounts.reserved(site, command.reservation)
    lines = held(book, source)
    if not lines:
        raise RefusedError("The reservation {reservation} holds nothing any more.", reservation=command.reservation)
    for lot, amount in lines:
        book.move(lot, amount, source, accounts.stock(site))
    return {"reservation": command.reservation, "lines": _lines(lines)}


def send(book: Book, command: c.Send) -> dict[str, Any]:
    """STOCK or RESERVED → TRANSIT."""
    need(book, "site", command.site)
    need_open(book, command.to)
    need(book, "programme", command.for_programme)
    name = f"T{book.seq}"
    if command.reservation is None:
        source = accounts.stock(command.site)
        lines = pick_lines(
            book, command.lines, source, site=command.to, programme=command.for_programme, at=command.site
        )
    else:
        site, for_site, _ = reservation_of(book, command.reservation)
        if site != command.site or for_site not in (None, command.to):
            raise RefusedError(
                "The reservation {reservation} is at {site} for {for_site}; send it there.",
                reservation=command.reservation,
                site=site,
                for_site=for_site or "any site",
            )
        source = accounts.reserved(site, command.reservation)
        lines = held(book, source)
        if not lines:
            raise RefusedError("The reservation {reservation} holds nothing any more.", reservation=command.reservation)
    book.add("shipments", shipment=name, from_site=command.site, to_site=command.to)
    for lot, amount in lines:
        book.move(lot, amount, source, accounts.transit(name))
    return {"shipment": name, "lines": _lines(lines)}


def arrive(book: Book, command: c.Arrive) -> dict[str, Any]:
    """
    TRANSIT → STOCK, DAMAGED and LOST; what is over comes from VARIANCE.

    Every lot that is still on its way must be named, unless more is to come: a lot that was forgotten on the list is
    not lost.
    """
    row = book.sql.one("SELECT from_site, to_site FROM shipments WHERE shipment = ?", command.shipment)
    if row is None:
        raise unknown("shipment", command.shipment, "see `nearer aid balances --kind TRANSIT`")
    sender, site = row
    transit = accounts.transit(command.shipment)
    moving = dict(held(book, transit))
    sent = {lot for (lot,) in book.sql.all("SELECT DISTINCT lot FROM postings WHERE account = ? ", transit)}
    if not moving:
        raise RefusedError("Nothing of the shipment {shipment} is on its way any more.", shipment=command.shipment)
    arrived = command.lines or tuple(c.Arrived(lot=lot, good=amount) for lot, amount in moving.items())
    named = {line.lot for line in arrived}
    if strangers := sorted(named - sent):
        raise RefusedError(
            "{strangers} was not sent with {shipment}; count it in by a stocktake.",
            strangers=", ".join(strangers),
            shipment=command.shipment,
        )
    if (forgotten := sorted(set(moving) - named)) and not command.more_to_come:
        raise RefusedError(
            "{forgotten} is on its way too; say how much of it came, or that more is to come.",
            forgotten=", ".join(forgotten),
        )
    stock, variance = accounts.stock(site), accounts.variance(site)
    damaged, lost = accounts.gone(accounts.DAMAGED, site), accounts.gone(accounts.LOST, sender)
    answer = []
    line = 0
    for entry in arrived:
        due = moving.get(entry.lot, 0)
        good, spoilt = min(entry.good, due), min(entry.damaged, max(0, due - entry.good))
        over = entry.good + entry.damaged - good - spoilt
        short = 0 if command.more_to_come else due - good - spoilt
        if good:
            book.move(entry.lot, good, transit, stock)
        if over:
            book.move(entry.lot, over, variance, stock)
            line += 1
            book.add("reasons", line=line, account=variance, lot=entry.lot, quantity=over, reason="over")
        if spoilt:
            book.move(entry.lot, spoilt, transit, damaged)
        spoilt_over = entry.damaged - spoilt
        if spoilt_over:
            book.move(entry.lot, spoilt_over, stock, damaged)
        if entry.damaged:
            line += 1
            book.add(
                "reasons", line=line, account=damaged, lot=entry.lot, quantity=entry.damaged, reason=command.damage
            )
        if short:
            book.move(entry.lot, short, transit, lost)
            line += 1
            book.add("reasons", line=line, account=lost, lot=entry.lot, quantity=short, reason="transport")
        answer.append({"lot": entry.lot, "good": entry.good, "damaged": entry.damaged, "over": over, "short": short})
    return {"shipment": command.shipment, "site": site, "lines": answer}


def damage(book: Book, command: c.Damage) -> dict[str, Any]:
    """STOCK → DAMAGED."""
    return _write_off(book, command.site, command.lines, accounts.DAMAGED, command.reason)


def lose(book: Book, command: c.Lose) -> dict[str, Any]:
    """STOCK → LOST."""
    return _write_off(book, command.site, command.lines, accounts.LOST, command.reason)


def give_back(book: Book, command: c.GiveBack) -> dict[str, Any]:
    """STOCK → RETURNED."""
    return _write_off(book, command.site, command.lines, accounts.RETURNED, command.reason)


def expire(book: Book, command: c.Expire) -> dict[str, Any]:
    """
    STOCK and RESERVED → EXPIRED, whatever is past its use-by day there.

    What a desk has leased (K…) waits until it is back: it may have been given in time.
    """
    day = book.day_at(command.site)
    rows = book.sql.all(
        "SELECT b.account, b.lot, b.quantity FROM balances b JOIN accounts a ON a.account = b.account "
        "JOIN lots l ON l.lot = b.lot WHERE a.kind IN ('STOCK', 'RESERVED') AND a.site = ? AND b.quantity > 0 "
        "AND substr(a.reference, 1, 1) <> 'K' AND l.use_by < ? ORDER BY l.seq, l.line, b.account",
        command.site,
        day,
    )
    target = accounts.gone(accounts.EXPIRED, command.site)
    for line, (account, lot, amount) in enumerate(rows, start=1):
        book.move(lot, amount, account, target)
        book.add("reasons", line=line, account=target, lot=lot, quantity=amount, reason="use-by")
    return {"site": command.site, "day": day, "lines": _lines((lot, amount) for _, lot, amount in rows)}


def recall(book: Book, command: c.Recall) -> dict[str, Any]:
    """Mark a lot; what was made from it is marked too."""
    item_of(book, command.lot)
    marked: list[str] = []
    todo = [command.lot]
    while todo:
        lot = todo.pop(0)
        if lot in marked:
            continue
        marked.append(lot)
        rows = book.sql.all("SELECT lot FROM lot_sources WHERE source = ? ORDER BY seq, lot", lot)
        todo.extend(made for (made,) in rows)
    there = [lot for lot in marked if book.sql.one("SELECT 1 FROM recalls WHERE lot = ?", lot) is None]
    if not there:
        raise RefusedError("The lot {lot} is recalled already.", lot=command.lot)
    for lot in there:
        book.add("recalls", lot=lot, reason=command.reason)
    return {"lots": there}


def pick_lines(
    book: Book, lines: Iterable[c.Wanted], source: str, *, site: str | None, programme: str | None, at: str
) -> list[tuple[str, int]]:
    """Pick every line of a list, an item only once."""
    day = book.day_at(at)
    wanted: dict[str, int] = {}
    for line in lines:
        need_type(book, line.item, "goods")
        wanted[line.item] = wanted.get(line.item, 0) + base_units(book, line.item, line.quantity, line.unit)
    taken = []
    for item, amount in wanted.items():
        taken.extend(pick(book, source, item, amount, day=day, programme=programme, site=site))
    return taken


def held(book: Book, account: str) -> list[tuple[str, int]]:
    """All lots of an account, in the order of their coming."""
    rows = book.sql.all(
        "SELECT b.lot, b.quantity FROM balances b JOIN lots l ON l.lot = b.lot "
        "WHERE b.account = ? AND b.quantity > 0 ORDER BY l.seq, l.line",
        account,
    )
    return [(lot, int(amount)) for lot, amount in rows]


def reservation_of(book: Book, name: str) -> tuple[str, str | None, str | None]:
    """Site of a reservation, and the site and programme that it is for."""
    row = book.sql.one("SELECT site, for_site, for_programme FROM reservations WHERE reservation = ?", name)
    if row is None:
        raise unknown("reservation", name, "see `nearer aid balances --kind RESERVED`")
    return row[0], row[1], row[2]


def _write_off(book: Book, site: str, lines: Iterable[c.LotAmount], kind: str, reason: str) -> dict[str, Any]:
    need(book, "site", site)
    source, target = accounts.stock(site), accounts.gone(kind, site)
    done = []
    for number, line in enumerate(lines, start=1):
        item_of(book, line.lot)
        book.move(line.lot, line.quantity, source, target)
        book.add("reasons", line=number, account=target, lot=line.lot, quantity=line.quantity, reason=reason)
        done.append((line.lot, line.quantity))
    return {"site": site, "lines": _lines(done)}


def _lines(lines: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"lot": lot, "quantity": amount} for lot, amount in lines]
