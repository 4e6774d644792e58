"""Points cell by cell against every pair at once, on whole coordinates with ties and on any."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from nearer.kernels.cells import Cells
from nearer.units import FloatArray


def random_places(rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    """Places on a few whole coordinates, or anywhere in a strip."""
    if rng.random() < 0.5:
        return tuple(rng.integers(0, int(rng.choice([1, 4, 40])), (2, n)).astype(np.float64))  # type: ignore[return-value]
    return rng.uniform(-5, 90, n), rng.uniform(1000, 1010, n)


def every_square(cells: Cells, at: tuple[FloatArray, FloatArray]) -> FloatArray:
    return np.asarray(np.square(cells.x[:, None] - at[0]) + np.square(cells.y[:, None] - at[1]))


@pytest.mark.parametrize("threads", [1, 2])
def test_sums_and_their_extremes_are_those_of_every_pair(threads: int) -> None:
    rng = np.random.default_rng(8)
    for _ in range(60):
        x, y = random_places(rng, int(rng.integers(1, 700)))
        cells, order = Cells.of(x, y)
        assert np.array_equal(cells.x, x[order])
        assert np.array_equal(cells.y, y[order])
        some = rng.integers(0, len(x), 9)
        at = (x[some] + rng.choice([0.0, 0.5], 9), y[some])
        share = rng.integers(1, 5, 9) / 4.0  # their sums are exact in any order
        squared = float(rng.choice([0.0, 1.0, 25.0, 400.0]))
        wanted = (share * (every_square(cells, at) <= squared)).sum(axis=1)
        assert np.array_equal(cells.sums(at, share, squared, threads), wanted)
        cell = np.repeat(np.arange(len(cells.ptr) - 1), np.diff(cells.ptr))
        for sign in (1.0, -1.0):
            value, who = cells.extremes(at, share, squared, sign, 1.0, threads)
            assert np.array_equal(value, wanted[who])
            best = np.full(len(cells.ptr) - 1, -np.inf)
            np.maximum.at(best, cell, sign * wanted)
            assert np.array_equal(np.sort(cell[who]), np.flatnonzero(best > sign * 1.0))
            assert np.array_equal(sign * value, best[cell[who]])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_nearest_place_is_the_first_of_the_nearest_and_hulls_keep_their_corners(threads: int) -> None:
    rng = np.random.default_rng(9)
    for _ in range(40):
        x, y = random_places(rng, int(rng.integers(1, 3000)))
        cells, _ = Cells.of(x, y)
        some = rng.integers(0, len(x), 5)
        at = (x[some], y[some])
        squared, whose, only = cells.nearest(at, threads)
        every = every_square(cells, at)
        assert np.array_equal(squared, every.min(axis=1))
        assert np.array_equal(whose, every.argmin(axis=1))
        alone = np.repeat(only, np.diff(cells.ptr))
        assert np.array_equal(alone[alone >= 0], whose[alone >= 0])
        outline = cells.outline(only)
        for k in range(5):
            mine = np.flatnonzero(whose == k)
            spread = np.column_stack([cells.x[mine], cells.y[mine]])
            if len(mine) > 3 and np.linalg.matrix_rank(spread - spread[0]) == 2:
                corners = spread[ConvexHull(spread).vertices]
                kept = np.column_stack([cells.x[outline], cells.y[outline]])
                assert {*map(tuple, corners)} <= {*map(tuple, kept)}
