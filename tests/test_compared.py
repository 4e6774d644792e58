"""Programs are compared by what their answers are worth, counted the same way for all."""

from __future__ import annotations

import csv
import itertools
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "drivers")


def some(kind: str, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    """Eight customers and five sites, every customer with at least two."""
    from benchmarks.drivers.problem_file import ProblemFile

    n, m = 8, 5
    there = rng.random((n, m)) < (1.0 if kind in ("p-median", "ufl", "p-center") else 0.7)
    there[:, :2] = True
    row, site = np.nonzero(there)
    cost = rng.integers(0, 20, len(row)).astype(float)
    order = np.lexsort((site, cost, row))
    covering = kind in ("max-cover", "set-cover", "backup")
    limited = kind in ("cflp", "sscflp")
    return ProblemFile(
        kind=kind,
        indptr=np.concatenate([[0], np.cumsum(there.sum(axis=1))]),
        site=site[order],
        cost=np.zeros(len(row)) if covering else cost[order],
        weight=rng.integers(1, 9, n).astype(float),
        unserved=np.full(n, np.inf),
        need=rng.integers(1, 5, n).astype(float),
        price=rng.integers(1, 30, m).astype(float) if kind in ("ufl", "cflp", "sscflp") else np.zeros(m),
        capacity=rng.integers(14, 25, m).astype(float) if limited else np.full(m, np.inf),
        standing=np.zeros(m, np.int8),
        p=2 if kind in ("p-median", "p-center", "max-cover") else -1,
        single_source=kind == "sscflp",
    )


def enumerated(problem, kind: str) -> float:  # type: ignore[no-untyped-def]
    """The best of all sets of sites."""
    from benchmarks.judge import value_of

    best = np.inf
    m = problem.n_sites
    for size in range(1, m + 1):
        for is_open in itertools.combinations(range(m), size):
            try:
                value = value_of(problem, {"open": list(is_open)})
            except ValueError:
                continue
            best = min(best, value if kind != "set-cover" else size)
    return best


@pytest.mark.parametrize("kind", ["p-median", "ufl", "p-center", "max-cover", "set-cover"])
def test_the_compact_model_has_the_enumerated_optimum(drivers: None, kind: str) -> None:
    from benchmarks.drivers.solve_highs import once
    from benchmarks.judge import value_of

    for seed in range(4):
        problem = some(kind, np.random.default_rng(seed))
        answer = once(problem, 60.0, 0)
        best = enumerated(problem, kind)
        assert answer["optimal"]
        assert answer["bound"] == pytest.approx(best, abs=1e-6)
        value = len(answer["open"]) if kind == "set-cover" else value_of(problem, answer)
        assert value == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("kind", ["p-median", "ufl", "cflp", "sscflp", "p-center", "max-cover", "set-cover", "backup"])
def test_our_driver_and_highs_agree_on_every_kind(drivers: None, kind: str) -> None:
    from benchmarks.drivers import solve_highs, solve_nearer
    from benchmarks.judge import value_of

    for seed in range(2):
        problem = some(kind, np.random.default_rng(10 + seed))
        if kind in ("max-cover", "set-cover", "backup"):
            dear = 1.0 if kind == "max-cover" else problem.n_sites + 1.0
            problem = replace(problem, unserved=np.full(problem.n_rows, dear))
        if kind in ("set-cover", "backup"):
            problem = replace(problem, weight=np.ones(problem.n_rows), price=np.ones(problem.n_sites))
        theirs, ours = solve_highs.once(problem, 60.0, 0), solve_nearer.once(problem, 60.0, 0)
        assert ours["optimal"]
        assert theirs["optimal"]
        assert value_of(problem, ours) == pytest.approx(value_of(problem, theirs), rel=1e-9, abs=1e-9)
        assert len(ours["open"]) == len(theirs["open"]) or kind not in ("set-cover", "backup")


def test_answers_that_break_a_rule_are_refused(drivers: None) -> None:
    from benchmarks.judge import value_of

    free, limited = some("p-median", np.random.default_rng(0)), some("sscflp", np.random.default_rng(0))
    with pytest.raises(ValueError, match="opens 3 sites, asked were 2"):
        value_of(free, {"open": [0, 1, 2]})
    with pytest.raises(ValueError, match="closes a site that stands"):
        value_of(replace(free, standing=np.array([1, 0, 0, 0, 0])), {"open": [1, 2]})
    n = limited.n_rows
    tight = replace(limited, capacity=np.full(limited.n_sites, limited.need.sum() - 1))
    with pytest.raises(ValueError, match="beyond its capacity"):
        value_of(tight, {"open": [0], "assigned": [list(range(n)), [0] * n, [1.0] * n]})
    with pytest.raises(ValueError, match="closed site"):
        value_of(limited, {"open": [1], "assigned": [list(range(n)), [0] * n, [1.0] * n]})
    with pytest.raises(ValueError, match="everybody once"):
        value_of(limited, {"open": [0], "assigned": [[0], [0], [1.0]]})


def test_a_stopped_answer_that_is_called_optimal_is_marked(drivers: None) -> None:
    from benchmarks.judge import verdict

    assert verdict(True, 8554.0, 8162.0).words == "called optimal, 4.8 % above"  # spopt on pmed16: 8554 / 8162 = 1.048
    assert not verdict(True, 8554.0, 8162.0).proven
    assert verdict(True, 8162.0, 8162.0).proven
    assert verdict(False, 8162.0, 8162.0).words == "not proven, best known"
    assert verdict(False, 8554.0, 8162.0).words == "not proven, 4.8 % above"
    assert verdict(True, None, 8162.0, "stopped at 60 s").words == "stopped at 60 s"
    assert verdict(True, -2750.0, -2751.0).words == "called optimal, 0.036 % above"  # covered: less is worse
    assert verdict(True, 100.005, 100.0, within=1e-4).proven


def test_profiles_are_shares_of_problems_within_so_many_times_the_fastest(drivers: None) -> None:
    from benchmarks.profile import Panel, shares, svg

    times = {"a": [1.0, 2.0, None, None], "b": [2.0, 1.0, 3.0, None]}
    # the fastest took 1, 1 and 3 s, and nobody solved the fourth
    assert shares(times) == {"a": [(1.0, 0.25), (2.0, 0.5)], "b": [(1.0, 0.25), (1.0, 0.5), (2.0, 0.75)]}
    drawing = svg([Panel("some & all", times)], "Share")
    assert "some &amp; all, 4 problems" in drawing
    assert drawing.count("stroke-dasharray") == 2  # b, in the key and in its panel


def test_a_caption_wider_than_its_drawing_is_broken_into_lines(drivers: None) -> None:
    from benchmarks.profile import Panel, svg

    caption = "Share of problems that are proven within so many times the fewest seconds of all programs"
    drawing = svg([Panel("some", {"a": [1.0]})], caption)
    lines = re.findall(r'font-size="13">([^<]*)<', drawing)
    assert " ".join(lines) == caption
    assert len(lines) > 1
    assert max(map(len, lines)) < 50


def test_programs_are_compared_without_optional_data_or_peers(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("NEARER_DATA", "NEARER_PEERS")}
    command = [sys.executable, "-m", "benchmarks", "peers", "--small", "--out", str(tmp_path / "tables.md")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "tables.md").read_text(encoding="utf-8")
    assert "spopt was not measured: make an environment" in text
    rows = (tmp_path / "tables-peers.csv").read_text(encoding="utf-8").splitlines()
    by_name = list(csv.DictReader(rows))
    assert [row["program"] for row in by_name] == ["nearer"] * 3 + ["HiGHS"]
    assert {row["verdict"] for row in by_name} == {"proven"}
    assert (tmp_path / "tables-peers.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.long
def test_plans_of_phases_are_compared_without_peers(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("NEARER_DATA", "NEARER_PEERS")}
    command = [sys.executable, "-m", "benchmarks", "planning", "--small", "--out", str(tmp_path / "tables.md")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not proven" not in (tmp_path / "tables-planning.csv").read_text(encoding="utf-8")
