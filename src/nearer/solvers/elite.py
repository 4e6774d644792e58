"""
The best plans that multipliers suggest on their way up, improved on the sites that matter, and put together.

The sites that a Lagrangian opens change as its multipliers climb, and each choice is a local change away from a good
plan. What the best of these plans agree on is mostly right; searched is among the sites in which they differ (the
heuristic concentration of Rosing, ReVelle 1997; the core of Avella, Boccia, Salerno, Vasilyev 2012).
"""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import run_chunks
from nearer.solvers.budget import Budget
from nearer.solvers.core import Core
from nearer.solvers.search import filled, interchange, kicked_often
from nearer.units import BoolArray, FloatArray, IntArray

_KEPT = 16  # plans
_TAKEN = 8  # of the suggestions
_WIDE = 5  # times as many sites of least reduced cost as open are searched
_UNIONS = (3, 6, 12)  # best plans put together
_MIXED = 4  # plans taken at random and put together, to begin with the first of them
_POLISHED = 2  # plans searched on all sites at the end
_ROUNDS = 3  # over all entries, in a search on all sites
_FEW = 0.7  # share of the sites above which a part is no gain
_SETTLE, _SETTLE_MOST = 100, 50_000_000  # times over the entries between relaxation and plan, at once; and at most
_PATIENCE = 3  # such searches that find nothing, before it ends
_INTEGRAL = 1e-6


class Elite:
    """
    Plans of a core, the best first, no two of the same value.

    Parameters
    ----------
    core, threads
        The problem; plans are positions of its sites.
    """

    def __init__(self, core: Core, threads: int) -> None:
        self.core, self.threads = core, threads
        self.plans: list[tuple[float, IntArray]] = []

    def add(self, plan: IntArray) -> None:
        """Keep a plan if it is among the best and none costs the same: such are near twins."""
        value = self.core.value(plan)
        if all(value != known for known, _ in self.plans):
            self.plans.append((value, plan))
            self.plans.sort(key=lambda one: one[0])
            del self.plans[_KEPT:]

    @property
    def best(self) -> IntArray:
        """The best plan."""
        return self.plans[0][1]

    def move(self, core: Core, rank: FloatArray) -> None:
        """Go on with what fixing left of the core; plans are completed by the sites of least rank."""
        plans, sites = [plan for _, plan in self.plans], self.core.site
        self.core, self.plans = core, []
        for plan in plans:
            left = np.flatnonzero(np.isin(core.site, sites[plan])).astype(np.int32)
            self.add(filled(left[: core.k_max], rank, core.k_min))

    def improve(
        self, suggested: list[IntArray], rho: FloatArray, rng: np.random.Generator, budget: Budget, work: int
    ) -> None:
        """
        Improve suggestions, put the best plans together, and kick what comes of it.

        Parameters
        ----------
        suggested
            Sets of sites; some of them are taken.
        rho
            Reduced costs, float64 (m,).
        work
            Entries that kicks may scan.
        """
        core = self.core
        if core.decided or not self.plans:
            return
        taken = suggested[:: -max(1, len(suggested) // _TAKEN)]
        starts = [filled(np.sort(plan)[: core.k_max].astype(np.int32), rho, core.k_min) for plan in taken]
        near = np.zeros(core.m, dtype=bool)
        near[np.argsort(rho, kind="stable")[: _WIDE * len(self.best)]] = True
        near |= self._sites_of(starts + [plan for _, plan in self.plans])
        part = _Part(core, near)
        own = budget.left()  # the same for every start, whatever the threads
        thorough = _ROUNDS * core.nnz * len(starts) <= work

        def descend(plan: IntArray) -> tuple[IntArray, int]:
            mine = own.left()
            plan = part.whole(interchange(part.core, part.place(plan), mine))
            return interchange(core, plan, mine) if thorough else plan, mine.spent

        for plan, spent in run_chunks(descend, starts, self.threads):
            budget.spend(spent)
            self.add(plan)
        groups = [list(range(len(self.plans)))[:size] for size in _UNIONS]
        groups += [rng.permutation(len(self.plans))[:_MIXED].tolist() for _ in _UNIONS]
        around = self._everything() if thorough else part
        for group in groups:
            self._together([self.plans[k][1] for k in group if k < len(self.plans)], around, rng, budget, work // 12)
        # Sites that the part lacks give way to the likeliest that it has: such a start leads to other plans.
        held = self._sites_of([part.site])
        start = filled(self.best[held[self.best]], np.where(held, rho, np.inf), core.k_min)
        self._kick(part, start, rng, budget, work // 2)
        if len(part.core.site) < core.m:
            for _, plan in self.plans[:_POLISHED]:
                self.add(interchange(core, plan, budget))

    def afresh(self, openness: FloatArray, rng: np.random.Generator, budget: Budget, work: int) -> None:
        """
        Draw plans by how open sites were, search each on its own, and put them together, at last with those at hand.

        What is at hand comes from the same few plans and may lie in one corner; these come from elsewhere.

        Parameters
        ----------
        openness
            Average share in which each site was open while multipliers climbed, float64 (m,).
        work
            Entries that kicks may scan.
        """
        core = self.core
        if core.decided or not self.plans:
            return
        wanted = max(core.k_min, min(core.k_max, round(float(openness.sum()))))
        drawn = [_drawn(openness, wanted, rng) for _ in range(_KEPT)]
        near = (openness > _INTEGRAL) | self._sites_of(drawn + [plan for _, plan in self.plans])
        part, each = _Part(core, near), work // (4 * _KEPT)
        fresh = Elite(core, self.threads)
        fresh._search(drawn, part, rng, budget, each)
        fresh._mix(part, rng, budget, each)
        for _, plan in fresh.plans:
            self.add(plan)
        self._search([plan for _, plan in self.plans], part, rng, budget, each)
        self._mix(part, rng, budget, each)

    def _search(self, plans: list[IntArray], part: _Part, rng: np.random.Generator, budget: Budget, work: int) -> None:
        """Improve and kick each plan on its own, within a part."""
        own = budget.left()  # the same for every start, whatever the threads

        def search(start: tuple[IntArray, int]) -> tuple[IntArray, int]:
            mine = own.left()
            plan = interchange(part.core, part.place(start[0]), mine)
            plan = kicked_often(part.core, plan, np.random.default_rng(start[1]), mine, work)
            return part.whole(plan), mine.spent

        seeds = rng.integers(2**31, size=len(plans)).tolist()
        for plan, spent in run_chunks(search, zip(plans, seeds, strict=True), self.threads):
            budget.spend(spent)
            self.add(plan)

    def join(self, rng: np.random.Generator, budget: Budget, work: int) -> None:
        """Put the best two, four, eight plans and so on together, with so much work for each."""
        everything, size = self._everything(), 2
        while not self.core.decided and size <= _KEPT:
            self._together([plan for _, plan in self.plans[:size]], everything, rng, budget, work)
            size *= 2

    def _mix(self, part: _Part, rng: np.random.Generator, budget: Budget, work: int) -> None:
        """Put plans drawn at random together, as often as plans are kept, within a part."""
        for _ in range(_KEPT):
            group = np.sort(rng.permutation(len(self.plans))[:_MIXED])
            self._together([self.plans[k][1] for k in group], part, rng, budget, work)

    def settle(self, y: FloatArray, rng: np.random.Generator, budget: Budget) -> None:
        """
        Kick the best plan where a relaxed solution disagrees with it, as long as that helps.

        Parameters
        ----------
        y
            Openness of each site, float64 (m,). What is open in both stays open, what is closed in both stays closed:
            of a large problem little is left, in pieces far from each other.
        """
        core = self.core
        if core.decided or not self.plans:
            return
        mask = np.zeros(core.m, dtype=bool)
        mask[self.best] = True
        stays = mask & (y > 1.0 - _INTEGRAL)
        between = (mask | (y > _INTEGRAL)) & ~stays
        inner = core.restricted(~(between | stays), stays)
        site = np.flatnonzero(between)
        plan: IntArray = np.flatnonzero(mask[site]).astype(np.int32)
        plan = interchange(inner, plan, budget)
        work = min(_SETTLE * inner.nnz, _SETTLE_MOST)
        least, idle = inner.value(plan), 0
        while idle < _PATIENCE and not (inner.decided or budget.exhausted()):
            plan = kicked_often(inner, plan, rng, budget, work)
            idle = 0 if inner.value(plan) < least else idle + 1
            least = min(least, inner.value(plan))
        self.add(np.sort(np.concatenate([np.flatnonzero(stays), site[plan]])).astype(np.int32))

    def _everything(self) -> _Part:
        return _Part(self.core, np.ones(self.core.m, dtype=bool))

    def _sites_of(self, plans: list[IntArray]) -> BoolArray:
        """Which sites are open in any of some plans, bool (m,)."""
        mask = np.zeros(self.core.m, dtype=bool)
        for plan in plans:
            mask[plan] = True
        return mask

    def _together(
        self, plans: list[IntArray], part: _Part, rng: np.random.Generator, budget: Budget, work: int
    ) -> None:
        """Kick the first of some plans among the sites of all of them, within a part that holds these."""
        self._kick(part.within(self._sites_of(plans)), plans[0], rng, budget, work)

    def _kick(self, part: _Part, plan: IntArray, rng: np.random.Generator, budget: Budget, work: int) -> None:
        if not (part.core.decided or budget.exhausted()):
            self.add(part.whole(kicked_often(part.core, part.place(plan), rng, budget, work)))


def _drawn(openness: FloatArray, wanted: int, rng: np.random.Generator) -> IntArray:
    """So many sites, drawn one after the other by their openness (the largest of keys: Efraimidis, Spirakis 2006)."""
    key = np.log(np.maximum(openness, 1e-12)) + rng.gumbel(size=len(openness))
    return np.sort(np.argsort(-key, kind="stable")[:wanted]).astype(np.int32)


class _Part:
    """What is left of a core if only some sites may open."""

    def __init__(self, core: Core, keep: BoolArray, outer: _Part | None = None) -> None:
        if keep.sum() > _FEW * core.m:
            keep = np.ones(core.m, dtype=bool)
        self.site = np.flatnonzero(keep).astype(np.int32)
        self.core = core if len(self.site) == core.m else core.restricted(~keep, np.zeros(core.m, dtype=bool))
        if outer is not None:
            self.site = outer.site[self.site]

    def within(self, keep: BoolArray) -> _Part:
        """A part of this part, from a mask of the whole core, which must lie in it."""
        return _Part(self.core, keep[self.site], self)

    def place(self, plan: IntArray) -> IntArray:
        """Positions in the part, from positions in the whole."""
        return np.searchsorted(self.site, plan).astype(np.int32)

    def whole(self, plan: IntArray) -> IntArray:
        """Positions in the whole, from positions in the part."""
        return self.site[plan]
