"""Newtown, generated: 400,000 people, 112 → 210 centres; and five times as large, 560 → 1,050."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child import run
from benchmarks.given import Given
from benchmarks.study import access, plan, steps_table, trace_table, verify
from benchmarks.table import Table, count, seconds

PEOPLE, SMALL_PEOPLE = (400_000, 2_000_000), (6_000,)
LIMIT_S = 60
MARKS_S = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)


def tables(given: Given) -> Iterator[Table]:
    """Of each size seconds per step, then value and bound as they came."""
    for people in SMALL_PEOPLE if given.small else PEOPLE:
        yield from _of_size(people, 5 if given.small else LIMIT_S)


def _of_size(people: int, limit_s: int) -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "newtown"
        made = run(["-m", "nearer", "new", str(folder), "--example", "newtown", "--people", str(people)]).checked()
        proof = plan(folder, "--gap", "0", "--time-limit", str(limit_s))
        usual = plan(folder)
        _, verified = verify(folder)
    points, sites = (proof.plan["snapping"][kind]["points"] for kind in ("people", "sites"))
    what = f"Newtown, {people:,} people, {points:,} points, {sites:,} sites"
    steps = steps_table(f"{what}: from files to report", {f"--gap 0, at most {limit_s} s": proof, "as usual": usual})
    steps.notes += [
        f"Generating it took {seconds(made.seconds)} s ({seconds(made.cpu_s)} CPU s, {count(made.peak_mb)} MB).",
        "As usual: `nearer plan` without options (a gap of 0.01 % is enough), the second run in that folder.",
        access(proof),
        f"Of the second plan, {verified}",
    ]
    yield steps
    yield trace_table(f"{what}: plan and proof as time goes on (--gap 0)", proof, MARKS_S)
