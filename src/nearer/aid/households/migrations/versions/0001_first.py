"""The first form of the household database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nearer.aid.households import triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables and what guards them."""
    op.create_table(
        "households",
        sa.Column("household", TEXT, nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("home", TEXT, nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("enrolled_on", TEXT, nullable=False),
        sa.Column("seen_on", TEXT, nullable=False),
        sa.Column("pin_hash", TEXT, nullable=True),
        sa.Column("wrong_pins", WHOLE, nullable=False),
        sa.CheckConstraint("size BETWEEN 1 AND 100", name=op.f("ck_households_size_sensible")),
        sa.PrimaryKeyConstraint("household", name=op.f("pk_households")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_households_home"), "households", ["home"], unique=False)
    op.create_table(
        "household_needs",
        sa.Column("household", TEXT, nullable=False),
        sa.Column("need", TEXT, nullable=False),
        sa.CheckConstraint(
            "need IN ('infant', 'no-cooking', 'no-gluten', 'no-meat', 'carry-help')",
            name=op.f("ck_household_needs_need_known"),
        ),
        sa.ForeignKeyConstraint(["household"], ["households.household"], name=op.f("fk_household_needs_household")),
        sa.PrimaryKeyConstraint("household", "need", name=op.f("pk_household_needs")),
        sqlite_strict=True,
    )
    op.create_table(
        "cards",
        sa.Column("card", TEXT, nullable=False),
        sa.Column("household", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.CheckConstraint("state IN ('active', 'replaced', 'blocked')", name=op.f("ck_cards_state_known")),
        sa.ForeignKeyConstraint(["household"], ["households.household"], name=op.f("fk_cards_household")),
        sa.PrimaryKeyConstraint("card", name=op.f("pk_cards")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_cards_household"), "cards", ["household"], unique=False)
    op.create_table(
        "period_keys",
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("made_on", TEXT, nullable=False),
        sa.Column("mark", TEXT, nullable=True),
        sa.Column("gone_on", TEXT, nullable=True),
        sa.CheckConstraint("(mark IS NULL) = (gone_on IS NOT NULL)", name=op.f("ck_period_keys_gone_leaves_no_mark")),
        sa.PrimaryKeyConstraint("programme", "period", name=op.f("pk_period_keys")),
        sqlite_strict=True,
    )
    op.create_table(
        "staff",
        sa.Column("staff", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("password_hash", TEXT, nullable=False),
        sa.Column("added_on", TEXT, nullable=False),
        sa.Column("disabled_on", TEXT, nullable=True),
        sa.CheckConstraint(
            "role IN ('viewer', 'desk', 'stock', 'coordinator', 'auditor')", name=op.f("ck_staff_role_known")
        ),
        sa.PrimaryKeyConstraint("staff", name=op.f("pk_staff")),
        sqlite_strict=True,
    )
    op.create_table(
        "access_log",
        sa.Column("line", WHOLE, autoincrement=True, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("staff", TEXT, nullable=False),
        sa.Column("act", TEXT, nullable=False),
        sa.Column("card", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_access_log")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_access_log_at"), "access_log", ["at"], unique=False)
    op.create_table(
        "retention",
        sa.Column("one", WHOLE, autoincrement=False, nullable=False),
        sa.Column("running", WHOLE, nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_retention_only_one")),
        sa.CheckConstraint("running IN (0, 1)", name=op.f("ck_retention_running_known")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_retention")),
        sqlite_strict=True,
    )
    op.execute(sa.text("INSERT INTO retention (one, running) VALUES (1, 0)"))
    guarded = ("households", "cards", "period_keys", "access_log"), ("staff", "retention"), ("access_log",)
    if op.get_bind().dialect.name == "postgresql":
        statements = triggers.postgres_statements(*guarded)
    else:
        statements = triggers.sqlite_statements(*guarded)
    for statement in statements:
        op.execute(sa.text(statement))
