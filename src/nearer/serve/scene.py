"""A study held ready: who is where, how far everything is, and what changes when other sites are open."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from nearer.demand import Demand
from nearer.errors import UsageError
from nearer.inputs.tables import Tables
from nearer.kernels.jit import default_threads
from nearer.model import FREE, OPEN
from nearer.network import Network, TravelTimes, base_speed_kmh, scaled, snap, straight_times, travel_times
from nearer.planning.access import Access
from nearer.planning.areas import area_of_sites, areas
from nearer.planning.measures import measure_access, people_cut_off, thresholds
from nearer.progress import Progress
from nearer.serve.rev import data_key, named
from nearer.serve.sent import as_sent
from nearer.serve.situation import Situation
from nearer.study.limits import Run
from nearer.study.load import load_study
from nearer.study.parts import read_study, standing, times_per_class, travel, weigh
from nearer.study.settings import Study
from nearer.units import NO_SITE, UNREACHED, BoolArray, FloatArray, IntArray, minutes_to_ms

_SITUATIONS_KEPT = 64
_SCENES_KEPT = 4


@dataclass(frozen=True)
class Seen:
    """
    Everybody in one situation.

    Parameters
    ----------
    access
        Nearest open site of each class and point; positions from ``n_sites`` on are the situation's own points.
    minutes
        Of each point, float64 (n_points,); NaN where out of reach.
    """

    access: Access
    minutes: FloatArray


@dataclass(eq=False)
class Scene:
    """
    A study read and timed.

    Parameters
    ----------
    study, tables, demand, network
        Settings, inputs, what people weigh, and the streets with all times.
    times
        Uncut times of each speed class.
    rev
        Names the data: tiles of another ``rev`` are of other data.
    folder
        Where the study is.
    """

    study: Study
    tables: Tables
    demand: Demand
    network: Network
    times: list[TravelTimes]
    rev: str
    folder: Path
    _seen: OrderedDict[str, Seen] = field(default_factory=OrderedDict)
    _points: dict[tuple[float, float], list[IntArray]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def unreached_ms(self) -> int:
        """What a person out of reach counts as."""
        return minutes_to_ms(self.study.unreached_min)

    @cached_property
    def standing(self) -> IntArray:
        """``OPEN``, ``FREE`` or ``FORBIDDEN`` per site, forced and forbidden left to the plan, int8 (n_sites,)."""
        return standing(self.tables)

    @cached_property
    def cut_off(self) -> float:
        """People whom no site reaches, open or not."""
        return people_cut_off(self.demand, self.times, self.standing >= FREE)

    @cached_property
    def site_areas(self) -> list[str | None]:
        """Area of each site."""
        people, sites = self.tables.people.table, self.tables.sites.table
        plane = self.network.plane
        people_xy = np.column_stack(plane.to_xy(people["lon"].to_numpy(), people["lat"].to_numpy()))
        sites_xy = np.column_stack(plane.to_xy(sites["lon"].to_numpy(), sites["lat"].to_numpy()))
        return area_of_sites(self.tables, people_xy, sites_xy)

    def check(self, situation: Situation) -> None:
        """
        Make sure that a situation speaks of this study's sites.

        Raises
        ------
        UsageError
            It names sites that are not there, opens one that is no candidate, or closes one that is not ours.
        """
        n = self.tables.sites.n
        if any(site >= n for site in (*situation.opened, *situation.closed)):
            raise UsageError("The address names sites that this study does not have; its files may have changed.")
        status = self.tables.sites.table["status"].to_numpy()
        if any(status[site] != "candidate" for site in situation.opened):
            raise UsageError("Only candidates can be opened.")
        if any(status[site] != "existing" for site in situation.closed):
            raise UsageError("Only existing centres can be closed.")

    def open_mask(self, situation: Situation) -> BoolArray:
        """Sites open in a situation, bool (n_sites,)."""
        mask: BoolArray = np.asarray(self.standing == OPEN, dtype=bool)
        mask &= not situation.alone
        mask[list(situation.opened)] = True
        mask[list(situation.closed)] = False
        return mask

    def seen(self, situation: Situation) -> Seen:
        """Where everybody goes in a situation; kept for the next who asks."""
        key = str(situation)
        with self._lock:
            if key in self._seen:
                self._seen.move_to_end(key)
                return self._seen[key]
        self.check(situation)
        access = Access.to_open(self.demand, self.times, self.open_mask(situation))
        for place, point in enumerate(situation.points):
            access = self._with_point(access, point, self.tables.sites.n + place)
        if situation.sending:
            access = as_sent(access, self.times, self.folder, situation.sending)
        found = Seen(access, access.minutes())
        with self._lock:
            self._seen[key] = found
            while len(self._seen) > _SITUATIONS_KEPT:
                self._seen.popitem(last=False)
        return found

    def _with_point(self, access: Access, point: tuple[float, float], site: int) -> Access:
        """Everybody sent to one more place where it is nearer."""
        new = np.vstack(self._times_from(point))
        nearer = new < access.time_ms
        return replace(
            access,
            site_idx=np.where(nearer, site, access.site_idx).astype(np.int32),
            time_ms=np.where(nearer, new, access.time_ms),
            next_ms=np.where(nearer, access.time_ms, np.minimum(access.next_ms, new)),
        )

    def _times_from(self, point: tuple[float, float]) -> list[IntArray]:
        """Time of everybody of each class to one place, int32 (n_points,) each, ``UNREACHED`` beyond the limit."""
        if point in self._points:
            return self._points[point]
        network, source = self.network, self.study.streets
        lon, lat = np.array([point[0]]), np.array([point[1]])
        kmh = base_speed_kmh(source)
        if self.tables.times is not None:
            raise UsageError("This study has a ready table of times: only the places in it can be asked for.")
        if network.graph is None or network.people_snap is None:
            people = self.tables.people.table
            base = straight_times(
                *(people["lon"].to_numpy(), people["lat"].to_numpy(), lon, lat, network.plane, kmh, source.detour),
                network.times.limit_ms,
            )
        else:
            place = snap(network.graph, lon, lat, source.snap_m, access_kmh=kmh)
            if not place.joined_mask[0]:
                raise UsageError(f"There is no street within {source.snap_m:g} m of this place.")
            base = travel_times(network.graph, network.people_snap, place, network.times.limit_ms)
        limit_ms = minutes_to_ms(source.limit_min)
        found: list[IntArray] = []
        for name in self.demand.class_names:
            own = scaled(base, kmh / source.group_speeds_kmh[name] if name else 1.0, limit_ms)
            dense = np.full(own.n_points, UNREACHED, dtype=np.int32)
            dense[np.flatnonzero(np.diff(own.indptr) > 0)] = own.time_ms
            found.append(dense)
        if len(self._points) > 200:
            self._points.clear()
        self._points[point] = found
        return found

    def figures(self, situation: Situation) -> dict[str, Any]:
        """Access of everyone and of each group, people of each site, and each area, as plain values."""
        seen, before = self.seen(situation), self.seen(Situation())
        limit_ms = minutes_to_ms(self.study.streets.limit_min)
        near = self.study.plan.coverage_min
        minutes = thresholds(near, limit_ms)
        # how evenly minutes are spread is left to plans and reports: no page shows it, and it takes longest
        measured = measure_access(self.demand, seen.access, minutes, self.unreached_ms, self.cut_off)
        n = self.tables.sites.n + len(situation.points)
        names = self.tables.people.table["area"].to_numpy(dtype=object)
        return {
            "situation": str(situation),
            "access": measured.model_dump(mode="json"),
            "people": np.round(seen.access.people_per_site(n), 1).tolist(),
            "areas": [
                one.model_dump(mode="json", exclude_none=True)
                for one in areas(names, before.access, seen.access, near, self.unreached_ms)
            ],
        }

    def told(self) -> dict[str, Any]:
        """Everything a page needs once: sites column by column, extent, groups, streets or not."""
        people, sites = self.tables.people.table, self.tables.sites.table
        lon = np.concatenate([people["lon"].to_numpy(), sites["lon"].to_numpy()])
        lat = np.concatenate([people["lat"].to_numpy(), sites["lat"].to_numpy()])
        return {
            "rev": self.rev,
            "bounds": [float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())],
            "points": self.tables.people.n,
            "people": float(self.demand.total.sum()),
            "groups": {
                name: float(count) for name, count in zip(self.demand.groups, self.demand.people.sum(1), strict=True)
            },
            "sites": {
                "id": [str(one) for one in sites["id"]],
                "name": [str(one) for one in sites["name"]],
                "status": [str(one) for one in sites["status"]],
                "excluded": [bool(one) for one in sites["excluded"]],
                "lon": sites["lon"].astype(float).round(6).tolist(),
                "lat": sites["lat"].astype(float).round(6).tolist(),
                "area": self.site_areas,
                "agency": [_text(one) for one in sites["agency"]] if "agency" in sites else [None] * len(sites),
                "shares": [_text(one) for one in sites["shares"]] if "shares" in sites else [None] * len(sites),
            },
            "streets": self.tables.streets is not None,
            "anywhere": self.tables.times is None,
            "sources": [{"path": one.path, "kind": one.kind, "licence": one.licence} for one in self.tables.sources],
            "notes": [*self.tables.people.notes, *self.tables.sites.notes, *self.tables.notes],
        }

    def outlines(self) -> str:
        """
        Boundary and named areas, simplified to about a metre, their edges, and a point for each name, as GeoJSON.

        An edge that two areas share is there once (``edge``): drawn twice it takes twice as long and looks no better.
        """
        parts: list[dict[str, Any]] = []
        edges = []
        for kind, frame in (("boundary", self.tables.boundary), ("area", self.tables.districts)):
            if frame is None:
                continue
            names = frame["name"].astype(str).tolist() if "name" in frame else [""] * len(frame)
            shapes = shapely.set_precision(frame.geometry.simplify(1e-5).to_numpy(), 1e-6)
            edges.append(shapely.union_all(shapely.boundary(shapes)))
            parts += [
                {"type": "Feature", "properties": {"kind": kind, "name": name}, "geometry": json.loads(text)}
                for name, text in zip(names, shapely.to_geojson(shapes), strict=True)
            ]
        if self.tables.districts is not None:
            pieces = shapely.get_parts(self.tables.districts.geometry.to_numpy(), return_index=True)
            largest: dict[int, Any] = {}
            for shape, owner in zip(*pieces, strict=True):
                if owner not in largest or shape.area > largest[owner].area:
                    largest[int(owner)] = shape
            names = self.tables.districts["name"].astype(str).tolist()
            for owner, shape in largest.items():
                spot = shapely.maximum_inscribed_circle(shape, 1e-4).coords[0]  # its middle
                point = {"type": "Point", "coordinates": [round(one, 6) for one in spot]}
                told = {"kind": "label", "name": names[owner]}
                parts.append({"type": "Feature", "properties": told, "geometry": point})
        if edges:
            merged = shapely.line_merge(shapely.union_all(edges))
            told = {"kind": "edge", "name": ""}
            parts.append({"type": "Feature", "properties": told, "geometry": json.loads(shapely.to_geojson(merged))})
        return json.dumps({"type": "FeatureCollection", "features": parts}, ensure_ascii=False)

    def point_at(self, lon: float, lat: float, situation: Situation) -> dict[str, Any]:
        """The people's point nearest to a place: who lives there and where they go."""
        table = self.tables.people.table
        squeeze = np.cos(np.radians(lat))
        far = ((table["lon"].to_numpy() - lon) * squeeze) ** 2 + (table["lat"].to_numpy() - lat) ** 2
        at = int(np.argmin(far))
        seen, row = self.seen(situation), table.iloc[at]
        site = int(seen.access.main_site()[at])
        minutes = float(seen.minutes[at])
        return {
            "lon": float(row["lon"]),
            "lat": float(row["lat"]),
            "people": float(row["total"]),
            "groups": {group: float(row[group]) for group in self.tables.people.groups},
            "area": str(row["area"]),
            "site": None if site == NO_SITE else site,
            "minutes": None if np.isnan(minutes) else minutes,
        }


def _text(value: Any) -> str | None:
    return None if value is None or value != value or value == "" else str(value)


def read_scene(folder: Path, progress: Progress | None = None) -> Scene:
    """
    Read and time a study.

    Raises
    ------
    InputError
        Faults in its files or settings.
    """
    run = Run(None, threads=default_threads())
    if progress is not None:
        run.progress = progress
    study = load_study(folder)
    # whose a place is comes with the settings: changing it changes nothing that a map shows
    tables = read_study(folder, study.model_copy(update={"owners": ()}), run)
    network = travel(tables, study, run, folder)
    demand = weigh(tables, study)
    times = times_per_class(network.times, study, demand)
    return Scene(study, tables, demand, network, times, named(data_key(folder)), folder)


class Scenes:
    """Studies held ready, the last few used; each is read once however many ask."""

    def __init__(self, read: Callable[[Path], Scene] = read_scene) -> None:
        self._read = read
        self._held: OrderedDict[Path, tuple[str, Scene]] = OrderedDict()
        self._locks: dict[Path, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, folder: Path) -> Scene:
        """
        The study in a folder as its files stand now.

        Raises
        ------
        InputError
            Faults in its files or settings.
        """
        key = data_key(folder)
        with self._lock:
            lock = self._locks.setdefault(folder, threading.Lock())
        with lock:
            with self._lock:
                held = self._held.get(folder)
                if held is not None and held[0] == key:
                    self._held.move_to_end(folder)
                    return held[1]
            scene = self._read(folder)
            with self._lock:
                self._held[folder] = key, scene
                self._held.move_to_end(folder)
                while len(self._held) > _SCENES_KEPT:
                    self._held.popitem(last=False)
            return scene
