"""Small p-median instances and their optima by enumeration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import strategies as st

from nearer.model import FORBIDDEN, FREE, OPEN, Instance, single_phase


def from_dense(
    cost: np.ndarray,
    weight: np.ndarray,
    standing: np.ndarray,
    k: int,
    unserved: float = np.inf,
    at_least: int | None = None,
) -> Instance:
    """An instance from a dense matrix where a negative cost means "cannot serve"."""
    rows, sites = np.nonzero(cost >= 0)
    indptr = np.zeros(len(cost) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(cost)), out=indptr[1:])
    return single_phase(
        indptr,
        sites,
        cost[rows, sites],
        weight,
        np.full(len(cost), unserved),
        standing,
        k if at_least is None else at_least,
        k,
    )


def optimum(cost: np.ndarray, weight: np.ndarray, standing: np.ndarray, k: int, unserved: float = np.inf) -> float:
    """Least weighted cost over every choice of exactly k free sites."""
    usable = np.where(cost >= 0, cost.astype(float), np.inf)
    fixed = np.flatnonzero(standing == OPEN)
    best = np.inf
    for chosen in combinations(np.flatnonzero(standing == FREE), k):
        open_sites = np.concatenate([fixed, np.array(chosen, dtype=int)]).astype(int)
        nearest = usable[:, open_sites].min(axis=1, initial=np.inf)
        served = np.minimum(nearest, unserved)
        best = min(best, float(np.sum(np.where(weight > 0, weight * served, 0.0))))
    return best


@st.composite
def small(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, float]:
    """Cost (some pairs out of reach), weights, standings, k, cost of being unserved: full of ties and zeros."""
    n, m = draw(st.integers(1, 12)), draw(st.integers(1, 8))
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    top = draw(st.sampled_from([1, 3, 30, 10_000_000]))
    cost = rng.integers(0, top + 1, (n, m)).astype(float)
    if draw(st.booleans()):
        cost = cost + np.round(rng.random((n, m)), 3)
    if draw(st.booleans()):
        cost[rng.random((n, m)) < 0.4] = -1
    if draw(st.booleans()) and n > 1:
        cost[n // 2] = cost[0]
    weight = rng.integers(0, 4, n).astype(float) if draw(st.booleans()) else rng.random(n) * 1e4
    standing = rng.choice([FREE, FREE, FREE, OPEN, FORBIDDEN], m).astype(np.int8)
    k = draw(st.integers(0, int(np.sum(standing == FREE))))
    return cost, weight, standing, k, float(top + draw(st.sampled_from([1, 1000])))
