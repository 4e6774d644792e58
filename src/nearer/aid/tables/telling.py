"""What was published."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, Table

from nearer.aid.tables.kinds import is_in, metadata, seq, whole, words

releases = Table(
    "releases",
    metadata,
    words("release"),
    seq(),
    words("rows_by"),
    words("columns_by"),
    words("first_day"),
    words("last_day"),
    whole("least"),
    words("cells"),
    PrimaryKeyConstraint("release"),
    is_in("rows_by", ("site", "programme")),
    is_in("columns_by", ("week", "month")),
    CheckConstraint("first_day <= last_day", name="days_in_order"),
    Index(None, "seq"),
    sqlite_strict=True,
)
