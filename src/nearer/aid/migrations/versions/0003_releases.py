"""Tables that were published."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nearer.aid import triggers

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table and what guards it."""
    op.create_table(
        "releases",
        sa.Column("release", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("rows_by", TEXT, nullable=False),
        sa.Column("columns_by", TEXT, nullable=False),
        sa.Column("first_day", TEXT, nullable=False),
        sa.Column("last_day", TEXT, nullable=False),
        sa.Column("least", WHOLE, autoincrement=False, nullable=False),
        sa.Column("cells", TEXT, nullable=False),
        sa.CheckConstraint("rows_by IN ('site', 'programme')", name=op.f("ck_releases_rows_by_known")),
        sa.CheckConstraint("columns_by IN ('week', 'month')", name=op.f("ck_releases_columns_by_known")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_releases_days_in_order")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_releases_seq")),
        sa.PrimaryKeyConstraint("release", name=op.f("pk_releases")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_releases_seq"), "releases", ["seq"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        statements = triggers.postgres_statements(["releases"])[1:]  # the function is there
    else:
        statements = triggers.sqlite_statements(["releases"])
    for statement in statements:
        op.execute(sa.text(statement))
