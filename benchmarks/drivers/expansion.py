"""What the expansion drivers share: rows of the pairs that can matter."""

from __future__ import annotations

from typing import Any

import numpy as np


def rows_that_matter(distance: Any, standing: Any) -> tuple[Any, Any, Any, Any]:
    """
    Candidates nearer than the nearest site that stands open: no other ever serves a point.

    Returns
    -------
    point, site, cost
        The pairs, points in order.
    nearest
        Distance to the nearest site that stands open, (n_points,).
    """
    nearest = distance[:, standing].min(axis=1)
    point, site = np.nonzero((distance < nearest[:, None]) & ~standing)
    return point, site, distance[point, site], nearest
