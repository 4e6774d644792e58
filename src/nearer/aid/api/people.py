"""
Who works here, what is kept of it, and what is deleted when.

Passwords come in a body and are in no answer. Of sign-ins and of who read which card the newest come first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from nearer.aid.api.errors import documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.paging import Limit
from nearer.aid.api.parts import EVERY
from nearer.aid.api.sessions import Sessions, address_of
from nearer.aid.api.shape import OneShape
from nearer.aid.commands import Code
from nearer.aid.households import signins, staff
from nearer.aid.households.book import newest_reads
from nearer.aid.households.retain import DISPUTES_DAYS, LOG_DAYS, UNSEEN_DAYS, retain
from nearer.aid.households.store import Households
from nearer.aid.households.tables import ROLES
from nearer.aid.refusals import RefusedError
from nearer.aid.store import Store

Role = Literal["viewer", "desk", "stock", "coordinator", "auditor"]
assert Role.__args__ == ROLES  # type: ignore[attr-defined]
Password = Annotated[str, Field(min_length=staff.SHORTEST, max_length=1000)]
Days = Annotated[int, Field(ge=0, le=36_500)]
Before = Annotated[int | None, Query(ge=1, lt=2**63, description="Only lines before this one; `next` of a page.")]


class StaffRow(BaseModel):
    """A staff code, its role, since when and until when."""

    staff: str
    role: str
    added_on: str
    disabled_on: str | None


class Staff(BaseModel):
    """Everybody who works here or did."""

    rows: list[StaffRow]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AddAsked(_Asked):
    """A new staff code, its role, and its first password."""

    staff: Code
    role: Role
    password: Password


class ChangeAsked(_Asked):
    """What is to change of a staff code; what is not named stays."""

    staff: Code
    role: Role | None = None
    disabled: bool | None = None
    password: Password | None = None


class PasswordAsked(_Asked):
    """One's own password, and the one that takes its place."""

    password: Annotated[str, Field(max_length=1000)]
    new: Password


class RetainAsked(_Asked):
    """After how many days what goes; see ``nearer aid retain``."""

    disputes_days: Days = DISPUTES_DAYS
    unseen_days: Days = UNSEEN_DAYS
    log_days: Days = LOG_DAYS


class Gone(BaseModel):
    """How many of each were deleted."""

    keys: int
    cards: int
    households: int
    log_lines: int
    sign_ins: int


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


class Nothing(BaseModel):
    """It is done."""


class Reads(BaseModel):
    """Lines of the access log, the newest first, and before which line the next page begins; null on the last."""

    rows: list[ReadRow]
    next: int | None


def people_router(store: Store, people: Households, gate: Gate, sessions: Sessions | None = None) -> APIRouter:
    """``/staff``, ``/sign-ins``, ``/access-log`` and ``/retain``."""
    router = APIRouter(tags=["people"], route_class=OneShape)

    def sign_ins(person: Person, limit: Limit = 100, before: Before = None) -> JSONResponse:
        """Who signed in, was refused, waited or signed out: when, how, and from which network."""
        person.need("sign-ins")
        return _page(signins.newest(people, limit + 1, before), limit)

    def access_log(person: Person, limit: Limit = 100, before: Before = None) -> JSONResponse:
        """Who read which household when and why."""
        person.need("access-log")
        return _page(newest_reads(people, limit + 1, before), limit)

    def show(person: Person) -> JSONResponse:
        """Who works here, with which role, since and until when."""
        person.need("staff")
        return JSONResponse({"rows": staff.listed(people)})

    def add(asked: AddAsked, person: Person) -> JSONResponse:
        """Add somebody who works here."""
        person.need("add-staff")
        staff.add(people, asked.staff, asked.role, asked.password)
        return JSONResponse({"rows": staff.listed(people)})

    def change(asked: ChangeAsked, person: Person) -> JSONResponse:
        """Give somebody another role or a new password, or let them in no more; nobody is deleted."""
        person.need("change-staff")
        staff.change(people, asked.staff, role=asked.role, disabled=asked.disabled)
        if asked.password is not None:
            staff.set_password(people, asked.staff, asked.password)
            if sessions is not None:
                sessions.end(asked.staff)
        return JSONResponse({"rows": staff.listed(people)})

    def password(asked: PasswordAsked, person: Person, request: Request) -> JSONResponse:
        """Give yourself a new password and sign in anew; the old one is asked for, since a desk may stand open."""
        person.need("password")
        if sessions is None:
            raise RefusedError("There is no staff here, so nobody has a password.")
        sessions.check(person.code, asked.password, address_of(request), "password")
        staff.set_password(people, person.code, asked.new)
        sessions.end(person.code)
        return JSONResponse({})

    def clean(asked: RetainAsked, person: Person) -> JSONResponse:
        """Delete what is no longer needed: keys of periods, retired cards, households not seen, old lines of logs."""
        person.need("retain")
        return JSONResponse(retain(store, people, **asked.model_dump()).as_json())

    changing = documented(*EVERY, "refused", "too-large", "disk")
    routes: tuple[tuple[str, str, Callable[..., JSONResponse], str, Any, Any], ...] = (
        ("/sign-ins", "GET", sign_ins, "get-sign-ins", SignIns, documented(*EVERY)),
        ("/access-log", "GET", access_log, "get-access-log", Reads, documented(*EVERY)),
        ("/staff", "GET", show, "get-staff", Staff, documented(*EVERY)),
        ("/staff", "POST", add, "add-staff", Staff, changing),
        ("/staff/change", "POST", change, "change-staff", Staff, changing),
        ("/staff/password", "POST", password, "change-password", Nothing, changing | documented("too-often")),
        ("/retain", "POST", clean, "retain", Gone, changing),
    )
    for path, method, function, name, model, responses in routes:
        function.__annotations__["person"] = Annotated[Person, Depends(gate)]
        router.add_api_route(
            path, function, methods=[method], operation_id=name, response_model=model, responses=responses
        )
    return router


def _page(rows: list[dict[str, Any]], limit: int) -> JSONResponse:
    """A page out of one row more, which only says that there are more."""
    return JSONResponse({"rows": rows[:limit], "next": rows[limit - 1]["line"] if len(rows) > limit else None})
