"""Reasons, other plans and warm starts in plan folders, and the check that finds what was changed in them."""

from __future__ import annotations

import csv
import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearer.errors import InputError, UsageError
from nearer.study import choices
from nearer.study.choices import Wish
from nearer.study.run import run_study
from nearer.study.verify import verify_plan

from .test_verify import rewrite, scale, set_to, write_study

WISH = Wish(alternatives=3, differ=2, within=0.3)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two valleys, 4 of 16 candidates, three other plans; nothing searched, so that multipliers bound the reasons."""
    folder = write_study(tmp_path_factory.mktemp("choices") / "valleys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choices, "reasons", functools.partial(choices.reasons, work_limit=0))
        run_study(folder, gap=0.0, threads=1, wish=WISH)
    return folder


@pytest.fixture
def study(planned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(planned, tmp_path / "valleys"))


def document(study: Path, plan: str = "plan") -> dict[str, Any]:
    return dict(json.loads((study / plan / "plan.json").read_text(encoding="utf-8")))


def test_a_plan_with_reasons_and_other_plans_agrees_in_everything(study: Path) -> None:
    verdict = verify_plan(study / "plan")
    assert verdict.differing == ()
    names = {check.name for check in verdict.checks}
    assert {"reasons: figures", "alternative 3: value", "alternatives: in all"} <= names
    assert any("other plans" in note for note in verdict.notes)


def test_every_candidate_left_out_and_every_opened_one_says_what_it_costs_otherwise(study: Path) -> None:
    told = document(study)
    opened = [site for site in told["sites"] if site["status"] == "opened"]
    with (study / "sites.csv").open(encoding="utf-8") as file:
        candidates = {row["id"] for row in csv.DictReader(file) if row["status"] == "candidate"}
    assert {site["id"] for site in told["rejected"]} == candidates - {site["id"] for site in opened}
    costs = [site["forced"] for site in told["rejected"]]
    assert [one["at_most_person_min"] for one in costs] == sorted(one["at_most_person_min"] for one in costs)
    assert any(one["at_least_person_min"] > 0 and not one["searched"] for one in costs)
    for site in opened:
        # one exchange is one way to do without it
        assert site["without"]["at_most_person_min"] <= site["replaced_loss_person_min"] + 1e-6
    with (study / "plan" / "sites.csv").open(encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    for site in told["rejected"]:
        row = rows[site["id"]]
        assert float(row["otherwise_most_person_min"]) == round(site["forced"]["at_most_person_min"], 3)


def test_other_plans_differ_as_asked_and_the_report_names_what_they_open(study: Path) -> None:
    told = document(study)
    others = told["alternatives"]
    assert len(others["plans"]) == 3
    assert all(len(other["opens"]) >= 2 for other in others["plans"])
    report = (study / "plan" / "report.html").read_text(encoding="utf-8")
    assert "Other good plans" in report
    assert "The nearest misses" in report
    assert "--alternatives 3 --differ 2 --within 0.3" in report


def unsearched(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def on_one(told: dict[str, Any]) -> None:
        told_of = [s["forced"] for s in told["rejected"] if not s["forced"]["searched"]]
        change(next(f for f in told_of if 0 < f["at_least_person_min"] < 0.9 * f["at_most_person_min"]))

    return on_one


def closer(one: dict[str, Any]) -> None:
    one["at_least_person_min"] = (one["at_least_person_min"] + 3 * one["at_most_person_min"]) / 4


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (scale("alternatives", "plans", 1, "value"), "alternative 2: value"),
        (scale("alternatives", "plans", 0, "bound", by=1.5), "alternative 1: bound"),
        (set_to("alternatives", "plans", 0, "opens", value=["s0"]), "alternative 1: sites"),
        (set_to("alternatives", "plans", 0, "opens", value=[]), "alternative 1: number asked"),
        (set_to("alternatives", "differ", value=4), "alternative 1: differs"),
        (set_to("alternatives", "within", value=1e-6), "alternative 1: within"),
        (set_to("alternatives", "in_all", value=["s0"]), "alternatives: in all"),
        (scale("rejected", 2, "forced", "at_most_person_min"), "reasons: at most"),
        (set_to("rejected", 2, "forced", "closes", value=["s0"]), "reasons: plan of"),
        (set_to("rejected", 2, "forced", "at_most_person_min", value=None), "reasons: "),
        (set_to("rejected", 2, "forced", "at_least_person_min", value=1e9), "reasons: at least"),
        (lambda told: told["rejected"].pop(), "reasons: candidates left out"),
        (set_to("sites", 3, "without", value=None), "reasons: opened sites"),
        (scale("sites", 3, "without", "at_most_person_min"), "reasons: at most"),
        (unsearched(closer), "reasons: at least"),
    ],
)
def test_a_changed_claim_is_found(study: Path, change: Callable[[dict[str, Any]], None], name: str) -> None:
    rewrite(study, change)
    found = [check.name for check in verify_plan(study / "plan").differing]
    assert any(each.startswith(name) for each in found), found


def test_a_small_study_is_searched_to_the_end(tmp_path: Path) -> None:
    told = run_study(write_study(tmp_path / "valleys"), threads=1).document
    for site in told.rejected:
        assert site.forced.at_least_person_min == pytest.approx(site.forced.at_most_person_min, abs=1e-6)


def test_other_plans_are_the_same_bytes_whatever_the_threads(study: Path, tmp_path: Path) -> None:
    for name, threads in (("one", 1), ("two", 2)):
        run_study(study, out=tmp_path / name, threads=threads, wish=WISH)
    assert (tmp_path / "one" / "plan.json").read_bytes() == (tmp_path / "two" / "plan.json").read_bytes()


def test_a_changed_study_starts_from_the_last_plan_and_ends_at_the_same_value_with_a_proof(study: Path) -> None:
    lines = (study / "people.csv").read_text(encoding="utf-8").splitlines()
    head, rows = lines[0].split(","), [line.split(",") for line in lines[1:]]
    at = head.index("population")
    for row in rows[::10]:
        row[at] = str(float(row[at]) + 1)
    text = "\n".join(",".join(row) for row in [head, *rows])
    (study / "people.csv").write_text(text + "\n", encoding="utf-8")
    cold = run_study(study, gap=0.0, threads=1, out=study / "cold")
    warm = run_study(study, gap=0.0, threads=1, out=study / "warm", wish=Wish(start=study / "plan"))
    assert warm.document.status == cold.document.status == "optimal"
    assert warm.document.objective.value == pytest.approx(cold.document.objective.value)
    assert verify_plan(study / "warm", study).ok


def test_a_start_survives_a_proof_of_other_rows_and_sites_that_are_gone(study: Path) -> None:
    (study / "plan" / "proof.npz").write_bytes(b"nothing")
    gone = document(study)["sites"][-1]["id"]
    lines = (study / "sites.csv").read_text(encoding="utf-8").splitlines()
    (study / "sites.csv").write_text("\n".join(x for x in lines if not x.startswith(f"{gone},")), encoding="utf-8")
    plan = run_study(study, gap=0.0, threads=1, out=study / "warm", wish=Wish(start=study / "plan" / "plan.json"))
    assert plan.document.status == "optimal"
    assert gone not in {site.id for site in plan.document.sites}


def test_a_start_from_no_plan_is_a_fault(study: Path) -> None:
    with pytest.raises(InputError, match="no plan here"):
        run_study(study, wish=Wish(start=study / "nowhere"))


def test_other_plans_of_a_study_with_phases_are_refused_before_anything_is_computed(study: Path) -> None:
    with (study / "nearer.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[plan.phases]]\nname = "one"\nopen = 2\n\n[[plan.phases]]\nname = "two"\nopen = 2\n')
    for wish in (Wish(alternatives=1), Wish(start=study / "plan")):
        with pytest.raises(UsageError, match="phases"):
            run_study(study, wish=wish)


@pytest.mark.parametrize("wrong", [{"alternatives": -1}, {"differ": 0}, {"within": -0.1}, {"within": np.nan}])
def test_a_wish_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Wish(**wrong)
