"""Runs steps over the connection it is given, inside the transaction that is open there."""

from alembic import context

from nearer.aid.households.migrate import VERSIONS
from nearer.aid.households.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSIONS)
context.run_migrations()
