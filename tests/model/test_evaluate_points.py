"""Bounds of points in the plane, formed without their pairs: against those from all pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nearer.errors import CheckFailedError
from nearer.model import Certificate, evaluate, evaluate_points
from nearer.model.check import certified_bound, recompute_value
from nearer.model.evaluate_points import bound_of_points, value_of_points
from nearer.model.plane import PlaneRows, Rounding

FIXINGS = ("fix_node", "fix_site", "fix_value", "fix_multiplier")


def points(seed: int, rounding: Rounding, n: int = 900, m: int = 60) -> PlaneRows:
    rng = np.random.default_rng(seed)
    xy, sites = rng.uniform(0, 500, (n, 2)), rng.uniform(0, 500, (m, 2))
    return PlaneRows(xy[:, 0], xy[:, 1], rng.integers(0, 4, n).astype(float), sites[:, 0], sites[:, 1], rounding)


@pytest.mark.parametrize("rounding", ["exact", "floor", "round", "ceil"])
def test_points_prove_what_all_pairs_prove(rounding: Rounding) -> None:
    rows = points(1, rounding)
    full = rows.instance(np.full(rows.n_rows, np.inf), 7)
    rng = np.random.default_rng(2)
    for _ in range(5):
        lam = rows.weight * rng.uniform(0, rng.uniform(20, 200), rows.n_rows)
        if rounding != "exact":
            lam = np.floor(lam)
        certificate = Certificate.root_only(lam)
        assert bound_of_points(rows, 7, certificate) == pytest.approx(certified_bound(full, certificate), rel=1e-11)
    chosen = np.array([0, 9, 33])
    assert value_of_points(rows, chosen) == pytest.approx(recompute_value(full, np.isin(np.arange(60), chosen)))


@pytest.mark.parametrize("rounding", ["exact", "floor"])
def test_points_prove_what_all_pairs_prove_with_cuts_too(rounding: Rounding) -> None:
    rows = points(7, rounding, n=300)
    full = rows.instance(np.full(rows.n_rows, np.inf), 7)
    rng = np.random.default_rng(8)
    weighty = np.flatnonzero(rows.weight > 0)
    plain = Certificate.root_only(rows.weight * rng.uniform(0, 90, rows.n_rows))
    certificate = replace(
        plain,
        cut_start=np.arange(0, 61, 3).astype(np.int32),
        cut_row=rng.choice(weighty, 60).astype(np.int32),
        cut_site=rng.integers(0, 60, 60).astype(np.int32),
        take_multiplier=np.zeros(20, dtype=np.int32),
        take_cut=np.arange(20, dtype=np.int32),
        take_amount=rng.uniform(0, 9, 20),
    )
    bound = bound_of_points(rows, 7, certificate)
    assert bound == pytest.approx(certified_bound(full, certificate), rel=1e-11)
    assert bound != bound_of_points(rows, 7, plain)


@pytest.mark.parametrize("rounding", ["exact", "floor"])
def test_opposites_bounded_together_prove_what_they_prove_one_by_one(
    rounding: Rounding, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = points(3, rounding, n=400, m=160)
    full = rows.instance(np.full(rows.n_rows, np.inf), 5)
    rng = np.random.default_rng(4)
    lam = np.floor(rng.uniform(40, 120, (2, rows.n_rows)) * rows.weight)
    site = rng.permutation(160)[:140]
    value = (np.arange(140) % 70 < 2).astype(np.int32)
    certificate = replace(
        Certificate.root_only(lam[0]),
        multipliers=lam,
        fix_node=np.zeros(140, dtype=np.int32),
        fix_site=site.astype(np.int32),
        fix_value=value,
        fix_multiplier=np.ones(140, dtype=np.int32),
    )
    one_by_one = certified_bound(full, certificate)
    monkeypatch.setattr(evaluate, "_MANY", 100)
    together = bound_of_points(rows, 5, certificate)
    assert together <= one_by_one + 1e-6
    # Decided in order, later opposites may be bounded higher: not where nothing is decided but the last.
    last = replace(
        certificate,
        **{name: getattr(certificate, name)[-1:] for name in FIXINGS},
    )
    one = certified_bound(full, last)
    monkeypatch.setattr(evaluate, "_MANY", 0)
    assert bound_of_points(rows, 5, last) == pytest.approx(one, rel=1e-11)
    twice = replace(certificate, fix_site=np.full_like(certificate.fix_site, 3))
    with pytest.raises(CheckFailedError, match="a second time"):
        bound_of_points(rows, 5, twice)


def test_each_opposite_is_bounded_as_if_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = points(5, "exact", n=200, m=20)
    full = rows.instance(np.full(rows.n_rows, np.inf), 3)
    certificate = Certificate.root_only(rows.weight * np.random.default_rng(6).uniform(100, 200, rows.n_rows))
    monkeypatch.setattr(evaluate, "_MANY", 0)
    zero = np.zeros(1, dtype=np.int32)
    for site in range(20):
        for value in (0, 1):
            parts = {"fix_node": zero, "fix_site": zero + site, "fix_value": zero + value, "fix_multiplier": zero}
            asked = replace(certificate, **parts)
            closed, opened = evaluate.decided_bounds(full, certificate.multipliers[0])
            leaf = evaluate.Bounds.of(full, certificate.multipliers)
            state = np.where(np.arange(20) == site, value, -1).astype(np.int8)
            alone = min((opened if value == 0 else closed)[site], leaf.at(0, state))
            assert bound_of_points(rows, 3, asked) == pytest.approx(max(alone, 0.0), rel=1e-11)


@pytest.mark.parametrize("rounding", ["exact", "floor"])
def test_sites_that_are_closed_are_left_out_and_the_bound_stays(
    rounding: Rounding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tree of leaves with multipliers of their own and fixings between: as from all pairs, whatever the tiles."""
    rows = points(9, rounding, n=300, m=40)
    full = rows.instance(np.full(rows.n_rows, np.inf), 4)
    lam = np.floor(np.random.default_rng(10).uniform(60, 200, (3, rows.n_rows)) * rows.weight)
    fixed = np.arange(10, 30, dtype=np.int32)
    certificate = replace(
        Certificate.root_only(lam[0]),
        multipliers=lam,
        node_parent=np.array([-1, 0, 0], dtype=np.int32),
        node_site=np.array([-1, 3, 3], dtype=np.int32),
        node_value=np.array([-1, 1, 0], dtype=np.int32),
        node_multiplier=np.array([-1, 2, 2], dtype=np.int32),
        fix_node=np.zeros(20, dtype=np.int32),
        fix_site=fixed,
        fix_value=(fixed == 17).astype(np.int32),
        fix_multiplier=np.where(fixed < 20, 0, 1).astype(np.int32),
    )
    expected = certified_bound(full, certificate)
    assert expected > 0
    for cells in (1, 700, 32_768):
        monkeypatch.setattr(evaluate_points, "_CELLS", cells)
        for many in (0, 100):
            monkeypatch.setattr(evaluate, "_MANY", many)
            bound = bound_of_points(rows, 4, certificate)
            assert bound == pytest.approx(certified_bound(full, certificate), rel=1e-11)
    apart = np.hypot(rows.x[:, None] - rows.site_x, rows.y[:, None] - rows.site_y)
    dearest = np.minimum(rows.weight[:, None] * apart - lam[2][:, None], 0.0).sum(axis=0).argmin()
    split = replace(certificate, node_site=np.array([-1, dearest, dearest]))
    leaves = replace(split, **{name: np.zeros(0, dtype=np.int32) for name in FIXINGS})
    assert bound_of_points(rows, 4, leaves) == pytest.approx(certified_bound(full, leaves), rel=1e-11)
    # and never more than a plan costs
    assert bound <= recompute_value(full, np.isin(np.arange(40), [3, 17, 31, 35]))


def test_a_small_rest_of_large_sums_is_proven_closely() -> None:
    # All points of a lattice open but one, which pays one step: what is left of two thousand multipliers of one step.
    x, y = (part.ravel() / 2 for part in np.meshgrid(np.arange(48), np.arange(48)))
    rows = PlaneRows(x, y, np.ones(2304), x, y, "exact")
    instance = rows.instance(np.full(2304, 0.5), 2303)
    lam = np.full(2304, 0.5)
    assert 0.5 - 1e-10 <= certified_bound(instance, Certificate.root_only(lam)) <= 0.5
    state = np.full(2304, -1, dtype=np.int8)
    closed, opened = evaluate.Bounds.of(instance, lam.reshape(1, -1)).with_one_more(0, state)
    assert np.allclose(closed, 0.5, rtol=0, atol=1e-10)
    assert np.allclose(opened, 0.5, rtol=0, atol=1e-10)
