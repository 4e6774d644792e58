"""A plan put to the test, on a study small enough to work out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nearer.errors import InputError, UsageError
from nearer.planning.stress_document import Replan, Step
from nearer.report.stress_words import proof
from nearer.study.run import run_study
from nearer.study.stress import run_stress
from nearer.study.stress_ground import Question
from nearer.study.verify_stress import verify_stress

STEP = 66_344 / 60_000  # minutes between neighbouring rows of the study, as in conftest


@pytest.fixture
def plan(study: Path) -> Path:
    """H stands, S and L are open; P and G are left over."""
    run_study(study)
    return study / "plan"


def test_people_go_to_the_next_centre_and_who_has_none_is_cut_off(plan: Path) -> None:
    made = run_stress(plan, Question(out_of_service=("S",)))
    document = made.document
    # c (50) was at S and d (10) one step from it; H is two and three steps away. b (10) stays one step from H or S.
    assert document.cut_off == 0.0
    assert document.longer == 60.0
    assert document.after.mean_min - document.before.mean_min == pytest.approx((50 * 2 + 10 * 2) * STEP / 240, rel=1e-4)
    assert {(flow.from_, flow.to): flow.people for flow in document.flows} == {("S", "H"): 60.0}
    assert verify_stress(plan / "stress").ok


def test_what_helps_most_comes_first_and_is_proven(plan: Path) -> None:
    document = run_stress(plan, Question(out_of_service=("S",), replan=1)).document
    assert document.open is not None
    assert [step.id for step in document.open.steps] == ["P"]  # c saves a step, d three, G saves f one: 80 > 30
    assert document.open.steps[0].gain_person_min == pytest.approx((50 * 1 + 10 * 3) * STEP, rel=1e-4)
    assert document.open.status == "optimal"
    assert document.reopen is not None
    assert document.reopen.best == ["S"]
    assert document.reopen.value == pytest.approx(document.value_before)


@pytest.mark.parametrize(
    ("ids", "said"), [(("X",), "no site"), (("P",), "not open in this plan"), (("s",), 'nearest id is "S"')]
)
def test_an_id_that_is_no_open_centre_is_refused_in_a_sentence(plan: Path, ids: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        run_stress(plan, Question(out_of_service=ids))


def test_the_check_finds_a_number_that_was_changed(plan: Path) -> None:
    run_stress(plan, Question(out_of_service=("S",)))
    path = plan / "stress" / "stress.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["longer"] += 1.0
    path.write_text(json.dumps(document), encoding="utf-8")
    assert [check.name for check in verify_stress(plan / "stress").differing] == ["longer"]


def test_what_is_proven_is_said_of_the_best_set_not_of_the_order() -> None:
    steps = [Step(id=name, name=name, gain_person_min=60.0, people_back=0.0) for name in "AB"]
    best = {"number": 2, "pool": 5, "steps": steps, "best": ["C", "D"], "best_names": ["Church", "Dome"]}
    other = Replan(**best, order_value=700.0, value=580.0, bound=580.0, gap=0.0, status="optimal")
    said = proof(other, "opened")
    assert said == "Together, Church; Dome would save 2.0 hours more; no other 2 sites opened would help more: proven."
    same = Replan(**best, order_value=580.0, value=580.0, bound=580.0, gap=0.0, status="optimal")
    assert proof(same, "opened") == "No other 2 sites opened would help more: proven."


@pytest.mark.parametrize(("question", "said"), [({"random": 50}, "--random 50"), ({"worst": 99}, "Give at most 3")])
def test_more_than_there_are_cannot_be_lost(plan: Path, question: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run_stress(plan, Question(**question))  # type: ignore[arg-type]


def test_a_hazard_that_touches_nothing_is_told(plan: Path, tmp_path: Path) -> None:
    ring = [[[1, 1], [1.1, 1], [1.1, 1.1], [1, 1.1], [1, 1]]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": ring}}
    far = tmp_path / "far.geojson"
    far.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    document = run_stress(plan, Question(hazard=far)).document
    assert any("touches no centre" in note for note in document.notes)
