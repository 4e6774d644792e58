"""``nearer gaps``: crowded areas with too few places in reach."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nearer.cli.console import answering, progress_bars, say, say_json, say_table, stoppable
from nearer.cli.options import JsonOption, Language, LanguageOption, StudyArgument, ThreadsOption
from nearer.language import language as speaking


def gaps(
    study: StudyArgument,
    minutes: Annotated[
        float | None, typer.Option(help="How far people go to a centre.", show_default="coverage_min of the study")
    ] = None,
    standard_people: Annotated[
        float, typer.Option(help="How many people a centre is for, where its capacity is not stated.")
    ] = 5000.0,
    group: Annotated[
        str | None, typer.Option(metavar="GROUP", help="Whose need counts.", show_default="everyone's")
    ] = None,
    decay: Annotated[
        Literal["none", "slow", "sharp"], typer.Option(help="Whether people farther away count less in a catchment.")
    ] = "none",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the files go.", show_default="STUDY/gaps")
    ] = None,
    threads: ThreadsOption = None,
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Find crowded areas with too few places in reach: named, ranked, mapped, and what would mend them."""
    with answering(as_json), speaking(language.value):
        from nearer.report import gaps_table, gaps_text
        from nearer.study.gaps import default_gaps_out, find_gaps

        with stoppable() as stop, progress_bars() as progress:
            found = find_gaps(
                study,
                out=out,
                minutes=minutes,
                standard_people=standard_people,
                group=group,
                decay=decay,
                threads=threads,
                progress=progress,
                stop=stop,
            )
        folder = out or default_gaps_out(study)
        files = {name: str(folder / name) for name in ("gaps.html", "gaps.gpkg", "gaps.json", "gaps.csv", "points.csv")}
        if as_json:
            document = found.document.model_dump(mode="json", by_alias=True)
            keys = ("study", "standard", "rule", "measures", "found", "gaps")
            say_json({**{key: document[key] for key in keys}, "files": files})
            return
        say(gaps_text(found) + "\n")
        header, rows = gaps_table(found)
        if rows:
            say_table(header, rows)
            say("")
        say("\n".join(f"  {path}" for path in files.values()))
