"""``Search``: everything a bounded search from sites to the people around them reads, in memory or mapped from disk."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nearer.errors import StoppedError, UsageError
from nearer.kernels.dijkstra import people_around
from nearer.network.chains import MAX_CHAIN_MS, Places, place
from nearer.network.graph import StreetGraph
from nearer.network.snap import Snap
from nearer.network.times import Packing
from nearer.units import UNREACHED, IntArray, ranges

WORK_PER_CALL = 1_000_000
"""Nodes and people looked at before a kernel call returns, some 50 ms, so that a stop is heard."""

ROOM_FOR_KEYS = 65_536

SEARCH_FILE = "search.json"

_NUMBERS = ("n_points", "n_sites", "limit_ms", "width_bits")
_PLACES = ("people", "sites")


@dataclass(frozen=True)
class Search:
    """
    Streets between junctions, and who joins them where; only those who are joined, ordered along the streets.

    Parameters
    ----------
    indptr, edges
        The transposed graph of junctions, see ``Chains``.
    chain_ms
        Time along and against each chain, int64 (n_chains, 2), -1 = closed.
    people, sites
        Where they stand on their chains.
    person_idx, site_idx
        Positions the caller knows them by, int64.
    person_access_ms, site_access_ms
        Their walks to the street, int64.
    exit_ptr, exit_person, exit_ms
        Who can step onto the graph at each junction, quickest first, see ``people_around``.
    start_node, start_ms
        Where people arrive at each site, see ``people_around``.
    n_points, n_sites
        How many people's points and sites the caller has, joined or not.
    limit_ms, width_bits
        The bound, and the width of a bucket as a power of two.
    """

    indptr: IntArray
    edges: IntArray
    chain_ms: IntArray
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
    n_points: int
    n_sites: int
    limit_ms: int
    width_bits: int

    @classmethod
    def over(cls, graph: StreetGraph, people: Snap, sites: Snap, limit_ms: int) -> Search:
        """
        Lay people and sites out along the streets.

        Raises
        ------
        UsageError
            The limit, or people × sites × limit, is beyond what the numbers hold.
        """
        if limit_ms > MAX_CHAIN_MS or not Packing.fits(people.n, sites.n, limit_ms):
            raise UsageError("So many people and sites cannot be timed up to this limit; shorten the limit.")
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
            indptr=chains.indptr,
            edges=chains.edges,
            chain_ms=chains.time_ms,
            people=on_people,
            sites=on_sites,
            person_idx=person_idx,
            site_idx=site_idx,
            person_access_ms=person_access_ms,
            site_access_ms=site_access_ms,
            exit_ptr=starts_of(exit_node[near], chains.n_junctions),
            exit_person=exit_person[near],
            exit_ms=exit_ms[near].astype(np.int32),
            start_node=np.ascontiguousarray(start_node, dtype=np.int32),
            start_ms=np.minimum(start_ms + site_access_ms[:, None], UNREACHED).astype(np.int32),
            n_points=people.n,
            n_sites=sites.n,
            limit_ms=int(limit_ms),
            width_bits=_bucket_bits(chains.typical_ms, limit_ms),
        )

    @property
    def n_joined(self) -> int:
        """Sites that are joined, from which searches run."""
        return len(self.site_idx)

    @property
    def packing(self) -> Packing:
        """How pairs are packed into single numbers."""
        return Packing(self.n_points, self.n_sites, self.limit_ms)

    def keys(self, chunk: range, workspace: Workspace, stop: Callable[[], bool]) -> list[IntArray]:
        """
        Packed pairs of a chunk of joined sites.

        Raises
        ------
        StoppedError
            ``stop`` said yes.
        """
        direct_ptr, direct_person, direct_ms = self._direct(chunk)
        part = slice(chunk.start, chunk.stop)
        packing = self.packing
        found, first = [], 0
        while first < len(chunk):
            if stop():
                raise StoppedError("Stopped before the travel times were complete.")
            first, n_keys = people_around(
                self.indptr,
                self.edges,
                self.start_node[part],
                self.start_ms[part],
                self.exit_ptr,
                self.exit_person,
                self.exit_ms,
                direct_ptr,
                direct_person,
                direct_ms,
                self.person_idx,
                self.site_idx[part],
                first,
                self.limit_ms,
                self.width_bits,
                packing.time_shift,
                packing.point_shift,
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
        person = ranges(begin, count)
        time_ms = self.people.direct_ms(self.chain_ms, person, self.sites, site)
        time_ms = time_ms + self.person_access_ms[person] + self.site_access_ms[site]
        near = time_ms <= self.limit_ms
        return (
            starts_of(site[near] - chunk.start, len(chunk)),
            person[near].astype(np.int32),
            time_ms[near].astype(np.int32),
        )

    def save(self, folder: Path) -> None:
        """Write every array as a ``.npy`` file, numbers and checksums as ``search.json``, into a folder there is."""
        arrays = self._arrays()
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        sums = {name: checksum(array) for name, array in arrays.items()}
        (folder / SEARCH_FILE).write_text(json.dumps(numbers | {"sums": sums}), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> Search:
        """Read what ``save`` wrote, mapped: of each array only what a search touches takes memory."""
        noted = json.loads((folder / SEARCH_FILE).read_text(encoding="utf-8"))

        def array(name: str) -> Any:
            # copy-on-write, since compiled code tells arrays that may be written from those that may not
            return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False))

        places: dict[str, Any] = {
            who: Places(**{field.name: array(f"{who}-{field.name}") for field in fields(Places)}) for who in _PLACES
        }
        rest: dict[str, Any] = {
            field.name: array(field.name)
            for field in fields(cls)
            if field.name not in _PLACES and field.name not in _NUMBERS
        }
        return cls(**places, **rest, **{name: noted[name] for name in _NUMBERS})

    @classmethod
    def is_whole(cls, folder: Path) -> bool:
        """Whether ``save`` wrote the folder, and no byte of it has changed since."""
        try:
            arrays = cls.open(folder)._arrays()
            sums = json.loads((folder / SEARCH_FILE).read_text(encoding="utf-8"))["sums"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return all(checksum(array) == sums.get(name) for name, array in arrays.items())

    def _arrays(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {}
        for field in fields(self):
            if field.name in _PLACES:
                places = getattr(self, field.name)
                found |= {f"{field.name}-{part.name}": getattr(places, part.name) for part in fields(Places)}
            elif field.name not in _NUMBERS:
                found[field.name] = getattr(self, field.name)
        return found


@dataclass(frozen=True)
class Workspace:
    """
    One thread's labels; see the kernel.

    All start as zeros or as nothing in particular, so that the system gives memory only to the pages a search touches:
    a small reach on a large map takes little.
    """

    dist: IntArray
    link: IntArray
    bucket: IntArray
    touched: IntArray
    best: IntArray
    found: IntArray
    keys: IntArray

    @classmethod
    def sized(cls, search: Search) -> Workspace:
        """Labels for a search."""
        n_nodes, n_people = len(search.indptr) - 1, len(search.person_idx)
        return cls(
            dist=np.zeros(n_nodes, dtype=np.int32),
            link=np.zeros((n_nodes, 2), dtype=np.int32),
            bucket=np.full((search.limit_ms >> search.width_bits) + 1, -1, dtype=np.int32),
            touched=np.empty(n_nodes, dtype=np.int32),
            best=np.zeros(n_people, dtype=np.int32),
            found=np.empty(n_people, dtype=np.int32),
            keys=np.empty(max(n_people, ROOM_FOR_KEYS), dtype=np.int64),
        )


def checksum(array: NDArray[Any]) -> int:
    """CRC-32 of an array's bytes."""
    return zlib.crc32(np.ascontiguousarray(array).data.cast("B")) if array.size else 0


def starts_of(sorted_idx: IntArray, n: int) -> IntArray:
    """Where each of ``n`` groups begins in a sorted array of group numbers, int64 (n + 1,)."""
    starts = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(sorted_idx, minlength=n), out=starts[1:])
    return starts


def _ordered(graph: StreetGraph, snap: Snap, limit_ms: int) -> tuple[IntArray, Places]:
    """Positions of the points that can be joined within the limit, ordered by chain, int64, and their places."""
    joined = np.flatnonzero(snap.joined_mask & (snap.access_ms <= limit_ms))
    order = np.argsort(graph.chains.chain_idx[snap.segment_idx[joined]], kind="stable")
    joined = joined[order]
    places = place(graph.chains, snap.segment_idx[joined], snap.fraction[joined], graph.forward_ms, graph.backward_ms)
    return joined, places


def _bucket_bits(typical_ms: int, limit_ms: int) -> int:
    """
    Width of the buckets as a power of two: an eighth to a quarter of a usual edge, at most 65,536 buckets.

    Narrow enough that few nodes are taken up twice, wide enough that few buckets are empty.
    """
    return max((typical_ms // 4).bit_length() - 1, int(limit_ms).bit_length() - 16, 0)
