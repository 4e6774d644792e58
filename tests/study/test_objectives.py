"""Objectives and rules from the study file to the independent check, and back."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearer.errors import InfeasibleError, InputError
from nearer.planning.plan import Plan
from nearer.study.run import run_study
from nearer.study.verify import verify_plan
from tests.study.test_verify import write_study


def asked(folder: Path, *lines: str, drop_open: bool = False) -> Path:
    """The study with further lines in [plan]."""
    text = (folder / "nearer.toml").read_text(encoding="utf-8")
    if drop_open:
        text = text.replace("open = 4\n", "")
    (folder / "nearer.toml").write_text(text + "\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def valleys(tmp_path: Path) -> Path:
    return write_study(tmp_path / "valleys")


def turns(plan: Plan) -> dict[str, Any]:
    return {turn.name: turn for turn in plan.document.objectives}


def check(folder: Path) -> None:
    verdict = verify_plan(folder / "plan")
    assert verdict.differing == ()


CASES = {
    "coverage": ['objective = "coverage"'],
    "gradual": ['objective = "coverage"', "decay_min = [3, 15]"],
    "farthest": ['objective = "farthest"'],
    "equal": ['objective = "equal"'],
    "coverage then travel": ['objective = ["coverage", "travel"]', "tolerance = [0.02]"],
    "farthest then travel": ['objective = ["farthest", "travel"]', "tolerance = [0.1]"],
    "three": ['objective = ["coverage", "farthest", "travel"]', "tolerance = [0.05, 0.1]", 'force = ["s6"]'],
    "equal then coverage": ['objective = ["equal", "coverage"]', "tolerance = [0.02]"],
    "forced": ['force = ["s5"]', 'forbid = ["s7", "s9"]'],
}


@pytest.mark.parametrize("lines", CASES.values(), ids=CASES.keys())
def test_every_objective_is_proven_and_the_check_agrees(valleys: Path, lines: list[str]) -> None:
    plan = run_study(asked(valleys, *lines), gap=0.0, threads=1)
    assert plan.document.status == "optimal"
    assert plan.document.objectives
    assert plan.document.objective.name == next(t.name for t in plan.document.objectives if t.name != "unreached")
    check(valleys)


def test_cost_opens_no_more_than_it_takes_and_the_check_agrees(valleys: Path) -> None:
    asked(valleys, 'objective = ["cost", "travel"]', "within_share = 0.3", drop_open=True)
    plan = run_study(valleys, gap=0.0, threads=1)
    assert plan.document.objective.unit == "sites"
    assert plan.document.opened == plan.document.objective.value == plan.document.bound
    assert plan.measures.after.within["8"] >= 0.3
    check(valleys)
    fewer = run_study(valleys, open=plan.document.opened - 1, objective="coverage", gap=0.0, out=valleys / "fewer")
    assert fewer.document.status == "optimal"
    assert fewer.measures.after.within["8"] < 0.3 or "older" in fewer.document.settings["plan"]["group_weights"]


def test_the_cheapest_sites_by_a_column_cost(valleys: Path) -> None:
    lines = (valleys / "sites.csv").read_text(encoding="utf-8").splitlines()
    priced = [lines[0] + ",cost", *(f"{line},{100 + 7 * at % 50}" for at, line in enumerate(lines[1:]))]
    (valleys / "sites.csv").write_text("\n".join(priced) + "\n", encoding="utf-8")
    asked(valleys, 'objective = ["cost", "travel"]', "within_share = 0.3", "tolerance = [0.1]", drop_open=True)
    plan = run_study(valleys, gap=0.0, threads=1)
    assert plan.document.status == "optimal"
    assert plan.document.objective.unit == "cost"
    assert turns(plan)["cost"].value <= 1.1 * turns(plan)["cost"].found + 1e-9
    check(valleys)


def test_everyone_within_is_refused_with_a_number_and_kept_with_it(valleys: Path) -> None:
    asked(valleys, "everyone_within_min = 20")
    with pytest.raises(InfeasibleError, match=r"4 new sites cannot .* at least 11 are needed: open 7 more"):
        run_study(valleys, threads=1)
    plan = run_study(valleys, open=11, gap=0.0, threads=1)
    assert plan.document.status == "optimal"
    assert "p-far" in [place.id for place in plan.document.unservable]
    assert plan.document.unservable_people > 0
    check(valleys)


def test_the_same_bytes_whatever_the_threads(valleys: Path) -> None:
    asked(valleys, 'objective = ["coverage", "farthest", "travel"]', "tolerance = [0.05]")
    for name, threads in (("one", 1), ("two", 2)):
        run_study(valleys, out=valleys / name, threads=threads)
    for name in ("plan.json", "sites.csv", "proof.npz"):
        assert (valleys / "one" / name).read_bytes() == (valleys / "two" / name).read_bytes()


def test_the_command_line_replaces_the_objectives(valleys: Path) -> None:
    asked(valleys, 'objective = ["coverage", "travel"]', "tolerance = [0.02]")
    plan = run_study(valleys, objective="equal,travel", threads=1)
    assert [turn.name for turn in plan.document.objectives] == ["equal", "travel"]
    check(valleys)


@pytest.mark.parametrize(
    ("turn", "key", "change"),
    [
        (0, "value", 1.01), (0, "found", 1.05), (0, "bound", 0.9), (0, "before", 1.1), (0, "tolerance", 2.0),
        (1, "value", 0.99), (1, "bound", 1.01), (1, "gap", 2.0),
    ],
)  # fmt: skip
def test_a_changed_figure_of_an_objective_is_found(valleys: Path, turn: int, key: str, change: float) -> None:
    asked(valleys, 'objective = ["coverage", "travel"]', "tolerance = [0.02]")
    run_study(valleys, threads=1, gap=0.0)
    path = valleys / "plan" / "plan.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["objectives"][turn][key] = change * document["objectives"][turn][key] + (1e-3 if key == "gap" else 0)
    path.write_text(json.dumps(document), encoding="utf-8")
    assert not verify_plan(valleys / "plan").ok


def test_a_proof_with_other_prices_is_found(valleys: Path) -> None:
    asked(valleys, 'objective = ["farthest", "travel"]')
    run_study(valleys, threads=1, gap=0.0)
    path = valleys / "plan" / "plan.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["objectives"][2]["prices"] = {}
    path.write_text(json.dumps(document), encoding="utf-8")
    assert [one.name for one in verify_plan(valleys / "plan").differing] == ["travel: bound"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (['objective = "near"'], r'"near" is not one of travel, coverage'),
        (['objective = ["travel", "travel"]'], "counts once"),
        (['objective = ["travel", "cost"]', "within_share = 0.5"], "cost stands first"),
        (['objective = "cost"'], "within_share"),
        (["tolerance = [0.1, 0.1]"], "2 tolerances for 1"),
        (["tolerance = [1.5]"], "no tolerance"),
        (["decay_min = [9, 3]"], "do not rise"),
        (['force = ["s99"]'], "there is no site 's99'; did you mean"),
        (['force = ["s0"]'], "is existing, not a candidate"),
        (['force = ["s5"]', 'forbid = ["s5"]'], "forced and forbidden"),
        (['force = ["s4", "s5", "s6", "s7", "s8"]'], "5 sites are forced and only 4 are to open"),
        (["everyone_within_min = 40"], "more than the limit"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(valleys: Path, lines: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run_study(asked(valleys, *lines), threads=1)


def test_measures_of_equity_are_those_of_a_naive_count(valleys: Path) -> None:
    document = run_study(valleys, threads=1).document
    assert verify_plan(valleys / "plan").ok
    after = document.measures.after
    everyone = after.people
    # people one by one would be too slow to write: pairs of points, each as many as live there
    people, minutes = _points(document, valleys)
    gini = (np.abs(minutes[:, None] - minutes) * np.outer(people, people)).sum() / (
        2 * everyone**2 * (people @ minutes / everyone)
    )
    assert after.gini == pytest.approx(gini, rel=1e-9)
    kappa = document.kappa_per_min
    assert kappa is not None
    assert after.ede_min == pytest.approx(np.log((people / everyone) @ np.exp(kappa * minutes)) / kappa, rel=1e-9)
    order = np.argsort(-minutes)
    filled = np.minimum(np.cumsum(people[order]), 0.1 * everyone)
    taken = np.diff(filled, prepend=0.0)
    assert after.worst_decile_min == pytest.approx(taken @ minutes[order] / taken.sum(), rel=1e-9)


def _points(document: Any, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """People of both speeds and their minutes, from the check's own pairs."""
    from nearer.inputs.read import read_tables
    from nearer.study.load import load_study
    from nearer.study.recount import Recount
    from nearer.study.retime import retime

    study = load_study(folder)
    tables = read_tables(
        folder, streets=study.streets, people=study.people, sites=study.sites, area=study.area, exclude=study.exclude
    )
    recount = Recount(study, tables, retime(tables, study.streets, folder))
    opened = {site.id for site in document.sites if site.status == "opened"}
    found = recount.nearest(tables.sites.table["id"].isin(opened).to_numpy() | (recount.standing == 1))
    people = np.concatenate([recount.people[name] for name in found])
    minutes = np.concatenate([np.minimum(one.first_ms, recount.unreached_ms) for one in found.values()]) / 60_000
    return people, minutes


def test_the_equivalent_of_equal_times_is_that_time() -> None:
    from nearer.planning.equity import equity

    found = equity(np.array([3.0, 5.0]), np.array([420_000, 420_000]), 3_600_000, 0.1)
    assert found is not None
    assert found == pytest.approx((0.0, 7.0, 7.0))
    later = equity(np.array([3.0, 5.0]), np.array([420_000, 900_000]), 3_600_000, 0.1)
    sooner = equity(np.array([3.0, 5.0]), np.array([360_000, 840_000]), 3_600_000, 0.1)
    assert later is not None
    assert sooner is not None
    assert later.ede_min - sooner.ede_min == pytest.approx(1.0)


def test_coverage_of_the_line_study_is_the_best_of_all_pairs(study: Path) -> None:
    people = {0: 100, 1: 10, 2: 50, 3: 10, 10: 40, 11: 30}
    sites = {"S": 2, "P": 3, "L": 10, "G": 11}
    near = 1.5 * 1.10574  # a step of a thousandth of a degree takes 1.1 minutes
    (study / "nearer.toml").write_text(
        (study / "nearer.toml").read_text() + f'objective = "coverage"\ncoverage_min = {near}\n'
    )
    best = max(
        sum(n for at, n in people.items() if min(abs(at - s) for s in (0, *(sites[x] for x in chosen))) <= 1)
        for chosen in combinations(sites, 2)
    )
    assert run_study(study, threads=1).document.objective.value == best
    check(study)
