"""The worst loss and the best protection against it are those of brute force, and their proofs hold."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.model import FORBIDDEN, FREE, OPEN, Instance, single_phase
from nearer.progress import Stop
from nearer.solvers.fortification import fortify
from nearer.solvers.interdiction import LossSearch, nearest_sets, node_bound, worst_loss
from nearer.units import BoolArray

TOWNS = st.builds(
    lambda seed, n, m, tight, stands: town(seed, n, m, tight, stands),
    st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 7), st.booleans(), st.integers(0, 2),
)  # fmt: skip


def town(seed: int, n: int, m: int, ties: bool, stands: int) -> Instance:
    """Random rows that reach some of the sites; with ties, costs are few whole numbers and some weights are 0."""
    rng = np.random.default_rng(seed)
    near = rng.random((n, m)) < 0.7
    cost = (rng.integers(0, 4, (n, m)) if ties else rng.integers(0, 1_000, (n, m))).astype(np.int64)
    weight = rng.integers(0, 3, n).astype(np.float64) if ties else rng.random(n) * 50
    standing = np.full(m, FREE, dtype=np.int8)
    standing[:stands] = OPEN
    if m > 4:
        standing[-1] = FORBIDDEN
    row, site = np.nonzero(near)
    indptr = np.concatenate([[0], np.cumsum(near.sum(axis=1))])
    unserved = np.full(n, 5.0 if ties else 1_200.0)
    return single_phase(indptr, site, cost[row, site], weight, unserved, standing, 0, m)


def total(instance: Instance, gone: tuple[int, ...]) -> float:
    """What everybody pays without some sites, one row after another."""
    value = 0.0
    for i in range(instance.n_rows):
        best = instance.unserved[i]
        for e in range(instance.indptr[i], instance.indptr[i + 1]):
            site = instance.site_idx[e]
            if site not in gone and instance.standing[site] != FORBIDDEN:
                best = min(best, float(instance.cost[e]))
        value += instance.weight[0, i] * best
    return value


def brute(instance: Instance, number: int, safe: tuple[int, ...] = ()) -> float:
    """The dearest loss of that many sites."""
    may = [int(s) for s in np.flatnonzero(instance.standing == FREE) if s not in safe]
    number = min(number, len(may))
    return max(total(instance, gone) for gone in combinations(may, number)) - total(instance, ())


@settings(max_examples=150, deadline=None)
@given(TOWNS, st.integers(1, 4))
def test_the_worst_loss_is_that_of_brute_force(instance: Instance, number: int) -> None:
    loss, _ = worst_loss(instance, number)
    known = brute(instance, number)
    gone = tuple(int(site) for site in loss.sites)
    assert total(instance, gone) - total(instance, ()) == pytest.approx(loss.value, abs=1e-6)
    assert loss.value == pytest.approx(known, abs=1e-6)
    assert loss.bound >= known - 1e-6 * max(1.0, known)
    assert loss.optimal


@settings(max_examples=60, deadline=None)
@given(TOWNS, st.integers(1, 3), st.integers(0, 3))
def test_the_best_protection_is_that_of_brute_force(instance: Instance, lost: int, safe: int) -> None:
    found = fortify(instance, safe, lost)
    may = np.flatnonzero(instance.standing == FREE).tolist()
    known = min((brute(instance, lost, kept) for kept in combinations(may, min(safe, len(may)))), default=0.0)
    assert found.value == pytest.approx(known, abs=1e-6)
    assert found.bound == pytest.approx(known, abs=1e-6)
    assert brute(instance, lost, tuple(found.safe.tolist())) == pytest.approx(known, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(TOWNS)
def test_losing_more_never_costs_less_and_making_more_safe_never_costs_more(instance: Instance) -> None:
    losses = [worst_loss(instance, number)[0].value for number in range(4)]
    assert losses == sorted(losses)
    left = [fortify(instance, safe, 2).value for safe in range(4)]
    assert left == sorted(left, reverse=True)


@settings(max_examples=60, deadline=None)
@given(TOWNS, st.data())
def test_the_bound_of_a_node_holds_for_every_loss_below_it(instance: Instance, data: st.DataObject) -> None:
    free = np.flatnonzero(instance.standing == FREE).tolist()
    lost = data.draw(st.lists(st.sampled_from(free), max_size=2, unique=True)) if free else []
    kept = data.draw(st.lists(st.sampled_from(free), max_size=2, unique=True)) if free else []
    kept = [site for site in kept if site not in lost]
    number = 3
    sets = nearest_sets(instance, number)
    search = LossSearch(sets, instance.standing == FREE, number)
    mask: BoolArray = np.zeros(instance.n_sites, dtype=bool)
    mask[kept] = True
    bound, _, fixed = node_bound(sets, sets.owner, search.share, number, lost, mask)
    base = total(instance, ())
    assert fixed == pytest.approx(total(instance, tuple(lost)) - base, abs=1e-6)
    rest = [site for site in free if site not in lost and site not in kept]
    for more in combinations(rest, min(number - len(lost), len(rest))):
        assert total(instance, (*lost, *more)) - base <= bound + 1e-6


def test_a_search_that_is_ended_early_still_bounds_the_loss() -> None:
    instance = town(5, 60, 12, False, 0)
    search = LossSearch(nearest_sets(instance, 5), instance.standing == FREE, 5)
    known = search.run()
    assert known.optimal
    for nodes in range(1, known.nodes, 2):
        early = search.run(most_nodes=nodes)
        assert early.value <= known.value * (1 + 1e-9)
        assert early.bound >= known.value * (1 - 1e-9)


def test_protection_that_is_ended_early_still_bounds_what_remains() -> None:
    instance = town(6, 60, 12, False, 0)
    known = fortify(instance, 3, 2)
    assert known.certified
    for cuts in (1, 2, 3):
        early = fortify(instance, 3, 2, most_cuts=cuts)
        assert early.bound <= known.value * (1 + 1e-9)
        assert early.value >= known.value * (1 - 1e-9)
    by_cuts = fortify(instance, 3, 2, most_nodes=1)
    assert not by_cuts.certified
    assert by_cuts.bound == pytest.approx(known.value)
    stopped = fortify(instance, 3, 2, stop=Stop(0.0))
    assert stopped.bound <= known.value * (1 + 1e-9) <= stopped.value * (1 + 2e-9)


def test_a_row_that_must_be_served_is_refused() -> None:
    instance = single_phase(
        np.array([0, 1]), np.array([0]), np.array([1]), np.ones(1), np.array([np.inf]), np.array([FREE]), 0, 1
    )
    with pytest.raises(ValueError, match="out of reach"):
        nearest_sets(instance, 1)
