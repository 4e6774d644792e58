"""``read_tables``: every file of a study, read and checked together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd

from nearer.errors import Fault, Faults, InputError
from nearer.files import sha256
from nearer.inputs.area import boundary_of, districts_of, name_areas, within
from nearer.inputs.columns import Frame
from nearer.inputs.extent import (
    Bounds,
    box_of,
    grown,
    look_swapped,
    note_outside,
    note_swapped,
    street_box,
)
from nearer.inputs.frames import RASTER_SUFFIXES, find_file, one_fault, read_frame
from nearer.inputs.generate import candidates_along
from nearer.inputs.geo import WGS84
from nearer.inputs.merge import merged
from nearer.inputs.osm import SUFFIXES as OSM_SUFFIXES
from nearer.inputs.osm import read_streets
from nearer.inputs.people import people_of
from nearer.inputs.places import read_places
from nearer.inputs.raster import read_raster
from nearer.inputs.sites import SiteList, join_sites, sites_of
from nearer.inputs.sources import (
    AreaSource,
    ExcludeSource,
    PeopleSource,
    SitesSource,
    StreetsSource,
)
from nearer.inputs.spread import spread_people
from nearer.inputs.tables import People, Sites, Source, Streets, Tables
from nearer.inputs.timetable import timetable_of
from nearer.progress import Progress, Silent
from nearer.units import M_PER_KM, BoolArray

Given = TypeVar("Given")

_OSM_LICENCE = "© OpenStreetMap contributors, ODbL 1.0"
_TYPICAL_KMH = {"walk": 4.8, "bike": 15.0, "drive": 100.0, "straight": 4.8}
_FAR_M = 10_000.0  # without streets, a site this far from where anybody lives is taken for a mistake


def read_tables(
    folder: Path,
    *,
    streets: StreetsSource,
    people: PeopleSource,
    sites: Sequence[SitesSource],
    area: AreaSource | None = None,
    exclude: Sequence[ExcludeSource] = (),
    progress: Progress | None = None,
) -> Tables:
    """
    Read and check everything a study names.

    Parameters
    ----------
    folder
        Where relative file names start.
    streets, people, sites, area, exclude
        The study's tables of the same names.
    progress
        Where to report; default silent.

    Returns
    -------
    Tables
        What lies outside the boundary is left out, and counted in the notes.

    Raises
    ------
    InputError
        With the faults of all files.
    """
    study = _Study(folder, streets, people, tuple(sites), area or AreaSource(), tuple(exclude), progress or Silent())
    return study.read()


class _Study:
    """One reading: what was asked, the files used so far and the faults found so far."""

    def __init__(
        self,
        folder: Path,
        streets: StreetsSource,
        people: PeopleSource,
        sites: tuple[SitesSource, ...],
        area: AreaSource,
        exclude: tuple[ExcludeSource, ...],
        progress: Progress,
    ) -> None:
        self.folder, self.progress = Path(folder), progress
        self.streets, self.people, self.sites, self.area, self.exclude = streets, people, sites, area, exclude
        self.faults = Faults()
        self.used: dict[str, Source] = {}
        self.notes: list[str] = []

    def read(self) -> Tables:
        """Read in the order in which files are needed, then check them against each other."""
        boundary = self._try(self._read_boundary)
        districts = self._try(self._read_districts)
        people = self._try(lambda: self._read_people(boundary))
        streets = self._try(lambda: self._read_streets(boundary))
        times = self._try(self._read_times)
        lists = [self._try(partial(self._read_sites, each, streets, people, boundary)) for each in self.sites]
        barred = [self._try(partial(self._read_exclude, each)) for each in self.exclude]
        if self.streets.elevation is not None:
            self._try(lambda: self._use(self.streets.elevation or "", "elevation"))
        good = [each for each in lists if each is not None]
        self._check_places(people, good, streets, boundary)
        sites = self._try(lambda: join_sites(good)) if good or not self.sites else None
        self.faults.raise_if_any()
        assert people is not None
        assert sites is not None
        if boundary is not None:
            people, sites = self._clip_people(people, boundary), self._clip_sites(sites, boundary)
            self.faults.raise_if_any()
        if self.people.merge_m is not None:
            people = merged(people, self.people.merge_m)
        if times is not None:
            self._check_times(times, people, sites)
        spread_by_district = self.people.spread is not None and self.area.districts == self.people.file
        if districts is not None and not spread_by_district:
            # People spread inside a district belong to it even where the middle of their cell lies next door.
            table = people.table
            areas = name_areas(table["lon"].to_numpy(), table["lat"].to_numpy(), districts)
            areas = np.where(areas == "", table["area"].to_numpy(dtype=object), areas)
            people = replace(people, table=table.assign(area=areas).astype({"area": str}))
        if barred:
            sites = _flag(sites, [each for each in barred if each is not None])
        self.faults.raise_if_any()
        return Tables(people, sites, streets, times, boundary, districts, tuple(self.used.values()), tuple(self.notes))

    def _try(self, read: Callable[[], Given]) -> Given | None:
        """What a reader returns, or None with its faults taken over."""
        try:
            return read()
        except InputError as error:
            self.faults.extend(error)
            return None

    def _use(self, name: str, kind: str) -> Path:
        """Path of a file, noted among the sources."""
        path = find_file(self.folder, name)
        known = self.used.get(name)
        if known is None:
            self.used[name] = Source(name, sha256(path), kind, _licence(path))
        elif kind not in known.kind.split(", "):
            self.used[name] = replace(known, kind=f"{known.kind}, {kind}")
        return path

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        with self.progress.step(f"Reading {name}"):
            yield

    def _frame(self, name: str, kind: str, section: str, layer: str | None = None, crs: str | None = None) -> Frame:
        path = self._use(name, kind)
        with self._step(name):
            return read_frame(path, name=name, layer=layer, crs=crs, section=section)

    def _read_boundary(self) -> gpd.GeoDataFrame | None:
        return (
            None if self.area.boundary is None else boundary_of(self._frame(self.area.boundary, "boundary", "[area]"))
        )

    def _read_districts(self) -> gpd.GeoDataFrame | None:
        if self.area.districts is None:
            return None
        return districts_of(self._frame(self.area.districts, "districts", "[area]"), self.area.name)

    def _read_exclude(self, source: ExcludeSource) -> gpd.GeoDataFrame:
        return boundary_of(self._frame(source.file, "exclude", "[[exclude]]", source.layer))

    def _read_people(self, boundary: gpd.GeoDataFrame | None) -> People:
        source, name = self.people, self.people.file
        if Path(name).suffix.casefold() in RASTER_SUFFIXES:
            return self._read_raster(boundary)
        if source.spread is not None:
            return self._spread()
        return people_of(self._frame(name, "people", "[people]", source.layer, source.crs), source)

    def _read_raster(self, boundary: gpd.GeoDataFrame | None) -> People:
        source = self.people
        faults = Faults()
        paths: dict[str, Path] = {}
        for group, file in {"": source.file, **source.groups}.items():
            try:
                beside = str(Path(source.file).parent / file)
                here = (self.folder / file).exists() or not group
                paths[group] = self._use(file if here or not (self.folder / beside).exists() else beside, "people")
            except InputError as error:
                faults.extend(error)
        faults.raise_if_any()
        bounds = None if boundary is None else box_of(*_corners(boundary))
        with self._step(source.file):
            return read_raster(paths.pop(""), source, paths, name=source.file, bounds=bounds)

    def _spread(self) -> People:
        source, spread = self.people, self.people.spread
        assert spread is not None
        frame = self._frame(source.file, "people", "[people]", source.layer, source.crs)
        osm = self._use(spread.osm, "buildings")
        if frame.geometry is None:
            raise one_fault(
                frame.file, "people are to be spread and there are no polygons", "give GeoJSON or GeoPackage"
            )
        polygons = gpd.GeoDataFrame(frame.table, geometry=frame.geometry, crs=WGS84)
        with self._step(f"buildings of {spread.osm}"):
            return spread_people(
                polygons,
                osm,
                total=source.total,
                groups=source.groups,
                cell_m=spread.cell_m,
                name=source.file,
                osm_name=spread.osm,
            )

    @property
    def _reach_m(self) -> float:
        """Farthest that anybody gets within the limit."""
        kmh = max([self.streets.speed_kmh or _TYPICAL_KMH[self.streets.mode], *self.streets.group_speeds_kmh.values()])
        return kmh * M_PER_KM / 60.0 * self.streets.limit_min

    def _read_streets(self, boundary: gpd.GeoDataFrame | None) -> Streets | None:
        generated = any(each.generate is not None for each in self.sites)
        source = self.streets
        if source.file is None:
            if source.mode != "straight" and source.table is None:
                raise _setting_fault(
                    "streets.file", f'mode "{source.mode}" needs streets', "name an OpenStreetMap extract"
                )
            return None
        if not generated and (source.mode == "straight" or source.table is not None):
            return None
        bounds = None if boundary is None else grown(box_of(*_corners(boundary)), self._reach_m)
        mode = "walk" if source.mode == "straight" else source.mode
        path = self._use(source.file, "streets")
        return read_streets(
            path, mode, speed_kmh=source.speed_kmh, bounds=bounds, name=source.file, progress=self.progress
        )

    def _read_times(self) -> pd.DataFrame | None:
        return (
            None if self.streets.table is None else timetable_of(self._frame(self.streets.table, "times", "[streets]"))
        )

    def _read_sites(
        self, source: SitesSource, streets: Streets | None, people: People | None, boundary: gpd.GeoDataFrame | None
    ) -> SiteList | None:
        """One ``[[sites]]`` table; None where it waits for a file that has faults."""
        given = [key for key in ("file", "query", "generate") if getattr(source, key) is not None]
        if len(given) != 1:
            raise _setting_fault(
                "sites",
                f"one table gives {' and '.join(given) or 'none'} of file, query and generate",
                "give exactly one",
            )
        if source.file is not None:
            frame = self._frame(source.file, "sites", "[[sites]]", source.layer, source.crs)
            return sites_of(frame, source)
        if source.query is not None:
            osm = source.osm or self.streets.file
            if osm is None:
                raise _setting_fault("sites.osm", "a query needs an extract", "set osm, or [streets] file")
            path = self._use(osm, "sites")
            with self._step(f"{source.query} of {osm}"):
                found = read_places(path, source.query, name=osm)
            return _listed(found, f"{osm} ({source.query})", source, found=True)
        assert source.generate is not None
        if self.streets.file is None:
            raise _setting_fault("sites.generate", "candidates along streets need streets", "set [streets] file")
        if streets is None or people is None:
            return None
        table = people.table
        bounds = grown(box_of(table["lon"].to_numpy(), table["lat"].to_numpy()), source.generate.spacing_m)
        ground = None if boundary is None else boundary.geometry.iloc[0]
        made = candidates_along(streets, source.generate.spacing_m, bounds=bounds, ground=ground)
        if not len(made):
            raise _setting_fault("sites.generate", "there is no street near the people", "check that the files fit")
        self.notes.append(
            f"{len(made):,} candidates were made along streets, at least {source.generate.spacing_m:g} m apart."
        )
        return _listed(made, f"candidates along {self.streets.file}", source)

    def _check_places(
        self,
        people: People | None,
        lists: Sequence[SiteList],
        streets: Streets | None,
        boundary: gpd.GeoDataFrame | None,
    ) -> None:
        """Look for swapped coordinates and for sites in the sea."""
        if boundary is not None:
            frame, what = box_of(*_corners(boundary)), "the boundary"
        elif streets is not None:
            frame, what = street_box(streets), f"the streets of {self.streets.file}"
        elif people is not None:
            frame, what = box_of(people.table["lon"].to_numpy(), people.table["lat"].to_numpy()), "where people live"
        else:
            return
        if people is not None and what != "where people live":
            lon, lat = people.table["lon"].to_numpy(), people.table["lat"].to_numpy()
            if look_swapped(lon, lat, frame):
                note_swapped(self.faults, self.people.file, (self.people.lon, self.people.lat), what)
            elif not _in_box(people, grown(frame, self.streets.snap_m)).any():
                self.faults.add(
                    f"nobody lives within {what}",
                    file=self.people.file,
                    remedy="check that the files show the same place",
                )
        margin_m = self.streets.snap_m if streets is not None else max(_FAR_M, self._reach_m)
        given = list(self._of_files(lists))
        if what == "where people live" and len(given) > 1 and all(
            look_swapped(each.table["lon"].to_numpy(), each.table["lat"].to_numpy(), frame) for _, each in given
        ):  # fmt: skip
            # nothing else says where the town is, and one file is likelier to be wrong than all others
            note_swapped(self.faults, self.people.file, (self.people.lon, self.people.lat), "where the sites are")
            return
        for source, each in given:
            lon, lat = each.table["lon"].to_numpy(), each.table["lat"].to_numpy()
            if look_swapped(lon, lat, frame):
                note_swapped(self.faults, each.file, (source.lon, source.lat), what)
            elif boundary is None:
                note_outside(self.faults, each.file, each.rows, each.table, frame, margin_m, what)

    def _of_files(self, lists: Sequence[SiteList]) -> Iterator[tuple[SitesSource, SiteList]]:
        """Lists that came from files, with what the study says about them."""
        for source in self.sites:
            for each in lists:
                if source.file is not None and each.file == source.file:
                    yield source, each

    def _clip_people(self, people: People, boundary: gpd.GeoDataFrame) -> People:
        # Spread people live inside their polygon even where the middle of their cell does not.
        margin_m = self.people.spread.cell_m if self.people.spread is not None else 0.0
        table = people.table
        keep = within(table["lon"].to_numpy(), table["lat"].to_numpy(), boundary, margin_m)
        if keep.all():
            return people
        left = float(table["total"].to_numpy()[~keep].sum())
        self.notes.append(f"{left:,.0f} people outside the boundary were left out.")
        if not keep.any():
            self.faults.add(
                "nobody lives inside the boundary", file=self.people.file, remedy="check that the files fit"
            )
        shapes = None if people.shapes is None else people.shapes[keep].reset_index(drop=True)
        return replace(people, table=table[keep].reset_index(drop=True), shapes=shapes)

    def _clip_sites(self, sites: Sites, boundary: gpd.GeoDataFrame) -> Sites:
        keep = within(sites.table["lon"].to_numpy(), sites.table["lat"].to_numpy(), boundary)
        if keep.all():
            return sites
        left = int((~keep).sum())
        note = (
            f"1 of {len(keep):,} sites lies outside the boundary and was left out."
            if left == 1
            else f"{left:,} of {len(keep):,} sites lie outside the boundary and were left out."
        )
        if not keep.any():
            self.faults.add("no site lies inside the boundary", column="sites", remedy="check that the files fit")
        return sites.only(keep, note)

    def _check_times(self, times: pd.DataFrame, people: People, sites: Sites) -> None:
        """Ready times must speak of these people and sites."""
        name = self.streets.table or ""
        for column, ids, what in (("from", people.table["id"], "people"), ("to", sites.table["id"], "sites")):
            known = times[column].isin(set(ids))
            if len(times) and not known.any():
                self.faults.add(
                    f'no id here is one of the {what}: "{times[column].iloc[0]}" here, "{ids.iloc[0]}" there',
                    file=name,
                    column=column,
                    remedy=f"use the ids of {what}",
                )
            elif not known.all():
                unknown = times[column][~known].nunique()
                self.notes.append(
                    f"{unknown:,} ids of {name}, column {column}, are none of the {what} and were passed over."
                )


def _setting_fault(key: str, message: str, remedy: str) -> InputError:
    return InputError([Fault(message, column=key, remedy=remedy)])


def _licence(path: Path) -> str:
    """OpenStreetMap's for its extracts, unless the header says that this program made up the place; else unknown."""
    if not path.name.casefold().endswith(OSM_SUFFIXES):
        return ""
    try:
        reader = osmium.io.Reader(str(path))
        generator = reader.header().get("generator")
        reader.close()
    except RuntimeError:  # damaged; its reader says so
        return ""
    return "" if generator.startswith("nearer") else _OSM_LICENCE


def _corners(ground: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes of the corners of some ground's box."""
    west, south, east, north = ground.total_bounds
    return np.array([west, east]), np.array([south, north])


def _in_box(people: People, box: Bounds) -> BoolArray:
    lon, lat = people.table["lon"].to_numpy(), people.table["lat"].to_numpy()
    west, south, east, north = box
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def _listed(table: pd.DataFrame, file: str, source: SitesSource, *, found: bool = False) -> SiteList:
    """Sites that no file lists."""
    rows = np.arange(1, len(table) + 1, dtype=np.int64)
    plain = SitesSource(query="*", status=source.status)
    return sites_of(Frame(file, table.reset_index(drop=True), rows), plain, found=found)


def _flag(sites: Sites, barred: Sequence[gpd.GeoDataFrame]) -> Sites:
    """Mark sites that stand where nothing may open."""
    lon, lat = sites.table["lon"].to_numpy(), sites.table["lat"].to_numpy()
    excluded = np.any([within(lon, lat, ground) for ground in barred], axis=0) if barred else np.zeros(len(lon), bool)
    notes = sites.notes
    hit = int((excluded & (sites.table["status"] == "candidate").to_numpy()).sum())
    if hit:
        note = (
            "1 candidate stands where nothing may open."
            if hit == 1
            else f"{hit:,} candidates stand where nothing may open."
        )
        notes = (*notes, note)
    return replace(sites, table=sites.table.assign(excluded=excluded), notes=notes)
