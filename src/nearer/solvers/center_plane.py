"""
The p-center of points in the plane, however many: rows and sites are looked at, never held in pairs.

For a threshold the question is whether p sites cover a few rows R (Chen, Chen 2009; Contardo, Iori, Kramer 2019). What
a site means for it is the set of rows of R within the threshold: sites with equal sets are one, and those inside
another are left out, so that a million sites come down to the faces of an arrangement of circles. A plan that covers R
but not all rows adds the farthest of those it leaves out; where no p sites cover R, the threshold is a lower bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from nearer.kernels import covering as kernels
from nearer.kernels.cover_sets import Discs
from nearer.kernels.farthest import nearest_of, share_within
from nearer.model import Solution, Status
from nearer.model.center_plane import CenterPoints
from nearer.model.certificate import CenterProof
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.budget import Budget
from nearer.solvers.proof import ProofTree
from nearer.solvers.setcover_tree import CoverSearch
from nearer.solvers.state import State
from nearer.units import FloatArray, IntArray

_SLICE = 5_000_000  # entries a kernel call may scan: well below 0.2 s
_QUICK, _LONG = 20_000_000, 200_000_000  # entries that one search for a plan may scan


def reach_below(rounded: Callable[[FloatArray], FloatArray], threshold: float) -> float:
    """The greatest distance that rounds to less than a threshold; −1 where there is none."""
    low, high = np.float64(0.0), np.float64(threshold + 2.0)
    if not rounded(np.array([low]))[0] < threshold:
        return -1.0
    first, last = int(low.view(np.int64)), int(high.view(np.int64))
    while last - first > 1:
        middle = (first + last) // 2
        if rounded(np.array([np.int64(middle).view(np.float64)]))[0] < threshold:
            first = middle
        else:
            last = middle
    return float(np.int64(first).view(np.float64))


@dataclass(frozen=True)
class SubsetCover:
    """
    Some rows, and the sites that no other dominates there; what ``CoverSearch`` asks of a set cover.

    Parameters
    ----------
    place
        Positions of the sites in the problem, int64 (m,).
    ptr, col
        Sites of each row, as positions in ``place``: int64 (n + 1,) and int32.
    p
        Sites that may open.
    """

    place: IntArray
    ptr: IntArray
    col: IntArray
    p: int

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.ptr) - 1

    @property
    def m(self) -> int:
        """Sites."""
        return len(self.place)

    @cached_property
    def site(self) -> IntArray:
        """Names of the sites in the certificate: 0, 1, …"""
        return np.arange(self.m)

    @property
    def n_rows(self) -> int:
        """Rows of the certificate: these alone."""
        return self.n

    @property
    def dear(self) -> FloatArray:
        """Cost of a row left uncovered: more than may open."""
        return np.full(self.n, self.p + 1.0)

    @cached_property
    def rows(self) -> IntArray:
        """Row of each entry, int64 (nnz,)."""
        return np.repeat(np.arange(self.n), np.diff(self.ptr))

    @cached_property
    def twin(self) -> tuple[IntArray, IntArray]:
        """The entries by site: ``cptr``, ``crow``."""
        twin: tuple[IntArray, IntArray] = kernels.columns_within(
            self.ptr, self.ptr[1:], self.col, np.ones(self.m, dtype=bool), np.arange(self.n)
        )
        return twin

    def sums(self, lam: FloatArray) -> FloatArray:
        """Sum of λ over the rows of each site, float64 (m,)."""
        return np.bincount(self.col, lam[self.rows], minlength=self.m).astype(np.float64)

    def spread(self, lam: FloatArray) -> FloatArray:
        """λ as it is."""
        return lam

    def search(self, opened: IntArray, work: int, seed: int, budget: Budget) -> IntArray | None:
        """Swap sites until every row is covered (``kernels.weighting_search``); None where that is not found."""
        n, m = self.n, self.m
        cptr, crow = self.twin
        is_open = np.zeros(m, dtype=bool)
        is_open[opened] = True
        is_open[np.flatnonzero(~is_open)[: self.p - int(is_open.sum())]] = True
        count, whose, score = (np.zeros(size, dtype=np.int64) for size in (n, n, m))
        weight, free = np.ones(n, dtype=np.int64), np.ones(m, dtype=bool)
        memory = np.array([seed % 2_147_483_648, -1, -1], dtype=np.int64)
        left = kernels.weighting_start(cptr, crow, n, is_open, count, whose, score)
        until = budget.spent + work
        while left > 0 and budget.spent < until and not budget.exhausted():
            left, done, spent = kernels.weighting_search(
                *(self.ptr, self.ptr[1:], self.col, free, np.arange(n), cptr, crow),
                *(is_open, count, whose, score, weight, memory, 1_000_000_000, _SLICE),
            )
            budget.spend(spent + n)
            if done == 0:
                break
        return None if left > 0 else np.flatnonzero(is_open)

    def greedy(self, rank: FloatArray) -> IntArray:
        """Up to p sites that cover many rows, those of rank 0.5 or more first."""
        cptr, crow = self.twin
        plan: IntArray = kernels.greedy_cover(
            self.ptr, self.ptr[1:], self.col, np.arange(self.n), cptr, crow, rank, self.p
        )
        return plan


class PlaneCenterRun:
    """One run; see ``solve_center``."""

    def __init__(self, points: CenterPoints, p: int, state: State, seed: int) -> None:
        self.points, self.p, self.state, self.seed = points, p, state, seed
        self.subset: IntArray = np.zeros(0, dtype=np.int64)
        self.proof: CenterProof | None = None

    def keep(self, plan: IntArray) -> tuple[FloatArray, IntArray]:
        """Offer a plan; squared distances to its nearest site, and which of them that is."""
        points = self.points
        squared = np.full(points.n_rows, np.inf)
        whose: IntArray = np.zeros(points.n_rows, dtype=np.int64)
        nearest_of(points.x, points.y, points.site_x[plan], points.site_y[plan], squared, whose)
        self.state.budget.spend(points.n_rows * len(plan))
        self.state.found(float(points.rounded(np.sqrt(squared.max(keepdims=True)))[0]), plan)
        return squared, whose

    def first_plan(self) -> None:
        """The farthest point's nearest site, again and again (Gonzalez 1985); then each its cluster's middle."""
        points = self.points
        squared = np.full(points.n_rows, np.inf)
        whose: IntArray = np.zeros(points.n_rows, dtype=np.int64)
        middle_x, middle_y = points.x.mean(), points.y.mean()
        row = int(np.argmax(np.square(points.x - middle_x) + np.square(points.y - middle_y)))
        rows, plan = [row], [int(points.nearest_site(points.x[row], points.y[row])[0])]
        while len(plan) < self.p:
            last = np.array(plan[-1:])
            nearest_of(points.x, points.y, points.site_x[last], points.site_y[last], squared, whose)
            row = int(np.argmax(squared))
            if squared[row] <= 0.0:
                break
            rows.append(row)
            plan.append(int(points.nearest_site(points.x[row], points.y[row])[0]))
        self.subset = np.array(rows, dtype=np.int64)
        best = np.inf
        for _ in range(30):
            squared, whose = self.keep(np.array(plan))
            if squared.max() >= best or self.state.budget.exhausted():
                break
            best = squared.max()
            plan = self._middles(whose, plan)
        self.more_rows(squared, whose, self.p)

    def _middles(self, whose: IntArray, plan: list[int]) -> list[int]:
        """The site nearest to the middle of the smallest circle around each cluster."""
        points, moved = self.points, []
        for k, old in enumerate(plan):
            mine = np.flatnonzero(whose == k)
            if len(mine):
                x, y = _smallest_circle(points.x[mine], points.y[mine])
                old = int(points.nearest_site(x, y)[0])
            moved.append(old)
        return moved

    def more_rows(self, squared: FloatArray, whose: IntArray, most: int, beyond: float = -1.0) -> bool:
        """Add to the subset the farthest row of each site of a plan, the farthest first; whether any was missing."""
        order = np.argsort(-squared, kind="stable")[:200_000] if len(squared) > 400_000 else np.argsort(-squared)
        order = order[squared[order] > beyond]
        _, first = np.unique(whose[order], return_index=True)
        rows = order[np.sort(first)[:most]]
        rows = rows[~np.isin(rows, self.subset)]
        self.subset = np.concatenate([self.subset, rows])
        return len(rows) > 0

    def cover(self, reach: float) -> SubsetCover:
        """The set cover on the subset."""
        points, subset = self.points, self.subset
        discs = Discs.of(points.x[subset], points.y[subset], reach)
        sets, _, _, first = discs.merge(points.site_x, points.site_y, np.zeros(points.n_sites))
        keep = kernels.undominated(sets)
        keep[0] |= not keep.any()  # where no site is near any of them, one stands for all
        self.state.budget.spend(points.n_sites * 10 + len(sets) * 50)
        bits = np.unpackbits(sets[keep].view(np.uint8), axis=1, bitorder="little")[:, : len(subset)]
        row, col = np.nonzero(bits.T)
        ptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(subset)))]).astype(np.int64)
        return SubsetCover(first[keep], ptr, col.astype(np.int32), self.p)

    def ask(self, threshold: float, work: int) -> bool | None:
        """
        Whether a plan stays below a threshold, as far as relaxation and search tell; with work, also by branching.

        True where the state's value is below now, False where its bound has risen to the threshold.
        """
        state, points = self.state, self.points
        reach = reach_below(points.rounded, threshold)
        limit = reach * reach
        rank: FloatArray | None = None
        while not state.budget.exhausted():
            cover = self.cover(reach)
            alone = np.flatnonzero(np.diff(cover.ptr) == 0)
            if len(alone):
                lam = np.zeros(cover.n)
                lam[alone[0]] = self.p + 1.0
                return self._no(threshold, cover, _one_leaf(cover, lam))
            start = cover.greedy(np.zeros(cover.m) if rank is None else rank)
            found = cover.search(start, _LONG if work else _QUICK, self.seed, state.budget)
            if found is not None:
                squared, whose = self.keep(cover.place[found])
                if state.value < threshold:
                    return True
                if self.more_rows(squared, whose, self.p, limit):
                    continue
            search = CoverSearch(cover, state.budget)
            root = search.root()
            if root is None:
                return None
            if np.ceil(search.bound(root) - 1e-6) > self.p:
                return self._no(threshold, cover, _one_leaf(cover, root))
            y = search.solution
            at = np.flatnonzero(y > 1e-9)
            place = cover.place[at]
            total = share_within(points.x, points.y, points.site_x[place], points.site_y[place], y[at], reach)
            state.budget.spend(points.n_rows * len(at))
            if self.uncovered(total):
                continue
            if not work:
                return None
            part = Budget(state.budget.stop, work)
            search.budget = part
            proof = search.too_few(self.p)
            state.budget.spend(part.spent)
            if proof is not None:
                return self._no(threshold, cover, proof)
            if search.plan is None:
                return None
            squared, whose = self.keep(cover.place[search.plan])
            if state.value < threshold:
                return True
            self.more_rows(squared, whose, self.p, limit)
        return None

    def uncovered(self, total: FloatArray) -> bool:
        """Add rows that a fractional choice covers least, far from each other; whether there are any."""
        points = self.points
        low = np.flatnonzero(total < 1.0 - 1e-6)
        if not len(low):
            return False
        low = low[np.argsort(total[low], kind="stable")][:20_000]
        reach, picked = reach_below(points.rounded, self.state.value), []
        left = np.ones(len(low), dtype=bool)
        for _ in range(2 * self.p):
            at = np.flatnonzero(left)
            if not len(at):
                break
            row = low[at[0]]
            picked.append(row)
            left &= np.hypot(points.x[low] - points.x[row], points.y[low] - points.y[row]) > 0.5 * reach
        rows = np.setdiff1d(np.array(picked), self.subset)
        self.subset = np.concatenate([self.subset, rows])
        return len(rows) > 0

    def _no(self, threshold: float, cover: SubsetCover, tree: ProofTree) -> bool:
        self.proof = CenterProof(threshold, self.subset.copy(), cover.place, tree.certificate())
        self.state.proved(threshold)
        return False

    def run(self) -> None:
        """From the first plan to a proof, or until the state is done."""
        state, work = self.state, 0
        self.first_plan()
        state.proved(0.0)
        low = state.bound  # above it, not yet asked without branching
        top = state.value
        while not state.done():
            middle = self._between(max(low, state.bound), top)
            if middle is None:
                break
            answer = self.ask(middle, 0)
            top = middle if answer is None else min(top, state.value)  # None: the relaxation leaves it open
        work = 1_000_000_000
        while not state.done():
            answer = self.ask(state.value, work)
            if answer is None and not state.done():
                middle = self._between(state.bound, state.value)
                if middle is not None:
                    self.ask(middle, work)
            work *= 3

    def _between(self, low: float, high: float) -> float | None:
        """A threshold in the middle; None where they are close."""
        if self.points.whole:
            middle = np.ceil((low + high) / 2)
            return float(middle) if low < middle < high else None
        return (low + high) / 2 if high - low > 1e-3 * high else None


def _one_leaf(cover: SubsetCover, lam: FloatArray) -> ProofTree:
    tree = ProofTree()
    tree.set_leaf(0, tree.add(partial(cover.spread, lam)))
    return tree


def _smallest_circle(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """About the middle of the smallest circle around some points (Badoiu, Clarkson 2003)."""
    at_x, at_y = float(x.mean()), float(y.mean())
    for step in range(1, 200):
        far = int(np.argmax(np.square(x - at_x) + np.square(y - at_y)))
        at_x += (x[far] - at_x) / (step + 1)
        at_y += (y[far] - at_y) / (step + 1)
    return at_x, at_y


def solve_center(
    points: CenterPoints,
    p: int,
    *,
    gap: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> tuple[Solution, CenterProof | None]:
    """
    Open p sites so that the farthest point is as near as possible.

    Parameters
    ----------
    gap
        Relative gap at which the run may end.
    threads
        Not used: one is enough.
    work_limit
        Entries to scan at most (see ``Budget``): ends a run at the same point on every machine.

    Returns
    -------
    Solution, CenterProof
        The plan and its bound, and what proves the bound; None where that is 0.
    """
    stop = stop or Stop()
    began_s = stop.elapsed_s
    budget = Budget(stop, work_limit)
    with (progress or Silent()).step("Choosing sites") as tick:
        state = State(budget, points.whole, gap, floor=0.0)
        state.tell_gap(tick)
        run = PlaneCenterRun(points, p, state, seed)
        run.run()
    open_mask = np.zeros(points.n_sites, dtype=bool)
    open_mask[state.open_site] = True
    open_mask[np.flatnonzero(~open_mask)[: p - int(open_mask.sum())]] = True
    none = np.zeros(0, dtype=np.int32)
    solution = Solution(
        status=Status.OPTIMAL if state.optimal else Status.GAP if state.reached else Status.FEASIBLE,
        level=np.where(open_mask, 0, -1).astype(np.int16).reshape(1, -1),
        row_idx=none,
        assigned_idx=none,
        share=np.zeros(0),
        objective=state.value,
        bound=state.bound,
        proof="certificate",
        certificate=None,
        trace=tuple(state.trace),
        seconds=stop.elapsed_s - began_s,
        work=budget.spent,
    )
    return solution, run.proof
