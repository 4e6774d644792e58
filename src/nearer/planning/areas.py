"""Access area by area, and in which area a place lies."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
from scipy.spatial import cKDTree

from nearer.inputs.tables import Tables
from nearer.planning.access import Access, sum_by
from nearer.planning.document import AreaAccess
from nearer.planning.equity import equity
from nearer.units import MS_PER_MIN, FloatArray, IntArray, StrArray, minutes_to_ms


def areas(
    names: StrArray,
    before: Access,
    after: Access,
    coverage_min: float,
    unreached_ms: int,
    kappa_per_min: float | None = None,
) -> list[AreaAccess]:
    """
    Access in each named area, in the order of the names.

    Parameters
    ----------
    names
        Area of each point, (n_points,), "" where unknown; points without one are left out.
    before, after
        Nearest sites today and with the plan.
    coverage_min, unreached_ms
        What counts as near, and what a person out of reach counts as in the means.
    kappa_per_min
        κ of the measures of equity; None to leave them out.
    """
    found, area = np.unique(names.astype(str), return_inverse=True)
    people = _per_area(before.people, area, len(found))
    parts = []
    for access in (before, after):
        counted = access.counted_ms(unreached_ms)
        near = access.time_ms <= minutes_to_ms(coverage_min)
        parts.append(
            (
                _per_area(access.people * counted, area, len(found)),
                _per_area(np.where(access.site_idx < 0, access.people, 0.0), area, len(found)),
                _per_area(np.where(near, access.people, 0.0), area, len(found)),
            )
        )
    (walk_0, lost_0, near_0), (walk_1, lost_1, near_1) = parts
    order = np.argsort(area, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(area, minlength=len(found)))[:-1])

    def even(a: int) -> dict[str, float]:
        if kappa_per_min is None:
            return {}
        told: dict[str, float] = {}
        for when, access in (("before", before), ("after", after)):
            here = equity(access.people[:, members[a]], access.time_ms[:, members[a]], unreached_ms, kappa_per_min)
            told |= {f"{when}_{key}": value for key, value in (here._asdict() if here else {}).items()}
        return told

    return [
        AreaAccess(
            name=str(name),
            people=float(people[a]),
            before_mean_min=float(walk_0[a] / people[a] / MS_PER_MIN),
            after_mean_min=float(walk_1[a] / people[a] / MS_PER_MIN),
            before_unreached=float(lost_0[a]),
            after_unreached=float(lost_1[a]),
            before_within=float(near_0[a] / people[a]),
            after_within=float(near_1[a] / people[a]),
            **even(a),
        )
        for a, name in enumerate(found)
        if name and people[a] > 0
    ]


def _per_area(values: FloatArray, area: IntArray, n_areas: int) -> FloatArray:
    return sum_by(area, values.sum(axis=0), n_areas)


def area_of_sites(tables: Tables, people_xy: FloatArray, sites_xy: FloatArray) -> list[str | None]:
    """The district each site stands in, or else the area of the nearest people; None where neither is known."""
    names = tables.people.table["area"].to_numpy(dtype=object)
    known = np.flatnonzero(names != "")
    area: list[str | None] = [None] * tables.sites.n
    if len(known):
        nearest = np.asarray(cKDTree(people_xy[known]).query(sites_xy)[1])
        area = [str(names[known[at]]) for at in nearest]
    if tables.districts is not None:
        table = tables.sites.table
        points = gpd.points_from_xy(table["lon"], table["lat"])
        # sorted, and read backwards so that where districts overlap the first one listed stands
        inside = tables.districts.sindex.query(points, predicate="intersects", sort=True)
        district_names = tables.districts["name"].to_numpy(dtype=object)
        for site, district in zip(inside[0][::-1], inside[1][::-1], strict=True):
            area[int(site)] = str(district_names[district])
    return area
