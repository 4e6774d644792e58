"""Branch and bound over the Benders relaxation: best bound first, plunging into the open branch."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from nearer.lp import LpStatus
from nearer.solvers import lagrangian as dual_side
from nearer.solvers.core import Core, cheapest_set
from nearer.solvers.lagrangian import Dual, opposites
from nearer.solvers.master import Master
from nearer.solvers.proof import ProofBuilder
from nearer.solvers.search import interchange
from nearer.solvers.state import State
from nearer.units import BoolArray, FloatArray, IntArray

_INTEGRAL = 1e-6


@dataclass(order=True)
class Node:
    """An open node: its bound, age, place in the proof, and what is fixed (-1 free, 0 closed, 1 open) per site."""

    bound: float
    age: int
    place: int
    fixed: IntArray = field(compare=False)


class Tree:
    """
    The search below one core.

    Parameters
    ----------
    core, master, state, proof
        What is searched, with what relaxation, and where results go.
    fixed_open
        Instance positions of the sites that earlier fixing opened: part of every plan found here.
    """

    def __init__(
        self, core: Core, master: Master, state: State, proof: ProofBuilder, fixed_open: IntArray, threads: int
    ) -> None:
        self.core, self.master, self.state, self.proof = core, master, state, proof
        self.fixed_open, self.threads = fixed_open, threads
        self.chunks = dual_side.row_chunks(core)
        self.nodes_done = 0
        self.root_fixed: IntArray = np.full(core.m, -1, dtype=np.int8)

    def bound_at(self, lam: FloatArray, fixed: IntArray) -> Dual:
        """L(λ) where some sites are fixed, rounded down."""
        core = self.core
        rho = dual_side.prices(core, lam, self.chunks, self.threads)
        opened, free = fixed == 1, fixed < 0
        chosen = self.cheapest(rho, fixed)
        bound = core.base + float(lam.sum()) + float(rho[opened].sum()) + float(rho[chosen & free].sum())
        self.state.budget.spend(core.nnz)
        return Dual(lam, rho, dual_side.rounded_down(bound, core, lam, rho), np.zeros(0))

    def still_open(self, fixed: IntArray) -> tuple[int, int]:
        """How many free sites must, and may, open beside those fixed open."""
        n_opened = int((fixed == 1).sum())
        return max(self.core.k_min - n_opened, 0), self.core.k_max - n_opened

    def cheapest(self, rho: FloatArray, fixed: IntArray) -> BoolArray:
        """The cheapest set of free sites where some are fixed, bool (m,)."""
        free = np.flatnonzero(fixed < 0)
        chosen = np.zeros(self.core.m, dtype=bool)
        chosen[free[cheapest_set(rho[free], *self.still_open(fixed))]] = True
        return chosen

    def relax(self, fixed: IntArray, rounds: int) -> Dual | None:
        """Solve the relaxation at a node, adding cuts; None when stopped."""
        sites = np.flatnonzero(fixed >= 0)
        self.master.fix(sites, fixed[sites])
        best: Dual | None = None
        last = -float("inf")
        for turn in count():
            if self.master.solve() is not LpStatus.OPTIMAL:
                return None
            dual = self.bound_at(self.master.multipliers(), fixed)
            best = dual if best is None or dual.bound > best.bound else best
            room = self.state.cutoff - self.master.value
            slow = turn == rounds - 1 or self.master.value - last < 1e-3 * room
            # An integral solution ends the branch, so its terms must be right first.
            if best.bound >= self.state.cutoff or (slow and self.branch_site(self.master.y, fixed) >= 0):
                break
            if self.master.separate() == 0:
                break
            last = self.master.value
        return best

    def round_up(self, y: FloatArray, fixed: IntArray) -> None:
        """Open the most open sites of a fractional solution, improve them, keep the plan if it is better."""
        k_min, k_max = self.core.k_min, self.core.k_max
        wanted = max(k_min, min(k_max, round(float(y.sum()))))
        plan: IntArray = np.sort(np.argsort(-y, kind="stable")[:wanted]).astype(np.int32)
        if self.core.value(plan) < self.state.value + 0.01 * abs(self.state.value):
            plan = interchange(self.core, plan, self.state.budget)
        value = self.core.value(plan)
        if value < self.state.value:
            self.state.found(value, np.concatenate([self.fixed_open, self.core.site[plan]]))

    def fix_more(self, node: Node, dual: Dual, multiplier: int) -> None:
        """Fix free sites at a node by reduced cost."""
        core, fixed = self.core, node.fixed
        free = np.flatnonzero(fixed < 0)
        if len(free) == 0:
            return
        chosen = self.cheapest(dual.rho, fixed)[free]
        opposite = dual.bound + opposites(dual.rho[free], chosen, *self.still_open(fixed))
        given_up = opposite >= self.state.cutoff
        closed, opened = free[given_up & ~chosen], free[given_up & chosen]
        if given_up.any():
            fixed[closed], fixed[opened] = 0, 1
            self.state.discard(float(opposite[given_up].min()))
            self.proof.add_fixings(node.place, core, closed, opened, multiplier)

    def run(self) -> None:
        """Search until the bound meets the best value, or the run is done."""
        state = self.state
        root = Node(state.bound, 0, 0, self.root_fixed.copy())
        heap = [root]
        age = 0
        plunge: Node | None = None
        while heap or plunge:
            open_bound = min(heap[0].bound if heap else np.inf, plunge.bound if plunge else np.inf)
            state.proved(open_bound)
            if state.done():
                return
            node = plunge if plunge else heapq.heappop(heap)
            plunge = None
            if node.bound >= state.cutoff:
                state.discard(node.bound)
                continue
            dual = self.relax(node.fixed, rounds=50 if node.place == 0 else 6)
            if dual is None:
                return
            self.nodes_done += 1
            multiplier = self.proof.add_multipliers(self.core, dual.lam)
            if dual.bound > node.bound or node.place == 0:
                self.proof.set_leaf(node.place, multiplier)
                node.bound = max(node.bound, dual.bound)
            y = self.master.y
            self.round_up(y, node.fixed)
            if node.bound >= state.cutoff:
                state.discard(node.bound)
                continue
            self.fix_more(node, dual, multiplier)
            branch = self.branch_site(y, node.fixed)
            if branch < 0:
                state.discard(node.bound)
                continue
            children = []
            for value in (1, 0):
                fixed = node.fixed.copy()
                fixed[branch] = value
                age += 1
                place = self.proof.add_node(node.place, int(self.core.site[branch]), value)
                children.append(Node(node.bound, age, place, fixed))
            plunge = children[0]
            heapq.heappush(heap, children[1])
        state.proved(state.value)

    def branch_site(self, y: FloatArray, fixed: IntArray) -> int:
        """The most fractional free site, ties to the lowest index; -1 where all are integral."""
        free: BoolArray = fixed < 0
        fraction = np.where(free, np.minimum(y, 1.0 - y), -1.0)
        best = int(np.argmax(fraction))
        return best if fraction[best] > _INTEGRAL else -1
