"""
Dual side: the Lagrangian of the assignment rows, climbed by the volume algorithm (``volume.py``).

For multipliers λ ≤ cap and ``ρ_j = price_j + Σ_i min(0, val_ij − λ_i)``, ``L(λ) = base + Σ λ + Σ ρ`` over the cheapest
set of sites that may be open together is a lower bound (Narula, Ogbu, Samuelsson 1977).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

import numpy as np

from nearer.kernels import pmedian as kernels
from nearer.kernels.jit import run_chunks
from nearer.solvers import volume
from nearer.solvers.budget import Budget
from nearer.solvers.core import Core
from nearer.solvers.volume import Dual
from nearer.units import BoolArray, FloatArray, IntArray

_CHUNK_ENTRIES = 2_000_000  # fixed, so that sums do not depend on the number of threads


def row_chunks(core: Core) -> list[tuple[int, int]]:
    """Row ranges of about two million entries each."""
    n_chunks = max(1, -(-core.nnz // _CHUNK_ENTRIES))
    cuts = np.searchsorted(core.ptr, np.linspace(0, core.nnz, n_chunks + 1))
    cuts[0], cuts[-1] = 0, core.n
    return [(int(a), int(b)) for a, b in pairwise(cuts)]


def prices(core: Core, lam: FloatArray, chunks: list[tuple[int, int]], threads: int) -> FloatArray:
    """ρ of every site, summed in the order of the chunks."""

    def work(chunk: tuple[int, int]) -> FloatArray:
        return np.asarray(kernels.site_prices(core.ptr, core.col, core.val, lam, chunk[0], chunk[1], core.m))

    total = core.price.copy()
    for part in run_chunks(work, chunks, min(threads, len(chunks))):
        total += part
    return total


def bound_of(core: Core, lam: FloatArray, rho: FloatArray) -> tuple[float, IntArray]:
    """L(λ) and the cheapest set of sites."""
    chosen = core.cheapest_set(rho)
    return core.base + float(lam.sum()) + float(rho[chosen].sum()), chosen


def rounded_down(bound: float, core: Core, lam: FloatArray, rho: FloatArray) -> float:
    """
    Take off what float64 sums may have gained.

    numpy sums pairwise and ρ serially over at most n terms of one sign, so the error is below
    (n + 64) · eps · Σ|terms| of each sum; half of that is never reached in practice. Of the ρ as many count as may be
    open together, whichever they are.
    """
    eps = float(np.finfo(np.float64).eps)
    longest = 64 + int(np.diff(core.twin[0]).max(initial=0))
    most = np.abs(rho) + np.abs(core.price)
    if 0 < core.k_max < len(most):
        most = np.partition(most, -core.k_max)[-core.k_max :]
    size = abs(core.base) + float(np.abs(lam).sum()) + float(most.sum())
    return bound - eps * min(longest, 4096) * size


def _ignore(chosen: IntArray) -> None:
    return None


class _Assignment:
    """The relaxed assignment rows of a core, for ``volume.climb``; ``on_chosen`` is told what each iteration opens."""

    def __init__(self, core: Core, threads: int, on_chosen: Callable[[IntArray], None]) -> None:
        self.core, self.threads, self.chunks, self.on_chosen = core, threads, row_chunks(core), on_chosen
        self.low, self.high, self.m = core.least, core.cap, core.m

    def evaluate(self, lam: FloatArray) -> tuple[float, FloatArray, IntArray]:
        """L(λ), ρ and the cheapest set of sites."""
        rho = prices(self.core, lam, self.chunks, self.threads)
        bound, chosen = bound_of(self.core, lam, rho)
        return bound, rho, chosen

    def slope(self, lam: FloatArray, chosen: IntArray, out: FloatArray) -> int:
        """Supergradient at λ; returns the work done."""
        core = self.core
        self.on_chosen(chosen)
        spent = int(kernels.times_served(*core.twin, lam, chosen, out))
        return spent + core.nnz // 2 + core.n + core.m  # about half of the entries lie below the multipliers

    def safe(self, bound: float, lam: FloatArray, rho: FloatArray) -> float:
        """L(λ) rounded down."""
        return rounded_down(bound, self.core, lam, rho)


def climb(
    core: Core,
    lam: FloatArray,
    upper: float,
    budget: Budget,
    iterations: int,
    threads: int,
    on_improve: Callable[[float], None],
    share: FloatArray | None = None,
    enough: float = np.inf,
    on_chosen: Callable[[IntArray], None] = _ignore,
) -> Dual:
    """Improve multipliers of a core; see ``volume.climb``."""
    return volume.climb(
        _Assignment(core, threads, on_chosen), lam, upper, budget, iterations, on_improve, share, enough
    )


def rush(
    core: Core,
    lam: FloatArray,
    upper: float,
    budget: Budget,
    iterations: int,
    threads: int,
    on_improve: Callable[[float], None],
    enough: float = np.inf,
    on_chosen: Callable[[IntArray], None] = _ignore,
) -> Dual:
    """Improve multipliers of a core from far below; see ``volume.rush``."""
    return volume.rush(_Assignment(core, threads, on_chosen), lam, upper, budget, iterations, on_improve, enough)


class Choice(Protocol):
    """What is left to choose."""

    @property
    def m(self) -> int:
        """Free sites."""

    @property
    def k_min(self) -> int:
        """Sites to open, at least."""

    @property
    def k_max(self) -> int:
        """Sites to open, at most."""

    def cheapest_set(self, rank: FloatArray) -> IntArray:
        """The set of least total rank."""


def fixable(core: Choice, dual: Dual, cutoff: float) -> tuple[BoolArray, BoolArray, float]:
    """
    Sites whose opening, or closing, is proven no better than ``cutoff`` by the multipliers.

    Returns
    -------
    closed, opened
        Sites to fix, bool (m,) each.
    opposite
        Least bound among the opposites given up; ``inf`` where nothing is fixed.
    """
    chosen = np.zeros(core.m, dtype=bool)
    chosen[core.cheapest_set(dual.rho)] = True
    opposite = dual.bound + opposites(dual.rho, chosen, core.k_min, core.k_max)
    given_up = opposite >= cutoff
    return given_up & ~chosen, given_up & chosen, float(opposite[given_up].min(initial=np.inf))


def opposites(rho: FloatArray, chosen: BoolArray, k_min: int, k_max: int) -> FloatArray:
    """
    How much L(λ) rises when a site of the cheapest set must close, or one outside it must open, float64 (m,).

    ``inf`` where no set is left. A site that opens may take the place of the dearest one chosen; one that closes may
    need, or earn, the cheapest one left out.
    """
    n_chosen = int(chosen.sum())
    rise = np.empty(len(rho))
    dearest = float(rho[chosen].max()) if n_chosen else 0.0
    cheapest = float(rho[~chosen].min()) if n_chosen < len(rho) else np.inf
    if k_max == 0:
        rise[~chosen] = np.inf
    else:
        leaves = n_chosen > 0 and (n_chosen == k_max or (dearest > 0.0 and n_chosen >= k_min))
        rise[~chosen] = rho[~chosen] - (dearest if leaves else 0.0)
    comes = cheapest if n_chosen <= k_min else min(cheapest, 0.0)
    rise[chosen] = comes - rho[chosen]
    return rise
