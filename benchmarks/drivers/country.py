"""
Travel times at the scale of a country: SOURCE POINTS SITES MINUTES THREADS FOLDER OUT.json.

SOURCE is a number, the side of a generated grid of crooked blocks, or ``FILE.osm.pbf*K``, real streets in K × K copies
joined by streets. Each step is noted with the most memory held during it, where the system tells.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from nearer.inputs.geo import LocalPlane
from nearer.inputs.osm import read_streets
from nearer.inputs.tables import Streets
from nearer.kernels.jit import run_chunks
from nearer.network import Snap, StreetGraph, build_graph, snap
from nearer.network.chains import Chains, _transposed
from nearer.network.parts import chunks, lay_out, read_rows, travel_part
from nearer.network.search import Search, Workspace
from nearer.units import minutes_to_ms

SPACING_M = 80.0
TRIED = 2_000
WALK_KMH = 4.8


class Steps:
    """Seconds, processor seconds and most memory of each step."""

    def __init__(self) -> None:
        self.noted: dict[str, dict[str, float]] = {}
        self._start()

    def end(self, name: str) -> None:
        self.noted[name] = {
            "s": time.perf_counter() - self._clock,
            "cpu_s": time.process_time() - self._cpu,
            "peak_mb": _status_mb("VmHWM"),
        }
        self._start()

    def _start(self) -> None:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        self._clock, self._cpu = time.perf_counter(), time.process_time()


def _status_mb(name: str) -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith(name))


def grid(side: int) -> Streets:
    """Crooked blocks with a bend in each street, one street in ten missing: three nodes for each junction."""
    rng = np.random.default_rng(0)
    plane = LocalPlane(10.0, 50.0)
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    x = (column.ravel() - side / 2) * SPACING_M + rng.uniform(-20, 20, side * side)
    y = (row.ravel() - side / 2) * SPACING_M + rng.uniform(-20, 20, side * side)
    node = np.arange(side * side, dtype=np.int32).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    kept = rng.random(len(tail)) < 0.9
    tail, head = tail[kept], head[kept]
    bend = np.arange(len(tail), dtype=np.int32) + np.int32(side * side)
    x = np.concatenate([x, (x[tail] + x[head]) / 2 + rng.uniform(-5, 5, len(tail))])
    y = np.concatenate([y, (y[tail] + y[head]) / 2 + rng.uniform(-5, 5, len(tail))])
    lon, lat = plane.to_lonlat(x, y)
    return walked(lon, lat, np.concatenate([tail, bend]), np.concatenate([bend, head]))


def copies(file: Path, k: int) -> Streets:
    """Real streets k × k times, each copy joined to the next by one street between their nearest sides."""
    one = read_streets(file, "walk")
    wide, high = np.ptp(one.lon) + 0.002, np.ptp(one.lat) + 0.002
    n = len(one.lon)
    east, west, north, south = one.lon.argmax(), one.lon.argmin(), one.lat.argmax(), one.lat.argmin()
    lon, lat, tail, head = [], [], [], []
    for number in range(k * k):
        column, row = number % k, number // k
        lon.append(one.lon + column * wide)
        lat.append(one.lat + row * high)
        first = number * n
        tail.append(one.from_idx + first)
        head.append(one.to_idx + first)
        if column:
            tail.append([first - n + east])
            head.append([first + west])
        if row:
            tail.append([first - k * n + north])
            head.append([first + south])
    return walked(*map(np.concatenate, (lon, lat, tail, head)))


def walked(lon, lat, tail, head) -> Streets:
    """Streets for walking, both ways."""
    n = len(tail)
    speed = np.full(n, WALK_KMH, dtype=np.float32)
    tail, head, way = (array.astype(np.int32) for array in (tail, head, np.zeros(n)))
    return Streets(lon, lat, tail, head, speed, speed, way, np.full(n, 2, dtype=np.uint8), ("",), "walk")


def near_streets(rng, graph, n: int) -> Snap:
    """Points within 50 m of random nodes, which lie closer where streets do."""
    at = rng.integers(0, graph.n_nodes, n)
    x, y = (axis[at] + rng.uniform(-50, 50, n) for axis in (graph.x, graph.y))
    return snap(graph, *graph.plane.to_lonlat(x, y), 500.0)


def every_node(graph: StreetGraph) -> StreetGraph:
    """The same streets, with no segment strung to another."""
    n = graph.n_segments
    node, ms = np.stack([graph.from_idx, graph.to_idx], axis=1), np.stack([graph.forward_ms, graph.backward_ms], axis=1)
    indptr, edges = _transposed(node, ms.astype(np.int64), graph.n_nodes)
    none, one = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int32)
    rank, against = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.bool_)
    own = np.arange(n, dtype=np.int32)
    copy = replace(graph)
    copy.__dict__["chains"] = Chains(own, rank, against, none, none, node, ms.astype(np.int64), one, indptr, edges)
    return copy


def shuffled(search: Search) -> Search:
    """The same search, its junctions numbered at random."""
    n = len(search.indptr) - 1
    order = np.random.default_rng(2).permutation(n)
    number = np.empty(n, dtype=np.int32)
    number[order] = np.arange(n, dtype=np.int32)

    def moved(indptr, *entries):
        count = np.diff(indptr)[order]
        new = np.concatenate([[0], np.cumsum(count)])
        at = np.arange(new[-1]) + np.repeat(indptr[:-1][order] - new[:-1], count)
        return new, *(np.ascontiguousarray(entry[at]) for entry in entries)

    indptr, edges = moved(search.indptr, search.edges)
    edges[:, 0] = number[edges[:, 0]]
    exit_ptr, person, ms = moved(search.exit_ptr, search.exit_person, search.exit_ms)
    start = np.ascontiguousarray(number[search.start_node])
    moved_exits = {"exit_ptr": exit_ptr, "exit_person": person, "exit_ms": ms}
    return replace(search, indptr=indptr, edges=edges, start_node=start, **moved_exits)


def searched(search: Search, threads: int = 1) -> tuple[float, float, int]:
    """Seconds and processor seconds of searching from ``TRIED`` sites, and the pairs found."""
    n = min(TRIED, search.n_joined)
    spaces = SimpleQueue()
    for _ in range(threads):
        spaces.put(Workspace.sized(search))

    def work(first: int) -> int:
        space = spaces.get()
        found = sum(map(len, search.keys(range(first, min(first + 100, n)), space, lambda: False)))
        spaces.put(space)
        return found

    work(0)
    clock, cpu = time.perf_counter(), time.process_time()
    pairs = sum(run_chunks(work, range(0, n, 100), threads))
    return time.perf_counter() - clock, time.process_time() - cpu, pairs


def main() -> None:
    source, n_points, n_sites, minutes, threads, folder, out = sys.argv[1:]
    steps = Steps()
    file, _, k = source.partition("*")
    streets = copies(Path(file), int(k)) if k else grid(int(source))
    steps.end("streets")
    graph = build_graph(streets, LocalPlane.around(streets.lon, streets.lat))
    del streets
    steps.end("graph")
    rng = np.random.default_rng(1)
    people = near_streets(rng, graph, int(n_points))
    steps.end("people joined")
    sites = near_streets(rng, graph, int(n_sites))
    steps.end("sites joined")
    n_nodes = graph.n_nodes
    n_junctions = graph.chains.n_junctions
    steps.end("chains")
    limit_ms = minutes_to_ms(float(minutes))
    layout = lay_out(graph, people, sites, limit_ms, Path(folder))
    steps.end("laid out")
    whole = every_node(graph)
    variants = {"every node": searched(Search.over(whole, people, sites, limit_ms))}
    del graph, people, sites, whole
    steps.end("(tried without chains)")
    search = Search.open(layout)
    variants |= {"junctions": searched(search), "shuffled": searched(shuffled(search))}
    variants["two threads"] = searched(search, 2)
    del search
    steps.end("(tried otherwise)")
    cut = chunks(layout)
    steps.end("chunks")
    parts = list(run_chunks(lambda chunk: travel_part(layout, *chunk, layout), cut, int(threads)))
    steps.end("parts")
    times = read_rows(layout, parts, layout / "rows", int(threads))
    steps.end("rows")
    noted = {
        "nodes": n_nodes,
        "junctions": n_junctions,
        "pairs": times.n_pairs,
        "parts": len(parts),
        "parts_mb": sum(part.stat().st_size for part in parts) / 1e6,
        "layout_mb": sum(array.stat().st_size for array in layout.glob("*.npy")) / 1e6,
        "joined": Search.open(layout).n_joined,
        "tried": min(TRIED, int(n_sites)),
        "variants": variants,
        "steps": steps.noted,
    }
    Path(out).write_text(json.dumps(noted))


if __name__ == "__main__":
    main()
