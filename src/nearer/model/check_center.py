"""
The independent check of a p-center: its value, and the bound that its certificate proves, in plain NumPy.

Nothing here is shared with the solvers or their kernels.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model.certificate import Certificate
from nearer.model.evaluate import certified_bound, cheapest_open, pair_rows
from nearer.model.instance import FORBIDDEN, FREE, Instance, single_phase
from nearer.units import BoolArray, FloatArray

_CHUNK = 512  # sites compared with all others at once


def recompute_dearest(instance: Instance, open_mask: BoolArray, phase: int = 0) -> float:
    """
    Weighted cost of the dearest row at the cheapest open site, or unserved; rows of weight 0 do not count.

    Parameters
    ----------
    instance
        The problem.
    open_mask
        Which sites are open, bool (n_sites,).
    phase
        Whose weights count.

    Returns
    -------
    float
        ``inf`` where a row that must be served is not; 0 without rows.
    """
    weight = np.asarray(instance.weight[phase])
    counts = weight > 0
    return float((weight[counts] * cheapest_open(instance, open_mask)[counts]).max(initial=0.0))


def certified_dearest(instance: Instance, certificate: Certificate, cutoff: float = math.inf) -> float:
    """
    Evaluate the lower bound that the certificate of a p-center proves.

    Row 0 of the multipliers holds a threshold t on the rows that the proof speaks of, and 0 elsewhere. The rest is the
    certificate of a p-median on these rows, where a pair costs 0 if its weighted cost is below t and does not exist
    otherwise, and a row left unserved costs 1: if that costs more than 0, no plan serves every row below t. There at
    most the sites asked for may open, and a site whose rows another free one covers too (of equal ones the first)
    may not: taking the other one instead leaves no row uncovered, so this too proves nothing false.

    Parameters
    ----------
    instance
        The problem, ``objective`` "max".
    certificate
        Made by ``nearer.solvers.pcenter``.
    cutoff
        Value of a known plan, the most that can be proven.

    Returns
    -------
    float
        The least value that a plan can have and that is not below the threshold, at most ``cutoff``; ``inf`` where no
        plan serves everyone who must be; 0 where nothing is proven.

    Raises
    ------
    CheckFailedError
        The arrays do not fit the instance, or are no proof of what they claim.
    """
    multipliers = certificate.multipliers
    if multipliers.ndim != 2 or multipliers.shape[1] != instance.n_rows or len(multipliers) < 2:
        raise CheckFailedError("The certificate proves nothing: its multipliers do not fit the rows.")
    threshold = float(multipliers[0].max(initial=0.0))
    if threshold <= 0.0:
        return 0.0
    marked = multipliers[0] > 0
    if not np.all(multipliers[0][marked] == threshold):
        raise CheckFailedError("The certificate proves nothing: it names more than one threshold.")
    left = replace(
        certificate,
        multipliers=np.ascontiguousarray(multipliers[1:, marked]),
        **{
            field.name: np.where(getattr(certificate, field.name) > 0, getattr(certificate, field.name) - 1, -1)
            for field in fields(certificate)
            if field.name in ("node_multiplier", "fix_multiplier")
        },
    )
    if certified_bound(_covering(instance, marked, threshold), left) < 1.0:
        raise CheckFailedError(f"The certificate does not prove the value {threshold!r} that it names.")
    return min(_least_value(instance, threshold), cutoff)


def _weighted(instance: Instance) -> tuple[FloatArray, FloatArray]:
    """Weighted cost of each pair and of leaving each row unserved; rows of weight 0 do not count: −inf."""
    weight = np.asarray(instance.weight[0])
    pairs = weight[pair_rows(instance)] * np.asarray(instance.cost, dtype=np.float64)
    counts = weight > 0
    unserved = np.full(instance.n_rows, -np.inf)
    unserved[counts] = weight[counts] * instance.unserved[counts]
    return pairs, unserved


def _least_value(instance: Instance, threshold: float) -> float:
    """The least value of any row with any site that may be open, not below the threshold."""
    pairs, unserved = _weighted(instance)
    usable = (instance.standing[instance.site_idx] != FORBIDDEN) & (np.asarray(instance.weight[0]) > 0)[
        pair_rows(instance)
    ]
    values = np.concatenate([pairs[usable], unserved])
    return float(values[values >= threshold].min(initial=math.inf))


def _covering(instance: Instance, marked: BoolArray, threshold: float) -> Instance:
    """The 0/1 p-median on the marked rows."""
    pairs, unserved = _weighted(instance)
    row_of = pair_rows(instance)
    within = marked[row_of] & (pairs < threshold) & (instance.standing[instance.site_idx] != FORBIDDEN)
    place = np.cumsum(marked) - 1
    rows, sites = place[row_of[within]], instance.site_idx[within]
    n_rows = int(marked.sum())
    covers = np.zeros((instance.n_sites, n_rows), dtype=bool)
    covers[sites, rows] = True
    standing = instance.standing.copy()
    standing[(standing == FREE) & _dominated(covers, instance.standing == FREE)] = FORBIDDEN
    return single_phase(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_rows))]),
        site_idx=sites,
        cost=np.zeros(len(rows), dtype=np.int64),
        weight=np.ones(n_rows),
        unserved=(unserved[marked] >= threshold).astype(np.float64),
        standing=standing,
        open_min=0,
        open_max=int(instance.open_max[0]),
    )


def _dominated(covers: BoolArray, free: BoolArray) -> BoolArray:
    """Free sites that cover no row, or none but those of another free site; of equal ones the first stays."""
    candidates = np.flatnonzero(free & covers.any(axis=1))
    first = np.unique(np.packbits(covers[candidates], axis=1), axis=0, return_index=True)[1]
    kept = candidates[np.sort(first)]
    # counts of common rows are whole and small: exact in float32, in whatever order they are added
    sets = covers[kept].astype(np.float32)
    size = sets.sum(axis=1)
    stays = np.ones(len(kept), dtype=bool)
    for at in range(0, len(kept), _CHUNK):
        common = sets[at : at + _CHUNK] @ sets.T
        inside = common == size[at : at + _CHUNK, None]
        stays[at : at + _CHUNK] = inside.sum(axis=1) == 1  # inside itself only, since all differ
    dominated = np.ones(len(free), dtype=bool)
    dominated[kept[stays]] = False
    return dominated & free
