"""Streets made into a graph."""

from __future__ import annotations

import numpy as np
import pytest

from nearer.network.graph import CLOSED, build_graph, hilbert_index

from .streets import KMH, PLANE, graph_xy, random_graph, streets_xy


def edges_of(graph):
    tail = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))
    place = [(round(x), round(y)) for x, y in zip(graph.x, graph.y, strict=True)]
    return {(place[a], place[b]): int(ms) for a, b, ms in zip(tail, graph.head, graph.cost_ms, strict=True)}


def test_a_segment_gives_an_edge_for_each_open_direction_in_whole_milliseconds():
    graph = graph_xy([(0, 0), (100, 0), (100, 50)], [(0, 1, KMH, 7.2), (1, 2, KMH, 0)])
    assert edges_of(graph) == {
        ((0, 0), (100, 0)): 100_000,
        ((100, 0), (0, 0)): 50_000,
        ((100, 0), (100, 50)): 50_000,
    }
    assert graph.backward_ms.tolist() == [50_000, CLOSED]
    np.testing.assert_allclose(graph.length_m, [100, 50], rtol=1e-5)


def test_segments_closed_both_ways_and_those_from_a_node_to_itself_are_left_out():
    graph = graph_xy([(0, 0), (100, 0), (0, 50)], [(0, 2, 0, 0), (1, 1, KMH, KMH), (0, 1, KMH, KMH)])
    assert (graph.n_nodes, graph.n_segments, graph.way_idx.tolist()) == (2, 1, [2])


def test_of_parallel_segments_both_stay_joinable_and_the_quicker_is_the_edge():
    graph = graph_xy([(0, 0), (100, 0)], [(0, 1, KMH, KMH), (1, 0, 7.2, KMH)])
    assert graph.n_segments == 2
    assert edges_of(graph) == {((0, 0), (100, 0)): 100_000, ((100, 0), (0, 0)): 50_000}


def test_even_a_segment_without_length_takes_a_millisecond():
    graph = graph_xy([(0, 0), (0, 0), (100, 0)], [(0, 1, KMH, KMH), (1, 2, KMH, KMH)])
    assert graph.cost_ms.min() == 1


def test_small_islands_go_and_large_ones_stay():
    nodes = [(0, 0), (6_000, 0), (0, 3_000), (5_500, 3_000), (0, 6_000), (4_000, 6_000)]
    graph = graph_xy(nodes, [(0, 1, KMH, KMH), (2, 3, KMH, KMH), (4, 5, KMH, KMH)])
    assert graph.n_segments == 2
    by_height = dict(zip(np.round(graph.y).tolist(), graph.component_idx.tolist(), strict=True))
    assert by_height == {0: 0, 3_000: 1}


def test_by_car_a_street_that_cannot_be_left_again_is_left_out_and_on_foot_it_stays():
    nodes = [(0, 0), (100, 0), (100, 100), (300, 0)]
    block = [(0, 1, KMH, 0), (1, 2, KMH, 0), (2, 0, KMH, 0), (1, 3, KMH, 0)]
    assert graph_xy(nodes, block, mode="drive").n_segments == 3
    assert graph_xy(nodes, block, mode="walk").n_segments == 4


def test_segments_keep_the_order_of_the_streets():
    graph = random_graph(np.random.default_rng(0), 30)
    assert (np.diff(graph.way_idx) > 0).all()


def test_motorways_and_ferries_cannot_be_joined():
    nodes = [(0, 0), (100, 0), (200, 0), (300, 0)]
    classes = ["motorway", "minor", "ferry"]
    graph = graph_xy(nodes, [(i, i + 1, KMH, KMH, classes[i]) for i in range(3)])
    assert graph.joinable_mask.tolist() == [False, True, False]


def test_nothing_open_gives_an_empty_graph():
    graph = build_graph(streets_xy([(0, 0), (1, 1)], [(0, 1, 0, 0)]), PLANE)
    assert (graph.n_nodes, graph.n_segments) == (0, 0)


def test_the_hilbert_curve_visits_every_cell_once_and_neighbours_in_turn():
    column, row = np.meshgrid(np.arange(8), np.arange(8))
    index = hilbert_index(column.ravel() / 7 * 7, row.ravel() / 7 * 7, bits=3)
    order = np.argsort(index)
    assert sorted(index) == list(range(64))
    steps = np.abs(np.diff(column.ravel()[order])) + np.abs(np.diff(row.ravel()[order]))
    assert (steps == 1).all()


def test_chains_end_where_streets_meet_or_directions_change():
    # 0 ─ 1 ─ 2 ─ 3 → 4 → 5, with a side street 2 ─ 6
    nodes = [(100 * i, 0) for i in range(6)] + [(200, 80)]
    graph = graph_xy(
        nodes,
        [(0, 1, KMH, KMH), (2, 1, KMH, KMH), (2, 3, KMH, KMH), (4, 3, 0, KMH), (4, 5, KMH, 0), (2, 6, KMH, KMH)],
    )
    chain_idx = graph.chains.chain_idx
    groups = {tuple(np.flatnonzero(chain_idx == c).tolist()) for c in range(chain_idx.max() + 1)}
    assert groups == {(0, 1), (2,), (3, 4), (5,)}
    assert graph.chains.n_junctions == 5
    assert sorted(graph.chains.time_ms[chain_idx[3]].tolist()) == [-1, 200_000]


@pytest.mark.parametrize("seed", range(10))
def test_every_segment_lies_on_one_chain_and_chains_add_up(seed):
    graph = random_graph(np.random.default_rng(seed), 25)
    chains = graph.chains
    assert (chains.chain_idx >= 0).all()
    assert chains.length.sum() == graph.n_segments
    along = np.where(chains.against_mask, graph.backward_ms, graph.forward_ms)
    for c in range(len(chains.length)):
        mine = np.flatnonzero(chains.chain_idx == c)
        assert sorted(chains.rank[mine].tolist()) == list(range(len(mine)))
        open_along = (along[mine] >= 0).all()
        assert chains.time_ms[c, 0] == (along[mine].sum() if open_along else -1)
