"""
One aim made least while others stay within limits: the limits priced into the p-median, what is left by HiGHS.

For prices μ ≥ 0 of the limits, ``min C(y) + Σ_e μ_e (C_e(y) − L_e)`` bounds the limited problem from below, and is a
p-median on summed costs, with a certificate. The best prices are sought by cutting planes (Kelley 1960); a limit that
asks of each row what it can have is priced so high that breaking it never pays, which leaves no duality gap. What gap
is left, HiGHS closes on the compact model, if that is small (``compact.py``); the bound is then the solver's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nearer.lp import Lp, LpStatus
from nearer.model import FORBIDDEN, OPEN, Certificate, Instance, Solution, Status, single_phase
from nearer.model.aims import Aim, times_to_open
from nearer.progress import Progress, Stop
from nearer.solvers.compact import Compact
from nearer.solvers.pmedian import solve_pmedian
from nearer.units import BoolArray, FloatArray, IntArray

_ROUNDS = 12  # prices tried
_EXACT_PAIRS = 500_000  # more pairs are too many for prices that dwarf the aim itself
_NEAR = 1e-12  # two sums of the same terms


@dataclass(frozen=True)
class Limit:
    """
    What an aim may come to at most.

    Parameters
    ----------
    name
        Whose limit it is.
    aim
        Costs of rows; None where only sites cost.
    most
        Total cost at most.
    price
        What each open site adds, float64 (n_sites,); None = nothing.
    hard
        Whether ``most`` is the least that any choice of sites could reach, row by row.
    unit
        Where ``most`` is proven to be the least that any plan reaches: by how much a plan that breaks the limit does
        so at least. 0 = nothing of the kind is known.
    """

    name: str
    aim: Aim | None
    most: float
    price: FloatArray | None = None
    hard: bool = False
    unit: float = 0.0

    def total(self, times: Instance, open_mask: BoolArray) -> float:
        """Total cost of a set of open sites."""
        paid = self.aim.total(times_to_open(times, open_mask)) if self.aim is not None else 0.0
        return paid + (math.fsum(self.price[open_mask]) if self.price is not None else 0.0)

    def kept(self, times: Instance, open_mask: BoolArray) -> bool:
        """Whether a set of open sites stays within."""
        return self.total(times, open_mask) <= self.most + _NEAR * max(abs(self.most), 1.0)


@dataclass
class Effort:
    """What a run may still spend, over all its parts."""

    stop: Stop
    gap: float
    seed: int
    threads: int
    work_limit: int | None
    progress: Progress
    spent: int = 0

    @property
    def left(self) -> int | None:
        """Work left; None without a limit."""
        return None if self.work_limit is None else max(self.work_limit - self.spent, 1)

    @property
    def limits(self) -> dict[str, Any]:
        """What is left, as solvers take it."""
        return {
            "gap": self.gap,
            "seed": self.seed,
            "threads": self.threads,
            "work_limit": self.left,
            "stop": self.stop,
            "progress": self.progress,
        }

    def part(self, share: float) -> Effort:
        """A part of what is left, to be given back with ``take_back``."""
        left_s = self.stop.remaining_s
        stop = self.stop.within(left_s * share if math.isfinite(left_s) else None)
        work = None if self.left is None else max(int(self.left * share), 1)
        return replace(self, stop=stop, work_limit=work, spent=0)

    def take_back(self, part: Effort) -> None:
        """Count what a part has spent."""
        self.spent += part.spent

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self.stop() or (self.work_limit is not None and self.spent >= self.work_limit)


@dataclass
class Least:
    """
    The best plan known within the limits, and how well it is proven, in total cost of the aim.

    Parameters
    ----------
    open_mask
        None where no plan within the limits is known.
    prices
        μ of each limit, which the certificate is made for.
    """

    open_mask: BoolArray | None
    value: float = math.inf
    bound: float = -math.inf
    optimal: bool = False
    reached: bool = False
    proof: str = "certificate"
    certificate: Certificate | None = None
    prices: tuple[float, ...] = ()
    impossible: bool = False
    trace: list[tuple[float, float, float]] = field(default_factory=list)


def priced(
    times: Instance,
    aim: Aim | None,
    limits: Sequence[Limit],
    prices: Sequence[float],
    site_price: FloatArray | None = None,
) -> Instance:
    """
    The p-median of an aim with its limits priced in, at weight 1 and in total cost per row.

    Parameters
    ----------
    times
        Rows and rules; costs in milliseconds.
    aim
        None where only sites cost.
    site_price
        What an open site costs by itself, float64 (n_sites,).
    """
    rows = np.repeat(np.arange(times.n_rows), np.diff(times.indptr))
    cost, unserved = np.zeros(len(rows)), np.zeros(times.n_rows)
    site = np.zeros(times.n_sites) if site_price is None else site_price.copy()
    for factor, each in ((1.0, aim), *((mu, limit.aim) for mu, limit in zip(prices, limits, strict=True))):
        if each is not None and factor > 0:
            cost += factor * (each.weight[rows] * np.minimum(each.cost_of(times.cost), each.unserved))
            unserved += factor * (each.weight * each.unserved)
    for mu, limit in zip(prices, limits, strict=True):
        if limit.price is not None and mu > 0:
            site = site + mu * limit.price
    keep = cost < unserved[rows]
    return single_phase(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(rows[keep], minlength=times.n_rows))]),
        site_idx=times.site_idx[keep],
        cost=cost[keep],
        weight=np.ones(times.n_rows),
        unserved=unserved,
        standing=times.standing,
        open_min=int(times.open_min[0]),
        open_max=int(times.open_max[0]),
        price=site if np.any(site) else None,
    )


def least_possible(times: Instance, aim: Aim) -> float:
    """Total cost with every site open that may be."""
    return aim.total(times_to_open(times, np.asarray(times.standing != FORBIDDEN)))


class Limited:
    """One aim under limits; see ``least``."""

    def __init__(
        self,
        times: Instance,
        aim: Aim | None,
        limits: Sequence[Limit],
        effort: Effort,
        site_price: FloatArray | None = None,
        goal: float | None = None,
    ) -> None:
        self.times, self.aim, self.limits, self.effort = times, aim, tuple(limits), effort
        self.site_price, self.goal = site_price, goal
        self.best = Least(None)
        self.seen: list[tuple[float, FloatArray]] = []  # value of each plan, and by how much it breaks each limit
        self.start: IntArray | None = None
        lowest = 0.0 if aim is None else least_possible(times, aim)
        self.worst = self.value(np.asarray(times.standing == OPEN))
        if site_price is not None:
            self.worst += float(np.maximum(site_price[times.free_mask], 0.0).sum())
        self.room = self.worst - lowest
        self.whole = priced(times, aim, [], [], site_price).whole
        self.multipliers: FloatArray | None = None

    def value(self, open_mask: BoolArray) -> float:
        """Total cost of the aim alone."""
        paid = self.aim.total(times_to_open(self.times, open_mask)) if self.aim is not None else 0.0
        return paid + (math.fsum(self.site_price[open_mask]) if self.site_price is not None else 0.0)

    def size(self, value: float) -> float:
        """Difference that makes a gap of 1."""
        return abs(value) if self.aim is None else self.aim.size_of(value)

    def look_at(self, open_mask: BoolArray) -> None:
        """Note a plan, and keep it if it is within the limits and better."""
        opened = int(np.count_nonzero(open_mask & self.times.free_mask))
        if not self.times.open_min[0] <= opened <= self.times.open_max[0]:
            return
        value = self.value(open_mask)
        broken = np.array([limit.total(self.times, open_mask) - limit.most for limit in self.limits])
        if any(np.array_equal(broken, b) and value == v for v, b in self.seen):
            return
        self.seen.append((value, broken))
        if value < self.best.value and all(limit.kept(self.times, open_mask) for limit in self.limits):
            self.best.open_mask, self.best.value = open_mask.copy(), value
            self.note()

    def note(self) -> None:
        """Keep the trace."""
        self.best.trace.append((self.effort.stop.elapsed_s, self.best.value, self.best.bound))

    def settle(self) -> None:
        """Whether value and bound meet, or are near enough."""
        best = self.best
        if self.whole and math.isfinite(best.bound):
            best.bound = float(math.ceil(best.bound - (1e-6 if best.proof == "solver" else 0.0)))
        best.bound = min(best.bound, best.value)
        difference = best.value - best.bound
        best.optimal = math.isfinite(best.value) and (
            difference <= 1e-9 * self.size(best.value) or (self.whole and difference < 1.0)
        )
        best.reached = best.optimal or (
            math.isfinite(best.value) and difference <= self.effort.gap * self.size(best.value)
        )

    @property
    def enough(self) -> bool:
        """Whether to end."""
        best = self.best
        return (
            best.optimal
            or best.impossible
            or self.effort.over
            or (self.goal is not None and (best.value <= self.goal or best.bound > self.goal))
        )

    def ask(self, prices: Sequence[float], effort: Effort) -> float:
        """Solve the p-median at some prices of the limits; the bound that it proves."""
        instance = priced(self.times, self.aim, self.limits, prices, self.site_price)
        shift = math.fsum(mu * limit.most for mu, limit in zip(prices, self.limits, strict=True))
        goal = None if self.goal is None else self.goal + shift
        solution: Solution = solve_pmedian(
            instance,
            **effort.limits | {"gap": effort.gap if not any(prices) else effort.gap / 2},
            start=self.start,
            multipliers=self.multipliers,
            size=lambda total: self.size(max(total - shift, 0.0)),
            goal=goal,
        )
        effort.spent += solution.work
        if solution.status is Status.INFEASIBLE:
            self.best.impossible = True
            return math.inf
        self.look_at(solution.open_mask)
        # sums of prices and limits are rounded, to the safe side
        bound = solution.bound - shift - 1e-15 * (abs(solution.bound) + abs(shift)) * (len(self.limits) > 0)
        if self.limits and bound > self.worst * (1 + 1e-9):
            self.best.impossible = True
        certificate = solution.certificate if isinstance(solution.certificate, Certificate) else None
        if bound > self.best.bound or self.best.certificate is None:
            self.best.bound = max(bound, self.best.bound)
            self.best.certificate, self.best.prices = certificate, tuple(float(mu) for mu in prices)
            self.note()
        if certificate is not None:
            self.multipliers = certificate.multipliers[:1]
        self.start = np.flatnonzero(solution.open_mask & (self.times.standing != OPEN))
        self.settle()
        return bound

    def hard_prices(self) -> list[float]:
        """A price for each hard limit that no plan would pay: more than the best plan known costs above the least."""
        room = self.room - max(self.worst - self.best.value, 0.0)
        return [float(math.ceil(room) + 1) if limit.hard else 0.0 for limit in self.limits]

    def run(self, start: Sequence[BoolArray]) -> Least:
        """From the plans known to a proof, or until nothing is left to spend."""
        for open_mask in start:
            self.look_at(open_mask)
        if self.best.open_mask is not None:
            self.start = np.flatnonzero(self.best.open_mask & (self.times.standing != OPEN))
        prices = self.hard_prices()
        rounds = 0
        soft = [at for at, limit in enumerate(self.limits) if not limit.hard]
        asked: set[tuple[float, ...]] = set()
        while (not rounds or not self.enough) and rounds < _ROUNDS and tuple(prices) not in asked:
            asked.add(tuple(prices))
            exact = rounds == 1 and self.may_be_exact(soft)
            part = self.effort.part(1.0 if not soft else 0.9 if exact else 0.3)
            self.ask(prices, part)
            self.effort.take_back(part)
            rounds += 1
            if not soft or self.best.reached:
                break
            prices = self.next_prices(prices, soft, first=rounds == 1)
        if not self.enough and not self.best.reached and self.limits:
            self.by_highs()
        return self.best

    def may_be_exact(self, soft: list[int]) -> bool:
        """Whether prices are known that leave no gap, and the rows few enough to be solved at prices so high."""
        return len(self.times.site_idx) <= _EXACT_PAIRS and all(self.limits[at].unit > 0 for at in soft)

    def next_prices(self, prices: list[float], soft: list[int], *, first: bool) -> list[float]:
        """Prices at which the plans seen, taken together, promise most; at first those that leave no gap, if known."""
        if first and self.may_be_exact(soft):
            # no plan is below the bound without these limits, so breaking one at this price cannot pay
            room = math.ceil(self.best.value - self.best.bound) + 1
            return [room / limit.unit if limit.unit > 0 else mu for mu, limit in zip(prices, self.limits, strict=True)]
        lp = Lp(self.effort.stop)
        scale = max((abs(v) for v, _ in self.seen), default=1.0) or 1.0
        n = len(soft)
        spread = [max((abs(b[at]) for _, b in self.seen), default=1.0) or 1.0 for at in soft]
        lp.add_columns(
            np.concatenate([[-1.0], np.full(n, 1e-9)]),
            np.concatenate([[-1e6], np.zeros(n)]),
            np.concatenate([[1e6], np.full(n, 1e6)]),
        )
        rows: list[int] = [0]
        columns: list[int] = []
        entries: list[float] = []
        upper: list[float] = []
        hard = np.array([limit.hard for limit in self.limits])
        most = np.array([max(abs(limit.most), 1.0) for limit in self.limits])
        for value, broken in self.seen:
            # a plan that breaks a hard limit is no plan
            if np.any(hard & (broken > _NEAR * most)):
                continue
            columns += range(n + 1)
            entries += [1.0, *(-broken[at] / spread[k] for k, at in enumerate(soft))]
            upper.append(value / scale)
            rows.append(len(columns))
        none = np.full(len(upper), -np.inf)
        lp.add_rows(none, np.array(upper), np.array(rows), np.array(columns, dtype=np.int32), np.array(entries))
        if lp.solve() is not LpStatus.OPTIMAL:
            return prices
        found = list(prices)
        for k, at in enumerate(soft):
            found[at] = float(np.format_float_scientific(lp.x[1 + k] * scale / spread[k], 12, trim="-"))
        return found

    def by_highs(self) -> None:
        """The compact model, where it is small enough."""
        effort = self.effort
        model = Compact.of(self.times, self.aim, self.limits, self.site_price)
        if model is None:
            return
        result = model.solve(self.best.open_mask, self.best.value, self.goal, effort)
        for open_mask in result.plans:
            self.look_at(open_mask)
        if result.impossible:
            self.best.impossible = self.best.open_mask is None
        if result.bound > self.best.bound:
            self.best.bound, self.best.proof = result.bound, "solver"
            self.best.certificate, self.best.prices = None, ()
            self.note()
        self.settle()


def least(
    times: Instance,
    aim: Aim | None,
    limits: Sequence[Limit],
    effort: Effort,
    *,
    start: Sequence[BoolArray] = (),
    site_price: FloatArray | None = None,
    goal: float | None = None,
) -> Least:
    """
    Make an aim as small as limits on others allow.

    Parameters
    ----------
    times
        Rows of times in milliseconds, sites, and how many may open.
    aim, site_price
        What is made small: cost of rows, and of open sites float64 (n_sites,).
    limits
        What must be kept.
    start
        Plans known, bool (n_sites,) each.
    goal
        Ask only whether a plan is at most this.
    """
    return Limited(times, aim, limits, effort, site_price, goal).run(start)
