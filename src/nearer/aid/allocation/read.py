"""Plain tables to a checked case; whatever is wrong is told at once, with table, row, column and remedy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from nearer.aid.allocation.case import Case, Item, Link, Lot, Place, Request
from nearer.errors import Faults

Table = Sequence[Mapping[str, Any]]

TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "items": (("item", "kg"), ("litres", "cold")),
    "places": (
        ("place", "kind"),
        ("open", "closed", "send_kg", "send_litres", "store_kg", "store_litres", "store_cold_litres"),
    ),
    "lots": (
        ("lot", "item", "place", "quantity"),
        ("pack", "arrives", "use_by", "best_before", "programme", "centre"),
    ),
    "requests": (("centre", "item", "quantity"), ("minimum", "programme", "from", "to")),
    "links": (("from", "to", "minutes"), ("days", "kg", "litres")),
}
"""Columns of each table: those that must be there, and those that may be."""

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_DAYS = 31


def read_case(tables: Mapping[str, Table], start: date, days: int) -> Case:
    """
    Check tables and make a case of them.

    Parameters
    ----------
    tables
        ``items``, ``places``, ``lots``, ``requests`` and ``links``: rows by column name, as text or as values. An empty
        cell is "no limit" for what can be carried and stored, "from the first day" and "to the last" for days, and
        "for all" for earmarks.
    start, days
        First day and length of the horizon.

    Raises
    ------
    InputError
        With every fault found.
    """
    faults = Faults()
    if not 1 <= days <= _MOST_DAYS:
        faults.add(f"the horizon is {days} days", remedy=f"give 1 to {_MOST_DAYS}")
    for name in sorted(set(tables) - set(TABLES)):
        faults.add("there is no such table", file=name, remedy=f"there are {', '.join(TABLES)}")
    for name in TABLES:
        if name not in tables and name != "links":
            faults.add("the table is missing", file=name)
    _check_columns(tables, faults)
    faults.raise_if_any()

    items = [
        Item(row.text("item"), row.number("kg", above_zero=True), row.number("litres", 0.0), row.yes("cold"))
        for row in _rows(tables, "items", faults)
    ]
    places = [_place(row, start, days) for row in _rows(tables, "places", faults)]
    item_at = _positions(tables, "items", "item", [i.id for i in items], faults)
    place_at = _positions(tables, "places", "place", [p.id for p in places], faults)
    lots = [_lot(row, start, item_at, place_at) for row in _rows(tables, "lots", faults)]
    _positions(tables, "lots", "lot", [lot.id for lot in lots], faults)
    requests = [_request(row, start, days, item_at, place_at) for row in _rows(tables, "requests", faults)]
    links = [_link(row, place_at) for row in _rows(tables, "links", faults)]
    seen: dict[tuple[int, int], int] = {}
    for k, link in enumerate(links):
        if min(link.origin, link.to) < 0:
            continue
        if link.origin == link.to:
            faults.add("the link leads from a place to itself", file="links", row=k + 2, remedy="remove the row")
        earlier = seen.setdefault((link.origin, link.to), k)
        if earlier != k:
            faults.add(f"the same link is in row {earlier + 2}", file="links", row=k + 2, remedy="keep one of them")
    faults.raise_if_any()
    return Case(start, days, tuple(items), tuple(places), tuple(lots), tuple(requests), tuple(links))


class _Row:
    """One row of a table: values by column, with faults noted."""

    def __init__(self, table: str, number: int, values: Mapping[str, Any], faults: Faults) -> None:
        self.table, self.row, self._values, self._faults = table, number, values, faults

    def fault(self, message: str, column: str, remedy: str | None = None) -> None:
        self._faults.add(message, file=self.table, row=self.row, column=column, remedy=remedy)

    def raw(self, column: str) -> Any:
        """The value, None where the cell is empty."""
        value = self._values.get(column)
        if isinstance(value, str):
            value = value.strip()
        return None if value is None or value == "" else value

    def text(self, column: str) -> str:
        value = self.raw(column)
        if value is None:
            self.fault("the cell is empty", column)
            return ""
        return str(value)

    def number(self, column: str, default: float | None = None, *, above_zero: bool = False) -> float:
        value = self.raw(column)
        if value is None:
            if default is None:
                self.fault("the cell is empty", column, "give a number")
            return 1.0 if default is None else default
        try:
            found = float(value)
        except (TypeError, ValueError):
            self.fault(f"{value!r} is not a number", column)
            return 1.0
        if not math.isfinite(found) or found < 0 or (above_zero and found == 0):
            self.fault(f"{value} is not a number {'above zero' if above_zero else 'of zero or more'}", column)
            return 1.0
        return found

    def whole(self, column: str, default: int | None = None, *, least: int = 0) -> int:
        value = self.raw(column)
        if value is None and default is not None:
            return default
        try:
            found = int(value) if not isinstance(value, float) or value.is_integer() else None
        except (TypeError, ValueError):
            found = None
        if found is None or found < least or found > 10**12:
            said = "the cell is empty" if value is None else f"{value!r} is not a whole number of {least} or more"
            self.fault(said, column, "quantities are in whole base units")
            return max(least, 1)
        return found

    def yes(self, column: str) -> bool:
        value = self.raw(column)
        known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
        if value is None:
            return False
        if str(value).lower() not in known:
            self.fault(f"{value!r} is neither yes nor no", column)
        return known.get(str(value).lower(), False)

    def date(self, column: str) -> date | None:
        value = self.raw(column)
        if value is None or isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fault(f"{value!r} is not a date", column, "write it as 2026-03-02")
            return None

    def position(self, column: str, known: Mapping[str, int], table: str) -> int:
        value = self.text(column)
        if value and value not in known:
            self.fault(f"{value!r} is not in {table}", column)
        return known.get(value, -1)


def _check_columns(tables: Mapping[str, Table], faults: Faults) -> None:
    for name, (needed, possible) in TABLES.items():
        there = set(tables[name][0]) if tables.get(name) else set(needed)
        for column in needed:
            if column not in there:
                faults.add("the column is missing", file=name, column=column)
        known = ", ".join(needed + possible)
        for column in sorted(there - {*needed, *possible}):
            faults.add("there is no such column", file=name, column=column, remedy=f"there are {known}")


def _rows(tables: Mapping[str, Table], name: str, faults: Faults) -> Iterator[_Row]:
    for k, values in enumerate(tables.get(name, ())):
        yield _Row(name, k + 2, values, faults)


def _positions(tables: Mapping[str, Table], name: str, column: str, ids: list[str], faults: Faults) -> dict[str, int]:
    found: dict[str, int] = {}
    for k, one in enumerate(ids):
        if one in found:
            faults.add(f"{one!r} is in row {found[one] + 2} already", file=name, row=k + 2, column=column)
        found.setdefault(one, k)
    return found


def _place(row: _Row, start: date, days: int) -> Place:
    kind = row.text("kind")
    if kind not in ("hub", "centre", ""):
        row.fault(f"{kind!r} is neither hub nor centre", "kind")
    names = str(row.raw("open") or " ".join(_WEEKDAYS)).lower().replace(",", " ").split()
    for name in names:
        if name not in _WEEKDAYS:
            row.fault(f"{name!r} is no weekday", "open", f"write some of {' '.join(_WEEKDAYS)}")
    closed = set()
    for text in str(row.raw("closed") or "").replace(",", " ").split():
        try:
            closed.add(date.fromisoformat(text))
        except ValueError:
            row.fault(f"{text!r} is not a date", "closed", "write dates as 2026-03-02, with blanks between")
    dates = [start + timedelta(days=d) for d in range(days)]
    is_open = frozenset(d for d, at in enumerate(dates) if _WEEKDAYS[at.weekday()] in names and at not in closed)
    limits = ("send_kg", "send_litres", "store_kg", "store_litres", "store_cold_litres")
    kg, litres, store_kg, store_litres, cold = (row.number(name, math.inf) for name in limits)
    return Place(row.text("place"), kind == "hub", is_open, kg, litres, store_kg, store_litres, cold)


def _lot(row: _Row, start: date, item_at: Mapping[str, int], place_at: Mapping[str, int]) -> Lot:
    arrives, use_by = row.date("arrives"), row.date("use_by")
    quantity, pack = row.whole("quantity"), row.whole("pack", 1, least=1)
    programme, centre = row.raw("programme"), row.raw("centre")
    return Lot(
        id=row.text("lot"),
        item=row.position("item", item_at, "items"),
        place=row.position("place", place_at, "places"),
        quantity=quantity,
        pack=pack,
        first=0 if arrives is None else max(0, (arrives - start).days),
        last=None if use_by is None else max(-1, (use_by - start).days),
        use_by=use_by,
        best_before=row.date("best_before"),
        programme=None if programme is None else str(programme),
        centre=None if centre is None else row.position("centre", place_at, "places"),
    )


def _request(row: _Row, start: date, days: int, item_at: Mapping[str, int], place_at: Mapping[str, int]) -> Request:
    quantity, minimum = row.whole("quantity", least=1), row.whole("minimum", 0)
    if minimum > quantity:
        row.fault(f"the minimum {minimum} is above the quantity {quantity}", "minimum")
    first, last = row.date("from"), row.date("to")
    if first is not None and last is not None and last < first:
        row.fault(f"{last} is before {first}", "to")
    return Request(
        centre=row.position("centre", place_at, "places"), item=row.position("item", item_at, "items"),
        quantity=quantity, minimum=minimum, programme=str(row.raw("programme") or ""),
        first=0 if first is None else max(0, (first - start).days),
        last=days - 1 if last is None else (last - start).days,
    )  # fmt: skip


def _link(row: _Row, place_at: Mapping[str, int]) -> Link:
    return Link(
        row.position("from", place_at, "places"), row.position("to", place_at, "places"), row.number("minutes"),
        row.whole("days", 0), row.number("kg", math.inf), row.number("litres", math.inf),
    )  # fmt: skip
