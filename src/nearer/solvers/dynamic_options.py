"""The choice of options under side rules: its linear relaxation kept warm, and rounded by branch and cut."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from nearer.lp import Lp, LpStatus, MipProblem, MipResult, solve_mip
from nearer.model.rules import Rules
from nearer.progress import Stop
from nearer.units import BoolArray, FloatArray, IntArray

_EPS = float(np.finfo(np.float64).eps)


class OptionChoice:
    """
    ``min Σ q_o z_o``, one option per site, side rules kept; q changes from call to call.

    Parameters
    ----------
    rules
        Options and side rules.
    """

    def __init__(self, rules: Rules, stop: Stop) -> None:
        self.rules = rules
        n_o, n_j = rules.n_options, len(rules.option_ptr) - 1
        self.fixed = np.zeros(n_o, dtype=bool)
        """Options given up: they are not taken."""
        self.side_row = np.repeat(np.arange(rules.n_sides), np.diff(rules.side_ptr))
        self._scale = 1.0
        self._lp: Lp | None = None
        if rules.n_sides:
            self._lp = Lp(stop)
            self._lp.use_primal()
            self._lp.add_columns(np.zeros(n_o), np.zeros(n_o), np.full(n_o, np.inf))
            # the sites' rows first, then the side rules, each scaled to entries of about 1
            self._lp.add_rows(
                np.ones(n_j), np.ones(n_j), rules.option_ptr, np.arange(n_o, dtype=np.int32), np.ones(n_o)
            )
            size = self.side_size
            self._lp.add_rows(
                rules.side_lower / size,
                rules.side_upper / size,
                rules.side_ptr,
                rules.side_option.astype(np.int32),
                rules.side_value / size[self.side_row],
            )

    @cached_property
    def side_size(self) -> FloatArray:
        """Largest coefficient of each side rule, float64 (n_sides,), 1 where it has none."""
        size = np.zeros(self.rules.n_sides)
        np.maximum.at(size, self.side_row, np.abs(self.rules.side_value))
        return np.where(size > 0, size, 1.0)

    @property
    def iterations(self) -> int:
        """Simplex iterations so far."""
        return 0 if self._lp is None else self._lp.iterations

    def relaxed(self, q: FloatArray) -> tuple[LpStatus, FloatArray, FloatArray]:
        """
        Solve the relaxation.

        Returns
        -------
        status, z, mu
            Shares of options (n_options,), and the multipliers of the side rules (n_sides,), none with an end that is
            not there.
        """
        rules = self.rules
        if self._lp is None:
            each = np.where(self.fixed, np.inf, q)
            least = np.minimum.reduceat(each, rules.option_ptr[:-1])
            z = np.zeros(rules.n_options)
            z[first_least(rules, each, least)] = 1.0
            return LpStatus.OPTIMAL, z, np.zeros(0)
        self._scale = max(float(np.abs(q).max(initial=0.0)), 1e-300)
        self._lp.set_costs(np.arange(len(q)), q / self._scale)
        status = self._lp.solve()
        if status is not LpStatus.OPTIMAL:
            return status, np.zeros(0), np.zeros(0)
        mu = self._lp.row_dual[len(rules.option_ptr) - 1 :] * self._scale / self.side_size
        mu = np.where((mu > 0) & np.isinf(rules.side_lower), 0.0, mu)
        mu = np.where((mu < 0) & np.isinf(rules.side_upper), 0.0, mu)
        return status, np.clip(self._lp.x, 0.0, 1.0), mu

    def reduced(self, q: FloatArray, mu: FloatArray) -> FloatArray:
        """``q − μᵀA`` of each option, float64 (n_options,)."""
        rules = self.rules
        paid = np.bincount(rules.side_option, weights=mu[self.side_row] * rules.side_value, minlength=rules.n_options)
        return np.asarray(q - paid)

    def proven(self, q: FloatArray, mu: FloatArray) -> tuple[float, float, FloatArray]:
        """
        What μ proves of the least ``Σ q z``: the value, the size of its terms, and reduced costs of options.

        Options given up count too, so that the bound holds for every plan.
        """
        rules = self.rules
        reduced = self.reduced(q, mu)
        each = np.minimum.reduceat(reduced, rules.option_ptr[:-1])
        size = float(np.abs(q).max(initial=0.0)) + float(np.abs(each).sum())
        entry = np.abs(mu[self.side_row] * rules.side_value)
        size += float(np.bincount(rules.side_option, weights=entry, minlength=1).max(initial=0.0)) * len(each)
        end = np.where(mu > 0, rules.side_lower, rules.side_upper)
        ends = np.where(mu != 0, mu * np.where(mu != 0, end, 0.0), 0.0)
        return float(each.sum() + ends.sum()), size + float(np.abs(ends).sum()), reduced

    def rounded(
        self,
        q: FloatArray,
        keep: BoolArray,
        stop: Callable[[float, int], bool],
        remaining_s: float,
        relative_gap: float = 1e-4,
        max_nodes: int | None = 200,
    ) -> tuple[MipResult, IntArray | None]:
        """
        The cheapest whole choice among the options marked.

        Returns
        -------
        result, option
            HiGHS's answer, and the option of each site (n_sites,), None where nothing was found.
        """
        rules = self.rules
        n_j = len(rules.option_ptr) - 1
        column = np.flatnonzero(keep)
        place = np.full(rules.n_options, -1, dtype=np.int64)
        place[column] = np.arange(len(column))
        kept = np.flatnonzero(keep[rules.side_option])
        size = self.side_size
        side = self.side_row[kept]
        indptr = np.concatenate(
            [
                [0],
                np.cumsum(np.bincount(rules.option_site[column], minlength=n_j)),
                len(column) + np.cumsum(np.bincount(side, minlength=rules.n_sides)),
            ]
        ).astype(np.int64)
        scale = max(float(np.abs(q[column]).max(initial=0.0)), 1e-300)
        result = solve_mip(
            MipProblem(
                cost=q[column] / scale,
                lower=np.zeros(len(column)),
                upper=np.ones(len(column)),
                integer=np.ones(len(column), dtype=bool),
                row_lower=np.concatenate([np.ones(n_j), rules.side_lower / size]),
                row_upper=np.concatenate([np.ones(n_j), rules.side_upper / size]),
                indptr=indptr,
                column=np.concatenate([np.arange(len(column)), place[rules.side_option[kept]]]).astype(np.int32),
                value=np.concatenate([np.ones(len(column)), rules.side_value[kept] / size[side]]),
            ),
            stop,
            remaining_s=remaining_s,
            relative_gap=relative_gap,
            max_nodes=max_nodes,
        )
        if result.x is None:
            return result, None
        z = np.zeros(rules.n_options)
        z[column] = result.x
        return result, first_least(rules, -z, np.minimum.reduceat(-z, rules.option_ptr[:-1]))

    def obeyed(self, option: IntArray) -> bool:
        """Whether a choice keeps the side rules, up to what the checker allows."""
        totals = self.rules.side_totals(option)
        slack = 1e-7 * np.maximum(1.0, np.abs(totals))
        return bool(np.all(totals >= self.rules.side_lower - slack) and np.all(totals <= self.rules.side_upper + slack))


def first_least(rules: Rules, each: FloatArray, least: FloatArray) -> IntArray:
    """First option of each site with the least of some values, int64 (n_sites,)."""
    at = np.flatnonzero(each <= least[rules.option_site])[::-1]
    option = np.zeros(len(rules.option_ptr) - 1, dtype=np.int64)
    option[rules.option_site[at]] = at
    return option
