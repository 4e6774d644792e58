"""Streets from hand-made extracts of a few nodes each."""

from __future__ import annotations

import bz2
import gzip
import zlib
from pathlib import Path

import numpy as np
import osmium
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from nearer.errors import InputError
from nearer.inputs.geo import lengths_m
from nearer.inputs.osm import read_streets
from nearer.inputs.tables import STREET_CLASSES, Streets

STEP = 0.001  # degrees between neighbouring nodes: 111 m north


def extract(ways: dict[str, str], nodes: dict[int, str] | None = None, missing: tuple[int, ...] = ()) -> str:
    """
    An OSM file as text. ``ways`` maps node lists ("1 2 3") to tags ("highway=path foot=no"); node k lies at k steps
    north of 47°, 9° E, unless its own tags give ``at=lon,lat``.
    """
    own = nodes or {}
    used = sorted({int(ref) for refs in ways for ref in refs.split("#")[0].split()} | set(own))
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<osm version="0.6">']

    def tags(text: str) -> str:
        pairs = (part.split("=", 1) for part in text.split())
        return "".join(f'<tag k="{key}" v="{value.replace("_", " ")}"/>' for key, value in pairs if key != "at")

    for ref in used:
        if ref in missing:
            continue
        at = dict(part.split("=", 1) for part in own.get(ref, "").split()).get("at", f"9,{47 + ref * STEP}")
        lon, lat = at.split(",")
        lines.append(f'<node id="{ref}" version="1" lon="{lon}" lat="{lat}">{tags(own.get(ref, ""))}</node>')
    for number, (refs, text) in enumerate(ways.items(), start=100):
        inner = "".join(f'<nd ref="{ref}"/>' for ref in refs.split("#")[0].split())
        pairs = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in (part.split("=", 1) for part in text.split()))
        lines.append(f'<way id="{number}" version="1">{inner}{pairs}</way>')
    return "\n".join([*lines, "</osm>\n"])


def written(folder: Path, text: str, name: str = "town.osm") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def pairs(streets: Streets) -> set[tuple[int, int]]:
    """Directed open pairs of nodes, each named by its steps north."""
    steps = np.rint((streets.lat - 47) / STEP).astype(int)
    found = set()
    for start, end, forward, backward in zip(
        streets.from_idx, streets.to_idx, streets.forward_kmh, streets.backward_kmh, strict=True
    ):
        if forward > 0:
            found.add((int(steps[start]), int(steps[end])))
        if backward > 0:
            found.add((int(steps[end]), int(steps[start])))
    return found


def n_parts(streets: Streets) -> int:
    ones = np.ones(streets.n_segments)
    graph = csr_matrix((ones, (streets.from_idx, streets.to_idx)), shape=(len(streets.lon),) * 2)
    return int(connected_components(graph, directed=False)[0])


def faults_of(path: Path, mode: str = "walk", **more: object) -> str:
    with pytest.raises(InputError) as caught:
        read_streets(path, mode, **more)  # type: ignore[arg-type]
    assert all(fault.remedy for fault in caught.value.faults)
    return str(caught.value)


def test_a_way_becomes_its_stretches_in_order(tmp_path: Path) -> None:
    streets = read_streets(written(tmp_path, extract({"1 2 3": "highway=residential name=Lane"})), "walk")
    assert streets.lat.tolist() == pytest.approx([47.001, 47.002, 47.003])
    assert streets.lon.tolist() == [9.0, 9.0, 9.0]
    assert streets.from_idx.tolist() == [0, 1]
    assert streets.to_idx.tolist() == [1, 2]
    assert streets.way_idx.tolist() == [0, 0]
    assert streets.way_names == ("Lane",)
    assert streets.mode == "walk"
    assert STREET_CLASSES[streets.street_class[0]] == "minor"
    kinds = (streets.from_idx, streets.way_idx, streets.forward_kmh, streets.street_class, streets.lon)
    assert [array.dtype.name for array in kinds] == ["int32", "int32", "float32", "uint8", "float64"]


def test_ways_join_at_a_shared_node_and_not_at_a_shared_place(tmp_path: Path) -> None:
    ways = {"1 2": "highway=path", "2 3": "highway=path", "4 5": "highway=path"}
    streets = read_streets(written(tmp_path, extract(ways, {4: "at=9,47.003"})), "walk")
    assert n_parts(streets) == 2


def test_only_nodes_of_ways_that_are_kept_remain(tmp_path: Path) -> None:
    ways = {"1 2": "highway=path", "3 4": "highway=motorway", "5 6": "building=yes"}
    streets = read_streets(written(tmp_path, extract(ways, {9: "amenity=bench"})), "walk")
    assert len(streets.lon) == 2


def test_a_street_without_a_name_shows_its_number_or_nothing(tmp_path: Path) -> None:
    ways = {"1 2": "highway=primary ref=B54", "2 3": "highway=path"}
    assert read_streets(written(tmp_path, extract(ways)), "walk").way_names == ("B54", "")


@pytest.mark.parametrize(
    ("tags", "mode", "expected"),
    [
        ("highway=residential oneway=yes", "drive", {(1, 2), (2, 3)}),
        ("highway=residential oneway=-1", "drive", {(2, 1), (3, 2)}),
        ("highway=residential oneway=yes", "walk", {(1, 2), (2, 3), (2, 1), (3, 2)}),
        ("highway=residential oneway=yes cycleway=opposite", "bike", {(1, 2), (2, 3), (2, 1), (3, 2)}),
    ],
)
def test_one_way_streets_keep_their_direction(
    tmp_path: Path, tags: str, mode: str, expected: set[tuple[int, int]]
) -> None:
    assert pairs(read_streets(written(tmp_path, extract({"1 2 3": tags})), mode)) == expected


def test_a_roundabout_is_driven_round_and_walked_both_ways(tmp_path: Path) -> None:
    path = written(tmp_path, extract({"1 2 3 1": "highway=tertiary junction=roundabout"}))
    assert pairs(read_streets(path, "drive")) == {(1, 2), (2, 3), (3, 1)}
    assert len(pairs(read_streets(path, "walk"))) == 6


def test_the_outline_of_a_square_is_walked(tmp_path: Path) -> None:
    path = written(tmp_path, extract({"1 2 3 1": "highway=pedestrian area=yes", "3 4": "highway=residential"}))
    assert read_streets(path, "walk").n_segments == 4
    assert read_streets(path, "drive").n_segments == 1


def test_each_mode_sees_its_own_streets(tmp_path: Path) -> None:
    ways = {"1 2": "highway=motorway", "2 3": "highway=residential", "3 4": "highway=steps", "4 5": "highway=cycleway"}
    path = written(tmp_path, extract(ways))
    assert [read_streets(path, mode).n_segments for mode in ("walk", "bike", "drive")] == [3, 2, 2]


def test_speeds_follow_the_study(tmp_path: Path) -> None:
    path = written(tmp_path, extract({"1 2": "highway=residential", "2 3": "highway=steps"}))
    assert read_streets(path, "walk", speed_kmh=3.0).forward_kmh.tolist() == [3.0, 1.5]


def test_a_timed_ferry_sails_its_whole_length_in_its_duration(tmp_path: Path) -> None:
    text = extract({"1 2 4": "route=ferry duration=00:10", "4 5": "highway=path"})
    streets = read_streets(written(tmp_path, text), "walk")
    ends = streets.from_idx[:2], streets.to_idx[:2]
    metres = lengths_m(streets.lon[ends[0]], streets.lat[ends[0]], streets.lon[ends[1]], streets.lat[ends[1]])
    seconds = metres / (streets.forward_kmh[:2] / 3.6)
    assert seconds.sum() == pytest.approx(600.0)
    assert [STREET_CLASSES[code] for code in streets.street_class] == ["ferry", "ferry", "path"]


def test_a_ferry_that_leaves_the_extract_sails_at_the_usual_speed(tmp_path: Path) -> None:
    text = extract({"1 2 4": "route=ferry duration=00:10"}, missing=(4,))
    assert read_streets(written(tmp_path, text), "walk").forward_kmh.tolist() == [10.0]


def test_a_way_that_leaves_the_extract_keeps_what_lies_inside(tmp_path: Path) -> None:
    text = extract({"1 2 3 4 5": "highway=path", "3 9": "highway=path"}, missing=(3,))
    assert pairs(read_streets(written(tmp_path, text), "walk")) == {(1, 2), (2, 1), (4, 5), (5, 4)}


def test_ways_of_one_node_and_repeated_nodes_make_no_stretch(tmp_path: Path) -> None:
    text = extract({"1": "highway=path", "1 2 2 3": "highway=path"})
    assert read_streets(written(tmp_path, text), "walk").n_segments == 2


def test_deleted_ways_are_left_out(tmp_path: Path) -> None:
    text = extract({"1 2": "highway=path", "2 3": "highway=path"}).replace(
        'way id="101"', 'way id="101" visible="false"'
    )
    assert read_streets(written(tmp_path, text), "walk").n_segments == 1


def test_bounds_keep_every_stretch_that_touches_them(tmp_path: Path) -> None:
    path = written(tmp_path, extract({"1 2 3 4 5": "highway=path name=Long", "7 8": "highway=path name=Far"}))
    streets = read_streets(path, "walk", bounds=(8.9, 47.0025, 9.1, 47.0035))
    assert pairs(streets) == {(2, 3), (3, 2), (3, 4), (4, 3)}
    assert streets.way_names == ("Long",)
    assert len(streets.lon) == 3


def test_a_bollard_parts_a_street_for_cars_and_for_no_one_else(tmp_path: Path) -> None:
    path = written(tmp_path, extract({"1 2 3": "highway=residential"}, {2: "barrier=bollard"}))
    assert n_parts(read_streets(path, "walk")) == 1
    assert n_parts(read_streets(path, "bike")) == 1
    driven = read_streets(path, "drive")
    assert n_parts(driven) == 2
    assert len(driven.lon) == 4
    assert sorted(driven.lat.tolist()) == pytest.approx([47.001, 47.002, 47.002, 47.003])
    assert pairs(driven) == {(1, 2), (2, 1), (2, 3), (3, 2)}  # both can drive up to it


def test_a_barrier_parts_two_ways_that_meet_at_it(tmp_path: Path) -> None:
    ways = {"1 2": "highway=residential", "2 3": "highway=service"}
    path = written(tmp_path, extract(ways, {2: "barrier=gate access=private"}))
    assert n_parts(read_streets(path, "walk")) == 2


def test_a_barrier_at_a_junction_closes_nothing(tmp_path: Path) -> None:
    ways = {"1 2 3": "highway=residential", "2 4": "highway=service"}
    path = written(tmp_path, extract(ways, {2: "barrier=gate access=private"}))
    assert n_parts(read_streets(path, "drive")) == 1


def test_an_island_stays_apart(tmp_path: Path) -> None:
    path = written(tmp_path, extract({"1 2": "highway=path", "3 4": "highway=path", "2 3": "route=ferry foot=no"}))
    assert n_parts(read_streets(path, "walk")) == 2
    assert n_parts(read_streets(path, "bike")) == 1


def test_all_formats_give_the_same_streets(tmp_path: Path) -> None:
    text = extract({"1 2 3": "highway=path", "3 4": "highway=steps"})
    plain = written(tmp_path, text)
    (tmp_path / "town.osm.bz2").write_bytes(bz2.compress(text.encode()))
    (tmp_path / "town.osm.gz").write_bytes(gzip.compress(text.encode()))
    pbf = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(pbf)) as writer:
        for entity in osmium.FileProcessor(str(plain)):
            writer.add(entity)
    first = read_streets(plain, "walk")
    for name in ("town.osm.bz2", "town.osm.gz", "town.osm.pbf"):
        other = read_streets(tmp_path / name, "walk")
        for field in ("lon", "lat", "from_idx", "to_idx", "forward_kmh", "backward_kmh", "way_idx", "street_class"):
            assert np.array_equal(getattr(first, field), getattr(other, field)), (name, field)


def test_a_missing_file_or_a_folder_is_named(tmp_path: Path) -> None:
    assert "gone.osm.pbf: does not exist" in faults_of(tmp_path / "gone.osm.pbf")
    assert "is a folder" in faults_of(tmp_path)


def test_the_name_of_the_study_is_used_in_messages(tmp_path: Path) -> None:
    assert "data/town.osm: does not exist" in faults_of(tmp_path / "town.osm", name="data/town.osm")


def test_a_file_that_is_no_extract_is_refused_by_its_ending(tmp_path: Path) -> None:
    assert "streets.shp: has no ending of an OpenStreetMap" in faults_of(written(tmp_path, "x", "streets.shp"))


@pytest.mark.parametrize("name", ["town.osm", "town.osm.pbf", "town.osm.bz2"])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str) -> None:
    assert "is empty" in faults_of(written(tmp_path, "", name))


def test_content_that_belies_the_name_is_told(tmp_path: Path) -> None:
    text = extract({"1 2": "highway=path"})
    assert "is not pbf as its name says, but XML" in faults_of(written(tmp_path, text, "town.osm.pbf"))
    assert "is not bzip2 as its name says, but XML" in faults_of(written(tmp_path, text, "town.osm.bz2"))
    assert "is not XML as its name says" in faults_of(written(tmp_path, "try again later", "town.osm"))


def test_a_web_page_saved_as_an_extract_is_refused(tmp_path: Path) -> None:
    assert "is damaged or cut off" in faults_of(written(tmp_path, "<html><body>busy</body></html>"))


def long_town() -> str:
    """Enough nodes, spread without pattern, that half a compressed file is surely cut within a block."""
    places = {ref: f"at={9 + zlib.crc32(b'%d' % ref) / 1e11:.7f},47" for ref in range(1, 3000)}
    return extract({" ".join(map(str, places)): "highway=path"}, places)


def test_truncated_and_corrupt_files_are_refused(tmp_path: Path) -> None:
    text = long_town()
    plain = written(tmp_path, text)
    pbf = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(pbf)) as writer:
        for entity in osmium.FileProcessor(str(plain)):
            writer.add(entity)
    assert read_streets(pbf, "walk").n_segments == 2998
    for name, whole in (
        ("cut.osm", text.encode()),
        ("cut.osm.bz2", bz2.compress(text.encode())),
        ("cut.osm.pbf", pbf.read_bytes()),
    ):
        broken = tmp_path / name
        broken.write_bytes(whole[: len(whole) // 2])
        assert "is damaged or cut off" in faults_of(broken), name
        if name != "cut.osm":
            middle = len(whole) // 2
            broken.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
            assert "is damaged or cut off" in faults_of(broken), name


def test_coordinates_off_the_globe_and_text_that_is_not_utf_8_are_refused(tmp_path: Path) -> None:
    text = extract({"1 2": "highway=path"})
    assert "is damaged" in faults_of(written(tmp_path, text.replace('lon="9"', 'lon="999"')))
    path = tmp_path / "town.osm"
    path.write_bytes(text.encode().replace(b'"path"', b'"p\xffth"'))
    assert "is damaged" in faults_of(path)


def test_a_change_file_is_not_a_map(tmp_path: Path) -> None:
    text = extract({"1 2": "highway=path"}).replace("<osm ", "<osmChange ").replace("</osm>", "</osmChange>")
    assert "changes or a history" in faults_of(written(tmp_path, text))


def test_an_extract_without_streets_says_so(tmp_path: Path) -> None:
    assert "holds no streets" in faults_of(written(tmp_path, extract({"1 2": "building=yes"})))
    assert "holds no streets" in faults_of(written(tmp_path, extract({})))


def test_an_extract_without_streets_for_the_mode_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, extract({"1 2": "highway=motorway", "2 3": "highway=construction"}))
    assert "none of its 1 ways is open for walking" in faults_of(path)


def test_streets_without_nodes_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, extract({"1 2": "highway=path"}, missing=(1, 2)))
    assert "not the nodes they run through" in faults_of(path)


def test_nodes_that_were_never_uploaded_are_told(tmp_path: Path) -> None:
    assert "negative ids" in faults_of(written(tmp_path, extract({"1 -2": "highway=path"})))


def test_bounds_beside_the_extract_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, extract({"1 2": "highway=path"}))
    assert "no street for walking between 1.000, 2.000 and 3.000, 4.000" in faults_of(path, bounds=(1.0, 2.0, 3.0, 4.0))


def largest_part(streets: Streets) -> int:
    """Nodes that can all reach each other, the most."""
    forward, backward = streets.forward_kmh > 0, streets.backward_kmh > 0
    start = np.concatenate((streets.from_idx[forward], streets.to_idx[backward]))
    end = np.concatenate((streets.to_idx[forward], streets.from_idx[backward]))
    graph = csr_matrix((np.ones(len(start)), (start, end)), shape=(len(streets.lon),) * 2)
    return int(np.bincount(connected_components(graph, connection="strong")[1]).max())


@pytest.mark.data
@pytest.mark.parametrize(("mode", "nodes"), [("walk", 37_556), ("drive", 29_820)])
def test_porto_alegre_is_as_large_as_another_reader_found_it(data_dir: Path, mode: str, nodes: int) -> None:
    """An earlier reading left out tracks (746 nodes to drive on) and platforms (227 to walk on): 3 % covers that."""
    streets = read_streets(data_dir / "cities" / "porto_alegre" / "poa_osm.pbf", mode)
    assert largest_part(streets) == pytest.approx(nodes, rel=0.03)
    assert (streets.lon.min(), streets.lat.min()) > (-51.4, -30.4)
    assert (streets.lon.max(), streets.lat.max()) < (-51.0, -29.8)


@pytest.mark.data
def test_helsinki_hangs_together_on_foot(data_dir: Path) -> None:
    streets = read_streets(data_dir / "cities" / "helsinki" / "Helsinki.osm.pbf", "walk")
    assert largest_part(streets) > 0.95 * len(streets.lon)
    assert {"Mannerheimintie", "Esplanadi"} & set(streets.way_names)


@pytest.mark.data
def test_the_same_file_gives_the_same_arrays(data_dir: Path) -> None:
    path = data_dir / "cities" / "helsinki" / "Helsinki.osm.pbf"
    first, second = read_streets(path, "bike"), read_streets(path, "bike")
    for field in ("lon", "lat", "from_idx", "to_idx", "forward_kmh", "backward_kmh", "way_idx", "street_class"):
        assert np.array_equal(getattr(first, field), getattr(second, field))
