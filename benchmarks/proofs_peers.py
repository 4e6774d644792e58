"""The p-medians of the table of proofs by other programs: HiGHS on the compact model, pbp-pmedian, FasterPAM."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.compared import Problem, Program, Row, measured
from benchmarks.drivers.problem_file import ProblemFile
from benchmarks.environment import VERSIONS
from benchmarks.given import Given
from benchmarks.kept import KeptRows
from benchmarks.records import _points
from benchmarks.table import NONE, Table, percent, seconds

LIMIT_S = 40.0
MOST_PAIRS = 2_500_000
"""Pairs above which HiGHS and pbp-pmedian are not asked, so that all of it fits an hour and a few GB."""

HEADINGS = (
    *("instance", "p", "HiGHS: above the published best", "gap", "CPU s"),
    *("pbp-pmedian: above the published best", "CPU s", "FasterPAM: above the published best", "CPU s"),
)


def _small(problem: Problem) -> bool:
    return not problem.heavy


PROGRAMS = (
    Program("HiGHS", "highspy", "solve_highs", _small, peer=False),
    Program("pbp-pmedian", "pbp-pmedian", "solve_pbp", _small),
    Program("FasterPAM", "kmedoids", "solve_kmedoids", lambda _: True),
)


def beside(given: Given, wanted: list[dict[str, str]]) -> tuple[Table, bool]:
    """
    One row for each of these rows of the published table, kept as it is measured; and whether Ctrl-C ended it.

    Where a program has no answer, the entry says why.
    """
    limit = given.limit_s or LIMIT_S
    table = Table("The same problems by other programs", HEADINGS)
    rows = KeptRows(table, given.beside("others.csv"))
    said: dict[str, None] = {}
    for row in wanted:
        rows.add(row["instance"], int(row["p"]), partial(_measured, given, row, limit, said))
    table.notes += [
        f"Each in a process of its own and judged here; at most {limit:g} s of solving on the clock, HiGHS "
        f"{VERSIONS['highspy']} with two threads on the compact model (one column per pair), pbp-pmedian "
        f"{VERSIONS['pbp-pmedian']} and FasterPAM (kmedoids {VERSIONS['kmedoids']}) with one. CPU s are those of "
        "building and solving. FasterPAM is a heuristic that stops by itself; the others proved nothing where there is "
        "a gap or a reason.",
        f"{NONE}: not asked, since there are more than {MOST_PAIRS:,} pairs; or no value, and so no gap. "
        f"{rows.missing} rows were not reached.",
        *said,
    ]
    return table, rows.ended


def _measured(given: Given, row: dict[str, str], limit: float, said: dict[str, None]) -> tuple[str, ...]:
    n = int(row["n"])
    problem = Problem(
        "p-median, TSPLIB",
        f"{row['instance']}, p = {row['p']}",
        "p-median",
        partial(_whole, given, row["instance"], int(row["p"])),
        published=float(row["opt_or_best"]),
        heavy=n * n > MOST_PAIRS,
        square=True,
    )
    found, notes = measured(given, [problem], PROGRAMS, limit)
    said.update(dict.fromkeys(notes))
    by_name = {one.program: one for one in found}
    best = problem.published or 1.0
    highs, pbp, pam = (by_name.get(program.name) for program in PROGRAMS)
    gap = NONE if highs is None or highs.value is None else percent(highs.gap)
    return (
        row["instance"],
        row["p"],
        *(_excess(highs, best), gap, _spent(highs)),
        *(_excess(pbp, best), _spent(pbp)),
        *(_excess(pam, best), _spent(pam)),
    )


def _excess(run: Row | None, best: float) -> str:
    """How far its value lies above the best, or why there is none."""
    if run is None:
        return NONE
    if run.value is None:
        return (run.ended or run.status or "no answer").replace(",", ";")[:60]
    return percent(run.value / best - 1)


def _spent(run: Row | None) -> str:
    return NONE if run is None else seconds(run.cpu_s if run.cpu_s is not None else run.process_cpu_s)


def _whole(given: Given, name: str, p: int) -> ProblemFile:
    """All pairs, as they lie."""
    rows = _points(given, name)
    n = rows.n_rows
    squared = np.square(rows.x[:, None] - rows.site_x)
    squared += np.square(rows.y[:, None] - rows.site_y)
    distance = rows.rounded(np.sqrt(squared, out=squared))
    return ProblemFile(
        kind="p-median",
        indptr=np.arange(n + 1, dtype=np.int64) * n,
        site=np.tile(np.arange(n, dtype=np.int32), n),
        cost=distance.ravel(),
        weight=np.ones(n),
        unserved=np.full(n, np.inf),
        need=np.ones(n),
        price=np.zeros(n),
        capacity=np.full(n, np.inf),
        standing=np.zeros(n, dtype=np.int8),
        p=p,
        single_source=False,
    )
