"""Who is sent where at best, once it is known what stands open: linear programmes of SciPy's, for the checks."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from nearer.errors import CheckFailedError
from nearer.study.verify_people import People
from nearer.units import FloatArray, minutes_to_ms


def send_best(people: People) -> None:
    """Send people to what is open so that the objective is best; to the nearest, unless room is limited."""
    pools, phases = range(1 + len(people.study.programmes)), range(len(people.phases))
    rooms = [[people.room(t, pool) for pool in pools] for t in phases]
    limited = any(np.isfinite(room[0][room[0] > 0]).any() for room in rooms)
    people.sent = _best_sending(people, rooms) if people.study.programmes or limited else None


def _best_sending(people: People, rooms: list[list[FloatArray]]) -> dict[str, Any]:
    """Who is sent where so that it costs least, by a linear programme for each phase and pool."""
    keys = ("phase", "pool", "speed_class", "point", "site", "share")
    found: dict[str, list[FloatArray]] = {key: [np.zeros(0)] for key in keys}
    unreached = minutes_to_ms(people.study.unreached_min)
    names, lost = list(people.pairs), people.price(np.array([unreached]))[0]
    for t, of_phase in enumerate(rooms):
        for pool, room in enumerate(of_phase):
            parts = []
            for name in people.classes_of(pool):
                pairs, (_, weight, need) = people.pairs[name], people.people_of(t, pool, name)
                use = (room[pairs.site] > 0) & (pairs.time_ms < unreached) & (weight[pairs.point] > 0)
                cost = people.price(pairs.time_ms[use]) - lost
                parts.append((names.index(name), pairs.point[use], pairs.site[use], cost, weight, need))
            share = _sent(parts, room)
            done = 0
            for c, point, site, *_ in parts:
                mine, done = share[done : done + len(point)], done + len(point)
                some = mine > 1e-9
                told: tuple[Any, ...] = (t, pool, c, point[some], site[some], np.minimum(mine[some], 1.0))
                for key, value in zip(keys, told, strict=True):
                    found[key].append(np.broadcast_to(value, int(some.sum())))
    whole = {key: np.concatenate(values) for key, values in found.items()}
    return {key: values if key == "share" else values.astype(np.int64) for key, values in whole.items()}


def _sent(parts: list[tuple[Any, ...]], room: FloatArray) -> FloatArray:
    """Shares of all pairs that cost least: nobody more than once, no site above its room."""
    cost = np.concatenate([weight[point] * saved for _, point, _, saved, weight, _ in parts])
    if not len(cost):
        return np.zeros(0)
    n_points = len(parts[0][4])
    row = np.concatenate([at * n_points + point for at, (_, point, *_) in enumerate(parts)])
    site = np.concatenate([part[2] for part in parts])
    need = np.concatenate([part[5][part[1]] for part in parts])
    tight = np.isfinite(room[site]) & (need > 0)
    _, once = np.unique(row, return_inverse=True)
    sites, full = np.unique(site[tight], return_inverse=True)
    at = np.arange(len(cost))
    rules = [csr_array((np.ones(len(cost)), (once, at)), shape=(int(once.max()) + 1, len(cost)))]
    most = [np.ones(int(once.max()) + 1)]
    if len(sites):
        rules.append(csr_array((need[tight], (full, at[tight])), shape=(len(sites), len(cost))))
        most.append(room[sites])
    left: Any = vstack(rules)
    solved = linprog(cost, A_ub=left, b_ub=np.concatenate(most), bounds=(0.0, 1.0), method="highs")
    if solved.x is None:
        raise CheckFailedError(f"people could not be sent out again: {solved.message}")
    return np.asarray(solved.x, dtype=np.float64)
