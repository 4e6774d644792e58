"""Seconds on the clock and of the processor from one lap to the next."""

from __future__ import annotations

import time
from typing import Any


class Laps:
    """What each step took, in ``noted``."""

    def __init__(self) -> None:
        self.noted: dict[str, Any] = {}
        self._clock, self._cpu = time.perf_counter(), time.process_time()

    def lap(self, name: str) -> None:
        """Note the seconds since the last lap."""
        clock, cpu = time.perf_counter(), time.process_time()
        self.noted[f"{name}_s"], self.noted[f"{name}_cpu_s"] = clock - self._clock, cpu - self._cpu
        self._clock, self._cpu = clock, cpu
