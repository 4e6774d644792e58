"""Set cover against enumeration and the independent checker."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.model import FORBIDDEN, FREE, OPEN, Instance, Status, is_set_cover, single_phase
from nearer.model.check import certified_bound, check_solution
from nearer.progress import Stop
from nearer.solvers import solve
from nearer.solvers.budget import Budget
from nearer.solvers.cover_rows import CoverRows
from nearer.solvers.setcover import solve_set_cover
from nearer.solvers.setcover_tree import CoverSearch
from nearer.testing.contract import check_proof


def cover_instance(covers: np.ndarray, standing: np.ndarray, weight: np.ndarray | None = None) -> Instance:
    n, m = covers.shape
    sites = np.nonzero(covers)[1]
    indptr = np.concatenate([[0], np.cumsum(covers.sum(axis=1))])
    free = int(np.sum(standing == FREE))
    weight = np.ones(n) if weight is None else weight
    zeros = np.zeros(len(sites), dtype=np.int32)
    return single_phase(indptr, sites, zeros, weight, np.full(n, m + 1.0), standing, 0, free, price=np.ones(m))


def random_covers(rng: np.random.Generator) -> Instance:
    """A small cover full of equal rows and sites; some sites stand open or are forbidden, some rows do not count."""
    n, m = int(rng.integers(1, 14)), int(rng.integers(1, 10))
    covers = rng.random((n, m)) < rng.choice([0.15, 0.4, 0.8])
    standing = rng.choice([FREE, FREE, FREE, OPEN, FORBIDDEN], m).astype(np.int8)
    standing[int(rng.integers(m))] = FREE
    lonely = ~covers[:, standing != FORBIDDEN].any(axis=1)
    covers[lonely, int(np.flatnonzero(standing == FREE)[0])] = True
    return cover_instance(covers, standing, rng.integers(0, 3, n).astype(np.float64))


def fewest(instance: Instance) -> int:
    wanted = np.flatnonzero(instance.weight[0] > 0)
    sets = [set(part.tolist()) for part in np.split(instance.site_idx, instance.indptr[1:-1])]
    standing = set(np.flatnonzero(instance.standing == OPEN).tolist())
    free = np.flatnonzero(instance.free_mask).tolist()
    return len(standing) + next(
        k
        for k in range(len(free) + 1)
        if any(all(sets[i] & (standing | set(c)) for i in wanted) for c in combinations(free, k))
    )


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_small_covers_are_the_fewest_and_proven(seed: int) -> None:
    instance = random_covers(np.random.default_rng(seed))
    assert is_set_cover(instance)
    solution = solve(instance)
    assert (solution.status, solution.objective) == (Status.OPTIMAL, fewest(instance))
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)
    stopped = Stop()
    stopped.cancel()
    for early in (solve(instance, stop=stopped), solve(instance, work_limit=max(solution.work // 2, 1))):
        assert early.bound <= solution.objective
        assert check_solution(instance, early) == []
        check_proof(instance, early)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_tree_alone_proves_that_one_site_less_is_too_few(seed: int) -> None:
    instance = random_covers(np.random.default_rng(seed))
    rows = CoverRows.of(instance)
    best = fewest(instance) - int(rows.base)
    for k in range(best + 1):
        search = CoverSearch(rows, Budget(Stop()))
        proof = search.too_few(k)
        if k < best:
            assert proof is not None
            assert certified_bound(instance, proof.certificate()) >= rows.base + k + 1
        else:
            assert proof is None
            assert search.plan is not None
            assert len(search.plan) == best


def steiner_triples(times: int) -> np.ndarray:
    """Rows of the Steiner triple system on 3 ** (times + 2) points, whose relaxation is a third of the points."""
    lines = {frozenset(p) for p in combinations(range(9), 3) if _on_a_line(p)}
    n = 9
    for _ in range(times):
        copies = {frozenset(x + n * part for x in line) for line in lines for part in range(3)}
        across = {
            frozenset((x, y + n, z + 2 * n))
            for line in lines
            for x in line
            for y in line
            for z in line
            if len({x, y, z}) == 3
        }
        lines = copies | across | {frozenset((x, x + n, x + 2 * n)) for x in range(n)}
        n *= 3
    covers = np.zeros((len(lines), n), dtype=bool)
    for i, line in enumerate(sorted(map(sorted, lines))):
        covers[i, line] = True
    return covers


def _on_a_line(points: tuple[int, ...]) -> bool:
    """Whether three points of the affine plane of order 3 are on a line."""
    return sum(p % 3 for p in points) % 3 == 0 and sum(p // 3 for p in points) % 3 == 0


@pytest.mark.parametrize(("times", "best"), [(0, 5), pytest.param(1, 18, marks=pytest.mark.long)])
def test_steiner_triples_are_proven(times: int, best: int) -> None:
    # A9 and A27 of Fulkerson, Nemhauser and Trotter (1974): 5 and 18, far from a third of the points.
    covers = steiner_triples(times)
    instance = cover_instance(covers, np.zeros(covers.shape[1], dtype=np.int8))
    solution = solve_set_cover(instance)
    assert (solution.status, solution.objective, solution.bound) == (Status.OPTIMAL, best, best)
    check_proof(instance, solution)


def test_what_is_no_set_cover_is_told_apart() -> None:
    covers = np.eye(3, dtype=bool)
    assert is_set_cover(cover_instance(covers, np.zeros(3, dtype=np.int8)))
    assert not is_set_cover(cover_instance(covers, np.array([FREE, FREE, FORBIDDEN], dtype=np.int8)))
    cheap = cover_instance(covers, np.zeros(3, dtype=np.int8), np.full(3, 0.5))
    assert not is_set_cover(cheap)
