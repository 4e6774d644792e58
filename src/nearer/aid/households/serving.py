"""
A card at a desk: what its household may have now, and the hand-over.

Everything of the household is read first and apart; what reaches the ledger is a tag and a size, in one command.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from nearer.aid import commands as c
from nearer.aid.book import Book, Claim
from nearer.aid.canonical import GENESIS
from nearer.aid.clock import moment_of
from nearer.aid.desk.giving import entitled, leased_to, left_of, period_on, visits_allowed, visits_of
from nearer.aid.desk.lookup import need
from nearer.aid.households import staff
from nearer.aid.households.book import Household, household_of, log_read, tag_of
from nearer.aid.households.cards import card_hash
from nearer.aid.households.pins import check_pin
from nearer.aid.households.store import Households
from nearer.aid.refusals import RefusedError
from nearer.aid.store import Store, sql_of
from nearer.errors import UsageError

Check = Callable[[Households, str, str], str]
"""The role of who gives a code and a password, as ``staff.check``."""


@dataclass(frozen=True)
class Share:
    """
    What a household gets of an item in a period, in base units.

    Parameters
    ----------
    item, unit
        Of what, counted in what.
    entitled, drawn, left
        In the whole period; already; still.
    """

    item: str
    unit: str
    entitled: int
    drawn: int
    left: int


@dataclass(frozen=True)
class Look:
    """
    The answer to a card at a desk.

    Parameters
    ----------
    programme, period
        Under which.
    may
        Whether the household may have something now.
    why
        Why not; empty where it may.
    visits_left
        How often it may still come; None for any number.
    shares
        By item.
    needs, language
        For packing, and for speaking.
    has_pin
        Whether it can confirm by PIN.
    leased
        ``desk`` and ``until`` where another desk has it on its list; None where none has.
    """

    programme: str
    period: str
    may: bool
    why: str
    visits_left: int | None
    shares: tuple[Share, ...]
    needs: tuple[str, ...]
    language: str
    has_pin: bool
    leased: dict[str, str] | None = None


def look(
    store: Store, people: Households, token: str, *, site: str, programme: str, by: str, at: datetime | None = None
) -> Look:
    """
    What a card's household is entitled to, has drawn and has left. Nothing is written to the ledger.

    Parameters
    ----------
    token
        As scanned or typed.
    site, programme
        Where, and under which promise.
    by
        Who looks; it is logged.
    at
        When; now without.

    Raises
    ------
    RefusedError
        It is no card, it is unknown, replaced or blocked, or the programme has no period now.
    UsageError
        The period's key is not there.
    """
    household = _household(people, card_hash(token), by, "look")
    moment = at or people.now()
    with store.reading() as connection:
        period = _period(_to_read(connection, moment), site, programme)
    claim = (programme, period, tag_of(people, programme, period, household.number))
    with store.reading() as connection:
        book = _to_read(connection, moment)
        shares = _shares(book, claim, household.size)
        most = visits_allowed(book, programme)
        visits_left = None if most is None else max(0, most - visits_of(book, claim))
        leased = leased_to(book, claim)
    why = ""
    if leased is not None:
        why = f"its card is with the desk {leased[1]} until {leased[2]} (lease {leased[0]})"
    elif visits_left == 0:
        why = "it has come as often as it may"
    elif not shares:
        why = "it is entitled to nothing"
    elif all(share.left == 0 for share in shares):
        why = "it has had all of it"
    return Look(
        programme,
        period,
        not why,
        why,
        visits_left,
        shares,
        household.needs,
        household.language,
        household.has_pin,
        None if leased is None else {"desk": leased[1], "until": leased[2]},
    )


@dataclass(frozen=True)
class Claimant:
    """
    What the ledger is told of a card's household.

    Parameters
    ----------
    tag, size
        As the hand-over's command takes them.
    at
        The moment whose period the tag is of; the command is to have the same.
    """

    tag: str
    size: int
    at: datetime


def claimant(
    store: Store,
    people: Households,
    token: str,
    *,
    site: str,
    programme: str,
    by: str,
    id: str,
    proof: str = "tap",
    pin: str | None = None,
    witness: str | None = None,
    witness_password: str | None = None,
    at: datetime | None = None,
    check: Check = staff.check,
) -> Claimant:
    """
    The household of a card that is about to receive something, after it has confirmed.

    Parameters
    ----------
    token, site, programme, by, at
        As ``look``.
    id
        Of the hand-over to come; the same again, if its answer was lost, gives the same.
    proof
        How the receiver confirms: "tap" (the card again), "pin", or "witness", a second member of staff.
    pin, witness, witness_password
        What the proof needs; a password where there is staff.
    check
        What tells the role of a witness by code and password.

    Raises
    ------
    RefusedError, UsageError
        As ``look``; or the receiver's proof does not hold.
    """
    card = card_hash(token)
    household = _household(people, card, by, "hand-over")
    with store.reading() as connection:
        before = sql_of(connection).one("SELECT at FROM transactions WHERE id = ?", id)
        # The day decides the period and so the tag: both must be told of the same moment, also when asked again.
        moment = moment_of(before[0]) if before else at or people.now()
        period = _period(_to_read(connection, moment), site, programme)
    if before is None:
        _confirm(people, household, by, proof, pin, witness, witness_password, check)
        if witness is not None:
            with people.writing() as connection:
                log_read(connection, people, witness, "witness", card)
    return Claimant(tag_of(people, programme, period, household.number), household.size, moment)


def hand_over(
    store: Store,
    people: Households,
    token: str,
    lines: Sequence[c.Wanted],
    *,
    site: str,
    programme: str,
    by: str,
    id: str,
    desk: str = "desk",
    proof: Literal["tap", "pin", "witness"] = "tap",
    pin: str | None = None,
    witness: str | None = None,
    witness_password: str | None = None,
    reservation: str | None = None,
    at: datetime | None = None,
    check: Check = staff.check,
) -> dict[str, Any]:
    """
    Hand goods to a card's household, within what it has left.

    Parameters
    ----------
    lines
        How much of which items.
    others
        As ``claimant`` and ``Store.do``.

    Returns
    -------
    dict
        The ledger's answer; that of the first time where the id has been here before.

    Raises
    ------
    RefusedError, UsageError
        As ``claimant`` and ``Store.do``.
    """
    who = claimant(
        store,
        people,
        token,
        site=site,
        programme=programme,
        by=by,
        id=id,
        proof=proof,
        pin=pin,
        witness=witness,
        witness_password=witness_password,
        at=at,
        check=check,
    )
    command = c.HandOver(
        site=site,
        programme=programme,
        tag=who.tag,
        size=who.size,
        lines=tuple(lines),
        proof=proof,
        witness=witness,
        reservation=reservation,
    )
    return store.do(command, id=id, actor=by, desk=desk, at=who.at)


def _household(people: Households, card: str, by: str, act: str) -> Household:
    found = household_of(people, card, by=by, act=act)
    if found is None:
        raise RefusedError("No household has this card; enrol it, or ask for another.")
    return found


def _confirm(
    people: Households,
    household: Household,
    by: str,
    proof: str,
    pin: str | None,
    witness: str | None,
    witness_password: str | None,
    check: Check,
) -> None:
    if (pin is not None) != (proof == "pin") or (witness is not None) != (proof == "witness"):
        raise UsageError("A PIN goes with the proof pin, a witness with the proof witness, and neither with tap.")
    if pin is not None:
        check_pin(people, household.number, pin)
    if witness is not None:
        confirm_witness(people, witness, witness_password or "", by=by, check=check)


def confirm_pin(people: Households, token: str, pin: str, *, by: str) -> None:
    """
    Have a card's household confirm by PIN, apart from a hand-over.

    Raises
    ------
    RefusedError
        It is no good card, or the PIN is not its household's.
    """
    check_pin(people, _household(people, card_hash(token), by, "hand-over").number, pin)


def confirm_witness(people: Households, witness: str, password: str, *, by: str, check: Check = staff.check) -> None:
    """
    See that somebody may stand beside what another hands over; without staff two codes are enough.

    Raises
    ------
    RefusedError
        It is the same person, the password is wrong, or the role may not.
    """
    if witness == by:
        raise RefusedError("The witness is somebody else than who hands over.")
    if staff.any_staff(people):
        staff.need(check(people, witness, password), "witness")


def _to_read(connection: sa.Connection, moment: datetime) -> Book:
    """A book that is read at a moment and never closed."""
    return Book(sql_of(connection), 0, GENESIS, "", moment)


def _period(book: Book, site: str, programme: str) -> str:
    need(book, "programme", programme)
    return period_on(book, programme, book.day_at(site))


def _shares(book: Book, claim: Claim, size: int) -> tuple[Share, ...]:
    """By item; as granted where the account is open, and as the rules are where it is not."""
    programme, period, _ = claim
    left = left_of(book, claim)
    if left is None:
        granted = left = entitled(book, programme, period, size)
    else:
        rows = book.sql.all(
            "SELECT item, quantity FROM grants WHERE programme = ? AND period = ? AND tag = ? ORDER BY item", *claim
        )
        granted = {str(item): int(quantity) for item, quantity in rows}
    units = {str(item): str(unit) for item, unit in book.sql.all("SELECT item, unit FROM items")}
    return tuple(Share(item, units[item], amount, amount - left[item], left[item]) for item, amount in granted.items())
