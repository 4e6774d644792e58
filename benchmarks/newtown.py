"""Newtown, generated: 400,000 people, 112 → 210 centres."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child import run
from benchmarks.given import Given
from benchmarks.study import access, plan, steps_table, trace_table, verify
from benchmarks.table import Table, count, seconds

PEOPLE, SMALL_PEOPLE = 400_000, 6_000
LIMIT_S = 60
MARKS_S = (1.0, 10.0, 30.0, 60.0)


def tables(given: Given) -> Iterator[Table]:
    """Seconds per step, then value and bound as they came."""
    people = SMALL_PEOPLE if given.small else PEOPLE
    limit_s = 5 if given.small else LIMIT_S
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "newtown"
        made = run(["-m", "nearer", "new", str(folder), "--example", "newtown", "--people", str(people)]).checked()
        proof = plan(folder, "--gap", "0", "--time-limit", str(limit_s))
        usual = plan(folder)
        _, verified = verify(folder)
    points, sites = proof.plan["snapping"]["people"]["points"], proof.plan["snapping"]["sites"]["points"]
    what = f"Newtown, {people:,} people, {points:,} points, {sites:,} sites"
    steps = steps_table(f"{what}: from files to report", {f"--gap 0, at most {limit_s} s": proof, "as usual": usual})
    steps.notes += [
        f"Generating it took {seconds(made.seconds)} s ({seconds(made.cpu_s)} CPU s, {count(made.peak_mb)} MB).",
        "As usual: `nearer plan` without options, the second run in that folder (gap 0.01 % is enough).",
        access(proof),
        f"Of the second plan, {verified}",
    ]
    yield steps
    yield trace_table(f"{what}: plan and proof as time goes on (--gap 0)", proof, MARKS_S)
