"""``make_gaps``: crowded areas with too few places in reach, named, ranked, and what would mend them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import nearer
from nearer.demand import Demand
from nearer.errors import Fault, InputError
from nearer.inputs.geo import WGS84, LocalPlane
from nearer.inputs.tables import Streets, Tables
from nearer.network import TravelTimes
from nearer.planning import gapdoc
from nearer.planning.access import Access, mean_minutes, sum_by
from nearer.planning.catchment import Catchment, floating_catchment, shortfall
from nearer.planning.document import Snapping, SourceFile
from nearer.planning.far import Surroundings, surroundings
from nearer.planning.gapareas import JOIN_M, across_m, contiguous, neighbour_m, outline
from nearer.planning.naming import area_name
from nearer.planning.sizing import SERVED, Level, size_area
from nearer.units import MS_PER_MIN, UNREACHED, BoolArray, FloatArray, IntArray, minutes_to_ms

MOST = 50
"""Gaps that are listed, at most."""
LEAST_PEOPLE = 1.0
"""A gap where fewer lack a place is not listed."""


@dataclass(frozen=True)
class Gaps:
    """
    Gaps in the user's own ids, with what it takes to draw and to check them.

    Parameters
    ----------
    document
        What ``gaps.json`` holds.
    areas
        One polygon per gap listed, WGS 84: ``rank``, ``name`` and the figures of `gapdoc.Gap`.
    people
        Every point, points in WGS 84: ``id``, ``total``, one column per group, ``area``, ``need``, ``minutes`` to the
        nearest centre (NaN = out of reach), ``count`` of open centres in reach, ``supply`` (places per person in
        reach), ``lacking`` (people × shortfall), ``gap`` (Int64, rank of the gap it belongs to).
    sites
        Every site read, points in WGS 84: ``id``, ``name``, ``status`` ("existing" | "candidate" | "other"),
        ``places``, ``demand``, ``ratio``, ``mends`` (text, ranks of the gaps it would mend best).
    streets, boundary, districts, shapes, cell_m
        As read, for the maps; None where the study has none.
    run
        What differs from run to run.
    """

    document: gapdoc.GapsDocument
    areas: gpd.GeoDataFrame
    people: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    streets: Streets | None = None
    boundary: gpd.GeoDataFrame | None = None
    districts: gpd.GeoDataFrame | None = None
    shapes: gpd.GeoSeries | None = None
    cell_m: float | None = None
    run: dict[str, Any] = field(default_factory=dict)


def places_of(table: pd.DataFrame, standard_people: float) -> tuple[FloatArray, int]:
    """
    How many people each site is for, float64 (n_sites,), and how many sites say so themselves.

    Parameters
    ----------
    table
        Sites; a column ``capacity`` holds people, blank where the standard's number counts.
    standard_people
        What a site without a capacity counts as.

    Raises
    ------
    InputError
        A capacity is no number of people, with every site where it is not.
    """
    places = np.full(len(table), float(standard_people))
    if "capacity" not in table:
        return places, 0
    text = table["capacity"].astype(str).str.strip()
    given = np.asarray(table["capacity"].notna() & (text != ""), dtype=bool)
    number = pd.to_numeric(table["capacity"].where(given), errors="coerce").to_numpy(dtype=np.float64)
    bad = given & ~(np.isfinite(number) & (number >= 0))
    if bad.any():
        raise InputError(
            Fault(
                f'the capacity "{text.iloc[site]}" of site "{table["id"].iloc[site]}" is no number of people',
                column="capacity",
                remedy="give a number, 0 or more, or leave it blank",
            )
            for site in np.flatnonzero(bad)
        )
    places[given] = number[given]
    return places, int(given.sum())


def need_of(demand: Demand, group: str | None) -> FloatArray:
    """People whose need counts, float64 (n_classes, n_points): everyone, or one group at its own speed."""
    if group is None:
        return demand.class_people
    need = np.zeros_like(demand.class_people)
    c = demand.class_names.index(group) if group in demand.class_names else 0
    need[c] = demand.people[demand.groups.index(group)]
    return need


def typical_reach_m(people_xy: FloatArray, sites_xy: FloatArray, times: TravelTimes, within_ms: int) -> float:
    """
    Straight metres that ``within_ms`` carry people: the median over journeys, ``JOIN_M`` without any.

    Journeys of half as long or longer count, since on short ones the way to the street weighs too much; where there are
    none, the shorter ones have to do.

    Parameters
    ----------
    people_xy, sites_xy
        Metres, float64 (n, 2).
    times
        Of everyone without a speed of their own.
    """
    for least_ms in (within_ms / 2, 1):
        at = np.flatnonzero((times.time_ms <= within_ms) & (times.time_ms >= least_ms))
        if len(at):
            point = np.searchsorted(times.indptr, at, side="right") - 1
            straight = np.hypot(*(people_xy[point] - sites_xy[times.site_idx[at]]).T)
            return float(np.median(straight / times.time_ms[at]) * within_ms)
    return JOIN_M


def make_gaps(
    *,
    name: str,
    settings: dict[str, Any],
    tables: Tables,
    demand: Demand,
    class_times: Sequence[TravelTimes],
    candidate_mask: BoolArray,
    standard: gapdoc.Standard,
    crs: str,
    snapping: dict[str, Snapping],
    run: dict[str, Any],
    levels: Sequence[Level] = (),
    suburbs: tuple[Sequence[str], FloatArray] = ((), np.zeros((0, 2))),
) -> Gaps:
    """
    Find the areas where people have fewer places in reach than the standard.

    Parameters
    ----------
    name, settings
        Of the study.
    tables, demand
        What was read; existing sites and those of other providers are open.
    class_times
        Uncut times of each speed class; site positions are rows of ``tables.sites.table``.
    candidate_mask
        Sites that may open, bool (n_sites,).
    standard
        What access is measured against.
    crs
        The system distances were measured in.
    snapping
        How "people" and "sites" were joined to the streets.
    run
        What differs from run to run.
    levels
        Sizes of centre for the advice; default one, for as many people as the standard says.
    suburbs
        Names of suburbs and their places, degrees, float64 (n, 2); areas are named after them.

    Raises
    ------
    InputError
        A capacity is no number of people.
    """
    table = tables.sites.table
    open_mask = table["status"].isin(["existing", "other"]).to_numpy()
    within_ms = minutes_to_ms(standard.minutes)
    places, n_given = places_of(table, standard.people)
    need = need_of(demand, standard.group)
    caught = floating_catchment(need, class_times, places, open_mask, candidate_mask, within_ms, standard.decay)
    access = Access.to_open(demand, class_times, open_mask)
    around, plane = surroundings(tables, candidate_mask)
    reach_m = typical_reach_m(around.people_xy, around.sites_xy, class_times[0], within_ms)
    join_m = neighbour_m(around.people_xy, tables.people.cell_m)

    lacking = caught.lacking.sum(axis=0)
    short = np.flatnonzero(lacking > 0)
    area = contiguous(around.people_xy[short], lacking[short], join_m, 2.0 * max(reach_m, join_m))
    members = _members(short, area, lacking)
    listed = members[:MOST]
    scene = _Scene(
        tables, demand, need, caught, access, around, plane, open_mask, candidate_mask, places, standard, within_ms,
        reach_m, join_m, tuple(levels) or (Level("", standard.people),), _suburbs(suburbs, plane),
    )  # fmt: skip
    found = [scene.describe(rank, points) for rank, points in enumerate(listed, start=1)]

    gap_of = pd.array([pd.NA] * demand.n_points, dtype="Int64")
    for rank, points in enumerate(listed, start=1):
        gap_of[points] = rank
    document = gapdoc.GapsDocument(
        nearer=nearer.__version__,
        study=name,
        inputs={source.path: source.sha256 for source in tables.sources},
        settings=settings,
        standard=standard,
        rule=rule(standard, n_given),
        crs=crs,
        reach_m=reach_m,
        join_m=join_m,
        measures=_measures(demand, need, caught, access, places[open_mask]),
        found=len(members),
        gaps=[gap for gap, _ in found],
        centres=[
            gapdoc.OpenCentre(
                id=str(table["id"].iloc[site]),
                name=str(table["name"].iloc[site]),
                status=table["status"].iloc[site],
                places=float(places[site]),
                demand=float(caught.demand[site]),
                ratio=float(caught.ratio[site]) if caught.demand[site] > 0 else None,
            )
            for site in np.flatnonzero(open_mask)
        ],
        snapping=snapping,
        sources=[
            SourceFile(path=source.path, sha256=source.sha256, kind=source.kind, licence=source.licence)
            for source in tables.sources
        ],
        notes=_notes(tables, demand, standard, n_given, int(open_mask.sum())),
    )
    return Gaps(
        document=document,
        areas=_areas_frame(document, [shape for _, shape in found]),
        people=_people_frame(tables, need, caught, access, gap_of),
        sites=_sites_frame(table, places, caught, document),
        streets=tables.streets,
        boundary=tables.boundary,
        districts=tables.districts,
        shapes=tables.people.shapes,
        cell_m=tables.people.cell_m,
        run=run,
    )


def _members(short: IntArray, area: IntArray, lacking: FloatArray) -> list[IntArray]:
    """Points of each area, most people lacking first; areas where hardly anybody lacks a place are left out."""
    order = np.argsort(area, kind="stable")
    parts = [short[part] for part in np.split(order, np.flatnonzero(np.diff(area[order])) + 1) if len(part)]
    sums = [math.fsum(lacking[part]) for part in parts]
    ranked = sorted(range(len(parts)), key=lambda a: (-sums[a], int(parts[a][0])))
    return [np.sort(parts[a]) for a in ranked if sums[a] >= LEAST_PEOPLE]


def _suburbs(suburbs: tuple[Sequence[str], FloatArray], plane: LocalPlane) -> tuple[list[str], FloatArray]:
    names, lonlat = suburbs
    return list(names), np.column_stack(plane.to_xy(lonlat[:, 0], lonlat[:, 1]))


@dataclass(frozen=True)
class _Scene:
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

        It shares its places among everybody in its catchment, those outside the gap included.
        """
        saved = np.zeros(len(self.places))
        supply = self.caught.supply[:, points]
        need = self.need[:, points]
        pairs = self._pairs(points, self.candidate_mask)
        for c, (place, site, weight) in enumerate(pairs):
            now = supply[c, place]
            then = now + self.caught.ratio[site] * weight
            saved += sum_by(site, need[c, place] * (shortfall(now) - shortfall(then)), len(saved))
        best = int(np.argmax(np.round(saved, 6)))
        if saved[best] < LEAST_PEOPLE / 2:
            return None
        left, beyond = supply.copy(), self.caught.count[:, points] == 0
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


def rule(standard: gapdoc.Standard, n_given: int = 0) -> str:
    """The standard and the sizing rule in words."""
    whom = f"{standard.people:,.0f} {standard.group.replace('_', ' ') if standard.group else 'people'}"
    given = " (or as many as its capacity says)" if n_given else ""
    return (
        f"One centre for every {whom}{given} within {standard.minutes:g} minutes. "
        "A centre's places are shared among everybody in reach of it; a person lacks what the shares of all centres in "
        "reach leave below one place. "
        "An area calls for at least as many centres as the people who lack a place in it fill, and for no more than it "
        "takes to put one centre after the other where most of them live, each for those within reach of it, until "
        f"{SERVED:.0%} of them have a place."
    )


def _measures(
    demand: Demand, need: FloatArray, caught: Catchment, access: Access, places: FloatArray
) -> gapdoc.GapMeasures:
    total, offered = math.fsum(need.ravel()), math.fsum(places)
    lost = caught.count == 0
    minutes = float(mean_minutes(need.ravel(), access.time_ms.ravel()))
    steps = np.minimum(caught.count, 3).ravel()
    return gapdoc.GapMeasures(
        people=math.fsum(demand.total),
        need=total,
        places=offered,
        supply=offered / total if total > 0 else None,
        lacking=math.fsum(caught.lacking.ravel()),
        beyond=math.fsum(need[lost]),
        crowded=math.fsum(need[~lost & (caught.shortfall > 0)]),
        unreached=math.fsum(need[access.time_ms == UNREACHED]),
        mean_min=None if math.isnan(minutes) else minutes,
        by_count={key: math.fsum(need.ravel()[steps == step]) for step, key in enumerate(("0", "1", "2", "3 or more"))},
    )


def _notes(tables: Tables, demand: Demand, standard: gapdoc.Standard, n_given: int, n_open: int) -> list[str]:
    found = [
        "Places in reach are measured by the two-step floating catchment (Luo & Wang 2003): what a centre offers is "
        "shared among everybody within reach of it, and each person adds up the shares of all centres in reach.",
    ]
    if standard.decay != "none":
        found.append("People farther away count less in a catchment, by thirds of its minutes (Luo & Qi 2009).")
    if n_given:
        found.append(f"{n_given} of the sites say for how many people they are; the others count as for "
                     f"{standard.people:,.0f}.")  # fmt: skip
    n_other = int((tables.sites.table["status"] == "other").sum())
    if n_other:
        found.append(f"{n_other} of the {n_open} open centres are other providers'; their places count too.")
    if standard.group is not None:
        found.append(f"Only the need of {standard.group.replace('_', ' ')} counts: places are shared among them alone.")
        if standard.group not in demand.class_names and len(demand.class_names) > 1:
            found.append(f"{standard.group.replace('_', ' ')} are taken to walk at everyone's speed.")
    found += [
        "Points with a shortfall that are neighbours are one gap; where crowds are farther apart than twice the reach "
        "of a centre, the ground between them is divided.",
        "What would mend a gap shares its places with everybody in reach of it, so that one new centre may help a "
        "neighbouring gap as well; each gap is judged alone.",
        "Sizing measures reach in straight lines, as far as the minutes of the standard usually carry people here, and "
        "asks only for ground, not for a building.",
    ]
    return [*found, *tables.notes, *tables.people.notes, *tables.sites.notes]


def _areas_frame(document: gapdoc.GapsDocument, shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    rows = []
    for gap in document.gaps:
        mend, sized = gap.mend, gap.sizing[0]
        rows.append(
            {
                "rank": gap.rank,
                "name": gap.name,
                "people": gap.people,
                **{f"people_{group}": count for group, count in gap.groups.items()},
                "need": gap.need,
                "lacking": gap.lacking,
                "beyond": gap.beyond,
                "unreached": gap.unreached,
                "minutes": math.nan if gap.minutes is None else gap.minutes,
                "supply": gap.supply,
                "count": gap.count,
                "sites": len(gap.sites),
                "lon": gap.lon,
                "lat": gap.lat,
                "area_km2": gap.area_km2,
                "across_m": gap.across_m,
                "mend": mend.id if mend else "",
                "mend_name": mend.name if mend else "",
                "mend_lacking": mend.lacking if mend else math.nan,
                "mend_beyond": mend.beyond if mend else math.nan,
                "centres_low": sized.low,
                "centres_high": sized.high,
            }
        )
    columns = list(rows[0]) if rows else ["rank", "name", "people", "lacking"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=gpd.GeoSeries(shapes, crs=WGS84), crs=WGS84)


def _people_frame(tables: Tables, need: FloatArray, caught: Catchment, access: Access, gap_of: Any) -> gpd.GeoDataFrame:
    table = tables.people.table
    frame = table[["id", "total", *tables.people.groups, "area"]].reset_index(drop=True)
    everyone = need.sum(axis=0)
    main = np.argmax(need, axis=0), np.arange(need.shape[1])
    share = np.divide(need, everyone, out=np.zeros_like(need), where=everyone > 0)
    share[main[0][everyone == 0], np.flatnonzero(everyone == 0)] = 1.0
    frame["need"] = everyone
    frame["minutes"] = np.where(access.time_ms[main] == UNREACHED, np.nan, access.time_ms[main] / MS_PER_MIN)
    frame["count"] = caught.count[main]
    frame["supply"] = (share * caught.supply).sum(axis=0)
    frame["lacking"] = caught.lacking.sum(axis=0)
    frame["gap"] = gap_of
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)


def _sites_frame(
    table: pd.DataFrame, places: FloatArray, caught: Catchment, document: gapdoc.GapsDocument
) -> gpd.GeoDataFrame:
    mends: dict[str, list[str]] = {}
    for gap in document.gaps:
        if gap.mend is not None:
            mends.setdefault(gap.mend.id, []).append(str(gap.rank))
    ours = pd.DataFrame(
        {
            "id": table["id"].to_numpy(dtype=object),
            "name": table["name"].to_numpy(dtype=object),
            "status": table["status"].to_numpy(dtype=object),
            "places": places,
            "demand": caught.demand,
            "ratio": np.where(caught.demand > 0, caught.ratio, np.nan),
            "mends": [", ".join(mends.get(str(site), [])) for site in table["id"]],
        }
    )
    return gpd.GeoDataFrame(ours, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)
