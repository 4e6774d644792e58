"""Households and their cards: enrolled, read (and logged), replaced, blocked; and their tags in a period."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from nearer.aid.clock import moment_text
from nearer.aid.commands import CODE
from nearer.aid.households.cards import card_hash, new_number, new_token, number_of
from nearer.aid.households.store import Households
from nearer.aid.households.tables import NEEDS, access_log, cards, household_needs, households, period_keys
from nearer.aid.refusals import RefusedError, UnknownError
from nearer.errors import UsageError

LANGUAGE = r"[a-z]{2,3}"


@dataclass(frozen=True)
class Household:
    """
    What is known of a household.

    Parameters
    ----------
    number
        Random; by it a lost card is replaced.
    size
        People in it.
    home
        The centre it goes to.
    language
        What it is spoken to in, as "pt".
    needs
        Of ``NEEDS``, in order.
    has_pin
        Whether it may confirm by PIN.
    """

    number: str
    size: int
    home: str
    language: str
    needs: tuple[str, ...]
    has_pin: bool


@dataclass(frozen=True)
class Entitled:
    """
    An active card in a programme's period.

    Parameters
    ----------
    card
        Its hash.
    tag
        Of its household in this period.
    size, home, needs
        As of its household.
    """

    card: str
    tag: str
    size: int
    home: str
    needs: tuple[str, ...]


def enrol(
    book: Households,
    *,
    size: int,
    home: str,
    language: str,
    needs: Iterable[str] = (),
    pin_hash: str | None = None,
    token: str | None = None,
    number: str | None = None,
    by: str,
) -> tuple[Household, str]:
    """
    A new household with its card.

    Parameters
    ----------
    size, home, language, needs, pin_hash
        What is kept; the home centre is a code of the ledger's, which is for the caller to look up.
    token
        A card printed before; a new one without.
    number
        The household's, as ``cards.new_number`` makes them; a new one without.
    by
        Who does it.

    Returns
    -------
    household, token
        The token is nowhere else: it is to be printed now.

    Raises
    ------
    RefusedError
        The card is in use.
    UsageError
        A value is not what it must be.
    """
    _check_values(size=size, home=home, language=language, needs=needs)
    token = token or new_token()
    card = card_hash(token)
    number = number or new_number()
    today = book.today()
    with book.writing() as connection:
        connection.execute(
            households.insert().values(
                household=number,
                size=size,
                home=home,
                language=language,
                enrolled_on=today,
                seen_on=today,
                pin_hash=pin_hash,
                wrong_pins=0,
            )
        )
        _set_needs(connection, number, needs)
        _give(connection, book, number, card)
        log_read(connection, book, by, "enrol", card)
        found = _household(connection, number)
    assert found is not None
    return found, token


def household_of(book: Households, card: str, *, by: str, act: str = "look") -> Household | None:
    """
    The household of an active card; None where no card has that hash. The reading is logged.

    Parameters
    ----------
    card
        Its hash (``cards.card_hash``).
    by, act
        Who reads, and why.

    Raises
    ------
    RefusedError
        The card was replaced or blocked.
    """
    with book.writing() as connection:
        log_read(connection, book, by, act, card)
        row = connection.execute(sa.select(cards).where(cards.c.card == card)).mappings().first()
        if row is not None and row["state"] == "active":
            connection.execute(
                households.update()
                .where(households.c.household == row["household"], households.c.seen_on < book.today())
                .values(seen_on=book.today())
            )
        found = None if row is None else _household(connection, row["household"])
    # Only now, so that the reading stands in the log.
    if row is not None and row["state"] != "active":
        raise RefusedError(
            "This card was {state} on {since}; it is good for nothing.", state=row["state"], since=row["since"]
        )
    return found


def household_by(book: Households, card_or_number: str, *, by: str, act: str) -> Household:
    """
    The household of a card or of a household's number, whatever the card's state. The reading is logged.

    Raises
    ------
    RefusedError
        There is none.
    """
    number = number_of(card_or_number)
    card = None if number is not None else card_hash(card_or_number)
    with book.writing() as connection:
        if number is None:
            number = connection.execute(sa.select(cards.c.household).where(cards.c.card == card)).scalar()
        found = None if number is None else _household(connection, number)
        log_read(connection, book, by, act, card or (None if found is None else _active_card(connection, found.number)))
    if found is None:
        raise UnknownError("No household has this card or number; it may have been deleted, or enrol it.")
    return found


def cards_of(book: Households, household: str) -> list[dict[str, str]]:
    """State and day of each card of a household, newest first; without hashes."""
    asked = sa.select(cards.c.state, cards.c.since).where(cards.c.household == household)
    with book.reading() as connection:
        return [dict(row) for row in connection.execute(asked.order_by(cards.c.since.desc())).mappings()]


def is_known(book: Households, household: str) -> bool:
    """Whether there is a household with that number."""
    with book.reading() as connection:
        asked = sa.select(households.c.household).where(households.c.household == household)
        return connection.execute(asked).first() is not None


def has_card(book: Households, household: str, card: str) -> bool:
    """Whether a card (by its hash) is a household's, and good."""
    asked = sa.select(cards.c.state).where(cards.c.household == household, cards.c.card == card)
    with book.reading() as connection:
        return connection.execute(asked).scalar() == "active"


def replace_card(book: Households, household: str, *, token: str | None = None, by: str) -> str:
    """
    A new card for a household; those it had are good for nothing from now on. The new token.

    Raises
    ------
    RefusedError
        The card given is in use.
    """
    token = token or new_token()
    card = card_hash(token)
    with book.writing() as connection:
        connection.execute(
            cards.update()
            .where(cards.c.household == household, cards.c.state == "active")
            .values(state="replaced", since=book.today())
        )
        _give(connection, book, household, card)
        log_read(connection, book, by, "replace", card)
    return token


def block_cards(book: Households, household: str, *, by: str) -> int:
    """Make a household's cards good for nothing; how many there were."""
    with book.writing() as connection:
        log_read(connection, book, by, "block", _active_card(connection, household))
        return connection.execute(
            cards.update()
            .where(cards.c.household == household, cards.c.state == "active")
            .values(state="blocked", since=book.today())
        ).rowcount


def change(
    book: Households,
    household: str,
    *,
    size: int | None = None,
    home: str | None = None,
    language: str | None = None,
    needs: Iterable[str] | None = None,
    pin_hash: str | None = None,
    by: str,
) -> Household:
    """
    Change what is kept of a household; what is None stays. What it was granted in an open period stays too.

    Raises
    ------
    UsageError
        A value is not what it must be.
    """
    _check_values(size=size, home=home, language=language, needs=needs or ())
    given = {"size": size, "home": home, "language": language, "pin_hash": pin_hash}
    values: dict[str, int | str] = {name: value for name, value in given.items() if value is not None}
    if pin_hash is not None:
        values["wrong_pins"] = 0
    with book.writing() as connection:
        if values:
            connection.execute(households.update().where(households.c.household == household).values(values))
        if needs is not None:
            connection.execute(household_needs.delete().where(household_needs.c.household == household))
            _set_needs(connection, household, needs)
        log_read(connection, book, by, "change", _active_card(connection, household))
        found = _household(connection, household)
    if found is None:
        raise RefusedError("This household was deleted meanwhile; enrol it.")
    return found


def period_key(book: Households, programme: str, period: str) -> bytes:
    """
    The key of a programme's period, made at its first use.

    Raises
    ------
    RefusedError
        The period's key was deleted by the retention job.
    UsageError
        The key that was made is not in the folder: with another one, everybody could claim a second time.
    """
    keys = book.keys()
    asked = sa.select(period_keys.c.mark, period_keys.c.gone_on).where(
        period_keys.c.programme == programme, period_keys.c.period == period
    )
    with book.reading() as connection:
        known = connection.execute(asked).first()
    if known is None:
        key = keys.make(programme, period)
        with book.writing() as connection:
            _insert_if_new(
                connection,
                period_keys,
                {"programme": programme, "period": period, "made_on": book.today(), "mark": _mark(key)},
            )
            known = connection.execute(asked).first()
        assert known is not None
    if known.gone_on is not None:
        raise RefusedError(
            "The key of {programme}, {period} was deleted on {gone_on}; this period is over.",
            programme=programme,
            period=period,
            gone_on=known.gone_on,
        )
    found = keys.read(programme, period)
    if found is None or not hmac.compare_digest(_mark(found), known.mark):
        raise UsageError(
            f"The key of {programme}, {period} is not in {keys.folder}; put back the folder as it was. "
            "With a new key every household could claim a second time."
        )
    return found


def tag_of(book: Households, programme: str, period: str, household: str) -> str:
    """
    The tag under which the ledger keeps a household's claim in a period: HMAC-SHA256(period key, household's number).

    Raises
    ------
    RefusedError, UsageError
        As ``period_key``.
    """
    return tag_with(period_key(book, programme, period), household)


def tag_with(key: bytes, household: str) -> str:
    """The tag under a key that is at hand."""
    return hmac.new(key, household.encode("ascii"), hashlib.sha256).hexdigest()


def entitled(book: Households, programme: str, period: str, *, by: str, home: str | None = None) -> list[Entitled]:
    """
    All active cards with their households' tags in a period, in the order of their hashes; logged as one reading.

    Parameters
    ----------
    by
        Who reads.
    home
        Only households of this centre.

    Raises
    ------
    RefusedError, UsageError
        As ``period_key``.
    """
    key = period_key(book, programme, period)
    with book.writing() as connection:
        log_read(connection, book, by, "list", None)
    asked = (
        sa.select(cards.c.card, households.c.household, households.c.size, households.c.home)
        .join(households, households.c.household == cards.c.household)
        .where(cards.c.state == "active")
        .order_by(cards.c.card)
    )
    if home is not None:
        asked = asked.where(households.c.home == home)
    with book.reading() as connection:
        needs: dict[str, list[str]] = {}
        for household, need in connection.execute(sa.select(household_needs)):
            needs.setdefault(household, []).append(need)
        rows = connection.execute(asked).all()
    return [
        Entitled(card, tag_with(key, household), int(size), where, tuple(sorted(needs.get(household, ()))))
        for card, household, size, where in rows
    ]


def log_read(connection: sa.Connection, book: Households, by: str, act: str, card: str | None) -> None:
    """Note who read a household, when and why, by the hash of its card."""
    connection.execute(access_log.insert().values(at=moment_text(book.now()), staff=by, act=act, card=card))


def reads_of(book: Households) -> list[dict[str, str | None]]:
    """The access log, in order: at, staff, act, card (its hash)."""
    asked = sa.select(access_log.c.at, access_log.c.staff, access_log.c.act, access_log.c.card)
    with book.reading() as connection:
        return [dict(row) for row in connection.execute(asked.order_by(access_log.c.line)).mappings()]


def newest_reads(book: Households, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Lines of the access log before one, the newest first: line, at, staff, act, card."""
    asked = sa.select(access_log).order_by(access_log.c.line.desc()).limit(limit)
    if before is not None:
        asked = asked.where(access_log.c.line < before)
    with book.reading() as connection:
        return [dict(row) for row in connection.execute(asked).mappings()]


def _mark(key: bytes) -> str:
    """By this a key is known again; it tells nothing of it."""
    return hashlib.sha256(b"nearer period key\n" + key).hexdigest()


def _household(connection: sa.Connection, number: str) -> Household | None:
    row = connection.execute(sa.select(households).where(households.c.household == number)).mappings().first()
    if row is None:
        return None
    needs = connection.execute(
        sa.select(household_needs.c.need).where(household_needs.c.household == number).order_by(household_needs.c.need)
    ).scalars()
    return Household(number, int(row["size"]), row["home"], row["language"], tuple(needs), row["pin_hash"] is not None)


def _active_card(connection: sa.Connection, household: str) -> str | None:
    return connection.execute(
        sa.select(cards.c.card).where(cards.c.household == household, cards.c.state == "active")
    ).scalar()


def _give(connection: sa.Connection, book: Households, household: str, card: str) -> None:
    """Make a card a household's."""
    row: dict[str, str] = {"card": card, "household": household, "state": "active", "since": book.today()}
    if not _insert_if_new(connection, cards, row):
        raise RefusedError("This card belongs to a household already; take another.")


def _insert_if_new(connection: sa.Connection, table: sa.Table, row: dict[str, str]) -> bool:
    """Insert a row unless there is one with its key, also if somebody else inserts it at this moment."""
    marks = ", ".join(f":{name}" for name in row)
    statement = f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({marks}) ON CONFLICT DO NOTHING"
    return connection.execute(sa.text(statement), row).rowcount == 1


def _set_needs(connection: sa.Connection, household: str, needs: Iterable[str]) -> None:
    for need in dict.fromkeys(needs):
        connection.execute(household_needs.insert().values(household=household, need=need))


def _check_values(*, size: int | None, home: str | None, language: str | None, needs: Iterable[str]) -> None:
    if size is not None and not 1 <= size <= 100:
        raise UsageError("A household has 1 to 100 people.")
    if home is not None and re.fullmatch(CODE, home) is None:
        raise UsageError("A home centre is a code: small letters, digits, dashes.")
    if language is not None and re.fullmatch(LANGUAGE, language) is None:
        raise UsageError("A language is two or three small letters, such as pt.")
    if unknown := [need for need in needs if need not in NEEDS]:
        raise UsageError(f"{len(unknown)} of the needs given is not known; there are {', '.join(NEEDS)}.")
