"""What is published."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from nearer.aid.commands.kinds import Command


class Publish(Command):
    """A table of households served, for everybody: counts that are too small are hidden, now and later."""

    kind: ClassVar[str] = "publish"
    rows: Literal["site", "programme"] = "site"
    columns: Literal["week", "month"] = "week"
    first_day: date
    last_day: date
    least: Annotated[int, Field(ge=3, le=1000)] = Field(default=10, description="Counts below this are hidden.")

    @model_validator(mode="after")
    def _days_in_order(self) -> Publish:
        if self.last_day < self.first_day:
            raise ValueError("the last day is before the first")
        if not 2000 <= self.first_day.year <= self.last_day.year < 9000 or (self.last_day - self.first_day).days > 1100:
            raise ValueError("a table covers at most three years")
        return self
