"""``nearer stress``: what an outage, a hazard or a surge does to a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.console import DONE, STOPPED_EARLY, answering, progress_bars, say, say_json, stoppable
from nearer.cli.options import ClusterOption, JsonOption, Language, LanguageOption, StudyOfPlanOption, ThreadsOption
from nearer.language import language as speaking


def stress(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan folder.")],
    out_of_service: Annotated[
        list[str] | None,
        typer.Option(metavar="ID,ID", help="Centres that are out, by their ids; may be given several times."),
    ] = None,
    hazard: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Polygons of ground that nobody can use or cross (a flood, a quake)."),
    ] = None,
    surge: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT:FACTOR", help='More people: "area=NAME:2", "GROUP:1.5" or "all:1.2".'),
    ] = None,
    random: Annotated[
        int | None, typer.Option(min=1, metavar="R", help="Lose R more centres at random, many times.")
    ] = None,
    draws: Annotated[
        int, typer.Option(min=2, max=1_000_000, help="How often, where there are more sets than this.")
    ] = 1000,
    worst: Annotated[
        int | None, typer.Option(min=1, metavar="R", help="Find the R more centres whose loss hurts most.")
    ] = None,
    harden: Annotated[
        int | None,
        typer.Option(min=1, metavar="K", help="Find K centres to make safe against the worst loss of R others."),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=P:ID,ID", help="A scenario: its probability, and the centres out in it."),
    ] = None,
    scenarios: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table of them: columns scenario, probability, out.")
    ] = None,
    stock: Annotated[
        int | None, typer.Option(min=1, metavar="K", help="Find K centres to hold reserve stock in these scenarios.")
    ] = None,
    replan: Annotated[
        int, typer.Option(min=0, help="How many sites to open, bring back or move first; 0 does not ask.")
    ] = 3,
    study: StudyOfPlanOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the answer goes.", show_default="PLAN/stress")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0, help="Seconds for each problem that is solved.")] = 60.0,
    gap: Annotated[float, typer.Option(min=0, help="Relative gap at which a re-plan is good enough.")] = 1e-4,
    seed: Annotated[int, typer.Option(min=0, help="Start of every random choice.")] = 0,
    threads: ThreadsOption = None,
    cluster: ClusterOption = None,
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Put a plan to the test: who is cut off, who takes over, what to open first."""
    with answering(as_json), speaking(language.value):
        from nearer.cluster import joined
        from nearer.report.stress_words import summary
        from nearer.study.provenance import find_study
        from nearer.study.stress import run_stress
        from nearer.study.stress_ground import Question

        question = Question(
            out_of_service=_listed(out_of_service),
            hazard=hazard,
            surge=tuple(surge or ()),
            replan=replan,
            random=random,
            draws=draws,
            worst=worst,
            harden=harden,
            stock=stock,
            scenarios=tuple(scenario or ()),
            scenarios_file=scenarios,
            seed=seed,
        )
        made_from = plan.parent if plan.name == "plan.json" else plan
        home = made_from if cluster is None else find_study(made_from, study)
        with stoppable() as stop, progress_bars() as progress, joined(cluster, home) as workers:
            made = run_stress(
                plan,
                question,
                study=study,
                out=out,
                time_limit_s=time_limit,
                gap=gap,
                threads=threads,
                cluster=workers,
                progress=progress,
                stop=stop,
            )
        folder = out or (plan.parent if plan.name == "plan.json" else plan) / "stress"
        files = {name: str(folder / name) for name in ("stress.html", "stress.gpkg", "stress.json")}
        if as_json:
            say_json(made.document.model_dump(mode="json", by_alias=True) | {"files": files})
        else:
            say("\n".join(summary(made.document, made.before.document)))
            say("\n" + "\n".join(f"  {path}" for path in files.values()))
    raise typer.Exit(STOPPED_EARLY if made.document.stopped_early else DONE)


def _listed(given: list[str] | None) -> tuple[str, ...]:
    """Ids from options that hold one or several, separated by commas; each once."""
    return tuple(dict.fromkeys(part.strip() for text in given or [] for part in text.split(",") if part.strip()))
