"""Gaps, people and sites as tables with geometry, in the user's own ids."""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from nearer.inputs.geo import WGS84
from nearer.inputs.tables import Tables
from nearer.planning.access import Access
from nearer.planning.catchment import Catchment
from nearer.planning.gapdoc import GapsDocument
from nearer.units import MS_PER_MIN, UNREACHED, FloatArray


def areas_frame(document: GapsDocument, shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    """One polygon per gap listed, most people lacking first; see ``Gaps.areas``."""
    rows = []
    for gap in document.gaps:
        mend = gap.mend
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
                **{
                    f"centres_{end}" + (f"_{size.level}" if size.level else ""): number
                    for size in gap.sizing
                    for end, number in (("low", size.low), ("high", size.high))
                },
            }
        )
    columns = list(rows[0]) if rows else ["rank", "name", "people", "lacking"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=gpd.GeoSeries(shapes, crs=WGS84), crs=WGS84)


def people_frame(tables: Tables, need: FloatArray, caught: Catchment, access: Access, gap_of: Any) -> gpd.GeoDataFrame:
    """Every point with its measures; see ``Gaps.people``."""
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


def sites_frame(table: pd.DataFrame, places: FloatArray, caught: Catchment, document: GapsDocument) -> gpd.GeoDataFrame:
    """Every site with its catchment; see ``Gaps.sites``."""
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
