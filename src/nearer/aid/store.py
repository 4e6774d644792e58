"""
Opens a ledger, runs commands in it one after the other, and reads from it.

SQLite: write-ahead log, ``synchronous = FULL``, ``BEGIN IMMEDIATE``, foreign keys. PostgreSQL: SERIALIZABLE, and the
first statement locks the table of the chain's head: since every commit extends the chain, writers queue there before
they have a snapshot, and none of them fails for having read something old. Both: a bounded number of tries with jitter,
then a refusal that tells to send the same id again.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from nearer.aid import clock
from nearer.aid.book import Book, header_of
from nearer.aid.canonical import canonical, sha256_hex
from nearer.aid.commands import Command
from nearer.aid.desk import Handler, handler_of
from nearer.aid.driver import Sql
from nearer.aid.refusals import BusyError, IdTakenError, RefusedError
from nearer.errors import OutputError, UsageError

if TYPE_CHECKING:
    import psycopg

WAIT_S = 10.0
"""How long one try waits for the ledger."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing in a ledger happened before."""

AHEAD = timedelta(days=1)
"""How far a desk's clock may be ahead of the ledger's."""

TRIES = 6
"""How often a command is tried before it is refused as busy."""

MOST_AT_ONCE = 40
"""Connections of one process: as many as a server has threads."""

BUSY = "The ledger is busy; send the same command again with the same id: it counts once."

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_STAFF = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def url_of(place: str) -> sa.URL:
    """
    The database that a text names: a PostgreSQL address, or the path of an SQLite file.

    Raises
    ------
    UsageError
        The address is of another kind of database or cannot be read.
    """
    if "://" not in place:
        if Path(place).is_dir():
            raise UsageError(f"{place} is a folder; give a file in it, such as {Path(place) / 'aid.db'}.")
        return sa.URL.create("sqlite", database=str(Path(place)))
    try:
        url = sa.make_url(place)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UsageError(
            f"{place} is no address of a ledger; give a file, or postgresql://user@host/database."
        ) from error
    kind = url.get_backend_name()
    if kind == "sqlite":
        return url.set(drivername="sqlite")
    if kind != "postgresql":
        raise UsageError(f"A ledger lies in SQLite or PostgreSQL, not in {kind}; give a file, or postgresql://….")
    return url.set(drivername="postgresql+psycopg")


class Store:
    """
    A ledger.

    Parameters
    ----------
    place
        Path of an SQLite file, or ``postgresql://…``.
    clock
        What time it is; tests give their own.
    tries, wait_s
        How often and how long a command waits for others.

    Raises
    ------
    UsageError
        There is no ledger there, or the database would lose what it acknowledged.
    """

    def __init__(
        self, place: str, *, clock: clock.Clock = clock.now, tries: int = TRIES, wait_s: float = WAIT_S
    ) -> None:
        self.url = url_of(place)
        self.is_postgres = self.url.get_backend_name() == "postgresql"
        self.engine = engine_of(self.url, wait_s)
        self._clock = clock
        self._tries = tries
        self._known_accounts: set[str] = set()
        self._jitter = random.Random()
        self._wait_s = wait_s
        self._turn = threading.Lock()
        self._writer: sa.PoolProxiedConnection | None = None
        try:
            self._check()
        except BaseException:
            self.engine.dispose()
            raise

    def close(self) -> None:
        """Let go of the database."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        let_go(self.engine)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        """Refuse a database that is no ledger of this release, or that does not keep what it was told."""
        from nearer.aid.migrate import STEPS

        if not self.is_postgres and not Path(str(self.url.database)).is_file():
            raise UsageError(f"There is no ledger at {self.url.database}; make one with `nearer aid init`.")
        try:
            with self.engine.connect() as connection:
                found = STEPS.revision_of(connection)
        except sa.exc.OperationalError as error:
            raise UsageError(f"{self._shown()} cannot be reached: {_first_line(error)}.") from error
        except sa.exc.DatabaseError as error:
            raise UsageError(f"{self._shown()} is no ledger: {_first_line(error)}.") from error
        if found is None:
            raise UsageError(f"There is no ledger in {self._shown()}; make one with `nearer aid init`.")
        if found != STEPS.newest():
            raise UsageError(
                f"The ledger in {self._shown()} has the form {found} and this release {STEPS.newest()}; "
                "back it up and run `nearer aid upgrade`."
            )
        check_durable(self.engine)

    def now(self) -> datetime:
        """What time it is here."""
        return self._clock()

    def _shown(self) -> str:
        return shown(self.url)

    def do(
        self, command: Command, *, id: str, actor: str, desk: str = "desk", at: datetime | None = None
    ) -> dict[str, Any]:
        """
        Carry out a command once.

        Parameters
        ----------
        command
            What is asked for.
        id
            Made by whoever asks, kept until the answer has come, and sent again with the same command if it has not.
        actor, desk
            Who asks, as a staff code, and at which desk.
        at
            When it happened; now without one.

        Returns
        -------
        dict
            The answer; that of the first time where the id has been here before.

        Raises
        ------
        RefusedError
            The rules forbid it, the id stands for another command, or the ledger is too busy. Nothing was written.
        """
        _must_match(_ID, id, "The id of a command has 8 to 64 letters, digits, dots, dashes or underscores")
        _must_match(_STAFF, actor, "A staff code has small letters, digits and dashes")
        _must_match(_STAFF, desk, "A desk's code has small letters, digits and dashes")
        if at is not None and at.tzinfo is None:
            raise UsageError("A moment needs its time zone, as 2026-03-02T09:30+01:00.")
        handler = handler_of(command)
        body_hash = sha256_hex(canonical([command.kind, command.body()]))

        def write(sql: Sql) -> tuple[dict[str, Any], set[str]]:
            return self._write(sql, command, handler, body_hash, id, actor, desk, at)

        answer, accounts = self._retried(write)
        if len(self._known_accounts) > 20_000:
            self._known_accounts.clear()
        self._known_accounts |= accounts
        return answer

    def _write(
        self,
        sql: Sql,
        command: Command,
        handler: Handler,
        body_hash: str,
        id: str,
        actor: str,
        desk: str,
        at: datetime | None,
    ) -> tuple[dict[str, Any], set[str]]:
        before = sql.one("SELECT kind, body_hash, answer FROM transactions WHERE id = ?", id)
        if before is not None:
            if before[1] != body_hash:
                raise IdTakenError(
                    "The id {id} already stands for another command ({kind}); make a new id for a new command.",
                    id=id,
                    kind=before[0],
                )
            known: dict[str, Any] = json.loads(before[2])
            return known, set()
        top = sql.one("SELECT seq, hash FROM head WHERE one = 1")
        if top is None:
            raise RefusedError("The ledger has no head; see `nearer aid audit`.")
        recorded_at = self._clock()
        if at is not None and not EARLIEST <= at <= recorded_at + AHEAD:
            raise UsageError(
                f"{clock.moment_text(at)} cannot be when this happened: it is {clock.moment_text(recorded_at)} now; "
                "look at the clock."
            )
        book = Book(sql, int(top[0]) + 1, top[1], id, at or recorded_at, self._known_accounts, recorded_at)
        answer = handler(book, command)
        header = header_of(
            id=id,
            kind=command.kind,
            at=book.at,
            recorded_at=recorded_at,
            actor=actor,
            desk=desk,
            body_hash=body_hash,
            reverses=book.reverses,
        )
        told = canonical({"transaction": book.seq, **answer})
        book.close(header, told)
        again: dict[str, Any] = json.loads(told)  # as whoever asks again will read it
        return again, book.new_accounts

    def _retried(self, write: Callable[[Sql], tuple[dict[str, Any], set[str]]]) -> tuple[dict[str, Any], set[str]]:
        for attempt in range(self._tries):
            try:
                with self._writing() as sql:
                    return write(sql)
            except Exception as error:
                trouble = trouble_of(error)
                if trouble == "full":
                    raise OutputError(self._shown(), _first_line(error)) from error
                if trouble != "busy":
                    raise
                # Half as long to twice as long, so that those who met do not meet again.
                time.sleep(min(0.5, 0.005 * 2**attempt) * self._jitter.uniform(0.5, 2.0))
        raise BusyError(BUSY)

    @contextmanager
    def _writing(self) -> Iterator[Sql]:
        """An open transaction that holds the chain's head; committed at the end, rolled back if anything goes wrong."""
        # Threads of one process queue here; SQLite would let them sleep and ask again.
        if not self.is_postgres and not self._turn.acquire(timeout=self._wait_s):
            raise BusyError(BUSY)
        try:
            with self._connected() as sql:
                yield sql
        finally:
            if not self.is_postgres:
                self._turn.release()

    @contextmanager
    def _connected(self) -> Iterator[Sql]:
        # One writer at a time on SQLite: it keeps its connection.
        pooled, self._writer = self._writer or self.engine.raw_connection(), None
        keep = False
        try:
            driver = pooled.driver_connection
            assert driver is not None
            sql = Sql(driver, self.is_postgres)
            if self.is_postgres:
                sql.run("LOCK TABLE head IN EXCLUSIVE MODE")  # takes no snapshot: the next statement does
            else:
                sql.run("BEGIN IMMEDIATE")
            yield sql
            driver.commit()
            keep = not self.is_postgres
        except BaseException as error:
            if trouble_of(error) == "busy":
                pooled.invalidate()
            else:
                pooled.rollback()
            raise
        finally:
            if keep:
                self._writer = pooled
            else:
                pooled.close()

    def ledger(self, connection: sa.Connection) -> str:
        """The ledger's own random number, from its first transaction."""
        row = connection.exec_driver_sql("SELECT answer FROM transactions WHERE seq = 1").first()
        return str(json.loads(row[0])["ledger"]) if row else ""

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """One unchanging view of the ledger; writers go on meanwhile."""
        return reading_of(self.engine)


@contextmanager
def reading_of(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One unchanging view of a database; writers go on meanwhile."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        else:
            connection.exec_driver_sql("BEGIN")
        try:
            yield connection
        finally:
            connection.rollback()


def shown(url: sa.URL) -> str:
    """How a ledger's place is called in a sentence."""
    is_postgres = url.get_backend_name() == "postgresql"
    return url.render_as_string(hide_password=True) if is_postgres else str(url.database)


def sql_of(connection: sa.Connection) -> Sql:
    """The driver's connection under an open transaction, for long reads."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return Sql(driver, connection.dialect.name == "postgresql")


def engine_of(url: sa.URL, wait_s: float = WAIT_S) -> sa.Engine:
    """An engine whose connections keep what they commit, and wait ``wait_s`` for others."""
    wait_ms = round(wait_s * 1000)
    if url.get_backend_name() == "postgresql":
        engine = sa.create_engine(
            url,
            hide_parameters=True,  # tags and cards are in no error message
            isolation_level="SERIALIZABLE",
            max_overflow=MOST_AT_ONCE - 5,
            pool_timeout=wait_s,
            connect_args={"connect_timeout": max(2, round(wait_s))},
        )

        @sa.event.listens_for(engine, "connect")
        def bound_waiting(driver: psycopg.Connection, _: object) -> None:
            driver.execute(f"SET lock_timeout = {wait_ms}")
            driver.commit()

        return engine
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        poolclass=QueuePool,
        max_overflow=MOST_AT_ONCE - 5,
        pool_timeout=wait_s,
        pool_reset_on_return=None,  # whoever takes a connection ends what was begun
        connect_args={"timeout": wait_s, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(driver: sqlite3.Connection, _: object) -> None:
        driver.isolation_level = None  # we say where transactions begin
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
            driver.execute(f"PRAGMA {pragma}")

    return engine


def let_go(engine: sa.Engine) -> None:
    """Close all connections; one that is still at work, as for an answer nobody waits for, once it comes back."""
    sa.event.listen(engine, "checkin", lambda driver, _: None if driver is None else driver.close())
    engine.dispose()


def check_durable(engine: sa.Engine) -> None:
    """
    Refuse a database whose commits are not on disk when they return.

    Raises
    ------
    UsageError
        Names the setting.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                value = connection.exec_driver_sql(f"SHOW {setting}").scalar()
                if value == "off":
                    raise UsageError(f"PostgreSQL runs with {setting} = {value} and would lose hand-overs; turn it on.")
            return
        for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            value = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            if value != wanted:
                raise UsageError(
                    f"SQLite runs with {pragma} = {value} instead of {wanted} here and would lose hand-overs; "
                    "put the ledger on a local disk."
                )


def trouble_of(error: BaseException) -> str | None:
    """``busy`` where the same command may be tried again, ``full`` where the disk takes no more, None otherwise."""
    cause: BaseException = error
    if isinstance(error, sa.exc.TimeoutError):  # all connections are in use
        return "busy"
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return "busy"
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
            return "full"
        return None
    state = getattr(cause, "sqlstate", None)
    if not type(cause).__module__.startswith("psycopg"):
        return None
    if state is None:
        # The connection broke: whether the commit was done is not known, and the id finds it out.
        return "busy" if type(cause).__name__ in ("OperationalError", "InterfaceError") else None
    if state in ("40001", "40P01", "55P03", "53300") or state.startswith(("08", "57P")):
        return "busy"
    return "full" if state in ("53100", "25006") else None


def _must_match(pattern: re.Pattern[str], value: str, sentence: str) -> None:
    if not pattern.fullmatch(value):
        raise UsageError(f"{sentence}, not {value!r}.")


def _first_line(error: BaseException) -> str:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(cause).__name__
