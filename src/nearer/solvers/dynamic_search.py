"""Local search over options where no site is ever full: interchange over the phases, side rules kept."""

from __future__ import annotations

import numpy as np

from nearer.kernels import phases as kernels
from nearer.solvers.budget import Budget
from nearer.solvers.dynamic_core import BANDS, DynamicCore
from nearer.units import FloatArray, IntArray

_PIECE = 10_000_000  # pairs scanned between two looks at the clock


class Interchange:
    """Improves plans of a core whose rooms have no limit, where limits on what people meet are charged for."""

    def __init__(self, core: DynamicCore, budget: Budget) -> None:
        self.core, self.budget = core, budget
        rules = core.rules
        levels = np.concatenate([np.full((1, core.n_phases), -1), rules.option_level])
        paths, number = np.unique(levels, axis=0, return_inverse=True)
        number = number.ravel()
        self._path_open = paths >= 0
        self._option_path = number[1:].astype(np.int64)
        self._option_of = np.full((core.n_sites, len(paths)), -1, dtype=np.int64)
        self._option_of[rules.option_site[::-1], self._option_path[::-1]] = np.arange(rules.n_options)[::-1]
        side = np.repeat(np.arange(rules.n_sides), np.diff(rules.side_ptr))
        order = np.argsort(rules.side_option, kind="stable")
        counts = np.bincount(rules.side_option, minlength=rules.n_options)
        self._sides = (
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            side[order],
            np.asarray(rules.side_value, dtype=np.float64)[order],
            np.asarray(rules.side_lower, dtype=np.float64),
            np.asarray(rules.side_upper, dtype=np.float64),
        )

    @staticmethod
    def fits(core: DynamicCore) -> bool:
        """Whether this search is exact for a core."""
        return bool(np.isinf(core.room).all()) and not np.isinf(core.cap).any()

    def improved(self, option: IntArray, pi: FloatArray) -> IntArray:
        """
        The same options, or better ones, until no single interchange saves or the budget is spent.

        Parameters
        ----------
        pi
            What limits charge, float64 (n_limits,).
        """
        core, rules = self.core, self.core.rules
        option = option.astype(np.int64).copy()
        total = rules.side_totals(option)
        is_open = np.ascontiguousarray(rules.option_level[option] >= 0)
        slope, extra, idle = core.priced(pi)
        paid = slope, core.beyond, extra, idle
        d1, d2 = np.empty(idle.shape), np.empty(idle.shape)
        a1 = np.empty(idle.shape, dtype=np.int32)
        kernels.all_two_nearest(core.indptr, core.site, core.cost, core.order, *paid, is_open, d1, d2, a1)
        loss = np.zeros((core.n_sites, core.n_phases))
        for t in range(core.n_phases):
            served = a1[:, t] >= 0
            loss[:, t] = np.bincount(a1[served, t], weights=(d2 - d1)[served, t], minlength=core.n_sites)
        least = 1e-9 * (float(d1.sum()) + abs(float(rules.option_cost[option].sum())))
        start, quiet = 0, 0
        while quiet < core.n_sites and not self.budget.exhausted():
            start, quiet, spent, _ = kernels.interchange(
                core.indptr, core.site, core.cost, core.order, core.cptr[:: core.n_pools * BANDS], core.crow,
                core.ccost, *paid, self._path_open, self._option_path, self._option_of, rules.option_cost, *self._sides,
                option, total, is_open, d1, d2, a1, loss, start, quiet, least, _PIECE,
            )  # fmt: skip
            self.budget.spend(spent)
        return option
