"""The independent check of gaps: everything they say, computed again in plain NumPy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from nearer.planning.gapdoc import Gap
from nearer.planning.gapfiles import GAPS_FILE, read_gaps
from nearer.study.checks import Check, Verdict, compare, equal, vector
from nearer.study.provenance import origin_of
from nearer.study.recount import Recount
from nearer.study.recount_gaps import GapsRecount, short
from nearer.study.retime import plane_of, retime
from nearer.units import FloatArray, IntArray, minutes_to_ms

_MS = 60_000.0
_WRITTEN = 1e-6  # tables are written with six decimals
_FAR_MS = 2**40
_SERVED = 0.95
_ALIKE = 0.5  # people


def verify_gaps(gaps_folder: Path, study_folder: Path | None = None) -> Verdict:
    """
    Check gaps against their inputs.

    Inputs are read, and streets made into a graph and points joined to them, as for the gaps; travel times come from
    SciPy, and all else is computed here. Of the areas it is checked that they are contiguous, that everybody in them
    lacks something, and every figure told of them; how a wide area is divided, what areas are called, the ground they
    cover and the page and the GeoPackage are not.

    Parameters
    ----------
    gaps_folder
        What ``nearer gaps`` wrote.
    study_folder
        Where the study lies; default what ``run.json`` says, else the folder around the gaps.

    Raises
    ------
    InputError
        There are no gaps, an input is missing, or one has changed since, all of them named.
    """
    gaps_folder = Path(gaps_folder)
    gaps_folder = gaps_folder.parent if gaps_folder.name == GAPS_FILE else gaps_folder
    document, points = read_gaps(gaps_folder)
    origin = origin_of(document, gaps_folder, GAPS_FILE, study_folder)
    study, tables = origin.study, origin.tables
    recount = Recount(study, tables, retime(tables, study.streets, origin.folder))
    checks = [
        *origin.checks(document),
        equal("crs", document.crs, plane_of(tables).crs),
        equal("points: ids", points["id"].tolist(), tables.people.table["id"].tolist()),
    ]
    group, known = document.standard.group, tables.people.groups
    checks.append(Check("standard: group", group is None or group in known, group, ", ".join(known)))
    if not all(check.ok for check in checks):
        return Verdict(tuple(checks), ("The rest was not checked, since the gaps are not those of the study.",))
    found = GapsRecount(document, recount)
    checks += [
        *_check_points(points, found),
        *_check_whole(found),
        *_check_areas(points, found),
    ]
    return Verdict(tuple(checks))


def _near(name: str, claimed: Any, found: FloatArray) -> Check:
    """Whether a written column holds numbers, empty for NaN."""
    told = np.asarray(claimed, dtype=np.float64)
    off = ~(np.abs(told - found) <= _WRITTEN * np.maximum(1.0, np.abs(found)))
    off &= ~(np.isnan(told) & np.isnan(found))
    if off.any():
        at = int(np.flatnonzero(off)[0])
        return Check(f"{name} (row {at + 2})", False, float(told[at]), float(found[at]))
    return Check(name, True, math.fsum(np.nan_to_num(told)), math.fsum(np.nan_to_num(found)))


def _check_points(points: pd.DataFrame, found: GapsRecount) -> Iterator[Check]:
    """Every column of ``points.csv``."""
    names = list(found.pairs)
    need = np.vstack([found.need[name] for name in names])
    main = np.argmax(need, axis=0)
    at = (main, np.arange(need.shape[1]))
    everyone = need.sum(axis=0)
    supply = np.vstack([found.supply[name] for name in names])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(everyone > 0, (need * supply).sum(axis=0) / everyone, supply[at])
    time_ms = np.vstack([found.nearest[name].first_ms for name in names])[at]
    yield _near("points: people", points["people"], found.recount.tables.people.table["total"].to_numpy())
    yield _near("points: need", points["need"], everyone)
    yield _near("points: minutes", points["minutes"], np.where(time_ms < _FAR_MS, time_ms / _MS, np.nan))
    yield _near("points: count", points["count"], np.vstack([found.count[name] for name in names])[at])
    yield _near("points: supply", points["supply"], mean)
    yield _near("points: lacking", points["lacking"], found.total(found.lacking))


def _check_whole(found: GapsRecount) -> Iterator[Check]:
    """Measures, centres, and how far the minutes carry people."""
    need = np.concatenate(list(found.need.values()))
    count = np.concatenate([found.count[name] for name in found.need])
    lacking = np.concatenate([found.lacking[name] for name in found.need])
    time_ms = np.concatenate([found.nearest[name].first_ms for name in found.need])
    reached = time_ms < _FAR_MS
    arrived, offered, total = math.fsum(need[reached]), math.fsum(found.places[found.is_open]), math.fsum(need)
    steps = {"0": count == 0, "1": count == 1, "2": count == 2, "3 or more": count >= 3}
    measures = found.document.measures.model_dump()
    by_count = measures.pop("by_count")
    yield from compare(
        "measures",
        measures,
        {
            "people": math.fsum(found.recount.tables.people.table["total"]),
            "need": total,
            "places": offered,
            "supply": offered / total if total > 0 else None,
            "lacking": math.fsum(lacking),
            "beyond": math.fsum(need[count == 0]),
            "crowded": math.fsum(need[(count > 0) & (lacking > 0)]),
            "unreached": math.fsum(need[~reached]),
            "mean_min": math.fsum(need[reached] * time_ms[reached]) / arrived / _MS if arrived else None,
        },
    )
    yield from compare("measures, centres in reach", by_count, {k: math.fsum(need[v]) for k, v in steps.items()})

    table = found.recount.tables.sites.table
    today = np.flatnonzero(found.is_open)
    told = found.document.centres
    yield equal("centres: ids", [c.id for c in told], [str(table["id"].iloc[site]) for site in today])
    yield equal("centres: names", [c.name for c in told], [str(table["name"].iloc[site]) for site in today])
    yield equal("centres: status", [c.status for c in told], [str(found.status[site]) for site in today])
    ids = [c.id for c in told]
    yield vector("centres: places", [c.places for c in told], found.places[today].tolist(), ids)
    yield vector("centres: demand", [c.demand for c in told], found.demand[today].tolist(), ids)
    yield vector("centres: ratio", [c.ratio or 0.0 for c in told], found.ratio[today].tolist(), ids)
    yield equal("reach_m", found.document.reach_m, _reach_m(found))
    yield equal("join_m", found.document.join_m, _join_m(found))


def _reach_m(found: GapsRecount) -> float:
    pairs, within_ms = found.recount.class_pairs[""], minutes_to_ms(found.document.standard.minutes)
    table = found.recount.tables.sites.table
    site_xy = np.column_stack(plane_of(found.recount.tables).to_xy(table["lon"].to_numpy(), table["lat"].to_numpy()))
    near = pairs.time_ms <= within_ms
    for usual in (near & (2 * pairs.time_ms >= within_ms), near & (pairs.time_ms > 0)):
        if usual.any():
            straight = np.hypot(*(found.xy[pairs.point[usual]] - site_xy[pairs.site[usual]]).T)
            return float(np.median(straight / pairs.time_ms[usual]) * within_ms)
    return 300.0


def _join_m(found: GapsRecount) -> float:
    cell_m = found.recount.tables.people.cell_m
    if cell_m is None:
        if len(found.xy) < 2:
            return 300.0
        cell_m = float(np.median(np.asarray(cKDTree(found.xy).query(found.xy, k=2)[0])[:, 1]))
    return max(300.0, 1.5 * cell_m)


def _check_areas(points: pd.DataFrame, found: GapsRecount) -> Iterator[Check]:
    """Every gap: who belongs to it, whether it is one piece, and its figures."""
    gaps = found.document.gaps
    rank = points["gap"].fillna(0).to_numpy(dtype=np.int64)
    lacking = found.total(found.lacking)
    ranks = list(range(1, len(gaps) + 1))
    yield equal("gaps: ranks", [gap.rank for gap in gaps], ranks)
    yield equal("gaps: points", sorted(set(rank[rank > 0].tolist())), ranks)
    yield Check("gaps: everybody in them lacks something", bool(np.all(lacking[rank > 0] > 0)))
    yield Check("gaps: found", found.document.found >= len(gaps), found.document.found, f"at least {len(gaps)}")
    order = [gap.lacking for gap in gaps]
    yield Check("gaps: order", all(a >= b or math.isclose(a, b) for a, b in pairwise(order)))
    rest = math.fsum(lacking[rank == 0])
    unlisted = found.document.found - len(gaps)
    most = unlisted * order[-1] if gaps else 0.0
    # whoever lives where it adds up to less than a person is in no gap
    small = float(np.count_nonzero(lacking[rank == 0] > 0))
    yield Check("gaps: those not listed are smaller", rest <= most + small + _WRITTEN, rest, most + small)
    for gap in gaps:
        members = np.flatnonzero(rank == gap.rank)
        if len(members):
            yield from _check_gap(gap, members, found)


def _check_gap(gap: Gap, members: IntArray, found: GapsRecount) -> Iterator[Check]:
    name = f"gap {gap.rank}"
    table = found.recount.tables.people.table
    names = list(found.need)
    need = np.vstack([found.need[n][members] for n in names])
    lacking = np.vstack([found.lacking[n][members] for n in names])
    count = np.vstack([found.count[n][members] for n in names])
    supply = np.vstack([found.supply[n][members] for n in names])
    time_ms = np.vstack([found.nearest[n].first_ms[members] for n in names])
    reached = time_ms < _FAR_MS
    total, arrived = math.fsum(need.ravel()), math.fsum(need[reached])
    share = lacking.sum(axis=0) / lacking.sum()
    lon, lat = table["lon"].to_numpy()[members], table["lat"].to_numpy()[members]
    told = gap.model_dump(include={"people", "need", "lacking", "beyond", "unreached", "minutes", "supply", "count",
                                   "points", "lon", "lat"})  # fmt: skip
    known = {
        "people": math.fsum(table["total"].to_numpy()[members]),
        "need": total,
        "lacking": math.fsum(lacking.ravel()),
        "beyond": math.fsum(need[count == 0]),
        "unreached": math.fsum(need[~reached]),
        "minutes": math.fsum((need * time_ms)[reached]) / arrived / _MS if arrived > 0 else None,
        "supply": math.fsum((need * supply).ravel()) / total,
        "count": math.fsum((need * count).ravel()) / total,
        "points": len(members),
        "lon": math.fsum(share * lon),
        "lat": math.fsum(share * lat),
    }
    yield from compare(name, told, known)
    groups = {group: math.fsum(found.recount.group(group)[members]) for group in found.recount.tables.people.groups}
    yield from compare(f"{name}, people", gap.groups, groups)
    box = [float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())]
    yield equal(f"{name}: extent", list(gap.extent), box)
    across = float(pdist(found.xy[members]).max()) if len(members) > 1 else 0.0
    yield Check(f"{name}: across", abs(gap.across_m - across) <= 0.5 + _WRITTEN, gap.across_m, across)
    yield Check(f"{name}: one piece", _one_piece(found.xy[members], found.document.join_m))
    yield equal(f"{name}: centres in reach", gap.sites, _sites(members, found))
    yield from _check_mend(gap, members, found, need, supply, count)
    yield from _check_sizing(gap, found, found.xy[members], lacking.sum(axis=0))


def _squares(xy: FloatArray, side_m: float) -> tuple[FloatArray, IntArray]:
    """Means of the points of each square, in the order of the squares, and the square of each point."""
    found: dict[tuple[int, int], list[int]] = {}
    for point, (x, y) in enumerate(xy):
        found.setdefault((math.floor(x / side_m), math.floor(y / side_m)), []).append(point)
    spot = np.zeros(len(xy), dtype=np.int64)
    means = []
    for number, square in enumerate(sorted(found)):
        spot[found[square]] = number
        means.append(xy[found[square]].mean(axis=0))
    return np.array(means), spot


def _one_piece(xy: FloatArray, join_m: float) -> bool:
    """Whether one can walk over an area from neighbour to neighbour."""
    spots, _ = _squares(xy, 100.0)
    tree = cKDTree(spots)
    seen, todo = {0}, [0]
    while todo:
        for other in tree.query_ball_point(spots[todo.pop()], join_m * (1 + 1e-12)):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return len(seen) == len(spots)


def _sites(members: IntArray, found: GapsRecount) -> list[str]:
    reached: set[int] = set()
    inside = np.zeros(len(found.xy), dtype=bool)
    inside[members] = True
    for name, (point, site, _) in found.pairs.items():
        reached |= set(site[inside[point] & (found.need[name][point] > 0) & found.is_open[site]].tolist())
    ids = found.recount.tables.sites.table["id"]
    return [str(ids.iloc[site]) for site in sorted(reached)]


def _check_mend(
    gap: Gap, members: IntArray, found: GapsRecount, need: FloatArray, supply: FloatArray, count: FloatArray
) -> Iterator[Check]:
    """The candidate told leaves as told, and no other leaves fewer lacking."""
    place = np.full(len(found.xy), -1)
    place[members] = np.arange(len(members))
    now = math.fsum((need * short(supply)).ravel())
    left: dict[int, float] = {}
    beyond: dict[int, float] = {}
    columns = []
    for row, (point, to_site, weight) in enumerate(found.pairs.values()):
        keep = (place[point] >= 0) & found.may_open[to_site]
        columns.append((np.full(int(keep.sum()), row), place[point[keep]], to_site[keep], weight[keep]))
    rows, places, sites, weights = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(sites, kind="stable")
    starts = np.flatnonzero(np.diff(sites[order], prepend=-1))
    for start, end in pairwise([*starts.tolist(), len(order)]):
        mine = order[start:end]
        site = int(sites[mine[0]])
        at = (rows[mine], places[mine])
        then, none = supply.copy(), count == 0
        then[at] += found.ratio[site] * weights[mine]
        none[at] = False
        left[site], beyond[site] = math.fsum((need * short(then)).ravel()), math.fsum(need[none])
    name, least = f"gap {gap.rank}: mend", min(left.values(), default=now)
    if gap.mend is None:
        yield Check(name, now - least < _ALIKE + _WRITTEN, "no candidate", f"one that would spare {now - least:g}")
        return
    table = found.recount.tables.sites.table
    at_id = {str(site): position for position, site in enumerate(table["id"])}
    chosen = at_id.get(gap.mend.id, -1)
    if chosen not in left:
        yield Check(name, False, gap.mend.id, "no candidate in reach")
        return
    alike = [site for site in left if left[site] <= least + _ALIKE + _WRITTEN]
    yield Check(name, chosen in alike, left[chosen], least)
    fewest = min(beyond[site] for site in alike)
    yield Check(f"{name}: reaches most", beyond[chosen] <= fewest + _ALIKE, beyond[chosen], fewest)
    there = table.iloc[chosen]
    told = (gap.mend.name, gap.mend.lon, gap.mend.lat)
    yield equal(f"{name}: name and place", told, (str(there["name"]), float(there["lon"]), float(there["lat"])))
    # a sum of differences: as exact as what it is left of
    ok = abs(gap.mend.lacking - left[chosen]) <= 1e-9 * max(1.0, now)
    yield Check(f"{name}: left", ok, gap.mend.lacking, left[chosen])
    yield equal(f"{name}: beyond", gap.mend.beyond, beyond[chosen])


def _check_sizing(gap: Gap, found: GapsRecount, xy: FloatArray, lacking: FloatArray) -> Iterator[Check]:
    """The range of centres, from its rule."""
    total = math.fsum(lacking)
    levels = {level.name: level.capacity for level in found.recount.study.levels if level.capacity != 0} or {"": None}
    yield equal(f"gap {gap.rank}: sizing, levels", [size.level for size in gap.sizing], list(levels))
    for size in gap.sizing:
        name = f"gap {gap.rank}: sizing{f' ({size.level})' if size.level else ''}"
        capacity = levels.get(size.level)
        yield equal(
            f"{name}, capacity", size.capacity, found.document.standard.people if capacity is None else capacity
        )
        low = max(1, math.ceil(total / size.capacity - 1e-9))
        yield equal(f"{name}, at least", size.low, low)
        yield equal(f"{name}, at most", size.high, max(low, _cover(xy, lacking, found.document.reach_m, size.capacity)))


def _cover(xy: FloatArray, lacking: FloatArray, reach_m: float, capacity: float) -> int:
    spots, spot = _squares(xy, max(100.0, reach_m / 10))
    left = np.zeros(len(spots))
    np.add.at(left, spot, lacking)
    rest = (1 - _SERVED) * left.sum()
    n = 0
    while left.sum() > rest + 1e-9:
        best, key = -1, (-1.0, -1.0)
        for middle in range(len(spots)):
            near = np.hypot(*(spots - spots[middle]).T) <= reach_m
            mine = (round(min(float(left[near].sum()), capacity), 6), float(left[middle]))
            if mine > key:
                best, key = middle, mine
        far_m = np.hypot(*(spots - spots[best]).T)
        room = capacity
        for other in np.argsort(far_m, kind="stable"):
            if far_m[other] <= reach_m and room > 0:
                taken = min(room, left[other])
                left[other] -= taken
                room -= taken
        n += 1
    return n
