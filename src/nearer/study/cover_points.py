"""Customers of a covering problem, however many: those whom the same sites cover are merged as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nearer.inputs.point_stream import PointChunk, PricedPoints, stream_points
from nearer.kernels.cover_sets import Discs
from nearer.kernels.jit import run_chunks
from nearer.progress import Progress, Silent
from nearer.units import FloatArray, IntArray

Merged = tuple[IntArray, FloatArray, IntArray]
"""Sets of sites, uint64 (sets, words) with site j at bit ``j % 64`` of word ``j // 64``; weight and points of each."""


@dataclass(frozen=True)
class CoverSets:
    """
    Customers with the same sites within the radius as one.

    Parameters
    ----------
    indptr, site
        Sites of each set, ascending: int64 (sets + 1,) and int32. Sets are sorted by their words.
    weight
        Weight of the customers of each set, float64 (sets,).
    n_points
        Customers in all.
    """

    indptr: IntArray
    site: IntArray
    weight: FloatArray
    n_points: int


def read_cover_sets(
    path: Path,
    sites: PricedPoints,
    limit: float,
    *,
    threads: int = 1,
    progress: Progress | None = None,
    go_on: Callable[[], None] = lambda: None,
    plain: bool = False,
) -> CoverSets:
    """
    Read customers and merge them.

    Parameters
    ----------
    path
        As of ``stream_points``.
    limit
        Distance up to which a site covers.
    go_on
        Called for every piece of the file; what it raises ends the reading.
    plain
        Whether to compare all pairs, piece by piece, in plain NumPy: for the independent check.
    """
    size_mb = max(int(path.stat().st_size / 1e6), 1) if path.is_file() else None
    with (progress or Silent()).step("Reading customers", size_mb) as tick:

        def asked() -> Iterator[PointChunk]:
            seen = done = 0
            for chunk in stream_points(path):
                go_on()
                yield chunk
                seen, step = seen + len(chunk.x), max(chunk.read_mb - done, 0)
                done += step
                tick(step, f"{seen:,} customers")

        return merge_points(asked(), sites, limit, threads=threads, plain=plain)


def merge_points(
    chunks: Iterator[PointChunk], sites: PricedPoints, limit: float, *, threads: int = 1, plain: bool = False
) -> CoverSets:
    """Merge points as ``read_cover_sets`` does; the same for any number of threads."""
    discs = None if plain else Discs.of(sites.x, sites.y, limit)

    def merge(chunk: PointChunk) -> Merged:
        if discs is None:
            return _merged_plainly(chunk, sites, limit)
        return discs.merge(chunk.x, chunk.y, chunk.weight)[:3]

    known: Merged = (
        np.zeros((0, -(-len(sites.x) // 64)), dtype=np.uint64),
        np.zeros(0),
        np.zeros(0, dtype=np.int64),
    )
    for part in run_chunks(merge, chunks, threads):
        known = _together(known, part)
    sets, weight, count = known
    covers = np.unpackbits(sets.view(np.uint8), axis=1, bitorder="little")[:, : len(sites.x)]
    row, site = np.nonzero(covers)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(sets)))]).astype(np.int64)
    return CoverSets(indptr, site.astype(np.int32), weight, int(count.sum()))


def _together(known: Merged, part: Merged) -> Merged:
    """Two lots of sets as one, sorted by their words."""
    sets, weight, count = (np.concatenate(pair) for pair in zip(known, part, strict=True))
    order = np.lexsort(sets.T[::-1])
    sets = sets[order]
    first = np.ones(len(sets), dtype=bool)
    first[1:] = (sets[1:] != sets[:-1]).any(axis=1)
    start = np.flatnonzero(first)
    return (
        np.ascontiguousarray(sets[start]),
        np.add.reduceat(weight[order], start),
        np.add.reduceat(count[order], start),
    )


def _merged_plainly(chunk: PointChunk, sites: PricedPoints, limit: float) -> Merged:
    """All pairs of a piece compared, some rows at a time."""
    words = -(-len(sites.x) // 64)
    parts: list[Merged] = []
    step = max(1, 5_000_000 // len(sites.x))
    for start in range(0, len(chunk.x), step):
        rows = slice(start, start + step)
        squared = np.square(chunk.x[rows, None] - sites.x[None, :])
        squared += np.square(chunk.y[rows, None] - sites.y[None, :])
        inside = np.sqrt(squared, out=squared) <= limit
        bits = np.zeros((len(inside), words * 8), dtype=np.uint8)
        packed = np.packbits(inside, axis=1, bitorder="little")
        bits[:, : packed.shape[1]] = packed
        sets, place = np.unique(bits.view(np.uint64), axis=0, return_inverse=True)
        place = place.ravel()
        weight = np.bincount(place, chunk.weight[rows]).astype(np.float64)
        parts.append((sets, weight, np.bincount(place)))
    known = parts[0]
    for part in parts[1:]:
        known = _together(known, part)
    return known
