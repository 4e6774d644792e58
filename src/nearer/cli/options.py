"""Arguments and options that several commands take, so that each is said in one way."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    """Languages of reports: `nearer.language.LANGUAGES`."""

    EN = "en"
    ES = "es"
    FA = "fa"


StudyArgument = Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.")]
StudyOfPlanOption = Annotated[
    Path | None,
    typer.Option(metavar="STUDY", help="The plan's study folder.", show_default="the one it was made from"),
]
OpenOption = Annotated[int | None, typer.Option(min=0, help="Open exactly so many, whatever nearer.toml says.")]
OpenMaxOption = Annotated[int | None, typer.Option(min=0, help="Open at most so many.")]
WithinOption = Annotated[float, typer.Option(metavar="G", min=0, help="How much worse they may be; 0.01 is 1 %.")]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Start of every random choice.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="Threads.", show_default="all processors")]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Share the work with a Dask cluster, by its scheduler's address: tcp://HOST:8786."
    ),
]
LanguageOption = Annotated[
    Language,
    typer.Option(envvar="NEARER_LANGUAGE", help="What reports and the summary here are written in.", show_envvar=True),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

LedgerPlace = typer.Option(
    metavar="PLACE", envvar="NEARER_AID_LEDGER", help="The aid ledger: a file, or postgresql://user@host/database."
)
HouseholdsOption = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        envvar="NEARER_AID_HOUSEHOLDS",
        help="The household database: a file, or its address.",
        show_default="beside the ledger",
    ),
]
KeysOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        envvar="NEARER_AID_KEYS",
        help="Folder of the periods' keys; never part of a backup.",
        show_default="beside the ledger",
    ),
]
HeadKeyOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", envvar="NEARER_AID_HEAD_KEY", help="Signs heads of the ledger; `nearer aid key` makes it."
    ),
]
