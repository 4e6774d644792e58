"""What a plan with phases, levels, money and agencies says beyond the picture of its last phase."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from nearer.model import CLOSED, OPEN, Instance, Status, relative_gap
from nearer.model.aims import Aim
from nearer.model.evaluate_rules import assigned_cost, limit_total, rules_of
from nearer.model.rules import ServiceLimit
from nearer.planning import document
from nearer.planning.plan import Plan
from nearer.planning.room import nearest_with_room
from nearer.planning.stages import StageNames, Stages, Taken
from nearer.units import MS_PER_MIN, FloatArray, IntArray


def add_stages(plan: Plan, stages: Stages) -> Plan:
    """
    Add phases, levels, agencies, programmes, rules and unmet need to a plan of the last phase.

    Parameters
    ----------
    plan
        The picture of the last phase, as ``make_plan`` draws it.
    stages
        The solved study.
    """
    position = {site: at for at, site in enumerate(stages.ids)}
    described = [_site(one, position[one.id], stages) for one in plan.document.sites]
    phases = [_phase(stages, t) for t in range(stages.instance.n_phases)]
    horizon, whole = stages.horizon, stages.goal.whole
    written = plan.document.model_copy(
        update={
            "sites": sorted(described, key=lambda one: (one.order is not None, one.order or 0)),
            "phases": phases,
            "agencies": _agencies(stages),
            "levels": _levels(stages),
            "programmes": _programmes(stages),
            "rules": _rules(stages),
            "unmet": _unmet(stages),
            "greedy_value": None if horizon is None else _value_of(whole, math.fsum(horizon.greedy_value)),
            "compared": horizon is None or horizon.compared,
            **_judged(stages),
            "notes": _notes(plan.document.notes, stages.instance),
            "opened": int(sum(len(phase.opened) for phase in phases)),
        }
    )
    people = plan.people.copy()
    for t in range(stages.instance.n_phases):
        people[f"minutes_phase_{t + 1}"] = _point_minutes(stages, t)
    return replace(
        plan,
        document=written,
        people=people,
        sites=_sites_frame(plan, stages, {one.id: one for one in described}),
        certificate=stages.turns[0].solution.certificate,
        turn_certificates={
            turn.goal.whole.name: turn.solution.certificate
            for turn in stages.turns[1:]
            if turn.solution.certificate is not None
        },
        assignment=_assignment(stages) if stages.instance.capacitated else None,
    )


def _sites_frame(plan: Plan, stages: Stages, described: dict[str, document.PlannedSite]) -> gpd.GeoDataFrame:
    sites = plan.sites.copy()
    status = zip(stages.ids, sites["status"], strict=True)
    sites["status"] = [described[i].status if i in described else given for i, given in status]
    built = stages.turn < len(stages.order)
    sites["order"] = pd.array(np.where(built, stages.turn + 1, 0), dtype="Int64")
    sites.loc[~built, "order"] = pd.NA
    for column, key in (("phase", "phase"), ("level_plan", "level"), ("people_sent", "sent"), ("money", "spent")):
        sites[column] = [getattr(described[i], key) if i in described else None for i in stages.ids]
    return sites


def _notes(found: list[str], instance: Instance) -> list[str]:
    """What the plan says of its method, where room is limited or there are phases."""
    first = found[0]
    if instance.capacitated:
        first = (
            "Centres have limited room, and people are sent so that everybody together walks least; maps, and the "
            "figures of before and after, show the way to the nearest centre whatever its room."
        )
    gain = (
        "What a new centre saves, and what is lost without it, is counted as if every centre had room for everybody, "
        "for the people of today."
    )
    return [first, *found[1:3], gain, *found[3:]]


def _point_minutes(stages: Stages, phase: int) -> FloatArray:
    """Minutes of each point's first class to the nearest open site, NaN where none is within reach."""
    best, rows = stages.nearest_ms[phase], stages.rows
    found = np.full(stages.demands[phase].n_points, np.nan)
    first = np.flatnonzero((rows.row_pool == 0) & np.isfinite(best))[::-1]
    found[rows.row_point[first]] = best[first] / MS_PER_MIN
    return found


def _assignment(stages: Stages) -> dict[str, IntArray | FloatArray]:
    """Who is sent where in each phase."""
    solution, rows = stages.solution, stages.rows
    row = solution.row_idx
    phase = np.zeros(len(row), dtype=np.int16) if solution.phase_idx is None else solution.phase_idx
    return {
        "phase": phase,
        "pool": rows.row_pool[row].astype(np.int16),
        "speed_class": rows.row_class[row].astype(np.int16),
        "point": rows.row_point[row],
        "site": solution.assigned_idx,
        "share": np.asarray(solution.share, dtype=np.float64),
    }


def _value_of(aim: Aim, total: float) -> float | None:
    return aim.value_of(total) if math.isfinite(total) else None


def _turn(stages: Stages, turn: Taken) -> document.Turn:
    """Value, bound and gap of an objective in its own unit."""
    aim, solution = turn.goal.whole, turn.solution
    found, bound, value = (
        aim.value_of(solution.objective),
        aim.bound_of(solution.bound),
        aim.value_of(stages.total(turn)),
    )
    # a bound that proves the total may leave a little more of what is told, where that is the smaller number
    proven = solution.status is Status.OPTIMAL and relative_gap(found, bound) <= 1e-9
    status = Status.GAP if solution.status is Status.OPTIMAL and not proven else solution.status
    return document.Turn(
        name=aim.name,
        unit=aim.unit,
        before=aim.value_of(turn.before_total),
        value=value,
        found=found,
        bound=bound,
        gap=relative_gap(value, bound),
        tolerance=turn.tolerance,
        status=status.value,
        proof="solver" if solution.certificate is None else "certificate",
    )


def _judged(stages: Stages) -> dict[str, Any]:
    """The objective named first, the list where there are several, and how the weakest ended."""
    turns = [_turn(stages, turn) for turn in stages.turns]
    first, weakest = turns[0], max(turns, key=lambda turn: ("optimal", "gap", "feasible").index(turn.status))
    far = abs(first.value - first.bound)
    return {
        "objective": document.Objective(name=first.name, value=first.value, unit=first.unit),
        "objectives": turns if len(turns) > 1 else [],
        "bound": first.bound,
        "before_value": first.before,
        "gap": first.gap,
        "gain_gap": 0.0 if first.value == first.bound else far / max(abs(first.before - first.bound), 1e-9),
        "status": weakest.status,
        "proof": first.proof,
    }


def _phase(stages: Stages, t: int) -> document.PhasePlan:
    options, option, horizon = stages.options, stages.option, stages.horizon
    aim, people = stages.goal.phases[t], stages.people(t)
    row, _, share, place = stages.sent(t)
    everyone = max(float(people.sum()), 1e-9)
    walked = float((people[row] * share * stages.rows.cost[place]).sum())
    left = float((people * stages.left(t)).sum())
    nearest = float((people * np.minimum(stages.nearest_ms[t], stages.unreached_ms)).sum()) / everyone
    room_ms, unmet_room = nearest_with_room(stages, t)
    opened = np.flatnonzero(options.opened[option, t])
    spent, running = math.fsum(options.spent[option, t]), math.fsum(options.running[option, t])
    total = assigned_cost(stages.turns[0].instance, t, row, place, share)
    value = spent + float(stages.counted[t]) * running if stages.goal.is_money else aim.value_of(total)

    def named(sites: IntArray) -> list[str]:
        return [str(stages.ids[j]) for j in sites]

    return document.PhasePlan(
        name=stages.names.phases[t],
        years=stages.names.years[t],
        counted=float(stages.counted[t]),
        people=float(stages.demands[t].total.sum()),
        opened=named(opened[np.argsort(stages.turn[opened], kind="stable")]),
        upgraded=named(np.flatnonzero(options.upgraded[option, t])),
        closed=named(np.flatnonzero(options.closed[option, t])),
        centres=int(np.count_nonzero(stages.is_open(t) & stages.ours)),
        spent=spent,
        running=running,
        value=value,
        mean_min=(walked + left * stages.unreached_ms) / everyone / MS_PER_MIN,
        mean_nearest_min=nearest / MS_PER_MIN,
        mean_room_min=room_ms / MS_PER_MIN,
        unmet=left,
        unmet_room=unmet_room,
        # what the plan does by then is a plan too: the search for this phase alone may have ended above it
        alone_value=None if horizon is None else _value_of(aim, min(float(horizon.alone_value[t]), total)),
        alone_bound=None if horizon is None else aim.bound_of(float(horizon.alone_bound[t])),
        greedy_value=None if horizon is None else _value_of(aim, float(horizon.greedy_value[t])),
    )


def _site(one: document.PlannedSite, at: int, stages: Stages) -> document.PlannedSite:
    options, names, taken = stages.options, stages.names, int(stages.option[at])
    moved = np.flatnonzero(options.opened[taken] | options.upgraded[taken] | options.closed[taken])
    status = "existing"
    for happened, word in ((options.upgraded, "upgraded"), (options.closed, "closed"), (options.opened, "opened")):
        status = word if happened[taken].any() else status
    at_end, place = int(stages.level[-1, at]), int(stages.turn[at])
    room = float(stages.instance.capacity[at, at_end, 0]) if at_end != CLOSED else 0.0
    built = place < len(stages.order)
    return one.model_copy(
        update={
            "status": status,
            "phase": names.phases[moved[0]] if len(moved) else None,
            "level": _level_name(names, at_end) or None,
            "level_before": _level_name(names, int(stages.today[at])) or None if status == "upgraded" else None,
            "people": 0.0 if at_end == CLOSED else one.people,
            "sent": float(stages.load[at]) if stages.instance.capacitated else None,
            "room": None if math.isinf(room) else room,
            "spent": math.fsum(options.spent[taken]),
            "steps": [
                document.SiteStep(phase=names.phases[t], level=_level_name(names, int(stages.level[t, at])))
                for t in moved
            ],
            "order": place + 1 if built else None,
            "gain_person_min": float(stages.gain[place]) / MS_PER_MIN if built else None,
        }
    )


def _level_name(names: StageNames, level: int) -> str | None:
    return None if level == CLOSED else names.levels[level]


def _agencies(stages: Stages) -> list[document.AgencyPlan]:
    found = []
    options, option, n_phases = stages.options, stages.option, stages.instance.n_phases
    opened = options.opened[option].any(axis=1)
    for (name, budget, running_budget), part in zip(stages.names.agencies, stages.names.share, strict=True):
        mine = np.array([owner == name for owner in stages.names.owner], dtype=bool) & stages.ours
        found.append(
            document.AgencyPlan(
                name=name,
                venues_today=int(np.count_nonzero(mine & (stages.instance.standing == OPEN))),
                opened=[str(stages.ids[j]) for j in np.flatnonzero(mine & opened)],
                people=float(stages.load[mine & stages.is_open(stages.last)].sum()),
                spent=[math.fsum(part * options.spent[option, t]) for t in range(n_phases)],
                running=[math.fsum(part * options.running[option, t]) for t in range(n_phases)],
                budget=budget,
                running_budget=running_budget,
            )
        )
    return found


def _levels(stages: Stages) -> list[document.LevelUse]:
    instance, names = stages.instance, stages.names
    if len(names.levels) < 2 and not instance.capacitated:
        return []
    found = []
    for at, name in enumerate(names.levels):
        here = stages.ours & (stages.level[-1] == at)
        if here.any() or name:
            room = float(instance.capacity[here, at, 0].sum())
            found.append(
                document.LevelUse(
                    name=name or "not stated",
                    centres=int(here.sum()),
                    people=float(stages.load[here].sum()),
                    capacity=None if math.isinf(room) else room,
                )
            )
    return found


def _programmes(stages: Stages) -> list[document.ProgrammeUse]:
    found = []
    row, _, share, place = stages.sent(stages.last)
    need = stages.instance.need_in(stages.last)
    for pool, (name, group) in enumerate(stages.names.programmes, start=1):
        mine = stages.rows.row_pool[row] == pool
        seated = need[row[mine]] * share[mine]
        walked, total = float((seated * stages.rows.cost[place[mine]]).sum()), float(seated.sum())
        found.append(
            document.ProgrammeUse(
                name=name,
                group=group,
                wanted=float(need[stages.rows.row_pool == pool].sum()),
                seated=total,
                mean_min=walked / total / MS_PER_MIN if total > 0 else None,
            )
        )
    return found


def _rules(stages: Stages) -> list[document.RuleUse]:
    rules = rules_of(stages.instance)
    totals = rules.side_totals(stages.option)
    found = [
        document.RuleUse(
            name=name,
            value=float(total),
            lower=None if math.isinf(low) else float(low),
            upper=None if math.isinf(high) else float(high),
        )
        for side, (name, total, low, high) in enumerate(
            zip(rules.side_name, totals, rules.side_lower, rules.side_upper, strict=True)
        )
        if not rules.wish_of(side)  # too many to list
    ]
    for at, limit in enumerate(rules.limits):
        value = 0.0
        for t in range(stages.instance.n_phases):
            row, _, share, place = stages.sent(t)
            value += limit_total(stages.instance, at, t, row, place, share)
        found.append(promise(limit, value))
    return found


def promise(limit: ServiceLimit, total: float) -> document.RuleUse:
    """A ceiling on what people meet and where its total stands, told as it was asked."""
    people = float(limit.factor.sum()) or 1.0
    whose = limit.whose or None
    if limit.beyond is None:
        scale = people * MS_PER_MIN
        return document.RuleUse(name=limit.name, value=total / scale, upper=limit.most / scale, agency=whose)
    within, least = 1.0 - total / people, 1.0 - limit.most / people
    return document.RuleUse(name=limit.name, value=within, lower=least, agency=whose)


def _unmet(stages: Stages) -> list[document.UnmetArea]:
    demand = stages.demands[stages.last]
    lost = stages.left(stages.last) * stages.people(stages.last)
    short = np.bincount(stages.rows.row_point, weights=lost, minlength=demand.n_points)
    part = np.divide(short, demand.total, out=np.zeros(demand.n_points), where=demand.total > 0)
    areas = stages.tables.people.table["area"].to_numpy(dtype=object)
    found = []
    for area in sorted({str(name) for name in areas[short > 0]}):
        here = areas == area
        found.append(
            document.UnmetArea(
                area=area,
                people=float(short[here].sum()),
                groups={group: float((part * demand.people[g])[here].sum()) for g, group in enumerate(demand.groups)},
            )
        )
    return sorted(found, key=lambda one: (-one.people, one.area))
