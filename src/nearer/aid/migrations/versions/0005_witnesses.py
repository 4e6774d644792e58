"""Who stood beside a hand-over as its witness."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nearer.aid import triggers

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

JOURNAL = ("witnesses",)


def upgrade() -> None:
    """Make the table and what guards it."""
    op.create_table(
        "witnesses",
        sa.Column("handover", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("staff", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["handover"], ["handovers.handover"], name=op.f("fk_witnesses_handover")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_witnesses_seq")),
        sa.PrimaryKeyConstraint("handover", name=op.f("pk_witnesses")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_witnesses_seq"), "witnesses", ["seq"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        statements = triggers.postgres_statements(JOURNAL)[1:]  # the function is there since the first form
    else:
        statements = triggers.sqlite_statements(JOURNAL)
    for statement in statements:
        op.execute(sa.text(statement))
