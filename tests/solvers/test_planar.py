"""Large p-medians in the plane: against all pairs, and against sums written out in NumPy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.model import Status
from nearer.model.check import certified_bound, recompute_value
from nearer.model.evaluate_points import bound_of_points
from nearer.model.plane import ROUND, PlaneRows, Rounding
from nearer.progress import Stop
from nearer.solvers.between import Between
from nearer.solvers.budget import Budget
from nearer.solvers.openness import Smoothed, onto
from nearer.solvers.planar import solve_planar, tiles_of
from nearer.solvers.tiles import PlaneDual
from nearer.units import FloatArray

ROUNDINGS: tuple[Rounding, ...] = ("exact", "floor", "round", "ceil")


def towns(seed: int, n: int, m: int, rounding: Rounding = "exact", *, weighted: bool = False) -> PlaneRows:
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 1000, (6, 2))
    points = centre[rng.integers(0, 6, n)] + rng.normal(0, 60, (n, 2))
    sites = centre[rng.integers(0, 6, m)] + rng.normal(0, 60, (m, 2))
    weight = rng.integers(0, 5, n).astype(float) if weighted else np.ones(n)
    return PlaneRows(points[:, 0], points[:, 1], weight, sites[:, 0], sites[:, 1], rounding)


def costs(rows: PlaneRows) -> FloatArray:
    return ROUND[rows.rounding](np.hypot(rows.x[:, None] - rows.site_x, rows.y[:, None] - rows.site_y))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from(ROUNDINGS), st.booleans())
def test_what_is_proven_about_points_holds_for_all_pairs(seed: int, p: int, rounding: Rounding, weighted: bool) -> None:
    rows = towns(seed, 60, 9, rounding, weighted=weighted)
    full = rows.instance(np.full(60, np.inf), p)
    best = min(recompute_value(full, np.isin(np.arange(9), chosen)) for chosen in map(list, combinations(range(9), p)))
    instance, solution = solve_planar(rows, p, gap=0.0)
    assert solution.certificate is not None
    proven = certified_bound(full, solution.certificate, solution.objective)
    assert solution.bound - 1e-6 <= proven <= best + 1e-6
    assert recompute_value(full, solution.open_mask) == pytest.approx(solution.objective, abs=1e-9)
    assert recompute_value(instance, solution.open_mask) == pytest.approx(solution.objective, abs=1e-9)
    assert best <= solution.objective + 1e-9


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_one_site_of_many_is_proven_by_one_look_at_all_pairs(rounding: Rounding) -> None:
    rows = towns(5, 2000, 300, rounding, weighted=True)
    each = rows.weight @ costs(rows)
    _, solution = solve_planar(rows, 1, gap=0.0)
    assert solution.status is Status.OPTIMAL
    assert solution.work <= 2000 * 300
    assert np.flatnonzero(solution.open_mask)[0] == each.argmin()
    assert solution.objective == pytest.approx(each.min(), rel=1e-12)
    assert solution.certificate is not None
    assert bound_of_points(rows, 1, solution.certificate) == pytest.approx(each.min(), rel=1e-9)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_tiles_see_what_all_pairs_show(rounding: Rounding) -> None:
    rows = towns(1, 700, 90, rounding, weighted=True)
    tiles = tiles_of(rows)
    cost = costs(rows)[tiles.order]
    lam = np.random.default_rng(2).uniform(20, 200, 700)
    rho = PlaneDual(tiles, 9).rho(lam)
    assert rho == pytest.approx((tiles.weight[:, None] * np.minimum(cost - lam[:, None], 0)).sum(axis=0))
    chosen = np.array([3, 40, 41, 77], dtype=np.int32)
    slope = np.empty(700)
    PlaneDual(tiles, 9).slope(lam, chosen, slope)
    assert slope.tolist() == (tiles.weight * (1 - (cost[:, chosen] < lam[:, None]).sum(axis=1))).tolist()
    d1, a1, d2 = tiles.two_nearest(chosen)
    assert d1 == pytest.approx(np.sort(cost[:, chosen], axis=1)[:, 0])
    assert d2 == pytest.approx(np.sort(cost[:, chosen], axis=1)[:, 1])
    assert a1.tolist() == chosen[cost[:, chosen].argmin(axis=1)].tolist()


def test_the_slope_of_openness_is_what_a_little_more_would_save() -> None:
    tiles = tiles_of(towns(3, 300, 40, weighted=True))
    share = onto(np.random.default_rng(4).uniform(0, 1, 40), 7)
    assert share.sum() == pytest.approx(7)
    cost_of, budget, lam = Smoothed(tiles), Budget(Stop()), np.full(300, 50.0)
    cost, slope, found = cost_of(share, lam, 5.0, budget)
    distance = np.hypot(tiles.x[:, None] - tiles.site_x, tiles.y[:, None] - tiles.site_y)
    taken = share * np.clip((found[:, None] - distance) / 5.0, 0, 1)
    assert taken.sum(axis=1) == pytest.approx(1.0)
    extra = np.divide(taken**2, share, out=np.zeros_like(taken), where=share > 0)
    assert cost == pytest.approx(float((tiles.weight[:, None] * (distance * taken + 2.5 * extra)).sum()))
    for j in np.flatnonzero(share)[:5]:
        more = share.copy()
        more[j] += 1e-5
        assert (cost_of(more, lam, 5.0, budget)[0] - cost) / 1e-5 == pytest.approx(slope[j], rel=1e-3, abs=1e-2)


def test_between_cells_values_are_linear_and_beside_all_of_them_those_of_the_rim() -> None:
    tiles = tiles_of(towns(7, 900, 20, weighted=True))
    cells, cell = tiles.cells(10)
    own = np.repeat(np.arange(cells.n), np.diff(cell))
    between = Between(cells, tiles.x, tiles.y, own)
    assert np.allclose(between.share.sum(axis=1), 1.0)
    assert between.share.min() >= 0.0
    assert (cells.weight[between.corner] > 0).all()
    carried = np.column_stack([between(cells.x), between(cells.y)])
    off = np.hypot(*(carried - np.column_stack([tiles.x, tiles.y])).T)
    # A point's place is a value like another: carried over it is the point, or lies on the rim.
    assert (off < 1e-6).mean() > 0.8
    rim = off >= 1e-6
    assert (np.sort(between.share[rim], axis=1)[:, 0] == 0.0).all()


@pytest.mark.parametrize("flat", [(1.0, 0.0), (0.0, 0.0)])
def test_cells_on_a_line_or_in_one_place_give_each_point_the_value_of_its_own(flat: tuple[float, float]) -> None:
    rows = towns(7, 300, 20)
    tiles = tiles_of(PlaneRows(flat[0] * rows.x, flat[1] * rows.y, rows.weight, rows.site_x, rows.site_y, "exact"))
    cells, cell = tiles.cells(10)
    own = np.repeat(np.arange(cells.n), np.diff(cell))
    value = np.arange(cells.n, dtype=float)
    assert np.array_equal(Between(cells, tiles.x, tiles.y, own)(value), value[own])


def test_a_large_problem_is_proven_close_to_the_optimum_for_any_number_of_threads() -> None:
    rows = towns(5, 12_000, 300)
    (_, one), (_, two) = (solve_planar(rows, 6, gap=1e-4, threads=k) for k in (1, 2))
    assert one.status in (Status.GAP, Status.OPTIMAL)
    assert (one.objective, one.bound, one.work) == (two.objective, two.bound, two.work)
    assert np.array_equal(one.level, two.level)
    assert one.certificate is not None
    assert two.certificate is not None
    assert np.array_equal(one.certificate.multipliers, two.certificate.multipliers)
    assert len(one.certificate.fix_site) > 0
    full = rows.instance(np.full(rows.n_rows, np.inf), 6)
    assert certified_bound(full, one.certificate, one.objective) >= one.bound - 1e-6


def test_a_run_that_is_stopped_at_once_still_leaves_a_plan_and_a_bound() -> None:
    stop = Stop()
    stop.cancel()
    _, solution = solve_planar(towns(6, 3_000, 100), 5, stop=stop)
    assert int(solution.open_mask.sum()) == 5
    assert 0 <= solution.bound <= solution.objective
