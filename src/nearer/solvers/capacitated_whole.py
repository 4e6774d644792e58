"""
Branch and bound where each row is served whole by one site: sites first, by 0-1 knapsack Lagrangians; HiGHS on leaves.

Best bound first. At each node the Lagrangian excludes sites and pairs of row and site, and what is left is contracted.
Where all sites are decided, or few pairs are left, HiGHS's branch and cut gets the rest under the cutoff and a limit
of nodes; where that ends it, the node is split on, or comes back with four times the limit.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nearer.lp import MipStatus
from nearer.solvers import capacitated_packs as packs
from nearer.solvers.capacitated_core import CapacitatedCore
from nearer.solvers.capacitated_dual import CapacitatedDual
from nearer.solvers.capacitated_model import make_model, search_model
from nearer.solvers.capacitated_packs import Pairs, Rest
from nearer.solvers.capacitated_plan import Plan
from nearer.solvers.state import State
from nearer.units import BoolArray, FloatArray, IntArray

_ROOT, _BELOW = 600, 60  # iterations of the climb
_NODES = 200  # of HiGHS's tree on one model, at first
_FEW_PER_ROW = 4  # entries of such a model, per row
_UNSURE = 0.05  # share of the climb from which a site is open now and then


@dataclass(frozen=True)
class Node:
    """
    Part of what is still searched.

    Parameters
    ----------
    bound
        What any plan in it costs at least.
    effort
        Nodes that HiGHS may take for it; 0 where it was given up until sites are decided.
    """

    bound: float
    rest: Rest
    dual: CapacitatedDual
    pairs: Pairs
    effort: int = _NODES
    searched: float = np.inf
    """Entries of the last model of this branch that HiGHS was given."""


class WholeTree:
    """
    Searches below one core.

    Parameters
    ----------
    offer_sites
        Told sets of sites, as positions in the instance, that are worth an assignment, and multipliers.
    offer_rows
        Told assignments: open sites, and the site of each row or -1, as positions in the instance.
    """

    def __init__(
        self,
        state: State,
        offer_sites: Callable[[IntArray, FloatArray], object],
        offer_rows: Callable[[IntArray, IntArray], object],
    ) -> None:
        self.state, self.offer_sites, self.offer_rows = state, offer_sites, offer_rows
        self.heap: list[tuple[float, int, Node]] = []
        self._number = 0
        self._closed = 0, 0
        self.refused = False
        """Whether, with no plan known, something was given up that may hold one."""

    def run(self, core: CapacitatedCore, lam: FloatArray) -> bool:
        """Search until nothing is left, True, or the state is done."""
        state = self.state
        rest = Rest(core, np.full(core.n, -1, dtype=np.int32))
        everything = np.ones(core.m, dtype=bool), core.must, np.ones(len(core.crow), dtype=bool)
        settled = packs.settle(rest, *everything, np.zeros(len(core.crow), dtype=bool))
        if settled is not None:
            self.keep(self.tighten(settled, lam, state.bound, _ROOT))
        while self.heap:
            state.proved(self.heap[0][0])
            if state.done():
                return False
            _, _, node = heapq.heappop(self.heap)
            if node.bound >= state.cutoff:
                state.discard(node.bound)
                continue
            self.expand(node)
        if self.refused and not np.isfinite(state.value):
            return False
        if np.isfinite(state.value):
            state.proved(state.cutoff)
        return True

    def keep(self, node: Node | None) -> None:
        """Keep a node for later, if there is one."""
        if node is None:
            return
        self._number += 1
        heapq.heappush(self.heap, (node.bound, self._number, node))

    def tighten(self, rest: Rest, lam: FloatArray, floor: float, iterations: int) -> Node | None:
        """Climb, exclude, contract, as long as that helps much; None where nothing better is left."""
        state = self.state
        root = self._number == 0
        while True:
            core = rest.core
            if not len(core.crow) and core.must.all():
                self.offer(rest, core.must, np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32))
                left = float(core.price.sum()) + float(core.idle.sum())
                state.discard(min(left - 1e-12 * abs(left), state.cutoff))
                self.refused |= not np.isfinite(state.value)
                return None
            dual = packs.climb(core, lam, state.cutoff, state.budget, iterations)
            lam, floor = dual.lam, max(floor, dual.bound)
            if floor >= state.cutoff:
                state.discard(min(floor, state.cutoff))
                return None
            if root:
                state.proved(dual.bound)
            pairs = None if state.budget.exhausted() else packs.look_ahead(core, dual, state.cutoff, state.budget)
            if pairs is None:  # stopped: the node stays as it is
                site, entry = np.full(core.m, dual.bound), np.full(len(core.crow), dual.bound)
                return Node(floor, rest, dual, Pairs(site, site, entry, entry))
            self.offer_sites(self.sites_of(core, dual), dual.lam)
            keep_site = ~(pairs.opened >= state.cutoff)
            must = core.must | (pairs.closed >= state.cutoff)
            keep = ~(pairs.within >= state.cutoff)
            use = keep & (pairs.without >= state.cutoff)
            if keep_site.all() and keep.all() and not use.any() and np.array_equal(must, core.must):
                return Node(floor, rest, dual, pairs)
            state.discard(state.cutoff)
            smaller = packs.settle(rest, keep_site, must, keep, use)
            if smaller is None:
                return None
            sites, entries = packs.carried(core, smaller.core)
            rest = smaller
            if len(rest.core.crow) > 0.8 * len(core.crow):
                dual = replace(dual, rho=dual.rho[sites], share=dual.share[sites], use=dual.use[entries])
                pairs = Pairs(pairs.opened[sites], pairs.closed[sites], pairs.within[entries], pairs.without[entries])
                return Node(floor, rest, dual, pairs)
            iterations = max(iterations // 2, _BELOW)

    @staticmethod
    def sites_of(core: CapacitatedCore, dual: CapacitatedDual) -> IntArray:
        """The sites most often open in a climb, as many as were open on average and hold what must be served."""
        order = np.lexsort((dual.rho, -dual.share, ~core.must))
        count = int(np.clip(round(float(dual.share.sum())), max(core.k_min, int(core.must.sum())), core.k_max))
        held = np.cumsum(core.room[order])
        wanted = packs.demand_of(core) * (1 - 1e-9)
        count = min(max(count, int(np.searchsorted(held, wanted)) + 1), core.k_max, core.m)
        return np.sort(core.site[order[:count]])

    def expand(self, node: Node) -> None:
        """HiGHS where little is left or all sites are decided; else split on the site least sure."""
        core = node.rest.core
        n_rows = max(1, int(np.count_nonzero(np.bincount(core.crow, minlength=core.n))))
        free = np.flatnonzero(~core.must)
        decided = not len(free)
        size = len(core.crow)
        if decided or (size <= _FEW_PER_ROW * n_rows and size <= node.searched / 2):
            if self.close(node):
                return
            if node.bound >= self.state.cutoff:  # by a plan found on the way
                self.state.discard(node.bound)
                return
            floor = self.search(node)
            if floor is None:
                return
            node = replace(node, bound=max(node.bound, floor), searched=size)
            if decided:
                self.keep(replace(node, effort=4 * node.effort))
                return
        for child in self.children(node.rest, *self.by_site(node, free)):
            child_node = self.tighten(child, node.dual.lam, node.bound, _BELOW)
            self.keep(None if child_node is None else replace(child_node, searched=node.searched))

    def children(self, rest: Rest, site: int, entry: int) -> list[Rest]:
        """With a site open and closed, or with an entry used and not, whichever is not -1."""
        core = rest.core
        out = []
        for value in (True, False):
            keep, must = np.ones(core.m, dtype=bool), core.must.copy()
            keep_entry, use = np.ones(len(core.crow), dtype=bool), np.zeros(len(core.crow), dtype=bool)
            if site >= 0:
                keep[site], must[site] = value, value
            else:
                keep_entry[entry], use[entry] = value, value
            child = packs.settle(rest, keep, must, keep_entry, use)
            if child is not None:
                out.append(child)
        if len(out) < 2:
            self.state.discard(self.state.cutoff)
        return out

    def by_site(self, node: Node, free: IntArray) -> tuple[int, int]:
        """The site to branch on: least sure to be open, or where deciding raises the bound most."""
        dual, state = node.dual, self.state
        missing = max(state.cutoff - node.bound, 1e-12 * max(abs(node.bound), 1.0))
        unsure = np.minimum(dual.share[free], 1.0 - dual.share[free])
        gain = np.maximum(node.pairs.opened[free], node.pairs.closed[free]) - node.bound
        gain = np.clip(gain / missing, 0.0, 1.0) if np.isfinite(missing) else 0.0 * gain
        score = gain + 5.0 * unsure if unsure.max() > _UNSURE else gain
        return int(free[np.argmax(score)]), -1

    def by_pair(self, node: Node) -> tuple[int, int]:
        """The site or the entry to branch on: a site now and then open first, else large needs least sure to be."""
        core, dual = node.rest.core, node.dual
        free = np.flatnonzero(~core.must)
        if len(free) and (not len(core.crow) or np.minimum(dual.share[free], 1.0 - dual.share[free]).max() > _UNSURE):
            return self.by_site(node, free)
        unsure = np.minimum(dual.use, 1.0 - dual.use) + 1e-3 * dual.use
        return -1, int(np.argmax(unsure * np.maximum(core.need[core.crow], 1e-9)))

    def close(self, node: Node) -> bool:
        """Depth first by pairs, a few hundred nodes, to the end or not at all; whether it came there."""
        won, lost = self._closed
        if node.effort == _NODES and lost > 3 * (won + 1):
            return False
        stack, limit, lam = [node.rest], 2 * node.effort, node.dual.lam
        stack_lam = [lam]
        first = True
        while stack and limit > 0:
            if self.state.done():
                return False
            rest, lam = stack.pop(), stack_lam.pop()
            here = node if first else self.tighten(rest, lam, node.bound, _BELOW)
            first = False
            limit -= 1
            if here is None:
                continue
            below = self.children(here.rest, *self.by_pair(here))
            stack.extend(below[::-1])
            stack_lam.extend([here.dual.lam] * len(below))
        self._closed = (won + 1, lost) if not stack else (won, lost + 1)
        return not stack

    def search(self, node: Node) -> float | None:
        """HiGHS on all that a node may still use; None where that closes it, else the bound that it proved."""
        core, state = node.rest.core, self.state
        cutoff = state.cutoff
        model = make_model(core, np.ones(len(core.crow), dtype=bool))

        def offer(core: CapacitatedCore, plan: Plan | None) -> None:
            if plan is not None:
                self.offer(node.rest, plan.open_mask, plan.row, plan.site)

        result = search_model(model, state, offer, max_nodes=node.effort)
        if result.status is MipStatus.STOPPED:
            return min(result.bound, cutoff) - 1e-9 * abs(min(result.bound, cutoff))
        if result.status is MipStatus.INFEASIBLE or result.bound >= cutoff:
            state.discard(cutoff)
        elif state.cutoff < cutoff:  # what was found is the best of it
            state.discard(min(cutoff, max(result.bound - 1e-9 * abs(result.bound), state.cutoff)))
        else:  # what HiGHS found holds only within its tolerances
            state.discard(result.bound - 1e-9 * abs(result.bound))
            self.refused |= not np.isfinite(state.value)
        return None

    def offer(self, rest: Rest, open_mask: BoolArray, row: IntArray, site: IntArray) -> None:
        """A plan of what was left, with what was settled before."""
        core = rest.core
        where = rest.settled.copy()
        where[row] = core.site[site]
        self.offer_rows(core.site[open_mask], where)
