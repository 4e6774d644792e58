"""What a plan with phases, levels, money and agencies says beyond the picture of its last phase."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from nearer.demand import Demand
from nearer.inputs.tables import Tables
from nearer.model import CLOSED, FORBIDDEN, FREE, OPEN, Instance, Solution, Status, relative_gap
from nearer.model.aims import Aim
from nearer.model.build_staged import StagedRows
from nearer.model.check_rules import triples
from nearer.model.evaluate import pair_rows
from nearer.model.evaluate_rules import assigned_cost, limit_total, rules_of
from nearer.model.terms import Options
from nearer.planning import document
from nearer.planning.access import sum_by
from nearer.planning.gains import in_order
from nearer.planning.plan import Plan
from nearer.planning.room import nearest_with_room
from nearer.units import MS_PER_MIN, BoolArray, FloatArray, IntArray, StrArray

APART = "lie nearer than"
"""Words in the names of rules that keep sites apart: too many to list."""


@dataclass(frozen=True)
class StageNames:
    """
    Words for the numbers of a staged instance.

    Parameters
    ----------
    phases, years
        Per phase.
    levels
        Per level, "" where nobody states it.
    agencies
        Name, budget and running budget of each.
    programmes
        Name and group of each.
    share
        Part of a site's money per agency, (n_agencies, n_sites).
    owner
        Agency of each site, "" where none.
    """

    phases: tuple[str, ...]
    years: tuple[float, ...]
    levels: tuple[str, ...]
    agencies: tuple[tuple[str, float | None, float | None], ...]
    programmes: tuple[tuple[str, str], ...]
    share: FloatArray
    owner: Sequence[str]


@dataclass(frozen=True)
class Horizon:
    """
    How the phases fare against looking at one at a time.

    Parameters
    ----------
    alone_value, alone_bound
        Best value of each phase if no other counted, and its bound, float64 (n_phases,).
    greedy_value
        Value of each phase if each is decided in turn for itself alone, float64 (n_phases,).
    """

    alone_value: FloatArray
    alone_bound: FloatArray
    greedy_value: FloatArray


def final_standing(instance: Instance, level: IntArray) -> IntArray:
    """Standing of sites for the picture of the last phase: what closes is forbidden; int8 (n_sites,)."""
    standing = instance.standing.copy()
    standing[(instance.standing == OPEN) & (level[-1] == CLOSED)] = FORBIDDEN
    return standing


def build_order(instance: Instance, single: Instance, level: IntArray) -> tuple[IntArray, FloatArray]:
    """
    Opened sites in the order in which they are best built, phase by phase, and what each saves at its turn.

    Parameters
    ----------
    instance
        The staged one.
    single
        One phase of the same sites without capacities, uncut.
    level
        int16 (n_phases, n_sites).
    """
    new = instance.standing != OPEN
    order: list[IntArray] = []
    gains: list[FloatArray] = []
    stands = (instance.standing == OPEN) & (level[-1] != CLOSED)
    for t in range(instance.n_phases):
        before = level[t - 1] != CLOSED if t else np.zeros(instance.n_sites, dtype=bool)
        opened = new & (level[t] != CLOSED) & ~before
        standing = np.where(stands, OPEN, np.where(opened, FREE, FORBIDDEN)).astype(np.int8)
        site, gain = in_order(replace(single, standing=standing), opened)
        order.append(site)
        gains.append(gain)
        stands = stands | opened
    return np.concatenate(order), np.concatenate(gains)


class Goal(Protocol):
    """The objective over phases; see ``study.goals``."""

    @property
    def whole(self) -> Aim:
        """Over all phases."""

    @property
    def phases(self) -> tuple[Aim, ...]:
        """Over each phase alone."""

    @property
    def is_money(self) -> bool:
        """Whether money, or the number of centres, is all that counts."""


def add_stages(
    plan: Plan,
    *,
    goal: Goal,
    before_total: float,
    tables: Tables,
    demands: Sequence[Demand],
    rows: StagedRows,
    instance: Instance,
    options: Options,
    solution: Solution,
    counted: FloatArray,
    names: StageNames,
    unreached_ms: int,
    horizon: Horizon | None,
    order: tuple[IntArray, FloatArray],
    rank: Callable[[IntArray], IntArray],
) -> Plan:
    """
    Add phases, levels, agencies, programmes, rules and unmet need to a plan of the last phase.

    Parameters
    ----------
    plan
        The picture of the last phase, as ``make_plan`` draws it.
    goal, before_total
        What was made good, and its total cost with the sites of today.
    order
        Of ``build_order``.
    rank
        Position of sites in that order.
    """
    rules = rules_of(instance)
    level = np.asarray(solution.level)
    option = rules.option_of(level)
    ids = tables.sites.table["id"].to_numpy(dtype=object)
    ours = (tables.sites.table["status"] != "other").to_numpy()
    last = instance.n_phases - 1
    row, site, share = triples(solution, last)
    everyone = rows.row_pool[row] == 0
    sent = sum_by(site[everyone], (share * rows.people[last][row])[everyone], instance.n_sites)
    phases = [
        _phase(
            t, ids, ours, instance, options, option, level, solution, rows, demands, counted, names, unreached_ms,
            horizon, rank, goal,
        )
        for t in range(instance.n_phases)
    ]  # fmt: skip
    limited = instance.capacitated
    described = [
        _site(one, at, instance, options, option, level, names, sent if limited else None, order)
        for one, at in _positions(plan, ids)
    ]
    written = plan.document.model_copy(
        update={
            "sites": sorted(described, key=lambda one: (one.order is not None, one.order or 0)),
            "phases": phases,
            "agencies": _agencies(ids, ours, options, option, level, instance, names, sent),
            "levels": _levels(ours, instance, level[last], names, sent),
            "programmes": _programmes(instance, rows, solution, names),
            "rules": _rules(instance, options, option, solution),
            "unmet": _unmet(tables, demands[last], instance, rows, solution),
            "greedy_value": None if horizon is None else _value_of(goal.whole, math.fsum(horizon.greedy_value)),
            **_judged(goal, solution, before_total),
            "notes": _notes(plan.document.notes, instance),
            "opened": int(sum(len(phase.opened) for phase in phases)),
        }
    )
    by_id = {one.id: one for one in described}
    sites = plan.sites.copy()
    sites["status"] = [
        by_id[i].status if i in by_id else status for i, status in zip(ids, sites["status"], strict=True)
    ]
    sites["order"] = np.nan
    for place, at in enumerate(order[0]):
        sites.loc[at, "order"] = place + 1
    sites["order"] = sites["order"].astype("Int64")
    extra = {"phase": "phase", "level_plan": "level", "people_sent": "sent", "money": "spent"}
    for column, key in extra.items():
        sites[column] = [getattr(by_id[i], key) if i in by_id else None for i in ids]
    people = plan.people.copy()
    for t in range(instance.n_phases):
        people[f"minutes_phase_{t + 1}"] = _point_minutes(rows, level[t] != CLOSED, demands[t].n_points)
    return replace(
        plan,
        document=written,
        people=people,
        sites=sites,
        certificate=solution.certificate,
        assignment=_assignment(rows, solution) if limited else None,
    )


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


def _point_minutes(rows: StagedRows, is_open: BoolArray, n_points: int) -> FloatArray:
    """Minutes of each point's first class to the nearest open site, NaN where none is within reach."""
    best = np.full(rows.n_rows, np.inf)
    hit = is_open[rows.site_idx]
    np.minimum.at(best, rows.pair_row[hit], rows.cost[hit].astype(np.float64))
    found = np.full(n_points, np.nan)
    first = np.flatnonzero((rows.row_pool == 0) & np.isfinite(best))[::-1]
    found[rows.row_point[first]] = best[first] / MS_PER_MIN
    return found


def _assignment(rows: StagedRows, solution: Solution) -> dict[str, IntArray | FloatArray]:
    """Who is sent where in each phase."""
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


def _judged(goal: Goal, solution: Solution, before_total: float) -> dict[str, Any]:
    """Value, bound and gaps of the objective in its own unit."""
    aim = goal.whole
    value, bound, before = aim.value_of(solution.objective), aim.bound_of(solution.bound), aim.value_of(before_total)
    gap = relative_gap(value, bound)
    # a bound that proves the total may leave a little more of what is told, where that is the smaller number
    proven = solution.status is Status.OPTIMAL and gap <= 1e-9
    status = Status.GAP if solution.status is Status.OPTIMAL and not proven else solution.status
    return {
        "objective": document.Objective(name=aim.name, value=value, unit=aim.unit),
        "bound": bound,
        "before_value": before,
        "gap": gap,
        "gain_gap": 0.0 if value == bound else abs(value - bound) / max(abs(before - bound), 1e-9),
        "status": status.value,
    }


def _positions(plan: Plan, ids: StrArray) -> list[tuple[document.PlannedSite, int]]:
    place = {site: at for at, site in enumerate(ids)}
    return [(site, place[site.id]) for site in plan.document.sites]


def _phase(
    t: int,
    ids: StrArray,
    ours: BoolArray,
    instance: Instance,
    options: Options,
    option: IntArray,
    level: IntArray,
    solution: Solution,
    rows: StagedRows,
    demands: Sequence[Demand],
    counted: FloatArray,
    names: StageNames,
    unreached_ms: int,
    horizon: Horizon | None,
    rank: Callable[[IntArray], IntArray],
    goal: Goal,
) -> document.PhasePlan:
    row, site, share = triples(solution, t)
    place = _pair_places(instance, row, site)
    cost = rows.cost.astype(np.float64)
    aim = goal.phases[t]
    people = np.where(rows.row_pool == 0, rows.people[t], 0.0)
    total = float(people.sum())
    walked = float((people[row] * share * cost[place]).sum())
    served = np.bincount(row, weights=share, minlength=instance.n_rows)
    left = float((people * np.where(served < 1 - 1e-9, 1 - served, 0.0)).sum())
    is_open = level[t] != CLOSED
    nearest = _mean_nearest(rows, people, is_open, unreached_ms)
    room_ms, unmet_room = nearest_with_room(
        instance, rows.cost.astype(np.float64), rows.row_pool, people, instance.need_in(t), level[t], unreached_ms
    )
    opened = np.flatnonzero(options.opened[option, t])
    spent, running = math.fsum(options.spent[option, t]), math.fsum(options.running[option, t])
    if goal.is_money:
        value = spent + float(counted[t]) * running
    else:
        value = aim.value_of(assigned_cost(instance, t, row, place, share))
    return document.PhasePlan(
        name=names.phases[t],
        years=names.years[t],
        counted=float(counted[t]),
        people=float(demands[t].total.sum()),
        opened=[str(ids[j]) for j in opened[np.argsort(rank(opened), kind="stable")]],
        upgraded=[str(ids[j]) for j in np.flatnonzero(options.upgraded[option, t])],
        closed=[str(ids[j]) for j in np.flatnonzero(options.closed[option, t])],
        centres=int(np.count_nonzero(is_open & ours)),
        spent=spent,
        running=running,
        value=value,
        mean_min=(walked + left * unreached_ms) / max(total, 1e-9) / MS_PER_MIN,
        mean_nearest_min=nearest / MS_PER_MIN,
        mean_room_min=room_ms / MS_PER_MIN,
        unmet=left,
        unmet_room=unmet_room,
        alone_value=None if horizon is None else _value_of(aim, float(horizon.alone_value[t])),
        alone_bound=None if horizon is None else aim.bound_of(float(horizon.alone_bound[t])),
        greedy_value=None if horizon is None else _value_of(aim, float(horizon.greedy_value[t])),
    )


def _pair_places(instance: Instance, row: IntArray, site: IntArray) -> IntArray:
    """Where each pair of an assignment is stored."""
    key = pair_rows(instance) * instance.n_sites + instance.site_idx
    order = np.argsort(key, kind="stable")
    return order[np.searchsorted(key, row.astype(np.int64) * instance.n_sites + site, sorter=order)]


def _mean_nearest(rows: StagedRows, people: FloatArray, is_open: BoolArray, unreached_ms: int) -> float:
    best = np.full(rows.n_rows, float(unreached_ms))
    hit = is_open[rows.site_idx]
    np.minimum.at(best, rows.pair_row[hit], rows.cost[hit].astype(np.float64))
    return float((people * best).sum()) / max(float(people.sum()), 1e-9)


def _site(
    one: document.PlannedSite,
    at: int,
    instance: Instance,
    options: Options,
    option: IntArray,
    level: IntArray,
    names: StageNames,
    sent: FloatArray | None,
    order: tuple[IntArray, FloatArray],
) -> document.PlannedSite:
    taken = option[at]
    moved = options.opened[taken] | options.upgraded[taken] | options.closed[taken]
    first = int(np.argmax(moved)) if moved.any() else None
    status = "existing"
    if options.opened[taken].any():
        status = "opened"
    elif options.closed[taken].any():
        status = "closed"
    elif options.upgraded[taken].any():
        status = "upgraded"
    at_end = int(level[-1, at])
    room = float(instance.capacity[at, at_end, 0]) if at_end != CLOSED else 0.0
    place = np.flatnonzero(order[0] == at)
    return one.model_copy(
        update={
            "status": status,
            "phase": None if first is None else names.phases[first],
            "level": (names.levels[at_end] or None) if at_end != CLOSED else None,
            "level_before": names.levels[int(level_today(options, at))] or None if status == "upgraded" else None,
            "people": 0.0 if at_end == CLOSED else one.people,
            "sent": None if sent is None else float(sent[at]),
            "room": None if math.isinf(room) else room,
            "spent": math.fsum(options.spent[taken]),
            "steps": [
                document.SiteStep(phase=names.phases[t], level=_level_name(names, int(level[t, at])))
                for t in np.flatnonzero(moved)
            ],
            "order": int(place[0]) + 1 if len(place) else None,
            "gain_person_min": float(order[1][place[0]]) / MS_PER_MIN if len(place) else None,
        }
    )


def _level_name(names: StageNames, level: int) -> str | None:
    return None if level == CLOSED else names.levels[level]


def level_today(options: Options, site: int) -> int:
    """Level of a site that stands open: the lowest any of its options has, ``CLOSED`` for others."""
    mine = options.level[options.ptr[site] : options.ptr[site + 1], 0]
    opens = options.opened[options.ptr[site] : options.ptr[site + 1]].any()
    return CLOSED if opens or not (mine != CLOSED).any() else int(mine[mine != CLOSED].min())


def _agencies(
    ids: StrArray,
    ours: BoolArray,
    options: Options,
    option: IntArray,
    level: IntArray,
    instance: Instance,
    names: StageNames,
    sent: FloatArray,
) -> list[document.AgencyPlan]:
    found = []
    opened = options.opened[option].any(axis=1)
    for a, (name, budget, running_budget) in enumerate(names.agencies):
        mine = np.array([owner == name for owner in names.owner], dtype=bool) & ours
        part = names.share[a]
        found.append(
            document.AgencyPlan(
                name=name,
                venues_today=int(np.count_nonzero(mine & (instance.standing == OPEN))),
                opened=[str(ids[j]) for j in np.flatnonzero(mine & opened)],
                people=float(sent[mine & (level[-1] != CLOSED)].sum()),
                spent=[math.fsum(part * options.spent[option, t]) for t in range(instance.n_phases)],
                running=[math.fsum(part * options.running[option, t]) for t in range(instance.n_phases)],
                budget=budget,
                running_budget=running_budget,
            )
        )
    return found


def _levels(
    ours: BoolArray, instance: Instance, level: IntArray, names: StageNames, sent: FloatArray
) -> list[document.LevelUse]:
    if len(names.levels) < 2 and not instance.capacitated:
        return []
    found = []
    for at, name in enumerate(names.levels):
        here = ours & (level == at)
        if here.any() or name:
            room = float(instance.capacity[here, at, 0].sum())
            found.append(
                document.LevelUse(
                    name=name or "not stated",
                    centres=int(here.sum()),
                    people=float(sent[here].sum()),
                    capacity=None if math.isinf(room) else room,
                )
            )
    return found


def _programmes(
    instance: Instance, rows: StagedRows, solution: Solution, names: StageNames
) -> list[document.ProgrammeUse]:
    found, last = [], instance.n_phases - 1
    row, site, share = triples(solution, last)
    cost = rows.cost.astype(np.float64)
    for pool, (name, group) in enumerate(names.programmes, start=1):
        mine = rows.row_pool[row] == pool
        need = instance.need_in(last)
        seated = need[row[mine]] * share[mine]
        walked = float((seated * cost[_pair_places(instance, row[mine], site[mine])]).sum())
        total = float(seated.sum())
        found.append(
            document.ProgrammeUse(
                name=name,
                group=group,
                wanted=float(need[rows.row_pool == pool].sum()),
                seated=total,
                mean_min=walked / total / MS_PER_MIN if total > 0 else None,
            )
        )
    return found


def _rules(instance: Instance, options: Options, option: IntArray, solution: Solution) -> list[document.RuleUse]:
    rules = rules_of(instance)
    totals = rules.side_totals(option)
    found = [
        document.RuleUse(
            name=name,
            value=float(total),
            lower=None if math.isinf(low) else float(low),
            upper=None if math.isinf(high) else float(high),
        )
        for name, total, low, high in zip(rules.side_name, totals, rules.side_lower, rules.side_upper, strict=True)
        if APART not in name
    ]
    for at, limit in enumerate(rules.limits):
        value = 0.0
        for t in range(instance.n_phases):
            row, site, share = triples(solution, t)
            value += limit_total(instance, at, t, row, _pair_places(instance, row, site), share)
        people = float(limit.factor.sum()) or 1.0
        if limit.beyond is None:
            scale = people * MS_PER_MIN
            found.append(document.RuleUse(name=limit.name, value=value / scale, upper=limit.most / scale))
        else:  # told as the part within, as it was asked
            within, least = 1.0 - value / people, 1.0 - limit.most / people
            found.append(document.RuleUse(name=limit.name, value=within, lower=least))
    return found


def _unmet(
    tables: Tables, demand: Demand, instance: Instance, rows: StagedRows, solution: Solution
) -> list[document.UnmetArea]:
    last = instance.n_phases - 1
    row, _, share = triples(solution, last)
    served = np.bincount(row, weights=share, minlength=instance.n_rows)
    left = np.where((rows.row_pool == 0) & (served < 1 - 1e-9), 1 - served, 0.0)
    short = np.bincount(rows.row_point, weights=left * rows.people[last], minlength=demand.n_points)
    part = np.divide(short, demand.total, out=np.zeros(demand.n_points), where=demand.total > 0)
    areas = tables.people.table["area"].to_numpy(dtype=object)
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
