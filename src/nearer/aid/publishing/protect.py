"""
Which cells of a table must be hidden so that nobody can work out a small one.

Everything that is published is a sum of the same unknown whole numbers, none below zero. Whoever has all of it can ask
for the largest value that a hidden sum may still have; that is a linear program. A hidden sum is safe when its largest
possible value is at least what it must be able to be: then it stays open whether it is small at all.

Hiding one more cell only gives the unknowns more room, so sums that are safe stay so, and each is looked at once. The
last word has a table of whole numbers that agrees with all that is told and has a large number where a small one is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from nearer.units import FloatArray

Atom = Hashable

_PLENTY = 1e9
"""No number is larger, so that every question has an answer."""


@dataclass(frozen=True)
class Cell:
    """
    A sum that is or may be published.

    Parameters
    ----------
    name
        What it is called; cells that are equally good to hide are taken in the order of their names.
    atoms
        The unknown numbers that it is the sum of.
    count
        Its value.
    """

    name: tuple[str, ...]
    atoms: frozenset[Atom]
    count: int


@dataclass(frozen=True)
class Guarded:
    """
    A sum that nobody may work out.

    Parameters
    ----------
    atoms
        What it is the sum of.
    reach
        The value that it must still be able to have, for all that others know.
    """

    atoms: frozenset[Atom]
    reach: int


class LeakError(Exception):
    """What was published before tells a small sum already, whatever is hidden now."""


def hide(shown: Iterable[Cell], guarded: Iterable[Guarded], known: Iterable[Cell] = ()) -> set[tuple[str, ...]]:
    """
    Find cells to hide.

    Parameters
    ----------
    shown
        Cells that would be published; those that are small themselves are left out and are among ``guarded``.
    guarded
        Sums to protect.
    known
        What was published before and cannot be taken back.

    Returns
    -------
    names
        Of the cells to hide; small ones first, since they say least.

    Raises
    ------
    LeakError
        No hiding helps.
    """
    cells = sorted(shown, key=lambda cell: cell.name)
    fixed = list(known)
    guards = sorted(set(guarded), key=lambda guard: (guard.reach, sorted(map(repr, guard.atoms))))
    found = _System([*fixed, *cells], guards)
    active = list(range(len(found.sums)))
    found.seek_all(active)
    for number, guard in enumerate(guards):
        while not found.is_safe(number):
            most, tight = found.seek(number, active)
            if found.is_safe(number) or (most >= guard.reach and found.seek_whole(number, active)):
                break
            # Where only whole numbers are in the way, any cell may be the one.
            candidates = [k for k in (tight if most < guard.reach else active) if k >= len(fixed)]
            if not candidates:
                raise LeakError
            active.remove(min(candidates, key=lambda k: (found.sums[k].count, found.sums[k].name)))
    return {cell.name for k, cell in enumerate(cells, start=len(fixed)) if k not in active}


class _System:
    """
    The equations, with unknowns that always occur together taken as one.

    Whole numbers that agree with all that is shown are witnesses: a guarded sum that is large enough in one of them is
    safe, and stays so when more is hidden.
    """

    def __init__(self, sums: Sequence[Cell], guards: Sequence[Guarded]) -> None:
        self.sums = sums
        where: dict[Atom, list[int]] = {}
        for k, atoms in enumerate([*(cell.atoms for cell in sums), *(guard.atoms for guard in guards)]):
            for atom in atoms:
                where.setdefault(atom, []).append(k)
        groups: dict[tuple[int, ...], int] = {}
        at = {atom: groups.setdefault(tuple(places), len(groups)) for atom, places in where.items()}
        self.n = len(groups)
        self._values = np.array([cell.count for cell in sums], dtype=float)
        self._rows = [sorted({at[atom] for atom in cell.atoms}) for cell in sums]
        self._guards = self._matrix([sorted({at[atom] for atom in guard.atoms}) for guard in guards])
        self._reach = np.array([guard.reach for guard in guards], dtype=float)
        self._safe = np.zeros(len(guards), dtype=bool)

    def is_safe(self, guard: int) -> bool:
        """Whether a witness is known."""
        return bool(self._safe[guard])

    def _matrix(self, rows: Sequence[Sequence[int]]) -> csr_array:
        indptr = np.cumsum([0, *(len(row) for row in rows)])
        indices = np.concatenate([np.array(row, dtype=int) for row in rows]) if rows else np.zeros(0, dtype=int)
        return csr_array((np.ones(len(indices)), indices, indptr), shape=(len(rows), self.n))

    def _solve(self, wish: FloatArray, active: Sequence[int]) -> tuple[float, list[int]]:
        """The largest value of a wish, and which equations bind it; whole numbers become a witness."""
        if not active:
            self._safe[:] = True
            return np.inf, []
        solved = linprog(  # type: ignore[call-overload]  # the stubs know no sparse matrices
            -wish,
            A_eq=self._matrix([self._rows[k] for k in active]),
            b_eq=self._values[list(active)],
            bounds=(0, _PLENTY),
            method="highs-ds",
        )
        assert solved.status == 0, solved.message
        self._witness(solved.x)
        tight = [k for k, price in zip(active, solved.eqlin.marginals, strict=True) if abs(price) > 1e-7]
        return float(-solved.fun) + 1e-6, tight

    def _witness(self, numbers: FloatArray) -> None:
        whole = np.round(numbers)
        if np.abs(whole - numbers).max(initial=0.0) < 1e-6:
            self._safe |= self._guards @ whole >= self._reach

    def seek_all(self, active: Sequence[int]) -> None:
        """Look for witnesses of many guarded sums at once."""
        while True:
            open_before = int((~self._safe).sum())
            self._solve(np.asarray(self._guards.T @ (~self._safe).astype(float)), active)
            if int((~self._safe).sum()) in (0, open_before):
                return

    def seek(self, guard: int, active: Sequence[int]) -> tuple[float, list[int]]:
        """The largest value that a guarded sum may have, and which of the equations bind it there."""
        return self._solve(self._guards[[guard]].toarray()[0], active)

    def seek_whole(self, guard: int, active: Sequence[int]) -> bool:
        """Look for a witness where the largest value is reached between whole numbers only."""
        values = self._values[list(active)]
        solved = milp(
            np.zeros(self.n),
            constraints=[
                LinearConstraint(self._matrix([self._rows[k] for k in active]), values, values),
                LinearConstraint(self._guards[[guard]], lb=self._reach[guard]),
            ],
            integrality=np.ones(self.n, dtype=int),
            bounds=Bounds(0, _PLENTY),
            options={"node_limit": 2000},
        )
        if solved.x is not None:
            self._witness(solved.x)
        return self.is_safe(guard)
