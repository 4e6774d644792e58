"""``nearer solve --why --alternatives``: against enumeration, and the check that finds what was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearer.errors import InputError, UsageError
from nearer.study.benchmark import solve_file, write_result
from nearer.study.benchmark_choices import Asked
from nearer.study.request import Request
from nearer.study.result import verify_result

ASKED = Asked(why=True, alternatives=2, differ=2, within=0.5)


def write_matrix(path: Path, seed: int = 0, n: int = 14, m: int = 7) -> np.ndarray:
    cost = np.random.default_rng(seed).integers(1, 60, (n, m))
    path.write_text("\n".join(",".join(map(str, row)) for row in cost) + "\n", encoding="utf-8")
    return cost


def solved(folder: Path, request: Request, asked: Asked = ASKED, name: str = "town.csv") -> dict[str, Any]:
    result = solve_file(folder / name, request, proof_file=folder / "proof.npz", asked=asked, threads=1)
    write_result(result, folder / "result.json")
    return result


def p_median(p: int = 3) -> Request:
    return Request("p-median", "csv", p=p)


def test_both_answers_are_those_of_enumeration(tmp_path: Path) -> None:
    cost = write_matrix(tmp_path / "town.csv")
    result = solved(tmp_path, p_median())
    worth = {frozenset(c): int(cost[:, list(c)].min(axis=1).sum()) for c in combinations(range(7), 3)}
    best = min(worth.values())
    assert result["objective"] == best
    assert [one["site"] for one in result["why"]] == list(range(1, 8))
    for one in result["why"]:
        rise = min(v for plan, v in worth.items() if (one["site"] - 1 in plan) == one["open"]) - best
        assert one["at_least"] == one["at_most"] == rise
    earlier = [frozenset(site - 1 for site in result["open"])]
    for other in result["alternatives"]["plans"]:
        allowed = [v for plan, v in worth.items() if all(len(plan - one) >= 2 for one in earlier)]
        assert other["objective"] == other["bound"] == min(allowed)
        earlier.append(frozenset(site - 1 for site in other["open"]))
    assert verify_result(tmp_path / "result.json", tmp_path / "town.csv").differences == ()


@pytest.mark.parametrize(
    ("head", "request_"),
    [
        ("price,9,30,25,4,9,11,20\n", Request("ufl", "csv")),
        ("", Request("max-cover", "csv", radius=12, p=2)),
        ("", Request("p-median", "csv", p=2)),
    ],
)
def test_every_problem_that_can_be_asked_holds_when_verified(tmp_path: Path, head: str, request_: Request) -> None:
    write_matrix(tmp_path / "plain.csv", seed=3)
    rows = (tmp_path / "plain.csv").read_text(encoding="utf-8").splitlines()
    named = ["customer," + ",".join("abcdefg"), head.strip(), *(f"c{i},{row}" for i, row in enumerate(rows))]
    text = "\n".join(line for line in named if line) if head else "\n".join(rows)
    (tmp_path / "town.csv").write_text(text + "\n", encoding="utf-8")
    result = solved(tmp_path, request_)
    assert result["why"]
    assert result["alternatives"]["plans"]
    worse = [other["objective"] - result["objective"] for other in result["alternatives"]["plans"]]
    assert all(step <= 0 if request_.problem == "max-cover" else step >= 0 for step in worse)
    assert verify_result(tmp_path / "result.json", tmp_path / "town.csv").differences == ()


def test_what_leaves_a_customer_unserved_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "town.csv").write_text("1,,9\n,1,9\n", encoding="utf-8")
    result = solved(tmp_path, p_median(2), Asked(why=True, alternatives=3, differ=1, within=100))
    assert result["open"] == [1, 2]
    told = {one["site"]: one for one in result["why"]}
    assert told[3]["at_most"] == 8
    assert {tuple(other["open"]) for other in result["alternatives"]["plans"]} == {(1, 3), (2, 3)}
    assert verify_result(tmp_path / "result.json", tmp_path / "town.csv").differences == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r["alternatives"]["plans"][0].update(objective=1), "alternative 1 is worth"),
        (lambda r: r["alternatives"]["plans"][0].update(open=r["open"]), "alternative 1 opens 0 sites"),
        (lambda r: r["alternatives"]["plans"][0].update(open=[1]), "does not open as many"),
        (lambda r: r["alternatives"]["plans"][0].update(bound=10**6), "wrong side"),
        (lambda r: r["alternatives"].update(within=1e-9), "farther from the value"),
        (lambda r: r["why"].pop(), "every site once"),
        (lambda r: r["why"][0].update(open=not r["why"][0]["open"]), "forces site 1 to what it is"),
        (lambda r: r["why"][0].update(at_most=r["why"][0]["at_most"] + 1), "costs at most"),
        (lambda r: r["why"][0].update(opens=[], closes=[]), "does not decide it otherwise"),
        (lambda r: r["why"][0].update(at_least=10**6), "lies above the most"),
        (
            lambda r: [one.update(at_least=one["at_most"] - 0.5, searched=False) for one in r["why"]],
            "is proven to cost",
        ),
    ],
)
def test_a_changed_answer_is_found(tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str) -> None:
    write_matrix(tmp_path / "town.csv", seed=1, n=30, m=9)
    result = solved(tmp_path, p_median(3))
    change(result)
    (tmp_path / "result.json").write_text(json.dumps(result), encoding="utf-8")
    found = verify_result(tmp_path / "result.json", tmp_path / "town.csv").differences
    assert any(words in each for each in found), found


@pytest.mark.parametrize("field", [{"why": [1]}, {"alternatives": {"plans": 3}}, {"why": "yes"}])
def test_answers_of_another_shape_are_faults(tmp_path: Path, field: dict[str, Any]) -> None:
    write_matrix(tmp_path / "town.csv")
    result = solved(tmp_path, p_median())
    (tmp_path / "result.json").write_text(json.dumps(result | field), encoding="utf-8")
    with pytest.raises(InputError, match=next(iter(field))):
        verify_result(tmp_path / "result.json", tmp_path / "town.csv")


@pytest.mark.parametrize("request_", [Request("p-center", "csv", p=2), Request("set-cover", "csv", radius=40)])
def test_problems_that_cannot_be_asked_are_refused(tmp_path: Path, request_: Request) -> None:
    write_matrix(tmp_path / "town.csv")
    with pytest.raises(UsageError, match="leave them out"):
        solved(tmp_path, request_)
