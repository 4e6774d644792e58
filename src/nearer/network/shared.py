"""Travel times shared out to a cluster: each chunk of sites is a job whose answer is one Parquet part."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nearer.cluster import Cluster, Message, Shelf
from nearer.errors import StoppedError
from nearer.network.graph import StreetGraph
from nearer.network.parted import Parted
from nearer.network.parts import chunks, lay_out, layout_name, read_rows, travel_part
from nearer.network.reach import Reach
from nearer.network.search import Search
from nearer.network.snap import Snap
from nearer.network.times import TravelTimes
from nearer.progress import Progress, Silent, Stop

PAIRS_PER_JOB = 1_000_000
"""About how many pairs a job should find: some hundred milliseconds of work, so that a lost worker loses little."""


def shared_times(
    graph: StreetGraph,
    people: Snap,
    sites: Snap,
    limit_ms: int,
    *,
    cluster: Cluster,
    search: Search,
    reach: Reach,
    folder: Path | None = None,
    threads: int = 1,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> TravelTimes | Parted:
    """
    Travel times as ``travel_times`` gives them; the streets are laid in the shared folder once, and parts beside them.

    Parameters
    ----------
    graph, people, sites, limit_ms, threads, progress, stop
        As there.
    cluster
        Who computes the parts.
    search, reach
        What was laid out and tried before.
    folder
        Where parts stay, for whoever needs some rows; None to hold the rows in memory and keep no part once all are
        there.

    Raises
    ------
    StoppedError
        ``stop`` said yes; parts that were finished stay.
    ClusterError
        The cluster was lost; parts that were finished stay.
    UsageError, OutputError
        As ``times_in_parts``.
    """
    asked = stop or Stop()
    with cluster.batch("times", layout_name(graph, people, sites, limit_ms)) as batch:
        layout = lay_out(graph, people, sites, limit_ms, folder or batch.folder, search)
        todo = chunks(layout, PAIRS_PER_JOB, reach)
        with (progress or Silent()).step("travel times", reach.n_joined) as tick:
            for at, (first, last) in enumerate(todo):
                batch.ask(at, part_of_times, {"layout": str(layout), "first": first, "last": last})
            parts: dict[int, Path] = {}
            for at, answer in batch.answers(asked):
                parts[at] = layout / str(answer["part"])
                tick(todo[at][1] - todo[at][0])
        if asked() or len(parts) < len(todo):
            raise StoppedError("Stopped before the travel times were complete.")
        whole = tuple(parts[at] for at in range(len(todo)))
        if folder is None:
            return read_rows(layout, whole, None, threads)
        return Parted(layout, whole, people.n, sites.n, int(limit_ms))


def part_of_times(shelf: Shelf, message: Message, stop: Stop) -> dict[str, np.ndarray]:
    """The job: times to one chunk of sites."""
    layout = Path(message["layout"])
    return {"part": np.array(travel_part(layout, message["first"], message["last"], layout, stop=stop).name)}
