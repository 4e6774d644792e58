"""``nearer curve``, ``compare`` and ``sensitivity`` from the command line, on the study that ``nearer new`` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def town(nearer: Any, tmp_path: Path) -> Path:
    assert nearer("new", "town").returncode == 0
    return tmp_path / "town"


def test_a_curve_ends_in_time_with_exit_3_and_what_was_done_is_verified(nearer: Any, town: Path) -> None:
    whole = nearer("curve", "town", "--to", 6, "--json")
    assert whole.returncode == 0
    document = json.loads(whole.stdout)
    assert document["complete"]
    assert [size["centres"] for size in document["sizes"]] == [1, 2, 3, 4, 5, 6]
    early = nearer("curve", "town", "--to", 6, "--time-limit", 0, "--out", "early")
    assert early.returncode == 3
    assert "Stopped early: the sizes done are shown." in early.stdout
    for folder in (Path("town") / "curve", Path("early")):
        assert nearer("verify", folder, "--study", "town").returncode == 0
    refused = nearer("curve", "town", "--to", 99)
    assert refused.returncode == 2
    assert "only 5 candidates may open" in refused.stderr


def test_plans_are_compared_from_the_command_line(nearer: Any, town: Path) -> None:
    for n in (1, 2):
        assert nearer("plan", "town", "--open", n, "--out", f"open{n}").returncode == 0
    said = nearer("compare", "open1", "open2", "--out", "both", "--json")
    assert said.returncode == 0
    assert [plan["opened"] for plan in json.loads(said.stdout)["plans"]] == [1, 2]
    assert nearer("verify", "both").returncode == 0
    assert nearer("compare", "open1").returncode == 2
    assert nearer("compare", "open1", "town").returncode == 2


def test_scenarios_are_planned_from_the_command_line(nearer: Any, town: Path) -> None:
    said = nearer("sensitivity", "town", "--goal", "value", "--json")
    assert said.returncode == 0
    assert json.loads(said.stdout)["robust"]["goal"] == "value"
    assert nearer("verify", Path("town") / "sensitivity").returncode == 0
    assert nearer("sensitivity", "town", "--percent", 100).returncode == 2
