"""
Signing in with another organisation's account (OpenID Connect, authorization code with PKCE).

The other side says who it is and to which groups they belong; which of these is which role here is said when the server
is started. Whoever comes this way gets a staff code without a password; nobody becomes somebody who has one.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from nearer.aid.commands import CODE
from nearer.aid.households.tables import ROLES
from nearer.errors import UsageError
from nearer.serve.elsewhere import WAITS_S, NotIn

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""Signatures that are believed: none that a client's secret could make, and never "none"."""

MOST_WAITING = 1_000
CLOCKS_DIFFER_S = 60
FRESH_S = 60
"""Keys are not asked for again sooner than this."""

_SCOPES = "openid profile"
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Settings:
    """
    Whom to ask, and who is what here.

    Parameters
    ----------
    issuer
        Address of the other side, as it names itself.
    client, secret
        How this server is known there; a public client has no secret.
    roles
        Value of the claim → role here; of several the one that stands first.
    claim
        Name of the claim that has the values; with dots where it lies deeper.
    code
        Claim that has the staff code; without one a code is made of the account's own number, which names nobody.
    """

    issuer: str
    client: str
    secret: str | None
    roles: Mapping[str, str]
    claim: str = "groups"
    code: str | None = None


@dataclass(frozen=True)
class Account:
    """
    Somebody the other side vouches for.

    Parameters
    ----------
    code, role
        Here.
    mark
        Stands for the account, and tells nothing of it.
    """

    code: str
    role: str
    mark: str


@dataclass(frozen=True)
class _Waiting:
    state: str
    nonce: str
    verifier: str
    back: str
    until: float


def settings_from(
    issuer: str | None,
    client: str | None,
    secret: str | None,
    roles: list[str],
    claim: str | None,
    code: str | None,
) -> Settings | None:
    """
    Settings from the command line; None where nothing is said of it.

    Raises
    ------
    UsageError
        Something is missing or is not what it must be.
    """
    if not any((issuer, client, roles, claim, code)):
        return None
    if not issuer or not client or not roles:
        raise UsageError(
            "To sign in with another organisation's accounts give all of --oidc-issuer, --oidc-client and at least one "
            "--oidc-role VALUE=ROLE."
        )
    _need_safe(issuer, "--oidc-issuer")
    found: dict[str, str] = {}
    for text in roles:
        value, equals, role = text.rpartition("=")
        if not equals or not value or role not in ROLES:
            raise UsageError(f"{text!r} is no role of a claim's value; write VALUE=ROLE, with {', '.join(ROLES)}.")
        found[value] = role
    return Settings(issuer, client, secret or None, found, claim or "groups", code)


@dataclass
class Provider:
    """
    The other side, as it described itself when the server started.

    Parameters
    ----------
    settings
        Whom to ask, and who is what here.
    now
        Seconds that pass steadily; tests give their own.
    """

    settings: Settings
    now: Callable[[], float] = time.monotonic
    _told: dict[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None
    _asked_keys: float = -1e9
    _waiting: OrderedDict[str, _Waiting] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """
        Ask the other side what it is.

        Raises
        ------
        UsageError
            It does not answer, or is another one.
        """
        address = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            told = httpx.get(address, timeout=10).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise UsageError(f"{address} gives no description of the accounts there: {error}.") from error
        if not isinstance(told, dict) or told.get("issuer") != self.settings.issuer:
            named = told.get("issuer") if isinstance(told, dict) else None
            raise UsageError(f"{address} says that it is {named!r}; give just that as --oidc-issuer.")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(told.get(name), str):
                raise UsageError(f"{address} names no {name}.")
            _need_safe(told[name], f"The {name} of {self.settings.issuer}")
        self._told = told

    def begin(self, back: str) -> tuple[str, str]:
        """
        Somebody goes to the other side.

        Parameters
        ----------
        back
            Where they are sent afterwards.

        Returns
        -------
        ticket, address
            What their browser keeps meanwhile, and where it goes.
        """
        ticket, state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        with self._lock:
            self._waiting[ticket] = _Waiting(state, nonce, verifier, back, self.now() + WAITS_S)
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popitem(last=False)
        asked = {
            "response_type": "code",
            "client_id": self.settings.client,
            "redirect_uri": back,
            "scope": _SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": _plain(sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        there = str(self._told["authorization_endpoint"])
        return ticket, f"{there}{'&' if urlsplit(there).query else '?'}{urlencode(asked)}"

    def end(self, ticket: str, state: str, code: str | None) -> Account:
        """
        Somebody comes back.

        Parameters
        ----------
        ticket
            What their browser has kept; it is good once.
        state, code
            What the other side sent along; no code where it let nobody in.

        Raises
        ------
        NotIn
            They are not who they were, took too long, have no role here, or the other side does not vouch for them.
        """
        with self._lock:
            waiting = self._waiting.pop(ticket, None)
        if waiting is None or waiting.until <= self.now() or not hmac.compare_digest(waiting.state, state):
            raise NotIn("expired")
        if code is None:
            raise NotIn("refused")
        claims = self._claims(self._token(code, waiting), waiting.nonce)
        return self._account(claims)

    def _token(self, code: str, waiting: _Waiting) -> str:
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": waiting.back,
            "code_verifier": waiting.verifier,
            "client_id": self.settings.client,
        }
        auth = None if self.settings.secret is None else httpx.BasicAuth(self.settings.client, self.settings.secret)
        try:
            answer = httpx.post(str(self._told["token_endpoint"]), data=sent, auth=auth, timeout=10)
            token = answer.raise_for_status().json().get("id_token")
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            raise NotIn("failed") from error
        if not isinstance(token, str):
            raise NotIn("failed")
        return token

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """What a token says, if the other side has signed it, now, for this server and this sign-in."""
        rules = jwt.JWTClaimsRegistry(
            leeway=CLOCKS_DIFFER_S,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        for fresh in (False, True):
            try:
                claims = jwt.decode(token, self._key_set(fresh), algorithms=ALGORITHMS).claims
                rules.validate(claims)
            except (JoseError, ValueError) as error:
                if fresh:
                    raise NotIn("failed") from error
                continue  # its keys may have been changed
            audience = claims["aud"]
            several = isinstance(audience, list) and len(audience) > 1
            if (several or "azp" in claims) and claims.get("azp") != self.settings.client:
                raise NotIn("failed")
            return dict(claims)
        raise AssertionError

    def _key_set(self, fresh: bool) -> KeySet:
        if self._keys is None or (fresh and self.now() - self._asked_keys > FRESH_S):
            self._asked_keys = self.now()
            try:
                told = httpx.get(str(self._told["jwks_uri"]), timeout=10).raise_for_status().json()
                self._keys = KeySet.import_key_set(told)
            except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
                raise NotIn("failed") from error
        return self._keys

    def _account(self, claims: Mapping[str, Any]) -> Account:
        values: Any = claims
        for part in self.settings.claim.split("."):
            values = values.get(part) if isinstance(values, Mapping) else None
        there = {values} if isinstance(values, str) else set(values) if isinstance(values, list) else set()
        role = next((role for value, role in self.settings.roles.items() if value in there), None)
        if role is None:
            raise NotIn("no-role")
        mark = sha256(f"{self.settings.issuer}\n{claims['sub']}".encode()).hexdigest()
        code = f"o-{mark[:10]}" if self.settings.code is None else claims.get(self.settings.code)
        if not isinstance(code, str) or re.fullmatch(CODE, code) is None:
            raise NotIn("no-code")
        return Account(code, role, mark)


def _need_safe(address: str, what: str) -> None:
    """What is asked over a network is asked over TLS."""
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL):
        return
    raise UsageError(f"{what} is {address!r}; it must begin with https://.")


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
