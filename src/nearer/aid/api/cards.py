"""A card at the desk over HTTP: what its household may have, and the hand-over. A card is never part of an address."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nearer.aid.api.errors import documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.parts import EVERY, Answer, At, Desk, Key
from nearer.aid.api.sessions import Sessions, address_of
from nearer.aid.api.shape import OneShape
from nearer.aid.commands import Code, Reference, Wanted
from nearer.aid.households import serving, staff
from nearer.aid.households.store import Households
from nearer.aid.store import Store


class LookAsked(BaseModel):
    """A card, where, and under which programme."""

    model_config = ConfigDict(extra="forbid")

    card: str = Field(max_length=200)
    site: Code
    programme: Code
    at: AwareDatetime | None = None


class HandOverAsked(BaseModel):
    """A card and what its household receives, confirmed by the card again, a PIN or a second member of staff."""

    model_config = ConfigDict(extra="forbid")

    card: str = Field(max_length=200)
    site: Code
    programme: Code
    lines: Annotated[tuple[Wanted, ...], Field(min_length=1, max_length=1000)]
    proof: Literal["tap", "pin", "witness"] = "tap"
    pin: str | None = Field(default=None, max_length=100)
    witness: Code | None = None
    witness_password: str | None = Field(default=None, max_length=1000)
    reservation: Reference | None = None


class ShareRow(BaseModel):
    """What a household gets of an item in the period, in base units."""

    item: str
    unit: str
    entitled: int
    drawn: int
    left: int


class LookAnswer(BaseModel):
    """What a card's household may have now."""

    programme: str
    period: str
    may: bool
    why: str
    visits_left: int | None
    shares: list[ShareRow]
    needs: list[str]
    language: str
    has_pin: bool


def cards_router(store: Store, people: Households, gate: Gate, sessions: Sessions | None = None) -> APIRouter:
    """``POST /cards/look`` and ``POST /cards/hand-over``."""
    router = APIRouter(prefix="/cards", tags=["cards"], route_class=OneShape)

    def look(asked: LookAsked, person: Person) -> JSONResponse:
        """What a card's household may have now; it is logged who looked."""
        person.need("look")
        found = serving.look(
            store, people, asked.card, site=asked.site, programme=asked.programme, by=person.code, at=asked.at
        )
        return JSONResponse(asdict(found))

    def hand_over(
        asked: HandOverAsked, key: Key, person: Person, request: Request, desk: Desk = "desk", at: At = None
    ) -> JSONResponse:
        """Hand goods to a card's household, within what it has left."""
        person.need("hand-over")
        values: dict[str, Any] = {name: getattr(asked, name) for name in HandOverAsked.model_fields}
        card, lines = values.pop("card"), values.pop("lines")

        def check(people: Households, code: str, password: str) -> str:
            """A witness's password is slowed down and kept in the list of sign-ins like any other."""
            if sessions is None:
                return staff.check(people, code, password)
            return sessions.check(code, password, address_of(request), "witness")

        done = serving.hand_over(
            store, people, card, lines, by=person.code, id=key, desk=desk, at=at, check=check, **values
        )
        return JSONResponse(done)

    for function in (look, hand_over):
        function.__annotations__["person"] = Annotated[Person, Depends(gate)]
    codes = (*EVERY, "unknown", "refused", "too-large")
    router.add_api_route(
        "/look", look, methods=["POST"], operation_id="look", response_model=LookAnswer, responses=documented(*codes)
    )
    router.add_api_route(
        "/hand-over",
        hand_over,
        methods=["POST"],
        operation_id="hand-over-by-card",
        response_model=Answer,
        responses=documented(*codes, "not-enough", "claim", "id-taken", "too-often", "disk"),
    )
    return router
