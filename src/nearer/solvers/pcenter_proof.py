"""Collects what proves that no plan serves every row below a threshold."""

from __future__ import annotations

import numpy as np

from nearer.model import Certificate
from nearer.units import FloatArray, IntArray


class CoverProof:
    """
    A branching tree over sites on some rows; see ``nearer.model.check_center`` for what it proves.

    Parameters
    ----------
    threshold
        What no plan stays below.
    rows
        Rows (positions in the instance) that the proof speaks of.
    """

    def __init__(self, threshold: float, rows: IntArray) -> None:
        self.threshold, self.rows = threshold, rows
        self.multipliers: list[FloatArray] = []
        self.nodes: list[list[int]] = [[-1, -1, -1, -1]]
        self.fixings: list[tuple[int, int, int, int]] = []

    @classmethod
    def of_one(cls, threshold: float, rows: IntArray, lam: FloatArray) -> CoverProof:
        """A tree of one leaf."""
        proof = cls(threshold, rows)
        proof.set_leaf(0, lam)
        return proof

    def add_multipliers(self, lam: FloatArray) -> int:
        """Store multipliers of the rows; returns their row in the certificate, whose row 0 is the threshold."""
        self.multipliers.append(lam)
        return len(self.multipliers)

    def add_node(self, parent: int, site: int, value: int) -> int:
        """A child that sets a site open (1) or closed (0)."""
        self.nodes.append([parent, site, value, -1])
        return len(self.nodes) - 1

    def set_leaf(self, node: int, lam: FloatArray) -> None:
        """What shows that nothing is left below a node."""
        self.nodes[node][3] = self.add_multipliers(lam)

    def add_closed(self, node: int, sites: IntArray, lam: FloatArray) -> None:
        """Sites closed below a node, since these multipliers show that nothing is left where one is open."""
        multiplier = self.add_multipliers(lam)
        self.fixings.extend((node, int(j), 0, multiplier) for j in sites)

    def certificate(self, n_rows: int) -> Certificate:
        """The finished proof over all rows of the instance."""
        multipliers = np.zeros((len(self.multipliers) + 1, n_rows))
        multipliers[0, self.rows] = self.threshold
        for at, lam in enumerate(self.multipliers):
            multipliers[at + 1, self.rows] = lam
        nodes = np.array(self.nodes, dtype=np.int32)
        fixings = np.array(self.fixings, dtype=np.int32).reshape(-1, 4)
        return Certificate(multipliers, *np.ascontiguousarray(nodes.T), *np.ascontiguousarray(fixings.T))


def nothing_proven(n_rows: int) -> Certificate:
    """The certificate of the bound 0."""
    none = np.zeros(0, dtype=np.int64)
    return CoverProof.of_one(0.0, none, np.zeros(0)).certificate(n_rows)
