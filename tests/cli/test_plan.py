"""``nearer check``, ``plan`` and ``verify`` on a tiny study, as processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nearer.cli.options import Language
from nearer.language import LANGUAGES
from nearer.study.write import PLAN_FILES


@pytest.fixture
def town(nearer: Any, tmp_path: Path) -> Path:
    """The study that ``nearer new`` writes: 10 points, 1 centre, 5 candidates, 2 to open."""
    assert nearer("new", "town").returncode == 0
    return tmp_path / "town"


def test_a_new_study_is_planned_and_verified_as_it_stands(nearer_process: Any, town: Path) -> None:
    planned = nearer_process("plan", "town")
    assert (planned.returncode, planned.stderr) == (0, "")
    assert "proven" in planned.stdout
    for name in ("report.html", "plan.gpkg", "plan.json", "sites.csv"):
        assert str(Path("town") / "plan" / name) in planned.stdout
    assert {path.name for path in (town / "plan").iterdir()} == {*PLAN_FILES} - {"assignment.npz"}

    verified = nearer_process("verify", Path("town") / "plan")
    assert verified.returncode == 0, verified.stdout
    assert "The plan holds" in verified.stdout


def test_a_plan_made_elsewhere_is_verified_where_both_have_moved(nearer: Any, town: Path, tmp_path: Path) -> None:
    assert nearer("plan", "town", "--open", 1, "--out", Path("plans") / "one").returncode == 0
    (tmp_path / "moved").mkdir()
    for name in ("town", "plans"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    assert nearer("verify", Path("moved") / "plans" / "one").returncode == 0


def test_a_changed_plan_is_exit_code_1_and_a_changed_input_2(nearer: Any, town: Path) -> None:
    nearer("plan", "town")
    file = town / "plan" / "plan.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["objective"]["value"] *= 0.99
    file.write_text(json.dumps(document), encoding="utf-8")
    changed = nearer("verify", Path("town") / "plan", "--json")
    assert changed.returncode == 1
    verdict = json.loads(changed.stdout)
    assert not verdict["ok"]
    assert {check["name"] for check in verdict["checks"] if not check["ok"]} >= {"objective: value"}

    with (town / "people.csv").open("a", encoding="utf-8") as people:
        people.write("11,9.52,47.14,5,1,1\n")
    result = nearer("verify", Path("town") / "plan")
    assert result.returncode == 2
    assert "people.csv: has changed" in result.stderr


def test_the_answer_for_programs_is_json(nearer: Any, town: Path) -> None:
    result = nearer("plan", "town", "--json", "--open-max", 1)
    answer = json.loads(result.stdout)
    assert (answer["status"], answer["opened"], len(answer["sites"])) == ("optimal", 1, 1)
    assert {"study", "objective", "bound", "gap", "gain_gap", "proof", "measures", "files"} <= answer.keys()
    assert Path(answer["files"]["plan.json"]) == Path("town") / "plan" / "plan.json"


def test_a_check_tells_what_was_read(nearer: Any, town: Path) -> None:
    result = nearer("check", "town")
    assert result.returncode == 0
    assert "3,065 at 10 points" in result.stdout
    report = json.loads(nearer("check", "town", "--json").stdout)
    assert (report["points"], report["sites"]["candidate"], report["open_max"]) == (10, 5, 2)
    assert (report["groups"], report["unreachable"]) == ({"children": 615.0, "older": 546.0}, [])


def test_a_check_lists_who_cannot_be_joined_or_reached(nearer: Any, tmp_path: Path) -> None:
    assert nearer("new", "country", "--example", "liechtenstein").returncode == 0
    result = nearer("check", "country")
    assert result.returncode == 0
    assert "joined to the streets" in result.stdout
    assert "people that no site reaches" in " ".join(result.stdout.split())


@pytest.mark.parametrize("command", ["check", "plan"])
def test_every_fault_stands_on_a_line_with_exit_code_2(nearer: Any, town: Path, command: str) -> None:
    people = (town / "people.csv").read_text(encoding="utf-8").replace(",320,", ",-320,").replace(",510,", ",many,")
    (town / "people.csv").write_text(people, encoding="utf-8")
    (town / "candidates.csv").write_text("id,name,lon,lat\nS1,a,9.5,47.1\nS1,b,9.5,47.1\n", encoding="utf-8")
    result = nearer(command, "town")
    lines = result.stderr.splitlines()
    assert result.returncode == 2
    assert result.stdout == ""
    assert any(line.startswith("people.csv, row 2, column population: ") for line in lines)
    assert any(line.startswith("people.csv, row 3, column population: ") for line in lines)
    assert any(line.startswith("candidates.csv, row 3") for line in lines)
    assert not (town / "plan").exists()

    faults = json.loads(nearer(command, "town", "--json").stdout)["faults"]
    assert [fault["text"] for fault in faults] == lines
    assert {"message", "file", "row", "column", "remedy"} <= faults[0].keys()


@pytest.mark.parametrize("command", ["check", "plan"])
def test_more_to_open_than_candidates_is_exit_code_2(nearer: Any, town: Path, command: str) -> None:
    text = (town / "nearer.toml").read_text(encoding="utf-8").replace("open = 2 ", "open = 6 ")
    (town / "nearer.toml").write_text(text, encoding="utf-8")
    result = nearer(command, "town")
    assert result.returncode == 2
    assert "6 sites are to open and only 5 candidates may; ask for at most 5" in result.stderr


def test_a_run_that_the_clock_ends_writes_its_best_and_is_exit_code_3(nearer: Any, town: Path) -> None:
    result = nearer("plan", "town", "--time-limit", 0, "--json")
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["status"], answer["opened"]) == (3, "feasible", 2)
    assert answer["bound"] <= answer["objective"]["value"]
    assert nearer("verify", Path("town") / "plan").returncode == 0


# Waits inside the solver, so that the moment of the interrupt is known.
WAITING = """
import time
from pathlib import Path
from nearer.study import run
solve = run.solve
def wait(*args, **kwargs):
    Path("solving").touch()
    while not {until}:
        time.sleep(0.01)
    return solve(*args, **kwargs)
run.solve = wait
from nearer.cli import main
main()
"""


def interrupted(tmp_path: Path, until: str, times: int) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING.format(until=until), "plan", "town"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "solving").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to one process")
def test_ctrl_c_writes_the_best_plan_so_far_with_exit_code_3(nearer: Any, town: Path, tmp_path: Path) -> None:
    code, err = interrupted(tmp_path, 'kwargs["stop"]()', times=1)
    assert code == 3
    assert "best found so far" in err
    assert "Traceback" not in err
    document = json.loads((town / "plan" / "plan.json").read_text(encoding="utf-8"))
    assert (document["status"], document["opened"]) == ("feasible", 2)
    assert document["gap"] > 0
    assert nearer("verify", Path("town") / "plan").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to one process")
def test_a_second_ctrl_c_ends_at_once_and_leaves_the_earlier_plan(nearer: Any, town: Path, tmp_path: Path) -> None:
    nearer("plan", "town")
    before = {path.name: path.read_bytes() for path in (town / "plan").iterdir()}
    code, err = interrupted(tmp_path, "False", times=2)
    assert code == 3
    assert "nothing was written" in err
    assert "Traceback" not in err
    assert {path.name: path.read_bytes() for path in (town / "plan").iterdir()} == before


def test_other_plans_are_asked_for_on_the_command_line_and_verified(nearer: Any, town: Path) -> None:
    planned = nearer("plan", "town", "--alternatives", 2, "--differ", 1, "--within", 2)
    assert planned.returncode == 0
    assert "2 other plans at most 200" in planned.stdout
    assert nearer("verify", Path("town") / "plan").returncode == 0
    again = nearer("plan", "town", "--from", Path("town") / "plan", "--alternatives", 1, "--within", 0, "--json")
    assert json.loads(again.stdout)["alternatives"] == {
        "count": 1,
        "differ": 1,
        "within": 0.0,
        "plans": [],
        "no_more": True,
        "in_all": [site["id"] for site in sorted(json.loads(again.stdout)["sites"], key=lambda s: s["id"])],
    }


def test_a_start_from_a_folder_without_a_plan_is_exit_code_2(nearer: Any, town: Path) -> None:
    refused = nearer("plan", "town", "--from", "town")
    assert refused.returncode == 2
    assert "there is no plan here" in refused.stderr


def test_money_can_be_given_on_the_command_line(nearer: Any, tmp_path: Path) -> None:
    folder = tmp_path / "street"
    folder.mkdir()
    (folder / "people.csv").write_text("id,lon,lat,population\na,0,0.000,10\nb,0,0.010,10\nc,0,0.020,20\n")
    (folder / "sites.csv").write_text(
        "id,name,lon,lat,status,cost\nH,Hall,0,0.000,existing,\nS,School,0,0.010,candidate,50\n"
        "L,Library,0,0.020,candidate,80\n"
    )
    (folder / "nearer.toml").write_text(
        '[streets]\nmode = "straight"\n[people]\nfile = "people.csv"\n'
        '[[sites]]\nfile = "sites.csv"\n[plan]\nopen_max = 2\n'
    )
    opened = {}
    for budget in ("49", "60", "90", "200"):
        result = nearer("plan", "street", "--budget", budget, "--json")
        assert result.returncode == 0, result.stderr
        opened[budget] = sorted(site["id"] for site in json.loads(result.stdout)["sites"])
        assert nearer("verify", "street/plan").returncode == 0
    # the school leaves 20 people one stretch away, the library 10
    assert opened == {"49": [], "60": ["S"], "90": ["L"], "200": ["L", "S"]}


def test_the_report_of_a_finished_plan_is_written_anew_in_a_language(nearer: Any, town: Path) -> None:
    assert [one.value for one in Language] == list(LANGUAGES)
    assert nearer("plan", "town").returncode == 0
    made = (town / "plan" / "report.html").read_bytes()
    again = nearer("report", Path("town") / "plan")
    assert (again.returncode, again.stdout.strip()) == (0, str(Path("town") / "plan" / "report-en.html"))
    assert (town / "plan" / "report-en.html").read_bytes() == made
    assert nearer("report", Path("town") / "plan", "--language", "es", "--out", "hoy.html").returncode == 0
    assert (
        (town.parent / "hoy.html").read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="es" dir="ltr">')
    )
    assert nearer("report", Path("town") / "plan", "--language", "de").returncode == 2
    refused = nearer("report", "town")
    assert refused.returncode == 2
    assert "there is no plan here" in refused.stderr

    persian = nearer("plan", "town", "--language", "fa")
    assert persian.returncode == 0
    assert "با ۲ مرکز تازه" in persian.stdout
    assert '<html lang="fa" dir="rtl">' in (town / "plan" / "report.html").read_text(encoding="utf-8")
    assert not (town / "plan" / "report-en.html").exists(), "it was another plan's"
    with (town / "people.csv").open("a", encoding="utf-8") as people:
        people.write("11,9.52,47.14,5,1,1\n")
    changed = nearer("report", Path("town") / "plan", "--language", "es")
    assert changed.returncode == 2
    assert "has changed since the plan was made" in changed.stderr
