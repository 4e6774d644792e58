"""The covering kernels against naive twins."""

from __future__ import annotations

import numpy as np
import pytest

from nearer.kernels import covering as fast


def rows(seed: int, n: int = 25, m: int = 9, top: int = 10):
    """Sorted rows with weights and caps, with a dense twin of weighted costs where ``inf`` is an absent pair."""
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((n, m)) < 0.7, rng.integers(0, top, (n, m)), np.inf)
    weight = rng.integers(0, 4, n).astype(float)
    indptr, site, cost = [0], [], []
    for row in dense:
        order = [j for j in np.lexsort((np.arange(m), row)) if np.isfinite(row[j])]
        site += order
        cost += [int(row[j]) for j in order]
        indptr.append(len(site))
    standing = rng.choice([0, 0, 0, 1, -1], m).astype(np.int8)
    arrays = np.array(indptr), np.array(site, dtype=np.int32), np.array(cost, dtype=np.int32), weight
    with np.errstate(invalid="ignore"):
        weighted = np.where(weight[:, None] > 0, weight[:, None] * dense, np.inf)
    return *arrays, standing, np.full(n, float(top)), weighted


@pytest.mark.parametrize("seed", range(10))
def test_limits_values_and_reach_are_those_of_the_dense_matrix(seed: int) -> None:
    indptr, site, cost, weight, standing, unserved, dense = rows(seed)
    free = standing == 0
    counts = weight > 0
    cap, least = fast.row_limits(indptr, site, cost, weight, unserved, standing)
    wanted = np.minimum(weight * unserved, dense[:, standing == 1].min(axis=1, initial=np.inf))
    assert np.array_equal(cap[counts], wanted[counts])
    assert np.all(cap[~counts] == -np.inf)
    cheapest = np.minimum(wanted, dense[:, free].min(axis=1, initial=np.inf))
    assert np.array_equal(least[counts], cheapest[counts])
    values = np.concatenate([cap[counts], dense[:, free][dense[:, free] < np.where(counts, cap, -1)[:, None]]])
    for threshold in (0.0, 1.0, 4.5, 9.0, 100.0):
        following = fast.next_value(indptr, site, cost, weight, cap, free, threshold)
        assert following == values[values >= threshold].min(initial=np.inf)
        end = fast.reach(indptr, cost, weight, cap, threshold)
        sizes = np.where(cap >= threshold, (dense < threshold).sum(axis=1), 0)
        assert np.array_equal(end - indptr[:-1], sizes)
        needed = np.flatnonzero(cap >= threshold)
        cptr, crow = fast.columns_within(indptr, end, site, free, needed)
        for j in range(len(free)):
            covered = np.flatnonzero(dense[needed, j] < threshold) if free[j] else np.zeros(0)
            assert np.array_equal(crow[cptr[j] : cptr[j + 1]], covered)


@pytest.mark.parametrize("seed", range(10))
def test_what_a_plan_costs_is_the_cheapest_open_pair_up_to_the_cap(seed: int) -> None:
    indptr, site, cost, weight, standing, unserved, dense = rows(seed)
    cap, _ = fast.row_limits(indptr, site, cost, weight, unserved, standing)
    chosen = (standing == 0) & (np.random.default_rng(seed).random(len(standing)) < 0.4)
    paid = fast.plan_costs(indptr, site, cost, weight, cap, chosen)
    assert np.array_equal(paid, np.minimum(cap, dense[:, chosen].min(axis=1, initial=np.inf)))


@pytest.mark.parametrize("seed", range(10))
def test_sites_are_kept_unless_another_covers_all_their_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers = rng.random((30, 70)) < rng.choice([0.02, 0.05, 0.3])
    covers[7] = covers[3]
    words = np.zeros((30, 2), dtype=np.uint64)
    for j, i in zip(*np.nonzero(covers), strict=True):
        words[j, i // 64] |= np.uint64(1) << np.uint64(i % 64)
    keep = fast.undominated(words)
    for j in range(30):
        inside = [
            k
            for k in range(30)
            if k != j and np.all(covers[k] >= covers[j]) and (k < j or np.any(covers[k] > covers[j]))
        ]
        assert keep[j] == (covers[j].any() and not inside)


@pytest.mark.parametrize("seed", range(10))
def test_the_search_keeps_its_counts_and_never_more_sites_than_it_had(seed: int) -> None:
    indptr, site, cost, weight, _, unserved, _ = rows(seed, n=60, m=20)
    standing = np.zeros(20, dtype=np.int8)
    free = standing == 0
    cap, _ = fast.row_limits(indptr, site, cost, weight, unserved, standing)
    end = fast.reach(indptr, cost, weight, cap, 4.0)
    needed = np.flatnonzero((cap >= 4.0) & (end > indptr[:-1]))
    cptr, crow = fast.columns_within(indptr, end, site, free, needed)
    opened = np.arange(20) < 4
    count, score = np.zeros(len(needed), dtype=np.int64), np.zeros(20, dtype=np.int64)
    whose = np.zeros(len(needed), dtype=np.int64)
    row_weight = np.ones(len(needed), dtype=np.int64)
    memory = np.array([seed, -1, -1], dtype=np.int64)
    fast.weighting_start(cptr, crow, len(needed), opened, count, whose, score)
    left, _, _ = fast.weighting_search(
        indptr, end, site, free, needed, cptr, crow, opened, count, whose, score, row_weight, memory, 25, 10**9
    )
    assert opened.sum() == 4
    again = np.zeros_like(count), np.zeros_like(whose)
    for j in np.flatnonzero(opened):
        np.add.at(again[0], crow[cptr[j] : cptr[j + 1]], 1)
        np.add.at(again[1], crow[cptr[j] : cptr[j + 1]], j)
    assert np.array_equal(count, again[0])
    assert np.array_equal(whose, again[1])
    assert left == np.sum(count == 0)
    for j in range(20):
        mine = crow[cptr[j] : cptr[j + 1]]
        assert score[j] == row_weight[mine[count[mine] == (1 if opened[j] else 0)]].sum()


@pytest.mark.parametrize("seed", range(5))
def test_the_greedy_cover_takes_ranked_sites_first_and_then_the_widest(seed: int) -> None:
    indptr, site, cost, weight, _, unserved, dense = rows(seed)
    free = np.ones(dense.shape[1], dtype=bool)
    cap, _ = fast.row_limits(indptr, site, cost, weight, unserved, np.zeros(len(free), dtype=np.int8))
    end = fast.reach(indptr, cost, weight, cap, 5.0)
    needed = np.flatnonzero(cap >= 5.0)
    cptr, crow = fast.columns_within(indptr, end, site, free, needed)
    rank = np.zeros(len(free))
    rank[2] = 0.9
    plan = fast.greedy_cover(indptr, end, site, needed, cptr, crow, rank, 3)
    left = dense[needed] < 5.0
    for turn, chosen in enumerate(plan):
        gain = left.sum(axis=0)
        if turn == 0 and gain[2]:
            assert chosen == 2
        else:
            assert chosen == np.argmax(gain)
        left = left[~left[:, chosen]]
