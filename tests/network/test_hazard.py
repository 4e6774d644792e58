"""Ground that nobody can cross, on streets drawn by hand."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.inputs.sources import StreetsSource
from nearer.inputs.tables import People, Sites, Tables
from nearer.network import compute_times
from nearer.network.graph import without_segments
from nearer.network.hazard import Cut, cut_network
from nearer.network.travel import travel_times
from nearer.progress import Silent, Stop
from nearer.study.retime_hazard import retime_around

from .oracle import pairs_of, scipy_times
from .streets import KMH, PLANE, random_graph, random_snap, streets_xy

STEP = 1_000.0  # metres between the corners of the grid; ways of 5 km keep the whole of it


def grid_tables(people: list[tuple[float, float]], sites: list[tuple[float, float]], *, streets: bool = True) -> Tables:
    """A grid of four by four corners, one metre a second; points in metres."""
    nodes = [(STEP * x, STEP * y) for y in range(4) for x in range(4)]
    segments = [(4 * y + x, 4 * y + x + 1, KMH, KMH) for y in range(4) for x in range(3)]
    segments += [(4 * y + x, 4 * y + x + 4, KMH, KMH) for y in range(3) for x in range(4)]

    def table(points: list[tuple[float, float]], more: dict[str, object]) -> pd.DataFrame:
        lon, lat = PLANE.to_lonlat(*np.array(points, dtype=np.float64).T)
        return pd.DataFrame({"id": [str(k) for k in range(len(points))], "lon": lon, "lat": lat, **more})

    return Tables(
        People(table(people, {"total": 1.0, "area": ""})),
        Sites(table(sites, {"name": "", "status": "existing", "excluded": False})),
        streets=streets_xy(nodes, segments) if streets else None,
    )


def box(x0: float, y0: float, x1: float, y1: float) -> gpd.GeoDataFrame:
    lon, lat = PLANE.to_lonlat(np.array([x0, x1, x1, x0]), np.array([y0, y0, y1, y1]))
    return gpd.GeoDataFrame(geometry=[shapely.Polygon(np.column_stack([lon, lat]))], crs="EPSG:4326")


def cut(tables: Tables, ground: gpd.GeoDataFrame, **more: object) -> Cut:
    source = StreetsSource.model_validate({"file": "s.osm", "mode": "walk", "speed_kmh": KMH, "limit_min": 200} | more)
    network = compute_times(tables, source)
    found = cut_network(network, tables, source, ground, threads=1, progress=Silent(), stop=Stop())
    around = retime_around(tables, source, Path(), ground)
    pairs = around.class_pairs[""]
    again = dict(zip(zip(pairs.point.tolist(), pairs.site.tolist(), strict=True), pairs.time_ms.tolist(), strict=True))
    assert pairs_of(found.times) == again  # the independent check finds the same
    assert (around.segments, around.people_mask.tolist()) == (found.segments, found.people_mask.tolist())
    assert around.sites_mask.tolist() == found.sites_mask.tolist()
    return found


def seconds(found: Cut) -> dict[tuple[int, int], float]:
    return {pair: round(time_ms / 1_000) for pair, time_ms in pairs_of(found.times).items()}


def test_a_cut_street_is_gone_round() -> None:
    tables = grid_tables([(100, 0)], [(900, 0)])
    assert seconds(cut(tables, box(5_000, 5_000, 6_000, 6_000))) == {(0, 0): 800}
    # 400 to 600 m of the street are flooded: back to the corner, round a block of one kilometre, and in from the other
    # side. The street itself is gone, so each point joins the corner's other street, a walk of 100 m.
    assert seconds(cut(tables, box(400, -50, 600, 50))) == {(0, 0): 100 + 3_000 + 100}


def test_who_stands_in_the_water_reaches_nothing_and_its_sites_serve_nobody() -> None:
    tables = grid_tables([(100, 0), (2_000, 2_000)], [(900, 0), (2_900, 2_000)])
    found = cut(tables, box(-100, -100, 950, 100))
    assert found.people_mask.tolist() == [True, False]
    assert found.sites_mask.tolist() == [True, False]
    assert seconds(found) == {(1, 1): 900}


def test_streets_that_touch_the_edge_are_cut_and_others_are_not() -> None:
    tables = grid_tables([(100, 0)], [(900, 0)])
    corner = cut(tables, box(-200, -200, 0, 0))  # touches the corner where two streets begin
    assert corner.segments == 2
    assert cut(tables, box(-200, -200, -1, -1)).segments == 0


def test_nobody_walks_through_water_to_a_street() -> None:
    # the person lives 300 m north of a street, between them 100 m of water
    tables = grid_tables([(500, 300)], [(900, 0)])
    assert seconds(cut(tables, box(5_000, 5_000, 6_000, 6_000))) == {(0, 0): 300 + 400}
    assert seconds(cut(tables, box(400, 100, 600, 200))) == {}


def test_straight_lines_that_touch_the_water_lead_nowhere() -> None:
    tables = grid_tables([(0, 0), (0, 500)], [(1_000, 0), (0, 600)], streets=False)
    straight = {"file": None, "mode": "straight", "detour": 1.0}
    assert seconds(cut(tables, box(400, -50, 600, 50), **straight)) == {(0, 1): 600, (1, 0): 1_118, (1, 1): 100} | {}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_times_on_what_is_left_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    if not graph.n_segments:
        return
    people, sites = random_snap(rng, graph, 6), random_snap(rng, graph, 4)
    gone = rng.random(graph.n_segments) < 0.3
    left = without_segments(graph, gone)
    if not left.n_segments:
        return
    number = np.cumsum(~gone) - 1

    def moved(snap):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        kept = (snap.segment_idx >= 0) & ~gone[snap.segment_idx]
        return replace(snap, segment_idx=np.where(kept, number[snap.segment_idx], -1).astype(np.int32))

    limit_ms = 20_000_000
    here, there = moved(people), moved(sites)
    assert pairs_of(travel_times(left, here, there, limit_ms)) == scipy_times(left, here, there, limit_ms)
    before = pairs_of(travel_times(graph, people, sites, limit_ms))
    for pair, time_ms in pairs_of(travel_times(left, here, there, limit_ms)).items():
        assert time_ms >= before[pair]  # losing streets never makes a way shorter
