"""The p-center of points in the plane, and the independent check of its bound: plain NumPy, some sites at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from nearer.errors import CheckFailedError
from nearer.model.certificate import CenterProof
from nearer.model.evaluate import certified_bound
from nearer.model.instance import FREE, single_phase
from nearer.units import BoolArray, FloatArray, IntArray

_CHUNK_PAIRS = 20_000_000


@dataclass(frozen=True)
class CenterPoints:
    """
    Points to be served, each with the weight 1, and sites.

    Parameters
    ----------
    x, y
        Points, float64 (n_rows,).
    site_x, site_y
        float64 (n_sites,).
    rounded
        What is made of Euclidean distances; must keep their order.
    whole
        Whether what it makes are whole numbers.
    """

    x: FloatArray
    y: FloatArray
    site_x: FloatArray
    site_y: FloatArray
    rounded: Callable[[FloatArray], FloatArray]
    whole: bool

    @property
    def n_rows(self) -> int:
        """Points."""
        return len(self.x)

    @property
    def n_sites(self) -> int:
        """Sites."""
        return len(self.site_x)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(np.column_stack([self.site_x, self.site_y]))

    def nearest_site(self, x: FloatArray | float, y: FloatArray | float) -> IntArray:
        """The site nearest to each place, int64."""
        return np.asarray(self._tree.query(np.column_stack([np.atleast_1d(x), np.atleast_1d(y)]))[1], dtype=np.int64)

    def distances(self, open_idx: IntArray) -> FloatArray:
        """Rounded distance of each point to the nearest of some sites, float64 (n_rows,)."""
        squared = np.full(self.n_rows, np.inf)
        for j in open_idx:
            np.minimum(squared, np.square(self.x - self.site_x[j]) + np.square(self.y - self.site_y[j]), out=squared)
        return np.asarray(self.rounded(np.sqrt(squared)))

    def nearest_open(self, open_idx: IntArray) -> IntArray:
        """The nearest of some sites for each point, by rounded distance, of equals the lowest, int64 (n_rows,)."""
        best = np.full(self.n_rows, np.inf)
        at = np.full(self.n_rows, -1, dtype=np.int64)
        for j in np.sort(open_idx):
            distance = self.distances(np.array([j]))
            nearer = distance < best
            best[nearer], at[nearer] = distance[nearer], j
        return at


def certified_center(points: CenterPoints, p: int, proof: CenterProof, cutoff: float = math.inf) -> float:
    """
    The lower bound that a proof holds for: its threshold, at most ``cutoff``, the value of a known plan.

    Who may serve whom below the threshold is computed from the coordinates; each site's rows must lie within those of
    a site that the proof keeps, so that any cover can be exchanged for one of kept sites; and the certificate must
    show that more than p of these are needed.

    Raises
    ------
    CheckFailedError
        The arrays do not fit the points, or are no proof of what they claim.
    """
    row, site = proof.row, proof.site
    if not (_within(row, points.n_rows) and _within(site, points.n_sites) and len(row) and len(site)):
        raise CheckFailedError("The certificate proves nothing: it names rows or sites that do not exist.")
    kept = _covers(points, row, site, proof.threshold)
    _refuse_wrong_reduction(points, proof, kept)
    at, col = np.nonzero(kept.T)
    instance = single_phase(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(at, minlength=len(row)))]),
        site_idx=col,
        cost=np.zeros(len(col), dtype=np.int64),
        weight=np.ones(len(row)),
        unserved=np.full(len(row), p + 1.0),
        standing=np.full(len(site), FREE, dtype=np.int8),
        open_min=0,
        open_max=len(site),
        price=np.ones(len(site)),
    )
    if certified_bound(instance, proof.certificate) < p + 1:
        raise CheckFailedError(f"The certificate does not prove the value {proof.threshold!r} that it names.")
    return min(proof.threshold, cutoff)


def _within(idx: IntArray, n: int) -> bool:
    return bool(np.all((idx >= 0) & (idx < n)))


def _covers(points: CenterPoints, row: IntArray, site: IntArray, threshold: float) -> BoolArray:
    """Which sites serve which rows below the threshold, bool (sites, rows)."""
    squared = np.square(points.site_x[site, None] - points.x[None, row])
    squared += np.square(points.site_y[site, None] - points.y[None, row])
    return np.asarray(points.rounded(np.sqrt(squared, out=squared)) < threshold)


def _refuse_wrong_reduction(points: CenterPoints, proof: CenterProof, kept: BoolArray) -> None:
    """Make sure that whatever a site covers of the rows, a kept one covers too."""
    outside = np.ascontiguousarray(~kept.T).astype(np.float32)
    known = np.zeros((0, -(-len(proof.row) // 8)), dtype=np.uint8)
    step = max(1, _CHUNK_PAIRS // len(proof.row))
    for start in range(0, points.n_sites, step):
        some = np.arange(start, min(start + step, points.n_sites))
        packed = np.packbits(_covers(points, proof.row, some, proof.threshold), axis=1)
        known = np.unique(np.concatenate([known, np.unique(packed, axis=0)]), axis=0)
    step = max(1, _CHUNK_PAIRS // len(proof.site))
    for start in range(0, len(known), step):
        sets = np.unpackbits(known[start : start + step], axis=1)[:, : len(proof.row)].astype(np.float32)
        # rows of a set outside each kept one: whole and small, so exact in float32
        if np.any((sets @ outside).min(axis=1) > 0):
            raise CheckFailedError("A site was left out of the proof, and no other covers all that it covers.")
