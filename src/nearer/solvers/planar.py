"""
Large p-medians of points in the plane: solved on cells of points first, then on all points, with no pair ever stored.

A plan is found for cells (points that follow each other on a curve, as one at their centre) and a part of the sites,
and settled on all sites. The relaxation is smoothed on cells (``openness``), its multipliers are climbed, carried to
smaller cells and at last to the points (``between``), where each of them proves a bound for all pairs and all sites.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from scipy.spatial import cKDTree

from nearer.kernels import tiles as kernels
from nearer.model import FREE, Certificate, Instance, Solution, Status, relative_gap
from nearer.model.plane import PlaneRows
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.ascent import Ascent, levelled
from nearer.solvers.between import Between, Grid
from nearer.solvers.budget import Budget
from nearer.solvers.core import Core, make_core
from nearer.solvers.lagrangian import opposites
from nearer.solvers.openness import spread
from nearer.solvers.proof import ProofTree
from nearer.solvers.search import greedy_start, interchange, kicked_often
from nearer.solvers.state import OPTIMAL_GAP, State
from nearer.solvers.tiles import PlaneDual, Tiles
from nearer.units import BoolArray, FloatArray, IntArray

_CELLS = 5_000  # at the first level, or so many to an open site
_PER_OPEN = 24
_SITES, _SITES_PER_OPEN = 3_000, 30  # that a plan is first looked for among
_STEP = 8  # how many times as many cells the next level holds
_RAMPS = (0.2, 0.08, 0.03)  # of the smoothing, in mean distances
_PASSES = 100  # with each
_CLIMB = 150  # iterations on cells
_LEVEL = 6  # passes that level multipliers, fewer between rounds of the climb
_ROUND = 50  # iterations on all points between attempts to fix sites
_FIXED = 0.3  # share of the sites left that fixing must decide: the check looks at all pairs for each time
_WORTH = 0.02  # share of the gap that a climb has to close for another one
_KICKS = 100_000_000  # entries scanned by kicks on the first cells
_FINER, _MORE = 4, 40_000_000  # times as many cells for later kicks, and what those scan between climbs
_NEAR = 24  # sites that an open one may move to at a time
_ALL_PAIRS = 20_000_000_000  # of points and sites, up to which one site is chosen by looking at all of them
_COSTING: dict[str, tuple[float, float]] = {
    "exact": (0.0, 0.0),
    "floor": (1.0, 0.0),
    "round": (1.0, 0.5),
    "ceil": (-1.0, 0.0),
}


def tiles_of(rows: PlaneRows, threads: int = 1) -> Tiles:
    """The points and sites of a problem by tiles."""
    up, shift = _COSTING[rows.rounding]
    return Tiles.of(rows.x, rows.y, rows.weight, rows.site_x, rows.site_y, up, shift, threads)


class PlanarRun:
    """One run; see ``solve_planar``."""

    def __init__(self, rows: PlaneRows, p: int, state: State, seed: int, threads: int) -> None:
        self.rows, self.p, self.state, self.threads = rows, p, state, threads
        self.rng = np.random.default_rng(seed)
        self.tiles = tiles_of(rows, threads)
        self.dual = PlaneDual(self.tiles, p)
        self.proof = ProofTree()
        self.lam: FloatArray = np.zeros(self.tiles.n)
        self.core: Core | None = None
        self.tried: IntArray = np.zeros(0, dtype=np.int32)

    def run(self) -> None:
        """From cells to points, until the state is done or nothing moves."""
        state, full = self.state, self.tiles
        if self.p == 1 and full.n * full.m <= _ALL_PAIRS:
            self.only_one()
            return
        size = max(1, full.n // max(_CELLS, _PER_OPEN * self.p))
        cells, cell = full.cells(size) if size > 1 else (full, np.arange(full.n + 1))
        plan = self.first_plan(cells)
        self.found(plan)
        lam = self.first_multipliers(cells, plan)
        first = size
        while size > _STEP**2 // 2 and not state.done():
            self.prove(_carried(cells, cell, lam, full, np.arange(full.n)), _LEVEL)
            size //= _STEP
            finer, at = full.cells(size)
            plan = self.settled(finer, plan)
            self.found(plan)
            lam = self.climbed(finer, _carried(cells, cell, lam, finer, at[:-1]), plan, _CLIMB)
            cells, cell = finer, at
        self.prove(_carried(cells, cell, lam, full, np.arange(full.n)), _LEVEL)
        self.finish(first)

    def only_one(self) -> None:
        """The best of all sites alone: multipliers above every distance count what each costs."""
        tiles = self.tiles
        x = np.maximum(tiles.x - tiles.site_x.min(), tiles.site_x.max() - tiles.x)
        y = np.maximum(tiles.y - tiles.site_y.min(), tiles.site_y.max() - tiles.y)
        lam = np.hypot(x, y) + abs(tiles.up)
        bound, _, chosen = self.dual.evaluate(lam)
        self.state.budget.spend(tiles.n * tiles.m)
        self.found(chosen)
        self.note(lam, bound)

    def first_plan(self, cells: Tiles) -> IntArray:
        """Greedy and interchange on a part of the sites, then kicks, then settled on all sites."""
        state, p = self.state, self.p
        some = self.some_sites(cells)
        few = len(some)
        rows = PlaneRows(cells.x, cells.y, cells.weight, cells.site_x[some], cells.site_y[some], "exact")
        core = make_core(rows.instance(rows.reach_of(min(few, 16 + 3 * -(-few // p)), self.threads), p, self.threads))
        plan = core.site[interchange(core, greedy_start(core, state.budget), state.budget)]
        core = make_core(rows.instance(_look(rows, plan, self.threads), p, self.threads))
        place = interchange(core, np.searchsorted(core.site, plan).astype(np.int32), state.budget)
        if p < few:
            place = kicked_often(core, place, self.rng, state.budget, min(_KICKS, 400 * core.nnz))
        return self.settled(cells, some[core.site[place]].astype(np.int32))

    def some_sites(self, tiles: Tiles) -> IntArray:
        """Sites to begin with: as many as are needed, spread as they all are."""
        few = min(tiles.m, max(_SITES, _SITES_PER_OPEN * self.p))
        size = max(float(np.ptp(tiles.site_x)), float(np.ptp(tiles.site_y)), 1e-9)
        along = kernels.hilbert(tiles.site_x, tiles.site_y, float(tiles.site_x.min()), float(tiles.site_y.min()), size)
        return np.sort(np.argsort(along, kind="stable")[np.linspace(0, tiles.m - 1, few).astype(int)])

    def settled(self, tiles: Tiles, plan: IntArray) -> IntArray:
        """Move each open site to where it saves, again and again until none does."""
        if self.p >= tiles.m:
            return plan
        plan = plan.copy()
        tree = cKDTree(np.column_stack([tiles.site_x, tiles.site_y]))
        d1, a1, d2 = tiles.two_nearest(plan)
        a1 = np.searchsorted(np.sort(plan), a1).astype(np.int32)  # place in the plan
        plan.sort()
        nearest = kernels.Nearest(d1, a1, d2)
        most = np.maximum.reduceat(d2, tiles.tile[:-1])
        least = 1e-12 * float((tiles.weight * d1).sum())
        waiting = set(range(len(plan)))
        while waiting and not self.state.budget.exhausted():
            r = min(waiting)
            waiting.discard(r)
            out = int(plan[r])
            member = np.flatnonzero(a1 == r)
            if not len(member):
                continue
            centre = _centre(tiles, member, out)
            here = np.array([[tiles.site_x[out], tiles.site_y[out]], centre])
            near = np.unique(tree.query(here, k=min(_NEAR, tiles.m))[1])
            near = near[~np.isin(near, plan)].astype(np.int32)
            if not len(near):
                continue
            more = kernels.moves(tiles.points, nearest, most, r, out, near, tiles.site_x, tiles.site_y, tiles.costing)
            self.state.budget.spend(len(near) * len(member))
            if (best := int(more.argmin())) < 0 or more[best] >= -least:
                continue
            come = int(near[best])
            which = tiles.near(np.array([out, come]), most + (1.0 if tiles.up else 0.0))
            plan[r] = come
            part = _points(tiles, which)
            before = a1[part]
            tiles.renew(plan, which, nearest)
            most[which] = np.maximum.reduceat(d2, tiles.tile[:-1])[which]
            waiting.update(np.unique(np.concatenate([before, a1[part]])).tolist())
        return np.sort(plan)

    def found(self, plan: IntArray) -> None:
        """Offer a plan to the state."""
        self.state.found(self.tiles.value(plan), plan)

    def first_multipliers(self, cells: Tiles, plan: IntArray) -> FloatArray:
        """Multipliers of cells, by the smoothed relaxation and a climb."""
        d1, _, d2 = cells.two_nearest(plan)
        lam = np.where(np.isfinite(d2), (d1 + d2) / 2, d1)
        some = self.some_sites(cells)
        few = replace(cells, site_x=cells.site_x[some], site_y=cells.site_y[some])
        tree = cKDTree(np.column_stack([few.site_x, few.site_y]))
        share = np.full(few.m, 0.5 * self.p / few.m)
        share[tree.query(np.column_stack([cells.site_x[plan], cells.site_y[plan]]))[1]] += 0.5
        if self.p < few.m:
            mean = max(float(np.average(d1, weights=cells.weight)), 1e-9)
            for ramp in _RAMPS:
                share, found = spread(few, self.p, share, lam, ramp * mean, _PASSES, self.state.budget)
                lam = np.maximum(found - 0.5 * ramp * mean, 0.0)
        return self.climbed(cells, lam, plan, _CLIMB)

    def climbed(self, cells: Tiles, lam: FloatArray, plan: IntArray, iterations: int) -> FloatArray:
        """Better multipliers of cells."""
        dual, budget = PlaneDual(cells, self.p), self.state.budget
        ascent = Ascent(dual, levelled(dual, lam, plan, _LEVEL, budget)[0])
        for _ in range(0, iterations, _ROUND):
            ascent.climb(cells.value(plan), _ROUND, budget)
            ascent.take(*levelled(dual, ascent.lam, plan, _LEVEL // 2, budget))
        return ascent.lam

    def prove(self, lam: FloatArray, passes: int = 1) -> tuple[FloatArray, float]:
        """Level multipliers of all points and note what they prove."""
        plan = self.state.open_site.astype(np.int32)
        lam, bound = levelled(self.dual, lam, plan, passes, self.state.budget)
        self.note(lam, bound)
        return lam, bound

    def note(self, lam: FloatArray, bound: float) -> None:
        """Keep multipliers that prove more."""
        safe = self.dual.safe(bound, lam)
        if safe > self.state.bound:
            self.lam = lam
            self.proof.set_leaf(0, self.proof.add(partial(self._in_place, lam)))
            self.state.proved(safe)

    def _in_place(self, lam: FloatArray) -> FloatArray:
        out = np.empty(self.tiles.n)
        out[self.tiles.order] = self.tiles.weight * lam
        return out

    def finish(self, size: int) -> None:
        """All points: the plan settled, the multipliers climbed, on cells too, and sites fixed in turns."""
        state = self.state
        self.found(self.settled(self.tiles, state.open_site.astype(np.int32)))
        ascent = Ascent(self.dual, self.lam)
        since = state.bound
        self.make_search()
        if state.done() or self.fix(ascent):
            return
        grids = [Grid(self.tiles, finer) for finer in (size, size // _FINER) if finer > 1]
        while not state.done():
            self.search()
            if self.rise(ascent, grids):
                break
            ascent.climb(state.value, _ROUND, state.budget, state.cutoff)
            ascent.take(*self.prove(ascent.lam, _LEVEL // 2))
            if self.fix(ascent):
                break
            if ascent.tired:
                if state.bound - since < _WORTH * (state.value - state.bound):
                    break
                since = state.bound
                ascent.rest()

    def rise(self, ascent: Ascent, grids: list[Grid]) -> bool:
        """Climb on each size of cells as long as that pays, and fix sites; whether nothing is left to decide."""
        state = self.state
        for grid in list(grids):
            if state.done():
                break
            before = state.bound
            plan = state.open_site.astype(np.int32)
            lam = grid.risen(self.dual, ascent.lam, plan, _CLIMB, state.budget)
            ascent.take(*self.prove(lam, _LEVEL // 2))
            if state.bound - before < _WORTH * (state.value - before):
                grids.remove(grid)
            if self.fix(ascent):
                return True
        return False

    def make_search(self) -> None:
        """Rows of finer cells, where kicks look for better plans; none where there are too many sites for them."""
        if not self.p < self.tiles.m <= max(_SITES, _SITES_PER_OPEN * self.p):
            return
        cells, _ = self.tiles.cells(max(1, self.tiles.n // (_FINER * max(_CELLS, _PER_OPEN * self.p))))
        rows = PlaneRows(cells.x, cells.y, cells.weight, cells.site_x, cells.site_y, "exact")
        plan = self.state.open_site.astype(np.int32)
        self.core = make_core(rows.instance(_look(rows, plan, self.threads), self.p, self.threads))
        self.tried = np.searchsorted(self.core.site, plan).astype(np.int32)

    def search(self) -> None:
        """Kick the plan of the cells on; where that helps there, try it on all points."""
        if self.core is None or self.state.done():
            return
        better = kicked_often(self.core, self.tried, self.rng, self.state.budget, min(_MORE, 400 * self.core.nnz))
        if np.array_equal(better, self.tried):
            return
        self.tried = better
        self.found(self.settled(self.tiles, self.core.site[better].astype(np.int32)))

    def fix(self, ascent: Ascent) -> bool:
        """Fix sites by reduced cost; whether nothing is left to decide."""
        dual, state = self.dual, self.state
        bound, rho, chosen = dual.evaluate(ascent.lam)
        inside = np.zeros(dual.m, dtype=bool)
        inside[chosen] = True
        open_now = dual.live & ~dual.opened
        left = self.p - int(dual.opened.sum())
        rise = np.full(dual.m, -np.inf)
        rise[open_now] = opposites(rho[open_now], inside[open_now], left, left)
        opposite = dual.safe(bound, ascent.lam) + rise
        given_up = open_now & (opposite >= state.cutoff)
        closed, opened = given_up & ~inside, given_up & inside
        if int(given_up.sum()) < _FIXED * int(open_now.sum()):
            return False
        state.discard(float(opposite[given_up].min()))
        self.note_fixings(closed, opened, ascent.lam)
        dual.fix(closed, opened)
        if int(dual.live.sum()) > self.p:
            return False
        plan = np.flatnonzero(dual.live).astype(np.int32)
        self.found(plan)
        d1, _, d2 = self.tiles.two_nearest(plan)
        self.prove(np.where(np.isfinite(d2), (d1 + d2) / 2, d1))
        return True

    def note_fixings(self, closed: BoolArray, opened: BoolArray, lam: FloatArray) -> None:
        """Write fixings into the proof."""
        multiplier = self.proof.add(partial(self._in_place, lam))
        self.proof.add_fixings(0, _All(self.tiles.m), np.flatnonzero(closed), np.flatnonzero(opened), multiplier)


class _All:
    """All sites."""

    def __init__(self, m: int) -> None:
        self._site = np.arange(m)

    @property
    def site(self) -> IntArray:
        """Each is its own."""
        return self._site


def solve_planar(
    rows: PlaneRows,
    p: int,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> tuple[Instance, Solution]:
    """
    Open p sites so that the weighted cost to the nearest is least, over all pairs, for many points.

    Parameters
    ----------
    rows, p, gap, seed, threads, work_limit, stop, progress
        As for ``growing.solve_growing``.

    Returns
    -------
    Instance, Solution
        Rows of the nearest open site alone, and the plan, with a bound and a certificate for all pairs.
    """
    stop = stop or Stop()
    began_s = stop.elapsed_s
    with (progress or Silent()).step("Choosing sites") as tick:
        whole = rows.whole and bool(np.all(rows.weight % 1 == 0))
        state = State(Budget(stop, work_limit), whole, gap, floor=0.0)
        state.tell_gap(tick)
        run = PlanarRun(rows, p, state, seed, threads)
        run.run()
    plan = np.sort(state.open_site).astype(np.int32)
    value = rows.value_with(plan, threads)
    bound = min(state.bound, value)
    instance = _served(rows, plan, threads)
    level = np.full((1, rows.n_sites), -1, dtype=np.int16)
    level[0, plan] = 0
    if value - bound <= OPTIMAL_GAP * abs(value) or (whole and value - bound < 1.0):
        status = Status.OPTIMAL
    else:
        status = Status.GAP if relative_gap(value, bound) <= gap else Status.FEASIBLE
    certificate: Certificate = run.proof.certificate()
    return instance, Solution(
        status=status,
        level=level,
        row_idx=np.arange(rows.n_rows, dtype=np.int32),
        assigned_idx=instance.site_idx,
        share=np.ones(rows.n_rows),
        objective=value,
        bound=bound,
        proof="certificate",
        certificate=certificate,
        trace=tuple(state.trace),
        seconds=stop.elapsed_s - began_s,
        work=state.budget.spent,
    )


def _carried(cells: Tiles, cell: IntArray, lam: FloatArray, finer: Tiles, first: IntArray) -> FloatArray:
    """Multipliers of cells at points or smaller cells, of which the first points are given."""
    own = np.searchsorted(cell, first, side="right") - 1
    return np.maximum(Between(cells, finer.x, finer.y, own)(lam), 0.0)


def _served(rows: PlaneRows, plan: IntArray, threads: int) -> Instance:
    """Each row with its nearest open site alone."""
    tree = cKDTree(np.column_stack([rows.site_x[plan], rows.site_y[plan]]))
    near = tree.query(np.column_stack([rows.x, rows.y]), k=1, workers=threads)[1]
    n, p = rows.n_rows, len(plan)
    cost = rows.cost_with(plan, threads)
    return Instance(
        indptr=np.arange(n + 1, dtype=np.int64),
        site_idx=plan[near].astype(np.int32),
        cost=cost.astype(np.int64) if rows.whole else cost,
        unserved=np.full(n, np.inf),
        weight=rows.weight.reshape(1, n),
        standing=np.full(rows.n_sites, FREE, dtype=np.int8),
        open_min=np.array([p], dtype=np.int64),
        open_max=np.array([p], dtype=np.int64),
        capacity=np.full((rows.n_sites, 1, 1), np.inf),
        row_point=np.arange(n, dtype=np.int32),
        row_group=np.zeros(n, dtype=np.int32),
    )


def _look(rows: PlaneRows, plan: IntArray, threads: int) -> FloatArray:
    """How far rows look for other sites: a little beyond the second nearest open one."""
    nearest, second = rows.two_nearest(plan, threads)
    return 1.2 * np.where(np.isfinite(second), second, 2 * nearest) + 1e-9


def _centre(tiles: Tiles, member: IntArray, site: int) -> FloatArray:
    """About where the sum of distances to some points is least (Weiszfeld 1937), from a site."""
    x, y, weight = tiles.x[member], tiles.y[member], tiles.weight[member]
    cx, cy = tiles.site_x[site], tiles.site_y[site]
    for _ in range(5):
        pull = weight / np.maximum(np.hypot(x - cx, y - cy), 1e-9)
        total = float(pull.sum())
        if total <= 0.0:
            break
        cx, cy = float((pull * x).sum()) / total, float((pull * y).sum()) / total
    return np.array([cx, cy])


def _points(tiles: Tiles, which: IntArray) -> IntArray:
    """Points of some tiles."""
    length = np.diff(tiles.tile)[which]
    first = np.repeat(tiles.tile[which] - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
    return np.asarray(first + np.arange(int(length.sum())))
