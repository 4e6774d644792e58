"""Points of a CSV or Parquet file, with a weight each, some at a time: files of any length, however little memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from nearer.errors import Faults
from nearer.inputs.columns import Frame, find_column, note_rows, read_numbers
from nearer.inputs.frames import PARQUET_SUFFIXES, TEXT_SUFFIXES, find_file, read_frame
from nearer.inputs.text import DELIMITERS
from nearer.units import FloatArray, IntArray

AT_ONCE = 500_000
"""Points read at a time."""


@dataclass(frozen=True)
class PointChunk:
    """
    Some points, as they follow each other in the file.

    Parameters
    ----------
    x, y, weight
        float64 (n,), finite; weights are not negative, 1 where the file has none.
    read_mb
        Megabytes of the file read so far, whole.
    """

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    read_mb: int


@dataclass(frozen=True)
class PricedPoints:
    """
    Sites in the plane.

    Parameters
    ----------
    x, y
        float64 (m,).
    price
        What each costs, float64 (m,); None where the file has no column ``cost``.
    """

    x: FloatArray
    y: FloatArray
    price: FloatArray | None


def read_sites(path: Path) -> PricedPoints:
    """
    Read sites in the plane, columns ``x``, ``y`` and perhaps ``cost``.

    Raises
    ------
    InputError
        The file is missing, or a cell is not what it must be.
    """
    frame = read_frame(find_file(path.parent, path.name), section="--sites")
    faults = Faults(path.name)
    numbers: dict[str, FloatArray] = {}
    for name in ("x", "y", "cost"):
        if name == "cost" and name not in frame.table:
            continue
        values = find_column(frame, name, faults, "the header")
        if values is not None:
            numbers[name] = read_numbers(
                frame, values, faults, name, coordinate=name != "cost", empty="give each site a number"
            )
    if (cost := numbers.get("cost")) is not None:
        note_rows(faults, frame.rows, cost < 0, "the cost is below 0", column="cost", remedy="give 0 or more")
    faults.raise_if_any()
    return PricedPoints(numbers["x"], numbers["y"], cost)


def stream_points(path: Path) -> Iterator[PointChunk]:
    """
    Read points in the plane, columns ``x``, ``y`` and perhaps ``weight``; others are passed over.

    Raises
    ------
    InputError
        The file is missing, lacks a column, or holds cells that are not what they must be: all of them that stand in
        the same half million rows.
    """
    path = find_file(path.parent, path.name)
    suffix = path.suffix.casefold()
    faults = Faults(path.name)
    if suffix in PARQUET_SUFFIXES:
        frames = _parquet(path, faults)
    elif suffix in TEXT_SUFFIXES:
        frames = _text(path, faults)
    else:
        faults.add(
            f'files ending in "{path.suffix}" cannot be read piece by piece',
            remedy=f"give {TEXT_SUFFIXES[0]} or {PARQUET_SUFFIXES[0]}",
        )
        frames = iter(())
    faults.raise_if_any()
    seen = 0
    for frame, read_mb in frames:
        seen += frame.n
        yield _checked(frame, read_mb)
    if not seen and not faults.found:
        faults.add("there is a header but no row of data", remedy="add the points below the header")
    faults.raise_if_any()


def _checked(frame: Frame, read_mb: int) -> PointChunk:
    faults = Faults(frame.file)
    remedy = "give each point a number"
    x = read_numbers(frame, frame.table["x"], faults, "x", coordinate=True, empty=remedy)
    y = read_numbers(frame, frame.table["y"], faults, "y", coordinate=True, empty=remedy)
    weight = np.ones(frame.n)
    if "weight" in frame.table:
        weight = read_numbers(frame, frame.table["weight"], faults, "weight", empty=remedy)
        note_rows(faults, frame.rows, weight < 0, "the weight is below 0", column="weight", remedy="give 0 or more")
    faults.raise_if_any()
    return PointChunk(x, y, weight, read_mb)


def _columns(names: list[str], faults: Faults) -> list[str]:
    """The columns to read."""
    nothing = Frame(faults.file or "", pd.DataFrame(columns=names), np.zeros(0, dtype=np.int64))
    for name in ("x", "y"):
        find_column(nothing, name, faults, "the header")
    faults.raise_if_any()
    return [name for name in ("x", "y", "weight") if name in names]


def _text(path: Path, faults: Faults) -> Iterator[tuple[Frame, int]]:
    """Delimited text; numbers as such, and once more as text where some are none, so that they can be named."""
    with path.open("rb") as file:
        head = file.readline(1_000_000)
    try:
        header = head.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        header = ""
        faults.add("the text is not UTF-8", remedy='save the file as "CSV UTF-8"')
    delimiter = max(DELIMITERS, key=header.count)
    faults.raise_if_any()
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    wanted = _columns(names, faults)
    options: dict[str, Any] = {
        "sep": delimiter,
        "header": None,
        "names": names,
        "skiprows": 1,
        "chunksize": AT_ONCE,
        "encoding": "utf-8-sig",
        "skip_blank_lines": False,
        "index_col": False,
    }
    row = 2
    kinds = dict.fromkeys(wanted, np.float64)
    try:
        with path.open("rb") as file, _strictly(file, dtype=kinds, **options) as tables:
            for table in tables:
                rows = np.arange(row, row + len(table), dtype=np.int64)
                yield _rows_with_anything(path.name, table[wanted], rows), file.tell() // 1_000_000
                row += len(table)
        return
    except (ValueError, pd.errors.ParserWarning, pd.errors.ParserError):
        pass  # which cells, is found below
    options["skiprows"] = row - 1
    try:
        with path.open("rb") as file, _strictly(file, dtype=str, keep_default_na=False, **options) as tables:
            for table in tables:
                rows = np.arange(row, row + len(table), dtype=np.int64)
                yield _rows_with_anything(path.name, table[wanted].fillna(""), rows), 0
                row += len(table)
    except pd.errors.EmptyDataError:
        pass
    except (ValueError, pd.errors.ParserWarning, pd.errors.ParserError) as error:
        first = str(error).splitlines()[0][:200]
        faults.add(
            f"the text cannot be split into columns after row {row - 1} ({first})",
            remedy=f'give each row as many values as the header, and put text that holds "{delimiter}" in quotation'
            " marks",
        )


@contextmanager
def _strictly(file: BinaryIO, **options: Any) -> Iterator[Any]:
    """Read text piece by piece; a row longer than the header is an error, not a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        with pd.read_csv(file, **options) as tables:
            yield tables


def _rows_with_anything(file: str, table: pd.DataFrame, rows: IntArray) -> Frame:
    """A frame without blank rows."""
    empty = (table.isna() | (table == "")).all(axis=1).to_numpy()
    if empty.any():
        table, rows = table[~empty], rows[~empty]
    return Frame(file, table.reset_index(drop=True), rows)


def _parquet(path: Path, faults: Faults) -> Iterator[tuple[Frame, int]]:
    try:
        import pyarrow.lib  # type: ignore[import-untyped, unused-ignore]
        import pyarrow.parquet  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        faults.add("reading Parquet needs pyarrow", remedy='install it with: pip install "nearer[scale]"')
        return
    row, megabytes = 2, path.stat().st_size / 1e6
    try:
        file = pyarrow.parquet.ParquetFile(path)
        wanted = _columns(list(file.schema_arrow.names), faults)
        for batch in file.iter_batches(batch_size=AT_ONCE, columns=wanted):
            table = batch.to_pandas()
            rows = np.arange(row, row + len(table), dtype=np.int64)
            row += len(table)
            yield Frame(path.name, table, rows), int(megabytes * (row - 2) / max(file.metadata.num_rows, 1))
    except (pyarrow.lib.ArrowException, OSError) as error:
        first = str(error).splitlines()[0][:200]
        faults.add(f"the file is damaged or of another kind ({first})", remedy="export or copy it again")
