"""Benchmark files of the location literature, read into plain arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nearer.errors import Faults
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
    rows = [(row, _whole_numbers(line)) for row, line in _lines(path, faults) if line.strip()]
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
    Read the points of a TSPLIB file of type ``EUC_2D``.

    Raises
    ------
    InputError
        The file is missing, is of another type, or does not hold as many points as it says.

    References
    ----------
    G. Reinelt, "TSPLIB: a traveling salesman problem library", ORSA Journal on Computing 3 (1991).
    """
    faults = Faults(path.name)
    lines = iter(_lines(path, faults))
    faults.raise_if_any()
    header: dict[str, str] = {}
    for _, line in lines:
        if line.strip() == "NODE_COORD_SECTION":
            break
        key, _, value = line.partition(":")
        header[key.strip()] = value.strip()
    else:
        faults.add("there is no NODE_COORD_SECTION", remedy="give a TSPLIB file with coordinates")
    if header.get("EDGE_WEIGHT_TYPE") != "EUC_2D":
        given = header.get("EDGE_WEIGHT_TYPE", "no type")
        faults.add(f"distances of {given} are not known", remedy="give a file with EDGE_WEIGHT_TYPE : EUC_2D")
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


def _lines(path: Path, faults: Faults) -> list[tuple[int, str]]:
    """Lines with their numbers from 1; none, and a fault, where the file cannot be read."""
    try:
        return list(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    except FileNotFoundError:
        faults.add("there is no such file", file=str(path))
    except UnicodeDecodeError:
        faults.add("the file is not text")
    except OSError as error:
        faults.add(f"cannot be read: {error.strerror or error}")
    faults.raise_if_any()
    return []


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
