"""
A location problem in a ``.npz`` file, and the compact model of it that a general solver gets.

Used in the peers' environments too: NumPy and SciPy only. Arrays of the file: ``kind``; sparse rows ``indptr``,
``site``, ``cost``; ``weight``, ``unserved`` (``inf`` = must be served) and ``need`` per row; ``price``, ``capacity``
and ``standing`` (1 = stands open) per site; ``p`` = sites to open in all, -1 = any number; ``single_source``; and
``distance``, the whole matrix, where the rows leave out what cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

SERVING = ("p-median", "ufl", "cflp", "sscflp", "p-center")


@dataclass(frozen=True)
class ProblemFile:
    """One problem, as the module says."""

    kind: str
    indptr: Any
    site: Any
    cost: Any
    weight: Any
    unserved: Any
    need: Any
    price: Any
    capacity: Any
    standing: Any
    p: int
    single_source: bool
    distance: Any = None

    @property
    def n_rows(self) -> int:
        return len(self.indptr) - 1

    @property
    def n_sites(self) -> int:
        return len(self.standing)

    @property
    def row(self) -> Any:
        """Row of each pair."""
        return np.repeat(np.arange(self.n_rows), np.diff(self.indptr))

    def matrix(self, absent: float) -> Any:
        """Cost of every row and site, (n_rows, n_sites); ``absent`` where no pair is stored."""
        if self.distance is not None:
            return self.distance
        whole = np.full((self.n_rows, self.n_sites), absent)
        whole[self.row, self.site] = self.cost
        return whole

    def save(self, path: Path) -> None:
        """Write it."""
        np.savez(path, **{name: value for name, value in vars(self).items() if value is not None})


def load(path: Path) -> ProblemFile:
    """Read what ``save`` wrote."""
    with np.load(path) as file:
        held = {name: file[name] for name in file.files}
    scalar = {"kind": str(held["kind"]), "p": int(held["p"]), "single_source": bool(held["single_source"])}
    return ProblemFile(**(held | scalar))


@dataclass(frozen=True)
class Model:
    """
    ``min cost·x + offset, row_lower ≤ Ax ≤ row_upper, lower ≤ x ≤ upper``.

    ``integer`` marks what the model needs whole; ``could_be`` also what is whole in some optimum, for solvers that know
    nothing else. Columns: ``n_pairs`` pairs (or none), then the sites at ``first_site``, then the rest.
    """

    cost: Any
    offset: float
    lower: Any
    upper: Any
    integer: Any
    could_be: Any
    matrix: Any
    row_lower: Any
    row_upper: Any
    n_pairs: int = 0
    first_site: int = 0

    def save(self, path: Path, **more: Any) -> None:
        """Write it, with whatever else a driver wants to know."""
        matrix = self.matrix
        parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "shape": matrix.shape}
        np.savez(path, **{name: value for name, value in vars(self).items() if name != "matrix"}, **parts, **more)


def load_model(path: Path) -> Model:
    """Read what ``Model.save`` wrote."""
    with np.load(path) as file:
        held = {name: file[name] for name in file.files}
    matrix = csr_array((held["data"], held["indices"], held["indptr"]), shape=tuple(held["shape"]))
    names = ("cost", "lower", "upper", "integer", "could_be", "row_lower", "row_upper")
    return Model(offset=float(held["offset"]), matrix=matrix, **{name: held[name] for name in names})


def compact(problem: ProblemFile) -> Model:
    """Balinski's model of a serving problem, or the covering rows."""
    return _serving(problem) if problem.kind in SERVING else _covering(problem)


def backup(problem: ProblemFile, n_open: int) -> Model:
    """Everybody covered by so many sites, as few as can be not covered twice (Hogan, ReVelle 1986)."""
    n_r, n_j = problem.n_rows, problem.n_sites
    # a customer's sites open: at least 1, and at least 2 or it counts as not covered twice
    twice = [
        (problem.row, problem.site, np.ones(len(problem.row))),
        (np.arange(n_r), n_j + np.arange(n_r), np.ones(n_r)),
    ]
    once = (n_r + problem.row, problem.site, np.ones(len(problem.row)))
    total = (np.full(n_j, 2 * n_r), np.arange(n_j), np.ones(n_j))
    n_columns = n_j + n_r
    return Model(
        cost=np.concatenate([np.zeros(n_j), np.ones(n_r)]),
        offset=0.0,
        lower=np.zeros(n_columns),
        upper=np.ones(n_columns),
        integer=np.arange(n_columns) < n_j,
        could_be=np.ones(n_columns, bool),
        matrix=_matrix([*twice, once, total], 2 * n_r + 1, n_columns),
        row_lower=np.concatenate([np.full(n_r, 2.0), np.ones(n_r), [n_open]]),
        row_upper=np.concatenate([np.full(2 * n_r, np.inf), [n_open]]),
    )


def _serving(problem: ProblemFile) -> Model:
    """x ≤ y for every pair; one row per customer; capacities; and for p-center the dearest as a variable."""
    row, site, weight = problem.row, problem.site, problem.weight
    n_e, n_r, n_j = len(site), problem.n_rows, problem.n_sites
    center = problem.kind == "p-center"
    pair, free = np.arange(n_e), np.isfinite(problem.unserved)
    idle = np.where(free, problem.unserved, 0.0)
    entries = [(row, pair, np.ones(n_e)), (n_r + pair, pair, np.ones(n_e)), (n_r + pair, n_e + site, -np.ones(n_e))]
    lower = [np.where(free, 0.0, 1.0), np.full(n_e, -np.inf)]
    upper = [np.ones(n_r), np.zeros(n_e)]
    n_rows = n_r + n_e

    def block(at: Any, column: Any, value: Any, low: Any, high: Any) -> None:
        nonlocal n_rows
        entries.append((n_rows + at, column, value))
        lower.append(low)
        upper.append(high)
        n_rows += len(low)

    if problem.p >= 0:
        block(np.zeros(n_j, int), n_e + np.arange(n_j), np.ones(n_j), np.array([problem.p]), np.array([problem.p]))
    if problem.kind in ("cflp", "sscflp"):
        at = np.concatenate([site, np.arange(n_j)])
        value = np.concatenate([problem.need[row], -problem.capacity])
        block(at, np.concatenate([pair, n_e + np.arange(n_j)]), value, np.full(n_j, -np.inf), np.zeros(n_j))
    worth = weight[row] * problem.cost
    if center:
        at = np.concatenate([row, np.arange(n_r)])
        value = np.concatenate([worth, -np.ones(n_r)])
        block(at, np.concatenate([pair, np.full(n_r, n_e + n_j)]), value, np.full(n_r, -np.inf), np.zeros(n_r))
        cost = np.concatenate([np.zeros(n_e + n_j), [1.0]])
    else:
        cost = np.concatenate([worth - (weight * idle)[row], problem.price])
    n_columns = n_e + n_j + center
    integer = np.zeros(n_columns, bool)
    integer[n_e : n_e + n_j] = True
    could_be = integer.copy()
    if problem.single_source:
        integer[:n_e] = True
    if problem.kind != "cflp":
        could_be[:n_e] = True
    if center:
        could_be[-1] = bool(np.all(worth % 1 == 0))
    most = np.concatenate([np.ones(n_e + n_j), np.full(int(center), float(worth.max(initial=0.0)))])
    least = np.concatenate([np.zeros(n_e), (problem.standing > 0).astype(float), np.zeros(int(center))])
    return Model(
        cost=cost,
        offset=0.0 if center else float(weight @ idle),
        lower=least,
        upper=most,
        integer=integer,
        could_be=could_be,
        matrix=_matrix(entries, n_rows, n_columns),
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
        n_pairs=n_e,
        first_site=n_e,
    )


def _covering(problem: ProblemFile) -> Model:
    """Sites, then one variable per row that says it is left out (maximal covering only)."""
    row, n_r, n_j = problem.row, problem.n_rows, problem.n_sites
    some = problem.kind == "max-cover"
    entries = [(row, problem.site, np.ones(len(row)))]
    lower, upper = [np.ones(n_r)], [np.full(n_r, np.inf)]
    if some:
        entries.append((np.arange(n_r), n_j + np.arange(n_r), np.ones(n_r)))
        entries.append((np.full(n_j, n_r), np.arange(n_j), np.ones(n_j)))
        lower.append(np.array([0.0]))
        upper.append(np.array([float(problem.p)]))
    n_columns = n_j + n_r * some
    integer = np.arange(n_columns) < n_j
    return Model(
        cost=np.concatenate([np.zeros(n_j), problem.weight]) if some else np.ones(n_j),
        offset=0.0,
        lower=np.zeros(n_columns),
        upper=np.ones(n_columns),
        integer=integer,
        could_be=np.ones(n_columns, bool),
        matrix=_matrix(entries, n_r + some, n_columns),
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
    )


def _matrix(entries: list[Any], n_rows: int, n_columns: int) -> csr_array:
    row, column, value = (np.concatenate([part[k] for part in entries]) for k in range(3))
    return csr_array((value.astype(float), (row, column)), shape=(n_rows, n_columns))


def answer(problem: ProblemFile, model: Model, x: Any) -> dict[str, Any]:
    """Sites that a solution of the model opens, and who goes where if capacities make that a question."""
    n_e, first = model.n_pairs, model.first_site
    is_open = np.asarray(x)[first : first + problem.n_sites] > 0.5
    noted: dict[str, Any] = {"open": np.flatnonzero(is_open).tolist()}
    if problem.kind in ("cflp", "sscflp"):
        share = np.asarray(x)[:n_e]
        if problem.single_source:
            share = np.round(share)
        used = np.flatnonzero(share > 1e-9)
        noted["assigned"] = [problem.row[used].tolist(), problem.site[used].tolist(), share[used].tolist()]
    return noted
