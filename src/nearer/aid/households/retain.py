"""
What is no longer needed goes: period keys, retired cards, households not seen, the access log, sign-ins.

It is deleted from the database, from SQLite's free pages and write-ahead log, and a key's file is overwritten before it
is removed. What a file system or a disk keeps of overwritten blocks, and copies that somebody made, are out of reach.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from nearer.aid import tables as ledger
from nearer.aid.clock import local_day, moment_text
from nearer.aid.households.store import Households
from nearer.aid.households.tables import (
    access_log,
    cards,
    household_needs,
    households,
    period_keys,
    retention,
    sign_ins,
)
from nearer.aid.refusals import BusyError
from nearer.aid.store import Store, trouble_of
from nearer.errors import UsageError

DISPUTES_DAYS = 30
"""How long after a period's end a hand-over in it can be disputed."""

UNSEEN_DAYS = 365
LOG_DAYS = 90
_LONGEST = 36_500


@dataclass(frozen=True)
class Gone:
    """How many of each were deleted."""

    keys: int
    cards: int
    households: int
    log_lines: int
    sign_ins: int

    def as_json(self) -> dict[str, int]:
        """Plain figures."""
        return asdict(self)


def retain(
    store: Store,
    people: Households,
    *,
    disputes_days: int = DISPUTES_DAYS,
    unseen_days: int = UNSEEN_DAYS,
    log_days: int = LOG_DAYS,
) -> Gone:
    """
    Delete what is no longer needed.

    Parameters
    ----------
    store, people
        The ledger, which knows when periods end, and the household database.
    disputes_days
        A period's key goes so many days after its last day.
    unseen_days
        A household goes, with its cards, when none of its cards was seen for so many days.
    log_days
        Lines of the access log and of sign-ins go when they are so many days old.

    Raises
    ------
    BusyError
        Others read the household database; the rows are deleted, but may still lie in its files. Run it again.
    UsageError
        A number of days is below zero, or of more than a century.
    """
    if not all(0 <= days <= _LONGEST for days in (disputes_days, unseen_days, log_days)):
        raise UsageError(f"A number of days is zero or more, and at most {_LONGEST}.")
    now = people.now()
    today = local_day(now, "UTC")
    ends = _ends_of_periods(store)
    gone_keys = _drop_keys(people, ends, today - timedelta(days=disputes_days))
    with people.writing() as connection:
        _say(connection, running=1)
        old = _retired(connection, ends, today)
        for card in old:
            connection.execute(cards.delete().where(cards.c.card == card))
        last_seen = households.c.seen_on < (today - timedelta(days=unseen_days)).isoformat()
        unseen = sa.select(households.c.household).where(last_seen)
        for table in (household_needs, cards):
            connection.execute(table.delete().where(table.c.household.in_(unseen)))
        many = connection.execute(households.delete().where(last_seen)).rowcount
        before = moment_text(now - timedelta(days=log_days))
        lines = connection.execute(access_log.delete().where(access_log.c.at < before)).rowcount
        entries = connection.execute(sign_ins.delete().where(sign_ins.c.at < before)).rowcount
        _say(connection, running=0)
    _clear_files(people)
    return Gone(gone_keys, len(old), many, lines, entries)


def _ends_of_periods(store: Store) -> dict[tuple[str, str], tuple[str, str]]:
    """First and last day of every period."""
    table = ledger.periods
    with store.reading() as connection:
        return {
            (row.programme, row.period): (row.first_day, row.last_day)
            for row in connection.execute(
                sa.select(table.c.programme, table.c.period, table.c.first_day, table.c.last_day)
            )
        }


def _over(last_day: str, day: date) -> bool:
    """Whether a period is over on a day everywhere on earth."""
    return date.fromisoformat(last_day) + timedelta(days=1) < day


def _drop_keys(people: Households, periods: dict[tuple[str, str], tuple[str, str]], day: date) -> int:
    """Delete the keys of periods that were over on a day; noted first, so that a killed job leaves none in use."""
    table = period_keys
    gone = 0
    for (programme, period), (_, last_day) in periods.items():
        if not _over(last_day, day):
            continue
        with people.writing() as connection:
            connection.execute(
                table.update()
                .where(table.c.programme == programme, table.c.period == period, table.c.gone_on.is_(None))
                .values(mark=None, gone_on=people.today())
            )
        if people.key_folder is not None:
            gone += people.key_folder.delete(programme, period)
    return gone


def _retired(connection: sa.Connection, periods: dict[tuple[str, str], tuple[str, str]], today: date) -> list[str]:
    """Cards that were replaced or blocked, once every period in which that happened is over."""
    rows = connection.execute(sa.select(cards.c.card, cards.c.since).where(cards.c.state != "active")).all()
    return [
        card
        for card, since in rows
        if not any(first <= since <= last and not _over(last, today) for first, last in periods.values())
        and since < today.isoformat()
    ]


def _say(connection: sa.Connection, *, running: int) -> None:
    connection.execute(retention.update().values(running=running))


def _clear_files(people: Households) -> None:
    """Write the database anew without what was deleted, and empty its write-ahead log."""
    late = BusyError("What was deleted may still lie in the database's files, for others read them; run it again.")
    try:
        with people.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if people.is_postgres:
                connection.exec_driver_sql("VACUUM FULL")
                return
            connection.exec_driver_sql("VACUUM")
            for _ in range(20):
                busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
                if not busy:
                    return
                time.sleep(0.1)
    except sa.exc.OperationalError as error:
        if trouble_of(error) != "busy":
            raise
        raise late from error
    raise late
