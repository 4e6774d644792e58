"""The one door to HiGHS: linear programmes in sparse arrays, kept warm between solves, stoppable."""

from __future__ import annotations

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
        self.iterations = 0
        """Simplex iterations of all solves so far: a deterministic measure of work."""
        self.x: FloatArray = np.zeros(0)
        self.row_dual: FloatArray = np.zeros(0)
        self.column_dual: FloatArray = np.zeros(0)
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

    def set_bounds(self, column: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Change bounds of some columns."""
        if len(column):
            self._highs.changeColsBounds(len(column), np.asarray(column, dtype=np.int32), lower, upper)

    def basis(self) -> Any:
        """The current basis, to come back to."""
        return self._highs.getBasis()

    def set_basis(self, basis: Any) -> None:
        """Start the next solve from a basis taken earlier (of the same size)."""
        self._highs.setBasis(basis)

    def solve(self) -> LpStatus:
        """Solve from the last basis; on OPTIMAL, ``x``, duals and ``objective`` are new."""
        remaining_s = self._stop.remaining_s
        if self._stop():
            return LpStatus.STOPPED
        highs = self._highs
        # HiGHS counts its own run time over all solves of one object.
        limit = highs.getRunTime() + remaining_s if np.isfinite(remaining_s) else highspy.kHighsInf
        highs.setOptionValue("time_limit", limit)
        highs.run()
        self.iterations += max(0, int(highs.getInfo().simplex_iteration_count))
        status = highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return LpStatus.INFEASIBLE
        if status != highspy.HighsModelStatus.kOptimal:
            return LpStatus.STOPPED
        solution = highs.getSolution()
        self.x = np.asarray(solution.col_value)
        self.row_dual = np.asarray(solution.row_dual)
        self.column_dual = np.asarray(solution.col_dual)
        self.objective = float(highs.getInfo().objective_function_value)
        return LpStatus.OPTIMAL
