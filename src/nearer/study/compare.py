"""Plans side by side: plan folders in, a folder with the comparison out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from nearer.errors import InputError, UsageError
from nearer.files import sha256
from nearer.planning.compare import Given, compare_plans
from nearer.planning.comparedoc import CompareDocument
from nearer.planning.curvefiles import write_document
from nearer.planning.document import PlanDocument
from nearer.planning.files import PLAN_FILE, read_document
from nearer.report.comparepage import Sight, write_compare_page
from nearer.report.sitesmap import Drawn
from nearer.study.load import STUDY_FILE, check_settings
from nearer.study.parts import from_to
from nearer.study.write import check_out, write_folder

COMPARE_FILE, COMPARE_PAGE = "compare.json", "compare.html"
COMPARE_FILES = (COMPARE_PAGE, COMPARE_FILE)
"""Every file of a comparison's folder; anything else in it is the user's and stays."""


def run_compare(plans: Sequence[str | Path], *, out: str | Path | None = None) -> CompareDocument:
    """
    Compare plans and write the comparison's folder.

    Parameters
    ----------
    plans
        Plan folders, or their ``plan.json``, two or more.
    out
        Where the comparison goes; default ``compare`` beside the first plan.

    Returns
    -------
    CompareDocument
        What ``compare.json`` holds.

    Raises
    ------
    InputError
        A folder holds no plan of ours.
    UsageError
        Fewer than two plans, plans of different studies, or the comparison may not be written there.
    """
    folders = [Path(plan).parent if Path(plan).name == PLAN_FILE else Path(plan) for plan in plans]
    if len(folders) < 2:
        raise UsageError("Give two plan folders or more to compare.")
    out = folders[0].resolve().parent / "compare" if out is None else Path(out)
    check_out(out, COMPARE_FILES, "a comparison")
    for folder in folders:
        if (folder / STUDY_FILE).is_file() and not (folder / PLAN_FILE).is_file():
            raise UsageError(
                f"{folder} is a study, not a plan: give a folder that `nearer plan` wrote, e.g. {folder / 'plan'}."
            )
    documents = [read_document(folder) for folder in folders]
    made = compare_plans(
        [
            Given(folder.resolve(), from_to(out, folder), sha256(folder / PLAN_FILE), document, _settings(document))
            for folder, document in zip(folders, documents, strict=True)
        ]
    )
    sight = _sight(folders, documents)

    def fill(fresh: Path) -> None:
        write_compare_page(made, sight, fresh / COMPARE_PAGE)
        write_document(made, fresh / COMPARE_FILE)

    write_folder(out, COMPARE_FILES, fill, "The comparison")
    return made


def _settings(document: PlanDocument) -> dict[str, Any]:
    """Settings of a plan with the defaults of this version filled in, as they are where they no longer fit."""
    try:
        return check_settings(document.settings, PLAN_FILE).model_dump(mode="json")
    except InputError:
        return document.settings


def _sight(folders: Sequence[Path], documents: Sequence[PlanDocument]) -> Sight | None:
    """What the maps need, from each ``plan.gpkg``; None where one is missing or the people are not the same."""
    layers = []
    for folder in folders:
        file = folder / "plan.gpkg"
        if not file.is_file():
            return None
        layers.append(gpd.read_file(file, layer="people"))
    first = layers[0]
    if any(len(one) != len(first) or not (one["id"] == first["id"]).all() for one in layers[1:]):
        return None
    settings = documents[0].settings
    people = settings.get("people", {})
    cell_m = (people.get("spread") or {}).get("cell_m") or people.get("cell_m")
    # cells that were polygons are stored as such; the middle of each stands for it
    has_shapes = bool((first.geometry.geom_type != "Point").any())
    middles = gpd.GeoSeries(shapely.centroid(first.geometry.to_numpy()), crs=first.crs)
    ground = Drawn(
        sites=gpd.read_file(folders[0] / "plan.gpkg", layer="sites"),
        people=first.assign(area=first["area"].fillna("")).set_geometry(middles),
        shapes=first.geometry if has_shapes else None,
        cell_m=None if has_shapes else cell_m,
    )
    minutes = np.vstack([one["minutes_after"].to_numpy(dtype=np.float64) for one in layers])
    return Sight(ground, minutes, documents[0].sources, float(settings.get("streets", {}).get("limit_min") or 30.0))
