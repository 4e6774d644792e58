"""Streets between junctions: segments strung together where nobody can turn off."""

from __future__ import annotations

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, IntArray


@kernel
def string_chains(
    from_idx: IntArray,
    to_idx: IntArray,
    forward_ms: IntArray,
    backward_ms: IntArray,
    end_ptr: IntArray,
    ends: IntArray,
    junction_mask: BoolArray,
    chain_idx: IntArray,
    against_mask: BoolArray,
    rank: IntArray,
    ahead_ms: IntArray,
    back_ms: IntArray,
    chain_node: IntArray,
    chain_ms: IntArray,
) -> int:
    """
    Walk every chain of segments from one junction to the next.

    Parameters
    ----------
    from_idx, to_idx, forward_ms, backward_ms
        Segments, int32 (n_segments,); -1 ms = closed.
    end_ptr, ends
        Segment ends at each node: int64 (n_nodes + 1,), int32 (2 · n_segments,), ``2 · segment + side`` with side 0
        where the segment begins.
    junction_mask
        Nodes where a chain ends, bool (n_nodes,); a ring without any gets one here.
    chain_idx, against_mask, rank, ahead_ms, back_ms
        Out, per segment: its chain (int32, -1 on entry), whether it runs against the chain, its position in it (int32),
        and the time along the chain from its start to where the segment begins, and back again (int64).
    chain_node, chain_ms
        Out, per chain: first and last node, int32 (n_segments, 2), and the whole time along and against it, int64
        (n_segments, 2), -1 = closed.

    Returns
    -------
    n_chains
        How many there are.
    """
    n_chains = 0
    n_nodes = len(junction_mask)
    # First from the junctions; what is left then are rings without one.
    for turn in range(n_nodes + len(from_idx)):
        if turn < n_nodes:
            if not junction_mask[turn]:
                continue
            origin = turn
        else:
            if chain_idx[turn - n_nodes] >= 0:
                continue
            origin = from_idx[turn - n_nodes]
            junction_mask[origin] = True
        for k in range(end_ptr[origin], end_ptr[origin + 1]):
            end = ends[k]
            if chain_idx[end >> 1] >= 0:
                continue
            ahead, back, length = 0, 0, 0
            while True:
                segment, side = end >> 1, end & 1
                chain_idx[segment] = n_chains
                against_mask[segment] = side == 1
                rank[segment] = length
                ahead_ms[segment], back_ms[segment] = ahead, back
                along = backward_ms[segment] if side == 1 else forward_ms[segment]
                against = forward_ms[segment] if side == 1 else backward_ms[segment]
                ahead += along
                back += against
                length += 1
                node = from_idx[segment] if side == 1 else to_idx[segment]
                if junction_mask[node]:
                    break
                mine = 2 * segment + 1 - side
                end = ends[end_ptr[node]]
                if end == mine:
                    end = ends[end_ptr[node] + 1]
            chain_node[n_chains, 0], chain_node[n_chains, 1] = origin, node
            chain_ms[n_chains, 0] = ahead if along >= 0 else -1
            chain_ms[n_chains, 1] = back if against >= 0 else -1
            n_chains += 1
    return n_chains
