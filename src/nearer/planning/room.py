"""Where people end up who are not sent: each goes to the nearest centre that still has room."""

from __future__ import annotations

import numpy as np

from nearer.kernels import outage as kernels
from nearer.planning.stages import Stages


def nearest_with_room(stages: Stages, phase: int) -> tuple[float, float]:
    """
    Let people fill the centres of a phase, the nearest to each first: pairs in order of time, then point, then site.

    No person and no centre of the outcome would rather change places with each other (a stable matching in which
    centres, too, take the nearest first: Gale, Shapley 1962).

    Returns
    -------
    mean_ms, unmet
        Average of all people, those without a place as out of reach, and their number.
    """
    rows, people, is_open = stages.rows, stages.people(phase), stages.is_open(phase)
    at_level = np.maximum(stages.level[phase], 0)
    room = np.where(is_open, stages.instance.capacity[np.arange(len(is_open)), at_level, 0], 0.0)
    everyone = float(people.sum())
    if np.isinf(room[is_open]).all():
        best = stages.nearest_ms[phase]
        lost = np.isinf(best)
        walked, unmet = float((people[~lost] * best[~lost]).sum()), float(people[lost].sum())
    else:
        pair = np.flatnonzero((rows.row_pool[rows.pair_row] == 0) & (room[rows.site_idx] > 0))
        row, site, time_ms = rows.pair_row[pair], rows.site_idx[pair], rows.cost[pair]
        order = np.lexsort((site, row, time_ms))
        served, walked = kernels.nearest_with_room(row[order], site[order], time_ms[order], people, room)
        unmet = max(everyone - float(served.sum()), 0.0)
    return (walked + unmet * stages.unreached_ms) / max(everyone, 1e-9), unmet
