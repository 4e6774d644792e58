"""``run_compare`` from plan folders to files, with what is expected found by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

from nearer.errors import InputError, UsageError
from nearer.planning.compare import labels_of
from nearer.planning.comparedoc import CompareDocument
from nearer.planning.curvefiles import schema_text_of
from nearer.study.compare import run_compare
from nearer.study.run import run_study
from nearer.study.verify_compare import verify_compare


@pytest.fixture
def plans(study: Path, tmp_path: Path) -> list[Path]:
    """One, two and three sites opened: by hand L; L and S; L, S and G."""
    for n in (1, 2, 3):
        run_study(study, open=n, out=tmp_path / f"open{n}")
    return [tmp_path / f"open{n}" for n in (1, 2, 3)]


def test_common_and_own_sites_are_those_of_the_sets(plans: list[Path], tmp_path: Path) -> None:
    made = run_compare(plans, out=tmp_path / "out")
    opened = [
        {s["id"] for s in json.loads((plan / "plan.json").read_text())["sites"] if s["status"] == "opened"}
        for plan in plans
    ]
    assert [plan.opened for plan in made.plans] == [1, 2, 3]
    assert set(made.in_all) == opened[0] & opened[1] & opened[2]
    assert set(made.plans[2].only) == opened[2] - opened[0] - opened[1]
    assert [row.common for row in made.overlaps] == [len(opened[a] & opened[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert made.same_people
    assert made.same_objective
    assert made.differs == []
    assert made.sites[-1].id in made.in_all  # what they agree on comes last


def test_a_comparison_is_verified_and_a_changed_one_is_not(plans: list[Path], study: Path, tmp_path: Path) -> None:
    run_compare(plans, out=tmp_path / "out")
    verdict = verify_compare(tmp_path / "out")
    assert verdict.ok, [str(check) for check in verdict.differing]
    file = tmp_path / "out" / "compare.json"
    whole = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(whole, json.loads(schema_text_of(CompareDocument)))
    whole["plans"][1]["after"]["mean_min"] *= 1.01
    whole["in_all"] = ["P"]
    file.write_text(json.dumps(whole), encoding="utf-8")
    found = {check.name for check in verify_compare(tmp_path / "out").differing}
    assert found == {"sites in all", "open2: after (mean_min)"}


def test_other_people_make_measures_stand_alone_and_are_named(plans: list[Path], study: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(study, other, ignore=shutil.ignore_patterns("plan", ".nearer"))
    people = (other / "people.csv").read_text(encoding="utf-8").replace("a,0,0.000,100", "a,0,0.000,120")
    (other / "people.csv").write_text(people, encoding="utf-8")
    run_study(other)
    made = run_compare([plans[1], other / "plan"], out=tmp_path / "out")
    assert not made.same_people
    assert made.differs == ["people.csv is not the same file in open2 as in plan."]
    assert "cannot be compared" in (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")


def test_another_weight_makes_values_stand_alone_but_not_measures(
    plans: list[Path], study: Path, tmp_path: Path
) -> None:
    text = (study / "nearer.toml").read_text(encoding="utf-8") + "group_weights = { older = 3.0 }\n"
    (study / "nearer.toml").write_text(text, encoding="utf-8")
    run_study(study, out=tmp_path / "weighted")
    made = run_compare([plans[1], tmp_path / "weighted"], out=tmp_path / "out")
    assert made.same_people
    assert not made.same_objective
    assert made.differs == ["plan.group_weights.older is unset in open2, 3.0 in weighted."]


def test_what_is_no_plan_or_a_stranger_is_refused(plans: list[Path], study: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two plan folders or more"):
        run_compare(plans[:1])
    with pytest.raises(UsageError, match="is a study, not a plan"):
        run_compare([plans[0], study])
    with pytest.raises(InputError, match="there is no plan here"):
        run_compare([plans[0], tmp_path])
    strange = tmp_path / "strange"
    shutil.copytree(plans[0], strange)
    whole = json.loads((strange / "plan.json").read_text(encoding="utf-8"))
    whole["inputs"] = {"people.csv": "sha256:1"}
    for site in whole["sites"]:
        site["id"] += "x"
    (strange / "plan.json").write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(UsageError, match="plans of different studies"):
        run_compare([plans[0], strange])


def test_labels_are_the_shortest_ends_that_tell_apart() -> None:
    assert labels_of([Path("/a/x/plan"), Path("/a/y/plan"), Path("/b")]) == ["x/plan", "y/plan", "b"]
    assert labels_of([Path("/a/plan"), Path("/a/plan")]) == ["plan (1)", "plan (2)"]


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = Path(__file__).resolve().parents[2] / "docs" / "compare.schema.json"
    assert published.read_text(encoding="utf-8") == schema_text_of(CompareDocument)
