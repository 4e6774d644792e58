"""The one door to HiGHS: linear and mixed-integer programmes in sparse arrays, stoppable, the former kept warm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import highspy
import numpy as np

from nearer.progress import Stop
from nearer.units import BoolArray, FloatArray, IntArray


class LpStatus(StrEnum):
    """How a solve ended."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    STOPPED = "stopped"


class _SilentHighs(highspy.Highs):
    """HiGHS with its output off before the first thing it would print (1.16 prints while enabling callbacks)."""

    def __init__(self) -> None:
        super(highspy.Highs, self).__init__()
        self.setOptionValue("output_flag", False)
        kinds = range(int(highspy.cb.HighsCallbackType.kCallbackMax) + 1)
        self.callbacks = [highspy.highs.HighsCallback(highspy.cb.HighsCallbackType(kind), self) for kind in kinds]
        self.enableCallbacks()  # type: ignore[no-untyped-call]


class Lp:
    """
    A linear programme ``min cᵀx, l ≤ Ax ≤ u, bounds on x`` that grows and is solved again from its last basis.

    One thread and HiGHS's dual simplex, so that the same calls give the same answers on every machine.

    Parameters
    ----------
    stop
        Asked at every simplex iteration.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._highs: Any = _SilentHighs()
        for option, value in (
            ("threads", 1),
            ("solver", "simplex"),
            ("simplex_strategy", 1),
            ("primal_feasibility_tolerance", 1e-9),
            ("dual_feasibility_tolerance", 1e-9),
        ):
            self._highs.setOptionValue(option, value)
        self._highs.cbSimplexInterrupt += self._on_iteration
        self._highs.cbIpmInterrupt += self._on_iteration
        self.iterations = 0
        """Simplex iterations of all solves so far: a deterministic measure of work."""
        self.x: FloatArray = np.zeros(0)
        self.row_dual: FloatArray = np.zeros(0)
        self.objective = 0.0

    def _on_iteration(self, event: Any) -> None:
        if self._stop():
            event.interrupt()

    @property
    def n_rows(self) -> int:
        """Rows at present."""
        return int(self._highs.getNumRow())

    def add_columns(self, cost: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
        """Append columns without entries."""
        none_int, none = np.zeros(0, dtype=np.int32), np.zeros(0)
        self._highs.addCols(len(cost), cost, lower, upper, 0, none_int, none_int, none)

    def add_entries(
        self, cost: FloatArray, lower: FloatArray, upper: FloatArray, indptr: IntArray, row: IntArray, value: FloatArray
    ) -> None:
        """Append columns with entries in rows that are there."""
        if len(cost):
            starts = np.asarray(indptr[:-1], dtype=np.int32)
            self._highs.addCols(len(cost), cost, lower, upper, len(row), starts, np.asarray(row, dtype=np.int32), value)

    def add_rows(
        self, lower: FloatArray, upper: FloatArray, indptr: IntArray, column: IntArray, value: FloatArray
    ) -> None:
        """Append sparse rows."""
        if len(lower):
            starts = np.asarray(indptr[:-1], dtype=np.int32)
            self._highs.addRows(
                len(lower), lower, upper, len(column), starts, np.asarray(column, dtype=np.int32), value
            )

    def delete_rows(self, mask: BoolArray) -> None:
        """Delete the rows marked; the others move up."""
        which = np.flatnonzero(mask).astype(np.int32)
        if len(which):
            self._highs.deleteRows(len(which), which)

    def statuses(self) -> tuple[BoolArray, BoolArray]:
        """Whether each column, and each row, is basic in the last solution."""
        basis, basic = self._highs.getBasis(), highspy.HighsBasisStatus.kBasic
        columns, rows = list(basis.col_status), list(basis.row_status)
        return np.array([one == basic for one in columns]), np.array([one == basic for one in rows])

    def thin(self, columns: BoolArray, rows: BoolArray) -> None:
        """Delete the columns and rows marked, among them as many basic ones as rows; the rest of the basis stays."""
        old = self._highs.getBasis()
        basis = highspy.HighsBasis()
        basis.col_status = [one for one, gone in zip(old.col_status, columns, strict=True) if not gone]
        basis.row_status = [one for one, gone in zip(old.row_status, rows, strict=True) if not gone]
        self.delete_rows(rows)
        which = np.flatnonzero(columns).astype(np.int32)
        if len(which):
            self._highs.deleteCols(len(which), which)
        basis.valid = True
        self._highs.setBasis(basis)

    def set_bounds(self, column: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Change bounds of some columns."""
        if len(column):
            self._highs.changeColsBounds(len(column), np.asarray(column, dtype=np.int32), lower, upper)

    def set_row_bounds(self, row: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Change both sides of some rows."""
        if len(row):
            self._highs.changeRowsBounds(len(row), np.asarray(row, dtype=np.int32), lower, upper)

    def set_costs(self, column: IntArray, cost: FloatArray) -> None:
        """Change costs of some columns."""
        if len(column):
            self._highs.changeColsCost(len(column), np.asarray(column, dtype=np.int32), cost)

    def use_primal(self, primal: bool = True) -> None:
        """Go by the primal simplex from now on: right where the last basis stays feasible, as with other costs."""
        self._highs.setOptionValue("simplex_strategy", 4 if primal else 1)

    def use_devex(self) -> None:
        """Weigh edges roughly from now on: right for long, thin flows, whose exact weights cost more than they save."""
        self._highs.setOptionValue("simplex_dual_edge_weight_strategy", 1)

    def basis(self) -> Any:
        """The current basis, to come back to."""
        return self._highs.getBasis()

    def set_basis(self, basis: Any) -> None:
        """Start the next solve from a basis taken earlier; rows added since are basic, columns at their lower bound."""
        status = highspy.HighsBasisStatus
        more = self.n_rows - len(basis.row_status)
        if more > 0:
            basis.row_status = list(basis.row_status) + [status.kBasic] * more
        more = int(self._highs.getNumCol()) - len(basis.col_status)
        if more > 0:
            basis.col_status = list(basis.col_status) + [status.kLower] * more
        self._highs.setBasis(basis)

    @staticmethod
    def basis_of(basis: Any, column: IntArray, row: IntArray) -> Any:
        """The basis of a programme of which column[k], row[k] tell where in ``basis`` it was; −1 where it is new."""
        status, made = highspy.HighsBasisStatus, highspy.HighsBasis()
        columns, rows = list(basis.col_status), list(basis.row_status)
        made.col_status = [status.kLower if at < 0 else columns[at] for at in column.tolist()]
        made.row_status = [status.kBasic if at < 0 else rows[at] for at in row.tolist()]
        made.valid = made.alien = True  # not as many basic ones as rows: HiGHS mends it
        return made

    def glance(self, iterations: int) -> float:
        """The objective after so many iterations, to the safe side of the optimum if the basis is dual feasible."""
        self._run_for(iterations)
        return float(self._highs.getInfo().objective_function_value)

    def _run_for(self, iterations: int) -> bool:
        """Go on for so many iterations of the simplex at most; whether that ended with a basis of some use."""
        highs = self._highs
        highs.setOptionValue("simplex_iteration_limit", iterations)
        highs.run()
        highs.setOptionValue("simplex_iteration_limit", highspy.kHighsIInf)
        self.iterations += max(0, int(highs.getInfo().simplex_iteration_count))
        return highs.getModelStatus() in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kIterationLimit)

    def solve_afresh(self) -> LpStatus:
        """As ``solve``, from no basis by the interior point method and a crossover: quicker where all is far off."""
        self._highs.clearSolver()
        self._highs.setOptionValue("solver", "ipm")
        status = self.solve()
        self._highs.setOptionValue("solver", "simplex")
        return status

    def solve_roughly(self) -> LpStatus:
        """As ``solve``, from no basis, by the interior point method alone: right to its tolerance."""
        self._highs.clearSolver()
        self._highs.setOptionValue("solver", "ipm")
        self._highs.setOptionValue("run_crossover", "off")
        status = self.solve()
        self._highs.setOptionValue("run_crossover", "on")
        self._highs.setOptionValue("solver", "simplex")
        return status

    def solve(self, patience: int | None = None) -> LpStatus:
        """
        Solve from the last basis; on OPTIMAL, ``x``, duals and ``objective`` are new.

        Parameters
        ----------
        patience
            Simplex iterations after which to go on as ``solve_afresh``; None for as many as it takes.
        """
        remaining_s = self._stop.remaining_s
        if self._stop():
            return LpStatus.STOPPED
        highs = self._highs
        if patience is not None:
            highs.setOptionValue("simplex_iteration_limit", patience)
        # A guard only, since each iteration asks; HiGHS counts its own run time over all solves of one object.
        limit = highs.getRunTime() + 20 * remaining_s + 1 if np.isfinite(remaining_s) else highspy.kHighsInf
        highs.setOptionValue("time_limit", limit)
        highs.run()
        self.iterations += max(0, int(highs.getInfo().simplex_iteration_count))
        status = highs.getModelStatus()
        if patience is not None:
            highs.setOptionValue("simplex_iteration_limit", highspy.kHighsIInf)
            if status == highspy.HighsModelStatus.kIterationLimit and not self._stop():
                return self.solve_afresh()
        if status == highspy.HighsModelStatus.kInfeasible:
            return LpStatus.INFEASIBLE
        if status != highspy.HighsModelStatus.kOptimal:
            return LpStatus.STOPPED
        solution = highs.getSolution()
        self.x = np.asarray(solution.col_value)
        self.row_dual = np.asarray(solution.row_dual)
        self.objective = float(highs.getInfo().objective_function_value)
        return LpStatus.OPTIMAL

    def look(self, column: int, value: float, basis: Any, iterations: int) -> float:
        """
        Objective after so many iterations with a column between 0 and 1 fixed, ``inf`` where none is left.

        The bounds and the basis given, that of the last solution, are set again; the solution stays.
        """
        highs, one = self._highs, np.array([column])
        self.set_bounds(one, np.array([value]), np.array([value]))
        found = float(highs.getInfo().objective_function_value) if self._run_for(iterations) else self.objective
        status = highs.getModelStatus()
        self.set_bounds(one, np.zeros(1), np.ones(1))
        highs.setBasis(basis)
        return np.inf if status == highspy.HighsModelStatus.kInfeasible else found

    def probe(self, column: int, lower: float, upper: float, iterations: int) -> FloatArray | None:
        """
        Row duals after so many iterations with other bounds of one column; the bounds stay, the basis does not.

        Any duals prove something; None where the programme was seen to have no solution, or was stopped.
        """
        highs, basis = self._highs, self._highs.getBasis()
        self.set_bounds(np.array([column]), np.array([lower]), np.array([upper]))
        dual = np.asarray(highs.getSolution().row_dual) if self._run_for(iterations) else None
        highs.setBasis(basis)
        return dual


class MipStatus(StrEnum):
    """How a search over integer variables ended."""

    OPTIMAL = "optimal"
    """Nothing is better than the best solution, within the gaps asked for."""
    INFEASIBLE = "infeasible"
    STOPPED = "stopped"


@dataclass(frozen=True)
class MipProblem:
    """
    ``min cᵀx, row_lower ≤ Ax ≤ row_upper, lower ≤ x ≤ upper``, some x whole numbers.

    Parameters
    ----------
    cost, lower, upper
        float64 (n_columns,).
    integer
        bool (n_columns,).
    row_lower, row_upper
        float64 (n_rows,).
    indptr, column, value
        Sparse rows: int64 (n_rows + 1,), int32 and float64 (n_entries,).
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    row_lower: FloatArray
    row_upper: FloatArray
    indptr: IntArray
    column: IntArray
    value: FloatArray


@dataclass(frozen=True)
class MipResult:
    """
    What a search found.

    Parameters
    ----------
    x
        Best solution, within HiGHS's tolerances; None if there is none.
    bound
        HiGHS's own lower bound.
    nodes, iterations
        Nodes of the tree and simplex iterations.
    """

    status: MipStatus
    x: FloatArray | None
    bound: float
    nodes: int
    iterations: int


def solve_mip(
    problem: MipProblem,
    stop: Callable[[float, int], bool],
    *,
    remaining_s: float = float("inf"),
    start: FloatArray | None = None,
    absolute_gap: float = 1e-6,
    relative_gap: float = 1e-10,
    max_nodes: int | None = None,
    cutoff: float = float("inf"),
    on_solution: Callable[[FloatArray], None] = lambda x: None,
) -> MipResult:
    """
    Search by HiGHS's branch and cut, with one thread, so that the same calls give the same answers.

    Parameters
    ----------
    stop
        Asked often, with the bound so far (``-inf`` at first) and the nodes done; what it says ends the search.
    remaining_s
        HiGHS's own clock, as a second guard.
    start
        A solution to begin with.
    cutoff
        Only solutions below this are looked for: others may be found or not, and the bound is at most this.
    on_solution
        Told each better solution.
    """
    highs: Any = _SilentHighs()
    for option, setting in (
        ("threads", 1),
        ("parallel", "off"),
        ("mip_rel_gap", relative_gap),
        ("mip_abs_gap", absolute_gap),
        ("time_limit", remaining_s if np.isfinite(remaining_s) else highspy.kHighsInf),
    ):
        highs.setOptionValue(option, setting)
    if np.isfinite(cutoff):
        highs.setOptionValue("objective_bound", cutoff)
    if max_nodes is not None:
        highs.setOptionValue("mip_max_nodes", max_nodes)
    n_columns, n_rows = len(problem.cost), len(problem.row_lower)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = n_columns, n_rows
    model.col_cost_, model.col_lower_, model.col_upper_ = problem.cost, problem.lower, problem.upper
    model.row_lower_, model.row_upper_ = problem.row_lower, problem.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.num_col_, model.a_matrix_.num_row_ = n_columns, n_rows
    model.a_matrix_.start_ = np.asarray(problem.indptr, dtype=np.int32)
    model.a_matrix_.index_ = np.asarray(problem.column, dtype=np.int32)
    model.a_matrix_.value_ = problem.value
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(whole)] for whole in problem.integer]
    highs.passModel(model)
    if start is not None:
        known = highspy.HighsSolution()
        known.col_value = list(start)
        highs.setSolution(known)

    latest = -np.inf

    def ask(event: Any) -> None:
        nonlocal latest
        latest = max(latest, float(event.data_out.mip_dual_bound))
        if stop(latest, int(event.data_out.mip_node_count)):
            event.interrupt()

    def ask_in_lp(event: Any) -> None:
        if stop(latest, 0):
            event.interrupt()

    highs.cbMipInterrupt += ask
    highs.cbSimplexInterrupt += ask_in_lp
    highs.cbMipImprovingSolution += lambda event: on_solution(np.array(event.data_out.mip_solution))
    highs.run()
    info, status = highs.getInfo(), highs.getModelStatus()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    ended = {
        highspy.HighsModelStatus.kOptimal: MipStatus.OPTIMAL,
        highspy.HighsModelStatus.kInfeasible: MipStatus.INFEASIBLE,
    }
    return MipResult(
        status=ended.get(status, MipStatus.STOPPED),
        x=np.asarray(highs.getSolution().col_value) if found else None,
        bound=min(float(info.mip_dual_bound), cutoff),
        nodes=max(0, int(info.mip_node_count)),
        iterations=max(0, int(info.simplex_iteration_count)),
    )
