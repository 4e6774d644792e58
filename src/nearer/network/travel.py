"""Bounded travel times over streets, from people to sites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np

from nearer.errors import NearerError, UsageError
from nearer.kernels.dijkstra import ALONE, people_around
from nearer.kernels.jit import run_chunks
from nearer.network.chains import MAX_CHAIN_MS, Chains, Places, place
from nearer.network.graph import StreetGraph
from nearer.network.snap import Snap
from nearer.network.times import Packing, TravelTimes
from nearer.progress import Progress, Silent, Stop
from nearer.units import UNREACHED, IntArray

WORK_PER_CALL = 1_000_000
"""Nodes and people looked at before a kernel call returns, some 50 ms, so that a stop is heard."""

SITES_PER_CHUNK = 128
CHUNKS_PER_THREAD = 8
ROOM_FOR_KEYS = 65_536


class StoppedError(NearerError):
    """The work was asked to stop before there was anything to show."""

    exit_code = 3


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
    if limit_ms > MAX_CHAIN_MS or not Packing.fits(people.n, sites.n, limit_ms):
        raise UsageError("So many people and sites cannot be timed up to this limit; shorten the limit.")
    packing = Packing(people.n, sites.n, limit_ms)
    search = _Search.over(graph, people, sites, limit_ms, packing)
    size = max(1, min(SITES_PER_CHUNK, search.n_sites // (CHUNKS_PER_THREAD * max(1, threads))))
    chunks = [range(first, min(first + size, search.n_sites)) for first in range(0, search.n_sites, size)]
    workspaces: SimpleQueue[_Workspace] = SimpleQueue()
    for _ in range(max(1, threads)):
        workspaces.put(_Workspace.sized(search))

    def work(chunk: range) -> list[IntArray]:
        workspace = workspaces.get()
        try:
            return search.keys(chunk, workspace, stop or (lambda: False))
        finally:
            workspaces.put(workspace)

    keys: list[IntArray] = []
    with (progress or Silent()).step("travel times", search.n_sites) as tick:
        for chunk, found in zip(chunks, run_chunks(work, chunks, threads), strict=True):
            keys.extend(found)
            tick(len(chunk))
    return packing.unpack(np.concatenate(keys) if keys else np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class _Search:
    """
    Everything the kernel reads, people and sites that are joined only, both ordered along the streets.

    ``person_idx`` and ``site_idx`` are the positions the caller knows them by.
    """

    chains: Chains
    people: Places
    sites: Places
    person_idx: IntArray
    site_idx: IntArray
    person_access_ms: IntArray
    site_access_ms: IntArray
    exit_ptr: IntArray
    exit_person: IntArray
    exit_ms: IntArray
    start_node: IntArray
    start_ms: IntArray
    person_key: IntArray
    limit_ms: int
    width_bits: int
    packing: Packing

    @classmethod
    def over(cls, graph: StreetGraph, people: Snap, sites: Snap, limit_ms: int, packing: Packing) -> _Search:
        chains = graph.chains
        person_idx, on_people = _ordered(graph, people, limit_ms)
        site_idx, on_sites = _ordered(graph, sites, limit_ms)
        person_access_ms = people.access_ms[person_idx].astype(np.int64)
        site_access_ms = sites.access_ms[site_idx].astype(np.int64)

        node, away_ms = on_people.departures(chains)
        exit_node, exit_ms = node.ravel(), (away_ms + person_access_ms[:, None]).ravel()
        exit_person = np.repeat(np.arange(len(person_idx), dtype=np.int32), 2)
        near = np.flatnonzero(exit_ms <= limit_ms)
        near = near[np.lexsort((exit_ms[near], exit_node[near]))]
        start_node, start_ms = on_sites.arrivals(chains)
        return cls(
            chains=chains,
            people=on_people,
            sites=on_sites,
            person_idx=person_idx,
            site_idx=site_idx,
            person_access_ms=person_access_ms,
            site_access_ms=site_access_ms,
            exit_ptr=_starts(exit_node[near], chains.n_junctions),
            exit_person=exit_person[near],
            exit_ms=exit_ms[near].astype(np.int32),
            start_node=np.ascontiguousarray(start_node, dtype=np.int32),
            start_ms=np.minimum(start_ms + site_access_ms[:, None], UNREACHED).astype(np.int32),
            person_key=person_idx << packing.point_shift,
            limit_ms=limit_ms,
            width_bits=_bucket_bits(chains.typical_ms, limit_ms),
            packing=packing,
        )

    @property
    def n_sites(self) -> int:
        return len(self.site_idx)

    def keys(self, chunk: range, workspace: _Workspace, stop: Callable[[], bool]) -> list[IntArray]:
        """Packed pairs of a chunk of sites."""
        direct_ptr, direct_person, direct_ms = self._direct(chunk)
        part = slice(chunk.start, chunk.stop)
        found, first = [], 0
        while first < len(chunk):
            if stop():
                raise StoppedError("Stopped before the travel times were complete.")
            first, n_keys = people_around(
                self.chains.indptr,
                self.chains.edges,
                self.start_node[part],
                self.start_ms[part],
                self.exit_ptr,
                self.exit_person,
                self.exit_ms,
                direct_ptr,
                direct_person,
                direct_ms,
                self.person_key,
                self.site_idx[part],
                first,
                self.limit_ms,
                self.width_bits,
                self.packing.time_shift,
                workspace.dist,
                workspace.link,
                workspace.bucket,
                workspace.touched,
                workspace.best,
                workspace.found,
                workspace.keys,
                WORK_PER_CALL,
            )
            found.append(workspace.keys[:n_keys].copy())
        return found

    def _direct(self, chunk: range) -> tuple[IntArray, IntArray, IntArray]:
        """People on the same chain as each site of a chunk: starts, person, ms within the limit."""
        mine = np.arange(chunk.start, chunk.stop)
        begin = np.searchsorted(self.people.chain_idx, self.sites.chain_idx[mine], "left")
        count = np.searchsorted(self.people.chain_idx, self.sites.chain_idx[mine], "right") - begin
        site = np.repeat(mine, count)
        person = np.arange(len(site)) + np.repeat(begin - (np.cumsum(count) - count), count)
        time_ms = self.people.direct_ms(self.chains, person, self.sites, site)
        time_ms = time_ms + self.person_access_ms[person] + self.site_access_ms[site]
        near = time_ms <= self.limit_ms
        return (
            _starts(site[near] - chunk.start, len(chunk)),
            person[near].astype(np.int32),
            time_ms[near].astype(np.int32),
        )


@dataclass(frozen=True)
class _Workspace:
    """One thread's labels; see the kernel."""

    dist: IntArray
    link: IntArray
    bucket: IntArray
    touched: IntArray
    best: IntArray
    found: IntArray
    keys: IntArray

    @classmethod
    def sized(cls, search: _Search) -> _Workspace:
        n_nodes, n_people = search.chains.n_junctions, len(search.person_idx)
        return cls(
            dist=np.full(n_nodes, UNREACHED, dtype=np.int32),
            link=np.full((n_nodes, 2), ALONE, dtype=np.int32),
            bucket=np.full((search.limit_ms >> search.width_bits) + 1, -1, dtype=np.int32),
            touched=np.empty(n_nodes, dtype=np.int32),
            best=np.full(n_people, UNREACHED, dtype=np.int32),
            found=np.empty(n_people, dtype=np.int32),
            keys=np.empty(max(n_people, ROOM_FOR_KEYS), dtype=np.int64),
        )


def _ordered(graph: StreetGraph, snap: Snap, limit_ms: int) -> tuple[IntArray, Places]:
    """Positions of the points that can be joined within the limit, ordered by chain, int64, and their places."""
    joined = np.flatnonzero(snap.joined_mask & (snap.access_ms <= limit_ms))
    order = np.argsort(graph.chains.chain_idx[snap.segment_idx[joined]], kind="stable")
    joined = joined[order]
    places = place(graph.chains, snap.segment_idx[joined], snap.fraction[joined], graph.forward_ms, graph.backward_ms)
    return joined, places


def _starts(sorted_idx: IntArray, n: int) -> IntArray:
    """Where each of ``n`` groups begins in a sorted array of group numbers, int64 (n + 1,)."""
    starts = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(sorted_idx, minlength=n), out=starts[1:])
    return starts


def _bucket_bits(typical_ms: int, limit_ms: int) -> int:
    """
    Width of the buckets as a power of two: an eighth to a quarter of a usual edge, at most 65,536 buckets.

    Narrow enough that few nodes are taken up twice, wide enough that few buckets are empty.
    """
    return max((typical_ms // 4).bit_length() - 1, limit_ms.bit_length() - 16, 0)
