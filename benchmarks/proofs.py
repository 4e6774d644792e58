"""Published p-medians of points with more than 20 open that others proved: seconds to the proof, beside theirs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from benchmarks.given import DATA, AbsentError, Given
from benchmarks.kept import KeptRows
from benchmarks.profile import Panel, svg
from benchmarks.proofs_peers import beside
from benchmarks.records import _points, _records
from benchmarks.table import Table, count, percent, seconds
from nearer.model import Solution
from nearer.progress import Stop
from nearer.solvers.growing import solve_growing

LIMIT_S, LONG_S = 40.0, 600.0
MOST_POINTS, FEW = 6_000, 20
SOON_S = 5.0
HEADINGS = (
    *("instance", "p", "value", "above the published best", "bound", "gap", "CPU s", "leaves", "cuts"),
    *(f"value after {SOON_S:g} s", f"bound after {SOON_S:g} s, below the published LP's", "Benders s", "Zebra s"),
)
SEEDED = (("fl1400", 200), ("d2103", 300), ("d2103", 500), ("pcb3038", 500))
SEEDS = range(5)
_OURS, _BENDERS, _ZEBRA = "nearer", "Benders", "Zebra"


def tables(given: Given) -> Iterator[Table]:
    """
    One row a problem, quickest published first.

    Each is in the file beside as soon as it is measured; Ctrl-C ends the run, and the next one goes on from there.
    """
    limit = given.limit_s or LIMIT_S
    table = Table("Published p-medians of points that are proven", HEADINGS)
    try:
        wanted = _proven(given)
    except AbsentError as error:
        table.notes.append(str(error))
        yield table
        return
    rows = KeptRows(table, given.beside("proofs.csv"))
    for row in wanted[:1] if given.small else wanted:
        rows.add(row["instance"], int(row["p"]), partial(_measured, given, row, limit))
    times = _times(table.rows)
    n_proven = sum(spent is not None for spent in times[_OURS])
    table.notes += [
        f"Proven here: {n_proven} of {len(table.rows)}; {len(wanted) - len(table.rows)} more were not reached.",
        f"{DATA}'s rows with up to {MOST_POINTS:,} points and more than {FEW} open that Benders or Zebra proved. One "
        f"thread, CPU seconds of the solver, {limit:g} at most; reading is not counted.",
        "Published: Duran-Mateluna, Ales, Elloumi (2023), and Zebra as they ran it: Xeon W-2145 with CPLEX 20.1, one "
        "thread, at most 10 h (TL).",
    ]
    if (drawing := given.beside("proofs.svg")) is not None:
        caption = (
            "Published p-medians of points: proven within so many times the fewest seconds, each on its own machine"
        )
        drawing.write_text(svg([Panel("TSPLIB", times)], caption), encoding="utf-8", newline="\n")
    yield table
    if rows.ended:
        return
    others, ended = beside(given, wanted[:1] if given.small else wanted)
    yield others
    if ended:
        return
    long, ended = _longer(given, [row for row in wanted if (row["instance"], row["p"]) in _unproven(table.rows)])
    yield long
    if not ended:
        yield _seeds(given, limit)


def _longer(given: Given, left: list[dict[str, str]]) -> tuple[Table, bool]:
    """The rows that are left once more, from the start and with more time; and whether Ctrl-C ended it."""
    table = Table("Those not proven above, with more time", HEADINGS)
    rows = KeptRows(table, given.beside("long.csv"))
    for row in left:
        rows.add(row["instance"], int(row["p"]), partial(_measured, given, row, LONG_S))
    n_proven = len(table.rows) - len(_unproven(table.rows))
    table.notes.append(
        f"From the start, {LONG_S:g} CPU seconds at most: {n_proven} of {len(left)} proven; {rows.missing} not reached."
    )
    return table, rows.ended


def _unproven(rows: list[tuple[str, ...]]) -> set[tuple[str, ...]]:
    gap = HEADINGS.index("gap")
    return {row[:2] for row in rows if row[gap] != "0"}


def _measured(given: Given, row: dict[str, str], limit: float) -> tuple[str, ...]:
    stop = Stop(limit, time.process_time)
    return _against(row, solve_growing(_points(given, row["instance"]), int(row["p"]), gap=0.0, stop=stop)[1])


def _seeds(given: Given, limit: float) -> Table:
    """Seconds to the proof for several seeds."""
    table = Table("Five seeds", ("instance", "p", "proven", "CPU s: least", "most"))
    for name, p in SEEDED[:1] if given.small else SEEDED:
        points = _points(given, name)
        ends = [solve_growing(points, p, gap=0.0, seed=seed, stop=Stop(limit, time.process_time))[1] for seed in SEEDS]
        spent = [found.seconds for found in ends]
        n_proven = sum(found.bound == found.objective for found in ends)
        table.rows.append((name, str(p), f"{n_proven} of {len(ends)}", seconds(min(spent)), seconds(max(spent))))
    return table


def _times(rows: list[tuple[str, ...]]) -> dict[str, list[float | None]]:
    """Seconds to the proof of each row, ours and the published ones."""
    gap, ours, benders, zebra = (HEADINGS.index(name) for name in ("gap", "CPU s", "Benders s", "Zebra s"))
    return {
        _OURS: [_number(row[ours]) if row[gap] == "0" else None for row in rows],
        _BENDERS: [_number(row[benders]) for row in rows],
        _ZEBRA: [_number(row[zebra]) for row in rows],
    }


def _proven(given: Given) -> list[dict[str, str]]:
    rows = [
        row
        for (_, p), row in _records(given).items()
        if p > FEW and int(row["n"]) <= MOST_POINTS and (_number(row["total_s"]) or _number(row["zebra_s"]))
    ]
    return sorted(rows, key=lambda row: min(_number(row["total_s"]) or 1e9, _number(row["zebra_s"]) or 1e9))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # TL, OOM
        return None


def _against(row: dict[str, str], found: Solution) -> tuple[str, ...]:
    best, relaxed = float(row["opt_or_best"]), float(row["lp_bound_phase1"])
    soon = [point for point in found.trace if point.seconds <= SOON_S]
    value = min((point.value for point in soon), default=float("inf"))
    bound = max((point.bound for point in soon), default=-float("inf"))
    tree = getattr(found.certificate, "node_multiplier", None)
    cuts = getattr(found.certificate, "cut_start", None)
    return (
        row["instance"],
        row["p"],
        count(found.objective),
        percent(found.objective / best - 1),
        count(found.bound),
        percent(found.gap),
        seconds(found.seconds),
        count(0 if tree is None else float((tree >= 0).sum())),
        count(0 if cuts is None else float(len(cuts) - 1)),
        percent(value / best - 1),
        percent(1 - bound / relaxed),
        row["total_s"],
        row["zebra_s"],
    )
