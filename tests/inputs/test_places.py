"""Places picked from hand-made extracts by their tags."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from nearer.errors import InputError
from nearer.inputs.places import TAG_COLUMNS, parse_query, read_places

SQUARE = {1: (9.0, 47.0), 2: (9.004, 47.0), 3: (9.004, 47.004), 4: (9.0, 47.004)}
HOLE = {5: (9.001, 47.001), 6: (9.003, 47.001), 7: (9.003, 47.003), 8: (9.001, 47.003)}


def tags(text: str) -> str:
    return "".join('<tag k="{}" v="{}"/>'.format(*part.split("=", 1)) for part in text.split("; ") if part)


def extract(
    folder: Path,
    nodes: dict[int, tuple[tuple[float, float], str]] | None = None,
    ways: dict[int, tuple[str, str]] | None = None,
    relations: dict[int, tuple[str, str]] | None = None,
) -> Path:
    """Write nodes (place, tags), ways (node list, tags) and relations ("outer 10 inner 11", tags)."""
    corners = {ref: (place, "") for ref, place in {**SQUARE, **HOLE}.items()}
    lines = ['<osm version="0.6">']
    for ref, ((lon, lat), text) in sorted({**corners, **(nodes or {})}.items()):
        lines.append(f'<node id="{ref}" version="1" lon="{lon}" lat="{lat}">{tags(text)}</node>')
    for ref, (members, text) in (ways or {}).items():
        inner = "".join(f'<nd ref="{member}"/>' for member in members.split())
        lines.append(f'<way id="{ref}" version="1">{inner}{tags(text)}</way>')
    for ref, (members, text) in (relations or {}).items():
        words = members.split()
        inner = "".join(
            f'<member type="way" ref="{way}" role="{role}"/>' for role, way in zip(words[::2], words[1::2], strict=True)
        )
        lines.append(f'<relation id="{ref}" version="1">{inner}{tags(text)}</relation>')
    path = folder / "town.osm"
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


def point(ref: int, text: str) -> dict[int, tuple[tuple[float, float], str]]:
    return {ref: ((9.01, 47.01), text)}


def test_a_node_is_a_place_where_it_stands(tmp_path: Path) -> None:
    places = read_places(extract(tmp_path, point(20, "amenity=library; name=Bücherei Süd")), "amenity=library")
    assert places.columns.tolist() == ["id", "name", "lon", "lat", *TAG_COLUMNS]
    row = places.iloc[0]
    assert (row["id"], row["name"], row["lon"], row["lat"]) == ("n20", "Bücherei Süd", 9.01, 47.01)
    assert (row["amenity"], row["building"]) == ("library", "")


def test_a_closed_way_is_a_place_inside_its_outline(tmp_path: Path) -> None:
    path = extract(tmp_path, ways={10: ("1 2 3 4 1", "building=public; addr:street=Main Street")})
    row = read_places(path, "building=public").iloc[0]
    assert (row["id"], row["name"], row["addr:street"]) == ("w10", "", "Main Street")
    assert shapely.Polygon(SQUARE.values()).contains(shapely.Point(row["lon"], row["lat"]))


def test_a_relation_is_a_place_inside_its_outline_and_outside_its_holes(tmp_path: Path) -> None:
    path = extract(
        tmp_path,
        ways={10: ("1 2 3", ""), 11: ("3 4 1", ""), 12: ("5 6 7 8 5", "")},
        relations={30: ("outer 10 outer 11 inner 12", "type=multipolygon; amenity=school")},
    )
    row = read_places(path, "amenity=school").iloc[0]
    assert row["id"] == "r30"
    ground = shapely.Polygon(SQUARE.values(), [list(HOLE.values())])
    assert ground.contains(shapely.Point(row["lon"], row["lat"]))


def test_a_member_with_tags_of_its_own_is_a_place_too(tmp_path: Path) -> None:
    path = extract(
        tmp_path,
        ways={10: ("1 2 3 4 1", "amenity=library"), 12: ("5 6 7 8 5", "")},
        relations={30: ("outer 10 inner 12", "type=multipolygon; amenity=school")},
    )
    assert read_places(path, "amenity=school|library")["id"].tolist() == ["w10", "r30"]


def test_open_ways_and_areas_that_leave_the_extract_are_left_out(tmp_path: Path) -> None:
    path = extract(
        tmp_path,
        point(20, "amenity=library"),
        {10: ("1 2 3", "amenity=library"), 11: ("1 2 99 1", "amenity=library")},
        {30: ("outer 98", "type=multipolygon; amenity=library")},
    )
    assert read_places(path, "amenity=library")["id"].tolist() == ["n20"]


def test_places_are_sorted_by_kind_and_number(tmp_path: Path) -> None:
    path = extract(
        tmp_path,
        {**point(200, "amenity=library"), **point(30, "amenity=library")},
        {11: ("5 6 7 8 5", "amenity=library"), 12: ("1 2 3 4 1", "amenity=library")},
    )
    assert read_places(path, "amenity=library")["id"].tolist() == ["n30", "n200", "w11", "w12"]


def test_an_unsorted_extract_is_sent_to_be_sorted(tmp_path: Path) -> None:
    path = extract(tmp_path, ways={12: ("5 6 7 8 5", "amenity=library"), 11: ("1 2 3 4 1", "amenity=library")})
    with pytest.raises(InputError, match=r"town\.osm: is not sorted .* sort it \(osmium sort\)"):
        read_places(path, "amenity=library")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("amenity=library", ["n20", "n22"]),
        ("amenity=library|school", ["n20", "n21", "n22"]),
        ("amenity = library | school & name = *", ["n20"]),
        ("amenity=*", ["n20", "n21", "n22"]),
        ("amenity=school, building=public", ["n21", "n23"]),
        ("amenity=library & name=*, building=public & level=2", ["n20", "n23"]),
        ("amenity=archive", ["n22"]),
        ("name=Town Hall", ["n20"]),
    ],
)
def test_the_query_language_means_what_it_says(tmp_path: Path, query: str, expected: list[str]) -> None:
    nodes = {
        **point(20, "amenity=library; name=Town Hall"),
        **point(21, "amenity=school"),
        **point(22, "amenity=library;archive"),
        **point(23, "building=public; level=2"),
        **point(24, "shop=books"),
    }
    assert read_places(extract(tmp_path, nodes), query)["id"].tolist() == expected


def test_keys_asked_for_become_columns_and_never_take_a_column_of_sites(tmp_path: Path) -> None:
    path = extract(tmp_path, point(20, "amenity=shelter; capacity=12; name=Hut"))
    places = read_places(path, "amenity=shelter & capacity=* & name=*")
    assert places.columns.tolist() == ["id", "name", "lon", "lat", "amenity", "osm:capacity", *TAG_COLUMNS[1:]]
    assert places["osm:capacity"].tolist() == ["12"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "has an empty term"),
        ("amenity", "'amenity' of the query 'amenity' is not of the form key=value"),
        ("amenity=", "lacks a value"),
        ("=library", "not of the form"),
        ("amenity=library|", "lacks a value"),
        ("amenity=*|library", "asks for any value and for some"),
        ("amenity!=library", "not of the form"),
        ("amenity==library", "not of the form"),
        ("amenity=library,", "has an empty term"),
        ("amenity=library &", "has an empty term"),
    ],
)
def test_a_malformed_query_is_refused_with_an_example(query: str, said: str) -> None:
    with pytest.raises(InputError, match="query") as caught:
        parse_query(query)
    assert said in str(caught.value)
    assert all(fault.remedy and fault.column == "query" for fault in caught.value.faults)


def test_every_fault_of_a_query_is_reported() -> None:
    with pytest.raises(InputError) as caught:
        parse_query("amenity, building= & name")
    assert len(caught.value.faults) == 3


def test_nothing_found_tells_what_there_is(tmp_path: Path) -> None:
    nodes = {**point(20, "amenity=bench"), **point(21, "amenity=bench"), **point(22, "amenity=bar")}
    path = extract(tmp_path, nodes)
    with pytest.raises(
        InputError, match=r"no place matches 'amenity=library'; .*amenity=bench \(2\), amenity=bar \(1\)"
    ):
        read_places(path, "amenity=library")
    with pytest.raises(InputError, match="none of these keys is there"):
        read_places(path, "amenety=library")


def test_a_file_that_cannot_be_read_is_named_as_the_study_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data/town\.osm: does not exist"):
        read_places(tmp_path / "town.osm", "amenity=library", name="data/town.osm")


WORD = st.text(alphabet="abcxyz:_ü", min_size=1, max_size=6)


@given(
    st.lists(st.lists(st.tuples(WORD, st.lists(WORD, max_size=3)), min_size=1, max_size=3), min_size=1, max_size=3),
    st.dictionaries(WORD, WORD, max_size=4),
)
def test_a_written_query_matches_as_its_parts_do(
    alternatives: list[list[tuple[str, list[str]]]], found: dict[str, str]
) -> None:
    text = " , ".join(
        " & ".join(f"{key} = {'|'.join(values) or '*'}" for key, values in terms) for terms in alternatives
    )
    expected = any(
        all(key in found and (not values or found[key] in values) for key, values in terms) for terms in alternatives
    )
    assert parse_query(text).matches(found) == expected


@pytest.mark.data
def test_helsinki_has_the_libraries_found_by_another_reader(data_dir: Path) -> None:
    folder = data_dir / "cities" / "helsinki"
    known = pd.read_csv(folder / "facilities_osm.csv")
    libraries = known[known["amenity"] == "library"]
    places = read_places(folder / "Helsinki.osm.pbf", "amenity=library")
    assert len(libraries)
    assert set(libraries["osm_id"]) <= set(places["id"])
    both = places.set_index("id").loc[libraries["osm_id"]]
    nodes = libraries["osm_id"].str.startswith("n").to_numpy()
    assert both.loc[nodes, "lon"].to_numpy() == pytest.approx(libraries.loc[nodes, "lon"].to_numpy(), abs=1e-6)
