"""Makes and renews the tables of a household database, step by step (alembic)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

VERSIONS = "households_version"
"""Table that tells which form the tables have; not the ledger's, so that neither is taken for the other."""


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
    return MigrationContext.configure(connection, opts={"version_table": VERSIONS}).get_current_revision()


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
