"""Filling centres in a given order of pairs."""

from __future__ import annotations

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray


@kernel
def fill_in_order(
    order: IntArray,
    row: IntArray,
    site: IntArray,
    cost: FloatArray,
    waiting: FloatArray,
    left: FloatArray,
    rate: FloatArray,
) -> tuple[float, float]:
    """
    Serve pairs in turn, each as far as its row still waits and its site has room.

    Parameters
    ----------
    order
        Positions of pairs, int64 (n,).
    row, site, cost
        Of all pairs.
    waiting, left
        Need of each row and room of each site, float64; changed in place.
    rate
        People per unit of need of each row.

    Returns
    -------
    walked, served
        Σ people × cost, and people served.
    """
    walked, served = 0.0, 0.0
    for e in order:
        i, j = row[e], site[e]
        taken = min(waiting[i], left[j])
        if taken > 0.0:
            waiting[i] -= taken
            left[j] -= taken
            walked += taken * rate[i] * cost[e]
            served += taken * rate[i]
    return walked, served
