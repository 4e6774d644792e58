"""Renewing the tables of a database, step by step (alembic): the same for the ledger and for the household database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory


@dataclass(frozen=True)
class Steps:
    """
    The steps of one chain of forms that tables have had.

    Parameters
    ----------
    folder
        Where the steps lie.
    version_table
        Table of a database that tells which form its tables have.
    """

    folder: Path
    version_table: str = "alembic_version"

    @cache  # noqa: B019 - two of them, for as long as the program runs
    def newest(self) -> str:
        """The form of the tables that this release works with."""
        found = ScriptDirectory.from_config(self._config()).get_current_head()
        assert found is not None
        return found

    @cache  # noqa: B019
    def revisions(self) -> frozenset[str]:
        """Every form that this release can bring to its own."""
        return frozenset(step.revision for step in ScriptDirectory.from_config(self._config()).walk_revisions())

    def revision_of(self, connection: sa.Connection) -> str | None:
        """The form of the tables that a database has; None without any."""
        found = MigrationContext.configure(connection, opts={"version_table": self.version_table})
        return found.get_current_revision()

    def upgrade(self, engine: sa.Engine) -> None:
        """Bring a database's tables to the newest form, in one transaction."""
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            self.upgrade_to(connection, self.newest())
            connection.commit()

    def upgrade_to(self, connection: sa.Connection, form: str) -> None:
        """Bring a database's tables to a form, inside the open transaction."""
        config = self._config()
        config.attributes["connection"] = connection
        command.upgrade(config, form)

    def _config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(self.folder).replace("%", "%%"))
        return config
