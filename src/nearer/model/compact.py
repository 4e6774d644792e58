"""
The compact model: every rule of an instance as one mixed-integer programme, the reference on small cases.

Variables: ``z_o`` (option taken), ``x_te`` (share of a row's pair served in a phase), ``u_tr`` (share left unserved).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.lp import MipProblem
from nearer.model.evaluate import pair_rows
from nearer.model.evaluate_rules import rules_of
from nearer.model.instance import Instance
from nearer.model.rules import limit_costs
from nearer.units import BoolArray, FloatArray, IntArray, ranges


@dataclass(frozen=True)
class CompactModel:
    """
    The programme and where its columns come from.

    Parameters
    ----------
    problem
        Columns in order: options, then per phase the pairs kept, then per phase the rows.
    pair
        Positions of the pairs kept, int64 (n_kept,), the same in each phase.
    """

    instance: Instance
    problem: MipProblem
    pair: IntArray

    def levels(self, x: FloatArray) -> IntArray:
        """Levels that a solution gives the sites, int16 (n_phases, n_sites)."""
        rules = rules_of(self.instance)
        z = np.asarray(x[: rules.n_options])
        best = np.maximum.reduceat(z, rules.option_ptr[:-1])
        at = np.flatnonzero(z >= best[rules.option_site])[::-1]
        option = np.zeros(self.instance.n_sites, dtype=np.int64)
        option[rules.option_site[at]] = at
        return np.ascontiguousarray(rules.option_level[option].T)

    def assignment(self, x: FloatArray) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
        """Phase, row, site and share of everybody who is served, up to HiGHS's tolerances."""
        instance, n = self.instance, len(self.pair)
        first = rules_of(instance).n_options
        share = np.asarray(x[first : first + instance.n_phases * n]).reshape(instance.n_phases, n)
        phase, at = np.nonzero(share > 1e-7)
        pair = self.pair[at]
        return (
            phase.astype(np.int16),
            pair_rows(instance)[pair].astype(np.int32),
            instance.site_idx[pair].astype(np.int32),
            np.minimum(share[phase, at], 1.0),
        )


def compact_model(instance: Instance, keep_pair: BoolArray | None = None) -> CompactModel:
    """
    Write an instance with rules as a mixed-integer programme.

    Parameters
    ----------
    instance
        With rules and the objective "sum".
    keep_pair
        Pairs to keep, bool (n_pairs,); None for all. Leaving some out restricts the problem.
    """
    rules = rules_of(instance)
    n_t, n_r, n_o, n_j = instance.n_phases, instance.n_rows, rules.n_options, instance.n_sites
    pair = np.arange(len(instance.site_idx)) if keep_pair is None else np.flatnonzero(keep_pair)
    row, site = pair_rows(instance)[pair], instance.site_idx[pair].astype(np.int64)
    cost = np.asarray(instance.cost, dtype=np.float64)[pair]
    n_e = len(pair)
    n_pools = instance.capacity.shape[2]
    pool = (instance.row_group[row] if n_pools > 1 else np.zeros(n_e)).astype(np.int64)
    idle_cost = np.where(np.isinf(instance.unserved), 0.0, instance.unserved)
    unserved_upper = np.where(np.isinf(instance.unserved), 0.0, 1.0)

    objective = [rules.option_cost]
    objective += [np.asarray(instance.weight[t])[row] * cost for t in range(n_t)]
    objective += [np.asarray(instance.weight[t]) * idle_cost for t in range(n_t)]
    upper = np.concatenate([np.ones(n_o + n_t * n_e), np.tile(unserved_upper, n_t)])
    x_at = [n_o + t * n_e + np.arange(n_e) for t in range(n_t)]
    u_at = [n_o + n_t * n_e + t * n_r + np.arange(n_r) for t in range(n_t)]

    rows = _Rows()
    option_site = rules.option_site
    rows.add(option_site, np.arange(n_o), np.ones(n_o), np.ones(n_j), np.ones(n_j))
    side = np.repeat(np.arange(rules.n_sides), np.diff(rules.side_ptr))
    rows.add(side, rules.side_option, rules.side_value, rules.side_lower, rules.side_upper)
    for t in range(n_t):
        rows.add(
            np.concatenate([row, np.arange(n_r)]),
            np.concatenate([x_at[t], u_at[t]]),
            np.ones(n_e + n_r),
            np.ones(n_r),
            np.ones(n_r),
        )
        level = rules.option_level[:, t]
        is_open = np.flatnonzero(level >= 0)
        room = instance.capacity[option_site[is_open], level[is_open]]  # options × pools
        # x ≤ Σ z of the options that serve the pool
        for k in range(n_pools):
            of_pool = np.flatnonzero(pool == k)
            serving = is_open[room[:, k] > 0]
            at, option = _options_of_entries(site[of_pool], option_site[serving], serving)
            rows.add(
                np.concatenate([np.arange(len(of_pool)), at]),
                np.concatenate([x_at[t][of_pool], option]),
                np.concatenate([np.ones(len(of_pool)), np.full(len(option), -1.0)]),
                np.full(len(of_pool), -np.inf),
                np.zeros(len(of_pool)),
            )
            need = instance.need_in(t)[row[of_pool]]
            bounded = np.isfinite(room[:, k])
            most = np.minimum(room[:, k], max(float(need.sum()), 1.0))  # no limit: all there is
            if bounded.any():
                scale = max(1.0, float(np.median(most[bounded])))
                rows.add(
                    np.concatenate([site[of_pool], option_site[is_open]]),
                    np.concatenate([x_at[t][of_pool], is_open]),
                    np.concatenate([need / scale, -most / scale]),
                    np.full(n_j, -np.inf),
                    np.zeros(n_j),
                )
    for limit in rules.limits:
        met = [limit.factor[t][row] * limit_costs(limit, cost) for t in range(n_t)]
        left = [limit.factor[t] * (idle_cost if limit.beyond is None else 1.0) for t in range(n_t)]
        value = np.concatenate([*met, *left])
        scale = max(1.0, float(np.abs(value).max(initial=1.0)))
        column = np.concatenate([*x_at, *u_at])
        used = np.flatnonzero(value)
        rows.add(
            np.zeros(len(used), dtype=np.int64),
            column[used],
            value[used] / scale,
            np.array([-np.inf]),
            np.array([limit.most / scale]),
        )
    indptr, column, value, lower_row, upper_row = rows.done()
    integer = np.zeros(len(upper), dtype=bool)
    integer[:n_o] = True
    if instance.single_source:
        integer[:] = True
    problem = MipProblem(
        cost=np.concatenate(objective),
        lower=np.zeros(len(upper)),
        upper=upper,
        integer=integer,
        row_lower=lower_row,
        row_upper=upper_row,
        indptr=indptr,
        column=column,
        value=value,
    )
    return CompactModel(instance, problem, pair)


def _options_of_entries(site: IntArray, option_site: IntArray, option: IntArray) -> tuple[IntArray, IntArray]:
    """For each entry all options of its site: the entry's place, and the option; options sorted by site."""
    first, last = np.searchsorted(option_site, site), np.searchsorted(option_site, site, side="right")
    counts = last - first
    at = np.repeat(np.arange(len(site)), counts)
    return at, option[ranges(first, counts)]


class _Rows:
    """Sparse rows gathered block by block."""

    def __init__(self) -> None:
        self._parts: list[tuple[IntArray, IntArray, FloatArray]] = []
        self._lower: list[FloatArray] = []
        self._upper: list[FloatArray] = []
        self._n = 0

    def add(self, at: IntArray, column: IntArray, value: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
        self._parts.append((np.asarray(at, dtype=np.int64) + self._n, np.asarray(column, dtype=np.int64), value))
        self._lower.append(lower)
        self._upper.append(upper)
        self._n += len(lower)

    def done(self) -> tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]:
        at, column, value = (np.concatenate([part[k] for part in self._parts]) for k in range(3))
        order = np.lexsort((column, at))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=self._n))]).astype(np.int64)
        return (
            indptr,
            column[order].astype(np.int32),
            np.asarray(value[order], dtype=np.float64),
            np.concatenate(self._lower),
            np.concatenate(self._upper),
        )
