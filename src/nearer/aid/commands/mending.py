"""Reversals."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from nearer.aid.commands.kinds import Command


class Reverse(Command):
    """Undo one transaction's postings by a new one."""

    kind: ClassVar[str] = "reverse"
    transaction: Annotated[int, Field(ge=1, le=10**15)]
