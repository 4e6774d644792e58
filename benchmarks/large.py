"""p-medians of 89,600 to a million points: what is proven after how many processor seconds, and in how much memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.child import drive
from benchmarks.given import Given
from benchmarks.table import NONE, Table, count, percent, seconds
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
)


@dataclass(frozen=True)
class Made:
    """A problem of a generator; how long it may take, and the gap that is asked."""

    name: str
    demand: FloatArray
    sites: FloatArray
    p: int
    limit_s: float
    gap: float
    standing: FloatArray | None = None


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


def made(small: bool) -> Iterator[Made]:
    """From BIRCH's size to a million."""
    n = 2_000 if small else 89_600
    for p, limit_s, gap in ((64, 300.0, 4e-4), (50, 300.0, 8e-4), (25, 300.0, 8e-4)):
        for at_random in (False, True):
            points = heaps(n, p, 1, at_random=at_random)
            yield Made(f"heaps {n:,} {'at random' if at_random else 'on a grid'}", points, points, p, limit_s, gap)
    n, m, p = (4_000, 300, 12) if small else (1_000_000, 5_000, 210)
    demand, sites = towns(n, m, 2026)
    yield Made(f"towns {n:,} × {m:,}", demand, sites, p, 300, 5e-4)
    demand, sites = uniform(2026, n, m)
    yield Made(f"uniform {n:,} × {m:,}", demand, sites, p, 120, 5e-4)
    n, s, m, p = (4_000, 40, 200, 40) if small else (1_000_000, 2_000, 10_000, 2_000)
    demand, standing, sites = uniform(2026, n, s, m)
    yield Made(f"{s:,} → {s + p:,}, {n:,} × {m:,}", demand, sites, p, 120, 1e-4, standing)


def tables(given: Given) -> Iterator[Table]:
    """Each in a process of its own."""
    table = Table("p-medians of 89,600 to a million points", HEADINGS)
    table.notes += [
        "Two threads; processor seconds of the solver, making the points and loading compiled code not counted.",
        "Check: value and bound formed again in plain NumPy from the certificate, for all points and all sites.",
    ]
    for one in made(given.small):
        with tempfile.TemporaryDirectory() as scratch:
            file, out = Path(scratch) / "problem.npz", Path(scratch) / "out.json"
            arrays = {"demand": one.demand, "sites": one.sites, "p": np.array(one.p)}
            if one.standing is not None:
                arrays["standing"] = one.standing
            np.savez(file, **arrays)  # type: ignore[arg-type]
            limit = given.limit_s or one.limit_s
            ran = drive("plan_points", file, str(limit), str(one.gap), out).checked()
            table.rows.append(_row(one, json.loads(out.read_text()), ran.peak_mb))
    yield table


def _row(one: Made, noted: dict[str, Any], peak_mb: float | None) -> tuple[str, ...]:
    after = []
    for mark in MARKS_S:
        known = [(value - bound) / value for s, value, bound in noted["trace"] if s <= mark and bound > 0]
        after.append(percent(known[-1]) if known and mark < noted["cpu_s"] else NONE)
    return (
        one.name,
        str(one.p),
        count(noted["value"]),
        count(noted["bound"]),
        percent((noted["value"] - noted["bound"]) / noted["value"]),
        seconds(noted["cpu_s"]),
        *after,
        count(peak_mb),
        seconds(noted["check_s"]),
        "yes" if noted["holds"] else "NO",
    )
