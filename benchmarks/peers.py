"""Other programs on the same problems, class by class: value, bound, gap, seconds and memory, each judged here."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.compared import Problem, Program, each, keep, measured, summary
from benchmarks.drivers.expansion import rows_that_matter
from benchmarks.drivers.problem_file import ProblemFile
from benchmarks.expansion import Size, uniform
from benchmarks.given import Given
from benchmarks.literature import pairs_of, pmedcap_cases
from benchmarks.table import Table
from nearer.study.problems import read_problem
from nearer.study.request import Request

LIMIT_S = 15.0
SEEDS = (0, 1, 2)

_SPOPT_KINDS = ("p-median", "p-center", "max-cover", "set-cover")

PROGRAMS = (
    Program("nearer", "", "solve_nearer", lambda _: True, seeds=SEEDS, peer=False),
    Program("HiGHS", "highspy", "solve_highs", lambda _: True, peer=False),
    Program(
        "spopt",
        "spopt",
        "solve_spopt",
        lambda problem: not problem.heavy and (problem.kind in _SPOPT_KINDS or "pmedcap" in problem.name),
    ),
    Program(
        "pbp-pmedian", "pbp-pmedian", "solve_pbp", lambda problem: problem.kind == "p-median" and not problem.heavy
    ),
    Program("CP-SAT", "ortools", "solve_ortools", lambda problem: problem.kind != "cflp", before=("sat",)),
    Program("SCIP", "ortools", "solve_ortools", lambda _: True, before=("scip",)),
    Program(
        "FasterPAM",
        "kmedoids",
        "solve_kmedoids",
        lambda problem: problem.kind == "p-median" and problem.square and not problem.weighted,
        seeds=SEEDS,
    ),
)


def tables(given: Given) -> Iterator[Table]:
    """A summary by class, and every problem."""
    problems = list(_expansions(given.small))
    if given.data is not None:
        problems = [*_published(given.data / "instances", given.small), *problems]
    limit_s = given.limit_s or LIMIT_S
    rows, notes = measured(given, problems, PROGRAMS, limit_s)
    made = summary("Beside other programs, class by class", rows)
    made.notes += [
        f"Each run in a process of its own, at most {limit_s:g} s of solving, two threads where a program can; "
        "every value is counted here from the sites it opens and who goes where. Seconds are those of building and "
        "solving, without the interpreter's start; > where not everything was proven. Largest excess: over the best "
        "value known.",
        "HiGHS, CP-SAT and SCIP get the compact model as arrays (one column per pair); spopt writes its own through "
        "PuLP and solves it with HiGHS; CP-SAT (eight workers, since two leave out too much) and SCIP come through "
        "OR-Tools. FasterPAM is a heuristic: it proves "
        "nothing, and takes square matrices without weights only.",
        "spopt and pbp-pmedian are not given the largest problems, which they take as whole matrices: in the profiles "
        "those count as not proven; CPU ratio: theirs over ours, on the problems that they were given.",
        f"nearer and FasterPAM with seeds {', '.join(map(str, SEEDS))}: times are medians.",
        *notes,
    ]
    if given.data is None:
        made.notes.append("Published files were not measured: set NEARER_DATA to the optional data folder.")
    made.notes += keep(
        given, "peers", rows, "Share of problems proven within so many times the fastest (CPU s)", ("FasterPAM",)
    )
    yield made
    yield each("Every problem", rows)


def _expansions(small: bool) -> Iterator[Problem]:
    """Sites beside those that stand, on uniform points."""
    sizes = [Size(60, 40, 10, 8)] if small else [Size(300, 250), Size(1_000, 400), Size(5_000, 1_000)]
    for size in sizes:
        name = f"{size.standing} + {size.more} on {size.points:,} × {size.sites:,}"
        heavy = size.points * size.sites > 1_000_000
        yield Problem(
            "p-median, expansion", name, "p-median", lambda size=size: expansion(size), heavy=heavy, weighted=True
        )


def expansion(size: Size) -> ProblemFile:
    """The rows that can matter; what a point pays where no new site serves it is its nearest standing one."""
    problem = uniform(size)
    distance, standing = problem["distance"], problem["standing"]
    point, site, cost, nearest = rows_that_matter(distance, standing)
    order = np.lexsort((site, cost, point))
    n, m = distance.shape
    return ProblemFile(
        kind="p-median",
        indptr=np.concatenate([[0], np.cumsum(np.bincount(point, minlength=n))]),
        site=site[order],
        cost=cost[order],
        weight=problem["weight"],
        unserved=nearest,
        need=np.ones(n),
        price=np.zeros(m),
        capacity=np.full(m, np.inf),
        standing=standing.astype(np.int8),
        p=int(standing.sum()) + size.more,
        single_source=False,
        distance=distance,
    )


def from_file(path: Path, request: Request) -> ProblemFile:
    """A published file as the drivers read it."""
    problem = read_problem(path, request)
    instance = problem.instance
    n, m = instance.n_rows, instance.n_sites
    p = problem.request.p
    return ProblemFile(
        kind=request.problem,
        indptr=instance.indptr,
        site=instance.site_idx,
        cost=np.asarray(instance.cost, dtype=np.float64),
        weight=instance.weight[0],
        unserved=instance.unserved,
        need=np.ones(n) if instance.need is None else instance.need,
        price=instance.price,
        capacity=np.full(m, np.inf) if not instance.capacitated else instance.capacity[:, 0, 0],
        standing=np.zeros(m, np.int8),
        p=-1 if p is None else p,
        single_source=instance.single_source,
    )


def _published(folder: Path, small: bool) -> Iterator[Problem]:
    with (folder / "pmed" / "optima.csv").open(encoding="utf-8") as file:
        optima = {row["instance"]: row for row in csv.DictReader(file)}
    for name in ("pmed1",) if small else ("pmed1", "pmed11", "pmed15", "pmed17"):
        ask = Request("p-median", "orlib-pmed")
        yield _of("p-median, pmed", folder / "pmed" / f"{name}.txt", ask, float(optima[name]["pmedian_opt"]))
    free, limited = pairs_of(folder / "orlib_cap" / "uncapopt.txt"), pairs_of(folder / "orlib_cap" / "capopt.txt")
    for name in ("cap71",) if small else ("cap71", "capa"):
        ask = Request("ufl", "orlib-cap", capacity=1.0 if name == "capa" else None)
        yield _of("ufl, cap", folder / "orlib_cap" / f"{name}.txt", ask, free[name])
    for name in ("cap41",) if small else ("cap41", "cap71"):
        yield _of("cflp, cap", folder / "orlib_cap" / f"{name}.txt", Request("cflp", "orlib-cap"), limited[name])
    for home, numbers in (("holmberg", (1,) if small else (13,)), ("delmaire", () if small else (1,))):
        best = [
            float(line.split()[0])
            for line in (folder / "sscflp" / home / "os").read_text().splitlines()
            if line.split()
        ]
        for number in numbers:
            path = folder / "sscflp" / home / f"p{number}"
            ask = Request("sscflp", home)  # type: ignore[arg-type]
            yield _of("sscflp", path, ask, best[number - 1], f"{home} {number}")
    for case in pmedcap_cases(folder / "pmedcap" / "pmedcap1.txt"):
        if case.request.problem_number in ((1,) if small else (1, 11)):
            name = f"pmedcap {case.request.problem_number}"
            yield _of("sscflp", case.path, case.request, case.published, name)
    for name in ("pmed1",) if small else ("pmed1", "pmed15"):
        ask = Request("p-center", "orlib-pmed")
        yield _of("p-center, pmed", folder / "pmed" / f"{name}.txt", ask, float(optima[name]["pcenter_opt"]))
    grids = ("n100s1",) if small else ("n200s1", "n500s1", "n1000s1")
    for name in grids:
        path = folder / "mclp" / f"{name}.dat"
        n = int(path.read_text().split(maxsplit=1)[0])
        for radius in (4.0,) if small else (5.5,) if n < 500 else (3.25,):
            ask = Request("max-cover", "mclp-grid", p=n // 20, radius=radius)
            yield _of("max-cover, grid", path, ask, None, f"{name}, p {n // 20}, radius {radius:g}")
            ask = Request("set-cover", "mclp-grid", radius=radius)
            yield _of("set-cover, grid", path, ask, None, f"{name}, radius {radius:g}")


def _of(group: str, path: Path, request: Request, published: float | None, name: str = "") -> Problem:
    covered_of = read_problem(path, request).covered_of if request.problem == "max-cover" else None
    heavy = any(large in (name or path.stem) for large in ("n1000", "pmed17", "capa"))
    return Problem(
        group,
        name or path.stem,
        request.problem,
        lambda: from_file(path, request),
        published,
        covered_of,
        heavy,
        square=request.file_format == "orlib-pmed",
    )
