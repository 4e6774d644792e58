"""What a run knows so far: the best plan, the best bound, and how they came about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from nearer.model import Certificate, Instance, Solution, Status, TracePoint, relative_gap
from nearer.progress import Tick
from nearer.solvers.budget import Budget
from nearer.units import BoolArray, IntArray

OPTIMAL_GAP = 1e-9
"""A plan this close to its bound, relative to its value, counts as optimal (DESIGN section 3)."""


@dataclass
class State:
    """
    Value and bound closing on each other.

    Parameters
    ----------
    whole
        Whether values are whole numbers, so that a bound above value − 1 proves the value.
    gap
        Relative gap asked for.
    floor
        What no plan costs less than, whatever rounding says of other bounds.
    size
        Value → the difference that makes a gap of 1; None = the value itself. An aim that is measured otherwise than
        by the cost that stands for it (people covered, by those left out) says so here.
    goal
        Ask only whether a plan is at most this: end once one is, or the bound is above. None = ask for the best.
    discarded
        Least bound of all branches given up so far, opposites of fixings included: no bound may exceed it.
    """

    budget: Budget
    whole: bool
    gap: float
    tell: Callable[[float, float], None] = lambda value, bound: None
    value: float = np.inf
    bound: float = -np.inf
    open_site: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    trace: list[TracePoint] = field(default_factory=list)
    floor: float = -np.inf
    discarded: float = np.inf
    size: Callable[[float], float] | None = None
    goal: float | None = None
    _reached_at: int | None = None

    def tell_gap(self, tick: Tick) -> None:
        """Show the gap at every improvement from now on."""
        self.tell = lambda value, bound: tick(1, self._gap_note(value, bound), (value, bound))

    def _gap_note(self, value: float, bound: float) -> str:
        if not np.isfinite(bound) or not np.isfinite(value):
            return ""
        return f"gap {100 * max(0.0, value - bound) / max(self._difference(1.0), 1e-9):.3g} %"

    def found(self, value: float, open_site: IntArray) -> None:
        """Keep a plan (positions of sites in the instance, those fixed open by the run included) if it is better."""
        if value < self.value:
            self.value, self.open_site = value, np.sort(open_site)
            self._note()

    def proved(self, bound: float) -> None:
        """Keep a lower bound of what is still being searched, if it is better."""
        bound = min(max(bound, self.floor), self.discarded)
        bound = min(float(np.ceil(bound)) if self.whole else bound, self.value)
        if bound > self.bound:
            self.bound = bound
            self._note()

    def retract(self, bound: float) -> None:
        """Go back to a bound whose proof is kept, since that of the last one is given up."""
        self.bound = -np.inf
        self.proved(bound)

    def discard(self, bound: float) -> None:
        """Give up a branch that holds nothing below ``bound``."""
        self.discarded = min(self.discarded, bound)

    def kept(self) -> dict[str, np.ndarray]:
        """What is known, and the work it took, but for the trace."""
        reached = -1 if self._reached_at is None else self._reached_at
        return {
            "open_site": self.open_site,
            "known": np.array([self.value, self.bound, self.discarded]),
            "work": np.array([self.budget.spent, reached], dtype=np.int64),
        }

    def go_on_from(self, kept: Mapping[str, np.ndarray]) -> None:
        """Take up what ``kept`` told."""
        self.open_site = kept["open_site"]
        self.value, self.bound, self.discarded = kept["known"].tolist()
        self.budget.spent, reached = kept["work"].tolist()
        self._reached_at = None if reached < 0 else reached
        self._note()

    def _note(self) -> None:
        self.trace.append(TracePoint(self.budget.stop.elapsed_s, self.value, self.bound))
        self.tell(self.value, self.bound)

    def _difference(self, gap: float) -> float:
        """How far a bound may lie below the value at this gap."""
        return gap * (abs(self.value) if self.size is None else self.size(self.value))

    @property
    def cutoff(self) -> float:
        """Only plans below this would be better: what bounds must reach to discard a branch."""
        if not np.isfinite(self.value):
            return np.inf
        margin = 0.5 * self._difference(OPTIMAL_GAP)
        if self.whole:
            margin = max(margin, 1.0 - 1e-3)
        return self.value - margin

    @property
    def optimal(self) -> bool:
        """Whether value and bound meet."""
        difference = self.value - self.bound
        return bool(np.isfinite(self.value)) and (
            difference <= self._difference(OPTIMAL_GAP) or (self.whole and difference < 1.0)
        )

    @property
    def reached(self) -> bool:
        """Whether the gap asked for is reached."""
        if self.optimal or self.size is None:
            return self.optimal or relative_gap(self.value, self.bound) <= self.gap
        return self.value - self.bound <= self._difference(self.gap)

    @property
    def status(self) -> Status:
        """How the run ended; without a plan, whether there is none or none was found."""
        if not np.isfinite(self.value):
            return Status.INFEASIBLE if self.bound == np.inf else Status.UNKNOWN
        if self.optimal:
            return Status.OPTIMAL
        return Status.GAP if self.reached else Status.FEASIBLE

    def done(self) -> bool:
        """
        Whether to end: proven, out of budget, or good enough.

        A gap that is reached quickly is often one step from a proof, so the run goes on for as much work again (and
        about a second) before it settles for the gap.
        """
        if self.optimal or self.budget.exhausted():
            return True
        if self.goal is not None and (self.value <= self.goal or self.bound > self.goal):
            return True
        if not self.reached:
            return False
        if self._reached_at is None:
            self._reached_at = self.budget.spent
        return self.budget.spent >= 2 * self._reached_at + 100_000_000

    def solution(
        self,
        open_mask: BoolArray,
        row_idx: IntArray,
        assigned_idx: IntArray,
        certificate: Certificate | None,
        began_s: float,
    ) -> Solution:
        """
        What is known as a ``Solution`` of one phase and one level, whose bound our own proof holds.

        Parameters
        ----------
        open_mask
            Sites open, bool (n_sites,).
        row_idx, assigned_idx
            Rows served and the site of each, which takes the whole row; none where the problem has no rows.
        certificate
            None where the proof travels in a form of its own.
        began_s
            The clock of ``budget.stop`` when the run began.
        """
        return Solution(
            status=self.status,
            level=np.where(open_mask, 0, -1).astype(np.int16).reshape(1, -1),
            row_idx=np.asarray(row_idx, dtype=np.int32),
            assigned_idx=np.asarray(assigned_idx, dtype=np.int32),
            share=np.ones(len(row_idx)),
            objective=self.value,
            bound=self.bound,
            proof="certificate",
            certificate=certificate,
            trace=tuple(self.trace),
            seconds=self.budget.stop.elapsed_s - began_s,
            work=self.budget.spent,
        )


def no_plan(instance: Instance, infeasible: bool = True, seconds: float = 0.0, work: int = 0) -> Solution:
    """No plan, because there is none or because the run ended too early."""
    none = np.zeros(0, dtype=np.int32)
    return Solution(
        status=Status.INFEASIBLE if infeasible else Status.UNKNOWN,
        level=np.full((instance.n_phases, instance.n_sites), -1, dtype=np.int16),
        row_idx=none,
        assigned_idx=none,
        share=np.zeros(0),
        objective=np.inf,
        bound=np.inf if infeasible else -np.inf,
        proof="solver",
        certificate=None,
        seconds=seconds,
        work=work,
    )
