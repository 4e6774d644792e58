"""
How far each site is open in the linear relaxation of a p-median in the plane, found where it is smooth.

The relaxation is the least of Σ_i θ_i(y) over 0 ≤ y ≤ 1, Σ y = p, where θ_i serves point i from its nearest sites until
they add up to one. Summed over many points that is nearly smooth, and with x² / y added (``kernels.smoothed``) it is;
so steps along its gradient, of the length of Barzilai and Borwein, projected back, lead near the optimum in a few
dozen passes (Birgin, Martínez, Raydan 2000), where multipliers climbed from a plan take thousands. The multipliers met
on the way, averaged, are where the climb starts.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels import tiles as kernels
from nearer.kernels.jit import run_chunks
from nearer.kernels.plane import Grid
from nearer.solvers.budget import Budget
from nearer.solvers.tiles import Tiles, grid_of
from nearer.units import FloatArray

_MEMORY = 8  # values that a step need not be worse than


class Smoothed:
    """The cost of sites open in part."""

    def __init__(self, tiles: Tiles) -> None:
        self.tiles = tiles
        grid = Grid.of(tiles.site_x, tiles.site_y)
        self.site = grid.site
        self.grid = grid_of(tiles, grid, self.site)

    def __call__(
        self, share: FloatArray, lam: FloatArray, ramp: float, budget: Budget
    ) -> tuple[float, FloatArray, FloatArray]:
        """Cost, its derivative by each share, and the multipliers; ``lam`` are some to start from."""
        tiles, lam = self.tiles, lam.copy()
        shares = share[self.site]

        def work(chunk: tuple[int, int]) -> tuple[float, FloatArray, int]:
            made: tuple[float, FloatArray, int] = kernels.smoothed(tiles.points, lam, *chunk, self.grid, shares, ramp)
            return made

        cost, total = 0.0, np.zeros(tiles.m)
        for part, slope, spent in run_chunks(work, tiles.chunks, tiles.threads):
            cost += part
            total += slope
            budget.spend(spent // 4)
        by_site = np.empty(tiles.m)
        by_site[self.site] = total
        return cost, by_site, lam


def spread(
    tiles: Tiles, p: int, share: FloatArray, lam: FloatArray, ramp: float, passes: int, budget: Budget
) -> tuple[FloatArray, FloatArray]:
    """
    Openness of each site after so many passes, and the mean of the multipliers of the later half.

    Parameters
    ----------
    share, lam
        Openness, float64 (m,), and multipliers, float64 (n,), to start from.
    ramp
        Distance over which a point fades from taking all of a site to none of it.
    """
    cost_of = Smoothed(tiles)
    share = onto(share, p)
    cost, slope, lam = cost_of(share, lam, ramp, budget)
    length = 0.1 * p / tiles.m / max(float(np.abs(slope - np.median(slope)).mean()), 1e-300)
    costs, mean, n_mean = [cost], np.zeros(tiles.n), 0
    done = 0
    while done < passes and not budget.exhausted():
        step = onto(share - length * slope, p) - share
        falls, part = float((slope * step).sum()), 1.0
        while True:
            next_cost, next_slope, next_lam = cost_of(share + part * step, lam, ramp, budget)
            done += 1
            if next_cost <= max(costs[-_MEMORY:]) + 1e-4 * part * falls or part < 1e-3:
                break
            part *= 0.5
        moved, bent = part * step, next_slope - slope
        curve = float((moved * bent).sum())
        length = float(np.clip(float((moved * moved).sum()) / curve, 1e-12, 1e3)) if curve > 0 else 2 * length
        share, cost, slope, lam = share + moved, next_cost, next_slope, next_lam
        costs.append(cost)
        if done > passes // 2:
            mean += lam
            n_mean += 1
    return share, mean / n_mean if n_mean else lam


def onto(share: FloatArray, p: int) -> FloatArray:
    """The nearest openness between 0 and 1 that adds up to p."""
    low, high = float(share.min()) - 1.0, float(share.max())
    for _ in range(100):
        middle = (low + high) / 2
        if float(np.clip(share - middle, 0.0, 1.0).sum()) > p:
            low = middle
        else:
            high = middle
    return np.asarray(np.clip(share - (low + high) / 2, 0.0, 1.0))
