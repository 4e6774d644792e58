"""
What money buys: cost held to levels, another objective made as good as each allows, over all phases of a study.

The ε-constraint method (Haimes, Lasdon, Wismer 1971) with money as a side rule over options, so that phases, levels,
capacities, budgets, agencies and promises all hold in every point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nearer.demand import Demand
from nearer.errors import InfeasibleError
from nearer.inputs.tables import Tables
from nearer.model import CLOSED, RulesCertificate, Solution, Status, relative_gap
from nearer.model.evaluate_rules import rules_of
from nearer.network import TravelTimes
from nearer.planning.agencydoc import CoalitionSite
from nearer.planning.frontierdoc import FrontierAim, TradePoint
from nearer.solvers import solve
from nearer.solvers.horizon import frozen
from nearer.study.agencies import changed_sites
from nearer.study.limits import Run
from nearer.study.settings import Study
from nearer.study.staged_turns import to_the_nearest
from nearer.study.staging import Staged, stage
from nearer.units import FloatArray, IntArray

MONEY = "cost"
"""The objective that is held to levels."""

BOUGHT = ("travel", "coverage", "equal")
"""What money can buy."""

_STATUS = {Status.OPTIMAL: "optimal", Status.GAP: "gap"}


@dataclass(frozen=True)
class Bought:
    """
    A frontier of money.

    Parameters
    ----------
    money, other
        The two objectives as they are told.
    points
        Cheapest first, money as ``first``.
    proofs, sendings
        By number of the point, from 1: what proves its bound, and who goes where in it where room is limited.
    """

    money: FrontierAim
    other: FrontierAim
    points: list[TradePoint]
    proofs: dict[int, RulesCertificate]
    sendings: dict[int, dict[str, IntArray | FloatArray]]


def asking_for(study: Study, *aims: str) -> Study:
    """The study with other objectives, in order, and nothing that only the objective cost reads."""
    plan = study.plan.model_copy(update={"objective": aims, "tolerance": (), "within_share": None})
    return study.model_copy(update={"plan": plan})


def buy(
    study: Study, tables: Tables, demand: Demand, times: Sequence[TravelTimes], other: str, n_points: int, run: Run
) -> Bought:
    """
    Trade money against another objective.

    Parameters
    ----------
    other
        One of ``BOUGHT``.
    n_points
        Points wanted, both ends included; those that are no better than a cheaper one are left out.

    Raises
    ------
    InfeasibleError
        No plan obeys the rules, or none was found in time.
    """
    part = None if run.time_limit_s is None else run.time_limit_s / (n_points + 1)
    with run.progress.step("Trading money", n_points + 1) as tick:

        def solved(staged: Staged) -> Solution:
            run.go_on()
            found = solve(
                staged.instance,
                gap=run.gap,
                seed=study.study.seed,
                threads=run.threads,
                work_limit=None if run.work_limit is None else max(run.work_limit // (n_points + 1), 1),
                stop=run.stop.within(part),
            )
            tick(1)
            if found.status is Status.INFEASIBLE:
                raise InfeasibleError("No plan obeys the rules: `nearer plan` says which of them conflict.")
            if found.status is Status.UNKNOWN:
                raise InfeasibleError("No plan was found in time for one of the points: give more --time-limit.")
            return to_the_nearest(staged, found)

        cheap = stage(asking_for(study, MONEY), tables, demand, times)
        dear = stage(asking_for(study, other), tables, demand, times)
        least, most = solved(cheap), solved(dear)
        ends = (_money(cheap, least), _money(cheap, most))
        both = asking_for(study, MONEY, other)
        found: list[tuple[float, Staged, Solution]] = []
        for k in range(n_points - 1):
            level = ends[0] + (ends[1] - ends[0]) * k / (n_points - 1)
            if k and ends[1] <= ends[0]:
                break
            staged = stage(both, tables, demand, times, [level])
            found.append((level, staged, solved(staged)))
        found.append((ends[1], dear, most))
    sign = -1.0 if dear.goal.whole.maximise else 1.0
    kept: list[tuple[float, Staged, Solution]] = []
    for one in found:
        value = dear.goal.whole.value_of(one[2].objective)
        best = dear.goal.whole.value_of(kept[-1][2].objective) if kept else None
        if best is not None and sign * value >= sign * best - 1e-9 * abs(best):
            continue
        while kept and _money(cheap, kept[-1][2]) >= _money(cheap, one[2]):
            kept.pop()
        kept.append(one)
    today = np.repeat(dear.terms.today[None, :], dear.instance.n_phases, axis=0)
    stood = solve(frozen(dear.instance, today), gap=0.0, seed=study.study.seed, threads=run.threads)
    stays = rules_of(cheap.instance).option_of(today)
    paid = np.where(stays >= 0, cheap.goal.option_cost[stays], 0.0)
    return Bought(
        FrontierAim(
            name="cost", unit=cheap.goal.whole.unit, before=float(paid.sum()), larger_is_better=False
        ),
        FrontierAim(
            name=other,
            unit=dear.goal.whole.unit,
            before=dear.goal.whole.value_of(stood.objective),
            larger_is_better=dear.goal.whole.maximise,
        ),
        [_point(tables, level, _money(cheap, solution), staged, solution) for level, staged, solution in kept],
        {
            number: solution.certificate
            for number, (_, _, solution) in enumerate(kept, start=1)
            if isinstance(solution.certificate, RulesCertificate)
        },
        {
            number: _sending(staged, solution)
            for number, (_, staged, solution) in enumerate(kept, start=1)
            if staged.instance.capacitated
        },
    )  # fmt: skip


def _money(cheap: Staged, solution: Solution) -> float:
    """Money of a plan over all phases, or the number of centres where nothing costs anything."""
    taken = rules_of(cheap.instance).option_of(np.asarray(solution.level))
    return float(cheap.goal.option_cost[taken].sum())


def _point(tables: Tables, level: float, money: float, staged: Staged, solution: Solution) -> TradePoint:
    aim = staged.goal.whole
    value, bound = aim.value_of(solution.objective), aim.bound_of(solution.bound)
    bound = max(bound, value) if aim.maximise else min(bound, value)
    sites: list[CoalitionSite] = changed_sites(np.asarray(solution.level), tables, staged)
    ids = tables.sites.table["id"].astype(str).tolist()
    opened = (staged.terms.today == CLOSED) & (np.asarray(solution.level)[-1] != CLOSED)
    return TradePoint(
        first=money,
        second=value,
        level=level,
        bound=bound,
        gap=relative_gap(value, bound),
        status=_STATUS.get(solution.status, "feasible"),
        proof="certificate" if isinstance(solution.certificate, RulesCertificate) else "solver",
        opened=[ids[at] for at in np.flatnonzero(opened)],
        sites=sites,
    )


def _sending(staged: Staged, solution: Solution) -> dict[str, IntArray | FloatArray]:
    """Who is sent where in each phase."""
    rows, row = staged.rows, solution.row_idx
    phase = np.zeros(len(row), dtype=np.int16) if solution.phase_idx is None else solution.phase_idx
    return {
        "phase": phase,
        "pool": rows.row_pool[row].astype(np.int16),
        "speed_class": rows.row_class[row].astype(np.int16),
        "point": rows.row_point[row],
        "site": solution.assigned_idx,
        "share": np.asarray(solution.share, dtype=np.float64),
    }


def turned(bought: Bought, *, money_first: bool) -> list[TradePoint]:
    """Points with the two objectives in the order asked for."""
    if money_first:
        return bought.points
    return [point.model_copy(update={"first": point.second, "second": point.first}) for point in bought.points]
