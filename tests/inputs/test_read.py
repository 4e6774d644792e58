"""A whole study's files, read and checked together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely.geometry import box, mapping

from nearer.errors import InputError
from nearer.inputs.read import read_tables
from nearer.inputs.sources import (
    AreaSource,
    ExcludeSource,
    GenerateSource,
    PeopleSource,
    SitesSource,
    StreetsSource,
)
from nearer.inputs.tables import Tables
from nearer.progress import Silent, Tick

PEOPLE = "id,lon,lat,population\n" + "".join(
    f"p{k},{9.5 + 0.002 * (k % 5):.4f},{47.1 + 0.002 * (k // 5):.4f},{k}\n" for k in range(25)
)
CENTRES = "id,name,lon,lat\nc1,Hall,9.502,47.102\nc2,Library,9.506,47.106\n"
SCHOOLS = "id,name,lon,lat,rooms\ns1,School,9.504,47.104,9\ns2,Gym,9.5005,47.1005,2\n"
STRAIGHT = StreetsSource(mode="straight")  # type: ignore[call-arg]
TOWN = StreetsSource(file="town.osm")  # type: ignore[call-arg]


def town(west: float = 9.5, south: float = 47.1, step: float = 0.002, n: int = 5) -> str:
    """A square mesh of streets, two of its nodes community centres."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<osm version="0.6">']
    for k in range(n * n):
        tag = '<tag k="amenity" v="community_centre"/><tag k="name" v="Club"/>' if k in (0, 7) else ""
        lon, lat = west + step * (k % n), south + step * (k // n)
        lines.append(f'<node id="{k + 1}" version="1" lon="{lon:.6f}" lat="{lat:.6f}">{tag}</node>')
    ways = [[row * n + k + 1 for k in range(n)] for row in range(n)] + [
        [k * n + c + 1 for k in range(n)] for c in range(n)
    ]
    for number, refs in enumerate(ways):
        nodes = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        name = f'<tag k="highway" v="residential"/><tag k="name" v="Street {number}"/>'
        lines.append(f'<way id="{100 + number}" version="1">{nodes}{name}</way>')
    return "\n".join([*lines, "</osm>"])


def polygons(*named: tuple[str, tuple[float, float, float, float]]) -> str:
    features = [
        {"type": "Feature", "properties": {"name": name, "population": 100}, "geometry": mapping(box(*bounds))}
        for name, bounds in named
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def put(folder: Path, **files: str) -> None:
    """Write files, "__" in a name standing for the dot."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    put(tmp_path, people__csv=PEOPLE, centres__csv=CENTRES, schools__csv=SCHOOLS, town__osm=town())
    return tmp_path


def source(**settings: object) -> SitesSource:
    return SitesSource(**settings)  # type: ignore[arg-type]


EXISTING, CANDIDATES = source(file="centres.csv", status="existing"), source(file="schools.csv", status="candidate")


def read(
    folder: Path,
    streets: StreetsSource = STRAIGHT,
    people: str | PeopleSource = "people.csv",
    sites: tuple[SitesSource, ...] = (EXISTING, CANDIDATES),
    **settings: object,
) -> Tables:
    people = PeopleSource(file=people) if isinstance(people, str) else people  # type: ignore[call-arg]
    return read_tables(folder, streets=streets, people=people, sites=sites, **settings)  # type: ignore[arg-type]


def faults(folder: Path, *args: object, **settings: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, *args, **settings)  # type: ignore[arg-type]
    return [str(fault) for fault in caught.value.faults]


def test_people_and_sites_are_read_with_their_hashes(study: Path) -> None:
    tables = read(study)
    assert tables.people.n == 24
    assert tables.sites.table["id"].tolist() == ["c1", "c2", "s1", "s2"]
    assert tables.streets is None
    assert [(each.path, each.kind) for each in tables.sources] == [
        ("people.csv", "people"),
        ("centres.csv", "sites"),
        ("schools.csv", "sites"),
    ]
    digest = hashlib.sha256(PEOPLE.encode()).hexdigest()
    assert tables.sources[0].sha256 == f"sha256:{digest}"


def test_streets_are_read_and_credited(study: Path) -> None:
    tables = read(study, TOWN)
    assert tables.streets is not None
    assert tables.streets.n_segments == 40
    assert tables.sources[1].kind == "streets"
    assert "OpenStreetMap contributors" in tables.sources[1].licence


def test_a_made_up_town_is_not_credited_to_openstreetmap(study: Path) -> None:
    put(study, town__osm=town().replace("<osm ", '<osm generator="nearer newtown" '))
    assert read(study, TOWN).sources[1].licence == ""


def test_faults_of_all_files_are_found_at_once(study: Path) -> None:
    put(study, people__csv="id,lon,lat,population\na,9.5,47.1,-5\n", centres__csv="id,name,lon\nc,Hall,9.5\n")
    found = faults(study, TOWN, exclude=[ExcludeSource(file="flood.geojson")], area=AreaSource(boundary="edge.json"))  # type: ignore[call-arg]
    assert [line.split(":")[0] for line in found] == [
        "edge.json",
        "people.csv, row 2, column population",
        "centres.csv, column lat",
        "flood.geojson",
    ]


def test_missing_files_of_every_kind_are_named_as_the_study_writes_them(tmp_path: Path) -> None:
    streets = StreetsSource(file="data/town.osm.pbf", elevation="hills.tif")  # type: ignore[call-arg]
    area = AreaSource(boundary="edge.geojson", districts="parts.geojson")  # type: ignore[call-arg]
    found = faults(tmp_path, streets, area=area)
    assert [line.split(": there is no such file")[0] for line in found] == [
        "edge.geojson",
        "parts.geojson",
        "people.csv",
        "data/town.osm.pbf",
        "centres.csv",
        "schools.csv",
        "hills.tif",
    ]


def test_an_id_in_two_files_is_a_fault(study: Path) -> None:
    put(study, schools__csv=SCHOOLS.replace("s2", "c1"))
    assert 'schools.csv, row 3, column id: id "c1" stands already in centres.csv, row 2' in faults(study)[0]


def test_swapped_sites_are_recognised_by_where_people_live(study: Path) -> None:
    put(study, centres__csv="id,name,lat,lon\nc1,Hall,9.502,47.102\nc2,Library,9.506,47.106\n")
    assert faults(study) == [
        "centres.csv, column lon, lat: longitude and latitude look swapped: exchanged, most rows lie within where "
        "people live; exchange the two columns."
    ]


def test_swapped_people_are_recognised_by_the_streets(study: Path) -> None:
    put(study, people__csv=PEOPLE.replace("lon,lat", "lat,lon"))
    (found,) = faults(study, TOWN)
    assert found.startswith("people.csv, column lon, lat: longitude and latitude look swapped")


def test_swapped_people_are_recognised_by_every_file_of_sites(study: Path) -> None:
    put(study, people__csv=PEOPLE.replace("lon,lat", "lat,lon"))
    assert faults(study) == [
        "people.csv, column lon, lat: longitude and latitude look swapped: exchanged, most rows lie within where the "
        "sites are; exchange the two columns."
    ]


def test_a_site_in_the_sea_is_named_with_its_distance(study: Path) -> None:
    put(study, schools__csv=SCHOOLS.replace("9.5005,47.1005", "9.5005,46.1005"))
    (found,) = faults(study, TOWN)
    assert found.startswith(
        'schools.csv, row 3: site "s2" lies 111.1 km outside the streets of town.osm; correct its coordinates'
    )
    (found,) = faults(study)
    assert 'schools.csv, row 3: site "s2" lies 111.1 km outside where people live' in found


def test_a_site_at_null_island_is_named(study: Path) -> None:
    put(study, schools__csv=SCHOOLS.replace("9.5005,47.1005", "0,0"))
    assert 'site "s2" lies 5,' in faults(study)[0]


def test_people_elsewhere_than_the_streets_are_a_fault(study: Path) -> None:
    put(study, people__csv=PEOPLE.replace(",9.5", ",19.5"))
    assert (
        "people.csv: nobody lives within the streets of town.osm; check that the files show the same place."
        in faults(study, TOWN)
    )


def test_a_boundary_leaves_out_what_lies_outside_and_counts_it(study: Path) -> None:
    put(study, edge__geojson=polygons(("x", (9.499, 47.099, 9.5041, 47.2))), far__csv="id,lon,lat\nf,20,40\n")
    sites = (EXISTING, CANDIDATES, source(file="far.csv", status="other"))
    tables = read(study, TOWN, sites=sites, area=AreaSource(boundary="edge.geojson"))  # type: ignore[call-arg]
    assert tables.sites.table["id"].tolist() == ["c1", "s1", "s2"]
    assert tables.people.table["total"].sum() == sum(k for k in range(25) if k % 5 <= 2)
    assert tables.boundary is not None
    assert tables.notes == (f"{sum(k for k in range(25) if k % 5 > 2)} people outside the boundary were left out.",)
    assert tables.sites.notes == ("2 of 5 sites lie outside the boundary and were left out.",)


def test_a_boundary_elsewhere_is_a_fault(study: Path) -> None:
    put(study, edge__geojson=polygons(("x", (19, 47, 19.1, 47.1))))
    assert "people.csv: nobody lives within the boundary" in faults(study, area=AreaSource(boundary="edge.geojson"))[0]  # type: ignore[call-arg]


def test_districts_name_people(study: Path) -> None:
    put(study, parts__geojson=polygons(("West", (9, 47, 9.503, 48)), ("East", (9.503, 47, 9.507, 48))))
    people = read(study, area=AreaSource(districts="parts.geojson")).people.table  # type: ignore[call-arg]
    assert people["area"].tolist()[:6] == ["West", "East", "East", "", "West", "West"]


def test_sites_on_excluded_ground_are_flagged(study: Path) -> None:
    put(
        study,
        flood__geojson=polygons(("x", (9.5, 47.1, 9.501, 47.101))),
        hill__geojson=polygons(("y", (8, 46, 8.1, 46.1))),
    )
    exclude = [ExcludeSource(file="flood.geojson"), ExcludeSource(file="hill.geojson")]  # type: ignore[call-arg]
    sites = read(study, exclude=exclude).sites
    assert sites.table["excluded"].tolist() == [False, False, False, True]
    assert sites.notes == ("1 candidate stands where nothing may open.",)


def test_places_of_openstreetmap_are_sites(study: Path) -> None:
    query = source(query="amenity=community_centre", status="existing")
    sites = read(study, TOWN, sites=(query, CANDIDATES)).sites.table
    assert sites["id"].tolist()[:2] == ["n1", "n8"]
    assert sites["name"].tolist()[0] == "Club"
    assert sites["status"].tolist() == ["existing", "existing", "candidate", "candidate"]


def test_a_query_reads_its_own_extract(study: Path) -> None:
    (study / "other.osm").write_text(town(9.501), encoding="utf-8")
    query = source(query="amenity=community_centre", status="existing", osm="other.osm")
    tables = read(study, sites=(query,))
    assert tables.sites.table["lon"][0] == pytest.approx(9.501)
    assert tables.sources[1].path == "other.osm"


def test_candidates_are_made_along_streets_near_people_and_inside_the_boundary(study: Path) -> None:
    generate = source(generate=GenerateSource(spacing_m=150), status="candidate")
    for streets in (TOWN, StreetsSource(file="town.osm", mode="straight")):  # type: ignore[call-arg]
        tables = read(study, streets, sites=(EXISTING, generate))
        made = tables.sites.table[tables.sites.table["status"] == "candidate"]
        assert made["id"].tolist() == [f"g{k + 1}" for k in range(len(made))]
        assert made["name"].str.startswith("Street").all()
        assert len(made) > 20
    put(study, edge__geojson=polygons(("x", (9.499, 47.099, 9.5041, 47.2))))
    fewer = read(study, TOWN, sites=(EXISTING, generate), area=AreaSource(boundary="edge.geojson")).sites.table  # type: ignore[call-arg]
    assert fewer["lon"].max() <= 9.5041
    assert 5 < len(fewer) < len(made)


@pytest.mark.parametrize(
    ("streets", "sites", "said"),
    [
        (StreetsSource(), (EXISTING,), 'streets.file: mode "walk" needs streets'),  # type: ignore[call-arg]
        (STRAIGHT, (source(status="other"),), "sites: one table gives none of file, query and generate"),
        (STRAIGHT, (source(file="centres.csv", query="a=b"),), "one table gives file and query of"),
        (STRAIGHT, (source(query="amenity=school", status="other"),), "a query needs an extract"),
        (STRAIGHT, (source(generate=GenerateSource(spacing_m=50), status="other"),), "along streets need streets"),
        (STRAIGHT, (), "there are no sites"),
    ],
)
def test_what_the_study_does_not_say_is_asked_for(
    study: Path, streets: StreetsSource, sites: tuple[SitesSource, ...], said: str
) -> None:
    assert said in "\n".join(faults(study, streets, sites=sites))


def test_ready_times_replace_streets(study: Path) -> None:
    put(study, minutes__csv="from,to,minutes\np1,c1,3\np2,s1,4.5\nelsewhere,s1,4\n")
    tables = read(study, StreetsSource(table="minutes.csv"))  # type: ignore[call-arg]
    assert tables.streets is None
    assert tables.times is not None
    assert len(tables.times) == 3
    assert tables.notes == ("1 ids of minutes.csv, column from, are none of the people and were passed over.",)
    put(study, minutes__csv="from,to,minutes\n1,c1,3\n")
    assert faults(study, StreetsSource(table="minutes.csv")) == [  # type: ignore[call-arg]
        'minutes.csv, column from: no id here is one of the people: "1" here, "p1" there; use the ids of people.'
    ]


def raster(path: Path, value: float) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=4,
        width=4,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=Affine(0.002, 0, 9.5, 0, -0.002, 47.108),
    ) as dataset:
        dataset.write(np.full((4, 4), value, dtype=np.float32), 1)


def test_people_may_be_rasters_with_groups_beside_them(study: Path) -> None:
    (study / "data").mkdir()
    raster(study / "data" / "all.tif", 5)
    raster(study / "data" / "young.tif", 2)
    for young in ("data/young.tif", "young.tif"):
        tables = read(study, people=PeopleSource(file="data/all.tif", groups={"young": young}))  # type: ignore[call-arg]
        assert tables.people.table["young"].sum() == 32
        assert [each.kind for each in tables.sources] == ["people", "people", "sites", "sites"]
    found = faults(study, people=PeopleSource(file="data/al.tif", groups={"young": "yuong.tif"}))  # type: ignore[call-arg]
    assert found[0].startswith('data/al.tif: there is no such file; the nearest name there is "all.tif"')
    assert found[1].startswith("yuong.tif: there is no such file")


def test_known_totals_are_spread_inside_polygons(study: Path) -> None:
    put(study, parts__geojson=polygons(("West", (9.5, 47.1, 9.504, 47.108)), ("East", (9.504, 47.1, 9.508, 47.108))))
    people = PeopleSource.model_validate({"file": "parts.geojson", "spread": {"osm": "town.osm", "cell_m": 100}})
    area = AreaSource(boundary="parts.geojson", districts="parts.geojson")  # type: ignore[call-arg]
    tables = read(study, TOWN, people, area=area)
    assert tables.people.table.groupby("area")["total"].sum().to_dict() == {"East": 100, "West": 100}
    kinds = {each.path: each.kind for each in tables.sources}
    assert kinds["parts.geojson"] == "boundary, districts, people"
    assert kinds["town.osm"] == "buildings, streets"
    put(study, parts__csv="name,population\nx,5\n")
    assert (
        "to be spread and there are no polygons"
        in faults(study, people=people.model_copy(update={"file": "parts.csv"}))[0]
    )


class Labels(Silent):
    """Collects the labels of steps."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    @contextmanager
    def step(self, label: str, total: int | None = None) -> Iterator[Tick]:
        self.labels.append(label)
        with super().step(label, total) as tick:
            yield tick


def test_every_file_is_a_step(study: Path) -> None:
    labels = Labels()
    read(study, TOWN, progress=labels)
    assert labels.labels == ["Reading people.csv", "Reading town.osm", "Reading centres.csv", "Reading schools.csv"]


@pytest.mark.data
def test_porto_alegre_is_read_whole(data_dir: Path) -> None:
    folder = data_dir / "cities" / "porto_alegre"
    cells = source(file="poa_hexgrid.csv", status="candidate")
    tables = read(folder, StreetsSource(file="poa_osm.pbf", snap_m=2000), "poa_hexgrid.csv", (cells,))  # type: ignore[call-arg]
    assert tables.people.n == 1124
    assert tables.people.table["total"].sum() == 812_935
    assert tables.sites.n == 1227
    assert list(tables.sites.table.columns[6:]) == ["population", "schools", "jobs", "healthcare"]


@pytest.mark.data
def test_helsinkis_grid_outside_the_streets_is_left_by_a_boundary(data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "cities" / "helsinki"
    sites = (source(file=str(folder / "facilities_osm.csv"), id="osm_id", status="candidate"),)
    people = PeopleSource(file=str(folder / "helsinki_population_grid_2020.gpkg"))  # type: ignore[call-arg]
    streets = StreetsSource(file=str(folder / "Helsinki.osm.pbf"))  # type: ignore[call-arg]
    whole = read(tmp_path, streets, people, sites)
    assert whole.people.n == 92
    assert whole.streets is not None
    west, south, east, north = (
        whole.streets.lon.min(),
        whole.streets.lat.min(),
        whole.streets.lon.max(),
        whole.streets.lat.max(),
    )
    gpd.GeoDataFrame(geometry=[box(west, south, east, north)], crs=4326).to_file(tmp_path / "edge.gpkg")
    part = read(tmp_path, streets, people, sites, area=AreaSource(boundary="edge.gpkg"))  # type: ignore[call-arg]
    assert 0 < part.people.n < 92
    assert part.people.shapes is not None
    assert len(part.people.shapes) == part.people.n


def test_a_damaged_extract_that_two_readers_open_is_one_fault(tmp_path: Path) -> None:
    put(tmp_path, people__csv=PEOPLE, town__osm=town()[:900])
    query = SitesSource(query="amenity=community_centre", status="candidate")  # type: ignore[call-arg]
    people = PeopleSource(file="people.csv")  # type: ignore[call-arg]
    with pytest.raises(InputError) as caught:
        read_tables(tmp_path, streets=TOWN, people=people, sites=[query])
    assert [fault.file for fault in caught.value.faults] == ["town.osm"]
