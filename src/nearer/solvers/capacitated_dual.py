"""
Dual side of capacitated location: the Lagrangian of the demand rows, climbed by the volume algorithm.

For multipliers ``0 ≤ λ ≤ idle`` and ``ρ_j = price_j + min Σ_i (c_ij − λ_i) x_i`` over fractional knapsacks,
``Σ λ + Σ ρ`` over the cheapest set of sites that may be open together is a lower bound, as good as the relaxation with
x ≤ y (Geoffrion, McBride 1978; step rule and averages: Barahona, Anbil 2000).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nearer.kernels import knapsack as kernels
from nearer.solvers.budget import Budget
from nearer.solvers.capacitated_core import CapacitatedCore
from nearer.units import BoolArray, FloatArray


@dataclass
class CapacitatedDual:
    """
    Multipliers and what they prove.

    Parameters
    ----------
    lam
        float64 (n,).
    bound
        Rounded down.
    rho, rate
        Reduced cost of each site, price included, and the worth of a unit of its room, float64 (m,).
    share, use
        Averages over the climb: how often each site was open (m,), and served each entry (nnz,).
    """

    lam: FloatArray
    bound: float
    rho: FloatArray
    rate: FloatArray
    share: FloatArray
    use: FloatArray


def evaluate(core: CapacitatedCore, lam: FloatArray) -> tuple[float, FloatArray, FloatArray, FloatArray, BoolArray]:
    """Bound rounded down, ρ, rates, fill and cheapest set of some multipliers."""
    rho, rate, fill = np.empty(core.m), np.empty(core.m), np.empty(len(core.crow))
    kernels.site_knapsacks(core.cptr, core.crow, core.cval, core.need, core.room, lam, rho, rate, fill)
    size = float(np.abs(lam).sum()) + 2 * float(np.abs(rho).sum()) + float(np.abs(core.price).sum())
    rho += core.price
    chosen = core.cheapest_set(rho)
    longest = 64 + int(np.diff(core.cptr).max(initial=0))
    bound = float(lam.sum()) + float(rho[chosen].sum())
    # every sum here has terms of one sign but the last, over at most `longest` of them
    return bound - float(np.finfo(np.float64).eps) * longest * size, rho, rate, fill, chosen


def climb(
    core: CapacitatedCore,
    lam: FloatArray,
    upper: float,
    budget: Budget,
    iterations: int,
    on_improve: Callable[[float], None],
    enough: float = np.inf,
) -> CapacitatedDual:
    """Improve multipliers for so many iterations, or until ``enough`` is proven; ``upper`` is the target of steps."""
    ceiling = core.idle
    lam = np.clip(lam, 0.0, ceiling)
    bound, rho, rate, fill, chosen = evaluate(core, lam)
    served, use = np.empty(core.n), np.empty(len(core.crow))
    kernels.served_of(core.cptr, core.crow, fill, chosen, served, use)
    best = CapacitatedDual(lam, bound, rho, rate, chosen.astype(np.float64), use.copy())
    on_improve(bound)
    average_served, average_use, share = served.copy(), use.copy(), chosen.astype(np.float64)
    factor, misses, weight = 0.2, 0, 0.1
    target = upper if np.isfinite(upper) else bound + 0.05 * abs(bound) + 1.0
    for _ in range(iterations):
        budget.spend(6 * len(core.crow) + 8 * core.n)
        if budget.exhausted() or best.bound >= enough:
            break
        direction = 1.0 - average_served
        direction[(best.lam >= ceiling) & (direction > 0)] = 0.0
        direction[(best.lam <= 0.0) & (direction < 0)] = 0.0
        norm = float((direction * direction).sum())
        if norm < 1e-12:
            break
        if not np.isfinite(upper) and best.bound > target - 0.01 * abs(target):
            target = best.bound + 0.05 * abs(best.bound) + 1.0
        step = factor * max(target - best.bound, 1e-9 * abs(target)) / norm
        trial = np.clip(best.lam + step * direction, 0.0, ceiling)
        bound, rho, rate, fill, chosen = evaluate(core, trial)
        kernels.served_of(core.cptr, core.crow, fill, chosen, served, use)
        average_served += weight * (served - average_served)
        average_use += weight * (use - average_use)
        share += weight * (chosen - share)
        if bound > best.bound:
            better = float(((1.0 - served) * (1.0 - average_served)).sum()) > 0.0
            significant = bound > best.bound + 1e-5 * abs(best.bound)
            best = CapacitatedDual(trial, bound, rho, rate, best.share, best.use)
            on_improve(bound)
            factor = min(factor * 1.1, 1.5) if better else factor
            misses = 0 if significant else misses + 1
        else:
            misses += 1
        if misses >= 15:
            factor, misses = factor * 0.66, 0
            weight = max(0.02, weight * 0.9)
            if factor < 1e-4:
                break
    best.share, best.use = share, average_use
    return best


def opposites(core: CapacitatedCore, dual: CapacitatedDual) -> tuple[FloatArray, FloatArray]:
    """
    Bounds where one site must open, and where it must close, float64 (m,) each.

    ``inf`` where that leaves no set of sites.
    """
    rho, chosen = dual.rho, core.cheapest_set(dual.rho)
    n_chosen = int(chosen.sum())
    inside = rho[chosen & ~core.must]
    outside = rho[~chosen]
    dearest = float(inside.max()) if len(inside) else -np.inf
    cheapest = float(outside.min()) if len(outside) else np.inf
    # who opens pushes another out where no more may open, or where that one is in only to make up the number
    pushed_out = dearest if n_chosen == core.k_max or (n_chosen == core.k_min and dearest > 0.0) else 0.0
    open_it = np.where(chosen, 0.0, np.maximum(rho - pushed_out, 0.0))
    drawn_in = cheapest if n_chosen == core.k_min else min(cheapest, 0.0)
    close_it = np.where(chosen, np.maximum(drawn_in - rho, 0.0), 0.0)
    close_it[core.must] = np.inf
    return dual.bound + open_it, dual.bound + close_it
