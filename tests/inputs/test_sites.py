"""Lists of sites."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import Point, box

from nearer.errors import InputError
from nearer.inputs.frames import read_frame
from nearer.inputs.sites import SiteList, join_sites, sites_from_frame, sites_of
from nearer.inputs.sources import SitesSource


def read(folder: Path, text: str, file: str = "centres.csv", *, found: bool = False, **settings: object) -> SiteList:
    (folder / file).write_text(text, encoding="utf-8")
    source = SitesSource(file=file, **settings)  # type: ignore[arg-type]
    return sites_of(read_frame(folder / file), source, found=found)


def faults(folder: Path, text: str, **settings: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text, **settings)  # type: ignore[arg-type]
    return [str(fault) for fault in caught.value.faults]


def test_who_owns_a_site_and_its_price_may_be_called_otherwise(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,lon,lat,owner,agency,price\na,0,0,city,x,5\n", encoding="utf-8")
    source = SitesSource(file="s.csv", status="candidate", agency="owner", cost="price")
    table = sites_of(read_frame(tmp_path / "s.csv"), source).table
    assert table[["agency", "cost", "agency_given"]].to_dict("records") == [
        {"agency": "city", "cost": "5", "agency_given": "x"}
    ]
    with pytest.raises(InputError, match="column payer: there is no such column"):
        sites_of(read_frame(tmp_path / "s.csv"), SitesSource(file="s.csv", status="candidate", agency="payer"))


def test_sites_need_no_names_however_their_settings_came(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,lon,lat\na,0,0\n", encoding="utf-8")
    source = SitesSource(file="s.csv", status="candidate")
    for one in (source, SitesSource.model_validate(source.model_dump())):  # a plan's settings name every key
        assert sites_of(read_frame(tmp_path / "s.csv"), one).table["name"].tolist() == ["a"]
    with pytest.raises(InputError, match="column title: there is no such column"):
        sites_of(read_frame(tmp_path / "s.csv"), SitesSource(file="s.csv", status="candidate", name="title"))


def test_sites_keep_ids_names_and_every_further_column_as_written(tmp_path: Path) -> None:
    sites = join_sites(
        [read(tmp_path, "id,name,lon,lat,rooms\n007,Hall,9.5,47.1,03\nb,,9.6,47.2,\n", status="existing")]
    )
    assert sites.table.to_dict("list") == {
        "id": ["007", "b"],
        "name": ["Hall", "b"],
        "lon": [9.5, 9.6],
        "lat": [47.1, 47.2],
        "status": ["existing", "existing"],
        "excluded": [False, False],
        "rooms": ["03", ""],
    }


def test_a_status_column_wins_over_the_study_where_it_is_filled(tmp_path: Path) -> None:
    text = "id,lon,lat,status\na,1,2,Existing\nb,1,2,\nc,1,2,other\n"
    assert read(tmp_path, text, status="candidate").table["status"].tolist() == ["existing", "candidate", "other"]
    assert faults(tmp_path, text) == [
        "centres.csv, row 3, column status: the status is empty; the valid ones are existing, candidate and other."
    ]


def test_an_unknown_status_lists_the_valid_ones(tmp_path: Path) -> None:
    assert faults(tmp_path, "id,lon,lat,status\na,1,2,planned\n", status="existing") == [
        'centres.csv, row 2, column status: "planned" is no status; the valid ones are existing, candidate and other.'
    ]


def test_without_any_status_the_remedy_is_named(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, "id,lon,lat\na,1,2\n")
    assert found.startswith("centres.csv, column status: nothing says which sites are existing")
    assert 'set [[sites]] status = "existing"' in found


def test_all_faults_of_a_list_are_found_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, "id,Name,lon,lat,status\na,x,1,2,existing\na,y,,91,no\n,z,1,2,other\n")
    assert [line.split(":")[0] for line in found] == [
        "centres.csv, row 4, column id",
        "centres.csv, row 3, column id",
        "centres.csv, column name",
        "centres.csv, row 3, column lon",
        "centres.csv, row 3, column lat",
        "centres.csv, row 3, column status",
    ]


def test_the_id_column_is_needed(tmp_path: Path) -> None:
    assert faults(tmp_path, "ID,lon,lat\na,1,2\n", status="other") == [
        'centres.csv, column id: there is no such column; the nearest is "ID": set [[sites]] id to it, or rename it.'
    ]


def test_columns_called_like_ours_are_kept_under_another_name(tmp_path: Path) -> None:
    text = "code,id,title,excluded,lon,lat\nk,7,Hall,yes,1,2\n"
    table = join_sites([read(tmp_path, text, id="code", name="title", status="other")]).table
    assert list(table.columns) == ["id", "name", "lon", "lat", "status", "excluded", "id_given", "excluded_given"]
    assert table.iloc[0].tolist() == ["k", "Hall", 1.0, 2.0, "other", False, "7", "yes"]


def test_lists_are_joined_in_order_and_absent_columns_left_empty(tmp_path: Path) -> None:
    first = read(tmp_path, "id,lon,lat,agency\na,1,2,town\n", status="existing")
    second = read(tmp_path, "id,lon,lat,rooms\nb,1,2,4\n", "schools.csv", status="candidate")
    table = join_sites([first, second]).table
    assert table["id"].tolist() == ["a", "b"]
    assert table["status"].tolist() == ["existing", "candidate"]
    assert table["agency"].isna().tolist() == [False, True]
    assert table["rooms"].tolist()[1] == "4"


def test_an_id_may_stand_in_one_file_only(tmp_path: Path) -> None:
    first = read(tmp_path, "id,lon,lat\na,1,2\nb,1,2\n", status="existing")
    second = read(tmp_path, "id,lon,lat\nc,1,2\nb,1,2\n", "schools.csv", status="candidate")
    with pytest.raises(InputError) as caught:
        join_sites([first, second])
    assert str(caught.value) == (
        'schools.csv, row 3, column id: id "b" stands already in centres.csv, row 3; '
        "ids must differ over all files of sites."
    )


def test_a_place_found_by_two_queries_belongs_to_the_first(tmp_path: Path) -> None:
    first = read(tmp_path, "id,lon,lat\na,1,2\n", "one.csv", status="existing", found=True)
    second = read(tmp_path, "id,lon,lat\na,1,2\nb,1,2\n", "two.csv", status="candidate", found=True)
    sites = join_sites([first, second])
    assert sites.table[["id", "status"]].to_numpy().tolist() == [["a", "existing"], ["b", "candidate"]]
    assert sites.notes == ("1 place of two.csv stands in an earlier list and counts there.",)


def test_a_place_that_a_query_finds_and_a_table_has_already_belongs_to_the_table(tmp_path: Path) -> None:
    table = read(tmp_path, "id,lon,lat\nw7,1,2\n", "centres.csv", status="existing")
    query = read(tmp_path, "id,lon,lat\nw7,1,2\nn8,1,2\n", "query.csv", status="candidate", found=True)
    sites = join_sites([table, query])
    assert sites.table[["id", "status"]].to_numpy().tolist() == [["w7", "existing"], ["n8", "candidate"]]
    assert sites.notes == ("1 place of query.csv stands in an earlier list and counts there.",)


def test_no_sites_at_all_is_a_fault() -> None:
    with pytest.raises(InputError, match="there are no sites"):
        join_sites([])


def test_a_frame_gives_the_same_sites_with_its_index_as_ids() -> None:
    frame = gpd.GeoDataFrame({"rooms": [3, 4]}, geometry=[Point(9, 47), box(9, 47, 10, 48)], crs=4326, index=["x", "y"])
    table = sites_from_frame(frame, "candidate").table
    assert table["id"].tolist() == ["x", "y"]
    assert table["name"].tolist() == ["x", "y"]
    assert table[["lon", "lat"]].to_numpy().tolist() == [[9, 47], [9.5, 47.5]]
    assert table["rooms"].tolist() == [3, 4]
    with pytest.raises(InputError, match='sites, row 3, column id: id "x" stands already in row 2'):
        sites_from_frame(frame.set_index(gpd.pd.Index(["x", "x"])), "candidate")


@pytest.mark.data
def test_real_facilities_keep_their_names(data_dir: Path) -> None:
    path = data_dir / "cities" / "helsinki" / "facilities_osm.csv"
    sites = sites_of(read_frame(path), SitesSource(file=path.name, id="osm_id", status="candidate"))
    assert "Helsingin yliopiston pääkirjasto" in sites.table["name"].tolist()
    assert list(sites.table.columns) == ["id", "name", "lon", "lat", "status", "amenity"]
