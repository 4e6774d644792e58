"""Journeys over streets, exact to the millisecond."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.errors import StoppedError
from nearer.network.snap import Snap
from nearer.network.travel import travel_times
from nearer.progress import Stop
from nearer.units import minutes_to_ms

from .oracle import pairs_of, scipy_times
from .streets import KMH, graph_xy, random_graph, random_snap, snap_at

HOUR = minutes_to_ms(60)


def one_pair(graph, person, site, limit_ms=HOUR):
    return pairs_of(travel_times(graph, person, site, limit_ms)).get((0, 0))


@pytest.mark.parametrize("seed", range(60))
def test_random_streets_agree_with_scipy_to_the_millisecond(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, int(rng.integers(3, 25)))
    people, sites = random_snap(rng, graph, 25), random_snap(rng, graph, 12)
    for minutes in (0, 5, 40, 600):
        limit_ms = minutes_to_ms(minutes)
        assert pairs_of(travel_times(graph, people, sites, limit_ms)) == scipy_times(graph, people, sites, limit_ms)


@pytest.mark.parametrize("seed", range(20))
def test_streets_to_drive_on_agree_with_scipy_too(seed):
    rng = np.random.default_rng(1_000 + seed)
    graph = random_graph(rng, 20, mode="drive")
    if graph.n_segments:
        people, sites = random_snap(rng, graph, 25), random_snap(rng, graph, 12)
        assert pairs_of(travel_times(graph, people, sites, HOUR)) == scipy_times(graph, people, sites, HOUR)


@pytest.mark.parametrize("seed", range(5))
def test_a_limit_met_exactly_is_within_and_one_millisecond_less_is_not(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    people, sites = random_snap(rng, graph, 10), random_snap(rng, graph, 10)
    every = pairs_of(travel_times(graph, people, sites, 10 * HOUR))
    for pair, time_ms in list(every.items())[:10]:
        assert pairs_of(travel_times(graph, people, sites, time_ms))[pair] == time_ms
        assert time_ms == 0 or pair not in pairs_of(travel_times(graph, people, sites, time_ms - 1))


def test_networkx_finds_the_same_shortest_paths():
    graph = random_graph(np.random.default_rng(3), 15)
    net = nx.DiGraph()
    net.add_nodes_from(range(graph.n_nodes))
    for node in range(graph.n_nodes):
        for edge in range(graph.indptr[node], graph.indptr[node + 1]):
            net.add_edge(node, int(graph.head[edge]), weight=int(graph.cost_ms[edge]))
    # One point at every node that begins a segment.
    node_of, segment = np.unique(graph.from_idx, return_index=True)
    points = snap_at(segment, 0.0)
    found = pairs_of(travel_times(graph, points, points, 10 * HOUR))
    lengths = dict(nx.all_pairs_dijkstra_path_length(net))
    for i, a in enumerate(node_of):
        for j, b in enumerate(node_of):
            expected = lengths[a].get(b)
            assert found.get((i, j)) == (expected if expected is not None and expected <= 10 * HOUR else None)


def test_a_journey_adds_both_access_walks_and_both_partial_stretches():
    # 0 ── 100 m ── 1 ── 100 m ── 2, with a side street at 1 so that it is a junction
    graph = graph_xy([(0, 0), (100, 0), (200, 0), (100, 80)], [(0, 1, KMH, KMH), (1, 2, KMH, KMH), (1, 3, KMH, KMH)])
    assert graph.forward_ms.tolist() == [100_000, 100_000, 80_000]
    person, site = snap_at(0, 0.25, 7_000), snap_at(1, 0.5, 11_000)
    assert one_pair(graph, person, site) == 7_000 + 75_000 + 50_000 + 11_000


def test_on_the_same_street_only_the_stretch_between_counts():
    graph = graph_xy([(0, 0), (100, 0)], [(0, 1, KMH, KMH)])
    assert one_pair(graph, snap_at(0, 0.25), snap_at(0, 0.75)) == 50_000
    assert one_pair(graph, snap_at(0, 0.75), snap_at(0, 0.25)) == 50_000
    assert one_pair(graph, snap_at(0, 0.5), snap_at(0, 0.5)) == 0


def test_against_a_one_way_street_the_journey_goes_round_the_block():
    # a square of 100 m, one-way all round
    graph = graph_xy([(0, 0), (100, 0), (100, 100), (0, 100)], [(i, (i + 1) % 4, KMH, 0) for i in range(4)])
    assert one_pair(graph, snap_at(0, 0.25), snap_at(0, 0.75)) == 50_000
    assert one_pair(graph, snap_at(0, 0.75), snap_at(0, 0.25)) == 350_000
    assert one_pair(graph, snap_at(0, 0.5), snap_at(0, 0.5)) == 0


def test_at_a_corner_it_does_not_matter_which_street_was_joined():
    square = [(0, 0), (100, 0), (100, 100), (0, 100)]
    graph = graph_xy([*square, (-50, 0)], [*((i, (i + 1) % 4, KMH, 0) for i in range(4)), (0, 4, KMH, KMH)])
    for corner in range(4):
        by_one, by_other = snap_at(corner, 0.0), snap_at((corner - 1) % 4, 1.0)
        assert one_pair(graph, by_one, by_other) == one_pair(graph, by_other, by_one) == 0
    # From the junction one may leave by the side street, even if joined by a one-way street leading elsewhere.
    assert one_pair(graph, snap_at(0, 0.0), snap_at(4, 1.0)) == 50_000
    assert one_pair(graph, snap_at(3, 1.0), snap_at(0, 1.0)) == 100_000


def test_a_one_way_street_drawn_backwards_is_driven_backwards():
    graph = graph_xy([(0, 0), (100, 0), (100, 100), (0, 100)], [((i + 1) % 4, i, 0, KMH) for i in range(4)])
    assert one_pair(graph, snap_at(0, 0.75), snap_at(0, 0.25)) == 50_000
    assert one_pair(graph, snap_at(0, 0.25), snap_at(0, 0.75)) == 350_000


def test_people_travel_to_the_site_and_not_back():
    # a triangle whose third side is one-way: 0 → 2 is short, 2 → 0 goes round by 1
    nodes = [(0, 0), (300, 0), (0, 400), (-50, 0), (0, 450)]
    graph = graph_xy(nodes, [(0, 1, KMH, KMH), (1, 2, KMH, KMH), (0, 2, KMH, 0), (0, 3, KMH, KMH), (2, 4, KMH, KMH)])
    corner_0, corner_2 = snap_at(3, 0.0), snap_at(4, 0.0)
    assert one_pair(graph, corner_0, corner_2) == 400_000
    assert one_pair(graph, corner_2, corner_0) == 800_000


def test_a_ring_without_a_junction_is_walked_the_short_way():
    graph = graph_xy([(0, 0), (100, 0), (100, 100), (0, 100)], [(i, (i + 1) % 4, KMH, KMH) for i in range(4)])
    times = [one_pair(graph, snap_at(i, 0.5), snap_at(j, 0.5)) for i in range(4) for j in range(4)]
    assert times == [100_000 * min((i - j) % 4, (j - i) % 4) for i in range(4) for j in range(4)]


def test_what_cannot_be_reached_or_joined_is_absent():
    islands = [(0, 0), (6_000, 0), (0, 9_000), (6_000, 9_000)]
    graph = graph_xy(islands, [(0, 1, KMH, KMH), (2, 3, KMH, KMH)])
    people, sites = snap_at([0, 1, -1], 0.5), snap_at([0, -1], 0.5)
    assert pairs_of(travel_times(graph, people, sites, 10 * HOUR)) == {(0, 0): 0}


def test_nobody_and_no_sites_give_empty_rows():
    graph = graph_xy([(0, 0), (100, 0)], [(0, 1, KMH, KMH)])
    nobody = snap_at(np.zeros(0, dtype=np.int32), 0.0)
    assert travel_times(graph, nobody, snap_at(0, 0.5), HOUR).n_pairs == 0
    assert travel_times(graph, snap_at(0, 0.5), nobody, HOUR).indptr.tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_threads_and_small_calls_do_not_change_the_result(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 40)
    people, sites = random_snap(rng, graph, 60), random_snap(rng, graph, 150)
    once = travel_times(graph, people, sites, HOUR)
    monkeypatch.setattr("nearer.network.search.WORK_PER_CALL", 1)
    monkeypatch.setattr("nearer.network.search.ROOM_FOR_KEYS", 0)
    for threads in (1, 2, 5):
        again = travel_times(graph, people, sites, HOUR, threads=threads)
        for name in ("indptr", "site_idx", "time_ms"):
            np.testing.assert_array_equal(getattr(once, name), getattr(again, name))


def test_a_stop_is_heard():
    graph = graph_xy([(0, 0), (100, 0)], [(0, 1, KMH, KMH)])
    stop = Stop()
    stop.cancel()
    with pytest.raises(StoppedError):
        travel_times(graph, snap_at(0, 0.5), snap_at(0, 0.5), HOUR, stop=stop)


def test_progress_counts_every_joined_site():
    graph = graph_xy([(0, 0), (100, 0)], [(0, 1, KMH, KMH)])
    seen = []

    class Collects:
        def step(self, label, total=None):
            from contextlib import nullcontext

            seen.append(total)
            return nullcontext(lambda steps=1, note="": seen.append(steps))

    travel_times(graph, snap_at(0, 0.5), snap_at([0] * 70, 0.5), HOUR, progress=Collects())
    assert seen[0] == 70
    assert sum(seen[1:]) == 70


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(0, HOUR), st.integers(0, HOUR))
def test_a_larger_limit_only_adds_pairs(seed, one, other):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    people, sites = random_snap(rng, graph, 8), random_snap(rng, graph, 8)
    small, large = (pairs_of(travel_times(graph, people, sites, limit)) for limit in sorted((one, other)))
    assert small == {pair: time_ms for pair, time_ms in large.items() if time_ms <= min(one, other)}


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_on_reversed_streets_people_and_sites_change_places(seed):
    from dataclasses import replace

    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    people, sites = random_snap(rng, graph, 8), random_snap(rng, graph, 8)
    reversed_graph = replace(graph, forward_ms=graph.backward_ms, backward_ms=graph.forward_ms)
    there = pairs_of(travel_times(graph, people, sites, HOUR))
    back = pairs_of(travel_times(reversed_graph, sites, people, HOUR))
    assert {(j, i): time_ms for (i, j), time_ms in there.items()} == back


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_no_detour_is_shorter_than_the_direct_journey(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    points = random_snap(rng, graph, 8)
    points = Snap(points.segment_idx, points.fraction, points.distance_m, points.x, points.y, points.access_ms * 0)
    pairs = pairs_of(travel_times(graph, points, points, 10 * HOUR))
    for (i, j), first in pairs.items():
        for (k, goal), second in pairs.items():
            if k == j and first + second <= 10 * HOUR:
                assert pairs[i, goal] <= first + second
