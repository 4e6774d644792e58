"""``nearer frontier``: what two objectives cost each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.console import DONE, STOPPED_EARLY, answering, progress_bars, say, say_json, say_table, stoppable
from nearer.cli.options import (
    JsonOption,
    Language,
    LanguageOption,
    OpenMaxOption,
    OpenOption,
    SeedOption,
    StudyArgument,
    ThreadsOption,
)
from nearer.language import language as speaking


def frontier(
    study: StudyArgument,
    first: Annotated[
        str, typer.Option(metavar="OBJECTIVE", help="travel, coverage, farthest, equal or cost.")
    ] = "travel",
    second: Annotated[str, typer.Option(metavar="OBJECTIVE", help="Another of them.")] = "farthest",
    points: Annotated[int, typer.Option(min=2, help="Points wanted, both ends included.")] = 8,
    open: OpenOption = None,
    open_max: OpenMaxOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the frontier goes.", show_default="STUDY/frontier")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0, help="Seconds for all points together.")] = 300.0,
    gap: Annotated[float, typer.Option(min=0, help="Relative gap at which a point is good enough.")] = 1e-4,
    work_limit: Annotated[
        int | None, typer.Option(min=1, help="Units of work for all points, the same on every machine.")
    ] = None,
    seed: SeedOption = None,
    threads: ThreadsOption = None,
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Trade two objectives against each other: a table, a plot, and a bound for every point."""
    with answering(as_json), speaking(language.value):
        from nearer.report import frontierpage
        from nearer.study.frontier import FRONTIER_FILE, FRONTIER_PAGE, run_frontier
        from nearer.study.parts import study_folder

        with stoppable() as stop, progress_bars() as progress:
            made = run_frontier(
                study,
                first=first,
                second=second,
                points=points,
                open=open,
                open_max=open_max,
                out=out,
                time_limit_s=time_limit,
                gap=gap,
                work_limit=work_limit,
                seed=seed,
                threads=threads,
                progress=progress,
                stop=stop,
            )
        folder = out or study_folder(study) / "frontier"
        if as_json:
            say_json(made.model_dump(mode="json", by_alias=True))
        else:
            say(made.study)
            say_table(frontierpage.header(made), frontierpage.rows(made))
            say("\n" + frontierpage.summary(made))
            say("\n" + "\n".join(f"  {folder / name}" for name in (FRONTIER_PAGE, FRONTIER_FILE)))
    raise typer.Exit(DONE if made.complete else STOPPED_EARLY)
