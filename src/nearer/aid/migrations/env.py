"""Runs steps over the connection it is given, inside the transaction that is open there."""

from alembic import context

from nearer.aid.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
