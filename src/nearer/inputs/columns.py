"""``Frame``: a table as a file holds it, and the checks that turn its columns into ids, texts and numbers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nearer.errors import Faults
from nearer.units import BoolArray, FloatArray, IntArray, StrArray

MOST_ROWS = 20
"""Faults of one kind that are listed row by row; the rest are counted."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DIGITS = frozenset("0123456789.")
_GROUPED = re.compile(r"[+-]?\d{1,3}([ ,.'’\u00a0\u202f]\d{3})+([.,]\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_SYNONYMS = {"lon": ("longitude", "lng", "long", "x"), "lat": ("latitude", "y")}


@dataclass(frozen=True)
class Frame:
    """
    A table as a file holds it.

    Parameters
    ----------
    file
        Name of the file as the study writes it, for messages.
    table
        The columns without geometry, row labels 0 … n − 1. Delimited text stays text, "" where empty.
    rows
        Row of each record as a spreadsheet counts it, int64 (n,): the header is row 1, also for files that have none.
    geometry
        Shapely geometries in WGS 84, object (n,), None where a record has none; None for tables without geometry.
    """

    file: str
    table: pd.DataFrame
    rows: IntArray
    geometry: NDArray[Any] | None = None

    @property
    def n(self) -> int:
        """Number of records."""
        return len(self.rows)


def note_rows(
    faults: Faults,
    rows: IntArray,
    mask: BoolArray,
    message: str | Callable[[int], str],
    *,
    column: str | None = None,
    remedy: str | Callable[[int], str] | None = None,
    most: int = MOST_ROWS,
    file: str | None = None,
) -> None:
    """
    Note one fault for each masked record, the first ``most`` by row and the rest as a number.

    Parameters
    ----------
    rows, mask
        Row of each record, int64 (n,), and which are faulty, bool (n,).
    message, remedy
        Text, or what makes it from the position of the record.
    """
    at = np.flatnonzero(mask)
    for k in at[:most].tolist():
        faults.add(
            message if isinstance(message, str) else message(k),
            row=int(rows[k]),
            column=column,
            remedy=remedy if remedy is None or isinstance(remedy, str) else remedy(k),
            file=file,
        )
    if len(at) > most:
        faults.add(f"and {len(at) - most:,} more rows with the same fault", column=column, file=file)


def nearest(wanted: str, there: Iterable[str]) -> str | None:
    """The name that someone who wrote ``wanted`` most likely meant, or None."""
    names = list(there)
    folded = {name.casefold().strip(): name for name in reversed(names)}
    want = wanted.casefold()
    for guess in (want, *_SYNONYMS.get(want, ())):
        if guess in folded:
            return folded[guess]
    close = difflib.get_close_matches(want, list(folded), n=1, cutoff=0.7)
    if close:
        return folded[close[0]]
    return next((name for fold, name in folded.items() if len(want) > 2 and (fold.startswith(want))), None)


def find_column(frame: Frame, name: str, faults: Faults, key: str) -> pd.Series[Any] | None:
    """
    A column of a frame; where it is absent, a fault that names the nearest one.

    Parameters
    ----------
    key
        The setting that names the column, for the remedy, e.g. "[people] total".
    """
    if name in frame.table:
        return frame.table[name]
    near = nearest(name, map(str, frame.table.columns))
    listed = ", ".join(map(str, frame.table.columns[:12])) or "none"
    faults.add(
        "there is no such column",
        column=name,
        remedy=f'the nearest is "{near}": set {key} to it, or rename it'
        if near
        else f"the columns are {listed}: set {key} to one of them",
    )
    return None


def texts(values: pd.Series[Any]) -> StrArray:
    """Values as text, object (n,): "" where absent; whole floats, as files with gaps make them, without ".0"."""
    if pd.api.types.is_float_dtype(values.dtype):
        return np.array([_float_text(value) for value in values.to_numpy(dtype=float, na_value=np.nan)], dtype=object)
    return np.array([value.strip() if type(value) is str else _text(value) for value in values.tolist()], dtype=object)


def _text(value: Any) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value).strip()


def _float_text(value: float) -> str:
    if np.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else str(value)


def read_ids(frame: Frame, values: pd.Series[Any], faults: Faults, column: str) -> StrArray:
    """Ids as text, object (n,), with faults for empty ones and for both rows of repeated ones."""
    ids = texts(values)
    note_rows(faults, frame.rows, ids == "", "the id is empty", column=column, remedy="give each row an id")
    note_repeated(faults, ids, frame.rows, column)
    return ids


def note_repeated(faults: Faults, ids: StrArray, rows: IntArray, column: str) -> None:
    """Note each id that stands a second time, with both rows."""
    first = pd.Series(np.arange(len(ids))).groupby(ids, sort=False).transform("min").to_numpy()
    note_rows(
        faults,
        rows,
        (first != np.arange(len(ids))) & (ids != ""),
        lambda k: f'id "{ids[k]}" stands already in row {rows[first[k]]}',
        column=column,
        remedy="give each row an id of its own",
    )


def read_numbers(
    frame: Frame,
    values: pd.Series[Any],
    faults: Faults,
    column: str,
    *,
    coordinate: bool = False,
    empty: str | None = None,
) -> FloatArray:
    """
    Numbers of a column, float64 (n,), NaN where a fault was noted.

    Parameters
    ----------
    coordinate
        Whether "9,523" is more likely a decimal comma than a thousands separator.
    empty
        Remedy for empty cells; None lets them pass as NaN.
    """
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        absent = np.isnan(numbers)
        note_rows(faults, frame.rows, np.isinf(numbers), "the number is not finite", column=column, remedy="mend it")
    else:
        given = texts(values)
        plain = _plain_mask(given)
        numbers = np.full(len(given), np.nan)
        numbers[plain] = given[plain].astype(np.float64)
        absent = given == ""
        _note_not_plain(faults, frame.rows, given, ~plain & ~absent, column, coordinate)
        note_rows(faults, frame.rows, np.isinf(numbers), "the number is not finite", column=column, remedy="mend it")
    if empty is not None:
        note_rows(faults, frame.rows, absent, "the cell is empty", column=column, remedy=empty)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _plain_mask(given: StrArray) -> BoolArray:
    """Which texts are plain numbers, bool (n,)."""
    # Digits and points alone, at most one point, none empty: by far the most columns, and much quicker to see.
    if all(given) and set("".join(given)) <= _DIGITS and not any(text.count(".") > 1 or text == "." for text in given):
        return np.ones(len(given), dtype=bool)
    return np.array([_NUMBER.fullmatch(text) is not None for text in given], dtype=bool)


def _note_not_plain(
    faults: Faults, rows: IntArray, given: StrArray, bad: BoolArray, column: str, coordinate: bool
) -> None:
    """Say what keeps each text from being a number."""
    comma, grouped = np.zeros(len(given), dtype=bool), np.zeros(len(given), dtype=bool)
    for k in np.flatnonzero(bad):
        grouped[k] = _GROUPED.fullmatch(given[k]) is not None
        comma[k] = _DECIMAL_COMMA.fullmatch(given[k]) is not None and (coordinate or not grouped[k])
    grouped &= ~comma
    note_rows(
        faults,
        rows,
        comma,
        lambda k: f'"{given[k]}" has a decimal comma',
        column=column,
        remedy=lambda k: f"write a decimal point: {given[k].replace(',', '.')}",
    )
    note_rows(
        faults,
        rows,
        grouped,
        lambda k: f'"{given[k]}" has thousands separators',
        column=column,
        remedy=lambda k: f"write it without them: {_ungrouped(given[k])}",
    )
    note_rows(
        faults,
        rows,
        bad & ~comma & ~grouped,
        lambda k: f'"{given[k][:40]}" is not a number',
        column=column,
        remedy="give a plain number such as 1234.5",
    )


def _ungrouped(text: str) -> str:
    """A number without its thousands separators: "1,234.5" → "1234.5", "1.234,5" → "1234.5"."""
    signs = re.findall(r"[^\d+-]", text)
    parts = re.split(r"[^\d+-]", text)
    fraction = len(parts[-1]) != 3 or signs[-1] != signs[0]
    return "".join(parts[:-1]) + ("." if fraction else "") + parts[-1]
