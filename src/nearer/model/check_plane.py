"""
The independent check of a p-center's bound, from the coordinates of all points and sites, in plain NumPy.

Nothing here is shared with the solvers or their kernels.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nearer.errors import CheckFailedError
from nearer.model.center_plane import CenterPoints
from nearer.model.certificate import CenterProof
from nearer.model.certified_tree import children_of, refuse, split_in_two
from nearer.units import BoolArray, FloatArray, IntArray

_CHUNK_PAIRS = 20_000_000
_CELLS = 65_536  # distances formed at once, so that they stay in the processor's cache
_MANY_SETS = 200_000
_AT_ONCE = 64  # multipliers whose sums over all sites are formed together
_ROUNDING = 1e-11  # relative error allowed for a sum, far above float64's


def certified_center(points: CenterPoints, p: int, proof: CenterProof, cutoff: float = math.inf) -> float:
    """
    The lower bound that a proof holds for: its threshold, at most ``cutoff``, the value of a known plan.

    Who may serve whom below the threshold is computed from the coordinates, for all sites. Of these, what the tree of
    the proof closes is left out, and at each leaf all that are left must hold at most 1 of its multipliers, whose sum
    is above p.

    Raises
    ------
    CheckFailedError
        The arrays do not fit the points, or are no proof of what they claim.
    """
    above = _tree(points, proof)
    point, place = np.unique(proof.pair, return_inverse=True)
    place = place.reshape(proof.pair.shape)
    sets = _sets(points, point, proof.threshold)
    step = max(1, _CHUNK_PAIRS // len(proof.pair))
    for start in range(0, len(sets), step):
        near = np.unpackbits(sets[start : start + step], axis=1)[:, : len(point)].astype(bool)
        _refuse_unproven(p, proof, above, near[:, place[:, 0]] & near[:, place[:, 1]])
    return min(proof.threshold, cutoff)


def _tree(points: CenterPoints, proof: CenterProof) -> list[list[int]]:
    """The multipliers of each node in their order, after checking all that does not depend on distances."""
    whole = (proof.node_parent, proof.node_pair, proof.node_value, proof.multiplier_node, proof.multiplier_start)
    if any(a.ndim != 1 or not np.issubdtype(a.dtype, np.integer) for a in (*whole, proof.take_pair)):
        raise refuse("its arrays are not rows of whole numbers")
    pair, amount, start = proof.pair, proof.take_amount, proof.multiplier_start
    if pair.ndim != 2 or pair.shape[1] != 2 or not len(pair) or not np.issubdtype(pair.dtype, np.integer):
        raise refuse("it names no pairs of points")
    if pair.min() < 0 or pair.max() >= points.n_rows or not math.isfinite(proof.threshold):
        raise refuse("it names points that do not exist")
    n, n_multipliers = len(proof.node_parent), len(proof.multiplier_node)
    if not n or any(len(a) != n for a in whole[:3]) or proof.node_parent[0] != -1 or proof.node_pair[0] != -1:
        raise refuse("its tree has no root, or arrays of the tree differ in length")
    if np.any(proof.node_parent[1:] < 0) or np.any(proof.node_parent[1:] >= np.arange(1, n)):
        raise refuse("a node comes before its parent")
    if n > 1 and (proof.node_pair[1:].min() < 0 or proof.node_pair.max() >= len(pair)):
        raise refuse("it decides a lens that does not exist")
    if len(start) != n_multipliers + 1 or start[0] != 0 or np.any(np.diff(start) < 0) or start[-1] != len(amount):
        raise refuse("its multipliers do not fit each other")
    if amount.ndim != 1 or amount.dtype != np.float64 or len(proof.take_pair) != len(amount):
        raise refuse("its multipliers do not fit their pairs")
    if not np.isfinite(amount).all() or np.any(amount < 0):
        raise refuse("a multiplier is below 0 or not a finite number")
    if len(amount) and (proof.take_pair.min() < 0 or proof.take_pair.max() >= len(pair)):
        raise refuse("a multiplier is of a pair that does not exist")
    children = children_of(proof.node_parent)
    known: list[frozenset[int]] = [frozenset()]
    for node in range(1, n):
        parent, lens = int(proof.node_parent[node]), int(proof.node_pair[node])
        known.append(known[parent] | {lens} if proof.node_value[node] == 1 else known[parent])
    for below in children:
        if below and not split_in_two(proof.node_pair[below], proof.node_value[below]):
            raise refuse("the children of a node do not split one lens into a site open and none")
    mine: list[list[int]] = [[] for _ in range(n)]
    for k, node in enumerate(proof.multiplier_node.tolist()):
        if not 0 <= node < n:
            raise refuse("multipliers are of a node that does not exist")
        mine[node].append(k)
        lenses = proof.take_pair[start[k] : start[k + 1]]
        lenses = lenses[pair[lenses, 0] != pair[lenses, 1]]
        if not known[node].issuperset(lenses.tolist()):
            raise refuse("a multiplier is of a lens in which no site need open")
    if any(not below and not mine[node] for node, below in enumerate(children)):
        raise refuse("a leaf has no multipliers")
    return mine


def _sets(points: CenterPoints, point: IntArray, threshold: float) -> NDArray[np.uint8]:
    """The different sets of these points that sites serve below the threshold, packed, uint8 (n_sets, n_bytes)."""
    known: NDArray[np.uint8] = np.zeros((0, -(-len(point) // 8)), dtype=np.uint8)
    step = max(1, _CELLS // len(point))
    x, y = points.x[point], points.y[point]
    order = np.lexsort((points.site_y, np.floor(points.site_x / _strip(points))))  # neighbours mostly serve the same
    site_x, site_y = points.site_x[order, None], points.site_y[order, None]
    found = []
    for first in range(0, points.n_sites, step):
        some = slice(first, first + step)
        squared = np.square(site_x[some] - x)
        squared += np.square(site_y[some] - y)
        packed = np.packbits(points.rounded(np.sqrt(squared, out=squared)) < threshold, axis=1)
        new = np.ones(len(packed), dtype=bool)
        new[1:] = np.any(packed[1:] != packed[:-1], axis=1)
        found.append(packed[new])
        if sum(map(len, found)) > len(known) + _MANY_SETS:
            known, found = np.unique(np.concatenate([known, *found]), axis=0), []
    return np.asarray(np.unique(np.concatenate([known, *found]), axis=0))


def _strip(points: CenterPoints) -> float:
    """Width of strips of sites, some hundred times as long as wide."""
    return max(float(np.ptp(points.site_x)), 1e-300) / max(1.0, math.sqrt(points.n_sites) / 4)


def _refuse_unproven(p: int, proof: CenterProof, mine: list[list[int]], covers: BoolArray) -> None:
    """Walk the tree for some sites, given which pairs they cover, bool (sites, pairs)."""
    exact, start = covers.astype(np.float64), proof.multiplier_start
    sums: dict[int, FloatArray] = {}
    n = len(mine)
    parents = set(proof.node_parent.tolist())
    order = [k for own in mine for k in own]
    left: dict[int, BoolArray] = {0: np.ones(len(covers), dtype=bool)}
    waiting = np.bincount(proof.node_parent[1:], minlength=n)
    for node in range(n):
        parent = int(proof.node_parent[node])
        here = left[parent].copy() if node else left[0]
        if node:
            inside = covers[:, proof.node_pair[node]]
            here &= ~inside if proof.node_value[node] == 0 else True
            waiting[parent] -= 1
            if not waiting[parent]:
                del left[parent]
        for k in mine[node]:
            if k not in sums:  # the next few, in one product
                some = order[order.index(k) :][:_AT_ONCE]
                block = np.zeros((covers.shape[1], len(some)))
                for column, other in enumerate(some):
                    takes = slice(start[other], start[other + 1])
                    np.add.at(block[:, column], proof.take_pair[takes], proof.take_amount[takes])
                sums = dict(zip(some, (exact @ block).T, strict=True))
            total = math.fsum(proof.take_amount[start[k] : start[k + 1]]) * (1.0 - _ROUNDING)
            load = sums[k]
            if np.any(load[here] > 1.0):
                raise CheckFailedError("The certificate does not prove what it names: a site holds too much.")
            if node not in parents and k == mine[node][-1]:
                if not total > p * (1.0 + _ROUNDING):
                    raise CheckFailedError(f"The certificate does not prove the value {proof.threshold!r}.")
            else:
                here &= ~(total + 1.0 - load > p * (1.0 + _ROUNDING) + _ROUNDING)
        left[node] = here
        if node not in parents:
            del left[node]
