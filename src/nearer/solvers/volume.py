"""
Multipliers climbed along supergradients: fast at first by deflected ones, then by the volume algorithm.

Held, Wolfe, Crowder (1974) for the step, Camerini, Fratta, Maffioli (1975) for the deflection, Barahona, Anbil (2000)
for the volume algorithm, whose averages also tell a rough fractional solution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nearer.solvers.budget import Budget
from nearer.solvers.zero_half import Pieces
from nearer.units import FloatArray, IntArray


class Relaxed(Protocol):
    """A Lagrangian relaxation over multipliers in a box, whose subproblem chooses among m sites."""

    low: FloatArray
    high: FloatArray
    m: int

    def evaluate(self, lam: FloatArray) -> tuple[float, FloatArray, IntArray]:
        """L(λ), the reduced cost of each site, and the sites chosen."""

    def slope(self, lam: FloatArray, chosen: IntArray, out: FloatArray) -> int:
        """Fill a supergradient of L at λ; returns the work done."""

    def safe(self, bound: float, lam: FloatArray, rho: FloatArray) -> float:
        """L(λ) less what float64 sums may have gained."""


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
    pieces
        What zero-half cuts take part in the proof; None = none do.
    """

    lam: FloatArray
    rho: FloatArray
    bound: float
    share: FloatArray
    pieces: Pieces | None = None


def climb(
    relaxed: Relaxed,
    lam: FloatArray,
    upper: float,
    budget: Budget,
    iterations: int,
    on_improve: Callable[[float], None],
    share: FloatArray | None = None,
    enough: float = np.inf,
) -> Dual:
    """
    Improve multipliers for so many iterations, or until ``enough`` is proven.

    Parameters
    ----------
    relaxed
        What is relaxed.
    upper
        Value of the best plan known: target of the steps.
    on_improve
        Told each new best bound.
    """
    low, high = relaxed.low, relaxed.high
    center = np.clip(lam, low, high)
    bound, rho, chosen = relaxed.evaluate(center)
    direction = np.empty(len(center))
    relaxed.slope(center, chosen, direction)
    share = np.zeros(relaxed.m) if share is None else share.copy()
    if not share.any():
        share[chosen] = 1.0
    best_rho = rho
    factor, reds, alpha_max, checked = 0.1, 0, 0.1, bound
    step_dir = direction.copy()
    gradient = np.empty(len(center))
    for iteration in range(1, iterations + 1):
        if budget.exhausted() or bound >= enough:
            break
        # Pushing a multiplier beyond its box proves nothing: take those parts out of the direction.
        step_dir[:] = direction
        step_dir[(center >= high) & (direction > 0)] = 0.0
        step_dir[(center <= low) & (direction < 0)] = 0.0
        norm = _dot(step_dir, step_dir)
        if norm < 1e-12:
            break
        step = factor * max(upper * 1.0005 - bound, 1e-9 * abs(upper)) / norm
        trial = np.clip(center + step * step_dir, low, high)
        value, rho, chosen = relaxed.evaluate(trial)
        budget.spend(relaxed.slope(trial, chosen, gradient))
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
            on_improve(relaxed.safe(bound, center, best_rho))
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
    return Dual(center, best_rho, relaxed.safe(bound, center, best_rho), share)


def rush(
    relaxed: Relaxed,
    lam: FloatArray,
    upper: float,
    budget: Budget,
    iterations: int,
    on_improve: Callable[[float], None],
    enough: float = np.inf,
) -> Dual:
    """
    Improve multipliers from far below, by deflected supergradients, for so many iterations; see ``climb``.

    Each step goes half as far as the plan's value says the summit may be, less once nothing is gained for a while.
    """
    low, high = relaxed.low, relaxed.high
    at = np.clip(lam, low, high)
    best, best_lam, best_rho = -np.inf, at, np.zeros(relaxed.m)
    direction: FloatArray | None = None
    gradient = np.empty(len(at))
    share = np.zeros(relaxed.m)
    factor, idle = 0.5, 0
    for _ in range(iterations):
        value, rho, chosen = relaxed.evaluate(at)
        if value > best:
            idle = 0 if value > best + 1e-5 * abs(best) else idle + 1
            best, best_lam, best_rho = value, at, rho
            on_improve(relaxed.safe(best, at, rho))
        else:
            idle += 1
        if idle >= 20:
            factor, idle = 0.7 * factor, 0
        if budget.exhausted() or best >= enough:
            break
        budget.spend(relaxed.slope(at, chosen, gradient))
        share *= 0.95
        share[chosen] += 0.05
        # Pushing a multiplier beyond its box proves nothing.
        gradient[(at >= high) & (gradient > 0)] = 0.0
        gradient[(at <= low) & (gradient < 0)] = 0.0
        direction = gradient.copy() if direction is None else 0.5 * (gradient + direction)
        norm = _dot(direction, direction)
        if norm < 1e-12:
            break
        at = np.clip(at + factor * max(upper - value, 1e-9 * abs(upper)) / norm * direction, low, high)
    return Dual(best_lam, best_rho, relaxed.safe(best, best_lam, best_rho), share)


def _dot(a: FloatArray, b: FloatArray) -> float:
    # numpy's own pairwise sum: a BLAS dot product depends on the number of threads and starts some.
    return float(np.add.reduce(a * b))
