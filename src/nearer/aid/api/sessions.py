"""
Who is signed in: a staff code and password give a token for some hours; the token is the way in.

Tokens live in the server's memory, as hashes: a server that ends signs everybody out. The role is looked up at every
request, so that somebody who was disabled is out at once. Each sign-in, refusal and sign-out is kept
(``nearer.aid.households.signins``).
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from nearer.aid.api.errors import RefusedHere, documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.shape import OneShape
from nearer.aid.api.slowing import MOST, Slowing
from nearer.aid.commands import Code
from nearer.aid.households import signins, staff
from nearer.aid.households.store import Households
from nearer.aid.refusals import RefusedError

LASTS_S = 12 * 3600
"""How long a session lasts."""

_CODES = ("sign-in", "invalid", "too-often", "too-large", "fault", "busy")
_BEARER = HTTPBearer(auto_error=False, description="The token that POST /sessions gave.")


class SignIn(BaseModel):
    """A staff code and its password."""

    model_config = ConfigDict(extra="forbid")

    staff: Code
    password: str = Field(max_length=1000)


class Session(BaseModel):
    """What somebody who signed in gets."""

    token: str
    staff: str
    role: str
    lasts_s: int


@dataclass(frozen=True)
class _Open:
    code: str
    until: float


class Sessions:
    """
    The sessions of one server.

    Parameters
    ----------
    people
        Where staff and passwords are; it is not closed here.
    now
        Seconds that pass steadily; tests give their own.
    """

    def __init__(self, people: Households, now: Callable[[], float]) -> None:
        self._people = people
        self._now = now
        self._open: dict[bytes, _Open] = {}
        self._slowing = Slowing(now)
        self._waiting: OrderedDict[tuple[str | None, str], float] = OrderedDict()
        self._lock = threading.Lock()
        self._checking = threading.Semaphore(2)  # a check takes 64 MB, on purpose

    def sign_in(self, code: str, password: str, address: str = "") -> Session:
        """
        A new session, for who asks from an address.

        Raises
        ------
        RefusedHere
            Code and password do not go together, or it was tried too often.
        """
        return self._opened(code, self.check(code, password, address, "password"))

    def vouched(self, code: str, role: str, address: str) -> Session:
        """A new session for somebody whom another organisation vouches for."""
        signins.keep(self._people, code, "in", "oidc", signins.network_of(address))
        return self._opened(code, role)

    def not_vouched(self, address: str) -> None:
        """Another organisation did not vouch for somebody, or not for anybody who is known here."""
        signins.keep(self._people, None, "refused", "oidc", signins.network_of(address))

    def _opened(self, code: str, role: str) -> Session:
        token = secrets.token_urlsafe(32)
        now = self._now()
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if one.until > now}
            self._open[_hash(token)] = _Open(code, now + LASTS_S)
        return Session(token=token, staff=code, role=role, lasts_s=LASTS_S)

    def check(self, code: str, password: str, address: str, way: str) -> str:
        """
        The role of who gives this code and password; what came of it is kept.

        Parameters
        ----------
        way
            "password" to sign in, "witness" to stand beside somebody who hands over.

        Raises
        ------
        RefusedHere
            As ``sign_in``.
        """
        network = signins.network_of(address)
        if wait := ceil(self._slowing.begin(code, address)):
            if self._is_first(code, network, wait):
                signins.keep(self._people, code, "waits", way, network)
            waits = RefusedError("A wrong password was given too often; wait {seconds} seconds.", seconds=wait)
            raise RefusedHere("too-often", str(waits), {"Retry-After": str(wait)}, waits)
        try:
            with self._checking:
                role = staff.check(self._people, code, password)
        except RefusedError as error:
            signins.keep(self._people, code, "refused", way, network)
            raise RefusedHere("sign-in", str(error), refused=error) from None
        self._slowing.right(code, address)
        signins.keep(self._people, code, "in", way, network)
        return role

    def _is_first(self, code: str, network: str, wait: int) -> bool:
        """Whether this is the first try of a wait: the others are not kept, or whoever guesses would fill the disk."""
        key, now = (code if staff.role_of(self._people, code) else None, network), self._now()
        with self._lock:
            if self._waiting.get(key, now) > now:
                return False
            self._waiting.pop(key, None)
            self._waiting[key] = now + wait
            while len(self._waiting) > MOST:
                self._waiting.popitem(last=False)
        return True

    def sign_out(self, token: str, address: str = "") -> None:
        """End a session."""
        with self._lock:
            found = self._open.pop(_hash(token), None)
        if found is not None:
            signins.keep(self._people, found.code, "out", "password", signins.network_of(address))

    def end(self, code: str) -> None:
        """End every session of a staff code, as when its password is another one."""
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if one.code != code}

    def person(self, token: str) -> Person:
        """
        Whose token it is.

        Raises
        ------
        RefusedHere
            It is nobody's, or no longer.
        """
        with self._lock:
            found = self._open.get(_hash(token))
        if found is None or found.until <= self._now():
            raise RefusedHere("sign-in", headers={"WWW-Authenticate": "Bearer"})
        role = staff.role_of(self._people, found.code)
        if role is None:
            raise RefusedHere("sign-in", headers={"WWW-Authenticate": "Bearer"})
        return Person(found.code, partial(staff.may, role))

    def gate(self) -> Gate:
        """The gate that lets those in who have a session."""

        def gate(
            request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
        ) -> Person:
            if credentials is None:
                raise RefusedHere("sign-in", headers={"WWW-Authenticate": "Bearer"})
            return self.person(credentials.credentials)

        return gate

    def router(self) -> APIRouter:
        """``POST /sessions`` and ``DELETE /sessions``."""
        router = APIRouter(prefix="/sessions", tags=["sessions"], route_class=OneShape, responses=documented(*_CODES))

        @router.post("", operation_id="sign-in", response_model=Session)
        def sign_in(asked: SignIn, request: Request) -> Session:
            """Sign in."""
            return self.sign_in(asked.staff, asked.password, address_of(request))

        @router.delete("", operation_id="sign-out", response_model=dict[str, Any])
        def sign_out(
            request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
        ) -> JSONResponse:
            """Sign out."""
            if credentials is not None:
                self.sign_out(credentials.credentials, address_of(request))
            return JSONResponse({})

        return router


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
