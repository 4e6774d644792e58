"""Kernels of outages: draws of lost sites, exact expectations, and who finds room."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray


@kernel
def nearest_with_room(
    row: IntArray, site: IntArray, time_ms: IntArray, left: FloatArray, room: FloatArray
) -> tuple[FloatArray, float]:
    """
    Serve pairs in their order while people are left and the site has room.

    Parameters
    ----------
    row, site, time_ms
        Pairs, nearest first, (n_pairs,).
    left
        People of each row, float64 (n_rows,); changed to those not served.
    room
        People each site can serve, float64 (n_sites,), changed to what is left.

    Returns
    -------
    served, walked_ms
        People served by each site, and their people × ms.
    """
    served = np.zeros(len(room))
    walked = 0.0
    for e in range(len(row)):
        i, j = row[e], site[e]
        if left[i] > 0.0 and room[j] > 0.0:
            part = min(left[i], room[j])
            left[i] -= part
            room[j] -= part
            served[j] += part
            walked += part * time_ms[e]
    return served, walked
