"""What others may know, on the command line."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nearer.cli import app

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, year: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``nearer aid …`` beside a copy of the made-up year."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(year, tmp_path / "aid.db")
    monkeypatch.delenv("NEARER_AID_LEDGER", raising=False)

    def nearer(*arguments: object, exit: int = 0) -> Any:
        done = CliRunner().invoke(app, ["aid", *map(str, arguments)])
        assert done.exit_code == exit, done.output
        return json.loads(done.stdout) if "--json" in arguments and not exit else done.output

    return nearer


def test_a_table_is_published_shown_and_written(run: Run, tmp_path: Path) -> None:
    asked = ("publish", "--columns", "month", "--first", "2025-01-01", "--last", "2025-03-31", "--least", "5")
    name = run(*asked, "--json")["release"]
    assert run("published", "--json")[0]["release"] == name
    shown = run("published", name)
    assert "2025-02" in shown
    assert "–" in shown
    assert "is written" in run("published", name, "--out", "table.csv")
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["households"] for row in rows] == [
        "" if row["households"] is None else str(row["households"]) for row in run("published", name, "--json")
    ]
    assert "no release 'B1'" in run("published", "B1", exit=1)
    assert "whole months" in run(*asked[:-3], "2025-03-30", exit=1)


def test_a_giver_is_told_what_became_of_a_gift(run: Run) -> None:
    import sqlite3

    with sqlite3.connect("aid.db") as raw:
        (number,) = raw.execute("SELECT thanks FROM lots WHERE item = 'rice' AND thanks IS NOT NULL LIMIT 1").fetchone()
    found = run("thanks", number, "--least", "3", "--json")
    assert 0 < found["gifts"][0]["handed_over"] <= found["gifts"][0]["given"]
    assert "handed over" in run("thanks", number)
    assert "no gift" in run("thanks", "T123", exit=1)


def test_flows_cards_and_indicators_are_shown_and_written(run: Run, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    assert run("flows", "--site", "hub", "--first", "2025-02-01", "--json")[0]["site"] == "hub"
    card = run("stock-card", "market", "--item", "rice", "--last", "2025-01-31")
    assert "opening 0" in card.splitlines()[1]
    assert "closing" in card
    assert "least_fill" in run("indicators", "--expected", "400")
    run("indicators", "--out", "kpi.xlsx")
    book = load_workbook(tmp_path / "kpi.xlsx")
    assert book.sheetnames == ["figures", "centres", "items", "fill", "waste", "weeks"]
    told = run("indicators", "--json")
    assert [cell.value for cell in book["centres"]["C"]][1:] == [row["visits"] for row in told["centres"]]
    run("indicators", "--out", "kpi.csv")
    assert (tmp_path / "kpi-waste.csv").is_file()
    assert "should end in .csv or .xlsx" in run("flows", "--out", "flows.doc", exit=2)
