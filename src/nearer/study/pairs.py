"""The pairs of a benchmark file: distances or costs in chunks of rows, and rows sorted for the solvers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nearer.inputs import benchmarks as files
from nearer.model.plane import ROUND, PlaneRows, Rounding
from nearer.units import FloatArray, IntArray

Format = Literal[
    "orlib-pmed",
    "orlib-pmedcap",
    "orlib-cap",
    "kcapm",
    "tsplib",
    "holmberg",
    "yang",
    "delmaire",
    "tbed1",
    "mclp-grid",
    "points",
    "csv",
]

_CHUNK_PAIRS = 3_000_000
_ABSENT = 2**40
"""Cost of a pair that does not exist, beyond any that a whole-numbered benchmark file holds."""


@dataclass
class Table:
    """What a file holds: distances or costs in chunks of rows, and numbers per customer and site."""

    n: int
    m: int
    chunks: Callable[[], Iterator[FloatArray]]
    whole: bool
    plane: PlaneRows | None = None
    weight: FloatArray | None = None
    demand: FloatArray | None = None
    price: FloatArray | None = None
    capacity: FloatArray | None = None
    p: int | None = None


def read_table(path: Path, file_format: Format, distance: Rounding, problem_number: int | None) -> Table:
    """
    What a benchmark file holds.

    Raises
    ------
    InputError
        The file is missing or not of that format.
    """
    if file_format == "orlib-pmed":
        graph = files.read_orlib_pmed(path)
        n = graph.n_nodes
        return Table(n, n, lambda: _graph_rows(graph), whole=True, p=graph.p)
    if file_format == "tsplib":
        points = files.read_tsplib(path)
        n, x, y, whole = len(points.x), points.x, points.y, distance != "exact"
        plane = PlaneRows(x, y, np.ones(n), x, y, distance)
        return Table(n, n, lambda: _plane_rows(x, y, x, y, distance), whole, plane)
    if file_format == "orlib-pmedcap":
        medians = files.read_orlib_pmedcap(path, problem_number)
        n, x, y = len(medians.x), medians.x, medians.y
        chunks = lambda: _plane_rows(x, y, x, y, "floor")  # noqa: E731
        capacity = np.full(n, medians.capacity)
        return Table(n, n, chunks, True, demand=medians.demand, capacity=capacity, p=medians.p)
    if file_format == "mclp-grid":
        grid = files.read_mclp_grid(path)
        return Table(
            n=len(grid.x),
            m=len(grid.site_x),
            chunks=lambda: _plane_rows(grid.x, grid.y, grid.site_x, grid.site_y, "exact"),
            whole=False,
            weight=grid.weight,
            price=grid.site_cost,
        )
    matrix = {
        "orlib-cap": files.read_orlib_cap,
        "kcapm": files.read_kcapm,
        "holmberg": files.read_holmberg,
        "yang": files.read_holmberg,
        "delmaire": files.read_delmaire,
        "tbed1": files.read_tbed1,
        "csv": files.read_csv,
    }[file_format](path)
    n, m = matrix.cost.shape
    finite = matrix.cost[np.isfinite(matrix.cost)]
    whole = bool(np.all(finite % 1 == 0) and finite.max(initial=0) < _ABSENT)
    chunks = lambda: iter([matrix.cost])  # noqa: E731
    return Table(n, m, chunks, whole, None, matrix.weight, matrix.demand, matrix.price, matrix.capacity)


def asking(chunks: Callable[[], Iterator[FloatArray]], go_on: Callable[[], None]) -> Callable[[], Iterator[FloatArray]]:
    """The same chunks, with a question before each."""

    def asked() -> Iterator[FloatArray]:
        for chunk in chunks():
            go_on()
            yield chunk

    return asked


def _graph_rows(graph: files.PmedGraph) -> Iterator[FloatArray]:
    shape = (graph.n_nodes, graph.n_nodes)
    edges = csr_array((graph.length.astype(np.float64), (graph.from_idx, graph.to_idx)), shape=shape)
    step = max(1, _CHUNK_PAIRS // graph.n_nodes)
    for start in range(0, graph.n_nodes, step):
        sources = np.arange(start, min(start + step, graph.n_nodes))
        yield dijkstra(edges, directed=False, indices=sources)


def _plane_rows(
    x: FloatArray, y: FloatArray, site_x: FloatArray, site_y: FloatArray, rounding: Rounding
) -> Iterator[FloatArray]:
    step = max(1, _CHUNK_PAIRS // max(len(site_x), 1))
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        squared = np.square(x[part, None] - site_x[None, :])
        squared += np.square(y[part, None] - site_y[None, :])
        yield ROUND[rounding](np.sqrt(squared, out=squared))


def sorted_rows(n: int, m: int, chunks: Iterator[FloatArray], whole: bool) -> tuple[IntArray, IntArray, Any]:
    """Rows by cost, then site, chunk by chunk, so that beside the result only one chunk is ever held."""
    indptr = np.zeros(n + 1, dtype=np.int64)
    site_idx: IntArray = np.empty(n * m, dtype=np.int32)
    cost: Any = np.empty(n * m, dtype=np.int32 if whole else np.float64)
    row = filled = 0
    for distances in chunks:
        sorted_idx, sorted_cost = _sorted(distances, whole)
        within = sorted_cost < _ABSENT if whole else np.isfinite(sorted_cost)
        if whole and sorted_cost.max(where=within, initial=0) > np.iinfo(cost.dtype).max:
            cost = cost.astype(np.int64)
        counts = within.sum(axis=1)
        indptr[row + 1 : row + 1 + len(counts)] = filled + np.cumsum(counts)
        row, part = row + len(counts), slice(filled, filled := filled + int(counts.sum()))
        site_idx[part], cost[part] = sorted_idx[within], sorted_cost[within]
    return indptr, site_idx[:filled], cost[:filled]


def _sorted(distances: FloatArray, whole: bool) -> tuple[IntArray, Any]:
    """Sites and costs of some rows by cost, then site; an absent pair costs ``_ABSENT`` or more."""
    if not whole:
        order = np.argsort(distances, axis=1, kind="stable")
        return order, np.take_along_axis(distances, order, axis=1)
    # Cost and site in one whole number sort several times faster than an indirect sort.
    site_bits = int(distances.shape[1]).bit_length()
    keys = np.minimum(distances, _ABSENT).astype(np.int64) << site_bits
    keys |= np.arange(distances.shape[1])
    keys.sort(axis=1)
    return keys & ((1 << site_bits) - 1), keys >> site_bits
