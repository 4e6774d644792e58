"""``nearer report``: the report of a finished plan, written anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.console import DONE, answering, say
from nearer.cli.options import Language, LanguageOption, StudyOfPlanOption


def report(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan folder.")],
    language: LanguageOption = Language.EN,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the report goes.", show_default="PLAN/report-LANGUAGE.html"),
    ] = None,
    study: StudyOfPlanOption = None,
) -> None:
    """Write the report of a finished plan in another language, without solving."""
    with answering():
        from nearer.study.reread import report_again

        say(str(report_again(plan, language.value, study, out)))
    raise typer.Exit(DONE)
