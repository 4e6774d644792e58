"""What every table is made of."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, MetaData, Text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

WHOLE = BigInteger().with_variant(Integer(), "sqlite")
WORDS = Text().with_variant(Text(collation="C"), "postgresql")


def whole(name: str, *more: ForeignKey, null: bool = False) -> Column[int]:
    """A whole number."""
    return Column(name, WHOLE, *more, nullable=null, autoincrement=False)


def words(name: str, *more: ForeignKey, null: bool = False) -> Column[str]:
    """Text, sorted by code point on every database."""
    return Column(name, WORDS, *more, nullable=null)


def seq() -> Column[int]:
    """The transaction that made the row."""
    return whole("seq", ForeignKey("transactions.seq"))


def is_in(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """One of a list."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(v) for v in values)})", name=f"{column}_known")


def above_zero(column: str) -> CheckConstraint:
    """More than nothing."""
    return CheckConstraint(f"{column} > 0", name=f"{column}_above_zero")
