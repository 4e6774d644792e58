"""``Chains``: the street graph between junctions only, and where points stand on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nearer.kernels.chains import string_chains
from nearer.units import UNREACHED, BoolArray, FloatArray, IntArray

MAX_CHAIN_MS = 2**30 - 1
"""Longer chains are no edges of the graph: no time limit reaches so far."""


@dataclass(frozen=True)
class Chains:
    """
    Segments strung together where nobody can turn off; people and sites in between leave and arrive at both ends.

    Parameters
    ----------
    chain_idx, rank
        Chain of each segment and its place in it, int32 (n_segments,).
    against_mask
        Segments that run against their chain, bool (n_segments,).
    ahead_ms, back_ms
        Time from the start of the chain to the segment, and back, int64 (n_segments,); meaningless where closed.
    node
        First and last junction, int32 (n_chains, 2).
    time_ms
        Whole time along and against the chain, int64 (n_chains, 2), -1 = closed.
    length
        Number of segments, int32 (n_chains,).
    indptr, edges
        The transposed graph of junctions: int64 (n_junctions + 1,), int32 (n_edges, 2), neighbour and ms.
    """

    chain_idx: IntArray
    rank: IntArray
    against_mask: BoolArray
    ahead_ms: IntArray
    back_ms: IntArray
    node: IntArray
    time_ms: IntArray
    length: IntArray
    indptr: IntArray
    edges: IntArray

    @property
    def n_junctions(self) -> int:
        """Number of junctions."""
        return len(self.indptr) - 1

    @cached_property
    def typical_ms(self) -> int:
        """Median time between neighbouring junctions, ms; 1 without edges."""
        return int(np.median(self.edges[:, 1])) if len(self.edges) else 1


AT_NODE = -2.0
"""Comes before every place between two nodes."""


@dataclass(frozen=True)
class Places:
    """
    Points on chains; those not joined are absent.

    A point exactly at a node counts as standing in the node, so that it does not matter by which of the segments there
    it was joined: from a junction it may leave by every street.

    Parameters
    ----------
    chain_idx
        int32 (n,).
    rank, along
        Order along the chain: by ``rank`` int32, then ``along`` float64, ``AT_NODE`` where a segment begins.
    ahead_ms, back_ms
        Time from the start of the chain to the point along it, and from the point back to the start, int64 (n,).
    """

    chain_idx: IntArray
    rank: IntArray
    along: FloatArray
    ahead_ms: IntArray
    back_ms: IntArray

    def departures(self, chains: Chains) -> tuple[IntArray, IntArray]:
        """Junctions where a point leaves its chain and the time to them, int64 (n, 2), ``UNREACHED`` where closed."""
        along_ms, against_ms = chains.time_ms[self.chain_idx].T
        to_first = np.where(against_ms >= 0, self.back_ms, UNREACHED)
        to_last = np.where(along_ms >= 0, along_ms - self.ahead_ms, UNREACHED)
        return self._with_junctions(chains, to_first, to_last)

    def arrivals(self, chains: Chains) -> tuple[IntArray, IntArray]:
        """Junctions from which a point is reached and the time from them, int64 (n, 2), ``UNREACHED`` where closed."""
        along_ms, against_ms = chains.time_ms[self.chain_idx].T
        from_first = np.where(along_ms >= 0, self.ahead_ms, UNREACHED)
        from_last = np.where(against_ms >= 0, against_ms - self.back_ms, UNREACHED)
        return self._with_junctions(chains, from_first, from_last)

    def _with_junctions(self, chains: Chains, first_ms: IntArray, last_ms: IntArray) -> tuple[IntArray, IntArray]:
        at_node = self.along == AT_NODE
        first_ms = np.where(at_node & (self.rank == 0), 0, first_ms)
        last_ms = np.where(at_node & (self.rank == chains.length[self.chain_idx]), 0, last_ms)
        return chains.node[self.chain_idx], np.stack([first_ms, last_ms], axis=1)

    def direct_ms(self, chain_ms: IntArray, mine: IntArray, other: Places, theirs: IntArray) -> IntArray:
        """
        Time from points to points of ``other`` on the same chain without leaving it, int64, or ``UNREACHED``.

        ``chain_ms`` is the ``time_ms`` of the chains.
        """
        along_ms, against_ms = chain_ms[self.chain_idx[mine]].T
        rank, other_rank = self.rank[mine], other.rank[theirs]
        along, other_along = self.along[mine], other.along[theirs]
        before = (rank < other_rank) | ((rank == other_rank) & (along <= other_along))
        behind = (rank > other_rank) | ((rank == other_rank) & (along >= other_along))
        onwards = np.where(before & (along_ms >= 0), other.ahead_ms[theirs] - self.ahead_ms[mine], UNREACHED)
        backwards = np.where(behind & (against_ms >= 0), self.back_ms[mine] - other.back_ms[theirs], UNREACHED)
        return np.minimum(onwards, backwards)


def place(
    chains: Chains, segment_idx: IntArray, fraction: FloatArray, forward_ms: IntArray, backward_ms: IntArray
) -> Places:
    """
    Where on their chains points lie that are joined to segments.

    Parameters
    ----------
    chains
        The strung streets.
    segment_idx, fraction
        Segment of each point, never -1, and where on it, 0 … 1.
    forward_ms, backward_ms
        Times of all segments, int32 (n_segments,). A point splits them into whole milliseconds that add up.
    """
    forward, backward = forward_ms[segment_idx].astype(np.int64), backward_ms[segment_idx].astype(np.int64)
    from_start = np.rint(forward * fraction).astype(np.int64)
    to_start = np.rint(backward * fraction).astype(np.int64)
    against = chains.against_mask[segment_idx]
    at_end = fraction == np.where(against, 0.0, 1.0)
    return Places(
        chain_idx=chains.chain_idx[segment_idx],
        rank=chains.rank[segment_idx] + at_end,
        along=np.where((fraction == 0.0) | (fraction == 1.0), AT_NODE, np.where(against, -fraction, fraction)),
        ahead_ms=chains.ahead_ms[segment_idx] + np.where(against, backward - to_start, from_start),
        back_ms=chains.back_ms[segment_idx] + np.where(against, forward - from_start, to_start),
    )


def string_streets(
    from_idx: IntArray, to_idx: IntArray, forward_ms: IntArray, backward_ms: IntArray, n_nodes: int
) -> Chains:
    """
    String segments into chains.

    A node lies inside a chain where exactly two segments meet that can be travelled through in the same directions;
    every other node is a junction. Distances between junctions stay what they were, so this is exact.

    Parameters
    ----------
    from_idx, to_idx, forward_ms, backward_ms
        Segments, int32 (n_segments,); -1 ms = closed. No segment begins and ends at one node.
    n_nodes
        Number of nodes.
    """
    n = len(from_idx)
    at_node = np.stack([from_idx, to_idx], axis=1).ravel()
    ends = np.argsort(at_node, kind="stable").astype(np.int32)
    end_ptr = np.zeros(n_nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(at_node, minlength=n_nodes), out=end_ptr[1:])

    passed = np.flatnonzero(np.diff(end_ptr) == 2)
    one, two = ends[end_ptr[passed]], ends[end_ptr[passed] + 1]
    leaves = np.stack([forward_ms >= 0, backward_ms >= 0], axis=1).ravel()  # whether one may leave a node by this end
    enters = np.stack([backward_ms >= 0, forward_ms >= 0], axis=1).ravel()
    junction_mask = np.ones(n_nodes, dtype=np.bool_)
    junction_mask[passed] = (enters[one] != leaves[two]) | (leaves[one] != enters[two])

    chain_idx, rank = np.full(n, -1, dtype=np.int32), np.zeros(n, dtype=np.int32)
    against_mask = np.zeros(n, dtype=np.bool_)
    ahead_ms, back_ms = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    node, time_ms = np.zeros((n, 2), dtype=np.int32), np.zeros((n, 2), dtype=np.int64)
    n_chains = string_chains(
        from_idx,
        to_idx,
        forward_ms,
        backward_ms,
        end_ptr,
        ends,
        junction_mask,
        chain_idx,
        against_mask,
        rank,
        ahead_ms,
        back_ms,
        node,
        time_ms,
    )
    number = np.cumsum(junction_mask, dtype=np.int32) - np.int32(1)
    node, time_ms = number[node[:n_chains]], time_ms[:n_chains].copy()
    length = np.bincount(chain_idx, minlength=n_chains).astype(np.int32)
    indptr, edges = _transposed(node, time_ms, int(junction_mask.sum()))
    return Chains(chain_idx, rank, against_mask, ahead_ms, back_ms, node, time_ms, length, indptr, edges)


def _transposed(node: IntArray, time_ms: IntArray, n_junctions: int) -> tuple[IntArray, IntArray]:
    """Edges of the junction graph, by the node they lead to."""
    usable = (time_ms >= 0) & (time_ms <= MAX_CHAIN_MS) & (node[:, :1] != node[:, 1:])
    along, against = np.flatnonzero(usable[:, 0]), np.flatnonzero(usable[:, 1])
    head = np.concatenate([node[along, 1], node[against, 0]])
    tail = np.concatenate([node[along, 0], node[against, 1]])
    cost_ms = np.concatenate([time_ms[along, 0], time_ms[against, 1]])
    order = np.argsort(head, kind="stable")
    indptr = np.zeros(n_junctions + 1, dtype=np.int64)
    np.cumsum(np.bincount(head, minlength=n_junctions), out=indptr[1:])
    return indptr, np.stack([tail[order], cost_ms[order]], axis=1).astype(np.int32)
