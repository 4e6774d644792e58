"""``GapsDocument``: the shape of ``gaps.json``, whose published JSON schema is made from these classes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from nearer.planning.document import Part, Snapping, SourceFile

SCHEMA = 1


class Standard(Part):
    """What access is measured against."""

    minutes: float = Field(description="how far a centre's catchment reaches")
    people: float = Field(description="how many people a centre without a stated capacity is for")
    group: str | None = Field(None, description="whose need counts; null for everyone's")
    decay: Literal["none", "slow", "sharp"] = Field(
        "none", description="whether people farther away count less in a catchment"
    )


class GapMeasures(Part):
    """Access of everyone whose need counts, against the standard."""

    people: float = Field(description="everyone in the study")
    need: float = Field(description="people whose need counts: everyone, or the group")
    places: float = Field(description="people that the open centres are for, together")
    supply: float | None = Field(description="places per person whose need counts; null where there is no need")
    lacking: float = Field(description="people who lack a place: people × shortfall")
    beyond: float = Field(description="people with no centre in reach within the minutes of the standard")
    crowded: float = Field(description="people with centres in reach, and too few places in them")
    unreached: float = Field(description="people farther than the study's limit from every centre")
    mean_min: float | None = Field(description="mean minutes to the nearest centre of those who reach one")
    by_count: dict[str, float] = Field(description='open centres in reach → people: "0", "1", "2", "3 or more"')


class SizedLevel(Part):
    """How many centres of one level an area calls for."""

    level: str = Field(description='name of the level; "" where the study has none')
    capacity: float = Field(description="people each is for")
    low: int = Field(description="from people alone")
    high: int = Field(description="from people and extent")


class Mend(Part):
    """The candidate that would mend most of a gap if it opened, and what is then left of it."""

    id: str
    name: str
    lon: float
    lat: float
    lacking: float = Field(description="people of this gap who would still lack a place")
    beyond: float = Field(description="people of this gap who would still have no centre in reach")


class Gap(Part):
    """An area whose people have too few places in reach: neighbouring points joined, most people lacking first."""

    rank: int = Field(description="1 for most people lacking")
    name: str = Field(description="area or areas, suburb, and the nearest street or site")
    people: float = Field(description="people who live at its points")
    groups: dict[str, float] = Field({}, description="those of each group")
    need: float = Field(description="those whose need counts")
    lacking: float = Field(description="people × shortfall: how many lack a place")
    beyond: float = Field(description="people with no centre in reach within the minutes of the standard")
    unreached: float = Field(description="people farther than the study's limit from every centre")
    minutes: float | None = Field(description="mean minutes to the nearest centre of those who reach one")
    supply: float = Field(description="places per person in reach, mean over people")
    count: float = Field(description="open centres in reach of a person, mean over people")
    sites: list[str] = Field([], description="ids of the open centres in reach of anybody here")
    points: int = Field(description="number of points")
    lon: float = Field(description="middle of those who lack a place, degrees, WGS 84")
    lat: float
    extent: tuple[float, float, float, float] = Field(description="west, south, east, north of its points, degrees")
    area_km2: float = Field(description="ground covered by its cells and what lies between neighbouring ones")
    across_m: float = Field(description="longest straight line between two of its points")
    mend: Mend | None = Field(None, description="null where no candidate would spare anybody the lack of a place")
    sizing: list[SizedLevel] = Field([], description="how many centres it calls for, by level")


class OpenCentre(Part):
    """A centre that is open today."""

    id: str
    name: str
    status: Literal["existing", "other"]
    places: float = Field(description="people it is for: its capacity where stated, else the standard's")
    demand: float = Field(description="people in its catchment whose need counts, with decay weighted")
    ratio: float | None = Field(description="places per person of its catchment; null where nobody is in reach")


class GapsDocument(Part):
    """Everything ``gaps.json`` holds."""

    nearer: str
    schema_: int = Field(SCHEMA, alias="schema")
    study: str
    inputs: dict[str, str] = Field(description="path as written in the study → sha256 of the file")
    settings: dict[str, Any] = Field(description="the study file as understood, defaults filled in")
    standard: Standard
    rule: str = Field(description="the standard and the sizing rule in words")
    crs: str = Field(description="the projected system distances were measured in")
    reach_m: float = Field(description="straight metres that the minutes of the standard carry people, median")
    join_m: float = Field(description="points this near to each other were joined")
    measures: GapMeasures
    found: int = Field(description="gaps in all")
    gaps: list[Gap] = Field([], description="those listed, most people lacking first")
    centres: list[OpenCentre] = Field([], description="what is open today")
    snapping: dict[str, Snapping] = Field({}, description="people, sites")
    sources: list[SourceFile] = Field([], description="every file that was read")
    notes: list[str] = Field([], description="method and limits, one sentence each")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
