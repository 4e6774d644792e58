"""``nearer solve`` and the check of its results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from nearer.cli import solve as command
from nearer.study import pairs, request

GRAPH = "5 5 2\n1 2 9\n2 3 3\n3 4 4\n1 2 2\n3 5 1\n"  # best: open 1 or 2, and 3: 2 + 4 + 1


@pytest.fixture
def graph(tmp_path: Path) -> str:
    (tmp_path / "graph.txt").write_text(GRAPH)
    return "graph.txt"


def test_a_benchmark_file_is_solved_and_its_result_verified(nearer: Any, graph: str, tmp_path: Path) -> None:
    options = ("--format", "orlib-pmed", "--assignment", "--threads", 1)
    result = nearer("solve", graph, *options, "--json", "r.json", "--proof", "p.npz")
    assert (result.returncode, result.stderr) == (0, "")
    assert "optimal: 7" in result.stdout
    written = json.loads((tmp_path / "r.json").read_text())
    assert (written["objective"], written["bound"], len(written["assignment"])) == (7, 7, 5)

    assert nearer("verify", "r.json", "--instance", graph).returncode == 0
    checked = nearer("verify", "r.json", "--instance", graph, "--json")
    assert json.loads(checked.stdout) == {"ok": True, "value": 7, "bound": 7, "differences": []}

    without = nearer("verify", "r.json")
    assert without.returncode == 2
    assert "--instance" in without.stderr

    (tmp_path / "r.json").write_text(json.dumps(written | {"objective": 6}))
    wrong = nearer("verify", "r.json", "--instance", graph)
    assert wrong.returncode == 1
    assert "the open sites are worth 7" in wrong.stdout


def test_the_result_may_go_to_standard_output(nearer: Any, graph: str) -> None:
    result = nearer("solve", graph, "--format", "orlib-pmed", "-p", 5, "--json", "-")
    assert json.loads(result.stdout)["objective"] == 0


def test_bad_files_and_numbers_are_exit_code_2(nearer: Any, graph: str) -> None:
    for arguments in (
        ("none.txt", "--format", "orlib-pmed"),
        (graph, "--format", "tsplib", "-p", 2),
        (graph, "--format", "orlib-pmed", "-p", 9),
        (graph, "--format", "unknown"),
        (graph,),
    ):
        result = nearer("solve", *arguments)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr


def test_the_names_on_the_command_line_are_those_that_can_be_read() -> None:
    asked = get_type_hints(command.solve)
    assert get_args(asked["problem"]) == get_args(request.Kind)
    assert get_args(asked["file_format"]) == get_args(pairs.Format)
    assert get_args(asked["distance"]) == get_args(pairs.Rounding)


GRID = "4\n0 0 0 1 5\n1 1 0 1 1\n2 9 0 1 4\n3 30 0 1 2\n"


def test_a_covering_is_told_with_what_is_covered_at_most(nearer: Any, tmp_path: Path) -> None:
    (tmp_path / "grid.dat").write_text(GRID)
    cover = ("solve", "grid.dat", "--problem", "max-cover", "--format", "mclp-grid", "--radius", 1.5)
    result = nearer(*cover, "-p", 1, "--json", "r.json", "--proof", "p.npz")
    assert (result.returncode, result.stderr) == (0, "")
    assert "optimal: 6 with 1 of 4 sites, at most 6" in result.stdout
    assert "value 6; bound 6, as proven" in nearer("verify", "r.json", "--instance", "grid.dat").stdout
    assert json.loads(nearer(*cover, "--budget", 2, "--json", "-").stdout)["objective"] == 10

    missing = nearer(*cover)
    assert missing.returncode == 2
    assert "add -p N, or --budget B" in missing.stderr


def test_what_cannot_be_is_exit_code_1_with_the_reason(nearer: Any, tmp_path: Path) -> None:
    (tmp_path / "apart.dat").write_text("1 2\nF 0 0 0 1\nC 0 0 1 5\nC 1 9 9 5\n")
    result = nearer(
        "solve", "apart.dat", "--problem", "set-cover", "--format", "mclp-grid", "--radius", 2, "--json", "r"
    )
    assert result.returncode == 1
    assert "infeasible: no site lies within 2 of customer 2." in result.stdout
    assert json.loads((tmp_path / "r").read_text())["objective"] is None
    assert nearer("verify", "r", "--instance", "apart.dat").returncode == 2


def test_a_time_limit_that_ends_a_run_is_exit_code_3_with_a_valid_result(nearer: Any, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("\n".join(",".join(str((i * j) % 17 + i) for j in range(9)) for i in range(30)))
    result = nearer("solve", "m.csv", "--format", "csv", "-p", 3, "--time-limit", 0, "--json", "r.json")
    assert result.returncode == 3
    written = json.loads((tmp_path / "r.json").read_text())
    assert (written["status"], len(written["open"])) == ("feasible", 3)
    assert nearer("verify", "r.json", "--instance", "m.csv").returncode == 0
