"""Makes and renews the tables of a ledger, step by step (alembic)."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from nearer.aid import clock
from nearer.aid.book import Book, header_of
from nearer.aid.canonical import GENESIS, canonical, sha256_hex
from nearer.aid.driver import Sql
from nearer.errors import OutputError, UsageError


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


@cache
def newest() -> str:
    """The form of the tables that this release works with."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None
    return found


def revision_of(connection: sa.Connection) -> str | None:
    """The form of the tables that a database has; None without any."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def revisions() -> frozenset[str]:
    """Every form that this release can bring to its own."""
    return frozenset(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())


def upgrade(engine: sa.Engine) -> None:
    """Bring a database's tables to the newest form, in one transaction."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        upgrade_to(connection, newest())
        connection.commit()


def upgrade_to(connection: sa.Connection, form: str) -> None:
    """Bring a database's tables to a form, inside the open transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, form)


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
    from nearer.aid.store import check_durable, engine_of, url_of

    url = url_of(place)
    is_file = url.get_backend_name() == "sqlite"
    if is_file:
        file = Path(str(url.database))
        if file.exists():
            raise UsageError(f"{file} is there already; give another name, or work with it as it is.")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(file, error.strerror or error) from error
    engine = engine_of(url)
    try:
        try:
            with engine.connect() as connection:
                if revision_of(connection) is not None:
                    raise UsageError("There is a ledger already in this database; give an empty one.")
            check_durable(engine)
            upgrade(engine)
        except sa.exc.OperationalError as error:
            where = url.render_as_string(hide_password=True) if not is_file else url.database
            raise OutputError(where, str(error.orig).strip().splitlines()[0]) from error
        moment = now()
        return _begin(engine, ledger or str(uuid.uuid4()), actor, moment)
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
