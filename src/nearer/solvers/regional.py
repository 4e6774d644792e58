"""
The p-median over regions: greedy, interchange, Lagrangian and fixing with the rows wherever they lie.

Once fixing has left little enough, what is left is brought here and solved to the end as any p-median is. Whether the
regions are held by this process or by workers, the same questions are asked in the same order: the answer is the same.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np

from nearer.model import FORBIDDEN, FREE, OPEN, Certificate, Instance, Solution
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import lagrangian as dual_side
from nearer.solvers import regions as asked
from nearer.solvers import volume
from nearer.solvers.budget import Budget
from nearer.solvers.elite import Elite
from nearer.solvers.interchange import Field, greedy, look, polished
from nearer.solvers.outline import Assignment, Outline, field_of, without_rows
from nearer.solvers.pmedian import PMedianRun
from nearer.solvers.proof import ProofBuilder
from nearer.solvers.regions import Regions
from nearer.solvers.rounds import Rounds
from nearer.solvers.search import filled
from nearer.solvers.state import State, no_plan
from nearer.solvers.volume import Dual
from nearer.units import NO_SITE, BoolArray, IntArray

BROUGHT_HERE = 4_000_000
"""Entries that are brought here: all that is left once that is no more, else of sites that matter; some 100 MB."""

_RUSH = (100, 100, 100)  # iterations of the first climb, between looks at the plans that show on it
_ROUND = 150
_PATIENCE = 3  # climbs in a row that gain nothing
_WIDE = 5  # times as many sites of least reduced cost as open are searched here
_PER_ROW = 2  # entries that are brought here for that, for each row, where that is more
_KICKS = 40_000_000  # entries that kicks may scan in each round, fewer where the problem is small
_DUAL = ("lam", "rho", "bound", "share")


class RegionalRun:
    """One run over regions; see ``solve_by_regions``."""

    def __init__(self, regions: Regions, ground: Instance, gap: float, seed: int, threads: int, budget: Budget) -> None:
        self.regions, self.ground, self.seed, self.threads = regions, ground, seed, threads
        self.rng = np.random.default_rng(seed)
        self.standing = ground.standing.copy()
        self.outline = Outline(regions, ground, self.standing, int(ground.open_min[0]), int(ground.open_max[0]))
        self.scale = field_of(self.outline).scale
        whole = self.outline.whole
        floor = 0.0 if np.all(ground.price >= 0) else -np.inf
        self.state = State(budget, whole, gap, floor=floor)
        self.proof = ProofBuilder(self.outline.full)
        self.dual: Dual | None = None
        self.climbs = self.idle = 0  # done, and of those the last ones that gained nothing

    @property
    def field(self) -> Field:
        """What is left, as moves are asked for."""
        return field_of(self.outline, self.scale)

    def run(self, rounds: Rounds | None = None) -> None:
        """From the first plan, or from where an earlier run stood, to a proof, or until the state is done."""
        state = self.state
        if self.small():
            self.finish_here()
            return
        kept = {} if rounds is None else rounds.read()
        if "lam" in kept:
            self.go_on_from(kept)
        else:
            self.begin(rounds, kept)
        for iterations in _RUSH[self.climbs :]:
            if state.done() or self.small():
                break
            self.climb(iterations, rush=True)
            self.note(rounds)
        while not state.done() and not self.small() and self.idle < _PATIENCE:
            known = (state.value, state.bound)
            self.climb(_ROUND, rush=False)
            self.idle = self.idle + 1 if (state.value, state.bound) == known else 0
            self.note(rounds)
        if not state.optimal and not state.budget.exhausted() and self.small():
            self.finish_here()

    def begin(self, rounds: Rounds | None, kept: asked.Arrays) -> None:
        """The first plan, and multipliers halfway between its two nearest sites."""
        budget = self.state.budget
        start = kept.get("greedy", kept.get("polished"))
        if start is not None:
            budget.spent = int(kept["spent"])
        greedy_note, polish_note = (None, None) if rounds is None else (rounds.of("greedy"), rounds.of("polished"))
        if start is None or "greedy" in kept:
            start = greedy(self.field, budget, start, greedy_note)
        plan = polished(self.field, start, budget, polish_note)
        self.keep(np.flatnonzero(plan).astype(np.int32))
        found = self.regions.ask(asked.two_nearest, standing=self.standing, plan=plan)
        lam = np.concatenate([(one["d1"] + one["d2"]) / 2 for one in found])
        self.dual = Dual(lam, np.zeros(self.outline.m), -np.inf, np.zeros(self.outline.m))

    def note(self, rounds: Rounds | None) -> None:
        """Keep where this stands after a climb, unless it ended before its time: then it would be another climb."""
        self.climbs += 1
        if rounds is None or self.state.budget.stop():
            return
        assert self.dual is not None
        proof = self.proof.certificate()
        rounds.keep(
            **self.state.kept(),
            **{name: getattr(self.dual, name) for name in _DUAL},
            **{f"proof:{field.name}": getattr(proof, field.name) for field in fields(proof)},
            standing=self.standing,
            counts=np.array([self.outline.k_min, self.outline.k_max, self.climbs, self.idle]),
            rng=np.array(json.dumps(self.rng.bit_generator.state)),
        )

    def go_on_from(self, kept: asked.Arrays) -> None:
        """Take up what ``note`` kept."""
        k_min, k_max, self.climbs, self.idle = kept["counts"].tolist()
        self.standing = kept["standing"]
        self.outline = Outline(self.regions, self.ground, self.standing, k_min, k_max)
        self.state.go_on_from(kept)
        lam, rho, share = (kept[name] for name in ("lam", "rho", "share"))
        self.dual = Dual(lam, rho, float(kept["bound"]), share)
        self.proof.start_from(self.outline.full)
        start = "proof:"
        self.proof.go_on_from(
            Certificate(**{name.removeprefix(start): one for name, one in kept.items() if name.startswith(start)})
        )
        self.rng.bit_generator.state = json.loads(str(kept["rng"]))

    def small(self) -> bool:
        """Whether what is left may be brought here."""
        return self.outline.decided or self.outline.nnz <= BROUGHT_HERE

    def keep(self, plan: IntArray) -> None:
        """Offer a plan of the outline to the state."""
        opened = np.flatnonzero((self.standing == OPEN) & (self.ground.standing == FREE))
        self.state.found(self.outline.value(plan), np.concatenate([opened, self.outline.site[plan]]))

    def climb(self, iterations: int, *, rush: bool) -> None:
        """Better multipliers, the plans that show on the way, and what both let fix."""
        assert self.dual is not None
        state, seen = self.state, list[IntArray]()
        relaxed = Assignment(self.outline, seen)
        told = (state.value, state.budget, iterations, state.proved)
        if rush:
            dual = volume.rush(relaxed, self.dual.lam, *told, state.cutoff)
        else:
            dual = volume.climb(relaxed, self.dual.lam, *told, self.dual.share, state.cutoff)
        if dual.bound <= self.dual.bound:
            self.dual = replace(self.dual, share=dual.share)
        else:
            self.dual = dual
            self.proof.set_leaf(0, self.proof.add_rows(self.outline.row, dual.lam))
            state.proved(dual.bound)
        if not state.optimal and len(self.dual.rho):
            self.improve(seen)
            self.fix()

    def improve(self, seen: list[IntArray]) -> None:
        """
        Better plans among the sites that matter, brought here as far as there is room, then polished over all regions.
        """
        assert self.dual is not None
        outline, state, dual = self.outline, self.state, self.dual
        plan = np.isin(outline.site, state.open_site)
        order = np.argsort(np.where(plan, -np.inf, dual.rho), kind="stable")
        room = max(BROUGHT_HERE, _PER_ROW * outline.n)
        n_near = int(np.searchsorted(np.cumsum(outline.n_entries[order]), room, side="right"))
        near = np.zeros(outline.m, dtype=bool)
        near[order[: min(n_near, _WIDE * max(int(plan.sum()), outline.k_min, 1))]] = True
        wanted = max(outline.k_min, min(outline.k_max, round(float(dual.share.sum()))))
        often = np.argsort(-dual.share, kind="stable")[:wanted]
        if not near[plan].all() or int(near.sum()) < outline.k_min:  # not even the plan has room
            suggested = np.zeros(outline.m, dtype=bool)
            suggested[often] = True
            self.keep(np.flatnonzero(polished(self.field, suggested, state.budget)).astype(np.int32))
            return
        here, rank = outline.brought_here(near), dual.rho[near]
        place = np.cumsum(near) - 1
        elite = Elite(here, self.threads)
        elite.add(filled(place[np.flatnonzero(plan)][: here.k_max].astype(np.int32), rank, here.k_min))
        work = max(10 * here.nnz, min(_KICKS, 400 * here.nnz))
        elite.improve([place[one[near[one]]] for one in (*seen, often)], rank, self.rng, state.budget, work)
        best = np.zeros(outline.m, dtype=bool)
        best[np.flatnonzero(near)[elite.best]] = True
        self.keep(np.flatnonzero(polished(self.field, best, state.budget)).astype(np.int32))

    def fix(self) -> None:
        """Fix sites by reduced cost; regions drop what that settles."""
        assert self.dual is not None
        outline, dual, state = self.outline, self.dual, self.state
        closed, opened, opposite = dual_side.fixable(outline, dual, state.cutoff)
        if int(closed.sum() + opened.sum()) < 0.05 * outline.m:
            return
        state.discard(opposite)
        multiplier = self.proof.add_rows(outline.row, dual.lam)
        self.proof.add_fixings(0, outline, np.flatnonzero(closed), np.flatnonzero(opened), multiplier)
        self.standing = self.standing.copy()
        self.standing[outline.site[closed]] = FORBIDDEN
        self.standing[outline.site[opened]] = OPEN
        n_opened = int(opened.sum())
        self.outline = Outline(
            self.regions, self.ground, self.standing, max(outline.k_min - n_opened, 0), outline.k_max - n_opened
        )
        self.proof.start_from(self.outline.full)
        at = np.searchsorted(outline.row, self.outline.row)
        lam = np.clip(dual.lam[at], self.outline.least, self.outline.cap) if self.outline.n else np.zeros(0)
        keep = ~(closed | opened)
        self.dual = Dual(lam, dual.rho[keep], dual.bound, dual.share[keep])

    def finish_here(self) -> None:
        """Solve what is left to the end."""
        everything = self.outline.brought_here(np.ones(self.outline.m, dtype=bool))
        run = PMedianRun(self.ground, self.state, self.seed, self.threads, rest=(everything, self.proof))
        run.fixed_open = np.flatnonzero((self.standing == OPEN) & (self.ground.standing == FREE)).astype(np.int32)
        if self.dual is None or run.core.decided:
            run.run(None, None)
            return
        run.dual = self.dual
        run.keep(run.core_plan())
        run.improve_plan([])
        run.close_gap(None)


def solve_by_regions(
    regions: Regions,
    standing: IntArray,
    open_min: int,
    open_max: int,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
    rounds: Rounds | None = None,
) -> Solution:
    """
    Open sites so that the weighted cost to the cheapest open site is least, over rows that lie in regions.

    Parameters
    ----------
    regions
        Who holds the rows.
    standing, open_min, open_max
        As for ``single_phase``; sites have no price.
    gap, seed, threads, work_limit, stop, progress
        As for ``solve_pmedian``.
    rounds
        Where to keep how far this is, and to take up a run that was lost: the end is the same. None keeps nothing.

    Raises
    ------
    UsageError
        A row must be served, but not every site can serve it.
    ClusterError
        The cluster that holds the regions was lost.
    """
    stop = stop or Stop()
    began_s = stop.elapsed_s
    ground = without_rows(standing, open_min, open_max)
    if open_min > int(ground.free_mask.sum()):
        return no_plan(ground)
    with (progress or Silent()).step("Choosing sites") as tick:
        run = RegionalRun(regions, ground, gap, seed, threads, Budget(stop, work_limit))
        run.state.tell_gap(tick)
        run.run(rounds)
    state = run.state
    open_mask = ground.standing == OPEN
    open_mask[state.open_site] = True
    _close_idle(run, open_mask)
    site = np.concatenate([one["site"] for one in regions.ask(asked.nearest, standing=standing, plan=open_mask)])
    row_idx = np.flatnonzero(site != NO_SITE)
    return state.solution(open_mask, row_idx, site[row_idx], run.proof.certificate(), began_s)


def _close_idle(run: RegionalRun, open_mask: BoolArray) -> None:
    """Where fewer sites may open than did, close those that bring nothing, the last first."""
    ground = run.ground
    free = np.flatnonzero(ground.free_mask)
    price = np.zeros(len(free), dtype=np.int64)
    field = Field(run.regions, ground.standing, int(ground.open_min[0]), int(ground.open_max[0]), price, run.scale)
    while int(open_mask[free].sum()) > field.k_min:
        plan = open_mask[free]
        idle = np.flatnonzero(plan & (look(field, plan, Budget(Stop())).loss == 0))
        if not len(idle):
            return
        open_mask[free[idle[-1]]] = False
