"""How a study is run: limits, threads, where to report, who may stop it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nearer.cluster import Batch, Cluster
from nearer.errors import StoppedError, UsageError
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.apart import Elsewhere


@dataclass
class Run:
    """
    How a study is run, and the notes kept on the way.

    Parameters
    ----------
    time_limit_s
        Seconds for the solver; None for no limit.
    gap
        Relative gap at which the plan is good enough.
    work_limit
        Units of work after which the solver ends, the same on every machine; None for no limit.
    threads
        Threads that share the work.
    progress, stop
        Where to report, and who may ask to stop.
    say
        Told a sentence before a run that takes long; None for nobody.
    seconds
        Filled in: seconds per step.
    cluster
        Who shares the work beyond this machine; None works here alone.
    foreseen
        Filled in: estimated seconds after the joining of points to streets, the solver's left out, and most memory.
    """

    time_limit_s: float | None = 60.0
    gap: float = 1e-4
    work_limit: int | None = None
    threads: int = 1
    progress: Progress = field(default_factory=Silent)
    stop: Stop = field(default_factory=Stop)
    say: Callable[[str], None] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    cluster: Cluster | None = None
    foreseen: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.gap >= 0.0 or not (self.time_limit_s is None or self.time_limit_s >= 0.0):
            raise UsageError("The gap and the time limit must be 0 or more.")

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Note the seconds of one step."""
        start_s = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = round(self.seconds.get(step, 0.0) + time.perf_counter() - start_s, 3)

    def limits(self, seed: int) -> dict[str, Any]:
        """What a solver is given beside its problem, but for the clock and where it reports."""
        return {"gap": self.gap, "seed": seed, "threads": self.threads, "work_limit": self.work_limit}

    def effort(self, seed: int) -> dict[str, Any]:
        """What a solver is given beside its problem; its time limit counts from now."""
        return self.limits(seed) | {"stop": self.stop.within(self.time_limit_s), "progress": self.progress}

    def go_on(self) -> None:
        """
        Go on, unless somebody asked to stop.

        Raises
        ------
        StoppedError
            Somebody did, and there is no plan yet.
        """
        if self.stop.cancelled:
            raise StoppedError("Stopped before there was a plan; nothing was written.")


@contextmanager
def elsewhere(run: Run, kind: str) -> Iterator[Elsewhere | None]:
    """Who solves the p-medians of a sweep several at a time: the run's cluster; None where there is none."""
    if run.cluster is None:
        yield None
        return
    with run.cluster.batch(kind) as batch:
        yield Elsewhere(batch)


Task = Callable[[Batch | None], Any]
"""One question; the batch is where it may hand out jobs, None where there is no cluster."""


def apart(batch: Batch | None) -> Elsewhere | None:
    """Who solves a problem of a task: a worker, or nobody else."""
    return None if batch is None else Elsewhere(batch)


def side_by_side(run: Run, tasks: Mapping[str, Task]) -> dict[str, Any]:
    """What every task tells: one after the other here, all at a time on a cluster, each with jobs of its own."""
    if run.cluster is None:
        return {name: task(None) for name, task in tasks.items()}
    cluster = run.cluster

    def one(name: str, task: Task) -> Any:
        with cluster.batch(name) as batch:
            return task(batch)

    with ThreadPoolExecutor(max(len(tasks), 1)) as pool:
        asked = {name: pool.submit(one, name, task) for name, task in tasks.items()}
        return {name: found.result() for name, found in asked.items()}
