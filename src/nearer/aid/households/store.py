"""
Opens the household database and the key folder that goes with it.

SQLite: as the ledger's (``nearer.aid.store``), and what is deleted is overwritten (``secure_delete``). PostgreSQL: a
database of its own, READ COMMITTED; each change here is one statement or guarded by a key.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from nearer.aid import clock
from nearer.aid.households.keys import KeyFolder
from nearer.aid.households.migrate import STEPS
from nearer.aid.refusals import BusyError
from nearer.aid.store import WAIT_S, check_durable, engine_of, let_go, trouble_of, url_of
from nearer.errors import OutputError, UsageError

BUSY = "The household database is busy; try again."


def beside(ledger: str) -> tuple[str, Path | None]:
    """
    Where the household database and the keys of a ledger are, unless said otherwise.

    Returns
    -------
    place, folder
        ``aid.db`` → ``aid-households.db`` and ``aid-keys``; for PostgreSQL the database of the same name with
        ``_households``, and no folder.
    """
    url = url_of(ledger)
    if url.get_backend_name() == "postgresql":
        return url.set(database=f"{url.database}_households").render_as_string(hide_password=False), None
    file = Path(str(url.database))
    return str(file.with_name(f"{file.stem}-households.db")), file.with_name(f"{file.stem}-keys")


def is_beside(ledger: str) -> bool:
    """
    Whether there is a household database at the place that goes with a ledger.

    Raises
    ------
    UsageError
        It cannot be told: the server does not answer.
    """
    place, _ = beside(ledger)
    url = url_of(place)
    if url.get_backend_name() == "sqlite":
        return Path(str(url.database)).exists()
    engine = engine_of(url_of(ledger))
    try:
        with engine.connect() as connection:
            asked = sa.text("SELECT 1 FROM pg_database WHERE datname = :name")
            return connection.execute(asked, {"name": url.database}).first() is not None
    except sa.exc.OperationalError as error:
        raise UsageError(f"{_shown(url)} cannot be reached: {_first_line(error)}.") from error
    finally:
        engine.dispose()


def has_tables(place: str) -> bool:
    """
    Whether there is a household database already where one is to be made.

    Raises
    ------
    UsageError
        The place cannot be reached.
    """
    url = url_of(place)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return False
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            return STEPS.revision_of(connection) is not None
    except sa.exc.DatabaseError as error:
        raise UsageError(f"{_shown(url)} cannot be reached: {_first_line(error)}.") from error
    finally:
        engine.dispose()


class Households:
    """
    A household database with its keys.

    Parameters
    ----------
    place
        Path of an SQLite file, or ``postgresql://…``.
    keys
        Folder of the period keys; without one, nothing that needs a key can be done.
    make
        Make the tables where there are none yet.
    any_form
        Take one of an earlier release too, to copy it or bring it to this one's form.
    clock
        What time it is; tests give their own.

    Raises
    ------
    UsageError
        There is no household database there, it is of another form, or the database is the ledger's.
    OutputError
        The file cannot be written.
    """

    def __init__(
        self,
        place: str,
        keys: Path | None,
        *,
        make: bool = False,
        any_form: bool = False,
        clock: clock.Clock = clock.now,
        wait_s: float = WAIT_S,
    ) -> None:
        self.url = url_of(place)
        self.is_postgres = self.url.get_backend_name() == "postgresql"
        self.key_folder = None if keys is None else KeyFolder(keys)
        self._clock = clock
        self._wait_s = wait_s
        self._turn = threading.Lock()
        if not self.is_postgres and not make and not Path(str(self.url.database)).is_file():
            raise UsageError(f"There is no household database at {self.url.database}; `nearer aid enrol` makes it.")
        self.engine = _engine(self.url, wait_s)
        try:
            self._check(make, any_form)
        except BaseException:
            self.engine.dispose()
            raise

    def close(self) -> None:
        """Let go of the database."""
        let_go(self.engine)

    def __enter__(self) -> Households:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def now(self) -> datetime:
        """This moment."""
        return self._clock()

    def today(self) -> str:
        """This day in UTC, as text."""
        return clock.local_day(self._clock(), "UTC").isoformat()

    def keys(self) -> KeyFolder:
        """
        The folder of the keys.

        Raises
        ------
        UsageError
            None was named.
        """
        if self.key_folder is None:
            raise UsageError("Say where the period keys are: give --keys, or set NEARER_AID_KEYS.")
        return self.key_folder

    def _check(self, make: bool, any_form: bool) -> None:
        where = _shown(self.url)
        try:
            if not self.is_postgres and make:
                file = Path(str(self.url.database))
                file.parent.mkdir(parents=True, exist_ok=True)
                if not file.exists():
                    file.touch(mode=0o600)
            with self.engine.connect() as connection:
                if sa.inspect(connection).has_table("postings"):
                    raise UsageError(f"{where} is the ledger; households need a database of their own.")
                found = STEPS.revision_of(connection)
            if found is None and make:
                STEPS.upgrade(self.engine)
                found = STEPS.newest()
        except OSError as error:
            raise OutputError(where, error.strerror or error) from error
        except sa.exc.DatabaseError as error:
            said = "cannot be reached" if isinstance(error, sa.exc.OperationalError) else "is no household database"
            raise UsageError(f"{where} {said}: {_first_line(error)}.") from error
        if found is None:
            raise UsageError(f"There is no household database in {where}; `nearer aid enrol` makes it.")
        if found != STEPS.newest() and not (any_form and found in STEPS.revisions()):
            remedy = "bring it here with `nearer aid upgrade`" if found in STEPS.revisions() else "use a later release"
            raise UsageError(
                f"The household database in {where} has the form {found} and this release {STEPS.newest()}; {remedy}."
            )
        check_durable(self.engine)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A view of the database; what is read is logged by whoever reads."""
        with self._begun("BEGIN") as connection:
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """
        One transaction, committed at the end.

        Raises
        ------
        BusyError
            Others held the database for too long; nothing was written.
        OutputError
            The disk takes no more.
        """
        # Threads of one process queue here; SQLite would let them sleep and ask again, and some never get their turn.
        if not self.is_postgres and not self._turn.acquire(timeout=self._wait_s):
            raise BusyError(BUSY)
        try:
            with self._begun("BEGIN IMMEDIATE") as connection:
                yield connection
                connection.commit()
        finally:
            if not self.is_postgres:
                self._turn.release()

    @contextmanager
    def _begun(self, statement: str) -> Iterator[sa.Connection]:
        try:
            with self.engine.connect() as connection:
                if not self.is_postgres:
                    connection.exec_driver_sql(statement)
                yield connection
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            trouble = trouble_of(error)
            if trouble == "busy":
                raise BusyError(BUSY) from error
            if trouble == "full":
                raise OutputError(_shown(self.url), _first_line(error)) from error
            raise


def _engine(url: sa.URL, wait_s: float) -> sa.Engine:
    engine = engine_of(url, wait_s)
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="READ COMMITTED")

    @sa.event.listens_for(engine, "connect")
    def forget_well(driver: sqlite3.Connection, _: object) -> None:
        for pragma in ("secure_delete = ON", "temp_store = MEMORY"):
            driver.execute(f"PRAGMA {pragma}")

    return engine


def _shown(url: sa.URL) -> str:
    return url.render_as_string(hide_password=True) if "postgresql" in url.drivername else str(url.database)


def _first_line(error: sa.exc.DBAPIError | sqlite3.Error) -> str:
    said = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error)
    return (said.strip().splitlines() or [type(error).__name__])[0].rstrip(".")
