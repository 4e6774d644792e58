"""Where too many people share too few places: a study folder in, a gaps folder out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from nearer.errors import Faults, InputError
from nearer.inputs.places import read_places
from nearer.inputs.tables import Tables
from nearer.kernels.jit import default_threads
from nearer.model import FREE
from nearer.planning.catchment import Decay
from nearer.planning.gapdoc import Standard
from nearer.planning.gapfiles import write_gap_files
from nearer.planning.gaps import Gaps, make_gaps
from nearer.planning.sizing import Level
from nearer.progress import Progress, Silent, Stop
from nearer.report import write_gaps_gpkg, write_gaps_report
from nearer.study.limits import Run
from nearer.study.load import load_study
from nearer.study.parts import (
    from_to,
    machine_notes,
    read_study,
    snapping,
    standing,
    study_folder,
    times_per_class,
    travel,
    weigh,
)
from nearer.study.settings import Study
from nearer.study.write import check_out, write_folder
from nearer.units import FloatArray

GAP_FILES = ("gaps.csv", "points.csv", "gaps.gpkg", "gaps.html", "run.json", "gaps.json")
"""Every file a gaps folder may hold; anything else in it is the user's and stays."""

STANDARD_PEOPLE = 5_000.0
"""How many people a centre is for unless something else is said."""

_SUBURBS = "place=suburb|quarter|neighbourhood|town|village|hamlet & name=*"

Suburbs = tuple[list[str], FloatArray]


def find_gaps(
    folder: Path,
    *,
    out: Path | None = None,
    minutes: float | None = None,
    standard_people: float = STANDARD_PEOPLE,
    group: str | None = None,
    decay: Decay = "none",
    threads: int | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Gaps:
    """
    Read a study, find the areas with too few places in reach, and write the gaps folder.

    Parameters
    ----------
    folder
        The study folder, or its ``nearer.toml``.
    out
        Where the gaps go; default ``gaps`` inside the study folder.
    minutes
        How far people go to a centre; default ``plan.coverage_min`` of the study.
    standard_people
        How many people a centre without a stated capacity is for.
    group
        Whose need counts; None for everyone's.
    decay
        Whether people farther away count less in a catchment.
    threads
        Threads; None for as many as there are processors.
    progress, stop
        Where to report, and who may ask to stop.

    Raises
    ------
    InputError
        Faults in the files or settings, all that could be found.
    UsageError
        The gaps may not be written there.
    NearerError
        Stopped, or the gaps could not be written; earlier ones stand as they were.
    """
    folder = Path(folder)
    out = default_gaps_out(folder) if out is None else Path(out)
    run = Run(None, threads=threads or default_threads(), progress=progress or Silent(), stop=stop or Stop())
    check_out(out, GAP_FILES, "gaps")
    study = load_study(folder)
    standard = standard_of(study, minutes, standard_people, group, decay)
    with run.timed("read"):
        tables = read_study(folder, study, run)
        suburbs = suburbs_of(study, study_folder(folder))
    gaps = gaps_tables(tables, study, standard, run=run, folder=study_folder(folder), suburbs=suburbs)
    gaps = replace(gaps, run=gaps.run | {"study_folder": from_to(out, study_folder(folder))})

    def fill(fresh: Path) -> None:
        with run.timed("write"):
            write_gaps_gpkg(gaps, fresh / "gaps.gpkg")
            write_gaps_report(gaps, fresh / "gaps.html")
        write_gap_files(gaps, fresh)

    write_folder(out, GAP_FILES, fill, "The list of gaps")
    return gaps


def default_gaps_out(path: Path) -> Path:
    """Where a study's gaps go unless told otherwise."""
    return study_folder(path) / "gaps"


def standard_of(study: Study, minutes: float | None, people: float, group: str | None, decay: Decay) -> Standard:
    """
    The standard asked for, checked against the study.

    Raises
    ------
    InputError
        The minutes are beyond the study's limit, a number is none, or there is no such group.
    """
    faults = Faults()
    within, limit = study.plan.coverage_min if minutes is None else minutes, study.streets.limit_min
    if not 0 < within <= limit:
        what = f"{within:g} minutes is " + ("no journey" if within <= 0 else f"beyond the study's limit of {limit:g}")
        remedy = f"give minutes up to {limit:g}, or raise limit_min in [streets]"
        faults.add(what, column="plan.coverage_min" if minutes is None else "--minutes", remedy=remedy)
    if not 0 < people < float("inf"):
        faults.add(f"{people:g} is no number of people", column="--standard-people", remedy="give more than 0")
    if group is not None and group not in study.people.groups:
        known = ", ".join(study.people.groups) or "none"
        faults.add(f"there is no group {group!r}", column="--group", remedy=f"[people] groups has: {known}")
    faults.raise_if_any()
    return Standard(minutes=within, people=people, group=group, decay=decay)


def levels_of(study: Study, standard: Standard) -> list[Level]:
    """Sizes of centre that the study knows, smallest first; one without a limit is for as many as the standard says."""
    return [
        Level(level.name, standard.people if level.capacity is None else level.capacity)
        for level in study.levels
        if level.capacity is None or level.capacity > 0
    ]


def suburbs_of(study: Study, folder: Path) -> Suburbs:
    """Names and places (degrees) of suburbs and villages in the study's extract; none without one."""
    nothing: Suburbs = ([], np.zeros((0, 2)))
    if study.streets.file is None:
        return nothing
    try:
        found = read_places(folder / study.streets.file, _SUBURBS)
    except InputError:  # an extract of streets alone names no places
        return nothing
    return found["name"].tolist(), found[["lon", "lat"]].to_numpy(dtype=np.float64)


def gaps_tables(
    tables: Tables,
    study: Study,
    standard: Standard,
    *,
    run: Run,
    folder: Path | None = None,
    suburbs: Suburbs | None = None,
) -> Gaps:
    """
    Find gaps in tables that were read: network → demand → gaps.

    Parameters
    ----------
    tables, study, standard
        What was read, and what is asked.
    run
        Threads, progress.
    folder
        The study folder, where what is slow to make is kept between runs; None to keep nothing.
    suburbs
        Names and places of suburbs, for the names of areas.
    """
    with run.timed("network"):
        network = travel(tables, study, run, folder)
    run.go_on()
    with run.timed("gaps"):
        demand = weigh(tables, study)
        return make_gaps(
            name=study.study.name,
            settings=study.model_dump(mode="json"),
            tables=tables,
            demand=demand,
            class_times=times_per_class(network.times, study, demand),
            candidate_mask=standing(tables, study) == FREE,
            standard=standard,
            crs=network.plane.crs,
            snapping=snapping(network, tables, study),
            run=machine_notes(run),
            levels=levels_of(study, standard),
            suburbs=suburbs or ([], np.zeros((0, 2))),
        )
