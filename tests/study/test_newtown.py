"""Newtown is a believable city of any size, and the same one every time."""

from __future__ import annotations

import filecmp
import json
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pandas as pd
import pytest
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from nearer.errors import UsageError
from nearer.inputs.geo import LocalPlane
from nearer.study.newtown import PLANE, write_newtown
from nearer.study.settings import Study

GROUPS = ["age_0_14", "age_15_24", "age_65_plus", "low_income"]
FILES = {"streets.osm.pbf", "people.csv", "centres.csv", "venues.csv", "districts.geojson", "nearer.toml"}


@dataclass
class Extract:
    """The extract as an outsider reads it."""

    lonlat: dict[int, tuple[float, float]]
    ways: list[tuple[list[int], dict[str, str]]]

    @classmethod
    def read(cls, path: Path) -> Extract:
        extract = cls({}, [])
        for thing in osmium.FileProcessor(str(path)):
            if thing.is_node():
                extract.lonlat[thing.id] = (thing.location.lon, thing.location.lat)
            elif thing.is_way():
                extract.ways.append(([node.ref for node in thing.nodes], dict(thing.tags)))
        return extract

    def pieces(self) -> np.ndarray:
        """Node ids at the ends of every piece of street, (n, 2)."""
        return np.array([pair for nodes, tags in self.ways if "highway" in tags for pair in pairwise(nodes)])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("newtown")
    write_newtown(folder, people=20_000)
    return folder


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("newtown") / "made" / "when absent"
    write_newtown(folder)
    return folder


@pytest.fixture(scope="module")
def streets(city: Path) -> Extract:
    return Extract.read(city / "streets.osm.pbf")


def test_same_arguments_give_the_same_bytes(town: Path, tmp_path: Path) -> None:
    write_newtown(tmp_path, people=20_000)
    names = sorted(path.name for path in town.iterdir())
    assert set(names) >= FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert filecmp.cmpfiles(town, tmp_path, names, shallow=False) == (names, [], [])


def test_another_seed_is_another_city(town: Path, tmp_path: Path) -> None:
    write_newtown(tmp_path, people=20_000, seed=1)
    for name in FILES:
        assert (town / name).read_bytes() != (tmp_path / name).read_bytes(), name


def test_a_second_writing_replaces_the_first(tmp_path: Path) -> None:
    write_newtown(tmp_path, people=5_000, seed=1)
    first = (tmp_path / "streets.osm.pbf").read_bytes()
    write_newtown(tmp_path, people=5_000, seed=2)
    assert (tmp_path / "streets.osm.pbf").read_bytes() != first


def test_the_headline_city_has_its_numbers(city: Path) -> None:
    people = pd.read_csv(city / "people.csv")
    assert len(people) == 20_000
    assert people["population"].sum() == 400_000
    assert people["population"].min() >= 1
    assert len(pd.read_csv(city / "centres.csv")) == 112
    venues = pd.read_csv(city / "venues.csv")
    assert len(venues) == 1_000
    assert venues["agency"].nunique() == 2


def test_groups_are_whole_people_within_the_total(city: Path) -> None:
    people = pd.read_csv(city / "people.csv")
    assert all(pd.api.types.is_integer_dtype(people[group]) for group in ["population", *GROUPS])
    assert (people[GROUPS] >= 0).all(axis=None)
    # Ages exclude each other; low income goes with any age.
    assert (people[GROUPS[:3]].sum(axis=1) <= people["population"]).all()
    assert (people["low_income"] <= people["population"]).all()


def test_cells_lie_on_a_grid_of_100_m_and_none_twice(city: Path) -> None:
    people = pd.read_csv(city / "people.csv", dtype={"id": str})
    x, y = PLANE.to_xy(people["lon"].to_numpy(), people["lat"].to_numpy())
    for metres in (x, y):
        from_middle = (metres - 50.0) / 100.0
        assert np.abs(from_middle - np.round(from_middle)).max() * 100.0 < 0.2  # degrees are rounded to 0.1 m
    assert people["id"].is_unique
    assert not people.duplicated(["lon", "lat"]).any()


def test_ids_and_names_are_distinct_over_all_sites(city: Path) -> None:
    sites = pd.concat([pd.read_csv(city / "centres.csv"), pd.read_csv(city / "venues.csv")])
    assert sites["id"].is_unique
    assert sites["name"].is_unique
    assert sites["name"].str.strip().str.len().gt(0).all()


def test_everyone_and_every_site_is_near_a_street(city: Path, streets: Extract) -> None:
    ids = np.unique(streets.pieces())
    lonlat = np.array([streets.lonlat[k] for k in ids.tolist()])
    tree = KDTree(np.column_stack(PLANE.to_xy(*lonlat.T)))
    for name, farthest_m in (("people.csv", 250.0), ("centres.csv", 30.0), ("venues.csv", 30.0)):
        table = pd.read_csv(city / name)
        at = np.column_stack(PLANE.to_xy(table["lon"].to_numpy(), table["lat"].to_numpy()))
        assert tree.query(at)[0].max() <= farthest_m, name


def test_all_streets_hang_together(streets: Extract) -> None:
    ids, ends = np.unique(streets.pieces(), return_inverse=True)
    i, j = ends.reshape(-1, 2).T
    graph = csr_array((np.ones(len(i)), (i, j)), shape=(len(ids), len(ids)))
    assert connected_components(graph, directed=False)[0] == 1


def test_streets_cross_river_and_railway_only_on_bridges(streets: Extract) -> None:
    barriers = [
        shapely.LineString([streets.lonlat[k] for k in nodes])
        for nodes, tags in streets.ways
        if "waterway" in tags or "railway" in tags
    ]
    assert len(barriers) == 2
    crossings = []
    for nodes, tags in streets.ways:
        if "highway" in tags:
            street = shapely.LineString([streets.lonlat[k] for k in nodes])
            crossings += [tags.get("bridge") for barrier in barriers if street.crosses(barrier)]
    assert 6 <= len(crossings) <= 60
    assert set(crossings) == {"yes"}


def test_streets_are_tagged_like_a_real_extract(streets: Extract) -> None:
    tags = [tags for _, tags in streets.ways if "highway" in tags]
    kinds = {tag["highway"] for tag in tags}
    assert kinds >= {"primary", "secondary", "tertiary", "residential", "footway", "steps", "pedestrian"}
    assert any(tag.get("oneway") == "yes" for tag in tags)
    assert any("maxspeed" in tag for tag in tags)
    assert sum("name" in tag for tag in tags) > 0.8 * len(tags)
    assert len({tag["name"] for tag in tags if "name" in tag}) > 500


def test_nobody_lives_in_the_river_or_in_a_park(city: Path) -> None:
    people = pd.read_csv(city / "people.csv")
    points = shapely.points(people["lon"], people["lat"])
    for name in ("river.geojson", "parks.geojson"):
        shapes = _shapes(city / name)
        assert shapes
        assert not any(shapely.contains(shape, points).any() for shape in shapes), name


def test_quarters_tile_the_city_under_distinct_names(city: Path) -> None:
    features = json.loads((city / "districts.geojson").read_text(encoding="utf-8"))["features"]
    names = [feature["properties"]["name"] for feature in features]
    assert len(set(names)) == len(names) > 50
    shapes = _shapes(city / "districts.geojson")
    assert all(shape.is_valid for shape in shapes)
    whole = shapely.union_all(shapes)
    assert sum(shape.area for shape in shapes) == pytest.approx(whole.area, rel=1e-6)
    people = pd.read_csv(city / "people.csv")
    assert shapely.contains(shapely.buffer(whole, 1e-5), shapely.points(people["lon"], people["lat"])).all()


def test_centres_crowd_the_old_centre_and_pass_over_the_towers(city: Path) -> None:
    """The unevenness the plan is to mend: centres per person differ several times over between kinds of quarter."""
    people, centres = pd.read_csv(city / "people.csv"), pd.read_csv(city / "centres.csv")
    features = json.loads((city / "districts.geojson").read_text(encoding="utf-8"))["features"]
    tree, kinds = shapely.STRtree(_shapes(city / "districts.geojson")), [f["properties"]["kind"] for f in features]

    def per_kind(table: pd.DataFrame, weight: pd.Series) -> pd.Series:
        point_idx, shape_idx = tree.query(shapely.points(table["lon"], table["lat"]), predicate="within")
        return weight.iloc[point_idx].groupby(np.array([kinds[k] for k in shape_idx])).sum()

    per_person = per_kind(centres, pd.Series(np.ones(len(centres)))) / per_kind(people, people["population"])
    assert per_person["old centre"] > 5 * per_person.fillna(0.0).get("towers", 0.0)
    assert per_person["inner quarter"] > 3 * per_person.fillna(0.0).get("towers", 0.0)


@pytest.mark.parametrize("name", ["town", "city"])
def test_the_study_file_is_understood(name: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(name)
    study = Study.model_validate(tomllib.loads((folder / "nearer.toml").read_text(encoding="utf-8")))
    n_centres = len(pd.read_csv(folder / "centres.csv"))
    assert study.plan.open is not None
    assert study.study.name == f"Newtown: from {n_centres} to {n_centres + study.plan.open} centres"
    assert list(study.people.groups) == ["children", "youth", "older", "low_income"]
    columns = pd.read_csv(folder / "people.csv", nrows=1).columns
    assert {study.people.total, *study.people.groups.values()} <= set(columns)
    for source in (study.streets.file, study.area.districts, study.people.file, *(site.file for site in study.sites)):
        assert source is not None
        assert (folder / source).is_file()


def test_the_headline_study_opens_98(city: Path) -> None:
    text = (city / "nearer.toml").read_text(encoding="utf-8")
    assert 'name = "Newtown: from 112 to 210 centres"' in text
    assert tomllib.loads(text)["plan"]["open"] == 98


@pytest.mark.parametrize("seed", [3, 15, 20, 29])
def test_small_towns_have_everything_in_proportion(tmp_path: Path, seed: int) -> None:
    write_newtown(tmp_path, people=10_000, seed=seed)
    people = pd.read_csv(tmp_path / "people.csv")
    assert (len(people), people["population"].sum()) == (500, 10_000)
    # 112 and 1,000 for 400,000, so 2.8 and 25 for 10,000; 98 of 112 opened, so 2.6.
    assert len(pd.read_csv(tmp_path / "centres.csv")) == 3
    assert len(pd.read_csv(tmp_path / "venues.csv")) == 25
    assert tomllib.loads((tmp_path / "nearer.toml").read_text(encoding="utf-8"))["plan"]["open"] == 3


def test_points_and_sites_are_as_many_as_asked(tmp_path: Path) -> None:
    write_newtown(tmp_path, people=50_000, points=12_000, sites=1_112)
    people = pd.read_csv(tmp_path / "people.csv")
    assert (len(people), people["population"].sum()) == (12_000, 50_000)
    assert len(pd.read_csv(tmp_path / "centres.csv")) == 112
    assert len(pd.read_csv(tmp_path / "venues.csv")) == 1_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"people": 100}, "at least 5,000 people"),
        ({"people": 10**11}, "50,000,000 people at most"),
        ({"people": 20_000, "points": 1_000_000}, "for 1,000,000 points ask for 20,000,000 people"),
        ({"people": 20_000, "points": 10}, "100 to 5,000 points"),
        ({"people": 20_000, "sites": 1}, "not 1 sites"),
        ({"people": 20_000, "sites": 90_000}, "ask for fewer"),
        ({"people": 20_000, "seed": -1}, "from 0 on, not -1"),
    ],
)
def test_numbers_that_do_not_fit_are_refused_and_nothing_is_written(
    tmp_path: Path, arguments: dict[str, int], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        write_newtown(tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_coordinates_lie_in_the_open_ocean(city: Path) -> None:
    """No real place is meant; the plane is the one the program measures with."""
    people = pd.read_csv(city / "people.csv")
    around = LocalPlane.around(people["lon"].to_numpy(), people["lat"].to_numpy())
    assert abs(around.lon + 30.0) < 0.2
    assert abs(around.lat - 40.0) < 0.2


def _shapes(path: Path) -> list[shapely.Polygon]:
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return [shapely.geometry.shape(feature["geometry"]) for feature in features]
