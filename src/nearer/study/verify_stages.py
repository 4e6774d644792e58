"""The independent check of phases, levels, money and agencies: every figure again, from the tables as read."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from nearer.errors import CheckFailedError
from nearer.inputs.people import later_column
from nearer.inputs.tables import Tables
from nearer.model import RulesCertificate
from nearer.model.check import agrees
from nearer.model.evaluate_rules import rules_bound
from nearer.network import TravelTimes
from nearer.planning.document import PlanDocument, SiteStep
from nearer.planning.files import ASSIGNMENT_FILE, PROOF_FILE
from nearer.study.checks import Check, alike, equal
from nearer.study.parts import weigh
from nearer.study.recount import Recount
from nearer.study.retime import Pairs
from nearer.study.settings import Study
from nearer.study.stages import LevelSettings, PhaseSettings
from nearer.study.staging import Staged, stage
from nearer.study.venues import read_venues
from nearer.units import FloatArray, IntArray, minutes_to_ms

_MS = 60_000.0
_SLACK = 1e-6  # of shares and money, relative: what HiGHS works to


@dataclass(frozen=True)
class Story:
    """
    What a plan says becomes of each of our sites.

    Parameters
    ----------
    level
        Level by phase and site id; absent where closed. "" is a level nobody states.
    """

    level: tuple[dict[str, str], ...]
    today: dict[str, str]


def verify_stages(
    document: PlanDocument, study: Study, tables: Tables, pairs: dict[str, Pairs], folder: Path
) -> tuple[list[Check], tuple[str, ...]]:
    """
    Check everything that a plan in stages says beyond the picture of its last phase.

    Levels, counts, money, districts, distances, loads, promises and values are computed here from the tables, site by
    site and rule by rule. The bound is that of the multipliers in ``proof.npz`` on an instance made as for the plan,
    from travel times computed here.

    Parameters
    ----------
    document, study, tables
        The plan and what it was made from.
    pairs
        Times by speed class.
    folder
        Where ``proof.npz`` and ``assignment.npz`` lie.

    Returns
    -------
    checks, notes
        What was compared, and what could not be.
    """
    phases = study.plan.phases or (PhaseSettings(name="plan"),)
    table = tables.sites.table.set_index("id", drop=False)
    story = story_of(document.sites, study, table, phases)
    checks = list(_check_story(document, study, table, phases, story))
    if not all(check.ok for check in checks):
        return checks, ("The rest was not checked, since the sites do not take the levels that the study allows.",)
    checks += list(_check_counts(study, table, phases, story))
    checks += list(_check_money(document, study, table, phases, story))
    checks += list(_check_places(study, tables, table, phases, story))
    met = People(study, tables, pairs, phases, story, folder)
    checks += list(met.check(document))
    if len(study.aims) > 1:
        from nearer.study.verify_turns import check_turns

        proof, notes = check_turns(document, study, tables, pairs, story, folder)
    else:
        checks.append(equal("objectives", len(document.objectives), 0))
        proof, notes = _check_bound(document, study, tables, pairs, folder, met.value)
    return [*checks, *proof], notes


class HasSteps(Protocol):
    """A site of a plan, and what becomes of it."""

    @property
    def id(self) -> str:
        """As in the table."""

    @property
    def steps(self) -> list[SiteStep]:
        """In order."""


def story_of(sites: Iterable[HasSteps], study: Study, table: pd.DataFrame, phases: Sequence[PhaseSettings]) -> Story:
    """Levels by phase of sites that take some steps; ``table`` has ids as its index."""
    names = [phase.name for phase in phases]
    today = {str(i): _level_of(table.loc[i], study) for i in table.index[table["status"] == "existing"]}
    by_phase: list[dict[str, str]] = []
    listed, now = list(sites), dict(today)
    for name in names:
        now = dict(now)
        for site in listed:
            for step in site.steps:
                if step.phase == name and step.level is None:
                    now.pop(site.id, None)
                elif step.phase == name:
                    now[site.id] = step.level or ""
        by_phase.append(now)
    return Story(tuple(by_phase), today)


def _level_of(row: Any, study: Study) -> str:
    value = row.get("level") if study.levels else None
    return "" if value is None or pd.isna(value) else str(value).strip()


def _number(row: Any, column: str) -> float:
    value = row.get(column)
    text = "" if value is None or pd.isna(value) else str(value).strip()
    return float(text) if text else math.nan


def check_steps(study: Study, table: pd.DataFrame, story: Story) -> Check:
    """Only what may open opens, at a level that it may have; what stands stays unless it may close."""
    order = [level.name for level in study.levels]
    wrong: list[str] = []
    for t, now in enumerate(story.level):
        earlier = story.today if t == 0 else story.level[t - 1]
        for site, name in now.items():
            row = table.loc[site]
            barred = row["status"] == "candidate" and (row["excluded"] or site in study.plan.forbid)
            if row["status"] not in ("existing", "candidate") or barred:
                wrong.append(f"{site} may not open")
            if (
                site in earlier
                and name != earlier[site]
                and not (name in order and earlier[site] in order and order.index(name) > order.index(earlier[site]))
            ):
                wrong.append(f"{site} goes from {earlier[site] or 'no level'} to {name or 'no level'}")
            if site not in earlier:
                highest = _level_of(row, study)
                if name not in (order or [""]) or (highest and order.index(name) > order.index(highest)):
                    wrong.append(f"{site} opens at {name or 'no level'}")
                if row["status"] == "existing":
                    wrong.append(f"{site} opens again")
        gone = [site for site in earlier if site not in now]
        wrong += [f"{site} closes" for site in gone if table.loc[site]["status"] != "existing"]
    wrong += [f"{site} does not open" for site in study.plan.force if site not in story.level[-1]]
    return Check("stages: levels and openings", not wrong, "; ".join(wrong[:5]), "what the study allows")


def _check_story(
    document: PlanDocument, study: Study, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story
) -> Iterator[Check]:
    """Steps, and what each phase says of them."""
    yield check_steps(study, table, story)
    closed = [site for site in story.today if site not in story.level[-1]]
    most = study.plan.close_max
    yield Check("stages: closures", len(closed) <= most, len(closed), f"at most {most}")
    for t, (phase, told) in enumerate(zip(phases, document.phases, strict=False)):
        earlier = story.today if t == 0 else story.level[t - 1]
        now = story.level[t]
        yield equal(f"{phase.name}: opened", sorted(told.opened), sorted(set(now) - set(earlier)))
        raised = sorted(site for site in now if site in earlier and now[site] != earlier[site])
        yield equal(f"{phase.name}: upgraded", sorted(told.upgraded), raised)
        yield equal(f"{phase.name}: closed", sorted(told.closed), sorted(set(earlier) - set(now)))
        yield equal(f"{phase.name}: centres", told.centres, len(now))
    yield equal("phases", [phase.name for phase in document.phases], [phase.name for phase in phases])


def _check_counts(study: Study, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story) -> Iterator[Check]:
    plan, total = study.plan, 0
    for t, phase in enumerate(phases):
        opened = len(set(story.level[t]) - set(story.today if t == 0 else story.level[t - 1]))
        total += opened
        if phase.open is not None:
            yield equal(f"{phase.name}: number opened", opened, phase.open)
        if phase.open_max is not None:
            yield Check(f"{phase.name}: number opened", opened <= phase.open_max, opened, f"at most {phase.open_max}")
    if plan.open is not None:
        yield equal("number opened", total, plan.open)
    if plan.open_max is not None:
        yield Check("number opened", total <= plan.open_max, total, f"at most {plan.open_max}")
    new = [site for site in story.level[-1] if site not in story.today]
    for agency in study.agencies:
        mine = sum(_text(table.loc[site].get("agency")) == agency.name for site in new)
        low, high = agency.min_open or 0, math.inf if agency.max_open is None else agency.max_open
        yield Check(f"venues opened of {agency.name}", low <= mine <= high, mine, f"{low} to {high}")


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value).strip()


def money_of(
    study: Study, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story
) -> tuple[FloatArray, FloatArray]:
    """Money spent, and for running, in each phase: by all, then by each agency; float64 (n_phases, 1 + n_agencies)."""
    levels = {level.name: level for level in study.levels}
    agencies = [agency.name for agency in study.agencies]
    spent = np.zeros((len(phases), 1 + len(agencies)))
    running = np.zeros((len(phases), 1 + len(agencies)))
    for t in range(len(phases)):
        earlier = story.today if t == 0 else story.level[t - 1]
        for site in {**earlier, **story.level[t]}:
            row = table.loc[site]
            part = np.array([1.0, *parts_of(row, agencies)])
            if site in story.level[t]:
                level = levels.get(story.level[t][site])
                running[t] += part * (_or_nothing(row, "running") + (level.running if level else 0.0))
            spent[t] += part * _step(row, levels, earlier.get(site), story.level[t].get(site))
    return spent, running


def _check_money(
    document: PlanDocument, study: Study, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story
) -> Iterator[Check]:
    """What each phase and each agency spends, against their budgets."""
    spent, running = money_of(study, table, phases, story)
    agencies = [agency.name for agency in study.agencies]
    for t, (phase, told) in enumerate(zip(phases, document.phases, strict=True)):
        yield equal(f"{phase.name}: spent", told.spent, float(spent[t, 0]))
        yield equal(f"{phase.name}: running", told.running, float(running[t, 0]))
        if phase.budget is not None:
            yield _within(f"{phase.name}: budget", spent[t, 0], phase.budget)
        for most in (phase.running_budget, study.plan.running_budget):
            if most is not None:
                yield _within(f"{phase.name}: running budget", running[t, 0], most)
    if study.plan.budget is not None:
        yield _within("budget", spent[:, 0].sum(), study.plan.budget)
    yield equal("agencies", [agency.name for agency in document.agencies], agencies)
    for a, (agency, told_agency) in enumerate(zip(study.agencies, document.agencies, strict=False), start=1):
        yield _same(f"{agency.name}: spent", told_agency.spent, spent[:, a])
        yield _same(f"{agency.name}: running", told_agency.running, running[:, a])
        if agency.budget is not None:
            yield _within(f"{agency.name}: budget", spent[:, a].sum(), agency.budget)
        if agency.running_budget is not None:
            yield _within(f"{agency.name}: running budget", running[:, a].max(), agency.running_budget)


def parts_of(row: Any, agencies: Sequence[str]) -> list[float]:
    """Part of a site's money that each agency pays."""
    said = _text(row.get("shares"))
    parts: dict[str, float] = {_text(row.get("agency")): 1.0}
    if said:
        pieces = [piece.rpartition(":") for piece in said.split(";") if piece.strip()]
        parts = {name.strip(): float(number) for name, _, number in pieces}
    return [parts.get(name, 0.0) for name in agencies]


def _or_nothing(row: Any, column: str) -> float:
    value = _number(row, column)
    return 0.0 if math.isnan(value) else value


def _step(row: Any, levels: dict[str, LevelSettings], before: str | None, now: str | None) -> float:
    """Money that it takes for a site to come from one level to another; None is closed."""
    if before == now:
        return 0.0
    if now is None:
        return _or_nothing(row, "closing_cost")
    if before is None:
        return _or_nothing(row, "cost") + (levels[now].cost if now in levels else 0.0)
    if levels[now].upgrade_cost is not None:
        return float(levels[now].upgrade_cost or 0.0)
    return max(levels[now].cost - levels[before].cost, 0.0)


def _within(name: str, value: float, most: float) -> Check:
    return Check(name, bool(value <= most + _SLACK * max(1.0, most)), float(value), f"at most {most:g}")


def _same(name: str, told: Sequence[float], found: FloatArray) -> Check:
    ok = len(told) == len(found) and all(alike(a, float(b)) for a, b in zip(told, found, strict=True))
    return Check(name, ok, str(list(told)), str([float(x) for x in found]))


def _check_places(
    study: Study, tables: Tables, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story
) -> Iterator[Check]:
    """Districts and distances."""
    venues = read_venues(study, tables)
    place = {str(i): at for at, i in enumerate(table.index)}
    for district in study.plan.districts:
        n = sum(venues.district[place[site]] == district.name for site in story.level[-1])
        low, high = district.min or 0, math.inf if district.max is None else district.max
        yield Check(f"centres in {district.name}", low <= n <= high, n, f"{low} to {high}")
    if study.plan.separation_m is not None:
        near = [f"{a} and {b}" for a, b in too_near(study, venues.xy, place, story)]
        yield Check("centres apart", not near, "; ".join(near[:5]), f"none nearer than {study.plan.separation_m:g} m")


def too_near(study: Study, xy: FloatArray, place: dict[str, int], story: Story) -> list[tuple[str, str]]:
    """Pairs of ours, at least one of them new, that stand open together nearer than ``separation_m``."""
    near: list[tuple[str, str]] = []
    for now in story.level:
        at = np.array([place[site] for site in now], dtype=np.int64)
        new = np.array([site not in story.today for site in now], dtype=bool)
        apart = np.hypot(*(xy[at][:, None] - xy[at][None]).transpose(2, 0, 1))
        i, j = np.nonzero(np.triu(apart < (study.plan.separation_m or 0.0), 1) & (new[:, None] | new[None]))
        ids = list(now)
        near += [(ids[a], ids[b]) for a, b in zip(i, j, strict=True)]
    return near


class People:
    """Everybody, phase by phase: how many, where they are sent, and what they meet."""

    def __init__(
        self,
        study: Study,
        tables: Tables,
        pairs: dict[str, Pairs],
        phases: Sequence[PhaseSettings],
        story: Story,
        folder: Path,
        aim: str | None = None,
    ) -> None:
        self.study, self.tables, self.pairs, self.phases, self.story = study, tables, pairs, phases, story
        self.recounts = [Recount(study, _then(tables, phase), pairs) for phase in phases]
        self.value = math.nan
        self.aim = study.aims[0] if aim is None else aim
        self.kappa = Recount(study, tables, pairs).kappa_per_min if self.aim == "equal" else 1.0
        table = tables.sites.table
        self.ids = [str(i) for i in table["id"]]
        self.other = (table["status"] == "other").to_numpy()
        path = folder / ASSIGNMENT_FILE
        self.sent = dict(np.load(path, allow_pickle=False)) if path.is_file() else None

    @property
    def counted(self) -> list[float]:
        """What a minute, or a year of money, counts for in each phase."""
        start = np.concatenate([[0.0], np.cumsum([phase.years for phase in self.phases])[:-1]])
        return [p.years * (1 - self.study.plan.discount) ** s for p, s in zip(self.phases, start, strict=True)]

    def room(self, t: int, pool: int) -> FloatArray:
        """Room of each site for everyone (0) or a programme, in a phase; 0 where it is not open."""
        room = np.zeros(len(self.ids))
        table = self.tables.sites.table
        levels = {level.name: level for level in self.study.levels}
        for at, site in enumerate(self.ids):
            row = table.iloc[at]
            own = _number(row, "capacity")
            if self.other[at] or site in self.story.level[t]:
                level = None if self.other[at] else levels.get(self.story.level[t][site])
                if pool:
                    name = self.study.programmes[pool - 1].name
                    room[at] = 0.0 if level is None else level.seats.get(name, 0.0)
                    continue
                room[at] = math.inf if level is None or level.capacity is None else level.capacity
                if not math.isnan(own):
                    todays = self.other[at] or self.story.today.get(site) == self.story.level[t].get(site)
                    if todays:
                        room[at] = own
                    elif site not in self.story.today:
                        room[at] = min(room[at], own)
        return room

    def check(self, document: PlanDocument) -> Iterator[Check]:
        """Loads, values, means and promises."""
        unreached = self.study.unreached_min * _MS
        counted = self.counted
        totals, weights, money = [], [], []
        met_of_phase = []
        for t, told in enumerate(document.phases):
            met = self.met(t)
            met_of_phase.append(met)
            yield Check(f"{told.name}: everybody has one place", *met.once)
            yield Check(f"{told.name}: within capacity", *met.loads)
            totals.append(counted[t] * met.weighted)
            weights.append(counted[t] * met.weight)
            value = self.told(totals[t], weights[t])
            if self.aim == "cost":
                value = told.spent + counted[t] * told.running  # both checked as money
                money.append(value)
            yield _close(f"{told.name}: value", told.value, value)
            total = math.fsum(self.recounts[t].tables.people.table["total"])
            yield equal(f"{told.name}: people", told.people, total)
            mean = (met.walked_ms + met.unmet * unreached) / max(total, 1e-9) / _MS
            yield _close(f"{told.name}: mean as sent", told.mean_min, mean)
            yield _close(f"{told.name}: unmet", told.unmet, met.unmet)
            nearest = self._nearest_mean(t)
            yield _close(f"{told.name}: mean to the nearest", told.mean_nearest_min, nearest)
        self.value = self.told(math.fsum(totals), math.fsum(weights))
        if self.aim == "cost":
            n_new = sum(site not in self.story.today for site in self.story.level[-1])
            self.value = math.fsum(money) if document.objective.unit == "money" else float(n_new)
        yield _close("objective: value", document.objective.value, self.value)
        for floor in self.study.plan.floors:
            yield from self._check_floor(floor, met_of_phase)

    def price(self, time_ms: FloatArray | IntArray) -> FloatArray:
        """What a person who needs so long adds to the total of the objective."""
        time = np.asarray(time_ms, dtype=np.float64)
        if self.aim == "coverage":
            near = self.study.plan.coverage_min
            full, none = (minutes_to_ms(m) for m in (self.study.plan.decay_min or (near, near)))
            return (
                (time > full).astype(np.float64) if none <= full else np.clip((time - full) / (none - full), 0.0, 1.0)
            )
        if self.aim == "equal":
            return np.exp(self.kappa * (time / _MS - self.study.unreached_min))
        return time

    def value_over_phases(self) -> float:
        """The objective's value, where money is not what counts."""
        met = [self.met(t) for t in range(len(self.phases))]
        total = math.fsum(counted * one.weighted for counted, one in zip(self.counted, met, strict=True))
        return self.told(total, math.fsum(counted * one.weight for counted, one in zip(self.counted, met, strict=True)))

    def told(self, total: float, weight: float) -> float:
        """The objective's value for a total over people who weigh so much."""
        if self.aim == "coverage":
            return max(weight - total, 0.0)
        if self.aim == "equal":
            if total <= 0 or weight <= 0:
                return 0.0
            return max(self.study.unreached_min + math.log(total / weight) / self.kappa, 0.0)
        return total / _MS

    def met(self, t: int) -> _Met:
        """What the people of a phase meet."""
        recount = self.recounts[t]
        rows = self._nearest_rows(t) if self.sent is None else self._sent_rows(t)
        return _Met.of(self, t, recount, list(rows))

    def _nearest_rows(self, t: int) -> Iterator[_Sent]:
        """Everybody at the nearest open site; only where no room is limited."""
        recount = self.recounts[t]
        is_open = self.room(t, 0) > 0
        for name, found in recount.nearest(is_open).items():
            near = found.reached & (found.first_ms < recount.unreached_ms)
            point = np.flatnonzero(near)
            yield _Sent(0, name, point, found.site[point], np.ones(len(point)), found.first_ms[point])

    def _sent_rows(self, t: int) -> Iterator[_Sent]:
        assert self.sent is not None
        here = self.sent["phase"] == t
        names = list(self.pairs)
        for pool in range(1 + len(self.study.programmes)):
            for c, name in enumerate(names):
                mine = here & (self.sent["pool"] == pool) & (self.sent["speed_class"] == c)
                point, site = self.sent["point"][mine], self.sent["site"][mine]
                time_ms = _times(self.pairs[name], point, site, len(self.ids))
                yield _Sent(pool, name, point, site, self.sent["share"][mine], time_ms)

    def people_of(self, t: int, pool: int, name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
        """People, what they weigh, and what they take of a site's room, at each point."""
        recount = self.recounts[t]
        if pool == 0:
            return recount.people[name], recount.weight[name], recount.people[name]
        programme = self.study.programmes[pool - 1]
        mine = recount.group(programme.group)
        return mine, programme.weight * mine, programme.rate * mine

    def classes_of(self, pool: int) -> list[str]:
        """Speed classes that have people of a pool."""
        if pool == 0:
            return list(self.pairs)
        group = self.study.programmes[pool - 1].group
        return [group if group in self.pairs else ""]

    def _nearest_mean(self, t: int) -> float:
        recount = self.recounts[t]
        is_open = np.isin(self.ids, list(self.story.level[t])) | self.other  # whatever its room, which may be none
        walked = math.fsum(
            math.fsum(recount.people[name] * np.minimum(found.first_ms, recount.unreached_ms))
            for name, found in recount.nearest(np.asarray(is_open)).items()
        )
        return walked / max(math.fsum(recount.tables.people.table["total"]), 1e-9) / _MS

    def _check_floor(self, floor: Any, met: list[_Met]) -> Iterator[Check]:
        who = floor.group or "everyone"
        last = len(met) - 1
        if floor.mean_min is not None:
            yield _within(f"{who}: minutes on average", met[last].mean(floor.group), floor.mean_min)
        elif floor.not_worse:
            today = Recount(self.study, self.tables, self.pairs)
            stood = np.isin(self.ids, list(self.story.today)) | self.other
            rows = [
                _Sent(0, name, np.flatnonzero(found.reached), found.site[found.reached],
                      np.ones(int(found.reached.sum())), found.first_ms[found.reached])
                for name, found in today.nearest(np.asarray(stood)).items()
            ]  # fmt: skip
            before = _Met.of(self, 0, today, rows).mean(floor.group)
            for t, phase in enumerate(self.phases):
                yield _within(f"{who}: minutes in {phase.name}", met[t].mean(floor.group), before)
        else:
            share = met[last].share_within(floor.group, float(minutes_to_ms(floor.within_min)))
            ok = share >= floor.share - _SLACK
            yield Check(f"{who}: within {floor.within_min:g} minutes", ok, share, f"at least {floor.share:g}")


@dataclass(frozen=True)
class _Sent:
    """Where people of one pool and speed class are sent: points, sites, shares and times (NaN where no pair is)."""

    pool: int
    name: str
    point: IntArray
    site: IntArray
    share: FloatArray
    time_ms: FloatArray | IntArray


@dataclass(frozen=True)
class _Met:
    """What the people of a phase meet."""

    once: tuple[bool, Any, Any]
    loads: tuple[bool, Any, Any]
    weighted: float
    weight: float
    walked_ms: float
    unmet: float
    recount: Recount
    rows: list[_Sent]

    @classmethod
    def of(cls, people: People, t: int, recount: Recount, rows: list[_Sent]) -> _Met:
        unreached = recount.unreached_ms
        weighted = whole = walked = unmet = 0.0
        once: tuple[bool, Any, Any] = (True, "", "")
        loads: tuple[bool, Any, Any] = (True, "", "")
        load = np.zeros((1 + len(people.study.programmes), len(people.ids)))
        done: dict[tuple[int, str], FloatArray] = {}
        for one in rows:
            heads, weight, need = people.people_of(t, one.pool, one.name)
            if np.isnan(np.asarray(one.time_ms, dtype=np.float64)).any():
                once = (False, "somebody is sent where nobody gets within the limit", "")
            weighted += math.fsum(weight[one.point] * one.share * people.price(one.time_ms))
            if one.pool == 0:
                walked += math.fsum(heads[one.point] * one.share * one.time_ms)
            np.add.at(load[one.pool], one.site, need[one.point] * one.share)
            so_far = done.get((one.pool, one.name), np.zeros(len(heads)))
            done[one.pool, one.name] = so_far + np.bincount(one.point, weights=one.share, minlength=len(heads))
        for pool in range(1 + len(people.study.programmes)):
            for name in people.classes_of(pool):
                heads, weight, _ = people.people_of(t, pool, name)
                served = done.get((pool, name), np.zeros(len(heads)))
                if np.any(served > 1 + _SLACK):
                    once = (False, float(served.max()), "at most 1")
                left = np.where(served < 1 - 1e-9, 1 - served, 0.0)
                weighted += math.fsum(weight * left) * float(people.price(np.array([unreached]))[0])
                whole += math.fsum(weight)
                if pool == 0:
                    unmet += math.fsum(heads * left)
            room = people.room(t, pool)
            if np.any(load[pool] > room * (1 + _SLACK) + _SLACK):
                worst = int(np.argmax(load[pool] - room))
                loads = (False, float(load[pool][worst]), f"{people.ids[worst]} holds {room[worst]:g}")
        return cls(once, loads, weighted, whole, walked, unmet, recount, rows)

    def _of_group(self, group: str | None) -> Iterator[tuple[FloatArray, _Sent | None]]:
        """People of a group at each point, and where those of their class go; None for whoever is left."""
        names = {one.name for one in self.rows if one.pool == 0}
        for name in names if group is None else {group if group in names else ""}:
            heads = self.recount.people[name] if group is None else self.recount.group(group)
            for one in self.rows:
                if one.pool == 0 and one.name == name:
                    yield heads, one

    def mean(self, group: str | None) -> float:
        """Average minutes of a group, None for everyone; unreached counted."""
        walked, served, total = 0.0, 0.0, 0.0
        for heads, one in self._of_group(group):
            assert one is not None
            walked += math.fsum(heads[one.point] * one.share * one.time_ms)
            served += math.fsum(heads[one.point] * one.share)
            total += math.fsum(heads)
        return (walked + max(total - served, 0.0) * self.recount.unreached_ms) / max(total, 1e-9) / _MS

    def share_within(self, group: str | None, limit_ms: float) -> float:
        """Part of a group that is sent no farther than so many milliseconds."""
        near, total = 0.0, 0.0
        for heads, one in self._of_group(group):
            assert one is not None
            near += math.fsum((heads[one.point] * one.share)[np.asarray(one.time_ms) <= limit_ms])
            total += math.fsum(heads)
        return near / max(total, 1e-9)


def _times(pairs: Pairs, point: IntArray, site: IntArray, n_sites: int) -> FloatArray:
    """Time of each pair asked about, NaN where it is out of reach."""
    key, wanted = pairs.point * n_sites + pairs.site, point.astype(np.int64) * n_sites + site
    order = np.argsort(key)
    if not len(key):
        return np.full(len(wanted), np.nan)
    at = order[np.minimum(np.searchsorted(key, wanted, sorter=order), len(key) - 1)]
    return np.where(key[at] == wanted, pairs.time_ms[at], np.nan)


def _then(tables: Tables, phase: PhaseSettings) -> Tables:
    """Tables with the people of a phase; groups keep their part at each point."""
    table = tables.people.table.copy()
    if later_column(phase.name) in table:
        then = table[later_column(phase.name)]
    elif phase.growth is not None:
        then = table["total"] * phase.growth
    else:
        return tables
    for group in tables.people.groups:
        table[group] = [
            people / total * later if total > 0 else 0.0
            for people, total, later in zip(table[group], table["total"], then, strict=True)
        ]
    table["total"] = then
    return replace(tables, people=replace(tables.people, table=table))


def _close(name: str, told: float, found: float) -> Check:
    """Sums over shares that a solver rounded agree less well than sums of the same terms."""
    return Check(name, abs(told - found) <= 1e-7 * max(abs(told), abs(found), 1.0), told, found)


def _check_bound(
    document: PlanDocument, study: Study, tables: Tables, pairs: dict[str, Pairs], folder: Path, found: float
) -> tuple[list[Check], tuple[str, ...]]:
    value, bound = document.objective.value, document.bound
    gap = abs(value - bound) / max(abs(value), 1e-9)
    checks = [equal("gap", document.gap, gap)]
    if document.status == "optimal":
        checks.append(Check("status", gap <= 1e-9 * (1 + 1e-3), "optimal", f"a gap of {gap:.2g}"))
    if document.proof != "certificate":
        beyond = found - bound if study.aims[0] == "coverage" else bound - found
        checks.append(Check("bound", beyond <= 1e-9 * abs(found) + 1e-9, bound, f"not beyond {found:g}"))
        return checks, ("The bound is the solver's own word; it was compared with the value only.",)
    try:
        certificate = load_rules_certificate(folder / PROOF_FILE)
        staged = staged_again(study, tables, pairs)
        proven = staged.goal.whole.bound_of(rules_bound(staged.instance, certificate))
    except CheckFailedError as error:
        return [*checks, Check("bound", False, bound, str(error))], ()
    beyond = proven - bound if study.aims[0] == "coverage" else bound - proven
    holds = beyond <= 1e-9 * abs(proven) + 1e-12 or agrees(bound, proven)
    return [*checks, Check("bound", holds, bound, proven)], ()


def load_rules_certificate(path: Path, name: str = "") -> RulesCertificate:
    """
    Read a proof that may have come from anywhere; ``name`` where it is not the main one of its file.

    Raises
    ------
    CheckFailedError
        It cannot be read, and so proves nothing.
    """
    if path.is_file() and zipfile.is_zipfile(path):
        with suppress(Exception):
            return RulesCertificate.load(path, name)
    raise CheckFailedError(f"{path.name} is missing or cannot be read")


def staged_again(study: Study, tables: Tables, pairs: dict[str, Pairs], found: Sequence[float] = ()) -> Staged:
    """The instance of a study, made as for the plan, from times computed by the check."""
    limit_ms = minutes_to_ms(study.streets.limit_min)
    times = [
        TravelTimes.from_pairs(one.point, one.site, one.time_ms, tables.people.n, tables.sites.n, limit_ms)
        for one in pairs.values()
    ]
    return stage(study, tables, weigh(tables, study), times, found)
