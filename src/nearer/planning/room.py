"""Where people end up who are not sent: each goes to the nearest centre that still has room."""

from __future__ import annotations

import numpy as np

from nearer.kernels.room import fill_in_order
from nearer.model import CLOSED, Instance
from nearer.model.evaluate import pair_rows
from nearer.units import FloatArray, IntArray


def nearest_with_room(
    instance: Instance,
    cost: FloatArray,
    pool: IntArray,
    people: FloatArray,
    need: FloatArray,
    level: IntArray,
    unreached_ms: int,
) -> tuple[float, float]:
    """
    Let people fill the centres, the nearest to each first: pairs in order of time, then point, then site.

    No person and no centre of the outcome would rather change places with each other (a stable matching in which
    centres, too, take the nearest first: Gale, Shapley 1962).

    Parameters
    ----------
    cost
        Milliseconds of each pair, (n_pairs,).
    pool, people, need
        Of each row, (n_rows,); only rows of pool 0 are asked about.
    level
        Of each site, (n_sites,).

    Returns
    -------
    mean_ms, unmet
        Average of all people, those without a place as out of reach, and their number.
    """
    room = np.where(level != CLOSED, instance.capacity[np.arange(instance.n_sites), np.maximum(level, 0), 0], 0.0)
    row = pair_rows(instance)
    usable = np.flatnonzero((pool[row] == 0) & (room[instance.site_idx] > 0))
    total = max(float(people.sum()), 1e-9)
    if np.isinf(room[level != CLOSED]).all():
        best = np.full(instance.n_rows, np.inf)
        np.minimum.at(best, row[usable], cost[usable])
        lost = np.isinf(best)
        walked = float((people[~lost] * best[~lost]).sum())
        unmet = float(people[lost].sum())
        return (walked + unmet * unreached_ms) / total, unmet
    usable = usable[np.lexsort((instance.site_idx[usable], row[usable], cost[usable]))]
    rate = np.divide(people, need, out=np.zeros_like(people), where=need > 0)
    waiting = np.where(pool == 0, need, 0.0)
    walked, served = fill_in_order(usable, row, instance.site_idx, cost, waiting, room, rate)
    unmet = max(float(people.sum()) - served, 0.0)
    return (walked + unmet * unreached_ms) / total, unmet
