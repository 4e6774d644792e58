"""The bucket kernel against an obvious twin, compiled and not."""

from __future__ import annotations

import heapq
import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from nearer.kernels.dijkstra import ALONE, people_around
from nearer.units import UNREACHED

TIME_BITS, PERSON_BITS = 10, 40


def random_case(seed, *, largest_ms=1_000):
    """A directed graph with parallel edges and islands, sites with up to two starts, people with up to two exits."""
    rng = np.random.default_rng(seed)
    n_nodes, n_edges, n_sites, n_people = (int(k) for k in rng.integers(2, 40, 4))
    head = np.sort(rng.integers(0, n_nodes, n_edges))
    edges = np.stack([rng.integers(0, n_nodes, n_edges), rng.integers(1, largest_ms, n_edges)], axis=1).astype(np.int32)
    indptr = np.searchsorted(head, np.arange(n_nodes + 1))
    start_node = rng.integers(0, n_nodes, (n_sites, 2)).astype(np.int32)
    start_ms = rng.integers(0, 300, (n_sites, 2)).astype(np.int32)
    start_ms[rng.random((n_sites, 2)) < 0.2] = UNREACHED
    exit_node, exit_person = rng.integers(0, n_nodes, 2 * n_people), np.repeat(np.arange(n_people), 2).astype(np.int32)
    exit_ms = rng.integers(0, 300, 2 * n_people).astype(np.int32)
    order = np.lexsort((exit_ms, exit_node))
    exits = (np.searchsorted(exit_node[order], np.arange(n_nodes + 1)), exit_person[order], exit_ms[order])
    n_direct = int(rng.integers(0, 20))
    direct_site = np.sort(rng.integers(0, n_sites, n_direct))
    direct = (
        np.searchsorted(direct_site, np.arange(n_sites + 1)),
        rng.integers(0, n_people, n_direct).astype(np.int32),
        rng.integers(0, 300, n_direct).astype(np.int32),
    )
    return n_people, (indptr, edges), (start_node, start_ms), exits, direct


def twin(n_people, graph, starts, exits, direct, limit_ms):
    """Dijkstra with a heap and dictionaries."""
    (indptr, edges), (start_node, start_ms) = graph, starts
    found = {}
    for site in range(len(start_node)):
        dist, heap = {}, []
        for node, ms in zip(start_node[site], start_ms[site], strict=True):
            if ms <= limit_ms:
                heapq.heappush(heap, (int(ms), int(node)))
        while heap:
            here, node = heapq.heappop(heap)
            if node in dist:
                continue
            dist[node] = here
            for neighbour, ms in edges[indptr[node] : indptr[node + 1]].tolist():
                if here + ms <= limit_ms:
                    heapq.heappush(heap, (here + ms, neighbour))
        best = {}
        for node, here in dist.items():
            for k in range(exits[0][node], exits[0][node + 1]):
                person, total = int(exits[1][k]), here + int(exits[2][k])
                if total <= limit_ms:
                    best[person] = min(total, best.get(person, total))
        for k in range(direct[0][site], direct[0][site + 1]):
            person, total = int(direct[1][k]), int(direct[2][k])
            best[person] = min(total, best.get(person, total))
        found.update({(person, site): ms for person, ms in best.items()})
    return found


def fast(n_people, graph, starts, exits, direct, limit_ms, *, width_bits=5, work_limit=10**9, room=1):
    """The kernel, called until it is done; checks that it leaves its workspaces as they were."""
    n_nodes, n_sites = len(graph[0]) - 1, len(starts[0])
    dist = np.zeros(n_nodes, dtype=np.int32)
    link = np.zeros((n_nodes, 2), dtype=np.int32)
    bucket = np.full((limit_ms >> width_bits) + 1, -1, dtype=np.int32)
    best = np.zeros(n_people, dtype=np.int32)
    found, first = {}, 0
    while first < n_sites:
        keys = np.empty(n_people * room, dtype=np.int64)
        first, n_keys = people_around(
            *graph,
            *starts,
            *exits,
            *direct,
            np.arange(n_people),
            np.arange(n_sites),
            first,
            limit_ms,
            width_bits,
            TIME_BITS,
            PERSON_BITS,
            dist,
            link,
            bucket,
            np.empty(n_nodes, dtype=np.int32),
            best,
            np.empty(n_people, dtype=np.int32),
            keys,
            work_limit,
        )
        for key in keys[:n_keys].tolist():
            pair = key >> PERSON_BITS, key & ((1 << TIME_BITS) - 1)
            assert pair not in found
            found[pair] = (key >> TIME_BITS) & ((1 << PERSON_BITS - TIME_BITS) - 1)
        assert (dist == 0).all()
        assert (link[:, 0] == ALONE).all()
        assert (bucket == -1).all()
        assert (best == 0).all()
    return found


@pytest.mark.parametrize("seed", range(40))
def test_kernel_and_twin_find_the_same_people_and_times(seed):
    case = random_case(seed)
    for limit_ms in (0, 299, 1_500, 10_000):
        direct = case[4][0], case[4][1], np.minimum(case[4][2], limit_ms).astype(np.int32)
        whole = (*case[:4], direct)
        assert fast(*whole, limit_ms) == twin(*whole, limit_ms)


@pytest.mark.parametrize("width_bits", [0, 3, 8, 20])
def test_every_width_of_bucket_is_exact(width_bits):
    for seed in range(10):
        case = random_case(seed, largest_ms=50)
        assert fast(*case, 2_000, width_bits=width_bits) == twin(*case, 2_000)


def test_pausing_between_sites_changes_nothing():
    for seed in range(10):
        case = random_case(seed)
        assert fast(*case, 3_000, work_limit=1) == fast(*case, 3_000, room=100) == twin(*case, 3_000)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="this is that run")
def test_without_compilation_the_kernels_do_the_same():
    here = Path(__file__)
    tests = [here, here.parents[1] / "network" / "test_snap.py", here.parents[1] / "network" / "test_graph.py"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *map(str, tests)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
