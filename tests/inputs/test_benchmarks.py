"""Benchmark files: every rule of their formats on a handful of lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from nearer.errors import InputError
from nearer.inputs.benchmarks import read_orlib_pmed, read_tsplib

TSP = (
    "NAME : tiny\nTYPE : TSP\nDIMENSION : 3\nEDGE_WEIGHT_TYPE : EUC_2D\n"
    "NODE_COORD_SECTION\n1 0 0\n2 3.0e+00 4\n3 6 8\nEOF\n"
)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    return path


def messages(error: pytest.ExceptionInfo[InputError]) -> list[tuple[int | None, str]]:
    return [(fault.row, fault.message) for fault in error.value.faults]


def test_a_repeated_edge_has_its_last_length_in_either_direction(tmp_path: Path) -> None:
    graph = read_orlib_pmed(written(tmp_path, " 3 3 1 \n 1 2 30 \n 2 3 5 \n 2 1 10 \n"))
    edges = dict(zip(zip(graph.from_idx.tolist(), graph.to_idx.tolist(), strict=True), graph.length, strict=True))
    assert (graph.n_nodes, graph.p, edges) == (3, 1, {(0, 1): 10, (1, 2): 5})


def test_a_graph_without_edges_is_read(tmp_path: Path) -> None:
    assert len(read_orlib_pmed(written(tmp_path, "2 0 2\n")).length) == 0


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        ("", 1, "first line"),
        ("3 1\n1 2 3\n", 1, "first line"),
        ("3 1 1\n1 2 x\n", 2, "three whole numbers"),
        ("3 1 1\n1 4 3\n", 2, "nodes must be 1 to 3"),
        ("3 1 1\n1 2 -3\n", 2, "not be negative"),
        ("3 2 1\n1 2 3\n", None, "1 edges follow"),
        ("3 1 4\n1 2 3\n", 1, "4 sites of 3"),
    ],
)
def test_a_broken_graph_is_told_by_row(tmp_path: Path, text: str, row: int | None, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_orlib_pmed(written(tmp_path, text))
    ((found_row, message),) = messages(caught)
    assert found_row == row
    assert words in message


def test_points_keep_the_order_of_the_file(tmp_path: Path) -> None:
    points = read_tsplib(written(tmp_path, TSP))
    assert (points.name, points.x.tolist(), points.y.tolist()) == ("tiny", [0, 3, 6], [0, 4, 8])


def test_points_whose_distances_are_rounded_up_are_read_too(tmp_path: Path) -> None:
    assert read_tsplib(written(tmp_path, TSP.replace("EUC_2D", "CEIL_2D"))).y.tolist() == [0, 4, 8]


def test_a_file_without_its_last_line_mark_is_read(tmp_path: Path) -> None:
    assert len(read_tsplib(written(tmp_path, TSP.replace("EOF\n", ""))).x) == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("EUC_2D", "GEO", "distances of GEO"),
        ("NODE_COORD_SECTION", "TOUR_SECTION", "no NODE_COORD_SECTION"),
        ("DIMENSION : 3", "DIMENSION : 4", "3 points follow"),
        ("2 3.0e+00 4", "2 3.0e+00", "number, x and y"),
        ("2 3.0e+00 4", "2 nan 4", "number, x and y"),
    ],
)
def test_a_broken_point_file_is_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_tsplib(written(tmp_path, TSP.replace(old, new)))
    assert any(words in message for _, message in messages(caught))


@pytest.mark.parametrize("read", [read_orlib_pmed, read_tsplib])
def test_missing_and_binary_files_are_told(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.txt")
    (tmp_path / "raw").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="not text"):
        read(tmp_path / "raw")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path)


@pytest.mark.data
def test_the_files_of_the_literature_are_read_whole(data_dir: Path) -> None:
    graph = read_orlib_pmed(data_dir / "instances" / "pmed" / "pmed1.txt")
    assert (graph.n_nodes, graph.p) == (100, 5)
    for path in sorted((data_dir / "instances" / "tsplib").glob("*.tsp")):
        assert len(read_tsplib(path).x) == int("".join(filter(str.isdigit, path.stem)))
