"""``Pairs``: who is within reach of what, for the independent check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nearer.units import IntArray

Block = tuple[IntArray, IntArray, IntArray]
"""Points, sites and times of some pairs."""


@dataclass(frozen=True)
class Pairs:
    """
    Who is within reach of what.

    Parameters
    ----------
    point, site, time_ms
        int64 (n_pairs,), milliseconds, at most one entry per pair, ordered by point, then site.
    """

    point: IntArray
    site: IntArray
    time_ms: IntArray

    @classmethod
    def of(cls, blocks: Iterable[Block], n_sites: int) -> Pairs:
        """From points, sites and times in any order; where a pair comes more than once, the least time counts."""
        none = np.zeros(0, dtype=np.int64)
        keys: list[IntArray] = [none]
        times: list[IntArray] = [none]
        for point, site, time_ms in blocks:
            keys.append(point * np.int64(n_sites) + site)
            times.append(time_ms)
        key, time = np.concatenate(keys), np.concatenate(times)
        del keys, times  # memory is what limits a check
        order = np.argsort(key)
        key, time = key[order], time[order]
        first = np.ones(len(key), dtype=bool)
        np.not_equal(key[1:], key[:-1], out=first[1:])
        if not first.all():
            key, time = key[first], np.minimum.reduceat(time, np.flatnonzero(first))
        return cls(key // n_sites, key % n_sites, time)

    @cached_property
    def _by_site(self) -> tuple[IntArray, IntArray]:
        """Positions of the pairs in the order of their sites, and the sites in that order."""
        order = np.argsort(self.site, kind="stable")
        return order, self.site[order]

    def of_site(self, site: int) -> tuple[IntArray, IntArray]:
        """Points within reach of a site, in rising order, and their milliseconds."""
        order, sites = self._by_site
        mine = order[np.searchsorted(sites, site, "left") : np.searchsorted(sites, site, "right")]
        return self.point[mine], self.time_ms[mine]

    def scaled(self, factor: float, limit_ms: int) -> Pairs:
        """Times of somebody who takes ``factor`` times as long, to the nearest millisecond, up to a limit."""
        time_ms = np.rint(self.time_ms * factor).astype(np.int64)
        near = time_ms <= limit_ms
        return Pairs(self.point[near], self.site[near], time_ms[near])
