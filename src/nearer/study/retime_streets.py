"""Journeys over streets once more, for the independent check: SciPy's Dijkstra and plain NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nearer.network import Snap, StreetGraph
from nearer.progress import Progress, Silent, Tick
from nearer.study.retime_pairs import Block, Pairs
from nearer.units import FloatArray, IntArray, ranges

_FEW = 32  # sites that are searched from without parting them
_MANY_CELLS = 4_000_000  # of a dense block of sites × nodes or sites × people


def street_pairs(
    graph: StreetGraph, people: Snap, sites: Snap, limit_ms: int, progress: Progress | None = None
) -> Pairs:
    """
    Journeys over streets, as ``nearer.network.travel_times`` states them, one search per site on the transposed graph.

    The sites are halved, and the streets with them, until few are left: a part keeps the nodes that lie within the
    limit of any of its sites, found by one search from all of them, so that no shortest way is lost.

    Parameters
    ----------
    graph, people, sites
        Streets, and points joined to them.
    limit_ms
        Longest journey, access walks included, inclusive.
    progress
        Where to report; default silent.
    """
    person_idx = np.flatnonzero(people.joined_mask)
    site_idx = np.flatnonzero(sites.joined_mask)
    here, there = _Stretch.of(graph, people, person_idx), _Stretch.of(graph, sites, site_idx)

    def journeys() -> Iterator[Block]:
        for person, site, way in _ways(graph, here, there, limit_ms, tick):
            time_ms = way + people.access_ms[person_idx[person]] + sites.access_ms[site_idx[site]]
            near = time_ms <= limit_ms
            yield person_idx[person[near]], site_idx[site[near]], time_ms[near]

    with (progress or Silent()).step("Computing travel times again", len(site_idx)) as tick:
        return Pairs.of(journeys(), sites.n)


def _ways(graph: StreetGraph, here: _Stretch, there: _Stretch, limit_ms: int, tick: Tick) -> Iterator[Block]:
    """Blocks of person, site and way, access walks left out, ms."""
    yield _along_one_street(here, there)
    stack = [_Part.whole(graph, here, there)] if len(there.segment) else []
    while stack:
        part = stack.pop()
        few = len(part.site) * max(part.n_nodes, len(part.person)) <= _MANY_CELLS and len(part.site) <= _FEW
        if not few and len(part.site) > 1:
            stack += [part.of(half, limit_ms) for half in part.halves(graph, there)]
        else:
            yield part.ways(here, limit_ms)
            tick(len(part.site))


def _along_one_street(here: _Stretch, there: _Stretch) -> Block:
    """Person, site and way of those on the same segment, that never leave it."""
    order = np.argsort(here.segment, kind="stable")
    first, last = (np.searchsorted(here.segment, there.segment, side, order) for side in ("left", "right"))
    many = last - first
    site = np.repeat(np.arange(len(many)), many)
    person = order[ranges(first, many)]
    with np.errstate(invalid="ignore"):  # inf − inf on a way that is closed for both
        onwards, back = there.along[site] - here.along[person], here.against[person] - there.against[site]
    ahead, behind = here.fraction[person] <= there.fraction[site], here.fraction[person] >= there.fraction[site]
    onwards = np.where(ahead & np.isfinite(onwards), onwards, np.inf)
    back = np.where(behind & np.isfinite(back), back, np.inf)
    way = np.minimum(onwards, back)
    can = np.isfinite(way)
    return person[can], site[can], way[can].astype(np.int64)


@dataclass(frozen=True)
class _Part:
    """
    Some sites, the streets that lead to any of them within the limit, and the people on these.

    Parameters
    ----------
    backwards
        Each way turned round, ms, nodes and then sites.
    site, number
        Positions among the joined sites, and their nodes, int64 (n_part_sites,).
    person, start, end
        Positions among the joined people, and the ends of their segments, int64 (n_part_people,); an end out of reach
        is -1.
    """

    backwards: csr_array
    site: IntArray
    number: IntArray
    person: IntArray
    start: IntArray
    end: IntArray

    @property
    def n_nodes(self) -> int:
        """Nodes, sites counted in."""
        return int(self.backwards.shape[0])

    @classmethod
    def whole(cls, graph: StreetGraph, here: _Stretch, there: _Stretch) -> _Part:
        """All sites and streets; each site a node of its own, with the way from both ends of its street as edges."""
        n_nodes, n_sites = graph.n_nodes, len(there.segment)
        tail = np.repeat(np.arange(n_nodes), np.diff(graph.indptr))
        number = n_nodes + np.arange(n_sites)
        by_start, by_end = np.isfinite(there.enter_start), np.isfinite(there.enter_end)
        rows = np.concatenate([graph.head, number[by_start], number[by_end]])
        columns = np.concatenate([tail, there.start[by_start], there.end[by_end]])
        # One millisecond is added to the ways of sites, since a matrix that is sparse might lose a zero.
        costs = np.concatenate([graph.cost_ms, there.enter_start[by_start] + 1, there.enter_end[by_end] + 1])
        shape = (n_nodes + n_sites, n_nodes + n_sites)
        backwards = csr_array((costs.astype(np.float64), (rows, columns)), shape=shape)
        start, end = here.start.astype(np.int64), here.end.astype(np.int64)
        return cls(backwards, np.arange(n_sites), number, np.arange(len(start)), start, end)

    def halves(self, graph: StreetGraph, there: _Stretch) -> tuple[IntArray, IntArray]:
        """Positions of the sites, halved where they lie farthest apart."""
        x, y = (at[there.start[self.site]] for at in (graph.x, graph.y))
        order = np.argsort(x if np.ptp(x) >= np.ptp(y) else y, kind="stable")
        return order[: len(order) // 2], order[len(order) // 2 :]

    def of(self, half: IntArray, limit_ms: int) -> _Part:
        """What some of the sites need."""
        number = self.number[half]
        near = np.isfinite(dijkstra(self.backwards, indices=number, limit=float(limit_ms + 1), min_only=True))
        place = np.full(len(near) + 1, -1)
        place[:-1][near] = np.arange(np.count_nonzero(near))
        start, end = place[self.start], place[self.end]
        stays = (start >= 0) | (end >= 0)
        return _Part(
            self.backwards[near][:, near], self.site[half], place[number], self.person[stays], start[stays], end[stays]
        )

    def ways(self, here: _Stretch, limit_ms: int) -> Block:
        """Person, site and way over nodes, access walks left out."""
        to_site = np.full((len(self.site), self.n_nodes + 1), np.inf)
        to_site[:, :-1] = dijkstra(self.backwards, indices=self.number, limit=float(limit_ms + 1)) - 1.0
        way = to_site[:, self.start] + here.leave_start[self.person]
        np.minimum(way, to_site[:, self.end] + here.leave_end[self.person], out=way)
        site, person = np.nonzero(way <= limit_ms)
        return self.person[person], self.site[site], way[site, person].astype(np.int64)


@dataclass(frozen=True)
class _Stretch:
    """
    Points on their segments: milliseconds from and to both ends, float64 (n,), ``inf`` where that way is closed.

    A point splits a segment's time in each direction into whole milliseconds that add up. Who stands exactly at an end
    stands in that node, whatever the directions of the segment: ``leave`` and ``enter`` count from and to the nodes
    ``start`` and ``end``, ``along`` and ``against`` from and to the start on the segment itself.
    """

    segment: IntArray
    fraction: FloatArray
    start: IntArray
    end: IntArray
    along: FloatArray
    against: FloatArray
    leave_start: FloatArray
    leave_end: FloatArray
    enter_start: FloatArray
    enter_end: FloatArray

    @classmethod
    def of(cls, graph: StreetGraph, joined: Snap, which: IntArray) -> _Stretch:
        segment, fraction = joined.segment_idx[which], joined.fraction[which]
        forward_ms, backward_ms = graph.forward_ms[segment], graph.backward_ms[segment]
        forward, backward = forward_ms >= 0, backward_ms >= 0
        along = np.where(forward, np.rint(forward_ms * fraction), np.inf)
        against = np.where(backward, np.rint(backward_ms * fraction), np.inf)
        rest = np.where(forward, forward_ms - along, np.inf)
        rest_back = np.where(backward, backward_ms - against, np.inf)
        at_start, at_end = fraction == 0.0, fraction == 1.0
        return cls(
            segment=segment,
            fraction=fraction,
            start=graph.from_idx[segment],
            end=graph.to_idx[segment],
            along=along,
            against=against,
            leave_start=np.where(at_start, 0.0, against),
            leave_end=np.where(at_end, 0.0, rest),
            enter_start=np.where(at_start, 0.0, along),
            enter_end=np.where(at_end, 0.0, rest_back),
        )
