"""Sums of the journal, kept so that a question is quick."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, text

from nearer.aid.accounts import UNBOUNDED
from nearer.aid.tables.households import CLAIM
from nearer.aid.tables.kinds import metadata, whole, words

head = Table(
    "head",
    metadata,
    whole("one"),
    whole("seq"),
    words("hash"),
    PrimaryKeyConstraint("one"),
    CheckConstraint("one = 1", name="only_one"),
    sqlite_strict=True,
)

_MAY_BE_NEGATIVE = " OR ".join(f"substr(account, 1, {len(kind) + 1}) = '{kind}:'" for kind in UNBOUNDED)

balances = Table(
    "balances",
    metadata,
    words("account", ForeignKey("accounts.account")),
    words("lot", ForeignKey("lots.lot")),
    whole("quantity"),
    PrimaryKeyConstraint("account", "lot"),
    CheckConstraint(f"quantity >= 0 OR {_MAY_BE_NEGATIVE}", name="bounded_not_below_zero"),
    Index(
        "ix_balances_held", "account", "lot", sqlite_where=text("quantity > 0"), postgresql_where=text("quantity > 0")
    ),
    Index(None, "lot"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

allowances = Table(
    "allowances",
    metadata,
    words("programme"),
    words("period"),
    words("tag"),
    words("item", ForeignKey("items.item")),
    whole("left_over"),
    PrimaryKeyConstraint("programme", "period", "tag", "item"),
    ForeignKeyConstraint(*CLAIM),
    CheckConstraint("left_over >= 0", name="left_over_not_below_zero"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
