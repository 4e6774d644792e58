"""The option ``--cluster`` of the commands that can share their work."""

from __future__ import annotations

from typing import Annotated

import typer

ClusterOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Share the work with a Dask cluster, by its scheduler's address: tcp://HOST:8786."
    ),
]
