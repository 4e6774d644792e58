"""Graphs and points of the location literature, where distances are computed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nearer.errors import Faults
from nearer.inputs.benchmarks.numbers import Numbers, read_lines, read_numbers, refuse_negative
from nearer.units import FloatArray, IntArray


@dataclass(frozen=True)
class PmedGraph:
    """
    An OR-Library p-median problem: every node of an undirected graph is both customer and site.

    Parameters
    ----------
    n_nodes, p
        Number of nodes, and of sites to open.
    from_idx, to_idx, length
        Edges, int64 (n_edges,), ends counted from 0; an edge that the file repeats has its last length.
    """

    n_nodes: int
    p: int
    from_idx: IntArray
    to_idx: IntArray
    length: IntArray


@dataclass(frozen=True)
class PlanePoints:
    """
    Points of a TSPLIB file, each both customer and site.

    Parameters
    ----------
    name
        As the file calls itself.
    x, y
        float64 (n_points,), in the order of the file.
    """

    name: str
    x: FloatArray
    y: FloatArray


@dataclass(frozen=True)
class CapacitatedPoints:
    """
    A capacitated p-median problem of the OR-Library: every point is both customer and site.

    Parameters
    ----------
    number, p
        Number of the problem in its file, from 1, and of medians to open.
    x, y, demand
        float64 (n_points,).
    capacity
        What each median can serve.
    best_known
        Value that the file itself gives.
    """

    number: int
    p: int
    x: FloatArray
    y: FloatArray
    demand: FloatArray
    capacity: float
    best_known: float


@dataclass(frozen=True)
class CoverPoints:
    """
    Customers and sites of a covering problem in the plane.

    Parameters
    ----------
    x, y, weight
        Customers, float64 (n_customers,).
    site_x, site_y, site_cost
        Sites, float64 (n_sites,).
    """

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    site_x: FloatArray
    site_y: FloatArray
    site_cost: FloatArray


def read_orlib_pmed(path: Path) -> PmedGraph:
    """
    Read an OR-Library ``pmed`` file: ``n m p``, then ``i j length`` per edge, nodes from 1.

    Raises
    ------
    InputError
        The file is missing or does not have that form.

    References
    ----------
    J. E. Beasley, "A note on solving large p-median problems", European Journal of Operational Research 21 (1985).
    """
    faults = Faults(path.name)
    rows = [(row, _whole_numbers(line)) for row, line in read_lines(path, faults) if line.strip()]
    first = rows[0][1] if rows else None
    if first is None or len(first) != 3:
        faults.add("the first line must hold three whole numbers: nodes, edges, sites to open", row=1)
    faults.raise_if_any()
    n_nodes, n_edges, p = first or (0, 0, 0)
    if not 1 <= p <= n_nodes:
        faults.add(f"{p} sites of {n_nodes} cannot be opened", row=rows[0][0])
    if len(rows) - 1 != n_edges:
        faults.add(f"{len(rows) - 1} edges follow where the first line says {n_edges}", remedy="is the file whole?")
    edges: dict[tuple[int, int], int] = {}
    for row, numbers in rows[1:]:
        if numbers is None or len(numbers) != 3:
            faults.add("an edge must be three whole numbers: node, node, length", row=row)
        elif not (1 <= numbers[0] <= n_nodes and 1 <= numbers[1] <= n_nodes):
            faults.add(f"nodes must be 1 to {n_nodes}", row=row)
        elif numbers[2] < 0:
            faults.add("a length must not be negative", row=row)
        else:
            edges[min(numbers[:2]) - 1, max(numbers[:2]) - 1] = numbers[2]
    faults.raise_if_any()
    ends = np.array(list(edges), dtype=np.int64).reshape(-1, 2)
    return PmedGraph(n_nodes, p, ends[:, 0], ends[:, 1], np.fromiter(edges.values(), dtype=np.int64, count=len(edges)))


def read_tsplib(path: Path) -> PlanePoints:
    """
    Read the points of a TSPLIB file of type ``EUC_2D`` or ``CEIL_2D``; what is made of distances is not its business.

    Raises
    ------
    InputError
        The file is missing, is of another type, or does not hold as many points as it says.

    References
    ----------
    G. Reinelt, "TSPLIB: a traveling salesman problem library", ORSA Journal on Computing 3 (1991).
    """
    faults = Faults(path.name)
    lines = iter(read_lines(path, faults))
    faults.raise_if_any()
    header: dict[str, str] = {}
    for _, line in lines:
        if line.strip() == "NODE_COORD_SECTION":
            break
        key, _, value = line.partition(":")
        header[key.strip()] = value.strip()
    else:
        faults.add("there is no NODE_COORD_SECTION", remedy="give a TSPLIB file with coordinates")
    if header.get("EDGE_WEIGHT_TYPE") not in ("EUC_2D", "CEIL_2D"):
        given = header.get("EDGE_WEIGHT_TYPE", "no type")
        faults.add(
            f"distances of {given} are not known", remedy="give a file with EDGE_WEIGHT_TYPE : EUC_2D or CEIL_2D"
        )
    faults.raise_if_any()
    points: list[tuple[float, float]] = []
    for row, line in lines:
        if line.strip() == "EOF" or re.match(r"[A-Z_]+", line.strip()):
            break
        if not line.strip():
            continue
        point = _point(line)
        if point is None:
            faults.add("a point must be its number, x and y", row=row)
        else:
            points.append(point)
    if not faults.found and header.get("DIMENSION") != str(len(points)):
        said = header.get("DIMENSION", "nothing")
        faults.add(f"{len(points)} points follow where DIMENSION says {said}", remedy="is the file whole?")
    faults.raise_if_any()
    xy = np.array(points, dtype=np.float64).reshape(-1, 2)
    return PlanePoints(header.get("NAME", path.stem), xy[:, 0], xy[:, 1])


def read_orlib_pmedcap(path: Path, number: int | None = None) -> CapacitatedPoints:
    """
    Read one problem of an OR-Library ``pmedcap`` file.

    The file holds the number of problems, then of each: ``number best``, ``n p capacity``, and ``i x y demand`` per
    point.

    Parameters
    ----------
    path
        The file.
    number
        Which problem, from 1; None for the only one.

    Raises
    ------
    InputError
        The file is missing or does not have that form, or no such problem is in it.

    References
    ----------
    J. E. Beasley, "OR-Library: distributing test problems by electronic mail", Journal of the Operational Research
    Society 41 (1990).
    """
    faults = Faults(path.name)
    numbers = Numbers(read_numbers(path, faults), faults)
    (n_problems,) = numbers.counts(1, "number of problems")
    if number is None and n_problems != 1:
        faults.add(f"the file holds {n_problems} problems", remedy=f"add --problem-number 1 to {n_problems}")
    elif number is not None and not 1 <= number <= n_problems:
        faults.add(f"there is no problem {number}", remedy=f"give --problem-number 1 to {n_problems}")
    faults.raise_if_any()
    for k in range(1, n_problems + 1):
        best = float(numbers.take(2, f"problem {k}: its number and best known value")[1])
        n, p, capacity = numbers.counts(3, f"problem {k}: points, medians, capacity")
        points = numbers.take(4 * n, f"problem {k}: its points").reshape(n, 4)
        if k == (number or 1):
            refuse_negative(faults, demand=points[:, 3])
            return CapacitatedPoints(k, p, points[:, 1], points[:, 2], points[:, 3], float(capacity), best)
    raise AssertionError("one of the problems was returned")


def read_mclp_grid(path: Path) -> CoverPoints:
    """
    Read a file of the maximal covering literature.

    Either ``n``, then ``index x y cost weight`` per node, each of them customer and site; or ``n_sites n_customers``,
    then ``F index x y cost`` per site and ``C index x y weight`` per customer.

    Raises
    ------
    InputError
        The file is missing or does not have that form.

    References
    ----------
    J.-F. Cordeau, F. Furini, I. Ljubic, "Benders decomposition for very large scale partial set covering and maximal
    covering location problems", European Journal of Operational Research 275 (2019).
    """
    faults = Faults(path.name)
    marks = {"F": 0.0, "C": 1.0}
    numbers = Numbers(read_numbers(path, faults, marks), faults)
    head = next((line.split() for _, line in read_lines(path, faults) if line.strip()), [])
    if len(head) == 1:
        (n,) = numbers.counts(1, "number of nodes")
        table = numbers.take(5 * n, "nodes").reshape(n, 5)
        x, y, cost, weight = (table[:, k].copy() for k in (1, 2, 3, 4))
        site_x, site_y = x, y
    else:
        m, n = numbers.counts(2, "numbers of sites and customers")
        table = numbers.take(5 * (m + n), "sites and customers").reshape(m + n, 5)
        if table[:, 0].tolist() != [0.0] * m + [1.0] * n:
            faults.add(f"{m} lines with F must come first, then {n} with C", remedy="is --format right?")
            faults.raise_if_any()
        site_x, site_y, cost = (table[:m, k].copy() for k in (2, 3, 4))
        x, y, weight = (table[m:, k].copy() for k in (2, 3, 4))
    numbers.end()
    refuse_negative(faults, cost=cost, weight=weight)
    return CoverPoints(x, y, weight, site_x, site_y, cost)


def _whole_numbers(line: str) -> list[int] | None:
    try:
        return [int(part) for part in line.split()]
    except ValueError:
        return None


def _point(line: str) -> tuple[float, float] | None:
    parts = line.split()
    try:
        x, y = (float(part) for part in parts[1:])
    except ValueError:
        return None
    return (x, y) if np.isfinite([x, y]).all() else None
