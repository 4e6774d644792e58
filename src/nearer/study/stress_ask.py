"""What is assumed to happen: ids, polygons and surges as a person wrote them, turned into a situation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from nearer.demand.surge import Surge, surged
from nearer.errors import Fault, InputError
from nearer.files import sha256
from nearer.inputs.area import boundary_of
from nearer.inputs.columns import nearest
from nearer.inputs.frames import find_file, read_frame
from nearer.network.hazard import Cut, cut_network
from nearer.planning.stress import Situation
from nearer.planning.stress_document import Asked, HazardAsked
from nearer.planning.stress_document import Surge as SurgeWritten
from nearer.study.limits import Run
from nearer.study.parts import times_per_class, weigh
from nearer.study.stress_ground import Ground, Question
from nearer.units import BoolArray


@dataclass(frozen=True)
class Happened:
    """
    A plan after something happened.

    Parameters
    ----------
    written
        What happened, as it is written down.
    situation
        Who lives where, how far everything is and what is in service then.
    people
        The table of people then.
    out_mask, inside_mask
        Centres out of service for any reason, and all sites in the hazard, bool (n_sites,).
    back_mask, spare_mask
        Centres that could be brought back, and other sites that could open, bool (n_sites,).
    ground
        The hazard, WGS 84; None where there is none.
    """

    written: Asked
    situation: Situation
    people: pd.DataFrame
    out_mask: BoolArray
    inside_mask: BoolArray
    back_mask: BoolArray
    spare_mask: BoolArray
    ground: gpd.GeoDataFrame | None


def ask(ground: Ground, question: Question, run: Run) -> Happened:
    """
    Turn a question into the situation it describes.

    Raises
    ------
    InputError
        An id, an area, a group or a file is not there, or a factor is no number.
    """
    named_mask = named_sites(ground, question.out_of_service, "--out-of-service")
    surges = [read_surge(text, ground) for text in question.surge]
    tables = ground.tables
    people = surged(tables.people.table, tables.people.groups, surges)
    demand = ground.situation.demand
    if surges:
        demand = weigh(replace(tables, people=replace(tables.people, table=people)), ground.study)
    n = len(tables.sites.table)
    inside, times, polygons, hazard = np.zeros(n, dtype=bool), ground.situation.class_times, None, None
    if question.hazard is not None:
        polygons = read_hazard(question.hazard)
        with run.timed("hazard"):
            cut = cut_network(
                ground.network,
                tables,
                ground.study.streets,
                polygons,
                threads=run.threads,
                progress=run.progress,
                stop=run.stop,
            )
        inside = cut.sites_mask
        times = times_per_class(cut.times, ground.study, demand)
        hazard = _written(ground, question.hazard, cut, people)
    out = named_mask | (inside & ground.situation.open_mask)
    ids = tables.sites.table["id"].to_numpy(dtype=object)
    return Happened(
        written=Asked(
            out_of_service=[str(site) for site in ids[named_mask]],
            hazard=hazard,
            surge=[SurgeWritten(what=one.what, name=one.name, factor=one.factor) for one in surges],
        ),
        situation=Situation(demand, times, ground.situation.open_mask & ~out),
        people=people,
        out_mask=out,
        inside_mask=inside,
        back_mask=named_mask & ~inside,
        spare_mask=ground.spare_mask & ~inside,
        ground=polygons,
    )


def _written(ground: Ground, path: Path, cut: Cut, people: pd.DataFrame) -> HazardAsked:
    ids = ground.tables.sites.table["id"].to_numpy(dtype=object)
    open_mask = ground.situation.open_mask
    return HazardAsked(
        file=path.name,
        sha256=sha256(path),
        sites=[str(site) for site in ids[cut.sites_mask & open_mask]],
        candidates=int((cut.sites_mask & ~open_mask).sum()),
        segments=cut.segments,
        people_inside=float(people["total"].to_numpy(dtype=np.float64)[cut.people_mask].sum()),
    )


def read_hazard(path: Path) -> gpd.GeoDataFrame:
    """
    All polygons of a file as one, WGS 84.

    Raises
    ------
    InputError
        There is no such file, or it holds no polygons.
    """
    found = find_file(path.parent, path.name)
    return boundary_of(read_frame(found, name=path.name, section="--hazard"))


def read_surge(text: str, ground: Ground) -> Surge:
    """
    A surge as it is written on the command line: "area=NAME:FACTOR", "GROUP:FACTOR" or "all:FACTOR".

    Raises
    ------
    InputError
        There is no such area or group, or the factor is no number from 0 to 1000.
    """
    name, _, number = text.rpartition(":")
    name = name.strip()
    try:
        factor = float(number)
    except ValueError:
        factor = -1.0
    if not name or not 0 <= factor <= 1_000:
        raise _refused(f'"{text}" is no surge', 'write NAME:FACTOR, such as "area=Vaduz:2", "older:1.5" or "all:1.2"')
    if name == "all":
        return Surge("all", "", factor)
    people = ground.tables.people
    if name.startswith("area="):
        area = name.removeprefix("area=").strip()
        areas = sorted(set(people.table["area"].astype(str)) - {""})
        if area not in areas:
            raise _refused(f'there is no area "{area}"', _nearest(area, areas, "areas have no names in this study"))
        return Surge("area", area, factor)
    if name not in people.groups:
        none = 'this study has no groups; write "area=NAME:FACTOR" or "all:FACTOR"'
        raise _refused(f'there is no group "{name}"', _nearest(name, people.groups, none))
    return Surge("group", name, factor)


def _nearest(wanted: str, there: list[str] | tuple[str, ...], none: str) -> str:
    if not there:
        return none
    near = nearest(wanted, there)
    return f'the nearest is "{near}"' if near else "there are " + ", ".join(list(there)[:20])


def _refused(message: str, remedy: str) -> InputError:
    return InputError([Fault(message, file="--surge", remedy=remedy)])


def named_sites(ground: Ground, wanted: tuple[str, ...], key: str) -> BoolArray:
    """
    Open centres by their ids, bool (n_sites,).

    Raises
    ------
    InputError
        An id is unknown, or its site is not open in the plan.
    """
    table = ground.tables.sites.table
    place = {str(site): at for at, site in enumerate(table["id"])}
    mask, faults = np.zeros(len(table), dtype=bool), []
    for site in wanted:
        if site not in place:
            near = nearest(site, place)
            remedy = f'the nearest id is "{near}"' if near else "give ids of the plan's centres, separated by commas"
            faults.append(Fault(f'there is no site "{site}"', file=key, remedy=remedy))
        elif not ground.situation.open_mask[place[site]]:
            faults.append(Fault(f'site "{site}" is not open in this plan', file=key, remedy="leave it out"))
        else:
            mask[place[site]] = True
    if faults:
        raise InputError(faults)
    return mask
