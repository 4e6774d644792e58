"""What joint planning of phases is worth: each phase for itself, and each in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nearer.model import Instance, Rules, Solution, Status
from nearer.model.evaluate_rules import rules_of
from nearer.units import BoolArray, FloatArray, IntArray

Solve = Callable[[Instance], Solution]


def only_phase(instance: Instance, phase: int) -> Instance:
    """The same choices and side rules, where only one phase counts: what people meet in it, and limits on that."""
    weight = np.zeros_like(instance.weight)
    weight[phase] = instance.weight[phase]
    rules = rules_of(instance)
    limits = tuple(limit for limit in rules.limits if limit.factor[phase].any())
    nothing = np.zeros(rules.n_options)
    return replace(instance, weight=weight, rules=replace(rules, option_cost=nothing, limits=limits))


def keeping(rules: Rules, keep: BoolArray) -> Rules:
    """Rules with only some of the options, at least one for each site."""
    at = np.cumsum(keep) - 1
    side = np.repeat(np.arange(rules.n_sides), np.diff(rules.side_ptr))
    kept = keep[rules.side_option]
    return replace(
        rules,
        option_ptr=np.concatenate([[0], np.cumsum(np.add.reduceat(keep.astype(np.int64), rules.option_ptr[:-1]))]),
        option_level=rules.option_level[keep],
        option_cost=rules.option_cost[keep],
        side_ptr=np.concatenate([[0], np.cumsum(np.bincount(side[kept], minlength=rules.n_sides))]).astype(np.int64),
        side_option=at[rules.side_option[kept]].astype(np.int32),
        side_value=rules.side_value[kept],
    )


def frozen(instance: Instance, level: IntArray) -> Instance:
    """
    The instance where every site has the levels given, whatever its options, the side rules and limits say.

    Parameters
    ----------
    level
        int16 (n_phases, n_sites). Levels that are none of a site's options cost nothing by themselves.
    """
    rules = rules_of(instance)
    option = rules.option_of(level)
    n_sites = instance.n_sites
    only = Rules(
        option_ptr=np.arange(n_sites + 1, dtype=np.int64),
        option_level=np.ascontiguousarray(np.asarray(level, dtype=np.int16).T),
        option_cost=np.where(option >= 0, rules.option_cost[option], 0.0),
        side_ptr=np.zeros(1, dtype=np.int64),
        side_option=np.zeros(0, dtype=np.int32),
        side_value=np.zeros(0),
        side_lower=np.zeros(0),
        side_upper=np.zeros(0),
    )
    return replace(instance, rules=only)


def each_alone(instance: Instance, solve: Solve) -> list[Solution]:
    """The best found for each phase if no other counted."""
    return [solve(only_phase(instance, phase)) for phase in range(instance.n_phases)]


def each_in_turn(instance: Instance, solve: Solve, first: Solution | None = None) -> tuple[FloatArray, IntArray]:
    """
    Value of each phase, and the levels, if each is decided in turn for itself alone: the order other tools build in.

    Limits that a phase must keep later hold all along; where a phase then finds no plan its value is ``inf``. It is
    NaN for that phase and later ones where it is not known whether there is one.

    Parameters
    ----------
    first
        What ``each_alone`` found for the first phase, which is the same question; None to ask it here.

    Returns
    -------
    value
        float64 (n_phases,).
    level
        int16 (n_phases, n_sites).
    """
    rules = rules_of(instance)
    keep = np.ones(rules.n_options, dtype=bool)
    values = np.full(instance.n_phases, np.inf)
    level = np.full((instance.n_phases, instance.n_sites), -1, dtype=np.int16)
    for phase in range(instance.n_phases):
        if phase == 0 and first is not None:
            solution = first
        else:
            here = only_phase(instance, phase)
            solution = solve(replace(here, rules=keeping(rules_of(here), keep)))
        if solution.status in (Status.INFEASIBLE, Status.UNKNOWN):
            values[phase:] = np.inf if solution.status is Status.INFEASIBLE else np.nan
            break
        values[phase] = solution.objective
        level[phase] = solution.level[phase]
        keep &= rules.option_level[:, phase] == level[phase][rules.option_site]
    return values, level
