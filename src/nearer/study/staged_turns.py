"""Objectives in order over phases, levels and money: each made good within what those before it keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearer.demand import Demand
from nearer.inputs.tables import Tables
from nearer.model import CLOSED, Instance, Solution, Status
from nearer.model.check_rules import triples
from nearer.model.evaluate_rules import assigned_cost, rules_of
from nearer.network import TravelTimes
from nearer.planning.access import first_two
from nearer.planning.stages import Taken
from nearer.solvers.horizon import frozen
from nearer.study.settings import Study
from nearer.study.staging import Staged, stage
from nearer.units import FloatArray, IntArray

Solve = Callable[[Instance, float, IntArray | None], Solution]
"""Solves an instance within a part of the time and work that are left, from the levels of a plan known or from none."""


@dataclass(frozen=True)
class StagedTurn:
    """One objective's turn: what was solved, and the best plan found for it."""

    staged: Staged
    solution: Solution


def solve_turns(
    study: Study,
    tables: Tables,
    demand: Demand,
    class_times: Sequence[TravelTimes],
    staged: Staged,
    solve: Solve,
) -> list[StagedTurn]:
    """
    Take the turns one after the other; the list ends at a turn without a plan, which only the first can be.

    Parameters
    ----------
    staged
        Of the first objective.
    """
    turns: list[StagedTurn] = []
    found: list[float] = []
    n_turns = len(study.aims)
    for at in range(n_turns):
        if at:
            staged = stage(study, tables, demand, class_times, found)
        start = np.asarray(turns[-1].solution.level) if at else None
        solution = solve(staged.instance, 0.5 if at + 1 < n_turns else 0.9 if at else 1.0, start)
        if at and solution.status not in (Status.OPTIMAL, Status.GAP):
            solution = _no_worse(staged, solution, turns[-1], solve)
        if solution.status in (Status.INFEASIBLE, Status.UNKNOWN):
            return [*turns, StagedTurn(staged, solution)]
        turns.append(StagedTurn(staged, to_the_nearest(staged, solution)))
        found.append(staged.goal.whole.value_of(solution.objective))
    return turns


def _no_worse(staged: Staged, solution: Solution, earlier: StagedTurn, solve: Solve) -> Solution:
    """The plan of the turn before, where the search found none in time that is better; the bound stays."""
    level = np.asarray(earlier.solution.level)
    fixed = frozen(staged.instance, level)
    rules = replace(rules_of(fixed), limits=rules_of(staged.instance).limits)
    sent = solve(replace(fixed, rules=rules), 0.9, None)
    if sent.status in (Status.INFEASIBLE, Status.UNKNOWN):  # a limit that is met exactly, but for rounding
        sent = replace(earlier.solution, objective=_total(staged, earlier.solution))
    if solution.objective <= sent.objective:
        return solution
    bound, proof = min(solution.bound, sent.objective), solution.certificate
    if solution.status is Status.INFEASIBLE:  # which the plan of the turn before says it is not
        bound, proof = -np.inf, None
    return replace(
        sent, level=level, bound=bound, status=Status.FEASIBLE, certificate=proof,
        proof="solver" if proof is None else "certificate",
    )  # fmt: skip


def _sent(staged: Staged, solution: Solution) -> Iterator[tuple[int, IntArray, IntArray, FloatArray]]:
    """Phase, rows, positions of their pairs, and shares."""
    for t in range(staged.instance.n_phases):
        row, site, share = triples(solution, t)
        yield t, row, staged.rows.places(row, site), share


def _total(staged: Staged, solution: Solution) -> float:
    """Total cost of a plan in the costs of a turn."""
    return math.fsum(
        assigned_cost(staged.instance, t, row, place, share) for t, row, place, share in _sent(staged, solution)
    )


def taken(turns: Sequence[StagedTurn], before: Sequence[float], study: Study) -> tuple[Taken, ...]:
    """Turns as the plan tells of them; ``before`` is the total cost of each with the sites of today."""
    return tuple(
        Taken(turn.staged.goal, turn.staged.instance, turn.solution, total, tolerance)
        for turn, total, tolerance in zip(turns, before, study.tolerances, strict=True)
    )


def to_the_nearest(staged: Staged, solution: Solution) -> Solution:
    """Without limits on room everybody goes to the nearest open site, also where the objective does not mind."""
    instance, rows = staged.instance, staged.rows
    if instance.capacitated:
        return solution
    phase: list[IntArray] = []
    row: list[IntArray] = []
    site: list[IntArray] = []
    for t in range(instance.n_phases):
        first, _ = first_two(rows.indptr, rows.site_idx, solution.level[t] != CLOSED)
        served = np.flatnonzero(first >= 0)
        phase.append(np.full(len(served), t, dtype=np.int16))
        row.append(served.astype(np.int32))
        site.append(rows.site_idx[first[served]])
    return replace(
        solution,
        phase_idx=np.concatenate(phase),
        row_idx=np.concatenate(row),
        assigned_idx=np.concatenate(site),
        share=np.ones(sum(map(len, row))),
    )
