"""Phases, agencies, levels, capacities, budgets and groups together: value, bound and gap as time goes on."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.child import drive
from benchmarks.given import Given
from benchmarks.table import NONE, Table, count, percent, seconds
from nearer.model import CLOSED, FREE, OPEN, Instance, Rules
from nearer.units import FloatArray, IntArray


@dataclass(frozen=True)
class Town:
    """
    A town to plan for.

    Parameters
    ----------
    cells, sites, standing
        Places where people live, places where a centre may be, and how many of those stand today.
    people, more
        People, and centres to open in all phases together.
    phases, levels, groups
        Counts; levels 0 means one level without a limit and no budgets.
    reach
        Share of the town's width within which a site can serve.
    """

    name: str
    cells: int
    sites: int
    standing: int
    people: int
    more: int
    phases: int = 3
    levels: int = 3
    groups: int = 4
    reach: float = 0.33


NEWTOWN = Town("Newtown's size", 20_000, 1_100, 112, 400_000, 98)
PORTO_ALEGRE = Town("Porto Alegre's size", 1_227, 1_227, 112, 1_400_000, 98, reach=0.4)
MILLION = Town("a million points", 1_000_000, 5_000, 560, 2_000_000, 490, levels=0, groups=1, reach=0.03)
TINY = Town("tiny", 200, 40, 6, 4_000, 8)
TOWNS = {"newtown": (NEWTOWN, 120), "porto": (PORTO_ALEGRE, 30), "million": (MILLION, 600), "tiny": (TINY, 5)}
MARKS_S = (3.0, 10.0, 30.0, 60.0, 120.0, 600.0)


def tables(given: Given) -> Iterator[Table]:
    """Each town with nearer, and with the compact model in HiGHS."""
    table = Table(
        "Phases, agencies, levels, capacities, budgets and groups at once",
        (
            "town",
            "solver",
            "pairs",
            "solve s",
            "CPU s",
            "peak MB",
            "value",
            *(f"gap at {m:g} s" for m in MARKS_S),
            "gap",
        ),
    )
    table.notes += [
        "Three phases; but for the million points, two agencies with money of their own per phase, running money, "
        "three levels, four groups with capacities of their own. Straight distances, seed 0.",
        "Arrays given; two threads for nearer. Columns of seconds: the gap known by then. The compact model "
        "(`model/compact.py`) goes to HiGHS where it has at most three million columns, with one thread.",
    ]
    for name in ("tiny",) if given.small else ("newtown", "porto", "million"):
        town, limit_s = TOWNS[name]
        for solver in ("nearer", "compact model in HiGHS"):
            with tempfile.TemporaryDirectory() as scratch:
                out = Path(scratch) / "out.json"
                ran = drive("dynamic", name, solver, str(limit_s), out, limit_s=limit_s + 400)
                noted = json.loads(out.read_text()) if out.exists() else {}
            at = [_gap_at(noted.get("trace", []), mark) if mark <= limit_s else None for mark in MARKS_S]
            table.rows.append(
                (
                    town.name,
                    solver,
                    count(noted.get("pairs")),
                    seconds(noted.get("solve_s")),
                    seconds(noted.get("cpu_s")),
                    count(ran.peak_mb),
                    f"{noted['value']:.6g}" if noted.get("value") else NONE,
                    *(percent(gap) for gap in at),
                    percent(noted.get("gap")) if "status" in noted else str(noted.get("why", "failed")),
                )
            )
    yield table


def _gap_at(trace: list[list[float | None]], mark_s: float) -> float | None:
    """Gap known after so many seconds; None before there are a value and a bound."""
    known = [point for point in trace if point[0] is not None and point[0] <= mark_s]
    if not known or known[-1][1] is None or known[-1][2] is None:
        return None
    return (known[-1][1] - known[-1][2]) / known[-1][1]


def make(town: Town, seed: int = 0) -> Instance:
    """Quarters of different density, straight distances in metres over a width of 12 km, growth at the edge."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0.1, 0.9, (24, 2))
    spread = rng.uniform(0.02, 0.09, 24)

    def scattered(n: int, share: float) -> FloatArray:
        quarter = rng.integers(0, 24, n)
        near = centre[quarter] + rng.normal(size=(n, 2)) * spread[quarter][:, None]
        at = np.where((rng.random(n) < share)[:, None], near, rng.uniform(0, 1, (n, 2)))
        return np.asarray(np.clip(at, 0, 1) * 12_000)

    cell, site = scattered(town.cells, 0.8), scattered(town.sites, 0.7)
    indptr, site_idx, cost = _within(cell, site, town.reach * 12_000)
    size = rng.gamma(0.8, 1.0, town.cells)
    share = rng.dirichlet([8, 3, 2, 1][: town.groups], town.cells)
    people = np.maximum(size / size.sum() * town.people, 0)[:, None] * share
    edge = np.hypot(*(cell - 6_000).T) / 8_500
    growth = np.array([1 + 0.06 * t * edge for t in range(town.phases)])
    weight = np.round(growth[:, :, None] * people, 2).reshape(town.phases, -1)
    if town.groups > 1:
        indptr, site_idx, cost = _repeated(indptr, site_idx, cost, town.groups)
    standing = np.where(rng.permutation(town.sites) < town.standing, OPEN, FREE).astype(np.int8)
    n_levels = max(town.levels, 1)
    capacity = np.full((town.sites, n_levels, town.groups), np.inf)
    if town.levels:
        usual = town.people / (town.standing + town.more)
        room = usual * 0.45 * 2.0 ** np.arange(n_levels)[None, :] * rng.uniform(0.7, 1.4, (town.sites, 1))
        capacity = np.round(room[:, :, None] * (np.array([8, 3, 2, 1]) / 14)[None, None, : town.groups])
    n_rows = town.cells * town.groups
    return Instance(
        indptr=indptr,
        site_idx=site_idx,
        cost=cost,
        unserved=np.full(n_rows, 1.5 * town.reach * 12_000),
        weight=weight,
        standing=standing,
        open_min=np.zeros(town.phases, dtype=np.int64),
        open_max=np.full(town.phases, town.sites, dtype=np.int64),
        capacity=capacity,
        row_point=np.repeat(np.arange(town.cells), town.groups).astype(np.int32),
        row_group=np.tile(np.arange(town.groups), town.cells).astype(np.int32),
        rules=_rules(town, standing, rng),
    )


def _rules(town: Town, standing: IntArray, rng: np.random.Generator) -> Rules:
    """So many more by the end of each phase; with levels, money per agency and phase, and running money at the end."""
    n_t, n_l = town.phases, max(town.levels, 1)
    paths = np.array(
        [p for p in product(range(CLOSED, n_l), repeat=n_t) if all(np.diff(p) >= 0)], dtype=np.int16
    ).reshape(-1, n_t)
    ptr, levels = [0], []
    for stands in standing:
        mine = paths[paths[:, 0] >= 0] if stands == OPEN else paths
        if stands == OPEN:  # stands at the lowest level, or is enlarged
            mine = mine[mine[:, 0] <= max(0, n_l - 2)]
        levels.append(mine)
        ptr.append(ptr[-1] + len(mine))
    level = np.concatenate(levels)
    site = np.repeat(np.arange(town.sites), np.diff(ptr))
    opened = (level >= 0) & (standing[site] == FREE)[:, None]
    sides: list[tuple[str, FloatArray, float, float]] = []
    for t in range(n_t):
        most = round(town.more * (t + 1) / n_t)
        sides.append((f"opened by the end of phase {t + 1}", opened[:, t].astype(float), -np.inf, float(most)))
    cost = np.zeros(len(level))
    if town.levels:
        agency = rng.integers(0, 2, town.sites)[site]
        build = rng.uniform(0.7, 1.3, town.sites)[site]
        before = np.where(standing == OPEN, 0, CLOSED)[site]
        price = np.array([0.0, 1.0, 1.6, 2.5])
        for t in range(n_t):
            earlier = before if t == 0 else level[:, t - 1]
            paid = build * (price[level[:, t] + 1] - price[earlier + 1])
            for a in range(2):
                money = town.more / n_t * (0.6, 0.5)[a]
                words = f"money of agency {a + 1} in phase {t + 1}"
                sides.append((words, np.where(agency == a, paid, 0.0), -np.inf, money))
        running = np.array([0.0, 1.0, 1.5, 2.2])[level[:, -1] + 1]
        sides.append(("running money at the end", running, -np.inf, 1.25 * (town.standing + town.more)))
        for a in range(2):
            least = town.more // 4
            sides.append((f"agency {a + 1} opens", (opened[:, -1] & (agency == a)).astype(float), least, np.inf))
    used = [np.flatnonzero(values) for _, values, _, _ in sides]
    return Rules(
        option_ptr=np.array(ptr, dtype=np.int64),
        option_level=level,
        option_cost=cost,
        side_ptr=np.cumsum([0, *(len(at) for at in used)]).astype(np.int64),
        side_option=np.concatenate(used).astype(np.int32),
        side_value=np.concatenate([values[at] for at, (_, values, _, _) in zip(used, sides, strict=True)]),
        side_lower=np.array([low for _, _, low, _ in sides], dtype=np.float64),
        side_upper=np.array([high for _, _, _, high in sides], dtype=np.float64),
        side_name=tuple(name for name, _, _, _ in sides),
    )


def _within(cell: FloatArray, site: FloatArray, reach_m: float) -> tuple[IntArray, IntArray, IntArray]:
    """Sparse rows of the sites within reach, 1,200 at most, sorted by distance in whole metres, then site."""
    tree = cKDTree(site)
    ptr, sites, costs = [np.zeros(1, dtype=np.int64)], [], []
    for first in range(0, len(cell), 5_000):
        part = cell[first : first + 5_000]
        most = max(2, min(len(site), 1_200, int(tree.query_ball_point(part, reach_m, return_length=True).max())))
        away, which = tree.query(part, k=most, distance_upper_bound=reach_m)
        near = np.isfinite(away)
        row, which = np.nonzero(near)[0], which[near].astype(np.int32)
        cost = np.rint(away[near]).astype(np.int32)
        order = np.lexsort((which, cost, row))
        sites.append(which[order])
        costs.append(cost[order])
        ptr.append(ptr[-1][-1] + np.cumsum(near.sum(axis=1)))
    return np.concatenate(ptr).astype(np.int64), np.concatenate(sites), np.concatenate(costs)


def _repeated(indptr: IntArray, site: IntArray, cost: IntArray, times: int) -> tuple[IntArray, IntArray, IntArray]:
    """Every row so many times, one after the other."""
    long = np.repeat(np.diff(indptr), times)
    ptr = np.concatenate([[0], np.cumsum(long)]).astype(np.int64)
    at = np.arange(ptr[-1]) - np.repeat(ptr[:-1] - np.repeat(indptr[:-1], times), long)
    return ptr, site[at], cost[at]
