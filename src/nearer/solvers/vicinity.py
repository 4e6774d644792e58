"""
What lies near a plan: the relaxation of the whole problem, kept warm, with sites forced or earlier plans kept away.

That a plan opens at least D sites which an earlier one does not is a row of its own, ``Σ_{j∉P} y_j ≥ D``. With a price
μ ≥ 0 for it, ``L(λ) + μ (D − Σ_{j∉P} y_j)`` is a lower bound for all plans that differ enough: the same bound on ρ less
μ at the sites outside P. The linear relaxation finds λ and μ together, and branch and bound closes what is left.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nearer.model import OPEN, Certificate, Instance, Solution
from nearer.progress import Stop
from nearer.solvers import lagrangian as dual_side
from nearer.solvers.budget import Budget
from nearer.solvers.core import Core, make_core
from nearer.solvers.elite import Elite
from nearer.solvers.master import Master
from nearer.solvers.proof import HasSites, ProofBuilder
from nearer.solvers.search import interchange, kicked
from nearer.solvers.state import State
from nearer.solvers.tree import Tree
from nearer.solvers.volume import Dual
from nearer.solvers.zero_half import Pieces
from nearer.units import BoolArray, FloatArray, IntArray

_LP_ROWS, _LP_ENTRIES = 120_000, 2_000_000  # of the whole problem, nothing fixed
_CLIMB = 100  # iterations that mend multipliers which were made for a smaller problem
_TRIED = 8  # of the plan's own multipliers; the first were made for the whole problem
_KICKS = 12
_SETTLE = 2_000_000  # work after a gap is reached that may bring a proof
_EPS = float(np.finfo(np.float64).eps)


class Apart:
    """
    Plans to keep away from.

    Parameters
    ----------
    differ
        Sites to open that each of them does not.
    fresh
        Sites that each of them leaves closed, bool (n_plans, m).
    """

    def __init__(self, m: int, differ: int) -> None:
        self.differ = differ
        self.fresh: BoolArray = np.zeros((0, m), dtype=bool)

    def add(self, plan: IntArray) -> None:
        """Keep away from one more plan, positions of the core."""
        fresh = np.ones((1, self.fresh.shape[1]), dtype=bool)
        fresh[0, plan] = False
        self.fresh = np.concatenate([self.fresh, fresh])

    def possible(self, fixed: IntArray, k_max: int) -> bool:
        """Whether enough sites may still open that a plan leaves closed, for each plan by itself."""
        opened = (self.fresh & (fixed == 1)).sum(axis=1)
        left = (self.fresh & (fixed < 0)).sum(axis=1)
        may = k_max - int((fixed == 1).sum())
        return bool(np.all(opened + np.minimum(left, may) >= self.differ))

    def allows(self, plan: IntArray) -> bool:
        """Whether a plan differs enough from all of them."""
        return bool(np.all(self.fresh[:, plan].sum(axis=1) >= self.differ))

    def reward(self, price: FloatArray) -> FloatArray:
        """What each site is worth for being in none of the plans, float64 (m,), at one price per plan."""
        return np.asarray(price @ self.fresh, dtype=np.float64)


class ApartMaster(Master):
    """The relaxation with a row for each plan to keep away from."""

    def __init__(self, core: Core, lam: FloatArray, budget: Budget) -> None:
        super().__init__(core, lam, budget)
        self.apart_rows: list[int] = []

    def keep_away(self, fresh: BoolArray, differ: int) -> None:
        """Ask for so many of these sites."""
        self.apart_rows.append(self.lp.n_rows)
        sites = np.flatnonzero(fresh)
        span = np.array([0, len(sites)])
        self.lp.add_rows(np.array([float(differ)]), np.array([np.inf]), span, sites, np.ones(len(sites)))

    def prices(self) -> FloatArray:
        """μ of each plan to keep away from, float64 (n_plans,)."""
        return np.maximum(self.lp.row_dual[self.apart_rows] * self.unit, 0.0)


class NearTree(Tree):
    """Branch and bound where some sites are decided and some plans are kept away from."""

    master: ApartMaster

    def __init__(
        self,
        core: Core,
        master: ApartMaster,
        state: State,
        proof: ProofBuilder,
        threads: int,
        apart: Apart,
        fixed: IntArray,
    ) -> None:
        super().__init__(core, master, state, proof, np.zeros(0, dtype=np.int32), threads, Elite(core, threads))
        self.apart, self.root_fixed = apart, fixed
        self.cutting = False  # cuts do not pay in these short searches

    def bound_at(self, lam: FloatArray, fixed: IntArray, pieces: Pieces | None = None) -> Dual:
        """L(λ) with the prices of being apart, rounded down."""
        dual = super().bound_at(lam, fixed)
        if not len(self.apart.fresh):
            return dual
        core, price = self.core, self.master.prices()
        reward = self.apart.reward(price)
        rho = dual.rho - reward
        opened, owed = fixed == 1, self.apart.differ * float(price.sum())
        chosen = self.cheapest(rho, fixed) & (fixed < 0)
        bound = core.base + float(lam.sum()) + float(rho[opened].sum()) + float(rho[chosen].sum()) + owed
        size = float(np.abs(dual.rho).sum()) + float(reward.sum()) + owed
        return Dual(lam, rho, dual_side.rounded_down(bound, core, lam, dual.rho) - 64 * _EPS * size, dual.share)

    def relax(self, fixed: IntArray, rounds: int) -> Dual | None:
        """Solve the relaxation at a node, unless no plan is left there."""
        possible = self.apart.possible(fixed, self.core.k_max)
        return super().relax(fixed, rounds) if possible else self.where_none_is_left()

    def where_none_is_left(self) -> Dual:
        """Nothing, however cheap, is apart enough from all plans at once."""
        return Dual(self.core.cap, np.zeros(self.core.m), np.inf, np.zeros(0))

    def round_up(self, y: FloatArray, fixed: IntArray) -> None:
        """Open the most open sites of a fractional solution, improve them within the rules, keep a better plan."""
        rank = np.where(self.root_fixed == 1, 2.0, np.where(self.root_fixed == 0, -1.0, y))
        wanted = max(self.core.k_min, min(self.core.k_max, round(float(y.sum()))))
        plan = np.sort(np.argsort(-rank, kind="stable")[:wanted]).astype(np.int32)
        price = self.master.prices() if len(self.apart.fresh) else np.zeros(0)
        self.offer(plan)
        if self.core.value(plan) < self.state.value + 0.01 * abs(self.state.value):
            self.offer(self.improved(plan, price))

    def offer(self, plan: IntArray) -> bool:
        """Keep a plan if it obeys the rules and is better; whether it obeys them."""
        inside = np.zeros(self.core.m, dtype=bool)
        inside[plan] = True
        broken = np.any(inside[self.root_fixed == 0]) or not np.all(inside[self.root_fixed == 1])
        if broken or not self.apart.allows(plan) or not self.core.k_min <= len(plan) <= self.core.k_max:
            return False
        self.state.found(self.core.value(plan), self.core.site[plan])
        return True

    def improved(self, plan: IntArray, price: FloatArray) -> IntArray:
        """A local optimum by interchange, forced sites held in place, being apart paid at ``price``."""
        core = self.core
        held = 4.0 * abs(core.base + float(core.cap.sum())) + 1.0
        paid = core.price - np.select([self.root_fixed == 1, self.root_fixed == 0], [held, -held], 0.0)
        priced = replace(core, price=paid - self.apart.reward(price))
        priced.__dict__["twin"] = core.twin  # the same entries
        return interchange(priced, plan, self.state.budget)


class Vicinity:
    """
    A problem around its plan.

    Parameters
    ----------
    instance, solution
        A problem that ``Vicinity.holds``, and its plan.
    work_limit
        Entries to scan at most in all that is done here (see ``Budget``).
    """

    def __init__(
        self,
        instance: Instance,
        solution: Solution,
        *,
        threads: int = 1,
        stop: Stop | None = None,
        work_limit: int | None = None,
    ) -> None:
        self.instance, self.threads, self.stop = instance, threads, stop or Stop()
        self.value, self.bound, self.whole = solution.objective, solution.bound, instance.whole
        self.core = make_core(instance)
        self.plan = self.positions(solution.open_mask)
        self.budget = Budget(self.stop, work_limit)
        self.root = self._multipliers(solution)
        self._master: ApartMaster | None = None

    @staticmethod
    def holds(instance: Instance) -> bool:
        """Whether an instance is of the kind that this understands: free sites open or not, and rows are summed."""
        plain = instance.rules is None and instance.n_phases == 1 and not instance.capacitated
        return plain and instance.second_share is None and instance.objective == "sum"

    @property
    def small(self) -> bool:
        """Whether the relaxation of the whole problem is small enough to be solved."""
        return not self.core.decided and self.core.n <= _LP_ROWS and self.core.nnz <= _LP_ENTRIES

    def positions(self, open_mask: BoolArray) -> IntArray:
        """Open sites of a plan as positions of the core."""
        return np.flatnonzero(open_mask[self.core.site]).astype(np.int32)

    def mask(self, plan: IntArray) -> BoolArray:
        """Open sites of the instance, from positions of the core."""
        open_mask: BoolArray = self.instance.standing == OPEN
        open_mask[self.core.site[plan]] = True
        return open_mask

    def _multipliers(self, solution: Solution) -> Dual:
        """The best of the plan's own multipliers for the whole problem, climbed a little."""
        core, budget = self.core, self.budget
        inside = np.zeros(core.m, dtype=bool)
        inside[self.plan] = True
        given = [core.caps_with(inside)]
        certificate = solution.certificate
        if isinstance(certificate, Certificate) and certificate.multipliers.shape[1] == self.instance.n_rows:
            given += [row[core.row] for row in certificate.multipliers[:_TRIED]]
        duals = []
        for lam in given:
            duals.append(dual_side.climb(core, lam, self.value, budget, 0, self.threads, _ignore))
            budget.spend(core.nnz)
        best = max(duals, key=lambda dual: dual.bound)
        if core.n and not core.decided:
            best = dual_side.climb(core, best.lam, self.value, budget, _CLIMB, self.threads, _ignore)
        return best

    @property
    def master(self) -> ApartMaster:
        """The relaxation, solved once with nothing forced; its multipliers become the root's where they prove more."""
        if self._master is None:
            self._master = ApartMaster(self.core, self.root.lam, self.budget)
            tree = self._tree(State(self.budget, self.instance.whole, 0.0), None, None)
            dual = tree.relax(tree.root_fixed, 50)
            if dual is not None and dual.bound > self.root.bound:
                self.root = replace(dual, share=self.root.share)
        return self._master

    def _tree(self, state: State, fixed: IntArray | None, apart: Apart | None) -> NearTree:
        m = self.core.m
        fixed = np.full(m, -1, dtype=np.int8) if fixed is None else fixed
        apart = Apart(m, 0) if apart is None else apart
        return NearTree(self.core, self.master, state, _Unwritten(), self.threads, apart, fixed)

    def search(
        self,
        *,
        fixed: IntArray | None = None,
        apart: Apart | None = None,
        starts: list[IntArray],
        limit: float = np.inf,
        gap: float = 0.0,
        work_limit: int | None = None,
    ) -> State:
        """
        The best plan that obeys further rules; any bound of the plan itself holds for it too.

        Parameters
        ----------
        fixed
            -1 free, 0 must stay closed, 1 must open, int8 (m,); None for all free.
        apart
            Plans to keep away from; the rows for them are added to the relaxation for good.
        starts
            Plans to begin from; those that break a rule are passed over.
        limit
            Plans dearer than this are of no use.
        work_limit
            Entries to scan at most, beside the limit of the whole.

        Returns
        -------
        State
            Value (``inf`` where nothing was found), bound, and open sites as positions of the instance.
        """
        master, ahead = self.master, self.budget.limit
        limits = [own for own in (work_limit, None if ahead is None else ahead - self.budget.spent) if own is not None]
        budget = Budget(self.stop, min(limits) if limits else None)
        master.budget = budget
        if apart is not None:
            for fresh in apart.fresh[len(master.apart_rows) :]:
                master.keep_away(fresh, apart.differ)
        state = _Settling(budget, self.instance.whole, gap)
        state.value = float(np.nextafter(limit, np.inf))
        tree = self._tree(state, fixed, apart)
        for plan in starts:
            if tree.offer(plan):
                tree.offer(tree.improved(plan, np.zeros(0 if apart is None else len(apart.fresh))))
        if apart is not None and apart.possible(tree.root_fixed, self.core.k_max):
            self._move_away(tree)
        state.proved(self.bound)
        tree.run()
        self.budget.spend(budget.spent)
        if not state.any_found:
            state.value = np.inf
        return state

    def _move_away(self, tree: NearTree) -> None:
        """Plans that differ enough: interchange at rising prices of being apart, then kicks at the least that does."""
        dual = tree.relax(tree.root_fixed, 50)
        if dual is None or np.isinf(dual.bound):
            return
        price = self.master.prices()
        price = np.maximum(price, max(float(price.max()) / 8, 1e-6 * abs(self.value), 1e-9))
        wanted = max(self.core.k_min, min(self.core.k_max, round(float(self.master.y.sum()))))
        rounded = np.sort(np.argsort(-self.master.y, kind="stable")[:wanted]).astype(np.int32)
        low, high, factor = 0.0, np.inf, 1.0
        for _ in range(16):
            if tree.state.budget.exhausted() or high - low < 0.1 * high < np.inf:
                break
            good = [tree.offer(tree.improved(plan, factor * price)) for plan in (self.plan, rounded)]
            low, high = (low, factor) if any(good) else (factor, high)
            factor = 4 * factor if np.isinf(high) else (low + high) / 2
        rng = np.random.default_rng(0)
        for _ in range(_KICKS):
            if np.isinf(high) or tree.state.done():
                return
            best = self.positions(np.isin(np.arange(self.instance.n_sites), tree.state.open_site))
            tree.offer(tree.improved(kicked(self.core, best, rng, 3), high * price))


class _Settling(State):
    """A state that is done soon after the gap is reached, and whose first value is only a limit."""

    any_found = False

    def found(self, value: float, open_site: IntArray) -> None:
        """Keep a plan if it is better."""
        self.any_found = self.any_found or value < self.value
        super().found(value, open_site)

    def done(self) -> bool:
        """Whether to end: proven, good enough for as much work again, or out of budget."""
        if self.budget.exhausted() or (self.any_found and self.optimal):
            return True
        if not self.any_found or not self.reached:
            return False
        if self._reached_at is None:
            self._reached_at = self.budget.spent
        return self.budget.spent >= 2 * self._reached_at + _SETTLE


class _Unwritten(ProofBuilder):
    """Keeps nothing: these searches are many, and their bounds are the solver's word."""

    def __init__(self) -> None:
        return

    def add_multipliers(self, core: Core, lam: FloatArray, pieces: Pieces | None = None) -> int:
        """Keep nothing."""
        return 0

    def add_node(self, parent: int, site: int, value: int) -> int:
        """Keep nothing; the root alone is number 0."""
        return 1

    def set_leaf(self, node: int, multiplier: int) -> None:
        """Keep nothing."""

    def add_fixings(self, node: int, core: HasSites, closed: IntArray, opened: IntArray, multiplier: int) -> None:
        """Keep nothing."""


def _ignore(bound: float) -> None:
    return None
