"""``nearer frontier`` from a study folder to a table, a page and a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nearer.errors import UsageError
from nearer.study.frontier import FRONTIER_FILES, run_frontier
from tests.study.test_verify import write_study


def test_less_of_one_objective_buys_more_of_the_other(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "valleys")
    for name, threads in (("one", 1), ("two", 2)):
        pair = {"first": "coverage", "second": "travel"}
        made = run_frontier(folder, **pair, points=4, gap=0.0, out=folder / name, threads=threads)
    assert made.complete
    assert made.held == "coverage"
    assert len(made.points) >= 2
    assert [p.first for p in made.points] == sorted((p.first for p in made.points), reverse=True)
    assert [p.second for p in made.points] == sorted((p.second for p in made.points), reverse=True)
    for point in made.points:
        assert point.bound <= point.second
        assert len(point.opened) == 4
    assert {path.name for path in (folder / "one").iterdir()} == set(FRONTIER_FILES)
    assert (folder / "one" / "frontier.json").read_bytes() == (folder / "two" / "frontier.json").read_bytes()
    page = (folder / "one" / "frontier.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert json.loads((folder / "one" / "frontier.json").read_text())["schema"] == 1


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"first": "cost"}, "cannot be traded"),
        ({"first": "travel", "second": "travel"}, "named twice"),
        ({"points": 1}, "2 or more"),
    ],
)
def test_a_question_without_sense_is_refused(tmp_path: Path, question: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run_frontier(write_study(tmp_path / "valleys"), **question)  # type: ignore[arg-type]


def test_a_frontier_that_was_stopped_does_not_say_that_one_plan_is_best_in_both(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "valleys")
    made = run_frontier(folder, time_limit_s=0.0)
    if len(made.points) < 2:
        assert made.complete or "stopped" in (folder / "frontier" / "frontier.html").read_text(encoding="utf-8")


def test_a_study_with_phases_or_money_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "valleys")
    text = (folder / "nearer.toml").read_text(encoding="utf-8")
    (folder / "nearer.toml").write_text(text + '\n[[plan.phases]]\nname = "a"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="no frontier yet"):
        run_frontier(folder)
