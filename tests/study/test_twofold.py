"""Twofold cover from the study file to the independent check, against every choice of sites."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point

import nearer
from nearer.errors import InputError
from nearer.inputs.read import read_tables
from nearer.model import FREE, OPEN
from nearer.report.html import report_html
from nearer.study.load import load_study
from nearer.study.recount import Recount
from nearer.study.retime import retime
from nearer.study.run import run_study
from nearer.study.verify import verify_plan
from tests.study.test_objectives import asked
from tests.study.test_verify import write_study


@pytest.fixture
def valleys(tmp_path: Path) -> Path:
    return write_study(tmp_path / "valleys")


def covers(folder: Path) -> tuple[np.ndarray, np.ndarray, Recount]:
    """Rows of people × classes: weight, and which sites are near; from the check's own pairs."""
    study = load_study(folder)
    tables = read_tables(
        folder, streets=study.streets, people=study.people, sites=study.sites, area=study.area, exclude=study.exclude
    )
    recount = Recount(study, tables, retime(tables, study.streets, folder))
    near = []
    for pairs in recount.class_pairs.values():
        mine = np.zeros((tables.people.n, tables.sites.n), dtype=bool)
        close = pairs.time_ms <= study.plan.coverage_min * 60_000
        mine[pairs.point[close], pairs.site[close]] = True
        near.append(mine)
    return np.concatenate([recount.weight[name] for name in recount.class_pairs]), np.vstack(near), recount


def worth(weight: np.ndarray, near: np.ndarray, sites: np.ndarray, share: float) -> float:
    count = near[:, sites].sum(axis=1)
    return float((weight * (np.where(count >= 1, 1 - share, 0.0) + np.where(count >= 2, share, 0.0))).sum())


CASES = {
    "a third": ["second_share = 0.3"],
    "half": ["second_share = 0.5"],
    "all": ["second_share = 1.0", "coverage_min = 12"],
    "forced and forbidden": ["second_share = 0.4", 'force = ["s6"]', 'forbid = ["s7", "s9"]'],
}


@pytest.mark.parametrize("lines", CASES.values(), ids=CASES.keys())
def test_no_choice_of_sites_is_worth_more_than_the_plan_and_the_check_agrees(valleys: Path, lines: list[str]) -> None:
    text = (valleys / "nearer.toml").read_text(encoding="utf-8")
    if any(line.startswith("coverage_min") for line in lines):
        text = text.replace("coverage_min = 8\n", "")
    (valleys / "nearer.toml").write_text(text.replace("open = 4", "open = 3"), encoding="utf-8")
    document = run_study(asked(valleys, 'objective = "coverage"', *lines), gap=0.0, threads=1).document
    weight, near, recount = covers(valleys)
    plan, ids = recount.study.plan, recount.tables.sites.table["id"].to_numpy(dtype=object)
    stands = np.flatnonzero(recount.standing == OPEN)
    free = [int(site) for site in np.flatnonzero(recount.standing == FREE) if ids[site] not in plan.forbid]
    must = {int(site) for site in np.flatnonzero(np.isin(ids, plan.force))}
    share = plan.second_share
    assert share is not None
    best = max(
        worth(weight, near, np.concatenate([stands, chosen]).astype(int), share)
        for chosen in combinations(free, 3)
        if must <= set(chosen)
    )
    assert document.status == "optimal"
    assert document.objective.value == pytest.approx(best, rel=1e-9)
    assert document.bound == pytest.approx(best, rel=1e-9)
    assert document.before_value == pytest.approx(worth(weight, near, stands, share), rel=1e-9)
    assert verify_plan(valleys / "plan").differing == ()


def test_people_with_one_centre_and_with_two_are_counted_before_and_after(study: Path) -> None:
    # people at 0, 1, 2, 3, 10 and 11 steps; H stands at 0; near is 3 steps and a half
    near_min = 3.5 * 1.10574
    asked(study, 'objective = "coverage"', "second_share = 0.5", f"coverage_min = {near_min}")
    plan = run_study(study, gap=0.0, threads=1)
    told = plan.document.backup
    assert told is not None
    assert (told.before.once, told.before.twice) == (pytest.approx(170 / 240), 0.0)
    chosen = [{"S": 2, "P": 3, "L": 10, "G": 11}[s.id] for s in plan.document.sites if s.status == "opened"]
    counts = {at: sum(abs(at - site) <= 3 for site in (0, *chosen)) for at in (0, 1, 2, 3, 10, 11)}
    people = {0: 100, 1: 10, 2: 50, 3: 10, 10: 40, 11: 30}
    assert told.after.twice == pytest.approx(sum(n for at, n in people.items() if counts[at] >= 2) / 240)
    # S or P gives the first four a second centre: 85; L and G together give the others two: 70, one of them 35
    assert plan.document.objective.value == pytest.approx(0.5 * 170 + 0.5 * 170 + 0.5 * 70)
    text = report_html(plan)
    assert "50\u202f% of each counting only once a second open centre is that near too" in text
    assert "Two centres within" in text


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["second_share = 0.3"], "goes with the objective coverage alone"),
        (['objective = ["coverage", "travel"]', "second_share = 0.3"], "goes with the objective coverage alone"),
        (['objective = "coverage"', "second_share = 0.3", "decay_min = [3, 9]"], "not go with decay_min"),
        (['objective = "coverage"', "second_share = 0.3", "everyone_within_min = 9"], "with everyone_within_min"),
        (['objective = "coverage"', "second_share = 0.3", "close_max = 1"], "not go with phases, levels, money"),
        (['objective = "coverage"', "second_share = 0"], "must be more than 0"),
    ],
)
def test_what_does_not_go_with_twofold_cover_is_refused_in_a_sentence(
    valleys: Path, lines: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        run_study(asked(valleys, *lines), threads=1)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda d: d["backup"]["after"].update(twice=d["backup"]["after"]["twice"] + 0.01), "backup: after.twice"),
        (lambda d: d["backup"]["before"]["groups"]["older"].update(once=0.99), "backup: before.groups.older.once"),
        (lambda d: d["objectives"][0].update(value=d["objectives"][0]["value"] * 1.01), "coverage: value"),
        (lambda d: d["objectives"][0].update(bound=d["objectives"][0]["bound"] * 0.99), "coverage: bound"),
        (lambda d: d.update(backup=None), "backup"),
    ],
)  # fmt: skip
def test_a_changed_figure_of_twofold_cover_is_found(valleys: Path, change: Any, found: str) -> None:
    run_study(asked(valleys, 'objective = "coverage"', "second_share = 0.3"), threads=1, gap=0.0)
    path = valleys / "plan" / "plan.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    assert found in [check.name for check in verify_plan(valleys / "plan").differing]


def test_twofold_cover_has_the_same_bytes_whatever_the_threads(valleys: Path) -> None:
    asked(valleys, 'objective = "coverage"', "second_share = 0.7")
    for name, threads in (("one", 1), ("two", 2)):
        run_study(valleys, out=valleys / name, threads=threads)
    for name in ("plan.json", "sites.csv", "proof.npz"):
        assert (valleys / "one" / name).read_bytes() == (valleys / "two" / name).read_bytes()


def test_python_asks_for_twofold_cover() -> None:
    people = gpd.GeoDataFrame({"population": [10, 30]}, geometry=[Point(0, 0), Point(0.05, 0)], crs="EPSG:4326")
    sites = gpd.GeoDataFrame(
        {"id": ["a", "b", "c"]}, geometry=[Point(0, 0), Point(0.05, 0), Point(0.0501, 0)], crs="EPSG:4326"
    )
    # two centres for the thirty are worth 30, one for each of the two places 0.4 · 40
    found = nearer.plan(people, sites, open=2, objective="coverage", coverage_min=5, second_share=0.6)
    assert (found.value, found.status) == (30.0, "optimal")
    assert found.document.backup is not None
    assert found.document.backup.after.twice == 0.75
