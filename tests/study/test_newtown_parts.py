"""The parts Newtown is made of, on cases small enough to think through."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearer.study.newtown.names import distinct, quarter_names, street_names
from nearer.study.newtown.neighbours import gabriel
from nearer.study.newtown.streets import Network
from nearer.study.newtown.ways import strokes


def naive_gabriel(x: np.ndarray, y: np.ndarray, limit_m: float) -> set[tuple[int, int]]:
    """All pairs whose diametral circle is empty."""
    edges = set()
    for i, j in combinations(range(len(x)), 2):
        square = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2
        to_both = (x - x[i]) ** 2 + (y - y[i]) ** 2 + (x - x[j]) ** 2 + (y - y[j]) ** 2
        to_both[[i, j]] = np.inf
        if np.sqrt(square) <= limit_m and to_both.min() > square:
            edges.add((i, j))
    return edges


@pytest.mark.parametrize("strip", [1_000, 25])
@pytest.mark.parametrize("seed", range(3))
def test_gabriel_edges_are_those_with_an_empty_circle_whatever_the_strips(seed: int, strip: int) -> None:
    x, y = np.random.default_rng(seed).uniform(0.0, 1_000.0, (2, 120))
    found = gabriel(x, y, 180.0, strip)
    assert {(i, j) for i, j in found.tolist()} == naive_gabriel(x, y, 180.0)


@given(st.lists(st.sampled_from(["a", "b", "a 2", "a 2 2", "b 3"]), max_size=12))
def test_names_are_made_distinct_and_first_uses_stay(names: list[str]) -> None:
    told = distinct(names)
    assert len(set(told)) == len(told) == len(names)
    assert all(new.startswith(old) for new, old in zip(told, names, strict=True))


def test_there_are_names_enough_for_thousands_of_quarters() -> None:
    assert len(set(quarter_names(9_000, 0))) == 9_000
    assert len(set(street_names(1_500, 0))) == 1_500


def network(xy: list[tuple[float, float]], edges: list[tuple[int, int]], oneway: tuple[int, ...] = ()) -> Network:
    n = len(edges)
    return Network(
        x=np.array([p[0] for p in xy], dtype=np.float64),
        y=np.array([p[1] for p in xy], dtype=np.float64),
        edges=np.array(edges),
        rank=np.full(n, 3),
        road_idx=np.full(n, -1),
        bridge=np.zeros(n, dtype=bool),
        oneway=np.isin(np.arange(n), oneway),
        quarter_idx=np.zeros(n, dtype=np.int64),
        middle=np.full((n, 2), np.nan),
    )


def test_streets_run_straight_over_a_crossing() -> None:
    """Four arms of a cross make two streets, whichever way their pieces were drawn."""
    cross = network([(0, 0), (-9, 0), (9, 1), (0, -9), (0, 9)], [(1, 0), (0, 2), (0, 3), (0, 4)])
    assert sorted(sorted(end >> 1 for end in way) for way in strokes(cross)) == [[0, 1], [2, 3]]


def test_a_street_does_not_turn_a_corner() -> None:
    corner = network([(0, 0), (9, 0), (0, 9)], [(0, 1), (0, 2)])
    assert len(strokes(corner)) == 2


def test_one_way_streets_are_joined_head_to_tail_only() -> None:
    line = [(0.0, 0.0), (9.0, 0.0), (18.0, 1.0)]
    along = network(line, [(0, 1), (1, 2)], oneway=(0, 1))
    against = network(line, [(0, 1), (2, 1)], oneway=(0, 1))
    assert len(strokes(along)) == 1
    assert len(strokes(against)) == 2


def test_a_one_way_street_is_never_written_backwards() -> None:
    line = [(18.0, 1.0), (9.0, 0.0), (0.0, 0.0)]
    assert strokes(network(line, [(2, 1), (1, 0)], oneway=(0, 1))) == [[0, 2]]
    assert strokes(network(line, [(1, 0), (2, 1)], oneway=(0, 1))) == [[2, 0]]


def test_every_piece_is_in_exactly_one_street_even_on_a_circle() -> None:
    turn = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    circle = network([(np.cos(t), np.sin(t) * 1.01) for t in turn], [(k, (k + 1) % 24) for k in range(24)], oneway=())
    assert sorted(end >> 1 for way in strokes(circle) for end in way) == list(range(24))
