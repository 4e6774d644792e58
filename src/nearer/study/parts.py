"""The parts of a run: what of a study goes into which room, and how."""

from __future__ import annotations

import math
import os
import platform
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nearer.demand import Demand, make_demand
from nearer.errors import COMMAND_LINE, Fault, Faults, InputError
from nearer.inputs.columns import texts
from nearer.inputs.read import read_tables
from nearer.inputs.tables import Source, Tables
from nearer.model import FORBIDDEN, FREE, OPEN, Solution
from nearer.network import Network, Parted, TravelTimes, base_speed_kmh, compute_times, scaled
from nearer.planning.cut import cut_elsewhere
from nearer.planning.document import Snapping
from nearer.study.estimate import foreseen
from nearer.study.limits import Run
from nearer.study.load import STUDY_FILE, check_settings
from nearer.study.owners import owned
from nearer.study.settings import Study
from nearer.units import MS_PER_MIN, BoolArray, IntArray, minutes_to_ms

_RECORDED = ("numpy", "scipy", "numba", "highspy", "pandas", "geopandas", "shapely", "pyproj", "osmium")


def default_out(path: Path) -> Path:
    """Where a study's plan goes unless told otherwise."""
    return study_folder(path) / "plan"


def study_folder(path: Path) -> Path:
    """The folder of a study, which may be named by its ``nearer.toml``."""
    return path.parent if path.suffix == ".toml" else path


def from_to(start: Path, target: Path) -> str:
    """How to get from one folder to another, so that both may move together."""
    try:
        return Path(os.path.relpath(target, start)).as_posix()
    except ValueError:  # on another drive
        return str(target.resolve())


def override(study: Study, values: dict[str, Any]) -> Study:
    """
    Settings with some values replaced, by dotted key, None to leave one; ``open`` and ``open_max`` replace each other.

    Raises
    ------
    InputError
        The values do not fit.
    """
    given = {key: value for key, value in values.items() if value is not None}
    settings = study.model_dump()
    if given.keys() & {"plan.open", "plan.open_max"}:
        settings["plan"].update(open=None, open_max=None)
    if isinstance(asked := given.get("plan.objective"), str) and "," in asked:
        given["plan.objective"] = tuple(part.strip() for part in asked.split(","))
    if "plan.objective" in given:
        settings["plan"]["tolerance"] = ()  # those of the study's own objectives
    for key, value in given.items():
        table, _, name = key.partition(".")
        settings[table][name] = value
    return check_settings(settings, COMMAND_LINE)


def read_study(folder: Path, study: Study, run: Run) -> Tables:
    """Every file of a study, read and checked."""
    tables = read_tables(
        study_folder(folder),
        streets=study.streets,
        people=study.people,
        sites=study.sites,
        area=study.area,
        exclude=study.exclude,
        progress=run.progress,
    )
    check_named_sites(tables, study)
    tables = owned(tables, study.owners, STUDY_FILE)
    tables = replace(tables, sources=_credited(tables.sources, study))
    sites = tables.sites
    if not study.staged and "capacity" in sites.table and any(texts(sites.table["capacity"])):
        note = (
            "Plans of this study do not count the sites' column capacity, since it has no [[levels]], phases, money or "
            'rules across sites; a single [[levels]] with a name, such as "centre", is enough.'
        )
        tables = replace(tables, sites=replace(sites, notes=(*sites.notes, note)))
    return tables


def _credited(used: tuple[Source, ...], study: Study) -> tuple[Source, ...]:
    """The files with what the study says of where they come from."""
    said = {credit.file: credit.licence for credit in study.sources}
    faults = Faults(STUDY_FILE)
    for at, credit in enumerate(study.sources, start=1):
        if credit.file not in {source.path for source in used}:
            remedy = "name a file as it stands elsewhere in the study, or take the table out"
            faults.add(f"no other part of the study reads {credit.file}", column=f"sources[{at}].file", remedy=remedy)
    faults.raise_if_any()
    return tuple(replace(source, licence=said.get(source.path, source.licence)) for source in used)


def number_to_open(study: Study, tables: Tables) -> tuple[int, int]:
    """
    Candidates to open, at least and at most, forced ones included.

    Raises
    ------
    InputError
        More are to open than may, or more are forced than are to open.
    """
    may_open = int(np.count_nonzero(standing(tables, study) == FREE))
    n_forced = len(study.plan.force)
    asked = study.plan.open if study.plan.open is not None else study.plan.open_max
    if asked is not None and n_forced > asked:
        key = "plan.open" if study.plan.open is not None else "plan.open_max"
        only = "1 is" if asked == 1 else f"{asked} are"
        message = (
            f"1 site is forced and only {only} to open"
            if n_forced == 1
            else f"{n_forced} sites are forced and only {only} to open"
        )
        raise InputError([Fault(message, column=key, remedy=f"ask for at least {n_forced}, or force fewer")])
    if study.plan.open is None:
        return n_forced, min(may_open if study.plan.open_max is None else study.plan.open_max, may_open)
    wanted = study.plan.open
    if wanted > may_open:
        listed = int(np.count_nonzero(tables.sites.table["status"] == "candidate"))
        n_barred = listed - may_open - len(study.plan.forbid)
        barred = f" ({listed} are listed, {n_barred} stand on excluded ground)" if n_barred > 0 else ""
        message = f"{too_many(wanted, may_open)}{barred}"
        remedy = f"ask for at most {may_open}, or add candidates" if may_open else "add candidates"
        raise InputError([Fault(message, column="plan.open", remedy=remedy)])
    return wanted, wanted


def too_many(wanted: int, may_open: int) -> str:
    """More sites are asked for than candidates may open, in words."""
    sites = "1 site is" if wanted == 1 else f"{wanted} sites are"
    few = f"only {may_open} candidate{'' if may_open == 1 else 's'} may" if may_open else "no candidate may"
    return f"{sites} to open and {few}"


def standing(tables: Tables, study: Study | None = None) -> IntArray:
    """
    ``OPEN``, ``FREE`` or ``FORBIDDEN`` per site, int8 (n_sites,); another provider's site stands open.

    Forced candidates are free here: they are part of the plan, not of what stands before it.
    """
    table = tables.sites.table
    candidate = (table["status"] == "candidate").to_numpy()
    barred = table["excluded"].to_numpy(dtype=bool)
    if study is not None and study.plan.forbid:
        barred = barred | table["id"].isin(study.plan.forbid).to_numpy()
    return np.where(candidate, np.where(barred, FORBIDDEN, FREE), OPEN).astype(np.int8)


def check_named_sites(tables: Tables, study: Study) -> None:
    """
    Make sure that forced and forbidden sites are candidates that may open.

    Raises
    ------
    InputError
        An id is unknown, or of a site that is not a candidate, or that stands on excluded ground and is forced.
    """
    table = tables.sites.table
    status = dict(zip(table["id"], table["status"], strict=True))
    excluded = dict(zip(table["id"], table["excluded"], strict=True))
    faults = Faults(STUDY_FILE)
    for key, ids in (("plan.force", study.plan.force), ("plan.forbid", study.plan.forbid)):
        for site in ids:
            if site not in status:
                near = get_close_matches(site, [str(each) for each in status], n=1)
                remedy = f"did you mean {near[0]!r}" if near else "give the id of a candidate"
                faults.add(f"there is no site {site!r}", column=key, remedy=remedy)
            elif status[site] != "candidate":
                faults.add(f"site {site!r} is {status[site]}, not a candidate", column=key, remedy="leave it out")
            elif key == "plan.force" and excluded[site]:
                faults.add(f"site {site!r} stands on excluded ground", column=key, remedy="force another")
    faults.raise_if_any()


def weigh(tables: Tables, study: Study) -> Demand:
    """
    People as demand.

    Raises
    ------
    InputError
        Groups with a speed of their own overlap, or weights turn negative.
    """
    table = tables.people.table
    try:
        return make_demand(
            table["total"].to_numpy(dtype=np.float64),
            {group: table[group].to_numpy(dtype=np.float64) for group in tables.people.groups},
            study.plan.group_weights,
            tuple(study.streets.group_speeds_kmh),
        )
    except ValueError as error:
        raise InputError([Fault(str(error), file=STUDY_FILE)]) from error


def travel(
    tables: Tables, study: Study, run: Run, folder: Path | None, *, spread: bool = False, near: bool = False
) -> Network:
    """
    Times from people to sites; ``folder`` is the study's, where what is slow to make is kept, or None.

    ``spread`` says that rows may stay on the workers of a cluster, ``near`` that only ``times_near`` are asked for: so
    less memory is needed here.
    """
    return compute_times(
        tables,
        study.streets,
        streets_sha=next((one.sha256 for one in tables.sources if one.path == study.streets.file), ""),
        folder=folder,
        foresee=foreseen(tables, study, run, folder, spread=spread, near=near),
        threads=run.threads,
        cluster=run.cluster,
        progress=run.progress,
        stop=run.stop,
    )


def times_near(network: Network, stands: BoolArray, run: Run) -> TravelTimes:
    """
    Times, as far as they matter where some sites stand open in every case that is asked, bool (n_sites,).

    On a cluster that holds the rows, its workers leave out what lies farther than the nearest of these sites.
    """
    if run.cluster is None or not isinstance(network.rows, Parted):
        return network.times
    return cut_elsewhere(network.rows, stands, run.cluster, run.stop)


def times_per_class(times: TravelTimes, study: Study, demand: Demand) -> list[TravelTimes]:
    """Times of each class of people, everyone within the limit at their own speed."""
    limit_ms = minutes_to_ms(study.streets.limit_min)
    base, own = base_speed_kmh(study.streets), study.streets.group_speeds_kmh
    return [scaled(times, base / own[name] if name else 1.0, limit_ms) for name in demand.class_names]


def machine_notes(run: Run) -> dict[str, Any]:
    """When and where something was computed, and how long it took."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": run.seconds,  # filled in to the end of the run
        "foreseen": run.foreseen,
        "threads": run.threads,
        **({} if run.cluster is None else {"cluster": run.cluster.notes()}),
        "host": {"system": platform.platform(), "processor": platform.machine(), "processors": os.cpu_count()},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _RECORDED}},
    }


def run_notes(run: Run, solution: Solution, per_unit: float = MS_PER_MIN) -> dict[str, Any]:
    """What differs from run to run, for ``run.json``; the solver's figures are ``per_unit`` of those told."""
    return {
        **machine_notes(run),
        "solver_seconds": round(solution.seconds, 3),
        "work": solution.work,
        "time_limit_s": run.time_limit_s,
        "gap": run.gap,
        "work_limit": run.work_limit,
        "stopped": run.stop.cancelled,
        "memory_ran_short": run.stop.full,
        "trace": [  # seconds, value and bound (of the last objective), null where not known yet
            [round(point.seconds, 3), _finite(point.value / per_unit), _finite(point.bound / per_unit)]
            for point in solution.trace
        ],
    }


def snapping(network: Network, tables: Tables, study: Study) -> dict[str, Snapping]:
    """How people and sites were joined to the streets; empty where no streets were used."""
    found = {}
    for name, table, snap in (
        ("people", tables.people.table, network.people_snap),
        ("sites", tables.sites.table, network.site_snap),
    ):
        if snap is None:
            continue
        joined = snap.joined_mask
        moved_m = snap.distance_m[joined]
        found[name] = Snapping(
            points=snap.n,
            joined=int(joined.sum()),
            median_m=round(float(np.median(moved_m)), 1) if len(moved_m) else 0.0,
            farthest_m=round(float(moved_m.max(initial=0.0)), 1),
            cap_m=study.streets.snap_m,
            unjoined=table["id"][~joined].head(100).tolist(),
            unjoined_people=float(table["total"][~joined].sum()) if name == "people" else 0.0,
        )
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
