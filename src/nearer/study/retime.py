"""Travel times once more, for the independent check: SciPy's Dijkstra and plain NumPy instead of the kernels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nearer.inputs.geo import LocalPlane
from nearer.inputs.sources import StreetsSource
from nearer.inputs.tables import Tables, positions
from nearer.inputs.tags import WALK_KMH
from nearer.network import build_graph, snap
from nearer.progress import Progress, Silent
from nearer.study.retime_pairs import Block, Pairs
from nearer.study.retime_streets import street_pairs
from nearer.units import minutes_to_ms

_CELLS_PER_CHUNK = 4_000_000  # of a dense block of sites × people


def plane_of(tables: Tables) -> LocalPlane:
    """The plane a study measures in: centred on its people and sites."""
    both = [(table["lon"].to_numpy(), table["lat"].to_numpy()) for table in (tables.people.table, tables.sites.table)]
    return LocalPlane.around(np.concatenate([lon for lon, _ in both]), np.concatenate([lat for _, lat in both]))


def retime(tables: Tables, source: StreetsSource, folder: Path, progress: Progress | None = None) -> dict[str, Pairs]:
    """
    Times from every point to every site, by speed class; "" is everyone without a speed of their own.

    Parameters
    ----------
    tables
        What was read.
    source
        ``[streets]`` of the study.
    folder
        The study folder, where the elevation raster lies.
    progress
        Where to report; default silent.
    """
    return by_class(retime_base(tables, source, folder, progress), source, tables)


def retime_base(tables: Tables, source: StreetsSource, folder: Path, progress: Progress | None = None) -> Pairs:
    """Times of everyone without a speed of their own, as far as the fastest gets within the limit."""
    if tables.times is not None:
        return _from_table(tables, minutes_to_ms(source.limit_min))
    reach_ms, base_kmh = reach(source)
    if source.mode == "straight":
        return _straight(tables, base_kmh, source.detour, reach_ms, progress)
    return _over_streets(tables, source, base_kmh, folder, reach_ms, progress)


def reach(source: StreetsSource) -> tuple[int, float]:
    """How far times are needed, ms, and the speed of everyone without a speed of their own, km/h."""
    on_foot = source.mode in ("walk", "straight")
    base_kmh = source.speed_kmh if on_foot and source.speed_kmh is not None else WALK_KMH
    own = source.group_speeds_kmh if on_foot else {}
    limit_ms = minutes_to_ms(source.limit_min)
    return math.ceil(limit_ms * max(1.0, *(kmh / base_kmh for kmh in own.values()), 1.0)), base_kmh


def by_class(base: Pairs, source: StreetsSource, tables: Tables) -> dict[str, Pairs]:
    """Times by speed class; "" is everyone without a speed of their own."""
    if tables.times is not None:
        return {"": base}
    _, base_kmh = reach(source)
    own = source.group_speeds_kmh if source.mode in ("walk", "straight") else {}
    limit_ms = minutes_to_ms(source.limit_min)
    return {name: base.scaled(base_kmh / own[name] if name else 1.0, limit_ms) for name in ("", *own)}


def _from_table(tables: Tables, limit_ms: int) -> Pairs:
    table = tables.times
    assert table is not None
    point = positions(tables.people.table["id"], table["from"])
    site = positions(tables.sites.table["id"], table["to"])
    time_ms = np.rint(table["minutes"].to_numpy(dtype=np.float64) * 60_000)
    near = (time_ms <= limit_ms) & (point >= 0) & (site >= 0)
    return Pairs.of([(point[near], site[near], time_ms[near].astype(np.int64))], len(tables.sites.table))


def _straight(tables: Tables, kmh: float, detour: float, limit_ms: int, progress: Progress | None) -> Pairs:
    plane = plane_of(tables)
    people, sites = tables.people.table, tables.sites.table
    x, y = plane.to_xy(people["lon"].to_numpy(), people["lat"].to_numpy())
    site_x, site_y = plane.to_xy(sites["lon"].to_numpy(), sites["lat"].to_numpy())
    ms_per_m = detour / (kmh / 3.6) * 1_000
    far_m = (limit_ms + 1) / ms_per_m * (1 + 1e-9)
    step = max(1, _CELLS_PER_CHUNK // max(len(people), 1))
    people_by_x, sites_by_x = np.argsort(x), np.argsort(site_x)
    x, y = x[people_by_x], y[people_by_x]

    def blocks() -> Iterator[Block]:
        for first in range(0, len(sites), step):
            chunk = sites_by_x[first : first + step]
            near = slice(*np.searchsorted(x, [site_x[chunk[0]] - far_m, site_x[chunk[-1]] + far_m]))
            away_m = np.sqrt((x[near] - site_x[chunk, None]) ** 2 + (y[near] - site_y[chunk, None]) ** 2)
            time_ms = np.rint(away_m * ms_per_m)
            site, point = np.nonzero(time_ms <= limit_ms)
            yield people_by_x[near][point], chunk[site], time_ms[site, point].astype(np.int64)
            tick(len(chunk))

    with (progress or Silent()).step("Computing travel times again", len(sites)) as tick:
        return Pairs.of(blocks(), len(sites))


def _over_streets(
    tables: Tables,
    source: StreetsSource,
    access_kmh: float,
    folder: Path,
    limit_ms: int,
    progress: Progress | None,
) -> Pairs:
    if tables.streets is None:
        raise ValueError("tables hold neither streets nor times")
    elevation = folder / source.elevation if source.elevation and source.mode == "walk" else None
    graph = build_graph(tables.streets, plane_of(tables), elevation=elevation)
    people, sites = (
        snap(graph, table["lon"].to_numpy(), table["lat"].to_numpy(), source.snap_m, access_kmh=access_kmh)
        for table in (tables.people.table, tables.sites.table)
    )
    return street_pairs(graph, people, sites, limit_ms, progress)
