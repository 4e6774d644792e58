"""The strong compact model of a capacitated core, as sparse arrays for HiGHS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nearer.lp import MipProblem, MipResult, solve_mip
from nearer.solvers.budget import LP_ITERATION_WORK
from nearer.solvers.capacitated_core import CapacitatedCore
from nearer.solvers.capacitated_plan import Plan, make_plan
from nearer.solvers.state import State
from nearer.units import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Model:
    """Columns in order: openness of each site, entries, rows left unserved (``idle_row``); ``entry`` in the core."""

    core: CapacitatedCore
    problem: MipProblem
    entry: IntArray
    idle_row: IntArray

    def plan(self, x: FloatArray) -> Plan | None:
        """A solution of the model, rounded and priced again; None where rounding breaks a rule."""
        core = self.core
        open_mask = (x[: core.m] > 0.5) | core.must
        used = self.entry[x[core.m : core.m + len(self.entry)] > 0.5]
        row, site = core.crow[used], core.entry_site[used]
        load = np.bincount(site, weights=core.need[row], minlength=core.m)
        served = np.bincount(row, minlength=core.n)
        broken = (
            not core.k_min <= int(open_mask.sum()) <= core.k_max
            or bool(np.any(load > core.room * (1 + 1e-12)))
            or bool(np.any(served > 1) or np.isinf(core.idle[served == 0]).any())
        )
        order = np.argsort(row, kind="stable")
        return None if broken else make_plan(core, open_mask, row[order], site[order], np.ones(len(row)))


def make_model(core: CapacitatedCore, keep: BoolArray) -> Model:
    """
    Model with the entries marked, bool (nnz,).

    ``Σ_j x_ij + idle_i = 1``; ``Σ_i need_i x_ij ≤ room_j y_j``; ``x_ij ≤ y_j``; the number of open
    sites; and, since it helps branch and cut, ``Σ room_j y_j`` ≥ what must be served.
    """
    m, n = core.m, core.n
    entry = np.flatnonzero(keep)
    e_site, e_row = core.entry_site[entry], core.crow[entry].astype(np.int64)
    idle_row = np.flatnonzero(np.isfinite(core.idle))
    n_entries, n_idle = len(entry), len(idle_row)
    x = m + np.arange(n_entries)
    idle = m + n_entries + np.arange(n_idle)
    must_serve = float(core.need[~np.isfinite(core.idle)].sum())

    room = np.where(core.room > 0, core.room, 1.0)
    # entries by row of the model: demand rows, rooms (scaled to 1), x ≤ y, count, total room
    parts = [
        (e_row, x, np.ones(n_entries)),
        (idle_row, idle, np.ones(n_idle)),
        (n + e_site, x, core.need[e_row] / room[e_site]),
        (n + np.arange(m), np.arange(m), np.where(core.room > 0, -1.0, 0.0)),
        (n + m + np.arange(n_entries), x, np.ones(n_entries)),
        (n + m + np.arange(n_entries), e_site, np.full(n_entries, -1.0)),
        (np.full(m, n + m + n_entries), np.arange(m), np.ones(m)),
        (np.full(m, n + m + n_entries + 1), np.arange(m), core.room / max(must_serve, 1.0)),
    ]
    at = np.concatenate([p[0] for p in parts])
    column = np.concatenate([p[1] for p in parts])
    value = np.concatenate([p[2] for p in parts])
    order = np.lexsort((column, at))
    n_model_rows = n + m + n_entries + 2
    indptr = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=n_model_rows))])
    least = np.full(n_model_rows, -np.inf)
    most = np.zeros(n_model_rows)
    least[:n] = most[:n] = 1.0
    least[-2], most[-2] = core.k_min, core.k_max
    least[-1], most[-1] = must_serve / max(must_serve, 1.0) * (1.0 - 1e-9), np.inf
    cost = np.concatenate([core.price, core.cval[entry], core.idle[idle_row]])
    lower = np.zeros(len(cost))
    lower[:m] = core.must
    integer = np.zeros(len(cost), dtype=bool)
    integer[:m] = True
    integer[m:] = core.whole_rows
    problem = MipProblem(
        cost=cost,
        lower=lower,
        upper=np.ones(len(cost)),
        integer=integer,
        row_lower=least,
        row_upper=most,
        indptr=indptr,
        column=column[order],
        value=value[order],
    )
    return Model(core, problem, entry, idle_row)


def search_model(
    model: Model,
    state: State,
    offer: Callable[[CapacitatedCore, Plan | None], object],
    *,
    max_nodes: int | None = None,
    proves: Callable[[float], None] | None = None,
) -> MipResult:
    """
    HiGHS's branch and cut on a model of rows served whole, for plans below the state's cutoff.

    Parameters
    ----------
    offer
        Told each plan.
    proves
        Told the bound so far, where that is one of everything still looked for.
    """
    budget = state.budget

    def stop(bound: float, nodes: int) -> bool:
        budget.spend(LP_ITERATION_WORK)
        if proves is not None and np.isfinite(bound):
            proves(bound - 1e-10 * abs(bound))
        return budget.exhausted() or (proves is not None and state.done())

    def found(x: FloatArray) -> None:
        offer(model.core, model.plan(x))

    result = solve_mip(
        model.problem,
        stop,
        remaining_s=budget.stop.remaining_s,
        absolute_gap=state.value - state.cutoff if np.isfinite(state.value) else 0.0,
        max_nodes=max_nodes,
        cutoff=state.cutoff,
        on_solution=found,
    )
    if result.x is not None:
        found(result.x)
    return result
