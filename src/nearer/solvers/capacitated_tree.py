"""
Branch and bound over open sites, each node bounded by the Lagrangian (as Görtz, Klose 2012 do).

Best bound first. Where rows may be split and all sites are decided, the transport problem is exact and its duals are
the leaf's multipliers, so every node closes and the certificate holds the whole tree. Where each row is served by one
site, HiGHS closes nodes, and only what the multipliers prove is in the certificate.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nearer.lp import MipStatus
from nearer.solvers import capacitated_dual as dual_side
from nearer.solvers.capacitated_core import CapacitatedCore
from nearer.solvers.capacitated_dual import CapacitatedDual
from nearer.solvers.capacitated_model import make_model, search_model
from nearer.solvers.capacitated_plan import Plan, assign_split, assign_whole
from nearer.solvers.capacitated_proof import CapacitatedProof
from nearer.solvers.state import State

_ITERATIONS = 120
_NODES = 100  # of HiGHS's tree on one model, at first
_FEW_PER_ROW = 6  # entries of such a model, per row


@dataclass(frozen=True)
class _Node:
    number: int
    core: CapacitatedCore
    dual: CapacitatedDual
    searched: float = np.inf
    """Entries of the last model of this branch that HiGHS was given."""
    effort: int = _NODES
    """Nodes that HiGHS may take for the next one, where all sites are decided."""
    floor: float = -np.inf
    """What HiGHS proved of this branch."""

    @property
    def bound(self) -> float:
        """The better of both bounds."""
        return max(self.dual.bound, self.floor)


class CapacitatedTree:
    """
    Searches below one core.

    Parameters
    ----------
    offer
        Told each plan and its core.
    """

    def __init__(
        self,
        core: CapacitatedCore,
        dual: CapacitatedDual,
        state: State,
        proof: CapacitatedProof,
        offer: Callable[[CapacitatedCore, Plan | None], object],
    ) -> None:
        self.state, self.proof, self.offer = state, proof, offer
        self.tried: set[bytes] = set()
        self.certified = np.inf
        """Least bound that the certificate holds of branches that HiGHS closed."""
        root = _Node(0, core, dual)
        self.heap: list[tuple[float, int, _Node]] = [(dual.bound, 0, root)]

    def run(self) -> bool:
        """Search until nothing is left, True, or the state is done."""
        finished = self._run()
        self.certified = min([self.certified, *(node.dual.bound for _, _, node in self.heap)])
        return finished

    def _run(self) -> bool:
        state = self.state
        while self.heap:
            if state.done():
                return False
            bound, _, node = self.heap[0]
            state.proved(bound)
            if state.done():
                return False
            heapq.heappop(self.heap)
            if bound >= state.cutoff:
                state.discard(bound)
                self.certified = min(self.certified, node.dual.bound)
                continue
            self.expand(node)
        if np.isfinite(state.value):
            state.proved(state.cutoff)
        return True

    def expand(self, node: _Node) -> None:
        """Split a node on the site the Lagrangian is least sure of, and bound both halves."""
        core, dual = node.core, node.dual
        free = np.flatnonzero(~core.must)
        decided = not len(free) or int(core.must.sum()) == core.k_max or core.m == core.k_min
        if core.whole_rows:
            node, closed_it = self.search(node, decided)
            if closed_it:
                return
        elif decided:
            self.close(node)
            return
        opened, closed = dual_side.opposites(core, dual)
        unsure = np.abs(dual.share[free] - 0.5)
        # among the least sure, the one whose worse half is bounded best
        worse = np.minimum(opened[free], closed[free])
        site = int(free[np.lexsort((-worse, np.round(unsure, 1)))[0]])
        halves = []
        for value in (1, 0):
            keep, must = np.ones(core.m, dtype=bool), core.must.copy()
            keep[site], must[site] = bool(value), bool(value)
            number = self.proof.add_node(node.number, int(core.site[site]), value)
            halves.append((number, core.restricted(keep, must, np.ones(len(core.crow), dtype=bool))))
        for number, child in halves:
            self.bound_child(number, child, node)

    def bound_child(self, number: int, child: CapacitatedCore, parent: _Node) -> None:
        """Climb at a child, fix what that allows, and keep it if it may hold something better."""
        state = self.state
        if child.k_min > child.m or int(child.must.sum()) > child.k_max:
            return
        dual = dual_side.climb(
            child, parent.dual.lam, state.value, state.budget, _ITERATIONS, lambda bound: None, state.cutoff
        )
        self.proof.bound_by(number, dual.lam)
        if not dual.bound >= state.cutoff and not state.budget.exhausted():
            self.round(child, dual)
            opened, closed = dual_side.opposites(child, dual)
            shut = (opened >= state.cutoff) & ~child.must
            must = (closed >= state.cutoff) & ~child.must & ~shut
            if np.isfinite(state.value) and (shut.any() or must.any()):
                state.discard(float(min(opened[shut].min(initial=np.inf), closed[must].min(initial=np.inf))))
                self.proof.fix(number, child.site[shut], 0)
                self.proof.fix(number, child.site[must], 1)
                child = child.restricted(~shut, child.must | must, np.ones(len(child.crow), dtype=bool))
                if child.k_min > child.m or int(child.must.sum()) > child.k_max:
                    return
                share = dual.share[~shut]
                dual = dual_side.climb(child, dual.lam, state.value, state.budget, 0, lambda bound: None)
                dual.share = share
        node = _Node(number, child, dual, parent.searched, floor=parent.floor)
        heapq.heappush(self.heap, (node.bound, number, node))

    def round(self, core: CapacitatedCore, dual: CapacitatedDual) -> None:
        """Try the cheapest set of the multipliers, and the sites most often open."""
        order = np.lexsort((dual.rho, -dual.share))
        often = core.must.copy()
        chosen = core.cheapest_set(dual.rho)
        often[[j for j in order if not core.must[j]][: int(chosen.sum() - core.must.sum())]] = True
        for open_mask in (often, chosen):
            key = core.site[open_mask].tobytes()
            if key not in self.tried and core.k_min <= int(open_mask.sum()) <= core.k_max:
                self.tried.add(key)
                if core.whole_rows:
                    assigned = assign_whole(core, open_mask, dual.rate)
                else:
                    assigned = assign_split(core, open_mask, self.state.value, self.state.budget.stop)
                self.state.budget.spend(assigned.work)
                self.offer(core, assigned.plan)

    def close(self, node: _Node) -> None:
        """All sites are decided: the transport problem says what that costs, and proves it."""
        core, state = node.core, self.state
        open_mask = core.must.copy() if int(core.must.sum()) == core.k_max else np.ones(core.m, dtype=bool)
        assigned = assign_split(core, open_mask, state.value, state.budget.stop)
        state.budget.spend(assigned.work)
        if assigned.lam is None:  # stopped
            heapq.heappush(self.heap, (node.bound, node.number, node))
            return
        self.offer(core, assigned.plan)
        bound = dual_side.evaluate(core, assigned.lam)[0]
        if bound > node.dual.bound:
            self.proof.bound_by(node.number, assigned.lam)
        state.discard(max(bound, node.dual.bound))

    def search(self, node: _Node, decided: bool) -> tuple[_Node, bool]:
        """
        HiGHS on what a node may still use, where that is little or all sites are decided; whether that closes it.

        A model that defeated HiGHS within its nodes is not tried again before branching has halved it.
        """
        core, dual, state = node.core, node.dual, self.state
        if decided:
            shut = ~core.must if int(core.must.sum()) == core.k_max else np.zeros(core.m, dtype=bool)
            core = core.restricted(~shut, ~shut, np.ones(len(core.crow), dtype=bool))
            assigned = assign_split(core, core.must, state.value, state.budget.stop)
            state.budget.spend(assigned.work)
            if assigned.lam is not None:
                split = dual_side.climb(core, assigned.lam, state.value, state.budget, 0, lambda bound: None)
                if split.bound > dual.bound:
                    self.proof.bound_by(node.number, split.lam)
                    dual = split
                else:
                    dual = dual_side.climb(core, dual.lam, state.value, state.budget, 0, lambda bound: None)
        opened, _ = dual_side.opposites(core, dual)
        keep = ~(dual_side.entry_bounds(core, dual, opened) >= state.cutoff)
        size = int(keep.sum())
        if dual.bound >= state.cutoff:
            state.discard(dual.bound)
            return node, True
        if not decided and (size > _FEW_PER_ROW * core.n or size > node.searched / 2):
            return node, False
        cutoff = state.cutoff
        result = search_model(make_model(core, keep), state, self.offer, max_nodes=node.effort if decided else _NODES)
        if result.status is MipStatus.STOPPED:
            floor = max(node.floor, min(result.bound, cutoff) - 1e-9 * abs(cutoff))
            node = replace(node, dual=dual, searched=size, floor=floor)
            if decided:
                node = replace(node, core=core, effort=4 * node.effort)
                heapq.heappush(self.heap, (node.bound, node.number, node))
            return node, decided
        # nothing below the cutoff is left, or what was found is the best of it
        self.certified = min(self.certified, dual.bound)
        state.discard(min(cutoff, max(result.bound, state.cutoff)))
        return node, True
