"""
Points in the plane by tiles, and the Lagrangian of their p-median over all pairs, none of which is ever held.

``L(λ) = Σ w λ + the least Σ of ρ_j over p sites``, ``ρ_j = Σ_i w_i min(0, c_ij − λ_i)`` with λ per unit of weight; each
pass forms the distances anew (``kernels.tiles``), which is faster than reading them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from nearer.kernels import tiles as kernels
from nearer.kernels.jit import run_chunks
from nearer.kernels.plane import Grid
from nearer.solvers.core import cheapest_set
from nearer.units import BoolArray, FloatArray, IntArray

_TILE = 32
_CHUNKS = 16  # fixed, so that sums do not depend on the number of threads


@dataclass(frozen=True)
class Tiles:
    """
    Weighted points in an order in which neighbours follow each other, and sites.

    Parameters
    ----------
    x, y, weight
        Points, float64 (n,).
    order
        Place of each point where it came from, int64 (n,).
    site_x, site_y
        float64 (m,).
    up, shift
        How costs come from distances (``kernels.tiles``).
    threads
        Of each pass.
    """

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    order: IntArray
    site_x: FloatArray
    site_y: FloatArray
    up: float
    shift: float
    threads: int

    @classmethod
    def of(
        cls,
        x: FloatArray,
        y: FloatArray,
        weight: FloatArray,
        site_x: FloatArray,
        site_y: FloatArray,
        up: float = 0.0,
        shift: float = 0.0,
        threads: int = 1,
    ) -> Tiles:
        """Sort points along a curve."""
        x0, y0 = float(x.min()), float(y.min())
        size = max(float(x.max()) - x0, float(y.max()) - y0, 1e-9)
        order = np.argsort(kernels.hilbert(x, y, x0, y0, size), kind="stable")
        return cls(x[order], y[order], weight[order], order, site_x, site_y, up, shift, threads)

    @property
    def n(self) -> int:
        """Points."""
        return len(self.x)

    @property
    def m(self) -> int:
        """Sites."""
        return len(self.site_x)

    @cached_property
    def tile(self) -> IntArray:
        """First point of each tile, and n."""
        return np.append(np.arange(0, self.n, _TILE), self.n)

    @cached_property
    def box(self) -> FloatArray:
        """Left, right, low and high of each tile."""
        at = self.tile[:-1]
        return np.array(
            [
                np.minimum.reduceat(self.x, at),
                np.maximum.reduceat(self.x, at),
                np.minimum.reduceat(self.y, at),
                np.maximum.reduceat(self.y, at),
            ]
        )

    @cached_property
    def points(self) -> kernels.Points:
        """For the kernels."""
        return kernels.Points(self.x, self.y, self.weight, self.box, self.tile)

    @cached_property
    def costing(self) -> kernels.Costing:
        """For the kernels."""
        return kernels.Costing(self.up, self.shift)

    @cached_property
    def chunks(self) -> list[tuple[int, int]]:
        """Ranges of tiles."""
        cuts = np.linspace(0, len(self.tile) - 1, _CHUNKS + 1).astype(int)
        return [(int(a), int(b)) for a, b in pairwise(cuts) if b > a]

    def two_nearest(self, open_idx: IntArray) -> tuple[FloatArray, IntArray, FloatArray]:
        """Cost at the cheapest of some sites, which one, and cost at the second."""
        nearest = kernels.Nearest(np.empty(self.n), np.empty(self.n, dtype=np.int32), np.empty(self.n))
        site_x, site_y = self.site_x[open_idx], self.site_y[open_idx]

        def work(chunk: tuple[int, int]) -> None:
            kernels.two_nearest(self.points, np.arange(*chunk), site_x, site_y, self.costing, nearest)

        list(run_chunks(work, self.chunks, self.threads))
        return nearest.d1, open_idx[nearest.a1], nearest.d2

    def renew(self, open_idx: IntArray, which: IntArray, nearest: kernels.Nearest) -> None:
        """Costs and places among some sites, again for the points of some tiles."""
        kernels.two_nearest(self.points, which, self.site_x[open_idx], self.site_y[open_idx], self.costing, nearest)

    def near(self, site: IntArray, most: FloatArray) -> IntArray:
        """Tiles that lie nearer to one of some sites than a distance of their own."""
        left, right, low, high = self.box
        close = np.zeros(len(most), dtype=bool)
        for j in site:
            dx = np.maximum(np.maximum(left - self.site_x[j], self.site_x[j] - right), 0.0)
            dy = np.maximum(np.maximum(low - self.site_y[j], self.site_y[j] - high), 0.0)
            close |= dx * dx + dy * dy <= most * most * (1 + 1e-12)
        return np.flatnonzero(close)

    def value(self, open_idx: IntArray) -> float:
        """Cost with these sites open."""
        return float((self.weight * self.two_nearest(open_idx)[0]).sum())

    def cells(self, size: int) -> tuple[Tiles, IntArray]:
        """Each so many points that follow each other as one at their centre, and where each cell begins."""
        cell = np.append(np.arange(0, self.n, size), self.n)
        weight = np.add.reduceat(self.weight, cell[:-1])
        safe = np.where(weight > 0, weight, 1.0)
        x = np.add.reduceat(self.weight * self.x, cell[:-1]) / safe
        y = np.add.reduceat(self.weight * self.y, cell[:-1]) / safe
        order = np.arange(len(weight))
        return Tiles(x, y, weight, order, self.site_x, self.site_y, self.up, self.shift, self.threads), cell


def grid_of(tiles: Tiles, grid: Grid, site: IntArray) -> kernels.SiteGrid:
    """Sites in the order of a grid, for the kernels."""
    return kernels.SiteGrid(
        *(grid.x0, grid.y0, grid.size, grid.nx, grid.ny, grid.start), tiles.site_x[site], tiles.site_y[site]
    )


class PlaneDual:
    """The Lagrangian of p sites in the plane, for ``ascent``."""

    def __init__(self, tiles: Tiles, p: int) -> None:
        self.tiles, self.p, self.m = tiles, p, tiles.m
        self.live: BoolArray = np.ones(tiles.m, dtype=bool)  # not fixed closed
        self.opened: BoolArray = np.zeros(tiles.m, dtype=bool)  # fixed open
        self.spent = 0
        self._grid()

    def _grid(self) -> None:
        at = np.flatnonzero(self.live)
        grid = Grid.of(self.tiles.site_x[at], self.tiles.site_y[at])
        self.site = at[grid.site]
        self.grid = grid_of(self.tiles, grid, self.site)

    def fix(self, closed: BoolArray, opened: BoolArray) -> None:
        """Close and open sites for good."""
        self.live &= ~closed
        self.opened |= opened
        self._grid()

    def rho(self, lam: FloatArray) -> FloatArray:
        """ρ of every site, ``inf`` for those fixed closed."""
        tiles = self.tiles

        def work(chunk: tuple[int, int]) -> tuple[FloatArray, int]:
            made: tuple[FloatArray, int] = kernels.prices(tiles.points, lam, *chunk, self.grid, tiles.costing)
            return made

        total = np.zeros(len(self.site))
        for part, spent in run_chunks(work, tiles.chunks, tiles.threads):
            total += part
            self.spent += spent
        rho = np.full(self.m, np.inf)
        rho[self.site] = total
        return rho

    def cheapest(self, rho: FloatArray) -> IntArray:
        """The p sites of least ρ, those fixed open among them."""
        rank = np.where(self.opened, -np.inf, rho)
        return cheapest_set(rank, self.p, self.p)

    def evaluate(self, lam: FloatArray) -> tuple[float, FloatArray, IntArray]:
        """L(λ), ρ and the cheapest set of sites."""
        rho = self.rho(lam)
        chosen = self.cheapest(rho)
        return float((self.tiles.weight * lam).sum()) + float(rho[chosen].sum()), rho, chosen

    def slope(self, lam: FloatArray, chosen: IntArray, out: FloatArray) -> int:
        """Supergradient at λ, per unit of weight; returns the work done."""
        tiles = self.tiles
        site_x, site_y = tiles.site_x[chosen], tiles.site_y[chosen]

        def work(chunk: tuple[int, int]) -> None:
            kernels.times_served(tiles.points, lam, *chunk, site_x, site_y, tiles.costing, out)

        list(run_chunks(work, tiles.chunks, tiles.threads))
        np.subtract(1.0, out, out=out)
        out *= tiles.weight
        spent, self.spent = self.spent, 0
        return spent // 8 + tiles.n + self.m

    def safe(self, bound: float, lam: FloatArray) -> float:
        """
        L(λ) less what float64 sums may have gained.

        ρ_j adds at most n terms of one sign, each with a few roundings of its own; and ρ over the sites chosen is
        Σ w λ less the bound.
        """
        size = 2 * float((self.tiles.weight * lam).sum()) + abs(bound)
        return bound - float(np.finfo(np.float64).eps) * 2 * (self.tiles.n + self.m + 1000) * size
