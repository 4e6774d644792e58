"""The steps of a plan's sites, read anew: who stands at which level in each phase, and whether that may be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from nearer.planning.document import SiteStep
from nearer.study.checks import Check
from nearer.study.settings import Study
from nearer.study.stages import PhaseSettings


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
    today = {str(i): level_of(table.loc[i], study) for i in table.index[table["status"] == "existing"]}
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


def level_of(row: Any, study: Study) -> str:
    """Level that a site's row states, "" where none does."""
    value = row.get("level") if study.levels else None
    return "" if value is None or pd.isna(value) else str(value).strip()


def number_in(row: Any, column: str) -> float:
    """Number in a column of a site's row, NaN where it is empty."""
    value = row.get(column)
    text = "" if value is None or pd.isna(value) else str(value).strip()
    return float(text) if text else math.nan


def text_in(value: Any) -> str:
    """Text of a cell, "" where it is empty."""
    return "" if value is None or pd.isna(value) else str(value).strip()


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
                highest = level_of(row, study)
                if name not in (order or [""]) or (highest and order.index(name) > order.index(highest)):
                    wrong.append(f"{site} opens at {name or 'no level'}")
                if row["status"] == "existing":
                    wrong.append(f"{site} opens again")
        gone = [site for site in earlier if site not in now]
        wrong += [f"{site} closes" for site in gone if table.loc[site]["status"] != "existing"]
    wrong += [f"{site} does not open" for site in study.plan.force if site not in story.level[-1]]
    return Check("stages: levels and openings", not wrong, "; ".join(wrong[:5]), "what the study allows")
