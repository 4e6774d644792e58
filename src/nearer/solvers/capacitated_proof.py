"""Collects multipliers, fixings and tree nodes of a capacitated run into a ``Certificate``."""

from __future__ import annotations

import numpy as np

from nearer.model import Certificate
from nearer.units import FloatArray, IntArray


class CapacitatedProof:
    """Grows with the solver's steps; sites are positions in the instance, rows are all of it."""

    def __init__(self, n_rows: int) -> None:
        self._multipliers: list[FloatArray] = [np.zeros(n_rows)]
        self._nodes: list[list[int]] = [[-1, -1, -1, 0]]
        self._fixings: list[tuple[int, int, int, int]] = []

    def add_node(self, parent: int, site: int, value: int) -> int:
        """A child that sets a site open or closed."""
        self._nodes.append([parent, site, value, self._nodes[parent][3]])
        return len(self._nodes) - 1

    def bound_by(self, node: int, lam: FloatArray) -> None:
        """What bounds a node as long as it has no children."""
        if lam is not self._multipliers[self._nodes[node][3]]:
            self._multipliers.append(lam)
            self._nodes[node][3] = len(self._multipliers) - 1

    def fix(self, node: int, sites: IntArray, value: int) -> None:
        """Sites fixed below a node since the multipliers that bound it bound the opposite away."""
        self._fixings.extend((node, int(site), value, self._nodes[node][3]) for site in sites)

    def ahead(self) -> int:
        """Bytes, at most, of the multipliers in a certificate and once more on their way to the file."""
        return 2 * len(self._multipliers) * self._multipliers[0].nbytes

    def certificate(self) -> Certificate:
        """The proof so far."""
        nodes = np.array(self._nodes, dtype=np.int32)
        leaf = np.ones(len(nodes), dtype=bool)
        leaf[nodes[1:, 0]] = False
        fixings = np.array(self._fixings, dtype=np.int32).reshape(-1, 4)
        used, compact = np.unique(np.concatenate([nodes[leaf, 3], fixings[:, 3]]), return_inverse=True)
        multiplier = np.full(len(nodes), -1, dtype=np.int32)
        multiplier[leaf] = compact[: int(leaf.sum())]
        return Certificate(
            multipliers=np.array([self._multipliers[k] for k in used]),
            node_parent=nodes[:, 0],
            node_site=nodes[:, 1],
            node_value=nodes[:, 2],
            node_multiplier=multiplier,
            fix_node=fixings[:, 0],
            fix_site=fixings[:, 1],
            fix_value=fixings[:, 2],
            fix_multiplier=compact[int(leaf.sum()) :].astype(np.int32),
        )
