"""Who signed in, was refused, signed out."""

import sqlalchemy as sa
from alembic import op

from nearer.aid.households import triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sign_ins",
        sa.Column("line", WHOLE, autoincrement=True, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("staff", TEXT, nullable=True),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("way", TEXT, nullable=False),
        sa.Column("network", TEXT, nullable=False),
        sa.CheckConstraint("outcome IN ('in', 'refused', 'waits', 'out')", name=op.f("ck_sign_ins_outcome_known")),
        sa.CheckConstraint("way IN ('password', 'witness', 'terminal', 'oidc')", name=op.f("ck_sign_ins_way_known")),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_sign_ins")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_sign_ins_at"), "sign_ins", ["at"], unique=False)
    guarded = ("sign_ins",), (), ("sign_ins",)
    if op.get_bind().dialect.name == "postgresql":
        # The functions are there since the first step.
        statements = [one for one in triggers.postgres_statements(*guarded) if one.startswith("CREATE TRIGGER")]
    else:
        statements = triggers.sqlite_statements(*guarded)
    for statement in statements:
        op.execute(sa.text(statement))
