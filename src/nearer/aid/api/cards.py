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


class PinAsked(BaseModel):
    """A card and its household's PIN."""

    model_config = ConfigDict(extra="forbid")

    card: str = Field(max_length=200)
    pin: str = Field(max_length=100)


class WitnessAsked(BaseModel):
    """The staff code and password of who is to stand beside hand-overs at a desk."""

    model_config = ConfigDict(extra="forbid")

    witness: Code
    password: str = Field(max_length=1000)


class Right(BaseModel):
    """It is right."""


class ShareRow(BaseModel):
    """What a household gets of an item in the period, in base units."""

    item: str
    unit: str
    entitled: int
    drawn: int
    left: int


class LeasedTo(BaseModel):
    """The desk that has a household on its list, and until when."""

    desk: str
    until: str


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
    leased: LeasedTo | None


def cards_router(store: Store, people: Households, gate: Gate, sessions: Sessions | None = None) -> APIRouter:
    """``POST /cards/look``, ``/cards/hand-over``, ``/cards/pin`` and ``/cards/witness``."""
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
        done = serving.hand_over(
            store, people, card, lines, by=person.code, id=key, desk=desk, at=at, check=checking(request), **values
        )
        return JSONResponse(done)

    def checking(request: Request) -> serving.Check:
        """A witness's password is slowed down and kept in the list of sign-ins like any other."""

        def check(people: Households, code: str, password: str) -> str:
            if sessions is None:
                return staff.check(people, code, password)
            return sessions.check(code, password, address_of(request), "witness")

        return check

    def pin(asked: PinAsked, person: Person) -> JSONResponse:
        """Whether a PIN is its household's: for a desk that works from its list while there is a connection."""
        person.need("hand-over")
        serving.confirm_pin(people, asked.card, asked.pin, by=person.code)
        return JSONResponse({})

    def witness(asked: WitnessAsked, person: Person, request: Request) -> JSONResponse:
        """Whether somebody may be a witness and the password is theirs: for a desk that goes away."""
        person.need("hand-over")
        serving.confirm_witness(people, asked.witness, asked.password, by=person.code, check=checking(request))
        return JSONResponse({})

    for function in (look, hand_over, pin, witness):
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
    for function, name in ((pin, "pin"), (witness, "witness")):
        router.add_api_route(
            f"/{name}", function, methods=["POST"], operation_id=f"card-{name}", response_model=Right,
            responses=documented(*codes, "too-often", "disk"),
        )  # fmt: skip
    return router
