"""``nearer plan``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nearer.cli.console import DONE, STOPPED_EARLY, answering, note, progress_bars, say, say_json, stoppable, tell_full
from nearer.cli.options import (
    ClusterOption,
    JsonOption,
    Language,
    LanguageOption,
    OpenMaxOption,
    OpenOption,
    SeedOption,
    StudyArgument,
    ThreadsOption,
    WithinOption,
)
from nearer.language import language as speaking


def plan(
    study: StudyArgument,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the plan goes.", show_default="STUDY/plan")
    ] = None,
    open: OpenOption = None,
    open_max: OpenMaxOption = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="Money for opening, upgrading and closing, beside what else is asked.")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[,NAME]",
            help="What to make good: travel, coverage, farthest, equal or cost; several in order, first things first.",
        ),
    ] = None,
    limit_min: Annotated[
        float | None, typer.Option(metavar="M", help="Farther than so many minutes counts as out of reach.")
    ] = None,
    merge_m: Annotated[
        float | None, typer.Option(metavar="M", help="Sum people up in square cells of so many metres.")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0, help="Seconds for the solver; the best found counts.")] = 60.0,
    gap: Annotated[float, typer.Option(min=0, help="Relative gap at which the plan is good enough.")] = 1e-4,
    work_limit: Annotated[
        int | None, typer.Option(min=1, help="Units of work after which the solver ends, the same on every machine.")
    ] = None,
    seed: SeedOption = None,
    threads: ThreadsOption = None,
    alternatives: Annotated[int, typer.Option(metavar="K", min=0, help="Find up to so many other good plans.")] = 0,
    differ: Annotated[
        int | None,
        typer.Option(
            metavar="D",
            min=1,
            help="Sites that each of them opens and no plan before it does.",
            show_default="a tenth of the sites opened",
        ),
    ] = None,
    within: WithinOption = 0.01,
    start: Annotated[
        Path | None,
        typer.Option("--from", metavar="PLAN", help="Start from an earlier plan's sites and proof; proven anew."),
    ] = None,
    cluster: ClusterOption = None,
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Plan where centres open, and write report, map and proof."""
    with answering(as_json), speaking(language.value):
        from nearer.cluster import joined
        from nearer.report import summary_text
        from nearer.study.choices import Wish
        from nearer.study.parts import default_out, study_folder
        from nearer.study.run import run_study

        with stoppable() as stop, progress_bars() as progress, joined(cluster, study_folder(study)) as workers:
            made = run_study(
                study,
                out=out,
                open=open,
                open_max=open_max,
                budget=budget,
                objective=objective,
                limit_min=limit_min,
                merge_m=merge_m,
                time_limit_s=time_limit,
                gap=gap,
                work_limit=work_limit,
                seed=seed,
                threads=threads,
                cluster=workers,
                wish=Wish(alternatives, differ, within, start),
                progress=progress,
                stop=stop,
                say=note,
            )
        tell_full(stop)
        folder = out or default_out(study)
        files = {name: str(folder / name) for name in ("report.html", "plan.gpkg", "plan.json", "sites.csv")}
        if as_json:
            say_json(_as_json(made, files))
        else:
            say(summary_text(made).rstrip("\n"))
            say("\n" + "\n".join(f"  {path}" for path in files.values()))
    raise typer.Exit(STOPPED_EARLY if made.document.status == "feasible" else DONE)


def _as_json(made: Any, files: dict[str, str]) -> dict[str, Any]:
    document = made.document.model_dump(mode="json", by_alias=True)
    keys: tuple[str, ...] = ("study", "status", "objective", "bound", "gap", "gain_gap", "proof", "opened", "measures")
    if document["alternatives"] is not None:
        keys += ("alternatives",)
    return {
        **{key: document[key] for key in keys},
        "sites": [site for site in document["sites"] if site["status"] == "opened"],
        "files": files,
    }
