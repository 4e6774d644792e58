"""What is asked of a benchmark file beyond one optimum, in numbers of sites from 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nearer.errors import UsageError
from nearer.model import Certificate, Instance, Solution
from nearer.model.evaluate import cheapest_open
from nearer.solvers.choices import other_plans
from nearer.solvers.reasons import Forced, reasons
from nearer.solvers.vicinity import Vicinity
from nearer.study.limits import Run
from nearer.study.problems import Problem
from nearer.units import BoolArray


@dataclass(frozen=True)
class Asked:
    """
    What is asked beyond one optimum.

    Parameters
    ----------
    why
        What every site decided otherwise costs.
    alternatives, differ, within
        As of ``study.choices.Wish``.

    Raises
    ------
    UsageError
        A number that means nothing.
    """

    why: bool = False
    alternatives: int = 0
    differ: int | None = None
    within: float = 0.01

    def __post_init__(self) -> None:
        if self.alternatives < 0 or (self.differ is not None and self.differ < 1) or not self.within >= 0:
            raise UsageError("Other plans must differ in 1 site or more, and may not be required to be better.")

    @property
    def anything(self) -> bool:
        """Whether it is more than nothing."""
        return self.why or self.alternatives > 0

    def check(self, problem: Problem) -> None:
        """
        Make sure that it can be answered.

        Raises
        ------
        UsageError
            It cannot.
        """
        if self.anything and (problem.request.problem == "set-cover" or not Vicinity.holds(problem.instance)):
            raise UsageError(
                "--why and --alternatives are for p-median, ufl and max-cover (without --second-share), where costs "
                "are summed and sites open or do not: leave them out."
            )


def answered(problem: Problem, solution: Solution, asked: Asked, run: Run) -> tuple[dict[str, Any], Solution]:
    """
    Fields ``why`` and ``alternatives`` of a result, and the solution with the multipliers that bound the former.

    All costs are rises of the instance's objective: what more is paid, or what weight less is covered.
    """
    instance = problem.instance
    found: dict[str, Any] = {}
    stop = run.stop.within(run.time_limit_s)
    if asked.why:
        told = reasons(
            instance, solution, threads=run.threads, work_limit=run.work_limit, stop=stop, progress=run.progress
        )
        found["why"] = [_forced(one, problem, solution) for one in told.forced]
        if isinstance(solution.certificate, Certificate):
            rows = np.vstack([solution.certificate.multipliers, told.multipliers])
            solution = replace(solution, certificate=replace(solution.certificate, multipliers=rows))
    if asked.alternatives:
        differ = asked.differ or max(1, int(solution.open_mask.sum()) // 10)
        value = problem.value(solution.objective)
        others = other_plans(
            instance,
            solution,
            count=asked.alternatives,
            differ=differ,
            slack=asked.within * abs(value),
            gap=run.gap,
            threads=run.threads,
            work_limit=run.work_limit or 200_000_000,
            stop=run.stop.within(run.time_limit_s),
            progress=run.progress,
        )
        plans = [one for one in others.plans if serves_all(problem, one.open_mask)]
        found["alternatives"] = {
            "count": asked.alternatives,
            "differ": differ,
            "within": asked.within,
            "plans": [
                {
                    "objective": _number(problem.value(one.value), instance),
                    "bound": _number(problem.value(one.bound), instance),
                    "open": (np.flatnonzero(one.open_mask) + 1).tolist(),
                }
                for one in plans
            ],
            "no_more": others.no_more and len(plans) == len(others.plans),
        }
    return found, solution


def serves_all(problem: Problem, open_mask: BoolArray) -> bool:
    """Whether every customer who must be is served by an open site that can."""
    if problem.covered_of is not None:
        return True
    instance = problem.instance
    return bool(
        np.isfinite(cheapest_open(replace(instance, unserved=np.full(instance.n_rows, np.inf)), open_mask)).all()
    )


def _forced(one: Forced, problem: Problem, solution: Solution) -> dict[str, Any]:
    plan = one.plan if one.plan is not None and serves_all(problem, one.plan) else None
    return {
        "site": one.site + 1,
        "open": one.open,
        "at_least": _number(one.at_least, problem.instance),
        "at_most": None if plan is None else _number(one.at_most, problem.instance),
        "searched": one.searched,
        "opens": [] if plan is None else (np.flatnonzero(plan & ~solution.open_mask) + 1).tolist(),
        "closes": [] if plan is None else (np.flatnonzero(~plan & solution.open_mask) + 1).tolist(),
    }


def _number(value: float, instance: Instance) -> float | int | None:
    if not np.isfinite(value):
        return None
    return int(value) if instance.whole and value == int(value) else float(value)
