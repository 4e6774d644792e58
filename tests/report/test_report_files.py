"""``plan.gpkg`` and ``sites.csv`` open elsewhere and hold what was read."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest

from nearer.errors import OutputError
from nearer.planning.plan import Plan
from nearer.report import qgis, write_gpkg, write_sites_csv


def styles_of(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as base:
        rows = base.execute(
            "SELECT f_table_name, styleQML, useAsDefault, f_geometry_column FROM layer_styles"
        ).fetchall()
    assert all(default == 1 and column == "geom" for _, _, default, column in rows)
    return {name: style for name, style, _, _ in rows}


def test_layers_are_readable_and_each_has_a_style(any_plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "plan.gpkg"
    write_gpkg(any_plan, path)
    layers = {name for name, kind in pyogrio.list_layers(path) if kind is not None}
    expected = {"sites", "people"}
    expected |= {"streets"} if any_plan.streets is not None else set()
    expected |= {"areas"} if any_plan.districts is not None else set()
    assert layers == expected
    styles = styles_of(path)
    assert set(styles) == expected
    for style in styles.values():
        assert ET.fromstring(style.split("\n", 1)[1]).find("renderer-v2") is not None
    for layer in layers:
        found = pyogrio.read_dataframe(path, layer=layer)
        assert found.crs.to_epsg() == 4326
        assert not found.geometry.is_empty.any()
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_people_keep_their_minutes_and_null_where_out_of_reach(plan: Plan, tmp_path: Path) -> None:
    write_gpkg(plan, tmp_path / "plan.gpkg")
    found = pyogrio.read_dataframe(tmp_path / "plan.gpkg", layer="people")
    assert found["id"].tolist() == plan.people["id"].tolist()
    np.testing.assert_allclose(found["minutes_after"], plan.people["minutes_after"])
    assert found["minutes_before"].isna().sum() == plan.people["minutes_before"].isna().sum() > 0


def test_sites_carry_the_users_own_columns(plan: Plan, tmp_path: Path) -> None:
    write_gpkg(plan, tmp_path / "plan.gpkg")
    found = pyogrio.read_dataframe(tmp_path / "plan.gpkg", layer="sites")
    assert set(found["id"]) == set(plan.sites["id"])
    assert (found["opening_hours"] == "Mo-Fr 09:00-17:00").all()
    joined = found.set_index("id").loc[plan.sites["id"]]
    np.testing.assert_allclose(joined.geometry.x, plan.sites.geometry.x)


def test_the_styles_draw_every_class(plan: Plan, tmp_path: Path) -> None:
    write_gpkg(plan, tmp_path / "plan.gpkg")
    root = ET.fromstring(styles_of(tmp_path / "plan.gpkg")["people"].split("\n", 1)[1])
    filters = [rule.get("filter") for rule in root.iter("rule")]
    symbols = [symbol.get("name") for symbol in root.iter("symbol")]
    assert filters[-1] == '"minutes_after" IS NULL'
    assert len(filters) == len(symbols) == 7
    assert [rule.get("symbol") for rule in root.iter("rule")] == symbols
    minutes = plan.people["minutes_after"]
    known = [f.replace('"minutes_after"', "minutes").replace("AND", "and") for f in filters[:-1]]
    assert sum(minutes.to_frame("minutes").query(f).shape[0] for f in known) == minutes.notna().sum()


@pytest.mark.parametrize(
    "style", [qgis.sites_style(), qgis.areas_style(), qgis.streets_style(), qgis.people_style(True, None)]
)
def test_styles_are_well_formed(style: str) -> None:
    root = ET.fromstring(style.split("\n", 1)[1])
    assert {rule.get("symbol") for rule in root.iter("rule")} == {symbol.get("name") for symbol in root.iter("symbol")}


def test_odd_columns_of_the_user_do_not_stop_the_geopackage(plan: Plan, tmp_path: Path) -> None:
    sites = plan.sites.copy()
    sites["fid"] = "x"
    sites["Name"] = "twice, but for the case"
    sites["mixed"] = [1, "two", None] + [0.5] * (len(sites) - 3)
    write_gpkg(replace(plan, sites=sites), tmp_path / "plan.gpkg")
    found = pyogrio.read_dataframe(tmp_path / "plan.gpkg", layer="sites")
    assert {"fid_2", "Name_2", "mixed"} <= set(found.columns)


def test_the_geopackage_is_the_same_bytes_each_time(any_plan: Plan, tmp_path: Path) -> None:
    write_gpkg(any_plan, tmp_path / "a.gpkg")
    write_gpkg(any_plan, tmp_path / "b.gpkg")
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    assert b"2000-01-01" in (tmp_path / "a.gpkg").read_bytes()


def test_a_geopackage_replaces_the_one_before(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "plan.gpkg").write_bytes(b"no database")
    write_gpkg(plan, tmp_path / "plan.gpkg")
    assert len(pyogrio.read_dataframe(tmp_path / "plan.gpkg", layer="people")) == len(plan.people)
    assert [file.name for file in tmp_path.iterdir()] == ["plan.gpkg"]


@pytest.mark.parametrize("write", [write_gpkg, write_sites_csv])
def test_a_folder_that_cannot_be_made_is_said_plainly(
    write: Callable[[Plan, Path], None], plan: Plan, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        write(plan, tmp_path / "file" / "out")


def test_the_table_lists_opened_sites_first_in_order_of_gain(any_plan: Plan, tmp_path: Path) -> None:
    write_sites_csv(any_plan, tmp_path / "sites.csv")
    found = pd.read_csv(tmp_path / "sites.csv", dtype={"id": str})
    opened = any_plan.document.opened
    assert found["order"].iloc[:opened].tolist() == list(range(1, opened + 1))
    assert found["order"].iloc[opened:].isna().all()
    assert len(found) == len(any_plan.sites)
    assert found.columns[0] == "id"
    assert "opening_hours" in found


def test_the_table_gives_the_figures_of_the_document(plan: Plan, tmp_path: Path) -> None:
    write_sites_csv(plan, tmp_path / "sites.csv")
    found = pd.read_csv(tmp_path / "sites.csv", dtype={"id": str}).set_index("id")
    for site in plan.document.sites:
        row = found.loc[site.id]
        assert (row["name"], row["status"]) == (site.name, site.status)
        assert row["people"] == pytest.approx(site.people)
        assert row["lon"] == pytest.approx(site.lon, abs=1e-7)
        if site.order:
            assert row["gain_person_min"] == pytest.approx(site.gain_person_min, abs=1e-3)
            assert row["people_nearer"] == pytest.approx(site.people_nearer)


def test_the_table_is_the_same_bytes_each_time(any_plan: Plan, tmp_path: Path) -> None:
    write_sites_csv(any_plan, tmp_path / "a.csv")
    write_sites_csv(any_plan, tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()
