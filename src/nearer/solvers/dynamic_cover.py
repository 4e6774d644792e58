"""
Money alone, under promises of who is near: a partial covering problem over options, for HiGHS.

Where no room has an end and nobody's way costs anything, a promise only asks which rows have an open site near enough.
Rows with the same sites near count as one, so that a city is a few thousand rows and no pairs are sent.
"""

from __future__ import annotations

import numpy as np

from nearer.lp import MipProblem, MipStatus, solve_mip
from nearer.model import Instance
from nearer.model.evaluate import pair_rows
from nearer.model.evaluate_rules import rules_of
from nearer.solvers.budget import LP_ITERATION_WORK, Budget
from nearer.solvers.dynamic_core import nearest_of
from nearer.solvers.dynamic_exact import Exact
from nearer.solvers.dynamic_options import first_least
from nearer.units import BoolArray, FloatArray, IntArray

_ROUNDED = 1e-12
"""What sums of people may be off by, relative."""


def is_covering(instance: Instance) -> bool:
    """Whether options alone cost anything, no room has an end, and every limit counts who is far."""
    rules = rules_of(instance)
    return (
        not instance.single_source
        and bool(np.isin(instance.capacity, (0.0, np.inf)).all())
        and not np.any(instance.weight)
        and bool(np.isfinite(instance.unserved).all())
        and len(rules.limits) > 0
        and all(limit.beyond is not None for limit in rules.limits)
    )


def solve_covering(instance: Instance, budget: Budget, gap: float) -> Exact:
    """Least cost of options that keep the side rules and every limit; everybody is sent to the nearest."""
    rules = rules_of(instance)
    problem = _problem(instance)
    money = max(float(np.abs(rules.option_cost).max(initial=0.0)), 1e-300)
    problem.cost[:] /= money

    def ask(bound: float, nodes: int) -> bool:
        budget.spend(LP_ITERATION_WORK)
        return budget.exhausted()

    budget.spend(len(instance.cost))
    result = solve_mip(
        problem, ask, remaining_s=budget.stop.remaining_s, relative_gap=max(gap, 1e-10), absolute_gap=1e-10
    )
    bound = (result.bound - 1e-10 * abs(result.bound)) * money
    if result.x is None:
        return Exact(result.status, None, None, np.inf, bound if result.status is MipStatus.STOPPED else np.inf)
    z = result.x[: rules.n_options]
    option = first_least(rules, -z, np.minimum.reduceat(-z, rules.option_ptr[:-1]))
    value = float(np.add.reduce(rules.option_cost[option]))
    if result.status is MipStatus.OPTIMAL and value - bound <= 1e-9 * max(abs(value), money):
        bound = value
    return Exact(result.status, option, sent_to_nearest(instance, option), value, min(bound, value))


def sent_to_nearest(instance: Instance, option: IntArray) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Phase, row, site and share where everybody goes to the nearest open site that serves their pool."""
    pool = instance.row_group if instance.capacity.shape[2] > 1 else np.zeros(instance.n_rows, dtype=np.int64)
    phase: list[IntArray] = []
    row: list[IntArray] = []
    site: list[IntArray] = []
    for t in range(instance.n_phases):
        serves = _serving(instance, t)[option]  # sites × pools
        for k in range(serves.shape[1]):
            _, which = nearest_of(instance.indptr, instance.site_idx, instance.cost, serves[:, k])
            at = np.flatnonzero((which >= 0) & (pool == k))
            phase.append(np.full(len(at), t, dtype=np.int16))
            row.append(at.astype(np.int32))
            site.append(which[at])
    phases, rows, sites = (np.concatenate(part) for part in (phase, row, site))
    order = np.lexsort((sites, rows, phases))
    return phases[order], rows[order], sites[order], np.ones(len(order))


def _serving(instance: Instance, phase: int) -> BoolArray:
    """Whether each option serves each pool in a phase, bool (n_options, n_pools)."""
    rules = rules_of(instance)
    level = rules.option_level[:, phase]
    room = instance.capacity[rules.option_site, np.maximum(level, 0)]
    return np.asarray((level >= 0)[:, None] & (room > 0))


def _problem(instance: Instance) -> MipProblem:
    """The programme: options first, then for every promise and phase how far each kind of row is covered."""
    rules = rules_of(instance)
    n_o, n_j = rules.n_options, instance.n_sites
    side_size = np.zeros(rules.n_sides)
    side_row = np.repeat(np.arange(rules.n_sides), np.diff(rules.side_ptr))
    np.maximum.at(side_size, side_row, np.abs(rules.side_value))
    side_size = np.where(side_size > 0, side_size, 1.0)
    lengths = [np.diff(rules.option_ptr), np.diff(rules.side_ptr)]
    columns: list[IntArray] = [np.arange(n_o), rules.side_option]
    values: list[FloatArray] = [np.ones(n_o), rules.side_value / side_size[side_row]]
    lower = [np.ones(n_j), rules.side_lower / side_size]
    upper = [np.ones(n_j), rules.side_upper / side_size]
    n_columns = n_o
    for limit in rules.limits:
        left, here, people = -limit.most, [], []
        for t in range(instance.n_phases):
            kinds, counts, surely = _kinds(instance, t, float(limit.beyond or 0.0), np.asarray(limit.factor[t]))
            left += float(np.asarray(limit.factor[t]).sum()) - surely
            if not len(counts):
                continue
            # Σ z of the options near − y ≥ 0
            ptr, option = kinds
            own = np.arange(n_columns, n_columns + len(counts))
            columns.append(np.insert(option, ptr[1:], own))
            values.append(np.insert(np.ones(len(option)), ptr[1:], -1.0))
            lengths.append(np.diff(ptr) + 1)
            lower.append(np.zeros(len(counts)))
            upper.append(np.full(len(counts), np.inf))
            here.append(own)
            people.append(counts)
            n_columns += len(counts)
        if left > _ROUNDED * float(np.asarray(limit.factor).sum()):  # so many more must be near
            count = np.concatenate([np.zeros(0), *people])
            size = max(float(count.max(initial=0.0)), left / max(len(count), 1))
            columns.append(np.concatenate([np.zeros(0, dtype=np.int64), *here]))
            values.append(count / size)
            lengths.append(np.array([len(count)]))
            lower.append(np.array([left / size]))
            upper.append(np.array([np.inf]))
    integer = np.zeros(n_columns, dtype=bool)
    integer[:n_o] = True
    return MipProblem(
        cost=np.concatenate([rules.option_cost, np.zeros(n_columns - n_o)]),
        lower=np.zeros(n_columns),
        upper=np.ones(n_columns),
        integer=integer,
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
        indptr=np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64),
        column=np.concatenate(columns).astype(np.int32),
        value=np.concatenate(values),
    )


def _kinds(
    instance: Instance, phase: int, beyond: float, factor: FloatArray
) -> tuple[tuple[IntArray, IntArray], FloatArray, float]:
    """
    Rows that count in a phase, those with the same options near as one.

    Returns
    -------
    options
        Of each kind: where they begin (n_kinds + 1,), and which.
    counts
        Factor of each kind, float64 (n_kinds,).
    surely
        Factor of the rows that are near something open whatever is chosen.
    """
    rules = rules_of(instance)
    pool = instance.row_group if instance.capacity.shape[2] > 1 else np.zeros(instance.n_rows, dtype=np.int64)
    serving = _serving(instance, phase)
    sure = np.logical_and.reduceat(serving, rules.option_ptr[:-1])  # sites × pools
    could = np.logical_or.reduceat(serving, rules.option_ptr[:-1])
    row = pair_rows(instance)
    near = np.flatnonzero((np.asarray(instance.cost) <= beyond) & (factor[row] > 0))
    row, site = row[near], instance.site_idx[near]
    done = np.zeros(instance.n_rows, dtype=bool)
    done[row[sure[site, pool[row]]]] = True
    kept = could[site, pool[row]] & ~done[row]
    row, site = row[kept], site[kept]
    order = np.lexsort((site, row))
    row, site = row[order], np.ascontiguousarray(site[order])
    ptr = np.searchsorted(row, np.arange(instance.n_rows + 1))
    count: dict[tuple[int, bytes], float] = {}
    for r in np.unique(row).tolist():
        kind = (int(pool[r]), site[ptr[r] : ptr[r + 1]].tobytes())
        count[kind] = count.get(kind, 0.0) + float(factor[r])
    of_pool = [np.flatnonzero(serving[:, k]) for k in range(serving.shape[1])]
    starts = [np.searchsorted(rules.option_site[at], np.arange(instance.n_sites + 1)) for at in of_pool]
    option = [
        np.concatenate([of_pool[k][starts[k][j] : starts[k][j + 1]] for j in np.frombuffer(sites, dtype=site.dtype)])
        for k, sites in count
    ]
    begins = np.concatenate([[0], np.cumsum([len(each) for each in option])]).astype(np.int64)
    every = np.concatenate([np.zeros(0, dtype=np.int64), *option])
    return (begins, every), np.array(list(count.values())), float(factor[done].sum())
