"""Benchmark files solved and checked."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearer.errors import InputError, UsageError
from nearer.study.benchmark import solve_file, write_result
from nearer.study.problems import read_problem
from nearer.study.request import Request
from nearer.study.result import verify_result

# A path 1 - 2 - 3 - 4 of lengths 2, 3, 4 (the first length of edge 1 2 is replaced), and node 5 on 3 by 1.
GRAPH = "5 5 2\n1 2 9\n2 3 3\n3 4 4\n1 2 2\n3 5 1\n"
# Distances 5, 10, sqrt(2) and so on.
POINTS = "DIMENSION : 4\nEDGE_WEIGHT_TYPE : EUC_2D\nNODE_COORD_SECTION\n1 0 0\n2 3 4\n3 6 8\n4 7 9\nEOF\n"


@pytest.fixture
def graph_file(tmp_path: Path) -> Path:
    path = tmp_path / "graph.txt"
    path.write_text(GRAPH)
    return path


@pytest.fixture
def points_file(tmp_path: Path) -> Path:
    path = tmp_path / "points.tsp"
    path.write_text(POINTS)
    return path


PMED = Request("p-median", "orlib-pmed")


def tsplib(p: int | None, distance: Any = "floor") -> Request:
    return Request("p-median", "tsplib", p, distance=distance)


def dense(path: Path, request: Request) -> list[list[float]]:
    instance = read_problem(path, request).instance
    table = np.full((instance.n_rows, instance.n_sites), np.inf)
    rows = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
    table[rows, instance.site_idx] = instance.cost
    return [list(map(float, row)) for row in table]


def test_graph_distances_are_shortest_paths_with_the_last_length_of_an_edge(graph_file: Path) -> None:
    assert dense(graph_file, PMED) == [
        [0, 2, 5, 9, 6],
        [2, 0, 3, 7, 4],
        [5, 3, 0, 4, 1],
        [9, 7, 4, 0, 5],
        [6, 4, 1, 5, 0],
    ]


def test_nodes_that_no_path_joins_cannot_serve_each_other(tmp_path: Path) -> None:
    path = tmp_path / "two.txt"
    path.write_text("3 1 2\n1 2 4\n")
    assert dense(path, PMED) == [
        [0, 4, math.inf],
        [4, 0, math.inf],
        [math.inf, math.inf, 0],
    ]
    result = solve_file(path, PMED, threads=1)
    assert (result["objective"], result["open"]) == (4, [1, 3])
    nobody = solve_file(path, replace(PMED, p=1), threads=1)
    assert (nobody["status"], nobody["objective"], nobody["open"]) == ("infeasible", None, [])


@pytest.mark.parametrize(
    ("rounding", "last"), [("floor", 1.0), ("round", 1.0), ("ceil", 2.0), ("exact", math.sqrt(2.0))]
)
def test_plane_distances_are_rounded_as_asked(points_file: Path, rounding: str, last: float) -> None:
    table = dense(points_file, tsplib(1, rounding))
    assert table[2] == [10.0, 5.0, 0.0, last]


@pytest.mark.parametrize("p", [None, 0, 5])
def test_a_number_of_sites_that_cannot_be_opened_is_refused(points_file: Path, p: int | None) -> None:
    with pytest.raises(UsageError, match="-p"):
        read_problem(points_file, tsplib(p))


@pytest.mark.parametrize("p", [1, 2, 3, 4, 5])
def test_results_are_proven_optimal_and_pass_the_check(graph_file: Path, tmp_path: Path, p: int) -> None:
    table = np.array(dense(graph_file, replace(PMED, p=p)))
    best = min(table[:, list(chosen)].min(axis=1).sum() for chosen in combinations(range(5), p))
    result = solve_file(graph_file, replace(PMED, p=p), threads=1, with_assignment=True, proof_file=tmp_path / "p.npz")
    assert (result["objective"], result["bound"], result["status"]) == (best, best, "optimal")
    assert sorted(set(result["assignment"])) == result["open"]
    write_result(result, tmp_path / "r.json")
    check = verify_result(tmp_path / "r.json", graph_file)
    assert (check.value, check.bound, check.differences) == (best, best, ())


def test_a_result_of_points_is_checked_on_the_pairs_that_matter(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    lines = [f"{k + 1} {x} {y}" for k, (x, y) in enumerate(rng.integers(0, 300, (80, 2)).tolist())]
    head = ["DIMENSION : 80", "EDGE_WEIGHT_TYPE : EUC_2D", "NODE_COORD_SECTION"]
    file = tmp_path / "points.tsp"
    file.write_text("\n".join([*head, *lines, "EOF", ""]))
    result = solve_file(file, tsplib(4), threads=1, with_assignment=True, proof_file=tmp_path / "p.npz")
    table = np.array(dense(file, tsplib(4)))
    best = min(table[:, list(chosen)].min(axis=1).sum() for chosen in [np.array(result["open"]) - 1])
    assert (result["objective"], result["status"]) == (best, "optimal")
    write_result(result, tmp_path / "r.json")
    check = verify_result(tmp_path / "r.json", file)
    assert (check.value, check.bound, check.differences) == (best, best, ())
    for wrong in ({"objective": best - 1}, {"bound": best + 1}, {"open": result["open"][:3]}):
        write_result(result | wrong, tmp_path / "r.json")
        assert verify_result(tmp_path / "r.json", file).differences


def test_a_result_holds_what_a_table_of_results_needs(graph_file: Path) -> None:
    result = solve_file(graph_file, PMED, threads=1)
    wanted = "problem file n_demand n_sites p status objective bound gap seconds seconds_read open trace peak_mb"
    assert set(wanted.split()) <= result.keys()
    assert (result["problem"], result["n_demand"], result["n_sites"], result["p"]) == ("p-median", 5, 5, 2)
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"objective": 3}, "the open sites are worth"),
        ({"open": [1, 2]}, "the open sites are worth"),
        ({"open": [2, 3, 4]}, "3 different sites are open where p is 2"),
        ({"bound": 5, "status": "optimal"}, "called optimal"),
        ({"bound": 1e9}, "the bound lies above"),
        ({"assignment": [1, 1, 1, 1, 1]}, "sends customers"),
        ({"assignment": [2, 2]}, "does not give every customer"),
    ],
)
def test_a_result_that_was_tampered_with_is_found(
    graph_file: Path, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    result = solve_file(graph_file, PMED, threads=1) | change
    write_result(result, tmp_path / "r.json")
    assert any(words in difference for difference in verify_result(tmp_path / "r.json", graph_file).differences)


def test_a_bound_that_the_certificate_does_not_prove_is_found(graph_file: Path, tmp_path: Path) -> None:
    result = solve_file(graph_file, PMED, threads=1, proof_file=tmp_path / "p.npz")
    other = tmp_path / "dearer.txt"  # every path three times as long: the multipliers prove less of it
    other.write_text("5 4 2\n1 2 1\n2 3 1\n3 4 1\n3 5 1\n")
    write_result(result, tmp_path / "r.json")
    assert verify_result(tmp_path / "r.json", other).differences


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"open": [1]}'])
def test_something_that_is_no_result_is_refused(graph_file: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InputError):
        verify_result(tmp_path / "r.json", graph_file)


@pytest.mark.data
def test_pmed1_has_its_published_optimum(data_dir: Path) -> None:
    result = solve_file(data_dir / "instances" / "pmed" / "pmed1.txt", PMED, threads=1, time_limit_s=60)
    assert (result["status"], result["objective"]) == ("optimal", 5819)
