"""Branch and bound of twofold cover: the tree of the p-median over another relaxation."""

from __future__ import annotations

from functools import partial

import numpy as np

from nearer.kernels import twofold as kernels
from nearer.solvers.budget import Budget
from nearer.solvers.proof import ProofTree
from nearer.solvers.state import State
from nearer.solvers.tree import SiteTree
from nearer.solvers.twofold_core import TwofoldCore
from nearer.solvers.twofold_dual import RelaxedCover
from nearer.solvers.twofold_master import TwofoldMaster
from nearer.solvers.volume import Dual
from nearer.units import FloatArray, IntArray

_CALL_BUDGET = 2_000_000  # entries a kernel call may scan: well below 0.2 s


def interchange(core: TwofoldCore, open_idx: IntArray, budget: Budget) -> IntArray:
    """Swap, open and close until no single move helps, or the budget ends; never worse than the start."""
    if core.decided:
        return open_idx
    opened = np.zeros(core.m, dtype=bool)
    opened[open_idx] = True
    seen, worth = np.empty((3, core.n), dtype=np.int64), np.empty(core.m)
    value = kernels.start_state(core.ptr, core.col, core.one, core.two, opened, seen, worth)
    budget.spend(core.nnz)
    least = 1e-12 * max(1.0, abs(value))
    start = quiet = 0
    while quiet < core.m and not budget.exhausted():
        start, quiet, spent = kernels.swap_search(
            *(core.ptr, core.col, *core.twin, core.one, core.two, core.price, core.k_min, core.k_max),
            *(opened, seen, worth, start, quiet, least, _CALL_BUDGET),
        )
        budget.spend(spent)
    return np.flatnonzero(opened).astype(np.int32)


class TwofoldTree(SiteTree[TwofoldCore]):
    """The tree of a twofold cover."""

    def __init__(
        self, core: TwofoldCore, master: TwofoldMaster, state: State, proof: ProofTree, fixed_open: IntArray
    ) -> None:
        super().__init__(core, master, state, proof, fixed_open)
        self.hidden: FloatArray = np.maximum(core.two - core.one / 2, 0.0)
        self.sharper_when_fixed = bool(self.hidden.any())

    def bound_at(self, lam: FloatArray, fixed: IntArray) -> Dual:
        """L(λ) where some sites are fixed, rounded down."""
        self.state.budget.spend(2 * self.core.nnz)
        return RelaxedCover(self.core, fixed).dual(lam)

    def polished(self, plan: IntArray) -> IntArray:
        """A plan no worse, from which no single move helps."""
        return interchange(self.core, plan, self.state.budget)

    def store(self, dual: Dual) -> int:
        """Number of these multipliers in the proof."""
        return self.proof.add(partial(self.core.by_row, dual.lam))

    def branch_site(self, y: FloatArray, fixed: IntArray) -> int:
        """
        The most fractional free site; where all are integral, one that covers alone what the relaxation counts as less.

        Where the second cover saves more than the first, the relaxation lets one cover pay half of both, until a site
        of the term is fixed open.
        """
        best = super().branch_site(y, fixed)
        if best >= 0 or not self.hidden.any():
            return best
        core = self.core
        is_open = y > 0.5
        count = np.bincount(core.terms, is_open[core.col], minlength=core.n)
        alone = np.where(count == 1, self.hidden, 0.0)
        worth = np.bincount(core.col, alone[core.terms] * is_open[core.col], minlength=core.m)
        worth[fixed >= 0] = 0.0
        site = int(np.argmax(worth)) if core.m else -1
        return site if site >= 0 and worth[site] > 0 else -1
