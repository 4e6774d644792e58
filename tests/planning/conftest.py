"""A town of five points and five sites on one street, small enough to check by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nearer.demand import Demand, make_demand
from nearer.inputs.tables import People, Sites, Source, Tables
from nearer.model import FREE, OPEN, Certificate, Instance, Solution, Status, single_phase
from nearer.network import TravelTimes
from nearer.planning.document import Snapping
from nearer.planning.make import make_plan
from nearer.planning.plan import Plan

M = 60_000

# minutes from points (rows) to sites (columns): hall (existing), mission (other), school, church, club (candidates)
MINUTES = [
    [4, None, 10, None, None],
    [12, 20, 2, 14, None],
    [None, 28, 12, 3, 9],
    [None, None, 22, 8, 2],
    [None, None, None, None, None],
]
TOTAL = [100.0, 40.0, 50.0, 30.0, 5.0]
CHILDREN = [10.0, 10.0, 0.0, 30.0, 1.0]


def times(minutes: list[list[float | None]] = MINUTES, limit_min: float = 30.0) -> TravelTimes:
    triples = [(i, j, round(t * M)) for i, row in enumerate(minutes) for j, t in enumerate(row) if t is not None]
    point, site, time_ms = (np.array(column) for column in zip(*triples, strict=True))
    return TravelTimes.from_pairs(point, site, time_ms, len(minutes), len(minutes[0]), round(limit_min * M))


def tables() -> Tables:
    people = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(5)],
            "lon": [9.500, 9.505, 9.515, 9.517, 9.600],
            "lat": [47.0] * 5,
            "total": TOTAL,
            "children": CHILDREN,
            "area": ["West", "West", "East", "East", ""],
        }
    )
    sites = pd.DataFrame(
        {
            "id": ["hall", "mission", "school", "church", "club"],
            "name": ["Town hall", "Mission", "School", "Church", ""],
            "lon": [9.501, 9.495, 9.506, 9.514, 9.518],
            "lat": [47.0] * 5,
            "status": ["existing", "other", "candidate", "candidate", "candidate"],
            "excluded": [False] * 5,
            "agency": ["city", "church", "city", None, "club"],
            "people": [1, 2, 3, 4, 5],
        }
    )
    return Tables(
        people=People(people, groups=("children",), notes=("People were counted by hand.",)),
        sites=Sites(sites),
        sources=(Source("people.csv", "sha256:0", "people", "CC0"),),
    )


def demand(own_speed: tuple[str, ...] = (), weights: dict[str, float] | None = None) -> Demand:
    return make_demand(np.array(TOTAL), {"children": np.array(CHILDREN)}, weights, own_speed)


def instance(weight: Demand, class_times: list[TravelTimes], n_open: int = 2) -> Instance:
    """Uncut rows of all classes and points with weight."""
    indptr, site, cost, weights, point, group = [np.zeros(1)], [], [], [], [], []
    for c, rows in enumerate(class_times):
        for i in np.flatnonzero(weight.class_weight[c] > 0):
            part = slice(rows.indptr[i], rows.indptr[i + 1])
            site.append(rows.site_idx[part])
            cost.append(rows.time_ms[part])
            indptr.append(indptr[-1] + len(rows.site_idx[part]))
            weights.append(weight.class_weight[c, i])
            point.append(i)
            group.append(c)
    return single_phase(
        indptr=np.concatenate([np.ravel(x) for x in indptr]).astype(np.int64),
        site_idx=np.concatenate(site),
        cost=np.concatenate(cost),
        weight=np.array(weights),
        unserved=np.full(len(weights), 60.0 * M),
        standing=np.array([OPEN, OPEN, FREE, FREE, FREE]),
        open_min=n_open,
        open_max=n_open,
        row_point=np.array(point),
        row_group=np.array(group),
    )


def plan_of(open_sites: list[int], **changes: Any) -> Plan:
    own_speed = changes.pop("own_speed", ())
    weights = changes.pop("weights", None)
    class_times = changes.pop("class_times", [times()])
    read = changes.pop("tables", tables())
    weighed = demand(own_speed, weights)
    problem = instance(weighed, class_times, len(open_sites))
    mask = (problem.standing == OPEN) | np.isin(np.arange(5), open_sites)
    cost = problem.unserved.copy()
    rows = np.repeat(np.arange(problem.n_rows), np.diff(problem.indptr))
    hit = mask[problem.site_idx]
    np.minimum.at(cost, rows[hit], problem.cost[hit])
    value = float((problem.weight[0] * cost).sum())
    solution = Solution(
        status=Status.FEASIBLE,
        level=np.where(mask, 0, -1).astype(np.int16)[None, :],
        row_idx=np.zeros(0, dtype=int),
        assigned_idx=np.zeros(0, dtype=int),
        share=np.zeros(0),
        objective=value,
        bound=value * 0.9,
        proof="certificate",
        certificate=Certificate.root_only(np.zeros(problem.n_rows)),
    )
    return make_plan(
        **{
            "name": "Five points",
            "settings": {"plan": {"open": len(open_sites)}},
            "seed": 7,
            "tables": read,
            "demand": weighed,
            "class_times": class_times,
            "instance": problem,
            "solution": solution,
            "unreached_ms": 60 * M,
            "coverage_min": 15.0,
            "crs": "+proj=tmerc",
            "snapping": {
                "people": Snapping(points=5, joined=5, median_m=1.0, farthest_m=2.0, cap_m=500.0, unjoined=[])
            },
            "run": {"seconds": {"solve": 0.1}},
            **changes,
        }
    )


@pytest.fixture
def town() -> SimpleNamespace:
    """The town's makers: ``tables()``, ``times(…)``, ``plan_of(positions opened, **changes)``."""
    return SimpleNamespace(tables=tables, times=times, plan_of=plan_of)


@pytest.fixture
def plan() -> Plan:
    """School and church opened."""
    return plan_of([2, 3])
