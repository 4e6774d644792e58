"""Leases, what cut-off desks gave, conflicts and their resolutions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nearer.aid import triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

JOURNAL = ("leases", "lease_claims", "lease_ends", "offline_handovers", "conflicts", "resolutions")


def upgrade() -> None:
    """Add them, with triggers that refuse changes."""
    op.create_table(
        "leases",
        sa.Column("lease", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("desk", TEXT, nullable=False),
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("until", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["programme", "period"], ["periods.programme", "periods.period"], name=op.f("fk_leases_programme_period")
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_leases_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_leases_site")),
        sa.PrimaryKeyConstraint("lease", name=op.f("pk_leases")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_leases_desk"), "leases", ["desk"], unique=False)
    op.create_index(op.f("ix_leases_seq"), "leases", ["seq"], unique=False)
    op.create_table(
        "lease_claims",
        sa.Column("lease", TEXT, nullable=False),
        sa.Column("claim", WHOLE, autoincrement=False, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("tag", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["lease"], ["leases.lease"], name=op.f("fk_lease_claims_lease")),
        sa.ForeignKeyConstraint(
            ["programme", "period", "tag"],
            ["claims.programme", "claims.period", "claims.tag"],
            name=op.f("fk_lease_claims_programme_period_tag"),
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_lease_claims_seq")),
        sa.PrimaryKeyConstraint("lease", "claim", name=op.f("pk_lease_claims")),
        sa.UniqueConstraint("lease", "tag", name=op.f("uq_lease_claims_lease_tag")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_lease_claims_programme_period_tag"), "lease_claims", ["programme", "period", "tag"], unique=False
    )
    op.create_index(op.f("ix_lease_claims_seq"), "lease_claims", ["seq"], unique=False)
    op.create_table(
        "lease_ends",
        sa.Column("lease", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("how", TEXT, nullable=False),
        sa.CheckConstraint("how IN ('returned', 'expired')", name=op.f("ck_lease_ends_how_known")),
        sa.ForeignKeyConstraint(["lease"], ["leases.lease"], name=op.f("fk_lease_ends_lease")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_lease_ends_seq")),
        sa.PrimaryKeyConstraint("lease", name=op.f("pk_lease_ends")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_lease_ends_seq"), "lease_ends", ["seq"], unique=False)
    op.create_table(
        "offline_handovers",
        sa.Column("handover", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("lease", TEXT, nullable=False),
        sa.Column("claim", WHOLE, autoincrement=False, nullable=True),
        sa.ForeignKeyConstraint(["handover"], ["handovers.handover"], name=op.f("fk_offline_handovers_handover")),
        sa.ForeignKeyConstraint(["lease"], ["leases.lease"], name=op.f("fk_offline_handovers_lease")),
        sa.ForeignKeyConstraint(
            ["lease", "claim"],
            ["lease_claims.lease", "lease_claims.claim"],
            name=op.f("fk_offline_handovers_lease_claim"),
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_offline_handovers_seq")),
        sa.PrimaryKeyConstraint("handover", name=op.f("pk_offline_handovers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_offline_handovers_lease"), "offline_handovers", ["lease"], unique=False)
    op.create_index(op.f("ix_offline_handovers_seq"), "offline_handovers", ["seq"], unique=False)
    op.create_table(
        "conflicts",
        sa.Column("conflict", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("handover", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=True),
        sa.Column("lot", TEXT, nullable=True),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=True),
        sa.CheckConstraint(
            "kind IN ('stock', 'claim', 'visits', 'unleased', 'unknown-card', 'leased-out', 'use-by', 'recalled', "
            "'closed', 'clock')",
            name=op.f("ck_conflicts_kind_known"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_conflicts_quantity_above_zero")),
        sa.ForeignKeyConstraint(["handover"], ["handovers.handover"], name=op.f("fk_conflicts_handover")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_conflicts_item")),
        sa.ForeignKeyConstraint(["lot"], ["lots.lot"], name=op.f("fk_conflicts_lot")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_conflicts_seq")),
        sa.PrimaryKeyConstraint("conflict", name=op.f("pk_conflicts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_conflicts_handover"), "conflicts", ["handover"], unique=False)
    op.create_index(op.f("ix_conflicts_seq"), "conflicts", ["seq"], unique=False)
    op.create_table(
        "resolutions",
        sa.Column("conflict", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["conflict"], ["conflicts.conflict"], name=op.f("fk_resolutions_conflict")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_resolutions_seq")),
        sa.PrimaryKeyConstraint("conflict", name=op.f("pk_resolutions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_resolutions_seq"), "resolutions", ["seq"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        statements = triggers.postgres_statements(JOURNAL)[1:]  # the function is there since the first form
    else:
        statements = triggers.sqlite_statements(JOURNAL)
    for statement in statements:
        op.execute(sa.text(statement))
