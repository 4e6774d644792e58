"""What an answer is worth: its value counted here, the same way for every program, and what it may claim."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.drivers.problem_file import ProblemFile

TOL = 1e-6
"""Two values agree within this, relative; loads and shares may be off by as much, which is what MIP solvers promise."""


def agree(value: float, other: float) -> bool:
    """Whether two values are the same but for rounding."""
    return abs(value - other) <= TOL * max(abs(other), 1.0)


def value_of(problem: ProblemFile, answer: dict[str, Any]) -> float:
    """
    Cost of an answer; in maximal covering the weight left out, with backup the points not covered twice.

    Raises
    ------
    ValueError
        It breaks a rule of the problem; the message says which.
    """
    is_open = np.zeros(problem.n_sites, bool)
    is_open[answer["open"]] = True
    n_open = int(is_open.sum())
    if np.any(~is_open & (problem.standing > 0)):
        raise ValueError("closes a site that stands")
    at_most = problem.kind == "max-cover"
    if problem.p >= 0 and (n_open > problem.p or (n_open < problem.p and not at_most)):
        raise ValueError(f"opens {n_open} sites, asked were {problem.p}")
    if problem.kind in ("cflp", "sscflp"):
        return _assigned(problem, is_open, *(np.array(part) for part in answer["assigned"]))
    row, usable = problem.row, is_open[problem.site]
    covered = np.bincount(row[usable], minlength=problem.n_rows)
    if problem.kind == "max-cover":
        return math.fsum(problem.weight[covered == 0])
    best = problem.unserved.copy()
    np.minimum.at(best, row[usable], problem.cost[usable])
    if problem.kind in ("set-cover", "backup"):
        best = np.where(covered > 0, 0.0, math.inf)
    if np.isinf(best).any():
        raise ValueError(f"leaves {int(np.isinf(best).sum())} customers without a site")
    if problem.kind == "backup":
        return float((covered < 2).sum())
    paid = problem.weight * best
    return float(paid.max()) if problem.kind == "p-center" else math.fsum([*paid, *problem.price[is_open]])


def _assigned(problem: ProblemFile, is_open: Any, row: Any, site: Any, share: Any) -> float:
    """Cost of an assignment of customers that capacities bind."""
    row, site = row.astype(int), site.astype(int)
    cost = np.full((problem.n_rows, problem.n_sites), np.nan)
    cost[problem.row, problem.site] = problem.cost
    if np.isnan(cost[row, site]).any():
        raise ValueError("sends somebody where nobody can go")
    if not is_open[site].all():
        raise ValueError("sends somebody to a closed site")
    served = np.bincount(row, weights=share, minlength=problem.n_rows)
    if np.abs(served - 1).max() > TOL:
        raise ValueError("does not serve everybody once")
    if problem.single_source and np.abs(share - 1).max() > TOL:
        raise ValueError("splits a customer")
    load = np.bincount(site, weights=share * problem.need[row], minlength=problem.n_sites)
    if np.any(load > problem.capacity * (1 + TOL) + TOL):
        raise ValueError("fills a site beyond its capacity")
    return math.fsum([*(problem.weight[row] * share * cost[row, site]), *problem.price[is_open]])


@dataclass(frozen=True)
class Verdict:
    """
    What became of one run.

    Parameters
    ----------
    proven
        The program calls its answer optimal, and nothing better is known.
    words
        For the table: "proven", "not proven", "called optimal, 4.8 % above", "no answer", …
    """

    proven: bool
    words: str


def verdict(claims: bool, value: float | None, best: float | None, ended: str = "", within: float = TOL) -> Verdict:
    """
    What an answer may be called.

    Parameters
    ----------
    claims
        Whether the program says optimal.
    value, best
        Of its answer, None without one; and the best known, published or found by any program of the same run.
    ended
        Why there is no valid answer, if there is none.
    within
        How much above the best may still be called optimal, relative: the gap that was asked for.
    """
    if value is None or best is None:
        return Verdict(False, ended or "no answer")
    room = within * max(abs(best), 1.0)
    above = (value - best) / max(abs(best), 1e-9)
    if value > best + room:
        more = f"{100 * above:.2g} % above" if above < 1 else f"{1 + above:.1f} times the best"
        return Verdict(False, f"called optimal, {more}" if claims else f"not proven, {more}")
    return Verdict(claims, "proven" if claims else "not proven, best known")
