"""Hand-overs to households, within what each is entitled to in the period."""

from __future__ import annotations

from typing import Any

from nearer.aid import accounts
from nearer.aid import commands as c
from nearer.aid.book import Book, Claim
from nearer.aid.clock import moment_text
from nearer.aid.desk.holding import reservation_of
from nearer.aid.desk.intake import new_lot
from nearer.aid.desk.lookup import base_units, need_open, need_type, state_of
from nearer.aid.desk.pick import pick
from nearer.aid.refusals import ClaimError, RefusedError, unknown


def hand_over(book: Book, command: c.HandOver) -> dict[str, Any]:
    """
    STOCK or RESERVED → HANDED_OVER, and the same quantities off the household's account.

    What has physically happened (``already_given``) is never refused for going beyond stock, entitlement or visits: it
    is posted, and each thing beyond is a conflict.
    """
    flags = Flags(book)
    anyway = command.already_given
    if anyway and state_of(book, command.site) == "closed":
        flags.add("closed")
    elif not anyway:
        need_open(book, command.site)
    most = visits_allowed(book, command.programme)
    day = book.day_at(command.site)
    period = period_on(book, command.programme, day)
    claim = (command.programme, period, command.tag)
    left = left_of(book, claim)
    if left is None:
        left = opened(book, claim, command.size)
    elif most is not None and (visits := visits_of(book, claim)) >= most:
        if not anyway:
            raise ClaimError(
                "This household has been served {visits} times in {period}, as often as {programme} allows.",
                visits=visits,
                period=period,
                programme=command.programme,
            )
        flags.add("visits")
    if (holder := leased_to(book, claim)) is not None:
        if not anyway:
            raise ClaimError(
                "This household's card is with the desk {desk} until {until} (lease {lease}); it is served there, "
                "or here once that lease has ended.",
                desk=holder[1],
                until=holder[2],
                lease=holder[0],
            )
        flags.add("leased-out")
    wanted: dict[str, int] = {}
    for line in command.lines:
        need_type(book, line.item, "goods")
        wanted[line.item] = wanted.get(line.item, 0) + base_units(book, line.item, line.quantity, line.unit)
    if not anyway:
        for item, amount in wanted.items():
            if item not in left:
                raise ClaimError(
                    "{programme} gives this household no {item} in {period}.",
                    programme=command.programme,
                    item=item,
                    period=period,
                )
            if amount > left[item]:
                raise ClaimError(
                    "This household has {left} of {item} left in {period}, not {amount}.",
                    left=left[item],
                    item=item,
                    period=period,
                    amount=amount,
                )
    source = _source(book, command)
    given = []
    for item, amount in wanted.items():
        for lot, part in pick(
            book, source, item, amount, day=day, programme=command.programme, site=command.site, or_less=anyway
        ):
            book.move(lot, part, source, accounts.handed_over(command.site, command.programme, period))
            given.append((lot, item, part))
        beyond = amount - sum(part for _, kind, part in given if kind == item)
        if beyond:
            given.append(beyond_stock(book, flags, command.site, claim, item, beyond))
    return hand(book, claim, left, given, site=command.site, proof=command.proof, witness=command.witness, flags=flags)


class Flags:
    """What is wrong with a hand-over that has physically happened, one row of ``conflicts`` each."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.found: list[dict[str, Any]] = []

    def add(self, kind: str, *, item: str | None = None, lot: str | None = None, quantity: int | None = None) -> None:
        """Raise one."""
        name = f"X{self._book.seq}-{len(self.found) + 1}"
        self.found.append({"conflict": name, "kind": kind, "item": item, "lot": lot, "quantity": quantity})


def beyond_stock(book: Book, flags: Flags, site: str, claim: Claim, item: str, amount: int) -> tuple[str, str, int]:
    """VARIANCE → HANDED_OVER: goods that no lot accounts for, as a new lot of a count, with a flag."""
    lot = new_lot(book, origin="count", item=item)
    book.move(lot, amount, accounts.variance(site), accounts.handed_over(site, *claim[:2]))
    flags.add("stock", item=item, lot=lot, quantity=amount)
    return lot, item, amount


def hand(
    book: Book,
    claim: Claim,
    left: dict[str, int],
    given: list[tuple[str, str, int]],
    *,
    site: str,
    proof: str,
    witness: str | None,
    flags: Flags,
) -> dict[str, Any]:
    """
    The household's side of a hand-over whose goods are moved already.

    What the household has left is drawn and no more: its account never goes below zero. The rest is a conflict of kind
    ``claim``, with the item and how much.

    Parameters
    ----------
    left
        What is left on the account before, by item, in base units.
    given
        Lot, item, base units.
    witness
        Staff code of who stood beside it; None where it was confirmed otherwise.
    """
    programme, period, tag = claim
    amounts: dict[str, int] = {}
    for _, item, amount in given:
        amounts[item] = amounts.get(item, 0) + amount
    left = dict(left)
    for item, amount in amounts.items():
        drawn = min(amount, left.get(item, 0))
        if drawn:
            book.draw(claim, item, drawn)
            left[item] -= drawn
        if amount > drawn:
            flags.add("claim", item=item, quantity=amount - drawn)
    name = f"H{book.seq}"
    book.add("handovers", handover=name, site=site, programme=programme, period=period, tag=tag, proof=proof)
    if witness is not None:
        book.add("witnesses", handover=name, staff=witness)
    for flag in flags.found:
        book.add("conflicts", handover=name, **flag)
    lines = [{"lot": lot, "item": item, "quantity": amount} for lot, item, amount in given]
    answer: dict[str, Any] = {"handover": name, "period": period, "lines": lines, "left": left}
    if flags.found:
        answer["conflicts"] = [{key: value for key, value in flag.items() if value is not None} for flag in flags.found]
    return answer


def visits_allowed(book: Book, programme: str) -> int | None:
    """Most visits of a household in a period; None for any number."""
    row = book.sql.one("SELECT visits FROM programmes WHERE programme = ?", programme)
    if row is None:
        raise unknown("programme", programme, "see `nearer aid list programmes`")
    return None if row[0] is None else int(row[0])


def leased_to(book: Book, claim: Claim) -> tuple[str, str, str] | None:
    """Lease, desk and end of the lease that a household is on now; None where it is on none."""
    row = book.sql.one(
        "SELECT l.lease, l.desk, l.until FROM lease_claims c JOIN leases l ON l.lease = c.lease "
        "WHERE c.programme = ? AND c.period = ? AND c.tag = ? AND l.until > ? "
        "AND NOT EXISTS (SELECT 1 FROM lease_ends e WHERE e.lease = l.lease)",
        *claim,
        moment_text(min(book.at, book.recorded_at)),
    )
    return None if row is None else (str(row[0]), str(row[1]), str(row[2]))


def period_on(book: Book, programme: str, day: str) -> str:
    """The period of a programme that a day lies in."""
    row = book.sql.one(
        "SELECT period FROM periods WHERE programme = ? AND first_day <= ? AND last_day >= ?", programme, day, day
    )
    if row is None:
        raise RefusedError(
            "{programme} has no period on {day}; open one with `nearer aid open-period`.", programme=programme, day=day
        )
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


def left_of(book: Book, claim: Claim) -> dict[str, int] | None:
    """What is left on a household's account; None where it is not open."""
    if book.sql.one("SELECT 1 FROM claims WHERE programme = ? AND period = ? AND tag = ?", *claim) is None:
        return None
    rows = book.sql.all(
        "SELECT item, left_over FROM allowances WHERE programme = ? AND period = ? AND tag = ? ORDER BY item", *claim
    )
    return {str(item): int(amount) for item, amount in rows}


def opened(book: Book, claim: Claim, size: int | None) -> dict[str, int]:
    """Open a household's account; of a size that nobody knows, it is entitled to nothing."""
    programme, period, tag = claim
    granted = {} if size is None else entitled(book, programme, period, size)
    book.add("claims", programme=programme, period=period, tag=tag)
    for item, quantity in granted.items():
        book.grant(claim, item, quantity)
    return dict(granted)


def visits_of(book: Book, claim: Claim) -> int:
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
        raise RefusedError("The reservation {reservation} is for something else.", reservation=command.reservation)
    return accounts.reserved(site, command.reservation)
