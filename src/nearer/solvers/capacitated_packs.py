"""
Single-source location bounded by 0-1 knapsacks, and cores made smaller by what that bound excludes.

The Lagrangian of the demand rows as in ``capacitated_dual``, but each site's rows are whole, and the open sites
together have room for what must be served: two integer knapsacks instead of their relaxations (Holmberg, Rönnqvist,
Yuan 1999; Díaz, Fernández 2002).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nearer.kernels import packing as kernels
from nearer.solvers import capacitated_dual as dual_side
from nearer.solvers.budget import Budget
from nearer.solvers.capacitated_core import CapacitatedCore
from nearer.solvers.capacitated_dual import CapacitatedDual
from nearer.units import BoolArray, FloatArray, IntArray

_PER_CALL = 10_000_000  # entries looked at between two questions to the clock
_MANY_SITES = 500  # beyond which sites are not forced one by one


@dataclass(frozen=True)
class Pairs:
    """
    What a Lagrangian says of single decisions.

    Parameters
    ----------
    opened, closed
        Bounds where one site opens, and where it does not, float64 (m,).
    within, without
        Bounds where one entry is used, and where it is not, float64 (nnz,).
    """

    opened: FloatArray
    closed: FloatArray
    within: FloatArray
    without: FloatArray


@dataclass(frozen=True)
class Rest:
    """
    What is left to decide.

    Parameters
    ----------
    core
        Rows that are settled have no entries there, need nothing and cost nothing; what they cost is in the prices.
    settled
        Site of each row that is settled, as a position in the instance, int32 (n,); -1 where not.
    """

    core: CapacitatedCore
    settled: IntArray


def demand_of(core: CapacitatedCore) -> float:
    """What must be served, together."""
    return float(core.need[~np.isfinite(core.idle)].sum())


def climb(core: CapacitatedCore, lam: FloatArray, upper: float, budget: Budget, iterations: int) -> CapacitatedDual:
    """Improve multipliers for so many iterations, or until ``upper``, what a better plan must be below, is proven."""
    lam = np.clip(lam, 0.0, core.idle)
    rho, share, memory = np.empty(core.m), np.empty(core.m), np.zeros(5)
    served, use = np.empty(core.n), np.empty(len(core.crow))
    # a target a little farther than what is to be proven, or steps vanish just before it
    target = upper + 1e-4 * abs(upper) if np.isfinite(upper) else np.inf
    cost = 8 * len(core.crow) + 20 * core.n + 10 * core.m
    done = 0
    while True:
        wanted = min(max(1, _PER_CALL // cost), iterations - done)
        made = kernels.climb_packs(
            core.cptr, core.crow, core.cval, core.need, core.price, core.room, core.must, core.k_min, core.k_max,
            demand_of(core), core.idle, target, upper, wanted, lam, rho, served, use, share, memory,
        )  # fmt: skip
        done += made
        budget.spend((made + 1) * cost)
        if made < wanted or done >= iterations or budget.exhausted():
            break
    return CapacitatedDual(lam, float(memory[0]), rho, np.zeros(core.m), share, use)


def look_ahead(core: CapacitatedCore, dual: CapacitatedDual, cutoff: float, budget: Budget) -> Pairs | None:
    """Bounds of single decisions; None where the budget ends first."""
    if core.m <= _MANY_SITES:
        opened, closed = np.empty(core.m), np.empty(core.m)
        least = kernels.site_bounds(
            dual.rho, core.must, core.room, core.k_min, core.k_max, demand_of(core), opened, closed
        )
        budget.spend(20 * core.m * core.m)
        opened, closed = opened + (dual.bound - least), closed + (dual.bound - least)
    else:
        opened, closed = dual_side.opposites(core, dual)
    within, without = np.empty(len(core.crow)), np.empty(len(core.crow))
    begin = 0
    while begin < core.m:
        end = begin + 1
        while end < core.m and core.cptr[end + 1] - core.cptr[begin] < _PER_CALL // 1000:
            end += 1
        kernels.pair_bounds(
            core.cptr, core.crow, core.cval, core.need, core.room, dual.lam, core.price, dual.rho, opened, closed,
            cutoff, begin, end, within, without,
        )  # fmt: skip
        budget.spend(100 * int(core.cptr[end] - core.cptr[begin]))
        if budget.exhausted():
            return None
        begin = end
    return Pairs(opened, closed, within, without)


def settle(rest: Rest, keep_site: BoolArray, must: BoolArray, keep_entry: BoolArray, use: BoolArray) -> Rest | None:
    """
    Decide sites and entries, and what follows from that; None where no plan is left.

    Parameters
    ----------
    keep_site, must
        Sites that may be open, and that are, bool (m,).
    keep_entry, use
        Entries that may be used, and that are, bool (nnz,).
    """
    core, settled = rest.core, rest.settled.copy()
    while True:
        if int(must.sum()) == core.k_max:
            keep_site = keep_site & must
        elif int(keep_site.sum()) == core.k_min:
            must = keep_site
        if np.any(must & ~keep_site):
            return None
        chosen = np.flatnonzero(use)
        site = core.entry_site[chosen]
        row = core.crow[chosen]
        if len(np.unique(row)) < len(row) or np.any(settled[row] >= 0) or not keep_site[site].all():
            return None
        price, room, must = core.price.copy(), core.room.copy(), must.copy()
        need, idle = core.need.copy(), core.idle.copy()
        np.add.at(price, site, core.cval[chosen])
        np.subtract.at(room, site, need[row])
        if np.any(room < -1e-9 * core.room):
            return None
        room[site] += 1e-12 * core.room[site]  # more than rounding took, less than any plan is allowed
        room = np.maximum(room, 0.0)
        settled[row], need[row], idle[row], must[site] = core.site[site], 0.0, 0.0, True
        gone = np.zeros(core.n, dtype=bool)
        gone[row] = True
        fits = core.need[core.crow] <= room[core.entry_site] * (1 + 1e-9)
        smaller = replace(core, price=price, room=room, need=need, idle=idle)
        core = smaller.restricted(keep_site, must, keep_entry & fits & ~gone[core.crow])
        if core.k_min > core.m or int(core.must.sum()) > core.k_max:
            return None
        obliged = ~np.isfinite(core.idle)
        choices = np.bincount(core.crow, minlength=core.n)
        if np.any(choices[obliged] == 0) or float(core.room.sum()) < demand_of(core) * (1 - 1e-9):
            return None
        use = (obliged & (choices == 1))[core.crow]
        if not use.any():
            return Rest(core, settled)
        keep_site, must, keep_entry = np.ones(core.m, dtype=bool), core.must, np.ones(len(core.crow), dtype=bool)


def carried(old: CapacitatedCore, new: CapacitatedCore) -> tuple[IntArray, IntArray]:
    """Positions in the old core of the sites and entries of one that came from it, int64 (m,) and (nnz,)."""
    site = np.searchsorted(old.site, new.site)
    key = old.entry_site * old.n + old.crow
    return site, np.searchsorted(key, site[new.entry_site] * old.n + new.crow)
