"""What the desk's addresses share: keys, moments, filters, the answer to a command."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from nearer.aid.commands import CODE, LOT

ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$"

EVERY = ("sign-in", "not-yours", "invalid", "fault", "busy")
"""Codes that every address may answer."""

Id = Annotated[str, StringConstraints(pattern=ID)]
Key = Annotated[
    Id,
    Header(
        alias="Idempotency-Key",
        description="Made by whoever asks, for this command alone; sent again with the same body if no answer comes.",
    ),
]
Desk = Annotated[str, Query(pattern=CODE, description="At which desk.")]
At = Annotated[AwareDatetime | None, Query(description="When it happened; now without one.")]
Site = Annotated[str | None, Query(pattern=CODE, description="Only this site.")]
Item = Annotated[str | None, Query(pattern=CODE, description="Only this item.")]
Lot = Annotated[str | None, Query(pattern=LOT, description="Only this lot.")]


class Answer(BaseModel):
    """What a command did: the number of its transaction, and what its kind tells."""

    model_config = ConfigDict(extra="allow")

    transaction: int
