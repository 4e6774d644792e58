"""The door for notebooks and programs: GeoDataFrames in, a plan out."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd

from nearer.files import sha256
from nearer.inputs.geo import WGS84
from nearer.inputs.osm import read_streets
from nearer.inputs.people import people_from_frame
from nearer.inputs.sites import sites_from_frame
from nearer.inputs.tables import Source, Streets, Tables
from nearer.kernels.jit import default_threads
from nearer.language import language as speaking
from nearer.planning.document import BeforeAfter, PlanDocument
from nearer.planning.plan import Plan
from nearer.progress import Progress, Silent, Stop
from nearer.report import map_svg, summary_text, write_gpkg, write_report
from nearer.study.limits import Run
from nearer.study.load import check_settings
from nearer.study.parts import check_named_sites
from nearer.study.run import plan_tables
from nearer.study.settings import Study


@dataclass(frozen=True, repr=False)
class StudyPlan:
    """
    A plan in Python: tables to work on, a map to look at, files to hand round.

    Parameters
    ----------
    plan
        The plan itself.
    """

    plan: Plan

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """Every site with its ``status`` in the plan ("opened" …), points in WGS 84; see ``Plan``."""
        return self.plan.sites

    @property
    def people(self) -> gpd.GeoDataFrame:
        """Every point with its minutes before and after, points in WGS 84; see ``Plan``."""
        return self.plan.people

    @property
    def gaps(self) -> gpd.GeoDataFrame:
        """Places whose people remain far, most people first, points in WGS 84."""
        far = [place.model_dump() for place in self.document.far]
        columns = ["name", "people", "minutes", "nearest_site", "mend", "mend_minutes"]
        points = gpd.points_from_xy([one["lon"] for one in far], [one["lat"] for one in far])
        rows = [{column: one[column] for column in columns} for one in far]
        return gpd.GeoDataFrame(rows, columns=columns, geometry=points, crs=WGS84)

    @property
    def document(self) -> PlanDocument:
        """What ``plan.json`` would hold."""
        return self.plan.document

    @property
    def measures(self) -> BeforeAfter:
        """Access of all people, before and after."""
        return self.plan.measures

    @property
    def status(self) -> str:
        """``optimal``, ``gap`` or ``feasible``."""
        return self.document.status

    @property
    def value(self) -> float:
        """The objective, weighted person-minutes."""
        return self.document.objective.value

    @property
    def bound(self) -> float:
        """What no plan can do better than, weighted person-minutes."""
        return self.plan.bound

    @property
    def gap(self) -> float:
        """Relative gap between value and bound."""
        return self.plan.gap

    def to_gpkg(self, path: str | Path) -> Path:
        """Write the layers for QGIS, styles inside."""
        write_gpkg(self.plan, Path(path))
        return Path(path)

    def to_report(self, path: str | Path, *, language: str = "en") -> Path:
        """Write the report, one HTML file, in a language: "en", "es", "fa"; KeyError where there is no such."""
        with speaking(language):
            write_report(self.plan, Path(path))
        return Path(path)

    def __repr__(self) -> str:
        return summary_text(self.plan)

    def _repr_html_(self) -> str:
        text = html.escape(summary_text(self.plan))
        return f'<figure style="margin:0;max-width:40rem">{map_svg(self.plan, "after")}</figure><pre>{text}</pre>'


def plan(
    people: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    streets: str | Path | None = None,
    *,
    open: int | None = None,
    open_max: int | None = None,
    total: str = "population",
    groups: Mapping[str, str] | None = None,
    group_weights: Mapping[str, float] | None = None,
    group_speeds_kmh: Mapping[str, float] | None = None,
    mode: str | None = None,
    limit_min: float = 30.0,
    speed_kmh: float | None = None,
    snap_m: float = 500.0,
    detour: float = 1.3,
    objective: str | Sequence[str] = "travel",
    tolerance: Sequence[float] = (),
    decay_min: tuple[float, float] | None = None,
    second_share: float | None = None,
    within_share: float | None = None,
    everyone_within_min: float | None = None,
    force: Sequence[str] = (),
    forbid: Sequence[str] = (),
    coverage_min: float = 15.0,
    unreached_min: float | None = None,
    name: str = "A plan",
    seed: int = 0,
    time_limit_s: float | None = 60.0,
    gap: float = 1e-4,
    work_limit: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> StudyPlan:
    """
    Plan where centres open.

    Parameters
    ----------
    people
        Points or polygons with people, in any coordinate system it names.
    sites
        Points with ``id`` (default row numbers), ``name`` and ``status`` ("existing", "candidate" or "other"; without
        the column all are candidates). Further columns are kept.
    streets
        OpenStreetMap extract; None for straight lines.
    open, open_max
        Candidates to open: exactly, or at most, so many.
    total, groups
        Column with all people, and columns with those of each group by its name.
    group_weights, group_speeds_kmh
        What a member of a group counts for when sites are chosen (default 1), and how fast they walk, km/h.
    mode
        "walk", "bike", "drive" or "straight"; default walk where there are streets.
    limit_min
        Farther counts as out of reach, minutes.
    speed_kmh, snap_m, detour
        Speed (default 4.8 walking, 15 cycling); farthest walk to a street, metres; street metres per straight metre.
    objective, tolerance, decay_min, second_share, within_share
        "travel", "coverage", "farthest", "equal" or "cost", or several in order, with what each may give up for those
        after it; and what gradual coverage, twofold coverage and cost ask.
    everyone_within_min, force, forbid
        Rules: everyone within so many minutes where possible; ids of candidates that must, or may not, open.
    coverage_min, unreached_min
        Minutes that count as near, and what a person out of reach counts as (default 2 × ``limit_min``).
    name, seed
        Title, and start of every random choice.
    time_limit_s, gap, work_limit, threads, progress, stop
        As for ``run_study``.

    Raises
    ------
    InputError
        Faults in the tables or numbers given, all that could be found.
    """
    mode = mode or ("straight" if streets is None else "walk")
    study = check_settings(
        {
            "study": {"name": name, "seed": seed},
            "streets": {
                "file": None if streets is None else Path(streets).name,
                "mode": mode,
                "limit_min": limit_min,
                "speed_kmh": speed_kmh,
                "snap_m": snap_m,
                "detour": detour,
                "group_speeds_kmh": dict(group_speeds_kmh or {}),
            },
            "people": {"file": "people", "total": total, "groups": dict(groups or {})},
            "sites": [{"file": "sites", "status": None}],
            "plan": {
                "open": open,
                "open_max": open_max,
                "objective": objective if isinstance(objective, str) else tuple(objective),
                "tolerance": tuple(float(part) for part in tolerance),
                "decay_min": decay_min,
                "second_share": second_share,
                "within_share": within_share,
                "everyone_within_min": everyone_within_min,
                "force": tuple(force),
                "forbid": tuple(forbid),
                "coverage_min": coverage_min,
                "unreached_min": unreached_min,
                "group_weights": dict(group_weights or {}),
            },
        },
        "nearer.plan()",
    )
    run = Run(time_limit_s, gap, work_limit, threads or default_threads(), progress or Silent(), stop or Stop())
    with run.timed("read"):
        tables = tables_of_frames(people, sites, streets, study, run)
        check_named_sites(tables, study)
    return StudyPlan(plan_tables(tables, study, run=run))


def tables_of_frames(
    people: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, streets: str | Path | None, study: Study, run: Run
) -> Tables:
    """Check GeoDataFrames as the files of a study are checked, and read the streets."""
    tables = Tables(
        people=people_from_frame(people, total=study.people.total, groups=study.people.groups),
        sites=sites_from_frame(sites, status=None if "status" in sites.columns else "candidate"),
    )
    if streets is None or study.streets.mode == "straight":
        return tables
    path = Path(streets)
    read: Streets = read_streets(path, study.streets.mode, speed_kmh=study.streets.speed_kmh, progress=run.progress)
    return replace(tables, streets=read, sources=(Source(path.name, sha256(path), "streets"),))
