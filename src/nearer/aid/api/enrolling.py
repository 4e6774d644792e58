"""
Households over HTTP: enrolled, shown, changed; their cards replaced and blocked. No card is part of an address.

A card and a household's number are random. So that an answer that was lost can be had again, both are made from the
request's key and a secret that this server made when it began: the same key gives the same card, and nobody without the
secret can tell which. After the server began anew, a household that was enrolled without an answer stands there with a
card that nobody has, until the retention job deletes it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from nearer.aid.api.errors import documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.parts import EVERY, Key
from nearer.aid.api.shape import OneShape
from nearer.aid.commands import Code
from nearer.aid.households import book as b
from nearer.aid.households.cards import card_hash, told_again
from nearer.aid.households.staff import hash_of_pin
from nearer.aid.households.store import Households
from nearer.aid.refusals import IdTakenError, unknown
from nearer.aid.store import Store, sql_of

CardText = Annotated[str, Field(max_length=200)]
Size = Annotated[int, Field(ge=1, le=100)]
Language = Annotated[str, StringConstraints(pattern=rf"^{b.LANGUAGE}$")]
Need = Literal["infant", "no-cooking", "no-gluten", "no-meat", "carry-help"]
assert set(Need.__args__) == set(b.NEEDS)  # type: ignore[attr-defined]
Needs = Annotated[list[Need], Field(max_length=5)]
Pin = Annotated[str, StringConstraints(pattern=r"^[0-9]{4,8}$")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EnrolAsked(_Asked):
    """A new household; ``card`` is one that was printed before."""

    size: Size
    home: Code
    language: Language = "en"
    needs: Needs = []
    pin: Pin | None = None
    card: CardText | None = None


class CardAsked(_Asked):
    """A card, or a household's number where the card is lost."""

    card: CardText


class ReplaceAsked(CardAsked):
    """A card or a household's number, and the printed card that takes its place; a new one without."""

    new: CardText | None = None


class ChangeAsked(CardAsked):
    """What is to be kept of a household from now on; what is not named stays."""

    size: Size | None = None
    home: Code | None = None
    language: Language | None = None
    needs: Needs | None = None
    pin: Pin | None = None


class NewCard(BaseModel):
    """A card, which is kept nowhere and told now, and the household's number, to be kept apart from it."""

    card: str
    household: str


class Blocked(BaseModel):
    """How many cards are good for nothing from now on."""

    blocked: int


class CardRow(BaseModel):
    """The state of one card of a household, since a day."""

    state: str
    since: str


class HouseholdRow(BaseModel):
    """What is kept of a household."""

    household: str
    size: int
    home: str
    language: str
    needs: list[str]
    has_pin: bool
    cards: list[CardRow]


def enrolling_router(store: Store, people: Households, gate: Gate) -> APIRouter:
    """``POST /cards/enrol``, ``/cards/show``, ``/cards/change``, ``/cards/replace`` and ``/cards/block``."""
    router = APIRouter(prefix="/cards", tags=["cards"], route_class=OneShape)
    secret = secrets.token_bytes(32)

    def enrol(asked: EnrolAsked, key: Key, person: Person) -> JSONResponse:
        """Give a household a card. It is told in this answer and kept nowhere."""
        person.need("enrol")
        _need_site(store, asked.home)
        token, number = told_again(secret, f"enrol {person.code} {key}")
        token = asked.card or token
        values = asked.model_dump(include={"size", "home", "language", "needs"})
        if b.is_known(people, number):
            _need_same(people, number, card_hash(token), values, person.code)
        else:
            hashed = None if asked.pin is None else hash_of_pin(asked.pin)
            b.enrol(people, **values, pin_hash=hashed, token=token, number=number, by=person.code)
        return JSONResponse({"card": token, "household": number})

    def show(asked: CardAsked, person: Person) -> JSONResponse:
        """What a card stands for, whatever its state; it is logged who looked."""
        person.need("card")
        return JSONResponse(_shown(people, b.household_by(people, asked.card, by=person.code, act="show")))

    def change(asked: ChangeAsked, person: Person) -> JSONResponse:
        """Change what is kept of a household. What it was granted in an open period stays."""
        person.need("change-household")
        if asked.home is not None:
            _need_site(store, asked.home)
        values: dict[str, Any] = asked.model_dump(include={"size", "home", "language", "needs"})
        hashed = None if asked.pin is None else hash_of_pin(asked.pin)
        household = b.household_by(people, asked.card, by=person.code, act="show")
        return JSONResponse(
            _shown(people, b.change(people, household.number, **values, pin_hash=hashed, by=person.code))
        )

    def replace(asked: ReplaceAsked, key: Key, person: Person) -> JSONResponse:
        """Give a household another card; those it had are good for nothing from now on."""
        person.need("card")
        token = asked.new or told_again(secret, f"replace {person.code} {key}")[0]
        household = b.household_by(people, asked.card, by=person.code, act="replace")
        if not b.has_card(people, household.number, card_hash(token)):
            b.replace_card(people, household.number, token=token, by=person.code)
        return JSONResponse({"card": token, "household": household.number})

    def block(asked: CardAsked, person: Person) -> JSONResponse:
        """Make a household's cards good for nothing."""
        person.need("card")
        household = b.household_by(people, asked.card, by=person.code, act="block")
        return JSONResponse({"blocked": b.block_cards(people, household.number, by=person.code)})

    routes: tuple[tuple[Callable[..., JSONResponse], str, type[BaseModel]], ...] = (
        (enrol, "enrol", NewCard),
        (show, "show", HouseholdRow),
        (change, "change", HouseholdRow),
        (replace, "replace", NewCard),
        (block, "block", Blocked),
    )
    codes = documented(*EVERY, "unknown", "refused", "id-taken", "too-large", "disk")
    for function, name, model in routes:
        function.__annotations__["person"] = Annotated[Person, Depends(gate)]
        router.add_api_route(
            f"/{name}", function, methods=["POST"], operation_id=f"card-{name}", response_model=model, responses=codes
        )
    return router


def _need_same(people: Households, number: str, card: str, values: dict[str, Any], by: str) -> None:
    """Refuse a key with which another household was enrolled."""
    found = b.household_by(people, number, by=by, act="enrol")
    kept = {"size": found.size, "home": found.home, "language": found.language, "needs": sorted(found.needs)}
    if kept != {**values, "needs": sorted(set(values["needs"]))} or not b.has_card(people, number, card):
        raise IdTakenError("The key stands for the enrolment of another household; make a new key.")


def _need_site(store: Store, site: str) -> None:
    with store.reading() as connection:
        if sql_of(connection).one("SELECT 1 FROM sites WHERE site = ?", site) is None:
            raise unknown("site", site, "see the list of sites")


def _shown(people: Households, household: b.Household) -> dict[str, Any]:
    return {
        "household": household.number,
        "size": household.size,
        "home": household.home,
        "language": household.language,
        "needs": list(household.needs),
        "has_pin": household.has_pin,
        "cards": b.cards_of(people, household.number),
    }
