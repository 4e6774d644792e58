"""The parts of ``nearer.toml`` that say when, at which level, by whom and for how much sites open."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from nearer.inputs.sources import Settings

MOST = 1e12
"""Largest amount of money, or of people in one place, that is counted with: sums of them stay exact enough."""


class Named(Settings):
    """A table whose name is looked up elsewhere: spaces around it count for nothing."""

    model_config = ConfigDict(str_strip_whitespace=True)


class PhaseSettings(Named):
    """``[[plan.phases]]``: one stretch of time, in order; figures are the phase's own, not sums so far."""

    name: str = Field(min_length=1, description="what it is called, e.g. a year")
    years: float = Field(1.0, gt=0, le=100, description="how long what stands at its end serves before the next")
    open: int | None = Field(None, ge=0, description="open exactly so many in this phase")
    open_max: int | None = Field(None, ge=0, description="open at most so many in this phase")
    budget: float | None = Field(
        None, ge=0, le=MOST, description="money for opening, upgrading and closing in this phase"
    )
    running_budget: float | None = Field(
        None, ge=0, le=MOST, description="money a year for running what is open in this phase"
    )
    growth: float | None = Field(None, gt=0, le=100, description="people everywhere, as a multiple of today's")


class DistrictSettings(Named):
    """``[[plan.districts]]``: how many centres of ours a district has at the end, new ones and those of today."""

    name: str = Field(min_length=1, description="as in the sites' column `district`, else the area they lie in")
    min: int | None = Field(None, ge=0, description="at least so many")
    max: int | None = Field(None, ge=0, description="at most so many")


class FloorSettings(Settings):
    """``[[plan.floors]]``, ``[[agencies.floors]]``: what a group is promised at the end, whatever else is gained."""

    group: str | None = Field(None, description="a group of [people]; default everyone")
    mean_min: float | None = Field(None, ge=0, description="average minutes of at most so many; unreached counted")
    not_worse: bool = Field(False, description="average minutes no longer than today, in every phase")
    within_min: float | None = Field(None, gt=0, description="with share: so large a part within so many minutes")
    share: float | None = Field(None, gt=0, le=1, description="the part of the group, 0 to 1")


class AgencySettings(Named):
    """``[[agencies]]``: who owns venues and pays; sites name theirs in the column `agency`."""

    name: str = Field(min_length=1, description="as in the sites' column `agency`")
    budget: float | None = Field(None, ge=0, le=MOST, description="money for opening, upgrading and closing, in all")
    running_budget: float | None = Field(None, ge=0, le=MOST, description="money a year for running, in every phase")
    min_open: int | None = Field(None, ge=0, description="at least so many of its venues are opened")
    max_open: int | None = Field(None, ge=0, description="at most so many of its venues are opened")
    floors: tuple[FloorSettings, ...] = Field((), description="what it promises to groups of its own")


class LevelSettings(Named):
    """``[[levels]]``: a size that a site can have, smallest first."""

    name: str = Field(min_length=1, description="as in the sites' column `level`")
    capacity: float | None = Field(None, ge=0, le=MOST, description="people it can serve; default without limit")
    cost: float = Field(0.0, ge=0, le=MOST, description="money to open at this level, beside the site's own `cost`")
    running: float = Field(0.0, ge=0, le=MOST, description="money a year, beside the site's own `running`")
    upgrade_cost: float | None = Field(
        None, ge=0, le=MOST, description="money to come here from a lower level; default the difference of their costs"
    )
    seats: dict[str, float] = Field(default_factory=dict, description="programme → people it can seat; default none")


class ProgrammeSettings(Named):
    """``[[programmes]]``: something a group comes for, with seats of its own at the levels that host it."""

    name: str = Field(min_length=1, description="as in the levels' `seats`")
    group: str = Field(min_length=1, description="the group of [people] it is for")
    rate: float = Field(1.0, gt=0, le=1000, description="seats that a member of the group asks for")
    weight: float = Field(1.0, gt=0, le=10_000, description="what a minute of theirs counts for")
