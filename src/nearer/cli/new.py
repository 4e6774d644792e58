"""``nearer new``: a study folder, ready to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nearer.cli.console import answering, progress_bars, say


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; absent or empty.")],
    example: Annotated[
        Literal["liechtenstein", "newtown"] | None,
        typer.Option(help="A ready example: a real country, or a generated city. Without it, a commented template."),
    ] = None,
    people: Annotated[int | None, typer.Option(min=1, help="newtown: how many people.")] = None,
    points: Annotated[int | None, typer.Option(min=1, help="newtown: how many populated points.")] = None,
    sites: Annotated[int | None, typer.Option(min=1, help="newtown: how many sites, existing and candidates.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="newtown: start of every random choice.")] = None,
) -> None:
    """Write a study folder, ready to run."""
    with answering():
        from nearer.study.new import new_study

        with progress_bars() as progress:
            new_study(folder, example=example, people=people, points=points, sites=sites, seed=seed, progress=progress)
        say(f"{folder} is ready. Next:\n  nearer check {folder}\n  nearer plan {folder}")
