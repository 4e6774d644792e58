"""``nearer compare``: plans side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.console import DONE, answering, say, say_json, say_table
from nearer.cli.options import JsonOption, Language, LanguageOption
from nearer.language import language as speaking


def compare(
    plans: Annotated[list[Path], typer.Argument(metavar="PLAN", help="Two plan folders or more.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the comparison goes.", show_default="compare, beside the first plan"),
    ] = None,
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Compare plans: sites in common and only in one, measures, groups, areas and costs."""
    with answering(as_json), speaking(language.value):
        from nearer.report import comparewords
        from nearer.study.compare import COMPARE_FILE, COMPARE_PAGE, run_compare

        made = run_compare(plans, out=out)
        folder = out or plans[0].resolve().parent / "compare"
        if as_json:
            say_json(made.model_dump(mode="json", by_alias=True))
        else:
            say_table(*comparewords.table(made))
            say("\n" + "\n".join(comparewords.summary(made)))
            say("\n" + "\n".join(f"  {folder / name}" for name in (COMPARE_PAGE, COMPARE_FILE)))
    raise typer.Exit(DONE)
