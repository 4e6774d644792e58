"""Maximal covering of millions of customers, and p-centers of points: what is proven, in CPU seconds of one thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.given import DATA, Given
from benchmarks.table import NONE, Table, count, percent, seconds
from nearer.inputs.benchmarks import read_tsplib
from nearer.inputs.point_stream import AT_ONCE, PointChunk, PricedPoints
from nearer.model import FREE, Solution, covering_instance
from nearer.model.center_plane import CenterPoints
from nearer.model.check import certified_bound
from nearer.model.check_plane import certified_center
from nearer.progress import Stop
from nearer.solvers.center_plane import solve_center
from nearer.solvers.pmedian import solve_pmedian
from nearer.study.benchmark import peak_mb
from nearer.study.cover_points import CoverSets, merge_points

LIMIT_S = 60.0
SITES = 100
RADII = {10: (5.5, 5.75, 6.0, 6.25), 15: (4.0, 4.25, 4.5, 4.75, 5.0), 20: (3.25, 3.5, 3.75, 4.0, 4.25)}
"""Radii for each number of sites to open."""
CUSTOMERS = (1_000_000, 10_000_000, 20_000_000)
TSPLIB = (
    *(("rl1304", p) for p in (5, 10, 20, 50, 100)),
    *(("pcb3038", p) for p in (5, 10, 20, 100)),
    *(("rl5934", p) for p in (5, 10, 20, 100)),
    *(("usa13509", p) for p in (5, 10, 20, 50, 100)),
)


@dataclass(frozen=True)
class CoverProblem:
    """
    A problem made as those of Cordeau, Furini, Ljubic (2019): all in a square of side 30, weights 1 to 100.

    Parameters
    ----------
    n
        Customers.
    seed
        Of the sites and the customers.
    """

    n: int
    seed: int = 1

    def sites(self) -> PricedPoints:
        """The sites."""
        x, y = np.random.default_rng((self.seed, 0)).uniform(0, 30, (2, SITES))
        return PricedPoints(x, y, None)

    def customers(self) -> Iterator[PointChunk]:
        """The customers, some at a time."""
        rng = np.random.default_rng((self.seed, 1))
        for start in range(0, self.n, AT_ONCE):
            some = min(AT_ONCE, self.n - start)
            x, y = rng.uniform(0, 30, (2, some))
            yield PointChunk(x, y, rng.integers(1, 101, some).astype(np.float64), 0)


def tables(given: Given) -> Iterator[Table]:
    """Maximal covering, then p-centers of points from files and made ones."""
    limit = given.limit_s or LIMIT_S
    yield _max_cover((20_000,) if given.small else CUSTOMERS, limit)
    yield _centers(given, limit)


def _max_cover(sizes: tuple[int, ...], limit: float) -> Table:
    table = Table(
        f"Maximal covering, {SITES} sites",
        (
            *("customers", "open", "radius", "made and merged, CPU s", "sets", "covered", "gap", "solver, CPU s"),
            *("bound evaluated, CPU s", "peak MB"),
        ),
    )
    for n in sizes:
        problem = CoverProblem(n)
        for p, radii in RADII.items():
            for radius in radii if n < 10_000_000 else radii[::3]:
                began = time.process_time()
                sets = merge_points(problem.customers(), problem.sites(), radius)
                merged = time.process_time() - began
                table.rows.append((count(n), str(p), f"{radius:g}", seconds(merged), *_covered(sets, p, limit)))
    table.notes += [
        f"One thread; the solver has {limit:g} CPU s at most. Customers are made and merged half a million at a time.",
        "Published, for problems made in the same way with up to 20 million customers: solved to optimality "
        "(Cordeau, Furini, Ljubic 2019, with CPLEX); their seconds were not at hand, so none are set beside these.",
    ]
    return table


def _covered(sets: CoverSets, p: int, limit: float) -> tuple[str, ...]:
    instance = covering_instance(sets.indptr, sets.site, sets.weight, np.full(SITES, FREE, dtype=np.int8), p, p)
    found = solve_pmedian(instance, gap=0.0, stop=Stop(limit, time.process_time))
    began = time.process_time()
    bound = certified_bound(instance, found.certificate, found.objective)  # type: ignore[arg-type]
    if bound < found.bound:
        raise AssertionError("the certificate proves less than the solver says")
    everybody = float(sets.weight.sum())
    covered, most = everybody - found.objective, everybody - bound
    return (
        count(len(sets.weight)),
        count(covered),
        percent((most - covered) / covered),
        seconds(found.seconds),
        seconds(time.process_time() - began),
        count(peak_mb() or 0.0),
    )


def _centers(given: Given, limit: float) -> Table:
    table = Table(
        "p-centers of points",
        (
            *("points", "p", "value", "bound", "gap", "CPU s", "rows of the proof", "with lenses", "nodes"),
            "bound evaluated, CPU s",
        ),
    )
    for name, p, points, most in _center_problems(given, limit, table):
        found, proof = solve_center(points, p, stop=Stop(most, time.process_time))
        began = time.process_time()
        bound = 0.0 if proof is None else certified_center(points, p, proof, found.objective)
        figures = (len(np.unique(proof.pair)), len(proof.pair), len(proof.node_parent)) if proof else (0, 0, 0)
        table.rows.append(
            (name, str(p), *_value_and_bound(found, bound), *map(count, figures), seconds(time.process_time() - began))
        )
    table.notes += [
        f"One thread; {limit:g} CPU s at most. Every point is a site; distances of files "
        "are rounded down, those of made ones are not. Papers on these files differ in rounding.",
    ]
    return table


def _center_problems(given: Given, limit: float, table: Table) -> Iterator[tuple[str, int, CenterPoints, float]]:
    folder = None if given.data is None else given.data / "instances" / "tsplib"
    if folder is None or not folder.is_dir():
        table.notes.append(f"set {DATA} to the optional data folder")
    else:
        for name, p in TSPLIB[:1] if given.small else TSPLIB:
            read = read_tsplib(folder / f"{name}.tsp")
            yield name, p, CenterPoints(read.x, read.y, read.x, read.y, np.floor, True), limit
    for n, sizes in ((2_000, (3,)),) if given.small else ((1_000_000, (5, 10, 20)),):
        x, y = np.random.default_rng(2026).uniform(0, 10_000, (2, n))
        for p in sizes:
            yield f"uniform {n:,}", p, CenterPoints(x, y, x, y, np.asarray, False), limit


def _value_and_bound(found: Solution, bound: float) -> tuple[str, ...]:
    gap = (found.objective - bound) / max(found.objective, 1e-9)
    gap_told = percent(gap) if bound > 0 else NONE
    return f"{found.objective:,.6g}", f"{bound:,.6g}", gap_told, seconds(found.seconds)
