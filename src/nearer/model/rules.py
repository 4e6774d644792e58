"""``Rules``: what each site may become over the phases, and what must hold across sites and across people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nearer.units import FloatArray, IntArray

CLOSED = -1
"""Level of a site that is not open."""


@dataclass(frozen=True)
class ServiceLimit:
    """
    A ceiling on what people meet: ``Σ factor · h(cost) ≤ most`` over all phases and rows, split rows by their shares.

    Parameters
    ----------
    name
        In words, for the person who asked.
    factor
        float64 (n_phases, n_rows), never negative; 0 where a row is not meant.
    beyond
        None: h is the cost itself, that of staying unserved where a row does; else h is 1 where the cost is above
        ``beyond`` or the row is unserved, and 0 elsewhere.
    most
        The ceiling.
    whose
        Who promises it, "" where it is asked of the whole plan.
    """

    name: str
    factor: FloatArray
    beyond: float | None
    most: float
    whose: str = ""


@dataclass(frozen=True)
class Rules:
    """
    Options of sites and the rules that tie them together (dynamic facility location with modular capacities: Jena,
    Cordeau, Gendron 2015; side rules as general rows).

    Each site takes exactly one *option*: its level in every phase, ``CLOSED`` included. An option that may not be taken
    is not listed, so forced and forbidden sites, closures and upgrades need no rules of their own.

    Parameters
    ----------
    option_ptr
        Options of site j are ``option_ptr[j]`` to ``option_ptr[j + 1]``, at least one; int64 (n_sites + 1,).
    option_level
        int16 (n_options, n_phases), a level or ``CLOSED``.
    option_cost
        What an option adds to the objective, float64 (n_options,), same unit as cost × weight.
    side_ptr, side_option, side_value
        Sparse rows over options: int64 (n_sides + 1,), int32 and float64 (n_entries,).
    side_lower, side_upper
        float64 (n_sides,); ``-inf`` and ``inf`` where a side has no end.
    side_name
        In words, for the person who asked.
    side_wish
        Of rules that are one of many for one wish, such as pairs of sites apart, words for all of them; "" for a rule
        of its own. Empty where all are.
    limits
        Ceilings on what people meet.
    """

    option_ptr: IntArray
    option_level: IntArray
    option_cost: FloatArray
    side_ptr: IntArray
    side_option: IntArray
    side_value: FloatArray
    side_lower: FloatArray
    side_upper: FloatArray
    side_name: tuple[str, ...] = ()
    side_wish: tuple[str, ...] = ()
    limits: tuple[ServiceLimit, ...] = ()

    def __post_init__(self) -> None:
        if self.option_ptr[0] != 0 or self.option_ptr[-1] != len(self.option_cost):
            raise ValueError("options do not fit together")
        if np.any(np.diff(self.option_ptr) < 1):
            raise ValueError("a site has no option, not even to stay closed")
        if self.option_level.ndim != 2 or len(self.option_level) != len(self.option_cost):
            raise ValueError("each option must have a level per phase and a cost")
        if len(self.side_option) != len(self.side_value) or self.side_ptr[-1] != len(self.side_option):
            raise ValueError("side rules do not fit together")
        if not len(self.side_name) == len(self.side_lower) == len(self.side_upper) == len(self.side_ptr) - 1:
            raise ValueError("each side rule must have a name and two ends")
        if len(self.side_wish) not in (0, len(self.side_name)):
            raise ValueError("wishes must be given for each side rule, or for none")
        for limit in self.limits:
            if np.any(limit.factor < 0):
                raise ValueError(f"the limit {limit.name} counts people below zero")

    @property
    def n_options(self) -> int:
        """Number of options of all sites together."""
        return len(self.option_cost)

    @property
    def n_sides(self) -> int:
        """Number of side rules."""
        return len(self.side_lower)

    def wish_of(self, side: int) -> str:
        """Words for the many rules that one is of; "" for a rule of its own."""
        return self.side_wish[side] if self.side_wish else ""

    @cached_property
    def option_site(self) -> IntArray:
        """Site of each option, int64 (n_options,)."""
        return np.repeat(np.arange(len(self.option_ptr) - 1), np.diff(self.option_ptr))

    def option_of(self, level: IntArray) -> IntArray:
        """
        Option that each site takes, int64 (n_sites,), -1 where its levels are none of its options.

        Parameters
        ----------
        level
            int (n_phases, n_sites).
        """
        fits = np.all(self.option_level == level.T[self.option_site], axis=1)
        found = np.full(len(self.option_ptr) - 1, -1, dtype=np.int64)
        at = np.flatnonzero(fits)[::-1]
        found[self.option_site[at]] = at  # the first that fits is written last
        return found

    def side_totals(self, option: IntArray) -> FloatArray:
        """Left-hand side of each side rule for the options taken, float64 (n_sides,)."""
        taken = np.zeros(self.n_options)
        taken[option] = 1.0
        row = np.repeat(np.arange(self.n_sides), np.diff(self.side_ptr))
        totals = np.bincount(row, weights=self.side_value * taken[self.side_option], minlength=self.n_sides)
        return np.asarray(totals, dtype=np.float64)


def limit_costs(limit: ServiceLimit, cost: FloatArray) -> FloatArray:
    """What a limit counts at each of some costs, per unit of its factor; ``inf`` stands for nothing that can happen."""
    return cost if limit.beyond is None else (cost > limit.beyond).astype(np.float64)
