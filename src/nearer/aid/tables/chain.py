"""Transactions, their hash chain, and the accounts that goods lie in."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from nearer.aid.accounts import KINDS
from nearer.aid.tables.kinds import is_in, metadata, seq, whole, words

transactions = Table(
    "transactions",
    metadata,
    whole("seq"),
    words("id"),
    words("kind"),
    words("at"),
    words("recorded_at"),
    words("actor"),
    words("desk"),
    words("body_hash"),
    whole("reverses", ForeignKey("transactions.seq"), null=True),
    words("answer"),
    PrimaryKeyConstraint("seq"),
    UniqueConstraint("id"),
    UniqueConstraint("reverses"),
    sqlite_strict=True,
)

chain = Table(
    "chain",
    metadata,
    seq(),
    words("previous"),
    words("parts"),
    words("hash"),
    PrimaryKeyConstraint("seq"),
    sqlite_strict=True,
)

accounts = Table(
    "accounts",
    metadata,
    words("account"),
    seq(),
    words("kind"),
    words("site"),
    words("reference"),
    PrimaryKeyConstraint("account"),
    is_in("kind", KINDS),
    CheckConstraint("account = kind || ':' || site || ':' || reference", name="named_by_its_parts"),
    Index(None, "kind", "site"),
    Index(None, "seq"),
    sqlite_strict=True,
)
