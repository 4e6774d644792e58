"""
Dual side of dynamic location: demand rows and limits relaxed, climbed by the volume algorithm (Barahona, Anbil 2000).

What is left is a knapsack per site, phase, level and pool, and a choice of options under the side rules whose linear
relaxation gives the best multipliers of those rules for the λ at hand. See ``RulesCertificate`` for the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nearer.kernels import dynamic as kernels
from nearer.kernels.jit import run_chunks
from nearer.lp import LpStatus
from nearer.model import RulesCertificate
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.solvers.dynamic_core import BANDS, DynamicCore
from nearer.solvers.dynamic_options import OptionChoice
from nearer.units import FloatArray, IntArray

_EPS = float(np.finfo(np.float64).eps)
_MARGIN = 0.1  # of λ, by which it may rise before pairs are gathered again
_FIT = 0.85  # of the gain per need at which the roomiest level is full: what gains less is left out
_GATHER = 15  # iterations after which they are


@dataclass
class Point:
    """
    Multipliers and what they prove.

    Parameters
    ----------
    lam
        λ, float64 (n_rows, n_phases).
    pi, mu
        Of limits and of side rules.
    bound
        Rounded down; ``-inf`` before anything is known.
    value
        V of each site, phase and level, float64 (n_sites, n_phases, n_levels).
    rate
        What a unit of room is worth, float64 (n_sites, n_pools, n_phases, n_levels), ``inf`` where there is none.
    q, reduced
        Cost of each option with what it serves, and less what side rules pay, float64 (n_options,).
    z
        Shares of options in the relaxation, float64 (n_options,).
    """

    lam: FloatArray
    pi: FloatArray
    mu: FloatArray
    bound: float
    value: FloatArray
    rate: FloatArray
    q: FloatArray
    reduced: FloatArray
    z: FloatArray


class StoppedError(Exception):
    """The clock ran out amid an evaluation."""


class DynamicDual:
    """
    Evaluates multipliers and climbs.

    Parameters
    ----------
    core, choice
        Rows and knapsacks; options.
    """

    def __init__(self, core: DynamicCore, choice: OptionChoice, budget: Budget, threads: int) -> None:
        self.core, self.choice, self.budget, self.threads = core, choice, budget, threads
        self.best: Point | None = None
        """Where the climb is."""
        self.proof: Point | None = None
        """What bounds most of all."""
        self.infeasible = False
        self._served = np.zeros(core.weight.shape)
        self._met = np.zeros((*core.weight.shape, 1 + len(core.beyond) if core.rules.limits else 0))
        self.average: FloatArray | None = None
        self.average_met = np.zeros(0)
        self.share = np.zeros(core.rules.n_options)
        self._factor, self._weight, self._misses = 0.2, 0.3, 0
        self._active: tuple[IntArray, IntArray, IntArray | FloatArray] = (
            np.zeros(1, dtype=np.int64),
            core.crow,
            core.ccost,
        )
        self._highest = np.full(core.weight.shape, np.inf)
        self._cut = np.zeros(core.n_sites * core.n_pools)
        self._age = 0
        shape = (core.n_sites, core.n_pools, core.n_phases, core.n_levels)
        self._rate, self._tied = np.empty(shape), np.empty(shape)

    def gather(self, lam: FloatArray, pi: FloatArray) -> None:
        """Keep the pairs that λ, and what is a little higher, can make gain, and that can fit."""
        core = self.core
        # what limits charge only makes pairs dearer, but raises what staying unserved costs
        self._highest = np.minimum(lam * (1 + _MARGIN), core.priced(pi * 2)[2])
        self._cut = np.zeros(core.n_sites * core.n_pools)
        if self.best is not None:
            rate = self.best.rate.min(axis=3)  # at the roomiest level
            self._cut = np.where(np.isinf(rate), 0.0, _FIT * rate).min(axis=2).ravel()
        # who needs nothing always fits, however little there is to gain
        per = np.where(core.need > 0, core.need, np.where(core.weight > 0, 1e-12, 1.0))
        highest = (self._highest / per).max(axis=1)
        slope = (core.weight / per).min(axis=1)
        ranges = [(a * core.n_pools, b * core.n_pools) for a, b in core.chunks]
        aptr = np.zeros(core.n_sites * core.n_pools + 1, dtype=np.int64)
        arow: IntArray = np.empty(0, dtype=np.int32)
        acost: Any = np.empty(0, dtype=core.ccost.dtype)

        def work(part: tuple[int, int]) -> None:
            kernels.gather_active(
                core.cptr, core.crow, core.ccost, core.width, BANDS, highest, slope, float(highest.max(initial=0.0)),
                float(slope.min(initial=0.0)), self._cut, *part, aptr, arow, acost,
            )  # fmt: skip

        for counting in (True, False):
            if not counting:
                np.cumsum(aptr, out=aptr)
                if not aptr[-1]:
                    break
                arow, acost = np.empty(aptr[-1], dtype=np.int32), np.empty(aptr[-1], dtype=core.ccost.dtype)
            for _ in run_chunks(work, ranges, min(self.threads, len(ranges))):
                self._ask()
        self._active = aptr, arow, acost
        self._age = 0
        self.budget.spend(len(core.crow) // 2 + 2 * int(aptr[-1]))

    def per_need(self, lam: FloatArray, slope: FloatArray, extra: FloatArray) -> tuple[FloatArray, ...]:
        """λ, slopes and extras per unit of need."""
        need = self.core.need
        per = np.where(need > 0, need, 1.0)
        return lam / per, slope / per, need, self.core.beyond, extra / per[:, :, None]

    def _ask(self) -> None:
        if self.budget.stop():
            raise StoppedError

    def evaluate(self, lam: FloatArray, pi: FloatArray) -> Point | None:
        """
        Everything about some multipliers; None where the side rules have no choice at all.

        Raises
        ------
        Stopped
            The clock ran out.
        """
        core = self.core
        slope, extra, idle = core.priced(pi)
        lam = np.minimum(lam, idle)
        rows = self.per_need(lam, slope, extra)
        value = np.empty((core.n_sites, core.n_phases, core.n_levels))
        rate, tied = self._rate, self._tied

        def work(part: tuple[int, int]) -> None:
            kernels.knapsack_values(
                *self._active, *rows, core.room, self._cut, core.n_pools, *part, value, rate, tied,
            )  # fmt: skip

        for _ in run_chunks(work, core.chunks, min(self.threads, len(core.chunks))):
            self._ask()
        self.budget.spend(len(self._active[1]) * core.n_phases)
        rules = core.rules
        q = rules.option_cost + option_sums(core, value)
        before = self.choice.iterations
        status, z, mu = self.choice.relaxed(q)
        self.budget.spend((self.choice.iterations - before) * LP_ITERATION_WORK // 20 + rules.n_options)
        if status is LpStatus.STOPPED:
            raise StoppedError
        if status is LpStatus.INFEASIBLE:
            self.infeasible = True
            return None
        least, size, reduced = self.choice.proven(q, mu)
        most = np.array([limit.most for limit in rules.limits])
        paid = float((pi * most).sum())
        served = float(np.add.reduce(lam, axis=None))
        size += abs(paid) + float(np.abs(lam).sum()) + float(-value.min(initial=0.0)) * core.n_phases
        longest = 64 + int(np.diff(core.cptr[::BANDS]).max(initial=0)) * core.n_phases * core.n_pools
        bound = served - paid + least - _EPS * longest * size
        point = Point(lam, pi, mu, bound, value, rate.copy(), q, reduced, z)
        if self.proof is None or bound > self.proof.bound:
            self.proof = point
        return point

    def serve(self, point: Point) -> None:
        """Shares of rows that the sites of a point's relaxation serve, into ``_served`` (and what limits meet)."""
        core = self.core
        slope, extra, _ = core.priced(point.pi)
        rows = self.per_need(point.lam, slope, extra)
        taken = level_shares(core, point.z)
        self._served[:] = 0.0
        self._met[:] = 0.0

        def work(part: tuple[int, int]) -> int:
            return int(
                kernels.knapsack_service(
                    *self._active,
                    *rows,
                    core.n_pools,
                    *part,
                    taken,
                    self._rate,
                    self._tied,
                    self._served,
                    self._met,
                )
            )

        parts = [(k, t) for k in range(core.n_pools) for t in range(core.n_phases)]
        threads = self.threads if len(self._active[1]) > 100_000 else 1
        self.budget.spend(sum(run_chunks(work, parts, min(threads, len(parts)))))

    def limit_excess(self, served: FloatArray, met: FloatArray) -> FloatArray:
        """By how much some service breaks each limit (n_limits,), below zero where it keeps it."""
        core = self.core
        left = np.clip(1.0 - served, 0.0, 1.0)
        excess, at = [], 0
        for limit, factor in zip(core.rules.limits, core.factor, strict=True):
            if limit.beyond is None:
                total = factor * (met[:, :, 0] + left * np.where(np.isinf(core.cap), 0.0, core.cap))
            else:
                at += 1
                total = factor * (met[:, :, at] + left * ((core.cap > limit.beyond) | (core.cap_site < 0)))
            excess.append(float(total.sum()) - limit.most)
        return np.array(excess)

    def begin(self, lam: FloatArray, pi: FloatArray | None = None) -> None:
        """Evaluate first multipliers."""
        self.best = None
        self.leap(lam, pi)

    def look(self, lam: FloatArray, pi: FloatArray) -> Point | None:
        """Evaluate multipliers that may be far from the best ones, all pairs counted anew."""
        before = self.best
        self.best = None
        try:
            self.gather(lam, pi)
            return self.evaluate(lam, pi)
        finally:
            self.best = before  # also where the clock runs out here
            self._age = _GATHER  # the pairs gathered are not those of the best point

    def leap(self, lam: FloatArray, pi: FloatArray | None = None) -> None:
        """Go on from other multipliers if they prove more; the climb begins anew there."""
        before = self.best
        point = self.look(lam, np.zeros(len(self.core.rules.limits)) if pi is None else pi)
        if point is None or (before is not None and before.bound >= point.bound):
            return
        self._age = 0
        self.serve(point)
        self.best = point
        self.average = self._served.copy()
        self.average_met = self._met.copy()
        self.share = point.z.copy()
        self._factor, self._weight, self._misses = 0.2, 0.3, 0

    def climb(self, upper: float, iterations: int, on_improve: Callable[[float], None], enough: float = np.inf) -> None:
        """Improve the best point for so many iterations; ``upper`` is the target of the steps."""
        core = self.core
        best, average = self.best, self.average
        assert best is not None
        assert average is not None
        n_limits = len(core.rules.limits)
        scale, limit_scale = self._scales()
        for _ in range(iterations):
            if self.budget.exhausted() or best.bound >= enough:
                break
            _, _, idle = core.priced(best.pi)
            direction = 1.0 - average
            direction[(best.lam >= idle) & (direction > 0)] = 0.0
            direction[(best.lam <= 0.0) & (direction < 0)] = 0.0
            step_dir = scale * direction
            norm = float(np.add.reduce(step_dir * direction, axis=None))
            steer = np.zeros(n_limits)
            if n_limits:
                excess = self.limit_excess(average, self.average_met)
                excess[(best.pi <= 0) & (excess < 0)] = 0.0
                steer = excess * limit_scale
                norm += float((steer * excess).sum())
            target = upper if np.isfinite(upper) else best.bound + 0.1 * abs(best.bound) + 1.0
            if norm < 1e-12 * max(abs(target), 1e-300):
                break
            step = self._factor * max(target * 1.0005 - best.bound, 1e-9 * abs(target)) / norm
            lam = np.maximum(best.lam + step * step_dir, 0.0)
            pi = np.maximum(best.pi + step * steer, 0.0)
            self._age += 1
            if self._age >= _GATHER:
                self.gather(np.maximum(lam, best.lam), pi)
            lam = np.minimum(lam, self._highest)
            point = self.evaluate(lam, pi)
            if point is None:
                return
            self.serve(point)
            average += self._weight * (self._served - average)
            if n_limits:
                self.average_met += self._weight * (self._met - self.average_met)
            self.share += self._weight * (point.z - self.share)
            if point.bound > best.bound:
                aligned = float(np.add.reduce(step_dir * (1.0 - self._served), axis=None)) > 0
                significant = point.bound > best.bound + 2e-5 * abs(best.bound)
                best = self.best = point
                on_improve(point.bound)
                self._factor = min(self._factor * 1.1, 2.0) if aligned else self._factor
                self._misses = 0 if significant else self._misses + 1
            else:
                self._misses += 1
            if self._misses >= 4:
                self._factor, self._misses = self._factor * 0.66, 0
                self._weight = max(0.02, self._weight * 0.9)
            if self._factor < 1e-5:
                break

    def _scales(self) -> tuple[FloatArray, FloatArray]:
        """What a step changes of each λ and π, in proportion: their usual size over that of their slopes."""
        core, best = self.core, self.best
        assert best is not None
        if not core.rules.limits:
            return core.weight, np.zeros(0)
        slope, extra, _ = core.priced(best.pi)
        usual = float(best.lam.sum()) / max(float(slope.sum()), 1e-12)
        size = []
        for limit, price in zip(core.rules.limits, best.pi, strict=True):
            people = max(float(limit.factor.sum()), 1e-12)
            if limit.beyond is None:
                size.append(max(float(core.weight.sum()) / people, price) / (people * max(usual, 1e-12)))
            else:
                size.append(max(usual, price) / people)
        return slope * usual + extra.sum(axis=2), np.array(size)

    def certificate(self) -> RulesCertificate:
        """Of the best point."""
        assert self.proof is not None
        lam = np.empty((self.core.n_phases, self.core.n_rows))
        lam[:, self.core.order] = self.proof.lam.T
        return RulesCertificate(lam, self.proof.mu, self.proof.pi)


def option_sums(core: DynamicCore, value: FloatArray) -> FloatArray:
    """Σ over the phases of what each option's level is worth, float64 (n_options,)."""
    rules = core.rules
    total = np.zeros(rules.n_options)
    for t in range(core.n_phases):
        level = rules.option_level[:, t]
        total += np.where(level >= 0, value[rules.option_site, t, np.maximum(level, 0)], 0.0)
    return total


def level_shares(core: DynamicCore, z: FloatArray) -> FloatArray:
    """In which share each site has each level, float64 (n_sites, n_phases, n_levels)."""
    rules = core.rules
    taken = np.zeros((core.n_sites, core.n_phases, core.n_levels))
    some = np.flatnonzero(z > 1e-9)
    for t in range(core.n_phases):
        level = rules.option_level[some, t]
        is_open = level >= 0
        np.add.at(taken, (rules.option_site[some[is_open]], t, level[is_open]), z[some[is_open]])
    return taken
