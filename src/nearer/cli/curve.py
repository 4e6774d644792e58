"""``nearer curve``: what each further centre brings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.console import DONE, STOPPED_EARLY, answering, progress_bars, say, say_json, say_table, stoppable
from nearer.cli.options import (
    ClusterOption,
    JsonOption,
    Language,
    LanguageOption,
    SeedOption,
    StudyArgument,
    ThreadsOption,
)
from nearer.language import language as speaking


def curve(
    study: StudyArgument,
    to: Annotated[
        int | None,
        typer.Option(min=0, help="Centres at the end, those of today included.", show_default="as the study's plan"),
    ] = None,
    step: Annotated[int, typer.Option(min=1, help="Solve every so many-th size only; all get a bound.")] = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the curve goes.", show_default="STUDY/curve")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Past visits or units per centre and period, as CSV.")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0, help="Seconds for all sizes; those done count.")] = 300.0,
    gap: Annotated[float, typer.Option(min=0, help="Relative gap at which a size is good enough.")] = 1e-4,
    work_limit: Annotated[
        int | None, typer.Option(min=1, help="Units of work for each size, the same on every machine.")
    ] = None,
    seed: SeedOption = None,
    threads: ThreadsOption = None,
    cluster: ClusterOption = None,
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Find the best network of every size up to a number of centres, and where further ones bring little."""
    with answering(as_json), speaking(language.value):
        from nearer.cluster import joined
        from nearer.report import curvewords
        from nearer.study.curve import run_curve
        from nearer.study.parts import study_folder

        with stoppable() as stop, progress_bars() as progress, joined(cluster, study_folder(study)) as workers:
            made = run_curve(
                study,
                to=to,
                step=step,
                out=out,
                history=history,
                time_limit_s=time_limit,
                gap=gap,
                work_limit=work_limit,
                seed=seed,
                threads=threads,
                cluster=workers,
                progress=progress,
                stop=stop,
            )
        folder = out or study_folder(study) / "curve"
        if as_json:
            say_json(made.model_dump(mode="json", by_alias=True))
        else:
            say(made.study)
            say_table(*curvewords.table(made))
            say("\n" + "\n".join(curvewords.summary(made)))
            say("\n" + "\n".join(f"  {folder / name}" for name in ("curve.html", "curve.csv", "curve.json")))
    raise typer.Exit(DONE if made.complete else STOPPED_EARLY)
