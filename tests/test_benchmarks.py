"""The benchmarks run, and count what they say they count."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "drivers")


def test_the_plan_is_measured_without_optional_data_or_peers(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("NEARER_DATA", "NEARER_PEERS")}
    command = [sys.executable, "-m", "benchmarks", "plan", "--small", "--out", str(tmp_path / "made" / "tables.md")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "made" / "tables.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    by_solver = {row[1]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}
    assert by_solver["nearer"]["it says"] == "optimal"
    assert by_solver["nearer"]["mean distance"] == by_solver["HiGHS alone"]["mean distance"]
    assert "set NEARER_DATA" in text
    assert "set NEARER_PEERS" in text


def test_rows_that_matter_hold_every_optimal_assignment(benchmarks: None) -> None:
    from benchmarks.expansion import Size, uniform, value_of
    from expansion import rows_that_matter

    problem = uniform(Size(points=40, sites=15, standing=4, more=5))
    point, site, cost, nearest = rows_that_matter(problem["distance"], problem["standing"])
    rng = np.random.default_rng(1)
    for _ in range(20):
        is_open = [0, 1, 2, 3, *sorted(rng.choice(np.arange(4, 15), 5, replace=False))]
        best = nearest.copy()
        used = np.isin(site, is_open)
        np.minimum.at(best, point[used], cost[used])
        assert problem["weight"] @ best == pytest.approx(value_of(problem, is_open), rel=1e-12)


def test_an_answer_that_closes_a_standing_site_is_refused(benchmarks: None) -> None:
    from benchmarks.expansion import Size, uniform, value_of

    problem = uniform(Size(points=10, sites=6, standing=2, more=2))
    with pytest.raises(ValueError, match="breaks the rules"):
        value_of(problem, [1, 2, 3, 4])
    with pytest.raises(ValueError, match="breaks the rules"):
        value_of(problem, [0, 1, 2])


def test_a_program_past_its_limit_is_stopped_with_what_it_started(benchmarks: None, tmp_path: Path) -> None:
    from benchmarks.child import run

    late = "import pathlib, sys, time; time.sleep(2); pathlib.Path(sys.argv[1]).touch()"
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {late!r}, sys.argv[1]])\n"
    (tmp_path / "slow.py").write_text(script)
    ran = run([str(tmp_path / "slow.py"), str(tmp_path / "late")], limit_s=1.0)
    assert ran.code is None
    if hasattr(os, "killpg"):
        time.sleep(1.5)
        assert not (tmp_path / "late").exists()


def test_memory_and_processor_seconds_are_those_of_the_program(benchmarks: None, tmp_path: Path) -> None:
    from benchmarks.child import run

    (tmp_path / "holds.py").write_text("held = bytearray(300_000_000)\nprint(len(held))\n")
    ran = run([str(tmp_path / "holds.py")]).checked()
    assert ran.said == "300000000\n"
    assert ran.cpu_s is not None
    assert ran.cpu_s > 0
    if ran.peak_mb is not None:
        assert 280 < ran.peak_mb < 400


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="memory and processor are read from /proc")
def test_one_server_carries_desks_planners_and_plans_without_an_error(tmp_path: Path) -> None:
    table = tmp_path / "load.md"
    command = [sys.executable, "-m", "benchmarks", "serve_load", "--small", "--out", str(table)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    text = table.read_text(encoding="utf-8")
    assert "Errors: none." in text, text
    handed = re.search(r"Handed over: (\d+) answered with yes, (\d+) in the ledger", text)
    assert handed is not None, text
    assert handed[1] == handed[2] == "120", "20 desks, six times each"


def test_a_table_goes_on_where_its_last_run_ended_and_a_row_that_fails_is_noted(
    benchmarks: None, tmp_path: Path
) -> None:
    from benchmarks.kept import KeptRows
    from benchmarks.table import Table

    asked: list[str] = []

    def measure(name: str, ends: BaseException | None = None) -> tuple[str, ...]:
        asked.append(name)
        if ends is not None:
            raise ends
        return name, "5", "a, b"

    def run(ends: dict[str, BaseException], headings: tuple[str, ...] = ("problem", "p", "value")) -> Any:
        rows = KeptRows(Table("", headings), tmp_path / "x-large.csv")
        for name in "abcd":
            rows.add(name, 5, partial(measure, name, ends.get(name)))
        return rows

    first = run({"b": RuntimeError("too large"), "c": KeyboardInterrupt()})
    assert [row[0] for row in first.table.rows] == ["a"]
    assert (asked, first.missing, first.ended) == (["a", "b", "c"], 3, True)
    assert first.table.notes == ["b, p = 5: too large"]
    asked.clear()
    second = run({})
    assert (asked, second.missing) == (["b", "c", "d"], 0)
    assert second.table.rows == [(name, "5", "a, b") for name in "abcd"]
    asked.clear()
    assert run({}).table.rows == second.table.rows
    assert asked == []
    run({}, ("problem", "p", "bound"))
    assert asked == list("abcd")


def test_rows_of_the_published_table_are_asked_of_others_and_what_is_not_asked_is_told(
    benchmarks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import proofs_peers
    from benchmarks.given import Given

    folder = tmp_path / "instances" / "tsplib"
    folder.mkdir(parents=True)
    xy = np.random.default_rng(1).integers(0, 100, (12, 2)).tolist()
    lines = ["NAME: t12", "TYPE: TSP", "DIMENSION: 12", "EDGE_WEIGHT_TYPE: EUC_2D", "NODE_COORD_SECTION"]
    lines += [f"{k} {x} {y}" for k, (x, y) in enumerate(xy, start=1)]
    (folder / "t12.tsp").write_text("\n".join([*lines, "EOF", ""]))
    given = Given(tmp_path, None, limit_s=5.0, out=tmp_path / "made-proofs.md")
    rows = [{"instance": "t12", "n": "12", "p": "3", "opt_or_best": "100"}]
    table, ended = proofs_peers.beside(given, rows)
    assert not ended
    ((name, p, excess, gap, cpu, *rest),) = table.rows
    assert (name, p, gap, rest) == ("t12", "3", "0", ["–"] * 4)
    assert excess.endswith("%")
    assert float(cpu) > 0
    assert any("FasterPAM was not measured" in note for note in table.notes)
    monkeypatch.setattr(proofs_peers, "MOST_PAIRS", 100)
    rows.append(rows[0] | {"p": "4"})
    again, _ = proofs_peers.beside(given, rows)
    assert again.rows == [table.rows[0], ("t12", "4", *["–"] * 7)]
