"""How many pairs of people and sites lie within reach: a sample of sites, before all of them are searched from."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from nearer.network.search import Search, Workspace
from nearer.units import IntArray

SAMPLE = 256
"""Sites that are tried out."""

SAMPLED_PAIRS = 4_000_000
"""Pairs after which no further site is tried out."""


@dataclass(frozen=True)
class Reach:
    """
    What a few sites, spread evenly along the streets, reach.

    Parameters
    ----------
    n_points, n_sites, n_joined, n_junctions
        People's points, sites, sites that are joined to the streets, and junctions of these.
    limit_ms
        The bound.
    sampled
        Sites tried out.
    time_ms
        The times of all people within reach of them, sorted, int32.
    seconds
        Processor seconds that took, which tells how fast this machine is.
    """

    n_points: int
    n_sites: int
    n_joined: int
    n_junctions: int
    limit_ms: int
    sampled: int
    time_ms: IntArray
    seconds: float

    def pairs(self, limit_ms: int | None = None) -> float:
        """About how many pairs all sites have, within the limit or within less."""
        found = len(self.time_ms) if limit_ms is None else int(np.searchsorted(self.time_ms, limit_ms, "right"))
        return found / max(self.sampled, 1) * self.n_joined


def reach_of(search: Search) -> Reach:
    """Try out some sites, always the same ones."""
    n = search.n_joined
    workspace = Workspace.sized(search)
    search.keys(range(min(1, n)), workspace, _never)  # compiles, and touches memory for the first time
    start_s = time.thread_time()
    found: list[IntArray] = []
    sampled, pairs = 0, 0
    for site in _spread(n, SAMPLE):
        keys = search.keys(range(site, site + 1), workspace, _never)
        found.extend(keys)
        sampled += 1
        pairs += sum(map(len, keys))
        if pairs > SAMPLED_PAIRS:
            break
    seconds = time.thread_time() - start_s
    packed = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    time_ms = ((packed >> search.packing.time_shift) & ((1 << search.limit_ms.bit_length()) - 1)).astype(np.int32)
    time_ms.sort()
    n_junctions = len(search.indptr) - 1
    return Reach(search.n_points, search.n_sites, n, n_junctions, search.limit_ms, sampled, time_ms, seconds)


def _spread(n: int, sample: int) -> list[int]:
    """Up to so many of ``n`` positions, each next one far from those before, so that any beginning is spread evenly."""
    if n <= sample:
        return list(range(n))
    bits = (sample - 1).bit_length()
    turned = sorted(range(sample), key=lambda k: int(f"{k:0{bits}b}"[::-1], 2))
    return [(2 * k + 1) * n // (2 * sample) for k in turned]


def _never() -> bool:
    return False
