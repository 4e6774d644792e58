"""A plan at once, where the clock leaves no time for more: options by what lies near them, side rules kept."""

from __future__ import annotations

import numpy as np

from nearer.solvers.dynamic_core import DynamicCore
from nearer.units import FloatArray, IntArray

_NEAREST = 3
"""Nearest sites of a row among which its weight counts."""


def easy_options(core: DynamicCore) -> IntArray:
    """
    An option for every site, int64 (n_sites,), that keeps the side rules where that is easily found.

    Each site begins with what takes least of the side rules. Then options that what must be at least still lacks, and
    then whatever fits, those first that have most people near for what they take.
    """
    rules = core.rules
    take, size = _taken(core)
    gain = _gain(core)
    used = np.bincount(np.repeat(np.arange(rules.n_options), np.diff(take[0])), weights=size, minlength=rules.n_options)
    option = np.array(
        [
            a + np.lexsort((rules.option_cost[a:b], np.round(used[a:b], 12)))[0]
            for a, b in zip(rules.option_ptr[:-1], rules.option_ptr[1:], strict=True)
        ]
    )
    total = rules.side_totals(option)
    slack = 1e-9 * np.maximum(1.0, np.abs(np.where(np.isfinite(rules.side_upper), rules.side_upper, 0.0)))
    first = option.copy()
    more, dearer = gain - gain[first[rules.option_site]], used - used[first[rules.option_site]]
    order = np.argsort(-more / np.maximum(dearer, 1e-9), kind="stable")
    for lacking in (True, False):
        for o in order.tolist():
            site = rules.option_site[o]
            if option[site] != first[site] or o == first[site] or (not lacking and more[o] <= 0):
                continue
            side, change = _change(take, rules.side_value, first[site], o)
            after = total[side] + change
            if np.any((change > 0) & (after > rules.side_upper[side] + slack[side])):
                continue
            if np.any((change < 0) & (after < rules.side_lower[side] - slack[side])):
                continue
            if lacking and not np.any((change > 0) & (total[side] < rules.side_lower[side] - slack[side])):
                continue
            option[site] = o
            total[side] = after
            if lacking and np.all(total >= rules.side_lower - slack):
                break
    return option


def _taken(core: DynamicCore) -> tuple[tuple[IntArray, IntArray, IntArray], FloatArray]:
    """Side rules by option (where they begin, which, and the entry), and which part of its upper end each entry is."""
    rules = core.rules
    side = np.repeat(np.arange(rules.n_sides), np.diff(rules.side_ptr))
    order = np.argsort(rules.side_option, kind="stable")
    ptr = np.concatenate([[0], np.cumsum(np.bincount(rules.side_option, minlength=rules.n_options))]).astype(np.int64)
    end = np.abs(rules.side_upper[side[order]])
    value = np.maximum(rules.side_value[order], 0.0)
    part = np.where(np.isfinite(end), value / np.maximum(end, 1e-9), 0.0)
    return (ptr, side[order], order), part


def _change(
    take: tuple[IntArray, IntArray, IntArray], value: FloatArray, before: int, after: int
) -> tuple[IntArray, FloatArray]:
    """Side rules whose totals change from one option to another, and by how much."""
    ptr, side, entry = take
    old, new = slice(ptr[before], ptr[before + 1]), slice(ptr[after], ptr[after + 1])
    which, at = np.unique(np.concatenate([side[old], side[new]]), return_inverse=True)
    amount = np.concatenate([-value[entry[old]], value[entry[new]]])
    return which, np.asarray(np.bincount(at, weights=amount, minlength=len(which)), dtype=np.float64)


def _gain(core: DynamicCore) -> FloatArray:
    """People near each option, counted by phase and as far as its room goes, float64 (n_options,)."""
    rules = core.rules
    pool = np.repeat(np.arange(core.n_pools), np.diff(core.pool_ptr))
    people = core.weight + (core.factor.sum(axis=0) if len(core.factor) else 0.0)
    near = np.zeros((core.n_sites, core.n_pools, core.n_phases))
    for nth in range(_NEAREST):
        at = core.indptr[:-1][core.order] + nth
        some = np.flatnonzero(at < core.indptr[1:][core.order])
        site = core.site[at[some]]
        for t in range(core.n_phases):
            part = np.bincount(
                site * core.n_pools + pool[some], weights=people[some, t], minlength=core.n_sites * core.n_pools
            )
            near[:, :, t] += part.reshape(core.n_sites, core.n_pools) / _NEAREST
    total = np.zeros(rules.n_options)
    for t in range(core.n_phases):
        level = rules.option_level[:, t]
        room = core.room[rules.option_site, np.maximum(level, 0)]
        total += np.where(level >= 0, np.minimum(near[rules.option_site, :, t], room).sum(axis=1), 0.0)
    return total
