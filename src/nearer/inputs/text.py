"""Delimited text as offices save it: comma, semicolon, tab or bar, with or without a byte order mark."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

from nearer.errors import Faults
from nearer.inputs.columns import note_rows
from nearer.units import IntArray

DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 50_000  # records turned into columns at a time, so that lists of lists do not pile up

SAVE_AS_CSV = "open it in the spreadsheet program and save it as CSV UTF-8"
_SIGNATURES = {
    b"PK\x03\x04": "is an Excel workbook or another zip file, not text",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook, not text",
    b"\xff\xfe": "is saved as UTF-16",
    b"\xfe\xff": "is saved as UTF-16",
}


def read_text(path: Path, faults: Faults) -> tuple[pd.DataFrame, IntArray]:
    """
    Read delimited text; every value stays the text it is, so that "007" stays "007".

    Parameters
    ----------
    path
        The file. Its delimiter is the one that its header holds most of.
    faults
        Takes wrong encoding, unnamed or repeated columns, rows of another length than the header, open quotes.

    Returns
    -------
    table, rows
        Columns of stripped text ("" where empty) without blank rows, and the spreadsheet row of each record, int64
        (n,), the header in row 1. Both are empty where the file could not be read at all.
    """
    nothing = pd.DataFrame(), np.zeros(0, dtype=np.int64)
    text = _decoded(path.read_bytes(), faults)
    if text is None:
        return nothing
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        faults.add("the file is empty", remedy="give a header row and at least one row of data")
        return nothing
    delimiter = max(DELIMITERS, key=first.count)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    columns: list[list[str]] = []
    names: list[str] = []
    wrong: list[tuple[int, int]] = []
    rows: list[int] = []
    chunk: list[list[str]] = []
    row = 0
    try:
        for row, record in enumerate(records, start=1):
            if not "".join(record).strip():
                continue
            if not names:
                names = [value.strip() for value in record]
                columns = [[] for _ in names]
                continue
            while len(record) > len(names) and not record[-1].strip():
                record.pop()  # a trailing delimiter adds no value
            if len(record) != len(names):
                wrong.append((row, len(record)))
                continue
            rows.append(row)
            chunk.append(record)
            if len(chunk) == _CHUNK:
                _pour(chunk, columns)
    except csv.Error as error:
        faults.add(
            f"the text cannot be split into columns here ({error})",
            row=row + 1,
            remedy='close each quotation mark, and write a quotation mark inside quotes twice ("")',
        )
    _pour(chunk, columns)
    _note_lengths(faults, wrong, len(names), delimiter)
    table = _named(names, columns, faults)
    if not rows and not wrong and not faults.found:
        faults.add("there is a header but no row of data", remedy="add the data below the header")
    return table, np.asarray(rows, dtype=np.int64)


def _pour(chunk: list[list[str]], columns: list[list[str]]) -> None:
    """Move records into columns."""
    if chunk:
        for column, values in zip(columns, zip(*chunk, strict=True), strict=True):
            column.extend([value.strip() for value in values])
        chunk.clear()


def _decoded(data: bytes, faults: Faults) -> str | None:
    """Text of a file in UTF-8, or None with the fault noted."""
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            faults.add(f"the file {what}", remedy=SAVE_AS_CSV)
            return None
    if b"\0" in data[:65_536]:
        faults.add("the file is not text", remedy="give a CSV file saved as UTF-8")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    bad = [number for number, line in enumerate(lines) if not _is_utf8(line)]
    note_rows(
        faults,
        np.arange(1, len(lines) + 1),
        np.isin(np.arange(len(lines)), bad),
        lambda k: f'the text is not UTF-8; read as Windows-1252 it says "{lines[k].decode("cp1252", "replace")[:60]}"',
        remedy='save the file as "CSV UTF-8"',
        most=3,
    )
    return None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _note_lengths(faults: Faults, wrong: list[tuple[int, int]], n_columns: int, delimiter: str) -> None:
    """Rows that hold more or fewer values than the header has names."""
    note_rows(
        faults,
        np.array([row for row, _ in wrong], dtype=np.int64),
        np.ones(len(wrong), dtype=bool),
        lambda k: f"the row has {wrong[k][1]} values, the header {n_columns}",
        remedy=f'put text that holds "{delimiter}" in quotation marks'
        + (", and write decimal points, not decimal commas" if delimiter == "," else "")
        if any(n > n_columns for _, n in wrong)
        else "give each row a value, empty if need be, for each column",
    )


def _named(names: list[str], columns: list[list[str]], faults: Faults) -> pd.DataFrame:
    """Columns under their names; unnamed ones may only be empty, and no name may stand twice."""
    kept: dict[str, list[str]] = {}
    for position, (name, column) in enumerate(zip(names, columns, strict=True), start=1):
        if not name:
            if any(column):
                faults.add(f"column {position} has no name", row=1, remedy="name it in the header")
        elif name in kept:
            faults.add("two columns have this name", row=1, column=name, remedy="rename one of them")
        else:
            kept[name] = column
    return pd.DataFrame(kept)
