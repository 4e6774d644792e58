"""Large p-medians of points: what is proven after how many processor seconds, and in how much memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.child import drive
from benchmarks.given import DATA, Given
from benchmarks.kept import KeptRows
from benchmarks.machine import load
from benchmarks.table import NONE, Table, count, percent, seconds
from nearer.inputs.benchmarks import read_tsplib
from nearer.units import FloatArray

MARKS_S = (10, 30, 60, 120, 300)
HEADINGS = (
    "problem",
    "p",
    "value",
    "bound",
    "gap",
    "CPU s",
    *(f"gap after {mark} s" for mark in MARKS_S),
    "peak MB",
    "check s",
    "it holds",
    "load",
)
USA = (100, 200, 300, 500, 1000)


@dataclass(frozen=True)
class Made:
    """A problem; how long it may take, and the gap that is asked."""

    name: str
    demand: FloatArray
    sites: FloatArray
    p: int
    limit_s: float
    gap: float
    standing: FloatArray | None = None
    whole: bool = False  # distances rounded down


def heaps(n: int, clusters: int, seed: int, *, at_random: bool) -> FloatArray:
    """
    Points like BIRCH's: as many about each centre, with a spread of one; centres on a grid 4√2 apart, or anywhere.

    References
    ----------
    T. Zhang, R. Ramakrishnan, M. Livny (1997). BIRCH: A new data clustering algorithm and its applications. *Data
    Mining and Knowledge Discovery* 1, 141-182.
    """
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(clusters)))
    grid = np.array([(k % side, k // side) for k in range(clusters)]) * 4 * np.sqrt(2)
    centre = rng.uniform(0, clusters, (clusters, 2)) if at_random else grid
    return np.asarray(centre[np.arange(n) % clusters] + rng.normal(0, 1, (n, 2)))


def towns(n: int, m: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """People and sites in 3,000 towns of very different size in a square of 100 km, in metres."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 100_000, (3_000, 2))
    share = rng.pareto(1.1, 3_000) + 1
    share /= share.sum()
    spread = 4_000 * np.sqrt(share / share.max()) * np.exp(rng.normal(0, 0.3, 3_000))

    def drawn(k: int) -> FloatArray:
        town = rng.choice(3_000, k, p=share)
        return np.asarray(centre[town] + rng.normal(0, 1, (k, 2)) * spread[town, None])

    return drawn(n), drawn(m)


def uniform(seed: int, *sizes: int) -> list[FloatArray]:
    """Points anywhere in a square."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(0, 10_000, (size, 2)) for size in sizes]


def made(given: Given) -> Iterator[Made]:
    """BIRCH's size, a million, and usa13509 where the data folder is there."""
    small = given.small
    n = 2_000 if small else 89_600
    for p, limit_s, gap in ((25, 300.0, 8e-4), (50, 300.0, 8e-4), (64, 300.0, 4e-4)):
        for at_random in (True, False):
            points = heaps(n, p, 1, at_random=at_random)
            yield Made(f"heaps {n:,} {'at random' if at_random else 'on a grid'}", points, points, p, limit_s, gap)
    n, m, p = (4_000, 300, 12) if small else (1_000_000, 5_000, 210)
    demand, sites = towns(n, m, 2026)
    yield Made(f"towns {n:,} × {m:,}", demand, sites, p, 300, 5e-4)
    yield from _published(given)
    n, s, m, p = (4_000, 40, 200, 40) if small else (1_000_000, 2_000, 10_000, 2_000)
    demand, standing, sites = uniform(2026, n, s, m)
    yield Made(f"{s:,} → {s + p:,}, {n:,} × {m:,}", demand, sites, p, 120, 5e-5, standing)
    n, m, p = (4_000, 300, 12) if small else (1_000_000, 5_000, 210)
    demand, sites = uniform(2026, n, m)
    yield Made(f"uniform {n:,} × {m:,}", demand, sites, p, 120, 5e-4)


def _published(given: Given) -> Iterator[Made]:
    """Published points, the largest."""
    name, sizes, limit_s = ("rl1304", (100,), 10.0) if given.small else ("usa13509", USA, 300.0)
    file = given.data and given.data / "instances" / "tsplib" / f"{name}.tsp"
    if file and file.exists():
        read = read_tsplib(file)
        points = np.column_stack([read.x, read.y])
        for p in sizes:
            yield Made(name, points, points, p, limit_s, 2e-4, whole=True)


def tables(given: Given) -> Iterator[Table]:
    """
    Each row in a process of its own.

    Each is in the file beside as soon as it is measured; Ctrl-C ends the run, and the next one goes on from there.
    """
    table = Table("Large p-medians of points", HEADINGS)
    rows = KeptRows(table, given.beside("large.csv"))
    for one in made(given):
        rows.add(one.name, one.p, partial(_measured, one, given.limit_s or one.limit_s))
    if given.data is None:
        table.notes.append(f"Published points were left out: set {DATA} to the optional data folder.")
    if rows.missing:
        table.notes.append(f"{rows.missing} more were not reached.")
    table.notes += [
        "One thread; processor seconds of the solver, making the points and loading compiled code not counted.",
        "Check: value and bound formed again in plain NumPy from the certificate, for all points and all sites; of the "
        "centres beside others that stand, from the rows that these leave.",
        "Distances of published points are rounded down. Load: on all processors, as the row began.",
    ]
    yield table


def _measured(one: Made, limit_s: float) -> tuple[str, ...]:
    """Solve and check one."""
    busy = load()
    with tempfile.TemporaryDirectory() as scratch:
        file, out = Path(scratch) / "problem.npz", Path(scratch) / "out.json"
        arrays = {"demand": one.demand, "sites": one.sites, "p": np.array(one.p), "whole": np.array(one.whole)}
        if one.standing is not None:
            arrays["standing"] = one.standing
        np.savez(file, **arrays)  # type: ignore[arg-type]
        ran = drive("plan_points", file, str(limit_s), str(one.gap), out).checked()
        return _row(one, json.loads(out.read_text()), ran.peak_mb, busy)


def _row(one: Made, noted: dict[str, Any], peak_mb: float | None, busy: float | None) -> tuple[str, ...]:
    gap = (noted["value"] - noted["bound"]) / noted["value"]
    after = []
    for mark in MARKS_S:
        known = [(value - bound) / value for s, value, bound in noted["trace"] if s <= mark and bound > 0]
        after.append(percent(known[-1]) if known and mark < noted["cpu_s"] else NONE)
    return (
        one.name,
        str(one.p),
        count(noted["value"]),
        count(noted["bound"]),
        percent(gap if gap > 1e-9 else 0.0),  # what float64 sums leave between two ways of adding is no gap
        seconds(noted["cpu_s"]),
        *after,
        count(peak_mb),
        seconds(noted["check_s"]),
        "yes" if noted["holds"] else "NO",
        NONE if busy is None else f"{busy:.1f}",
    )
