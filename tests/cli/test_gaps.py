"""``nearer gaps`` on the study that ``nearer new`` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nearer.study.gaps import GAP_FILES


def test_gaps_are_told_in_a_table_and_written(nearer: Any, tmp_path: Path) -> None:
    nearer("new", "town")
    done = nearer("gaps", "town", "--minutes", 10)
    assert (done.returncode, done.stderr) == (0, "")
    assert "lack a place in reach, measured by one centre for 5,000 people within 10 minutes" in done.stdout
    assert "1. " in done.stdout
    assert {path.name for path in (tmp_path / "town" / "gaps").iterdir()} == set(GAP_FILES)


def test_gaps_are_verified_and_a_change_is_exit_code_1(nearer: Any, tmp_path: Path) -> None:
    nearer("new", "town")
    nearer("gaps", "town", "--minutes", 10)
    done = nearer("verify", Path("town") / "gaps")
    assert done.returncode == 0, done.stdout
    assert "The list of gaps holds" in done.stdout
    file = tmp_path / "town" / "gaps" / "gaps.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["measures"]["lacking"] += 1
    file.write_text(json.dumps(document), encoding="utf-8")
    assert nearer("verify", Path("town") / "gaps").returncode == 1


def test_the_answer_for_programs_is_json(nearer: Any, tmp_path: Path) -> None:
    nearer("new", "town")
    done = nearer("gaps", "town", "--json", "--group", "older", "--decay", "slow", "--out", tmp_path / "out")
    answer = json.loads(done.stdout)
    assert answer["standard"] == {"minutes": 15, "people": 5000, "group": "older", "decay": "slow"}
    assert {"study", "rule", "measures", "found", "gaps", "files"} <= answer.keys()
    assert Path(answer["files"]["gaps.html"]).is_file()


def test_a_group_that_is_not_there_is_exit_code_2(nearer: Any) -> None:
    nearer("new", "town")
    done = nearer("gaps", "town", "--group", "cats")
    assert done.returncode == 2
    assert "there is no group 'cats'" in done.stderr
