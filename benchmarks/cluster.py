"""
What a Dask cluster costs and brings: travel times and Lagrangian bounds with 1 and 2 workers, at three sizes.

Processor seconds are read inside the workers, so that a busy machine tilts them little; seconds on the clock are shown
beside them. A cost model is fitted to the runs with one worker, checked on those with two, and then taken to a country
of 100 million people. Nothing of that size has been run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from benchmarks.given import Given
from benchmarks.table import Table, count, seconds
from nearer.cluster import Cluster, joined
from nearer.kernels.jit import default_threads
from nearer.model.instance import single_phase
from nearer.network import Network, shared
from nearer.network.reach import reach_of
from nearer.network.search import Search
from nearer.solvers import away, lagrangian
from nearer.solvers.core import Core, make_core
from nearer.study.benchmark import peak_mb
from nearer.study.limits import Run
from nearer.study.load import load_study
from nearer.study.new import new_study
from nearer.study.parts import read_study, travel

WORKERS = (1, 2)
PEOPLE, SMALL_PEOPLE = (50_000, 100_000, 200_000), (5_000, 6_000, 8_000)
ROWS, SMALL_ROWS = (50_000, 100_000, 200_000), (2_000, 4_000, 8_000)
ROW_LENGTH, ITERATIONS = 40, 20
PAIRS_PER_JOB = 20_000  # so that there are several, as in a country

COUNTRY_PEOPLE, COUNTRY_POINTS, COUNTRY_SITES = 100_000_000, 5_000_000, 275_000
"""Newtown's own shares: 20 people a point, 18 points a site."""
COUNTRY_ROW, COUNTRY_ITERATIONS = 60, 2_000
COUNTRY_WORKERS = (16, 64, 256)


@dataclass
class Spent:
    """What one step took."""

    wall_s: float
    workers_s: float
    here_s: float
    peak_mb: float


def tables(given: Given) -> Iterator[Table]:
    """Travel times, bounds, and what a country would take."""
    shared.PAIRS_PER_JOB = PAIRS_PER_JOB
    with tempfile.TemporaryDirectory() as scratch:
        where = Path(scratch)
        cities = [_city(where / str(people), people) for people in (SMALL_PEOPLE if given.small else PEOPLE)]
        problems = [_problem(rows) for rows in (SMALL_ROWS if given.small else ROWS)]
        times: list[tuple[int, str, int, float, Spent]] = []
        climbs: list[tuple[int, str, int, float, Spent]] = []
        for n in WORKERS:
            with _cluster(n, where) as cluster:
                cluster.client.run(_warm)  # every worker loads its code
                _times(cluster, cities[0], where / f"warm-{n}")
                _climb(cluster, problems[0])
                idle_s = _idle_s(cluster)
                for city, people in zip(cities, SMALL_PEOPLE if given.small else PEOPLE, strict=True):
                    pairs, size, spent = _times(cluster, city, where / f"{people}-{n}", idle_s)
                    times.append((n, f"{people:,} people", pairs, size, spent))
                for core in problems:
                    size, spent = _climb(cluster, core, idle_s)
                    climbs.append((n, f"{core.n:,} rows", core.nnz * ITERATIONS, size, spent))
        pair_s, pair_table = _fitted(times, "Travel times on a cluster: Newtown", "pairs")
        pair_table.notes.append("Bytes on disk: the streets laid out once, and all parts.")
        yield pair_table
        entry_s, entry_table = _fitted(
            climbs,
            f"A bound on a cluster: {ITERATIONS} iterations, {ROW_LENGTH} sites a row",
            "entries read",
        )
        entry_table.notes.append("Bytes: multipliers down and sums of sites up, all iterations together.")
        yield entry_table
        largest = cities[-1]
        yield _country(largest, pair_s, entry_s, times[-1][3] / times[-1][2])


def _city(folder: Path, people: int) -> Network:
    new_study(folder, example="newtown", people=people)
    study = load_study(folder)
    run = Run(threads=default_threads())
    return travel(read_study(folder, study, run), study, run, None)


def _problem(n: int) -> Core:
    rng = np.random.default_rng(0)
    points, m = rng.random((n, 2)), max(ROW_LENGTH, n // 20)
    points = points[np.lexsort((points[:, 1], np.floor(points[:, 0] * 40)))]  # neighbours lie in one chunk
    far, site = KDTree(rng.random((m, 2))).query(points, ROW_LENGTH)
    instance = single_phase(
        np.arange(n + 1) * ROW_LENGTH,
        site.ravel(),
        np.rint(far.ravel() * 1e6).astype(np.int64),
        rng.integers(1, 50, n).astype(np.float64),
        np.full(n, 1e6),
        np.zeros(m, dtype=np.int8),
        max(1, m // 10),
        max(1, m // 10),
    )
    return make_core(instance)


class _cluster:  # noqa: N801  # reads as a call
    """A cluster of separate processes on this machine."""

    def __init__(self, n_workers: int, folder: Path) -> None:
        self.n_workers, self.folder = n_workers, folder

    def __enter__(self) -> Cluster:
        from distributed import LocalCluster

        self.processes: Any = LocalCluster(
            n_workers=self.n_workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        )
        self.joined = joined(self.processes.scheduler_address, self.folder)
        found = self.joined.__enter__()
        assert found is not None
        return found

    def __exit__(self, *error: Any) -> None:
        self.joined.__exit__(None, None, None)
        self.processes.close()


def _warm() -> None:
    """Load on a worker what jobs are made of, a tiny problem of each kind."""
    import nearer.network.parts
    import nearer.solvers.apart  # noqa: F401

    core = _problem(ROW_LENGTH)
    lagrangian.prices(core, core.least, [(0, core.n)], 1)


def _idle_s(cluster: Cluster, for_s: float = 3.0) -> float:
    """Processor seconds that all workers together take in a second of doing nothing but saying so."""
    before = sum(cluster.client.run(time.process_time).values())
    began = time.perf_counter()
    time.sleep(for_s)
    return max(0.0, sum(cluster.client.run(time.process_time).values()) - before) / (time.perf_counter() - began)


def _spent(cluster: Cluster, work: Callable[[], Any], idle_s: float) -> tuple[Any, Spent]:
    before = sum(cluster.client.run(time.process_time).values())
    wall, here = time.perf_counter(), time.process_time()
    made = work()
    wall, here = time.perf_counter() - wall, time.process_time() - here
    workers = sum(cluster.client.run(time.process_time).values()) - before
    workers = max(workers - idle_s * wall, 0.0)
    return made, Spent(wall, workers, here, max(cluster.client.run(peak_mb).values()))


def _times(cluster: Cluster, city: Network, folder: Path, idle_s: float = 0.0) -> tuple[int, float, Spent]:
    """Pairs, bytes, and what it took."""
    assert city.graph is not None
    assert city.people_snap is not None
    assert city.site_snap is not None
    streets = (city.graph, city.people_snap, city.site_snap, city.times.limit_ms)
    search = Search.over(*streets)
    reach = reach_of(search)
    made, spent = _spent(
        cluster,
        lambda: shared.shared_times(*streets, cluster=cluster, search=search, reach=reach, folder=folder),
        idle_s,
    )
    assert np.array_equal(made.indptr, city.times.indptr)
    assert np.array_equal(made.site_idx, city.times.site_idx)
    assert np.array_equal(made.time_ms, city.times.time_ms)
    sent = [path for path in folder.rglob("*") if path.is_file() and "rows" not in path.parts]
    return made.n_pairs, float(sum(path.stat().st_size for path in sent)), spent


def _climb(cluster: Cluster, core: Core, idle_s: float = 0.0) -> tuple[float, Spent]:
    """Bytes and what so many evaluations took, each the same to the last bit as here."""
    lam = core.least + 0.3 * (core.cap - core.least) * np.linspace(0.0, 0.2, core.n)
    chunks = [(a, b) for a, b in zip(*_cuts(core), strict=True)]
    here = lagrangian.prices(core, lam, chunks, 1)
    up = 0.0
    worth, away.CHUNKS_WORTH_SENDING = away.CHUNKS_WORTH_SENDING, 1
    try:
        with cluster.batch("rows", cluster.session, keep=False) as batch:
            rows = away.Away(batch)
            lagrangian.prices(core, lam, chunks, 1, rows)  # lays the rows down
            up = sum(site.nbytes + saved.nbytes for site, saved in rows.saved(core, lam, chunks))

            def climb() -> None:
                for _ in range(ITERATIONS):
                    assert np.array_equal(lagrangian.prices(core, lam, chunks, 1, rows), here)

            _, spent = _spent(cluster, climb, idle_s)
    finally:
        away.CHUNKS_WORTH_SENDING = worth
    return ITERATIONS * (up + lam.nbytes), spent


def _cuts(core: Core) -> tuple[list[int], list[int]]:
    """Eight chunks, as a large problem has more of."""
    cuts = np.linspace(0, core.n, 9).astype(np.int64).tolist()
    return cuts[:-1], cuts[1:]


def _fitted(runs: list[tuple[int, str, int, float, Spent]], title: str, unit: str) -> tuple[tuple[float, float], Table]:
    """Seconds at nothing and seconds of a unit, fitted to the runs with one worker; and the table with all runs."""
    ones = [(work, spent.workers_s) for n, _, work, _, spent in runs if n == 1]
    shape = np.array([[1.0, work] for work, _ in ones])
    weight = 1.0 / np.maximum([s for _, s in ones], 1e-3)  # errors count as shares
    fixed, each = np.linalg.lstsq(shape * weight[:, None], np.array([s for _, s in ones]) * weight, rcond=None)[0]
    table = Table(
        title,
        (
            "size",
            "workers",
            unit,
            "clock, s",
            "workers, CPU s",
            "model",
            "off by",
            "here, CPU s",
            "bytes",
            "worker, MB",
        ),
    )
    for n, what, work, size, spent in runs:
        model = fixed + each * work
        table.rows.append(
            (
                what,
                str(n),
                count(work),
                seconds(spent.wall_s),
                seconds(spent.workers_s),
                seconds(model),
                f"{100 * (model / spent.workers_s - 1):+.0f} %",
                seconds(spent.here_s),
                count(size),
                count(spent.peak_mb),
            )
        )
    table.notes.append(
        f"Model: {fixed:.3g} s and {1e9 * each:.3g} ns for each of the {unit}, fitted to the runs with one worker. "
        "What workers take for doing nothing is measured before and taken off."
    )
    return (float(fixed), float(each)), table


def _country(city: Network, pair_s: tuple[float, float], entry_s: tuple[float, float], pair_bytes: float) -> Table:
    """An estimate; nothing of this has been run."""
    pairs = COUNTRY_SITES * city.times.n_pairs / city.times.n_sites
    entries = COUNTRY_POINTS * COUNTRY_ROW
    table = Table(
        f"Estimate, not run: {COUNTRY_PEOPLE:,} people, {COUNTRY_POINTS:,} points, {COUNTRY_SITES:,} sites",
        ("workers", "travel times, min", "bounds, min", "rows read by each, GB", "multipliers down, MB", "parts, GB"),
    )
    for n in COUNTRY_WORKERS:
        table.rows.append(
            (
                str(n),
                f"{pairs * pair_s[1] / n / 60:.2f}",
                f"{entries * COUNTRY_ITERATIONS * entry_s[1] / n / 60:.2f}",
                f"{12 * entries / n / 1e9:.2f}",
                f"{8 * COUNTRY_POINTS / 1e6:.0f}",
                f"{pairs * pair_bytes / 1e9:.1f}",
            )
        )
    table.notes += [
        f"{pairs:,.0f} pairs, as many for each site as in the largest city above; {COUNTRY_ROW} sites a row once rows "
        f"are cut at the centres of today; {COUNTRY_ITERATIONS:,} iterations of the bound.",
        "All workers are taken to be as fast as the one measured and never to wait for each other, the disk or the "
        "network: a lower end. Supergradients, plans and swaps are made by the machine that asks and are not in it; it "
        f"holds the rows twice, {24 * entries / 1e9:.0f} GB.",
        f"Multipliers down are of one iteration; {COUNTRY_ITERATIONS:,} of them are "
        f"{8 * COUNTRY_POINTS * COUNTRY_ITERATIONS / 1e9:,.0f} GB through the shared folder.",
    ]
    return table
