"""The checker's travel times against those that plans are made with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nearer.inputs.geo import LocalPlane
from nearer.inputs.sources import StreetsSource
from nearer.inputs.tables import People, Sites, Streets, Tables
from nearer.network import TravelTimes, build_graph, compute_times, scaled, snap, travel_times
from nearer.study import retime_streets
from nearer.study.retime import retime
from nearer.study.retime_pairs import Pairs
from nearer.study.retime_streets import street_pairs

PLANE = LocalPlane(9.5, 47.0)


def streets(rng: np.random.Generator, mode: str) -> Streets:
    """A grid of bent blocks, a third of its streets one-way, some missing."""
    side = 7
    x, y = (a.ravel() * 300.0 + rng.uniform(-90, 90, side * side) for a in np.meshgrid(range(side), range(side)))
    lon, lat = PLANE.to_lonlat(x, y)
    node = np.arange(side * side).reshape(side, side)
    ends = np.vstack(
        [
            np.column_stack([node[:, :-1].ravel(), node[:, 1:].ravel()]),
            np.column_stack([node[:-1].ravel(), node[1:].ravel()]),
        ]
    )
    ends = ends[rng.random(len(ends)) < 0.85]
    way = rng.integers(0, 3, len(ends))
    speed = rng.choice([3.0, 4.8, 15.0], len(ends))
    return Streets(
        lon=lon,
        lat=lat,
        from_idx=ends[:, 0].astype(np.int32),
        to_idx=ends[:, 1].astype(np.int32),
        forward_kmh=np.where(way == 1, 0, speed).astype(np.float32),
        backward_kmh=np.where(way == 2, 0, speed).astype(np.float32),
        way_idx=np.zeros(len(ends), dtype=np.int32),
        street_class=np.full(len(ends), 2, dtype=np.uint8),
        way_names=("",),
        mode=mode,
    )


def tables(rng: np.random.Generator, mode: str = "walk") -> Tables:
    """Sixty points and fifteen sites, some of them exactly on corners, some of both in one place."""
    made = streets(rng, mode)
    x, y = rng.uniform(-100, 2000, (2, 60))
    lon, lat = PLANE.to_lonlat(x, y)
    lon[:10], lat[:10] = made.lon[:10], made.lat[:10]
    site = np.concatenate([rng.choice(60, 10, replace=False), np.arange(5)])
    people = pd.DataFrame(
        {"id": [f"p{i}" for i in range(60)], "lon": lon, "lat": lat, "total": 1.0, "old": 0.5, "area": ""}
    )
    sites = pd.DataFrame({"id": [f"s{j}" for j in range(15)], "name": "", "lon": lon[site], "lat": lat[site]})
    sites = sites.assign(status="candidate", excluded=False)
    return Tables(People(people, ("old",)), Sites(sites), streets=made)


def as_dict(pairs: Pairs) -> dict[tuple[int, int], int]:
    return dict(zip(zip(pairs.point.tolist(), pairs.site.tolist(), strict=True), pairs.time_ms.tolist(), strict=True))


def of_times(times: TravelTimes) -> dict[tuple[int, int], int]:
    point = np.repeat(np.arange(times.n_points), np.diff(times.indptr))
    return dict(zip(zip(point.tolist(), times.site_idx.tolist(), strict=True), times.time_ms.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_street_times_agree_to_the_millisecond(seed: int, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retime_streets, "_FEW", (1, 4, 100)[seed % 3])
    rng = np.random.default_rng(seed)
    read = tables(rng, mode)
    graph = build_graph(read.streets, PLANE)
    people, sites = (
        snap(graph, table["lon"].to_numpy(), table["lat"].to_numpy(), 80.0)
        for table in (read.people.table, read.sites.table)
    )
    for limit_ms in (0, 300_000, 1_800_000):
        expected = of_times(travel_times(graph, people, sites, limit_ms))
        assert as_dict(street_pairs(graph, people, sites, limit_ms)) == expected
    assert mode == "drive" or len(expected) > 30


@pytest.mark.parametrize("old_kmh", [3.3, 6.1])
@pytest.mark.parametrize("mode", ["walk", "straight"])
def test_each_class_of_people_has_its_own_times(mode: str, old_kmh: float, tmp_path) -> None:
    read = tables(np.random.default_rng(4))
    source = StreetsSource(
        file="streets.osm", mode=mode, limit_min=15, speed_kmh=4.5, snap_m=90, group_speeds_kmh={"old": old_kmh}
    )
    network = compute_times(read, source)
    found = retime(read, source, tmp_path)
    assert list(found) == ["", "old"]
    assert as_dict(found[""]) == of_times(scaled(network.times, 1.0, 900_000))
    assert as_dict(found["old"]) == of_times(scaled(network.times, 4.5 / old_kmh, 900_000))


def test_of_a_table_the_least_minutes_count(tmp_path) -> None:
    read = tables(np.random.default_rng(4))
    times = pd.DataFrame(
        {"from": ["p1", "p1", "p0", "nobody"], "to": ["s2", "s2", "s0", "s0"], "minutes": [3.0, 2, 31, 1]}
    )
    found = retime(Tables(read.people, read.sites, times=times), StreetsSource(table="t.csv"), tmp_path)
    assert as_dict(found[""]) == {(1, 2): 120_000}
