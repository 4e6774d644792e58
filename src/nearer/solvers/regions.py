"""
Rows of a problem held in regions, here or on the workers of a cluster: vectors go down, sums and vectors come up.

A region is a range of rows that is fixed by the rows alone. Every question is put to all regions; the answers are
taken in their order, so that it does not matter who gave which, nor how many they are. Sums that plans are chosen by
are of whole numbers, and float64 sums are added region by region.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nearer.cluster import Batch
from nearer.files import written_whole
from nearer.kernels import pmedian as kernels
from nearer.kernels import regions as sums
from nearer.kernels.jit import run_chunks
from nearer.model import Instance
from nearer.solvers.core import Core, make_core, standing_caps
from nearer.units import NO_SITE, BoolArray, FloatArray, IntArray

Arrays = dict[str, np.ndarray]
Task = Callable[..., Arrays]
"""``task(region, span, **arrays)``: what one region answers; ``span`` is its part of vectors over all rows."""


_MORE = 1.25
"""Regions are handed out anew, and read anew, once there are so many times as many workers as shares."""


class Source(Protocol):
    """Where the rows of regions come from; sent to workers, so it holds names of files or rows that lie here."""

    @property
    def n_regions(self) -> int:
        """Number of regions."""

    def load(self, first: int, last: int) -> Sequence[Held]:
        """Some neighbouring regions, the last not included."""


class Held(Protocol):
    """The rows of a region as they were read."""

    def instance(self, standing: IntArray) -> Instance:
        """Its rows, all sites of the problem, with this standing."""


class Region:
    """
    One region, and what its rows come to with the sites that are fixed.

    Parameters
    ----------
    held
        Its rows as they were read.
    """

    def __init__(self, held: Held) -> None:
        self.held = held
        self._standing: IntArray | None = None
        self._left: tuple[Core, FloatArray, bool] | None = None

    def left(self, standing: IntArray) -> tuple[Core, FloatArray, bool]:
        """
        What is left to choose once some sites stand open and others may not, kept until they change.

        Beside it the cap of every row, float64 (n_rows,), and whether all is whole.
        """
        if self._left is None or self._standing is None or not np.array_equal(self._standing, standing):
            instance = self.held.instance(standing)
            self._left = make_core(instance), standing_caps(instance), instance.whole
            self._standing = np.array(standing)
        return self._left

    def core(self, standing: IntArray) -> Core:
        """The first of ``left``."""
        return self.left(standing)[0]


class Regions(Protocol):
    """All regions of a problem."""

    n: int

    def ask(self, task: Task, spans: Sequence[tuple[int, int]] | None = None, **arrays: np.ndarray) -> list[Arrays]:
        """What each region answers, in their order; ``spans`` are their parts of vectors over all rows."""


class Here:
    """
    Regions held by this process.

    Parameters
    ----------
    source
        Where their rows come from.
    threads
        Threads that share them.
    """

    def __init__(self, source: Source, threads: int = 1) -> None:
        self.n, self._threads = source.n_regions, threads
        self._regions = [Region(held) for held in source.load(0, self.n)]

    def ask(self, task: Task, spans: Sequence[tuple[int, int]] | None = None, **arrays: np.ndarray) -> list[Arrays]:
        """As ``Regions`` says."""
        where = spans or [(0, 0)] * self.n
        work = list(zip(self._regions, where, strict=True))
        return list(run_chunks(lambda one: task(*one, **arrays), work, min(self._threads, self.n)))


class There:
    """
    Regions held by the workers of a cluster, each by one of them.

    Parameters
    ----------
    batch
        The shared folder, and who works on it.
    source
        Where workers read the rows.
    """

    def __init__(self, batch: Batch, source: Source) -> None:
        self.n, self._batch, self._source, self._sent = source.n_regions, batch, source, count()
        self._placed: list[Any] = []
        self._hand_out()

    def _hand_out(self) -> None:
        """To each worker that is there now, neighbouring regions in one share."""
        self._placed = []  # so that workers may forget them
        n_shares = max(1, min(self._batch.cluster.n_workers, self.n))
        cuts = np.linspace(0, self.n, n_shares + 1).astype(np.int64).tolist()
        self._placed = self._batch.cluster.place(Share, [(self._source, *ends) for ends in pairwise(cuts)])

    def ask(self, task: Task, spans: Sequence[tuple[int, int]] | None = None, **arrays: np.ndarray) -> list[Arrays]:
        """
        As ``Regions`` says; arrays are laid in the shared folder, and messages hold their names.

        Raises
        ------
        ClusterError
            The cluster was lost.
        """
        if min(self._batch.cluster.n_workers, self.n) >= _MORE * len(self._placed):
            self._hand_out()
        asked = next(self._sent)
        files = {name: self._batch.folder / f"asked-{asked}-{name}.npy" for name in arrays}
        for name, path in files.items():
            with written_whole(path) as beside, beside.open("wb") as file:
                np.save(file, arrays[name], allow_pickle=False)
        told = {name: str(path) for name, path in files.items()}
        found = self._batch.cluster.together(answer_all, self._placed, task, tuple(spans or ()), told)
        for path in files.values():
            path.unlink(missing_ok=True)
        return [answer for part in found for answer in part]


@dataclass
class Share:
    """
    The regions of one worker, read when they are first asked.

    Parameters
    ----------
    source
        Where from.
    first, last
        Which, the last not included.
    """

    source: Source
    first: int
    last: int

    @cached_property
    def regions(self) -> list[Region]:
        """They, once read."""
        return [Region(held) for held in self.source.load(self.first, self.last)]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "regions"}

    def __sizeof__(self) -> int:
        return 1 << 26  # so that work comes to the rows, and rows do not go to the work


def answer_all(share: Share, task: Task, spans: tuple[tuple[int, int], ...], files: dict[str, str]) -> list[Arrays]:
    """What the regions of a worker answer."""
    arrays = {
        name: np.load(Path(path), mmap_mode="c", allow_pickle=False).view(np.ndarray) for name, path in files.items()
    }
    mine = spans[share.first : share.last] if spans else [(0, 0)] * len(share.regions)
    return [task(region, span, **arrays) for region, span in zip(share.regions, mine, strict=True)]


# What regions are asked.

Span = tuple[int, int]


def outline(region: Region, span: Span, standing: IntArray) -> Arrays:
    """What a region comes to: ``full`` are the caps of all its rows, the rest is of those that can still be served."""
    core, full, whole = region.left(standing)
    return {
        "base": np.array(np.delete(full, core.row).sum()),
        "row": core.row,
        "cap": core.cap,
        "least": core.least,
        "full": full,
        "n_entries": np.bincount(core.col, minlength=core.m),
        "whole": np.array(whole),
    }


def saved(region: Region, span: Span, standing: IntArray, lam: FloatArray) -> Arrays:
    """What the rows save at each site, Σ min(0, val − λ), where it is anything."""
    core = region.core(standing)
    mine = np.ascontiguousarray(lam[slice(*span)])
    rho = np.asarray(kernels.site_prices(core.ptr, core.col, core.val, mine, 0, core.n, core.m))
    site = np.flatnonzero(rho).astype(np.int32)
    return {"site": site, "saved": rho[site]}


def served(region: Region, span: Span, standing: IntArray, lam: FloatArray, chosen: BoolArray) -> Arrays:
    """How many chosen sites serve each row below its multiplier."""
    core = region.core(standing)
    mine = np.ascontiguousarray(lam[slice(*span)])
    return {"times": sums.times_served(core.ptr, core.col, core.val, mine, np.array(chosen))}


def cost_of(region: Region, span: Span, standing: IntArray, plan: BoolArray) -> Arrays:
    """What the rows cost with a plan open."""
    return {"cost": np.array(region.core(standing).caps_with(np.array(plan)).sum())}


def two_nearest(region: Region, span: Span, standing: IntArray, plan: BoolArray) -> Arrays:
    """First and second open cost of each row."""
    core = region.core(standing)
    d1, _, d2, _ = sums.two_cheapest(core.ptr, core.col, core.val, core.cap, np.array(plan))
    return {"d1": d1, "d2": d2}


def gains(region: Region, span: Span, standing: IntArray, plan: BoolArray, scale: FloatArray) -> Arrays:
    """What opening each site saves."""
    core = region.core(standing)
    d1 = core.caps_with(np.array(plan))
    gain, scanned = sums.savings(core.ptr, core.col, core.val, d1, float(scale), core.m)
    return sparse("gain", gain) | {"scanned": np.array(scanned + core.n)}


def in_turn(
    region: Region, span: Span, standing: IntArray, plan: BoolArray, scale: FloatArray, turn: IntArray
) -> Arrays:
    """What each of some sites saves if those of an earlier turn open before it."""
    core = region.core(standing)
    d1, turns = core.caps_with(np.array(plan)), np.array(turn)
    n_turns = int(turns.max()) + 1
    found, scanned = sums.savings_in_turn(core.ptr, core.col, core.val, d1, turns, n_turns, float(scale))
    return {"saved": found, "scanned": np.array(scanned + core.n)}


def moves_of(region: Region, span: Span, standing: IntArray, plan: BoolArray, scale: FloatArray) -> Arrays:
    """What each single move of a plan saves or costs here, and what all rows cost, in whole units."""
    core, mask, by = region.core(standing), np.array(plan), float(scale)
    d1, a1, d2, looked = sums.two_cheapest(core.ptr, core.col, core.val, core.cap, mask)
    loss, gain, pair, extra, scanned = sums.move_table(core.ptr, core.col, core.val, d1, a1, d2, mask, by)
    pair, extra = summed(pair, extra)
    cost = np.rint(d1 * by).astype(np.int64).sum()
    return (
        sparse("loss", loss)
        | sparse("gain", gain)
        | {"pair": pair, "extra": extra, "cost": np.array(cost), "scanned": np.array(looked + scanned)}
    )


def entries(region: Region, span: Span, standing: IntArray, keep: BoolArray) -> Arrays:
    """All that is left of the rows at some sites, bool (m,)."""
    whole, mask = region.core(standing), np.array(keep)
    core = whole if mask.all() else whole.restricted(~mask, np.zeros(len(mask), dtype=bool))
    return {
        "base": np.array(np.delete(whole.cap, np.searchsorted(whole.row, core.row)).sum()),
        "row": core.row,
        "cap": core.cap,
        "length": np.diff(core.ptr),
        "col": core.col,
        "val": core.val,
    }


def open_pairs(region: Region, span: Span, standing: IntArray, plan: BoolArray) -> Arrays:
    """The pairs of open sites that may serve, and the rows they belong to; ``plan`` is of all sites."""
    instance = region.held.instance(standing)
    hit = np.array(plan)[instance.site_idx]
    row = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))[hit]
    length = np.bincount(row, minlength=instance.n_rows)
    return {
        "length": length,
        "site": instance.site_idx[hit],
        "cost": np.asarray(instance.cost)[hit],
        "unserved": instance.unserved,
        "weight": instance.weight[0],
    }


def nearest(region: Region, span: Span, standing: IntArray, plan: BoolArray) -> Arrays:
    """The cheapest open site of each row of the problem, ``NO_SITE`` where none serves; ``plan`` is of all sites."""
    instance = region.held.instance(standing)
    first = kernels.first_open(instance.indptr, instance.site_idx, np.array(plan))
    site = np.full(instance.n_rows, NO_SITE, dtype=np.int32)
    row = np.flatnonzero(first >= 0)
    row = row[np.asarray(instance.cost)[first[row]] <= instance.unserved[row]]
    site[row] = instance.site_idx[first[row]]
    return {"site": site}


def sparse(name: str, values: IntArray) -> Arrays:
    """A vector of sites of which most are zero."""
    site = np.flatnonzero(values).astype(np.int32)
    return {f"{name}_site": site, name: values[site]}


def summed(key: IntArray, value: IntArray) -> tuple[IntArray, IntArray]:
    """Each key once, ascending, with the sum of its values."""
    if not len(key):
        return key, value
    order = np.argsort(key, kind="stable")
    key, value = key[order], value[order]
    begins = np.flatnonzero(np.diff(key, prepend=key[0] - 1))
    return key[begins], np.add.reduceat(value, begins)
