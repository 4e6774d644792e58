"""Long answers in pages: each page tells the cursor of the next, and what is added meanwhile moves nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel, Field

from nearer.errors import Fault, InputError

Limit = Annotated[int, Query(ge=1, le=1000, description="Most rows of one page.")]
Cursor = Annotated[
    str | None, Query(max_length=2000, pattern=r"^[A-Za-z0-9_-]+$", description="`next` of the page before.")
]

RowT = TypeVar("RowT")


class Page(BaseModel, Generic[RowT]):
    """Some rows, and where the next begin."""

    rows: list[RowT]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


def after(
    keys: Sequence[sa.ColumnElement[Any]], cursor: str | None, *, descending: bool = False
) -> sa.ColumnElement[bool]:
    """
    What comes after a cursor in the order of the keys, or before it where they descend.

    Raises
    ------
    InputError
        The cursor is none that a page told.
    """
    if cursor is None:
        return sa.true()
    values = _read(cursor, [str if isinstance(key.type, sa.Text) else int for key in keys])
    here, there = sa.tuple_(*keys), sa.tuple_(*values)
    return here < there if descending else here > there


def cursor_of(values: Sequence[Any]) -> str:
    """The cursor that stands for the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def page_of(
    rows: Sequence[dict[str, Any]], key: Callable[[dict[str, Any]], list[Any]], limit: int, cursor: str | None
) -> dict[str, Any]:
    """
    A page of rows that are all at hand, in the order of their keys (whole numbers or texts, and none twice).

    Raises
    ------
    InputError
        The cursor is none that a page told.
    """
    if cursor is not None:
        # Without rows, none tells what a key is made of; whatever was told, nothing comes after it.
        last = _read(cursor, [type(value) for value in key(rows[0])]) if rows else []
        rows = [row for row in rows if key(row) > last]
    return {"rows": list(rows[:limit]), "next": cursor_of(key(rows[limit - 1])) if len(rows) > limit else None}


def _read(cursor: str, kinds: list[type]) -> list[Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        found = None
    if (
        not isinstance(found, list)
        or [type(value) for value in found] != kinds
        or any(isinstance(value, int) and abs(value) >= 2**63 for value in found)
        or any(isinstance(value, str) and ("\x00" in value or not value.isprintable()) for value in found)
    ):
        raise InputError([Fault("is no cursor of this list", column="cursor", remedy="begin without one")])
    return found
