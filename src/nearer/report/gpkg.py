"""``plan.gpkg``: sites, people, areas and streets, with QGIS styles inside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from nearer.errors import OutputError
from nearer.files import written_whole
from nearer.inputs.geo import WGS84
from nearer.inputs.tables import STREET_CLASSES, Streets
from nearer.planning.plan import Plan
from nearer.report import qgis
from nearer.report.mapbase import chained
from nearer.report.tables import sites_frame

_DATE = "2000-01-01T00:00:00.000Z"
"""Stands in every field that asks when, so that the same plan gives the same bytes; run.json knows the day."""

_VERSION = "1.2"
"""Version of the GeoPackage standard; older QGIS complains of newer ones."""

_STYLES = """
CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, f_table_schema TEXT,
f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,
description TEXT, owner TEXT, ui TEXT, update_time DATETIME)
"""


@contextmanager
def _one_date() -> Iterator[None]:
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _DATE})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _fit_columns(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Columns as SQLite can hold them: names that differ in more than case, values of one kind."""
    taken = {"fid", "geom", "ogc_fid"}
    names = {}
    for column in table.columns:
        if column == table.geometry.name:
            continue
        name, n = str(column), 2
        while name.lower() in taken:
            name, n = f"{column}_{n}", n + 1
        taken.add(name.lower())
        names[column] = name
    table = table.rename(columns=names)
    for name in names.values():
        values = table[name]
        if isinstance(values.dtype, pd.CategoricalDtype) or (
            values.dtype == object and not values.map(lambda v: isinstance(v, str) or v is None).all()
        ):
            table[name] = [None if _missing(value) else str(value) for value in values]
    return table


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def _sites(plan: Plan) -> gpd.GeoDataFrame:
    table = sites_frame(plan).drop(columns=["lon", "lat"])
    geometry = plan.sites.geometry.reset_index(drop=True).iloc[table.index].to_numpy()
    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry=geometry, crs=WGS84)


def _people(plan: Plan) -> gpd.GeoDataFrame:
    table = plan.people.copy()
    table["minutes_saved"] = table["minutes_before"] - table["minutes_after"]
    if plan.shapes is None:
        return table
    return table.set_geometry(gpd.GeoSeries(plan.shapes.to_numpy(), crs=WGS84, index=table.index))


def _areas(plan: Plan) -> gpd.GeoDataFrame | None:
    if plan.districts is None:
        return None
    known = pd.DataFrame([area.model_dump() for area in plan.document.areas])
    found = plan.districts.reset_index(drop=True)
    if not len(known):
        return found
    columns = ["name", found.geometry.name]
    return gpd.GeoDataFrame(found[columns].merge(known, on="name", how="left"), geometry=found.geometry.name, crs=WGS84)


def streets_layer(streets: Streets | None) -> gpd.GeoDataFrame | None:
    """Streets as lines with their names and classes; None where there are none."""
    if streets is None or not streets.n_segments:
        return None
    lines, kinds, ways = chained(streets, streets.lon, streets.lat)
    names = np.array([*streets.way_names, ""], dtype=object)
    return gpd.GeoDataFrame(
        {"name": names[ways], "class": np.array(STREET_CLASSES, dtype=object)[kinds]}, geometry=lines, crs=WGS84
    )


def write_gpkg(plan: Plan, path: Path) -> None:
    """
    Write ``plan.gpkg`` (WGS 84): layers ``streets``, ``people``, ``areas``, ``sites``, each with a default style.

    ``streets`` and ``areas`` are there where the study has them. The same plan gives the same bytes.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    polygons = plan.shapes is not None
    layers = [
        ("streets", streets_layer(plan.streets), qgis.streets_style()),
        ("people", _people(plan), qgis.people_style(polygons, plan.cell_m)),
        ("areas", _areas(plan), qgis.areas_style()),
        ("sites", _sites(plan), qgis.sites_style()),
    ]
    write_layers(layers, Path(path))


def write_layers(layers: Sequence[tuple[str, gpd.GeoDataFrame | None, str]], path: Path) -> None:
    """
    Write a GeoPackage of layers (name, features, QGIS style), those without features left out.

    The same layers give the same bytes.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with written_whole(path) as beside, _one_date():
        try:
            styles: list[tuple[str, str]] = []
            for name, table, style in layers:
                if table is not None:
                    many = bool(np.isin(shapely.get_type_id(table.geometry.to_numpy()), (4, 5, 6)).any())
                    pyogrio.write_dataframe(
                        _fit_columns(table),
                        beside,
                        layer=name,
                        driver="GPKG",
                        promote_to_multi=many,
                        dataset_options={} if styles else {"VERSION": _VERSION},
                    )
                    styles.append((name, style))
            _write_styles(beside, styles)
        except (DataSourceError, DataLayerError, sqlite3.Error) as error:
            raise OutputError(path, error) from error


def _write_styles(path: Path, styles: list[tuple[str, str]]) -> None:
    # An own table is quicker and surer than a layer: QGIS looks for this name and these columns.
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(_STYLES)
        base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
            (_DATE,),
        )
        base.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
            "styleQML, styleSLD, useAsDefault, description, owner, ui, update_time) "
            "VALUES ('', '', ?, 'geom', ?, ?, '', 1, 'made by nearer', '', NULL, ?)",
            [(name, name, style, _DATE) for name, style in styles],
        )
