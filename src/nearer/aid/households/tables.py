"""
The household database's tables.

Nothing here is a name, an address, a date of birth, a document or a story; days are kept instead of moments wherever a
day is enough. Rows may be changed; they are deleted by the retention job alone, which says so in ``retention`` while it
runs, and triggers refuse everybody else.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

NEEDS = {
    "infant": "food and nappies for an infant are packed",
    "no-cooking": "there is no stove: what is packed needs no cooking",
    "no-gluten": "what is packed has no gluten",
    "no-meat": "what is packed has no meat",
    "carry-help": "the parcel is packed in small parts, or somebody helps to carry it",
}
"""What a household may need, and what each is kept for: how goods are picked, and nothing else."""

ROLES = ("viewer", "desk", "stock", "coordinator", "auditor")

OUTCOMES = ("in", "refused", "waits", "out")
"""What came of a sign-in; who waits has given a wrong password too often."""

WAYS = ("password", "witness", "terminal", "oidc")
"""How somebody signs in: on a page, as a witness, at the command line, with another organisation's account."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_WHOLE = BigInteger().with_variant(Integer(), "sqlite")
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def _is_in(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(v) for v in values)})", name=f"{column}_known")


def _text(name: str, *more: ForeignKey, null: bool = False) -> Column[str]:
    return Column(name, _TEXT, *more, nullable=null)


def _household() -> Column[str]:
    return _text("household", ForeignKey("households.household"))


households = Table(
    "households",
    metadata,
    _text("household"),
    Column("size", _WHOLE, nullable=False),
    _text("home"),
    _text("language"),
    _text("enrolled_on"),
    _text("seen_on"),
    _text("pin_hash", null=True),
    Column("wrong_pins", _WHOLE, nullable=False),
    PrimaryKeyConstraint("household"),
    CheckConstraint("size BETWEEN 1 AND 100", name="size_sensible"),
    Index(None, "home"),
    sqlite_strict=True,
)

household_needs = Table(
    "household_needs",
    metadata,
    _household(),
    _text("need"),
    PrimaryKeyConstraint("household", "need"),
    _is_in("need", tuple(NEEDS)),
    sqlite_strict=True,
)

cards = Table(
    "cards",
    metadata,
    _text("card"),
    _household(),
    _text("state"),
    _text("since"),
    PrimaryKeyConstraint("card"),
    _is_in("state", ("active", "replaced", "blocked")),
    Index(None, "household"),
    sqlite_strict=True,
)

period_keys = Table(
    "period_keys",
    metadata,
    _text("programme"),
    _text("period"),
    _text("made_on"),
    _text("mark", null=True),
    _text("gone_on", null=True),
    PrimaryKeyConstraint("programme", "period"),
    CheckConstraint("(mark IS NULL) = (gone_on IS NOT NULL)", name="gone_leaves_no_mark"),
    sqlite_strict=True,
)

staff = Table(
    "staff",
    metadata,
    _text("staff"),
    _text("role"),
    _text("password_hash"),
    _text("added_on"),
    _text("disabled_on", null=True),
    PrimaryKeyConstraint("staff"),
    _is_in("role", ROLES),
    sqlite_strict=True,
)

access_log = Table(
    "access_log",
    metadata,
    Column("line", _WHOLE, primary_key=True, autoincrement=True),
    _text("at"),
    _text("staff"),
    _text("act"),
    _text("card", null=True),
    Index(None, "at"),
    sqlite_strict=True,
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("line", _WHOLE, primary_key=True, autoincrement=True),
    _text("at"),
    _text("staff", null=True),
    _text("outcome"),
    _text("way"),
    _text("network"),
    _is_in("outcome", OUTCOMES),
    _is_in("way", WAYS),
    Index(None, "at"),
    sqlite_strict=True,
)

retention = Table(
    "retention",
    metadata,
    Column("one", _WHOLE, nullable=False, autoincrement=False),
    Column("running", _WHOLE, nullable=False),
    PrimaryKeyConstraint("one"),
    CheckConstraint("one = 1", name="only_one"),
    CheckConstraint("running IN (0, 1)", name="running_known"),
    sqlite_strict=True,
)

BY_RETENTION = ("households", "cards", "period_keys", "access_log", "sign_ins")
"""Tables from which the retention job alone deletes."""

KEPT = ("staff", "retention")
"""Tables from which nothing is deleted: staff are disabled."""

FIXED = ("access_log", "sign_ins")
"""Tables whose rows are never changed."""
