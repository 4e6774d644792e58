"""Benchmark files solved, and results of other days checked: the engineers' door to the solvers."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nearer.errors import CheckFailedError, Fault, InputError, UsageError
from nearer.files import written_whole
from nearer.inputs.benchmarks import PlanePoints, PmedGraph, read_orlib_pmed, read_tsplib
from nearer.kernels.jit import default_threads
from nearer.model import FREE, Certificate, Instance, Solution
from nearer.model.check import agrees, certified_bound, is_optimal, recompute_value
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import solve
from nearer.study.limits import Run
from nearer.units import NO_SITE, FloatArray, IntArray

Format = Literal["orlib-pmed", "tsplib"]
Rounding = Literal["floor", "round", "ceil", "exact"]

_ROUND: dict[str, Callable[[FloatArray], FloatArray]] = {
    "floor": np.floor,
    "round": lambda d: np.floor(d + 0.5),  # TSPLIB's nint: halves go up
    "ceil": np.ceil,
    "exact": lambda d: d,
}
_CHUNK_ROWS = 256
_ABSENT = 2**40
"""Cost of a pair that does not exist, beyond any that a benchmark file holds."""


def read_problem(path: Path, file_format: Format, p: int | None, rounding: Rounding = "floor") -> Instance:
    """
    A benchmark file as a p-median instance in which every node is both customer and site.

    Parameters
    ----------
    path, file_format
        The file and how it is written.
    p
        Sites to open; None for the number in the file, which TSPLIB files do not have.
    rounding
        TSPLIB: what is made of Euclidean distances; published p-median values take the floor.

    Raises
    ------
    InputError
        The file is missing or not of that format.
    UsageError
        There is no p, or more than there are sites.
    """
    path = Path(path)
    if file_format == "orlib-pmed":
        graph = read_orlib_pmed(path)
        n, rows, whole = graph.n_nodes, _graph_rows(graph), True
        p = graph.p if p is None else p
    else:
        points = read_tsplib(path)
        n, rows, whole = len(points.x), _plane_rows(points, rounding), rounding != "exact"
    if p is None:
        raise UsageError("A TSPLIB file does not say how many sites to open: add -p N.")
    if not 1 <= p <= n:
        raise UsageError(f"{p} sites of {n} cannot be opened: give -p a number from 1 to {n}.")
    return _instance(n, rows, p, whole)


def solve_file(
    path: Path,
    file_format: Format,
    *,
    p: int | None = None,
    rounding: Rounding = "floor",
    time_limit_s: float | None = None,
    gap: float = 0.0,
    work_limit: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    with_assignment: bool = False,
    proof_file: Path | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> dict[str, Any]:
    """
    Solve a benchmark file.

    Returns
    -------
    dict
        problem, file, format, distance, n_demand, n_sites, p, status, objective, bound, gap, seconds (of the solver),
        seconds_read, open (numbers as in the file, from 1), assignment (site per customer, if wanted), trace of
        (seconds, value, bound), work, proof, proof_file, peak_mb (null where the system does not tell).
    """
    run = Run(time_limit_s, gap, work_limit, threads or default_threads(), progress or Silent(), stop or Stop())
    start_s = time.perf_counter()
    instance = read_problem(path, file_format, p, rounding)
    seconds_read = time.perf_counter() - start_s
    solution = solve(
        instance,
        gap=run.gap,
        seed=seed,
        threads=run.threads,
        work_limit=run.work_limit,
        stop=run.stop.within(run.time_limit_s),
        progress=run.progress,
    )
    has_proof_file = proof_file is not None and solution.certificate is not None
    if proof_file is not None and solution.certificate is not None:
        solution.certificate.save(proof_file)
    result = {
        "problem": "p-median",
        "file": str(path),
        "format": file_format,
        "distance": rounding if file_format == "tsplib" else None,
        "n_demand": instance.n_rows,
        "n_sites": instance.n_sites,
        "p": int(instance.open_max[0]),
        "status": str(solution.status),
        "objective": _number(solution.objective, instance.whole),
        "bound": _number(solution.bound, instance.whole),
        "gap": _number(solution.gap),
        "seconds": round(solution.seconds, 4),
        "seconds_read": round(seconds_read, 4),
        "open": (np.flatnonzero(solution.open_mask) + 1).tolist(),
        "trace": [[round(s, 4), _number(v), _number(b)] for s, v, b in solution.trace],
        "work": solution.work,
        "proof": solution.proof,
        "proof_file": str(proof_file) if has_proof_file else None,
        "peak_mb": peak_mb(),
    }
    if with_assignment:
        result["assignment"] = _assignment(solution, instance.n_rows)
    return result


@dataclass(frozen=True)
class ResultCheck:
    """
    What an independent evaluation makes of a result.

    Parameters
    ----------
    value
        Cost of the open sites, computed again.
    bound
        Bound that the certificate proves; None without one.
    differences
        One sentence each for what the result claims and is not so.
    """

    value: float
    bound: float | None
    differences: tuple[str, ...]


def verify_result(result_file: Path, instance_file: Path) -> ResultCheck:
    """
    Check a result of ``solve_file`` against the benchmark file: value, number of sites, bound, status.

    Raises
    ------
    InputError
        The result or the benchmark file cannot be read.
    """
    result = _read_result(result_file)
    instance = read_problem(instance_file, result["format"], result["p"], result["distance"] or "floor")
    found: list[str] = []
    chosen = np.array(sorted(set(result["open"])), dtype=np.int64) - 1
    if len(chosen) != len(result["open"]) or len(chosen) != result["p"]:
        found.append(f"{len(chosen)} different sites are open where p is {result['p']}")
    if len(chosen) and (chosen[0] < 0 or chosen[-1] >= instance.n_sites):
        raise InputError([Fault(f"open sites must be 1 to {instance.n_sites}", file=result_file.name, column="open")])
    open_mask = np.zeros(instance.n_sites, dtype=bool)
    open_mask[chosen] = True
    value = recompute_value(instance, open_mask)
    if not agrees(value, result["objective"]):
        found.append(f"the open sites cost {value:.17g}, not {result['objective']:.17g}")
    found += _check_assignment(instance, open_mask, result.get("assignment"))
    if result["bound"] > result["objective"]:
        found.append("the bound lies above the value")
    if result["status"] == "optimal" and not is_optimal(value, result["bound"], instance.whole):
        found.append(f"it is called optimal with a bound of {result['bound']:.17g}")
    bound = None
    if result.get("proof_file"):
        certificate = _certificate(result_file, Path(result["proof_file"]))
        try:
            bound = certified_bound(instance, certificate, value)
        except CheckFailedError as error:
            found.append(str(error).rstrip("."))
        else:
            if result["bound"] > bound and not agrees(result["bound"], bound):
                found.append(f"the certificate proves {bound:.17g}, not {result['bound']:.17g}")
    return ResultCheck(value, bound, tuple(found))


def write_result(result: dict[str, Any], path: Path) -> None:
    """Write a result as JSON, whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def peak_mb() -> float | None:
    """Most memory this process has held, MB; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024, 1)
    if os.name == "posix":
        import resource

        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 1)  # bytes on macOS
    return None


def _graph_rows(graph: PmedGraph) -> Iterator[FloatArray]:
    shape = (graph.n_nodes, graph.n_nodes)
    edges = csr_array((graph.length.astype(np.float64), (graph.from_idx, graph.to_idx)), shape=shape)
    for start in range(0, graph.n_nodes, _CHUNK_ROWS):
        sources = np.arange(start, min(start + _CHUNK_ROWS, graph.n_nodes))
        yield dijkstra(edges, directed=False, indices=sources)


def _plane_rows(points: PlanePoints, rounding: Rounding) -> Iterator[FloatArray]:
    for start in range(0, len(points.x), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        dx, dy = points.x[part, None] - points.x[None, :], points.y[part, None] - points.y[None, :]
        yield _ROUND[rounding](np.sqrt(dx * dx + dy * dy))


def _instance(n: int, chunks: Iterator[FloatArray], p: int, whole: bool) -> Instance:
    """Sorted rows chunk by chunk, so that beside the result only one chunk is ever held."""
    indptr = np.zeros(n + 1, dtype=np.int64)
    site_idx: IntArray = np.empty(n * n, dtype=np.int32)
    cost: Any = np.empty(n * n, dtype=np.int32 if whole else np.float64)
    row = filled = 0
    for distances in chunks:
        sorted_idx, sorted_cost = _sorted(distances, whole)
        within = sorted_cost < _ABSENT
        if whole and sorted_cost.max(where=within, initial=0) > np.iinfo(cost.dtype).max:
            cost = cost.astype(np.int64)
        counts = within.sum(axis=1)
        indptr[row + 1 : row + 1 + len(counts)] = filled + np.cumsum(counts)
        row, part = row + len(counts), slice(filled, filled := filled + int(counts.sum()))
        site_idx[part], cost[part] = sorted_idx[within], sorted_cost[within]
    return Instance(
        indptr=indptr,
        site_idx=site_idx[:filled],
        cost=cost[:filled],
        unserved=np.full(n, np.inf),
        weight=np.ones((1, n)),
        standing=np.full(n, FREE, dtype=np.int8),
        open_min=np.array([p], dtype=np.int64),
        open_max=np.array([p], dtype=np.int64),
        capacity=np.full((n, 1, 1), np.inf),
        row_point=np.arange(n, dtype=np.int32),
        row_group=np.zeros(n, dtype=np.int32),
    )


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


def _assignment(solution: Solution, n_rows: int) -> list[int]:
    """Number of the site of each customer, from 1; 0 where nobody serves."""
    site = np.full(n_rows, NO_SITE, dtype=np.int64)
    site[solution.row_idx] = solution.assigned_idx
    return (site + 1).tolist()


def _check_assignment(instance: Instance, open_mask: np.ndarray[Any, Any], assignment: list[int] | None) -> list[str]:
    if assignment is None:
        return []
    site = np.array(assignment, dtype=np.int64) - 1
    if len(site) != instance.n_rows or np.any(site < 0) or np.any(site >= instance.n_sites):
        return ["the assignment does not give every customer a site"]
    if not open_mask[site].all():
        return ["the assignment sends customers to sites that are not open"]
    rows = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
    cost = np.asarray(instance.cost)[instance.site_idx == site[rows]]
    is_open = open_mask[instance.site_idx]
    best = np.full(instance.n_rows, np.inf)
    np.minimum.at(best, rows[is_open], np.asarray(instance.cost, dtype=np.float64)[is_open])
    if len(cost) != instance.n_rows or np.any(cost > best):
        return ["the assignment sends customers farther than to their nearest open site"]
    return []


def _number(value: float, whole: bool = False) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if whole and value == int(value) else float(value)


def _read_result(path: Path) -> dict[str, Any]:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError([Fault("there is no such file", file=str(path))]) from None
    except (OSError, ValueError) as error:
        raise InputError([Fault(f"not readable as JSON: {error}", file=path.name)]) from error
    wanted: dict[str, type | tuple[type, ...]] = {
        "format": str,
        "distance": (str, type(None)),
        "p": int,
        "open": list,
        "objective": (int, float),
        "bound": (int, float),
        "status": str,
    }
    remedy = "give a file that `nearer solve --json` wrote, of a run that found something"
    faults = [
        Fault(f"{key} is missing or of another kind", file=path.name, column=key, remedy=remedy)
        for key, kind in wanted.items()
        if not isinstance(result, dict) or not isinstance(result.get(key), kind) or key not in result
    ]
    if not faults and (
        result["format"] not in get_args(Format) or (result["distance"] or "floor") not in get_args(Rounding)
    ):
        faults.append(Fault("its format or distance is not known", file=path.name, column="format", remedy=remedy))
    if not faults and not all(isinstance(site, int) for site in result["open"]):
        faults.append(Fault("open must hold whole numbers", file=path.name, column="open", remedy=remedy))
    if faults:
        raise InputError(faults)
    return dict(result)


def _certificate(result_file: Path, proof_file: Path) -> Certificate:
    """The certificate of a result, where the result says or beside it."""
    for path in (proof_file, result_file.parent / proof_file.name):
        if path.is_file():
            try:
                return Certificate.load(path)
            except (OSError, ValueError, KeyError) as error:
                raise InputError([Fault(f"not a certificate: {error}", file=str(path))]) from error
    remedy = "put it beside the result"
    raise InputError([Fault("the proof named in the result is not there", file=str(proof_file), remedy=remedy)])
