"""Multipliers of many points climbed along deflected supergradients (Held, Wolfe, Crowder 1974), in place."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from nearer.solvers.budget import Budget
from nearer.solvers.tiles import PlaneDual
from nearer.units import FloatArray, IntArray

_PATIENCE = 20  # iterations without gain before steps become shorter
_SHORTEST = 1e-3
_AGAIN = 0.2
_DAMPED = 0.7  # neighbours share points, so that a full step would go too far


class Ascent:
    """
    A climb that can be gone on with.

    Steps go some of the way that the plan's value says the summit may be off, along the mean of the last slopes, each
    divided by the weight of its point; less far once nothing was gained for a while.
    """

    def __init__(self, dual: PlaneDual, lam: FloatArray) -> None:
        self.dual, self.lam, self.bound = dual, lam, -np.inf
        self.factor, self.idle, self.noted = 0.5, 0, -np.inf
        self.at = lam.copy()
        self.direction: FloatArray | None = None
        weight = dual.tiles.weight
        self.per_weight = np.divide(1.0, weight, out=np.zeros_like(weight), where=weight > 0)

    @property
    def tired(self) -> bool:
        """Whether steps have become too short to gain anything."""
        return self.factor < _SHORTEST

    def rest(self) -> None:
        """Go on from the best multipliers with long steps again."""
        self.at = self.lam.copy()
        self.factor, self.idle, self.direction = _AGAIN, 0, None

    def take(self, lam: FloatArray, bound: float) -> None:
        """Go on from better multipliers that were found otherwise."""
        if bound > self.bound:
            self.lam, self.bound, self.at = lam, bound, lam.copy()

    def climb(self, upper: float, iterations: int, budget: Budget, enough: float = np.inf) -> None:
        """So many iterations towards the value of the best plan."""
        dual, at = self.dual, self.at
        slope = np.empty(len(at))
        for _ in range(iterations):
            bound, _, chosen = dual.evaluate(at)
            if bound > self.bound:
                if bound > self.noted + 1e-5 * abs(self.noted) or not np.isfinite(self.noted):
                    self.idle, self.noted = -1, bound
                self.bound = bound
                self.lam = at.copy()
            self.idle += 1
            if self.idle >= _PATIENCE:
                self.factor, self.idle = 0.7 * self.factor, 0
            if budget.exhausted() or bound >= enough or self.factor < _SHORTEST:
                break
            budget.spend(dual.slope(at, chosen, slope))
            slope *= self.per_weight
            if self.direction is None:
                self.direction = slope.copy()
            else:
                self.direction += slope
                self.direction *= 0.5
            norm = float(np.add.reduce(dual.tiles.weight * self.direction * self.direction))
            if norm < 1e-12:
                break
            step = self.factor * max(upper - bound, 1e-9 * abs(upper)) / norm
            np.multiply(self.direction, step, out=slope)
            at += slope
            np.maximum(at, 0.0, out=at)


def levelled(dual: PlaneDual, lam: FloatArray, plan: IntArray, passes: int, budget: Budget) -> tuple[FloatArray, float]:
    """
    Multipliers raised or lowered together around each open site of a plan, and what they prove, never worse.

    The p cheapest sites all lie in the deepest wells of ρ, be they deeper by a hair. So the least ρ around each open
    site is brought to the mean of them; as long as one of the cheapest lies in each, that changes no other sum.
    """
    tiles = dual.tiles
    around = cKDTree(np.column_stack([tiles.site_x[plan], tiles.site_y[plan]]))
    region = around.query(np.column_stack([tiles.site_x, tiles.site_y]), workers=tiles.threads)[1]
    of_point = around.query(np.column_stack([tiles.x, tiles.y]), workers=tiles.threads)[1]
    weight = np.bincount(of_point, weights=tiles.weight, minlength=len(plan))
    best, best_lam = -np.inf, lam
    for _ in range(passes):
        bound, rho, _ = dual.evaluate(lam)
        budget.spend(tiles.n)
        if bound > best:
            best, best_lam = bound, lam
        least = np.full(len(plan), np.inf)
        np.minimum.at(least, region, rho)
        held = np.isfinite(least) & (weight > 0)
        if not held.any() or budget.exhausted():
            break
        shift = np.zeros(len(plan))
        shift[held] = _DAMPED * (least[held] - least[held].mean()) / weight[held]
        lam = np.maximum(lam + shift[of_point], 0.0)
    return best_lam, best
