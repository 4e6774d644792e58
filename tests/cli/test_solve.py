"""``nearer solve`` and the check of its results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
