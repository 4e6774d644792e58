"""Why no plan obeys the rules: the smallest set of rules that conflict, and by how much each would have to give way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nearer.lp import MipProblem, MipStatus, solve_mip
from nearer.model import Instance, Rules, ServiceLimit
from nearer.model.evaluate_rules import rules_of
from nearer.progress import Stop
from nearer.units import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Conflicting:
    """
    One rule of a conflict.

    Parameters
    ----------
    name
        In words.
    lower, upper
        What was asked, ``-inf`` and ``inf`` where it has no such end.
    possible
        The nearest to it that the other rules of the conflict leave; NaN where they leave nothing at all.
    wish
        Words for the many rules that it is one of, "" for a rule of its own.
    """

    name: str
    lower: float
    upper: float
    possible: float
    wish: str = ""


def conflict(instance: Instance, stop: Stop) -> list[Conflicting]:
    """
    An irreducible set of side rules that no choice of options can keep together (deletion filter: Chinneck,
    Dravnieks 1991); empty where the side rules do not conflict, or the time was too short to find out.
    """
    rules = rules_of(instance)
    active = np.ones(rules.n_sides, dtype=bool)
    if _possible(rules, active, stop) is not False:
        return []
    wishes = [rules.wish_of(side) or rules.side_name[side] for side in range(rules.n_sides)]
    for wish in dict.fromkeys(wishes):  # the many rules of one wish go together
        mine = np.array([one == wish for one in wishes]) & active
        if _possible(rules, active & ~mine, stop) is False:
            active &= ~mine
    for side in np.flatnonzero(active):
        trial = active.copy()
        trial[side] = False
        if _possible(rules, trial, stop) is False:
            active = trial
    return [
        Conflicting(
            rules.side_name[side],
            float(rules.side_lower[side]),
            float(rules.side_upper[side]),
            _nearest(rules, active, int(side), stop),
            rules.wish_of(int(side)),
        )
        for side in np.flatnonzero(active)
    ]


def _problem(rules: Rules, active: BoolArray, cost: FloatArray) -> MipProblem:
    """Options under the rules marked; further columns than options stand in no rule yet."""
    n_sites = len(rules.option_ptr) - 1
    n_options = rules.n_options
    side = np.repeat(np.arange(rules.n_sides), np.diff(rules.side_ptr))
    keep = active[side]
    place = np.cumsum(active) - 1
    at = np.concatenate([rules.option_site, n_sites + place[side[keep]]])
    column = np.concatenate([np.arange(n_options), rules.side_option[keep]])
    value = np.concatenate([np.ones(n_options), rules.side_value[keep]])
    order = np.lexsort((column, at))
    n_rows = n_sites + int(active.sum())
    return MipProblem(
        cost=cost,
        lower=np.zeros(n_options),
        upper=np.ones(n_options),
        integer=np.ones(n_options, dtype=bool),
        row_lower=np.concatenate([np.ones(n_sites), rules.side_lower[active]]),
        row_upper=np.concatenate([np.ones(n_sites), rules.side_upper[active]]),
        indptr=np.concatenate([[0], np.cumsum(np.bincount(at, minlength=n_rows))]),
        column=column[order].astype(np.int32),
        value=value[order],
    )


def _possible(rules: Rules, active: BoolArray, stop: Stop) -> bool | None:
    """Whether some choice of options keeps the rules marked; None where the time was too short to tell."""
    problem = _problem(rules, active, np.zeros(rules.n_options))
    result = solve_mip(problem, lambda bound, nodes: stop(), remaining_s=stop.remaining_s)
    if result.x is not None:
        return True
    return False if result.status is MipStatus.INFEASIBLE else None


def _nearest(rules: Rules, active: BoolArray, side: int, stop: Stop) -> float:
    """The total nearest to what a rule asks that the others marked leave, NaN where they leave none."""
    others = active.copy()
    others[side] = False
    part = slice(rules.side_ptr[side], rules.side_ptr[side + 1])
    cost = np.zeros(rules.n_options)
    cost[rules.side_option[part]] = rules.side_value[part]
    found = []
    for sign, end in ((1.0, rules.side_upper[side]), (-1.0, rules.side_lower[side])):
        if np.isfinite(end):
            problem = _problem(rules, others, sign * cost)
            result = solve_mip(problem, lambda bound, nodes: stop(), remaining_s=stop.remaining_s)
            if result.x is not None:
                total = float(cost @ np.rint(result.x))
                if (sign > 0 and total > end) or (sign < 0 and total < end):
                    found.append(total)
    return found[0] if found else float("nan")


def only_limit(instance: Instance, limit: ServiceLimit) -> Instance:
    """
    The same choices and side rules, where one limit's total is all that counts: how low can it go?

    The objective of the instance made is ``Σ factor · h(cost)``, in units of the limit.
    """
    rules = replace(rules_of(instance), limits=(), option_cost=np.zeros(rules_of(instance).n_options))
    cost: FloatArray | IntArray = instance.cost
    unserved = instance.unserved
    if limit.beyond is not None:
        cost = (np.asarray(instance.cost) > limit.beyond).astype(np.float64)
        unserved = np.ones(instance.n_rows)
    return replace(instance, weight=limit.factor, cost=cost, unserved=unserved, rules=rules)
