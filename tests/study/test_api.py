"""``nearer.plan``: GeoDataFrames in, a plan out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import nearer
from nearer.errors import InputError
from nearer.study.run import run_study


def frame(path: Path) -> gpd.GeoDataFrame:
    table = pd.read_csv(path)
    points = gpd.points_from_xy(table.pop("lon"), table.pop("lat"))
    return gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326")


@pytest.fixture
def given(study: Path) -> dict[str, Any]:
    """The tiny study as arguments of ``nearer.plan``."""
    return {
        "people": frame(study / "people.csv"),
        "sites": frame(study / "sites.csv"),
        "groups": {"older": "old"},
        "detour": 1.0,
        "speed_kmh": 6.0,
        "open": 2,
        "threads": 1,
    }


def test_the_plan_is_the_one_that_a_study_folder_gives(given: dict[str, Any], study: Path) -> None:
    plan, document = nearer.plan(**given), run_study(study, threads=1).document
    assert plan.measures == document.measures
    assert (plan.value, plan.bound, plan.gap, plan.status) == (
        document.objective.value,
        document.bound,
        document.gap,
        document.status,
    )
    assert plan.document.sites == document.sites


def test_sites_and_people_come_back_with_what_the_plan_does_for_them(given: dict[str, Any]) -> None:
    plan = nearer.plan(**given)
    assert set(plan.sites.loc[plan.sites["status"] == "opened", "id"]) == {"S", "L"}
    assert list(plan.sites["owner"]) == ["city", "schools", "parish", "city", "city"]
    people = plan.people.set_index("id")
    assert people.loc["c", "minutes_after"] == 0
    assert (people["minutes_after"] <= people["minutes_before"]).all()


def test_any_coordinate_system_gives_the_same_sites(given: dict[str, Any]) -> None:
    moved = given | {name: given[name].to_crs("EPSG:3857") for name in ("people", "sites")}
    there, here = nearer.plan(**moved), nearer.plan(**given)
    assert list(there.sites["status"]) == list(here.sites["status"])
    assert there.value == pytest.approx(here.value)


def test_numbers_of_numpy_are_numbers(given: dict[str, Any]) -> None:
    assert nearer.plan(**given | {"open": np.int64(1), "limit_min": np.float32(20)}).document.opened == 1


def test_gaps_are_the_places_that_remain_far(given: dict[str, Any]) -> None:
    gaps = nearer.plan(**given | {"open": 0, "limit_min": 10, "coverage_min": 5}).gaps
    assert gaps.crs == "EPSG:4326"
    assert gaps["people"].sum() == 70  # e and f, out of reach of the town hall
    assert gaps["minutes"].isna().all()
    assert gaps["people"].is_monotonic_decreasing


def test_no_gaps_are_an_empty_table_with_the_same_columns(given: dict[str, Any]) -> None:
    far, none = nearer.plan(**given | {"open": 0, "limit_min": 10}).gaps, nearer.plan(**given | {"open": 4}).gaps
    assert len(none) == 0
    assert list(none.columns) == list(far.columns)


def test_files_are_written_where_asked(given: dict[str, Any], tmp_path: Path) -> None:
    plan = nearer.plan(**given)
    assert plan.to_report(tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!")
    assert '<html lang="fa" dir="rtl">' in plan.to_report(tmp_path / "f.html", language="fa").read_text(
        encoding="utf-8"
    )
    with pytest.raises(KeyError):
        plan.to_report(tmp_path / "x.html", language="xx")
    assert "sites" in set(gpd.list_layers(plan.to_gpkg(str(tmp_path / "p.gpkg")))["name"])


def test_a_notebook_shows_a_map_and_a_console_a_summary(given: dict[str, Any]) -> None:
    plan = nearer.plan(**given)
    assert "<svg" in plan._repr_html_()
    assert "2 new centres" in repr(plan)


def test_without_a_status_all_sites_are_candidates(given: dict[str, Any]) -> None:
    plan = nearer.plan(**given | {"sites": given["sites"].drop(columns="status"), "open": 5})
    assert set(plan.sites["status"]) == {"opened"}


def test_streets_are_walked_where_they_are_given(tmp_path: Path, given: dict[str, Any]) -> None:
    # One street along the equator from the first person's door to the school and on; others live off it.
    nodes = "".join(f'<node id="{k + 1}" lon="{k * 0.001:.3f}" lat="0" version="1"/>' for k in range(12))
    refs = "".join(f'<nd ref="{k + 1}"/>' for k in range(12))
    way = f'<way id="1" version="1">{refs}<tag k="highway" v="residential"/></way>'
    (tmp_path / "street.osm").write_text(f'<osm version="0.6">{nodes}{way}</osm>', encoding="utf-8")
    turned = {
        name: given[name].set_geometry(gpd.points_from_xy(given[name].geometry.y, given[name].geometry.x), crs=4326)
        for name in ("people", "sites")
    }
    plan = nearer.plan(**given | turned, streets=tmp_path / "street.osm")
    assert set(plan.sites.loc[plan.sites["status"] == "opened", "id"]) == {"S", "L"}
    assert list(plan.document.inputs) == ["street.osm"]
    # b lives one step of 111.320 m from the centre at 6 km/h.
    assert plan.people.set_index("id").loc["b", "minutes_after"] == pytest.approx(1.1132, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"open": None}, "number of centres is missing"),
        ({"open": 2.5}, "must be a whole number"),
        ({"open": 9}, "only 4 candidates"),
        ({"limit_min": -1}, "must be more than 0"),
        ({"mode": "walk"}, "needs streets"),
        ({"total": "inhabitants"}, "inhabitants"),
        ({"group_weights": {"young": 2.0}}, "no group 'young'"),
    ],
)
def test_what_cannot_be_planned_is_said_in_one_sentence(
    given: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        nearer.plan(**given | change)


def test_objectives_and_rules_are_those_of_a_study(given: dict[str, Any], study: Path) -> None:
    asked = {"objective": ["coverage", "travel"], "tolerance": [0.1], "force": ["G"], "coverage_min": 2.0}
    plan = nearer.plan(**given | asked)
    text = 'objective = ["coverage", "travel"]\ntolerance = [0.1]\nforce = ["G"]\ncoverage_min = 2.0\n'
    (study / "nearer.toml").write_text((study / "nearer.toml").read_text() + text)
    document = run_study(study, threads=1).document
    assert plan.document.objectives == document.objectives
    assert "G" in set(plan.sites.loc[plan.sites["status"] == "opened", "id"])
    with pytest.raises(InputError, match="there is no site 'Q'"):
        nearer.plan(**given | {"force": ["Q"]})
