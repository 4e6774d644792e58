"""Excel workbooks, turned into CSV as they come in, so that cells can be mended and everything else reads text."""

from __future__ import annotations

import csv
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from nearer.errors import UsageError
from nearer.files import written_whole

WORKBOOK_SUFFIX = ".xlsx"
_MOST_BYTES = 1_000_000_000
"""Of a workbook unpacked: a hundred times what an office makes, far below what fills a disk."""


def as_csv(workbook: Path, name: Path) -> list[str]:
    """
    Write each sheet that holds something as CSV.

    Parameters
    ----------
    workbook
        The file as it came.
    name
        What it is called: ``schools.xlsx`` gives ``schools.csv``, or with several sheets ``schools Sheet1.csv``, ….

    Returns
    -------
    list
        Names of the files made.

    Raises
    ------
    UsageError
        It is damaged, locked with a password or far too large, or holds nothing.
    """
    from openpyxl import load_workbook

    save = "Open it in the spreadsheet program and save it as CSV UTF-8."
    try:
        with zipfile.ZipFile(workbook) as packed:
            if sum(one.file_size for one in packed.infolist()) > _MOST_BYTES:
                raise UsageError(f"{name.name} is too large to be read as a workbook. {save}")
        with warnings.catch_warnings(), workbook.open("rb") as file:
            warnings.simplefilter("ignore")
            book = load_workbook(file, read_only=True, data_only=True)
            try:
                sheets = [
                    (sheet.title, list(_rows(sheet))) for sheet in book.worksheets if sheet.sheet_state == "visible"
                ]
            finally:
                book.close()
    except UsageError:
        raise
    except Exception as error:  # a damaged workbook fails in openpyxl in more ways than can be named
        raise UsageError(f"{name.name} is damaged, locked or no workbook. {save}") from error
    sheets = [(title, rows) for title, rows in sheets if rows]
    if not sheets:
        raise UsageError(f"{name.name} holds nothing: its sheets are empty.")
    made = []
    for title, rows in sheets:
        called = re.sub(r"[^\w .-]+", "_", title).strip(" .") or "sheet"
        path = name.with_name(f"{name.stem}.csv" if len(sheets) == 1 else f"{name.stem} {called}.csv")
        with written_whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        made.append(path.name)
    return made


def _rows(sheet: Any) -> Iterator[list[str]]:
    """Rows as text down to the last that holds something, each as wide as the header; blank ones keep their place."""
    wide, blank = 0, 0
    for values in sheet.iter_rows(values_only=True):
        row = [_text(value) for value in values]
        while row and not row[-1]:
            row.pop()
        if not row:
            blank += 1
            continue
        yield from [[""] * max(wide, 1)] * blank
        blank = 0
        wide = wide or len(row)
        yield row + [""] * (wide - len(row))


def _text(value: Any) -> str:
    """A cell as a person reads it; whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).strip()
