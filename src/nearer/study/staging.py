"""Phases, levels, money, agencies and promises of a study → an ``Instance`` with rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from nearer.demand import Demand
from nearer.errors import Fault, InputError
from nearer.inputs.people import later_column
from nearer.inputs.tables import Tables
from nearer.model import CLOSED, FORBIDDEN, FREE, OPEN, Instance, ServiceLimit
from nearer.model.build_staged import Programme, StagedRows, staged_instance, staged_rows
from nearer.model.terms import Options, RuleBook, Terms, make_options
from nearer.network import TravelTimes
from nearer.planning.access import Access
from nearer.study.goals import Goal, goal_of
from nearer.study.load import STUDY_FILE
from nearer.study.parts import check_named_sites, standing, too_many, weigh
from nearer.study.settings import Study
from nearer.study.stages import FloorSettings, PhaseSettings
from nearer.study.venues import Venues, read_venues
from nearer.units import BoolArray, FloatArray, IntArray, minutes_to_ms

_ROUNDED = 1e-9
"""What rounding may take from an earlier objective, relative."""


@dataclass(frozen=True)
class Staged:
    """
    A study with phases and rules, ready to be solved.

    Parameters
    ----------
    phases
        As asked, or one without a name.
    level_names
        By position; "" is a site whose level nobody states.
    demands
        One per phase.
    venues, terms, options, rows
        What the instance was made of.
    counted
        What a minute counts for in each phase: its years, discounted; float64 (n_phases,).
    """

    phases: tuple[PhaseSettings, ...]
    level_names: tuple[str, ...]
    demands: tuple[Demand, ...]
    venues: Venues
    terms: Terms
    options: Options
    rows: StagedRows
    counted: FloatArray
    goal: Goal
    instance: Instance


def stage(
    study: Study,
    tables: Tables,
    demand: Demand,
    class_times: Sequence[TravelTimes],
    found: Sequence[float] = (),
) -> Staged:
    """
    Everything a study asks beyond one number of centres.

    Parameters
    ----------
    found
        Values of the objectives whose turn is over, in order: the next one is made good, and those before it are kept
        within their tolerance.

    Raises
    ------
    InputError
        Columns of the sites, or rules that fit no site, all of them at once.
    """
    phases = study.plan.phases or (PhaseSettings(name="plan"),)
    venues = read_venues(study, tables)
    check_named_sites(tables, study)
    stand = standing(tables, study)
    names, terms, capacity = _terms(study, tables, venues, stand)
    options = make_options(terms, len(phases), tables.sites.table["id"].isin(study.plan.force).to_numpy())
    demands = tuple(_later(study, tables, demand, phase) for phase in phases)
    start = np.concatenate([[0.0], np.cumsum([phase.years for phase in phases])[:-1]])
    counted = np.array([phase.years for phase in phases]) * (1.0 - study.plan.discount) ** start
    unreached_ms = minutes_to_ms(study.unreached_min)
    programmes = [Programme(one.name, one.group, one.rate, one.weight) for one in study.programmes]
    rows = staged_rows(demands, class_times, counted.tolist(), programmes, unreached_ms)
    book = RuleBook(options)
    _counts(study, phases, options, stand, book)
    _money(study, phases, options, venues, book)
    _districts(study, tables, options, venues, book)
    _separation(study, tables, options, venues, terms, book)
    book.limits += _limits(study, demands, demand, class_times, rows, stand)
    book.limits += _reach(study, demands, rows, stand)
    goals = [
        goal_of(name, study, rows, options, counted.tolist(), demand, class_times, stand)
        for name in study.aims[: len(found) + 1]
    ]
    for earlier, value, tolerance in zip(goals, found, study.tolerances, strict=False):
        _keep(earlier, value, tolerance, study, rows, book)
    goal = goals[-1]
    instance = staged_instance(
        rows, book.rules(goal.option_cost), stand, capacity, unreached_ms, goal.whole, whole=study.plan.whole
    )
    return Staged(phases, names, demands, venues, terms, options, rows, counted, goal, instance)


def _later(study: Study, tables: Tables, today: Demand, phase: PhaseSettings) -> Demand:
    """Demand of a phase: its own column of people, or today's times its growth; groups keep their part everywhere."""
    column = study.people.later.get(phase.name)
    if column is None and phase.growth is None:
        return today
    table = tables.people.table.copy()
    total = table["total"].to_numpy(dtype=np.float64)
    then = total * (phase.growth or 1.0) if column is None else table[later_column(phase.name)].to_numpy(np.float64)
    part = np.divide(then, total, out=np.zeros_like(total), where=total > 0)
    table["total"] = then
    for group in tables.people.groups:
        table[group] = table[group].to_numpy(dtype=np.float64) * part
    return weigh(replace(tables, people=replace(tables.people, table=table)), study)


def _terms(study: Study, tables: Tables, venues: Venues, stand: IntArray) -> tuple[tuple[str, ...], Terms, FloatArray]:
    """Names of levels, what each site may become, and its room at each level for everyone and for each programme."""
    n_sites = len(stand)
    status = tables.sites.table["status"].to_numpy(dtype=object)
    existing, other, free = status == "existing", status == "other", stand == FREE
    unstated = (venues.level == "") & (existing | other)
    implied = not study.levels or bool(unstated.any())
    names = (("",) if implied else ()) + tuple(level.name for level in study.levels)
    first, n_levels = int(implied), int(implied) + len(study.levels)
    position = {name: at for at, name in enumerate(names)}

    today = np.full(n_sites, CLOSED, dtype=np.int16)
    allowed = np.zeros((n_sites, n_levels), dtype=bool)
    highest = np.array([position.get(name, n_levels - 1) if name else n_levels - 1 for name in venues.level])
    stated = (existing | other) & (venues.level != "")
    today[existing | other] = 0
    today[stated] = highest[stated]
    if study.levels:
        allowed[existing & stated, first:] = True
        allowed[free, first:] = np.arange(first, n_levels)[None, :] <= highest[free][:, None]
    else:
        allowed[free, 0] = True

    cost, running = np.zeros((n_sites, n_levels)), np.zeros((n_sites, n_levels))
    room = np.full((n_sites, n_levels, 1 + len(study.programmes)), np.inf)
    room[:, :, 1:] = 0.0
    upgrade = np.zeros((n_levels, n_levels))
    for at, level in enumerate(study.levels, start=first):
        cost[:, at], running[:, at] = level.cost, level.running
        room[:, at, 0] = np.inf if level.capacity is None else level.capacity
        for pool, programme in enumerate(study.programmes, start=1):
            room[:, at, pool] = level.seats.get(programme.name, 0.0)
        for lower in range(first, at):
            step = max(level.cost - study.levels[lower - first].cost, 0.0)
            upgrade[lower, at] = step if level.upgrade_cost is None else level.upgrade_cost
    ours = ~other
    cost[ours] += venues.cost[ours, None]
    running[ours] += venues.running[ours, None]
    running[other] = 0.0
    said = np.flatnonzero(~np.isnan(venues.capacity))
    for site in said:
        if today[site] != CLOSED:
            room[site, today[site], 0] = venues.capacity[site]
        else:
            room[site, :, 0] = np.minimum(room[site, :, 0], venues.capacity[site])
    terms = Terms(
        today=today,
        allowed=allowed,
        may_close=existing & (study.plan.close_max > 0),
        open_cost=cost,
        running=running,
        upgrade=upgrade,
        close_cost=venues.closing_cost,
    )
    return names, terms, room


def _counts(study: Study, phases: Sequence[PhaseSettings], options: Options, stand: IntArray, book: RuleBook) -> None:
    """How many open in each phase and in all, and how many close."""
    plan, n_free = study.plan, int(np.count_nonzero(stand == FREE))
    opened: FloatArray = options.opened.astype(np.float64)
    asked = [phase.open for phase in phases if phase.open is not None]
    wanted = max(sum(asked), plan.open or 0)
    if wanted > n_free:
        key = "plan.open" if (plan.open or 0) >= sum(asked) else "plan.phases"
        message = too_many(wanted, n_free)
        remedy = f"ask for at most {n_free}, or add candidates" if n_free else "add candidates"
        raise InputError([Fault(message, STUDY_FILE, column=key, remedy=remedy)])
    for t, phase in enumerate(phases):
        if phase.open is not None:
            book.add(f"open {phase.open} in {phase.name}", opened[:, t], phase.open, phase.open)
        elif phase.open_max is not None:
            book.add(f"open at most {phase.open_max} in {phase.name}", opened[:, t], upper=phase.open_max)
    if plan.open is not None:
        book.add(f"open {plan.open}", opened.sum(axis=1), plan.open, plan.open)
    elif plan.open_max is not None:
        book.add(f"open at most {plan.open_max}", opened.sum(axis=1), upper=plan.open_max)
    if plan.close_max:
        closed = np.asarray(options.closed.any(axis=1), dtype=np.float64)
        book.add(f"close at most {plan.close_max}", closed, upper=plan.close_max)


def _money(study: Study, phases: Sequence[PhaseSettings], options: Options, venues: Venues, book: RuleBook) -> None:
    """Budgets for opening and for running: of each phase, of all together, and of each agency."""
    plan = study.plan
    for t, phase in enumerate(phases):
        if phase.budget is not None:
            book.add(f"budget of {phase.name}", options.spent[:, t], upper=phase.budget)
        running = min((b for b in (phase.running_budget, plan.running_budget) if b is not None), default=None)
        if running is not None:
            book.add(f"running budget in {phase.name}", options.running[:, t], upper=running)
    if plan.budget is not None:
        book.add("budget", options.spent.sum(axis=1), upper=plan.budget)
    for a, agency in enumerate(study.agencies):
        part: FloatArray = np.asarray(venues.share[a][options.site])
        owns = (venues.agency == agency.name)[options.site]
        if agency.budget is not None:
            book.add(f"budget of {agency.name}", np.asarray(part * options.spent.sum(axis=1)), upper=agency.budget)
        if agency.running_budget is not None:
            for t, phase in enumerate(phases):
                book.add(
                    f"running budget of {agency.name} in {phase.name}",
                    part * options.running[:, t],
                    upper=agency.running_budget,
                )
        if agency.min_open is not None or agency.max_open is not None:
            low = -np.inf if agency.min_open is None else agency.min_open
            high = np.inf if agency.max_open is None else agency.max_open
            book.add(f"venues opened of {agency.name}", owns * options.opened.any(axis=1).astype(np.float64), low, high)


def _ours(tables: Tables, options: Options) -> BoolArray:
    """Options of sites that are not another provider's, bool (n_options,)."""
    return np.asarray((tables.sites.table["status"] != "other").to_numpy()[options.site])


def _districts(study: Study, tables: Tables, options: Options, venues: Venues, book: RuleBook) -> None:
    at_end = (options.level[:, -1] != CLOSED) & _ours(tables, options)
    for district in study.plan.districts:
        here = at_end & (venues.district == district.name)[options.site]
        low = -np.inf if district.min is None else district.min
        high = np.inf if district.max is None else district.max
        book.add(f"centres in {district.name}", here.astype(np.float64), low, high)


def _separation(study: Study, tables: Tables, options: Options, venues: Venues, terms: Terms, book: RuleBook) -> None:
    """No new centre too near to another of ours, in any phase."""
    if study.plan.separation_m is None:
        return
    ours = np.flatnonzero((tables.sites.table["status"] != "other").to_numpy())
    ours = ours[(terms.today[ours] != CLOSED) | terms.allowed[ours].any(axis=1)]
    ids = tables.sites.table["id"].to_numpy(dtype=object)
    pairs = cKDTree(venues.xy[ours]).query_pairs(np.nextafter(study.plan.separation_m, 0.0), output_type="ndarray")
    pairs = np.sort(ours[pairs], axis=1)
    new = terms.today == CLOSED
    for a, b in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].tolist():
        if not (new[a] or new[b]):
            continue
        name = f"{ids[a]} and {ids[b]} lie nearer than {study.plan.separation_m:g} m"
        both = (options.site == a) | (options.site == b)
        # who is open at the end was open before, unless an existing centre closes
        for t in range(options.level.shape[1]) if terms.may_close[a] or terms.may_close[b] else (-1,):
            is_open = (both & (options.level[:, t] != CLOSED)).astype(np.float64)
            book.add(name, is_open, upper=1.0, wish="pairs of sites lie nearer than that")


def _reach(study: Study, demands: Sequence[Demand], rows: StagedRows, stand: IntArray) -> list[ServiceLimit]:
    """What the objective cost and everyone within so many minutes ask for at the end."""
    found: list[ServiceLimit] = []
    last = len(demands) - 1
    people = np.where(np.arange(len(demands))[:, None] == last, rows.group_people(demands, None), 0.0)
    if "cost" in study.aims and study.plan.within_share is not None:
        share, near = study.plan.within_share, study.plan.coverage_min
        most = (1.0 - share) * float(people.sum())
        found.append(
            ServiceLimit(f"{100 * share:g} % within {near:g} minutes", people, float(minutes_to_ms(near)), most)
        )
    if study.plan.everyone_within_min is not None:
        within_ms = minutes_to_ms(study.plan.everyone_within_min)
        row = np.repeat(np.arange(rows.n_rows), np.diff(rows.indptr))
        could = np.zeros(rows.n_rows, dtype=bool)
        could[row[(rows.cost <= within_ms) & (stand[rows.site_idx] != FORBIDDEN)]] = True
        name = f"everyone who could be within {study.plan.everyone_within_min:g} minutes"
        found.append(ServiceLimit(name, np.where(could, people, 0.0), float(within_ms), 0.0))
    return found


def _keep(earlier: Goal, value: float, tolerance: float, study: Study, rows: StagedRows, book: RuleBook) -> None:
    """An earlier objective as a rule: money as a side rule, people near as a ceiling on those who are farther."""
    part = f", {100 * tolerance:g} % given up" if tolerance else ""
    if earlier.is_money:
        most = value * (1 + tolerance)
        book.add(f"cost kept{part}", earlier.option_cost, upper=most + _ROUNDED * max(most, 1.0))
        return
    near = study.plan.coverage_min
    most = earlier.whole.total_of(value * (1 - tolerance))
    most += _ROUNDED * max(float(rows.weight.sum()), 1.0)
    name = f"people within {near:g} minutes kept{part}"
    book.limits.append(ServiceLimit(name, rows.weight, float(minutes_to_ms(near)), most))


def promised(agency: str, floor: FloorSettings) -> str:
    """Who promises what to whom, as rules are named."""
    who = floor.group or "everyone"
    return f"promise of {agency}, {who}" if agency else who


def _limits(
    study: Study,
    demands: Sequence[Demand],
    today: Demand,
    class_times: Sequence[TravelTimes],
    rows: StagedRows,
    stand: IntArray,
) -> list[ServiceLimit]:
    """Promises to groups as ceilings; unreached people count at ``unreached_min``, as in every mean."""
    found: list[ServiceLimit] = []
    unreached_ms, last = minutes_to_ms(study.unreached_min), len(demands) - 1
    for agency, floor in study.promises:
        who = promised(agency, floor)
        people = rows.group_people(demands, floor.group)
        at_end = np.where(np.arange(len(demands))[:, None] == last, people, 0.0)
        if floor.mean_min is not None:
            most = minutes_to_ms(floor.mean_min) * float(people[last].sum())
            found.append(ServiceLimit(f"{who}: {floor.mean_min:g} minutes on average", at_end, None, most, agency))
        elif floor.not_worse:
            before = Access.to_open(today, class_times, stand == OPEN).counted_ms(unreached_ms)
            own = today.class_names.index(floor.group) if floor.group in today.class_names else 0
            now = today.total if floor.group is None else today.people[today.groups.index(floor.group)]
            walked = today.class_people * before if floor.group is None else now * before[own]
            mean_ms = float(walked.sum()) / max(float(now.sum()), 1e-9)
            for t in range(len(demands)):
                here = np.where(np.arange(len(demands))[:, None] == t, people, 0.0)
                when = f" in {study.plan.phases[t].name}" if study.plan.phases else ""
                name = f"{who}: average minutes no longer than today{when}"
                found.append(ServiceLimit(name, here, None, mean_ms * float(people[t].sum()), agency))
        elif floor.within_min is not None and floor.share is not None:
            most = (1.0 - floor.share) * float(people[last].sum())
            name = f"{who}: {100 * floor.share:g} % within {floor.within_min:g} minutes"
            found.append(ServiceLimit(name, at_end, float(minutes_to_ms(floor.within_min)), most, agency))
    return found
