"""Opening 98 sites beside 112 that stand, against spopt and against HiGHS alone, on the same matrices."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.child import Ran, drive
from benchmarks.environment import interpreter, peer_version
from benchmarks.given import AbsentError, Given
from benchmarks.table import NONE, Table, count, percent, ratio, seconds

LIMIT_S = 60.0
KILL_S = 330.0
"""A peer that does not keep its limit is stopped after so long."""

HEADINGS = (
    "points × sites",
    "solver",
    "pairs",
    "build s",
    "solve s",
    "CPU s",
    "peak MB",
    "mean distance",
    "gap",
    "it says",
    "ratio",
    "CPU ratio",
)


@dataclass(frozen=True)
class Size:
    """Points, sites, how many of those stand open, how many more to open; and whether spopt can go there."""

    points: int
    sites: int
    standing: int = 112
    more: int = 98
    with_spopt: bool = False


SIZES = (Size(300, 250, with_spopt=True), Size(1_000, 400, with_spopt=True), Size(5_000, 1_000), Size(10_000, 2_000))
SMALL = (Size(60, 40, 10, 8, with_spopt=True),)


def uniform(size: Size, seed: int = 0) -> dict[str, Any]:
    """Points and sites uniform in a square of side 100, whole weights from 1 to 99, straight distances."""
    rng = np.random.default_rng(seed)
    points, sites = rng.uniform(0, 100, (size.points, 2)), rng.uniform(0, 100, (size.sites, 2))
    weight = rng.integers(1, 100, size.points).astype(np.float64)
    distance = np.hypot(points[:, None, 0] - sites[None, :, 0], points[:, None, 1] - sites[None, :, 1])
    standing = np.arange(size.sites) < size.standing
    return {"distance": distance, "weight": weight, "standing": standing, "more": size.more}


def value_of(problem: dict[str, Any], is_open: list[int]) -> float:
    """
    Weighted distance to the nearest open site, computed here for every solver's answer.

    Raises
    ------
    ValueError
        The answer closes a standing site or opens the wrong number.
    """
    standing = np.flatnonzero(problem["standing"])
    if not np.isin(standing, is_open).all() or len(is_open) != len(standing) + problem["more"]:
        raise ValueError("an answer breaks the rules")
    return float(problem["weight"] @ problem["distance"][:, is_open].min(axis=1))


def table(given: Given) -> Iterator[Table]:
    """Every size with every solver that can go there."""
    made = Table("Opening 98 sites beside 112 that stand, to the proven optimum", HEADINGS)
    limit = f"at most {LIMIT_S:g} s"
    made.notes += [
        f"Uniform points, seed 0; a gap of 0 asked of all, {limit}, two threads. nearer and HiGHS alone get the same "
        "sparse rows: of each point, the candidates nearer than its nearest standing site. spopt takes the whole "
        "matrix. Every mean distance is computed here from the sites the answer opens.",
        "Ratio: build and solve of the other over ours, > where the other was not finished. Gap: what the solver's own "
        "bound leaves open; spopt has none.",
    ]
    spopt = None
    try:
        versions = {name: peer_version(given, name) for name in ("spopt", "pulp", "highspy")}
        spopt = f"spopt {versions['spopt']}"
        made.notes.append(f"spopt with PuLP {versions['pulp']} and HiGHS through highspy {versions['highspy']}.")
    except AbsentError as absent:
        made.notes.append(f"spopt was not measured: {absent}.")
    for size in SMALL if given.small else SIZES:
        problem = uniform(size)
        with tempfile.TemporaryDirectory() as scratch:
            file, out = Path(scratch) / "problem.npz", Path(scratch) / "out.json"
            np.savez(file, **problem)
            ours = None
            for name, driver in (("nearer", "expand_nearer"), ("HiGHS alone", "expand_highs"), (spopt, "expand_spopt")):
                if name is None or (name == spopt and not size.with_spopt):
                    continue
                out.unlink(missing_ok=True)
                how = {"python": interpreter(given)} if name == spopt else {}
                ran = drive(driver, file, str(LIMIT_S), out, limit_s=KILL_S, **how)
                noted = {"status": f"stopped at {KILL_S:g} s" if ran.code is None else "failed"}
                if ran.code == 0:
                    noted = json.loads(out.read_text())
                elif ran.code is not None:
                    made.notes.append(f"{name} failed: {' '.join(ran.complained.split())[-300:]}")
                ours = ours or noted
                made.rows.append(_row(f"{size.points:,} × {size.sites:,}", name, problem, noted, ran, ours))
    yield made


def _row(
    size: str, name: str, problem: dict[str, Any], noted: dict[str, Any], ran: Ran, ours: dict[str, Any]
) -> tuple[str, ...]:
    value = value_of(problem, noted["open"]) if noted.get("open") else None
    bound = noted.get("bound")
    return (
        size,
        name,
        count(noted.get("pairs")),
        seconds(noted.get("build_s")),
        seconds(noted.get("solve_s")),
        seconds(_total(noted, "cpu_s")),
        count(ran.peak_mb),
        NONE if value is None else f"{value / problem['weight'].sum():.4f}",
        NONE if value is None or bound is None else percent(_gap(value, bound)),
        noted["status"],
        _ratio(noted, ours, "s"),
        _ratio(noted, ours, "cpu_s"),
    )


def _gap(value: float, bound: float) -> float:
    """Relative; what float64 sums leave between two ways of adding is no gap."""
    gap = (value - bound) / value
    return gap if gap > 1e-9 else 0.0


def _ratio(noted: dict[str, Any], ours: dict[str, Any], unit: str) -> str:
    """The other over ours; whoever was stopped by the clock would have taken longer."""
    times = ratio(_total(noted, unit), _total(ours, unit))
    if noted is ours or times == NONE:
        return NONE
    return times if noted["status"].lower() == "optimal" else f"> {times}"


def _total(noted: dict[str, Any], unit: str) -> float | None:
    return noted[f"build_{unit}"] + noted[f"solve_{unit}"] if f"build_{unit}" in noted else None
