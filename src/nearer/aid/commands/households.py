"""Hand-overs at a desk with a connection."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from nearer.aid.commands.kinds import Code, Command, Reference, Tag, Wanted


class HandOver(Command):
    """A household receives goods within what it is entitled to."""

    kind: ClassVar[str] = "hand-over"
    site: Code
    programme: Code
    tag: Tag
    size: Annotated[int, Field(ge=1, le=100)] = Field(
        description="People in the household; used when its account is opened, and not kept."
    )
    lines: Annotated[tuple[Wanted, ...], Field(min_length=1)]
    proof: Literal["tap", "pin", "witness"] = "tap"
    witness: Code | None = Field(default=None, description="Staff code of who stood beside it, with that proof.")
    reservation: Reference | None = None
    already_given: bool = Field(
        default=False, description="It has physically happened: keep it, and flag what goes beyond the books."
    )

    @model_validator(mode="after")
    def _witness_with_its_proof(self) -> HandOver:
        if self.witness is not None and self.proof != "witness":
            raise ValueError("a witness goes with the proof witness")
        return self
