"""The aid desk in the browser: its API behind a session in a cookie, and who may come in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from hashlib import sha256
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from nearer.aid.api.app import Bounded, desk_router
from nearer.aid.api.errors import RefusedHere, answer_in_one_shape, documented, refusal
from nearer.aid.api.gate import Person, alone
from nearer.aid.api.sessions import LASTS_S, Sessions, SignIn, address_of
from nearer.aid.api.shape import OneShape
from nearer.aid.households import staff
from nearer.aid.households.store import Households, beside, is_beside
from nearer.aid.offline.document import ledger_of
from nearer.aid.refusals import RefusedError
from nearer.aid.store import Store
from nearer.errors import UsageError
from nearer.serve.elsewhere import WAITS_S, NotIn
from nearer.serve.guard import NOTHING_TOLD, SAFE
from nearer.serve.shares import READER

if TYPE_CHECKING:
    from nearer.aid.demo.practice import Card
    from nearer.serve.oidc import Provider

COOKIE = "nearer-desk"
"""Holds the session's token; no script can read it, and no other site's page sends it."""

TICKET = "nearer-elsewhere"
"""What a browser keeps while somebody signs in with another organisation."""

CSRF = "x-nearer-desk"
"""Header that every change must carry: only a page of ours has been told its value."""

_OPEN = ("/api/aid/", "/api/about", "/api/words/")
"""What answers before anybody has signed in; the desk's own addresses have their own gate."""


class Desk:
    """
    A ledger with its households and sessions, held open.

    Parameters
    ----------
    ledger
        File of the ledger, or ``postgresql://…``.
    by
        Who asks, where there is no staff.
    households, keys
        Where they are, if not beside the ledger.
    head_key
        File of the private key that signs heads.
    oidc
        Another organisation whose accounts are let in too.
    practice
        Cards that the page offers, where the ledger is there to practise with.
    secure
        Whether the server speaks TLS: the cookie then travels no other way.

    Raises
    ------
    UsageError
        There is no ledger, or no household database where one was named; or other accounts are to be let in where
        nobody of one's own is a coordinator.
    """

    def __init__(
        self,
        ledger: str,
        *,
        by: str,
        households: str | None = None,
        keys: Path | None = None,
        head_key: Path | None = None,
        oidc: Provider | None = None,
        practice: Sequence[Card] = (),
        secure: bool = False,
    ) -> None:
        self._held = ExitStack()
        self._secure = secure
        self._head_key = head_key
        self._oidc = oidc
        self._practice = [asdict(card) for card in practice]
        try:
            self.store = self._held.enter_context(Store(ledger))
            self.people: Households | None = None
            if households is not None or is_beside(ledger):
                place, folder = beside(ledger)
                self.people = self._held.enter_context(Households(households or place, keys or folder))
            has_staff = self.people is not None and staff.any_staff(self.people)
            self.sessions = Sessions(self.people, time.monotonic) if self.people is not None and has_staff else None
            self.ledger = ledger_of(self.store)
            if oidc is not None and self.sessions is None:
                raise UsageError(
                    "Before others' accounts are let in, somebody of your own must be able to come in: add a "
                    "coordinator with `nearer aid add-staff`."
                )
        except BaseException:
            self._held.close()
            raise
        self._alone = alone(by)

    def close(self) -> None:
        """Let go of the databases."""
        self._held.close()

    def person(self, request: Request) -> Person:
        """
        Who asks: by the cookie, by a token in the header, or whoever sits here where there is no staff.

        Raises
        ------
        RefusedHere
            Nobody is signed in; or a change came without the page's own mark.
        """
        if self.sessions is None:
            found: Person = self._alone(request)
            return found
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer":
            return self.sessions.person(token.strip())
        token = request.cookies.get(COOKIE, "")
        person = self.sessions.person(token)
        if request.method not in SAFE and not compare_digest(request.headers.get(CSRF, "").encode(), _mark(token)):
            raise RefusedHere("sign-in", "This page is from an earlier session; load it again.")
        return person

    def app(self) -> FastAPI:
        """Everything under ``/api/aid``."""
        app = FastAPI(title="nearer aid", docs_url=None, redoc_url=None, telemetry=NOTHING_TOLD)
        answer_in_one_shape(app)
        app.add_middleware(Bounded)
        app.include_router(self._session())
        if self._oidc is not None and self.sessions is not None and self.people is not None:
            app.include_router(oidc_router(self._oidc, self.people, self.sessions, self._secure))
        app.include_router(desk_router(self.store, self.person, self.people, self.sessions, self._head_key))
        return app

    def _session(self) -> APIRouter:
        router = APIRouter(prefix="/session", tags=["sessions"], route_class=OneShape)

        @router.get("", operation_id="get-session")
        def about(request: Request) -> dict[str, Any]:
            """Who is signed in and what they may do; nobody's is no error."""
            try:
                person = self.person(request)
            except RefusedHere:
                return self._told(None, None, "")
            role = None
            if self.people is not None and self.sessions is not None:
                role = staff.role_of(self.people, person.code)
            return self._told(person, role, request.cookies.get(COOKIE, ""))

        @router.post("", operation_id="sign-in-here", responses=documented("sign-in", "too-often", "invalid"))
        def sign_in(asked: SignIn, request: Request) -> JSONResponse:
            """Sign in on this browser."""
            if self.sessions is None:
                raise RefusedHere("sign-in", "There is no staff here, so nobody signs in.")
            session = self.sessions.sign_in(asked.staff, asked.password, address_of(request))
            answer = JSONResponse(self._told(self.sessions.person(session.token), session.role, session.token))
            set_session(answer, session.token, self._secure)
            return answer

        @router.delete("", operation_id="sign-out-here")
        def sign_out(request: Request) -> JSONResponse:
            """Sign out."""
            self.person(request)
            if self.sessions is not None:
                self.sessions.sign_out(request.cookies.get(COOKIE, ""), address_of(request))
            answer = JSONResponse({})
            answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=self._secure)
            return answer

        return router

    def _told(self, person: Person | None, role: str | None, token: str) -> dict[str, Any]:
        return {
            "ledger": self.ledger,
            "staff": None if person is None else person.code,
            "role": role,
            "may": [] if person is None else [act for act in staff.MAY if person.may(act)],
            "cards": self.people is not None,
            "signing": self.sessions is not None,
            "elsewhere": self._oidc is not None,
            "practice": self._practice,
            "mark": "" if person is None or not token else _mark(token).decode(),
        }


def set_session(answer: Response, token: str, secure: bool) -> None:
    """Let a browser keep a session."""
    answer.set_cookie(COOKIE, token, max_age=LASTS_S, path="/", httponly=True, samesite="strict", secure=secure)


def oidc_router(provider: Provider, people: Households, sessions: Sessions, secure: bool) -> APIRouter:
    """``/oidc/begin`` sends a browser to the other side, ``/oidc/back`` takes it in again."""
    router = APIRouter(prefix="/oidc", tags=["sessions"])
    path = "/api/aid/oidc"

    @router.get("/begin", operation_id="oidc-begin", response_class=RedirectResponse, status_code=303)
    def begin(request: Request) -> RedirectResponse:
        """To the other side."""
        ticket, there = provider.begin(f"{request.url.scheme}://{request.headers['host']}{path}/back")
        answer = RedirectResponse(there, 303, headers={"Cache-Control": "no-store"})
        # Lax, not strict: it has to come back with a visit that begins on the other side.
        answer.set_cookie(TICKET, ticket, max_age=WAITS_S, path=path, httponly=True, samesite="lax", secure=secure)
        return answer

    @router.get("/back", operation_id="oidc-back", response_class=RedirectResponse, status_code=303)
    def back(request: Request, state: str = "", code: str | None = None) -> RedirectResponse:
        """From the other side: signed in, or with the reason why not."""
        address = address_of(request)
        answer = RedirectResponse("/aid", 303, headers={"Cache-Control": "no-store"})
        try:
            account = provider.end(request.cookies.get(TICKET, ""), state, code)
            staff.vouched(people, account.code, account.role, account.mark)
            set_session(answer, sessions.vouched(account.code, account.role, address).token, secure)
        except (NotIn, RefusedError) as error:
            why = error.why if isinstance(error, NotIn) else "not-here"
            if why != "expired":  # whoever never came from here is not worth a line
                sessions.not_vouched(address)
            answer = RedirectResponse(f"/aid?not-in={why}", 303, headers={"Cache-Control": "no-store"})
        answer.delete_cookie(TICKET, path=path, httponly=True, samesite="lax", secure=secure)
        return answer

    return router


class SignedIn:
    """
    ASGI middleware for a server that others can reach: studies are for who is signed in, changes for coordinators.

    Parameters
    ----------
    app
        What comes after.
    desk
        Where they sign in.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app, self._desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        path = scope.get("path", "")
        if (
            scope["type"] == "http"
            and path.startswith("/api/")
            and not path.startswith(_OPEN)
            and not scope.get(READER)
        ):
            try:
                role_needed = "read" if scope["method"] in SAFE else "set-ways"
                token = _cookie(scope)
                assert self._desk.sessions is not None
                self._desk.sessions.person(token).need(role_needed)
            except RefusedHere as error:
                await refusal(error.code, error.message)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _cookie(scope: Scope) -> str:
    try:
        jar: SimpleCookie = SimpleCookie(Request(scope).headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""


def _mark(token: str) -> bytes:
    """What a page must send along; it follows from the token and does not tell it."""
    return sha256(b"mark:" + token.encode("utf-8", "surrogatepass")).hexdigest().encode()
