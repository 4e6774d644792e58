"""Capacities, backup, coverage and phases: nearer against spopt, HiGHS on the compact model, and SCIP, in one run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from benchmarks.compared import Problem, Program, each, keep, measured, summary
from benchmarks.drivers.each_seed import GAP
from benchmarks.drivers.problem_file import Model, ProblemFile
from benchmarks.dynamic import Town, make
from benchmarks.given import Given
from benchmarks.table import Table
from nearer.model import Instance, Solution, Status
from nearer.model.check import check_solution
from nearer.model.compact import CompactModel, compact_model

LIMIT_S = 20.0
STAGED = "phases, levels, budgets"

TOWNS = (
    Town("60 cells, 15 sites, 2 phases, 2 levels", 60, 15, 4, 1_500, 4, phases=2, levels=2, groups=1, reach=0.5),
    Town("100 cells, 25 sites, 3 phases, 3 levels", 100, 25, 5, 2_500, 6, groups=1, reach=0.4),
    Town("200 cells, 40 sites, 3 phases, 3 levels, 4 groups", 200, 40, 6, 4_000, 8),
    Town("1,000 cells, 120 sites, 3 phases, 3 levels, 4 groups", 1_000, 120, 20, 20_000, 20, reach=0.25),
)
SMALL_TOWNS = TOWNS[:1]


def _staged(problem: Problem) -> bool:
    return problem.group == STAGED


PROGRAMS = (
    Program("nearer", "", "solve_nearer", lambda problem: not _staged(problem), peer=False),
    Program("nearer", "", "plan_nearer", _staged, peer=False),
    Program("HiGHS", "highspy", "solve_highs", lambda problem: not _staged(problem), peer=False),
    Program("HiGHS", "highspy", "plan_highs", _staged, peer=False),
    Program("spopt", "spopt", "solve_spopt", lambda problem: not _staged(problem)),
    Program("SCIP", "ortools", "plan_scip", _staged),
)


def tables(given: Given) -> Iterator[Table]:
    """A summary by class, and every problem."""
    problems = [*_single(given.small), *_phased(SMALL_TOWNS if given.small else TOWNS)]
    limit_s = given.limit_s or LIMIT_S
    rows, notes = measured(given, problems, PROGRAMS, limit_s)
    made = summary("Planning beside spopt and HiGHS alone", rows)
    made.notes += [
        f"Each run in a process of its own, at most {limit_s:g} s of solving, two threads where a program can. "
        "Uniform points and generated towns (seed 0); every value is counted here, of phases by the independent "
        "checker.",
        "Capacitated p-median: each point whole to one site, cost demand × distance. Capacitated set cover: fewest "
        "sites within reach, demand may be split. Backup cover: the fewest sites that cover everybody, then as few "
        "points as can be not covered twice; the value is those. Maximal covering counts the weight covered.",
        f"Phases, levels and budgets: a gap of {GAP:g} is asked of all and counts as proven; spopt has no such model. "
        "HiGHS and SCIP get the compact model ready made, which is not counted to their time.",
        *notes,
    ]
    caption = "Share of problems proven within so many times the fastest (CPU s)"
    made.notes += keep(given, "planning", rows, caption)
    yield made
    yield each("Every planning problem", rows)


def _single(small: bool) -> Iterator[Problem]:
    """The models that spopt has, on uniform points in a square of side 100."""
    sizes = ((40, 12, 4),) if small else ((100, 20, 6), (200, 40, 10))
    for n, m, p in sizes:
        name = f"{n} × {m}, p {p}"
        yield Problem(
            "capacitated p-median", name, "sscflp", lambda n=n, m=m, p=p: _capacitated(n, m, p), weighted=True
        )
    for n, m in ((60, 30),) if small else ((200, 80), (500, 150)):
        yield Problem("capacitated set cover", f"{n} × {m}", "cflp", lambda n=n, m=m: _cover("cflp", n, m))
        yield Problem("backup cover", f"{n} × {m}", "backup", lambda n=n, m=m: _cover("backup", n, m))
        total = float(_cover("max-cover", n, m).weight.sum())
        name = f"{n} × {m}, p {m // 10}"
        yield Problem("maximal covering", name, "max-cover", lambda n=n, m=m: _cover("max-cover", n, m), None, total)


def _points(n: int, m: int, seed: int = 0) -> tuple[Any, Any, np.random.Generator]:
    """Distances, whole weights from 1 to 99, and the generator to go on with."""
    rng = np.random.default_rng(seed)
    points, sites = rng.uniform(0, 100, (n, 2)), rng.uniform(0, 100, (m, 2))
    weight = rng.integers(1, 100, n).astype(float)
    return np.hypot(points[:, None, 0] - sites[None, :, 0], points[:, None, 1] - sites[None, :, 1]), weight, rng


def _capacitated(n: int, m: int, p: int) -> ProblemFile:
    """Room for 1.25 of all demand in p sites of the mean size."""
    distance, weight, rng = _points(n, m)
    mean = 1.25 * weight.sum() / p
    order = np.argsort(distance, axis=1, kind="stable")
    # each weight stands in the cost, so that the need alone is the demand: the value is Σ demand × distance
    cost = np.take_along_axis(distance * weight[:, None], order, axis=1)
    return ProblemFile(
        kind="sscflp",
        indptr=np.arange(n + 1) * m,
        site=order.ravel(),
        cost=cost.ravel(),
        weight=np.ones(n),
        unserved=np.full(n, np.inf),
        need=weight,
        price=np.zeros(m),
        capacity=np.round(mean * rng.uniform(0.8, 1.2, m)),
        standing=np.zeros(m, np.int8),
        p=p,
        single_source=True,
    )


def _cover(kind: str, n: int, m: int) -> ProblemFile:
    """Sites within 25, each point at least its two nearest; capacities of four times an even share."""
    distance, weight, rng = _points(n, m)
    second = np.sort(distance, axis=1)[:, 1]
    row, site = np.nonzero(distance <= np.maximum(25.0, second)[:, None])
    priced = kind in ("cflp", "backup")
    capacity = np.round(4 * weight.sum() / m * rng.uniform(0.8, 1.2, m)) if kind == "cflp" else np.full(m, np.inf)
    return ProblemFile(
        kind=kind,
        indptr=np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]),
        site=site,
        cost=np.zeros(len(site)),
        weight=np.ones(n) if priced else weight,
        unserved=np.full(n, {"cflp": np.inf, "backup": m + 1.0}.get(kind, 1.0)),
        need=weight,
        price=np.ones(m) if priced else np.zeros(m),
        capacity=capacity,
        standing=np.zeros(m, np.int8),
        p=m // 10 if kind == "max-cover" else -1,
        single_source=False,
    )


@dataclass(frozen=True)
class Staged:
    """A town as a problem file: its compact model, and its measures for the driver that makes it itself."""

    town: Town
    instance: Instance
    model: CompactModel
    p: int = -1

    @property
    def n_rows(self) -> int:
        return self.instance.n_rows

    @property
    def n_sites(self) -> int:
        return self.instance.n_sites

    def save(self, path: Path) -> None:
        """Write both."""
        mip = self.model.problem
        shape = (len(mip.row_lower), len(mip.cost))
        integer = mip.integer
        Model(
            cost=mip.cost,
            offset=0.0,
            lower=mip.lower,
            upper=mip.upper,
            integer=integer,
            could_be=integer,
            matrix=csr_array((mip.value, mip.column, mip.indptr), shape=shape),
            row_lower=mip.row_lower,
            row_upper=mip.row_upper,
        ).save(path, town=json.dumps(vars(self.town)))


def _phased(towns: tuple[Town, ...]) -> Iterator[Problem]:
    def built(town: Town) -> Staged:
        instance = make(town)
        return Staged(town, instance, compact_model(instance))

    for town in towns:
        yield Problem(STAGED, town.name, "plan", lambda town=town: built(town), value=staged_value, within=GAP)


def staged_value(content: Staged, noted: dict[str, Any]) -> float:
    """
    Value of a plan by the independent checker.

    Raises
    ------
    ValueError
        It breaks a rule; the message says which.
    """
    instance = content.instance
    if "x" in noted:
        x = np.array(noted["x"])
        level = content.model.levels(x)
        phase, row, site, share = content.model.assignment(x)
    else:
        level = np.array(noted["level"], dtype=np.int16)
        phase, row, site, share = (np.array(part) for part in noted["assigned"])
    # The value is not claimed but found: a first check says what it is, a second agrees with it.
    value = _counted(instance, level, phase, row, site, share)
    solution = Solution(
        status=Status.FEASIBLE,
        level=level,
        row_idx=row.astype(np.int32),
        assigned_idx=site.astype(np.int32),
        share=share.astype(np.float64),
        objective=value,
        bound=-math.inf,
        proof="solver",
        certificate=None,
        phase_idx=phase.astype(np.int16),
    )
    broken = check_solution(instance, solution)
    if broken:
        raise ValueError("; ".join(broken[:2]))
    return value


def _counted(instance: Instance, level: Any, phase: Any, row: Any, site: Any, share: Any) -> float:
    """Cost × weight of everybody sent, of those left, and of the options taken."""
    rules = instance.rules
    assert rules is not None
    ptr, sites, costs = instance.indptr, instance.site_idx, np.asarray(instance.cost, dtype=float)
    pair_row = np.repeat(np.arange(instance.n_rows), np.diff(ptr))
    cost = csr_array((costs + 1.0, (pair_row, sites)), shape=(instance.n_rows, instance.n_sites))
    paid = np.asarray(cost[row.astype(int), site.astype(int)]).ravel() - 1.0
    total = [float(part) for part in rules.option_cost[rules.option_of(level)]]
    for t in range(instance.n_phases):
        here = phase == t
        weight = np.asarray(instance.weight[t])
        total.append(math.fsum(weight[row[here].astype(int)] * share[here] * paid[here]))
        served = np.bincount(row[here].astype(int), weights=share[here], minlength=instance.n_rows)
        left = np.where(served < 1 - 1e-9, 1 - served, 0.0)
        total.append(math.fsum((weight * left * instance.unserved)[left > 0]))
    return math.fsum(total)
