"""``nearer.toml`` as typed settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nearer.inputs.sources import AreaSource, ExcludeSource, PeopleSource, Settings, SitesSource, StreetsSource


class StudySettings(Settings):
    """``[study]``: what it is called."""

    name: str = "A study"
    seed: int = Field(0, ge=0, description="start of every random choice")


class PlanSettings(Settings):
    """``[plan]``: what is asked."""

    open: int | None = Field(None, ge=0, description="open exactly so many candidates")
    open_max: int | None = Field(None, ge=0, description="open at most so many")
    objective: Literal["travel"] = "travel"
    coverage_min: float = Field(15.0, gt=0, description="minutes that count as near in tables and sentences")
    unreached_min: float | None = Field(
        None, gt=0, description="what a person out of reach counts as; default 2 × limit_min, never less than limit_min"
    )
    group_weights: dict[str, float] = Field(
        default_factory=dict, description="weight of a point = total + Σ (weight − 1) · people of the group"
    )

    @model_validator(mode="after")
    def _one_number(self) -> PlanSettings:
        if (self.open is None) == (self.open_max is None):
            raise ValueError("give either open (exactly) or open_max (at most)")
        return self


class Study(Settings):
    """The whole of ``nearer.toml``."""

    study: StudySettings = StudySettings()
    area: AreaSource = AreaSource()
    streets: StreetsSource
    people: PeopleSource
    sites: tuple[SitesSource, ...] = Field(min_length=1)
    exclude: tuple[ExcludeSource, ...] = ()
    plan: PlanSettings
