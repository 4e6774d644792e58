"""``nearer agencies``: what each agency brings to a joint plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.console import DONE, STOPPED_EARLY, answering, progress_bars, say, say_json, stoppable
from nearer.cli.options import JsonOption, Language, LanguageOption, StudyArgument, ThreadsOption
from nearer.language import language as speaking


def agencies(
    study: StudyArgument,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the files go.", show_default="STUDY/agencies")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0, help="Seconds for the solver, for each coalition.")] = 60.0,
    gap: Annotated[float, typer.Option(min=0, help="Relative gap at which a plan is good enough.")] = 1e-4,
    threads: ThreadsOption = None,
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Compare planning together with planning alone: what each agency brings, and what is lost if one drops out."""
    with answering(as_json), speaking(language.value):
        from nearer.report.agencies import agencies_text, stopped_early
        from nearer.study.agencies import AGENCY_FILES, compare_agencies, default_agencies_out

        with stoppable() as stop, progress_bars() as progress:
            found = compare_agencies(
                study, out=out, time_limit_s=time_limit, gap=gap, threads=threads, progress=progress, stop=stop
            )
        early = any(one.gap > max(gap, 1e-9) for one in found.coalitions)
        if as_json:
            say_json(found.model_dump(mode="json", by_alias=True))
        else:
            shown = [name for name in AGENCY_FILES if name.startswith("agencies")]
            folder = out or default_agencies_out(study)
            lines = [found.study, *agencies_text(found), *[stopped_early()] * early]
            say("\n".join([*lines, "", *(f"  {folder / name}" for name in shown)]))
    raise typer.Exit(STOPPED_EARLY if early else DONE)
