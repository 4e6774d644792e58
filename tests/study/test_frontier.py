"""``nearer frontier`` from a study folder to a table, a page and a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nearer.errors import UsageError
from nearer.study.frontier import FRONTIER_FILES, run_frontier
from nearer.study.verify_frontier import verify_frontier
from tests.study.test_stages import RULES, money_of, obeys, paths, sent, told
from tests.study.test_stages import write_study as write_stages
from tests.study.test_verify import write_study


def test_less_of_one_objective_buys_more_of_the_other(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "valleys")
    for name, threads in (("one", 1), ("two", 2)):
        pair = {"first": "coverage", "second": "travel"}
        made = run_frontier(folder, **pair, points=4, gap=0.0, out=folder / name, threads=threads, time_limit_s=None)
    assert made.complete
    assert made.held == "coverage"
    assert len(made.points) >= 2
    assert [p.first for p in made.points] == sorted((p.first for p in made.points), reverse=True)
    assert [p.second for p in made.points] == sorted((p.second for p in made.points), reverse=True)
    for point in made.points:
        assert point.bound <= point.second
        assert len(point.opened) == 4
    assert {path.name for path in (folder / "one").iterdir()} == set(FRONTIER_FILES) - {"sendings"}
    assert (folder / "one" / "frontier.json").read_bytes() == (folder / "two" / "frontier.json").read_bytes()
    page = (folder / "one" / "frontier.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert json.loads((folder / "one" / "frontier.json").read_text())["schema"] == 1


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"first": "money"}, "cannot be traded"),
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


def test_a_study_with_phases_or_money_trades_cost_and_nothing_else(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "valleys")
    text = (folder / "nearer.toml").read_text(encoding="utf-8")
    (folder / "nearer.toml").write_text(text + '\n[[plan.phases]]\nname = "a"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="give --first cost"):
        run_frontier(folder)
    with pytest.raises(UsageError, match="travel, coverage or equal"):
        run_frontier(folder, first="cost", second="farthest")


@pytest.mark.parametrize("other", ["travel", "coverage"])
def test_what_money_buys_is_the_enumerated_best_of_every_level(tmp_path: Path, other: str) -> None:
    """Two phases, levels with limited room and budgets: every way in which the sites may go."""
    rules = {name: RULES[name] for name in ("phases", "levels", "agencies")}
    told_as = {**rules, "coverage": RULES["coverage"]} if other == "coverage" else rules
    folder = tmp_path / "study"
    write_stages(folder, told_as)
    made = run_frontier(folder, first="cost", second=other, points=4, gap=0.0, threads=1)
    years = [2.0, 1.0]
    counted: dict[object, float] = {}
    ways = []
    for way in paths(2, rules):
        if not obeys(way, rules, True):
            continue
        total = 0.0
        for t in range(2):
            key = (tuple(path[t] for path in way), t)
            if key not in counted:
                counted[key] = years[t] * (sent([path[t] for path in way], 1.0, told_as, t == 1) or 0.0)
            total += counted[key]
        ways.append((money_of(way, rules, years), told(total, told_as, sum(years))))
    sign = -1.0 if other == "coverage" else 1.0
    assert len(made.points) >= 3
    assert made.points[0].first == pytest.approx(min(cost for cost, _ in ways))
    for point in made.points:
        best = min(sign * value for cost, value in ways if cost <= point.level + 1e-6)
        assert sign * point.second == pytest.approx(best, rel=1e-3)  # degrees are not quite metres
        assert sign * point.bound <= sign * point.second * (1 + sign * 1e-9)
    assert verify_frontier(folder / "frontier").ok
    assert (folder / "frontier" / "sendings").is_dir()


def test_a_changed_point_of_money_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_stages(folder, {name: RULES[name] for name in ("phases", "levels", "budget")})
    run_frontier(folder, first="travel", second="cost", points=3, gap=0.0, threads=1)
    path = folder / "frontier" / "frontier.json"
    honest = path.read_text()
    for key, value in (("second", 1.0), ("first", 1.0), ("bound", 1e9), ("opened", [])):
        document = json.loads(honest)
        document["points"][-1][key] = value
        path.write_text(json.dumps(document))
        assert not verify_frontier(folder / "frontier").ok, key
    path.write_text(honest)
    assert verify_frontier(folder / "frontier").ok
