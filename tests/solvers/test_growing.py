"""Rows of nearest sites that grow: the same answers as with all pairs, and proofs that hold there."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.model import Instance, Status
from nearer.model.check import certified_bound, recompute_value
from nearer.model.plane import PlaneRows
from nearer.progress import Stop
from nearer.solvers import growing
from nearer.solvers.growing import solve_growing
from nearer.solvers.pmedian import solve_pmedian
from nearer.units import FloatArray


def plane(points: FloatArray, sites: FloatArray, *, whole: bool = True, weight: FloatArray | None = None) -> PlaneRows:
    return PlaneRows(
        points[:, 0],
        points[:, 1],
        np.ones(len(points)) if weight is None else weight,
        sites[:, 0],
        sites[:, 1],
        "floor" if whole else "exact",
    )


def all_pairs(rows: PlaneRows, p: int) -> Instance:
    return rows.instance(np.full(rows.n_rows, np.inf), p)


def scattered(seed: int, n: int, m: int, clusters: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 1000, (clusters, 2))
    points = np.floor(centre[rng.integers(0, clusters, n)] + rng.normal(0, 30, (n, 2)))
    return points, points[rng.permutation(n)[:m]]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.booleans(), st.booleans())
def test_growing_rows_find_the_optimum_of_all_pairs(seed: int, p: int, whole: bool, weighted: bool) -> None:
    points, sites = scattered(seed, 30, 9, 3)
    weight = np.random.default_rng(seed).integers(0, 5, 30).astype(float) if weighted else None
    rows = plane(points, sites, whole=whole, weight=weight)
    full = all_pairs(rows, p)
    best = min(recompute_value(full, np.isin(np.arange(9), chosen)) for chosen in map(list, combinations(range(9), p)))
    instance, solution = solve_growing(rows, p, gap=0.0)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(best, abs=1e-9)
    assert recompute_value(full, solution.open_mask) == pytest.approx(solution.objective, abs=1e-9)
    assert recompute_value(instance, solution.open_mask) == pytest.approx(solution.objective, abs=1e-9)
    assert solution.certificate is not None
    assert certified_bound(full, solution.certificate) >= solution.bound - 1e-6
    served = np.zeros(30)
    served[solution.row_idx] += solution.share
    assert np.all(served[rows.weight > 0] == 1)


def lattice(side: int) -> FloatArray:
    return np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2).astype(float)


def test_one_site_is_proven_as_soon_as_every_site_was_looked_at() -> None:
    rows = plane(lattice(24), lattice(24), whole=False)
    full = all_pairs(rows, 1)
    best = min(recompute_value(full, np.arange(576) == site) for site in (275, 276, 299, 300))
    _, solution = solve_growing(rows, 1, gap=0.0, work_limit=3 * 576**2)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(best, rel=1e-12)
    assert solution.certificate is not None
    assert certified_bound(full, solution.certificate) == pytest.approx(best, rel=1e-9)


def test_rows_that_end_too_early_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.floor(np.random.default_rng(4).uniform(0, 1000, (300, 2)))
    rows = plane(points, points)
    lengths: list[int] = []
    made = PlaneRows.instance

    def noted(self: PlaneRows, reach: FloatArray, p: int, threads: int = 1) -> Instance:
        instance = made(self, reach, p, threads)
        lengths.append(len(instance.site_idx))
        return instance

    monkeypatch.setattr(PlaneRows, "instance", noted)
    monkeypatch.setattr(growing, "_REACH", 0.4)
    _, short = solve_growing(rows, 15, gap=0.0)
    assert len(lengths) >= 3
    assert lengths[-1] > lengths[1]
    whole = solve_pmedian(all_pairs(rows, 15), gap=0.0)
    assert short.status is whole.status is Status.OPTIMAL
    assert short.objective == whole.objective


def test_a_run_that_ends_misled_by_short_rows_tells_its_best_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.floor(np.random.default_rng(4).uniform(0, 1000, (300, 2)))
    rows = plane(points, points)
    monkeypatch.setattr(growing, "_REACH", 0.2)
    monkeypatch.setattr(growing, "_AT_FIRST", 2)
    _, solution = solve_growing(rows, 15, gap=0.0, work_limit=100_000)
    assert solution.status is Status.FEASIBLE
    assert solution.objective == recompute_value(all_pairs(rows, 15), solution.open_mask)
    assert solution.objective == min(point.value for point in solution.trace) <= solution.trace[0].value


def test_a_run_that_is_stopped_at_once_has_a_true_value_and_a_bound_that_holds() -> None:
    points, _ = scattered(7, 400, 400, 5)
    rows = plane(points, points)
    full = all_pairs(rows, 8)
    best = solve_pmedian(full, gap=0.0).objective
    stop = Stop(None)
    stop.cancel()
    _, solution = solve_growing(rows, 8, stop=stop)
    assert solution.bound <= best <= solution.objective
    assert solution.objective == recompute_value(full, solution.open_mask)
    assert solution.certificate is not None
    assert certified_bound(full, solution.certificate, solution.objective) >= solution.bound


def test_threads_change_nothing() -> None:
    points, _ = scattered(9, 500, 500, 7)
    rows = plane(points, points)
    (one_rows, one), (two_rows, two) = (solve_growing(rows, 12, gap=0.0, threads=k) for k in (1, 2))
    assert np.array_equal(one_rows.site_idx, two_rows.site_idx)
    assert np.array_equal(one.level, two.level)
    assert (one.objective, one.bound, one.work) == (two.objective, two.bound, two.work)


def test_a_shorter_row_is_a_relaxation() -> None:
    points, _ = scattered(3, 120, 120, 4)
    rows = plane(points, points)
    full, cut = all_pairs(rows, 3), rows.instance(np.full(120, 40.0), 3)
    rng = np.random.default_rng(0)
    for _ in range(50):
        chosen = np.isin(np.arange(120), rng.permutation(120)[:3])
        assert recompute_value(cut, chosen) <= recompute_value(full, chosen)
    assert np.isinf(replace(full).unserved).all()
    assert np.isfinite(cut.unserved).all()


def test_what_the_tree_measures_is_what_all_pairs_say() -> None:
    points, sites = scattered(5, 200, 60, 4)
    rows = plane(points, sites)
    full = all_pairs(rows, 7)
    chosen = np.random.default_rng(1).permutation(60)[:7]
    assert rows.value_with(chosen) == recompute_value(full, np.isin(np.arange(60), chosen))
    nearest, second = rows.two_nearest(chosen)
    distance = np.sort(np.hypot(*(points[:, None, k] - sites[None, chosen, k] for k in (0, 1))), axis=1)
    assert np.allclose(nearest, distance[:, 0])
    assert np.allclose(second, distance[:, 1])
    assert np.isinf(rows.two_nearest(chosen[:1])[1]).all()


def test_the_first_plan_is_told_before_rows_are_made() -> None:
    points, sites = scattered(4, 200, 60, 5)
    rows = plane(points, sites)
    _, solution = solve_growing(rows, 6, gap=0.0)
    assert solution.trace[0].bound == -np.inf
    assert np.inf > solution.trace[0].value >= solution.objective
