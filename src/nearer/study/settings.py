"""``nearer.toml`` as typed settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from pydantic import Field

from nearer.inputs.sources import AreaSource, ExcludeSource, PeopleSource, Settings, SitesSource, StreetsSource

MOST_WEIGHT = 10_000
"""Heaviest a member of a group may count; sums stay exact enough to be proven."""


class StudySettings(Settings):
    """``[study]``: what it is called."""

    name: str = Field("A study", min_length=1, description="title of the report")
    seed: int = Field(0, ge=0, description="start of every random choice")


class PlanSettings(Settings):
    """``[plan]``: what is asked."""

    open: int | None = Field(None, ge=0, description="open exactly so many candidates")
    open_max: int | None = Field(None, ge=0, description="open at most so many")
    objective: Literal["travel"] = Field("travel", description="travel: the least sum of people's minutes")
    coverage_min: float = Field(15.0, gt=0, le=600, description="minutes that count as near in tables and sentences")
    unreached_min: float | None = Field(
        None,
        gt=0,
        le=10_000,
        description="what a person out of reach counts as; default 2 × limit_min, never less than limit_min",
    )
    group_weights: dict[str, float] = Field(
        default_factory=dict, description="weight of a point = total + Σ (weight − 1) · people of the group"
    )


class Study(Settings):
    """The whole of ``nearer.toml``."""

    study: StudySettings = StudySettings()
    area: AreaSource = AreaSource()
    streets: StreetsSource
    people: PeopleSource
    sites: tuple[SitesSource, ...] = Field(min_length=1)
    exclude: tuple[ExcludeSource, ...] = ()
    plan: PlanSettings

    @property
    def unreached_min(self) -> float:
        """Minutes that a person out of reach counts as, the default filled in."""
        return self.plan.unreached_min or 2.0 * self.streets.limit_min


class Contradiction(NamedTuple):
    """Settings that are well formed each and do not go together."""

    key: str
    message: str
    remedy: str


def contradictions(study: Study) -> Iterator[Contradiction]:
    """Everything in a study that its keys cannot say one by one."""
    plan, streets = study.plan, study.streets
    if (plan.open is None) == (plan.open_max is None):
        both = "both open and open_max are given" if plan.open is not None else "the number of centres is missing"
        yield Contradiction("plan.open", both, "give either open = N (exactly) or open_max = N (at most)")
    if plan.unreached_min is not None and plan.unreached_min < streets.limit_min:
        yield Contradiction(
            "plan.unreached_min",
            f"{plan.unreached_min:g} minutes is less than the limit of {streets.limit_min:g}, so that being out of "
            "reach would count as nearer than being reached",
            f"give at least {streets.limit_min:g}, or leave it out for {2 * streets.limit_min:g}",
        )
    if streets.mode != "straight" and streets.file is None and streets.table is None:
        yield Contradiction(
            "streets.file",
            f"mode {streets.mode} needs streets",
            'name an OpenStreetMap extract (file = "streets.osm.pbf"), a table of times, or set mode = "straight"',
        )
    if streets.group_speeds_kmh and (streets.table is not None or streets.mode not in ("walk", "straight")):
        yield Contradiction(
            "streets.group_speeds_kmh",
            "groups have a walking speed of their own in the modes walk and straight only, and without a ready table",
            "leave it out",
        )
    for key, named in (
        ("plan.group_weights", plan.group_weights),
        ("streets.group_speeds_kmh", streets.group_speeds_kmh),
    ):
        for group in named:
            if group not in study.people.groups:
                known = ", ".join(study.people.groups) or "none"
                yield Contradiction(f"{key}.{group}", f"there is no group {group!r}", f"[people] groups has: {known}")
    for group, speed in streets.group_speeds_kmh.items():
        if not 0.1 <= speed <= 130:
            yield Contradiction(
                f"streets.group_speeds_kmh.{group}",
                f"{speed:g} km/h is no speed",
                "give km/h, from 0.1 to 130",
            )
    for group, weight in plan.group_weights.items():
        if not 0 <= weight <= MOST_WEIGHT:
            yield Contradiction(
                f"plan.group_weights.{group}", f"{weight:g} is no weight", f"give 0 to {MOST_WEIGHT:,} (1 = as anybody)"
            )
    if any(not group.strip() for group in study.people.groups):
        yield Contradiction("people.groups", "a group has no name", 'give it one: { children = "age_0_14" }')
    for number, source in enumerate(study.sites, start=1):
        given = [name for name in ("file", "query", "generate") if getattr(source, name) is not None]
        if len(given) != 1:
            yield Contradiction(
                f"sites[{number}]",
                f"{' and '.join(given)} are given" if given else "it does not say where the sites come from",
                "give exactly one of file, query and generate",
            )
        if source.query is not None and source.osm is None and streets.file is None:
            yield Contradiction(
                f"sites[{number}].osm", "the query has no extract to read", 'name one: osm = "places.osm.pbf"'
            )
        if source.file is None and source.status is None and given:
            yield Contradiction(
                f"sites[{number}].status", "it does not say what these sites are", 'add status = "candidate"'
            )
