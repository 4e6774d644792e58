"""Tables for spreadsheets are values: no formula, no moment of their making."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import load_workbook

from nearer.aid.exports.sheets import csv_text, workbook, write_sheets
from nearer.errors import UsageError

ROWS = [
    {"name": '=HYPERLINK("http://x")', "amount": 3, "share": 0.5},
    {"name": "@cmd", "amount": None, "share": -2.5},
    {"name": "Mühle, «alt»\nzwei", "amount": -4, "more": True},
]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_never_becomes_a_formula(start: str) -> None:
    text = csv_text([{"a": f"{start}1+1"}])
    assert text.split("\n", 1)[1].lstrip('"').startswith(f"'{start}")
    sheet = load_workbook(io.BytesIO(workbook({"t": [{"a": f"{start}1+1"}]})))["t"]
    assert sheet["A2"].data_type != "f"


def test_numbers_stay_numbers_and_the_same_rows_have_the_same_bytes() -> None:
    data = workbook({"one": ROWS, "two": []})
    assert workbook({"one": ROWS, "two": []}) == data
    sheet = load_workbook(io.BytesIO(data))["one"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["name", "amount", "share", "more"],
        ['=HYPERLINK("http://x")', 3, 0.5, None],
        ["@cmd", None, -2.5, None],
        ["Mühle, «alt»\nzwei", -4, None, "True"],
    ]
    assert csv_text(ROWS).splitlines()[2] == "'@cmd,,-2.5,"


def test_several_tables_go_to_files_beside_each_other(tmp_path: Path) -> None:
    written = write_sheets(tmp_path / "k.csv", {"a": ROWS, "b": ROWS})
    assert [path.name for path in written] == ["k-a.csv", "k-b.csv"]
    with pytest.raises(UsageError, match=r"end in \.csv"):
        write_sheets(tmp_path / "k.ods", {"a": ROWS})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k-a.csv", "k-b.csv"]
