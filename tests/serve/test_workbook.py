"""Workbooks become CSV as they come in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from nearer.errors import UsageError
from nearer.serve.workbook import as_csv


def saved(folder: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = folder / "part"  # as uploads are kept until they are whole: without an ending
    book.save(path)
    return path


def test_cells_become_the_text_a_person_reads_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    rows = [["id", "people", "made"], ["007", 5.0, date(2026, 1, 2)], [], ["8", 2.5, None, None, "far right"], [None]]
    found = as_csv(saved(tmp_path, ("Table", rows), ("Empty", [])), tmp_path / "people.xlsx")
    assert found == ["people.csv"]
    text = (tmp_path / "people.csv").read_text(encoding="utf-8")
    assert text == 'id,people,made\n007,5,2026-01-02\n"","",""\n8,2.5,,,far right\n'.replace('"","",""', ",,")


def test_each_sheet_becomes_a_file_of_its_own(tmp_path: Path) -> None:
    book = saved(tmp_path, ("Centres", [["id"], ["a"]]), ("Schools: all?"[:7], [["id"], ["b"]]))
    assert as_csv(book, tmp_path / "town.xlsx") == ["town Centres.csv", "town Schools.csv"]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04nonsense", b"id,name\n1,2\n"])
def test_what_is_no_workbook_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "part").write_bytes(data)
    with pytest.raises(UsageError, match="save it as CSV UTF-8"):
        as_csv(tmp_path / "part", tmp_path / "x.xlsx")
    with pytest.raises(UsageError, match="its sheets are empty"):
        as_csv(saved(tmp_path, ("A", [])), tmp_path / "x.xlsx")
