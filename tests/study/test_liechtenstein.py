"""The shipped example: complete, inside the country, and adding up to the published figures."""

from __future__ import annotations

import tomllib
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from nearer.errors import OutputError
from nearer.inputs.geo import WGS84
from nearer.inputs.landuse import read_boundaries
from nearer.inputs.spread import spread_people
from nearer.inputs.tables import People
from nearer.study.liechtenstein import write_liechtenstein
from nearer.study.settings import Study

PUBLISHED = {  # 31 December 2014, national statistics
    "Ruggell": 2146,
    "Schellenberg": 1053,
    "Gamprin": 1657,
    "Eschen": 4313,
    "Mauren": 4189,
    "Schaan": 5963,
    "Planken": 424,
    "Vaduz": 5425,
    "Triesenberg": 2604,
    "Triesen": 5009,
    "Balzers": 4587,
}
EXTRACT = "liechtenstein-2013-08-03.osm.pbf"
PLANE = "EPSG:2056"  # the metres of Switzerland and Liechtenstein


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "liechtenstein"
    write_liechtenstein(path)
    return path


@pytest.fixture(scope="module")
def municipalities(folder: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(folder / "municipalities.geojson")


@pytest.fixture(scope="module")
def people(folder: Path, municipalities: gpd.GeoDataFrame) -> People:
    return spread_people(
        municipalities, folder / EXTRACT, total="population", groups={}, cell_m=100.0, name="m", osm_name="o"
    )


@pytest.fixture(scope="module")
def sites(folder: Path) -> pd.DataFrame:
    return pd.concat([pd.read_csv(folder / name) for name in ("centres.csv", "venues.csv")], ignore_index=True)


def test_the_study_file_is_valid_and_names_files_that_are_there(folder: Path) -> None:
    study = Study.model_validate(tomllib.loads((folder / "nearer.toml").read_text(encoding="utf-8")))
    assert study.study.name == "Liechtenstein: eight more neighbourhood centres"
    assert (study.streets.mode, study.streets.limit_min, study.plan.open) == ("walk", 30, 8)
    assert study.people.spread is not None
    named = [study.area.boundary, study.area.districts, study.streets.file, study.people.file, study.people.spread.osm]
    for file in [*named, *(site.file for site in study.sites)]:
        assert file is not None
        assert (folder / file).is_file()


def test_the_tables_are_small(folder: Path) -> None:
    assert (folder / "municipalities.geojson").stat().st_size < 150_000
    assert sum(path.stat().st_size for path in folder.iterdir()) < 800_000


def test_the_licence_and_the_source_stand_beside_the_data(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "© OpenStreetMap contributors" in text
    assert "https://opendatacommons.org/licenses/odbl/1-0/" in text


def test_the_municipalities_bear_the_published_people(municipalities: gpd.GeoDataFrame) -> None:
    assert dict(zip(municipalities["name"], municipalities["population"], strict=True)) == PUBLISHED
    assert municipalities["population"].sum() == 37_370


def test_the_municipalities_are_those_of_the_extract_and_do_not_overlap(
    folder: Path, municipalities: gpd.GeoDataFrame
) -> None:
    exact = read_boundaries(folder / EXTRACT, 8, name=EXTRACT).to_crs(PLANE).set_index("name").geometry
    simple = municipalities.to_crs(PLANE).set_index("name").geometry
    assert simple.is_valid.all()
    for name in PUBLISHED:
        assert simple[name].symmetric_difference(exact[name]).area < 0.01 * exact[name].area
    assert simple.area.sum() - simple.union_all().area < 1e-4 * simple.area.sum()
    assert simple.area.sum() == pytest.approx(160.5e6, rel=0.01)  # the country has 160.5 km²


def test_the_spread_people_add_up_to_the_published_figures(people: People) -> None:
    assert people.table.groupby("area")["total"].sum().to_dict() == PUBLISHED
    assert people.table["id"].is_unique
    assert (people.table["total"] % 1 == 0).all()
    assert len(people.notes) == 1  # there is residential ground in each of them


def test_every_cell_has_its_point_in_its_municipality(people: People, municipalities: gpd.GeoDataFrame) -> None:
    points = gpd.GeoSeries(gpd.points_from_xy(people.table["lon"], people.table["lat"]), crs=WGS84)
    named = municipalities.set_index("name").geometry
    home = gpd.GeoSeries(named.loc[people.table["area"]].to_numpy(), crs=WGS84)
    assert home.to_crs(PLANE).distance(points.to_crs(PLANE)).max() < 0.01


@pytest.mark.parametrize(
    ("place", "lon", "lat", "at_least"),
    [
        ("Vaduz", 9.5209, 47.1410, 500),
        ("Schaan", 9.5095, 47.1660, 500),
        ("Balzers", 9.5020, 47.0660, 500),
        ("Mauren", 9.5440, 47.2190, 500),
        ("the ridge above Vaduz", 9.5700, 47.1430, None),
        ("the fields by the Rhine at Ruggell", 9.5080, 47.2500, None),
    ],
)
def test_people_are_placed_in_villages_and_not_on_mountains(
    people: People, place: str, lon: float, lat: float, at_least: int | None
) -> None:
    points = gpd.GeoSeries(gpd.points_from_xy(people.table["lon"], people.table["lat"]), crs=WGS84).to_crs(PLANE)
    middle = gpd.GeoSeries(gpd.points_from_xy([lon], [lat]), crs=WGS84).to_crs(PLANE).iloc[0]
    near = people.table["total"][points.distance(middle) < 500].sum()
    assert near == 0 if at_least is None else near >= at_least, f"{near:.0f} people within 500 m of {place}"


def test_sites_lie_in_the_municipality_they_name(sites: pd.DataFrame, municipalities: gpd.GeoDataFrame) -> None:
    points = gpd.GeoDataFrame(sites, geometry=gpd.points_from_xy(sites["lon"], sites["lat"]), crs=WGS84)
    found = gpd.sjoin(points, municipalities.rename(columns={"name": "inside"}), predicate="within")
    assert len(found) == len(sites)
    assert (found["inside"] == found["municipality"]).all()
    assert set(sites["municipality"]) == set(PUBLISHED)


def test_sites_have_names_ids_and_places_of_their_own(sites: pd.DataFrame) -> None:
    columns = ["id", "name", "lon", "lat", "kind", "municipality", "agency", "osm", "located_by"]
    assert sites.columns.tolist() == columns
    assert not sites.isna().any(axis=None)
    for columns in (["id"], ["name"], ["osm"], ["lon", "lat"]):
        assert not sites.duplicated(columns).any()


def test_there_are_about_twelve_centres_and_fifty_venues(folder: Path) -> None:
    assert 10 <= len(pd.read_csv(folder / "centres.csv")) <= 14
    assert 45 <= len(pd.read_csv(folder / "venues.csv")) <= 60


def test_a_folder_that_cannot_be_made_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError, match="could not be written"):
        write_liechtenstein(tmp_path / "taken" / "study")
