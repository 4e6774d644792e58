"""Benchmark files as instances: what their numbers mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nearer.errors import UsageError
from nearer.inputs.point_stream import read_sites, stream_points
from nearer.model import FREE, Instance, covering_instance, single_phase
from nearer.model.center_plane import CenterPoints
from nearer.model.plane import PlaneRows
from nearer.progress import Progress, Stop
from nearer.study.cover_points import CoverSets, read_cover_sets
from nearer.study.domination import without_dominated
from nearer.study.pairs import Table, asking, read_table, sorted_rows
from nearer.study.request import ON_THE_RIM, Request, refuse_what_does_not_fit, with_p
from nearer.units import FloatArray, IntArray

_TELL_PAIRS, _SOLVER_BYTES = 20_000_000, 40
"""Pairs from which the memory is told; bytes per pair that the p-median engine was seen to add to the rows' 8 or 12."""


@dataclass(frozen=True)
class Problem:
    """
    A benchmark file made into an instance.

    Parameters
    ----------
    request
        What was asked, completed with what the file says.
    instance
        What to solve; always a minimisation.
    covered_of
        Maximal covering: weight of all customers, from which the instance's value is subtracted; else None.
    impossible
        Why no solution exists, where that is plain; else empty.
    serving_below
        No solution that serves everybody costs as much as this; one that leaves a customer out costs more.
    plane
        The points, where the instance holds but the nearest sites of each and may have to hold more.
    center
        A p-center of points, whose instance holds of each row what lies at no distance, and is not solved.
    needed
        Partial covering: weight that must be covered; else None.
    n_customers
        Customers of which several are one row; None where each has its own.
    """

    request: Request
    instance: Instance
    covered_of: float | None = None
    impossible: str = ""
    serving_below: float = math.inf
    plane: PlaneRows | None = None
    center: CenterPoints | None = None
    needed: float | None = None
    n_customers: int | None = None

    def smaller(self, stop: Stop | None = None) -> Instance:
        """What the solver is given: the instance, in set cover without what is dominated."""
        return without_dominated(self.instance, stop) if self.request.problem == "set-cover" else self.instance

    def value(self, instance_value: float) -> float:
        """The problem's value, or bound, for that of the instance."""
        return instance_value if self.covered_of is None else self.covered_of - instance_value


def read_problem(
    path: Path,
    request: Request,
    tell: Callable[[str], None] = lambda text: None,
    go_on: Callable[[], None] = lambda: None,
    near: bool = False,
    plain: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> Problem:
    """
    Read a benchmark file as a problem.

    Parameters
    ----------
    path, request
        The file and what is asked of it.
    tell
        Told, before they are made, how much memory many pairs will take.
    go_on
        Called again and again; what it raises ends the reading.
    near
        Whether a p-median of points may come as ``plane``, a p-center as ``center``, without their pairs.
    plain, threads, progress
        As of ``read_cover_sets``, for points.

    Raises
    ------
    InputError
        The file is missing or not of that format.
    UsageError
        The format cannot be that problem, or something it needs is missing.
    """
    refuse_what_does_not_fit(request)
    if request.file_format == "points" and request.problem == "p-center":
        return _center_of_points(Path(path), request, go_on)
    if request.file_format == "points" and request.problem == "p-median":
        plane = read_plane(Path(path), request, go_on)
        request = with_p(request, plane.n_sites, None)
        assert request.p is not None
        reach = np.full(plane.n_rows, 0.0 if near else math.inf)
        return Problem(request, plane.instance(reach, request.p), plane=plane if near else None)
    if request.file_format == "points":
        return _cover_of_points(Path(path), request, go_on, plain, threads, progress)
    table = read_table(Path(path), request.file_format, request.distance, request.problem_number)
    table.chunks = asking(table.chunks, go_on)
    request = with_p(request, table.m, table.p)
    if request.problem in ("max-cover", "set-cover"):
        return _covering(request, table)
    if request.problem == "p-median" and near and table.plane is not None:
        assert request.p is not None
        first = table.plane.instance(np.zeros(table.n), request.p)
        return Problem(request, first, plane=table.plane)
    if request.problem == "p-center" and near and table.plane is not None:
        return _center(request, table.plane)
    if (n_pairs := table.n * table.m) > _TELL_PAIRS:
        rows_gb, solver_gb = n_pairs * (8 if table.whole else 12) / 1e9, n_pairs * _SOLVER_BYTES / 1e9
        tell(f"{n_pairs:,} pairs take {rows_gb:.1f} GB, and about {solver_gb:.1f} GB more while the solver runs.")
    return _serving(request, table)


def _serving(request: Request, table: Table) -> Problem:
    """Every customer is served, at the cost in the file: p-median, p-center, fixed charge with and without capacity."""
    n, m = table.n, table.m
    capacitated = request.problem in ("cflp", "sscflp")
    priced = request.problem in ("ufl", "cflp", "sscflp")
    weight = np.ones(n) if table.weight is None else table.weight
    price = table.price if priced else None
    unserved = np.full(n, np.inf)
    indptr, site_idx, cost = sorted_rows(n, m, table.chunks(), table.whole)
    impossible, serving_below = "", math.inf
    lonely = np.flatnonzero(np.diff(indptr) == 0)
    if len(lonely):
        impossible = f"no site can serve {_customers(lonely)}"
    elif len(site_idx) < n * m and not capacitated:
        serving_below = _serving_below(request, np.asarray(cost, dtype=np.float64)[indptr[1:] - 1] * weight, price)
        # Weights of nobody are never asked for; whole numbers stay whole.
        unserved = np.ceil(serving_below / np.where(weight > 0, weight, 1.0))
    capacity = np.full(m, np.inf)
    if capacitated:
        capacity = _capacity(request, table)
        demand = weight if table.demand is None else table.demand
        most = np.sort(capacity)[::-1][: request.p or m].sum()
        if demand.sum() > most:
            impossible = f"the customers demand {demand.sum():g} in all, and the sites hold {most:g}"
    low, high = (1, m) if request.p is None else (request.p, request.p)
    instance = Instance(
        indptr=indptr,
        site_idx=site_idx,
        cost=cost,
        unserved=unserved,
        weight=weight.reshape(1, n),
        standing=np.full(m, FREE, dtype=np.int8),
        open_min=np.array([low], dtype=np.int64),
        open_max=np.array([high], dtype=np.int64),
        capacity=capacity.reshape(m, 1, 1),
        row_point=np.arange(n, dtype=np.int32),
        row_group=np.zeros(n, dtype=np.int32),
        open_cost=None if price is None else price.reshape(m, 1),
        need=table.demand if capacitated else None,
        single_source=request.problem == "sscflp",
        objective="max" if request.problem == "p-center" else "sum",
    )
    return Problem(request, instance, impossible=impossible, serving_below=serving_below)


def _covering(request: Request, table: Table) -> Problem:
    """Being covered costs nothing: what remains is the weight not covered, or the number of sites."""
    n, m = table.n, table.m
    decay = request.decay
    limit = decay.until[-1] if decay else float(request.radius or 0.0) * (1 + ON_THE_RIM)
    parts, counts, shares = [], [], []
    for distances in table.chunks():
        row, site = np.nonzero(distances <= limit)
        counts.append(np.bincount(row, minlength=len(distances)))
        parts.append(site.astype(np.int32))
        if decay:
            shares.append(decay.at(distances[row, site]))
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    site_idx = np.concatenate(parts)
    if request.problem == "max-cover":
        weight = np.ones(n) if table.weight is None else table.weight
        low, high = (request.p, request.p) if request.p is not None else (0, _affordable(request, table.m, table.price))
        instance = covering_instance(
            indptr,
            site_idx,
            weight,
            np.full(m, FREE, dtype=np.int8),
            low,
            high,
            share=np.concatenate(shares) if decay else None,
            second_share=request.second_share,
        )
        return Problem(request, instance, covered_of=math.fsum(weight))
    instance = Instance(
        indptr=indptr,
        site_idx=site_idx,
        cost=np.zeros(len(site_idx), dtype=np.int32),
        unserved=np.full(n, m + 1.0),  # dearer uncovered than all sites open
        weight=np.ones((1, n)),
        standing=np.full(m, FREE, dtype=np.int8),
        open_min=np.array([0], dtype=np.int64),
        open_max=np.array([m], dtype=np.int64),
        capacity=np.full((m, 1, 1), np.inf),
        row_point=np.arange(n, dtype=np.int32),
        row_group=np.zeros(n, dtype=np.int32),
        open_cost=np.ones((m, 1)),
    )
    alone = np.flatnonzero(np.diff(indptr) == 0)
    reason = f"no site lies within {request.radius:g} of {_customers(alone)}" if len(alone) else ""
    return Problem(request, instance, impossible=reason)


def read_plane(path: Path, request: Request, go_on: Callable[[], None] = lambda: None) -> PlaneRows:
    """Customers of format points and the sites beside them; without a file of sites each of them is one."""
    chunks = []
    for chunk in stream_points(path):
        go_on()
        chunks.append(chunk)
    x, y, weight = (np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in ("x", "y", "weight"))
    if request.sites_file is None:
        return PlaneRows(x, y, weight, x, y, "exact")
    sites = read_sites(Path(request.sites_file))
    return PlaneRows(x, y, weight, sites.x, sites.y, "exact")


def median_points(path: Path, request: Request) -> PlaneRows | None:
    """The points of a p-median; None where the file holds no points, or it is no such problem."""
    if request.problem != "p-median" or request.p is None:
        return None
    if request.file_format == "points":
        return read_plane(path, request)
    if request.file_format == "tsplib":
        return read_table(path, request.file_format, request.distance, request.problem_number).plane
    return None


def _cover_of_points(
    path: Path, request: Request, go_on: Callable[[], None], plain: bool, threads: int, progress: Progress | None
) -> Problem:
    """As ``_covering``, of customers that are merged as they are read."""
    sites = read_sites(Path(request.sites_file or ""))
    m = len(sites.x)
    request = with_p(request, m, None)
    limit = float(request.radius or 0.0) * (1 + ON_THE_RIM)
    sets = read_cover_sets(path, sites, limit, threads=threads, progress=progress, go_on=go_on, plain=plain)
    standing = np.full(m, FREE, dtype=np.int8)
    if request.cover_share is not None:
        return _partial_cover(request, sets, np.ones(m) if sites.price is None else sites.price)
    low, high = (request.p, request.p) if request.p is not None else (0, _affordable(request, m, sites.price))
    instance = covering_instance(sets.indptr, sets.site, sets.weight, standing, low, high)
    return Problem(request, instance, covered_of=math.fsum(sets.weight), n_customers=sets.n_points)


def _partial_cover(request: Request, sets: CoverSets, price: FloatArray) -> Problem:
    """Being left uncovered costs nothing here; how much of it there may be is a rule of its own."""
    m, everybody = len(price), math.fsum(sets.weight)
    needed = float(request.cover_share or 0.0) * everybody * (1 - ON_THE_RIM)
    instance = single_phase(
        indptr=sets.indptr,
        site_idx=sets.site,
        cost=np.zeros(len(sets.site), dtype=np.int32),
        weight=sets.weight,
        unserved=np.zeros(len(sets.weight)),
        standing=np.full(m, FREE, dtype=np.int8),
        open_min=0,
        open_max=m,
        price=price,
    )
    most = math.fsum(sets.weight[np.diff(sets.indptr) > 0])
    short = f"all sites together cover {most / everybody:.4%} of the weight" if most < needed else ""
    return Problem(request, instance, impossible=short, needed=needed, n_customers=sets.n_points)


def _center_of_points(path: Path, request: Request, go_on: Callable[[], None]) -> Problem:
    """Every customer of the same weight; without a file of sites each of them is one."""
    rows = read_plane(path, request, go_on)
    if np.any(rows.weight != 1.0):
        raise UsageError(f"{path.name}: a p-center of points takes them all alike: leave out the column weight.")
    return _center(with_p(request, rows.n_sites, None), rows)


def _center(request: Request, plane: PlaneRows) -> Problem:
    assert request.p is not None
    points = CenterPoints(plane.x, plane.y, plane.site_x, plane.site_y, plane.rounded, plane.whole)
    instance = replace(plane.instance(np.zeros(plane.n_rows), request.p), objective="max")
    return Problem(request, instance, center=points)


def _affordable(request: Request, m: int, price: FloatArray | None) -> int:
    """Sites that a budget pays for, where each costs the same."""
    price = np.ones(m) if price is None else price
    if np.any(price != price[0]):
        raise UsageError("The sites of this file differ in cost, for which --budget is not solved yet: give -p N.")
    budget = float(request.budget or 0.0)
    if price[0] == 0:
        return m
    return int(min(max(math.floor(budget / float(price[0]) * (1 + ON_THE_RIM)), 0), m))


def _capacity(request: Request, table: Table) -> FloatArray:
    capacity = np.full(table.m, np.inf) if table.capacity is None else table.capacity
    if np.isinf(capacity).all():
        raise UsageError(f"The file has no capacities, which a {request.problem} problem needs.")
    said = ~np.isnan(capacity)
    if said.all():
        if request.capacity is not None:
            raise UsageError("The file gives its own capacities: leave out --capacity.")
        return capacity
    if request.capacity is None:
        raise UsageError("The file says the word capacity in place of a number: add --capacity C.")
    return np.where(said, capacity, request.capacity)


def _serving_below(request: Request, dearest: FloatArray, price: FloatArray | None) -> float:
    """More than any plan costs that serves all, given the dearest that each customer can be."""
    if request.problem == "p-center":
        return float(dearest.max()) + 1
    return float(dearest.sum()) * (1 + ON_THE_RIM) + (0.0 if price is None else float(price.sum())) + 1


def _customers(idx: IntArray) -> str:
    names = ", ".join(str(i + 1) for i in idx[:10])
    more = f" and {len(idx) - 10} more" if len(idx) > 10 else ""
    return f"customer{'s' if len(idx) > 1 else ''} {names}{more}"
