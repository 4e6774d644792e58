"""
Branch and bound over open sites, each node bounded by the Lagrangian (as Görtz, Klose 2012 do).

Best bound first, where rows may be split: once all sites are decided, the transport problem is exact and its duals are
the leaf's multipliers, so every node closes and the certificate holds the whole tree.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nearer.solvers import capacitated_dual as dual_side
from nearer.solvers.capacitated_core import CapacitatedCore
from nearer.solvers.capacitated_dual import CapacitatedDual
from nearer.solvers.capacitated_plan import Plan, assign_split
from nearer.solvers.capacitated_proof import CapacitatedProof
from nearer.solvers.state import State

_ITERATIONS = 120


@dataclass(frozen=True)
class _Node:
    number: int
    core: CapacitatedCore
    dual: CapacitatedDual


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
        """Least bound that the certificate holds of branches given up."""
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
        if decided:
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
        heapq.heappush(self.heap, (dual.bound, number, _Node(number, child, dual)))

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
            heapq.heappush(self.heap, (node.dual.bound, node.number, node))
            return
        self.offer(core, assigned.plan)
        bound = dual_side.evaluate(core, assigned.lam)[0]
        if bound > node.dual.bound:
            self.proof.bound_by(node.number, assigned.lam)
        state.discard(max(bound, node.dual.bound))
