"""QR codes of cards and lots: on the terminal, and as labels on A4 sheets."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import segno
import sqlalchemy as sa
from fpdf import FPDF

from nearer.aid import tables as ledger
from nearer.aid.refusals import RefusedError, UnknownError
from nearer.aid.store import Store
from nearer.aid.views import balances_of
from nearer.files import written_whole

COLUMNS, ROWS = 3, 8
"""Labels on a sheet: 70 × 37 mm each, as they are sold."""

_WIDTH_MM, _HEIGHT_MM = 70.0, 37.0
_TOP_MM = (297.0 - ROWS * _HEIGHT_MM) / 2
_EDGE_MM = 2.0
_CODE_MM = 30.0
_QUIET = 4


@dataclass(frozen=True)
class Label:
    """
    One label.

    Parameters
    ----------
    code
        What the QR code says.
    lines
        What stands beside it; letters that the sheet's font lacks (all but Western European ones) are left out with
        the line that has them.
    """

    code: str
    lines: tuple[str, ...]


def card_label(token: str) -> Label:
    """A card to stick or cut out: the code, and its signs to type."""
    groups = token.split("-")
    return Label(token.replace("-", ""), tuple(" ".join(groups[at : at + 2]) for at in range(0, len(groups), 2)))


def lot_labels(store: Store, lots: Sequence[str], site: str | None = None) -> list[Label]:
    """
    Labels of lots: code, item, and how long it is good.

    Parameters
    ----------
    store
        The ledger.
    lots, site
        Which; or all that a site holds, those first that end first.

    Raises
    ------
    RefusedError
        There is no such lot, or the site holds nothing.
    """
    if site is not None:
        held = [row["lot"] for row in balances_of(store, site=site) if row["kind"] in ("STOCK", "RESERVED")]
        with store.reading() as connection:
            goods = sa.select(ledger.lots.c.lot).join(ledger.items, ledger.items.c.item == ledger.lots.c.item)
            money = set(connection.execute(goods.where(ledger.items.c.kind == "money")).scalars())
        held = [lot for lot in held if lot not in money]  # nobody sticks a label on money
        lots = list(dict.fromkeys(held))
        if not lots:
            raise RefusedError("{site} holds no lots; see `nearer aid balances`.", site=site)
    table, items = ledger.lots, ledger.items
    asked = sa.select(table.c.lot, items.c.item, items.c.name, table.c.use_by, table.c.best_before).join(
        items, items.c.item == table.c.item
    )
    with store.reading() as connection:
        found = {row.lot: row for row in connection.execute(asked.where(table.c.lot.in_(lots)))}
    if missing := [lot for lot in lots if lot not in found]:
        raise UnknownError("There is no lot {lot}; see `nearer aid balances`.", lot=", ".join(missing))
    made = []
    for lot in lots:
        row = found[lot]
        days = [f"{word} {day}" for word, day in (("use by", row.use_by), ("best before", row.best_before)) if day]
        made.append(Label(lot, (lot, row.item, row.name, *days)))
    return made


def on_terminal(token: str) -> str:
    """A card's QR code in signs that a terminal shows."""
    out = io.StringIO()
    _code(token.replace("-", "")).terminal(out, compact=True)
    return out.getvalue()


def write_sheets(labels: Sequence[Label], file: Path, *, secret: bool = False) -> int:
    """
    Write labels as a PDF of A4 sheets, 24 on each.

    Parameters
    ----------
    labels
        In order, row by row.
    file
        Where.
    secret
        Whether only its owner may read the file: cards are as good as keys.

    Returns
    -------
    int
        Sheets.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    sheet = FPDF(format="A4")
    sheet.set_auto_page_break(False)
    sheet.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))  # same labels, same bytes
    sheet.set_font("Helvetica", size=10)
    left = (210.0 - COLUMNS * _WIDTH_MM) / 2
    for number, label in enumerate(labels):
        place = number % (COLUMNS * ROWS)
        if place == 0:
            sheet.add_page()
        _draw(sheet, label, left + place % COLUMNS * _WIDTH_MM, _TOP_MM + place // COLUMNS * _HEIGHT_MM)
    with written_whole(file, secret=secret) as beside:
        sheet.output(str(beside))
    return sheet.page


def _draw(sheet: FPDF, label: Label, x: float, y: float) -> None:
    rows = [list(row) for row in _code(label.code).matrix]
    unit = _CODE_MM / (len(rows) + 2 * _QUIET)
    top = y + (_HEIGHT_MM - _CODE_MM) / 2
    for down, row in enumerate(rows):
        for across, run in _runs(row):
            sheet.rect(
                x + _EDGE_MM + (across + _QUIET) * unit, top + (down + _QUIET) * unit, run * unit, unit, style="F"
            )
    lines = [line for line in label.lines if _is_printable(line)]
    for number, line in enumerate(lines):
        sheet.set_xy(x + _EDGE_MM + _CODE_MM + 1, top + 3 + number * 6)
        sheet.cell(_WIDTH_MM - _CODE_MM - 2 * _EDGE_MM - 1, 6, _shortened(sheet, line))


def _runs(row: list[int]) -> Iterator[tuple[int, int]]:
    """Where dark signs begin in a row, and how many follow each other."""
    start = None
    for across, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = across
        elif not dark and start is not None:
            yield start, across - start
            start = None


def _is_printable(line: str) -> bool:
    try:
        line.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _shortened(sheet: FPDF, line: str) -> str:
    room = _WIDTH_MM - _CODE_MM - 2 * _EDGE_MM - 4
    while sheet.get_string_width(line) > room:
        line = line[:-1]
    return line


def _code(text: str) -> segno.QRCode:
    """With so much to spare that a quarter of it may be unreadable: cards are folded and get wet."""
    return segno.make_qr(text, error="q")
