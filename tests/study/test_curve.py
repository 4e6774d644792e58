"""``run_curve`` from files to files, on a study whose answers can be found by hand."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import jsonschema
import pytest

from nearer.errors import InputError, UsageError
from nearer.planning.curvedoc import CurveDocument
from nearer.planning.curvefiles import schema_text_of
from nearer.progress import Stop
from nearer.study.curve import run_curve
from nearer.study.verify_curve import verify_curve

# Steps of the meridian between points; see conftest. H stands at 0; S, P, L, G at 2, 3, 10, 11.
PEOPLE = {0: 100, 1: 10, 2: 50, 3: 10, 10: 40, 11: 30}
PLACES = {"S": 2, "P": 3, "L": 10, "G": 11}
STEP_MS = 66_344  # one thousandth of a degree at 6 km/h, to the millisecond


def value(opened: tuple[str, ...]) -> int:
    """Person-steps with the town hall and these."""
    at = [0, *(PLACES[site] for site in opened)]
    return sum(people * min(abs(place - here) for here in at) for place, people in PEOPLE.items())


def test_each_size_is_the_best_by_hand(study: Path) -> None:
    made = run_curve(study, to=5)
    assert made.complete
    assert [size.centres for size in made.sizes] == [1, 2, 3, 4, 5]
    for size in made.sizes:
        best = min(value(chosen) for chosen in combinations(PLACES, size.opened))
        assert size.value * 60_000 == pytest.approx(best * STEP_MS, rel=1e-4)
        assert size.status == "optimal"
        assert value(tuple(size.sites)) == best
    brings = [size.each_brings for size in made.sizes[1:]]
    assert brings == pytest.approx(
        [last.value - one.value for last, one in zip(made.sizes, made.sizes[1:], strict=False)]
    )
    assert made.greedy[0] == "L"  # 70 people ten steps away gain most
    assert made.falloff is not None
    # by hand: 1,140 person-steps today (10+100+30+400+330 − …) fall to 10; the second centre brings most
    assert made.falloff.centres == made.falloff.earliest == made.falloff.latest


def test_a_curve_is_verified_and_a_changed_one_is_not(study: Path) -> None:
    run_curve(study, to=5, step=2)
    verdict = verify_curve(study / "curve")
    assert verdict.ok, [str(check) for check in verdict.differing]
    file = study / "curve" / "curve.json"
    whole = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(whole, json.loads(schema_text_of(CurveDocument)))
    for change, name in (
        (lambda d: d["sizes"][2].update(value=d["sizes"][2]["value"] * 0.99), "best: value (3)"),
        (lambda d: d["sizes"][1].update(bound=d["sizes"][1]["bound"] * 1.01), "bound of 2 centres"),
        (lambda d: d["sizes"][2].update(sites=["S", "H"]), "sites of 3 centres"),
        (lambda d: d["sizes"][3]["greedy"].update(value=1.0), "greedy: value (4)"),
        (lambda d: d["falloff"].update(centres=1), "falloff: centres"),
    ):
        changed = json.loads(file.read_text(encoding="utf-8"))
        change(changed)
        other = study / "other"
        other.mkdir(exist_ok=True)
        for part in (study / "curve").iterdir():
            target = other / part.name
            if part.is_dir():
                target.mkdir(exist_ok=True)
                for proof in part.iterdir():
                    (target / proof.name).write_bytes(proof.read_bytes())
            else:
                target.write_bytes(part.read_bytes())
        (other / "curve.json").write_text(json.dumps(changed), encoding="utf-8")
        assert name in {check.name for check in verify_curve(other, study).differing}


def test_the_same_question_gives_the_same_bytes_whatever_the_threads(study: Path) -> None:
    texts = []
    for threads in (1, 2):
        run_curve(study, to=5, threads=threads, out=study / f"curve{threads}")
        texts.append([(study / f"curve{threads}" / name).read_bytes() for name in ("curve.json", "curve.csv")])
    assert texts[0] == texts[1]


def test_a_stop_keeps_the_sizes_done(study: Path) -> None:
    made = run_curve(study, to=5, time_limit_s=0.0)
    assert not made.complete
    assert verify_curve(study / "curve").ok
    stop = Stop()
    stop.cancel()
    with pytest.raises(Exception, match="nothing was written"):
        run_curve(study, to=5, stop=stop, out=study / "none")
    assert not (study / "none").exists()


def test_sizes_that_cannot_be_are_refused_in_a_sentence(study: Path) -> None:
    with pytest.raises(InputError, match="6 centres are asked for; 1 stand and only 4 candidates may open"):
        run_curve(study, to=6)
    with pytest.raises(UsageError, match="1 centres stand today"):
        run_curve(study, to=0)


def test_without_a_number_the_curve_ends_where_the_plan_does(study: Path) -> None:
    made = run_curve(study)
    assert (made.today, made.to) == (1, 3)


def test_the_page_asks_for_nothing_and_names_the_figures(study: Path) -> None:
    made = run_curve(study, to=5)
    page = (study / "curve" / "curve.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page
    assert f"After {made.falloff.centres} centres" in page if made.falloff and made.falloff.centres != 5 else True


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = Path(__file__).resolve().parents[2] / "docs" / "curve.schema.json"
    assert published.read_text(encoding="utf-8") == schema_text_of(CurveDocument)


def test_past_visits_are_described_and_verified_and_a_changed_interval_is_found(study: Path) -> None:
    rows = ["centre,period,visits"]
    for period in range(8):
        for n, centre in enumerate("HSPLG"[: 2 + period % 4]):
            rows.append(f"{centre},{period},{40 + 7 * n + 3 * ((period * 5 + n * 3) % 7)}")
    rows.append("gone,7,12")
    (study / "visits.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    made = run_curve(study, to=3, history=study / "visits.csv")
    past = made.history
    assert past is not None
    assert past.file == "visits.csv"
    assert past.unmatched == ["gone"]
    assert past.open == [2, 3, 4, 5, 2, 3, 4, 6]
    assert [fit.name for fit in past.fits][-2:] == ["in all", "in all, with a trend"]
    verdict = verify_curve(study / "curve")
    assert verdict.ok, [str(check) for check in verdict.differing]
    assert any(check.name == "history, in all: centres low" for check in verdict.checks)
    file = study / "curve" / "curve.json"
    changed = json.loads(file.read_text(encoding="utf-8"))
    changed["history"]["fits"][-2]["effects"][0]["low"] *= 1.2
    file.write_text(json.dumps(changed), encoding="utf-8")
    assert [check.name for check in verify_curve(study / "curve").differing] == ["history, in all: centres low"]


def test_a_study_in_phases_says_by_them_how_far_its_curve_goes(study: Path) -> None:
    text = (study / "nearer.toml").read_text(encoding="utf-8")
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("open"))
    phases = '\n[[plan.phases]]\nname = "a"\nopen = 1\n[[plan.phases]]\nname = "b"\nopen_max = 1\n'
    (study / "nearer.toml").write_text(plain + phases, encoding="utf-8")
    made = run_curve(study)
    assert made.sizes[-1].opened == 2
