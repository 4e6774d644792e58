"""Makes a ledger; and the forms that its tables have had."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from nearer.aid import clock
from nearer.aid.book import Book, header_of
from nearer.aid.canonical import GENESIS, canonical, sha256_hex
from nearer.aid.driver import Sql
from nearer.aid.steps import Steps
from nearer.errors import OutputError, UsageError

STEPS = Steps(Path(__file__).parent / "migrations")


def create(
    place: str, *, ledger: str | None = None, actor: str = "setup", now: clock.Clock = clock.now
) -> dict[str, str]:
    """
    Make an empty ledger and its first transaction.

    Parameters
    ----------
    place
        Path of a file that is not there, or ``postgresql://…`` of an empty database.
    ledger
        The ledger's own random number; a new one without.
    actor
        Staff code of who makes it.
    now
        What time it is.

    Returns
    -------
    dict
        ``ledger`` and ``hash`` of the first transaction.

    Raises
    ------
    UsageError
        There is one already.
    OutputError
        The file cannot be written.
    """
    from nearer.aid.store import url_of

    url = url_of(place)
    number = ledger or str(uuid.uuid4())
    if url.get_backend_name() == "postgresql":
        return _made(url, number, actor, now)
    file = Path(str(url.database))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_file() and not file.stat().st_size:
            raise UsageError(f"{file} is there already, and empty; delete it, or give another name.")
        if file.exists():
            raise UsageError(f"{file} is there already; give another name, or work with it as it is.")
        file.touch(exist_ok=False)  # what this run did not make it must not take away
    except OSError as error:
        raise OutputError(file, error.strerror or error) from error
    try:
        return _made(url, number, actor, now)
    except BaseException:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{file}{end}").unlink(missing_ok=True)
        raise


def _made(url: sa.URL, ledger: str, actor: str, now: clock.Clock) -> dict[str, str]:
    from nearer.aid.store import check_durable, engine_of, shown, trouble_of

    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            if STEPS.revision_of(connection) is not None:
                raise UsageError("There is a ledger already in this database; give an empty one.")
        check_durable(engine)
        STEPS.upgrade(engine)
        return _begin(engine, ledger, actor, now())
    except Exception as error:
        if trouble_of(error) == "full" or isinstance(error, sa.exc.OperationalError):
            raise OutputError(shown(url), str(getattr(error, "orig", error)).strip().splitlines()[0]) from error
        raise
    finally:
        engine.dispose()


def _begin(engine: sa.Engine, ledger: str, actor: str, moment: datetime) -> dict[str, str]:
    """The first transaction: it names the ledger, so that no two have the same chain."""
    pooled = engine.raw_connection()
    try:
        driver = pooled.driver_connection
        assert driver is not None
        sql = Sql(driver, engine.dialect.name == "postgresql")
        if engine.dialect.name == "sqlite":
            sql.run("BEGIN IMMEDIATE")
        sql.run("INSERT INTO head (one, seq, hash) VALUES (1, 0, ?)", GENESIS)
        book = Book(sql, 1, GENESIS, f"ledger-{ledger}", moment)
        header = header_of(
            id=f"ledger-{ledger}",
            kind="init",
            at=moment,
            recorded_at=moment,
            actor=actor,
            desk="desk",
            body_hash=sha256_hex(canonical(["init", {"ledger": ledger}])),
            reverses=None,
        )
        hashed = book.close(header, canonical({"ledger": ledger, "transaction": 1}))
        driver.commit()
    finally:
        pooled.close()
    return {"ledger": ledger, "hash": hashed}
