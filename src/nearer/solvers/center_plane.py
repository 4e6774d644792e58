"""
The p-center of points in the plane, however many: rows and sites are looked at, never held in pairs.

For a threshold the question is whether p sites cover a few rows R (Chen, Chen 2009; Contardo, Iori, Kramer 2019). What
a site means for it is the set of rows of R within the threshold: sites with equal sets are one, and those inside
another are left out, so that a million sites come down to the faces of an arrangement of circles. A plan that covers R
but not all rows adds the farthest of those it leaves out; where no p sites cover R, the threshold is a lower bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from nearer.kernels import covering as kernels
from nearer.kernels.cells import Cells
from nearer.kernels.cover_sets import Discs
from nearer.kernels.farthest import circle_middles, outer_points
from nearer.model import Solution
from nearer.model.center_plane import CenterPoints
from nearer.model.certificate import CenterProof
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.budget import Budget
from nearer.solvers.center_relaxation import CenterRelaxation, Relaxed, by_cells
from nearer.solvers.center_tree import CenterTree, LensSearch
from nearer.solvers.cover_rows import CoverRows
from nearer.solvers.state import State
from nearer.units import BoolArray, FloatArray, IntArray

_QUICK = 50_000_000  # entries that the first searches for a plan may scan
_OFFERED = 20_000  # sites from everywhere that a search for a plan is offered, where there are far more
_NEAR = 0.05  # of the threshold, up to where those around a plan are
_WORTH = 1.02  # times the best value, up to where the sites of a plan move, where that takes long
_ROWS = 30  # for each site to open, that a search begins with at most, about
_ROUNDS = 40  # of such a search at most
_EASY, _ROUGH = 100_000_000, 0.04  # work of a threshold of the first bound, and how near to its end it is, of the value
_PASSES = 200  # or, where there are many points, so many times them: a round looks at all of them
_TIMES = 10_000  # times that such a search may scan all entries
_SEARCHED = 8  # between trees plans are looked for with one part in so many of what a tree took
_MOVES = 8  # times that the sites of a plan move to the middles of what they serve
_SECTORS = 256  # around a site, of which only the farthest point counts for that circle


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


def squared_reach(reach: float) -> float:
    """The greatest squared distance whose root, rounded as float64, is at most ``reach``."""
    squared = reach * reach
    while np.sqrt(squared) > reach:
        squared = float(np.nextafter(squared, -np.inf))
    while np.sqrt(np.nextafter(squared, np.inf)) <= reach:
        squared = float(np.nextafter(squared, np.inf))
    return squared


def farthest_of_each(squared: FloatArray, whose: IntArray, beyond: float) -> IntArray:
    """The farthest row of each site, if farther than ``beyond``, the farthest first, int64."""
    far = np.flatnonzero(squared > beyond)
    order = far[np.argsort(-squared[far], kind="stable")]
    _, first = np.unique(whose[order], return_index=True)
    return np.asarray(order[np.sort(first)])


class PlaneCenterRun:
    """One run; see ``solve_center``."""

    def __init__(
        self, points: CenterPoints, rows: Cells, sites: Cells, p: int, state: State, seed: int, threads: int
    ) -> None:
        self._rows = rows
        self.points, self.p, self.state, self.seed, self.threads = points, p, state, seed, threads
        self.subset: IntArray = np.zeros(0, dtype=np.int64)
        self.plan: IntArray = np.zeros(0, dtype=np.int64)
        self.relaxation = CenterRelaxation(points, rows, sites, p, state.budget, threads)
        self._proof: Callable[[], CenterProof] | None = None
        self._above = np.inf  # the relaxation proves nothing from here on
        self._asked = 0
        self._many = points.n_sites > 2 * _OFFERED

    def proof(self) -> CenterProof | None:
        """What proves the bound; None where that is 0."""
        return None if self._proof is None else self._proof()

    def nearest(self, plan: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
        """As ``Cells.nearest`` of the sites of a plan."""
        points = self.points
        self.state.budget.spend(points.n_rows * 2)
        return self._rows.nearest((points.site_x[plan], points.site_y[plan]), self.threads)

    def keep(self, plan: IntArray) -> tuple[FloatArray, IntArray]:
        """Offer a plan, and what becomes of it when sites move to the middles of what they serve; its ``nearest``."""
        squared, whose, only = self.nearest(plan)
        own = squared, whose
        least = np.inf
        for _ in range(_MOVES):
            worst = squared.max()
            if worst >= least:
                break
            least = worst
            value = float(self.points.rounded(np.sqrt(squared.max(keepdims=True)))[0])
            if value < self.state.value:
                self.plan = plan
                self.state.found(value, plan)
            if self.state.budget.exhausted():
                break
            if self._many and self.points.rounded(np.sqrt(worst)) > _WORTH * self.state.value:
                break
            plan = self._moved(whose, only, plan)
            squared, whose, only = self.nearest(plan)
        return own

    def first_plan(self) -> None:
        """The farthest point's nearest site, again and again (Gonzalez 1985); then each to its cluster's middle."""
        points = self.points
        squared = np.full(points.n_rows, np.inf)
        middle_x, middle_y = points.x.mean(), points.y.mean()
        row = int(np.argmax(np.square(points.x - middle_x) + np.square(points.y - middle_y)))
        rows, plan = [row], [int(points.nearest_site(points.x[row], points.y[row])[0])]
        while len(rows) < 4 * self.p:
            np.minimum(squared, self.nearest(np.array(plan[-1:]))[0], out=squared)
            row = int(np.argmax(squared))
            if squared[row] <= 0.0:
                break
            rows.append(row)
            plan.append(int(points.nearest_site(points.x[row], points.y[row])[0]))
        self.subset = self.relaxation.row = np.array(rows, dtype=np.int64)
        self.relaxation.site = np.unique(plan)
        self.more_rows(*self.keep(np.array(plan[: self.p])))

    def _moved(self, whose: IntArray, only: IntArray, plan: IntArray) -> IntArray:
        """The site nearest to the middle of the smallest circle around what each site of a plan serves, about."""
        points = self.points
        rows = self._rows.outline(only)
        x, y = points.x[rows], points.y[rows]
        outer = outer_points(x, y, points.site_x[plan], points.site_y[plan], whose[rows], _SECTORS)
        ptr = np.concatenate([[0], np.cumsum((outer >= 0).sum(axis=1))])
        x, y = circle_middles(x, y, outer[outer >= 0], ptr)
        self.state.budget.spend(10 * len(rows))
        moved, some = plan.copy(), np.flatnonzero(np.isfinite(x))
        moved[some] = points.nearest_site(x[some], y[some])
        return moved

    def more_rows(self, squared: FloatArray, whose: IntArray, beyond: float = -1.0) -> bool:
        """Add to the subset the farthest row of each site of a plan, if it is too far; whether any was missing."""
        rows = farthest_of_each(squared, whose, beyond)
        rows = rows[~np.isin(rows, self.subset)]
        self.subset = np.concatenate([self.subset, rows])
        return len(rows) > 0

    def cover(self, reach: float, rows: IntArray, sites: IntArray | None = None) -> tuple[IntArray, CoverRows]:
        """The set cover of some rows: of all or some sites those that no other dominates there, and what they cover."""
        points = self.points
        x, y = (points.site_x, points.site_y) if sites is None else (points.site_x[sites], points.site_y[sites])
        sets, _, _, first = Discs.of(points.x[rows], points.y[rows], reach, len(x)).merge(x, y, np.zeros(len(x)))
        if sites is not None:
            first = sites[first]
        keep = kernels.undominated(sets)
        keep[0] |= not keep.any()  # where no site is near any of them, one stands for all
        self.state.budget.spend(len(x) * 10 + len(sets) * 50)
        bits = np.unpackbits(sets[keep].view(np.uint8), axis=1, bitorder="little")[:, : len(rows)]
        row, col = np.nonzero(bits.T)
        n, m = len(rows), int(keep.sum())
        ptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64)
        dear = np.full(n, self.p + 1.0)
        return first[keep], CoverRows(0.0, np.arange(n), np.arange(m), ptr, col.astype(np.int32), dear, n)

    def plans(self, threshold: float, work: int, near: bool = False) -> bool:
        """
        Look for a plan below a threshold: swaps on the subset, to which the rows join that a plan leaves out.

        ``near`` offers of many sites only those about the best plan.
        """
        state, points = self.state, self.points
        reach = reach_below(points.rounded, threshold)
        limit = squared_reach(reach)
        until, start = state.budget.spent + work, self.plan
        if len(self.subset) > 2 * _ROWS * self.p:  # those of the last searches matter most
            self.subset = self.subset[-_ROWS * self.p :]
        self._asked += 1
        for _ in range(_ROUNDS):
            if state.budget.exhausted() or state.budget.spent >= until:
                return False
            place, rows = self.cover(reach, self.subset, self._offered(start, reach, near))
            if rows.ptr[-1] == 0 or np.diff(rows.ptr).min() == 0:  # a row that no site is near
                return False
            opened = self._alike(start, place)
            most = min(until - state.budget.spent, _TIMES * len(rows.col) * max(work // _QUICK, 1))
            if not rows.swap(opened, most, self.seed + self._asked, state.budget):
                return False
            start = place[opened]
            before = state.budget.spent
            squared, whose = self.keep(start)
            until += state.budget.spent - before  # work is for the swaps: few rounds would leave the plan half found
            if state.value < threshold:
                return True
            if not self.more_rows(squared, whose, limit):
                return False
        return False

    def _offered(self, plan: IntArray, reach: float, near: bool) -> IntArray | None:
        """Of many sites those near a plan, where they matter, and some from everywhere unless ``near``; None: all."""
        points = self.points
        if not self._many:
            return None
        around = points.sites_near(points.site_x[plan], points.site_y[plan], _NEAR * reach)
        return around if near else np.union1d(around, np.arange(0, points.n_sites, points.n_sites // _OFFERED))

    def _alike(self, plan: IntArray, place: IntArray) -> BoolArray:
        """As many of some sites as may open, those near the sites of a plan, bool (len(place),)."""
        points, opened = self.points, np.zeros(len(place), dtype=bool)
        for j in plan[: self.p]:
            far = np.square(points.site_x[place] - points.site_x[j]) + np.square(
                points.site_y[place] - points.site_y[j]
            )
            far[opened] = np.inf
            opened[int(np.argmin(far))] = True
        opened[np.flatnonzero(~opened)[: self.p - int(opened.sum())]] = True
        return opened

    def _squared(self, threshold: float) -> float:
        """The last squared distance below a threshold."""
        return squared_reach(reach_below(self.points.rounded, threshold))

    def relax(self, threshold: float, work: int) -> Relaxed:
        """Ask the relaxation of a threshold, and keep what that proves."""
        found = self.relaxation.ask(self._squared(threshold), work)
        if found.proven:
            # What was left out of λ is next to nothing, so the sums of all sites are at most 1.
            share = found.lam * (found.least / float(found.lam.sum()))
            tree = CenterTree()
            tree.take(0, np.column_stack([found.row, found.row]), share)
            self._no(threshold, tree)
        return found

    def easy_bound(self, work: int) -> None:
        """Raise the bound while that is easy, to some percent below the value."""
        self.state.proved(0.0)
        self.bounds(work, _ROUGH)

    def bounds(self, work: int, near: float = 1e-3) -> None:
        """
        Raise the bound to near where the relaxation ends, each threshold asked for so much work at most.

        ``near`` is a share of the value. That a threshold is too high is mostly found soon.
        """
        state = self.state
        top, value = min(self._above, state.value), state.value
        while not state.done() and top - state.bound > max(near * value, 0.05 * (value - state.bound)):
            middle = self._between(state.bound, top)
            if middle is None:
                return
            found = self.relax(middle, work)
            if found.proven:
                continue
            if found.proven is False:
                self._above = min(self._above, middle)
            top = middle

    def branch(self, threshold: float, work: int) -> bool | None:
        """Whether a plan stays below a threshold, by a tree; None where it is not done."""
        state = self.state
        part = Budget(state.budget.stop, work)
        search = LensSearch(self.relaxation, self._squared(threshold), part)
        too_few = search.too_few()
        if too_few:
            self._no(threshold, search.tree)
        if search.plan is not None:
            self.keep(search.plan)
        state.budget.spend(part.spent)
        return None if too_few is None else not too_few

    def _no(self, threshold: float, tree: CenterTree) -> None:
        """No plan stays below a threshold."""
        if threshold > self.state.bound:
            self._proof = partial(tree.proof, threshold)
            self.state.proved(threshold)

    def run(self) -> None:
        """From the first plan to a proof, or until the state is done."""
        state, work = self.state, max(_QUICK, _PASSES * self.points.n_rows)
        self.first_plan()
        self.easy_bound(_EASY)
        if self._many:
            self.better(0.03, 0.02, work)
            self.easy_bound(2 * _EASY)
        self.better(0.03, 0.006, work)
        if self._many:
            self.better(0.004, 2e-4, work, near=True)
        self.bounds(8 * work)
        while not state.done():
            self.better(0.004, 2e-4, work, near=self._many)
            self.closer(50 * work)
            work *= 4
            self.bounds(8 * work)

    def closer(self, work: int) -> None:
        """
        Raise the bound by trees, in steps that are as long as the work may do, and shorter where a tree did not end.

        A tree grows with the sites between p and what the relaxation needs, and a threshold a part x higher needs 2px
        sites less: the first step costs the relaxation a third of a site, for which trees grow about tenfold.
        """
        state = self.state
        first, least = state.value / (6 * self.p), state.value / (50 * self.p)
        step, owed = first, 0
        while step >= least and not state.done():
            before = state.budget.spent
            threshold = state.bound + step
            if self.points.whole:
                threshold = max(float(np.floor(threshold)), state.bound + 1.0)
            if threshold + least > state.value:
                threshold = state.value
            ended, spent = self.branch(threshold, work) is not None, state.budget.spent - before
            if ended:
                step = min(1.5 * step, first * float(np.log10(work / spent)))
            elif self.points.whole and threshold <= state.bound + 1.0:
                return
            else:
                step = (threshold - state.bound) / 2
            owed += spent // _SEARCHED
            if owed >= max(_QUICK, _PASSES * self.points.n_rows):
                self.better(0.002, 2e-4, owed, near=self._many)
                owed = 0

    def better(self, step: float, least: float, work: int, near: bool = False) -> None:
        """Look for plans a step better than the best, the step halved where none is found."""
        state, first = self.state, step
        while step > least and not state.done():
            target = max(state.value * (1.0 - step), state.bound + 0.2 * (state.value - state.bound))
            if self.points.whole:
                target = float(np.floor(target) + 1.0)
            found = target > state.bound and self.plans(min(target, state.value), work, near)
            step = min(1.5 * step, first) if found else 0.5 * step

    def _between(self, low: float, high: float) -> float | None:
        """A threshold in the middle; None where they are close."""
        if self.points.whole:
            middle = np.ceil((low + high) / 2)
            return float(middle) if low < middle < high else None
        return (low + high) / 2 if high - low > 1e-3 * high else None


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
        Of the passes over all points; the result is the same for any number.
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
        points, (rows, row_of), (sites, site_of) = by_cells(points)
        run = PlaneCenterRun(points, rows, sites, p, state, seed, threads)
        run.run()
    open_mask = np.zeros(points.n_sites, dtype=bool)
    open_mask[site_of[state.open_site]] = True
    open_mask[np.flatnonzero(~open_mask)[: p - int(open_mask.sum())]] = True
    none = np.zeros(0, dtype=np.int32)
    proof = run.proof()
    solution = state.solution(open_mask, none, none, None, began_s)
    return solution, proof and replace(proof, pair=row_of[proof.pair])
