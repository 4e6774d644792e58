"""Gaps from GeoDataFrames are those of a study folder."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import nearer
from nearer.errors import InputError
from nearer.study.gaps import find_gaps


def frames(study: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    tables = [pd.read_csv(study / name, dtype={"id": str}) for name in ("people.csv", "sites.csv")]
    people, sites = (gpd.GeoDataFrame(t, geometry=gpd.points_from_xy(t["lon"], t["lat"]), crs=4326) for t in tables)
    return people, sites


def test_frames_and_files_give_the_same_gaps(study: Path, tmp_path: Path) -> None:
    of_files = find_gaps(study, minutes=5.0, standard_people=85.0, group="older", threads=1).document
    people, sites = frames(study)
    more = {"groups": {"older": "old"}, "detour": 1.0, "speed_kmh": 6.0}
    found = nearer.gaps(people, sites, minutes=5.0, standard_people=85.0, group="older", threads=1, **more)
    assert isinstance(found, nearer.Gaps)
    assert found.document.gaps == of_files.gaps
    assert found.document.measures == of_files.measures
    assert found.areas.geometry.is_valid.all()
    assert found.people["lacking"].sum() == pytest.approx(of_files.measures.lacking)
    assert "lack a place" in repr(found)
    assert "lack a place" in found._repr_html_()
    assert found.to_gpkg(tmp_path / "gaps.gpkg").stat().st_size > 0
    assert found.to_report(tmp_path / "gaps.html").stat().st_size > 0
    assert '<html lang="es"' in found.to_report(tmp_path / "es.html", language="es").read_text(encoding="utf-8")
    assert found.sites.set_index("id").loc["H", "ratio"] == pytest.approx(85 / 60)


def test_faults_of_the_standard_are_told(study: Path) -> None:
    with pytest.raises(InputError, match="beyond the study's limit"):
        nearer.gaps(*frames(study), minutes=45.0)
