"""
What a Dask cluster costs and brings: travel times, the rounds of a plan over regions, and the memory of who asks.

Processor seconds are counted, not those of the clock: inside each job, of the machine that asks, and of the scheduler,
each a process of its own. A cost model of fixed parts and parts for each worker, message, pair and row is fitted to two
sizes, with one worker and with two, and checked on the third. Then it is taken to a country of 100 million people, of
which nothing has been run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import nnls
from scipy.spatial import KDTree

from benchmarks.given import Given
from benchmarks.table import Table, count, seconds
from nearer.cluster import Batch, Cluster, Message, Shelf, joined
from nearer.kernels.jit import default_threads
from nearer.model.instance import Instance, single_phase
from nearer.network import Network, shared
from nearer.network.reach import reach_of
from nearer.network.search import Search
from nearer.network.shared import part_of_times
from nearer.progress import Stop
from nearer.solvers import regions as asked
from nearer.solvers.budget import Budget
from nearer.solvers.core import cheapest_set
from nearer.solvers.regions import Arrays, Region, Share, Span, There
from nearer.solvers.volume import climb
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

REPEATS = 5
"""The least of so many counts: what is more was other programs' doing."""

SHARES = 8
"""Messages to two workers in some rounds, so that what a message costs can be told from what a worker does."""

JOB_TERMS, ROUND_TERMS = (
    ("jobs", "pairs"),
    ("rounds", "workers asked", "messages", "questions", "rows told", "pairs read"),
)

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
    size, workers, shares
        Of what, how many, and in how many messages each round goes to them.
    work
        What the model counts: a number for each of its terms.
    jobs_s, here_s, scheduler_s
        Processor seconds inside jobs, of the machine that asks, and of the scheduler.
    """

    size: str
    workers: int
    shares: int
    work: tuple[float, ...]
    jobs_s: float
    here_s: float
    scheduler_s: float


@dataclass(frozen=True)
class Fitted:
    """Seconds for each unit of each term, in jobs, here and of the scheduler."""

    jobs_s: np.ndarray
    here_s: np.ndarray
    scheduler_s: np.ndarray


SPENDERS = {"jobs_s": "jobs", "here_s": "here", "scheduler_s": "scheduler"}


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
        idle: list[tuple[int, float, float, float]] = []
        for n in WORKERS:
            with _cluster(n, where) as cluster:
                _times(cluster, "", cities[0], where / "warm", PAIRS_PER_JOB[0])
                _rounds(cluster, "", problems[rows[0], ROW_LENGTHS[0]], REGIONS[0], n)
                idle.append((n, *_empty(cluster)))
                for city, of in zip(cities, people, strict=True):
                    for pairs in PAIRS_PER_JOB:
                        times.append(_times(cluster, f"{of:,} people", city, where / f"{of}-{n}-{pairs}", pairs))
                for (of, _), problem in problems.items():
                    for cut in REGIONS:
                        for shares in (n, SHARES) if n > 1 and cut >= SHARES else (n,):
                            climb, swap = _rounds(cluster, f"{of:,} rows", problem, cut, shares)
                            climbs.append(climb)
                            swaps.append(swap)
        pair, table = _checked(
            times,
            f"Travel times on a cluster: Newtown, {LIMIT_MIN} minutes",
            JOB_TERMS,
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
        yield _vectors(where, given.small)
        yield _country(cities[-1], pair, entry, move)


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
    told = folder / f"scheduler-{n_workers}.json"
    file, quiet = ("--scheduler-file", str(told)), ("--host", "127.0.0.1", "--no-dashboard")
    started = [_started("scheduler", *file, *quiet, "--port", "0")]
    try:
        while not told.exists():
            time.sleep(0.1)
        started.append(_started("worker", *file, *quiet, "--nthreads", "1", "--nworkers", str(n_workers)))
        with joined(json.loads(told.read_text(encoding="utf-8"))["address"], folder) as found:
            assert found is not None
            found.client.wait_for_workers(n_workers)
            yield found
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _started(*command: str) -> subprocess.Popen[bytes]:
    """A part of the cluster, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


Spent = tuple[float, float, float]
"""Processor seconds inside jobs, here and of the scheduler."""


def least(cluster: Cluster, work: Callable[[], float]) -> Spent:
    """The least of several runs of work that tells the seconds inside its jobs, each by itself."""

    def scheduler_s() -> float:
        found: float = cluster.client.run_on_scheduler(time.process_time)
        return found

    runs = []
    for _ in range(REPEATS):
        there, here = scheduler_s(), time.process_time()
        jobs = work()
        here = time.process_time() - here
        runs.append((jobs, here, scheduler_s() - there))
    jobs_s, here_s, there_s = (min(one) for one in zip(*runs, strict=True))
    return jobs_s, here_s, there_s


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

    def work() -> float:
        for part in layout.glob("part-*"):
            part.unlink()
        cpu_s = 0.0
        with cluster.batch("times", str(folder), keep=False) as batch:
            for at, (first, last) in enumerate(todo):
                batch.ask(at, clocked_part, {"layout": str(layout), "first": first, "last": last})
            for _, answer in batch.answers(Stop()):
                cpu_s += float(answer["cpu_s"])
        return cpu_s

    n = cluster.n_workers
    return Measured(size, n, n, (float(len(todo)), float(city.times.n_pairs)), *least(cluster, work))


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


class Shared(There):
    """Regions in so many shares, however many workers there are."""

    def __init__(self, batch: Batch, source: FromFiles, shares: int) -> None:
        super().__init__(batch, source)
        ends = np.linspace(0, self.n, shares + 1).astype(np.int64).tolist()
        self._placed = batch.cluster.place(Share, [(source, *one) for one in pairwise(ends)])


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


def _rounds(cluster: Cluster, size: str, problem: Instance, n_regions: int, shares: int) -> tuple[Measured, Measured]:
    """Iterations of a bound, two questions each, and rounds of swaps, on regions that lie there already."""
    cuts = np.linspace(0, problem.n_rows, n_regions + 1).astype(np.int64).tolist()
    stands = {"standing": problem.standing}
    rng = np.random.default_rng(0)
    with cluster.batch("rows", cluster.session, keep=False) as batch:
        there = Shared(batch, FromFiles(batch.shelf, batch.shelf.put_fields(problem), tuple(cuts)), shares)
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

        def spent(asks: Sequence[Callable[[], list[Arrays]]]) -> Spent:
            def work() -> float:
                return sum(float(one["cpu_s"]) for _ in range(ITERATIONS) for ask in asks for one in ask())

            return least(cluster, work)

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
    n = cluster.n_workers
    work = np.array([1.0, n, shares, n_regions, problem.n_rows])
    return (
        Measured(size, n, shares, (*(2 * ITERATIONS * work), 2.0 * ITERATIONS * entries), *climb),
        Measured(size, n, shares, (*(ITERATIONS * work), 1.0 * ITERATIONS * scanned), *swap),
    )


def nothing(share: Share) -> None:
    """A job that does nothing."""


def _empty(cluster: Cluster, n: int = 200) -> tuple[float, float, float]:
    """Processor seconds of each worker, here and of the scheduler for a question where there is nothing to do."""

    def others_s() -> tuple[float, float]:
        return sum(cluster.client.run(time.process_time).values()), cluster.client.run_on_scheduler(time.process_time)

    def counted(work: Callable[[], object]) -> np.ndarray:
        before, here, began = others_s(), time.process_time(), time.perf_counter()
        work()
        here, wall = time.process_time() - here, time.perf_counter() - began
        then = others_s()
        return np.array([then[0] - before[0], here, then[1] - before[1], wall])

    placed = cluster.place(Share, [(None, 0, 0)] * cluster.n_workers)
    cluster.together(nothing, placed)
    busy = counted(lambda: [cluster.together(nothing, placed) for _ in range(n)])
    idle = counted(lambda: time.sleep(2.0))
    workers, here, scheduler = np.maximum(busy - idle / idle[3] * busy[3], 0.0)[:3] / n
    return float(workers) / cluster.n_workers, float(here), float(scheduler)


def _checked(runs: list[Measured], title: str, terms: tuple[str, ...], third: str) -> tuple[Fitted, Table]:
    """A model fitted to two sizes, and how it does on the third."""
    fitted = [run for run in runs if run.size != third]
    shape = np.array([run.work for run in fitted])

    def fit(spender: str) -> np.ndarray:
        taken = np.array([getattr(run, spender) for run in fitted])
        share = 1.0 / np.maximum(taken, 1e-3)  # errors count as shares
        found: np.ndarray = nnls(shape * share[:, None], taken * share)[0]
        return found

    model = Fitted(**{spender: fit(spender) for spender in SPENDERS})
    heads = tuple(head for name in SPENDERS.values() for head in (f"{name}, CPU s", "model", "off by"))
    table = Table(title, ("size", "workers", *terms, *heads, ""))
    off: dict[str, dict[str, list[float]]] = {spender: {} for spender in SPENDERS}
    for run in runs:
        cells = []
        how = "fitted" if run.size != third else f"checked with {_number(run)}"
        for spender in SPENDERS:
            taken, said = getattr(run, spender), float(np.dot(getattr(model, spender), run.work))
            off[spender].setdefault(how, []).append(said / taken - 1)
            cells += [seconds(taken), seconds(said), f"{100 * (said / taken - 1):+.0f} %"]
        table.rows.append((run.size, str(run.workers), *(count(one) for one in run.work), *cells, how.split()[0]))
    for spender, name in SPENDERS.items():
        parts = zip(getattr(model, spender), terms, strict=True)
        said = ", ".join(f"{1e6 * by:.3g} µs for each of the {term}" for by, term in parts if by)
        held = "; ".join(
            f"{how} {100 * min(found):+.0f} to {100 * max(found):+.0f} %" for how, found in off[spender].items()
        )
        table.notes.append(f"{name.capitalize()}: {said}. Off by: {held}.")
    table.notes.append(f"Each count is the least of {REPEATS}.")
    return model, table


def _number(run: Measured) -> str:
    workers = "one worker" if run.workers == 1 else f"{run.workers} workers"
    return workers if run.shares == run.workers else f"{workers} and {run.shares} messages a round"


def _idle_table(idle: list[tuple[int, float, float, float]]) -> Table:
    table = Table(
        "A question with nothing to do", ("workers", "each worker, CPU ms", "here, CPU ms", "scheduler, CPU ms")
    )
    table.rows += [(str(n), *(f"{1e3 * one:.2f}" for one in taken)) for n, *taken in idle]
    table.notes.append("What Dask itself takes: 200 questions, less what each takes for doing nothing meanwhile.")
    return table


class Still:
    """A relaxation whose regions answer at once and always the same."""

    def __init__(self, n: int, m: int, folder: Path) -> None:
        rng = np.random.default_rng(0)
        self.low, self.high, self.m, self.folder = np.zeros(n), np.ones(n), m, folder
        self._rho, self._slope = rng.random(m) - 0.5, rng.integers(-2, 2, n).astype(np.float64)

    def evaluate(self, lam: np.ndarray) -> tuple[float, np.ndarray, IntArray]:
        """Told as ``There`` tells it; the sites are chosen anew."""
        self._tell(lam)
        return float(lam.sum()), self._rho, cheapest_set(self._rho, self.m // 10, self.m // 10)

    def slope(self, lam: np.ndarray, chosen: IntArray, out: np.ndarray) -> int:
        """As ``evaluate``."""
        self._tell(lam)
        out[:] = self._slope
        return 0

    def safe(self, bound: float, lam: np.ndarray, rho: np.ndarray) -> float:
        """As ``outline.Assignment`` forms it."""
        return bound - float(np.abs(lam).sum()) - float(np.abs(rho).sum())

    def _tell(self, lam: np.ndarray) -> None:
        np.save(self.folder / "told.npy", lam, allow_pickle=False)


def _vectors(folder: Path, small: bool) -> Table:
    """What the machine that asks does with its vectors, which the problems above are too small to show."""
    table = Table("Vectors of the machine that asks", ("points", "sites", "an iteration of the bound, CPU ms"))
    for share in (100, 10) if small else (100, 10, 1):
        n, m = COUNTRY_POINTS // share, COUNTRY_SITES // share
        still, spent = Still(n, m, folder), []
        for iterations in (1, 1, 1 + 4 * ITERATIONS):  # the first is only there to begin
            began = time.process_time()
            climb(still, np.full(n, 0.5), n / 2, Budget(Stop()), iterations, lambda bound: None)
            spent.append(time.process_time() - began)
        table.rows.append((count(n), count(m), f"{1e3 * (spent[2] - spent[1]) / 4 / ITERATIONS:.1f}"))
    table.notes.append("Regions that answer at once; multipliers are written down for them twice.")
    return table


def _country(city: Network, pair: Fitted, entry: Fitted, move: Fitted) -> Table:
    """An estimate; nothing of this has been run."""
    pairs = COUNTRY_SITES * city.times.n_pairs / city.times.n_sites
    entries, n_regions = COUNTRY_POINTS * COUNTRY_ROW, pairs / 2e6
    table = Table(
        f"Estimate, not run: {COUNTRY_PEOPLE:,} people, {COUNTRY_POINTS:,} points, {COUNTRY_SITES:,} sites",
        (
            *("workers", "travel times, min", "bounds, min", "swaps, min", "asking, min", "scheduler, min"),
            *("rows of each, GB", "network, GB"),
        ),
    )
    down = 8 * COUNTRY_POINTS * 2 * COUNTRY_ITERATIONS + 4 * COUNTRY_POINTS * COUNTRY_ITERATIONS
    for n in COUNTRY_WORKERS:
        work = np.array([1.0, n, n, max(n_regions, n), COUNTRY_POINTS, entries / 2])
        climbs, swaps, times = 2 * COUNTRY_ITERATIONS * work, COUNTRY_SWAPS * work, np.array([pairs / 1e6, pairs])
        inside = (np.dot(pair.jobs_s, times), np.dot(entry.jobs_s, climbs), np.dot(move.jobs_s, swaps))
        around = (
            np.dot(getattr(pair, by), times) + np.dot(getattr(entry, by), climbs) + np.dot(getattr(move, by), swaps)
            for by in ("here_s", "scheduler_s")
        )
        table.rows.append(
            (
                str(n),
                *(f"{one / n / 60:.1f}" for one in inside),
                *(f"{one / 60:.0f}" for one in around),
                f"{(8 * pairs + 12 * entries) / n / 1e9:.2f}",
                f"{down / 1e9:,.0f}",
            )
        )
    table.notes += [
        f"{pairs:,.0f} pairs within {LIMIT_MIN} minutes, as many for each site as in the largest city above, in "
        f"regions of two million; {COUNTRY_ROW} sites a row once rows are cut at the centres of today, half of them "
        f"read; {COUNTRY_ITERATIONS:,} iterations of the bound, {COUNTRY_SWAPS:,} rounds of swaps.",
        "All workers are taken to be as fast as the one measured and never to wait for each other, the disk or the "
        "network: a lower end. Asking: sums and vectors of the machine that asks, and its messages, one to each worker "
        "in a round; multipliers, supergradients and the choice of sites come on top. The scheduler works at the same "
        "time, on a processor of its own.",
        "Network: multipliers down twice an iteration and supergradients up; sums of sites are a tenth of that.",
    ]
    return table
