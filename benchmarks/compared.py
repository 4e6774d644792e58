"""One problem, several programs: each in its own process with a time limit, judged here, put into tables and a CSV."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from benchmarks.child import Ran, drive
from benchmarks.environment import interpreter, peer_version
from benchmarks.given import AbsentError, Given
from benchmarks.judge import TOL, agree, value_of, verdict
from benchmarks.profile import Panel, svg
from benchmarks.table import NONE, Table, count, percent, seconds

GRACE_S = 30.0
"""A program that does not keep its limit is stopped after twice the limit and so long."""


class Content(Protocol):
    """What a problem's file holds."""

    @property
    def n_rows(self) -> int: ...

    @property
    def n_sites(self) -> int: ...

    @property
    def p(self) -> int: ...

    def save(self, path: Path) -> None: ...


@dataclass(frozen=True)
class Program:
    """
    Something that solves problem files.

    Parameters
    ----------
    name, package
        For the tables; and whose version is shown, "" for ours.
    driver, before
        Script of ``drivers``, and what comes before its other arguments.
    can
        Which problems it can be asked, given the class.
    seeds
        A run for each, one after the other in one process.
    peer
        Whether it runs in the peers' environment.
    """

    name: str
    package: str
    driver: str
    can: Callable[[Problem], bool]
    before: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    peer: bool = True


@dataclass(frozen=True)
class Problem:
    """
    A problem to be solved by several programs.

    Parameters
    ----------
    group, name
        Class, and which of it.
    make
        Makes the file's content.
    published
        The best value known, None where none is; in maximal covering of the weight covered.
    covered_of
        Maximal covering: weight of all, from which the value counted is taken.
    heavy
        Too large for programs that take whole matrices into Python.
    square, weighted
        Whether every customer is a site too and all pairs exist; and whether customers count differently.
    value
        Counts what an answer is worth, or says what rule it breaks.
    within
        How much worse than the best an answer may be and still be called optimal, relative.
    """

    group: str
    name: str
    kind: str
    make: Callable[[], Content]
    published: float | None = None
    covered_of: float | None = None
    heavy: bool = False
    square: bool = False
    weighted: bool = False
    value: Callable[[Any, dict[str, Any]], float] = value_of
    within: float = TOL


@dataclass
class Row:
    """One run: what the CSV holds. Values of maximal covering are what is covered."""

    group: str
    problem: str
    customers: int
    sites: int
    p: int | None
    program: str
    version: str
    seed: int
    status: str
    claims_optimal: bool
    verdict: str = ""
    value: float | None = None
    bound: float | None = None
    gap: float | None = None
    best_known: float | None = None
    published: bool = False
    build_s: float | None = None
    solve_s: float | None = None
    cpu_s: float | None = None
    process_s: float = 0.0
    process_cpu_s: float | None = None
    peak_mb: float | None = None
    proven: bool = field(default=False)
    ended: str = field(default="")

    @classmethod
    def begun(cls, problem: Problem, content: Content, program: Program, version: str, seed: int, ran: Ran) -> Row:
        """A run of which only the process is known."""
        p = content.p if content.p >= 0 else None
        names = (
            problem.group,
            problem.name,
            content.n_rows,
            content.n_sites,
            p,
            program.name,
            version,
            seed,
            "",
            False,
        )
        return cls(*names, process_s=ran.seconds, process_cpu_s=ran.cpu_s, peak_mb=ran.peak_mb)

    @property
    def is_best(self) -> bool:
        """Whether nothing better is known."""
        return self.value is not None and self.best_known is not None and agree(self.value, self.best_known)

    @property
    def spent_s(self) -> float | None:
        """Build and solve on the clock."""
        return None if self.build_s is None or self.solve_s is None else self.build_s + self.solve_s


def measured(
    given: Given, problems: Sequence[Problem], programs: Sequence[Program], limit_s: float
) -> tuple[list[Row], list[str]]:
    """All problems by all programs that can; and why programs are left out."""
    here, notes = _present(given, programs)
    rows: list[Row] = []
    seen: set[str] = set()
    for problem in problems:
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "problem.npz"
            content = problem.make()
            content.save(file)
            if problem.group not in seen:  # compiled code is in its cache before anything is timed
                seen.add(problem.group)
                for program, version in here:
                    if not program.package and program.can(problem):
                        _run(given, problem, content, file, replace(program, seeds=(0,)), version, min(limit_s, 5.0))
            part = [
                row
                for program, version in here
                if program.can(problem)
                for row in _run(given, problem, content, file, program, version, limit_s)
            ]
        judge(problem, part)
        for row in part:
            print(
                f"  {row.group} {row.problem} {row.program} {row.seed}: {row.verdict} {seconds(row.spent_s)}",
                flush=True,
            )
        rows += part
    return rows, notes


def _present(given: Given, programs: Sequence[Program]) -> tuple[list[tuple[Program, str]], list[str]]:
    from importlib.metadata import version

    here, notes = [], []
    for program in programs:
        if not program.peer:
            here.append((program, version(program.package or "nearer")))
            continue
        try:
            here.append((program, peer_version(given, program.package)))
        except AbsentError as absent:
            notes.append(f"{program.name} was not measured: {absent}.")
    return here, notes


def _run(
    given: Given, problem: Problem, content: Content, file: Path, program: Program, version: str, limit_s: float
) -> list[Row]:
    """A row for each seed; all of a program's seeds on a problem share a process."""
    out = file.with_name("out.json")
    out.unlink(missing_ok=True)
    arguments = [*program.before, str(file), str(limit_s), ",".join(map(str, program.seeds)), str(out)]
    python = interpreter(given) if program.peer else sys.executable
    stop_s = (2 * limit_s) * len(program.seeds) + GRACE_S
    ran = drive(program.driver, *arguments, python=python, limit_s=stop_s)
    ended = ""
    if ran.code is None:
        ended = f"stopped at {stop_s:g} s"
    elif ran.code != 0 or not out.exists():
        ended = "failed: " + " ".join(ran.complained.split())[-160:]
    noted = [{"status": ended}] * len(program.seeds) if ended else json.loads(out.read_text())
    return [
        _row(problem, content, Row.begun(problem, content, program, version, seed, ran), one, ended)
        for seed, one in zip(program.seeds, noted, strict=True)
    ]


def _row(problem: Problem, content: Content, row: Row, noted: dict[str, Any], ended: str) -> Row:
    """A row with what was noted of one run."""
    row.status, row.ended = noted["status"], ended
    if ended:
        return row
    row.claims_optimal, row.bound = noted["optimal"], noted["bound"]
    row.build_s, row.solve_s = noted["build_s"], noted["solve_s"]
    row.cpu_s = noted["build_cpu_s"] + noted["solve_cpu_s"]
    if noted["open"] is not None:
        try:
            row.value = problem.value(content, noted)
        except ValueError as broken:
            row.ended = f"breaks a rule: {broken}"
    return row


def judge(problem: Problem, rows: list[Row]) -> None:
    """Compare with the best known, fill in verdicts and gaps, and turn covering values to what is covered."""
    shift = problem.covered_of or 0.0
    found = [row.value - shift for row in rows if row.value is not None]
    known = [] if problem.published is None else [-problem.published if problem.covered_of else problem.published]
    best = min([*found, *known], default=None)
    for row in rows:
        value = None if row.value is None else row.value - shift
        bound = None if row.bound is None else row.bound - shift
        judged = verdict(row.claims_optimal, value, best, row.ended, problem.within)
        row.proven, row.verdict = judged.proven, judged.words
        row.published = problem.published is not None
        if value is not None and bound is not None:
            row.gap = max(0.0, value - bound) / max(abs(value), 1e-9)
            row.gap = row.gap if row.gap > 1e-9 else 0.0
        sign = -1.0 if problem.covered_of else 1.0
        row.value, row.bound = (None if x is None else sign * x for x in (value, bound))
        row.best_known = None if best is None else sign * best


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Every run."""
    columns = [f.name for f in fields(Row) if f.name not in ("proven", "ended")]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            values = [getattr(row, name) for name in columns]
            writer.writerow(
                [round(v, 4) if n.endswith(("_s", "_mb")) and v else v for n, v in zip(columns, values, strict=True)]
            )


def _by_program(rows: Sequence[Row]) -> Iterator[tuple[str, str, list[list[Row]]]]:
    """Class, program, and its runs of every problem, seeds together."""
    for group in dict.fromkeys(row.group for row in rows):
        part = [row for row in rows if row.group == group]
        for program in dict.fromkeys(row.program for row in part):
            mine = [row for row in part if row.program == program]
            names = dict.fromkeys(row.problem for row in mine)
            yield group, program, [[row for row in mine if row.problem == name] for name in names]


def _middle(runs: Sequence[Row], name: str) -> float | None:
    values = [getattr(row, name) for row in runs]
    known = [value for value in values if value is not None]
    return median(known) if known else None


def summary(title: str, rows: Sequence[Row]) -> Table:
    """Each class and program: how many were proven, how far the others are off, and what it took."""
    table = Table(
        title,
        (
            "class",
            "program",
            "problems",
            "proven",
            "best value",
            "called optimal, is not",
            "no answer",
            "largest excess",
            "build + solve s",
            "CPU s",
            "CPU ratio",
            "peak MB",
        ),
    )
    ours: dict[tuple[str, str], float] = {}
    for group, program, problems in _by_program(rows):
        every = [row for runs in problems for row in runs]
        took = {runs[0].problem: _middle(runs, "cpu_s") or _middle(runs, "process_cpu_s") or 0.0 for runs in problems}
        cpu = sum(took.values())
        spent = sum(_middle(runs, "spent_s") or _middle(runs, "process_s") or 0.0 for runs in problems)
        for name, one in took.items():
            ours.setdefault((group, name), one)  # the first program of a class is ours
        beside = sum(ours[group, name] for name in took)  # of the same problems
        best = [any(row.is_best for row in runs) for runs in problems]
        excess = [
            0.0 if row.is_best else abs(row.value - row.best_known) / max(abs(row.best_known), 1e-9)
            for row in every
            if row.value is not None and row.best_known is not None
        ]
        proven = sum(all(row.proven for row in runs) for runs in problems)
        more = "> " if proven < len(problems) else ""
        times = cpu / max(beside, 1e-9)
        table.rows.append(
            (
                group,
                program,
                str(len(problems)),
                str(proven),
                str(sum(best)),
                str(sum(row.verdict.startswith("called optimal") for row in every)),
                str(sum(row.value is None for row in every)),
                percent(max(excess, default=None) if excess else None),
                more + seconds(spent),
                more + seconds(cpu),
                NONE if cpu == beside else more + (f"{times:,.1f}" if times >= 1 else f"{times:.2g}"),
                count(max((row.peak_mb for row in every if row.peak_mb is not None), default=None)),
            )
        )
    return table


def each(title: str, rows: Sequence[Row]) -> Table:
    """Each problem and program, the median of its seeds."""
    table = Table(
        title,
        (
            "class",
            "problem",
            "program",
            "value",
            "bound",
            "gap",
            "best known",
            "s",
            "CPU s",
            "MB",
            "it says",
            "verdict",
        ),
    )
    for group, program, problems in _by_program(rows):
        for runs in problems:
            # the run shown is the one with the median value, so that one line is one run
            shown = sorted(runs, key=lambda row: (row.value is None, row.value or 0.0))[(len(runs) - 1) // 2]
            spent = [row.spent_s for row in runs if row.spent_s is not None]
            low, high = (min(spent), max(spent)) if spent else (None, None)
            clock = seconds(median(spent) if spent else shown.process_s)
            if low is not None and len(runs) > 1:
                clock += f" ({seconds(low)}–{seconds(high)})"
            table.rows.append(
                (
                    group,
                    shown.problem,
                    program,
                    _figure(shown.value),
                    _figure(shown.bound),
                    percent(shown.gap),
                    _figure(shown.best_known),
                    clock,
                    seconds(_middle(runs, "cpu_s") or shown.process_cpu_s),
                    count(_middle(runs, "peak_mb")),
                    shown.status[:40],
                    shown.verdict,
                )
            )
    order = {(row.group, row.problem): k for k, row in reversed(list(enumerate(rows)))}
    table.rows.sort(key=lambda cells: order[cells[0], cells[1]])
    return table


def _figure(value: float | None) -> str:
    return NONE if value is None else f"{value:,.10g}"


def panels(rows: Sequence[Row], without: Sequence[str] = ()) -> list[Panel]:
    """Processor seconds of every proven problem, class by class; a program that cannot be asked has no line."""
    made = []
    for group in dict.fromkeys(row.group for row in rows):
        part = [row for row in rows if row.group == group and row.program not in without]
        names = list(dict.fromkeys(row.problem for row in part))
        times: dict[str, list[float | None]] = {}
        for program in dict.fromkeys(row.program for row in part):
            line: list[float | None] = []
            for name in names:
                runs = [row for row in part if row.program == program and row.problem == name]
                proven = bool(runs) and all(row.proven for row in runs)
                line.append(_middle(runs, "cpu_s") if proven else None)
            times[program] = line
        made.append(Panel(group, times))
    return made


def keep(given: Given, name: str, rows: Sequence[Row], caption: str, without: Sequence[str] = ()) -> list[str]:
    """Write CSV and profiles beside the tables; sentences that name them."""
    path, drawing = given.beside(f"{name}.csv"), given.beside(f"{name}.svg")
    if path is None or drawing is None:
        return []
    write_csv(rows, path)
    drawing.write_text(svg(panels(rows, without), caption), encoding="utf-8", newline="\n")
    return [f"Every run stands in {path.name}.", f"Performance profiles: ![{caption}]({drawing.name})"]
