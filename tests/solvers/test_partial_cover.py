"""Partial covers against enumeration and the independent checker."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from nearer.errors import CheckFailedError
from nearer.model import Instance, Status, single_phase
from nearer.model.check_partial import certified_partial, covered_weight
from nearer.progress import Stop
from nearer.solvers.partial_cover import solve_partial_cover


def random_cover(rng: np.random.Generator, n: int, m: int) -> Instance:
    covers = rng.random((n, m)) < rng.choice([0.15, 0.4])
    sites = np.nonzero(covers)[1]
    whole = rng.random() < 0.6
    return single_phase(
        indptr=np.concatenate([[0], np.cumsum(covers.sum(axis=1))]),
        site_idx=sites,
        cost=np.zeros(len(sites), dtype=np.int32),
        weight=rng.integers(0, 20, n).astype(np.float64) if rng.random() < 0.5 else rng.random(n),
        unserved=np.zeros(n),
        standing=np.zeros(m, dtype=np.int8),
        open_min=0,
        open_max=m,
        price=rng.integers(0, 9, m).astype(np.float64) if whole else rng.random(m),
    )


@pytest.mark.parametrize("seed", range(3))
def test_small_covers_are_solved_as_by_enumeration_and_proven(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(25):
        instance = random_cover(rng, int(rng.integers(1, 25)), int(rng.integers(1, 9)))
        most = covered_weight(instance, np.ones(instance.n_sites, dtype=bool))
        needed = most * float(rng.choice([0.0, 0.5, 0.8, 1.0])) * (1 - 1e-12)
        plans = [np.array(choice, dtype=bool) for choice in product([False, True], repeat=instance.n_sites)]
        best = min(float(instance.price[plan].sum()) for plan in plans if covered_weight(instance, plan) >= needed)
        solution = solve_partial_cover(instance, needed)
        assert solution.status is Status.OPTIMAL
        assert solution.objective == pytest.approx(best, abs=1e-9)
        assert covered_weight(instance, solution.open_mask) >= needed
        proven = certified_partial(instance, needed, solution.certificate, solution.objective)
        assert proven == pytest.approx(best, abs=1e-7)
        stopped = Stop()
        stopped.cancel()
        early = solve_partial_cover(instance, needed, stop=stopped)
        assert early.bound <= best + 1e-9
        assert certified_partial(instance, needed, early.certificate) >= early.bound - 1e-9


def test_a_middling_cover_is_proven_and_its_proof_holds_for_no_less() -> None:
    rng = np.random.default_rng(9)
    instance = random_cover(rng, 300, 40)
    instance = replace(instance, open_cost=rng.integers(10, 100, 40).astype(np.float64).reshape(40, 1))
    needed = 0.7 * covered_weight(instance, np.ones(40, dtype=bool))
    solution = solve_partial_cover(instance, needed, stop=Stop(60))
    assert solution.status is Status.OPTIMAL
    assert certified_partial(instance, needed, solution.certificate) == solution.objective
    assert certified_partial(instance, 0.3 * needed, solution.certificate) < solution.objective
    negative = replace(solution.certificate, multipliers=-solution.certificate.multipliers)
    with pytest.raises(CheckFailedError, match="below 0"):
        certified_partial(instance, needed, negative)
