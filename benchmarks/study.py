"""A study planned by the command line, as a person would, and what each step took."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.child import Ran, run
from benchmarks.table import NONE, Table, count, percent, seconds

STEPS = {
    "read": "read and check every file",
    "network": "graph, snapping, travel times",
    "model": "rows of the problem",
    "solve": "solve",
    "plan": "measures, gains, gaps",
    "write": "report, map, tables",
}


@dataclass(frozen=True)
class Planned:
    """One run of ``nearer plan``: what it took, and what it wrote."""

    ran: Ran
    notes: dict[str, Any]
    plan: dict[str, Any]


def plan(folder: Path, *options: str) -> Planned:
    """Plan a study folder; stopping early is no failure."""
    ran = run(["-m", "nearer", "plan", str(folder), "--out", str(folder / "plan"), *options]).checked(3)
    notes, document = (json.loads((folder / "plan" / name).read_text()) for name in ("run.json", "plan.json"))
    return Planned(ran, notes, document)


def verify(folder: Path) -> tuple[Ran, str]:
    """Recompute a plan independently; what it took, and a sentence."""
    ran = run(["-m", "nearer", "verify", str(folder / "plan")])
    says = (
        "agrees" if ran.code == 0 else f"ended with {ran.code}: {' '.join((ran.complained or ran.said).split())[:200]}"
    )
    return ran, f"`nearer verify` {says}, after {seconds(ran.seconds)} s ({seconds(ran.cpu_s)} CPU s)."


def steps_table(title: str, runs: dict[str, Planned]) -> Table:
    """Seconds per step, one column a run."""
    table = Table(title, ("seconds", *runs))
    for step, what in STEPS.items():
        spent = [one.notes["seconds"].get(step) for one in runs.values()]
        table.rows.append((f"{step}: {what}", *(seconds(value) for value in spent)))
    inside = [one.ran.seconds - sum(one.notes["seconds"].get(step, 0.0) for step in STEPS) for one in runs.values()]
    table.rows.append(("start, imports, the rest", *(seconds(value) for value in inside)))
    table.rows.append(("**from files to report**", *(seconds(one.ran.seconds) for one in runs.values())))
    table.rows.append(("CPU s", *(seconds(one.ran.cpu_s) for one in runs.values())))
    table.rows.append(("peak MB", *(count(one.ran.peak_mb) for one in runs.values())))
    for name in ("value", "bound"):
        table.rows.append((f"{name}, person-minutes", *(_minutes(one, name) for one in runs.values())))
    table.rows.append(("gap", *(percent(one.plan["gap"]) for one in runs.values())))
    table.rows.append(("gap of the gain", *(percent(one.plan["gain_gap"]) for one in runs.values())))
    table.rows.append(("status", *(one.plan["status"] for one in runs.values())))
    return table


def trace_table(title: str, one: Planned, marks_s: tuple[float, ...]) -> Table:
    """Value, bound and gap after so many seconds of the solver."""
    table = Table(title, ("after s", "value, person-minutes", "bound, person-minutes", "gap"))
    trace = [(s, value, -math.inf if bound is None else bound) for s, value, bound in one.notes["trace"]]
    ended_s = one.notes["solver_seconds"]
    for mark_s in (*(mark for mark in marks_s if mark < ended_s), ended_s):
        known = [point for point in trace if point[0] <= mark_s] if mark_s < ended_s else trace
        if known:
            _, value, bound = known[-1]
            at = f"{mark_s:g}" if mark_s < ended_s else f"{ended_s:.1f} (end)"
            known_bound = (NONE, NONE) if bound == -math.inf else (f"{bound:,.1f}", percent((value - bound) / value))
            table.rows.append((at, f"{value:,.1f}", *known_bound))
    for target in (0.01, 0.001, 0.0001, 0.0):
        reached = [s for s, value, bound in trace if value - bound <= max(target, 1e-9) * value]
        if reached:
            what = f"A gap of {percent(target)}" if target else "The proof of the optimum"
            table.notes.append(f"{what} was reached after {seconds(reached[0])} s of the solver.")
    return table


def _minutes(one: Planned, name: str) -> str:
    amount = one.plan["objective"]["value"] if name == "value" else one.plan["bound"]
    return NONE if amount is None else f"{amount:,.1f}"


def access(one: Planned) -> str:
    """What the plan brings, in a sentence."""
    before, after = one.plan["measures"]["before"], one.plan["measures"]["after"]
    return f"Mean walk {before['mean_min']:.2f} min before, {after['mean_min']:.2f} min with {one.plan['opened']} more."
