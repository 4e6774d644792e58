"""Reserve sites for given scenarios are those of brute force, on average and in the worst case."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.model import FREE, Instance, single_phase
from nearer.model.check import certified_bound
from nearer.solvers.reserve import expected_reserve, weighed, worst_reserve
from nearer.units import FloatArray


def scenarios_of(seed: int, n: int, m: int, s: int) -> list[Instance]:
    """The same rows in each scenario, without the sites that are out in it."""
    rng = np.random.default_rng(seed)
    cost, weight = rng.integers(0, 20, (n, m)), rng.integers(1, 9, n).astype(float)
    found = []
    for _ in range(s):
        there = (rng.random(m) < 0.6)[None, :] & (rng.random((n, m)) < 0.9)
        row, site = np.nonzero(there)
        indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        standing = np.full(m, FREE, dtype=np.int8)
        found.append(single_phase(indptr, site, cost[row, site], weight, np.full(n, 25.0), standing, 0, m))
    return found


def cost_of(instance: Instance, chosen: tuple[int, ...]) -> float:
    value = 0.0
    for i in range(instance.n_rows):
        at = range(instance.indptr[i], instance.indptr[i + 1])
        near = [float(instance.cost[e]) for e in at if instance.site_idx[e] in chosen]
        value += instance.weight[0, i] * min([*near, instance.unserved[i]])
    return value


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(2, 6), st.integers(1, 4), st.integers(1, 3))
def test_expected_and_worst_case_are_those_of_brute_force(seed: int, n: int, m: int, s: int, k: int) -> None:
    scenarios, k = scenarios_of(seed, n, m, s), min(k, m)
    chance: FloatArray = np.random.default_rng(seed).dirichlet(np.ones(s))
    costs = {chosen: np.array([cost_of(one, chosen) for one in scenarios]) for chosen in combinations(range(m), k)}
    mean = expected_reserve(scenarios, chance, k)
    assert mean.value == pytest.approx(min(float(chance @ each) for each in costs.values()), rel=1e-4)
    assert mean.bound <= min(float(chance @ each) for each in costs.values()) * (1 + 1e-9)
    most = worst_reserve(scenarios, chance, k, gap=0.0)
    known = min(float(each.max()) for each in costs.values())
    assert most.value == pytest.approx(known, rel=1e-9)
    assert most.bound == pytest.approx(known, rel=1e-6)
    assert most.costs == pytest.approx(costs[tuple(most.sites.tolist())])
    if most.certificate is not None:
        again = certified_bound(weighed(scenarios, most.weights, k), most.certificate)
        assert most.bound == pytest.approx(again, rel=1e-9)
