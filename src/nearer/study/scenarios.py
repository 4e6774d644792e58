"""``[[scenarios]]`` of ``nearer.toml``: what may turn out otherwise, and what it does to people, times and sites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import Field

from nearer.demand import Demand, make_demand
from nearer.inputs.sources import Settings
from nearer.inputs.tables import Tables
from nearer.units import BoolArray, FloatArray

AS_GIVEN = "as given"
"""The scenario in which nothing is otherwise; always the first."""

MOST_AREAS = 12
"""Areas up to which each gets a scenario of its own where none are given."""


class ScenarioSettings(Settings):
    """``[[scenarios]]``: one way in which things may turn out, for ``nearer sensitivity``."""

    name: str = Field(min_length=1, description="what it is called")
    people: float = Field(1.0, gt=0, le=100, description="people everywhere, as a multiple of those given")
    groups: dict[str, float] = Field(
        default_factory=dict, description="people of a group, as a multiple; the total of a place changes with them"
    )
    areas: dict[str, float] = Field(default_factory=dict, description="people of an area, as a multiple")
    speed: float = Field(1.0, ge=0.2, le=5, description="everybody's speed, as a multiple")
    group_weights: dict[str, float] | None = Field(None, description="in place of those of [plan]")
    lost: tuple[str, ...] = Field((), description="ids of candidates and centres that cannot be had")

    @property
    def changes(self) -> bool:
        """Whether anything is otherwise than given."""
        return self.model_dump(exclude={"name"}) != ScenarioSettings(name=AS_GIVEN).model_dump(exclude={"name"})


def standard_scenarios(groups: Sequence[str], areas: Sequence[str], percent: float) -> list[ScenarioSettings]:
    """What is tried where a study gives no scenarios: each group, each of few areas, and speeds, up and down."""
    more, less = 1.0 + percent / 100.0, 1.0 - percent / 100.0
    said = f"{percent:g} %"
    found = []
    for group in groups:
        found.append(ScenarioSettings(name=f"{group} +{said}", groups={group: more}))
        found.append(ScenarioSettings(name=f"{group} −{said}", groups={group: less}))
    if len(areas) <= MOST_AREAS:
        found += [ScenarioSettings(name=f"{area} +{said}", areas={area: more}) for area in areas]
    found.append(ScenarioSettings(name=f"everybody {said} slower", speed=less))
    found.append(ScenarioSettings(name=f"everybody {said} faster", speed=more))
    return found


def demand_in(
    scenario: ScenarioSettings, tables: Tables, weights: dict[str, float], own_speed: tuple[str, ...]
) -> Demand:
    """
    People as they would be.

    A group's change changes the total where it lives; groups that overlap count with both changes, and the total is
    never less than its largest group.

    Raises
    ------
    ValueError
        As ``make_demand``.
    """
    total, groups = people_in(scenario, tables)
    chosen = weights if scenario.group_weights is None else scenario.group_weights
    return make_demand(total, groups, chosen, own_speed)


def people_in(scenario: ScenarioSettings, tables: Tables) -> tuple[FloatArray, dict[str, FloatArray]]:
    """People of each point, and of each group there."""
    table = tables.people.table
    everywhere = np.full(len(table), scenario.people)
    names = table["area"].to_numpy(dtype=object)
    for area, factor in scenario.areas.items():
        everywhere[names == area] *= factor
    given = {group: table[group].to_numpy(dtype=np.float64) for group in tables.people.groups}
    total = table["total"].to_numpy(dtype=np.float64).copy()
    for group, factor in scenario.groups.items():
        total += (factor - 1.0) * given[group]
    groups = {group: people * scenario.groups.get(group, 1.0) * everywhere for group, people in given.items()}
    total = np.maximum(total, 0.0) * everywhere
    for people in groups.values():
        total = np.maximum(total, people)
    return total, groups


def lost_in(scenario: ScenarioSettings, tables: Tables) -> BoolArray:
    """Sites that cannot be had, bool (n_sites,)."""
    return np.asarray(tables.sites.table["id"].isin(scenario.lost).to_numpy())


def scenario_contradictions(
    scenarios: Sequence[ScenarioSettings], groups: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Everything in scenarios that their keys cannot say one by one: key, message, remedy."""
    known = ", ".join(groups) or "none"
    seen: set[str] = {AS_GIVEN}
    for number, scenario in enumerate(scenarios, start=1):
        start = f"scenarios[{number}]"
        if scenario.name in seen:
            yield f"{start}.name", f'another scenario is called "{scenario.name}"', "give it a name of its own"
        seen.add(scenario.name)
        if not scenario.changes:
            yield (
                start,
                "nothing is otherwise in it",
                "say what is; the situation as given is always the first scenario",
            )
        for key in ("groups", "group_weights"):
            for group, value in (getattr(scenario, key) or {}).items():
                if group not in groups:
                    yield f"{start}.{key}.{group}", f"there is no group {group!r}", f"[people] groups has: {known}"
                elif not 0 <= value <= 10_000:
                    yield f"{start}.{key}.{group}", f"{value:g} is no multiple", "give 0 to 10,000"
        for area, value in scenario.areas.items():
            if not 0 <= value <= 10_000:
                yield f"{start}.areas.{area}", f"{value:g} is no multiple", "give 0 to 10,000"
