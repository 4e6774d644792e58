"""Leases of goods and households to desks without a connection, and what such a desk has given."""

from __future__ import annotations

from typing import Any

from nearer.aid import accounts
from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.clock import local_day, moment_text
from nearer.aid.desk.giving import (
    Flags,
    beyond_stock,
    hand,
    leased_to,
    left_of,
    opened,
    visits_allowed,
    visits_of,
)
from nearer.aid.desk.holding import held, pick_lines
from nearer.aid.desk.lookup import item_of, need_open, need_type, state_of
from nearer.aid.refusals import ClaimError, RefusedError, unknown


def lease(book: Book, command: c.Lease) -> dict[str, Any]:
    """
    STOCK → RESERVED for the desk, and the households' accounts (opened where they are not) for it alone.

    The answer numbers the households in the order that the command names them, with what each has left.
    """
    need_open(book, command.site)
    most = visits_allowed(book, command.programme)
    _check_time(book, command)
    open_one = book.sql.one(
        "SELECT lease FROM leases l WHERE desk = ? AND NOT EXISTS (SELECT 1 FROM lease_ends e WHERE e.lease = l.lease)",
        command.desk,
    )
    if open_one is not None:
        raise RefusedError(
            "The desk {desk} still has the lease {lease}; end that one first.", desk=command.desk, lease=open_one[0]
        )
    name = f"K{book.seq}"
    book.add(
        "leases",
        lease=name,
        site=command.site,
        desk=command.desk,
        programme=command.programme,
        period=command.period,
        until=moment_text(command.until),
    )
    source, target = accounts.stock(command.site), accounts.reserved(command.site, name)
    lines = []
    for lot, amount in pick_lines(
        book, command.lines, source, site=command.site, programme=command.programme, at=command.site
    ):
        book.move(lot, amount, source, target)
        lines.append({"lot": lot, "quantity": amount})
    claims, elsewhere = [], 0
    for number, entry in enumerate(command.claims, start=1):
        claim = (command.programme, command.period, entry.tag)
        left = left_of(book, claim)
        visits = None if most is None else most
        if left is None:
            left = opened(book, claim, entry.size)
        else:
            elsewhere += leased_to(book, claim) is not None
            visits = None if most is None else max(0, most - visits_of(book, claim))
        book.add(
            "lease_claims",
            lease=name,
            claim=number,
            programme=command.programme,
            period=command.period,
            tag=entry.tag,
        )
        claims.append({"claim": number, "left": left} | ({} if visits is None else {"visits": visits}))
    if elsewhere:
        if elsewhere == 1:
            raise ClaimError("1 household is with another desk; leave it out, or end that lease first.")
        raise ClaimError(
            "{number} households are with another desk; leave them out, or end that lease first.", number=elsewhere
        )
    return {"lease": name, "until": moment_text(command.until), "lines": lines, "claims": claims}


def end_lease(book: Book, command: c.EndLease) -> dict[str, Any]:
    """RESERVED → STOCK, all that is left; from now on every desk may serve its households."""
    site, _, _, _, until = lease_of(book, command.lease)
    ended = book.sql.one("SELECT how FROM lease_ends WHERE lease = ?", command.lease)
    source = accounts.reserved(site, command.lease)
    lines = held(book, source)
    # What a reversal of one of its hand-overs brings back later is fetched by ending it once more.
    if ended is not None and not lines:
        raise RefusedError("The lease {lease} has ended already.", lease=command.lease)
    if command.how == "expired" and until > moment_text(book.at):
        raise RefusedError(
            "The lease {lease} holds until {until}; only the desk that has it may end it before.",
            lease=command.lease,
            until=until,
        )
    for lot, amount in lines:
        book.move(lot, amount, source, accounts.stock(site))
    if ended is None:
        book.add("lease_ends", lease=command.lease, how=command.how)
    return {"lease": command.lease, "lines": [{"lot": lot, "quantity": amount} for lot, amount in lines]}


def hand_over_offline(book: Book, command: c.HandOverOffline) -> dict[str, Any]:
    """
    RESERVED → HANDED_OVER for what a cut-off desk has given.

    It has happened: where the lease's goods have gone back meanwhile they are taken from STOCK, and what the books no
    longer hold comes from VARIANCE. Whatever went beyond goods or household is a conflict.
    """
    site, _, programme, period, _ = lease_of(book, command.lease)
    flags = Flags(book)
    if command.claim is None:
        assert command.tag is not None
        tag = command.tag
        flags.add("unleased" if command.size is not None else "unknown-card")
    else:
        row = book.sql.one("SELECT tag FROM lease_claims WHERE lease = ? AND claim = ?", command.lease, command.claim)
        if row is None:
            raise unknown("household", str(command.claim), f"the list of the lease {command.lease} has no such number")
        tag = str(row[0])
    if moment_text(command.moment) != moment_text(book.at):
        flags.add("clock")
    if state_of(book, site) == "closed":
        flags.add("closed")
    claim = (programme, period, tag)
    left = left_of(book, claim)
    most = visits_allowed(book, programme)
    if left is None:
        left = opened(book, claim, command.size)
    elif most is not None and visits_of(book, claim) >= most:
        flags.add("visits")
    day = book.day_at(site)
    given = []
    for line in command.lots:
        item = item_of(book, line.lot)
        need_type(book, item, "goods")
        missing = line.quantity
        target = accounts.handed_over(site, programme, period)
        for source in (accounts.reserved(site, command.lease), accounts.stock(site)):
            if part := min(missing, max(0, book.balance(source, line.lot))):
                book.move(line.lot, part, source, target)
                missing -= part
        if missing:
            book.move(line.lot, missing, accounts.variance(site), target)
            flags.add("stock", item=item, lot=line.lot, quantity=missing)
        use_by, recalled = _ends(book, line.lot)
        if use_by is not None and use_by < day:
            flags.add("use-by", item=item, lot=line.lot, quantity=line.quantity)
        if recalled:
            flags.add("recalled", item=item, lot=line.lot, quantity=line.quantity)
        given.append((line.lot, item, line.quantity))
    for more in command.beyond:
        need_type(book, more.item, "goods")
        given.append(beyond_stock(book, flags, site, claim, more.item, more.quantity))
    answer = hand(book, claim, left, given, site=site, proof=command.proof, witness=command.witness, flags=flags)
    book.add("offline_handovers", handover=answer["handover"], lease=command.lease, claim=command.claim)
    # What is left to a household is no business of a desk that may have been lost.
    return {key: value for key, value in answer.items() if key != "left"}


def lease_of(book: Book, name: str) -> tuple[str, str, str, str, str]:
    """Site, desk, programme, period and end of a lease."""
    row = book.sql.one("SELECT site, desk, programme, period, until FROM leases WHERE lease = ?", name)
    if row is None:
        raise unknown("lease", name, "see `nearer aid leases`")
    return row[0], row[1], row[2], row[3], row[4]


def _check_time(book: Book, command: c.Lease) -> None:
    """A lease lies within one period, where the site is."""
    row = book.sql.one(
        "SELECT p.first_day, p.last_day, s.time_zone FROM periods p, sites s "
        "WHERE p.programme = ? AND p.period = ? AND s.site = ?",
        command.programme,
        command.period,
        command.site,
    )
    if row is None:
        raise unknown(
            "period", command.period, f"see the periods of {command.programme} with `nearer aid list periods`"
        )
    first, last, zone = row
    if command.until <= book.at:
        raise RefusedError("A lease ends later than it begins; {until} is past.", until=moment_text(command.until))
    if not first <= local_day(book.at, zone).isoformat() or not local_day(command.until, zone).isoformat() <= last:
        raise RefusedError(
            "A lease lies within its period, and {period} is from {first} to {last}; end it earlier.",
            period=command.period,
            first=first,
            last=last,
        )


def _ends(book: Book, lot: str) -> tuple[str | None, bool]:
    """Use-by day of a lot, and whether it is recalled."""
    row = book.sql.one("SELECT l.use_by, r.lot FROM lots l LEFT JOIN recalls r ON r.lot = l.lot WHERE l.lot = ?", lot)
    assert row is not None
    return row[0], row[1] is not None
