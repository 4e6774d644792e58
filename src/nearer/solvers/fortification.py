"""
Which sites to make safe, so that the worst loss of others costs least: r-interdiction median with fortification.

Scaparra, Church 2008. Losses found so far are cuts on what any choice leaves: with q_j = 1 where site j is made safe,
the cost is at least ``loss(S \\ Q) ≥ loss(S) − Σ_{j∈S} q_j (loss(S) − loss(S \\ {j}))`` for every S, since the cost of
a loss is supermodular: what one site adds is most when all others are lost. A small programme chooses the safe sites
against the cuts and bounds every choice from below; the worst loss that spares them bounds the choice from above and is
the next cut. Then the bound is proven once more without the programme where that takes few nodes: one of the sites of a
loss must be made safe, or it remains, so that a tree of losses holds one for every choice (implicit enumeration).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from nearer.files import save_arrays
from nearer.lp import MipProblem, solve_mip
from nearer.model import FREE, Instance
from nearer.progress import Stop
from nearer.solvers.interdiction import TOLERANCE, Loss, LossSearch, NearestSets, nearest_sets
from nearer.units import BoolArray, FloatArray, IntArray

MOST_CUTS = 400
MOST_NODES = 4_000
_MIP_GAP = 1e-9


@dataclass(frozen=True)
class Cut:
    """
    A loss and what each of its sites adds to it when all others are lost.

    Parameters
    ----------
    sites
        Ascending, int64 (n,).
    value
        What the loss costs.
    margin
        float64 (n,).
    """

    sites: IntArray
    value: float
    margin: FloatArray


@dataclass(frozen=True)
class FortifyProof:
    """
    Losses that prove a bound.

    Parameters
    ----------
    safe_ptr, safe
        Sites made safe at each node of a tree, rows of sparse form.
    lost_ptr, lost
        A loss that spares them, rows of sparse form; without a tree, the cuts.
    barred_ptr, barred
        Sites that are not made safe below the node (they were tried before), rows of sparse form.
    tree
        1 where the rows are a tree that holds a loss for every choice, 0 where they are the cuts of the programme.
    """

    safe_ptr: IntArray
    safe: IntArray
    lost_ptr: IntArray
    lost: IntArray
    barred_ptr: IntArray
    barred: IntArray
    tree: IntArray

    def save(self, path: Path) -> None:
        """Write the arrays to a compressed ``.npz`` file, whole or not at all."""
        save_arrays(path, {field.name: getattr(self, field.name) for field in fields(self)})


@dataclass(frozen=True)
class Fortified:
    """
    Sites to make safe.

    Parameters
    ----------
    safe
        The sites, ascending, int64 (n,).
    worst
        The worst loss that remains, with the bound on all that remain.
    bound
        Whichever sites are made safe, some loss costs at least this.
    unprotected
        The worst loss if none is made safe.
    proof
        What proves the bound.
    certified
        Whether the proof is a tree, not HiGHS's own word on the cuts.
    """

    safe: IntArray
    worst: Loss
    bound: float
    unprotected: Loss
    proof: FortifyProof
    certified: bool

    @property
    def value(self) -> float:
        """What the worst loss costs at most with these sites safe."""
        return self.worst.bound


Node = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Sites made safe, a loss that spares them, sites barred below."""


def fortify(
    instance: Instance,
    safe_number: int,
    lost_number: int,
    *,
    stop: Stop | None = None,
    most_cuts: int = MOST_CUTS,
    most_nodes: int = MOST_NODES,
) -> Fortified:
    """
    Choose sites to make safe so that the worst loss of others costs least.

    Parameters
    ----------
    instance
        As for ``interdiction.nearest_sets``.
    safe_number, lost_number
        How many are made safe, and how many others are lost then.
    stop
        Who may end the search early, with a bound.
    most_cuts, most_nodes
        Cuts after which the search ends, and nodes after which no tree is built; the same on every machine.
    """
    stop = stop or Stop()
    sets = nearest_sets(instance, lost_number)
    losable = instance.standing == FREE
    search = LossSearch(sets, losable, lost_number)
    safe_number = min(safe_number, int(losable.sum()))
    unprotected = search.run(None, stop)
    safe: IntArray = np.zeros(0, dtype=np.int64)
    best_safe, best, loss, bound = safe, unprotected, unprotected, 0.0
    cuts = [_cut(sets, unprotected)]
    while safe_number and len(cuts) < most_cuts and not stop():
        known, safe = _master(cuts, safe_number, stop)
        bound = max(bound, known)
        if best.bound - bound <= TOLERANCE * abs(best.bound):
            break
        loss = search.run(_mask(sets.n_sites, safe), stop)
        if loss.bound < best.bound:
            best_safe, best = safe, loss
        if best.bound - bound <= TOLERANCE * abs(best.bound):
            break
        cuts.append(_cut(sets, loss))
    if safe_number == 0:
        bound = unprotected.value
    bound = min(bound, best.bound)
    nodes = _tree(search, cuts, safe_number, bound * (1 - TOLERANCE), most_nodes, stop)
    certified = nodes is not None
    if nodes is None:
        nodes = [((), tuple(cut.sites.tolist()), ()) for cut in cuts]
    if best.bound - bound <= TOLERANCE * abs(best.bound):
        bound = best.bound
    return Fortified(np.sort(best_safe), best, bound, unprotected, _packed(nodes, certified), certified)


def _mask(n: int, sites: Sequence[int] | IntArray) -> BoolArray:
    mask = np.zeros(n, dtype=bool)
    mask[np.asarray(sites, dtype=np.int64)] = True
    return mask


def _cut(sets: NearestSets, loss: Loss) -> Cut:
    mask = _mask(sets.n_sites, loss.sites)
    margin = np.zeros(len(loss.sites))
    for k, site in enumerate(loss.sites.tolist()):
        mask[site] = False
        margin[k] = loss.value - sets.loss(mask)
        mask[site] = True
    return Cut(loss.sites, loss.value, margin)


def _master(cuts: Sequence[Cut], number: int, stop: Stop) -> tuple[float, IntArray]:
    """Sites to make safe against some losses, and what every choice leaves at least; ties go where HiGHS goes."""
    sites = np.unique(np.concatenate([cut.sites for cut in cuts]))
    m, scale = len(sites), max(max(cut.value for cut in cuts), 1e-300)
    column = [np.append(np.searchsorted(sites, cut.sites), m) for cut in cuts]
    value = [np.append(cut.margin / scale, 1.0) for cut in cuts]
    counts = [len(one) for one in column]
    problem = MipProblem(
        cost=np.append(np.zeros(m), 1.0),
        lower=np.zeros(m + 1),
        upper=np.append(np.ones(m), np.inf),
        integer=np.append(np.ones(m, dtype=bool), False),
        row_lower=np.append([cut.value / scale for cut in cuts], 0.0),
        row_upper=np.append(np.full(len(cuts), np.inf), float(number)),
        indptr=np.concatenate([[0], np.cumsum([*counts, m])]),
        column=np.concatenate([*column, np.arange(m)]),
        value=np.concatenate([*value, np.ones(m)]),
    )
    result = solve_mip(
        problem, lambda bound, nodes: stop(), remaining_s=stop.remaining_s, relative_gap=_MIP_GAP, absolute_gap=_MIP_GAP
    )
    if result.x is None:
        return max(result.bound, 0.0) * scale * (1 - TOLERANCE), np.zeros(0, dtype=np.int64)
    chosen = sites[result.x[:m] > 0.5]
    # HiGHS's tolerances are 1e-6 of the scale: where it says that it is done, count what its choice leaves
    exact = max(float(cut.value - cut.margin[np.isin(cut.sites, chosen)].sum()) for cut in cuts)
    bound = max(result.bound, 0.0) * scale
    return (exact if abs(exact - bound) <= 2e-6 * scale else bound * (1 - TOLERANCE)), chosen.astype(np.int64)


def _tree(
    search: LossSearch, cuts: Sequence[Cut], number: int, least: float, most_nodes: int, stop: Stop
) -> list[Node] | None:
    """
    A tree that holds a loss of at least ``least`` for every choice of safe sites; None where it would be too large.

    Nodes take the loss with the fewest sites left to try; a new one is searched for where none of those known is left.
    """
    pool = [(cut.value, tuple(cut.sites.tolist())) for cut in cuts if cut.value >= least]
    nodes: list[Node] = []
    todo: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((), ())]
    while todo:
        if len(nodes) >= most_nodes or stop():
            return None
        safe, barred = todo.pop()
        spared = [lost for _, lost in pool if not set(lost) & set(safe)]
        if not spared:
            found = search.run(_mask(search.sets.n_sites, safe), stop)
            if found.value < least:
                return None
            spared = [tuple(found.sites.tolist())]
            pool.append((found.value, spared[0]))
        lost = min(spared, key=lambda one: sum(site not in barred for site in one))
        nodes.append((safe, lost, barred))
        if len(safe) < number:
            todo += list(children(safe, lost, barred))
    return nodes


def children(
    safe: tuple[int, ...], lost: Sequence[int], barred: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Each site of a loss made safe in turn, those tried before barred: safe and barred sites of each child."""
    before = set(barred)
    for site in lost:
        if site not in before:
            yield (*safe, site), tuple(sorted(before))
            before.add(site)


def _packed(nodes: Sequence[Node], certified: bool) -> FortifyProof:
    def sparse(part: int) -> tuple[IntArray, IntArray]:
        rows = [node[part] for node in nodes]
        ptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        return ptr, np.array([site for row in rows for site in row], dtype=np.int64)

    return FortifyProof(*sparse(0), *sparse(1), *sparse(2), np.array([int(certified)], dtype=np.int64))
