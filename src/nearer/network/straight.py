"""Travel times without streets: as the crow flies, or from a ready table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from nearer.errors import Faults
from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import positions
from nearer.network.times import TravelTimes
from nearer.units import M_PER_KM, MS_PER_MIN, MS_PER_S, FloatArray

PAIRS_PER_CHUNK = 2_000_000
FAULTS_SHOWN = 5


def straight_times(
    people_lon: FloatArray,
    people_lat: FloatArray,
    site_lon: FloatArray,
    site_lat: FloatArray,
    plane: LocalPlane,
    speed_kmh: float,
    detour: float,
    limit_ms: int,
) -> TravelTimes:
    """
    Times over straight lines lengthened by a detour factor.

    Parameters
    ----------
    people_lon, people_lat, site_lon, site_lat
        WGS 84, float64, degrees.
    plane
        Where metres are measured.
    speed_kmh
        Speed, km/h.
    detour
        Street metres per straight metre, at least 1.
    limit_ms
        Longest time, inclusive.
    """
    people_xy = np.column_stack(plane.to_xy(people_lon, people_lat))
    site_xy = np.column_stack(plane.to_xy(site_lon, site_lat))
    ms_per_m = detour / (speed_kmh * M_PER_KM / 3_600.0) * MS_PER_S
    reach_m = (limit_ms + 1) / ms_per_m  # a millisecond more; times are cut after rounding
    sites = cKDTree(site_xy)
    size = max(1, PAIRS_PER_CHUNK // max(len(site_xy), 1))
    point_idx, site_idx, time_ms = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    for first in range(0, len(people_xy), size):
        near = cKDTree(people_xy[first : first + size]).sparse_distance_matrix(sites, reach_m, output_type="ndarray")
        point_idx.append((near["i"] + first).astype(np.int32))
        site_idx.append(near["j"].astype(np.int32))
        time_ms.append(np.rint(near["v"] * ms_per_m).astype(np.int64))
    return TravelTimes.from_pairs(
        np.concatenate(point_idx),
        np.concatenate(site_idx),
        np.concatenate(time_ms),
        len(people_xy),
        len(site_xy),
        limit_ms,
    )


def table_times(
    table: pd.DataFrame, people_ids: pd.Series[str], site_ids: pd.Series[str], limit_ms: int, *, file: str | None = None
) -> TravelTimes:
    """
    Times from a ready table; of several for one pair the least counts, and ids the study does not have are passed over.

    Parameters
    ----------
    table
        Columns ``from`` (people id), ``to`` (site id), ``minutes``.
    people_ids, site_ids
        Ids in the order of the study.
    limit_ms
        Longest time, inclusive.
    file
        Name of the table in messages.

    Raises
    ------
    InputError
        Minutes that are no time.
    """
    point_idx, site_idx = positions(people_ids, table["from"]), positions(site_ids, table["to"])
    minutes = table["minutes"].to_numpy(dtype=np.float64)
    faults = Faults(file)
    rows = np.flatnonzero(~(minutes >= 0) | np.isinf(minutes))
    for row in rows[:FAULTS_SHOWN]:
        what, remedy = "is no number of minutes", "leave out pairs that are out of reach"
        faults.add(f'"{minutes[row]}" {what}', row=int(row) + 2, column="minutes", remedy=remedy)
    if len(rows) > FAULTS_SHOWN:
        faults.add(f"{len(rows) - FAULTS_SHOWN} more rows like this", column="minutes")
    faults.raise_if_any()
    known = (point_idx >= 0) & (site_idx >= 0)
    point_idx, site_idx, minutes = point_idx[known], site_idx[known], minutes[known]
    time_ms = np.minimum(np.rint(minutes * MS_PER_MIN), limit_ms + 1).astype(np.int64)
    order = np.lexsort((time_ms, site_idx, point_idx))
    point_idx, site_idx, time_ms = point_idx[order], site_idx[order], time_ms[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (point_idx[1:] != point_idx[:-1]) | (site_idx[1:] != site_idx[:-1])
    return TravelTimes.from_pairs(
        point_idx[first], site_idx[first], time_ms[first], len(people_ids), len(site_ids), limit_ms
    )
