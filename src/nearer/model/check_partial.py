"""
The independent check of a partial set cover: what is covered, and the bound that a certificate proves, in plain NumPy.

Nothing here is shared with the solvers or their kernels.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model.certificate import Certificate
from nearer.model.certified_tree import check_arrays, shares
from nearer.model.evaluate import pair_rows
from nearer.model.instance import Instance
from nearer.units import BoolArray, FloatArray, IntArray

_ROUNDING = 1e-12  # relative error allowed for each sum, far above float64's


def covered_weight(instance: Instance, open_mask: BoolArray) -> float:
    """Weight of the rows that an open site covers."""
    reached = np.zeros(instance.n_rows, dtype=bool)
    reached[pair_rows(instance)[open_mask[instance.site_idx]]] = True
    return math.fsum(instance.weight[0][reached])


def certified_partial(instance: Instance, needed: float, certificate: Certificate, cutoff: float = math.inf) -> float:
    """
    The least price that a certificate proves for covering at least ``needed``.

    Its multipliers hold λ ≥ 0 of the rows and, behind them, μ ≥ 0. With U the weight that may stay uncovered, O the
    sites fixed open and F those not decided,

    ``L = −μ U + Σ_i min(λ_i, μ w_i) + Σ_{j∈O} (f_j − Λ_j) + Σ_{j∈F} min(0, f_j − Λ_j)``, Λ_j = Σ λ over its rows,

    is a lower bound: the Lagrangian of covering each row or paying for it, and of paying for no more than U. The least
    L over the leaves of the tree and the opposites of its fixings is proven, rounded up where all prices are whole.

    Raises
    ------
    CheckFailedError
        The arrays do not fit, a multiplier is negative, or the tree leaves a plan out.
    """
    multipliers = certificate.multipliers
    if multipliers.ndim != 2 or multipliers.shape[1] != instance.n_rows + 1:
        raise CheckFailedError("The certificate proves nothing: its multipliers do not fit the rows.")
    if not np.all(multipliers >= 0) or not np.isfinite(multipliers).all():
        raise CheckFailedError("The certificate proves nothing: a multiplier is below 0.")
    plain = replace(certificate, multipliers=np.ascontiguousarray(multipliers[:, :-1]))
    check_arrays(instance, plain)
    weight = np.asarray(instance.weight[0])
    spare = math.fsum(weight) - needed
    rows, price = pair_rows(instance), np.asarray(instance.price, dtype=np.float64)

    def bound(at: int, here: IntArray) -> float:
        lam, mu = multipliers[at, :-1], float(multipliers[at, -1])
        lam = np.minimum(lam, mu * weight)
        reduced: FloatArray = price - np.bincount(instance.site_idx, lam[rows], minlength=instance.n_sites)
        terms = [-mu * spare, *lam, *reduced[here == 1], *np.minimum(reduced[here < 0], 0.0)]
        return math.fsum(terms) - _ROUNDING * math.fsum(np.abs(terms))

    least = min(bound(share.multiplier, share.state) for share in shares(instance, plain))
    least = min(least, cutoff)
    if np.all(price % 1 == 0) and math.isfinite(least):
        least = float(math.ceil(least - 1e-9))
    return min(max(least, 0.0), cutoff)
