"""``Solution``: what a solver found, and how well it is proven."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from nearer.model.certificate import Certificate, RulesCertificate
from nearer.units import BoolArray, FloatArray, IntArray


class Status(StrEnum):
    """How a run ended."""

    OPTIMAL = "optimal"
    """value − bound ≤ 1e-9 · |value|, or less than one unit where all costs and weights are whole."""
    GAP = "gap"
    """The gap asked for is reached."""
    FEASIBLE = "feasible"
    """Stopped early, with a plan and a bound."""
    INFEASIBLE = "infeasible"
    """No plan obeys the rules."""
    UNKNOWN = "unknown"
    """Stopped before anything was found."""


class TracePoint(NamedTuple):
    """Value and bound known after so many seconds."""

    seconds: float
    value: float
    bound: float


@dataclass(frozen=True)
class Solution:
    """
    Open sites, who goes where, and the proof.

    Parameters
    ----------
    status
        How the run ended.
    level
        Level of each site at the end of each phase, int16 (n_phases, n_sites); -1 = not open.
    row_idx, assigned_idx, share
        Assignment triples of the last phase: row, site, and share of the row's weight, 0 … 1. Unserved rows are absent.
    phase_idx
        Phase of each triple where they tell of all phases, int16; None where they tell of the last.
    objective, bound
        Cost × weight; the bound is rounded to the safe side.
    proof
        "certificate" (the bound can be evaluated again from ``certificate``) or "solver" (HiGHS's own).
    certificate
        None where ``proof`` is "solver".
    trace
        Improvements in time order.
    seconds
        Time of the solver alone.
    work
        Units of work done (deterministic, unlike seconds).
    """

    status: Status
    level: IntArray
    row_idx: IntArray
    assigned_idx: IntArray
    share: FloatArray
    objective: float
    bound: float
    proof: str
    certificate: Certificate | RulesCertificate | None
    trace: tuple[TracePoint, ...] = ()
    seconds: float = 0.0
    work: int = 0
    phase_idx: IntArray | None = None

    @property
    def gap(self) -> float:
        """|value − bound| / max(|value|, 1e-9)."""
        return relative_gap(self.objective, self.bound)

    @property
    def open_mask(self) -> BoolArray:
        """Sites open at the end of the last phase, bool (n_sites,)."""
        return np.asarray(self.level[-1] >= 0)


def relative_gap(value: float, bound: float) -> float:
    """|value − bound| / max(|value|, 1e-9)."""
    return abs(value - bound) / max(abs(value), 1e-9)
