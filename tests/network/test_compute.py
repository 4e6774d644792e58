"""The one call a study makes, and what it keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nearer.errors import InputError
from nearer.inputs.sources import StreetsSource
from nearer.inputs.tables import People, Sites, Tables
from nearer.network import compute
from nearer.network.cache import FILES_KEPT, content_key, load, store
from nearer.network.compute import compute_times
from nearer.network.parts import LAYOUTS_KEPT
from nearer.network.times import scaled

from .oracle import pairs_of
from .streets import PLANE, streets_xy

BLOCK = streets_xy([(0, 0), (400, 0), (400, 300), (0, 300)], [(i, (i + 1) % 4, 4.8, 4.8) for i in range(4)])


def tables(people_xy, sites_xy, *, streets=BLOCK, times=None):
    lon, lat = PLANE.to_lonlat(*np.asarray(people_xy, dtype=np.float64).T)
    people = pd.DataFrame({"id": [f"p{i}" for i in range(len(lon))], "lon": lon, "lat": lat, "total": 1.0, "area": ""})
    lon, lat = PLANE.to_lonlat(*np.asarray(sites_xy, dtype=np.float64).T)
    sites = pd.DataFrame({"id": [f"s{j}" for j in range(len(lon))], "lon": lon, "lat": lat, "excluded": False})
    return Tables(People(people), Sites(sites), streets=streets, times=times)


CORNERS = tables([(0, 0), (400, 0)], [(400, 300), (0, 0)])
WALK = StreetsSource(file="streets.osm.pbf", limit_min=10)


def test_streets_give_times_and_where_points_joined():
    network = compute_times(CORNERS, WALK)
    found = pairs_of(network.times)
    assert found.keys() == {(0, 0), (0, 1), (1, 0), (1, 1)}
    # 4.8 km/h are 4 m in 3 s: 700 m, 0 m, 300 m, 400 m
    np.testing.assert_allclose([found[0, 0], found[0, 1], found[1, 0], found[1, 1]], [525e3, 0, 225e3, 300e3], atol=20)
    assert network.times.limit_ms == 600_000
    assert network.graph.n_segments == 4
    assert network.people_snap.joined_mask.all()


def test_a_faster_group_lengthens_the_search_and_scaling_cuts_it_again():
    source = WALK.model_copy(update={"limit_min": 6.0, "group_speeds_kmh": {"young": 9.6, "older": 2.4}})
    times = compute_times(CORNERS, source).times
    assert times.limit_ms == 720_000
    assert pairs_of(scaled(times, 1.0, 360_000)) == pairs_of(
        compute_times(CORNERS, WALK.model_copy(update={"limit_min": 6.0})).times
    )
    assert scaled(times, 4.8 / 9.6, 360_000).n_pairs == 4
    assert scaled(times, 4.8 / 2.4, 360_000).n_pairs == 1


def test_straight_lines_need_no_streets():
    source = StreetsSource(mode="straight", limit_min=10, detour=1.0)
    network = compute_times(tables([(0, 0)], [(400, 300)], streets=None), source)
    assert network.graph is None
    assert pairs_of(network.times)[0, 0] == pytest.approx(375_000, abs=50)


def test_a_ready_table_is_taken_as_it_is():
    table = pd.DataFrame({"from": ["p1"], "to": ["s0"], "minutes": [9.0]})
    network = compute_times(tables([(0, 0), (1, 1)], [(2, 2)], times=table), StreetsSource(table="minutes.csv"))
    assert pairs_of(network.times) == {(1, 0): 540_000}


def test_streets_far_from_everyone_are_a_fault_with_a_remedy():
    far = tables([(90_000, 0)], [(90_000, 10)])
    with pytest.raises(InputError) as caught:
        compute_times(far, WALK)
    messages = [str(fault) for fault in caught.value.faults]
    assert len(messages) == 2
    assert "no person lives within 500 m" in messages[0]
    assert "no site lies within 500 m" in messages[1]
    assert "snap_m" in messages[0]


def test_a_missing_elevation_raster_is_a_fault(tmp_path):
    with pytest.raises(InputError, match=r"dem\.tif: there is no such file"):
        compute_times(CORNERS, WALK.model_copy(update={"elevation": "dem.tif"}), folder=tmp_path)


def test_what_was_computed_is_not_computed_again(tmp_path, monkeypatch):
    first = compute_times(CORNERS, WALK, folder=tmp_path)
    assert len(list((tmp_path / ".nearer" / "cache").glob("*.npz"))) == 2
    monkeypatch.setattr(compute, "build_graph", None)
    monkeypatch.setattr(compute, "times_over", None)
    again = compute_times(CORNERS, WALK, folder=tmp_path)
    assert pairs_of(again.times) == pairs_of(first.times)
    np.testing.assert_array_equal(again.graph.cost_ms, first.graph.cost_ms)


@pytest.mark.parametrize(
    "change", [{"limit_min": 11.0}, {"snap_m": 400.0}, {"group_speeds_kmh": {"older": 7.0}}, {"speed_kmh": 4.0}]
)
def test_other_settings_are_computed_anew(tmp_path, change):
    compute_times(CORNERS, WALK, folder=tmp_path)
    compute_times(CORNERS, WALK.model_copy(update=change), folder=tmp_path)
    assert len(list((tmp_path / ".nearer" / "cache").glob("*.npz"))) == 3


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", None])
def test_a_damaged_cache_is_ignored_and_written_again(tmp_path, damage):
    whole = compute_times(CORNERS, WALK, folder=tmp_path)
    files = sorted((tmp_path / ".nearer" / "cache").glob("*.npz"))
    before = [file.read_bytes() for file in files]
    for file, content in zip(files, before, strict=True):
        file.write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert pairs_of(compute_times(CORNERS, WALK, folder=tmp_path).times) == pairs_of(whole.times)
    assert [len(file.read_bytes()) for file in files] == [len(content) for content in before]


def test_a_flipped_byte_in_the_cache_is_noticed(tmp_path):
    store(tmp_path, "key", {"a": np.arange(1_000)})
    file = tmp_path / ".nearer" / "cache" / "key.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert load(tmp_path, "key") is None


def test_the_key_tells_types_shapes_and_order_apart():
    keys = {
        content_key(np.zeros(2)),
        content_key(np.zeros(2, dtype=np.float32)),
        content_key(np.zeros((2, 1))),
        content_key(np.zeros(2), 1.0),
        content_key(1.0, np.zeros(2)),
        content_key("1.0", np.zeros(2)),
    }
    assert len(keys) == 6


def test_only_the_files_used_last_are_kept(tmp_path):
    for number in range(FILES_KEPT + 3):
        store(tmp_path, f"{number:02d}", {"a": np.zeros(1)})
    assert len(list((tmp_path / ".nearer" / "cache").glob("*.npz"))) == FILES_KEPT
    assert load(tmp_path, f"{FILES_KEPT + 2:02d}") is not None


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / ".nearer").write_text("a file where a folder should be")
    assert compute_times(CORNERS, WALK, folder=tmp_path).times.n_pairs == 4


def test_many_pairs_are_computed_in_parts_and_read_the_next_time(tmp_path, monkeypatch):
    expected = compute_times(CORNERS, WALK).times
    monkeypatch.setattr(compute, "PARTS_FROM_PAIRS", 0)
    foreseen = []
    found = compute_times(CORNERS, WALK, folder=tmp_path, foresee=foreseen.append).times
    assert pairs_of(found) == pairs_of(expected)
    assert foreseen[0].pairs() == found.n_pairs
    assert foreseen[0].pairs(300_000) == (found.time_ms <= 300_000).sum()
    (layout,) = (tmp_path / ".nearer" / "parts").iterdir()
    monkeypatch.setattr("nearer.network.parts.travel_part", None)  # none is computed again
    assert pairs_of(compute_times(CORNERS, WALK, folder=tmp_path).times) == pairs_of(expected)
    assert sorted(path.name for path in (layout / "rows").iterdir()) == [
        *("indptr.npy", "site_idx.npy", "sums.json", "time_ms.npy")
    ]


def test_parts_that_cannot_be_written_cost_only_time(tmp_path, monkeypatch):
    monkeypatch.setattr(compute, "PARTS_FROM_PAIRS", 0)
    (tmp_path / ".nearer").write_text("a file where a folder should be")
    assert compute_times(CORNERS, WALK, folder=tmp_path).times.n_pairs == 4


def test_only_the_layouts_used_last_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(compute, "PARTS_FROM_PAIRS", 0)
    for minutes in (5, 6, 7, 8, 9):
        compute_times(CORNERS, WALK.model_copy(update={"limit_min": minutes}), folder=tmp_path)
    assert len(list((tmp_path / ".nearer" / "parts").iterdir())) == LAYOUTS_KEPT
