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

from nearer.lp import Lp, LpStatus
from nearer.model.center_plane import CenterPoints
from nearer.model.certificate import CenterProof
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
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


class _Programme:
    """The relaxation of a node on some rows and sites; a column before all others covers every row, for p + 1."""

    def __init__(self, points: CenterPoints, p: int, squared: float, budget: Budget) -> None:
        self.points, self.squared, self.budget = points, squared, budget
        self.pair: IntArray = np.zeros((0, 2), dtype=np.int64)  # points of each row; twice the same where it is one
        self.site: IntArray = np.zeros(0, dtype=np.int64)
        self.has: BoolArray = np.zeros(points.n_sites, dtype=bool)
        self.lp = Lp(budget.stop)
        self.lp.use_devex()  # weights are lost wherever the tree comes back, and exact ones dear to make anew
        self.lp.add_columns(np.array([p + 1.0]), np.zeros(1), np.array([np.inf]))

    @property
    def single(self) -> BoolArray:
        """Which rows are points and no lenses."""
        return np.asarray(self.pair[:, 0] == self.pair[:, 1])

    def near(self, row: IntArray, site: IntArray) -> BoolArray:
        """Which points are within the threshold of which sites, bool (len(row), len(site))."""
        points = self.points
        squared = np.square(points.x[row, None] - points.site_x[None, site])
        squared += np.square(points.y[row, None] - points.site_y[None, site])
        return np.asarray(squared <= self.squared)

    def within(self, pair: IntArray, site: IntArray) -> BoolArray:
        """Which sites lie in which lenses, bool (len(pair), len(site))."""
        return self.near(pair[:, 0], site) & self.near(pair[:, 1], site)

    def add_rows(self, pair: IntArray) -> None:
        """Add rows, points or lenses."""
        within = np.concatenate([np.ones((len(pair), 1), dtype=bool), self.within(pair, self.site)], axis=1)
        _, column = np.nonzero(within)
        indptr = np.concatenate([[0], np.cumsum(within.sum(axis=1))])
        self.lp.add_rows(np.ones(len(pair)), np.full(len(pair), np.inf), indptr, column, np.ones(len(column)))
        self.pair = np.concatenate([self.pair, pair])

    def drop_rows(self, mask: BoolArray) -> None:
        """Take rows out."""
        self.lp.delete_rows(mask)
        self.pair = self.pair[~mask]

    def add_sites(self, site: IntArray) -> None:
        """Add sites, none of them closed."""
        within = self.within(self.pair, site).T
        _, row = np.nonzero(within)
        indptr = np.concatenate([[0], np.cumsum(within.sum(axis=1))])
        one = np.ones(len(site))
        self.lp.add_entries(one, 0.0 * one, np.inf * one, indptr, row, np.ones(len(row)))
        self.site = np.concatenate([self.site, site])
        self.has[site] = True

    def close(self, closed: BoolArray) -> None:
        """Set which sites are closed."""
        top = np.where(closed[self.site], 0.0, np.inf)
        self.lp.set_bounds(np.arange(1, len(top) + 1), np.zeros(len(top)), top)

    def solve(self, primal: bool) -> tuple[FloatArray, FloatArray] | None:
        """λ of the rows and openness of the sites; None when stopped."""
        before = self.lp.iterations
        self.lp.use_primal(primal)
        solved = self.lp.solve() is LpStatus.OPTIMAL
        self.lp.use_primal(False)
        self._spend(before)
        return (np.maximum(self.lp.row_dual, 0.0), self.lp.x[1:]) if solved else None

    def glance(self) -> float:
        """About what the relaxation is worth."""
        before = self.lp.iterations
        value = self.lp.glance(_ITERATIONS)
        self._spend(before)
        return value

    def _spend(self, before: int) -> None:
        each = LP_ITERATION_WORK + self.lp.n_rows * len(self.site) // 100
        self.budget.spend(each * (4 + self.lp.iterations - before))

    def thin(self, rows: BoolArray, sites: BoolArray) -> BoolArray:
        """Take out those of some rows and sites that are idle, if they are many; the sites that stay, bool."""
        basic_column, basic_row = self.lp.statuses()
        rows = rows & basic_row
        sites = sites & ~basic_column[1:]
        if rows.sum() + sites.sum() <= _THIN * (len(rows) + len(sites)):
            return np.ones(len(sites), dtype=bool)
        self.lp.thin(np.concatenate([[False], sites]), rows)
        self.has[self.site[sites]] = False
        self.pair, self.site = self.pair[~rows], self.site[~sites]
        return ~sites

    def basis(self) -> tuple[Any, IntArray, IntArray]:
        """To come back to."""
        return self.lp.basis(), self.pair, self.site

    def set_basis(self, taken: tuple[Any, IntArray, IntArray]) -> None:
        """Come back, with other rows and sites."""
        basis, pair, site = taken
        column = {j: k for k, j in enumerate(site.tolist())}
        row = {(a, b): k for k, (a, b) in enumerate(pair.tolist())}
        columns = np.array([0] + [1 + column.get(j, -2) for j in self.site.tolist()])
        rows = np.array([row.get((a, b), -1) for a, b in self.pair.tolist()])
        self.lp.set_basis(Lp.basis_of(basis, columns, rows))


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
        self.nodes, self.share = 0, 0.0
        self._inside: dict[int, BoolArray] = {}  # sites of the lenses above the node
        self._programme = _Programme(self.points, self.p, squared, budget)
        self._programme.add_sites(relaxation.site)
        self._programme.add_rows(np.column_stack([relaxation.row, relaxation.row]))

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
                programme.add_rows(np.column_stack([row, row]))
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
        none = programme.glance() - bound
        lp.set_bounds(inside + 1, zero, zero + np.inf)
        lp.set_basis(basis)
        programme.add_rows(pair)
        opened = programme.glance() - bound
        programme.drop_rows(np.arange(lp.n_rows) == lp.n_rows - 1)
        programme.pair = old
        lp.set_basis(basis)
        return min(max(none, 1e-4), most) * min(max(opened, 1e-4), most)
