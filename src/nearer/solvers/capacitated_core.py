"""The capacitated problem as its solver sees it: sites that may be open, their columns of rows, and room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.errors import UsageError
from nearer.model import FORBIDDEN, FREE, OPEN, Instance
from nearer.units import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class CapacitatedCore:
    """
    Columns of the sites that are or may be open, with the entries that can be of use.

    Parameters
    ----------
    site
        Position in the instance, int32 (m,).
    must
        Sites that are open in every plan still looked for, bool (m,).
    price, room
        Cost of being open and capacity, float64 (m,); room is at most what all rows together need.
    need, idle
        What a row takes when served whole, and what leaving it unserved costs (``inf``: not allowed), float64 (n,).
    k_min, k_max
        Number of sites open in all, those that must be included.
    cptr, crow, cval
        Columns: cost × weight of serving the row whole.
    whole_rows
        Whether each row is served by one site.
    """

    site: IntArray
    must: BoolArray
    price: FloatArray
    room: FloatArray
    need: FloatArray
    idle: FloatArray
    k_min: int
    k_max: int
    cptr: IntArray
    crow: IntArray
    cval: FloatArray
    whole_rows: bool

    @property
    def m(self) -> int:
        """Number of sites."""
        return len(self.site)

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.need)

    @property
    def entry_site(self) -> IntArray:
        """Site of each entry, int64 (nnz,)."""
        return np.repeat(np.arange(self.m), np.diff(self.cptr))

    def cheapest_set(self, rho: FloatArray) -> BoolArray:
        """The set of sites that may be open together with the least Σ ρ, bool (m,)."""
        chosen = self.must.copy()
        free = np.flatnonzero(~self.must)
        order = free[np.argsort(rho[free], kind="stable")]
        fewest, most = self.k_min - int(self.must.sum()), self.k_max - int(self.must.sum())
        wanted = min(max(int((rho[order] < 0.0).sum()), fewest), most)
        chosen[order[:wanted]] = True
        return chosen

    def restricted(self, keep_site: BoolArray, must: BoolArray, keep_entry: BoolArray) -> CapacitatedCore:
        """The core without some sites and entries, and with more sites that must be open."""
        site_of = self.entry_site
        keep = keep_entry & keep_site[site_of]
        counts = np.bincount(site_of[keep], minlength=self.m)[keep_site]
        return CapacitatedCore(
            site=self.site[keep_site],
            must=must[keep_site],
            price=self.price[keep_site],
            room=self.room[keep_site],
            need=self.need,
            idle=self.idle,
            k_min=max(self.k_min, int(must.sum())),
            k_max=min(self.k_max, int(keep_site.sum())),
            cptr=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]),
            crow=self.crow[keep],
            cval=self.cval[keep],
            whole_rows=self.whole_rows,
        )

    def dense(self, sites: IntArray) -> FloatArray:
        """Cost of each row at a few sites, ``inf`` where it cannot be served, float64 (len(sites), n)."""
        value = np.full((len(sites), self.n), np.inf)
        for k, j in enumerate(sites):
            column = slice(self.cptr[j], self.cptr[j + 1])
            value[k, self.crow[column]] = self.cval[column]
        return value


def make_capacitated_core(instance: Instance) -> CapacitatedCore:
    """
    Columns of an instance of one phase, level and group.

    Raises
    ------
    UsageError
        There are several levels or groups of capacities.
    """
    if instance.capacity.shape[1:] != (1, 1):
        raise UsageError("capacities by level or by group cannot be solved yet")
    weight = np.asarray(instance.weight[0])
    need = weight if instance.need is None else np.asarray(instance.need, dtype=np.float64)
    idle = np.where(np.isfinite(instance.unserved), weight * np.minimum(instance.unserved, 1e300), np.inf)
    rows = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
    value = weight[rows] * np.asarray(instance.cost, dtype=np.float64)
    usable = instance.standing != FORBIDDEN
    room = np.minimum(instance.capacity[:, 0, 0], need.sum())
    keep = usable[instance.site_idx] & (value <= idle[rows])
    if instance.single_source:
        keep &= need[rows] <= room[instance.site_idx]
    order = np.flatnonzero(keep)
    order = order[np.lexsort((rows[order], instance.site_idx[order]))]
    counts = np.bincount(instance.site_idx[order], minlength=instance.n_sites)[usable]
    standing = instance.standing[usable] == OPEN
    n_standing = int(standing.sum())
    k_max = min(int(instance.open_max[0]) + n_standing, int(usable.sum()))
    # so many that even the roomiest together hold what must be served
    wanted = float(need[~np.isfinite(idle)].sum()) * (1 - 1e-9)
    roomiest = np.sort(room[instance.standing == FREE])[::-1]
    held = float(room[instance.standing == OPEN].sum()) + np.concatenate([[0.0], np.cumsum(roomiest)])
    fewest = n_standing + int(np.searchsorted(held, wanted))
    return CapacitatedCore(
        site=np.flatnonzero(usable).astype(np.int32),
        must=standing,
        price=instance.price[usable],
        room=room[usable],
        need=need,
        idle=idle,
        k_min=max(int(instance.open_min[0]) + n_standing, fewest),
        k_max=k_max,
        cptr=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]),
        crow=rows[order].astype(np.int32),
        cval=value[order],
        whole_rows=instance.single_source,
    )
