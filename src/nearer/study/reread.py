"""A finished plan taken up again, to write its report anew without solving."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
from pyogrio.errors import DataLayerError, DataSourceError

from nearer.errors import Fault, InputError
from nearer.inputs.geo import WGS84
from nearer.language import language
from nearer.planning.files import PLAN_FILE, read_document, read_run
from nearer.planning.plan import Plan
from nearer.report import write_report
from nearer.study.provenance import origin_of

GPKG_FILE = "plan.gpkg"


def report_name(code: str) -> str:
    """Name of a plan's report in a further language, beside the one that it was made with."""
    return f"report-{code}.html"


def report_again(folder: Path, code: str, study_folder: Path | None = None, out: Path | None = None) -> Path:
    """
    Write the report of a finished plan in a language, without solving.

    Parameters
    ----------
    folder
        The plan folder.
    code
        One of `nearer.language.LANGUAGES`.
    study_folder
        Where the study lies, if not where the plan says.
    out
        The file; default ``report-es.html`` and the like in the plan folder.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        As for `finished_plan`.
    NearerError
        The file cannot be written.
    """
    file = folder / report_name(code) if out is None else out
    with language(code):
        write_report(finished_plan(folder, study_folder), file)
    return file


def finished_plan(folder: Path, study_folder: Path | None = None) -> Plan:
    """
    A plan as its folder and its study tell of it: what a report shows, without proofs and the users' own columns.

    Parameters
    ----------
    folder
        The plan folder.
    study_folder
        Where the study lies; default what ``run.json`` says, else the folder around the plan.

    Raises
    ------
    InputError
        There is no plan, ``plan.gpkg`` is not the plan's, or an input is missing or has changed since.
    """
    document = read_document(folder)
    tables = origin_of(document, folder, PLAN_FILE, study_folder).tables
    points, table = tables.people.table, tables.sites.table.reset_index(drop=True)
    people = _people(folder, points)
    known = pd.DataFrame([site.model_dump() for site in document.sites], columns=["id", "status", "order"])
    known = known.drop_duplicates("id").set_index("id")
    sites = gpd.GeoDataFrame(
        {
            "id": table["id"],
            "name": table["name"],
            "status": table["id"].map(known["status"]).fillna(table["status"]),
            "order": table["id"].map(known["order"]).astype("Int64"),
        },
        geometry=gpd.points_from_xy(table["lon"], table["lat"]),
        crs=WGS84,
    )
    return Plan(
        document=document,
        sites=sites,
        people=people,
        streets=tables.streets,
        boundary=tables.boundary,
        districts=tables.districts,
        shapes=tables.people.shapes,
        cell_m=tables.people.cell_m,
        run=read_run(folder),
    )


def _people(folder: Path, points: pd.DataFrame) -> gpd.GeoDataFrame:
    """Points of the study with the minutes that ``plan.gpkg`` holds."""
    file = folder / GPKG_FILE
    try:
        held = gpd.read_file(file, layer="people", ignore_geometry=True)
    except (DataSourceError, DataLayerError) as error:
        raise _not_held(file, "cannot be read") from error
    if "id" not in held or held["id"].astype(str).tolist() != points["id"].astype(str).tolist():
        raise _not_held(file, "does not hold the people of this plan")
    minutes = [column for column in held.columns if column.startswith("minutes_")]
    frame = points[["id", "total", "area"]].reset_index(drop=True).join(held[minutes])
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(points["lon"], points["lat"]), crs=WGS84)


def _not_held(file: Path, why: str) -> InputError:
    return InputError([Fault(why, file=str(file), remedy="plan again")])
