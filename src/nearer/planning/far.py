"""Who remains far: places, named and ranked, that a next centre would have to serve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import Streets, Tables
from nearer.network import TravelTimes
from nearer.planning.access import Access, PointTimes, mean_minutes, rows_of, sum_by
from nearer.planning.document import FarPlace
from nearer.units import MS_PER_MIN, NO_SITE, UNREACHED, BoolArray, FloatArray, IntArray, StrArray, minutes_to_ms

NEIGHBOUR_M = 300.0
"""People this near to each other belong together."""
PLACE_RADIUS_M = 1_000.0
"""A place reaches no farther than this from its worst spot, so that it stays one that can be pointed at."""
SQUARE_M = 100.0
"""People are gathered in squares of this side first, so that densely listed points cost no more than cells."""
NAME_RADIUS_M = 500.0
"""A site or street this near to a place may lend it its name."""
N_PLACES = 12
WORTH_MS = MS_PER_MIN
"""A candidate mends a place if it saves its people a minute each on average."""


@dataclass(frozen=True)
class Surroundings:
    """
    What far places are named after and mended with.

    Parameters
    ----------
    people_lonlat, people_xy, sites_xy
        Degrees, and metres in the study's plane, float64 (n, 2).
    areas
        Area of each point, "" where unknown.
    site_ids, site_names
        (n_sites,).
    spare_mask
        Candidates that could still open, bool (n_sites,).
    street_names, street_xy
        Named street segments and their middles in metres.
    """

    people_lonlat: FloatArray
    people_xy: FloatArray
    sites_xy: FloatArray
    areas: StrArray
    site_ids: StrArray
    site_names: StrArray
    spare_mask: BoolArray
    street_names: StrArray
    street_xy: FloatArray


def street_labels(streets: Streets | None) -> tuple[StrArray, FloatArray]:
    """Name and middle (degrees, float64 (n, 2)) of each street segment that has a name."""
    if streets is None or not streets.n_segments:
        return np.array([], dtype=object), np.zeros((0, 2))
    names = np.array(streets.way_names, dtype=object)[streets.way_idx]
    named = np.flatnonzero(names != "")
    from_idx, to_idx = streets.from_idx[named], streets.to_idx[named]
    lon = (streets.lon[from_idx] + streets.lon[to_idx]) / 2
    lat = (streets.lat[from_idx] + streets.lat[to_idx]) / 2
    return names[named], np.column_stack([lon, lat])


def surroundings(tables: Tables, spare_mask: BoolArray) -> tuple[Surroundings, LocalPlane]:
    """Names and coordinates of a study, and the plane they are measured in; ``spare_mask`` is bool (n_sites,)."""
    people, sites = tables.people.table, tables.sites.table
    plane = LocalPlane.around(
        pd.concat([people["lon"], sites["lon"]]).to_numpy(), pd.concat([people["lat"], sites["lat"]]).to_numpy()
    )
    label_names, label_lonlat = street_labels(tables.streets)
    around = Surroundings(
        people_lonlat=people[["lon", "lat"]].to_numpy(dtype=np.float64),
        people_xy=np.column_stack(plane.to_xy(people["lon"].to_numpy(), people["lat"].to_numpy())),
        sites_xy=np.column_stack(plane.to_xy(sites["lon"].to_numpy(), sites["lat"].to_numpy())),
        areas=people["area"].to_numpy(dtype=object),
        site_ids=sites["id"].to_numpy(dtype=object),
        site_names=sites["name"].to_numpy(dtype=object),
        spare_mask=spare_mask,
        street_names=label_names,
        street_xy=np.column_stack(plane.to_xy(label_lonlat[:, 0], label_lonlat[:, 1])),
    )
    return around, plane


def far_places(
    around: Surroundings,
    class_times: Sequence[TravelTimes | PointTimes],
    after: Access,
    coverage_min: float,
    unreached_ms: int,
) -> list[FarPlace]:
    """
    Places whose people walk longer than ``coverage_min`` in the plan or reach no site, worst first.

    People within ``NEIGHBOUR_M`` of each other and in one area are joined; of each such group, the spot with the most
    person-minutes beyond ``coverage_min`` and all within ``PLACE_RADIUS_M`` of it make one place, and so on with what
    is left. Places are ranked by those person-minutes; the first ``N_PLACES`` are given.

    Parameters
    ----------
    around
        Names and coordinates.
    class_times
        Uncut times per speed class.
    after
        Nearest sites in the plan.
    coverage_min, unreached_ms
        What counts as near, and what a person out of reach counts as.
    """
    coverage_ms = minutes_to_ms(coverage_min)
    counted = after.counted_ms(unreached_ms)
    is_far = (after.time_ms > coverage_ms) & (after.people > 0)
    people = np.where(is_far, after.people, 0.0)
    excess = (people * np.maximum(counted - coverage_ms, 1.0)).sum(axis=0)
    points = np.flatnonzero(is_far.any(axis=0))
    places = [(float(excess[members].sum()), members) for members in _join(around, points, excess)]
    places = [place for place in places if people[:, place[1]].sum() >= 1.0]
    places.sort(key=lambda place: (-place[0], int(place[1][0])))
    return [_describe(around, class_times, after, people, members, unreached_ms) for _, members in places[:N_PLACES]]


def _join(around: Surroundings, points: IntArray, excess: FloatArray) -> Iterator[IntArray]:
    """Points of each place."""
    if not len(points):
        return
    area = np.unique(around.areas[points].astype(str), return_inverse=True)[1]
    square = np.floor(around.people_xy[points] / SQUARE_M).astype(np.int64)
    keys, cell = np.unique(np.column_stack([area, square]), axis=0, return_inverse=True)
    cell = cell.ravel()
    middle = (keys[:, 1:] + 0.5) * SQUARE_M
    weight = sum_by(cell, excess[points], len(keys))

    tree = cKDTree(middle)
    near = tree.query_pairs(NEIGHBOUR_M, output_type="ndarray")
    near = near[keys[near[:, 0], 0] == keys[near[:, 1], 0]]
    links = coo_array((np.ones(len(near), dtype=np.int8), (near[:, 0], near[:, 1])), shape=(len(keys), len(keys)))
    together = connected_components(links, directed=False)[1]

    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(len(keys) + 1))
    taken = np.zeros(len(keys), dtype=bool)
    for peak in np.argsort(-weight, kind="stable"):
        if taken[peak]:
            continue
        disc = np.array(sorted(tree.query_ball_point(middle[peak], PLACE_RADIUS_M)), dtype=np.int64)
        disc = disc[(together[disc] == together[peak]) & ~taken[disc]]
        taken[disc] = True
        yield np.sort(points[np.concatenate([order[starts[c] : starts[c + 1]] for c in disc])])


def _describe(
    around: Surroundings,
    class_times: Sequence[TravelTimes | PointTimes],
    after: Access,
    people: FloatArray,
    members: IntArray,
    unreached_ms: int,
) -> FarPlace:
    here = people[:, members]
    total = float(here.sum())
    share = here.sum(axis=0) / total
    # not a matrix product: those differ in the last bit with the number of threads
    xy = (share[:, None] * around.people_xy[members]).sum(axis=0)
    lon, lat = (share[:, None] * around.people_lonlat[members]).sum(axis=0)
    served = sum_by(after.site_idx[:, members].ravel() + 1, here.ravel(), len(around.site_ids) + 1)[1:]
    nearest = int(np.argmax(served)) if served.any() else NO_SITE
    mend, mended_ms = _mend(around, class_times, after, here, members, unreached_ms)
    now_ms = after.time_ms[:, members]
    reached = np.where(now_ms == UNREACHED, 0.0, here)
    return FarPlace(
        name=_name(around, members, share, xy) or f"{lat:.3f}, {lon:.3f}",
        people=total,
        lon=float(lon),
        lat=float(lat),
        minutes=_mean(here, now_ms),
        unreached=float(here[now_ms == UNREACHED].sum()),
        nearest_site=None if nearest == NO_SITE else str(around.site_ids[nearest]),
        mend=None if mend == NO_SITE else str(around.site_ids[mend]),
        mend_minutes=None if mend == NO_SITE else _mean(reached if reached.any() else here, mended_ms),
        mend_unreached=None if mend == NO_SITE else float(here[mended_ms == UNREACHED].sum()),
    )


def _mean(people: FloatArray, time_ms: IntArray) -> float | None:
    mean = float(mean_minutes(people.ravel(), time_ms.ravel()))
    return None if np.isnan(mean) else mean


def _mend(
    around: Surroundings,
    class_times: Sequence[TravelTimes | PointTimes],
    after: Access,
    people: FloatArray,
    members: IntArray,
    unreached_ms: int,
) -> tuple[int, IntArray]:
    """The spare candidate that saves these people most, and their times with it open."""
    saving = np.zeros(len(around.site_ids))
    now = after.time_ms[:, members]
    counted = after.counted_ms(unreached_ms)[:, members]
    rows = []
    for c, times in enumerate(class_times):
        owner, site, time_ms = rows_of(times, members)
        keep = around.spare_mask[site]
        owner, site, time_ms = owner[keep], site[keep], time_ms[keep]
        saved = people[c, owner] * np.maximum(counted[c, owner] - time_ms, 0.0)
        saving += sum_by(site, saved, len(saving))
        rows.append((owner, site, time_ms))
    best = int(np.argmax(saving)) if len(saving) else NO_SITE
    if best == NO_SITE or saving[best] < WORTH_MS * people.sum():
        return NO_SITE, now
    mended = np.full(now.shape, UNREACHED, dtype=np.int32)
    for c, (owner, site, time_ms) in enumerate(rows):
        mine = site == best
        mended[c, owner[mine]] = time_ms[mine]
    return best, np.minimum(now, mended)


def _name(around: Surroundings, members: IntArray, share: FloatArray, xy: FloatArray) -> str:
    """Area and nearest named street or site; whichever is known."""
    areas, which = np.unique(around.areas[members].astype(str), return_inverse=True)
    area = str(areas[int(np.argmax(sum_by(which, share, len(areas))))])
    near = (around.street_names, around.street_xy), (around.site_names, around.sites_xy)
    landmark = next(filter(None, (nearest_name(names, places, xy, NAME_RADIUS_M) for names, places in near)), "")
    if area or landmark:
        return f"{area}, {landmark}" if area and landmark else area or landmark
    distant = next(filter(None, (nearest_name(names, places, xy, np.inf) for names, places in near)), "")
    return f"near {distant}" if distant else ""


def nearest_name(names: StrArray, places: FloatArray, xy: FloatArray, radius_m: float) -> str:
    """The nearest thing with a name, within a radius; "" where there is none."""
    far_m = np.hypot(*(places - xy).T)
    known = np.flatnonzero((names != "") & (far_m <= radius_m))
    return str(names[known[int(np.argmin(far_m[known]))]]) if len(known) else ""
