"""A table as rows of text, whatever kind of file it was."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from nearer.errors import Fault, InputError

MOST_BYTES = 32 * 2**20
"""No file is read that is larger, packed or unpacked eight times."""

MOST_ROWS = 100_000

MOST_COLUMNS = 500


@dataclass(frozen=True)
class Sheet:
    """
    What a file holds.

    Parameters
    ----------
    name, mark
        File as the user wrote it, and the first 16 digits of the SHA-256 of its bytes.
    header
        Names of the columns, trimmed.
    rows
        Row as a spreadsheet counts it (the header is row 1 where nothing is above it) and its cells, trimmed, as many
        as the header has; rows without any text are left out.
    """

    name: str
    mark: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_sheet(file: Path) -> Sheet:
    """
    Read CSV (comma, semicolon or tab; UTF-8) or the first sheet of an XLSX workbook.

    Raises
    ------
    InputError
        The file cannot be read, is too large, or holds no table.
    """
    name = str(file)
    try:
        if Path(file).stat().st_size > MOST_BYTES:
            raise InputError([Fault("is too large", name, remedy=f"give at most {MOST_BYTES // 2**20} MB")])
        data = Path(file).read_bytes()
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror}", name)]) from error
    rows = _workbook_rows(data, name) if data[:4] == b"PK\x03\x04" else _csv_rows(data, name)
    filled = [(number, cells) for number, cells in rows if any(cells)]
    if not filled:
        raise InputError([Fault("holds no table", name, remedy="give a header and rows below it")])
    if len(filled) > MOST_ROWS or max(len(cells) for _, cells in filled) > MOST_COLUMNS:
        most = f"give at most {MOST_ROWS} rows and {MOST_COLUMNS} columns"
        raise InputError([Fault("is too large", name, remedy=most)])
    (_, header), *body = filled
    width = len(header)
    return Sheet(
        name,
        hashlib.sha256(data).hexdigest()[:16],
        header,
        tuple((number, (*cells, *[""] * width)[:width]) for number, cells in body),
    )


def _csv_rows(data: bytes, name: str) -> list[tuple[int, tuple[str, ...]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = "save it as CSV in UTF-8, or as XLSX"
        raise InputError([Fault("is neither UTF-8 text nor an XLSX workbook", name, remedy=remedy)]) from error
    if "\x00" in text:
        raise InputError([Fault("is no text", name, remedy="save it as CSV in UTF-8, or as XLSX")])
    first = next((line for line in text.splitlines() if line.strip()), "")
    mark = max(",;\t", key=first.count)
    found = []
    reader = csv.reader(io.StringIO(text), delimiter=mark)
    try:
        for cells in reader:
            found.append((reader.line_num, tuple(cell.strip() for cell in cells)))
    except csv.Error as error:
        raise InputError([Fault(f"is no CSV: {error}", name, reader.line_num)]) from error
    # Rows are counted as a spreadsheet does, whatever line breaks stand inside cells.
    return [(number, cells) for number, (_, cells) in enumerate(found, start=1)]


def _workbook_rows(data: bytes, name: str) -> list[tuple[int, tuple[str, ...]]]:
    from openpyxl import load_workbook

    remedy = "save it anew as XLSX or CSV"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > 8 * MOST_BYTES:
                raise InputError([Fault("is too large", name, remedy=f"give at most {MOST_BYTES // 2**20} MB")])
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            found = []
            for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
                if number > MOST_ROWS + 1 or len(row) > 16_384:
                    raise InputError([Fault("is too large", name, remedy=f"give at most {MOST_ROWS} rows")])
                found.append((number, tuple(_text(cell) for cell in row)))
            return [(number, _without_empty_end(cells)) for number, cells in found]
        finally:
            book.close()
    except InputError:
        raise
    except Exception as error:  # whatever a broken archive makes its reader say
        raise InputError([Fault("is no XLSX workbook that can be read", name, remedy=remedy)]) from error


def _without_empty_end(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", str(value)).strip()
