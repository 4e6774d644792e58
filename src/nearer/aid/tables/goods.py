"""Lots and where they come from, move to and are counted."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, Table

from nearer.aid.tables.kinds import above_zero, is_in, metadata, seq, whole, words

lots = Table(
    "lots",
    metadata,
    words("lot"),
    seq(),
    whole("line"),
    words("origin"),
    words("item", ForeignKey("items.item")),
    words("giver", ForeignKey("parties.party"), null=True),
    words("use_by", null=True),
    words("best_before", null=True),
    words("first_out"),
    whole("cold"),
    whole("value", null=True),
    words("currency", null=True),
    words("for_programme", ForeignKey("programmes.programme"), null=True),
    words("for_site", ForeignKey("sites.site"), null=True),
    words("for_item", ForeignKey("items.item"), null=True),
    words("thanks", null=True),
    PrimaryKeyConstraint("lot"),
    is_in("origin", ("gift", "purchase", "conversion", "count")),
    CheckConstraint("(origin = 'gift') = (giver IS NOT NULL)", name="gift_has_giver"),
    CheckConstraint("cold IN (0, 1)", name="cold_known"),
    Index(None, "item"),
    Index(None, "seq"),
    Index(None, "thanks"),
    sqlite_strict=True,
)

lot_sources = Table(
    "lot_sources",
    metadata,
    words("lot", ForeignKey("lots.lot")),
    words("source", ForeignKey("lots.lot")),
    seq(),
    whole("quantity"),
    PrimaryKeyConstraint("lot", "source"),
    above_zero("quantity"),
    Index(None, "source"),
    Index(None, "seq"),
    sqlite_strict=True,
)

recalls = Table(
    "recalls",
    metadata,
    words("lot", ForeignKey("lots.lot")),
    seq(),
    words("reason"),
    PrimaryKeyConstraint("lot"),
    Index(None, "seq"),
    sqlite_strict=True,
)

pledges = Table(
    "pledges",
    metadata,
    words("pledge"),
    seq(),
    words("lot", ForeignKey("lots.lot")),
    PrimaryKeyConstraint("pledge"),
    Index(None, "seq"),
    sqlite_strict=True,
)

reservations = Table(
    "reservations",
    metadata,
    words("reservation"),
    seq(),
    words("site", ForeignKey("sites.site")),
    words("for_site", ForeignKey("sites.site"), null=True),
    words("for_programme", ForeignKey("programmes.programme"), null=True),
    PrimaryKeyConstraint("reservation"),
    Index(None, "seq"),
    sqlite_strict=True,
)

shipments = Table(
    "shipments",
    metadata,
    words("shipment"),
    seq(),
    words("from_site", ForeignKey("sites.site")),
    words("to_site", ForeignKey("sites.site")),
    PrimaryKeyConstraint("shipment"),
    Index(None, "seq"),
    sqlite_strict=True,
)

reasons = Table(
    "reasons",
    metadata,
    seq(),
    whole("line"),
    words("account", ForeignKey("accounts.account")),
    words("lot", ForeignKey("lots.lot")),
    whole("quantity"),
    words("reason"),
    PrimaryKeyConstraint("seq", "line"),
    sqlite_strict=True,
)

stocktakes = Table(
    "stocktakes",
    metadata,
    words("stocktake"),
    seq(),
    words("site", ForeignKey("sites.site")),
    whole("cutoff"),
    PrimaryKeyConstraint("stocktake"),
    Index(None, "seq"),
    sqlite_strict=True,
)

stocktake_lines = Table(
    "stocktake_lines",
    metadata,
    words("stocktake", ForeignKey("stocktakes.stocktake")),
    words("lot", ForeignKey("lots.lot")),
    seq(),
    whole("expected"),
    whole("counted"),
    PrimaryKeyConstraint("stocktake", "lot"),
    CheckConstraint("counted >= 0", name="counted_not_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)

postings = Table(
    "postings",
    metadata,
    seq(),
    whole("line"),
    words("account", ForeignKey("accounts.account")),
    words("lot", ForeignKey("lots.lot")),
    whole("quantity"),
    PrimaryKeyConstraint("seq", "line"),
    CheckConstraint("quantity <> 0", name="quantity_not_zero"),
    Index(None, "lot"),
    Index(None, "account"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
