"""Hand-overs to households, within what each is entitled to in the period."""

from __future__ import annotations

from typing import Any

from nearer.aid import accounts
from nearer.aid import commands as c
from nearer.aid.book import Book, Claim
from nearer.aid.desk.holding import reservation_of
from nearer.aid.desk.lookup import base_units, need_open, need_type
from nearer.aid.desk.pick import pick
from nearer.aid.refusals import ClaimError, RefusedError, unknown


def hand_over(book: Book, command: c.HandOver) -> dict[str, Any]:
    """STOCK or RESERVED → HANDED_OVER, and the same quantities off the household's account."""
    need_open(book, command.site)
    programme = book.sql.one("SELECT visits FROM programmes WHERE programme = ?", command.programme)
    if programme is None:
        raise unknown("programme", command.programme, "see `nearer aid list programmes`")
    day = book.day_at(command.site)
    period = period_on(book, command.programme, day)
    claim = (command.programme, period, command.tag)
    left = _left(book, claim)
    if left is None:
        left = _opened(book, claim, command.size)
    elif programme[0] is not None and (visits := _visits(book, claim)) >= int(programme[0]):
        raise ClaimError(
            f"This household has been served {visits} times in {period}, as often as {command.programme} allows."
        )
    wanted: dict[str, int] = {}
    for line in command.lines:
        need_type(book, line.item, "goods")
        wanted[line.item] = wanted.get(line.item, 0) + base_units(book, line.item, line.quantity, line.unit)
    source = _source(book, command)
    target = accounts.handed_over(command.site, command.programme, period)
    given = []
    for item, amount in wanted.items():
        if item not in left:
            raise ClaimError(f"{command.programme} gives this household no {item} in {period}.")
        if amount > left[item]:
            raise ClaimError(f"This household has {left[item]} of {item} left in {period}, not {amount}.")
        for lot, part in pick(book, source, item, amount, day=day, programme=command.programme, site=command.site):
            book.move(lot, part, source, target)
            given.append({"lot": lot, "item": item, "quantity": part})
        book.draw(claim, item, amount)
        left[item] -= amount
    name = f"H{book.seq}"
    book.add(
        "handovers",
        handover=name,
        site=command.site,
        programme=command.programme,
        period=period,
        tag=command.tag,
        proof=command.proof,
    )
    return {"handover": name, "period": period, "lines": given, "left": left}


def period_on(book: Book, programme: str, day: str) -> str:
    """The period of a programme that a day lies in."""
    row = book.sql.one(
        "SELECT period FROM periods WHERE programme = ? AND first_day <= ? AND last_day >= ?", programme, day, day
    )
    if row is None:
        raise RefusedError(f"{programme} has no period on {day}; open one with `nearer aid period`.")
    return str(row[0])


def entitled(book: Book, programme: str, period: str, size: int) -> dict[str, int]:
    """What a household of a size gets in a period: base units by item."""
    rows = book.sql.all(
        "SELECT item, quantity FROM entitlement_rules WHERE programme = ? AND period = ? AND size_from <= ? "
        "ORDER BY item, size_from",
        programme,
        period,
        size,
    )
    return {str(item): int(quantity) for item, quantity in rows}  # the last, for the largest size, holds


def _left(book: Book, claim: Claim) -> dict[str, int] | None:
    """What is left on a household's account; None where it is not open."""
    if book.sql.one("SELECT 1 FROM claims WHERE programme = ? AND period = ? AND tag = ?", *claim) is None:
        return None
    rows = book.sql.all(
        "SELECT item, left_over FROM allowances WHERE programme = ? AND period = ? AND tag = ? ORDER BY item", *claim
    )
    return {str(item): int(amount) for item, amount in rows}


def _opened(book: Book, claim: Claim, size: int) -> dict[str, int]:
    """Open a household's account."""
    programme, period, tag = claim
    granted = entitled(book, programme, period, size)
    book.add("claims", programme=programme, period=period, tag=tag)
    for item, quantity in granted.items():
        book.grant(claim, item, quantity)
    return dict(granted)


def _visits(book: Book, claim: Claim) -> int:
    """Hand-overs to a household in a period that were not reversed."""
    row = book.sql.one(
        "SELECT COUNT(*) FROM handovers h WHERE h.programme = ? AND h.period = ? AND h.tag = ? "
        "AND NOT EXISTS (SELECT 1 FROM transactions t WHERE t.reverses = h.seq)",
        *claim,
    )
    assert row is not None
    return int(row[0])


def _source(book: Book, command: c.HandOver) -> str:
    if command.reservation is None:
        return accounts.stock(command.site)
    site, for_site, for_programme = reservation_of(book, command.reservation)
    if site != command.site or for_site not in (None, site) or for_programme not in (None, command.programme):
        raise RefusedError(f"The reservation {command.reservation} is for something else.")
    return accounts.reserved(site, command.reservation)
