"""What is left to choose of a p-median whose rows lie in regions: all but the entries, and what is asked of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from nearer.model import FREE, OPEN, Instance
from nearer.model.instance import single_phase
from nearer.solvers import regions as asked
from nearer.solvers.core import Core, cheapest_set
from nearer.solvers.interchange import Field, in_units, scale_for
from nearer.solvers.regions import Regions
from nearer.units import BoolArray, FloatArray, IntArray

_EPS = float(np.finfo(np.float64).eps)


class Outline:
    """
    What is left to choose, as ``Core`` has it, without the entries.

    Parameters
    ----------
    regions, standing, ground
        Who holds them, what stands by now, and the problem without rows.
    k_min, k_max
        Free sites to open, at least and at most.
    """

    def __init__(self, regions: Regions, ground: Instance, standing: IntArray, k_min: int, k_max: int) -> None:
        self.regions, self.standing = regions, standing
        found = regions.ask(asked.outline, standing=standing)
        self.site = np.flatnonzero(standing == FREE).astype(np.int32)
        self.price = ground.price[self.site]
        self.k_min, self.k_max = k_min, min(k_max, len(self.site))
        self.base = float(ground.price[standing == OPEN].sum())
        self.full: FloatArray = np.concatenate([one["full"] for one in found])
        self.first_row = np.cumsum([0, *(len(one["full"]) for one in found)])
        self.base += sum(float(one["base"]) for one in found)
        self.row: IntArray = self._rows(found)
        ends = np.cumsum([0, *(len(one["row"]) for one in found)]).tolist()
        self.spans = list(pairwise(ends))
        self.cap: FloatArray = np.concatenate([one["cap"] for one in found])
        self.least: FloatArray = np.concatenate([one["least"] for one in found])
        self.n_entries: IntArray = np.sum([one["n_entries"] for one in found], axis=0)
        self.nnz = int(self.n_entries.sum())
        self.whole = all(bool(one["whole"]) for one in found) and bool(np.all(ground.price % 1 == 0))

    def _rows(self, found: list[asked.Arrays]) -> IntArray:
        """Rows of the problem, from rows of regions."""
        return np.concatenate(
            [one["row"].astype(np.int64) + first for one, first in zip(found, self.first_row, strict=False)]
        )

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.cap)

    @property
    def m(self) -> int:
        """Free sites."""
        return len(self.site)

    @property
    def decided(self) -> bool:
        """Whether nothing is left to choose: no row depends on it and no price."""
        return self.m == self.k_min or self.k_max == 0 or (self.n == 0 and not self.price.any())

    def cheapest_set(self, rank: FloatArray) -> IntArray:
        """As ``Core.cheapest_set``."""
        return cheapest_set(rank, self.k_min, self.k_max)

    def value(self, plan: IntArray) -> float:
        """Cost of a plan."""
        mask = np.zeros(self.m, dtype=bool)
        mask[plan] = True
        found = self.regions.ask(asked.cost_of, standing=self.standing, plan=mask)
        return self.base + float(self.price[plan].sum()) + sum(float(one["cost"]) for one in found)

    def prices(self, lam: FloatArray) -> FloatArray:
        """ρ of every site, summed in the order of the regions."""
        rho = self.price.copy()
        for one in self.regions.ask(asked.saved, self.spans, standing=self.standing, lam=lam):
            rho[one["site"]] += one["saved"]
        return rho

    def brought_here(self, keep: BoolArray) -> Core:
        """All that is left at some sites, entries and all."""
        found = self.regions.ask(asked.entries, standing=self.standing, keep=keep)
        ptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate([one["length"] for one in found]))])
        return Core(
            base=self.base + sum(float(one["base"]) for one in found),
            k_min=self.k_min,
            k_max=min(self.k_max, int(keep.sum())),
            price=self.price[keep],
            site=self.site[keep],
            row=self._rows(found).astype(np.int32),
            cap=np.concatenate([one["cap"] for one in found]),
            ptr=ptr,
            col=np.concatenate([one["col"] for one in found]),
            val=np.concatenate([one["val"] for one in found]),
        )


class Assignment:
    """The relaxed assignment rows of an outline, for ``volume``; ``seen`` is told what each iteration opens."""

    def __init__(self, outline: Outline, seen: list[IntArray]) -> None:
        self.outline, self.seen = outline, seen
        self.low, self.high, self.m = outline.least, outline.cap, outline.m

    def evaluate(self, lam: FloatArray) -> tuple[float, FloatArray, IntArray]:
        """L(λ), ρ and the cheapest set of sites."""
        rho = self.outline.prices(lam)
        chosen = self.outline.cheapest_set(rho)
        return self.outline.base + float(lam.sum()) + float(rho[chosen].sum()), rho, chosen

    def slope(self, lam: FloatArray, chosen: IntArray, out: FloatArray) -> int:
        """Supergradient at λ; returns the work done."""
        outline = self.outline
        self.seen.append(chosen)
        mask = np.zeros(outline.m, dtype=bool)
        mask[chosen] = True
        told = {"standing": outline.standing, "lam": lam, "chosen": mask}
        out[:] = 1.0
        for (first, last), one in zip(
            outline.spans, outline.regions.ask(asked.served, outline.spans, **told), strict=True
        ):
            out[first:last] -= one["times"]
        return outline.nnz + outline.n + outline.m

    def safe(self, bound: float, lam: FloatArray, rho: FloatArray) -> float:
        """L(λ) rounded down, as ``lagrangian.rounded_down``."""
        outline = self.outline
        size = abs(outline.base) + float(np.abs(lam).sum()) + float(np.abs(rho).sum()) + float(outline.price.sum())
        return bound - 4096 * _EPS * size


def field_of(outline: Outline, scale: float | None = None) -> Field:
    """What is left, as moves are asked for; ``scale`` where it is known from before."""
    if scale is None:
        scale = scale_for(outline.base + float(outline.cap.sum() + outline.price.sum()), outline.whole)
    price = in_units(outline.price, scale)
    return Field(outline.regions, outline.standing, outline.k_min, outline.k_max, price, scale)


def without_rows(standing: IntArray, open_min: int, open_max: int) -> Instance:
    """The sites of a problem, and how many may open."""
    none, nobody = np.zeros(0, dtype=np.int64), np.zeros(0)
    return single_phase(np.zeros(1, dtype=np.int64), none, none, nobody, nobody, standing, open_min, open_max)
