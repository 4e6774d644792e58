"""Fair shares: the leximin point of what can be delivered, by water-filling over cuts that a linear programme finds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

from nearer.kernels.filling import NOT_HELD, fill
from nearer.lp import Lp, LpStatus
from nearer.progress import Progress, Silent, Stop
from nearer.units import FloatArray, IntArray

_SHORT = 1e-9
"""Fill rates this far apart are the same: the tolerance of the linear programme."""

_TOGETHER = 20.0
"""
Price of a shortfall that all goals share, where one of a single goal costs 1: the cuts that are found then weigh the
goals of a bottleneck together instead of one at a time. Any price gives right cuts; 10 to 40 need the fewest rounds.
"""

_MANY, _FAR = 10_000, 1.0
"""
Columns, and sum of shortfalls, from which on the next cuts come from the interior point method: its prices weigh all
limits of a bottleneck, and far from the shares that needs a tenth of the rounds. Near them exact prices are quicker.
"""

_ROUNDS = 20
"""Rounds after which prices are exact in any case."""

_PATIENCE = 20_000
"""Simplex iterations after which the interior point method is quicker."""


@dataclass(frozen=True)
class Goals:
    """
    What is shared: amounts that columns of a linear programme bring to goals.

    Parameters
    ----------
    matrix, room
        Limits ``matrix · x ≤ room``: (n_rows, n_columns), float64 (n_rows,).
    goal
        int32 (n_columns,), rising: the goal that each column serves, with one base unit for one of the column.
    asked
        float64 (n_goals,), base units, above zero: what a fill rate of 1 means.
    upper
        float64 (n_goals,), base units: the most that columns may bring, at least ``asked``.
    most
        float64 (n_goals,): the highest fill rate of each that is aimed at, 0 … 1.
    """

    matrix: csc_array
    room: FloatArray
    goal: IntArray
    asked: FloatArray
    upper: FloatArray
    most: FloatArray


@dataclass
class Cuts:
    """
    Limits on goals alone, ``Σ weight · fill ≤ room``, each a sum of limits with multipliers ≥ 0.

    Parameters
    ----------
    multipliers
        The sums: float64 (n_rows,) each.
    """

    goal: list[IntArray] = field(default_factory=list)
    weight: list[FloatArray] = field(default_factory=list)
    room: list[float] = field(default_factory=list)
    multipliers: list[tuple[IntArray, FloatArray]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.room)


@dataclass(frozen=True)
class FairShares:
    """
    Fill rates and their proof.

    Parameters
    ----------
    fill
        float64 (n_goals,): what ``x`` gives, as a share of what is asked.
    bound
        float64 (n_goals,): the leximin point of the cuts. In order from the lowest, no allocation has higher ones.
    held
        int64 (n_goals,): the cut that holds each goal down in ``bound``; −1 where nothing but its own most does.
    cuts
        The proof: each is implied by the limits.
    x
        float64 (n_columns,), base units.
    proven
        Whether ``fill`` and ``bound`` agree.
    rounds, iterations
        Linear programmes solved, and their simplex iterations.
    """

    fill: FloatArray
    bound: FloatArray
    held: IntArray
    cuts: Cuts
    x: FloatArray
    proven: bool
    rounds: int
    iterations: int


class Delivery:
    """
    One linear programme, kept warm: first it asks what fill rates fall short of, then what costs least at given ones.

    Parameters
    ----------
    goals
        What is shared.
    """

    def __init__(self, goals: Goals, stop: Stop) -> None:
        n_rows, n_columns, n_goals = len(goals.room), len(goals.goal), len(goals.asked)
        self.goals, self.stop, self._n = goals, stop, n_goals
        self._first = n_goals + 1
        self.target = np.zeros(n_goals)
        self.lp = Lp(stop)
        self.lp.use_devex()
        self.lp.add_columns(np.r_[1 / goals.asked, _TOGETHER], np.zeros(n_goals + 1), np.r_[goals.asked, 1.0])
        empty = np.zeros(n_rows + 1, dtype=np.int64)
        self.lp.add_rows(np.full(n_rows, -np.inf), goals.room, empty, np.zeros(0, dtype=np.int64), np.zeros(0))
        own = np.arange(n_goals)
        pairs = np.column_stack([own, np.full(n_goals, n_goals)]).ravel()
        values = np.column_stack([np.ones(n_goals), goals.asked]).ravel()
        self.lp.add_rows(np.zeros(n_goals), goals.upper, 2 * np.arange(n_goals + 1), pairs, values)
        serve = csc_array((np.ones(n_columns), (goals.goal, np.arange(n_columns))), shape=(n_goals, n_columns))
        both = csc_array(vstack([goals.matrix, serve]))
        zero = np.zeros(n_columns)
        self.lp.add_entries(zero, zero, np.full(n_columns, np.inf), both.indptr, both.indices, both.data)
        self._rows = n_rows + own
        self._kept: list[tuple[FloatArray, float]] = []

    def aim(self, level: FloatArray, roughly: bool = False) -> LpStatus:
        """Come as near to fill rates as can be: least sum of shortfalls, each as a fill rate, and of a common one."""
        self.target = level * self.goals.asked
        self.lp.set_row_bounds(self._rows, self.target, self.goals.upper)
        if roughly and (status := self.lp.solve_roughly()) is LpStatus.OPTIMAL:
            # Within tolerances only; a little less of all obeys the limits.
            self.lp.x[self._first :] *= 1 - 1e-7
            self.lp.row_dual[np.abs(self.lp.row_dual) < 1e-7 * np.abs(self.lp.row_dual).max()] = 0.0
            return status
        return self.lp.solve(patience=_PATIENCE)

    @property
    def x(self) -> FloatArray:
        """What each column carries, base units."""
        return np.maximum(self.lp.x[self._first :], 0.0)

    @property
    def short(self) -> FloatArray:
        """How far each goal falls short, as a fill rate."""
        return np.asarray(self.lp.x[: self._n] / self.goals.asked + self.lp.x[self._n])

    @property
    def multipliers(self) -> FloatArray:
        """Prices of the limits, float64 (n_rows,), at least zero."""
        return np.maximum(-self.lp.row_dual[: len(self.goals.room)], 0.0)

    def at_least(self, served: FloatArray) -> None:
        """From now on every goal gets at least so much, base units, and no shortfall is priced."""
        self.target = np.minimum(served, self.goals.upper)
        self.lp.set_row_bounds(self._rows, self.target, self.goals.upper)
        every, none = np.arange(self._first), np.zeros(self._first)
        self.lp.set_bounds(every, none, none)
        self.lp.set_costs(every, none)
        self.lp.use_primal()

    def least(self, cost: FloatArray) -> tuple[LpStatus, float, float]:
        """
        Minimise a cost per column, within what earlier stages keep.

        Returns
        -------
        status, value, bound
            The bound holds whatever the tolerances of the linear programme: it is formed from its duals alone.
        """
        self.lp.set_costs(self._first + np.arange(len(cost)), cost)
        status = self.lp.solve()
        if status is not LpStatus.OPTIMAL:
            return status, np.nan, -np.inf
        return status, float(cost @ self.x), self._bound(cost)

    def keep(self, cost: FloatArray, value: float) -> None:
        """From now on the cost stays at most at a value."""
        room = value + 1e-10 * abs(value) + 1e-12
        some = np.flatnonzero(cost)
        self.lp.add_rows(
            np.array([-np.inf]), np.array([room]), np.array([0, len(some)]), self._first + some, cost[some]
        )  # fmt: skip
        self._kept.append((cost, room))

    def _bound(self, cost: FloatArray) -> float:
        goals, dual = self.goals, self.lp.row_dual
        price, worth = self.multipliers, dual[self._rows]
        reduced = cost + goals.matrix.T @ price - worth[goals.goal]
        bound = -float(price @ goals.room) + float(np.where(worth > 0, worth * self.target, worth * goals.upper).sum())
        size = float(np.abs(price * goals.room).sum() + np.abs(worth * goals.upper).sum())
        for k, (kept, room) in enumerate(self._kept):
            much = max(0.0, -float(dual[self._rows[-1] + 1 + k])) if self._n else 0.0
            reduced += much * kept
            bound -= much * room
            size += abs(much * room)
        bound += float((np.minimum(reduced, 0.0) * goals.upper[goals.goal]).sum())
        return bound - 1e-13 * size


class _Pricing:
    """Turns prices of limits into limits on goals; right whatever the prices, as long as none is below zero."""

    def __init__(self, goals: Goals) -> None:
        self.goals = goals
        self._by_column = csr_array(goals.matrix.T)
        self.start = np.searchsorted(goals.goal, np.arange(len(goals.asked) + 1))
        self.served = np.flatnonzero(np.diff(self.start))

    def columns(self, price: FloatArray) -> FloatArray:
        """What each column uses, at the prices."""
        return np.asarray(self._by_column @ price)

    def cheapest(self, per_column: FloatArray) -> FloatArray:
        """The least of each goal's columns; 0 where it has none."""
        least = np.zeros(len(self.goals.asked))
        if len(self.served):
            least[self.served] = np.minimum.reduceat(per_column, self.start[self.served])
        return least

    def cut(self, price: FloatArray) -> tuple[IntArray, FloatArray, float]:
        """
        Goals, weights and room of the cut that prices imply.

        Each unit of a goal uses at least what its cheapest column does. Where that is below zero (goods that leave make
        room) the goal helps by no more than the most that it can get.
        """
        least, asked, upper = self.cheapest(self.columns(price)), self.goals.asked, self.goals.upper
        worth = price * self.goals.room
        room = float(worth.sum() + (np.maximum(-least, 0) * upper).sum())
        room += 1e-14 * float(np.abs(worth).sum() + (np.abs(least) * upper).sum())
        goal = np.flatnonzero(least > 1e-12 * max(1e-300, float(np.abs(least).max(initial=0.0))))
        return goal, least[goal] * asked[goal], room

    def parts(self, price: FloatArray) -> list[FloatArray]:
        """Prices apart where no goal's cheapest columns use limits of two parts: a cut for each is stronger."""
        rows = np.flatnonzero(price)
        per_column = self.columns(price)
        least = self.cheapest(per_column)
        tight = np.flatnonzero((per_column <= least[self.goals.goal] + 1e-9) & (least[self.goals.goal] > 1e-12))
        touched = abs(self.goals.matrix[:, tight][rows])
        to_goal = csr_array(
            (np.ones(len(tight)), (np.arange(len(tight)), self.goals.goal[tight])),
            shape=(len(tight), len(self.goals.asked)),
        )
        shared = csr_array(touched @ to_goal)
        n_parts, part = connected_components(shared @ shared.T, directed=False)
        if n_parts == 1:
            return [price]
        split = np.zeros((n_parts, len(price)))
        split[part, rows] = price[rows]
        return list(split)


def water_level(cuts: Cuts, most: FloatArray) -> tuple[FloatArray, IntArray]:
    """The leximin point of the cuts, and the cut that holds each goal (−1 for its own most)."""
    sizes = np.array([len(goal) for goal in cuts.goal], dtype=np.int64)
    cut_ptr = np.r_[np.zeros(1, dtype=np.int64), np.cumsum(sizes)]
    goal = np.concatenate(cuts.goal or [np.zeros(0, dtype=np.int64)]).astype(np.int32)
    weight = np.concatenate(cuts.weight or [np.zeros(0)]).astype(np.float64)
    order = np.argsort(goal, kind="stable")
    goal_ptr = np.searchsorted(goal[order], np.arange(len(most) + 1)).astype(np.int64)
    entry = np.ascontiguousarray(np.vstack([np.repeat(np.arange(len(cuts)), sizes)[order], order])).astype(np.int64)
    level, held = np.zeros(len(most)), np.full(len(most), NOT_HELD, dtype=np.int64)
    fill(cut_ptr, goal, weight, goal_ptr, entry, np.array(cuts.room, dtype=np.float64), most, level, held)
    return level, held


def fair_shares(delivery: Delivery, first_cuts: list[FloatArray], progress: Progress | None = None) -> FairShares:
    """
    Raise the lowest fill rate as far as it goes, fix what holds it, raise the next lowest, to the end.

    Cutting planes: the leximin point of the cuts so far is found by water-filling. Where it can be delivered, it is the
    leximin point of all that can be, since it is so among more; otherwise the duals of the linear programme that tried
    give cuts that it breaks.

    Parameters
    ----------
    delivery
        The linear programme; on return it has been solved at the shares.
    first_cuts
        Prices of limits to begin with, float64 (n_rows,) each, at least zero.
    """
    progress, goals = progress or Silent(), delivery.goals
    most = np.where(np.bincount(goals.goal, minlength=len(goals.asked)) > 0, goals.most, 0.0)
    cuts, pricing = Cuts(), _Pricing(goals)

    level = np.zeros(len(most))

    def add(price: FloatArray) -> bool:
        """Take a cut in; whether the shares at hand break it."""
        goal, weight, room = pricing.cut(price)
        if len(goal) and float(weight @ most[goal]) > room:
            cuts.goal.append(goal)
            cuts.weight.append(weight)
            cuts.room.append(max(0.0, room))
            where = np.flatnonzero(price)
            cuts.multipliers.append((where, price[where]))
        # What breaks it by no more than rounding does not move the shares: another cut is needed then.
        return float(weight @ level[goal]) > room + _SHORT * max(float(weight.max(initial=0.0)), 1e-9 * abs(room))

    for price in first_cuts:
        add(price)
    rounds, proven = 0, False
    roughly = False
    fill_rate, x = np.zeros(len(most)), np.zeros(len(goals.goal))
    with progress.step("fair shares") as tick:
        while True:
            level, held = water_level(cuts, most)
            status = delivery.aim(level, roughly)
            if status is not LpStatus.OPTIMAL:
                break
            rounds += 1
            got = np.minimum(np.bincount(goals.goal, weights=delivery.x, minlength=len(most)) / goals.asked, most)
            if rounds == 1 or tuple(np.sort(got)) > tuple(np.sort(fill_rate)):
                fill_rate, x = got, delivery.x
            short = float(delivery.short.sum())
            tick(1, f"{short:.2g} short, {len(cuts)} limits")
            if not roughly and float((level - got).max(initial=0.0)) <= _SHORT:
                proven, fill_rate, x = True, got, delivery.x
                break
            price = delivery.multipliers
            # Prices of different signs of use can belong together without a goal in common: then only all of them cut.
            broken = [add(part) for part in pricing.parts(price)]
            if not any(broken) and not add(price) and not roughly:
                break
            roughly = len(goals.goal) >= _MANY and short > _FAR and rounds < _ROUNDS
    return FairShares(fill_rate, level, held, cuts, x, proven, rounds, delivery.lp.iterations)
