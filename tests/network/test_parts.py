"""Travel times in parts on disk are those in memory, whatever was cut short, damaged or done twice."""

from __future__ import annotations

import numpy as np
import pytest

from nearer.errors import StoppedError
from nearer.network import parts as in_parts
from nearer.network.graph import without_segments
from nearer.network.parts import chunks, lay_out, layout_name, read_part, read_rows, times_in_parts, travel_part
from nearer.network.search import Search
from nearer.network.travel import travel_times
from nearer.progress import Stop
from nearer.units import minutes_to_ms

from .streets import random_graph, random_snap

LIMIT = minutes_to_ms(40)


def case(seed=0, n_people=60, n_sites=40):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 25)
    return graph, random_snap(rng, graph, n_people), random_snap(rng, graph, n_sites)


def same(one, other):
    return (
        all((getattr(one, name) == getattr(other, name)).all() for name in ("indptr", "site_idx", "time_ms"))
        and (one.n_sites, one.limit_ms) == (other.n_sites, other.limit_ms)
        and one.site_idx.dtype == other.site_idx.dtype
        and one.time_ms.dtype == other.time_ms.dtype
    )


def small_parts(monkeypatch):
    monkeypatch.setattr(in_parts, "SITES_PER_PART", 7)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("threads", [1, 2])
def test_times_in_parts_are_those_in_memory(tmp_path, monkeypatch, seed, threads):
    small_parts(monkeypatch)
    graph, people, sites = case(seed)
    for limit_ms in (0, LIMIT):
        found = times_in_parts(graph, people, sites, limit_ms, tmp_path, threads=threads)
        assert same(found, travel_times(graph, people, sites, limit_ms))


def test_an_interrupted_run_resumes_and_a_repeated_one_reads(tmp_path, monkeypatch):
    small_parts(monkeypatch)
    graph, people, sites = case()
    computed, whole = [], in_parts.write_part

    def counted(part, search, keys):
        computed.append(part.name)
        whole(part, search, keys)
        if len(computed) == 2:
            stop.cancel()

    monkeypatch.setattr(in_parts, "write_part", counted)
    stop = Stop()
    with pytest.raises(StoppedError):
        times_in_parts(graph, people, sites, LIMIT, tmp_path, stop=stop)
    assert len(computed) == 2
    found = times_in_parts(graph, people, sites, LIMIT, tmp_path)
    layout = lay_out(graph, people, sites, LIMIT, tmp_path)
    assert len(computed) == len(set(computed)) == len(chunks(layout)) > 2  # none twice
    assert same(found, travel_times(graph, people, sites, LIMIT))
    assert same(times_in_parts(graph, people, sites, LIMIT, tmp_path), found)
    assert len(computed) == len(chunks(layout))


def test_a_part_computed_twice_or_elsewhere_has_the_same_name_and_bytes(tmp_path):
    graph, people, sites = case(3)
    layouts = [lay_out(graph, people, sites, LIMIT, tmp_path / name) for name in ("here", "there")]
    one, other = (travel_part(layout, 5, 20, layout.parent) for layout in layouts)
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()
    before = one.stat().st_mtime_ns
    assert travel_part(layouts[0], 5, 20, one.parent) == one
    assert one.stat().st_mtime_ns == before


def test_a_damaged_part_is_computed_again(tmp_path):
    graph, people, sites = case(4)
    layout = lay_out(graph, people, sites, LIMIT, tmp_path)
    part = travel_part(layout, 0, 10, tmp_path)
    whole = part.read_bytes()
    flipped = bytearray(whole)
    flipped[20] ^= 1
    for damaged in (whole[: len(whole) // 2], bytes(flipped), b""):
        part.write_bytes(damaged)
        assert travel_part(layout, 0, 10, tmp_path).read_bytes() == whole


@pytest.mark.parametrize("name", ["edges.npy", "people-rank.npy", "search.json", "rows/site_idx.npy", "rows/sums.json"])
@pytest.mark.parametrize("flip", [True, False])
def test_a_damaged_layout_or_row_is_made_again(tmp_path, name, flip):
    graph, people, sites = case(4)
    times_in_parts(graph, people, sites, LIMIT, tmp_path)
    layout = lay_out(graph, people, sites, LIMIT, tmp_path)
    file = layout / name
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content if flip else content[: len(content) // 2])
    found = times_in_parts(graph, people, sites, LIMIT, tmp_path)
    assert same(found, travel_times(graph, people, sites, LIMIT))
    assert Search.is_whole(layout)


def test_parts_in_any_order_give_the_same_rows(tmp_path):
    graph, people, sites = case(5)
    layout = lay_out(graph, people, sites, LIMIT, tmp_path)
    cut = [(0, 3), (3, 4), (4, 30), (30, 36)]
    last = Search.open(layout).n_joined
    parts = [travel_part(layout, first, min(end, last), tmp_path) for first, end in [*cut[:-1], (30, last)]]
    expected = travel_times(graph, people, sites, LIMIT)
    assert same(read_rows(layout, parts), expected)
    assert same(read_rows(layout, parts[::-1]), expected)
    assert same(read_rows(layout, parts[::-1], tmp_path / "rows", threads=2), expected)


def test_a_part_is_sorted_by_point_then_time_then_site(tmp_path):
    graph, people, sites = case(6)
    layout = lay_out(graph, people, sites, 10 * LIMIT, tmp_path)
    point, site, time_ms = read_part(travel_part(layout, 0, 30, tmp_path))
    assert len(point) > 50
    assert (np.lexsort((site, time_ms, point)) == np.arange(len(point))).all()


def test_another_street_hazard_walk_point_or_limit_is_another_layout():
    graph, people, sites = case(7)
    closed = without_segments(graph, np.arange(graph.n_segments) == 0)
    moved = random_snap(np.random.default_rng(99), graph, people.n)
    names = {
        layout_name(graph, people, sites, LIMIT),
        layout_name(closed, people, sites, LIMIT),
        layout_name(graph, moved, sites, LIMIT),
        layout_name(graph, people, moved, LIMIT),
        layout_name(graph, people, sites, LIMIT + 1),
    }
    assert len(names) == 5


def test_chunks_hold_about_as_many_pairs_as_asked_and_every_joined_site_once(tmp_path):
    graph, people, sites = case(8)
    layout = lay_out(graph, people, sites, LIMIT, tmp_path)
    n = Search.open(layout).n_joined
    for pairs in (1, 20, 10**9):
        cut = chunks(layout, pairs)
        assert [site for first, last in cut for site in range(first, last)] == list(range(n))
    assert len(chunks(layout, 1)) == n
    assert len(chunks(layout, 10**9)) == 1
    assert 1 < len(chunks(layout, 20)) < n
