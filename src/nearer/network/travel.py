"""Bounded travel times over streets, from people to sites."""

from __future__ import annotations

from queue import SimpleQueue

import numpy as np

from nearer.kernels.jit import run_chunks
from nearer.network.graph import StreetGraph
from nearer.network.search import Search, Workspace
from nearer.network.snap import Snap
from nearer.network.times import TravelTimes
from nearer.progress import Progress, Silent, Stop
from nearer.units import IntArray

SITES_PER_CHUNK = 128
CHUNKS_PER_THREAD = 8


def travel_times(
    graph: StreetGraph,
    people: Snap,
    sites: Snap,
    limit_ms: int,
    *,
    threads: int = 1,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> TravelTimes:
    """
    Travel times from every person to every site within a limit.

    A journey is the walk to the street, the way along the street to either end that may be travelled to (or straight
    to the site where both stand on the same stretch), the shortest path, the way along the site's street, and the walk
    to the site; all in whole milliseconds, so that the result is exact and the same for any number of threads.

    Parameters
    ----------
    graph
        Streets.
    people, sites
        Points joined to this graph.
    limit_ms
        Longest journey, access walks included, inclusive.
    threads
        Sites are worked on in chunks by this many threads.
    progress, stop
        Told after each chunk; asked within 0.2 s.

    Raises
    ------
    StoppedError
        ``stop`` said yes.
    UsageError
        The limit, or people × sites × limit, is beyond what the numbers hold.
    """
    return times_over(Search.over(graph, people, sites, limit_ms), threads=threads, progress=progress, stop=stop)


def times_over(
    search: Search, *, threads: int = 1, progress: Progress | None = None, stop: Stop | None = None
) -> TravelTimes:
    """Travel times of streets and points that are laid out already; otherwise as :func:`travel_times`."""
    n_joined = search.n_joined
    size = max(1, min(SITES_PER_CHUNK, n_joined // (CHUNKS_PER_THREAD * max(1, threads))))
    chunks = [range(first, min(first + size, n_joined)) for first in range(0, n_joined, size)]
    workspaces: SimpleQueue[Workspace] = SimpleQueue()
    for _ in range(max(1, threads)):
        workspaces.put(Workspace.sized(search))

    def work(chunk: range) -> list[IntArray]:
        workspace = workspaces.get()
        try:
            return search.keys(chunk, workspace, stop or (lambda: False))
        finally:
            workspaces.put(workspace)

    keys: list[IntArray] = []
    with (progress or Silent()).step("travel times", n_joined) as tick:
        for chunk, found in zip(chunks, run_chunks(work, chunks, threads), strict=True):
            keys.extend(found)
            tick(len(chunk))
    packed = np.concatenate(keys) if keys else np.zeros(0, dtype=np.int64)
    keys.clear()
    return search.packing.unpack(packed)
