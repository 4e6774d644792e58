"""Requests and targets, what sharing needs to know, proposals and decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nearer.aid import triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

JOURNAL = (
    "proposals",
    "capacities",
    "closures",
    "decisions",
    "hours",
    "measures",
    "proposal_shares",
    "proposal_stages",
    "requests",
    "surges",
    "takeovers",
    "targets",
    "vehicles",
    "ways",
    "proposal_lines",
    "request_ends",
    "request_lines",
    "decision_lines",
)


def upgrade() -> None:
    """Make the tables and what guards them."""
    op.create_table(
        "proposals",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("as_of", WHOLE, autoincrement=False, nullable=False),
        sa.Column("first_day", TEXT, nullable=False),
        sa.Column("last_day", TEXT, nullable=False),
        sa.Column("inputs", TEXT, nullable=False),
        sa.Column("solver", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.CheckConstraint("kind IN ('share', 'crisis')", name=op.f("ck_proposals_kind_known")),
        sa.CheckConstraint("status IN ('proven', 'unproven', 'stopped')", name=op.f("ck_proposals_status_known")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_proposals_days_in_order")),
        sa.ForeignKeyConstraint(["as_of"], ["transactions.seq"], name=op.f("fk_proposals_as_of")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_proposals_seq")),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_proposals")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_proposals_seq"), "proposals", ["seq"], unique=False)
    op.create_table(
        "capacities",
        sa.Column("site", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("grams", WHOLE, autoincrement=False, nullable=True),
        sa.Column("millilitres", WHOLE, autoincrement=False, nullable=True),
        sa.Column("cold_millilitres", WHOLE, autoincrement=False, nullable=True),
        sa.CheckConstraint(
            "grams >= 0 AND millilitres >= 0 AND cold_millilitres >= 0", name=op.f("ck_capacities_none_below_zero")
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_capacities_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_capacities_site")),
        sa.PrimaryKeyConstraint("site", "seq", name=op.f("pk_capacities")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_capacities_seq"), "capacities", ["seq"], unique=False)
    op.create_table(
        "closures",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.proposal"], name=op.f("fk_closures_proposal")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_closures_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_closures_site")),
        sa.PrimaryKeyConstraint("proposal", "site", name=op.f("pk_closures")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_closures_seq"), "closures", ["seq"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.CheckConstraint("outcome IN ('approved', 'declined')", name=op.f("ck_decisions_outcome_known")),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.proposal"], name=op.f("fk_decisions_proposal")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_decisions_seq")),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_decisions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_decisions_seq"), "decisions", ["seq"], unique=False)
    op.create_table(
        "hours",
        sa.Column("site", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("weekday", TEXT, nullable=False),
        sa.Column("opens", TEXT, nullable=True),
        sa.Column("closes", TEXT, nullable=True),
        sa.CheckConstraint(
            "weekday IN ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')", name=op.f("ck_hours_weekday_known")
        ),
        sa.CheckConstraint("(opens IS NULL) = (closes IS NULL)", name=op.f("ck_hours_opens_and_closes")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_hours_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_hours_site")),
        sa.PrimaryKeyConstraint("site", "seq", "weekday", name=op.f("pk_hours")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_hours_seq"), "hours", ["seq"], unique=False)
    op.create_table(
        "measures",
        sa.Column("item", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("base_units", WHOLE, autoincrement=False, nullable=False),
        sa.Column("milligrams", WHOLE, autoincrement=False, nullable=False),
        sa.Column("cubic_mm", WHOLE, autoincrement=False, nullable=False),
        sa.Column("pack", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("base_units > 0", name=op.f("ck_measures_base_units_above_zero")),
        sa.CheckConstraint("cubic_mm >= 0", name=op.f("ck_measures_cubic_mm_not_below_zero")),
        sa.CheckConstraint("milligrams > 0", name=op.f("ck_measures_milligrams_above_zero")),
        sa.CheckConstraint("pack > 0", name=op.f("ck_measures_pack_above_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_measures_item")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_measures_seq")),
        sa.PrimaryKeyConstraint("item", "seq", name=op.f("pk_measures")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_measures_seq"), "measures", ["seq"], unique=False)
    op.create_table(
        "proposal_shares",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("asked", WHOLE, autoincrement=False, nullable=False),
        sa.Column("given", WHOLE, autoincrement=False, nullable=False),
        sa.Column("fair", TEXT, nullable=False),
        sa.Column("bound", TEXT, nullable=False),
        sa.Column("because", TEXT, nullable=False),
        sa.CheckConstraint("0 <= given AND given <= asked", name=op.f("ck_proposal_shares_given_within_asked")),
        sa.CheckConstraint("asked > 0", name=op.f("ck_proposal_shares_asked_above_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_proposal_shares_item")),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.proposal"], name=op.f("fk_proposal_shares_proposal")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_proposal_shares_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_proposal_shares_site")),
        sa.PrimaryKeyConstraint("proposal", "site", "item", name=op.f("pk_proposal_shares")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_proposal_shares_seq"), "proposal_shares", ["seq"], unique=False)
    op.create_table(
        "proposal_stages",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("line", WHOLE, autoincrement=False, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("bound", TEXT, nullable=False),
        sa.Column("proven", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("proven IN (0, 1)", name=op.f("ck_proposal_stages_proven_known")),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.proposal"], name=op.f("fk_proposal_stages_proposal")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_proposal_stages_seq")),
        sa.PrimaryKeyConstraint("proposal", "line", name=op.f("pk_proposal_stages")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_proposal_stages_seq"), "proposal_stages", ["seq"], unique=False)
    op.create_table(
        "requests",
        sa.Column("request", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("for_programme", TEXT, nullable=True),
        sa.Column("needed_by", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["for_programme"], ["programmes.programme"], name=op.f("fk_requests_for_programme")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_requests_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_requests_site")),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_requests")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_requests_seq"), "requests", ["seq"], unique=False)
    op.create_table(
        "surges",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("per_mille", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("per_mille > 0", name=op.f("ck_surges_per_mille_above_zero")),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.proposal"], name=op.f("fk_surges_proposal")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_surges_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_surges_site")),
        sa.PrimaryKeyConstraint("proposal", "site", name=op.f("pk_surges")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_surges_seq"), "surges", ["seq"], unique=False)
    op.create_table(
        "takeovers",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("to_site", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("per_mille", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("per_mille > 0", name=op.f("ck_takeovers_per_mille_above_zero")),
        sa.CheckConstraint("site <> to_site", name=op.f("ck_takeovers_by_another")),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.proposal"], name=op.f("fk_takeovers_proposal")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_takeovers_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_takeovers_site")),
        sa.ForeignKeyConstraint(["to_site"], ["sites.site"], name=op.f("fk_takeovers_to_site")),
        sa.PrimaryKeyConstraint("proposal", "site", "to_site", name=op.f("pk_takeovers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_takeovers_seq"), "takeovers", ["seq"], unique=False)
    op.create_table(
        "targets",
        sa.Column("site", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("minimum", WHOLE, autoincrement=False, nullable=False),
        sa.Column("target", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("0 <= minimum AND minimum <= target", name=op.f("ck_targets_minimum_within_target")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_targets_item")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_targets_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_targets_site")),
        sa.PrimaryKeyConstraint("site", "item", "seq", name=op.f("pk_targets")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_targets_seq"), "targets", ["seq"], unique=False)
    op.create_table(
        "vehicles",
        sa.Column("vehicle", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("grams", WHOLE, autoincrement=False, nullable=False),
        sa.Column("millilitres", WHOLE, autoincrement=False, nullable=True),
        sa.Column("trips", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("grams >= 0 AND millilitres >= 0 AND trips >= 0", name=op.f("ck_vehicles_none_below_zero")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_vehicles_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_vehicles_site")),
        sa.PrimaryKeyConstraint("vehicle", "seq", name=op.f("pk_vehicles")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_vehicles_seq"), "vehicles", ["seq"], unique=False)
    op.create_table(
        "ways",
        sa.Column("from_site", TEXT, nullable=False),
        sa.Column("to_site", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("seconds", WHOLE, autoincrement=False, nullable=False),
        sa.Column("days", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("from_site <> to_site", name=op.f("ck_ways_leads_elsewhere")),
        sa.CheckConstraint("seconds >= 0 AND days >= 0", name=op.f("ck_ways_none_below_zero")),
        sa.ForeignKeyConstraint(["from_site"], ["sites.site"], name=op.f("fk_ways_from_site")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_ways_seq")),
        sa.ForeignKeyConstraint(["to_site"], ["sites.site"], name=op.f("fk_ways_to_site")),
        sa.PrimaryKeyConstraint("from_site", "to_site", "seq", name=op.f("pk_ways")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_ways_seq"), "ways", ["seq"], unique=False)
    op.create_table(
        "proposal_lines",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("line", WHOLE, autoincrement=False, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("day", TEXT, nullable=False),
        sa.Column("arrives", TEXT, nullable=False),
        sa.Column("lot", TEXT, nullable=False),
        sa.Column("from_site", TEXT, nullable=False),
        sa.Column("to_site", TEXT, nullable=False),
        sa.Column("for_site", TEXT, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.Column("onward", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("onward IN (0, 1)", name=op.f("ck_proposal_lines_onward_known")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_proposal_lines_quantity_above_zero")),
        sa.ForeignKeyConstraint(["for_site"], ["sites.site"], name=op.f("fk_proposal_lines_for_site")),
        sa.ForeignKeyConstraint(["from_site"], ["sites.site"], name=op.f("fk_proposal_lines_from_site")),
        sa.ForeignKeyConstraint(["lot"], ["lots.lot"], name=op.f("fk_proposal_lines_lot")),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.proposal"], name=op.f("fk_proposal_lines_proposal")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_proposal_lines_seq")),
        sa.ForeignKeyConstraint(["to_site"], ["sites.site"], name=op.f("fk_proposal_lines_to_site")),
        sa.PrimaryKeyConstraint("proposal", "line", name=op.f("pk_proposal_lines")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_proposal_lines_seq"), "proposal_lines", ["seq"], unique=False)
    op.create_table(
        "request_ends",
        sa.Column("request", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.CheckConstraint("outcome IN ('met', 'withdrawn')", name=op.f("ck_request_ends_outcome_known")),
        sa.ForeignKeyConstraint(["request"], ["requests.request"], name=op.f("fk_request_ends_request")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_request_ends_seq")),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_request_ends")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_request_ends_seq"), "request_ends", ["seq"], unique=False)
    op.create_table(
        "request_lines",
        sa.Column("request", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_request_lines_quantity_above_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_request_lines_item")),
        sa.ForeignKeyConstraint(["request"], ["requests.request"], name=op.f("fk_request_lines_request")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_request_lines_seq")),
        sa.PrimaryKeyConstraint("request", "item", name=op.f("pk_request_lines")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_request_lines_seq"), "request_lines", ["seq"], unique=False)
    op.create_table(
        "decision_lines",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("line", WHOLE, autoincrement=False, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("reservation", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal", "line"],
            ["proposal_lines.proposal", "proposal_lines.line"],
            name=op.f("fk_decision_lines_proposal_line"),
        ),
        sa.ForeignKeyConstraint(
            ["reservation"], ["reservations.reservation"], name=op.f("fk_decision_lines_reservation")
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_decision_lines_seq")),
        sa.PrimaryKeyConstraint("proposal", "line", name=op.f("pk_decision_lines")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_decision_lines_reservation"), "decision_lines", ["reservation"], unique=False)
    op.create_index(op.f("ix_decision_lines_seq"), "decision_lines", ["seq"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        statements = triggers.postgres_statements(JOURNAL)[1:]  # the function is there since the first form
    else:
        statements = triggers.sqlite_statements(JOURNAL)
    for statement in statements:
        op.execute(sa.text(statement))
