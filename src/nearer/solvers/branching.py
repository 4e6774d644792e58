"""
Which site to branch on: what fixing each brought so far, and, where that was not seen often, a look ahead.

A site's pseudocosts are how much the relaxation rose, for each unit that its openness moved, when it was closed and
when it was opened. Sites whose pseudocosts rest on few cases are tried in the linear programme for a few iterations of
the simplex (reliability branching: Achterberg, Koch, Martin 2005).
"""

from __future__ import annotations

import numpy as np

from nearer.lp import Lp
from nearer.units import FloatArray, IntArray

_RELIABLE = 4  # cases of each kind, from which on a site is not tried
_LOOKS = 12  # sites tried at a node, at most
_PATIENCE = 5  # sites looked at one after the other that are no better than the best
_ITERATIONS = 60  # of each trial
_LEAST = 1e-6  # a rise, as a share of what is missing, below which one is as good as the other


class Branching:
    """Pseudocosts of m sites in one relaxation, in the units of its linear programme."""

    def __init__(self, m: int) -> None:
        self.total: FloatArray = np.zeros((2, m))
        self.seen: IntArray = np.zeros((2, m), dtype=np.int64)

    def saw(self, site: int, value: int, moved: float, rise: float) -> None:
        """The relaxation rose so much when a site's openness moved so far to 0 or 1."""
        if moved > 0:
            self.total[value, site] += max(rise, 0.0) / moved
            self.seen[value, site] += 1

    def rises(self, y: FloatArray) -> FloatArray:
        """How much closing and opening each site should bring, float64 (2, m)."""
        mean = self.total.sum(axis=1) / np.maximum(self.seen.sum(axis=1), 1)
        mean[mean <= 0] = 1.0
        known = self.total / np.maximum(self.seen, 1)
        return np.asarray(np.where(self.seen > 0, known, mean[:, None]) * np.stack([y, 1.0 - y]))

    def choose(self, lp: Lp, y: FloatArray, fractional: IntArray, room: float) -> int:
        """
        The site whose two branches are expected to rise most, as a product.

        Parameters
        ----------
        lp
            As solved at this node, sites first; their bounds here are 0 and 1.
        y, fractional
            Openness of sites, and those to choose from.
        room
            Rise at which a branch ends.
        """
        least = _LEAST * room
        rises = np.clip(self.rises(y)[:, fractional], least, room)
        score = rises[0] * rises[1]
        best, best_score = -1, -1.0
        looks = idle = 0
        base, start = lp.objective, None
        for k in np.argsort(-score, kind="stable"):
            site = int(fractional[k])
            now = float(score[k])
            if self.seen[:, site].min() < _RELIABLE and looks < _LOOKS:
                if start is None:
                    start = lp.basis()
                looks += 1
                rise = [0.0, 0.0]
                for value in (0, 1):
                    rise[value] = lp.look(site, float(value), start, _ITERATIONS) - base
                    self.saw(site, value, abs(value - float(y[site])), min(rise[value], room))
                if max(rise) >= room:
                    return site
                now = max(rise[0], least) * max(rise[1], least)
            if now > best_score:
                best, best_score, idle = site, now, 0
            else:
                idle += 1
                if idle >= _PATIENCE:
                    break
        return best
