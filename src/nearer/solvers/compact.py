"""
The compact model of an aim under limits, for HiGHS: one variable per distinct set of nearest sites.

A row whose free sites lie at times v_1 ≤ v_2 ≤ … pays, whatever the aim, ``c(v_1) + Σ_e (c(v_{e+1}) − c(v_e)) z_e``
with z_e = 1 where none of its e nearest sites is open (Cornuejols, Nemhauser, Wolsey 1980). The sets do not depend on
the aim, so that all limits speak of the same variables; rows that see the same set share one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nearer.lp import MipProblem, MipStatus, solve_mip
from nearer.model import OPEN, Instance
from nearer.model.aims import Aim, times_to_open
from nearer.solvers.budget import LP_ITERATION_WORK
from nearer.solvers.core import Core, make_core
from nearer.solvers.master import Prefixes
from nearer.units import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from nearer.solvers.limited import Effort, Limit

_MOST_ENTRIES, _MOST_ROWS = 3_000_000, 200_000  # above this size HiGHS finds nothing in useful time
_ROOM = 1e-9  # by which a limit is loosened, relative to it, so that rounding bars no plan that keeps it


@dataclass(frozen=True)
class CompactResult:
    """Plans found, a lower bound of the aim's total cost, and whether no plan keeps the limits."""

    plans: tuple[BoolArray, ...]
    bound: float
    impossible: bool


@dataclass(frozen=True)
class Compact:
    """
    The model, columns y (free sites) then z (sets).

    Parameters
    ----------
    constant
        What the aim costs whatever opens.
    """

    times: Instance
    core: Core
    prefixes: Prefixes
    sets: IntArray
    constant: float
    problem: MipProblem

    @classmethod
    def of(
        cls, times: Instance, aim: Aim | None, limits: Sequence[Limit], site_price: FloatArray | None
    ) -> Compact | None:
        """Set up the model; None where it would be too large."""
        core = make_core(replace(times, weight=np.ones((1, times.n_rows)), open_cost=None))
        if core.nnz > 4 * _MOST_ENTRIES:
            return None
        prefixes = Prefixes(core)
        standing = times_to_open(times, np.asarray(times.standing == OPEN))
        aims = [aim, *(limit.aim for limit in limits)]
        terms = [_steps(core, prefixes, one, standing) for one in aims]
        needed = np.zeros(len(prefixes.amount), dtype=bool)
        for _, amount in terms:
            needed |= amount > 0
        sets = np.flatnonzero(needed)
        sizes = prefixes.last[sets] - prefixes.first[sets] + 1
        if int(sizes.sum()) > _MOST_ENTRIES or len(sets) > _MOST_ROWS:
            return None
        m, n = core.m, len(sets)
        free_price = np.zeros(m) if site_price is None else site_price[core.site]
        open_price = 0.0 if site_price is None else math.fsum(site_price[times.standing == OPEN])
        cost = np.concatenate([free_price, terms[0][1][sets]])

        # y(S) + z >= 1 of each set, then how many open, then the limits
        offset = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        own = np.cumsum(sizes + 1) - 1
        column = np.empty(int(sizes.sum()) + n, dtype=np.int32)
        is_site = np.ones(len(column), dtype=bool)
        is_site[own] = False
        column[is_site] = core.col[np.repeat(prefixes.first[sets], sizes) + offset]
        column[own] = m + np.arange(n)
        columns, values = [column, np.arange(m, dtype=np.int32)], [np.ones(len(column)), np.ones(m)]
        counts = [sizes + 1, np.array([m])]
        lower = [np.ones(n), np.array([float(core.k_min)])]
        upper = [np.full(n, np.inf), np.array([float(core.k_max)])]
        for limit, (base, amount) in zip(limits, terms[1:], strict=True):
            site = np.zeros(m) if limit.price is None else limit.price[core.site]
            if limit.price is not None:
                base += math.fsum(limit.price[times.standing == OPEN])
            row = np.concatenate([site, amount[sets]])
            at = np.flatnonzero(row)
            scale = float(np.abs(row).max(initial=1.0)) or 1.0
            columns.append(at.astype(np.int32))
            values.append(row[at] / scale)
            counts.append(np.array([len(at)]))
            lower.append(np.array([-np.inf]))
            upper.append(np.array([(limit.most * (1 + _ROOM) - base) / scale]))
        integer = np.zeros(m + n, dtype=bool)
        integer[:m] = True
        return cls(
            times,
            core,
            prefixes,
            sets,
            terms[0][0] + open_price,
            MipProblem(
                cost=cost,
                lower=np.zeros(m + n),
                upper=np.ones(m + n),
                integer=integer,
                row_lower=np.concatenate(lower),
                row_upper=np.concatenate(upper),
                indptr=np.concatenate([[0], np.cumsum(np.concatenate(counts))]),
                column=np.concatenate(columns),
                value=np.concatenate(values),
            ),
        )

    def columns_of(self, open_mask: BoolArray) -> FloatArray:
        """The solution that a plan is, float64 (n_columns,)."""
        y = open_mask[self.core.site].astype(np.float64)
        covered = self.prefixes.openness(self.core, y)[self.sets]
        return np.concatenate([y, np.where(covered > 0.5, 0.0, 1.0)])

    def plan_of(self, x: FloatArray) -> BoolArray:
        """Open sites of a solution, bool (n_sites,)."""
        open_mask = np.asarray(self.times.standing == OPEN)
        open_mask[self.core.site[x[: self.core.m] > 0.5]] = True
        return open_mask

    def solve(self, start: BoolArray | None, value: float, goal: float | None, effort: Effort) -> CompactResult:
        """Search from a plan within the limits, if one is known, with what effort is left."""
        scale = float(self.problem.cost.max(initial=0.0)) or 1.0
        problem = replace(self.problem, cost=self.problem.cost / scale)
        plans: list[BoolArray] = []

        def stop(bound: float, nodes: int) -> bool:
            above = goal is not None and self.constant + scale * bound > goal * (1 + _ROOM)
            return effort.over or above

        result = solve_mip(
            problem,
            stop,
            remaining_s=effort.stop.remaining_s,
            start=None if start is None else self.columns_of(start),
            absolute_gap=1e-9,
            relative_gap=min(1e-10, effort.gap),
            max_nodes=None if effort.left is None else max(1, effort.left // (20 * LP_ITERATION_WORK)),
            on_solution=lambda x: plans.append(self.plan_of(x)),
        )
        effort.spent += result.iterations * LP_ITERATION_WORK + len(self.problem.value)
        if result.status is MipStatus.INFEASIBLE:
            return CompactResult(tuple(plans), math.inf if start is None else value, start is None)
        if result.x is not None:
            plans.append(self.plan_of(result.x))
        bound = self.constant + scale * result.bound if math.isfinite(result.bound) else -math.inf
        return CompactResult(tuple(plans), bound - 1e-12 * abs(bound) if math.isfinite(bound) else bound, False)


def _steps(core: Core, prefixes: Prefixes, aim: Aim | None, standing: FloatArray) -> tuple[float, FloatArray]:
    """What an aim costs whatever opens, and what each set adds when none of its sites is open, float64 (n_sets,)."""
    if aim is None:
        return 0.0, np.zeros(len(prefixes.amount))
    capped = aim.paid(standing)
    weight = aim.weight[core.row]
    cost = np.minimum(aim.cost_of(core.val.astype(np.int64)), aim.unserved) * weight[core.rows]
    following = np.concatenate([cost[1:], np.zeros(1)])[: len(cost)]
    following[core.ptr[1:] - 1] = capped[core.row]
    step = np.maximum(following - cost, 0.0)
    outside = np.ones(len(capped), dtype=bool)
    outside[core.row] = False
    constant = math.fsum(capped[outside]) + math.fsum(cost[core.ptr[:-1]])
    return constant, np.bincount(prefixes.of_entry, step, minlength=len(prefixes.amount)).astype(np.float64)
