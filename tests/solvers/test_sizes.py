"""The best plan of every size, against enumeration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from nearer.model import FREE, OPEN, Certificate, Instance
from nearer.model.check import certified_bound, recompute_value
from nearer.progress import Stop
from nearer.solvers.sizes import Sizes, solving_order, with_size

from .instances import from_dense


def random_instance(seed: int, n: int = 30, m: int = 9, whole: bool = True) -> Instance:
    """Points and sites in a square, two sites open, some pairs out of reach."""
    rng = np.random.default_rng(seed)
    people, sites = rng.random((n, 2)), rng.random((m, 2))
    cost = np.rint(1000 * np.hypot(*(people[:, None] - sites[None]).transpose(2, 0, 1)))
    cost[cost > 700] = -1
    standing = np.full(m, FREE, dtype=np.int8)
    standing[:2] = OPEN
    weight = rng.integers(1, 20, n).astype(float) if whole else rng.random(n)
    return from_dense(cost.astype(np.int64), weight, standing, 0, unserved=900.0)


def least(instance: Instance, opened: int) -> float:
    """The optimum of a size, by trying every set."""
    free = np.flatnonzero(instance.standing == FREE)
    best = np.inf
    for chosen in combinations(free, opened):
        mask = instance.standing == OPEN
        mask[list(chosen)] = True
        best = min(best, recompute_value(instance, mask))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_every_size_solved_is_the_best_of_its_size(seed: int) -> None:
    instance = random_instance(seed, whole=seed % 2 == 0)
    sizes = Sizes(instance, 7, gap=0.0)
    assert sorted(sizes.run(solving_order(7))) == list(range(8))
    for one in sizes.known():
        assert one.value == pytest.approx(least(instance, one.opened), rel=1e-12)
        assert one.bound == pytest.approx(one.value, rel=1e-9)
        assert one.status == "optimal"


@pytest.mark.parametrize("seed", range(6))
def test_sizes_between_those_solved_have_a_plan_and_a_valid_bound_that_their_multipliers_prove(seed: int) -> None:
    instance = random_instance(seed + 20, whole=seed % 2 == 0)
    sizes = Sizes(instance, 7, gap=0.0)
    assert sorted(sizes.run(solving_order(7, 3))) == [0, 3, 6, 7]
    known = sizes.known()
    assert [one.status is None for one in known] == [False, True, True, False, True, True, False, False]
    for one in known:
        best = least(instance, one.opened)
        assert one.bound <= best * (1 + 1e-12)
        assert one.value >= best * (1 - 1e-12)
        assert recompute_value(instance, one.open_mask) == pytest.approx(one.value, rel=1e-12)
        if one.from_size is not None:
            assert one.bound <= known[one.from_size].bound
        elif one.multipliers is not None:
            certificate = Certificate.root_only(one.multipliers)
            proven = certified_bound(with_size(instance, one.opened), certificate, cutoff=one.value)
            assert one.bound == pytest.approx(proven, rel=1e-9)
    bounds = [one.bound for one in known]
    assert bounds == sorted(bounds, reverse=True)


@pytest.mark.parametrize("seed", range(4))
def test_networks_that_grow_are_greedy_and_the_reverse_of_closing_what_is_missed_least(seed: int) -> None:
    instance = random_instance(seed + 40)
    sizes = Sizes(instance, 6, gap=0.0)
    list(sizes.run([6]))
    assert sizes.backwards is not None
    for way in (sizes.greedy, sizes.backwards):
        values = [recompute_value(instance, sizes.mask_of(way.site[:n])) for n in range(7)]
        assert way.value == pytest.approx(values, rel=1e-12)

    def value(sites: set[int]) -> float:
        return recompute_value(instance, sizes.mask_of(np.array(sorted(sites), dtype=np.int64)))

    free = set(np.flatnonzero(instance.standing == FREE).tolist())
    opened: set[int] = set()
    for site in sizes.greedy.site.tolist():
        assert value(opened | {site}) == min(value(opened | {other}) for other in free - opened)
        opened.add(site)
    left = set(sizes.backwards.site.tolist())
    for site in sizes.backwards.site[::-1].tolist():
        assert value(left - {site}) == min(value(left - {other}) for other in left)
        left.remove(site)


@pytest.mark.parametrize(("most", "step"), [(0, 1), (1, 1), (7, 1), (98, 1), (98, 5), (10, 20)])
def test_the_order_of_solving_holds_every_size_once_and_the_ends_first(most: int, step: int) -> None:
    order = solving_order(most, step)
    assert sorted(order) == sorted({*range(0, most + 1, step), most})
    assert order[0] == most
    assert order[:2] == [most, 0] or most == 0


def test_a_stop_leaves_what_was_done() -> None:
    stop = Stop()
    sizes = Sizes(random_instance(3), 7, gap=0.0, stop=stop)
    for done, _ in enumerate(sizes.run(solving_order(7)), start=1):
        if done == 3:
            stop.cancel()
    assert sorted(sizes.solved) == [0, 4, 7]
    assert all(one.bound <= least(sizes.instance, one.opened) * (1 + 1e-12) for one in sizes.known())
