"""Whatever bytes and cells an importer is given, it refuses in sentences or reads, and nothing else."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from nearer.aid.audit import audit
from nearer.aid.imports import gifts_from, items_from, post, read_spellings, stock_from
from nearer.aid.imports.headings import HEADINGS
from nearer.aid.imports.sheet import read_sheet
from nearer.aid.store import Store
from nearer.errors import InputError, NearerError

SPELLINGS = read_spellings(None)

QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def store(sqlite_templates: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    file = shutil.copy(sqlite_templates["town"], tmp_path_factory.mktemp("fuzz") / "town.db")
    with Store(str(file)) as found:
        yield found


def workbook(rows: list[list[object]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


SHEET = workbook([["item", "quantity"], ["rice", 1]])

cells = st.one_of(
    st.sampled_from(["rice", "Oil", "hub", "north", "mill", "kg", "pcs", "1", "0", "-1", "1e9", "1,5", "NaN", ""]),
    st.sampled_from(["2026-03-31", "0001-01-01", "9999-12-31", "99999999999999999999", "0.5", "yes", "CHF", "php"]),
    st.text(max_size=12),
)
headings = st.sampled_from([heading for known in HEADINGS.values() for heading in known] + ["?", ""])


def try_all(store: Store, file: Path, apply: bool = False) -> None:
    """Each importer either plans or refuses with an ``InputError`` whose faults name the file."""
    attempts = (
        lambda: gifts_from(store, file, SPELLINGS, site="hub", giver="mill", add_items=True, add_organisations=True),
        lambda: stock_from(store, file, SPELLINGS, site="north", add_items=True),
        lambda: items_from(store, file, SPELLINGS),
    )
    for attempt in attempts:
        error: NearerError | None = None
        try:
            reading = attempt()
            if apply:
                post(store, reading, actor="staff-1")
        except NearerError as refusal:
            error = refusal
        if isinstance(error, InputError):
            assert error.faults
            assert all(fault.file == str(file) for fault in error.faults)
        elif error is not None:
            assert str(file) in str(error)


@QUIET
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=200).map(lambda data: b"PK\x03\x04" + data)))
def test_any_bytes(store: Store, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "any.csv"
    file.write_bytes(data)
    try_all(store, file)


@QUIET
@given(st.data())
def test_a_workbook_with_bytes_changed(store: Store, tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(SHEET)
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path / "broken.xlsx"
    file.write_bytes(bytes(raw))
    try_all(store, file)


@QUIET
@given(st.lists(headings, min_size=1, max_size=8), st.lists(st.lists(cells, max_size=9), max_size=5))
def test_any_cells(store: Store, tmp_path: Path, header: list[str], rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    file = tmp_path / "cells.csv"
    file.write_text(out.getvalue(), encoding="utf-8", errors="replace", newline="")
    try_all(store, file, apply=True)


def test_what_was_taken_in_while_fuzzing_leaves_a_ledger_that_holds(store: Store, tmp_path: Path) -> None:
    assert audit(store).holds


def test_a_workbook_that_unpacks_to_a_mountain_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (300 * 2**20))
    file = tmp_path / "mountain.xlsx"
    file.write_bytes(out.getvalue())
    with pytest.raises(InputError, match="too large"):
        read_sheet(file)
