"""The one call a study makes: its tables in, travel times out."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from nearer.cluster import Cluster
from nearer.errors import Fault, Faults, InputError, OutputError
from nearer.files import sha256
from nearer.inputs.geo import LocalPlane
from nearer.inputs.sources import StreetsSource
from nearer.inputs.tables import Streets, Tables
from nearer.inputs.tags import WALK_KMH
from nearer.network.cache import content_key, load, store
from nearer.network.graph import StreetGraph, build_graph
from nearer.network.parted import Parted
from nearer.network.parts import times_in_parts
from nearer.network.reach import Reach, reach_of
from nearer.network.search import Search
from nearer.network.shared import shared_times
from nearer.network.snap import Snap, snap
from nearer.network.straight import straight_times, table_times
from nearer.network.times import TravelTimes
from nearer.network.travel import times_over
from nearer.progress import Progress, Stop
from nearer.units import minutes_to_ms

PARTS_FROM_PAIRS = 20_000_000
"""From about so many pairs on, times are computed in parts on disk where pyarrow is installed; see ``parts``."""

ON_FOOT = ("walk", "straight")
"""Modes in which a group may have a speed of its own."""


@dataclass(frozen=True)
class Network:
    """
    Travel times and what they were computed on.

    Parameters
    ----------
    rows
        Times, or the parts that hold them, at the study's own speed; where a group is faster, up to the limit times
        how much faster it is, so that :func:`nearer.network.scaled` gives every group's times within the limit
        (``scaled(times, 1.0, limit)`` is everybody else's).
    plane
        Where metres are measured.
    graph
        Streets; None in straight mode and with a ready table.
    people_snap, site_snap
        Where points joined the streets; None without streets.
    """

    rows: TravelTimes | Parted
    plane: LocalPlane
    graph: StreetGraph | None
    people_snap: Snap | None
    site_snap: Snap | None

    @cached_property
    def times(self) -> TravelTimes:
        """The rows, gathered here where they lie in parts."""
        return self.rows if isinstance(self.rows, TravelTimes) else self.rows.gathered()


def base_speed_kmh(source: StreetsSource) -> float:
    """Walking speed of everyone without a speed of their own, km/h; also that of the walk to the street."""
    return source.speed_kmh if source.speed_kmh is not None and source.mode in ON_FOOT else WALK_KMH


def compute_times(
    tables: Tables,
    source: StreetsSource,
    *,
    streets_sha: str = "",
    folder: Path | None = None,
    foresee: Callable[[Reach], None] | None = None,
    threads: int = 1,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Network:
    """
    Travel times from every person to every site, by streets, straight lines or a ready table.

    Parameters
    ----------
    tables
        The study's checked inputs.
    source
        ``[streets]`` of the study.
    streets_sha
        Hash of the extract, part of the name under which results are kept.
    folder
        The study folder: other files are looked for here, and results are kept in ``.nearer/cache``. None keeps none.
    foresee
        Told how far a few sites reach before times by streets are computed; it may raise to end the run there.
    threads, progress, stop
        As for :func:`nearer.network.travel_times`.
    cluster
        Who shares the work over streets; None works here alone.

    Raises
    ------
    InputError
        No street, nobody or no site near a street, an elevation raster that cannot be read.
    StoppedError
        ``stop`` said yes.
    """
    people, sites = tables.people.table, tables.sites.table
    people_lon, people_lat = people["lon"].to_numpy(), people["lat"].to_numpy()
    site_lon, site_lat = sites["lon"].to_numpy(), sites["lat"].to_numpy()
    plane = LocalPlane.around(np.concatenate([people_lon, site_lon]), np.concatenate([people_lat, site_lat]))
    limit_ms = minutes_to_ms(source.limit_min)
    if tables.times is not None:
        times = table_times(tables.times, people["id"], sites["id"], limit_ms, file=source.table)
        return Network(times, plane, None, None, None)

    base_kmh = base_speed_kmh(source)
    if source.mode in ON_FOOT and source.group_speeds_kmh:
        limit_ms = math.ceil(limit_ms * max(1.0, max(source.group_speeds_kmh.values()) / base_kmh))
    if source.mode == "straight":
        times = straight_times(people_lon, people_lat, site_lon, site_lat, plane, base_kmh, source.detour, limit_ms)
        return Network(times, plane, None, None, None)

    if tables.streets is None:
        raise ValueError("tables hold neither streets nor times")
    graph, key = _graph(tables.streets, source, plane, streets_sha, folder)
    lon, lat = np.concatenate([people_lon, site_lon]), np.concatenate([people_lat, site_lat])
    joined = snap(graph, lon, lat, source.snap_m, access_kmh=base_kmh, threads=threads, stop=stop)
    people_snap, site_snap = joined.cut(len(people))
    _check_joined(people_snap, site_snap, source)
    key = content_key("times", key, people_lon, people_lat, site_lon, site_lat, source.snap_m, base_kmh, limit_ms)
    stored = load(folder, key)
    if stored is not None and {"indptr", "site_idx", "time_ms"} <= stored.keys():
        times = TravelTimes(stored["indptr"], stored["site_idx"], stored["time_ms"], len(sites), limit_ms)
        return Network(times, plane, graph, people_snap, site_snap)
    search = Search.over(graph, people_snap, site_snap, limit_ms)
    reach = reach_of(search)
    if foresee is not None:
        foresee(reach)
    how: dict[str, Any] = {"threads": threads, "progress": progress, "stop": stop}
    where = folder / ".nearer" / "parts" if folder is not None and reach.pairs() >= PARTS_FROM_PAIRS else None
    if cluster is not None:
        shared = how | {"cluster": cluster, "search": search, "reach": reach, "folder": where}
        found = shared_times(graph, people_snap, site_snap, limit_ms, **shared)
        if isinstance(found, Parted):
            return Network(found, plane, graph, people_snap, site_snap)
    else:
        if where is not None and find_spec("pyarrow") is not None:
            with suppress(OutputError):  # a folder that cannot be written is left alone
                in_parts = how | {"search": search, "reach": reach}
                found = times_in_parts(graph, people_snap, site_snap, limit_ms, where, **in_parts)
                return Network(found, plane, graph, people_snap, site_snap)
        found = times_over(search, **how)
    store(folder, key, {"indptr": found.indptr, "site_idx": found.site_idx, "time_ms": found.time_ms})
    return Network(found, plane, graph, people_snap, site_snap)


def _graph(
    streets: Streets, source: StreetsSource, plane: LocalPlane, streets_sha: str, folder: Path | None
) -> tuple[StreetGraph, str]:
    """The street graph and the key it is kept under."""
    elevation = (folder or Path()) / source.elevation if source.elevation and streets.mode == "walk" else None
    if elevation is not None and not elevation.is_file():
        raise InputError([Fault("there is no such file", source.elevation, remedy="mend [streets] elevation")])
    key = content_key(
        "graph",
        streets_sha,
        *(getattr(streets, field.name) for field in fields(streets) if field.name != "way_names"),
        plane,
        sha256(elevation) if elevation else "",
    )
    names = [field.name for field in fields(StreetGraph) if field.name not in ("mode", "plane")]
    stored = load(folder, key)
    if stored is not None and set(names) <= stored.keys():
        return StreetGraph(**{name: stored[name] for name in names}, mode=streets.mode, plane=plane), key
    graph = build_graph(streets, plane, elevation=elevation, name=source.elevation)
    if graph.n_segments == 0:
        raise InputError(
            [Fault(f"holds no street open to mode {streets.mode}", source.file, remedy="give an extract with streets")]
        )
    store(folder, key, {name: getattr(graph, name) for name in names})
    return graph, key


def _check_joined(people: Snap, sites: Snap, source: StreetsSource) -> None:
    """End the run where streets and points do not meet at all."""
    faults = Faults(source.file)
    for who, joined in (("person lives", people.joined_mask), ("site lies", sites.joined_mask)):
        if not joined.any():
            faults.add(
                f"no {who} within {source.snap_m:g} m of these streets",
                remedy="check that both cover the same place, or raise [streets] snap_m",
            )
    faults.raise_if_any()
