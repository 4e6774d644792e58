"""
What a Dask cluster costs and brings: travel times, the rounds of a plan over regions, and the memory of who asks.

Processor seconds are counted, not those of the clock, and inside each job, so that neither other programs nor what Dask
does while it waits count. A cost model of fixed parts and parts for each pair, row and byte is fitted to runs of two
sizes with one worker, and checked on the third size and on all sizes with two. Then it is taken to a country of 100
million people, of which nothing has been run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls
from scipy.spatial import KDTree

from benchmarks.given import Given
from benchmarks.table import Table, count, seconds
from nearer.cluster import Cluster, Message, Shelf, joined
from nearer.kernels.jit import default_threads
from nearer.model.instance import Instance, single_phase
from nearer.network import Network, shared
from nearer.network.reach import reach_of
from nearer.network.search import Search
from nearer.network.shared import part_of_times
from nearer.progress import Stop
from nearer.solvers import regions as asked
from nearer.solvers.regions import Arrays, Region, Share, Span, There
from nearer.study.limits import Run
from nearer.study.load import load_study
from nearer.study.new import new_study
from nearer.study.parts import read_study, travel
from nearer.units import IntArray

WORKERS = (1, 2)
PEOPLE, SMALL_PEOPLE = (25_000, 50_000, 100_000), (5_000, 6_000, 8_000)
LIMIT_MIN = 60
ROWS, SMALL_ROWS = (25_000, 50_000, 100_000), (2_000, 4_000, 8_000)
ROW_LENGTHS, ITERATIONS, REGIONS = (20, 60), 5, (4, 16)
PAIRS_PER_JOB = (20_000, 80_000)
"""Of each: two, so that what a job costs by itself can be told from what its pairs cost."""

REPEATS = 3
"""The least of so many counts: what is more was other programs' doing."""

ROUND_TERMS = ("rounds", "questions", "rows told", "pairs read")

COUNTRY_PEOPLE, COUNTRY_POINTS, COUNTRY_SITES = 100_000_000, 5_000_000, 275_000
"""Newtown's own shares: 20 people a point, 18 points a site."""
COUNTRY_ROW, COUNTRY_ITERATIONS, COUNTRY_SWAPS = 60, 2_000, 1_000
COUNTRY_WORKERS = (16, 64, 256)


@dataclass(frozen=True)
class Measured:
    """
    One run of a step.

    Parameters
    ----------
    size, workers
        Of what, and how many.
    work
        What the model counts: a number for each of its terms.
    jobs_s, here_s
        Processor seconds inside jobs, and of the machine that asks.
    """

    size: str
    workers: int
    work: tuple[float, ...]
    jobs_s: float
    here_s: float


@dataclass(frozen=True)
class Fitted:
    """Seconds for each unit of each term, in jobs and here."""

    jobs_s: np.ndarray
    here_s: np.ndarray


def tables(given: Given) -> Iterator[Table]:
    """Travel times, rounds, and what a country would take."""
    people, rows = (SMALL_PEOPLE, SMALL_ROWS) if given.small else (PEOPLE, ROWS)
    with tempfile.TemporaryDirectory() as scratch:
        where = Path(scratch)
        cities = [_city(where / str(n), n) for n in people]
        problems = {(n, length): _problem(n, length) for n in rows for length in ROW_LENGTHS}
        times: list[Measured] = []
        climbs: list[Measured] = []
        swaps: list[Measured] = []
        idle: list[tuple[int, float, float]] = []
        for n in WORKERS:
            with _cluster(n, where) as cluster:
                _times(cluster, "", cities[0], where / "warm", PAIRS_PER_JOB[0])
                _rounds(cluster, "", problems[rows[0], ROW_LENGTHS[0]], REGIONS[0])
                idle.append((n, *_empty(cluster)))
                for city, of in zip(cities, people, strict=True):
                    for pairs in PAIRS_PER_JOB:
                        times.append(_times(cluster, f"{of:,} people", city, where / f"{of}-{n}-{pairs}", pairs))
                for (of, _), problem in problems.items():
                    for cut in REGIONS:
                        climb, swap = _rounds(cluster, f"{of:,} rows", problem, cut)
                        climbs.append(climb)
                        swaps.append(swap)
        pair, table = _checked(
            times,
            f"Travel times on a cluster: Newtown, {LIMIT_MIN} minutes",
            ("jobs", "pairs"),
            f"{people[2]:,} people",
        )
        yield table
        entry, table = _checked(
            climbs,
            f"A bound over regions: {ITERATIONS} iterations",
            ROUND_TERMS,
            f"{rows[2]:,} rows",
        )
        yield table
        move, table = _checked(
            swaps,
            f"Swaps over regions: {ITERATIONS} rounds",
            ROUND_TERMS,
            f"{rows[2]:,} rows",
        )
        yield table
        yield _idle_table(idle)
        yield _country(cities[-1], pair, entry, move, max(one[2] for one in idle))


def _city(folder: Path, people: int) -> Network:
    new_study(folder, example="newtown", people=people)
    study = load_study(folder)
    study = study.model_copy(update={"streets": study.streets.model_copy(update={"limit_min": float(LIMIT_MIN)})})
    run = Run(threads=default_threads())
    return travel(read_study(folder, study, run), study, run, None)


def _problem(n: int, length: int) -> Instance:
    rng = np.random.default_rng(0)
    points, m = rng.random((n, 2)), max(length, n // 20)
    points = points[np.lexsort((points[:, 1], np.floor(points[:, 0] * 40)))]  # neighbours lie in one region
    far, site = KDTree(rng.random((m, 2))).query(points, length)
    return single_phase(
        np.arange(n + 1) * length,
        site.ravel(),
        np.rint(far.ravel() * 1e6).astype(np.int64),
        rng.integers(1, 50, n).astype(np.float64),
        np.full(n, 1e6),
        np.zeros(m, dtype=np.int8),
        max(1, m // 10),
        max(1, m // 10),
    )


@contextmanager
def _cluster(n_workers: int, folder: Path) -> Iterator[Cluster]:
    """A cluster of separate processes on this machine."""
    from distributed import LocalCluster

    processes: Any = LocalCluster(
        n_workers=n_workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    )
    try:
        with joined(processes.scheduler_address, folder) as found:
            assert found is not None
            yield found
    finally:
        processes.close()


def clocked_part(shelf: Shelf, message: Message, stop: Stop) -> Arrays:
    """The job of ``network.shared``, with its processor seconds."""
    began = time.process_time()
    answer = part_of_times(shelf, message, stop)
    return answer | {"cpu_s": np.array(time.process_time() - began)}


def _times(cluster: Cluster, size: str, city: Network, folder: Path, pairs_per_job: int) -> Measured:
    """Travel times of a city, laid out beforehand."""
    assert city.graph is not None
    assert city.people_snap is not None
    assert city.site_snap is not None
    streets = (city.graph, city.people_snap, city.site_snap, city.times.limit_ms)
    search = Search.over(*streets)
    layout = shared.lay_out(*streets, folder, search)
    todo = shared.chunks(layout, pairs_per_job, reach_of(search))
    least = (np.inf, np.inf)
    for _ in range(REPEATS):
        for part in layout.glob("part-*"):
            part.unlink()
        began, cpu_s = time.process_time(), 0.0
        with cluster.batch("times", str(folder), keep=False) as batch:
            for at, (first, last) in enumerate(todo):
                batch.ask(at, clocked_part, {"layout": str(layout), "first": first, "last": last})
            for _, answer in batch.answers(Stop()):
                cpu_s += float(answer["cpu_s"])
        least = min(least[0], cpu_s), min(least[1], time.process_time() - began)
    return Measured(size, cluster.n_workers, (float(len(todo)), float(city.times.n_pairs)), *least)


@dataclass
class FromFiles:
    """Regions of a problem whose arrays lie in files."""

    shelf: Shelf
    names: Message
    cuts: tuple[int, ...]

    @property
    def n_regions(self) -> int:
        return len(self.cuts) - 1

    def load(self, first: int, last: int) -> list[FileRows]:
        whole = Instance(**self.shelf.get_fields(self.names))
        return [FileRows(whole, *self.cuts[k : k + 2]) for k in range(first, last)]


@dataclass
class FileRows:
    """Some neighbouring rows of a problem."""

    whole: Instance
    begin: int
    end: int

    def instance(self, standing: IntArray) -> Instance:
        """They, with this standing."""
        whole, ptr = self.whole, self.whole.indptr[self.begin : self.end + 1]
        part, rows = slice(int(ptr[0]), int(ptr[-1])), slice(self.begin, self.end)
        return replace(
            whole,
            indptr=ptr - ptr[0],
            site_idx=whole.site_idx[part],
            cost=whole.cost[part],
            unserved=whole.unserved[rows],
            weight=whole.weight[:, rows],
            standing=np.array(standing),
            row_point=whole.row_point[rows],
            row_group=whole.row_group[rows],
        )


def clocked_saved(region: Region, span: Span, **told: np.ndarray) -> Arrays:
    """``regions.saved`` with its processor seconds."""
    return _clocked(asked.saved, region, span, told)


def clocked_served(region: Region, span: Span, **told: np.ndarray) -> Arrays:
    """``regions.served`` with its processor seconds."""
    return _clocked(asked.served, region, span, told)


def clocked_moves(region: Region, span: Span, **told: np.ndarray) -> Arrays:
    """``regions.moves_of`` with its processor seconds."""
    return _clocked(asked.moves_of, region, span, told)


def _clocked(task: asked.Task, region: Region, span: Span, told: Arrays) -> Arrays:
    began = time.process_time()
    answer = task(region, span, **told)
    return answer | {"cpu_s": np.array(time.process_time() - began)}


def _rounds(cluster: Cluster, size: str, problem: Instance, n_regions: int) -> tuple[Measured, Measured]:
    """Iterations of a bound, two questions each, and rounds of swaps, on regions that lie there already."""
    cuts = np.linspace(0, problem.n_rows, n_regions + 1).astype(np.int64).tolist()
    stands = {"standing": problem.standing}
    rng = np.random.default_rng(0)
    with cluster.batch("rows", cluster.session, keep=False) as batch:
        there = There(batch, FromFiles(batch.shelf, batch.shelf.put_fields(problem), tuple(cuts)))
        there.ask(asked.outline, **stands)
        spans = list(pairwise(cuts))
        chosen = np.zeros(problem.n_sites, dtype=bool)
        chosen[rng.choice(problem.n_sites, int(problem.open_max[0]), replace=False)] = True
        lam = problem.weight[0] * np.asarray(problem.cost)[problem.indptr[:-1] + np.diff(problem.indptr) // 2]
        entries = int(
            np.count_nonzero(
                problem.cost * np.repeat(problem.weight[0], np.diff(problem.indptr))
                < np.repeat(lam, np.diff(problem.indptr))
            )
        )

        def spent(asks: Sequence[Callable[[], list[Arrays]]]) -> tuple[float, float]:
            least = (np.inf, np.inf)
            for _ in range(REPEATS):
                began, cpu_s = time.process_time(), 0.0
                for _ in range(ITERATIONS):
                    for ask in asks:
                        cpu_s += sum(float(one["cpu_s"]) for one in ask())
                least = min(least[0], cpu_s), min(least[1], time.process_time() - began)
            return least

        climb = spent(
            (
                lambda: there.ask(clocked_saved, spans, lam=lam, **stands),
                lambda: there.ask(clocked_served, spans, lam=lam, chosen=chosen, **stands),
            )
        )
        swap = spent((lambda: there.ask(clocked_moves, None, plan=chosen, scale=np.array(1.0), **stands),))
        scanned = sum(
            int(one["scanned"]) for one in there.ask(asked.moves_of, None, plan=chosen, scale=np.array(1.0), **stands)
        )
    work = np.array([1.0, n_regions, problem.n_rows])
    return (
        Measured(size, cluster.n_workers, (*(2 * ITERATIONS * work), 2.0 * ITERATIONS * entries), *climb),
        Measured(size, cluster.n_workers, (*(ITERATIONS * work), 1.0 * ITERATIONS * scanned), *swap),
    )


def nothing(share: Share) -> None:
    """A job that does nothing."""


def _empty(cluster: Cluster, n: int = 200) -> tuple[float, float]:
    """Processor seconds that a question costs each worker and the machine that asks, where there is nothing to do."""

    def workers_s() -> float:
        return sum(cluster.client.run(time.process_time).values())

    placed = cluster.place(Share, [(None, 0, 0)] * cluster.n_workers)
    cluster.together(nothing, placed)
    before, began, here = workers_s(), time.perf_counter(), time.process_time()
    for _ in range(n):
        cluster.together(nothing, placed)
    here, wall = time.process_time() - here, time.perf_counter() - began
    busy = workers_s() - before
    before, began = workers_s(), time.perf_counter()
    time.sleep(2.0)
    idle = (workers_s() - before) / (time.perf_counter() - began)
    return max(busy - idle * wall, 0.0) / n / cluster.n_workers, here / n


def _checked(runs: list[Measured], title: str, terms: tuple[str, ...], third: str) -> tuple[Fitted, Table]:
    """A model fitted to one worker and two sizes, and how it does on the rest."""
    fitted = [run for run in runs if run.workers == 1 and run.size != third]
    shape = np.array([run.work for run in fitted])

    def fit(taken: list[float]) -> np.ndarray:
        share = 1.0 / np.maximum(taken, 1e-3)  # errors count as shares
        found: np.ndarray = nnls(shape * share[:, None], np.array(taken) * share)[0]
        return found

    model = Fitted(fit([run.jobs_s for run in fitted]), fit([run.here_s for run in fitted]))
    table = Table(
        title, ("size", "workers", *terms, "jobs, CPU s", "model", "off by", "here, CPU s", "model", "off by", "")
    )
    worst: dict[bool, list[float]] = {True: [], False: []}
    for run in runs:
        cells = []
        for taken, by in ((run.jobs_s, model.jobs_s), (run.here_s, model.here_s)):
            said = float(np.dot(by, run.work))
            cells += [seconds(taken), seconds(said), f"{100 * (said / taken - 1):+.0f} %"]
        used = run in fitted
        worst[used].append(float(np.dot(model.jobs_s, run.work)) / run.jobs_s - 1)
        table.rows.append(
            (run.size, str(run.workers), *(count(one) for one in run.work), *cells, "fit" if used else "check")
        )
    said = " and ".join(
        f"{1e6 * by:.3g} µs for each of the {term}" for by, term in zip(model.jobs_s, terms, strict=True)
    )
    here = " and ".join(
        f"{1e6 * by:.3g} µs for each of the {term}" for by, term in zip(model.here_s, terms, strict=True)
    )
    table.notes += [
        f"In jobs: {said}. Here: {here}. Fitted to one worker and two sizes; each count the least of {REPEATS}.",
        "In jobs the model is off by {:+.0f} to {:+.0f} % where it was fitted, {:+.0f} to {:+.0f} % where it is "
        "checked.".format(*(100 * by for used in (True, False) for by in (min(worst[used]), max(worst[used])))),
    ]
    return model, table


def _idle_table(idle: list[tuple[int, float, float]]) -> Table:
    table = Table("A question with nothing to do", ("workers", "each worker, CPU ms", "here, CPU ms"))
    table.rows += [(str(n), f"{1e3 * there:.2f}", f"{1e3 * here:.2f}") for n, there, here in idle]
    table.notes.append("What Dask itself takes: 200 questions, less what workers take for doing nothing meanwhile.")
    return table


def _country(city: Network, pair: Fitted, entry: Fitted, move: Fitted, here_s: float) -> Table:
    """An estimate; nothing of this has been run."""
    pairs = COUNTRY_SITES * city.times.n_pairs / city.times.n_sites
    entries, n_regions = COUNTRY_POINTS * COUNTRY_ROW, pairs / 2e6
    table = Table(
        f"Estimate, not run: {COUNTRY_PEOPLE:,} people, {COUNTRY_POINTS:,} points, {COUNTRY_SITES:,} sites",
        ("workers", "travel times, min", "bounds, min", "swaps, min", "asking, min", "rows of each, GB", "network, GB"),
    )
    iterations, rounds = 2 * COUNTRY_ITERATIONS, COUNTRY_SWAPS
    climb_work = iterations * np.array([1.0, n_regions, COUNTRY_POINTS, entries / 2])
    swap_work = rounds * np.array([1.0, n_regions, COUNTRY_POINTS, entries / 2])
    asking = float(np.dot(entry.here_s, climb_work) + np.dot(move.here_s, swap_work)) / 60
    down = 8 * COUNTRY_POINTS * iterations + 4 * COUNTRY_POINTS * COUNTRY_ITERATIONS
    for n in COUNTRY_WORKERS:
        table.rows.append(
            (
                str(n),
                f"{np.dot(pair.jobs_s, [pairs / 1e6, pairs]) / n / 60:.1f}",
                f"{np.dot(entry.jobs_s, climb_work) / n / 60:.1f}",
                f"{np.dot(move.jobs_s, swap_work) / n / 60:.1f}",
                f"{asking:.0f}",
                f"{(8 * pairs + 12 * entries) / n / 1e9:.2f}",
                f"{down / 1e9:,.0f}",
            )
        )
    table.notes += [
        f"{pairs:,.0f} pairs within {LIMIT_MIN} minutes, as many for each site as in the largest city above, in "
        f"regions of two million; {COUNTRY_ROW} sites a row once rows are cut at the centres of today, half of them "
        f"read; {COUNTRY_ITERATIONS:,} iterations of the bound, {COUNTRY_SWAPS:,} rounds of swaps.",
        "All workers are taken to be as fast as the one measured and never to wait for each other, the disk or the "
        f"network: a lower end. Asking: sums and vectors of the machine that asks, of which Dask itself takes "
        f"{1e3 * here_s:.1f} ms a question; multipliers, supergradients and the choice of sites come on top.",
        "Network: multipliers down twice an iteration and supergradients up; sums of sites are a tenth of that.",
    ]
    return table
