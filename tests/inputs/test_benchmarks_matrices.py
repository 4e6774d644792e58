"""Benchmark files that hold the cost of every pair, points with capacities, and covering grids."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearer.errors import InputError
from nearer.inputs import benchmarks as files

INF = float("inf")
# Two sites, three customers; every format writes the same problem, in its own order.
SAME: dict[str, tuple[Callable[[Path], files.CostMatrix], str]] = {
    "orlib-cap": (files.read_orlib_cap, " 2 3 \n 10 7.5 \n 20 8. \n 4 \n 1 2 \n 5 \n 3 4 \n 6 \n 5 \n 6 \n"),
    "holmberg": (files.read_holmberg, "2 3\n10 7.5\n20 8\n 4. 5. 6.\n 1. 3. 5.\n 2. 4. 6.\n"),
    "delmaire": (files.read_delmaire, "3 2\n1.00 2.00\n3 4\n5 6\n4 5 6\n7.5 8\n10 20\n"),
}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    return path


def told(read: Callable[[Path], Any], path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize("name", SAME)
def test_formats_differ_in_order_and_not_in_meaning(tmp_path: Path, name: str) -> None:
    read, text = SAME[name]
    matrix = read(written(tmp_path, text))
    assert matrix.cost.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert matrix.weight.tolist() == [1, 1, 1]
    assert matrix.demand.tolist() == [4, 5, 6]
    assert matrix.price.tolist() == [7.5, 8]
    assert matrix.capacity.tolist() == [10, 20]


def test_costs_per_unit_are_multiplied_by_demand(tmp_path: Path) -> None:
    matrix = files.read_tbed1(written(tmp_path, "2\t3\n4 5 6\n10 20\n7.5 8\n1 3 5\n2 4 6\n"))
    assert matrix.cost.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert matrix.weight.tolist() == matrix.demand.tolist() == [4, 5, 6]


def test_capacities_of_an_uncapacitated_kind_mean_nothing(tmp_path: Path) -> None:
    assert files.read_kcapm(written(tmp_path, SAME["orlib-cap"][1])).capacity.tolist() == [INF, INF]


def test_the_word_capacity_is_left_to_the_reader(tmp_path: Path) -> None:
    matrix = files.read_orlib_cap(written(tmp_path, "1 1\ncapacity 3\n4 5\n"))
    assert np.isnan(matrix.capacity).all()
    assert "'capacity'" in told(files.read_holmberg, written(tmp_path, "1 1\ncapacity 3\n4\n5\n"))
    assert "word capacity" in told(files.read_orlib_cap, written(tmp_path, "1 1\n2 3\n4 capacity\n"))


@pytest.mark.parametrize("name", SAME)
def test_a_cut_or_longer_file_is_told(tmp_path: Path, name: str) -> None:
    read, text = SAME[name]
    assert "is the file whole" in told(read, written(tmp_path, text.rstrip()[:-3]))
    assert "1 numbers follow" in told(read, written(tmp_path, text + "9"))
    assert "is the file whole" in told(read, written(tmp_path, ""))


@pytest.mark.parametrize("name", SAME)
def test_what_is_no_number_is_told_by_row(tmp_path: Path, name: str) -> None:
    read, text = SAME[name]
    assert "row 1: 'two' is not a number" in told(read, written(tmp_path, "two " + text))
    assert "'nan'" in told(read, written(tmp_path, "nan " + text)) or name == "orlib-cap"
    assert "whole numbers from 1" in told(read, written(tmp_path, "0 " + text))
    assert "must not be negative" in told(read, written(tmp_path, text.replace("20", "-20")))


@pytest.mark.parametrize("end", ["\x00\x00\x00", "\x1a\n", "\x00\x00 39. 336.\n"])
def test_what_an_old_disk_left_after_the_end_of_the_text_is_not_read(tmp_path: Path, end: str) -> None:
    read, text = SAME["holmberg"]
    assert read(written(tmp_path, text + end)).cost.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert "is the file whole" in told(read, written(tmp_path, text.replace("5.\n 2.", "5.\n" + end + " 2.")))


PMEDCAP = "2\n1 713\n2 1 9\n1 0 0 3\n2 3 4 5\n2 740\n1 1 8\n1 7 7 2\n"


def test_one_problem_of_several_is_read(tmp_path: Path) -> None:
    medians = files.read_orlib_pmedcap(written(tmp_path, PMEDCAP), 1)
    assert (medians.number, medians.p, medians.capacity, medians.best_known) == (1, 1, 9, 713)
    assert (medians.x.tolist(), medians.y.tolist(), medians.demand.tolist()) == ([0, 3], [0, 4], [3, 5])
    assert files.read_orlib_pmedcap(written(tmp_path, PMEDCAP), 2).best_known == 740


@pytest.mark.parametrize(("number", "words"), [(None, "holds 2 problems"), (3, "no problem 3"), (0, "no problem 0")])
def test_which_of_several_problems_must_be_said(tmp_path: Path, number: int | None, words: str) -> None:
    path = written(tmp_path, PMEDCAP)
    assert words in told(lambda p: files.read_orlib_pmedcap(p, number), path)


def test_grid_nodes_are_customers_and_sites(tmp_path: Path) -> None:
    grid = files.read_mclp_grid(written(tmp_path, "2\t\n0 1.5 2.5 1 7\n1 3.5 4.5 2 8\n"))
    assert grid.x.tolist() == grid.site_x.tolist() == [1.5, 3.5]
    assert (grid.weight.tolist(), grid.site_cost.tolist()) == ([7, 8], [1, 2])


def test_grid_sites_and_customers_may_be_listed_apart(tmp_path: Path) -> None:
    text = "1\t2\nF\t0\t5.0\t6.0\t75\nC\t0\t1.0\t2.0\t7\nC\t1\t3.0\t4.0\t8\n"
    grid = files.read_mclp_grid(written(tmp_path, text))
    assert (grid.site_x.tolist(), grid.site_y.tolist(), grid.site_cost.tolist()) == ([5], [6], [75])
    assert (grid.x.tolist(), grid.y.tolist(), grid.weight.tolist()) == ([1, 3], [2, 4], [7, 8])
    assert "must come first" in told(files.read_mclp_grid, written(tmp_path, text.replace("F", "C")))


def test_a_plain_matrix_needs_no_header(tmp_path: Path) -> None:
    matrix = files.read_csv(written(tmp_path, "1,2\n3,\n\n5,6\n"))
    assert matrix.cost.tolist() == [[1, 2], [3, INF], [5, 6]]
    assert (matrix.weight.tolist(), matrix.demand.tolist()) == ([1, 1, 1], [1, 1, 1])
    assert (matrix.price.tolist(), matrix.capacity.tolist()) == ([0, 0], [INF, INF])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_and_rows_with_names_give_weights_prices_and_capacities(tmp_path: Path, separator: str) -> None:
    text = "Customer,north,weight,south\na,1,2,3\nprice,10,,20\ncapacity,7,,\nb,4,5,6\n".replace(",", separator)
    matrix = files.read_csv(written(tmp_path, text))
    assert matrix.cost.tolist() == [[1, 3], [4, 6]]
    assert matrix.weight.tolist() == matrix.demand.tolist() == [2, 5]
    assert (matrix.price.tolist(), matrix.capacity.tolist()) == ([10, 20], [7, INF])


def test_demand_may_differ_from_weight(tmp_path: Path) -> None:
    matrix = files.read_csv(written(tmp_path, "s,demand\n1,9\n2,8\n"))
    assert (matrix.weight.tolist(), matrix.demand.tolist()) == ([1, 1], [9, 8])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("a,b\n", "no matrix"),
        ("customer,weight\na,1\n", "no matrix"),
        ("1,2\n3\n", "row 2: there are 1 cells"),
        ("1,2\n3,x\n", "row 2, column 2: 'x'"),
        ("s,t\n3,nan\n", "row 2, column t: 'nan'"),
        ("1,2\n3,-4\n", "costs must not be negative"),
        ("weight,weight,s\n1,1,1\n", "two columns"),
        ("customer,s\nprice,1\nprice,2\na,3\n", "two rows called price"),
        ("customer,s\nprice,1\n", "no customers"),
        ("customer,s\nprice,\na,1\n", "a number for every site"),
        ("weight,s\n,1\n", "column weight: ''"),
    ],
)
def test_a_broken_matrix_is_told(tmp_path: Path, text: str, words: str) -> None:
    assert words in told(files.read_csv, written(tmp_path, text))


def test_all_faults_of_a_matrix_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        files.read_csv(written(tmp_path, "1,x\ny,2\n".replace("1,x", "a,b\n1,x")))
    assert len(caught.value.faults) == 2


@pytest.mark.data
def test_the_files_of_the_literature_are_read_whole(data_dir: Path) -> None:
    folder = data_dir / "instances"
    shapes = {
        "orlib_cap/cap41.txt": (files.read_orlib_cap, (50, 16)),
        "orlib_cap/capa.txt": (files.read_orlib_cap, (1000, 100)),
        "ufl_m/Kcapmo1.txt": (files.read_kcapm, (100, 100)),
        "sscflp/holmberg/p1": (files.read_holmberg, (50, 10)),
        "sscflp/yang/p1": (files.read_holmberg, (200, 30)),
        "sscflp/delmaire/p1": (files.read_delmaire, (20, 10)),
        "sscflp/tbed1_300x300/p1": (files.read_tbed1, (300, 300)),
    }
    for name, (read, shape) in shapes.items():
        assert read(folder / name).cost.shape == shape, name
    for name, read in (
        ("holmberg", files.read_holmberg),
        ("yang", files.read_holmberg),
        ("delmaire", files.read_delmaire),
    ):
        for path in sorted((folder / "sscflp" / name).glob("p*")):
            assert read(path).cost.size >= 200, path
    for k in range(1, 21):
        assert len(files.read_orlib_pmedcap(folder / "pmedcap" / "pmedcap1.txt", k).x) in (50, 100)
    for path in sorted((folder / "mclp").glob("*.dat")):
        assert len(files.read_mclp_grid(path).x) >= 100
