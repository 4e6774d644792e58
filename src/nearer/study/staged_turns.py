"""Objectives in order over phases, levels and money: each made good within what those before it keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearer.demand import Demand
from nearer.inputs.tables import Tables
from nearer.model import CLOSED, Instance, RulesCertificate, Solution, Status, relative_gap
from nearer.model.check_rules import triples
from nearer.model.evaluate_rules import assigned_cost, limit_total, rules_of
from nearer.network import TravelTimes
from nearer.planning.access import first_two
from nearer.planning.stages import Taken
from nearer.solvers.horizon import frozen
from nearer.study.settings import Study
from nearer.study.staging import Staged, stage
from nearer.units import FloatArray, IntArray

_PRICES = 8
"""Prices tried for what an earlier objective must keep."""

_FLAT = 1e-7
"""A plan so little below the lines of two others, relative, says that no price is better."""

Solve = Callable[[Instance, float], Solution]
"""Solves an instance within a part of the time and work that are left."""


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
    gap: float,
) -> list[StagedTurn]:
    """
    Take the turns one after the other; the list ends at a turn without a plan, which only the first can be.

    Parameters
    ----------
    staged
        Of the first objective.
    gap
        Relative gap at which a turn's plan is good enough.
    """
    turns: list[StagedTurn] = []
    found: list[float] = []
    n_turns = len(study.aims)
    for at in range(n_turns):
        if at:
            staged = stage(study, tables, demand, class_times, found)
        solution = solve(staged.instance, 0.5 if at + 1 < n_turns else 0.4 if at else 1.0)
        if at and solution.status not in (Status.OPTIMAL, Status.GAP):
            if not turns[-1].staged.goal.is_money:
                solution = _by_price(staged, solution, turns[-1], solve, gap)
            solution = _no_worse(staged, solution, turns[-1], solve)
        if solution.status in (Status.INFEASIBLE, Status.UNKNOWN):
            return [*turns, StagedTurn(staged, solution)]
        turns.append(StagedTurn(staged, to_the_nearest(staged, solution)))
        found.append(staged.goal.whole.value_of(solution.objective))
    return turns


def _by_price(staged: Staged, solution: Solution, earlier: StagedTurn, solve: Solve, gap: float) -> Solution:
    """
    The people who must be near, priced: what one of them farther costs is sought, and its plan and bound taken.

    For any price μ ≥ 0 of a person farther than allowed, the least travel with μ paid for each, less μ times as many as
    are allowed, is a lower bound. The price is where the lines of two plans meet, one within and one beyond what is
    allowed (Kelley 1960), until no plan lies below. The solver then meets no limit that is all but full.
    """
    instance, limit = staged.instance, rules_of(staged.instance).limits[-1]
    assert limit.beyond is not None
    best = solution if solution.status is Status.FEASIBLE else None
    bound, proof = solution.bound, solution.certificate
    within, beyond = _lines(staged, earlier.solution), (0.0, 0.0)
    price = 0.0
    for step in range(_PRICES):
        found = solve(_priced(instance, price), 0.4)
        if found.status in (Status.INFEASIBLE, Status.UNKNOWN):
            break
        found = to_the_nearest(staged, found)
        travelled, far = _lines(staged, found)
        if found.bound - price * limit.most > bound:
            bound, proof = found.bound - price * limit.most, _with_price(found.certificate, price)
        keeps = far <= limit.most
        if keeps and (best is None or travelled < best.objective):
            best = replace(found, objective=travelled)
        line = within[0] + price * within[1]
        on_lines = step > 0 and travelled + price * far >= line - _FLAT * line
        if keeps and step == 0:
            break
        within, beyond = ((travelled, far), beyond) if keeps else (within, (travelled, far))
        if on_lines or beyond[1] <= within[1] or within[0] <= beyond[0]:
            break
        price = (within[0] - beyond[0]) / (beyond[1] - within[1])
    if best is None:
        return replace(solution, bound=bound, certificate=proof)
    bound = min(bound, best.objective)
    proven = best.objective - bound <= 1e-9 * abs(best.objective)
    reached = relative_gap(best.objective, bound) <= gap
    status = Status.OPTIMAL if proven else Status.GAP if reached else Status.FEASIBLE
    return replace(
        best, bound=bound, status=status, certificate=proof, proof="solver" if proof is None else "certificate"
    )


def _priced(instance: Instance, price: float) -> Instance:
    """The instance without its last limit, which is paid for instead; the limit counts rows by their weight."""
    rules = rules_of(instance)
    time, beyond = np.asarray(instance.cost, dtype=np.float64), rules.limits[-1].beyond
    assert beyond is not None
    return replace(
        instance,
        cost=time + price * (time > beyond),
        unserved=instance.unserved + price,
        rules=replace(rules, limits=rules.limits[:-1]),
    )


def _with_price(certificate: object, price: float) -> RulesCertificate | None:
    """The proof of a priced instance as one of the instance with the limit."""
    if not isinstance(certificate, RulesCertificate):
        return None
    return replace(certificate, limit_multiplier=np.append(certificate.limit_multiplier, price))


def _lines(staged: Staged, solution: Solution) -> tuple[float, float]:
    """Travel of a plan, and how many people it leaves farther than the last limit says."""
    last, far = len(rules_of(staged.instance).limits) - 1, 0.0
    for t, row, place, share in _sent(staged, solution):
        far += limit_total(staged.instance, last, t, row, place, share)
    return _total(staged, solution), far


def _no_worse(staged: Staged, solution: Solution, earlier: StagedTurn, solve: Solve) -> Solution:
    """The plan of the turn before, where the search found none in time that is better; the bound stays."""
    level = np.asarray(earlier.solution.level)
    fixed = frozen(staged.instance, level)
    rules = replace(rules_of(fixed), limits=rules_of(staged.instance).limits)
    sent = solve(replace(fixed, rules=rules), 0.1)
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
