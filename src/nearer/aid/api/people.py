"""What is kept of who works here: sign-ins, and who read which card. The newest come first."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from nearer.aid.api.errors import documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.paging import Limit
from nearer.aid.api.parts import EVERY
from nearer.aid.api.shape import OneShape
from nearer.aid.households import signins
from nearer.aid.households.book import newest_reads
from nearer.aid.households.store import Households

Before = Annotated[int | None, Query(ge=1, lt=2**63, description="Only lines before this one; `next` of a page.")]


class SignInRow(BaseModel):
    """A sign-in, a refusal, a wait or a sign-out; without a code where what was typed is none."""

    line: int
    at: str
    staff: str | None
    outcome: str
    way: str
    network: str


class SignIns(BaseModel):
    """Lines, the newest first, and before which line the next page begins; null on the last."""

    rows: list[SignInRow]
    next: int | None


class ReadRow(BaseModel):
    """Who read which household when and why, by the hash of its card."""

    line: int
    at: str
    staff: str
    act: str
    card: str | None


class Reads(BaseModel):
    """Lines of the access log, the newest first, and before which line the next page begins; null on the last."""

    rows: list[ReadRow]
    next: int | None


def people_router(people: Households, gate: Gate) -> APIRouter:
    """``/sign-ins`` and ``/access-log``."""
    router = APIRouter(tags=["people"], route_class=OneShape)

    def sign_ins(person: Person, limit: Limit = 100, before: Before = None) -> JSONResponse:
        """Who signed in, was refused, waited or signed out: when, how, and from which network."""
        person.need("sign-ins")
        return _page(signins.newest(people, limit + 1, before), limit)

    def access_log(person: Person, limit: Limit = 100, before: Before = None) -> JSONResponse:
        """Who read which household when and why."""
        person.need("access-log")
        return _page(newest_reads(people, limit + 1, before), limit)

    for function, path, model in ((sign_ins, "/sign-ins", SignIns), (access_log, "/access-log", Reads)):
        function.__annotations__["person"] = Annotated[Person, Depends(gate)]
        router.add_api_route(
            path, function, methods=["GET"], operation_id=f"get{path.replace('/', '-')}", response_model=model,
            responses=documented(*EVERY),
        )  # fmt: skip
    return router


def _page(rows: list[dict[str, Any]], limit: int) -> JSONResponse:
    """A page out of one row more, which only says that there are more."""
    return JSONResponse({"rows": rows[:limit], "next": rows[limit - 1]["line"] if len(rows) > limit else None})
