"""
Proofs that no p sites cover all points of a plane within a threshold: a tree that decides lenses.

The *lens* of two rows holds the sites that cover both. Either one of them opens, which is one row more for the
relaxation, or none does, and all of them leave it: of many sites that lie side by side, as they do in the plane, a
branch decides about as many at once as matter together (after Ryan, Foster 1981, for whom two rows go together or
not). Rows and sites join the relaxation at each node as in ``CenterRelaxation``. Whatever its programme says, with
multipliers λ of rows and of lenses in which a site opens, and Λ_j their sum over those of site j, more than p sites
are needed where ``Σ λ / max(1, max_j Λ_j) > p`` over the sites that are left; and a site with ``Σ λ + 1 − Λ_j > p``
is closed from there on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nearer.model.certificate import CenterProof
from nearer.solvers.budget import Budget
from nearer.solvers.center_programme import CenterProgramme
from nearer.solvers.center_relaxation import MARGIN, CenterRelaxation, spaced
from nearer.units import BoolArray, FloatArray, IntArray

_SURE = 1e-9  # what a bound is lowered by, relative, against rounding
_AT_ONCE = 40  # rows or sites that join at most
_UNCOVERED = 0.1  # of a row, from which it joins while sites are open in part
_TRIED, _ITERATIONS = 8, 40  # lenses of which both sides are looked at, and for how many iterations of the simplex
_ALIKE = 0.3  # shares by which lenses that are tried must differ
_SPARE, _DEAR, _THIN = 0.2, 0.5, 0.5  # cover and cost to spare of rows and sites that leave, where so many would
_EARLY, _FAR = 0.1, 0.4  # after such a part of the work a tree ends, if less than such a part of that is done of it
_WHOLE = 1e-6


@dataclass
class _Node:
    """
    A node still to do.

    Parameters
    ----------
    place
        In the proof's tree.
    lenses
        Those in which a site opens, as indices into the proof's pairs.
    closed
        Sites, bool (n_sites,).
    depth
        0 at the root.
    basis
        To start from, with the pairs and sites it is of; None = from where the programme is.
    """

    place: int
    lenses: tuple[int, ...]
    closed: BoolArray
    depth: int
    basis: tuple[Any, IntArray, IntArray] | None


class CenterTree:
    """What is known of the tree: pairs of points, nodes, and multipliers where a node closes sites or ends."""

    def __init__(self) -> None:
        self.pairs: dict[tuple[int, int], int] = {}
        self.parent, self.pair, self.value = [-1], [-1], [0]
        self._takes: list[tuple[int, IntArray, FloatArray]] = []
        self._n_takes = 0

    def numbered(self, pair: IntArray) -> IntArray:
        """Where pairs of points stand in the proof, int32."""
        numbers = [self.pairs.setdefault((a, b), len(self.pairs)) for a, b in pair.tolist()]
        return np.array(numbers, dtype=np.int32)

    def child(self, parent: int, pair: int, value: int) -> int:
        """A node in which a site of the pair's lens opens (1) or none does (0)."""
        self.parent.append(parent)
        self.pair.append(pair)
        self.value.append(value)
        return len(self.parent) - 1

    def take(self, place: int, pair: IntArray, amount: FloatArray) -> None:
        """Multipliers of a node, those above 0, after those it has; Λ must be at most 1."""
        some = np.flatnonzero(amount > 1e-12)
        self._takes.append((place, self.numbered(pair[some]), amount[some] * (1.0 - 1e-10)))
        self._n_takes += len(some)

    def ahead(self) -> int:
        """Bytes of the multipliers in a proof."""
        return 12 * self._n_takes

    def proof(self, threshold: float) -> CenterProof:
        """What can be saved and checked."""
        return CenterProof(
            threshold=threshold,
            pair=np.array(list(self.pairs), dtype=np.int64).reshape(-1, 2),
            node_parent=np.array(self.parent, dtype=np.int32),
            node_pair=np.array(self.pair, dtype=np.int32),
            node_value=np.array(self.value, dtype=np.int32),
            multiplier_node=np.array([place for place, _, _ in self._takes], dtype=np.int32),
            multiplier_start=np.concatenate([[0], np.cumsum([len(pair) for _, pair, _ in self._takes])]),
            take_pair=np.concatenate([pair for _, pair, _ in self._takes]),
            take_amount=np.concatenate([amount for _, _, amount in self._takes]),
        )


class LensSearch:
    """
    One question: are more than p sites needed?

    Attributes
    ----------
    plan
        A cover with at most p sites found on the way, or None.
    tree
        The proof, as far as it got.
    nodes, share
        Nodes done, and of the whole tree about.
    """

    def __init__(self, relaxation: CenterRelaxation, squared: float, budget: Budget) -> None:
        self.relaxation, self.squared, self.budget = relaxation, squared, budget
        self.points, self.p = relaxation.points, relaxation.p
        self.plan: IntArray | None = None
        self.tree = CenterTree()
        budget.ahead = self.tree.ahead
        self.nodes, self.share = 0, 0.0
        self._inside: dict[int, BoolArray] = {}  # sites of the lenses above the node
        self._programme = CenterProgramme(self.points, self.p, squared, budget)
        # Weights are lost wherever the tree comes back, and exact ones dear to make anew.
        self._programme.lp.use_devex()
        self._programme.add_sites(relaxation.site)
        self._programme.add_points(relaxation.row)

    def too_few(self) -> bool | None:
        """
        Whether p sites are too few; ``plan`` is a cover where they are not.

        None when stopped, or where the share of the tree that is done tells that the budget will not do: a node of
        depth d counts as 2⁻ᵈ (Knuth 1975).
        """
        stack = [_Node(0, (), np.zeros(self.points.n_sites, dtype=bool), 0, None)]
        while stack:
            node = stack.pop()
            self.nodes += 1
            self._enter(node)
            pair = self._settle(node)
            if pair is None:
                return None if self.plan is None else False
            if len(pair) == 0:
                self.share += 0.5**node.depth
                continue
            if self._hopeless(node.depth):
                return None
            lens = int(self.tree.numbered(pair)[0])
            inside = self._programme.within(pair, np.arange(self.points.n_sites))[0]
            self._inside[lens] = inside
            basis = self._programme.basis()
            opened, none = self.tree.child(node.place, lens, 1), self.tree.child(node.place, lens, 0)
            # The side with one more row goes on from where the programme is; the other comes back to it.
            stack.append(_Node(none, node.lenses, node.closed | inside, node.depth + 1, basis))
            stack.append(_Node(opened, (*node.lenses, lens), node.closed, node.depth + 1, None))
        return True

    def _hopeless(self, depth: int) -> bool:
        """Whether a good part of the work is done and much less of the tree, were this node to end now."""
        spent, limit = self.budget.spent, self.budget.limit
        return limit is not None and spent > limit * _EARLY and self.share + 0.5**depth < spent / limit * _FAR

    def _enter(self, node: _Node) -> None:
        """Bring the programme to a node."""
        programme, pairs = self._programme, list(self.tree.pairs)
        wanted = {pairs[lens] for lens in node.lenses}
        here = [(a, b) for a, b in programme.pair.tolist()]
        programme.drop_rows(np.array([a != b and (a, b) not in wanted for a, b in here], dtype=bool))
        missing = sorted(wanted.difference(here))
        if missing:
            programme.add_rows(np.array(missing))
        programme.close(node.closed)
        if node.basis is not None:
            programme.set_basis(node.basis)
            node.basis = None
        self._inside = {lens: self._inside[lens] for lens in node.lenses}

    def _load(self, lam: FloatArray, node: _Node) -> FloatArray:
        """Λ of all sites, 0 where closed."""
        pair, single = self._programme.pair, self._programme.single
        some = np.flatnonzero((lam > 0) & single)
        load = self.relaxation.sums(False, pair[some, 0], lam[some], self.squared)
        for at in np.flatnonzero((lam > 0) & ~single):
            load[self._inside[int(self.tree.numbered(pair[at : at + 1])[0])]] += lam[at]
        load[node.closed] = 0.0
        return load

    def _settle(self, node: _Node) -> IntArray | None:
        """Bound a node; the lens to decide, (1, 2), or (0, 2) where nothing is left; None to end the search."""
        programme, p, points = self._programme, self.p, self.points
        reach, primal = float(np.sqrt(self.squared)), False
        while not self.budget.exhausted():
            solved = programme.solve(primal)
            if solved is None:
                return None
            lam, y = solved
            load = self._load(lam, node)
            top = max(1.0, float(load.max()))
            bound = float(lam.sum()) / top * (1.0 - _SURE)
            if bound > p + MARGIN:
                self.tree.take(node.place, programme.pair, lam / top)
                return np.zeros((0, 2), dtype=np.int64)
            over = np.flatnonzero((load > 1.0 + MARGIN) & ~programme.has)
            if len(over):
                over = over[np.argsort(-load[over], kind="stable")[: 50 * _AT_ONCE]]
                programme.add_sites(spaced(over, points.site_x, points.site_y, 0.15 * reach, _AT_ONCE))
                primal = True
                continue
            shut = ~node.closed & (bound + 1.0 - load / top > p + MARGIN)
            if shut.any():
                self.tree.take(node.place, programme.pair, lam / top)
                node.closed = node.closed | shut
                programme.close(node.closed)
            opened = np.flatnonzero(y > 1e-9)
            total = self.relaxation.sums(True, programme.site[opened], y[opened], self.squared)
            whole = bool((np.abs(y - np.round(y)) <= _WHOLE).all())
            under = np.flatnonzero(total < 1.0 - (MARGIN if whole else _UNCOVERED))
            if len(under):
                under = under[np.argsort(total[under], kind="stable")[: 50 * _AT_ONCE]]
                row = spaced(under, points.x, points.y, 0.3 * reach, _AT_ONCE)
                programme.add_points(row)
                primal = False
                continue
            if whole:
                self.plan = programme.site[y > 0.5]
                return None
            if node.depth == 0:  # where the next threshold begins
                self.relaxation.row = programme.pair[lam > 0, 0]
                self.relaxation.site = programme.site[opened]
            point = programme.pair[:, 0]
            stay = programme.thin(
                programme.single & (total[point] > 1.0 + _SPARE),
                node.closed[programme.site] | (load[programme.site] < 1.0 - _DEAR),
                _THIN,
            )
            return self._lens(y[stay], total, bound, node)
        return None

    def _lens(self, y: FloatArray, total: FloatArray, bound: float, node: _Node) -> IntArray:
        """The lens to decide, of some that hold about half a site the one whose sides both gain most."""
        programme = self._programme
        opened = np.flatnonzero(y > 1e-7)
        share = y[opened]
        row = programme.pair[programme.single, 0]
        row = row[total[row] < 1.0 + _WHOLE]
        near = programme.near(row, programme.site[opened]).astype(np.float64)
        both = (near * share) @ near.T
        first, second = np.triu_indices(len(row), 1)
        off = np.abs(both[first, second] - 0.5)
        order = np.argsort(off, kind="stable")
        order = order[off[order] < 0.5 - 1e-4][:4000]
        tried: list[int] = []
        shares: list[FloatArray] = []
        for at in order.tolist():
            here = near[first[at]] * near[second[at]] * share
            if all(np.abs(here - other).sum() >= _ALIKE for other in shares):
                tried.append(at)
                shares.append(here)
                if len(tried) == _TRIED:
                    break
        best, most = np.zeros((1, 2), dtype=np.int64), -1.0
        for at in tried:
            pair = np.array([[row[first[at]], row[second[at]]]])
            worth = 1.0 if len(tried) == 1 else self._worth(pair, bound, node)
            if worth > most:
                best, most = pair, worth
        return best

    def _worth(self, pair: IntArray, bound: float, node: _Node) -> float:
        """What a few iterations of the simplex gain on both sides of a lens, multiplied."""
        programme = self._programme
        lp, most = programme.lp, self.p + 0.01 - bound
        basis, old = lp.basis(), programme.pair
        inside = np.flatnonzero(programme.within(pair, programme.site)[0] & ~node.closed[programme.site])
        zero = np.zeros(len(inside))
        lp.set_bounds(inside + 1, zero, zero)
        none = programme.glance(_ITERATIONS) - bound
        lp.set_bounds(inside + 1, zero, zero + np.inf)
        lp.set_basis(basis)
        programme.add_rows(pair)
        opened = programme.glance(_ITERATIONS) - bound
        programme.drop_rows(np.arange(lp.n_rows) == lp.n_rows - 1)
        programme.pair = old
        lp.set_basis(basis)
        return min(max(none, 1e-4), most) * min(max(opened, 1e-4), most)
