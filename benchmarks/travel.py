"""
Travel times against SciPy (and pandana, from an environment of its own), as ratios measured in one run.

    python benchmarks/travel.py [--side 1000] [--sites 1000] [--data DIR] [--pandana PYTHON]

One-thread ratios compare processor seconds, so that a busy machine does not tilt them; the gain of two threads compares
seconds on the clock and means something on idle processors only. SciPy gets its matrix in float64 and already turned
round, once with every node and once with junctions only, and as many sources a call as suit it best; ours also gathers,
sorts and packs everyone's times, where SciPy only fills its rows.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import scipy
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nearer.inputs.geo import LocalPlane
from nearer.inputs.osm import read_streets
from nearer.inputs.tables import Streets
from nearer.network import Snap, StreetGraph, TravelTimes, build_graph, snap, travel_times
from nearer.units import minutes_to_ms

SPACING_M = 80.0
RUNS = 5
PANDANA_SECONDS = 300.0
SCIPY_SECONDS = 4.0  # SciPy is timed on so many of the sites that it takes about this long


def grid_streets(side: int, seed: int = 0) -> Streets:
    """A town of crooked blocks, one in ten streets missing, two-way, at walking speed."""
    rng = np.random.default_rng(seed)
    plane = LocalPlane(10.0, 50.0)
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    x = (column.ravel() - side / 2) * SPACING_M + rng.uniform(-20, 20, side * side)
    y = (row.ravel() - side / 2) * SPACING_M + rng.uniform(-20, 20, side * side)
    lon, lat = plane.to_lonlat(x, y)
    node = np.arange(side * side, dtype=np.int32).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    kept = rng.random(len(tail)) < 0.9
    tail, head = tail[kept], head[kept]
    n = len(tail)
    speed = np.full(n, 4.8, dtype=np.float32)
    way_idx, street_class = np.zeros(n, dtype=np.int32), np.full(n, 2, dtype=np.uint8)
    return Streets(lon, lat, tail, head, speed, speed, way_idx, street_class, ("",), "walk")


def timed(work, clock):
    """Least of several runs, seconds, and the last result."""
    seconds = []
    for _ in range(RUNS):
        start = clock()
        result = work()
        seconds.append(clock() - start)
    return min(seconds), result


def scipy_seconds(graph: StreetGraph, sites: Snap, limit_ms: int, *, junctions: bool) -> tuple[float, float]:
    """Processor seconds per site, and nodes reached per site."""
    if junctions:
        chains = graph.chains
        matrix = csr_array(
            (chains.edges[:, 1].astype(np.float64), chains.edges[:, 0], chains.indptr), shape=(chains.n_junctions,) * 2
        )
        source = chains.node[chains.chain_idx[sites.segment_idx[sites.joined_mask]], 0]
    else:
        matrix = csr_array((graph.cost_ms.astype(np.float64), graph.head, graph.indptr), shape=(graph.n_nodes,) * 2)
        matrix = matrix.T.tocsr()
        source = graph.from_idx[sites.segment_idx[sites.joined_mask]]
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    best, reached = np.inf, 0.0
    for at_once in (1, 4, 16, 64):
        start, done, n_reached = time.process_time(), 0, 0
        while done < len(source) and (done == 0 or time.process_time() - start < SCIPY_SECONDS / 4):
            rows = dijkstra(matrix, indices=source[done : done + at_once], limit=limit_ms)
            done += len(rows)
            if done == len(rows):
                pause = time.process_time()
                n_reached = np.isfinite(rows).sum() / len(rows)
                start += time.process_time() - pause
        spent = (time.process_time() - start) / done
        if spent < best:
            best, reached = spent, n_reached
    return best, reached


def compare(name: str, graph: StreetGraph, people: Snap, sites: Snap, minutes: float) -> list[str]:
    """One line of the table."""
    limit_ms = minutes_to_ms(minutes)
    n_sites = int(sites.joined_mask.sum())
    ours, times = timed(lambda: travel_times(graph, people, sites, limit_ms), time.process_time)
    one, _ = timed(lambda: travel_times(graph, people, sites, limit_ms), time.perf_counter)
    two, _ = timed(lambda: travel_times(graph, people, sites, limit_ms, threads=2), time.perf_counter)
    whole, reached = scipy_seconds(graph, sites, limit_ms, junctions=False)
    strung, _ = scipy_seconds(graph, sites, limit_ms, junctions=True)
    each = ours / n_sites
    return [
        name,
        f"{minutes:g}",
        f"{graph.n_nodes:,}",
        f"{reached:,.0f}",
        f"{times.n_pairs / n_sites:,.0f}",
        f"{1e3 * each:.3f}",
        f"{1e3 * whole:.2f}",
        f"{whole / each:.1f}",
        f"{strung / each:.1f}",
        f"{one / two:.2f}",
    ]


HEADINGS = [
    "streets",
    "minutes",
    "nodes",
    "reached",
    "people",
    "ms a site",
    "SciPy ms",
    "ratio",
    "ratio, junctions",
    "2 threads",
]


def print_table(rows: list[list[str]]) -> None:
    """Columns as wide as their widest entry."""
    widths = [max(len(row[i]) for row in [HEADINGS, *rows]) for i in range(len(HEADINGS))]
    for row in [HEADINGS, *rows]:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def machine() -> str:
    """What the figures were measured on."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{platform.machine()}, {os.cpu_count()} processors{load}, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}, Numba {numba.__version__}"
    )


def on_grid(side: int, n_sites: int, minutes: list[float]) -> list[list[str]]:
    """The generated town: people everywhere, sites at random."""
    graph = build_graph(grid_streets(side), LocalPlane(10.0, 50.0))
    rng = np.random.default_rng(1)
    extent = side * SPACING_M / 2
    homes, places = (graph.plane.to_lonlat(*rng.uniform(-extent, extent, (2, n))) for n in (20_000, n_sites))
    people, sites = snap(graph, *homes, 500.0), snap(graph, *places, 500.0)
    graph.chains, travel_times(graph, people, sites, 1)  # compile, and string the streets once
    few = Snap(*(getattr(sites, name)[: max(20, n_sites // 40)] for name in Snap.__dataclass_fields__))
    return [compare("grid", graph, people, sites if m <= 60 else few, m) for m in minutes]


def on_porto_alegre(data: Path) -> list[list[str]]:
    """The real city: every populated cell to every cell."""
    folder = data / "cities" / "porto_alegre"
    cells = pd.read_csv(folder / "poa_hexgrid.csv")
    lon, lat = cells["lon"].to_numpy(), cells["lat"].to_numpy()
    lived_in = cells["population"].to_numpy() > 0
    rows = []
    for mode in ("walk", "drive"):
        graph = build_graph(read_streets(folder / "poa_osm.pbf", mode), LocalPlane.around(lon, lat))
        people, sites = snap(graph, lon[lived_in], lat[lived_in], 2_000.0), snap(graph, lon, lat, 2_000.0)
        travel_times(graph, people, sites, 1)
        rows.append(compare(f"Porto Alegre, {mode}", graph, people, sites, 30))
    return rows


PANDANA = """
import sys, time, numpy as np, pandas as pd, pandana
f = np.load(sys.argv[1])
start = time.perf_counter()
net = pandana.Network(pd.Series(f["x"]), pd.Series(f["y"]), pd.Series(f["tail"]), pd.Series(f["head"]),
                      pd.DataFrame({"s": f["cost"] / 1_000.0}), twoway=False)
built = time.perf_counter()
lengths = net.shortest_path_lengths(f["origins"], f["goals"], imp_name="s")
print(f"pandana on Porto Alegre, walk, same pairs node to node: build {built - start:.1f} s, "
      f"{len(lengths):,} pairs in {time.perf_counter() - built:.1f} s")
"""


def with_pandana(data: Path, python: str) -> None:
    """Time pandana, installed in another environment, on the pairs that our limit reaches."""
    import tempfile

    folder = data / "cities" / "porto_alegre"
    cells = pd.read_csv(folder / "poa_hexgrid.csv")
    lon, lat = cells["lon"].to_numpy(), cells["lat"].to_numpy()
    graph = build_graph(read_streets(folder / "poa_osm.pbf", "walk"), LocalPlane.around(lon, lat))
    points = snap(graph, lon, lat, 2_000.0)
    travel_times(graph, points, points, 1)
    start = time.perf_counter()
    times: TravelTimes = travel_times(graph, points, points, minutes_to_ms(30))
    ours = time.perf_counter() - start
    node = graph.from_idx[points.segment_idx]
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "graph.npz"
        np.savez(
            file,
            x=graph.x,
            y=graph.y,
            tail=np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr)),
            head=graph.head,
            cost=graph.cost_ms,
            origins=node[np.repeat(np.arange(times.n_points), np.diff(times.indptr))],
            goals=node[times.site_idx],
        )
        print(f"\nours: {times.n_pairs:,} pairs in {ours:.2f} s")
        subprocess.run([python, "-c", PANDANA, str(file)], check=False, timeout=PANDANA_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--side", type=int, default=1_000, help="nodes along each side of the generated town")
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, nargs="*", default=[10, 30, 60, 120, 300])
    parser.add_argument("--data", type=Path, default=os.environ.get("NEARER_DATA"), help="folder with the real city")
    parser.add_argument("--pandana", help="a Python that has pandana")
    options = parser.parse_args()
    print(machine())
    rows = on_grid(options.side, options.sites, options.minutes)
    if options.data:
        rows += on_porto_alegre(Path(options.data))
    print_table(rows)
    if options.pandana and options.data:
        with_pandana(Path(options.data), options.pandana)


if __name__ == "__main__":
    sys.exit(main())
