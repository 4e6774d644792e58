"""Tables for everybody."""

from __future__ import annotations

from typing import Any

from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.canonical import canonical
from nearer.aid.publishing.release import table_of
from nearer.aid.refusals import RefusedError
from nearer.aid.seeing.span import Span


def publish(book: Book, command: c.Publish) -> dict[str, Any]:
    """Count, hide what must be hidden, and keep what was told: later tables must not tell the rest."""
    span = Span(command.first_day, command.last_day)
    today = min((book.day_at(str(site)) for (site,) in book.sql.all("SELECT site FROM sites")), default=None)
    if today is None or today <= command.last_day.isoformat():
        raise RefusedError(
            "{last_day} is not over everywhere; publish up to an earlier day.", last_day=command.last_day
        )
    cells = table_of(book.sql, book.seq, command.rows, command.columns, span, command.least)
    told = [[row, column, count] for (row, column), count in cells.items()]
    name = f"B{book.seq}"
    book.add(
        "releases",
        release=name,
        rows_by=command.rows,
        columns_by=command.columns,
        first_day=command.first_day.isoformat(),
        last_day=command.last_day.isoformat(),
        least=command.least,
        cells=canonical(told).decode("utf-8"),
    )
    shown = sum(count is not None for count in cells.values())
    return {"release": name, "shown": shown, "hidden": len(cells) - shown}
