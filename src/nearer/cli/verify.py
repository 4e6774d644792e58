"""``nearer verify``: the independent check of a plan or of a benchmark result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan folder.")],
) -> None:
    """Check."""
