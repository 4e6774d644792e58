"""
One question of the p-center: can k sites serve every row below a threshold?

A set cover, asked of a growing subset of rows (Chen and Chen 2009; Contardo, Iori, Kramer 2019): its linear relaxation
by HiGHS, to which the rows that a solution leaves uncovered are added, and a branch and bound of our own where that
does not answer. "No" comes with a proof, "yes" with a plan.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from nearer.kernels import covering as kernels
from nearer.lp import Lp, LpStatus
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.solvers.pcenter_proof import CoverProof
from nearer.solvers.pcenter_rows import Rows
from nearer.units import BoolArray, FloatArray, IntArray, ranges

_MARGIN = 1e-6  # by how much multipliers must prove that somebody is left
_WHOLE = 1e-6
_ROWS_AT_ONCE = 40
_STORED = 100_000_000  # multipliers of one proof at most: 0.8 GB
_SLICE = 5_000_000  # entries a kernel call may scan: well below 0.2 s


class Answer(Enum):
    """What is known of one threshold."""

    NO = "no plan stays below"
    YES = "a plan stays below"
    OPEN = "not known"


class Cover:
    """
    The rows that need cover below one threshold.

    Parameters
    ----------
    threshold
        Rows must cost less.
    subset
        Rows to begin with (positions in the instance).

    Attributes
    ----------
    plan
        Sites that serve every row below the threshold, where the answer is yes.
    proof
        Where the answer is no.
    """

    def __init__(self, rows: Rows, threshold: float, subset: IntArray, budget: Budget) -> None:
        self.rows, self.threshold, self.budget = rows, threshold, budget
        self.end: IntArray = kernels.reach(rows.indptr, rows.cost, rows.weight, rows.cap, threshold)
        self.needed: IntArray = np.flatnonzero(rows.cap >= threshold)
        self.within: IntArray = self.end - rows.indptr[:-1]
        self.cptr, self.crow = kernels.columns_within(rows.indptr, self.end, rows.site, rows.free, self.needed)
        budget.spend(2 * int(self.within.sum()) + len(self.end))
        self.useful: IntArray = np.flatnonzero(np.diff(self.cptr) > 0)  # sites that cover any row
        self.plan: IntArray | None = None
        self.proof: CoverProof | None = None
        self.subset: IntArray = np.zeros(0, dtype=np.int64)
        self.y: FloatArray = np.zeros(len(rows.free))
        self.lam: FloatArray = np.zeros(0)
        self._lp = Lp(budget.stop)
        self._column = np.full(len(rows.free), -1, dtype=np.int64)
        self._column[self.useful] = np.arange(len(self.useful))
        m = len(self.useful)
        self._lp.add_columns(np.ones(m), np.zeros(m), np.full(m, np.inf))
        self._add(subset[rows.cap[subset] >= threshold])

    def greedy(self, rank: FloatArray) -> IntArray:
        """Up to k sites that cover many rows, those of rank 0.5 or more first."""
        rows = self.rows
        self.budget.spend(len(self.crow) + rows.k * len(rows.free))
        plan: IntArray = kernels.greedy_cover(
            rows.indptr, self.end, rows.site, self.needed, self.cptr, self.crow, rank, rows.k
        )
        return plan

    def search(self, start: IntArray, iterations: int, work: int, seed: int) -> IntArray:
        """Swap sites of a plan until every row is covered, or for so many steps; see ``kernels.weighting_search``."""
        rows, n, m = self.rows, len(self.needed), len(self.rows.free)
        opened = np.zeros(m, dtype=bool)
        opened[start] = True
        closed = np.flatnonzero(rows.free & ~opened)
        opened[closed[: rows.k - len(start)]] = True
        count, whose, score = (np.zeros(size, dtype=np.int64) for size in (n, n, m))
        weight = np.ones(n, dtype=np.int64)
        memory = np.array([seed % 2_147_483_648, -1, -1], dtype=np.int64)
        left = kernels.weighting_start(self.cptr, self.crow, n, opened, count, whose, score)
        until = self.budget.spent + work
        while left > 0 and iterations > 0 and self.budget.spent < until and not self.budget.exhausted():
            left, done, spent = kernels.weighting_search(
                *(rows.indptr, self.end, rows.site, rows.free, self.needed, self.cptr, self.crow),
                *(opened, count, whose, score, weight, memory, iterations, _SLICE),
            )
            self.budget.spend(spent + n)
            iterations -= done
            if done == 0:
                break
        return np.flatnonzero(opened).astype(np.int32)

    def relax(self) -> Answer:
        """Solve the relaxation, adding rows, until it proves that k sites are too few or leaves no row uncovered."""
        while True:
            if self.budget.exhausted() or self._lp.solve() is not LpStatus.OPTIMAL:
                return Answer.OPEN
            self.budget.spend(LP_ITERATION_WORK * (1 + self._lp.iterations) + len(self.crow))
            self._lp.iterations = 0
            self.y[self.useful] = self._lp.x
            self.lam = np.clip(self._lp.row_dual, 0.0, 1.0)
            if self._lp.objective > self.rows.k and self._too_few():
                self.proof = CoverProof.of_one(self.threshold, self.subset, self.lam)
                return Answer.NO
            if not self.add_uncovered(self.y):
                return Answer.OPEN

    def add_uncovered(self, share: FloatArray) -> bool:
        """Add rows that a (fractional) choice of sites leaves uncovered; whether there are any."""
        rows = self.rows
        total = kernels.coverage(rows.indptr, self.end, rows.site, self.needed, share)
        open_at = np.flatnonzero(total < 1.0 - _WHOLE)
        if len(open_at) == 0:
            return False
        # Least covered first; of these, rows with few sites, which imply others; of those picked, no two share a site.
        order = open_at[np.lexsort((self.within[self.needed[open_at]], np.round(total[open_at], 3)))]
        taken = np.zeros(len(rows.free), dtype=bool)
        picked = []
        for i in self.needed[order[: 50 * _ROWS_AT_ONCE]]:
            sites = rows.site[rows.indptr[i] : self.end[i]]
            if not taken[sites].any():
                taken[sites] = True
                picked.append(i)
                if len(picked) == _ROWS_AT_ONCE:
                    break
        self._add(np.array(picked, dtype=np.int64))
        return True

    def entries(self, subset: IntArray) -> tuple[IntArray, IntArray]:
        """Position in ``subset`` and free site of each pair within the threshold."""
        rows = self.rows
        sizes = self.within[subset]
        at = np.repeat(np.arange(len(subset)), sizes)
        site = rows.site[ranges(rows.indptr[subset], sizes)]
        free = rows.free[site]
        return at[free], site[free]

    def _add(self, more: IntArray) -> None:
        at, site = self.entries(more)
        indptr = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=len(more)))])
        n = len(more)
        self._lp.add_rows(np.ones(n), np.full(n, np.inf), indptr, self._column[site], np.ones(len(site)))
        self.subset = np.concatenate([self.subset, more])

    def _too_few(self) -> bool:
        """Whether the multipliers prove that k sites leave somebody out."""
        at, site = self.entries(self.subset)
        most = np.sort(np.bincount(site, self.lam[at], minlength=self.rows.k))[::-1][: self.rows.k]
        return float(self.lam.sum()) - float(most.sum()) > _MARGIN

    def branch(self, nodes: int) -> Answer:
        """Search the subset by branch and bound, adding rows that its covers leave out, for so many nodes."""
        left = nodes
        while left > 0 and not self.budget.exhausted():
            tree = CoverTree(self)
            answer = tree.run(left)
            left -= tree.nodes_done
            if answer is not Answer.YES:
                return answer
            share = np.zeros(len(self.rows.free))
            share[tree.plan] = 1.0
            if not self.add_uncovered(share):
                self.plan = tree.plan
                return Answer.YES
            answer = self.relax()
            if answer is not Answer.OPEN:
                return answer
        return Answer.OPEN


class CoverTree:
    """
    Depth first over the sites that no other dominates on the subset, the open branch first.

    Attributes
    ----------
    plan
        Sites that cover the subset, where the answer is yes.
    """

    def __init__(self, cover: Cover) -> None:
        self.cover, self.budget, self.k = cover, cover.budget, cover.rows.k
        n = len(cover.subset)
        at, site = cover.entries(cover.subset)
        words = np.zeros((len(cover.rows.free), -(-n // 64)), dtype=np.uint64)
        np.bitwise_or.at(words, (site, at // 64), np.uint64(1) << (at % 64).astype(np.uint64))
        keep = kernels.undominated(words)
        self.budget.spend(len(at) + len(words))
        self.site: IntArray = np.flatnonzero(keep)
        self.m = len(self.site)
        column = np.cumsum(keep) - 1
        kept = keep[site]
        self.at, self.column = at[kept], column[site[kept]]
        self.proof = CoverProof(cover.threshold, cover.subset)
        self.plan: IntArray = np.zeros(0, dtype=np.int32)
        self.nodes_done = 0
        self.lp = Lp(self.budget.stop)
        self.lp.add_columns(np.ones(self.m), np.zeros(self.m), np.ones(self.m))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(self.at, minlength=n))])
        self.lp.add_rows(np.ones(n), np.full(n, np.inf), indptr, self.column, np.ones(len(self.column)))
        self._in_lp: IntArray = np.full(self.m, -1, dtype=np.int8)

    def run(self, nodes: int) -> Answer:
        """Search for so many nodes; YES means that the subset is covered."""
        most = min(nodes, _STORED // (2 * len(self.cover.rows.cap)))
        stack = [(0, np.full(self.m, -1, dtype=np.int8))]
        while stack:
            if self.nodes_done >= most or self.budget.exhausted():
                return Answer.OPEN
            place, fixed = stack.pop()
            self.nodes_done += 1
            lam = self._relax(fixed)
            if lam is None:
                return Answer.OPEN
            sums: FloatArray = np.bincount(self.column, lam[self.at], minlength=self.m).astype(np.float64)
            base, most_sums = self._bound(lam, sums, fixed)
            if base - most_sums.sum() > _MARGIN:
                self.proof.set_leaf(place, lam)
                continue
            # With j open one other fewer may open: where even that leaves somebody out, j is closed.
            given_up = np.flatnonzero((fixed < 0) & (base - sums - most_sums[:-1].sum() > _MARGIN))
            if len(given_up):
                self.proof.add_closed(place, self.site[given_up], lam)
                fixed[given_up] = 0
            y = self.lp.x
            fraction = np.where(fixed < 0, np.minimum(y, 1.0 - y), -1.0)
            branch = int(np.argmax(fraction)) if self.m else -1
            if branch < 0 or fraction[branch] <= _WHOLE:
                self.plan = self.site[y > 0.5].astype(np.int32)
                return Answer.YES if len(self.plan) <= self.k else Answer.OPEN
            opened, closed = fixed, fixed.copy()
            opened[branch], closed[branch] = 1, 0
            site = int(self.site[branch])
            above = self.proof.add_node(place, site, 1), self.proof.add_node(place, site, 0)
            stack.append((above[1], closed))
            stack.append((above[0], opened))
        self.cover.proof = self.proof
        return Answer.NO

    def _bound(self, lam: FloatArray, sums: FloatArray, fixed: IntArray) -> tuple[float, FloatArray]:
        """Multipliers left after the open sites, and the greatest sums of the free ones that may still open."""
        base = float(lam.sum()) - float(sums[fixed == 1].sum())
        may = max(self.k - int((fixed == 1).sum()), 0)
        free = np.sort(sums[fixed < 0])[::-1][:may]
        return base, np.concatenate([free, np.zeros(max(may - len(free), 0))])

    def _relax(self, fixed: IntArray) -> FloatArray | None:
        """Multipliers at a node, float64 (n,); None when stopped."""
        changed = np.flatnonzero(fixed != self._in_lp)
        self.lp.set_bounds(changed, (fixed[changed] == 1).astype(float), (fixed[changed] != 0).astype(float))
        self._in_lp = fixed.copy()
        n = len(self.cover.subset)
        alive: BoolArray = np.bincount(self.at, fixed[self.column] != 0, minlength=n) > 0
        if not alive.all():
            lam = np.zeros(n)
            lam[int(np.argmin(alive))] = 1.0
            return lam
        status = self.lp.solve()
        self.budget.spend(LP_ITERATION_WORK * (1 + self.lp.iterations) + len(self.at))
        self.lp.iterations = 0
        return np.clip(self.lp.row_dual, 0.0, 1.0) if status is LpStatus.OPTIMAL else None
