"""The people of a plan in stages, counted anew: where each phase sends them, and what they meet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nearer.inputs.people import later_column
from nearer.inputs.tables import Tables
from nearer.planning.document import PlanDocument
from nearer.planning.files import ASSIGNMENT_FILE
from nearer.study.checks import Check, equal
from nearer.study.recount import Recount
from nearer.study.retime_pairs import Pairs
from nearer.study.settings import Study
from nearer.study.stages import PhaseSettings
from nearer.study.verify_steps import Story, number_in
from nearer.units import BoolArray, FloatArray, IntArray, minutes_to_ms

_MS = 60_000.0
SLACK = 1e-6
"""Of shares and money, relative: what HiGHS works to."""


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
            own = number_in(row, "capacity")
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
        told_rules = {rule.name: rule for rule in document.rules}
        for stand in self.promises(met_of_phase):
            kept = stand.value <= stand.most + SLACK * max(1.0, stand.most) and stand.value >= stand.least - SLACK
            yield Check(stand.name, kept, stand.value, f"{stand.least:g} to {stand.most:g}")
            rule = told_rules.get(stand.name)
            yield _close(f"{stand.name}: told", math.nan if rule is None else rule.value, stand.value)
            yield equal(f"{stand.name}: whose", rule.agency if rule else None, stand.whose or None)

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

    def met(self, t: int) -> Met:
        """What the people of a phase meet."""
        recount = self.recounts[t]
        rows = self._nearest_rows(t, self.room(t, 0) > 0) if self.sent is None else self._sent_rows(t)
        return Met.of(self, t, recount, list(rows))

    def met_at_nearest(self, t: int) -> Met:
        """What they meet if everybody goes to the nearest open site, whatever its room."""
        is_open = np.isin(self.ids, list(self.story.level[t])) | self.other
        return Met.of(self, t, self.recounts[t], list(self._nearest_rows(t, np.asarray(is_open))))

    def _nearest_rows(self, t: int, is_open: BoolArray) -> Iterator[_Sent]:
        """Everybody at the nearest open site."""
        recount = self.recounts[t]
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

    def promises(self, met: Sequence[Met]) -> Iterator[Promised]:
        """Where every promise of the plan and of its agencies stands, and what was promised."""
        last = len(met) - 1
        for agency, floor in self.study.promises:
            group = floor.group or "everyone"
            who = f"promise of {agency}, {group}" if agency else group
            if floor.mean_min is not None:
                name = f"{who}: {floor.mean_min:g} minutes on average"
                yield Promised(name, agency, met[last].mean(floor.group), most=floor.mean_min)
            elif floor.not_worse:
                for t, phase in enumerate(self.phases):
                    when = f" in {phase.name}" if self.study.plan.phases else ""
                    name = f"{who}: average minutes no longer than today{when}"
                    yield Promised(name, agency, met[t].mean(floor.group), most=self._today.mean(floor.group))
            else:
                within, share = floor.within_min or 0.0, floor.share or 0.0
                found = met[last].share_within(floor.group, float(minutes_to_ms(within)))
                yield Promised(f"{who}: {100 * share:g} % within {within:g} minutes", agency, found, least=share)

    @cached_property
    def _today(self) -> Met:
        """What people meet today, at the nearest centre."""
        today = Recount(self.study, self.tables, self.pairs)
        stood = np.isin(self.ids, list(self.story.today)) | self.other
        rows = [
            _Sent(0, name, np.flatnonzero(found.reached), found.site[found.reached],
                  np.ones(int(found.reached.sum())), found.first_ms[found.reached])
            for name, found in today.nearest(np.asarray(stood)).items()
        ]  # fmt: skip
        return Met.of(self, 0, today, rows)


@dataclass(frozen=True)
class Promised:
    """A promise, whose it is, where it stands, and its ends."""

    name: str
    whose: str
    value: float
    least: float = -math.inf
    most: float = math.inf


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
class Met:
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
    def of(cls, people: People, t: int, recount: Recount, rows: list[_Sent]) -> Met:
        """Count what everybody meets who is sent so in a phase; who is left goes without."""
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
                if np.any(served > 1 + SLACK):
                    once = (False, float(served.max()), "at most 1")
                left = np.where(served < 1 - 1e-9, 1 - served, 0.0)
                weighted += math.fsum(weight * left) * float(people.price(np.array([unreached]))[0])
                whole += math.fsum(weight)
                if pool == 0:
                    unmet += math.fsum(heads * left)
            room = people.room(t, pool)
            if np.any(load[pool] > room * (1 + SLACK) + SLACK):
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


def at_most(name: str, value: float, most: float) -> Check:
    """A value against its ceiling, what HiGHS rounds allowed."""
    return Check(name, bool(value <= most + SLACK * max(1.0, most)), float(value), f"at most {most:g}")


def _close(name: str, told: float, found: float) -> Check:
    """Sums over shares that a solver rounded agree less well than sums of the same terms."""
    return Check(name, abs(told - found) <= 1e-7 * max(abs(told), abs(found), 1.0), told, found)
