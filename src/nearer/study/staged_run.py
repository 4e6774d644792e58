"""A study with phases, levels, money or agencies, from its tables to a plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nearer.demand import Demand
from nearer.errors import InfeasibleError
from nearer.inputs.tables import Tables
from nearer.model import CLOSED, OPEN, Instance, Solution, Status, relative_gap
from nearer.model.build import build_instance
from nearer.network import Network, TravelTimes
from nearer.planning.make import make_plan
from nearer.planning.plan import Plan
from nearer.planning.staged import add_stages
from nearer.planning.stages import Horizon, StageNames, Stages, build_order, final_standing
from nearer.progress import Stop
from nearer.solvers import solve
from nearer.solvers.horizon import each_alone, each_in_turn, frozen
from nearer.solvers.limited import Effort
from nearer.study.limits import Run
from nearer.study.parts import run_notes, snapping
from nearer.study.settings import Study
from nearer.study.staged_turns import StagedTurn, solve_turns, taken
from nearer.study.staging import Staged, stage
from nearer.study.why_not import why_not
from nearer.units import IntArray, minutes_to_ms

_PLAN = 0.65
"""Of the time limit for the plan, where its phases are then compared with each for itself."""
_ROUGH = 0.05
"""Gap up to which an answer that the clock cut short is told."""
_LEAST_WORK = 30_000_000
"""Of a question beside the plan: less than a second on a quiet machine."""


def plan_stages(
    tables: Tables,
    study: Study,
    network: Network,
    demand: Demand,
    class_times: Sequence[TravelTimes],
    *,
    run: Run,
) -> Plan:
    """
    Plan all phases together.

    Raises
    ------
    InputError
        Columns of the sites, or rules that fit no site.
    InfeasibleError
        No plan obeys the rules.
    """
    with run.timed("model"):
        staged = stage(study, tables, demand, class_times)
    everything = run.stop.within(run.time_limit_s)
    with run.timed("solve"):
        part_s = None if run.time_limit_s is None else run.time_limit_s * (_PLAN if _compares(staged) else 1.0)
        left = Effort(run.stop.within(part_s), run.gap, study.study.seed, run.threads, run.work_limit, run.progress)
        turns = solve_turns(
            study, tables, demand, class_times, staged, lambda one, part, start: _in_part(one, left, part, start)
        )
    solution = turns[-1].solution
    if solution.status in (Status.INFEASIBLE, Status.UNKNOWN):
        reasons = run.stop.within(run.time_limit_s)  # why there is no plan is worth as long again
        raise InfeasibleError(
            why_not(staged.instance, solution, lambda one: _solve(one, study, run, reasons, None), run.stop)
        )
    with run.timed("compare phases"):
        before = [_as_today(turn.staged, study, run) for turn in turns]
        horizon = _horizon(staged, study, run, turns[0].solution, everything) if _compares(staged) else None
    with run.timed("plan"):
        return _written(tables, study, network, demand, class_times, turns, before, horizon, run)


def _solve(instance: Instance, study: Study, run: Run, stop: Stop, work_limit: int | None) -> Solution:
    effort = Effort(stop, run.gap, study.study.seed, run.threads, work_limit, run.progress)
    return solve(instance, **effort.limits)


def _in_part(instance: Instance, left: Effort, part: float, start: IntArray | None) -> Solution:
    """Within a part of the time and work that are left, from the levels of a plan known or from none."""
    solution = solve(instance, **left.part(part).limits, start=start)
    left.spent += solution.work
    return solution


def _as_today(staged: Staged, study: Study, run: Run) -> float:
    """The objective if every site stayed as it is."""
    today = np.repeat(staged.terms.today[None, :], staged.instance.n_phases, axis=0)
    # a matter of seconds that everything is measured against: it is not cut short
    return _solve(frozen(staged.instance, today), study, run, Stop(), None).objective


def _compares(staged: Staged) -> bool:
    """Whether it is asked how each phase would fare for itself: not for a single one, or where money alone counts."""
    return staged.instance.n_phases > 1 and not staged.goal.is_money


def _horizon(staged: Staged, study: Study, run: Run, plan: Solution, stop: Stop) -> Horizon:
    """
    How each phase would fare for itself, and in turn; NaN where the clock left no time to find out.

    Each question gets a third of the plan's own work, so that the answers do not depend on the machine; the clock
    shares what the plan left of the time limit out among them.
    """
    n_phases = staged.instance.n_phases
    asked = 0

    def within(instance: Instance) -> Solution:
        """An answer; unknown where it was cut short far from its bound."""
        nonlocal asked
        left_s = stop.remaining_s / (2 * n_phases - 1 - asked)
        asked += 1
        part = stop.within(left_s if math.isfinite(left_s) else None)
        found = _solve(instance, study, run, part, max(_LEAST_WORK, plan.work // 3))
        proven = found.status in (Status.OPTIMAL, Status.GAP, Status.INFEASIBLE)
        short = not proven and part() and not relative_gap(found.objective, found.bound) <= _ROUGH
        return replace(found, status=Status.UNKNOWN, objective=math.nan) if short else found

    alone = each_alone(staged.instance, within)
    greedy, _ = each_in_turn(staged.instance, within, alone[0])
    return Horizon(np.array([one.objective for one in alone]), np.array([one.bound for one in alone]), greedy)


def _written(
    tables: Tables,
    study: Study,
    network: Network,
    demand: Demand,
    class_times: Sequence[TravelTimes],
    turns: Sequence[StagedTurn],
    before: Sequence[float],
    horizon: Horizon | None,
    run: Run,
) -> Plan:
    staged, solution = turns[-1].staged, turns[-1].solution
    instance, level = staged.instance, np.asarray(solution.level)
    unreached_ms = minutes_to_ms(study.unreached_min)
    standing = final_standing(instance, level)
    opened = (instance.standing != OPEN) & (level[-1] != CLOSED)
    n_opened = int(opened.sum())
    single = build_instance(demand, class_times, standing, n_opened, n_opened, unreached_ms, cut=False)
    final = replace(
        solution,
        level=np.where(opened | (standing == OPEN), 0, -1).astype(np.int16).reshape(1, -1),
        phase_idx=None,
    )
    picture = make_plan(
        name=study.study.name,
        settings=study.model_dump(mode="json"),
        seed=study.study.seed,
        tables=tables,
        demand=demand,
        class_times=class_times,
        instance=single,
        solution=final,
        unreached_ms=unreached_ms,
        coverage_min=study.plan.coverage_min,
        crs=network.plane.crs,
        snapping=snapping(network, tables, study),
        run=run_notes(run, solution),
        today=instance.standing == OPEN,
        before_ms=before[0],
    )
    order, gain = build_order(instance, single, level)
    return add_stages(
        picture,
        Stages(
            tables=tables,
            demands=staged.demands,
            rows=staged.rows,
            instance=instance,
            options=staged.options,
            today=staged.terms.today,
            solution=solution,
            turns=taken(turns, before, study),
            counted=staged.counted,
            names=_names(study, staged),
            unreached_ms=unreached_ms,
            horizon=horizon,
            order=order,
            gain=gain,
        ),
    )


def _names(study: Study, staged: Staged) -> StageNames:
    return StageNames(
        phases=tuple(phase.name for phase in staged.phases),
        years=tuple(phase.years for phase in staged.phases),
        levels=staged.level_names,
        agencies=tuple((one.name, one.budget, one.running_budget) for one in study.agencies),
        programmes=tuple((one.name, one.group) for one in study.programmes),
        share=staged.venues.share,
        owner=[str(name) for name in staged.venues.agency],
    )
