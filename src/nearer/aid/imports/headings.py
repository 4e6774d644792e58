"""Which column is which, by the headings that people use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from nearer.aid.imports.sheet import Sheet
from nearer.errors import Faults

HEADINGS: dict[str, tuple[str, ...]] = {
    "item": ("item", "article", "product", "item id"),
    "name": ("item name", "name", "description", "item description", "product name", "article name"),
    "ifrc": ("item code", "ifrc code", "ifrc", "catalogue code", "code"),
    "quantity": ("quantity", "qty", "amount", "number", "count", "counted", "stock"),
    "unit": ("unit", "units", "unit of measure", "uom", "pack"),
    "giver": ("giver", "donor", "donor code", "supplier", "supplier donor", "from", "given by"),
    "site": ("site", "warehouse", "centre", "center", "store", "location"),
    "use_by": (
        "use by",
        "use by date",
        "expiry",
        "expiry date",
        "expires",
        "expiration",
        "expiration date",
        "exp date",
    ),
    "best_before": ("best before", "best before date", "bbd", "bbe"),
    "day": ("date", "received", "received on", "date received", "day"),
    "unit_value": ("unit value", "unit price", "price"),
    "value": ("value", "total value"),
    "currency": ("currency",),
    "cold": ("cold", "keep cold", "chilled"),
    "programme": ("programme", "program", "for programme", "earmark"),
    "category": ("category", "group", "family"),
    "pack_size": ("pack size", "pieces per pack", "units per pack", "pack quantity"),
    "weight": ("weight", "weight kg"),
    "volume": ("volume", "volume m3"),
    "volume_l": ("volume litre", "volume l", "volume litres"),
}
"""What a column may be, and the headings by which it is known: small letters, signs as blanks."""

_KNOWN = {heading: field for field, headings in HEADINGS.items() for heading in headings}

_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")


def plain_heading(text: str) -> str:
    """Small letters and digits, everything else as one blank."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


@dataclass(frozen=True)
class Columns:
    """
    Where the known columns are.

    Parameters
    ----------
    at
        Field → position.
    header
        Names as the file has them.
    ignored
        Headings that nothing is read from.
    """

    at: Mapping[str, int]
    header: tuple[str, ...]
    ignored: tuple[str, ...]


def columns_of(sheet: Sheet, wanted: Iterable[str], faults: Faults) -> Columns:
    """Match headings; a field that two columns could be is a fault."""
    fields = set(wanted)
    at: dict[str, int] = {}
    ignored = []
    for position, text in enumerate(sheet.header):
        field = _KNOWN.get(plain_heading(text))
        if field is None or field not in fields:
            if text:
                ignored.append(text)
        elif field in at:
            remedy = f"keep one of them, or rename {text!r}"
            faults.add(f"{sheet.header[at[field]]!r} says the same", row=1, column=text, remedy=remedy)
        else:
            at[field] = position
    return Columns(at, sheet.header, tuple(ignored))


class Line:
    """One row: cells by field, faults with row and column."""

    def __init__(self, row: int, cells: tuple[str, ...], columns: Columns, faults: Faults) -> None:
        self.row, self._cells, self._columns, self._faults = row, cells, columns, faults

    def has(self, field: str) -> bool:
        """Whether there is text in that column."""
        return bool(self.text(field))

    def text(self, field: str) -> str:
        """The cell, "" where it is empty or there is no such column."""
        position = self._columns.at.get(field)
        return "" if position is None else self._cells[position]

    def fault(self, field: str, message: str, remedy: str | None = None) -> None:
        """Note what is wrong with a cell."""
        position = self._columns.at.get(field)
        column = field if position is None else self._columns.header[position]
        self._faults.add(message, row=self.row, column=column, remedy=remedy)

    def number(self, field: str) -> str | None:
        """A number as plain text, None where it is none."""
        text = self.text(field)
        if _NUMBER.fullmatch(text):
            return text
        if not text:
            self.fault(field, "the cell is empty", "give a number")
        elif re.fullmatch(r"[0-9][0-9.,' ]*", text):
            self.fault(field, f"{text!r} can be read in two ways", "write it without separators, such as 1200 or 1.5")
        else:
            self.fault(field, f"{text[:40]!r} is no number", "write such as 1200 or 1.5")
        return None

    def day(self, field: str) -> date | None:
        """A day, None where the cell is empty or is none."""
        text = self.text(field)
        if not text:
            return None
        try:
            found = date.fromisoformat(text[:10] if len(text) > 10 and text[10] in " T" else text)
        except ValueError:
            self.fault(field, f"{text[:40]!r} is no day", "write such as 2026-03-31")
            return None
        if not 2000 <= found.year < 9000:
            self.fault(field, f"{found} cannot be", "write such as 2026-03-31")
            return None
        return found

    def yes(self, field: str) -> bool:
        """Whether a cell says yes; empty is no."""
        text = self.text(field).lower()
        if text in ("", "no", "n", "0", "false"):
            return False
        if text not in ("yes", "y", "1", "true", "x"):
            self.fault(field, f"{text[:40]!r} is neither yes nor no", "write yes or no")
        return True


def lines_of(sheet: Sheet, columns: Columns, faults: Faults) -> Iterator[Line]:
    """The rows below the header."""
    for row, cells in sheet.rows:
        yield Line(row, cells, columns, faults)
