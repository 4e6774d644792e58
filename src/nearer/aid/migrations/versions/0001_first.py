"""The first form of the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nearer.aid import triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

JOURNAL = (
    "transactions",
    "accounts",
    "chain",
    "items",
    "parties",
    "programmes",
    "sites",
    "item_units",
    "lots",
    "periods",
    "recipes",
    "reservations",
    "shipments",
    "site_states",
    "stocktakes",
    "claims",
    "entitlement_rules",
    "lot_sources",
    "pledges",
    "postings",
    "reasons",
    "recalls",
    "recipe_lines",
    "stocktake_lines",
    "draws",
    "grants",
    "handovers",
)


def upgrade() -> None:
    """Make the tables and what guards them."""
    op.create_table(
        "head",
        sa.Column("one", WHOLE, autoincrement=False, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_head_only_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_head")),
        sqlite_strict=True,
    )
    op.create_table(
        "transactions",
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("recorded_at", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("desk", TEXT, nullable=False),
        sa.Column("body_hash", TEXT, nullable=False),
        sa.Column("reverses", WHOLE, autoincrement=False, nullable=True),
        sa.Column("answer", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["reverses"], ["transactions.seq"], name=op.f("fk_transactions_reverses")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_transactions")),
        sa.UniqueConstraint("id", name=op.f("uq_transactions_id")),
        sa.UniqueConstraint("reverses", name=op.f("uq_transactions_reverses")),
        sqlite_strict=True,
    )
    op.create_table(
        "accounts",
        sa.Column("account", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("reference", TEXT, nullable=False),
        sa.CheckConstraint(
            "account = kind || ':' || site || ':' || reference", name=op.f("ck_accounts_named_by_its_parts")
        ),
        sa.CheckConstraint(
            "kind IN ('DONOR', 'VARIANCE', 'CONVERT', 'PLEDGED', 'STOCK', 'RESERVED', 'TRANSIT', 'HANDED_OVER', 'EXPIRED', 'DAMAGED', 'LOST', 'RETURNED', 'SPENT')",
            name=op.f("ck_accounts_kind_known"),
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_accounts_seq")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_accounts_kind_site"), "accounts", ["kind", "site"], unique=False)
    op.create_index(op.f("ix_accounts_seq"), "accounts", ["seq"], unique=False)
    op.create_table(
        "chain",
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("previous", TEXT, nullable=False),
        sa.Column("parts", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_chain_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_chain")),
        sqlite_strict=True,
    )
    op.create_table(
        "items",
        sa.Column("item", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("category", TEXT, nullable=True),
        sa.Column("ifrc_code", TEXT, nullable=True),
        sa.CheckConstraint("kind IN ('goods', 'money')", name=op.f("ck_items_kind_known")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_items_seq")),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_items")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_items_seq"), "items", ["seq"], unique=False)
    op.create_table(
        "parties",
        sa.Column("party", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("organisation", TEXT, nullable=True),
        sa.CheckConstraint(
            "(kind = 'organisation') = (organisation IS NOT NULL)", name=op.f("ck_parties_private_is_a_code")
        ),
        sa.CheckConstraint("kind IN ('organisation', 'private')", name=op.f("ck_parties_kind_known")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_parties_seq")),
        sa.PrimaryKeyConstraint("party", name=op.f("pk_parties")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_parties_seq"), "parties", ["seq"], unique=False)
    op.create_table(
        "programmes",
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("visits", WHOLE, autoincrement=False, nullable=True),
        sa.CheckConstraint("visits > 0", name=op.f("ck_programmes_visits_above_zero")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_programmes_seq")),
        sa.PrimaryKeyConstraint("programme", name=op.f("pk_programmes")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_programmes_seq"), "programmes", ["seq"], unique=False)
    op.create_table(
        "sites",
        sa.Column("site", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.CheckConstraint("kind IN ('centre', 'hub', 'partner')", name=op.f("ck_sites_kind_known")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_sites_seq")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_sites")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_sites_seq"), "sites", ["seq"], unique=False)
    op.create_table(
        "item_units",
        sa.Column("item", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("base_units", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("base_units > 0", name=op.f("ck_item_units_base_units_above_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_item_units_item")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_item_units_seq")),
        sa.PrimaryKeyConstraint("item", "unit", name=op.f("pk_item_units")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_item_units_seq"), "item_units", ["seq"], unique=False)
    op.create_table(
        "lots",
        sa.Column("lot", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("line", WHOLE, autoincrement=False, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("giver", TEXT, nullable=True),
        sa.Column("use_by", TEXT, nullable=True),
        sa.Column("best_before", TEXT, nullable=True),
        sa.Column("first_out", TEXT, nullable=False),
        sa.Column("cold", WHOLE, autoincrement=False, nullable=False),
        sa.Column("value", WHOLE, autoincrement=False, nullable=True),
        sa.Column("currency", TEXT, nullable=True),
        sa.Column("for_programme", TEXT, nullable=True),
        sa.Column("for_site", TEXT, nullable=True),
        sa.Column("for_item", TEXT, nullable=True),
        sa.Column("thanks", TEXT, nullable=True),
        sa.CheckConstraint("(origin = 'gift') = (giver IS NOT NULL)", name=op.f("ck_lots_gift_has_giver")),
        sa.CheckConstraint("origin IN ('gift', 'purchase', 'conversion', 'count')", name=op.f("ck_lots_origin_known")),
        sa.CheckConstraint("cold IN (0, 1)", name=op.f("ck_lots_cold_known")),
        sa.ForeignKeyConstraint(["for_item"], ["items.item"], name=op.f("fk_lots_for_item")),
        sa.ForeignKeyConstraint(["for_programme"], ["programmes.programme"], name=op.f("fk_lots_for_programme")),
        sa.ForeignKeyConstraint(["for_site"], ["sites.site"], name=op.f("fk_lots_for_site")),
        sa.ForeignKeyConstraint(["giver"], ["parties.party"], name=op.f("fk_lots_giver")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_lots_item")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_lots_seq")),
        sa.PrimaryKeyConstraint("lot", name=op.f("pk_lots")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_lots_item"), "lots", ["item"], unique=False)
    op.create_index(op.f("ix_lots_seq"), "lots", ["seq"], unique=False)
    op.create_index(op.f("ix_lots_thanks"), "lots", ["thanks"], unique=False)
    op.create_table(
        "periods",
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("first_day", TEXT, nullable=False),
        sa.Column("last_day", TEXT, nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_periods_days_in_order")),
        sa.ForeignKeyConstraint(["programme"], ["programmes.programme"], name=op.f("fk_periods_programme")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_periods_seq")),
        sa.PrimaryKeyConstraint("programme", "period", name=op.f("pk_periods")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_periods_seq"), "periods", ["seq"], unique=False)
    op.create_table(
        "recipes",
        sa.Column("recipe", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_recipes_quantity_above_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_recipes_item")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_recipes_seq")),
        sa.PrimaryKeyConstraint("recipe", name=op.f("pk_recipes")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_recipes_seq"), "recipes", ["seq"], unique=False)
    op.create_table(
        "reservations",
        sa.Column("reservation", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("for_site", TEXT, nullable=True),
        sa.Column("for_programme", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["for_programme"], ["programmes.programme"], name=op.f("fk_reservations_for_programme")
        ),
        sa.ForeignKeyConstraint(["for_site"], ["sites.site"], name=op.f("fk_reservations_for_site")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_reservations_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_reservations_site")),
        sa.PrimaryKeyConstraint("reservation", name=op.f("pk_reservations")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_reservations_seq"), "reservations", ["seq"], unique=False)
    op.create_table(
        "shipments",
        sa.Column("shipment", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("from_site", TEXT, nullable=False),
        sa.Column("to_site", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["from_site"], ["sites.site"], name=op.f("fk_shipments_from_site")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_shipments_seq")),
        sa.ForeignKeyConstraint(["to_site"], ["sites.site"], name=op.f("fk_shipments_to_site")),
        sa.PrimaryKeyConstraint("shipment", name=op.f("pk_shipments")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_shipments_seq"), "shipments", ["seq"], unique=False)
    op.create_table(
        "site_states",
        sa.Column("site", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.CheckConstraint("state IN ('open', 'limited', 'closed')", name=op.f("ck_site_states_state_known")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_site_states_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_site_states_site")),
        sa.PrimaryKeyConstraint("site", "seq", name=op.f("pk_site_states")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_site_states_seq"), "site_states", ["seq"], unique=False)
    op.create_table(
        "stocktakes",
        sa.Column("stocktake", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("cutoff", WHOLE, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_stocktakes_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_stocktakes_site")),
        sa.PrimaryKeyConstraint("stocktake", name=op.f("pk_stocktakes")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_stocktakes_seq"), "stocktakes", ["seq"], unique=False)
    op.create_table(
        "balances",
        sa.Column("account", TEXT, nullable=False),
        sa.Column("lot", TEXT, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint(
            "quantity >= 0 OR substr(account, 1, 6) = 'DONOR:' OR substr(account, 1, 9) = 'VARIANCE:' OR substr(account, 1, 8) = 'CONVERT:'",
            name=op.f("ck_balances_bounded_not_below_zero"),
        ),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name=op.f("fk_balances_account")),
        sa.ForeignKeyConstraint(["lot"], ["lots.lot"], name=op.f("fk_balances_lot")),
        sa.PrimaryKeyConstraint("account", "lot", name=op.f("pk_balances")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_balances_held",
        "balances",
        ["account", "lot"],
        unique=False,
        sqlite_where=sa.text("quantity > 0"),
        postgresql_where=sa.text("quantity > 0"),
    )
    op.create_index(op.f("ix_balances_lot"), "balances", ["lot"], unique=False)
    op.create_table(
        "claims",
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("tag", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["programme", "period"], ["periods.programme", "periods.period"], name=op.f("fk_claims_programme_period")
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_claims_seq")),
        sa.PrimaryKeyConstraint("programme", "period", "tag", name=op.f("pk_claims")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_claims_seq"), "claims", ["seq"], unique=False)
    op.create_table(
        "entitlement_rules",
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("size_from", WHOLE, autoincrement=False, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_entitlement_rules_quantity_not_below_zero")),
        sa.CheckConstraint("size_from > 0", name=op.f("ck_entitlement_rules_size_from_above_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_entitlement_rules_item")),
        sa.ForeignKeyConstraint(
            ["programme", "period"],
            ["periods.programme", "periods.period"],
            name=op.f("fk_entitlement_rules_programme_period"),
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_entitlement_rules_seq")),
        sa.PrimaryKeyConstraint("programme", "period", "item", "size_from", name=op.f("pk_entitlement_rules")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_entitlement_rules_seq"), "entitlement_rules", ["seq"], unique=False)
    op.create_table(
        "lot_sources",
        sa.Column("lot", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_lot_sources_quantity_above_zero")),
        sa.ForeignKeyConstraint(["lot"], ["lots.lot"], name=op.f("fk_lot_sources_lot")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_lot_sources_seq")),
        sa.ForeignKeyConstraint(["source"], ["lots.lot"], name=op.f("fk_lot_sources_source")),
        sa.PrimaryKeyConstraint("lot", "source", name=op.f("pk_lot_sources")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_lot_sources_seq"), "lot_sources", ["seq"], unique=False)
    op.create_index(op.f("ix_lot_sources_source"), "lot_sources", ["source"], unique=False)
    op.create_table(
        "pledges",
        sa.Column("pledge", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("lot", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["lot"], ["lots.lot"], name=op.f("fk_pledges_lot")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_pledges_seq")),
        sa.PrimaryKeyConstraint("pledge", name=op.f("pk_pledges")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_pledges_seq"), "pledges", ["seq"], unique=False)
    op.create_table(
        "postings",
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("line", WHOLE, autoincrement=False, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("lot", TEXT, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_postings_quantity_not_zero")),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name=op.f("fk_postings_account")),
        sa.ForeignKeyConstraint(["lot"], ["lots.lot"], name=op.f("fk_postings_lot")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_postings_seq")),
        sa.PrimaryKeyConstraint("seq", "line", name=op.f("pk_postings")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_postings_account"), "postings", ["account"], unique=False)
    op.create_index(op.f("ix_postings_lot"), "postings", ["lot"], unique=False)
    op.create_table(
        "reasons",
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("line", WHOLE, autoincrement=False, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("lot", TEXT, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name=op.f("fk_reasons_account")),
        sa.ForeignKeyConstraint(["lot"], ["lots.lot"], name=op.f("fk_reasons_lot")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_reasons_seq")),
        sa.PrimaryKeyConstraint("seq", "line", name=op.f("pk_reasons")),
        sqlite_strict=True,
    )
    op.create_table(
        "recalls",
        sa.Column("lot", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["lot"], ["lots.lot"], name=op.f("fk_recalls_lot")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_recalls_seq")),
        sa.PrimaryKeyConstraint("lot", name=op.f("pk_recalls")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_recalls_seq"), "recalls", ["seq"], unique=False)
    op.create_table(
        "recipe_lines",
        sa.Column("recipe", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_recipe_lines_quantity_above_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_recipe_lines_item")),
        sa.ForeignKeyConstraint(["recipe"], ["recipes.recipe"], name=op.f("fk_recipe_lines_recipe")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_recipe_lines_seq")),
        sa.PrimaryKeyConstraint("recipe", "item", name=op.f("pk_recipe_lines")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_recipe_lines_seq"), "recipe_lines", ["seq"], unique=False)
    op.create_table(
        "stocktake_lines",
        sa.Column("stocktake", TEXT, nullable=False),
        sa.Column("lot", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("expected", WHOLE, autoincrement=False, nullable=False),
        sa.Column("counted", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("counted >= 0", name=op.f("ck_stocktake_lines_counted_not_below_zero")),
        sa.ForeignKeyConstraint(["lot"], ["lots.lot"], name=op.f("fk_stocktake_lines_lot")),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_stocktake_lines_seq")),
        sa.ForeignKeyConstraint(["stocktake"], ["stocktakes.stocktake"], name=op.f("fk_stocktake_lines_stocktake")),
        sa.PrimaryKeyConstraint("stocktake", "lot", name=op.f("pk_stocktake_lines")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_stocktake_lines_seq"), "stocktake_lines", ["seq"], unique=False)
    op.create_table(
        "allowances",
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("tag", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("left_over", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("left_over >= 0", name=op.f("ck_allowances_left_over_not_below_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_allowances_item")),
        sa.ForeignKeyConstraint(
            ["programme", "period", "tag"],
            ["claims.programme", "claims.period", "claims.tag"],
            name=op.f("fk_allowances_programme_period_tag"),
        ),
        sa.PrimaryKeyConstraint("programme", "period", "tag", "item", name=op.f("pk_allowances")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "draws",
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("tag", TEXT, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_draws_quantity_not_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_draws_item")),
        sa.ForeignKeyConstraint(
            ["programme", "period", "tag"],
            ["claims.programme", "claims.period", "claims.tag"],
            name=op.f("fk_draws_programme_period_tag"),
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_draws_seq")),
        sa.PrimaryKeyConstraint("seq", "item", name=op.f("pk_draws")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_draws_programme_period_tag"), "draws", ["programme", "period", "tag"], unique=False)
    op.create_table(
        "grants",
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("tag", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("quantity", WHOLE, autoincrement=False, nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_grants_quantity_not_below_zero")),
        sa.ForeignKeyConstraint(["item"], ["items.item"], name=op.f("fk_grants_item")),
        sa.ForeignKeyConstraint(
            ["programme", "period", "tag"],
            ["claims.programme", "claims.period", "claims.tag"],
            name=op.f("fk_grants_programme_period_tag"),
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_grants_seq")),
        sa.PrimaryKeyConstraint("programme", "period", "tag", "item", name=op.f("pk_grants")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_grants_seq"), "grants", ["seq"], unique=False)
    op.create_table(
        "handovers",
        sa.Column("handover", TEXT, nullable=False),
        sa.Column("seq", WHOLE, autoincrement=False, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("programme", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("tag", TEXT, nullable=False),
        sa.Column("proof", TEXT, nullable=False),
        sa.CheckConstraint("proof IN ('tap', 'pin', 'witness')", name=op.f("ck_handovers_proof_known")),
        sa.ForeignKeyConstraint(
            ["programme", "period", "tag"],
            ["claims.programme", "claims.period", "claims.tag"],
            name=op.f("fk_handovers_programme_period_tag"),
        ),
        sa.ForeignKeyConstraint(["seq"], ["transactions.seq"], name=op.f("fk_handovers_seq")),
        sa.ForeignKeyConstraint(["site"], ["sites.site"], name=op.f("fk_handovers_site")),
        sa.PrimaryKeyConstraint("handover", name=op.f("pk_handovers")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_handovers_programme_period_tag"), "handovers", ["programme", "period", "tag"], unique=False
    )
    op.create_index(op.f("ix_handovers_seq"), "handovers", ["seq"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        statements = triggers.postgres_statements(JOURNAL)
    else:
        statements = triggers.sqlite_statements(JOURNAL)
    for statement in statements:
        op.execute(sa.text(statement))
