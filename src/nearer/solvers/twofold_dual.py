"""
Dual side of twofold cover: a price λ_t for every open site in a term.

``L(λ) = base + Σ_t min_n (g_t(n) + λ_t n) + Σ ρ`` over the cheapest set of sites, ``ρ_j = price_j − Σ_{t∋j} λ_t``, with
g_t(0) = one, g_t(1) = two, g_t(2) = 0, is a lower bound for every λ ≥ 0. Its best value is that of the linear
relaxation by the lower envelopes of g.
"""

from __future__ import annotations

import numpy as np

from nearer.kernels import twofold as kernels
from nearer.solvers.core import cheapest_set
from nearer.solvers.twofold_core import TwofoldCore
from nearer.solvers.volume import Dual
from nearer.units import BoolArray, FloatArray, IntArray


class RelaxedCover:
    """The relaxation of a core where some of its sites may be fixed, for ``volume.climb``."""

    def __init__(self, core: TwofoldCore, fixed: IntArray | None = None) -> None:
        self.core = core
        self.fixed: IntArray = np.full(core.m, -1, dtype=np.int8) if fixed is None else fixed
        self.low, self.high, self.m = np.zeros(core.n), core.steep, core.m
        self._pays, self._times = np.empty(core.n), np.empty(core.n, dtype=np.int64)
        self._count = np.empty(core.n, dtype=np.int64)

    def still_open(self) -> tuple[int, int]:
        """How many free sites must, and may, open beside those fixed open."""
        n_opened = int((self.fixed == 1).sum())
        return max(self.core.k_min - n_opened, 0), self.core.k_max - n_opened

    def cheapest(self, rho: FloatArray) -> BoolArray:
        """The cheapest set of free sites, bool (m,)."""
        free = np.flatnonzero(self.fixed < 0)
        chosen = np.zeros(self.m, dtype=bool)
        chosen[free[cheapest_set(rho[free], *self.still_open())]] = True
        return chosen

    def evaluate(self, lam: FloatArray) -> tuple[float, FloatArray, IntArray]:
        """L(λ), ρ and the open sites."""
        core = self.core
        rho = core.price - kernels.site_sums(core.ptr, core.col, lam, core.m)
        kernels.least_paid(core.ptr, core.col, core.one, core.two, lam, self.fixed, self._pays, self._times)
        chosen = self.cheapest(rho) | (self.fixed == 1)
        return core.base + float(self._pays.sum()) + float(rho[chosen].sum()), rho, np.flatnonzero(chosen)

    def slope(self, lam: FloatArray, chosen: IntArray, out: FloatArray) -> int:
        """Supergradient: how many sites a term would like, less those it has. Follows ``evaluate`` at the same λ."""
        core = self.core
        is_open = np.zeros(core.m, dtype=bool)
        is_open[chosen] = True
        kernels.times_open(core.ptr, core.col, is_open, self._count)
        np.subtract(self._times, self._count, out=out, casting="unsafe")
        return 3 * core.nnz + core.n + core.m

    def safe(self, bound: float, lam: FloatArray, rho: FloatArray) -> float:
        """L(λ) less what float64 sums may have gained, as ``lagrangian.rounded_down``."""
        core = self.core
        longest = 64 + int(np.diff(core.twin[0]).max(initial=0))
        size = abs(core.base) + float(np.abs(self._pays).sum()) + float(np.abs(rho).sum())
        size += 2 * float(np.abs(core.price).sum())
        return bound - float(np.finfo(np.float64).eps) * min(longest, 4096) * size

    def dual(self, lam: FloatArray) -> Dual:
        """The bound that λ proves."""
        bound, rho, chosen = self.evaluate(lam)
        share = np.zeros(self.m)
        share[chosen] = 1.0
        return Dual(lam, rho, self.safe(bound, lam, rho), share)


def first_guess(core: TwofoldCore, plan: IntArray) -> FloatArray:
    """λ between what the last open site of each term saved and what the next one would, float64 (n,)."""
    is_open = np.zeros(core.m, dtype=bool)
    is_open[plan] = True
    count = np.empty(core.n, dtype=np.int64)
    kernels.times_open(core.ptr, core.col, is_open, count)
    flat = core.one - core.steep  # the second slope of the lower envelope
    return np.select([count == 0, count == 1, count == 2], [core.steep, (core.steep + flat) / 2, flat / 2], 0.0)
