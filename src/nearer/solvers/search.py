"""Primal side: greedy start, interchange to a local optimum, kicks out of it."""

from __future__ import annotations

import numpy as np

from nearer.kernels import moves
from nearer.kernels import pmedian as kernels
from nearer.kernels.kicks import kick_search
from nearer.solvers.budget import Budget
from nearer.solvers.core import Core
from nearer.units import FloatArray, IntArray

_CALL_BUDGET = 4_000_000  # entries a kernel call may scan: well below 0.2 s


def greedy_start(core: Core, budget: Budget) -> IntArray:
    """Open sites one by one, each time the one that saves most."""
    cptr, crow, cval = core.twin
    budget.spend(2 * core.nnz)
    return np.asarray(kernels.greedy(cptr, crow, cval, core.cap, core.price, core.k_min, core.k_max))


def interchange(core: Core, open_idx: IntArray, budget: Budget) -> IntArray:
    """Swap, open and close until no single move helps, or the budget ends; never worse than the start."""
    if core.decided:
        return open_idx
    mask = np.zeros(core.m, dtype=bool)
    mask[open_idx] = True
    plan, spent = moves.plan_of(core.table, mask)
    budget.spend(spent)
    least = 1e-12 * max(1.0, abs(float(plan.d1.sum())))
    start = quiet = 0
    while quiet < core.m and not budget.exhausted():
        start, quiet, spent, _ = moves.swap_search(core.table, plan, start, quiet, least, _CALL_BUDGET)
        budget.spend(spent)
    return np.flatnonzero(mask).astype(np.int32)


def kicked(core: Core, open_idx: IntArray, rng: np.random.Generator, strength: int) -> IntArray:
    """Replace a few open sites by closed ones near them (sites that share rows), at random."""
    mask = np.zeros(core.m, dtype=bool)
    mask[open_idx] = True
    cptr, crow, _ = core.twin
    for _ in range(min(strength, len(open_idx), core.m - len(open_idx))):
        out = int(rng.choice(np.flatnonzero(mask)))
        rows = crow[cptr[out] : cptr[out + 1]]
        if len(rows) == 0:
            continue
        i = int(rng.choice(rows))
        near = core.col[core.ptr[i] : core.ptr[i + 1]]
        near = near[~mask[near]]
        if len(near) == 0:
            continue
        mask[out] = False
        mask[int(rng.choice(near))] = True
    return np.flatnonzero(mask).astype(np.int32)


def kicked_often(core: Core, open_idx: IntArray, rng: np.random.Generator, budget: Budget, work: int) -> IntArray:
    """Kick a plan and descend where something changed, again and again for so much work; never worse than the start."""
    if core.decided or len(open_idx) in (0, core.m):
        return open_idx
    mask = np.zeros(core.m, dtype=bool)
    mask[open_idx] = True
    least = 1e-12 * max(1.0, abs(core.value(open_idx)))
    end = budget.spent + work
    while budget.spent < end and not budget.exhausted():
        most = min(_CALL_BUDGET + 2 * core.n, end - budget.spent)
        _, _, spent = kick_search(core.table, mask, int(rng.integers(2**31)), least, most)
        budget.spend(spent)
    return np.flatnonzero(mask).astype(np.int32)


def filled(plan: IntArray, rank: FloatArray, k_min: int) -> IntArray:
    """Complete a plan of sites to ``k_min`` of them, with those of least rank; ``rank`` is float64 (m,)."""
    inside = np.zeros(len(rank), dtype=bool)
    inside[plan] = True
    order = np.argsort(rank, kind="stable")
    more = order[~inside[order]][: max(k_min - len(plan), 0)]
    return np.sort(np.concatenate([plan, more])).astype(np.int32)
