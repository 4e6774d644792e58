"""
Rows of a problem that stay on the workers of a cluster: multipliers go down, what they save at each site comes up.

Sums are formed in fixed chunks of rows and added in the order of the chunks, as they are here (``lagrangian.prices``),
so that it does not matter which worker formed which, nor how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from nearer.cluster import Batch, Shelf
from nearer.files import written_whole
from nearer.kernels import pmedian as kernels
from nearer.solvers.core import Core
from nearer.units import FloatArray, IntArray

CHUNKS_WORTH_SENDING = 8
"""Fewer chunks than this are done here sooner than a message goes there and back."""

Chunks = Sequence[tuple[int, int]]
Saved = tuple[IntArray, FloatArray]
"""Sites at which some rows save anything, int32, and how much, float64."""


class Away:
    """
    The rows of one core at a time, laid in the shared folder and read by the workers from there.

    Parameters
    ----------
    batch
        Where they lie, and who works on them.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._core: Core | None = None
        self._placed: list[Any] = []
        self._sent = 0

    def takes(self, chunks: Chunks) -> bool:
        """Whether so much is worth sending."""
        return len(chunks) >= CHUNKS_WORTH_SENDING

    def saved(self, core: Core, lam: FloatArray, chunks: Chunks) -> list[Saved]:
        """
        What each chunk of rows saves at each site, Σ min(0, val − λ), in the order of the chunks.

        Raises
        ------
        ClusterError
            The cluster was lost.
        """
        if core is not self._core:
            self._core, self._placed = core, self._place(core, chunks)
        path = self._batch.folder / f"multipliers-{self._sent}.npy"
        with written_whole(path) as beside, beside.open("wb") as file:
            np.save(file, lam, allow_pickle=False)
        self._sent += 1
        found = self._batch.cluster.together(saved_by_rows, self._placed, str(path))
        path.unlink(missing_ok=True)
        return [one for part in found for one in part]

    def _place(self, core: Core, chunks: Chunks) -> list[Any]:
        """Lay down the rows, and give each worker its share of the chunks."""
        names = tuple(self._batch.shelf.put(array) for array in (core.ptr, core.col, core.val))
        n_parts = min(self._batch.cluster.n_workers or 1, len(chunks))
        cuts = np.linspace(0, len(chunks), n_parts + 1).astype(np.int64).tolist()
        folder = str(self._batch.folder)
        return self._batch.cluster.place(
            Rows, [(folder, names, tuple(chunks[first:last]), core.m) for first, last in pairwise(cuts)]
        )


@dataclass
class Rows:
    """
    Chunks of rows that stay on a worker, mapped from the shared folder when they are first needed.

    Parameters
    ----------
    folder, names
        Where starts, sites and costs lie.
    chunks, m
        First and last row of each chunk, and the number of sites.
    """

    folder: str
    names: tuple[str, ...]
    chunks: Chunks
    m: int

    @cached_property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Starts, sites and costs of all rows, of which only what is looked at is read."""
        return tuple(Shelf(Path(self.folder)).get(name, mapped=True) for name in self.names)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "arrays"}

    def __sizeof__(self) -> int:
        return 1 << 26  # so that work comes to the rows, and rows do not go to the work


def saved_by_rows(rows: Rows, lam_file: str) -> list[Saved]:
    """What each chunk of a worker's rows saves at each site."""
    ptr, col, val = rows.arrays
    lam = np.load(lam_file, mmap_mode="c", allow_pickle=False).view(np.ndarray)
    found: list[Saved] = []
    for first, last in rows.chunks:
        rho = np.asarray(kernels.site_prices(ptr, col, val, lam, first, last, rows.m))
        site = np.flatnonzero(rho).astype(np.int32)
        found.append((site, rho[site]))
    return found
