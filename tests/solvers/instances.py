"""Small p-median instances."""

from __future__ import annotations

import numpy as np

from nearer.model import Instance, single_phase


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
