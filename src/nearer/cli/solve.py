"""``nearer solve``: benchmark files of the literature."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nearer.cli.console import (
    DONE,
    FAILED,
    STOPPED_EARLY,
    answering,
    note,
    progress_bars,
    say,
    say_json,
    stoppable,
    tell_full,
)
from nearer.cli.options import ThreadsOption, WithinOption

# The names of study/pairs.py and study/problems.py, held to them by a test: to import those here slows every command.
_Problem = Literal["p-median", "ufl", "cflp", "sscflp", "p-center", "max-cover", "set-cover", "partial-cover"]
_Format = Literal[
    "orlib-pmed",
    "orlib-pmedcap",
    "orlib-cap",
    "kcapm",
    "tsplib",
    "holmberg",
    "yang",
    "delmaire",
    "tbed1",
    "mclp-grid",
    "points",
    "csv",
]
_Distance = Literal["floor", "round", "ceil", "exact"]


def solve(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The benchmark file.")],
    file_format: Annotated[_Format, typer.Option("--format", help="How the file is written.")],
    problem: Annotated[_Problem, typer.Option(help="What to solve.")] = "p-median",
    p: Annotated[
        int | None,
        typer.Option("-p", min=1, help="Sites to open, exactly.", show_default="the file's"),
    ] = None,
    radius: Annotated[
        float | None, typer.Option(min=0, help="Covering: the distance up to which a site covers a customer.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="max-cover, in place of -p: what the open sites may cost at most.")
    ] = None,
    sites: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="points: the sites; the first FILE holds the customers."),
    ] = None,
    cover_share: Annotated[
        float | None,
        typer.Option("--cover-share", metavar="S", help="partial-cover: share of all weight to cover, 0 to 1."),
    ] = None,
    distance: Annotated[_Distance, typer.Option(help="tsplib: what to make of Euclidean distances.")] = "floor",
    capacity: Annotated[float | None, typer.Option(min=0, help="orlib-cap: the number for the word capacity.")] = None,
    problem_number: Annotated[
        int | None, typer.Option(min=1, help="orlib-pmedcap: which problem of the file, from 1.")
    ] = None,
    second_share: Annotated[
        float | None,
        typer.Option(
            "--second-share",
            metavar="S",
            help="max-cover: share of a customer's weight, 0 to 1, that counts only once a second site covers it.",
        ),
    ] = None,
    decay_to: Annotated[
        float | None,
        typer.Option(metavar="R", help="max-cover: weight falls in a straight line from --radius to nothing here."),
    ] = None,
    decay_table: Annotated[
        str | None,
        typer.Option(
            metavar="D:S,…", help="max-cover, in place of --radius: 2:1,4:0.5 counts all up to 2, half up to 4."
        ),
    ] = None,
    time_limit: Annotated[float | None, typer.Option(min=0, help="Seconds for the solver.")] = None,
    gap: Annotated[float, typer.Option(min=0, help="Relative gap at which to end; 0 for a proven optimum.")] = 0.0,
    work_limit: Annotated[int | None, typer.Option(min=1, help="Units of work after which to end.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Start of every random choice.")] = 0,
    threads: ThreadsOption = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write the result as JSON; - prints it.")
    ] = None,
    assignment: Annotated[bool, typer.Option("--assignment", help="Write the site of each customer too.")] = False,
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the certificate that `nearer verify` evaluates.")
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Say what deciding each site otherwise costs.")] = False,
    alternatives: Annotated[int, typer.Option(metavar="K", min=0, help="Find up to so many other good answers.")] = 0,
    differ: Annotated[
        int | None,
        typer.Option(
            metavar="D",
            min=1,
            help="Sites that each of them opens and no answer before it does.",
            show_default="a tenth of the sites opened",
        ),
    ] = None,
    within: WithinOption = 0.01,
) -> None:
    """Solve a benchmark file and prove the answer."""
    to_stdout = json_out is not None and str(json_out) == "-"
    with answering(to_stdout):
        from nearer.study.benchmark import solve_file, write_result
        from nearer.study.benchmark_choices import Asked
        from nearer.study.request import Request, read_decay_table

        request = Request(
            problem,
            file_format,
            p,
            radius,
            budget,
            distance,
            capacity,
            problem_number,
            second_share,
            decay_to,
            None if decay_table is None else read_decay_table(decay_table),
            None if sites is None else str(sites),
            cover_share,
        )
        with stoppable() as stop, progress_bars() as progress:
            result = solve_file(
                file,
                request,
                time_limit_s=time_limit,
                gap=gap,
                work_limit=work_limit,
                seed=seed,
                threads=threads,
                with_assignment=assignment,
                proof_file=proof,
                asked=Asked(why, alternatives, differ, within),
                progress=progress,
                stop=stop,
                tell=note,
            )
        tell_full(stop)
        if json_out is not None and not to_stdout:
            write_result(result, json_out)
        if to_stdout:
            say_json(result)
        else:
            say("\n".join([_in_words(result), *_choices_in_words(result)]))
    raise typer.Exit({"optimal": DONE, "gap": DONE, "feasible": STOPPED_EARLY}.get(result["status"], FAILED))


def _in_words(result: dict[str, Any]) -> str:
    if result["objective"] is None:
        return f"{result['status']}: {result['reason']}."
    words = f"{result['status']}: {result['objective']:,} with {len(result['open'])} of {result['n_sites']:,} sites"
    if result["bound"] is None:
        return f"{words}, no bound yet, {result['seconds']:.2f} s"
    side = "at most" if result["problem"] == "max-cover" else "at least"
    return f"{words}, {side} {result['bound']:,} (gap {100 * result['gap']:.4g} %), {result['seconds']:.2f} s"


_SHOWN = 5  # sites told of in the terminal; the JSON tells of all


def _choices_in_words(result: dict[str, Any]) -> Iterator[str]:
    for is_open, words in ((True, "forced open, the nearest misses lose"), (False, "closed, the least missed lose")):
        known = [one for one in result.get("why", ()) if one["open"] == is_open and one["at_most"] is not None]
        nearest = sorted(known, key=lambda one: (one["at_most"], one["site"]))[:_SHOWN]
        if nearest:
            yield f"{words} {', '.join(_loss(one) for one in nearest)}"
    if (told := result.get("alternatives")) is not None:
        values = ", ".join(f"{plan['objective']:,}" for plan in told["plans"]) or "none"
        end = " (no further one exists)" if told["no_more"] else ""
        yield f"other answers within {100 * told['within']:g} %, {told['differ']} sites apart: {values}{end}"


def _loss(one: dict[str, Any]) -> str:
    least, most = max(one["at_least"], 0), one["at_most"]
    words = f"{most:,}" if least == most else f"{least:,} to {most:,}" if least else f"up to {most:,}"
    return f"{words} (site {one['site']})"
