"""The door for notebooks and programs: GeoDataFrames in, areas with too few places in reach out."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd

from nearer.kernels.jit import default_threads
from nearer.language import language as speaking
from nearer.planning.catchment import Decay
from nearer.planning.gapdoc import GapsDocument
from nearer.planning.gaps import Gaps
from nearer.progress import Progress, Silent, Stop
from nearer.report import gaps_summary, write_gaps_gpkg, write_gaps_report
from nearer.study.api import tables_of_frames
from nearer.study.gaps import STANDARD_PEOPLE, gaps_tables, standard_of, suburbs_of
from nearer.study.limits import Run
from nearer.study.load import check_settings


@dataclass(frozen=True, repr=False)
class StudyGaps:
    """
    Gaps in Python: tables to work on, files to hand round.

    Parameters
    ----------
    gaps
        The gaps themselves.
    """

    gaps: Gaps

    @property
    def areas(self) -> gpd.GeoDataFrame:
        """Areas with too few places in reach, most people lacking first, polygons in WGS 84; see ``Gaps``."""
        return self.gaps.areas

    @property
    def people(self) -> gpd.GeoDataFrame:
        """Every point with what is in reach of it, points in WGS 84; see ``Gaps``."""
        return self.gaps.people

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """Every site with its catchment, points in WGS 84; see ``Gaps``."""
        return self.gaps.sites

    @property
    def document(self) -> GapsDocument:
        """What ``gaps.json`` would hold."""
        return self.gaps.document

    def to_gpkg(self, path: str | Path) -> Path:
        """Write the layers for QGIS, styles inside."""
        write_gaps_gpkg(self.gaps, Path(path))
        return Path(path)

    def to_report(self, path: str | Path, *, language: str = "en") -> Path:
        """Write the page, one HTML file, in a language: "en", "es", "fa"; KeyError where there is no such."""
        with speaking(language):
            write_gaps_report(self.gaps, Path(path))
        return Path(path)

    def __repr__(self) -> str:
        return gaps_summary(self.gaps)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(gaps_summary(self.gaps))}</pre>"


def gaps(
    people: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    streets: str | Path | None = None,
    *,
    minutes: float = 15.0,
    standard_people: float = STANDARD_PEOPLE,
    group: str | None = None,
    decay: Decay = "none",
    total: str = "population",
    groups: Mapping[str, str] | None = None,
    group_speeds_kmh: Mapping[str, float] | None = None,
    mode: str | None = None,
    limit_min: float = 30.0,
    speed_kmh: float | None = None,
    snap_m: float = 500.0,
    detour: float = 1.3,
    name: str = "Gaps",
    threads: int | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> StudyGaps:
    """
    Find crowded areas with too few places in reach.

    Parameters
    ----------
    people, sites, streets, total, groups, group_speeds_kmh, mode, limit_min, speed_kmh, snap_m, detour
        As for ``nearer.plan``; a column ``capacity`` of the sites holds how many people each is for.
    minutes, standard_people
        The standard: one centre for so many people within so many minutes.
    group
        Whose need counts; None for everyone's.
    decay
        Whether people farther away count less in a catchment: "none", "slow" or "sharp".
    name
        Title.
    threads, progress, stop
        As for ``nearer.plan``.

    Raises
    ------
    InputError
        Faults in the tables or numbers given, all that could be found.
    """
    study = check_settings(
        {
            "study": {"name": name},
            "streets": {
                "file": None if streets is None else Path(streets).name,
                "mode": mode or ("straight" if streets is None else "walk"),
                "limit_min": limit_min,
                "speed_kmh": speed_kmh,
                "snap_m": snap_m,
                "detour": detour,
                "group_speeds_kmh": dict(group_speeds_kmh or {}),
            },
            "people": {"file": "people", "total": total, "groups": dict(groups or {})},
            "sites": [{"file": "sites", "status": None}],
            "plan": {"open_max": 0},
        },
        "nearer.gaps()",
    )
    standard = standard_of(study, minutes, standard_people, group, decay)
    run = Run(None, threads=threads or default_threads(), progress=progress or Silent(), stop=stop or Stop())
    with run.timed("read"):
        tables = tables_of_frames(people, sites, streets, study, run)
        suburbs = None if streets is None else suburbs_of(study, Path(streets).parent)
    return StudyGaps(gaps_tables(tables, study, standard, run=run, suburbs=suburbs))
