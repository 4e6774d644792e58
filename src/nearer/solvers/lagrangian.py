"""
Dual side: the Lagrangian of the assignment rows, climbed by the volume algorithm.

For multipliers λ ≤ cap and ``ρ_j = price_j + Σ_i min(0, val_ij − λ_i)``, ``L(λ) = base + Σ λ + Σ ρ`` over the cheapest
set of sites that may be open together is a lower bound (Narula, Ogbu, Samuelsson 1977; step rule and primal averages:
Barahona, Anbil 2000).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nearer.kernels import pmedian as kernels
from nearer.kernels.jit import run_chunks
from nearer.solvers.budget import Budget
from nearer.solvers.core import Core
from nearer.units import BoolArray, FloatArray, IntArray

_CHUNK_ENTRIES = 2_000_000  # fixed, so that sums do not depend on the number of threads


@dataclass
class Dual:
    """
    Multipliers and what they prove about a core.

    Parameters
    ----------
    lam
        float64 (n,), each between the row's least cost and its cap.
    rho
        Reduced cost of each site, price included, float64 (m,).
    bound
        L(λ), rounded down.
    share
        Average share in which each site was open while climbing, float64 (m,): a rough fractional solution.
    """

    lam: FloatArray
    rho: FloatArray
    bound: float
    share: FloatArray


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
    (n + 64) · eps · Σ|terms| of each sum; half of that is never reached in practice.
    """
    eps = float(np.finfo(np.float64).eps)
    longest = 64 + int(np.diff(core.twin[0]).max(initial=0))
    size = abs(core.base) + float(np.abs(lam).sum()) + float(np.abs(rho).sum()) + float(np.abs(core.price).sum())
    return bound - eps * min(longest, 4096) * size


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
) -> Dual:
    """
    Improve multipliers for so many iterations, or until ``enough`` is proven.

    Parameters
    ----------
    upper
        Value of the best plan known: target of the steps.
    on_improve
        Told each new best bound.
    """
    chunks = row_chunks(core)
    low, cap = core.least, core.cap
    center = np.clip(lam, low, cap)
    rho = prices(core, center, chunks, threads)
    bound, chosen = bound_of(core, center, rho)
    direction = np.empty(core.n)
    _serve(core, center, chosen, chunks, threads, direction)
    share = np.zeros(core.m) if share is None else share.copy()
    if not share.any():
        share[chosen] = 1.0
    best_rho = rho
    factor, reds, alpha_max, checked = 0.1, 0, 0.1, bound
    step_dir = direction.copy()
    gradient = np.empty(core.n)
    for iteration in range(1, iterations + 1):
        if budget.exhausted() or bound >= enough:
            break
        # Pushing a multiplier beyond its box proves nothing: take those parts out of the direction.
        step_dir[:] = direction
        step_dir[(center >= cap) & (direction > 0)] = 0.0
        step_dir[(center <= low) & (direction < 0)] = 0.0
        norm = _dot(step_dir, step_dir)
        if norm < 1e-12:
            break
        step = factor * max(upper * 1.0005 - bound, 1e-9 * abs(upper)) / norm
        trial = np.clip(center + step * step_dir, low, cap)
        rho = prices(core, trial, chunks, threads)
        value, chosen = bound_of(core, trial, rho)
        spent = _serve(core, trial, chosen, chunks, threads, gradient)
        budget.spend(2 * spent + core.n + core.m)
        difference = gradient - direction
        size = _dot(difference, difference)
        alpha = (
            alpha_max if size <= 0 else float(np.clip(-_dot(direction, difference) / size, alpha_max / 10, alpha_max))
        )
        aligned = _dot(step_dir, gradient) > 0
        direction += alpha * difference
        share *= 1.0 - alpha
        share[chosen] += alpha
        if value > bound:
            center, bound, best_rho, reds = trial, value, rho, 0
            on_improve(rounded_down(bound, core, center, best_rho))
            if aligned:
                factor = min(factor * 1.1, 2.0)
        else:
            reds += 1
            if reds >= 20:
                factor, reds = factor * 0.66, 0
        if iteration % 100 == 0:
            if bound - checked < 0.01 * max(upper - bound, 0.0):
                alpha_max = max(alpha_max / 2, 1e-5)
            checked = bound
        if factor < 1e-6:
            break
    return Dual(center, best_rho, rounded_down(bound, core, center, best_rho), share)


def _dot(a: FloatArray, b: FloatArray) -> float:
    # numpy's own pairwise sum: a BLAS dot product depends on the number of threads and starts some.
    return float(np.add.reduce(a * b))


def _serve(
    core: Core,
    lam: FloatArray,
    chosen: IntArray,
    chunks: list[tuple[int, int]],
    threads: int,
    out: FloatArray,
) -> int:
    mask = np.zeros(core.m, dtype=bool)
    mask[chosen] = True

    def work(chunk: tuple[int, int]) -> int:
        return int(kernels.times_served(core.ptr, core.col, core.val, lam, mask, chunk[0], chunk[1], out))

    return sum(run_chunks(work, chunks, min(threads, len(chunks))))


def fixable(core: Core, dual: Dual, cutoff: float) -> tuple[BoolArray, BoolArray, float]:
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
