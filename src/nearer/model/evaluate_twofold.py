"""
The bound that multipliers prove of a twofold cover, in plain NumPy.

Nothing here is shared with the solvers or their kernels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model.instance import FORBIDDEN, OPEN, Instance
from nearer.units import BoolArray, FloatArray, IntArray

_EPS = float(np.finfo(np.float64).eps)


@dataclass
class TwofoldBounds:
    """
    Lagrangian bounds of a covering whose rows want to be covered twice.

    A row that n open sites cover pays ``g_i(n) = w_i u_i · (1, s_i, 0, 0, …)`` for n = 0, 1, 2, … With a price
    λ_i ≥ 0 per site that covers it,

    ``L(λ) = Σ_i min_n (g_i(n) + λ_i n) + Σ_{j∈O} ρ_j + min_{S⊆F, k≤|S|≤K} Σ_{j∈S} ρ_j``, ``ρ_j = f_j − Σ_{i∋j} λ_i``,

    is a lower bound for every λ, where n runs from the number of open sites that cover the row to that and the
    undecided ones.
    """

    open_min: int
    open_max: int
    standing_open: BoolArray
    site_price: FloatArray
    multipliers: FloatArray
    first: FloatArray
    second: FloatArray
    pair_row: IntArray
    pair_site: IntArray

    @classmethod
    def of(cls, instance: Instance, multipliers: FloatArray) -> TwofoldBounds:
        """
        The sums that all bounds share.

        Raises
        ------
        CheckFailedError
            The instance is no covering.
        """
        if instance.second_share is None or np.any(np.asarray(instance.cost) != 0) or instance.capacitated:
            raise CheckFailedError("The certificate proves nothing: it is made for covering, at cost 0.")
        weight = np.asarray(instance.weight[0])
        first = np.multiply(weight, instance.unserved, out=np.zeros_like(weight), where=weight > 0)
        usable = np.flatnonzero(instance.standing[instance.site_idx] != FORBIDDEN)
        return cls(
            open_min=int(instance.open_min[0]),
            open_max=int(instance.open_max[0]),
            standing_open=instance.standing == OPEN,
            site_price=instance.price,
            multipliers=np.maximum(multipliers, 0.0),
            first=first,
            second=first * instance.second_share,
            pair_row=np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))[usable],
            pair_site=np.asarray(instance.site_idx[usable]),
        )

    def at(self, multiplier: int, state: IntArray) -> float:
        """Bound where some free sites are decided, int8 (n_sites,), rounded down; ``inf`` where no plan is left."""
        n_decided_open = int(np.count_nonzero(state == 1))
        undecided = np.flatnonzero(state == -1)
        if n_decided_open > self.open_max or n_decided_open + len(undecided) < self.open_min:
            return math.inf
        lam = self.multipliers[multiplier]
        n_rows, n_sites = len(lam), len(self.standing_open)
        is_open = self.standing_open | (state == 1)
        low = np.bincount(self.pair_row[is_open[self.pair_site]], minlength=n_rows)
        high = low + np.bincount(self.pair_row[state[self.pair_site] == -1], minlength=n_rows)
        pays = [
            np.where((low <= n) & (high >= n), cost + n * lam, math.inf)
            for n, cost in ((0, self.first), (1, self.second))
        ]
        # Beyond two nothing is saved, so only as many as are open already.
        pays.append(np.where(high >= 2, np.maximum(low, 2) * lam, math.inf))
        rows = np.minimum.reduce(pays)
        rho = self.site_price - np.bincount(self.pair_site, lam[self.pair_row], minlength=n_sites)
        size = self.site_price.astype(np.float64)
        size = np.abs(size) + np.bincount(self.pair_site, lam[self.pair_row], minlength=n_sites)
        must = min(max(self.open_min - n_decided_open, 0), len(undecided))
        order = undecided[np.argsort(rho[undecided], kind="stable")][: self.open_max - n_decided_open]
        chosen = np.concatenate([order[:must], order[must:][rho[order[must:]] < 0]])
        total = math.fsum(rows) + math.fsum(rho[is_open]) + math.fsum(rho[chosen])
        longest = int(np.bincount(self.pair_site, minlength=n_sites).max(initial=0))
        magnitude = float(rows.sum()) + float(size[is_open].sum()) + float(size[chosen].sum())
        return total - _EPS * ((longest + 8) * magnitude)
