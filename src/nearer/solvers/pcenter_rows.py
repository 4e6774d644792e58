"""What the p-center's parts share: the instance as kernels take it, and its values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.kernels import covering as kernels
from nearer.model import Instance
from nearer.units import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Rows:
    """
    Rows of an instance, not copied, and what they cost at best and with the sites that stand open.

    Parameters
    ----------
    indptr, site, cost, weight, free
        As in ``Instance``; ``free`` bool (n_sites,).
    cap, least
        Weighted cost with the sites that stand open, and the least possible, float64 (n_rows,); −inf at weight 0.
    k
        Free sites that may open.
    beyond
        A threshold above every finite value.
    """

    indptr: IntArray
    site: IntArray
    cost: IntArray | FloatArray
    weight: FloatArray
    free: BoolArray
    cap: FloatArray
    least: FloatArray
    k: int
    beyond: float

    @classmethod
    def of(cls, instance: Instance) -> Rows:
        """Take the rows of an instance of one phase without capacities."""
        weight = np.ascontiguousarray(instance.weight[0])
        site, indptr = instance.site_idx, instance.indptr
        cost: IntArray | FloatArray = instance.cost
        cap, least = kernels.row_limits(indptr, site, cost, weight, instance.unserved, instance.standing)
        full = np.diff(indptr) > 0
        last = weight[full] * cost[indptr[1:][full] - 1]
        alone = np.isfinite(instance.unserved)
        unserved = weight[alone] * instance.unserved[alone]
        top = max(float(last.max(initial=0.0)), float(unserved.max(initial=0.0)))
        k = min(int(instance.open_max[0]), int(instance.free_mask.sum()))
        beyond = float(np.nextafter(top, np.inf))
        return cls(indptr, site, cost, weight, instance.free_mask, cap, least if k else cap, k, beyond)

    @property
    def nnz(self) -> int:
        """Pairs."""
        return len(self.site)

    def paid(self, plan: IntArray) -> FloatArray:
        """What each row costs with these free sites open, float64 (n_rows,)."""
        chosen = np.zeros(len(self.free), dtype=bool)
        chosen[plan] = True
        return np.asarray(kernels.plan_costs(self.indptr, self.site, self.cost, self.weight, self.cap, chosen))

    def value(self, plan: IntArray) -> float:
        """The dearest row of a plan; 0 where nobody counts."""
        return float(self.paid(plan).max(initial=0.0))

    def at_least(self, threshold: float) -> float:
        """The least value a plan can have that is not below the threshold; ``inf`` where there is none."""
        return float(kernels.next_value(self.indptr, self.site, self.cost, self.weight, self.cap, self.free, threshold))

    def between(self, low: float, high: float) -> float | None:
        """
        A value about the middle of those above ``low`` and below ``high``, None where there is none.

        The median of the rows' medians, weighted by how many values they stand for: at least a quarter of all lies on
        either side.
        """
        value, count = kernels.middles(self.indptr, self.cost, self.weight, self.cap, low, high)
        some = np.flatnonzero(count)
        if len(some):
            order = some[np.argsort(value[some], kind="stable")]
            sums = np.cumsum(count[order])
            middle = self.at_least(float(value[order[np.searchsorted(sums, (sums[-1] + 1) // 2)]]))
            if middle < high:
                return middle
        # The rest may be caps, or values that only sites which may not open have.
        following = self.at_least(float(np.nextafter(low, np.inf)))
        return following if following < high else None
