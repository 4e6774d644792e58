"""Kits and repacking."""

from __future__ import annotations

from typing import Any

from nearer.aid import accounts
from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.desk.intake import earmarks_of, new_lot, turn_into
from nearer.aid.desk.lookup import need, need_open
from nearer.aid.desk.pick import pick
from nearer.aid.refusals import RefusedError, unknown


def make(book: Book, command: c.Make) -> dict[str, Any]:
    """Parts STOCK → CONVERT, the new lot CONVERT → STOCK; it ends when the first of its parts ends."""
    need_open(book, command.site)
    need(book, "programme", command.for_programme)
    row = book.sql.one("SELECT item, quantity FROM recipes WHERE recipe = ?", command.recipe)
    if row is None:
        raise unknown("recipe", command.recipe, "see `nearer aid list recipes`")
    item, each = str(row[0]), int(row[1])
    stock, day = accounts.stock(command.site), book.day_at(command.site)
    parts: list[tuple[str, int]] = []
    for part, quantity in book.sql.all(
        "SELECT item, quantity FROM recipe_lines WHERE recipe = ? ORDER BY item", command.recipe
    ):
        wanted = int(quantity) * command.times
        parts += pick(book, stock, part, wanted, day=day, programme=command.for_programme, site=command.site)
    ends: dict[str, list[str]] = {"use_by": [], "best_before": []}
    cold = 0
    for lot, _ in parts:
        found = book.sql.one("SELECT use_by, best_before, cold FROM lots WHERE lot = ?", lot)
        assert found is not None
        for name, end in zip(ends, found, strict=False):
            if end is not None:
                ends[name].append(end)
        cold = max(cold, int(found[2]))
    use_by = min(ends["use_by"], default=None)
    if command.use_by is not None:
        if use_by is not None and command.use_by.isoformat() > use_by:
            raise RefusedError(
                "One of the parts is to be used by {use_by}; what is made of it ends no later.", use_by=use_by
            )
        use_by = command.use_by.isoformat()
    made = new_lot(
        book,
        origin="conversion",
        item=item,
        use_by=use_by,
        best_before=min(ends["best_before"], default=None),
        cold=cold,
        **earmarks_of(book, [lot for lot, _ in parts]),
    )
    turn_into(book, command.site, parts, made, each * command.times)
    return {
        "lot": made,
        "item": item,
        "quantity": each * command.times,
        "parts": [{"lot": lot, "quantity": amount} for lot, amount in parts],
    }
