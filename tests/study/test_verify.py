"""The independent check agrees with honest plans and finds every number that was changed."""

from __future__ import annotations

import ast
import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nearer
from nearer.errors import InputError
from nearer.model import Certificate
from nearer.progress import Silent, Tick
from nearer.study.liechtenstein import write_liechtenstein
from nearer.study.run import run_study
from nearer.study.verify import Verdict, verify_plan
from nearer.study.verify_any import verify_any

TOML = """
[study]
name = "Two valleys"
seed = 3

[area]
districts = "valleys.geojson"

[streets]
mode = "straight"
speed_kmh = 4.0
limit_min = 25
group_speeds_kmh = { older = 3.1 }

[people]
file = "people.csv"
groups = { older = "older", children = "children" }

[[sites]]
file = "sites.csv"

[plan]
open = 4
coverage_min = 8
group_weights = { children = 2.0, older = 1.5 }
"""


def box(lon: float, lat: float, side: float = 0.03) -> dict[str, Any]:
    corners = [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]
    return {"type": "Polygon", "coordinates": [corners]}


def write_study(folder: Path) -> Path:
    """120 points in two valleys, 3 existing centres (one of another provider), 16 candidates."""
    rng = np.random.default_rng(11)
    folder.mkdir(parents=True)
    (folder / "nearer.toml").write_text(TOML, encoding="utf-8")
    lines = ["id,lon,lat,population,older,children"]
    for i in range(120):
        valley = i % 2
        lon, lat = 9.5 + 0.05 * valley + rng.uniform(0, 0.03), 47.0 + rng.uniform(0, 0.03)
        total = rng.integers(1, 90)
        older = rng.integers(0, total + 1)
        lines.append(f"p{i},{lon:.6f},{lat:.6f},{total},{older},{rng.integers(0, total - older + 1)}")
    lines.append("p-far,9.9,47.0,20,5,5")
    (folder / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shapes = [
        {"type": "Feature", "properties": {"name": f"V{valley}"}, "geometry": box(9.5 + 0.05 * valley, 47.0)}
        for valley in (0, 1)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": shapes})
    (folder / "valleys.geojson").write_text(text, encoding="utf-8")
    lines = ["id,name,lon,lat,status,agency"]
    for j in range(19):
        status = "existing" if j < 2 else "other" if j == 2 else "candidate"
        lon, lat = 9.5 + 0.05 * (j % 2) + rng.uniform(0, 0.03), 47.0 + rng.uniform(0, 0.03)
        lines.append(f"s{j},Site {j},{lon:.6f},{lat:.6f},{status},{'AB'[j % 2]}")
    (folder / "sites.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("verify") / "valleys")
    run_study(folder, gap=0.0, threads=1)
    return folder


@pytest.fixture
def study(planned: Path, tmp_path: Path) -> Path:
    """A fresh copy of the study and its plan, to be tampered with."""
    return Path(shutil.copytree(planned, tmp_path / "valleys"))


def differing(study: Path) -> list[str]:
    return [check.name for check in verify_plan(study / "plan").differing]


def rewrite(study: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = study / "plan" / "plan.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def test_an_honest_plan_agrees_in_everything(study: Path) -> None:
    verdict = verify_plan(study / "plan")
    assert verdict.differing == ()
    assert verdict.ok
    document = json.loads((study / "plan" / "plan.json").read_text(encoding="utf-8"))
    assert document["status"] == "optimal"
    names = [check.name for check in verdict.checks]
    assert len(set(names)) == len(names) > 50
    assert json.loads(json.dumps(verdict.as_json()))["ok"] is True


def test_the_study_is_found_beside_the_plan_or_where_told(study: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.move(study / "plan", moved)
    assert verify_plan(moved, study).ok
    assert verify_plan(moved / "plan.json", study / "nearer.toml").ok
    run = json.loads((moved / "run.json").read_text(encoding="utf-8"))
    (moved / "run.json").write_text(json.dumps(run | {"study_folder": "../valleys"}), encoding="utf-8")
    assert verify_plan(moved).ok


def set_to(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        part = document
        for key in path[:-1]:
            part = part[key]
        assert part[path[-1]] != value
        part[path[-1]] = value

    return change


def scale(*path: Any, by: float = 1.0001) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        part = document
        for key in path[:-1]:
            part = part[key]
        assert part[path[-1]]
        part[path[-1]] *= by

    return change


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (scale("objective", "value"), "objective: value"),
        (scale("before_value"), "objective: value before"),
        (scale("bound"), "bound"),
        (set_to("gap", value=0.5), "gap"),
        (set_to("gain_gap", value=0.5), "gain_gap"),
        (set_to("crs", value="EPSG:3857"), "crs"),
        (set_to("study", value="Another"), "study"),
        (set_to("seed", value=4), "seed"),
        (set_to("opened", value=5), "sites: number opened"),
        (scale("sites", 0, "people"), "people per site (s0)"),
        (set_to("sites", 0, "name", value="Mine"), "sites: name and place of s0"),
        (set_to("sites", 2, "lon", value=9.0), "sites: name and place of"),
        (set_to("sites", 0, "id", value="nowhere"), "sites: known"),
        (set_to("sites", 0, "id", value="s1"), "sites: named once"),
        (set_to("sites", 0, "status", value="opened"), "sites: existing"),
        (set_to("sites", 2, "status", value="closed"), "sites: status"),
        (scale("sites", 2, "gain_person_min"), "gains ("),
        (scale("sites", 3, "loss_person_min"), "losses ("),
        (scale("sites", 3, "people_nearer"), "people nearer ("),
        (set_to("sites", 3, "order", value=9), "gains: order"),
        (set_to("sites", 2, "replacement", value="s0"), "replacement of"),
        (scale("sites", 2, "replaced_loss_person_min"), "replacement of"),
        (scale("measures", "after", "mean_min"), "measures after: mean_min"),
        (scale("measures", "before", "farthest_min"), "measures before: farthest_min"),
        (scale("measures", "after", "within", "8"), "measures after: within.8"),
        (scale("measures", "after", "groups", "older", "mean_min"), "measures after: groups.older.mean_min"),
        (scale("measures", "after", "unreachable_from_any_site"), "measures after: unreachable_from_any_site"),
        (set_to("measures", "after", "unreached", value=0.0), "measures after: unreached"),
        (scale("curve", "after", 20), "curve after (10.0)"),
        (scale("curve", "groups", "older", "before", 40), "curve of older before (20.0)"),
        (scale("areas", 1, "after_mean_min"), "area V1 (after_mean_min)"),
        (set_to("areas", 0, "name", value="V9"), "areas: names"),
        (set_to("far", 0, "people", value=1e6), "far: people"),
        (set_to("far", 0, "mend", value="s0"), "far: sites"),
        (set_to("inputs", value={}), None),
    ],
)
def test_a_changed_number_is_found(study: Path, change: Callable[[dict[str, Any]], None], name: str | None) -> None:
    rewrite(study, change)
    if name is None:
        with pytest.raises(InputError, match="names no input files"):
            verify_plan(study / "plan")
        return
    found = differing(study)
    assert any(each.startswith(name) for each in found), found


def test_another_candidate_in_place_of_an_opened_one_is_found(study: Path) -> None:
    def swap(document: dict[str, Any]) -> None:
        taken = {site["id"] for site in document["sites"]}
        rows = [line.split(",") for line in (study / "sites.csv").read_text(encoding="utf-8").splitlines()[1:]]
        site, name, lon, lat = next(row[:4] for row in rows if row[4] == "candidate" and row[0] not in taken)
        document["sites"][2] |= {"id": site, "name": name, "lon": float(lon), "lat": float(lat)}

    rewrite(study, swap)
    found = differing(study)
    assert not any(name.startswith("sites") for name in found)
    assert {"objective: value", "measures after: mean_min"} <= set(found)


def test_an_opened_site_left_out_is_found(study: Path) -> None:
    rewrite(study, lambda document: document["sites"].pop())
    assert "sites: number asked" in differing(study)


def test_calling_a_plan_optimal_that_is_not_is_found(study: Path) -> None:
    def weaken(document: dict[str, Any]) -> None:
        value, before = document["objective"]["value"], document["before_value"]
        bound = document["bound"] * 0.99
        document |= {
            "bound": bound,
            "gap": abs(value - bound) / value,
            "gain_gap": abs(value - bound) / abs(before - bound),
        }

    rewrite(study, weaken)
    assert differing(study) == ["status"]
    rewrite(study, set_to("status", value="feasible"))
    assert differing(study) == []
    rewrite(study, set_to("status", value="gap"))
    assert differing(study) == ["status"]  # run.json says that none was asked for


def tamper_proof(study: Path, **arrays: Any) -> None:
    path = study / "plan" / "proof.npz"
    dataclasses.replace(Certificate.load(path), **arrays).save(path)


def test_changed_multipliers_are_found(study: Path) -> None:
    certificate = Certificate.load(study / "plan" / "proof.npz")
    tamper_proof(study, multipliers=certificate.multipliers * 0.5)
    assert {"bound", "status"} <= set(differing(study))


def test_a_tree_that_is_none_is_found(study: Path) -> None:
    tamper_proof(study, node_parent=np.array([0], dtype=np.int32))
    (bound,) = (check for check in verify_plan(study / "plan").differing if check.name == "bound")
    assert "proves nothing" in str(bound)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 not a zip", b"plain text"])
def test_a_proof_that_cannot_be_read_proves_nothing(study: Path, content: bytes | None) -> None:
    path = study / "plan" / "proof.npz"
    path.unlink() if content is None else path.write_bytes(content)
    assert {"bound", "status"} <= set(differing(study))
    [status] = [check for check in verify_plan(study / "plan").differing if check.name == "status"]
    assert status.found == "no bound that holds"


def test_a_proof_that_is_the_solvers_own_is_said_so(study: Path) -> None:
    rewrite(study, set_to("proof", value="solver"))
    verdict = verify_plan(study / "plan")
    assert verdict.ok
    assert "solver's own word" in verdict.notes[0]


def test_a_changed_input_is_named(study: Path) -> None:
    for name in ("people.csv", "sites.csv"):
        with (study / name).open("a", encoding="utf-8") as file:
            file.write("\n")
    with pytest.raises(InputError) as caught:
        verify_plan(study / "plan")
    assert [fault.file for fault in caught.value.faults] == ["people.csv", "sites.csv"]
    assert "has changed" in str(caught.value)


def test_a_missing_input_is_named(study: Path) -> None:
    (study / "people.csv").unlink()
    with pytest.raises(InputError, match=r"people\.csv: is not in"):
        verify_plan(study / "plan")


def test_a_changed_study_file_is_found_unless_the_command_line_may_say_so(study: Path) -> None:
    path = study / "nearer.toml"
    path.write_text(TOML.replace("open = 4", "open = 5").replace("seed = 3", "seed = 9"), encoding="utf-8")
    assert differing(study) == []
    path.write_text(TOML.replace("limit_min = 25", "limit_min = 24"), encoding="utf-8")
    assert differing(study) == []
    path.write_text(TOML.replace("speed_kmh = 4.0", "speed_kmh = 5.0"), encoding="utf-8")
    (check,) = verify_plan(study / "plan").differing
    assert str(check) == "settings: the plan says streets.speed_kmh = 4.0, found streets.speed_kmh = 5.0"


def test_changed_settings_inside_the_plan_are_found(study: Path) -> None:
    rewrite(study, set_to("settings", "plan", "group_weights", "children", value=1.0))
    assert {"settings", "objective: value"} <= set(differing(study))


def test_a_verdict_reads_as_sentences(study: Path) -> None:
    rewrite(study, set_to("seed", value=4))
    verdict = verify_plan(study / "plan")
    assert isinstance(verdict, Verdict)
    assert not verdict.ok
    assert [str(check) for check in verdict.differing] == ["seed: the plan says 4, found 3"]


class Steps(Silent):
    """Collects the steps: total and ticks by label."""

    def __init__(self) -> None:
        self.found: dict[str, list[int | None]] = {}

    @contextmanager
    def step(self, label: str, total: int | None = None) -> Iterator[Tick]:
        told: list[int | None] = [total, 0]
        self.found[label] = told

        def tick(steps: int = 1, note: str = "", closing: tuple[float, float] | None = None) -> None:
            told[1] = (told[1] or 0) + steps

        yield tick


def test_the_check_tells_how_far_it_is(study: Path) -> None:
    steps = Steps()
    assert verify_any(study / "plan", progress=steps).ok
    assert list(steps.found)[-3:] == ["Computing travel times again", "Counting again", "Evaluating the bound"]
    assert steps.found["Computing travel times again"] == [19, 19]
    total, done = steps.found["Evaluating the bound"]
    assert total == done
    assert total is not None
    assert total > 0


def test_a_ready_table_of_times_is_checked_too(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "table")
    rng = np.random.default_rng(5)
    rows = [f"p{i},s{j},{rng.uniform(0, 40):.3f}" for i in range(120) for j in range(19) if rng.random() < 0.6]
    (folder / "minutes.csv").write_text("\n".join(["from,to,minutes", *rows]) + "\n", encoding="utf-8")
    text = TOML.replace('mode = "straight"', 'table = "minutes.csv"')
    text = text.replace("speed_kmh = 4.0\n", "").replace("group_speeds_kmh = { older = 3.1 }\n", "")
    (folder / "nearer.toml").write_text(text, encoding="utf-8")
    run_study(folder, threads=1)
    assert verify_plan(folder / "plan").differing == ()


def test_the_check_shares_only_reading_and_the_graph_with_what_it_checks() -> None:
    src = Path(nearer.__file__).parent
    names = ("study/verify.py", "study/recount.py", "study/retime.py", "model/check.py", "model/evaluate.py")
    names += ("model/certified_tree.py", "model/check_partial.py", "model/evaluate_points.py", "model/evaluate_cuts.py")
    names += ("model/check_plane.py", "model/check_center.py")
    names += ("study/retime_pairs.py", "study/retime_streets.py", "study/verify_facts.py", "study/verify_limits.py")
    for name in (*names, "study/verify_gaps.py", "study/recount_gaps.py"):
        tree = ast.parse((src / name).read_text(encoding="utf-8"))
        imported = {
            f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nearer")
            for alias in node.names
        }
        network = {one for one in imported if one.startswith("nearer.network")}
        assert network <= {f"nearer.network.{n}" for n in ("Snap", "StreetGraph", "build_graph", "snap")}
        barred = ("kernels", "solvers", "demand", "report", "model.build", "planning.make", "planning.measures")
        barred += ("planning.gains", "planning.access", "planning.areas", "study.parts", "study.run")
        barred += ("planning.catchment", "planning.gapareas", "planning.gaps", "planning.sizing", "study.gaps")
        assert not [one for one in imported if one.startswith(tuple(f"nearer.{room}" for room in barred))]


def test_real_streets_are_checked_too(tmp_path: Path) -> None:
    folder = tmp_path / "liechtenstein"
    write_liechtenstein(folder)
    run_study(folder, gap=0.0, threads=1)
    verdict = verify_plan(folder / "plan")
    assert verdict.differing == ()
    assert {"bound", "objective: value", "curve after", "area Vaduz"} <= {check.name for check in verdict.checks}
