"""``nearer solve``: benchmark files of the literature."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nearer.cli.console import DONE, FAILED, STOPPED_EARLY, answering, progress_bars, say, say_json, stoppable


def solve(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The benchmark file.")],
    file_format: Annotated[Literal["orlib-pmed", "tsplib"], typer.Option("--format", help="How the file is written.")],
    problem: Annotated[Literal["p-median"], typer.Option(help="What to solve.")] = "p-median",
    p: Annotated[int | None, typer.Option("-p", min=1, help="Sites to open.", show_default="the file's")] = None,
    distance: Annotated[
        Literal["floor", "round", "ceil", "exact"], typer.Option(help="tsplib: what to make of Euclidean distances.")
    ] = "floor",
    time_limit: Annotated[float | None, typer.Option(min=0, help="Seconds for the solver.")] = None,
    gap: Annotated[float, typer.Option(min=0, help="Relative gap at which to end; 0 for a proven optimum.")] = 0.0,
    work_limit: Annotated[int | None, typer.Option(min=1, help="Units of work after which to end.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Start of every random choice.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads.", show_default="all processors")] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write the result as JSON; - prints it.")
    ] = None,
    assignment: Annotated[bool, typer.Option("--assignment", help="Write the site of each customer too.")] = False,
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the certificate that `nearer verify` evaluates.")
    ] = None,
) -> None:
    """Solve a benchmark file and prove the answer."""
    to_stdout = json_out is not None and str(json_out) == "-"
    with answering(to_stdout):
        from nearer.study.benchmark import solve_file, write_result

        with stoppable() as stop, progress_bars() as progress:
            result = solve_file(
                file,
                file_format,
                p=p,
                rounding=distance,
                time_limit_s=time_limit,
                gap=gap,
                work_limit=work_limit,
                seed=seed,
                threads=threads,
                with_assignment=assignment,
                proof_file=proof,
                progress=progress,
                stop=stop,
            )
        if to_stdout:
            say_json(result)
        else:
            if json_out is not None:
                write_result(result, json_out)
            say(_in_words(result))
    raise typer.Exit({"optimal": DONE, "gap": DONE, "feasible": STOPPED_EARLY}.get(result["status"], FAILED))


def _in_words(result: dict[str, Any]) -> str:
    if result["objective"] is None:
        return f"{result['status']}: nothing was found."
    return (
        f"{result['status']}: {result['objective']:,} with {len(result['open'])} of {result['n_sites']:,} sites, "
        f"at least {result['bound']:,} (gap {100 * result['gap']:.4g} %), {result['seconds']:.2f} s"
    )
