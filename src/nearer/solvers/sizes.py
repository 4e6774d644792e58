"""
The best plan of every size, and plans that grow: one problem, many numbers of sites to open.

Multipliers prove something about every size at once: in ``L(λ) = base + Σ λ + Σ ρ`` over the k cheapest sites only
the last sum depends on k. So whatever was climbed for one size also bounds its neighbours, and a size that was never
solved still has a bound of its own. Nothing is interpolated: the least value as a function of the size need not be
convex.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nearer.kernels import pmedian as kernels
from nearer.model import OPEN, Certificate, Instance, Solution, Status
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import lagrangian
from nearer.solvers.apart import Elsewhere, in_order
from nearer.solvers.core import Core, make_core
from nearer.solvers.pmedian import solve_pmedian
from nearer.units import BoolArray, FloatArray, IntArray, ranges

_KEPT = 2  # multipliers kept of each size solved


@dataclass(frozen=True)
class Growing:
    """
    A sequence of sites to open one after the other.

    Parameters
    ----------
    site
        Positions in the instance in the order they open, int64 (n,).
    value
        Objective after none, one, two … of them, float64 (n + 1,).
    """

    site: IntArray
    value: FloatArray


@dataclass(frozen=True)
class Sized:
    """
    What is known of one size.

    Parameters
    ----------
    opened
        Free sites opened.
    open_mask
        The best plan found, bool (n_sites,).
    value, bound
        Its objective, and what no plan of this size undercuts.
    status
        How its own run ended; None where it was not solved by itself.
    multipliers
        What proves the bound where another size's run did, float64 (n_rows,); None where its own did.
    from_size
        A larger size whose bound holds here too, since a further site never harms; None where this has its own.
    """

    opened: int
    open_mask: BoolArray
    value: float
    bound: float
    status: Status | None
    multipliers: FloatArray | None = None
    from_size: int | None = None


def with_size(instance: Instance, opened: int) -> Instance:
    """The same problem with exactly so many free sites to open."""
    number = np.array([opened], dtype=np.int64)
    return replace(instance, open_min=number, open_max=number)


def solving_order(most: int, step: int = 1) -> list[int]:
    """
    Sizes from 0 to ``most`` in steps, the ends first and then always the middle of the widest gap.

    Stopped at any point, what is done is spread over the whole range.
    """
    wanted = sorted({*range(0, most + 1, step), most})
    order = [most, 0] if most else [0]
    gaps = [(-(len(wanted) - 1), 0, len(wanted) - 1)]
    while gaps:
        width, low, high = heapq.heappop(gaps)
        if -width < 2:
            continue
        middle = (low + high + 1) // 2
        order.append(wanted[middle])
        heapq.heappush(gaps, (-(middle - low), low, middle))
        heapq.heappush(gaps, (-(high - middle), middle, high))
    return order


@dataclass
class Sizes:
    """
    Plans and bounds of all sizes from 0 to the largest, as they become known.

    Parameters
    ----------
    instance
        One phase, no capacities, no price of opening; how many it asks to open is put aside.
    most
        Largest size.
    gap, seed, threads, work_limit
        Of each run, as in ``solve_pmedian``.
    stop
        Ends the whole.
    elsewhere
        Who solves several sizes at a time; None solves them here, one after the other. The answers are the same.
    solved, proofs
        Filled in: what each run found, without its certificate, and the certificates; these are large, and whoever
        has stored one may take it out.
    """

    instance: Instance
    most: int
    gap: float = 1e-4
    seed: int = 0
    threads: int = 1
    work_limit: int | None = None
    stop: Stop = field(default_factory=Stop)
    elsewhere: Elsewhere | None = None
    solved: dict[int, Solution] = field(default_factory=dict, init=False)
    proofs: dict[int, Certificate] = field(default_factory=dict, init=False)
    greedy: Growing = field(init=False)
    backwards: Growing | None = field(default=None, init=False)
    _core: Core = field(init=False)
    _bound: FloatArray = field(init=False)
    _bound_by: list[FloatArray | None] = field(init=False)
    _kept: dict[int, FloatArray] = field(default_factory=dict, init=False)
    _opened: dict[int, BoolArray] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.instance.price.any():
            raise ValueError("sizes are compared where opening costs nothing")
        self._core = make_core(with_size(self.instance, self.most))
        self._bound = np.full(self.most + 1, -np.inf)
        self._bound_by = [None] * (self.most + 1)
        self.greedy = greedy_order(self._core, self.most)

    def run(self, sizes: Iterable[int], progress: Progress | None = None) -> Iterator[int]:
        """
        Solve sizes in the order given, and name each when it is done.

        Ends early when asked to stop, though not before the first two: of the ends of ``solving_order`` something is
        known within a second.
        """
        wanted = list(sizes)
        with (progress or Silent()).step("Solving each size", len(wanted)) as tick:
            for size, solution in self._solutions(wanted):
                self._learn(size, solution)
                if isinstance(solution.certificate, Certificate):
                    self.proofs[size] = solution.certificate
                self.solved[size] = replace(solution, certificate=None)
                tick(1, f"{size} opened, gap {100 * solution.gap:.2g} %")
                yield size

    def _solutions(self, wanted: list[int]) -> Iterator[tuple[int, Solution]]:
        """Sizes and what is found of them, in the order given; elsewhere several at a time."""
        done = 0
        if self.elsewhere is not None:
            for found in self._found_elsewhere(wanted, self.elsewhere):
                done += 1
                yield found
        for at in range(done, len(wanted)):
            if at >= 2 and self.stop():
                return
            solution = solve_pmedian(stop=self.stop, **self._question(wanted[at], wanted[:at]))
            yield wanted[at], self._noted(wanted[at], solution)

    def _found_elsewhere(self, wanted: list[int], elsewhere: Elsewhere) -> Iterator[tuple[int, Solution]]:
        """
        A size waits for those it starts from and for no other, so that it is asked exactly as it would be here.

        Told in the order wanted; ends early when asked to stop.
        """
        waits = {
            size: {*_neighbours(size, wanted[:at]), *({self.most} & set(wanted[:at]))} for at, size in enumerate(wanted)
        }
        waiting, told = list(wanted), set[int]()

        def ask() -> None:
            for size in [one for one in waiting if waits[one] <= told]:
                waiting.remove(size)
                elsewhere.ask(size, **self._question(size, wanted[: wanted.index(size)]))

        def arriving() -> Iterator[tuple[int, Solution]]:
            ask()
            for size, solution in elsewhere.answers(self.stop):
                told.add(size)
                yield size, self._noted(size, solution)
                if not self.stop():
                    ask()

        yield from in_order(arriving(), wanted)

    def _noted(self, size: int, solution: Solution) -> Solution:
        """What other sizes start from, kept."""
        self._opened[size] = solution.open_mask[self._core.site]
        if isinstance(solution.certificate, Certificate):
            rows = solution.certificate.multipliers
            self._kept[size] = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _KEPT)).astype(np.int64))]
        if size == self.most:
            self.backwards = drop_order(self._core, self._opened[size])
        return solution

    def _question(self, size: int, before: list[int]) -> dict[str, Any]:
        """One size, from the best start its neighbours give and the multipliers that proved them."""
        near = _neighbours(size, before)
        given = [self._kept[one] for one in near]
        return {
            "instance": with_size(self.instance, size),
            "gap": self.gap,
            "seed": self.seed,
            "threads": self.threads,
            "work_limit": self.work_limit,
            "start": self._start(size, near, self.most in before),
            "multipliers": np.vstack(given) if given else None,
        }

    def _start(self, size: int, near: list[int], backwards: bool) -> IntArray:
        """Sites to start from: those of a plan that grows, or of a neighbour grown or shrunk, whichever is best."""
        core = self._core
        offers = [self.greedy.site[:size]]
        if backwards and self.backwards is not None:
            offers.append(self.backwards.site[:size])
        for one in near:
            opened = self._opened[one]
            offers.append(drop_order(core, opened, size).site if one > size else grown(core, opened, size))
        place = np.full(self.instance.n_sites, -1, dtype=np.int64)
        place[core.site] = np.arange(core.m)
        values = [core.value(place[offer]) for offer in offers]
        return np.sort(offers[int(np.argmin(values))]).astype(np.int32)

    def _learn(self, size: int, solution: Solution) -> None:
        """What the multipliers of one run prove about every size."""
        if not isinstance(solution.certificate, Certificate):
            return
        core = self._core
        chunks = lagrangian.row_chunks(core)
        for given in self._kept[size]:
            lam = np.clip(given[core.row], core.least, core.cap)
            rho = lagrangian.prices(core, lam, chunks, self.threads)
            base, _ = lagrangian.bound_of(replace(core, k_min=0, k_max=0), lam, rho)
            running = base + np.concatenate([[0.0], np.cumsum(np.sort(rho))])[: self.most + 1]
            error = base - lagrangian.rounded_down(base, core, lam, rho)
            proven = running - error
            better = proven > self._bound
            self._bound[better] = proven[better]
            for k in np.flatnonzero(better):
                self._bound_by[k] = given

    def known(self) -> list[Sized]:
        """Every size from 0 to the largest with the best that is known of it; bounds never rise with the size."""
        found: list[Sized] = []
        larger: Sized | None = None  # the larger size with the best bound
        for size in range(self.most, -1, -1):
            mask, value, status = self._best_plan(size)
            solution = self.solved.get(size)
            given = self._bound_by[size]
            bound = float(self._bound[size])
            if self.instance.whole and np.isfinite(bound):
                bound = float(np.ceil(bound))
            if solution is not None and solution.bound >= bound:
                bound, given = solution.bound, None
            from_size = None
            if larger is not None and larger.bound > bound:
                bound, given, from_size = larger.bound, None, larger.opened
            sized = Sized(size, mask, value, min(max(bound, 0.0), value), status, given, from_size)
            found.append(sized)
            if from_size is None:
                larger = sized
        return found[::-1]

    def _best_plan(self, size: int) -> tuple[BoolArray, float, Status | None]:
        """The plan of a size: its own, else the better of those that grow through it."""
        solution = self.solved.get(size)
        if solution is not None:
            return solution.open_mask, solution.objective, solution.status
        ways = [self.greedy, *([self.backwards] if self.backwards is not None else [])]
        way = min(ways, key=lambda w: float(w.value[size]))
        return self.mask_of(way.site[:size]), float(way.value[size]), None

    def mask_of(self, site: IntArray) -> BoolArray:
        """Sites that stand open and these, bool (n_sites,)."""
        mask = np.asarray(self.instance.standing == OPEN)
        mask[site] = True
        return mask


def _neighbours(size: int, solved: list[int]) -> list[int]:
    """The next smaller and the next larger of the sizes solved."""
    below = [one for one in solved if one < size]
    above = [one for one in solved if one > size]
    return ([max(below)] if below else []) + ([min(above)] if above else [])


def greedy_order(core: Core, most: int) -> Growing:
    """Open, each time, the site that saves most (Minoux 1978)."""
    cptr, crow, cval = core.twin
    order = np.asarray(kernels.greedy(cptr, crow, cval, core.cap, core.price, most, most))
    return _growing(core, order)


def grown(core: Core, opened: BoolArray, size: int) -> IntArray:
    """Sites of the instance: those opened, bool (m,), and whatever saves most each time, up to a size."""
    rest = core.restricted(np.zeros(core.m, dtype=bool), opened)
    more = size - int(opened.sum())
    cptr, crow, cval = rest.twin
    order = np.asarray(kernels.greedy(cptr, crow, cval, rest.cap, rest.price, more, more))
    return np.concatenate([core.site[opened], rest.site[order]])


def drop_order(core: Core, opened: BoolArray, keep: int = 0) -> Growing:
    """
    Close, each time, the site that is missed least; told in the order they would open again.

    A site is missed ever more as others close, so an old loss is a lower bound and few are formed again.

    Parameters
    ----------
    opened
        The plan, bool (m,).
    keep
        Stop at so many.
    """
    plan = np.flatnonzero(opened)
    few = core.restricted(~opened, np.zeros(core.m, dtype=bool))
    cptr, crow, _ = few.twin
    alive = np.ones(few.m, dtype=bool)
    first, second = np.empty((2, few.n))
    owner = np.empty(few.n, dtype=np.int64)
    next_owner = np.empty(few.n, dtype=np.int64)

    def look(rows: IntArray) -> None:
        """Nearest two of some rows."""
        counts = few.ptr[rows + 1] - few.ptr[rows]
        place = np.repeat(np.arange(len(rows)), counts)
        at = ranges(few.ptr[rows], counts)
        hit = alive[few.col[at]]
        at, place = at[hit], place[hit]
        starts = np.searchsorted(place, np.arange(len(rows) + 1))
        n_open = np.diff(starts)
        for found, who, which in ((first, owner, 0), (second, next_owner, 1)):
            has = n_open > which
            found[rows], who[rows] = few.cap[rows], -1
            found[rows[has]] = few.val[at[starts[:-1][has] + which]]
            who[rows[has]] = few.col[at[starts[:-1][has] + which]]

    def missed(site: int) -> float:
        rows = crow[cptr[site] : cptr[site + 1]]
        rows = rows[owner[rows] == site]
        return float((second[rows] - first[rows]).sum())

    look(np.arange(few.n))
    heap = [(missed(site), site, 0) for site in range(few.m)]
    heapq.heapify(heap)
    closed: list[int] = []
    while len(plan) - len(closed) > keep:
        _, site, formed = heapq.heappop(heap)
        if formed < len(closed):
            heapq.heappush(heap, (missed(site), site, len(closed)))
            continue
        closed.append(site)
        alive[site] = False
        rows = crow[cptr[site] : cptr[site + 1]]
        look(rows[(owner[rows] == site) | (next_owner[rows] == site)].astype(np.int64))
    order = np.concatenate([np.flatnonzero(alive), closed[::-1]]).astype(np.int64)
    return _growing(core, plan[order])


def _growing(core: Core, order: IntArray) -> Growing:
    """Values along an order of positions in the core."""
    cptr, crow, cval = core.twin
    cost = core.cap.copy()
    value = np.empty(len(order) + 1)
    value[0] = core.base + cost.sum()
    for n, site in enumerate(order):
        column = slice(cptr[site], cptr[site + 1])
        cost[crow[column]] = np.minimum(cost[crow[column]], cval[column])
        value[n + 1] = core.base + cost.sum()
    return Growing(core.site[order].astype(np.int64), value)
