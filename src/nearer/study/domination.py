"""Set cover made smaller: sites that cover no more than another, customers covered whenever another is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from nearer.model import FORBIDDEN, FREE, Instance
from nearer.progress import Stop
from nearer.units import BoolArray, IntArray

_MOST_PRODUCTS = 1_000_000_000
"""Pairs of sites with a customer in common, counted with repetition, above which nothing is compared."""
_PRODUCTS_AT_ONCE = 10_000_000


def without_dominated(instance: Instance, stop: Stop | None = None) -> Instance:
    """
    Forbid dominated sites and disregard dominated customers of a set-cover instance, in turns until nothing changes.

    A site is dominated if another that costs the same covers all that it covers; a customer, if every site that covers
    another covers it too. Fewest sites are needed for the one instance as for the other: a site may be exchanged for
    the one that dominates it, and disregarded customers, whose weight becomes 0, are covered with the others.

    Parameters
    ----------
    instance
        Costs of covering 0, every site at the same price, any number of them.
    stop
        Who may ask to leave it at what is done.

    Returns
    -------
    Instance
        The same rows and sites; ``instance`` itself where comparing would take too long.
    """
    n, m, stop = instance.n_rows, instance.n_sites, stop or Stop()
    degree = np.diff(instance.indptr).astype(np.int64)
    if int(np.square(degree).sum()) > _MOST_PRODUCTS:
        return instance
    ones = np.ones(len(instance.site_idx), dtype=np.int32)
    rows = np.arange(n)
    sites = np.flatnonzero(instance.standing == FREE)
    covers = csr_array((ones, instance.site_idx, instance.indptr), shape=(n, m))[:, sites]
    while True:
        keep_site = ~_inside_another(csr_array(covers.T), stop)
        covers, sites = csr_array(covers[:, np.flatnonzero(keep_site)]), sites[keep_site]
        keep_row = ~_around_another(covers, stop)
        covers, rows = csr_array(covers[np.flatnonzero(keep_row)]), rows[keep_row]
        if stop() or (keep_site.all() and keep_row.all()):
            break
    standing = np.full(m, FORBIDDEN, dtype=np.int8)
    standing[sites] = FREE
    weight = np.zeros((1, n))
    weight[0, rows] = instance.weight[0, rows]
    return replace(instance, standing=standing, weight=weight)


def _inside_another(sets: csr_array, stop: Stop) -> BoolArray:
    """Which rows hold nothing that some other row does not hold too; of equal ones all but the first."""
    size = np.diff(sets.indptr).astype(np.int64)
    found: BoolArray = np.asarray(size == 0)
    for left, right, common in _pairs(sets, stop):
        inside = (common == size[left]) & ((size[right] > size[left]) | (right < left))
        found[left[inside]] = True
    return found


def _around_another(sets: csr_array, stop: Stop) -> BoolArray:
    """Which rows hold all that some other row holds; of equal ones all but the first."""
    size = np.diff(sets.indptr).astype(np.int64)
    found = np.zeros(len(size), dtype=bool)
    for left, right, common in _pairs(sets, stop):
        around = (common == size[right]) & ((size[right] < size[left]) | (right < left))
        found[left[around]] = True
    return found


def _pairs(sets: csr_array, stop: Stop) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Pairs of different rows with something in common, and how much, in parts of at most 0.2 s."""
    other = csr_array(sets.T)
    held_by = np.diff(other.indptr).astype(np.int64)
    work = np.concatenate([[0], np.cumsum(held_by[sets.indices])])[sets.indptr]
    start = 0
    while start < sets.shape[0] and not stop():
        end = max(start + 1, int(np.searchsorted(work, work[start] + _PRODUCTS_AT_ONCE, side="right")) - 1)
        product = (sets[start:end] @ other).tocoo()
        row = product.row + start
        differs = row != product.col
        yield row[differs], product.col[differs], product.data[differs]
        start = end
