"""Travel after coverage or cost over phases, levels and money, against enumeration in plain Python."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.optimize import linprog

from nearer.errors import InputError
from nearer.model import Instance, Solution, Status
from nearer.report.html import report_html
from nearer.solvers import dynamic
from nearer.study import staged_turns
from nearer.study.run import run_study
from nearer.study.verify import verify_plan
from tests.study.test_stages import PEOPLE, RULES, money_of, obeys, paths, programme, sent, write_study

Rules = dict[str, dict[str, Any]]


def write(folder: Path, rules: Rules, first: str, tolerance: float) -> None:
    """A study of some rules, with travel after the first objective."""
    write_study(folder, rules)
    text = (folder / "nearer.toml").read_text()
    asked = f'objective = ["{first}", "travel"]\ntolerance = [{tolerance}]'
    (folder / "nearer.toml").write_text(text.replace(f'objective = "{first}"', asked))


def in_order(rules: Rules, tolerance: float) -> tuple[float, float]:
    """The best of the first objective (money, or weighted people near), and the fewest person-minutes within it."""
    phased = "phases" in rules or "growth" in rules
    years = [2.0, 1.0] if phased else [1.0]
    growth = [1.0, rules.get("growth", {}).get("growth", 1.0)] if phased else [1.0]
    last = len(years) - 1
    ways = [way for way in paths(len(years), rules) if obeys(way, rules, phased)]
    firsts, seconds = [], []
    for way in ways:
        levels = [[path[t] for path in way] for t in range(len(years))]
        met = [sent(levels[t], growth[t], rules, t == last) for t in range(len(years))]
        total = math.inf if None in met else sum(y * (m or 0.0) for y, m in zip(years, met, strict=True))
        # under the rule cost people are sent so that they walk least
        firsts.append(total if "coverage" in rules else money_of(way, rules, years) if total < math.inf else math.inf)
        seconds.append(total)
    everybody = sum(one[2] for one in PEOPLE) * sum(y * g for y, g in zip(years, growth, strict=True))
    best = min(firsts)
    most = everybody - (everybody - best) * (1 - tolerance) if "coverage" in rules else best * (1 + tolerance)
    within = [at for at, value in enumerate(firsts) if value <= most + 1e-6]
    if "coverage" not in rules:
        return best, min(seconds[at] for at in within) / 60_000
    found = [shortest(ways[at], rules, years, growth, most) for at in within]
    return everybody - best, min(found) / 60_000


def shortest(way: list[tuple[int, ...]], rules: Rules, years: list[float], growth: list[float], most: float) -> float:
    """Fewest person-milliseconds over all phases together with so many people farther than 3 minutes."""
    travel = {name: rule for name, rule in rules.items() if name != "coverage"}
    last = len(years) - 1
    parts = [programme([path[t] for path in way], growth[t], travel, t == last) for t in range(len(years))]
    cost = np.concatenate([year * part[0] for year, part in zip(years, parts, strict=True)])
    far = np.concatenate([year * part[5] for year, part in zip(years, parts, strict=True)])
    found = linprog(
        cost, A_ub=np.vstack([block_diag(*[part[1] for part in parts]), far]),
        b_ub=np.concatenate([*(part[2] for part in parts), [most + 1e-6]]),
        A_eq=block_diag(*[part[3] for part in parts]), b_eq=np.ones(len(PEOPLE) * len(years)),
        bounds=np.column_stack([np.zeros(len(cost)), np.concatenate([part[4] for part in parts])]), method="highs",
    )  # fmt: skip
    return float(found.fun) if found.status == 0 else math.inf


CASES = [
    ("coverage", ("phases",), 0.0),
    ("coverage", ("phases", "levels"), 0.1),
    ("coverage", ("budget", "levels", "agencies"), 0.0),
    ("coverage", ("growth", "closing"), 0.15),
    ("coverage", ("running", "district", "force"), 0.05),
    ("cost", ("phases",), 0.3),
    ("cost", ("levels", "agencies"), 0.0),
    ("cost", ("phases", "levels", "closing"), 0.2),
    ("cost", ("growth", "floor"), 0.5),
    ("cost", ("apart", "everyone"), 0.0),
]


@pytest.mark.parametrize(("first", "names", "tolerance"), CASES, ids=[f"{a}+{'+'.join(n)}+{t}" for a, n, t in CASES])
def test_travel_is_the_least_of_all_that_keep_the_first_objective_and_verify_agrees(
    tmp_path: Path, first: str, names: tuple[str, ...], tolerance: float
) -> None:
    rules = {name: RULES[name] for name in (*names, first)}
    folder = tmp_path / "study"
    write(folder, rules, first, tolerance)
    best, travelled = in_order(rules, tolerance)
    document = run_study(folder, gap=0.0).document
    one, other = document.objectives
    assert (one.name, other.name) == (first, "travel")
    assert one.found == pytest.approx(best, rel=1e-6)
    assert other.found == other.value == pytest.approx(travelled, rel=1e-3)  # degrees are not quite metres
    assert document.objective.value == one.value
    assert one.bound == pytest.approx(best, rel=1e-6)
    assert other.bound == pytest.approx(other.found, rel=1e-6)
    verdict = verify_plan(folder / "plan")
    assert verdict.ok, verdict.differing


def test_what_was_given_up_buys_shorter_ways(tmp_path: Path) -> None:
    travelled = []
    for tolerance in (0.0, 0.5):
        folder = tmp_path / f"study-{tolerance}"
        write(folder, {name: RULES[name] for name in ("phases", "cost")}, "cost", tolerance)
        plan = run_study(folder, gap=0.0)
        travelled.append(plan.document.objectives[1].value)
        assert "what it takes to bring enough people within 3 minutes" in report_html(plan)
    assert travelled[1] < travelled[0]


@pytest.mark.parametrize(
    ("turn", "key", "change", "found"),
    [
        (0, "value", 1.02, "coverage: value"), (0, "found", 0.9, "coverage: optimal"),
        (1, "value", 0.99, "travel: value"), (1, "before", 0.9, "travel: value before"),
        (0, "tolerance", 2.0, "coverage: tolerance"), (1, "bound", 1.01, "travel: bound is no better than found"),
        (1, "gap", 2.0, "travel: gap"), (0, "before", 1.1, "coverage: value before"),
    ],
)  # fmt: skip
def test_a_changed_figure_of_a_turn_is_found(
    kept: Path, tmp_path: Path, turn: int, key: str, change: float, found: str
) -> None:
    document = json.loads((kept / "plan" / "plan.json").read_text(encoding="utf-8"))
    document["objectives"][turn][key] = change * document["objectives"][turn][key] + (1e-3 if key == "gap" else 0)
    for name in ("run.json", "assignment.npz"):
        if (kept / "plan" / name).is_file():
            (tmp_path / name).write_bytes((kept / "plan" / name).read_bytes())
    (tmp_path / "plan.json").write_text(json.dumps(document), encoding="utf-8")
    differing = verify_plan(tmp_path, kept).differing
    assert found in [check.name for check in differing]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("turns") / "study"
    write(folder, {name: RULES[name] for name in ("phases", "levels", "coverage")}, "coverage", 0.1)
    run_study(folder, gap=0.0)
    return folder


def many(folder: Path) -> Path:
    """Enough people and sites for proofs of our own."""
    folder.mkdir()
    rng = np.random.default_rng(8)
    people = [f"p{i},{x:.5f},{y:.5f},{n}" for i, (x, y, n) in enumerate(
        zip(rng.uniform(0, 0.03, 150), rng.uniform(0, 0.03, 150), rng.integers(5, 60, 150), strict=True))]  # fmt: skip
    status = ["existing"] * 2 + ["candidate"] * 18
    sites = [f"s{j},s{j},{rng.uniform(0, 0.03):.5f},{rng.uniform(0, 0.03):.5f},{status[j]},{j % 7}" for j in range(20)]
    (folder / "people.csv").write_text("\n".join(["id,lon,lat,population", *people]))
    (folder / "sites.csv").write_text("\n".join(["id,name,lon,lat,status,cost", *sites]))
    (folder / "nearer.toml").write_text(
        '[streets]\nmode = "straight"\n[people]\nfile = "people.csv"\n[[sites]]\nfile = "sites.csv"\n[plan]\n'
        'open_max = 5\nobjective = ["coverage", "travel"]\ntolerance = [0.02]\ncoverage_min = 9\nbudget = 14\n'
        '[[plan.phases]]\nname = "one"\nopen_max = 2\n[[plan.phases]]\nname = "two"\n'
    )
    return folder


def test_turns_with_proofs_of_their_own_are_verified(tmp_path: Path) -> None:
    folder = many(tmp_path / "study")
    document = run_study(folder, gap=1e-3, time_limit_s=None).document
    one, other = document.objectives
    assert one.value >= one.found * (1 - 0.02) - 1e-6
    assert other.gap <= 0.05
    verdict = verify_plan(folder / "plan")
    assert verdict.ok, verdict.differing
    if other.proof == "certificate":
        path = folder / "plan" / "proof.npz"
        arrays = dict(np.load(path))
        np.savez_compressed(path, **(arrays | {"travel:row_multiplier": arrays["travel:row_multiplier"] * 0.9}))
        assert [check.name for check in verify_plan(folder / "plan").differing] == ["travel: bound"]


def test_prices_and_interchange_keep_a_full_limit_where_the_programme_as_a_whole_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = many(tmp_path / "study")
    whole = run_study(folder, gap=1e-3, time_limit_s=None, out=tmp_path / "whole").document.objectives
    monkeypatch.setattr(dynamic, "_SMALL", 0)
    monkeypatch.setattr(dynamic, "_CORE", -1)
    alone = run_study(folder, gap=1e-3, time_limit_s=None).document.objectives
    assert alone[0].found == pytest.approx(whole[0].found, rel=0.02)
    assert alone[0].value >= alone[0].found * (1 - 0.02) - 1e-6
    if alone[0].found >= whole[0].found:  # then what it may give up is no more
        assert alone[1].value >= whole[1].bound * (1 - 1e-9)
    assert alone[1].proof == "certificate"
    assert alone[1].gap <= 0.05
    verdict = verify_plan(folder / "plan")
    assert verdict.ok, verdict.differing


def test_the_plan_of_the_turn_before_stands_where_the_next_finds_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = many(tmp_path / "study")
    whole = staged_turns.solve_turns

    def deaf(*args: Any) -> Any:
        *given, solve = args

        def unless_full(instance: Instance, part: float, start: Any) -> Solution:
            solution: Solution = solve(instance, part, start)
            full = instance.rules is not None and instance.rules.limits and len(instance.rules.side_lower) > 0
            return replace(solution, status=Status.UNKNOWN, objective=math.inf, bound=-math.inf) if full else solution

        return whole(*given, unless_full)

    monkeypatch.setattr("nearer.study.staged_run.solve_turns", deaf)
    one, other = run_study(folder, gap=1e-3, time_limit_s=None).document.objectives
    assert one.value == pytest.approx(one.found)
    assert math.isfinite(other.value)


@pytest.mark.parametrize(
    ("objective", "more", "words"),
    [
        ('["coverage", "travel"]', "decay_min = [2, 9]", "travel does not come after gradual coverage"),
        ('["travel", "coverage"]', "", "or travel after coverage or cost"),
        ('["equal", "travel"]', "", "or travel after coverage or cost"),
        ('["coverage", "travel"]', "everyone_within_min = 4", "promises in minutes do not go"),
    ],
)
def test_what_does_not_go_in_order_is_refused(tmp_path: Path, objective: str, more: str, words: str) -> None:
    folder = tmp_path / "study"
    write_study(folder, {"phases": {}})
    text = (folder / "nearer.toml").read_text().replace("[plan]\n", f"[plan]\nobjective = {objective}\n{more}\n")
    (folder / "nearer.toml").write_text(text)
    with pytest.raises(InputError, match=words):
        run_study(folder)
