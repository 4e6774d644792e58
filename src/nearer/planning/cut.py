"""Travel times that a sweep needs, cut to size by the workers of a cluster before they come here."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nearer.cluster import Cluster, Message, Shelf
from nearer.errors import StoppedError
from nearer.network import Parted, TravelTimes
from nearer.planning.sizecurve import nearer_than_standing
from nearer.progress import Stop
from nearer.units import BoolArray

PAIRS_PER_JOB = 10_000_000
"""About how many pairs a job looks through: some 200 MB."""


def cut_elsewhere(parted: Parted, stands: BoolArray, cluster: Cluster, stop: Stop) -> TravelTimes:
    """
    As ``nearer_than_standing`` of all rows, of which none comes here whole.

    Parameters
    ----------
    parted
        Where the rows lie, in a folder that workers see.
    stands
        Sites that stand open whatever is asked, bool (n_sites,).
    cluster
        Who cuts.
    stop
        Who may end it.

    Raises
    ------
    StoppedError
        ``stop`` said yes.
    ClusterError
        The cluster was lost.
    """
    n_jobs = max(1, -(-parted.n_pairs // PAIRS_PER_JOB))
    cuts = np.linspace(0, parted.n_points, n_jobs + 1).astype(np.int64).tolist()
    with cluster.batch("cut", parted.layout.name) as batch:
        told = {
            "layout": str(parted.layout),
            "parts": [part.name for part in parted.parts],
            "numbers": [parted.n_points, parted.n_sites, parted.limit_ms],
            "stands": batch.shelf.put(stands),
        }
        for at in range(n_jobs):
            batch.ask(at, cut_some, {**told, "points": cuts[at : at + 2]})
        found = dict(batch.answers(stop))
    if len(found) < n_jobs:
        raise StoppedError("Stopped before the travel times were complete.")
    counts, site_idx, time_ms = (
        np.concatenate([found[at][name] for at in range(n_jobs)]) for name in ("counts", "site_idx", "time_ms")
    )
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return TravelTimes(indptr, site_idx, time_ms, parted.n_sites, parted.limit_ms)


def cut_some(shelf: Shelf, message: Message, stop: Stop) -> dict[str, np.ndarray]:
    """The job: the rows of some neighbouring points, cut."""
    layout = Path(message["layout"])
    parted = Parted(layout, tuple(layout / name for name in message["parts"]), *message["numbers"])
    times = nearer_than_standing(parted.points(*message["points"]), shelf.get(message["stands"]))
    return {"counts": np.diff(times.indptr), "site_idx": times.site_idx, "time_ms": times.time_ms}
