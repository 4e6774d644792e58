"""Twofold cover against enumeration, its plain model and the independent checker."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.errors import UsageError
from nearer.model import FORBIDDEN, FREE, OPEN, Instance, Status, covering_instance
from nearer.model.check import certified_bound, check_solution, recompute_value
from nearer.progress import Stop
from nearer.solvers import solve
from nearer.solvers.twofold import solve_twofold
from nearer.testing.contract import check_proof


def random_cover(rng: np.random.Generator, m_most: int = 9) -> Instance:
    """A small covering full of equal rows, rows of few sites and rows of none; sites of every standing."""
    n, m = int(rng.integers(1, 16)), int(rng.integers(1, m_most + 1))
    rows, sites = np.nonzero(rng.random((n, m)) < rng.choice([0.2, 0.5, 0.9]))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    weight = rng.integers(0, 9, n).astype(np.float64) if rng.random() < 0.5 else rng.random(n) * 1e4
    standing = rng.choice([FREE, FREE, FREE, OPEN, FORBIDDEN], m).astype(np.int8)
    low, high = sorted(int(k) for k in rng.integers(0, int(np.sum(standing == FREE)) + 1, 2))
    second = [1.0, 0.5, 0.25, 0.8, 0.0, rng.random(n), rng.choice([0.0, 0.3, 1.0], n)][int(rng.integers(7))]
    low = low if rng.random() < 0.5 else high
    return covering_instance(indptr, sites, weight, standing, low, high, second_share=second)


def by_hand(instance: Instance, chosen: set[int]) -> float:
    """Weight that these open sites leave uncovered, counted row by row."""
    left = []
    for i in range(instance.n_rows):
        near = sum(int(j) in chosen for j in instance.site_idx[instance.indptr[i] : instance.indptr[i + 1]])
        share = float(instance.second_share[i])
        left.append(float(instance.weight[0, i]) * ((1 - share) * (near < 1) + share * (near < 2)))
    return math.fsum(left)


def enumerated(instance: Instance) -> float:
    standing = set(np.flatnonzero(instance.standing == OPEN).tolist())
    return min(
        by_hand(instance, standing | set(chosen))
        for k in range(int(instance.open_min[0]), int(instance.open_max[0]) + 1)
        for chosen in combinations(np.flatnonzero(instance.free_mask).tolist(), k)
    )


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_small_instances_are_solved_as_by_enumeration_and_proven(seed: int) -> None:
    instance = random_cover(np.random.default_rng(seed))
    best = enumerated(instance)
    solution = solve(instance, gap=0.0)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(best, rel=1e-9, abs=1e-9)
    assert solution.objective == pytest.approx(by_hand(instance, set(np.flatnonzero(solution.open_mask))), abs=1e-9)
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)
    two = solve(instance, gap=0.0, threads=2)
    assert (two.level.tolist(), two.bound, two.work) == (solution.level.tolist(), solution.bound, solution.work)
    stopped = Stop()
    stopped.cancel()
    for early in (
        solve(instance, gap=0.0, stop=stopped),
        solve(instance, gap=0.0, work_limit=max(solution.work // 2, 1)),
    ):
        assert early.bound <= best + 1e-9 * (1 + best)
        assert check_solution(instance, early) == []
        check_proof(instance, early)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_multipliers_prove_more_than_the_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instance = random_cover(rng, 6)
    certificate = solve(instance).certificate
    assert certificate is not None
    certificate.multipliers[:] = rng.exponential(1000.0, certificate.multipliers.shape)
    assert certified_bound(instance, certificate) <= enumerated(instance) * (1 + 1e-12)


@pytest.mark.parametrize("share", [0.3, 0.5, 1.0])
def test_a_hundred_sites_are_proven_and_a_start_is_taken(share: float) -> None:
    rng = np.random.default_rng(3)
    x, site = rng.random((300, 2)), rng.random((60, 2))
    near = np.hypot(*(x[:, None] - site).transpose(2, 0, 1)) < 0.16
    sites = np.nonzero(near)[1]
    indptr = np.concatenate([[0], np.cumsum(near.sum(axis=1))])
    standing = np.where(np.arange(60) < 6, OPEN, FREE).astype(np.int8)
    instance = covering_instance(
        indptr, sites, rng.integers(1, 100, 300).astype(np.float64), standing, 8, 8, second_share=share
    )
    solution = solve_twofold(instance, gap=0.0)
    assert solution.status is Status.OPTIMAL
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)
    # Swapping any one site helps nobody, which an optimum must withstand.
    opened = np.flatnonzero(solution.open_mask & instance.free_mask)
    for out in opened:
        for come in np.flatnonzero(~solution.open_mask):
            mask = solution.open_mask.copy()
            mask[out], mask[come] = False, True
            assert recompute_value(instance, mask) >= solution.objective * (1 - 1e-12)
    again = solve_twofold(instance, gap=0.0, start=opened)
    assert again.trace[0].value == pytest.approx(solution.objective)


def test_gradual_decay_covered_twice_is_refused_in_one_sentence() -> None:
    indptr, sites = np.array([0, 1]), np.array([0])
    standing = np.zeros(1, dtype=np.int8)
    instance = covering_instance(indptr, sites, np.ones(1), standing, 1, 1, share=np.array([0.5]), second_share=1.0)
    with pytest.raises(UsageError, match="leave out gradual decay"):
        solve(instance)
