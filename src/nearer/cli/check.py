"""``nearer check``: what was read, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.console import answering, progress_bars, say, say_json, stoppable


def check(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.")],
    threads: Annotated[int | None, typer.Option(min=1, help="Threads. [default: all processors]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read everything, list every fault at once, and show what no street could take."""
    with answering(as_json):
        from nearer.study.check import check_study

        with stoppable() as stop, progress_bars() as progress:
            report = check_study(study, threads=threads, progress=progress, stop=stop)
        if as_json:
            say_json(report.as_json())
        else:
            say(report.as_text())
