"""Every problem of the literature from its files: brute force, what is missing, and the check of results."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from nearer.errors import InputError, StoppedError, UsageError
from nearer.model import is_set_cover
from nearer.progress import Stop
from nearer.study.benchmark import solve_file, write_result
from nearer.study.pairs import Format
from nearer.study.problems import read_problem
from nearer.study.request import PROBLEMS, Kind, Request, read_decay_table
from nearer.study.result import verify_result

# Customers at 0, 1, 2, 6, 7, 8, 20 on a line, each a site; the last is heavy.
GRID = "7\n0 0 0 1 5\n1 1 0 1 1\n2 2 0 1 4\n3 6 0 1 2\n4 7 0 1 2\n5 8 0 1 2\n6 20 0 1 9\n"
AT, WEIGHT = np.array([0, 1, 2, 6, 7, 8, 20.0]), np.array([5, 1, 4, 2, 2, 2, 9.0])
# Three sites, four customers, with prices and capacities.
COST = np.array([[1, 9, 9], [2, 3, 9], [9, 1, 4], [9, 9, 2.0]])
PRICE, CAPACITY, DEMAND = np.array([3, 2, 4.0]), np.array([8, 5, 9.0]), np.array([5, 3, 2, 4.0])
CAP = "3 4\n8 3\n5 2\n9 4\n5 1 9 9\n3 2 3 9\n2 9 1 4\n4 9 9 2\n"


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "file.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def checked(path: Path, request: Request, tmp_path: Path, **options: Any) -> dict[str, Any]:
    """A result with a proof that the independent check has passed."""
    options = {"threads": 1, "with_assignment": True, "proof_file": tmp_path / "p.npz"} | options
    result = solve_file(path, request, **options)
    write_result(result, tmp_path / "r.json")
    check = verify_result(tmp_path / "r.json", path)
    assert check.differences == ()
    assert check.value == pytest.approx(result["objective"])
    return result


def covered(open_sites: tuple[int, ...], radius: float) -> float:
    near = np.abs(AT[:, None] - AT[list(open_sites)]) <= radius
    return float(WEIGHT[near.any(axis=1)].sum())


@pytest.mark.parametrize("radius", [0.0, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("p", [1, 2, 3, 7])
def test_maximal_covering_is_a_maximum_with_an_upper_bound(
    put: Callable[[str], Path], tmp_path: Path, p: int, radius: float
) -> None:
    best = max(covered(chosen, radius) for chosen in combinations(range(7), p))
    result = checked(put(GRID), Request("max-cover", "mclp-grid", p, radius), tmp_path)
    assert (result["objective"], result["bound"], result["status"], len(result["open"])) == (best, best, "optimal", p)
    bounds = [bound for _, _, bound in result["trace"] if bound is not None]
    assert bounds == sorted(bounds, reverse=True)


@pytest.mark.parametrize(("budget", "most"), [(0, 0), (1, 1), (2.9, 2), (99, 7)])
def test_a_budget_pays_for_at_most_so_many_sites(
    put: Callable[[str], Path], tmp_path: Path, budget: float, most: int
) -> None:
    result = checked(put(GRID), Request("max-cover", "mclp-grid", radius=1.0, budget=budget), tmp_path)
    best = max(covered(chosen, 1.0) for k in range(most + 1) for chosen in combinations(range(7), k))
    assert (result["objective"], result["p"], result["budget"]) == (best, None, budget)
    assert len(result["open"]) <= most


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("p", [1, 2, 4])
def test_a_share_of_the_weight_counts_only_when_covered_twice(
    put: Callable[[str], Path], tmp_path: Path, p: int, share: float
) -> None:
    def worth(chosen: tuple[int, ...]) -> float:
        times = (np.abs(AT[:, None] - AT[list(chosen)]) <= 2.0).sum(axis=1)
        return float(WEIGHT @ ((1 - share) * (times >= 1) + share * (times >= 2)))

    result = checked(put(GRID), Request("max-cover", "mclp-grid", p, 2.0, second_share=share), tmp_path)
    best = max(worth(chosen) for chosen in combinations(range(7), p))
    assert (result["objective"], result["status"]) == (pytest.approx(best), "optimal")


@pytest.mark.parametrize("p", [1, 2, 4])
def test_weight_falls_in_a_straight_line_or_in_steps(put: Callable[[str], Path], tmp_path: Path, p: int) -> None:
    def best(counts: Callable[[np.ndarray], np.ndarray]) -> float:
        share = counts(np.abs(AT[:, None] - AT))
        return max(float(WEIGHT @ share[:, list(chosen)].max(axis=1)) for chosen in combinations(range(7), p))

    line = checked(put(GRID), Request("max-cover", "mclp-grid", p, 1.0, decay_to=6.0), tmp_path)
    assert line["objective"] == pytest.approx(best(lambda d: np.clip((6.0 - d) / 5.0, 0.0, 1.0)))
    asked = Request("max-cover", "mclp-grid", p, decay_table=((1.0, 1.0), (2.0, 0.75), (6.0, 0.125)))
    steps = checked(put(GRID), asked, tmp_path)
    assert steps["objective"] == pytest.approx(
        best(lambda d: np.select([d <= 1.0, d <= 2.0, d <= 6.0], [1.0, 0.75, 0.125], 0.0))
    )
    assert line["status"] == steps["status"] == "optimal"


def test_a_gap_asked_of_a_covering_is_one_of_the_weight_covered(put: Callable[[str], Path], tmp_path: Path) -> None:
    result = checked(put(GRID), Request("max-cover", "mclp-grid", 1, 1.0), tmp_path, gap=0.05)
    assert result["status"] in ("optimal", "gap")
    assert (result["bound"] - result["objective"]) / result["objective"] <= 0.05


@pytest.mark.parametrize("radius", [0.0, 1.0, 2.0, 5.0, 20.0])
def test_set_cover_opens_as_few_as_can_cover_all(put: Callable[[str], Path], tmp_path: Path, radius: float) -> None:
    best = next(
        k for k in range(1, 8) if any(covered(chosen, radius) == WEIGHT.sum() for chosen in combinations(range(7), k))
    )
    result = checked(put(GRID), Request("set-cover", "mclp-grid", radius=radius), tmp_path)
    assert (result["objective"], result["status"], len(result["open"])) == (best, "optimal", best)


def test_a_set_cover_goes_to_the_method_made_for_it_however_it_is_made_smaller(put: Callable[[str], Path]) -> None:
    problem = read_problem(put(GRID), Request("set-cover", "mclp-grid", radius=1.0))
    assert is_set_cover(problem.instance)
    assert is_set_cover(problem.smaller())


def test_a_site_left_out_only_after_its_customers_were_is_verified(put: Callable[[str], Path], tmp_path: Path) -> None:
    # Customers 1 and 4 are covered whenever 2 and 3 are; then the first site, {1, 4}, covers nobody, yet no other site
    # covers both.
    path = put("0,0,9\n9,0,9\n9,9,0\n0,9,0\n")
    result = checked(path, Request("set-cover", "csv", radius=1.0), tmp_path)
    assert (result["objective"], result["open"]) == (2, [2, 3])


def test_a_covering_stopped_at_once_still_covers_all(put: Callable[[str], Path], tmp_path: Path) -> None:
    result = checked(put(GRID), Request("set-cover", "mclp-grid", radius=1.0), tmp_path, time_limit_s=0.0)
    assert set(result["assignment"]) == set(result["open"])


def test_customers_that_no_site_can_cover_are_named(put: Callable[[str], Path]) -> None:
    text = "1 2\nF 0 0 0 1\nC 0 0 1 5\nC 1 9 9 5\n"
    result = solve_file(put(text), Request("set-cover", "mclp-grid", radius=2.0))
    assert result["status"] == "infeasible"
    assert result["reason"] == "no site lies within 2 of customer 2"


def test_a_customer_on_the_rim_is_covered(put: Callable[[str], Path]) -> None:
    # 2.4 and 3.2 make exactly 4, which floats miss by a hair.
    path = put("1 1\nF 0 0.1 0.1 1\nC 0 2.5 3.3 7\n")
    assert solve_file(path, Request("max-cover", "mclp-grid", 1, 4.0), threads=1)["objective"] == 7
    assert solve_file(path, Request("max-cover", "mclp-grid", 1, 3.999), threads=1)["objective"] == 0


@pytest.mark.parametrize("p", [None, 1, 2, 3])
def test_fixed_charge_location_ignores_capacity(put: Callable[[str], Path], tmp_path: Path, p: int | None) -> None:
    best = min(
        PRICE[list(chosen)].sum() + COST[:, list(chosen)].min(axis=1).sum()
        for k in ([p] if p else [1, 2, 3])
        for chosen in combinations(range(3), k)
    )
    result = checked(put(CAP), Request("ufl", "orlib-cap", p), tmp_path)
    assert (result["objective"], result["bound"], result["status"]) == (best, best, "optimal")


def within_capacity() -> float:
    best = math.inf
    for sites in np.ndindex(3, 3, 3, 3):
        load = np.bincount(sites, weights=DEMAND, minlength=3)
        if np.all(load <= CAPACITY):
            best = min(best, float(COST[range(4), sites].sum() + PRICE[list(set(sites))].sum()))
    return best


def test_a_single_source_serves_each_customer_whole(put: Callable[[str], Path], tmp_path: Path) -> None:
    result = checked(put(CAP), Request("sscflp", "orlib-cap"), tmp_path)
    assert (result["objective"], result["status"]) == (within_capacity(), "optimal")
    assert len(result["assignment"]) == 4


def test_splitting_demand_is_never_dearer(put: Callable[[str], Path], tmp_path: Path) -> None:
    result = checked(put(CAP), Request("cflp", "orlib-cap"), tmp_path)
    assert result["status"] == "optimal"
    assert result["objective"] <= within_capacity() + 1e-9


def test_capacities_reach_the_instance_with_whole_demands(put: Callable[[str], Path]) -> None:
    split = read_problem(put(CAP), Request("cflp", "orlib-cap")).instance
    single = read_problem(put(CAP), Request("sscflp", "orlib-cap", p=2)).instance
    assert (split.single_source, single.single_source) == (False, True)
    assert split.need is not None
    assert split.need.tolist() == DEMAND.tolist()
    assert (split.weight.tolist(), split.price.tolist()) == ([[1, 1, 1, 1]], PRICE.tolist())
    assert split.capacity[:, 0, 0].tolist() == CAPACITY.tolist()
    assert (int(single.open_min[0]), int(single.open_max[0])) == (2, 2)
    assert not read_problem(put(CAP), Request("ufl", "orlib-cap")).instance.capacitated


def test_medians_with_capacity_lie_at_floored_distances(put: Callable[[str], Path]) -> None:
    instance = read_problem(put("1\n1 0\n2 1 9\n1 0 0 3\n2 1 1 5\n"), Request("sscflp", "orlib-pmedcap")).instance
    assert instance.cost.tolist() == [0, 1, 0, 1]
    assert (int(instance.open_min[0]), int(instance.open_max[0])) == (1, 1)
    assert instance.need is not None
    assert instance.need.tolist() == [3, 5]


def test_more_demand_than_capacity_is_told(put: Callable[[str], Path]) -> None:
    result = solve_file(put("1 1\n3 0\n4 1\n"), Request("cflp", "orlib-cap"))
    assert (result["status"], result["reason"]) == ("infeasible", "the customers demand 4 in all, and the sites hold 3")


@pytest.mark.parametrize("p", [1, 2, 3])
def test_the_center_is_the_least_worst_distance(put: Callable[[str], Path], tmp_path: Path, p: int) -> None:
    points = "\n".join(f"{i + 1} {x:g} 0" for i, x in enumerate(AT))
    path = put(f"DIMENSION : 7\nEDGE_WEIGHT_TYPE : EUC_2D\nNODE_COORD_SECTION\n{points}\nEOF\n")
    far = np.abs(AT[:, None] - AT)
    best = min(far[:, list(chosen)].min(axis=1).max() for chosen in combinations(range(7), p))
    result = checked(path, Request("p-center", "tsplib", p), tmp_path)
    assert (result["objective"], result["status"]) == (best, "optimal")


@pytest.mark.parametrize("text", ["1,4\n4,1\n2,\n", "weight,a,b\n1,1,4\n1,4,1\n1,2,\n"])
def test_a_matrix_with_gaps_is_solved_as_far_as_pairs_exist(
    put: Callable[[str], Path], tmp_path: Path, text: str
) -> None:
    assert checked(put(text), Request("p-median", "csv", 1), tmp_path)["objective"] == 7
    assert checked(put(text), Request("p-median", "csv", 2), tmp_path)["objective"] == 4


def test_a_customer_without_any_site_is_named(put: Callable[[str], Path]) -> None:
    result = solve_file(put("s,t\n1,2\n,\n"), Request("ufl", "csv"))
    assert (result["status"], result["reason"]) == ("infeasible", "no site can serve customer 2")


def test_weights_of_a_matrix_count_in_covering_by_distance(put: Callable[[str], Path], tmp_path: Path) -> None:
    path = put("weight,a,b\n5,1,9\n7,9,1\n1,2,9\n")
    assert checked(path, Request("max-cover", "csv", 1, 2.0), tmp_path)["objective"] == 7
    assert checked(path, Request("max-cover", "csv", 2, 1.0), tmp_path)["objective"] == 12


@pytest.mark.parametrize("file_format", get_args(Format))
def test_a_format_says_which_problems_it_can_be(file_format: Format) -> None:
    for problem in set(get_args(Kind)) - set(PROBLEMS[file_format]):
        with pytest.raises(
            UsageError, match=f"cannot be a {problem} problem: give --problem {PROBLEMS[file_format][0]}"
        ):
            read_problem(Path("none"), Request(problem, file_format))


@pytest.mark.parametrize(
    ("text", "request_", "words"),
    [
        (GRID, Request("max-cover", "mclp-grid", p=2), "add --radius R"),
        (GRID, Request("set-cover", "mclp-grid"), "add --radius R"),
        (GRID, Request("max-cover", "mclp-grid", radius=1.0), "add -p N, or --budget B"),
        (GRID, Request("max-cover", "mclp-grid", p=2, radius=1.0, budget=2.0), "--budget stands for -p"),
        (GRID, Request("set-cover", "mclp-grid", p=2, radius=1.0), "leave out -p"),
        (GRID, Request("max-cover", "mclp-grid", p=8, radius=1.0), "8 sites of 7"),
        (GRID.replace("0 1 9", "0 2 9"), Request("max-cover", "mclp-grid", radius=1.0, budget=2.0), "differ in cost"),
        (GRID, Request("max-cover", "mclp-grid", radius=math.nan), "--radius must be a number"),
        (GRID, Request("max-cover", "mclp-grid", radius=1.0, budget=math.inf), "--budget must be a number"),
        (CAP, Request("cflp", "orlib-cap", capacity=-1.0), "--capacity must be a number"),
        (CAP, Request("ufl", "orlib-cap", radius=3.0), "has no radius"),
        (CAP, Request("cflp", "orlib-cap", capacity=3.0), "leave out --capacity"),
        (CAP.replace("\n8 3", "\ncapacity 3"), Request("cflp", "orlib-cap"), "add --capacity C"),
        (CAP, Request("cflp", "holmberg", capacity=3.0), "--capacity is for orlib-cap"),
        (CAP, Request("cflp", "holmberg", problem_number=3), "--problem-number is for orlib-pmedcap"),
        (GRID, Request("set-cover", "mclp-grid", radius=1.0, second_share=0.5), "--second-share is for max-cover"),
        (GRID, Request("max-cover", "mclp-grid", 1, 1.0, second_share=1.5), "from 0 to 1"),
        (GRID, Request("max-cover", "mclp-grid", 1, 1.0, second_share=0.5, decay_to=2.0), "leave out one of them"),
        (GRID, Request("max-cover", "mclp-grid", 1, 2.0, decay_to=2.0), "must lie beyond --radius"),
        (GRID, Request("max-cover", "mclp-grid", 1, decay_to=2.0), "add --radius R"),
        (GRID, Request("max-cover", "mclp-grid", 1, 2.0, decay_table=((1.0, 1.0),)), "in place of --radius"),
        (GRID, Request("max-cover", "mclp-grid", 1, decay_table=((1.0, 0.5), (2.0, 0.6))), "not rise"),
        (GRID, Request("max-cover", "mclp-grid", 1, decay_table=((2.0, 0.5), (1.0, 0.2))), "must rise"),
        ("1,2\n", Request("cflp", "csv"), "has no capacities"),
        ("1,2\n", Request("p-median", "csv"), "add -p N"),
    ],
)
def test_what_is_missing_or_too_much_is_one_sentence(
    put: Callable[[str], Path], text: str, request_: Request, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_problem(put(text), request_)
    assert words in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_word_in_place_of_a_capacity_is_what_was_given(put: Callable[[str], Path]) -> None:
    path = put(CAP.replace("\n8 3", "\ncapacity 3"))
    instance = read_problem(path, Request("cflp", "orlib-cap", capacity=11.0)).instance
    assert instance.capacity[:, 0, 0].tolist() == [11, 5, 9]


def split_result(**change: Any) -> dict[str, Any]:
    """A right answer of ``CAP`` with splitting: customers 1 and 2 at site 1, 3 and 4 at site 3."""
    return {
        "problem": "cflp",
        "format": "orlib-cap",
        "status": "feasible",
        "open": [1, 3],
        "objective": 16.0,
        "bound": 10.0,
        "assignment": [[1, 1, 1.0], [2, 1, 0.5], [2, 1, 0.5], [3, 3, 1.0], [4, 3, 1.0]],
    } | change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"objective": 15.0}, "are worth 16"),
        ({"open": [1]}, "sites that are not open"),
        ({"open": [1, 3, 3]}, "open twice"),
        ({"assignment": None}, "there is no assignment"),
        ({"assignment": [[1, 1, 1.0], [2, 1, 0.5], [3, 3, 1.0], [4, 3, 1.0]]}, "customer 2 is not served exactly once"),
        ({"assignment": [[1, 1, 1.0], [2, 1, 1.0], [3, 1, 1.0], [4, 3, 1.0]]}, "site 1 serves 10 with a capacity of 8"),
        ({"assignment": [[1, 1, 1.0], [2, 1, 2.0], [2, 1, -1.0], [3, 3, 1.0], [4, 3, 1.0]]}, "not above 0"),
        ({"assignment": [[1, 1, 1.0], [5, 1, 1.0]]}, "does not exist"),
        ({"assignment": [[1, 1]]}, "not made of numbers"),
        ({"assignment": ["x"]}, "not made of numbers"),
        ({"bound": 17.0}, "bound lies above"),
        ({"bound": None, "status": "optimal"}, "optimal without a bound"),
        ({"status": "optimal"}, "called optimal"),
    ],
)
def test_capacities_are_checked_from_the_assignment(
    put: Callable[[str], Path], tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    (tmp_path / "r.json").write_text(json.dumps(split_result(**change)))
    found = verify_result(tmp_path / "r.json", put(CAP)).differences
    assert any(words in difference for difference in found) if words else found == ()


@pytest.mark.parametrize(
    "change",
    [{"problem": "tsp"}, {"format": "x"}, {"p": "2"}, {"open": [1.5]}, {"assignment": 1}, {"decay_table": [[1]]}],
)
def test_a_result_of_another_kind_is_refused(
    put: Callable[[str], Path], tmp_path: Path, change: dict[str, Any]
) -> None:
    (tmp_path / "r.json").write_text(json.dumps(split_result(**change)))
    with pytest.raises(InputError):
        verify_result(tmp_path / "r.json", put(CAP))


def test_a_covering_that_was_tampered_with_is_found(put: Callable[[str], Path], tmp_path: Path) -> None:
    path, request = put(GRID), Request("max-cover", "mclp-grid", 2, 1.0)
    result = checked(path, request, tmp_path)
    for change, words in (
        ({"objective": result["objective"] + 1, "bound": result["bound"] + 1}, "are worth"),
        ({"bound": result["objective"] - 1}, "bound lies below"),
        ({"bound": result["bound"] + 9}, "called optimal"),
        ({"open": [1, 2]}, "are worth"),
        ({"open": [1]}, "where p is 2"),
        ({"assignment": [0] * 7}, "farther than to their nearest"),
    ):
        write_result(result | change, tmp_path / "r.json")
        assert any(words in difference for difference in verify_result(tmp_path / "r.json", path).differences), change


def test_a_twofold_cover_that_was_tampered_with_is_found(put: Callable[[str], Path], tmp_path: Path) -> None:
    path, request = put(GRID), Request("max-cover", "mclp-grid", 3, 2.0, second_share=0.5)
    result = checked(path, request, tmp_path)
    for change, words in (
        ({"second_share": 0.25}, "are worth"),
        ({"second_share": None}, "are worth"),
        ({"objective": result["objective"] + 1, "bound": result["bound"] + 1}, "are worth"),
    ):
        write_result(result | change, tmp_path / "r.json")
        assert any(words in difference for difference in verify_result(tmp_path / "r.json", path).differences), change


@pytest.mark.parametrize("text", ["", "1", "1:x", "1:1:1", "1:1,,2:0"])
def test_a_table_that_is_none_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"write it like 2:1,4:0\.5"):
        read_decay_table(text)


def test_memory_of_many_pairs_is_told_before_they_are_made(put: Callable[[str], Path]) -> None:
    n = 4_600
    points = "\n".join(f"{i + 1} {i} 0" for i in range(n))
    path = put(f"DIMENSION : {n}\nEDGE_WEIGHT_TYPE : EUC_2D\nNODE_COORD_SECTION\n{points}\nEOF\n")
    told: list[str] = []
    read_problem(path, Request("max-cover", "tsplib", 1, 2.0), told.append)
    assert told == []

    class EnoughError(Exception):
        pass

    def stop_here(text: str) -> None:
        assert text.startswith("21,160,000 pairs take 0.2 GB")
        raise EnoughError

    with pytest.raises(EnoughError):
        read_problem(path, Request("p-median", "tsplib", 1), stop_here)


def test_reading_ends_when_somebody_asks(put: Callable[[str], Path]) -> None:
    stop = Stop()
    stop.cancel()
    with pytest.raises(StoppedError, match="nothing was written"):
        solve_file(put(GRID), Request("max-cover", "mclp-grid", 1, 1.0), stop=stop)


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "request_", "optimum"),
    [
        ("orlib_cap/cap71.txt", Request("ufl", "orlib-cap"), 932615.750),
        ("orlib_cap/cap72.txt", Request("ufl", "orlib-cap"), 977799.400),
        ("orlib_cap/cap73.txt", Request("ufl", "orlib-cap"), 1010641.450),
        ("orlib_cap/cap74.txt", Request("ufl", "orlib-cap"), 1034976.975),
        ("orlib_cap/capa.txt", Request("ufl", "orlib-cap"), 17156454.478),
    ],
)
def test_published_optima_are_reached(
    data_dir: Path, tmp_path: Path, file: str, request_: Request, optimum: float
) -> None:
    result = checked(data_dir / "instances" / file, request_, tmp_path, time_limit_s=60)
    assert result["status"] == "optimal"
    assert result["objective"] == pytest.approx(optimum, abs=1e-3)


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "request_", "optimum"),
    [
        ("orlib_cap/cap41.txt", Request("cflp", "orlib-cap"), 1040444.375),
        ("sscflp/holmberg/p1", Request("sscflp", "holmberg"), 8848),
        ("sscflp/delmaire/p1", Request("sscflp", "delmaire"), 2014),
        ("pmedcap/pmedcap1.txt", Request("sscflp", "orlib-pmedcap", problem_number=1), 713),
    ],
)
def test_published_optima_with_capacities_are_reached(
    data_dir: Path, tmp_path: Path, file: str, request_: Request, optimum: float
) -> None:
    result = checked(data_dir / "instances" / file, request_, tmp_path, time_limit_s=60)
    assert result["status"] == "optimal"
    assert result["objective"] == pytest.approx(optimum, abs=1e-3)


@pytest.mark.data
@pytest.mark.parametrize("file", ["n100s1.dat", "n200s2.dat", "GRID_INST_n100_m1000_d1_100_f10_100_s1.dat"])
def test_covering_files_are_proven(data_dir: Path, tmp_path: Path, file: str) -> None:
    path = data_dir / "instances" / "mclp" / file
    most = checked(path, Request("max-cover", "mclp-grid", 10, 4.0), tmp_path, time_limit_s=60)
    fewer = checked(path, replace(Request("max-cover", "mclp-grid", 9, 4.0)), tmp_path, time_limit_s=60)
    assert most["status"] == fewer["status"] == "optimal"
    assert fewer["objective"] < most["objective"]
