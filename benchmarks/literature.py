"""The published files: value, bound, gap and seconds of every problem, against published optima and one peer."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.child import run as run_child
from benchmarks.environment import interpreter, peer_version
from benchmarks.given import AbsentError, Given
from benchmarks.table import Table, count, percent, ratio, seconds
from nearer.errors import UsageError
from nearer.study.benchmark import solve_file
from nearer.study.problems import read_problem
from nearer.study.request import Request

PMED_LIMIT_S, PEER_LIMIT_S = 60.0, 100.0


@dataclass(frozen=True)
class Case:
    """One file and what is asked of it; ``published`` is the best value known, None where none is."""

    group: str
    path: Path
    request: Request
    published: float | None
    limit_s: float


def tables(given: Given) -> Iterator[Table]:
    """A table of classes, one of every case that is not proven, and pmed against pbp-pmedian."""
    if given.data is None:
        raise AbsentError("set NEARER_DATA to the optional data folder")
    cases = list(_cases(given.data / "instances"))
    if given.small:
        cases = [case for case in cases if case.path.name in {"pmed1.txt", "cap41.txt", "n100s1.dat"}]
    results = []
    for case in cases:
        try:
            limit_s = min(case.limit_s, given.limit_s or case.limit_s)
            result = solve_file(case.path, case.request, time_limit_s=limit_s, threads=2)
        except UsageError as error:
            result = {"status": str(error), "seconds": None}
        results.append((case, result))
        print(f"  {case.group} {case.path.name} {result['status']} {result.get('seconds')}", flush=True)
    kept = _write_csv(given, results)
    classes = _classes(results)
    classes.notes += [f"Every row stands in {kept.name}."] if kept else []
    if given.limit_s is not None:
        classes.notes.append(f"At most {given.limit_s:g} s for each file.")
    yield classes
    yield _open(results)
    yield _against_pbp(given, [(c, r) for c, r in results if c.group == "p-median, pmed"])


def _cases(folder: Path) -> Iterator[Case]:
    yield from _pmed(folder / "pmed")
    yield from _cap(folder / "orlib_cap")
    best = pairs_of(folder / "ufl_m" / "optimal.txt")
    for path in sorted((folder / "ufl_m").glob("Kcapmo?.txt")):
        yield Case("ufl, Kcapmo", path, Request("ufl", "kcapm"), best.get(path.stem), 60)
    for name, form, kind in (
        ("holmberg", "holmberg", "sscflp"),
        ("delmaire", "delmaire", "sscflp"),
        ("yang", "yang", "sscflp"),
        ("tbed1_300x300", "tbed1", "cflp"),  # what is published with these files are optima with rows split
    ):
        home = folder / "sscflp" / name
        best_of = [line.split()[0] for line in (home / "os").read_text().splitlines() if line.split()]
        for path in sorted(home.glob("p*"), key=lambda p: int(p.name[1:])):
            limit = 60 if name in ("holmberg", "delmaire") else 120
            known = float(best_of[int(path.name[1:]) - 1])
            yield Case(f"{kind}, {name}", path, Request(kind, form), known, limit)  # type: ignore[arg-type]
    yield from pmedcap_cases(folder / "pmedcap" / "pmedcap1.txt")
    for path in sorted((folder / "mclp").glob("n*.dat")):
        n = int(path.read_text().split(maxsplit=1)[0])
        for radius in (3.25, 4.0, 5.5, 6.25):
            for share in (0.05, 0.1, 0.2):
                ask = Request("max-cover", "mclp-grid", p=int(share * n), radius=radius)
                yield Case("max-cover, grid", path, ask, None, 60)
            yield Case("set-cover, grid", path, Request("set-cover", "mclp-grid", radius=radius), None, 60)


def _pmed(folder: Path) -> Iterator[Case]:
    with (folder / "optima.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            path = folder / f"{row['instance']}.txt"
            if path.exists():
                yield Case("p-median, pmed", path, Request("p-median", "orlib-pmed"), float(row["pmedian_opt"]), 60)
                yield Case("p-center, pmed", path, Request("p-center", "orlib-pmed"), float(row["pcenter_opt"]), 60)


def _cap(folder: Path) -> Iterator[Case]:
    free, limited = pairs_of(folder / "uncapopt.txt"), pairs_of(folder / "capopt.txt")
    for path in sorted(folder.glob("cap*.txt")):
        if path.stem in ("capopt", "uncapopt"):
            continue
        word = 1.0 if path.stem == "capa" else None
        yield Case("ufl, cap", path, Request("ufl", "orlib-cap", capacity=word), free.get(path.stem), 60)
        for capacity in (8000.0, 10000.0, 12000.0, 14000.0) if word else (None,):
            best = limited.get(f"{path.stem} {capacity:g}" if capacity else path.stem)
            yield Case("cflp, cap", path, Request("cflp", "orlib-cap", capacity=capacity), best, 60)


def pmedcap_cases(path: Path) -> Iterator[Case]:
    numbers = path.read_text().split()
    at = 1
    for k in range(1, int(numbers[0]) + 1):
        best, n = float(numbers[at + 1]), int(numbers[at + 2])
        yield Case("sscflp, pmedcap", path, Request("sscflp", "orlib-pmedcap", problem_number=k), best, 60)
        at += 5 + 4 * n


def pairs_of(path: Path) -> dict[str, float]:
    """Names and values of a published list; "(capacity 8000)" behind a value belongs to the name."""
    out, name = {}, ""
    for line in path.read_text().splitlines():
        found = re.fullmatch(r"\s*(\w+\s)?\s*([\d.]+)\s*(?:\(capacity (\d+)\))?\s*", line)
        if found:
            name = (found[1] or name).strip()
            out[f"{name} {found[3]}" if found[3] else name] = float(found[2])
    return out


def _worse(case: Case, result: dict[str, object]) -> bool:
    """Whether a proven value is not the published one: then one of the two is wrong."""
    value = result.get("objective")
    if case.published is None or result["status"] != "optimal" or not isinstance(value, int | float):
        return False
    return abs(value - case.published) > max(0.02, 2e-6 * abs(case.published))


def _classes(results: list[tuple[Case, dict]]) -> Table:  # type: ignore[type-arg]
    table = Table(
        "Published files, two threads",
        ("class", "files", "proven", "median s", "longest s", "all s", "largest gap", "not the published value"),
    )
    for group in dict.fromkeys(case.group for case, _ in results):
        part = [(c, r) for c, r in results if c.group == group]
        spent = [r["seconds"] for _, r in part if r.get("seconds") is not None] or [0.0]
        gaps = [r["gap"] for _, r in part if r.get("gap") is not None and r["status"] != "optimal"]
        table.rows.append(
            (
                group,
                str(len(part)),
                str(sum(r["status"] in ("optimal", "infeasible") for _, r in part)),
                seconds(median(spent)),
                seconds(max(spent)),
                seconds(sum(spent)),
                percent(max(gaps, default=0.0)),
                str(sum(_worse(c, r) for c, r in part)),
            )
        )
    table.notes.append("Seconds of the solver alone, reading apart.")
    return table


def _open(results: list[tuple[Case, dict]]) -> Table:  # type: ignore[type-arg]
    table = Table("Not proven within the limit", ("file", "class", "value", "bound", "gap", "published", "s"))
    for case, result in results:
        if result["status"] not in ("optimal", "infeasible"):
            figures = (result.get("objective"), result.get("bound"))
            name = f"{case.path.name} {case.request.problem_number or case.request.radius or ''}".strip()
            shown = tuple(f"{x:,.6g}" if x is not None else "–" for x in figures)
            published = "–" if case.published is None else f"{case.published:,.6g}"
            spent = seconds(result.get("seconds"))
            table.rows.append((name, case.group, *shown, percent(result.get("gap")), published, spent))
    if not table.rows:
        table.notes.append("None.")
    return table


def _against_pbp(given: Given, results: list[tuple[Case, dict]]) -> Table:  # type: ignore[type-arg]
    table = Table("pmed1 to pmed35 against pbp-pmedian", ("file", "n", "p", "ours s", "pbp s", "ratio", "pbp value"))
    try:
        table.notes.append(f"pbp-pmedian {peer_version(given, 'pbp-pmedian')}, limit {PEER_LIMIT_S:.0f} s a file.")
    except AbsentError as error:
        table.notes.append(f"Not measured: {error}.")
        return table
    ours = theirs = 0.0
    for case, result in results:
        if int(case.path.stem[4:]) > 35:
            continue
        with tempfile.TemporaryDirectory() as folder:
            problem, out = Path(folder, "matrix.npz"), Path(folder, "out.json")
            instance = read_problem(case.path, case.request).instance
            matrix = np.full((instance.n_rows, instance.n_sites), np.inf)
            matrix[np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr)), instance.site_idx] = instance.cost
            np.savez(problem, distance=matrix, p=result["p"])
            driver = Path(__file__).parent / "drivers" / "median_pbp.py"
            run_child([str(driver), str(problem), str(out)], python=interpreter(given), limit_s=PEER_LIMIT_S + 30)
            answer = json.loads(out.read_text()) if out.exists() else {"seconds": PEER_LIMIT_S, "value": None}
        ours, theirs = ours + result["seconds"], theirs + answer["seconds"]
        times = seconds(result["seconds"]), seconds(answer["seconds"]), ratio(answer["seconds"], result["seconds"])
        table.rows.append((case.path.stem, str(result["n_demand"]), str(result["p"]), *times, count(answer["value"])))
    table.rows.append(("all", "", "", seconds(ours), seconds(theirs), ratio(theirs, ours), ""))
    table.notes.append("Seconds on the clock inside each program, reading apart; one run of each, one after the other.")
    return table


def _write_csv(given: Given, results: list[tuple[Case, dict]]) -> Path | None:  # type: ignore[type-arg]
    path = given.beside("literature.csv")
    if path is None:
        return None
    columns = ("group", "file", "ask", "status", "value", "bound", "gap", "published", "seconds", "peak_mb", "proof")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for case, result in results:
            ask = case.request
            asked = {"p": result.get("p"), "radius": ask.radius, "capacity": ask.capacity, "number": ask.problem_number}
            words = " ".join(f"{key}={value:g}" for key, value in asked.items() if value is not None)
            figures = [result.get(key) for key in ("status", "objective", "bound", "gap")]
            rest = [result.get(key) for key in ("seconds", "peak_mb", "proof")]
            writer.writerow([case.group, case.path.name, words, *figures, case.published, *rest])
    return path
