"""What is told of one gap: its people, its name, its ground, what would mend it and how many centres it calls for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from nearer.demand import Demand
from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import Tables
from nearer.planning import gapdoc
from nearer.planning.access import Access, mean_minutes, sum_by
from nearer.planning.catchment import Catchment, shortfall
from nearer.planning.far import Surroundings
from nearer.planning.gapareas import across_m, outline
from nearer.planning.naming import area_name
from nearer.planning.sizing import Level, size_area
from nearer.units import UNREACHED, BoolArray, FloatArray, IntArray

WORTH_PEOPLE = 0.5
"""A candidate mends a gap if it spares so many people the lack of a place."""


@dataclass(frozen=True)
class Scene:
    """All that the description of one gap draws on."""

    tables: Tables
    demand: Demand
    need: FloatArray
    caught: Catchment
    access: Access
    around: Surroundings
    plane: LocalPlane
    open_mask: BoolArray
    candidate_mask: BoolArray
    places: FloatArray
    standard: gapdoc.Standard
    within_ms: int
    reach_m: float
    join_m: float
    levels: tuple[Level, ...]
    suburbs: tuple[list[str], FloatArray]

    def describe(self, rank: int, points: IntArray) -> tuple[gapdoc.Gap, shapely.Geometry]:
        """One gap, and the ground it covers in degrees."""
        xy = self.around.people_xy[points]
        need, lacking = self.need[:, points], self.caught.lacking[:, points]
        everyone = need.sum(axis=0)
        total = math.fsum(everyone)
        by_point = lacking.sum(axis=0)
        share = by_point / by_point.sum()
        lon, lat = (share[:, None] * self.around.people_lonlat[points]).sum(axis=0)
        west, south = self.around.people_lonlat[points].min(axis=0)
        east, north = self.around.people_lonlat[points].max(axis=0)
        time_ms = self.access.time_ms[:, points]
        minutes = float(mean_minutes(need.ravel(), time_ms.ravel()))
        shape = self._shape(points, xy)
        table = self.tables.people.table
        gap = gapdoc.Gap(
            rank=rank,
            name=self._name(points, share) or f"{lat:.3f}, {lon:.3f}",
            people=math.fsum(self.demand.total[points]),
            groups={
                group: math.fsum(table[group].to_numpy(dtype=np.float64)[points]) for group in self.tables.people.groups
            },
            need=total,
            lacking=math.fsum(by_point),
            beyond=math.fsum(need[self.caught.count[:, points] == 0]),
            unreached=math.fsum(need[time_ms == UNREACHED]),
            minutes=None if math.isnan(minutes) else minutes,
            supply=math.fsum((need * self.caught.supply[:, points]).ravel()) / total,
            count=math.fsum((need * self.caught.count[:, points]).ravel()) / total,
            sites=self._sites(points),
            points=len(points),
            lon=float(lon),
            lat=float(lat),
            extent=(float(west), float(south), float(east), float(north)),
            area_km2=round(float(shapely.area(shape)) / 1e6, 3),
            across_m=round(across_m(xy)),
            mend=self._mend(points),
            sizing=[
                gapdoc.SizedLevel(level=one.level.name, capacity=one.level.capacity, low=one.low, high=one.high)
                for one in size_area(xy, by_point, self.reach_m, self.levels)
            ],
        )
        return gap, shapely.transform(shape, self._lonlat)

    def _lonlat(self, xy: FloatArray) -> FloatArray:
        return np.column_stack(self.plane.to_lonlat(xy[:, 0], xy[:, 1]))

    def _shape(self, points: IntArray, xy: FloatArray) -> shapely.Geometry:
        shapes = self.tables.people.shapes
        cell_m = self.tables.people.cell_m
        if shapes is None or cell_m is not None:
            return outline(xy, self.join_m, cell_m, None)
        placed = shapely.transform(
            shapes.to_numpy()[points], lambda lonlat: np.column_stack(self.plane.to_xy(lonlat[:, 0], lonlat[:, 1]))
        )
        return outline(xy, self.join_m, None, list(placed))

    def _name(self, points: IntArray, share: FloatArray) -> str:
        return area_name(self.around, points, share, self.suburbs, max(self.reach_m, self.join_m))

    def _pairs(self, points: IntArray, site_mask: BoolArray) -> list[tuple[IntArray, IntArray, FloatArray]]:
        """Per class: place in ``points``, site and weight of each pair within the catchment of some sites."""
        place = np.full(self.need.shape[1], -1, dtype=np.int64)
        place[points] = np.arange(len(points))
        found: list[tuple[IntArray, IntArray, FloatArray]] = []
        for reach in self.caught.reach:
            low, high = np.searchsorted(reach.point_idx, [points[0], points[-1] + 1])
            part = slice(int(low), int(high))
            keep = (place[reach.point_idx[part]] >= 0) & site_mask[reach.site_idx[part]]
            found.append((place[reach.point_idx[part]][keep], reach.site_idx[part][keep], reach.weight[part][keep]))
        return found

    def _sites(self, points: IntArray) -> list[str]:
        reached = np.zeros(len(self.places), dtype=bool)
        for c, (place, site, _) in enumerate(self._pairs(points, self.open_mask)):
            reached[site[self.need[c, points][place] > 0]] = True
        return [str(one) for one in self.around.site_ids[reached]]

    def _mend(self, points: IntArray) -> gapdoc.Mend | None:
        """
        The candidate that leaves fewest people lacking if it opens.

        It shares its places among everybody in its catchment, those outside the gap included. Of those that are alike
        to half a person, it is the one that newly reaches most people.
        """
        saved, reached = np.zeros(len(self.places)), np.zeros(len(self.places))
        lost = self.caught.count[:, points] == 0
        supply = self.caught.supply[:, points]
        need = self.need[:, points]
        pairs = self._pairs(points, self.candidate_mask)
        for c, (place, site, weight) in enumerate(pairs):
            now = supply[c, place]
            then = now + self.caught.ratio[site] * weight
            saved += sum_by(site, need[c, place] * (shortfall(now) - shortfall(then)), len(saved))
            reached += sum_by(site, np.where(lost[c, place], need[c, place], 0.0), len(saved))
        alike = saved >= saved.max() - WORTH_PEOPLE
        best = int(np.argmax(np.where(alike, np.round(reached, 6), -1.0)))
        if saved[best] < WORTH_PEOPLE:
            return None
        left, beyond = supply.copy(), lost.copy()
        for c, (place, site, weight) in enumerate(pairs):
            mine = site == best
            left[c, place[mine]] += self.caught.ratio[best] * weight[mine]
            beyond[c, place[mine]] = False
        row = self.tables.sites.table.iloc[best]
        return gapdoc.Mend(
            id=str(row["id"]),
            name=str(row["name"]),
            lon=float(row["lon"]),
            lat=float(row["lat"]),
            lacking=math.fsum((need * shortfall(left)).ravel()),
            beyond=math.fsum(need[beyond]),
        )
