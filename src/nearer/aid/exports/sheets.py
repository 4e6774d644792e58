"""Tables as CSV and XLSX: the same rows, the same bytes."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nearer.errors import UsageError
from nearer.files import written_whole

Rows = Sequence[Mapping[str, Any]]

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def write_sheets(path: Path, sheets: Mapping[str, Rows]) -> list[Path]:
    """
    Write tables to a workbook (``.xlsx``) or to CSV: one table to the file itself, several to files beside it.

    Parameters
    ----------
    path
        Ends in ``.csv`` or ``.xlsx``. Of several tables in CSV, ``waste`` goes to ``NAME-waste.csv``.
    sheets
        Tables by name; columns in the order of their first appearance.

    Returns
    -------
    paths
        What was written.

    Raises
    ------
    UsageError
        The name ends otherwise.
    OutputError
        It cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind == ".xlsx":
        with written_whole(path) as beside:
            beside.write_bytes(workbook(sheets))
        return [path]
    if kind != ".csv":
        raise UsageError(f"{path} should end in .csv or .xlsx; give such a name.")
    written = []
    for name, rows in sheets.items():
        file = path if len(sheets) == 1 else path.with_name(f"{path.stem}-{name}{path.suffix}")
        with written_whole(file) as beside:
            beside.write_text(csv_text(rows), encoding="utf-8", newline="")
        written.append(file)
    return written


def columns_of(rows: Rows) -> list[str]:
    """Names of the columns, in the order of their first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))


def csv_text(rows: Rows, tags: Mapping[str, str] | None = None) -> str:
    """
    A table as CSV with a header, and below it a row of tags where given.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    names = columns_of(rows) or list(tags or {})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    if tags is not None:
        writer.writerow([tags.get(name, "") for name in names])
    for row in rows:
        writer.writerow([harmless(row.get(name)) for name in names])
    return out.getvalue()


def harmless(value: Any) -> Any:
    """A cell that is a value and never a formula; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def workbook(sheets: Mapping[str, Rows]) -> bytes:
    """Tables as an XLSX workbook, one sheet each; numbers stay numbers and text is never a formula."""
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.properties.created = book.properties.modified = datetime(*_LONG_AGO)
    book.properties.creator = "nearer"
    assert book.active is not None
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title[:31])
        names = columns_of(rows)
        sheet.append(names)
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for number, row in enumerate(rows, start=2):
            for column, name in enumerate(names, start=1):
                value = row.get(name)
                cell = sheet.cell(number, column)
                if isinstance(value, bool) or not isinstance(value, int | float | None):
                    text = _FORBIDDEN.sub("", str(value))
                    cell.value = text
                    if isinstance(cell, Cell):
                        cell.data_type = "s"
                else:
                    cell.value = value
        for column, name in enumerate(names, start=1):
            longest = max([len(name), *(len(str(row.get(name) or "")) for row in rows[:200])])
            sheet.column_dimensions[get_column_letter(column)].width = min(60, longest + 2)
        sheet.freeze_panes = "A2"
    raw = io.BytesIO()
    book.save(raw)
    return _same_bytes(raw.getvalue())


def _same_bytes(data: bytes) -> bytes:
    """The same archive without the moment of its making."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>1980-01-01T00:00:00Z", content)
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return out.getvalue()
