"""Covering problems as instances: once, twice, or less the farther away."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nearer.model.instance import FORBIDDEN, Instance, single_phase
from nearer.units import FloatArray, IntArray


@dataclass(frozen=True)
class Decay:
    """
    How much of a row's weight a site covers at a distance.

    Parameters
    ----------
    until, share
        Up to each distance, ascending, that share, 0 … 1, falling; beyond the last nothing.
    linear
        Whether the share falls in a straight line from each distance to the next, not in steps: (4, 8), (1, 0) covers
        all up to 4, half at 6, nothing from 8 on.
    """

    until: tuple[float, ...]
    share: tuple[float, ...]
    linear: bool = False

    def __post_init__(self) -> None:
        until, share = np.array(self.until), np.array(self.share)
        if not len(until) or len(until) != len(share):
            raise ValueError("a decay needs as many shares as distances, at least one")
        if np.any(~np.isfinite(until)) or until[0] < 0 or np.any(np.diff(until) <= 0):
            raise ValueError("the distances of a decay must rise")
        if np.any(~((share >= 0) & (share <= 1))) or np.any(np.diff(share) > 0):
            raise ValueError("the shares of a decay must be from 0 to 1 and not rise")

    def at(self, distance: FloatArray) -> FloatArray:
        """Share covered at some distances, float64 of the same shape."""
        until, share = np.array(self.until), np.array(self.share)
        if self.linear:
            return np.asarray(np.interp(distance, until, share, right=0.0))
        return np.append(share, 0.0)[np.searchsorted(until, distance, side="left")]


def covering_instance(
    indptr: IntArray,
    site_idx: IntArray,
    weight: FloatArray,
    standing: IntArray,
    open_min: int,
    open_max: int,
    *,
    share: FloatArray | None = None,
    second_share: FloatArray | float | None = None,
) -> Instance:
    """
    Leave as little weight uncovered as can be, as an instance: its value is the weight of all less what is covered.

    Parameters
    ----------
    indptr, site_idx
        Sites that cover each row, int64 (n_rows + 1,) and int32 (n_pairs,).
    weight, standing, open_min, open_max
        As in ``Instance``, weight float64 (n_rows,); what stands open covers too.
    share
        Gradual decay: share of the row's weight that each pair covers, float64 (n_pairs,), see ``Decay``; None = all.
        A row counts with the site that covers most.
    second_share
        Twofold cover: share of a row's weight that counts only once a second open site covers it, one for all or
        float64 (n_rows,). 1 counts nothing that is not covered twice; a backup that adds a weight w₂ to the w₁ of
        the first cover (Hogan, ReVelle 1986) is w₂ / (w₁ + w₂) of the weight w₁ + w₂. None = 0.
    """
    n_rows = len(indptr) - 1
    whole = share is None or bool(np.all(share == 1.0))
    instance = single_phase(
        indptr=indptr,
        site_idx=site_idx,
        cost=np.zeros(len(site_idx), dtype=np.int32) if whole or share is None else 1.0 - share,
        weight=weight,
        unserved=np.ones(n_rows),
        standing=standing,
        open_min=open_min,
        open_max=open_max,
    )
    if second_share is None:
        return instance
    return replace(instance, second_share=np.broadcast_to(np.asarray(second_share, dtype=np.float64), n_rows).copy())


def is_set_cover(instance: Instance) -> bool:
    """Whether an instance asks for the fewest sites that cover every row: nothing else is as cheap."""
    counts = instance.weight[0] > 0
    usable = instance.standing[instance.site_idx] != FORBIDDEN
    rows = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))[usable]
    dear = instance.weight[0][counts] * instance.unserved[counts]
    n_free = int(instance.free_mask.sum())
    return bool(
        instance.objective == "sum"
        and not instance.capacitated
        and instance.whole
        and not np.any(np.asarray(instance.cost))
        and np.all(instance.price[instance.free_mask] == 1.0)
        and int(instance.open_min[0]) == 0
        and int(instance.open_max[0]) >= n_free
        and np.all(np.isfinite(dear) & (dear > n_free))
        and np.all(np.bincount(rows, minlength=instance.n_rows)[counts] > 0)
    )
