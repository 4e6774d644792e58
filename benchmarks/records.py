"""Large p-medians of points against the published records: what is proven after 5 s, and at the end, in CPU seconds."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.given import DATA, AbsentError, Given
from benchmarks.kept import KeptRows
from benchmarks.large import Made, heaps, uniform
from benchmarks.table import NONE, Table, count, percent, seconds
from nearer.inputs.benchmarks import read_tsplib
from nearer.model import Solution
from nearer.model.plane import PlaneRows, Rounding
from nearer.progress import Stop
from nearer.solvers.growing import solve_growing
from nearer.units import FloatArray

LIMIT_S = 60.0
SOON_S = 5.0
TSPLIB = (
    *(("rl1304", p) for p in (10, 20, 100, 300)),
    *(("fl1400", p) for p in (100, 300, 500)),
    *(("d2103", p) for p in (50, 100, 200)),
    *(("pcb3038", p) for p in (5, 10, 20, 50, 100, 200, 500)),
    *(("rl5934", p) for p in (10, 20, 50, 200, 300, 1000)),
    *(("usa13509", p) for p in (100, 300, 1000)),
)
HEADINGS = (
    "instance",
    "p",
    "value",
    "above the published best",
    "bound",
    "gap",
    "CPU s",
    f"value after {SOON_S:g} s",
    f"bound after {SOON_S:g} s, below the published LP's",
    "published: gap",
    "Benders s",
    "Zebra s",
)
SEEDS = range(5)
SEEDED = (("fl1400", 300), ("d2103", 50), ("d2103", 100), ("pcb3038", 50))


def made(small: bool) -> Iterator[Made]:
    """Generated problems; larger ones are in ``large``."""
    n, p = (500, 5) if small else (20_000, 64)
    for at_random in (False, True):
        points = heaps(n, p, 1, at_random=at_random)
        yield Made(f"heaps {n:,} {'at random' if at_random else 'on a grid'}", points, points, p, LIMIT_S, 1e-6)
    n, m, p = (1_000, 100, 9) if small else (100_000, 5_000, 210)
    demand, sites = uniform(2026, n, m)
    yield Made(f"uniform {n:,} × {m:,}", demand, sites, p, LIMIT_S, 1e-6)


def tables(given: Given) -> Iterator[Table]:
    """
    Published instances, where the data folder is there, and generated ones.

    Each row is in the file beside as soon as it is measured; Ctrl-C ends the run, and the next one goes on from there.
    """
    limit = given.limit_s or LIMIT_S
    table = Table("Large p-medians of points, published and generated", HEADINGS)
    rows = KeptRows(table, given.beside("records.csv"))
    try:
        published = _records(given)
    except AbsentError as error:
        published = {}
        table.notes.append(str(error))
    for name, p in (TSPLIB[:1] if given.small else TSPLIB) if published else ():
        rows.add(name, p, partial(_published, given, name, p, published[name, p], limit))
    for one in made(given.small):
        rows.add(one.name, one.p, partial(_generated, one, limit))
    if rows.missing:
        table.notes.append(f"{rows.missing} more were not reached.")
    table.notes += [
        f"One thread; CPU seconds of the solver, {limit:g} at most; reading is not counted.",
        "Published: Benders of Duran-Mateluna, Ales, Elloumi (2023), and Zebra of García, Labbé, Marín (2011) as they "
        "ran it: Xeon W-2145 with CPLEX 20.1, one thread, at most 10 h (TL); OOM is out of memory.",
    ]
    yield table
    if published and not rows.ended:
        yield _seeds(given)


def _folder(given: Given) -> Path:
    if given.data is None or not (folder := given.data / "instances" / "tsplib").is_dir():
        raise AbsentError(f"set {DATA} to the optional data folder")
    return folder


def _records(given: Given) -> dict[tuple[str, int], dict[str, str]]:
    text = (_folder(given) / "pmedian_published.csv").read_text()
    return {(row["instance"], int(row["p"])): row for row in csv.DictReader(text.splitlines())}


def _points(given: Given, name: str) -> PlaneRows:
    points = read_tsplib(_folder(given) / f"{name}.tsp")
    xy = np.column_stack([points.x, points.y])
    return plane(xy, xy, whole=True)


def _published(given: Given, name: str, p: int, known: dict[str, str], limit: float) -> tuple[str, ...]:
    found = solve_growing(_points(given, name), p, gap=0.0, stop=Stop(limit, time.process_time))[1]
    return name, str(p), *_against(known, found)


def _generated(one: Made, limit: float) -> tuple[str, ...]:
    rows = plane(one.demand, one.sites)
    found = solve_growing(rows, one.p, gap=one.gap, stop=Stop(limit, time.process_time))[1]
    soon = min((point.value for point in found.trace if point.seconds <= SOON_S), default=float("inf"))
    return (
        *(one.name, str(one.p), count(found.objective), NONE, count(found.bound), percent(found.gap)),
        *(seconds(found.seconds), percent(soon / found.objective - 1), NONE, NONE, NONE, NONE),
    )


def _seeds(given: Given) -> Table:
    """Where the first seconds end for several seeds."""
    table = Table("Five seeds", ("instance", "p", f"above the published best after {SOON_S:g} s: least", "most"))
    for name, p in SEEDED[:1] if given.small else SEEDED:
        points, published = _points(given, name), _records(given)
        best = float(published[name, p]["opt_or_best"])
        ends = [
            solve_growing(points, p, gap=0.0, seed=seed, stop=Stop(SOON_S, time.process_time))[1].objective
            for seed in SEEDS
        ]
        table.rows.append((name, str(p), percent(min(ends) / best - 1), percent(max(ends) / best - 1)))
    return table


def plane(demand: FloatArray, sites: FloatArray, *, whole: bool = False) -> PlaneRows:
    """Points with a weight of one each; published distances are rounded down."""
    rounding: Rounding = "floor" if whole else "exact"
    return PlaneRows(demand[:, 0], demand[:, 1], np.ones(len(demand)), sites[:, 0], sites[:, 1], rounding)


def _against(row: dict[str, str], found: Solution) -> tuple[str, ...]:
    best, relaxed = float(row["opt_or_best"]), float(row["lp_bound_phase1"])
    soon = [point for point in found.trace if point.seconds <= SOON_S]
    value = min((point.value for point in soon), default=float("inf"))
    bound = max((point.bound for point in soon), default=-float("inf"))
    gap = row["final_gap_pct"]
    return (
        count(found.objective),
        percent(found.objective / best - 1),
        count(found.bound),
        percent(found.gap),
        seconds(found.seconds),
        percent(value / best - 1),
        percent(1 - bound / relaxed),
        f"{gap} %" if gap not in ("", "TL") else NONE,
        row["total_s"],
        row["zebra_s"],
    )
