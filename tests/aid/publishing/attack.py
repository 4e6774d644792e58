"""Somebody who has every published table and a linear program, and shares no code with what hides."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import numpy as np
from scipy.optimize import linprog

Sums = Mapping[Hashable, frozenset[Hashable]]


def bounds(told: Iterable[tuple[frozenset[Hashable], int]], asked: frozenset[Hashable]) -> tuple[float, float]:
    """Between which values a sum lies, for all that was told of sums of the same numbers, none of them below zero."""
    equations = [(atoms, value) for atoms, value in told if atoms]
    atoms = sorted({atom for known, _ in equations for atom in known} | asked, key=repr)
    at = {atom: k for k, atom in enumerate(atoms)}
    matrix = np.zeros((len(equations), len(atoms)))
    for row, (known, _) in enumerate(equations):
        matrix[row, [at[atom] for atom in known]] = 1.0
    values = np.array([value for _, value in equations], dtype=float)
    wish = np.zeros(len(atoms))
    wish[[at[atom] for atom in asked]] = 1.0
    ends = []
    for sign in (1.0, -1.0):
        solved = linprog(sign * wish, A_eq=matrix if equations else None, b_eq=values if equations else None)
        ends.append(np.inf if solved.status == 3 else sign * solved.fun)
        assert solved.status in (0, 3), solved.message
    return ends[0], ends[1]


def table(rows: int, columns: int) -> dict[tuple[int | None, int | None], frozenset[Hashable]]:
    """The cells of a table with all its totals."""
    found: dict[tuple[int | None, int | None], frozenset[Hashable]] = {}
    for row in (*range(rows), None):
        for column in (*range(columns), None):
            found[row, column] = frozenset(
                (r, c) for r in range(rows) for c in range(columns) if row in (None, r) and column in (None, c)
            )
    return found
