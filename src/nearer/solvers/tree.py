"""Branch and bound over the Benders relaxation: best bound first, plunging into the open branch."""

from __future__ import annotations

import heapq
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Generic, Protocol, TypeVar

import numpy as np

from nearer.lp import LpStatus
from nearer.solvers import lagrangian as dual_side
from nearer.solvers.branching import Branching
from nearer.solvers.core import Core, cheapest_set
from nearer.solvers.diving import dive
from nearer.solvers.elite import Elite
from nearer.solvers.lagrangian import opposites
from nearer.solvers.master import Master
from nearer.solvers.proof import ProofBuilder, ProofTree
from nearer.solvers.search import interchange
from nearer.solvers.state import State
from nearer.solvers.volume import Dual
from nearer.solvers.zero_half import Pieces
from nearer.units import BoolArray, FloatArray, IntArray

_INTEGRAL = 1e-6
_ROOT_TURNS, _ROOT_CUTS = 30, 200  # rounds of cuts at the root, and cuts in each
_ROOT_LOOK = 4  # rounds of cuts at the root between looks for plans
_NODE_TURNS, _NODE_CUTS = 3, 40  # the same at other nodes
_THICK, _SOME = 1.3, 200  # the relaxation is slimmed once it has so many times as many rows, and some more
_MANY = 0.15  # share of the sites that a better plan must fix at the root for the tree to begin anew
_WORTH = 5e-3  # share of what is missing that a round of cuts must bring
_EPS = float(np.finfo(np.float64).eps)
_FAR = 5e-4  # relative gap above which the first few nodes dive for plans
_DIVES = 2  # iterations of the simplex for each one that dives may take
_LONGEST, _LATER = 4, 2  # times as many for a dive; times as many must be left after one that would take longer
_KICKED_NODES, _KICKS = 40, 10_000_000  # nodes whose rounded plans are kicked, and entries scanned by that at each


@dataclass(order=True)
class Node:
    """An open node: its bound, age, place in the proof, and what is fixed (-1 free, 0 closed, 1 open) per site."""

    bound: float
    age: int
    place: int
    fixed: IntArray = field(compare=False)
    made_by: tuple[int, int, float, float] | None = field(default=None, compare=False)
    """Site, its value here, its openness at the parent, and the value of the relaxation there."""


class Searched(Protocol):
    """What a tree asks of a core."""

    @property
    def m(self) -> int:
        """Free sites."""

    @property
    def k_min(self) -> int:
        """Sites to open, at least."""

    @property
    def k_max(self) -> int:
        """Sites to open, at most."""

    @property
    def site(self) -> IntArray:
        """Positions in the instance, int32 (m,)."""

    def value(self, open_idx: IntArray) -> float:
        """Cost with these free sites open."""


class Relaxation(Protocol):
    """What a tree asks of a linear relaxation; see ``Master``."""

    @property
    def y(self) -> FloatArray:
        """Openness of each site in the last solution."""

    @property
    def value(self) -> float:
        """Value of the last solution."""

    def fix(self, site: IntArray, value: IntArray) -> None:
        """Fix sites closed (0) or open (1); all others are free."""

    def solve(self) -> LpStatus:
        """Solve and count the work."""

    def separate(self) -> int:
        """Write out what the last solution gets wrong; returns how much."""

    def multipliers(self) -> FloatArray:
        """Multipliers that prove at least the value of the last solution."""


C = TypeVar("C", bound=Searched)


class SiteTree(ABC, Generic[C]):
    """
    The search below one core.

    Parameters
    ----------
    core, master, state, proof
        What is searched, with what relaxation, and where results go.
    fixed_open
        Instance positions of the sites that earlier fixing opened: part of every plan found here.
    """

    proves_last = False
    """Whether what is written out only raises the relaxation, so that its last solution alone is worth a proof."""

    def __init__(self, core: C, master: Relaxation, state: State, proof: ProofTree, fixed_open: IntArray) -> None:
        self.core, self.master, self.state, self.proof = core, master, state, proof
        self.fixed_open = fixed_open
        self.sharper_when_fixed = False  # whether fixing a site at its value may still raise the relaxation
        self.nodes_done = 0
        self.root_fixed: IntArray = np.full(core.m, -1, dtype=np.int8)

    @abstractmethod
    def bound_at(self, lam: FloatArray, fixed: IntArray) -> Dual:
        """L(λ) where some sites are fixed, rounded down."""

    @abstractmethod
    def polished(self, plan: IntArray) -> IntArray:
        """A plan made better."""

    @abstractmethod
    def store(self, dual: Dual) -> int:
        """Number of these multipliers in the proof."""

    def begins_anew(self, better: bool) -> bool:
        """Whether another tree is worth more than this one, which met a better plan or did not."""
        return False

    def proven(self, fixed: IntArray) -> Dual:
        """What the last solution of the relaxation proves where some sites are fixed."""
        return self.bound_at(self.master.multipliers(), fixed)

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

    def where_none_is_left(self) -> Dual | None:
        """What a node proves whose relaxation has no solution; None where that is no reason to go on."""
        return None

    def relax(self, fixed: IntArray, rounds: int) -> Dual | None:
        """Solve the relaxation at a node, adding cuts; None when stopped."""
        sites = np.flatnonzero(fixed >= 0)
        self.master.fix(sites, fixed[sites])
        best: Dual | None = None
        last = -float("inf")
        for turn in count():
            status = self.master.solve()
            if status is not LpStatus.OPTIMAL:
                return self.where_none_is_left() if status is LpStatus.INFEASIBLE else None
            room = self.state.cutoff - self.master.value
            slow = turn == rounds - 1 or self.master.value - last < 1e-3 * room
            # An integral solution ends the branch, so its terms must be right first.
            ends = slow and self.branch_site(self.master.y, fixed) >= 0
            if self.proves_last and room > 0 and not ends:
                if self.master.separate() > 0:
                    last = self.master.value
                    continue
                ends = True
            dual = self.proven(fixed)
            best = dual if best is None or dual.bound > best.bound else best
            if ends or best.bound >= self.state.cutoff or self.master.separate() == 0:
                break
            last = self.master.value
        return best

    def round_up(self, y: FloatArray, fixed: IntArray) -> None:
        """Open the most open sites of a fractional solution, improve them, keep the plan if it is better."""
        k_min, k_max = self.core.k_min, self.core.k_max
        wanted = max(k_min, min(k_max, round(float(y.sum()))))
        plan: IntArray = np.sort(np.argsort(-y, kind="stable")[:wanted]).astype(np.int32)
        if self.core.value(plan) < self.state.value + 0.01 * abs(self.state.value):
            plan = self.polished(plan)
        value = self.core.value(plan)
        if value < self.state.value:
            self.state.found(value, np.concatenate([self.fixed_open, self.core.site[plan]]))

    def fix_more(self, node: Node, dual: Dual, multiplier: int) -> None:
        """Fix free sites at a node by reduced cost."""
        fixed = node.fixed
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
            self.proof.add_fixings(node.place, self.core, closed, opened, multiplier)

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
            dual = self.relax(node.fixed, rounds=50 if node.place == 0 else 20)
            if dual is None:
                return
            self.nodes_done += 1
            self.note_rise(node)
            multiplier = self.store(dual)
            if dual.bound > node.bound:
                self.proof.set_leaf(node.place, multiplier)
                node.bound = dual.bound
            y = self.master.y
            known = state.value
            if np.isfinite(dual.bound):
                self.round_up(y, node.fixed)
            if self.begins_anew(state.value < known):
                return
            if node.bound >= state.cutoff:
                state.discard(node.bound)
                continue
            before = node.fixed.copy()
            self.fix_more(node, dual, multiplier)
            branch = self.branch_on(y, node.fixed)
            if branch < 0 and self.sharper_when_fixed and not np.array_equal(before, node.fixed):
                plunge = node
                continue
            if branch < 0:
                state.discard(node.bound)
                continue
            children, value_here = [], self.master.value
            for value in (1, 0):
                fixed = node.fixed.copy()
                fixed[branch] = value
                age += 1
                place = self.proof.add_node(node.place, int(self.core.site[branch]), value)
                children.append(Node(node.bound, age, place, fixed, (branch, value, float(y[branch]), value_here)))
            plunge = children[0]
            heapq.heappush(heap, children[1])
        state.proved(state.value)

    def branch_on(self, y: FloatArray, fixed: IntArray) -> int:
        """The site to branch on; -1 where all are integral."""
        return self.branch_site(y, fixed)

    def note_rise(self, node: Node) -> None:
        """Told of each node that was solved."""

    def branch_site(self, y: FloatArray, fixed: IntArray) -> int:
        """The most fractional free site, ties to the lowest index; -1 where all are integral."""
        free: BoolArray = fixed < 0
        fraction = np.where(free, np.minimum(y, 1.0 - y), -1.0)
        best = int(np.argmax(fraction))
        return best if fraction[best] > _INTEGRAL else -1


class Tree(SiteTree[Core]):
    """The tree of a p-median, with rounds of zero-half cuts at the root and at each node, or without."""

    master: Master
    proves_last = True

    def __init__(
        self,
        core: Core,
        master: Master,
        state: State,
        proof: ProofBuilder,
        fixed_open: IntArray,
        threads: int,
        elite: Elite,
    ) -> None:
        super().__init__(core, master, state, proof, fixed_open)
        self.builder, self.threads, self.elite = proof, threads, elite
        self.rho = np.zeros(core.m)
        self.rng = np.random.default_rng(0)
        self.chunks = dual_side.row_chunks(core)
        self.slim_rows = 0
        self.root: Dual | None = None  # what is proven of the whole core
        self.anew = False
        self.cutting, self.most_nodes = True, math.inf
        self.dived = self.too_short = 0  # iterations; as many left are not enough for another dive
        self.searched, self.began = 0, state.budget.spent  # work of looking for plans; where all work began
        self.branching = Branching(core.m)
        self.first_value = 0.0  # of the relaxation at this node, before cuts

    def branch_on(self, y: FloatArray, fixed: IntArray) -> int:
        """The site whose two branches are expected to rise most; the most fractional in short trees without cuts."""
        if not self.cutting:
            return self.branch_site(y, fixed)
        fractional = np.flatnonzero((fixed < 0) & (np.minimum(y, 1.0 - y) > _INTEGRAL))
        if not len(fractional):
            return -1
        room = (self.state.cutoff - self.master.value) / self.master.unit
        return self.branching.choose(self.master.lp, y, fractional, max(room, 1e-9))

    def note_rise(self, node: Node) -> None:
        """Learn from what a branch brought."""
        if node.made_by is not None:
            site, value, before, parent = node.made_by
            rise = (min(self.first_value, self.state.cutoff) - parent) / self.master.unit
            self.branching.saw(site, value, abs(value - before), rise)

    def begins_anew(self, better: bool) -> bool:
        """Whether a better plan fixes many sites at the root, or the tree has as many nodes as it may."""
        if better and self.root is not None:
            closed, opened, _ = dual_side.fixable(self.core, self.root, self.state.cutoff)
            self.anew = int(closed.sum() + opened.sum()) >= _MANY * self.core.m
        return self.anew or self.outgrown

    @property
    def outgrown(self) -> bool:
        """Whether the tree has as many nodes as it may."""
        return self.nodes_done >= self.most_nodes

    def relax(self, fixed: IntArray, rounds: int) -> Dual | None:
        """Solve the relaxation at a node, adding terms and, if so wished, cuts; None when stopped."""
        cutting = self.cutting
        if cutting and self.master.lp.n_rows > _THICK * self.slim_rows + _SOME and len(self.master.lp.x):
            self.master.slim()
            self.slim_rows = self.master.lp.n_rows
            self.master.most_terms = 100 + self.slim_rows // 5
        best = super().relax(fixed, rounds)
        self.first_value = self.master.value
        turns, most = (_NODE_TURNS, _NODE_CUTS) if self.nodes_done else (_ROOT_TURNS, _ROOT_CUTS)
        for turn in range(turns if cutting else 0):
            if turn % _ROOT_LOOK == _ROOT_LOOK - 1 and self.nodes_done == 0:
                self.round_up(self.master.y, fixed)
            room = self.state.cutoff - self.master.value
            if best is None or room <= 0 or best.bound >= self.state.cutoff or self.state.budget.exhausted():
                return best
            if self.branch_site(self.master.y, fixed) < 0:
                return best
            before = self.master.value
            if self.master.cut(self.rng, most) == 0:
                return best
            dual = super().relax(fixed, rounds)
            if dual is None:
                return None
            best = dual if dual.bound > best.bound else best
            if self.master.value - before < _WORTH * room:
                return best
        return best

    def proven(self, fixed: IntArray) -> Dual:
        """What the last solution of the relaxation proves, with its cuts, where some sites are fixed."""
        pieces = self.master.pieces()
        return self.bound_at(self.master.multipliers(pieces), fixed, pieces)

    def bound_at(self, lam: FloatArray, fixed: IntArray, pieces: Pieces | None = None) -> Dual:
        """L(λ) where some sites are fixed, rounded down."""
        core, reward, gain = self.core, None, 0.0
        if pieces is not None and len(pieces):
            taken, total = pieces.taken(core)
            reward, gain = pieces.reward(core)
            rho = dual_side.prices(replace(core, val=core.val - taken), lam, self.chunks, self.threads) - reward
            lam = np.minimum(lam, core.cap - total)
        else:
            rho = dual_side.prices(core, lam, self.chunks, self.threads)
        self.rho = rho
        opened, free = fixed == 1, fixed < 0
        chosen = self.cheapest(rho, fixed)
        bound = core.base + gain + float(lam.sum()) + float(rho[opened].sum()) + float(rho[chosen & free].sum())
        self.state.budget.spend(core.nnz)
        bound = dual_side.rounded_down(bound, core, lam, rho)
        if reward is None:
            return Dual(lam, rho, bound, np.zeros(0))
        slack = _EPS * (core.n + 64) * (gain + float(reward.sum()) + float(total.sum()))
        return Dual(lam, rho, bound - slack, np.zeros(0), pieces)

    def _may_search(self, spent: int) -> bool:
        """Whether more work may go into plans after so much in all: in the first few nodes, half of it at most."""
        return self.nodes_done <= _KICKED_NODES and 2 * self.searched <= spent - self.began

    def polished(self, plan: IntArray) -> IntArray:
        """A plan no worse, from which no single move helps; the first few are put together with the best and kicked."""
        core, elite = self.core, self.elite
        plan = interchange(core, plan, self.state.budget)
        if not self._may_search(self.state.budget.spent):
            return plan
        elite.add(plan)
        elite.improve([plan], self.rho, self.rng, self.state.budget, min(_KICKS, 100 * core.nnz))
        return min(plan, elite.best, key=core.value)

    def round_up(self, y: FloatArray, fixed: IntArray) -> None:
        """As for any tree; of the first few nodes, what relaxation and best plan disagree on is searched too."""
        budget = self.state.budget
        before = budget.spent
        super().round_up(y, fixed)
        if self.nodes_done <= _KICKED_NODES:
            self.dive(fixed)
        if not self._may_search(before):
            return
        self.elite.settle(y, self.rng, budget)
        self.searched += budget.spent - before
        self.keep_best()

    def dive(self, fixed: IntArray) -> None:
        """Where the best plan may be far off, go down to a plan from the last solution of the relaxation."""
        state, lp = self.state, self.master.lp
        low = state.bound if self.nodes_done else self.master.value
        before = lp.iterations
        left = before - _DIVES * self.dived
        if state.value - low <= _FAR * abs(state.value) or left <= self.too_short:
            return
        plan, too_long = dive(self.master, fixed, state.value + _FAR * abs(state.value), _LONGEST * left)
        self.dived += lp.iterations - before
        if too_long:
            self.too_short = _LATER * left
        if plan is None:
            return
        self.elite.add(interchange(self.core, plan, state.budget))
        self.elite.join(self.rng, state.budget, min(_KICKS, 100 * self.core.nnz))
        self.keep_best()

    def keep_best(self) -> None:
        """Tell the best plan that was put together."""
        best = self.elite.best
        self.state.found(self.core.value(best), np.concatenate([self.fixed_open, self.core.site[best]]))

    def store(self, dual: Dual) -> int:
        """Number of these multipliers in the proof."""
        return self.builder.add_multipliers(self.core, dual.lam, dual.pieces)
