"""What agencies gain by planning together: the value of every coalition, contributions and Shapley shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from nearer.model import Instance, Rules, RulesCertificate, Solution
from nearer.model.evaluate_rules import rules_of
from nearer.solvers.horizon import frozen, keeping
from nearer.units import BoolArray, FloatArray, IntArray

MOST_AGENCIES = 5
"""Agencies for which every coalition is solved (2⁵ = 32); for more, each alone and all without each."""


@dataclass(frozen=True)
class Coalition:
    """
    Agencies that plan together.

    Parameters
    ----------
    members
        Positions of the agencies, ascending.
    value, bound
        Best value found with their venues and money alone, and what no plan of theirs can go below.
    level
        int16 (n_phases, n_sites).
    certificate
        The proof of the bound, None where it is the solver's own word.
    """

    members: tuple[int, ...]
    value: float
    bound: float
    level: IntArray
    certificate: RulesCertificate | None = None


def without_others(instance: Instance, today: IntArray, payer: BoolArray, members: tuple[int, ...]) -> Instance:
    """
    The instance where only venues change that are paid by members, or by no agency at all.

    Numbers that must at least be opened, and promises to groups, are left out: a smaller coalition cannot be held to
    what all were asked for.

    Parameters
    ----------
    today
        Level of each site today, int16 (n_sites,).
    payer
        Whether an agency pays a part of a site, bool (n_agencies, n_sites).
    """
    rules = rules_of(instance)
    outside = np.ones(len(payer), dtype=bool)
    outside[list(members)] = False
    stuck = np.asarray(payer[outside].any(axis=0))
    same = np.all(rules.option_level == today[rules.option_site][:, None], axis=1)
    # a site that must open has no option to stay as it is, and keeps all of them
    may_stay = np.maximum.reduceat(same, rules.option_ptr[:-1])
    kept: Rules = keeping(rules, ~(stuck & may_stay)[rules.option_site] | same)
    free_below = replace(kept, side_lower=np.full(kept.n_sides, -np.inf), limits=())
    return replace(instance, rules=free_below)


def coalitions(n_agencies: int) -> Iterator[tuple[int, ...]]:
    """Coalitions to solve, the empty one first: all of few agencies, else singles, all but one, and all."""
    everyone = tuple(range(n_agencies))
    if n_agencies <= MOST_AGENCIES:
        for size in range(n_agencies + 1):
            yield from combinations(everyone, size)
        return
    yield ()
    yield from ((a,) for a in everyone)
    yield from (tuple(b for b in everyone if b != a) for a in everyone)
    yield everyone


def solve_coalitions(
    instance: Instance, today: IntArray, payer: BoolArray, solve: Callable[[Instance], Solution]
) -> list[Coalition]:
    """Value and bound of each coalition; a larger one is never worse, since it may do what a smaller one does."""
    found: list[Coalition] = []
    for members in coalitions(len(payer)):
        solution = solve(without_others(instance, today, payer, members))
        proof = solution.certificate if isinstance(solution.certificate, RulesCertificate) else None
        best = Coalition(members, solution.objective, solution.bound, np.asarray(solution.level), proof)
        for smaller in found:
            if set(smaller.members) <= set(members) and smaller.value < best.value:
                best = replace(best, value=smaller.value, level=smaller.level)
        found.append(best)
    return found


def union_level(alone: list[Coalition], instance: Instance, today: IntArray) -> IntArray:
    """Levels if each agency carries out its own plan, unaware of the others; int16 (n_phases, n_sites)."""
    level = np.repeat(np.asarray(today, dtype=np.int16)[None, :], instance.n_phases, axis=0)
    touched = np.zeros(len(today), dtype=bool)
    for one in alone:
        changed = np.any(one.level != np.asarray(today)[None, :], axis=0)
        again = changed & touched
        level[:, changed & ~touched] = one.level[:, changed & ~touched]
        level[:, again] = np.maximum(level[:, again], one.level[:, again])
        touched |= changed
    return level


def value_of(instance: Instance, level: IntArray, solve: Callable[[Instance], Solution]) -> float:
    """What people meet if sites take given levels, whatever the side rules say; ``inf`` where a path is none."""
    possible = np.all(rules_of(instance).option_of(level) >= 0)
    return solve(frozen(instance, level)).objective if possible else math.inf


def broken_ceilings(instance: Instance, level: IntArray) -> list[str]:
    """Names of the side rules of which given levels take more than is allowed; none where a path is no option."""
    rules = rules_of(instance)
    option = rules.option_of(level)
    if np.any(option < 0):
        return []
    totals = rules.side_totals(option)
    over = totals > rules.side_upper + 1e-6 * np.maximum(1.0, np.abs(totals))
    return [rules.side_name[side] for side in np.flatnonzero(over)]


def contributions(found: list[Coalition], agency: int) -> tuple[float, float]:
    """What everybody would lose without an agency, at the least and at the most, from values and bounds."""
    by_members = {one.members: one for one in found}
    everyone = max(by_members, key=len)
    whole = by_members[everyone]
    without = by_members[tuple(a for a in everyone if a != agency)]
    return max(without.bound - whole.value, 0.0), max(without.value - whole.bound, 0.0)


def shapley(found: list[Coalition], n_agencies: int) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """
    Shapley shares of what planning saves, by the values found, and their least and greatest by the bounds.

    Saving of a coalition = value of the empty one − its own (Shapley 1953). None where not every coalition was solved.

    Returns
    -------
    share, least, most
        float64 (n_agencies,).
    """
    by_members = {one.members: one for one in found}
    if len(by_members) != 2**n_agencies:
        return None
    share, least, most = (np.zeros(n_agencies) for _ in range(3))
    for members, one in by_members.items():
        for a in range(n_agencies):
            if a in members:
                continue
            weight = (
                math.factorial(len(members))
                * math.factorial(n_agencies - len(members) - 1)
                / math.factorial(n_agencies)
            )
            joined = by_members[tuple(sorted((*members, a)))]
            share[a] += weight * (one.value - joined.value)
            least[a] += weight * max(one.bound - joined.value, 0.0)
            most[a] += weight * max(one.value - joined.bound, 0.0)
    return share, least, most
