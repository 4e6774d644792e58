"""What the expansion drivers share: rows of the pairs that can matter, and notes of what each step took."""

from __future__ import annotations

import time
from typing import Any

import numpy as np


class Laps:
    """Seconds on the clock and of the processor from one lap to the next."""

    def __init__(self) -> None:
        self.noted: dict[str, Any] = {}
        self._clock, self._cpu = time.perf_counter(), time.process_time()

    def lap(self, name: str) -> None:
        """Note the seconds since the last lap."""
        clock, cpu = time.perf_counter(), time.process_time()
        self.noted[f"{name}_s"], self.noted[f"{name}_cpu_s"] = clock - self._clock, cpu - self._cpu
        self._clock, self._cpu = clock, cpu


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
