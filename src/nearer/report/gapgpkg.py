"""``gaps.gpkg``: gaps as polygons, people's points with their measures, sites and streets, with QGIS styles inside."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from nearer.inputs.geo import WGS84
from nearer.planning.gaps import Gaps
from nearer.report import qgis
from nearer.report.gpkg import streets_layer, write_layers


def write_gaps_gpkg(gaps: Gaps, path: Path) -> None:
    """
    Write ``gaps.gpkg`` (WGS 84): layers ``streets``, ``people``, ``gaps``, ``sites``, each with a default style.

    ``streets`` and ``gaps`` are there where there are some. The same gaps give the same bytes.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    people = gaps.people
    if gaps.shapes is not None:
        people = people.set_geometry(gpd.GeoSeries(gaps.shapes.to_numpy(), crs=WGS84, index=people.index))
    write_layers(
        [
            ("streets", streets_layer(gaps.streets), qgis.streets_style()),
            ("people", people, qgis.shortfall_style(gaps.shapes is not None, gaps.cell_m)),
            ("gaps", gaps.areas if len(gaps.areas) else None, qgis.gaps_style()),
            ("sites", gaps.sites, qgis.gap_sites_style()),
        ],
        Path(path),
    )
