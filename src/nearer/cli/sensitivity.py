"""``nearer sensitivity``: which sites stand if things turn out otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nearer.cli.console import DONE, STOPPED_EARLY, answering, progress_bars, say, say_json, say_table, stoppable
from nearer.cli.options import (
    ClusterOption,
    JsonOption,
    Language,
    LanguageOption,
    OpenOption,
    SeedOption,
    StudyArgument,
    ThreadsOption,
)
from nearer.language import language as speaking


def sensitivity(
    study: StudyArgument,
    open: OpenOption = None,
    percent: Annotated[
        float, typer.Option(help="Where the study names no scenarios: change people and speeds by so many per cent.")
    ] = 20.0,
    goal: Annotated[
        Literal["regret", "value"], typer.Option(help="What the robust plan makes least at worst.")
    ] = "regret",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the answer goes.", show_default="STUDY/sensitivity")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0, help="Seconds for all runs together.")] = 300.0,
    gap: Annotated[float, typer.Option(min=0, help="Relative gap at which a plan is good enough.")] = 1e-4,
    work_limit: Annotated[
        int | None, typer.Option(min=1, help="Units of work for each run, the same on every machine.")
    ] = None,
    seed: SeedOption = None,
    threads: ThreadsOption = None,
    cluster: ClusterOption = None,
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Plan under every scenario: which sites stand, what each plan risks, and one plan for all."""
    with answering(as_json), speaking(language.value):
        from nearer.cluster import joined
        from nearer.report import senspage
        from nearer.study.parts import study_folder
        from nearer.study.sensitivity import SENS_CSV, SENS_FILE, SENS_PAGE, run_sensitivity

        with stoppable() as stop, progress_bars() as progress, joined(cluster, study_folder(study)) as workers:
            made = run_sensitivity(
                study,
                open=open,
                percent=percent,
                goal=goal,
                out=out,
                time_limit_s=time_limit,
                gap=gap,
                work_limit=work_limit,
                seed=seed,
                threads=threads,
                cluster=workers,
                progress=progress,
                stop=stop,
            )
        folder = out or study_folder(study) / "sensitivity"
        if as_json:
            say_json(made.model_dump(mode="json", by_alias=True))
        else:
            say(made.study)
            say_table(*senspage.table(made))
            say("\n" + "\n".join(senspage.summary(made)))
            say("\n" + "\n".join(f"  {folder / name}" for name in (SENS_PAGE, SENS_CSV, SENS_FILE)))
    raise typer.Exit(DONE if made.complete else STOPPED_EARLY)
