"""Collects multipliers, fixings and tree nodes into a ``Certificate`` over the rows and sites of the instance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np

from nearer.model import Certificate
from nearer.solvers.core import Core
from nearer.solvers.zero_half import Pieces
from nearer.units import FloatArray, IntArray

Told = tuple[list[int], IntArray, FloatArray]
"""Where each piece begins, row and site of the instance for each of its sets, and its price."""


class HasSites(Protocol):
    """Part of an instance."""

    @property
    def site(self) -> IntArray:
        """Positions of its sites in the instance."""


class ProofTree:
    """Multipliers, fixings and nodes, growing with the solver's steps."""

    def __init__(self) -> None:
        self._multipliers: list[Callable[[], FloatArray]] = []
        self._cuts: dict[int, Callable[[], Told]] = {}
        self._nodes: list[list[int]] = [[-1, -1, -1, -1]]
        self._fixings: list[tuple[int, int, int, int]] = []
        self._row_bytes = 0

    def add(self, multipliers: Callable[[], FloatArray], cuts: Callable[[], Told] | None = None) -> int:
        """Store multipliers, as what returns those of the instance's rows, and cuts likewise; returns their number."""
        if not self._row_bytes:
            self._row_bytes = multipliers().nbytes
        self._multipliers.append(multipliers)
        if cuts is not None:
            self._cuts[len(self._multipliers) - 1] = cuts
        return len(self._multipliers) - 1

    @property
    def n_multipliers(self) -> int:
        """How many are stored."""
        return len(self._multipliers)

    def ahead(self) -> int:
        """Bytes, at most, of the multipliers in a certificate and once more on their way to the file."""
        return 2 * len(self._multipliers) * self._row_bytes

    def add_node(self, parent: int, site: int, value: int) -> int:
        """A child that sets a site (position in the instance) open or closed."""
        self._nodes.append([parent, site, value, -1])
        return len(self._nodes) - 1

    @property
    def n_fixings(self) -> int:
        """How many sites are fixed."""
        return len(self._fixings)

    def fell(self, n_fixings: int) -> None:
        """Give up all nodes but the root, and all fixings but so many."""
        del self._nodes[1:], self._fixings[n_fixings:]

    def set_leaf(self, node: int, multiplier: int) -> None:
        """What bounds a node as long as it has no children."""
        self._nodes[node][3] = multiplier

    def add_fixings(self, node: int, core: HasSites, closed: IntArray, opened: IntArray, multiplier: int) -> None:
        """Sites of a core fixed below a node since the opposite is bounded away."""
        for sites, value in ((closed, 0), (opened, 1)):
            self._fixings.extend((node, int(core.site[j]), value, multiplier) for j in sites)

    def certificate(self) -> Certificate:
        """The proof so far; leaves without multipliers of their own take their parent's."""
        nodes = np.array(self._nodes, dtype=np.int32)
        inner = np.zeros(len(nodes), dtype=bool)
        inner[nodes[1:, 0]] = True
        bound_by = nodes[:, 3].copy()
        for node in range(1, len(nodes)):
            if bound_by[node] < 0:
                bound_by[node] = bound_by[nodes[node, 0]]
        bound_by[inner] = -1
        used, compact = np.unique(
            np.concatenate([bound_by[~inner], [f[3] for f in self._fixings]]).astype(np.int64), return_inverse=True
        )
        leaf_count = int((~inner).sum())
        bound_by[~inner] = compact[:leaf_count]
        fixings = np.array(self._fixings, dtype=np.int32).reshape(-1, 4)
        multipliers = self._multipliers[used[0]]()[None].repeat(len(used), axis=0)
        for place, k in enumerate(used[1:].tolist(), start=1):
            multipliers[place] = self._multipliers[k]()
        return Certificate(
            multipliers=multipliers,
            node_parent=nodes[:, 0],
            node_site=nodes[:, 1],
            node_value=nodes[:, 2],
            node_multiplier=bound_by.astype(np.int32),
            fix_node=fixings[:, 0],
            fix_site=fixings[:, 1],
            fix_value=fixings[:, 2],
            fix_multiplier=compact[leaf_count:].astype(np.int32),
            **self._told(used),
        )

    def go_on_from(self, certificate: Certificate) -> None:
        """Take up a proof of one leaf and no cuts, as ``certificate`` told it."""
        self._multipliers = [partial(np.asarray, row) for row in certificate.multipliers]
        self.set_leaf(0, int(certificate.node_multiplier[0]))
        told = (certificate.fix_node, certificate.fix_site, certificate.fix_value, certificate.fix_multiplier)
        self._fixings = list(zip(*(one.tolist() for one in told), strict=True))

    def _told(self, used: IntArray) -> dict[str, Any]:
        """Arrays of the cuts that the multipliers used take a part of; none where none do."""
        number: dict[bytes, int] = {}
        sets: list[IntArray] = []
        takes: list[tuple[int, int, float]] = []
        for place, k in enumerate(used.tolist()):
            if k not in self._cuts:
                continue
            start, row_site, amount = self._cuts[k]()
            for a, b, price in zip(start[:-1], start[1:], amount.tolist(), strict=True):
                one = row_site[a:b]
                cut = number.setdefault(one.tobytes(), len(number))
                if cut == len(sets):
                    sets.append(one)
                takes.append((place, cut, price))
        if not takes:
            return {}
        together = np.concatenate(sets)
        multiplier, cut_of, price_of = zip(*takes, strict=True)
        return {
            "cut_start": np.cumsum([0, *(len(one) for one in sets)]).astype(np.int32),
            "cut_row": together[:, 0],
            "cut_site": together[:, 1],
            "take_multiplier": np.array(multiplier, dtype=np.int32),
            "take_cut": np.array(cut_of, dtype=np.int32),
            "take_amount": np.array(price_of),
        }


class ProofBuilder(ProofTree):
    """
    The proof of a p-median.

    Parameters
    ----------
    cap
        Weighted cost of each row of the instance with the sites that stand open, float64 (n_rows,).
    """

    def __init__(self, cap: FloatArray) -> None:
        super().__init__()
        self._cap = cap

    def add_multipliers(self, core: Core, lam: FloatArray, pieces: Pieces | None = None) -> int:
        """Store multipliers of a core and pieces of cuts; rows taken out of it count at what they cost."""
        cuts = None if pieces is None or not len(pieces) else partial(_told, core, pieces)
        return self.add_rows(core.row, lam, cuts)

    def add_rows(self, row: IntArray, lam: FloatArray, cuts: Callable[[], Told] | None = None) -> int:
        """Store multipliers of some rows; the others count at what they cost."""
        return self.add(partial(_full, self._cap, row, lam), cuts)

    def start_from(self, cap: FloatArray) -> None:
        """Rows cost this, now that more sites are fixed open; multipliers added later start from there."""
        self._cap = cap

    def settle(self, core: Core, cap: FloatArray) -> None:
        """Rows cost less once sites of the core are fixed open; multipliers added later start from there."""
        self._cap = self._cap.copy()
        self._cap[core.row] = cap


def _full(cap: FloatArray, row: IntArray, lam: FloatArray) -> FloatArray:
    full = cap.copy()
    full[row] = lam
    return full


def _told(core: Core, pieces: Pieces) -> Told:
    row, site = core.row[core.rows[pieces.entry]], core.site[core.col[pieces.entry]]
    return pieces.start.tolist(), np.column_stack([row, site]).astype(np.int32), pieces.amount
