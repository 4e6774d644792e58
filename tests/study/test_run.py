"""The main job on a study small enough to be planned by hand."""

from __future__ import annotations

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from nearer.errors import InputError, OutputError, StoppedError, UsageError
from nearer.planning.plan import Plan
from nearer.progress import Stop
from nearer.study import run as run_module
from nearer.study import write as write_module
from nearer.study.run import run_study
from nearer.study.write import PLAN_FILES

STEP_MIN = 110.574 / 100.0  # a thousandth of a degree at 6 km/h, within 0.1 %


def opened(plan: Plan) -> set[str]:
    return {site.id for site in plan.document.sites if site.status == "opened"}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def by_hand(study: Path, n_open: int) -> tuple[float, set[str]]:
    """Least person-minutes and the sites that reach it, over all sets of candidates."""
    people, sites = table(study / "people.csv"), table(study / "sites.csv")
    existing = [site for site in sites if site["status"] == "existing"]
    best: tuple[float, set[str]] = (float("inf"), set())
    for chosen in combinations([site for site in sites if site["status"] == "candidate"], n_open):
        steps = sum(
            float(one["population"])
            * min(abs(float(one["lat"]) - float(site["lat"])) for site in (*existing, *chosen))
            * 1000
            for one in people
        )
        best = min(best, (steps * STEP_MIN, {site["id"] for site in chosen}), key=lambda pair: pair[0])
    return best


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("n_open", [0, 1, 2, 3, 4])
def test_the_plan_is_the_best_of_all_sets_of_candidates(study: Path, n_open: int) -> None:
    value, sites = by_hand(study, n_open)
    plan = run_study(study, open=n_open, threads=1)
    assert opened(plan) == sites
    assert plan.document.objective.value == pytest.approx(value, rel=2e-3, abs=1e-9)
    assert plan.document.status == "optimal"


def test_the_plan_folder_holds_every_file_and_nothing_else(study: Path, tmp_path: Path) -> None:
    run_study(study, out=tmp_path / "elsewhere", threads=1)
    assert set(contents(tmp_path / "elsewhere")) == {*PLAN_FILES} - {"assignment.npz"}
    run_study(study, threads=1)
    assert set(contents(study / "plan")) == {*PLAN_FILES} - {"assignment.npz"}


def test_plans_are_the_same_bytes_whatever_the_threads_and_the_run(study: Path, tmp_path: Path) -> None:
    for name, threads in (("one", 1), ("two", 2), ("again", 2)):
        run_study(study, out=tmp_path / name, threads=threads)
    for name in ("plan.json", "sites.csv"):
        assert len({(tmp_path / folder / name).read_bytes() for folder in ("one", "two", "again")}) == 1


def test_seconds_and_threads_of_a_run_stand_beside_the_plan(study: Path) -> None:
    plan = run_study(study, threads=1)
    text = (study / "plan" / "run.json").read_text(encoding="utf-8")
    assert "Infinity" not in text
    run = json.loads(text)
    assert set(run["seconds"]) == {"read", "network", "model", "solve", "plan", "reasons", "write"}
    assert run["threads"] == 1
    assert run["trace"][-1][1:] == [plan.document.objective.value, plan.bound]
    assert run["versions"]["python"]


def test_what_replaces_the_study_file_is_written_into_the_plan(study: Path) -> None:
    document = run_study(study, open_max=3, seed=7, threads=1).document
    settings: dict[str, Any] = document.settings
    assert (settings["plan"]["open"], settings["plan"]["open_max"], document.seed) == (None, 3, 7)
    assert document.opened == 3


def test_at_most_may_be_more_than_there_are(study: Path) -> None:
    assert run_study(study, open_max=99, threads=1).document.opened == 4


def test_more_to_open_than_candidates_is_refused_with_both_numbers(study: Path) -> None:
    with pytest.raises(InputError, match=r"5 sites .* only 4 candidates.*at most 4"):
        run_study(study, open=5, threads=1)
    assert not (study / "plan").exists()


def test_the_study_may_be_named_by_its_file(study: Path) -> None:
    run_study(study / "nearer.toml", threads=1)
    assert (study / "plan" / "plan.json").is_file()


def test_another_provider_counts_for_reach_and_is_not_planned(study: Path) -> None:
    text = (study / "sites.csv").read_text().replace("Library,0,0.010,candidate", "Library,0,0.010,other")
    (study / "sites.csv").write_text(text)
    assert opened(run_study(study, open=1, threads=1)) == {"S"}


def test_a_group_that_counts_more_draws_the_centre(study: Path) -> None:
    assert opened(run_study(study, open=1, threads=1)) == {"L"}
    text = (study / "nearer.toml").read_text().replace("open = 2", "open = 1\ngroup_weights = { older = 20 }")
    (study / "nearer.toml").write_text(text)
    assert opened(run_study(study, threads=1)) == {"G"}


def test_a_stop_before_there_is_a_plan_writes_nothing(study: Path) -> None:
    stop = Stop()
    stop.cancel()
    with pytest.raises(StoppedError, match="nothing was written"):
        run_study(study, threads=1, stop=stop)
    assert not (study / "plan").exists()


def test_a_stop_while_solving_writes_the_best_plan_so_far(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, stop = run_module.solve, Stop()

    def solve(*args: Any, **kwargs: Any) -> Any:
        stop.cancel()
        return real(*args, **kwargs)

    monkeypatch.setattr(run_module, "solve", solve)
    plan = run_study(study, threads=1, stop=stop)
    assert plan.document.opened == 2
    assert plan.bound <= plan.document.objective.value
    assert json.loads((study / "plan" / "run.json").read_text())["stopped"] is True


def test_a_full_disk_leaves_the_earlier_plan_as_it_was(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_study(study, threads=1)
    (study / "plan" / "my notes.txt").write_text("mine")
    before = contents(study / "plan")

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("write_sites_csv", "write_gpkg", "write_report", "write_plan_json"):
        with monkeypatch.context() as patch:
            patch.setattr(write_module, name, full)
            with pytest.raises(OutputError, match=r"No space left on device; what was there stands"):
                run_study(study, open=1, threads=1)
        assert contents(study / "plan") == before


def test_a_full_disk_leaves_no_new_folder(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OutputError("report.html", "No space left on device")

    monkeypatch.setattr(write_module, "write_report", full)
    with pytest.raises(OutputError, match="nothing is left behind"):
        run_study(study, threads=1)
    assert not (study / "plan").exists()


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_read(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unasked(*args: object) -> None:
        raise AssertionError("read, though nothing could be written")

    monkeypatch.setattr(run_module, "read_study", unasked)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="could not be written"):
        run_study(study, out=tmp_path / "file" / "plan", threads=1)


def test_two_runs_that_write_into_one_folder_do_not_mix_their_files(tmp_path: Path) -> None:
    names = [f"{k}.txt" for k in range(8)]
    out = tmp_path / "out"

    def write(word: str) -> None:
        def fill(fresh: Path) -> None:
            for name in names:
                (fresh / name).write_text(word)

        for _ in range(30):
            write_module.write_folder(out, names, fill, "X")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["one", "two"]))
    assert set(contents(out)) == set(names)
    assert len(set(contents(out).values())) == 1


def test_a_run_that_was_killed_while_it_wrote_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_module, "TURN_S", 0.1)
    (tmp_path / ".turn").mkdir()

    def fill(fresh: Path) -> None:
        (fresh / "a.txt").write_text("x")

    write_module.write_folder(tmp_path, ["a.txt"], fill, "X")
    assert set(contents(tmp_path)) == {"a.txt"}


def test_a_file_that_cannot_be_replaced_leaves_the_earlier_plan_whole(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_study(study, threads=1)
    before, real = contents(study / "plan"), Path.replace

    def locked(path: Path, target: Path) -> Path:
        if path.name == "run.json" and path.parent.name.startswith(".new-"):
            raise PermissionError(13, "in use")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(OutputError, match="in use"):
        run_study(study, open=1, threads=1)
    monkeypatch.undo()
    assert contents(study / "plan") == before


def test_other_files_in_the_plan_folder_stay(study: Path) -> None:
    run_study(study, threads=1)
    (study / "plan" / "my notes.txt").write_text("mine")
    run_study(study, open=1, threads=1)
    assert set(contents(study / "plan")) == {*PLAN_FILES, "my notes.txt"} - {"assignment.npz"}


def test_a_plan_is_never_written_over_anything_else(study: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sites.csv").write_text("mine")
    for out in (study, tmp_path / "file", tmp_path / "mine"):
        with pytest.raises(UsageError):
            run_study(study, out=out, threads=1)
    assert (tmp_path / "mine" / "sites.csv").read_text() == "mine"


@pytest.mark.parametrize("limits", [{"gap": float("nan")}, {"gap": -0.1}, {"time_limit_s": float("nan")}])
def test_limits_that_are_no_limits_are_refused(study: Path, limits: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="0 or more"):
        run_study(study, threads=1, **limits)  # type: ignore[arg-type]


def test_the_report_says_whose_the_data_are(study: Path) -> None:
    file = study / "nearer.toml"
    before = file.read_text(encoding="utf-8")
    file.write_text(f'{before}\n[[sources]]\nfile = "people.csv"\nlicence = "town register, CC BY 4.0"\n', "utf-8")
    plan = run_study(study, threads=1)
    assert {one.path: one.licence for one in plan.document.sources}["people.csv"] == "town register, CC BY 4.0"
    assert "town register, CC BY 4.0" in (study / "plan" / "report.html").read_text(encoding="utf-8")
    file.write_text(f'{before}\n[[sources]]\nfile = "poeple.csv"\nlicence = "ours"\n', "utf-8")
    with pytest.raises(InputError, match=r"sources\[1\].file.*no other part of the study reads poeple.csv"):
        run_study(study, threads=1)
