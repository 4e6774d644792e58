"""What a household, as an opaque tag, may receive and received."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table

from nearer.aid.tables.kinds import is_in, metadata, seq, whole, words

claims = Table(
    "claims",
    metadata,
    words("programme"),
    words("period"),
    words("tag"),
    seq(),
    PrimaryKeyConstraint("programme", "period", "tag"),
    ForeignKeyConstraint(["programme", "period"], ["periods.programme", "periods.period"]),
    Index(None, "seq"),
    sqlite_strict=True,
)

CLAIM = (["programme", "period", "tag"], ["claims.programme", "claims.period", "claims.tag"])

grants = Table(
    "grants",
    metadata,
    words("programme"),
    words("period"),
    words("tag"),
    words("item", ForeignKey("items.item")),
    seq(),
    whole("quantity"),
    PrimaryKeyConstraint("programme", "period", "tag", "item"),
    ForeignKeyConstraint(*CLAIM),
    CheckConstraint("quantity >= 0", name="quantity_not_below_zero"),
    Index(None, "seq"),
    sqlite_strict=True,
)

handovers = Table(
    "handovers",
    metadata,
    words("handover"),
    seq(),
    words("site", ForeignKey("sites.site")),
    words("programme"),
    words("period"),
    words("tag"),
    words("proof"),
    PrimaryKeyConstraint("handover"),
    ForeignKeyConstraint(*CLAIM),
    is_in("proof", ("tap", "pin", "witness")),
    Index(None, "programme", "period", "tag"),
    Index(None, "seq"),
    sqlite_strict=True,
)

witnesses = Table(
    "witnesses",
    metadata,
    words("handover", ForeignKey("handovers.handover")),
    seq(),
    words("staff"),
    PrimaryKeyConstraint("handover"),
    Index(None, "seq"),
    sqlite_strict=True,
)

draws = Table(
    "draws",
    metadata,
    seq(),
    words("item", ForeignKey("items.item")),
    words("programme"),
    words("period"),
    words("tag"),
    whole("quantity"),
    PrimaryKeyConstraint("seq", "item"),
    ForeignKeyConstraint(*CLAIM),
    CheckConstraint("quantity <> 0", name="quantity_not_zero"),
    Index(None, "programme", "period", "tag"),
    sqlite_strict=True,
)
