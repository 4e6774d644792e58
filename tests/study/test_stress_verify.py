"""Answers of ``nearer stress`` agree with brute force and with the independent check, which finds what was changed."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from nearer.errors import InputError, UsageError
from nearer.planning.stress_result import Stress
from nearer.progress import Silent, Stop
from nearer.solvers.fortification import fortify
from nearer.study.limits import Run
from nearer.study.run import run_study
from nearer.study.stress import prepare, run_stress
from nearer.study.stress_ground import Question
from nearer.study.stress_room import capacities
from nearer.study.verify_stress import verify_stress

from .test_verify import box, write_study

EVERYTHING = Question(
    out_of_service=("s0",),
    surge=("area=V1:1.5", "older:2", "all:1.1"),
    random=2,
    draws=7,
    worst=2,
    harden=1,
    stock=2,
    scenarios=("dry=0.25:s1", "both=0.5:s1,s0"),
    seed=5,
)


def with_capacities(folder: Path) -> None:
    """Room for 300 people at every other site."""
    path = folder / "sites.csv"
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    rows = [f"{row},{300 if k % 2 else ''}" for k, row in enumerate(rows)]
    path.write_text("\n".join([f"{head},capacity", *rows]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("stress") / "valleys")
    with_capacities(folder)
    run_study(folder, gap=0.0, threads=1)
    flood = {"type": "FeatureCollection", "features": []}
    flood["features"].append({"type": "Feature", "properties": {}, "geometry": box(9.51, 47.005, 0.012)})
    (folder / "flood.geojson").write_text(json.dumps(flood), encoding="utf-8")
    run_stress(folder / "plan", Question(**{**vars(EVERYTHING), "hazard": folder / "flood.geojson"}), threads=1)
    return folder


@pytest.fixture
def study(planned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(planned, tmp_path / "valleys"))


def asked(study: Path, **more: Any) -> Stress:
    return run_stress(study / "plan", Question(**more), threads=1)


def differing(study: Path) -> list[str]:
    return [check.name for check in verify_stress(study / "plan" / "stress").differing]


def test_the_check_agrees_with_everything_at_once(study: Path) -> None:
    verdict = verify_stress(study / "plan" / "stress")
    assert [str(check) for check in verdict.differing] == []
    assert len(verdict.checks) > 90


@pytest.mark.parametrize("question", [{}, {"replan": 0}, {"surge": ("children:0",)}, {"random": 1}, {"worst": 6}])
def test_the_check_agrees_with_each_question_alone(study: Path, question: dict[str, Any]) -> None:
    asked(study, **question)
    assert differing(study) == []


def test_the_same_question_gives_the_same_bytes_whatever_the_threads(study: Path) -> None:
    names = ("stress.json", "stress.gpkg", "worst-proof.npz", "open-proof.npz")
    found = []
    for threads in (1, 2):
        run_stress(study / "plan", EVERYTHING, threads=threads)
        found.append([(study / "plan" / "stress" / name).read_bytes() for name in names])
    assert found[0] == found[1]


CHANGES: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("cut off", lambda d: d.update(cut_off=d["cut_off"] + 1)),
    ("value after", lambda d: d.update(value_after=d["value_after"] * 1.0001)),
    ("people after (s1)", lambda d: d["sites"][1].update(people_after=d["sites"][1]["people_after"] + 1)),
    ("flows", lambda d: d["flows"].pop()),
    ("served", lambda d: d["with_room"].update(served=d["with_room"]["served"] - 1)),
    ("open: bound", lambda d: d["open"].update(bound=d["open"]["bound"] * 1.01)),
    ("open: gains", lambda d: d["open"]["steps"][0].update(gain_person_min=1.0)),
    ("random: cut off", lambda d: d["random"]["cut_off"].update(high=d["random"]["cut_off"]["high"] + 1)),
    ("worst: loss", lambda d: d["worst"].update(loss_person_min=d["worst"]["loss_person_min"] * 1.01)),
    ("worst: bound", lambda d: d["worst"].update(bound=d["worst"]["bound"] * 0.9)),
    ("harden: bound", lambda d: d["harden"].update(bound=d["harden"]["bound"] * 1.1)),
    ("harden-worst: bound", lambda d: d["harden"].update(at_most=d["harden"]["at_most"] * 0.9)),
    ("stock-expected: bound", lambda d: d["stock"]["expected"].update(bound=d["stock"]["expected"]["expected"] * 2)),
    ("stock-worst: value (worst)", lambda d: d["stock"]["worst"].update(worst=1.0)),
    ("hazard: people inside", lambda d: d["asked"]["hazard"].update(people_inside=0.0)),
]


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_a_number_that_was_changed_is_found(study: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    path = study / "plan" / "stress" / "stress.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    assert name in differing(study)


@pytest.mark.parametrize("name", ["worst", "harden", "harden-worst", "open", "stock-expected"])
def test_a_proof_that_cannot_be_read_proves_nothing(study: Path, name: str) -> None:
    (study / "plan" / "stress" / f"{name}-proof.npz").write_bytes(b"PK\x03\x04 not a zip")
    assert f"{name}: bound" in differing(study)


def test_protection_that_only_the_solver_vouches_for_is_weighed_again(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certified = asked(study, worst=2, harden=2).document.harden
    monkeypatch.setattr("nearer.planning.outages.fortify", partial(fortify, most_nodes=0))
    document = asked(study, worst=2, harden=2).document
    assert document.harden is not None
    assert certified is not None
    assert (certified.proof, document.harden.proof) == ("certificate", "solver")
    assert document.harden.bound == pytest.approx(certified.bound)
    assert differing(study) == []
    path = study / "plan" / "stress" / "stress.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["harden"]["bound"] *= 1.01
    path.write_text(json.dumps(told), encoding="utf-8")
    assert "harden: bound" in differing(study)


def test_a_changed_hazard_or_plan_is_named(study: Path) -> None:
    (study / "flood.geojson").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"flood\.geojson: has changed since"):
        verify_stress(study / "plan" / "stress")
    (study / "plan" / "plan.json").write_text(
        (study / "plan" / "plan.json").read_text(encoding="utf-8") + " ", encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"plan\.json: has changed since"):
        verify_stress(study / "plan" / "stress")


def test_random_losses_are_what_each_loss_alone_gives(study: Path) -> None:
    ours = [site.id for site in asked(study).document.sites if site.status != "other"]
    drawn = asked(study, random=2, replan=0).document.random
    assert drawn is not None
    assert drawn.exact
    assert drawn.draws == math.comb(len(ours), 2)
    minutes, cut = [], []
    for pair in combinations(ours, 2):
        one = asked(study, out_of_service=pair, replan=0).document
        minutes.append(one.after.mean_min)
        cut.append(one.cut_off)
    assert drawn.mean_min.exact_mean == pytest.approx(np.mean(minutes))
    assert drawn.mean_min.mean == pytest.approx(np.mean(minutes))
    assert drawn.mean_min.standard_error == 0.0
    assert drawn.mean_min.high == pytest.approx(np.quantile(minutes, 0.975, method="inverted_cdf"))
    assert drawn.cut_off.exact_mean == pytest.approx(np.mean(cut))
    assert drawn.cut_off.most == pytest.approx(max(cut))
    worst = asked(study, worst=2, replan=0).document
    assert worst.worst is not None
    losses = [asked(study, out_of_service=pair, replan=0).document.value_after for pair in combinations(ours, 2)]
    assert worst.worst.loss_person_min == pytest.approx(max(losses) - worst.value_after)
    assert worst.worst.status == "optimal"


def test_draws_come_close_to_the_mean_that_the_formula_gives(study: Path) -> None:
    drawn = asked(study, random=3, draws=15, replan=0).document.random
    assert drawn is not None
    assert not drawn.exact
    assert abs(drawn.mean_min.mean - drawn.mean_min.exact_mean) <= 5 * drawn.mean_min.standard_error


def test_losing_more_never_helps(study: Path) -> None:
    ours = [site.id for site in asked(study).document.sites]
    values = [asked(study, out_of_service=tuple(ours[:k]), replan=0).document.value_after for k in range(len(ours) + 1)]
    assert values == sorted(values)
    means = [asked(study, random=k, draws=2, replan=0).document.random for k in (1, 2, 3)]
    found = [one.mean_min.exact_mean for one in means if one is not None]
    assert found == sorted(found)


def test_when_all_are_out_everybody_is_cut_off_and_what_is_brought_back_first_is_told(study: Path) -> None:
    ours = [site.id for site in asked(study).document.sites]
    document = asked(study, out_of_service=tuple(ours), replan=2).document
    assert document.after.unreached == pytest.approx(document.after.people)
    assert document.reopen is not None
    assert len(document.reopen.steps) == 2
    assert document.critical == []
    assert differing(study) == []


def test_full_centres_send_people_on_and_none_gets_more_than_its_room(study: Path) -> None:
    document = asked(study, surge=("all:20",)).document
    assert document.capacity == "given"
    assert document.with_room is not None
    for site in document.sites:
        if site.capacity is not None:
            assert site.people_with_room is not None
            assert site.people_with_room <= site.capacity * (1 + 1e-12)
            assert site.over == pytest.approx(max(0.0, site.people_after - site.capacity))
    reached = document.after.people - document.after.unreached
    assert document.with_room.served + document.with_room.unmet == pytest.approx(reached)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"surge": ("area=V7:2",)}, 'no area "V7"'),
        ({"surge": ("old:2",)}, 'no group "old"; the nearest is "older"'),
        ({"surge": ("older",)}, "is no surge"),
        ({"surge": ("older:-1",)}, "is no surge"),
        ({"hazard": Path("none.geojson")}, "no such file"),
        ({"stock": 1, "scenarios": ("x=2:s0",)}, "is no probability"),
        ({"stock": 1, "scenarios": ("x:s0",)}, "is no scenario"),
        ({"stock": 1, "scenarios": ("x=0.7:s0", "y=0.7:s1")}, "add up to 1.4"),
        ({"stock": 1, "scenarios": ("x=0.1:s0", "x=0.1:s1")}, "stands twice"),
        ({"stock": 1, "scenarios": ("x=0.1:s99",)}, 'no site "s99"'),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(study: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        asked(study, **more)


@pytest.mark.parametrize("more", [{"harden": 1}, {"stock": 1}, {"scenarios": ("x=0.1:s0",)}])
def test_questions_that_need_another_say_so(study: Path, more: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="need"):
        asked(study, **more)


def test_a_table_of_scenarios_is_read_like_the_command_line(study: Path) -> None:
    path = study / "scenarios.csv"
    path.write_text('scenario,probability,out\ndry,0.25,s1\nboth,0.5,"s1,s0"\n', encoding="utf-8")
    from_table = asked(study, stock=2, scenarios_file=path).document.stock
    given = asked(study, stock=2, scenarios=("dry=0.25:s1", "both=0.5:s1,s0")).document.stock
    assert from_table == given


def best_by_programme(study: Path, lost: str, pool: list[str], number: int) -> tuple[float, set[str]]:
    """Least weighted minutes of any sending within room, by trying every set; and the set."""
    ground = prepare(study / "plan", None, Run(60.0, 0.0, None, 1, Silent(), Stop()))
    room, ids = capacities(ground), [str(i) for i in ground.tables.sites.table["id"]]
    assert room is not None
    demand, classes = ground.situation.demand, ground.situation.class_times
    best, chosen = math.inf, set[str]()
    for some in combinations(pool, number):
        is_open = ground.situation.open_mask.copy()
        is_open[ids.index(lost)] = False
        is_open[[ids.index(site) for site in some]] = True
        costs, equal, load, fixed = [], [], [], 0.0
        n_rows = 0
        for c, times in enumerate(classes):
            for point in range(demand.n_points):
                weight, people = demand.class_weight[c, point], demand.class_people[c, point]
                fixed += weight * ground.unreached_ms
                pairs = range(times.indptr[point], times.indptr[point + 1])
                for at in pairs:
                    if is_open[times.site_idx[at]]:
                        costs.append(weight * (times.time_ms[at] - ground.unreached_ms))
                        equal.append((n_rows, len(costs) - 1))
                        load.append((times.site_idx[at], len(costs) - 1, people))
                n_rows += 1
        rows = np.zeros((n_rows + len(ids), len(costs)))
        for row, column in equal:
            rows[row, column] = 1.0
        for site, column, people in load:
            rows[n_rows + site, column] = people
        ends = np.concatenate([np.ones(n_rows), np.where(np.isinf(room), 1e9, room)])
        found = linprog(costs, A_ub=rows, b_ub=ends, bounds=(0, 1), method="highs")
        if (found.fun + fixed) / 60_000 < best:
            best, chosen = (found.fun + fixed) / 60_000, set(some)
    return best, chosen


def test_where_room_is_limited_the_sending_and_the_set_are_the_best_of_all(study: Path) -> None:
    plan = json.loads((study / "plan" / "plan.json").read_text())
    lost = next(site["id"] for site in plan["sites"] if site["status"] != "other")
    document = asked(study, out_of_service=(lost,), replan=2, worst=1).document
    assert document.sent is not None
    assert document.open_sent is not None
    assert document.open is not None
    ground = prepare(study / "plan", None, Run(60.0, 0.0, None, 1, Silent(), Stop()))
    pool = [str(i) for i, may in zip(ground.tables.sites.table["id"], ground.spare_mask, strict=True) if may]
    assert document.sent.value == pytest.approx(best_by_programme(study, lost, [], 0)[0], rel=1e-7)
    best, chosen = best_by_programme(study, lost, pool, 2)
    assert document.open_sent.value == pytest.approx(best, rel=1e-4)
    assert document.open_sent.bound <= best * (1 + 1e-9)
    assert len(chosen) == 2
    assert document.with_room is not None
    assert document.with_room.mean_min is not None
    assert document.after.mean_min <= document.sent.mean_min + 1e-9
    assert document.worst is not None
    assert document.worst.sent is not None
    assert document.worst.sent.value >= document.sent.value
    assert differing(study) == []


@pytest.mark.parametrize("what", ["value", "unmet", "bound", "people", "opened"])
def test_a_changed_sending_is_found(study: Path, what: str) -> None:
    plan = json.loads((study / "plan" / "plan.json").read_text())
    lost = next(site["id"] for site in plan["sites"] if site["status"] != "other")
    asked(study, out_of_service=(lost,), replan=1, surge=("all:4",))
    path = study / "plan" / "stress" / "stress.json"
    document = json.loads(path.read_text())
    if what == "people":
        parts = path.with_name("sent-people-proof.npz")
        arrays = dict(np.load(parts))
        arrays["share"] = arrays["share"] * 0.9
        np.savez_compressed(parts, **arrays)
    elif what == "opened":
        document["open_sent"]["opened"] = document["reopen_sent"]["opened"]
    elif what == "bound":
        document["open_sent"]["bound"] = document["open_sent"]["value"] * 1.01
    else:
        document["sent"][what] += 3.0
    path.write_text(json.dumps(document))
    assert any(name.startswith(("sent", "open-sent")) for name in differing(study))
