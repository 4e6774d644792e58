"""Bounded shortest paths from many sites to the people around them, on a bucket queue."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import UNREACHED, IntArray

ALONE = 0
"""In ``link``: the node waits in no bucket (-1 is the end of a list, and 1 stands for node 0)."""

at = np.uint64
"""Positions are unsigned: not looking for negative ones at every step saves a fifth of the time."""


@kernel
def people_around(
    indptr: IntArray,
    edges: IntArray,
    start_node: IntArray,
    start_ms: IntArray,
    exit_ptr: IntArray,
    exit_person: IntArray,
    exit_ms: IntArray,
    direct_ptr: IntArray,
    direct_person: IntArray,
    direct_ms: IntArray,
    person_key: IntArray,
    site_key: IntArray,
    first: int,
    limit_ms: int,
    width_bits: int,
    time_bits: int,
    person_bits: int,
    dist: IntArray,
    link: IntArray,
    bucket: IntArray,
    touched: IntArray,
    best: IntArray,
    found: IntArray,
    keys: IntArray,
    work_limit: int,
) -> tuple[int, int]:
    """
    Find everyone within the limit of each site, from site ``first`` on until the work or the room for keys runs out.

    Dijkstra's algorithm with the buckets of Dial (1969, Communications of the ACM 12(11), 632-633), each
    ``2 ** width_bits`` ms wide. Inside a bucket nodes come in any order and are taken up again when improved, which is
    exact for every width (Denardo and Fox 1979, Operations Research 27(1), 161-186). All labels live in workspaces of
    which only what a site touched is put back, so that a small reach costs nothing on a large map. They are zero where
    nothing is known, times being kept as ``ms - UNREACHED``, so that the system need not even hold them before.

    Parameters
    ----------
    indptr, edges
        The transposed graph: int64 (n_nodes + 1,), int32 (n_edges, 2) with neighbour and cost in ms.
    start_node, start_ms
        Where people arrive at each site and what is left from there, access walk included: int32 (n_sites, 2),
        ``UNREACHED`` where a way is closed.
    exit_ptr, exit_person, exit_ms
        Who can step onto the graph at each node, and after how long, quickest first: int64 (n_nodes + 1,), int32.
    direct_ptr, direct_person, direct_ms
        Who can reach each site without passing a node, and how fast: int64 (n_sites + 1,), int32.
    person_key, site_key
        What stands for a person and a site in a key: int64 (n_people,) and (n_sites,).
    first
        Site to begin with.
    limit_ms
        The bound, inclusive.
    width_bits, time_bits, person_bits
        Width of a bucket, and places of the time and the person in a key, all as powers of two.
    dist, link, bucket, touched, best, found
        Workspaces, int32: (n_nodes,) and (n_nodes, 2) all 0, ((limit >> width) + 1,) all -1, (n_nodes,) of any content,
        (n_people,) all 0, (n_people,) of any content; left as they were.
    keys
        Results, int64, room for at least n_people: ``person_key << person_bits | time << time_bits | site_key``.
    work_limit
        Begin no further site after so many nodes and people were looked at.

    Returns
    -------
    next_site, n_keys
        The site to go on with, and how many keys were written.
    """
    n_keys = 0
    work = 0
    site = first
    limit = limit_ms - UNREACHED
    while site < len(start_node) and work < work_limit and n_keys + len(best) <= len(keys):
        n_touched = 0
        n_waiting = 0
        now = at(len(bucket))
        for end in range(2):
            node, start = at(start_node[site, end]), start_ms[site, end] - UNREACHED
            if start > limit or start >= dist[node]:
                continue
            if dist[node] == 0:
                touched[n_touched] = node
                n_touched += 1
            else:  # both ends are one node, and this way is the shorter
                bucket[(dist[node] + UNREACHED) >> width_bits] = -1
                n_waiting -= 1
            dist[node] = start
            slot = at((start + UNREACHED) >> width_bits)
            head = bucket[slot]
            link[node, 0], link[node, 1] = head, -1
            if head > 0:
                link[at(head - 1), 1] = node + at(1)
            bucket[slot] = node + at(1)
            n_waiting += 1
            now = min(now, slot)

        while n_waiting > 0:
            while bucket[now] < 0:
                now += at(1)
            node = at(bucket[now] - 1)
            after = link[node, 0]
            bucket[now] = after
            if after > 0:
                link[at(after - 1), 1] = -1
            link[node, 0] = ALONE
            n_waiting -= 1
            here = dist[node]
            for edge in range(at(indptr[node]), at(indptr[node + at(1)])):
                there = here + edges[edge, 1]
                if there > limit:
                    continue
                neighbour = at(edges[edge, 0])
                known = dist[neighbour]
                if there >= known:
                    continue
                dist[neighbour] = there
                slot = at((there + UNREACHED) >> width_bits)
                if known == 0:
                    touched[n_touched] = neighbour
                    n_touched += 1
                elif link[neighbour, 0] != ALONE:
                    old_slot = at((known + UNREACHED) >> width_bits)
                    if old_slot == slot:
                        continue
                    after, before = link[neighbour, 0], link[neighbour, 1]
                    if after > 0:
                        link[at(after - 1), 1] = before
                    if before > 0:
                        link[at(before - 1), 0] = after
                    else:
                        bucket[old_slot] = after
                    n_waiting -= 1
                head = bucket[slot]
                link[neighbour, 0], link[neighbour, 1] = head, -1
                if head > 0:
                    link[at(head - 1), 1] = neighbour + at(1)
                bucket[slot] = neighbour + at(1)
                n_waiting += 1

        n_found = 0
        for k in range(direct_ptr[site], direct_ptr[site + 1]):
            person = direct_person[k]
            if best[person] == 0:
                found[n_found] = person
                n_found += 1
            best[person] = min(best[person], direct_ms[k] - UNREACHED)
        for i in range(n_touched):
            node = at(touched[i])
            here = dist[node]
            dist[node] = 0
            for k in range(at(exit_ptr[node]), at(exit_ptr[node + at(1)])):
                total = here + exit_ms[k]
                if total > limit:
                    break
                person = at(exit_person[k])
                if total < best[person]:
                    if best[person] == 0:
                        found[n_found] = person
                        n_found += 1
                    best[person] = total
        for i in range(n_found):
            person = found[i]
            time_ms = np.int64(best[person]) + UNREACHED
            keys[n_keys] = (person_key[person] << person_bits) | (time_ms << time_bits) | site_key[site]
            n_keys += 1
            best[person] = 0
        work += n_touched + n_found
        site += 1
    return site, n_keys
