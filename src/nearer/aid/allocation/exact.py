"""The fairest whole packs of a small case, by integer programmes level by level."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from nearer.aid.allocation.case import Case
from nearer.aid.allocation.journeys import Journeys, Limit
from nearer.aid.allocation.packs import Packed, pack_sizes
from nearer.lp import MipProblem, MipStatus, solve_mip
from nearer.progress import Stop
from nearer.units import FloatArray, IntArray

MOST_JOURNEYS = 150
MOST_GOALS = 16
_NODES = 5_000


@dataclass
class _Model:
    """Rows and columns that grow; columns are packs, units served, and then whatever the levels need."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)

    def column(self, lower: float, upper: float, whole: bool) -> int:
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.lower) - 1

    def row(self, entries: dict[int, float], lower: float = -np.inf, upper: float = np.inf) -> None:
        self.rows.append((entries, lower, upper))

    def maximise(self, gain: dict[int, float], stop: Stop) -> FloatArray | None:
        """The best solution, proven; None where it was not."""
        cost = np.zeros(len(self.lower))
        for at, much in gain.items():
            cost[at] = -much
        row = np.array([r for r, (entries, _, _) in enumerate(self.rows) for _ in entries])
        column = np.array([c for entries, _, _ in self.rows for c in entries])
        value = np.array([v for entries, _, _ in self.rows for v in entries.values()])
        matrix = csr_array((value, (row, column)), shape=(len(self.rows), len(cost)))
        problem = MipProblem(
            cost=cost, lower=np.array(self.lower), upper=np.array(self.upper), integer=np.array(self.whole),
            row_lower=np.array([r[1] for r in self.rows]), row_upper=np.array([r[2] for r in self.rows]),
            indptr=matrix.indptr, column=matrix.indices, value=matrix.data,
        )  # fmt: skip
        result = solve_mip(
            problem, lambda bound, nodes: stop(), remaining_s=stop.remaining_s, max_nodes=_NODES, absolute_gap=1e-9
        )
        return result.x if result.status is MipStatus.OPTIMAL else None


def exact_packs(
    case: Case, journeys: Journeys, orders: list[FloatArray], minima: FloatArray, stop: Stop
) -> Packed | None:
    """
    Whole packs with the highest sorted fill rates, and among those the best by further wishes.

    One level after the other: raise the lowest rate; have as many as can be above it; raise the lowest of those; and so
    on. Who is above is left open until the end, so no choice is excluded (Ogryczak, Pióro and Tomaszewski 2005,
    section 3.3, for whole numbers).

    Parameters
    ----------
    orders
        What to minimise after, one after the other, per base unit served: float64 (n_columns,) each.
    minima
        float64 (n_requests,): base units that each request gets at least.

    Returns
    -------
    Packed or None
        None where the case is too large, or a programme was not solved to its end.
    """
    n, n_goals = journeys.n_columns, journeys.n_goals
    if n == 0 or n > MOST_JOURNEYS or n_goals > MOST_GOALS:
        return None
    model, packs, units = _model(case, journeys, minima)
    served = [{units[j]: 1.0 for j in range(journeys.start[g], journeys.start[g + 1])} for g in range(n_goals)]
    asked = journeys.asked
    above: dict[int, int] = {}
    goals = [g for g in range(n_goals) if served[g]]
    x: FloatArray | None = None
    while goals:
        # Raise the lowest rate of those above the last level.
        level = model.column(0.0, 1.0, whole=False)
        for g in goals:
            # served ≥ level · asked, where the goal is above the last level at all
            entries = dict(served[g]) | {level: -asked[g]}
            slack = 0.0
            if above:
                entries[above[g]] = -asked[g]
                slack = asked[g]
            model.row(entries, lower=-slack)
        x = model.maximise({level: 1.0}, stop)
        if x is None:
            return None
        counted = [g for g in goals if not above or x[above[g]] > 0.5]
        if not counted:
            break
        rate = min(round(sum(x[c] for c in served[g])) / asked[g] for g in counted)
        model.lower[level] = model.upper[level] = rate * (1 - 1e-9)
        # As many as can be above it; the next whole number of units is above.
        now: dict[int, int] = {}
        for g in goals:
            more = np.floor(rate * asked[g] + 1e-6) + 1
            if more > asked[g]:
                continue
            now[g] = model.column(0.0, 1.0, whole=True)
            model.row(dict(served[g]) | {now[g]: -float(more)}, lower=0.0)
            if above:
                model.row({now[g]: 1.0, above[g]: -1.0}, upper=0.0)
        if not now:
            break
        x = model.maximise(dict.fromkeys(now.values(), 1.0), stop)
        if x is None:
            return None
        most = round(sum(x[c] for c in now.values()))
        model.row(dict.fromkeys(now.values(), 1.0), lower=float(most))
        if most == 0:
            break
        goals, above = sorted(now), now
    for cost in orders:
        gain = {units[j]: -float(cost[j]) for j in range(n) if cost[j] != 0}
        if not gain:
            continue
        x = model.maximise(gain, stop)
        if x is None:
            return None
        value = float(sum(v * x[c] for c, v in gain.items()))
        model.row(gain, lower=value - 1e-7 * max(1.0, abs(value)))
    if x is None:
        return None
    chosen = np.array([round(x[c]) for c in packs], dtype=np.int64)
    got = np.array([round(x[c]) for c in units], dtype=np.int64)
    # A pack that serves nothing stays where it is.
    chosen = np.minimum(chosen, -(-got // pack_sizes(case, journeys)))
    given = np.bincount(journeys.goal, weights=got, minlength=n_goals)
    return Packed(chosen, got, given / asked)


def _model(case: Case, journeys: Journeys, minima: FloatArray) -> tuple[_Model, list[int], list[int]]:
    n, pack = journeys.n_columns, pack_sizes(case, journeys)
    model = _Model()
    packs = [model.column(0.0, float(case.lots[journeys.lot[j]].quantity // pack[j]), True) for j in range(n)]
    units = [model.column(0.0, float(journeys.upper[j]), True) for j in range(n)]
    for j in range(n):
        model.row({units[j]: 1.0, packs[j]: -float(pack[j])}, upper=0.0)
        # No more than one pack is opened in vain.
        model.row({packs[j]: float(pack[j]), units[j]: -1.0}, upper=float(pack[j] - 1))
    _totals(model, journeys.lot, packs, pack, [float(lot.quantity) for lot in case.lots])
    _totals(model, journeys.request, units, np.ones(n, dtype=np.int64), [float(r.quantity) for r in case.requests])
    for k, least in enumerate(minima):
        mine = np.flatnonzero(journeys.request == k)
        if least > 0 and len(mine):
            model.row({units[j]: 1.0 for j in mine}, lower=float(least))
    matrix = csr_array(journeys.matrix)
    for r in range(journeys.n_rows):
        if journeys.limit[r] in (Limit.LOT, Limit.ASKED):
            continue
        span = slice(matrix.indptr[r], matrix.indptr[r + 1])
        entries = {packs[j]: float(v * pack[j]) for j, v in zip(matrix.indices[span], matrix.data[span], strict=True)}
        model.row(entries, upper=float(journeys.room[r]))
    return model, packs, units


def _totals(model: _Model, group: IntArray, columns: list[int], weight: IntArray, most: list[float]) -> None:
    for k, limit in enumerate(most):
        mine = np.flatnonzero(group == k)
        if len(mine):
            model.row({columns[j]: float(weight[j]) for j in mine}, upper=limit)
