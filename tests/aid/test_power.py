"""After a loss of power every acknowledged command is there; a setting that would lose one fails the same test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nearer.aid.audit import audit
from nearer.aid.store import Store
from nearer.errors import UsageError

from .power import FOLDER, record, states, why_not
from .town import Desk


@pytest.fixture
def ledger(sqlite_templates: dict[str, str], tmp_path: Path) -> Path:
    """A town's ledger at rest, all of it in one file."""
    if reason := why_not(tmp_path):
        pytest.skip(reason)
    place = Path(shutil.copy(sqlite_templates["town"], tmp_path / "aid.db"))
    with Store(str(place)) as store:
        Desk(store).give(item="rice", quantity=10**6)
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith("aid.db")) == ["aid.db"]
    return place


def lost(ledger: Path, commands: int, synchronous: str, draws: int) -> tuple[int, int, list[str]]:
    """How many disks were tried, how often a checkpoint fell in, and what was wrong with them."""
    before = Path(shutil.copy(ledger, ledger.parent / "before.db"))
    calls = record(ledger, commands, synchronous)
    answers = [call.name for call in calls if call.what == "answer"]
    assert len(answers) == commands
    assert any(call.what == "sync" and call.name == FOLDER for call in calls) or synchronous != "FULL"
    checkpoints = sum(call.what == "sync" and call.name == "aid.db" for call in calls)
    wrong, tried = [], 0
    folder = ledger.parent / "after"
    for acknowledged, files in states(before.rename(ledger), calls, draws, seed=11):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        tried += 1
        try:
            with Store(str(folder / ledger.name)) as store:
                with store.reading() as connection:
                    there = {row[0] for row in connection.exec_driver_sql("SELECT id FROM transactions")}
                if missing := acknowledged - there:
                    wrong.append(f"{len(missing)} acknowledged commands are gone")
                if not (report := audit(store)).holds:
                    wrong.append(report.findings[0].text)
        except UsageError as error:
            wrong.append(str(error))
    return tried, checkpoints, wrong


def test_a_loss_of_power_loses_nothing_that_was_acknowledged(ledger: Path) -> None:
    tried, checkpoints, wrong = lost(ledger, 20, "FULL", 2)
    assert checkpoints >= 2
    assert tried > 100
    assert wrong == []


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_the_same_loss_of_power_finds_a_ledger_that_does_not_wait_for_the_disk(ledger: Path, synchronous: str) -> None:
    _, _, wrong = lost(ledger, 8, synchronous, 0)
    assert any("acknowledged commands are gone" in text for text in wrong)


@pytest.mark.long
def test_many_losses_of_power_lose_nothing_that_was_acknowledged(ledger: Path) -> None:
    tried, checkpoints, wrong = lost(ledger, 150, "FULL", 20)
    assert checkpoints >= 10
    assert wrong == []
    print(f"{tried} disks, {checkpoints} checkpoints")
