"""What a reader should know of the method and its limits, one sentence each."""

from __future__ import annotations

import numpy as np

from nearer.demand import Demand
from nearer.inputs.tables import Tables
from nearer.units import MS_PER_MIN


def notes(tables: Tables, demand: Demand, coverage_min: float, limit_ms: int, unreached_ms: int) -> list[str]:
    """Sentences on this plan's method, then those of its inputs."""
    limit, unreached = limit_ms / MS_PER_MIN, unreached_ms / MS_PER_MIN
    found = [
        "Everybody is taken to go to the open site that is nearest in time; no site has a limit on how many it serves.",
        f"Whoever is farther than {limit:g} minutes from every open site counts as out of reach, "
        f"and as {unreached:g} minutes in the mean and in what was minimised.",
        f"People count as still far where the walk is longer than {coverage_min:g} minutes or no site is within reach.",
    ]
    status = tables.sites.table["status"]
    n_other = int((status == "other").sum())
    if n_other:
        found.append(
            "1 site of another provider counts for reach, before and after, but is not part of the plan."
            if n_other == 1
            else f"{n_other} sites of other providers count for reach, before and after, but are not part of the plan."
        )
    if len(demand.class_names) > 1:
        own = [name for name in demand.class_names if name]
        rest = [name for name in demand.groups if name not in own]
        found.append(f"Walking speeds of their own are used for: {', '.join(own)}.")
        if rest:
            found.append(f"These groups are taken to walk at everyone's speed: {', '.join(rest)}.")
    if not np.array_equal(demand.class_weight, demand.class_people):
        found.append(
            "Some groups weigh more or less than others in what was minimised; the measures count people only."
        )
    return [*found, *tables.notes, *tables.people.notes, *tables.sites.notes]
