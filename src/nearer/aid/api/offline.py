"""
Desks without a connection over HTTP: what they take along, what they bring back, what is open meanwhile.

A lease is ended by the ledger's own ``POST /commands/end-lease``, a conflict resolved by ``POST /commands/resolve``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nearer.aid.api.errors import documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.paging import Cursor, Limit, Page, page_of
from nearer.aid.api.parts import EVERY, Desk, Key
from nearer.aid.api.shape import OneShape
from nearer.aid.commands import Code, Wanted
from nearer.aid.households.store import Households
from nearer.aid.offline.away import conflicts_of, leases_of
from nearer.aid.offline.choosing import cards_for
from nearer.aid.offline.document import LeaseDocument, plain, take_lease
from nearer.aid.offline.sync import known_in, nobody, receive
from nearer.aid.store import Store


class LeaseAsked(BaseModel):
    """Goods and households that a desk takes along; without cards, the households at home at the site."""

    model_config = ConfigDict(extra="forbid")

    site: Code
    programme: Code
    period: Code
    until: AwareDatetime
    lines: Annotated[tuple[Wanted, ...], Field(max_length=1000)] = ()
    cards: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=20_000)] | None = None


class LeaseTaken(BaseModel):
    """What the desk keeps, and how many households were left out because another desk has them."""

    document: LeaseDocument
    left_out: int


class Journal(BaseModel):
    """Entries of an offline desk's journal; each is judged by itself, and sent again counts once."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    ledger: str = Field(max_length=64, description="As in the lease's document.")
    desk: Code
    entries: list[dict[str, Any]] = Field(
        max_length=1000,
        description="For each: id, lease, moment, by, mark; claim, or card and size; lots (lot, quantity), "
        "beyond (item, quantity), proof.",
    )


class Kept(BaseModel):
    """An entry that is in the ledger, now or since it was first sent."""

    model_config = ConfigDict(extra="allow")

    id: str
    transaction: int
    handover: str
    conflicts: list[dict[str, Any]] = []


class RefusedEntry(BaseModel):
    """An entry that cannot be taken, and why."""

    id: str
    why: str


class JournalAnswer(BaseModel):
    """What became of each entry; what is in neither list was not reached and is to be sent again."""

    kept: list[Kept]
    refused: list[RefusedEntry]


class LeaseRow(BaseModel):
    """A lease: how many households and base units are with the desk, how many of its hand-overs have come in."""

    lease: str
    desk: str
    site: str
    programme: str
    period: str
    until: str
    state: Literal["away", "over", "returned", "expired"]
    claims: int
    held: int
    handed_over: int


class LeasePage(Page[LeaseRow]):
    """Leases; ``most_extra`` is how often a household can at worst be served beyond its entitlement now."""

    most_extra: int


class ConflictRow(BaseModel):
    """A hand-over that has happened and went beyond goods, dates, lists or entitlement."""

    conflict: str
    kind: str
    handover: str
    site: str
    programme: str
    period: str
    desk: str
    at: str
    lease: str | None
    item: str | None
    lot: str | None
    quantity: int | None
    resolved: str | None


All = Annotated[bool, Query(alias="all", description="Those that are ended or resolved too.")]


def offline_router(store: Store, people: Households | None, gate: Gate) -> APIRouter:
    """``/leases``, ``/journals`` and ``/conflicts``."""
    router = APIRouter(tags=["desks that are away"], route_class=OneShape)

    def take(asked: LeaseAsked, key: Key, person: Person, desk: Desk = "desk") -> JSONResponse:
        """Lease goods and households to a desk; with the same key again, the lease is the same and its salt new."""
        person.need("lease")
        cards, left_out = cards_for(
            store, people, asked.programme, asked.period, asked.site, asked.cards, key, person.code
        )
        document = take_lease(
            store,
            cards,
            site=asked.site,
            desk=desk,
            programme=asked.programme,
            period=asked.period,
            until=asked.until,
            lines=asked.lines,
            id=key,
            actor=person.code,
        )
        return JSONResponse({"document": plain(document), "left_out": left_out})

    def bring(journal: Journal, person: Person) -> JSONResponse:
        """Bring entries of a journal into the ledger: in any order, in parts, more than once."""
        person.need("sync")
        known = nobody if people is None else known_in(people, person.code)
        return JSONResponse(receive(store, journal.model_dump(), known))

    def leases(person: Person, every: All = False, limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        """Which desks are away with goods and households, and what that can cost at most."""
        person.need("leases")
        rows = leases_of(store)
        wanted = rows if every else [row for row in rows if row["state"] in ("away", "over")]
        page = page_of(wanted, lambda row: [_number(row["lease"])], limit, cursor)
        return JSONResponse(page | {"most_extra": sum(row["state"] in ("away", "over") for row in rows)})

    def conflicts(person: Person, every: All = False, limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        """Hand-overs that have happened and went beyond goods, dates, lists or entitlement."""
        person.need("conflicts")
        rows = conflicts_of(store, open_only=not every)
        return JSONResponse(page_of(rows, lambda row: [*map(_number, row["conflict"].split("-"))], limit, cursor))

    for function in (take, bring, leases, conflicts):
        function.__annotations__["person"] = Annotated[Person, Depends(gate)]
    taking = documented(*EVERY, "unknown", "refused", "not-enough", "claim", "id-taken", "too-large", "disk")
    for path, method, function, name, model, responses in (
        ("/leases", "POST", take, "take-lease", LeaseTaken, taking),
        ("/leases", "GET", leases, "get-leases", LeasePage, documented(*EVERY)),
        ("/journals", "POST", bring, "bring-journal", JournalAnswer, documented(*EVERY, "too-large", "disk")),
        ("/conflicts", "GET", conflicts, "get-conflicts", Page[ConflictRow], documented(*EVERY)),
    ):
        router.add_api_route(
            path, function, methods=[method], operation_id=name, response_model=model, responses=responses
        )
    return router


def _number(name: str) -> int:
    """The number in a name such as K12."""
    return int(name.lstrip("KX"))
