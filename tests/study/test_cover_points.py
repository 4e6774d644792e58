"""Customers merged as they are read: the same answer as pair by pair, whatever the file, the pieces and the threads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nearer.errors import InputError, UsageError
from nearer.inputs import point_stream
from nearer.inputs.point_stream import PointChunk, PricedPoints, stream_points
from nearer.study.benchmark import solve_file, write_result
from nearer.study.cover_points import merge_points
from nearer.study.request import Request
from nearer.study.result import verify_result


def chunks_of(rng: np.random.Generator, n: int, top: int) -> list[PointChunk]:
    """Whole coordinates, so that many points lie on a rim; some far outside."""
    x, y = rng.integers(-top, 2 * top, (2, n)).astype(np.float64)
    x[: n // 20] *= 1e6
    weight = rng.integers(0, 9, n).astype(np.float64)
    cuts = np.array_split(np.arange(n), 5)
    return [PointChunk(x[part], y[part], weight[part], 0) for part in cuts]


@pytest.mark.parametrize(("m", "limit"), [(1, 5.0), (3, 0.0), (90, 0.0), (64, 5.0), (65, 13.0), (200, 25.0)])
def test_sets_are_those_of_all_pairs_also_on_the_rim(m: int, limit: float) -> None:
    rng = np.random.default_rng(m)
    x, y = rng.integers(0, 60, (2, m)).astype(np.float64)
    sites, chunks = PricedPoints(x, y, None), chunks_of(rng, 6_000, 60)
    plain = merge_points(iter(chunks), sites, limit, plain=True)
    assert plain.n_points == 6_000
    for threads in (1, 3):
        sets = merge_points(iter(chunks), sites, limit, threads=threads)
        for name in ("indptr", "site", "weight", "n_points"):
            assert np.array_equal(getattr(sets, name), getattr(plain, name)), name
    # against the definition, one point at a time
    found = {tuple(part.tolist()) for part in np.split(plain.site, plain.indptr[1:-1])}
    for k in range(0, len(chunks[1].x), 50):
        near = np.hypot(chunks[1].x[k] - x, chunks[1].y[k] - y) <= limit
        assert tuple(np.flatnonzero(near).tolist()) in found


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(4)
    people, sites = tmp_path / "people.csv", tmp_path / "sites.csv"
    table = pd.DataFrame(rng.integers(0, 40, (400, 2)), columns=["x", "y"])
    table["name"] = [f"house {k}, left" for k in range(400)]
    table["weight"] = rng.integers(1, 9, 400)
    table.to_csv(people, index=False)
    pd.DataFrame(rng.integers(0, 40, (12, 2)), columns=["x", "y"]).to_csv(sites, index=False)
    return people, sites


def test_the_answer_is_that_of_all_pairs_and_verifies(files: tuple[Path, Path], tmp_path: Path) -> None:
    people, sites = files
    request = Request("max-cover", "points", 3, 9.0, sites_file=str(sites))
    result = solve_file(people, request, proof_file=tmp_path / "proof.npz")
    assert (result["status"], result["n_demand"], result["n_sites"]) == ("optimal", 400, 12)
    assert result["n_rows"] < 400
    table, centre = pd.read_csv(people), pd.read_csv(sites)
    grid = [f"F {k} {x} {y} 1" for k, (x, y) in enumerate(zip(centre.x, centre.y, strict=True))]
    grid += [f"C {k} {row.x} {row.y} {row.weight}" for k, row in enumerate(table.itertuples())]
    pairs = tmp_path / "pairs.dat"
    pairs.write_text("\n".join(["12 400", *grid]))
    assert solve_file(pairs, Request("max-cover", "mclp-grid", 3, 9.0))["objective"] == result["objective"]
    write_result(result, tmp_path / "result.json")
    check = verify_result(tmp_path / "result.json", people)
    assert (check.differences, check.value, check.bound) == ((), result["objective"], result["objective"])
    write_result(result | {"objective": result["objective"] + 1}, tmp_path / "result.json")
    assert verify_result(tmp_path / "result.json", people).differences


def test_pieces_threads_and_parquet_change_nothing(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, sites = files
    request = Request("max-cover", "points", 3, 9.0, sites_file=str(sites))
    whole = solve_file(people, request, threads=1)
    monkeypatch.setattr(point_stream, "AT_ONCE", 33)
    pd.read_csv(people).to_parquet(tmp_path / "people.parquet")
    for path in (people, tmp_path / "people.parquet"):
        parts = solve_file(path, request, threads=3)
        for name in ("objective", "bound", "open", "n_rows", "work"):
            assert parts[name] == whole[name]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,y,weight\n1,2,3\na,3,4\n1,,5\n", ['row 3, column x: "a" is not a number', "row 4, column y: the cell is"]),
        ("x;y;weight\n1;2;3\n4;5;-6\n", ["row 3, column weight: the weight is below 0"]),
        ("x,y\n1,2\n1,2,3\n", ["cannot be split into columns"]),
        ("x,y\n", ["a header but no row"]),
        ("lon,y\n1,2\n", ["column x: there is no such column"]),
        ("x,y\n1,inf\n", ["row 2, column y: the number is not finite"]),
    ],
)
def test_faults_are_named_with_their_rows(text: str, said: list[str], tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        list(stream_points(tmp_path / "people.csv"))
    assert len(caught.value.faults) == len(said)
    for fault, words in zip(caught.value.faults, said, strict=True):
        assert words in str(fault)


def test_blank_rows_and_marks_at_the_start_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text('\ufeffx,y,name\n1,2,"a,b"\n\n3,4,c\n\n')
    (chunk,) = stream_points(tmp_path / "people.csv")
    assert (chunk.x.tolist(), chunk.y.tolist(), chunk.weight.tolist()) == ([1, 3], [2, 4], [1, 1])


def test_what_does_not_go_with_points_is_refused(files: tuple[Path, Path]) -> None:
    people, sites = files
    request = Request("max-cover", "points", 3, 9.0, sites_file=str(sites))
    with pytest.raises(UsageError, match="add --sites"):
        solve_file(people, replace(request, sites_file=None))
    with pytest.raises(UsageError, match="leave out --second-share"):
        solve_file(people, replace(request, second_share=0.5))
    with pytest.raises(UsageError, match="leave out --assignment"):
        solve_file(people, request, with_assignment=True)
    with pytest.raises(UsageError, match="--sites is for"):
        solve_file(people, Request("p-median", "tsplib", 3, sites_file=str(sites)))


def test_a_center_of_points_is_that_of_tsplib_and_verifies(files: tuple[Path, Path], tmp_path: Path) -> None:
    people, sites = files
    table = pd.read_csv(people)
    table[["x", "y"]].to_csv(tmp_path / "points.csv", index=False)
    lines = [f"{k + 1} {x} {y}" for k, (x, y) in enumerate(zip(table.x, table.y, strict=True))]
    tsp = tmp_path / "points.tsp"
    tsp.write_text("\n".join(["DIMENSION : 400", "EDGE_WEIGHT_TYPE : EUC_2D", "NODE_COORD_SECTION", *lines, "EOF"]))
    for path, request in (
        (tmp_path / "points.csv", Request("p-center", "points", 5)),
        (tmp_path / "points.csv", Request("p-center", "points", 5, sites_file=str(sites))),
        (tsp, Request("p-center", "tsplib", 5, distance="floor")),
    ):
        proof = tmp_path / "proof.npz"
        result = solve_file(path, request, proof_file=proof, with_assignment=True)
        assert (result["status"], result["n_demand"], len(result["open"])) == ("optimal", 400, 5)
        write_result(result, tmp_path / "result.json")
        check = verify_result(tmp_path / "result.json", path)
        assert check.differences == ()
        assert check.value == pytest.approx(check.bound)
        farther = result["open"][0] if result["assignment"][0] != result["open"][0] else result["open"][1]
        write_result(result | {"assignment": [farther, *result["assignment"][1:]]}, tmp_path / "result.json")
        assert verify_result(tmp_path / "result.json", path).differences
        proof.unlink()
    with pytest.raises(UsageError, match="takes them all alike"):
        solve_file(people, Request("p-center", "points", 5))


def test_a_share_of_the_weight_is_covered_most_cheaply_and_verifies(files: tuple[Path, Path], tmp_path: Path) -> None:
    people, sites = files
    request = Request("partial-cover", "points", radius=9.0, sites_file=str(sites), cover_share=0.6)
    result = solve_file(people, request, proof_file=tmp_path / "proof.npz")
    assert result["status"] == "optimal"
    write_result(result, tmp_path / "result.json")
    check = verify_result(tmp_path / "result.json", people)
    assert (check.differences, check.value, check.bound) == ((), result["objective"], result["objective"])
    fewer = result | {"open": result["open"][1:], "objective": result["objective"] - 1, "status": "feasible"}
    write_result(fewer | {"bound": None}, tmp_path / "result.json")
    assert any("are asked for" in text for text in verify_result(tmp_path / "result.json", people).differences)
    impossible = solve_file(people, replace(request, radius=1.0, cover_share=1.0))
    assert (impossible["status"], "of the weight" in impossible["reason"]) == ("infeasible", True)
    with pytest.raises(UsageError, match="add --cover-share"):
        solve_file(people, replace(request, cover_share=None))
