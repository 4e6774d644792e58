"""Who makes it impossible that everyone is within so many minutes."""

from __future__ import annotations

import math

import numpy as np

from nearer.inputs.tables import Tables
from nearer.planning.access import Access
from nearer.planning.document import Unservable
from nearer.units import MS_PER_MIN, UNREACHED

_MOST_NAMED = 100


def unservable(tables: Tables, possible: Access, within_ms: int) -> tuple[list[Unservable], float]:
    """
    Points with people farther than a time from every site that may be open, most people first, and all their people.

    Parameters
    ----------
    possible
        Nearest sites if every one that may be were open.
    within_ms
        The time that the rule asks for.
    """
    far = np.where(possible.time_ms > within_ms, possible.people, 0.0)
    people = far.sum(axis=0)
    order = np.lexsort((np.arange(len(people)), -people))
    order = order[people[order] > 0][:_MOST_NAMED]
    table = tables.people.table
    nearest = np.where(far > 0, possible.time_ms, -1).max(axis=0)
    named = [
        Unservable(
            id=str(table["id"].iloc[point]),
            people=float(people[point]),
            area=str(table["area"].iloc[point]),
            minutes=None if nearest[point] == UNREACHED else int(nearest[point]) / MS_PER_MIN,
        )
        for point in order
    ]
    return named, math.fsum(far.ravel())
