"""Reasons for a plan over regions: multipliers from below, single exchanges from above, for all sites at once."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array

from nearer.model import OPEN, Certificate, Instance, Solution
from nearer.progress import Stop
from nearer.solvers import regions as asked
from nearer.solvers import volume
from nearer.solvers.budget import Budget
from nearer.solvers.exchange import cheapest_swaps
from nearer.solvers.interchange import look
from nearer.solvers.outline import Assignment, Outline, field_of, without_rows
from nearer.solvers.reasons import Reasons, bounded
from nearer.solvers.regions import Regions
from nearer.solvers.volume import Dual
from nearer.units import BoolArray, FloatArray, IntArray

_CLIMB = 100  # iterations that mend multipliers which were made for a smaller problem
_TRIED = 8  # of the plan's own multipliers; the first were made for the whole problem


class Around:
    """A problem whose rows lie in regions, around its plan; see ``reasons.Around``."""

    def __init__(
        self, regions: Regions, standing: IntArray, open_min: int, open_max: int, solution: Solution, budget: Budget
    ) -> None:
        self.instance: Instance = without_rows(standing, open_min, open_max)
        self.core = Outline(regions, self.instance, standing, open_min, open_max)
        self.value, self.bound, self.whole = solution.objective, solution.bound, self.core.whole
        self.inside: BoolArray = solution.open_mask[self.core.site]
        self.plan: IntArray = np.flatnonzero(self.inside).astype(np.int32)
        self.root = self._multipliers(solution, budget)

    def mask(self, plan: IntArray) -> BoolArray:
        """Open sites of the instance, from positions of the core."""
        open_mask: BoolArray = self.instance.standing == OPEN
        open_mask[self.core.site[plan]] = True
        return open_mask

    def _multipliers(self, solution: Solution, budget: Budget) -> Dual:
        """The best of the plan's own multipliers for the whole problem, climbed a little."""
        core, relaxed = self.core, Assignment(self.core, [])
        nearest = core.regions.ask(asked.two_nearest, standing=core.standing, plan=self.inside)
        given: list[FloatArray] = [np.concatenate([one["d1"] for one in nearest])]
        if isinstance(solution.certificate, Certificate):
            given += [row[core.row] for row in solution.certificate.multipliers[:_TRIED]]

        def climbed(lam: FloatArray, iterations: int) -> Dual:
            return volume.climb(relaxed, lam, self.value, budget, iterations, lambda bound: None)

        best = max((climbed(lam, 0) for lam in given), key=lambda dual: dual.bound)
        return climbed(best.lam, _CLIMB) if core.n and not core.decided else best


def reasons_by_regions(
    regions: Regions,
    standing: IntArray,
    open_min: int,
    open_max: int,
    solution: Solution,
    *,
    work_limit: int | None = None,
    stop: Stop | None = None,
) -> Reasons:
    """
    As ``reasons``, where no site is searched by itself.

    Parameters
    ----------
    regions, standing, open_min, open_max, solution
        As for ``solve_by_regions``, and what came of it.
    work_limit, stop
        End the climb of the multipliers early.
    """
    budget = Budget(stop or Stop(), work_limit)
    around = Around(regions, standing, open_min, open_max, solution, budget)
    field, m = field_of(around.core), around.core.m
    now = look(field, around.inside, budget)
    by = field.scale
    extra = coo_array((now.extra / by, (now.out, now.come)), shape=(m, m)).tocsr()
    swaps = cheapest_swaps(around.inside, now.loss / by, now.gain / by, extra, field.k_min, field.k_max)
    multipliers = around.core.full.copy()
    multipliers[around.core.row] = around.root.lam
    return Reasons(tuple(bounded(around, swaps)), multipliers)
