"""Clocks that stand still while something is done that later runs need not do."""

from __future__ import annotations

import time

import numba
import numpy as np
import pytest

from nearer.kernels import jit
from nearer.progress import HOLDS, Holds, Stop


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_held_does_not_count_however_holds_are_nested() -> None:
    clock = Clock()
    stop = Stop(10.0, clock)
    clock.now = 4.0
    HOLDS.begin()
    clock.now = 50.0
    assert not stop()
    later = stop.within(3.0)
    HOLDS.begin()
    HOLDS.end()
    clock.now = 100.0
    assert (stop.elapsed_s, later.elapsed_s) == (4.0, 0.0)
    HOLDS.end()
    assert (stop.remaining_s, later.remaining_s) == (6.0, 3.0)
    clock.now = 103.0
    assert (stop(), later()) == (False, True)
    clock.now = 106.0
    assert stop()


def test_who_wants_to_know_is_told_of_the_first_hold_alone() -> None:
    told: list[int] = []
    holds = Holds()
    holds.tell = lambda: told.append(1)
    for _ in range(2):
        holds.begin()
        holds.end()
    assert told == [1]


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_a_limit_does_not_count_what_is_compiled() -> None:
    assert jit.kernel  # which listens
    stop = Stop()
    began_s = time.monotonic()
    compiled = numba.njit(lambda values: values.cumsum().sum())
    assert compiled(np.ones(3)) == 6.0
    spent_s = time.monotonic() - began_s
    assert stop.elapsed_s < spent_s / 2
