"""
Value and bound of an instance with rules, in plain NumPy without the solver that found them.

Nothing here is shared with the solvers or their kernels.
"""

from __future__ import annotations

import math

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model.certificate import RulesCertificate
from nearer.model.evaluate import pair_rows
from nearer.model.instance import Instance
from nearer.model.rules import CLOSED, Rules, limit_costs
from nearer.units import FloatArray, IntArray

_EPS = float(np.finfo(np.float64).eps)


def rules_of(instance: Instance) -> Rules:
    """
    The rules of an instance that has them.

    Raises
    ------
    ValueError
        It has none.
    """
    if instance.rules is None:
        raise ValueError("the instance has no rules")
    return instance.rules


def rules_bound(instance: Instance, certificate: RulesCertificate) -> float:
    """
    Evaluate the lower bound that multipliers prove, rounded down; see ``RulesCertificate`` for the formula.

    Raises
    ------
    CheckFailedError
        The arrays do not fit the instance, or a multiplier of a limit is negative: they prove nothing.
    """
    rules = rules_of(instance)
    lam, mu, pi = certificate.row_multiplier, certificate.side_multiplier, certificate.limit_multiplier
    if lam.shape != instance.weight.shape or mu.shape != (rules.n_sides,) or pi.shape != (len(rules.limits),):
        raise CheckFailedError("The certificate proves nothing: its multipliers do not fit the rows, rules and limits.")
    if not (np.isfinite(lam).all() and np.isfinite(mu).all() and np.isfinite(pi).all()) or np.any(pi < 0):
        raise CheckFailedError("The certificate proves nothing: a multiplier is no number, or below zero.")

    best = option_values(instance, lam, pi) + rules.option_cost
    row = np.repeat(np.arange(rules.n_sides), np.diff(rules.side_ptr))
    paid = np.bincount(rules.side_option, weights=mu[row] * rules.side_value, minlength=rules.n_options)
    size = np.bincount(rules.side_option, weights=np.abs(mu[row] * rules.side_value), minlength=rules.n_options)
    each = np.minimum.reduceat(best - paid, rules.option_ptr[:-1])
    terms = [*each]
    magnitude = float(np.abs(best).max(initial=0.0)) + float(np.maximum.reduceat(size, rules.option_ptr[:-1]).sum())
    magnitude += float(np.abs(each).sum())
    for phase in range(instance.n_phases):
        staying = effective_unserved(instance, pi, phase)
        part = np.minimum(lam[phase], staying)
        terms += [*part]
        magnitude += float(np.abs(part).sum())
    for limit, price in zip(rules.limits, pi, strict=True):
        terms.append(-price * limit.most)
        magnitude += abs(price * limit.most)
    for low, high, price in zip(rules.side_lower, rules.side_upper, mu, strict=True):
        if price != 0.0:
            end = low if price > 0 else high
            if math.isinf(end):
                return -math.inf
            terms.append(price * end)
            magnitude += abs(price * end)
    longest = 64 + int(np.bincount(instance.site_idx, minlength=1).max(initial=0)) * instance.n_phases
    return math.fsum(terms) - _EPS * longest * magnitude


def effective_unserved(instance: Instance, limit_price: FloatArray, phase: int) -> FloatArray:
    """What staying unserved costs a row, limits included, float64 (n_rows,); ``inf`` where it is not allowed."""
    weight = np.asarray(instance.weight[phase])
    cost = np.where(np.isinf(instance.unserved), 0.0, weight * np.minimum(instance.unserved, 1e300))
    for limit, price in zip(rules_of(instance).limits, limit_price, strict=True):
        counted = np.minimum(instance.unserved, 1e300) if limit.beyond is None else 1.0
        cost = cost + price * limit.factor[phase] * counted
    return np.where(np.isinf(instance.unserved), math.inf, cost)


def effective_costs(instance: Instance, limit_price: FloatArray, phase: int) -> FloatArray:
    """What each stored pair costs when its row is served there whole, limits included, float64 (n_pairs,)."""
    row = pair_rows(instance)
    cost = np.asarray(instance.cost, dtype=np.float64)
    paid = np.asarray(instance.weight[phase])[row] * cost
    for limit, price in zip(rules_of(instance).limits, limit_price, strict=True):
        paid = paid + price * limit.factor[phase][row] * limit_costs(limit, cost)
    return paid


def option_values(instance: Instance, lam: FloatArray, limit_price: FloatArray) -> FloatArray:
    """Σ_t V of each option under some multipliers, its own cost not included; float64 (n_options,), never above 0."""
    rules = rules_of(instance)
    total = np.zeros(rules.n_options)
    for phase in range(instance.n_phases):
        value = site_values(instance, lam[phase], limit_price, phase)
        level = rules.option_level[:, phase]
        is_open = level != CLOSED
        total[is_open] += value[rules.option_site[is_open], level[is_open]]
    return total


def site_values(instance: Instance, lam: FloatArray, limit_price: FloatArray, phase: int) -> FloatArray:
    """Least Σ (ĉ − λ) x over each site's knapsacks at each level in a phase, float64 (n_sites, n_levels)."""
    n_sites, n_levels, n_pools = instance.capacity.shape
    row, site = pair_rows(instance), instance.site_idx.astype(np.int64)
    gain = lam[row] - effective_costs(instance, limit_price, phase)
    need = instance.need_in(phase)[row]
    pool = (instance.row_group[row] if n_pools > 1 else np.zeros(len(row), dtype=np.int64)).astype(np.int64)
    at = np.flatnonzero(gain > 0.0)
    with np.errstate(divide="ignore"):
        ratio = np.where(need[at] > 0, gain[at] / need[at], np.inf)
    knapsack = site[at] * n_pools + pool[at]
    order = np.lexsort((-ratio, knapsack))
    at, knapsack = at[order], knapsack[order]
    wanted = need[at]
    filled = np.cumsum(wanted)
    start = np.searchsorted(knapsack, knapsack)
    before = filled - wanted - np.concatenate([[0.0], filled])[start]
    value = np.zeros((n_sites, n_levels))
    for level in range(n_levels):
        room = instance.capacity[:, level, :].ravel()[knapsack]
        left = np.clip(np.where(np.isinf(room), wanted, room - before), 0.0, wanted)
        share = np.where(wanted > 0, left / np.where(wanted > 0, wanted, 1.0), (room > 0).astype(np.float64))
        value[:, level] = -np.bincount(site[at], weights=gain[at] * share, minlength=n_sites)
    return value


def assigned_cost(instance: Instance, phase: int, row: IntArray, place: IntArray, share: FloatArray) -> float:
    """Cost of the people of a phase as they are sent, unserved shares included; ``place`` are positions of pairs."""
    weight = np.asarray(instance.weight[phase])
    left = _left(instance, row, share)
    if np.any(np.isinf(instance.unserved[left > 0])):
        return math.inf
    paid = weight[row] * share * np.asarray(instance.cost)[place]
    idle = (weight * left)[left > 0] * instance.unserved[left > 0]
    return math.fsum(np.concatenate([paid, idle]))


def limit_total(instance: Instance, limit: int, phase: int, row: IntArray, place: IntArray, share: FloatArray) -> float:
    """What the people of a phase add to a limit."""
    rule = rules_of(instance).limits[limit]
    factor = rule.factor[phase]
    left = _left(instance, row, share)
    idle = np.where(left > 0, factor * left, 0.0)
    idle = idle * np.where(idle > 0, instance.unserved, 0.0) if rule.beyond is None else idle
    met = factor[row] * share * limit_costs(rule, np.asarray(instance.cost)[place].astype(np.float64))
    return math.fsum(np.concatenate([met, idle]))


def _left(instance: Instance, row: IntArray, share: FloatArray) -> FloatArray:
    """Share of each row that is unserved; what rounding left over counts as served."""
    served = np.bincount(row, weights=share, minlength=instance.n_rows)
    return np.where(served < 1 - 1e-9, 1 - served, 0.0)
