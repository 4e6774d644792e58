"""Signing in with another organisation's account, at a small provider that signs real tokens."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

from nearer.aid.households import signins, staff
from nearer.aid.households.store import Households
from nearer.errors import UsageError
from nearer.serve.app import STATIC, create_app
from nearer.serve.desk import COOKIE, TICKET, Desk
from nearer.serve.oidc import Provider, Settings, settings_from
from nearer.serve.running import Ledger, run_server

from .conftest import served
from .desks import make_ledger
from .test_desk_browser import quick_hashing

__all__ = ["quick_hashing"]

CLIENT, SECRET = "aid-desk", "a secret between servers"


@dataclass
class There:
    """The other side: who signs in there, and what is wrong with its tokens."""

    app: FastAPI = field(default_factory=FastAPI)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    account: dict[str, Any] = field(default_factory=lambda: {"sub": "248289761001", "groups": ["volunteers", "aid"]})
    spoil: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    sign: Callable[[dict[str, Any]], str] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        app = self.app

        @app.get("/.well-known/openid-configuration")
        def about(request: Request) -> dict[str, str]:
            root = f"http://{request.headers['host']}"
            return {
                "issuer": root,
                "authorization_endpoint": f"{root}/authorize",
                "token_endpoint": f"{root}/token",
                "jwks_uri": f"{root}/keys",
            }

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            return {"keys": [self.key.as_dict(private=False)]}

        @app.get("/authorize")
        def authorize(request: Request) -> HTMLResponse:
            query = dict(request.query_params)
            assert query["response_type"] == "code"
            assert query["client_id"] == CLIENT
            assert query["code_challenge_method"] == "S256"
            inside = "".join(f'<input type="hidden" name="{k}" value="{v}">' for k, v in query.items())
            return HTMLResponse(f'<form method="post" action="/authorize">{inside}<button>That is me</button></form>')

        @app.post("/authorize")
        async def authorized(request: Request) -> RedirectResponse:
            query = {name: str(value) for name, value in (await request.form()).items()}
            code = secrets.token_urlsafe(8)
            self.codes[code] = query
            back = urlencode({"code": code, "state": query["state"]})
            return RedirectResponse(f"{query['redirect_uri']}?{back}", 303)

        @app.post("/token")
        def token(
            request: Request, code: str = Form(), redirect_uri: str = Form(), code_verifier: str = Form()
        ) -> JSONResponse:
            asked = self.codes.pop(code)
            basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            challenge = base64.urlsafe_b64encode(sha256(code_verifier.encode()).digest()).decode().rstrip("=")
            right = challenge == asked["code_challenge"] and redirect_uri == asked["redirect_uri"]
            if not right or request.headers.get("authorization") != f"Basic {basic}":
                return JSONResponse({"error": "invalid_grant"}, 400)
            now = int(time.time())
            claims = {"iss": f"http://{request.headers['host']}", "aud": CLIENT, "iat": now, "exp": now + 300}
            claims = self.spoil({**claims, "nonce": asked["nonce"], **self.account})
            if self.sign is not None:
                return JSONResponse({"id_token": self.sign(claims)})
            return JSONResponse({"id_token": jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)})


@dataclass
class Two:
    """The desk's server and the other side, under two names, so that they are two sites."""

    desk: str
    there: There
    issuer: str
    people: Callable[[], Households]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    ledger, households, keys = str(tmp_path / "aid.db"), str(tmp_path / "aid-households.db"), tmp_path / "aid-keys"
    make_ledger(ledger, households, keys, cards=0)
    there = There()
    with served(there.app) as address:
        issuer = address.replace("127.0.0.1", "localhost")
        roles = {"coordination": "coordinator", "aid": "desk"}
        provider = Provider(Settings(issuer, CLIENT, SECRET, roles))
        desk = Desk(ledger, by="desk", oidc=provider)
        with served(create_app(tmp_path / "studies", desk=desk)) as found:
            yield Two(found, there, issuer, lambda: Households(households, keys))


def go_through(two: Two, client: httpx.Client) -> httpx.Response:
    """Begin at the desk, say yes on the other side, come back; what the desk answers at last."""
    there = client.get("/api/aid/oidc/begin").headers["location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    back = httpx.post(f"{two.issuer}/authorize", data=query).headers["location"]
    return client.get(back)


@pytest.fixture
def client(two: Two) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=two.desk, timeout=30) as found:
        yield found


def test_an_account_of_the_other_side_has_the_role_that_its_claim_says(two: Two, client: httpx.Client) -> None:
    cookie = client.get("/api/aid/oidc/begin").headers["set-cookie"]
    assert all(part in cookie for part in (TICKET, "HttpOnly", "SameSite=lax", "Path=/api/aid/oidc"))
    answer = go_through(two, client)
    assert answer.headers["location"] == "/aid"
    assert "SameSite=strict" in answer.headers.get_list("set-cookie")[0]
    told = client.get("/api/aid/session").json()
    assert told["role"] == "desk"
    assert told["staff"].startswith("o-"), "a code that names nobody"
    assert client.get("/api/aid/head").status_code == 200
    two.there.account["groups"] = ["coordination"]
    go_through(two, client)
    again = client.get("/api/aid/session").json()
    assert (again["staff"], again["role"]) == (told["staff"], "coordinator")
    with two.people() as people:
        assert [row["way"] for row in signins.newest(people, 2)] == ["oidc", "oidc"]
        staff.change(people, told["staff"], disabled=True)
    assert client.get("/api/aid/head").status_code == 401
    assert go_through(two, client).headers["location"] == "/aid?not-in=not-here"


def test_nobody_becomes_somebody_who_has_a_password(two: Two, tmp_path: Path) -> None:
    with two.people() as people, pytest.raises(Exception, match="somebody else's"):
        staff.vouched(people, "boss-1", "coordinator", "0" * 64)


def test_an_account_without_a_role_or_a_code_is_not_let_in(two: Two, client: httpx.Client) -> None:
    for groups in ([], "other", None, {"aid": True}):
        two.there.account["groups"] = groups
        assert go_through(two, client).headers["location"] == "/aid?not-in=no-role"
    two.there.account |= {"groups": ["aid"], "preferred_username": "Jo Bloggs"}
    named = Provider(Settings(two.issuer, CLIENT, SECRET, {"aid": "desk"}, code="preferred_username"))
    assert named.settings.code == "preferred_username"
    with pytest.raises(Exception, match="no-code"):
        named._account(two.there.account)
    assert COOKIE not in client.cookies


def spoiled(**more: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {key: value for key, value in {**claims, **more}.items() if value is not None}


@pytest.mark.parametrize(
    "spoil",
    [
        spoiled(nonce="of another sign-in"),
        spoiled(nonce=None),
        spoiled(aud="another-client"),
        spoiled(aud=[CLIENT, "another"]),
        spoiled(azp="another"),
        spoiled(iss="http://localhost:1"),
        spoiled(exp=int(time.time()) - 3600),
        spoiled(exp=None),
        spoiled(sub=None),
    ],
    ids=["nonce", "no-nonce", "audience", "audiences", "azp", "issuer", "old", "no-end", "no-account"],
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(two: Two, client: httpx.Client, spoil: Any) -> None:
    two.there.spoil = spoil
    assert go_through(two, client).headers["location"] == "/aid?not-in=failed"
    assert client.get("/api/aid/head").status_code == 401


def by_secret(claims: dict[str, Any], secret: bytes) -> str:
    """A token whose signature is made with what everybody knows: the public key, taken for a secret."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
             for part in ({"alg": "HS256", "kid": "one"}, claims)]  # fmt: skip
    signed = ".".join(parts)
    made = hmac.new(secret, signed.encode(), sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


def test_a_token_that_the_other_side_did_not_sign_is_refused_and_new_keys_are_fetched(
    two: Two, client: httpx.Client
) -> None:
    known = two.there.key
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    for sign in (
        lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, stranger),
        lambda claims: by_secret(claims, known.as_pem(private=False)),
        lambda claims: "eyJhbGciOiJub25lIn0.e30.",  # {"alg":"none"}
        lambda claims: "no token",
    ):
        two.there.sign = sign
        assert go_through(two, client).headers["location"] == "/aid?not-in=failed"
    two.there.sign = None
    assert go_through(two, client).headers["location"] == "/aid"


def test_a_visit_that_did_not_begin_here_leads_nowhere(two: Two, client: httpx.Client) -> None:
    """Somebody else's link that would sign a victim in as the attacker; a ticket is good once."""
    there = client.get("/api/aid/oidc/begin").headers["location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    back = httpx.post(f"{two.issuer}/authorize", data=query).headers["location"]
    with httpx.Client(base_url=two.desk, timeout=30) as victim:
        assert victim.get(back).headers["location"] == "/aid?not-in=expired"
        victim.get("/api/aid/oidc/begin")  # a ticket of one's own does not fit another's state
        assert victim.get(back).headers["location"] == "/aid?not-in=expired"
    assert client.get(back).headers["location"] == "/aid"
    assert client.get(back).headers["location"] == "/aid?not-in=expired"
    denied = client.get("/api/aid/oidc/begin").headers["location"]
    state = parse_qs(urlsplit(denied).query)["state"][0]
    answer = client.get("/api/aid/oidc/back", params={"error": "access_denied", "state": state})
    assert answer.headers["location"] == "/aid?not-in=refused"


def test_it_refuses_to_start_half_configured(two: Two, tmp_path: Path) -> None:
    assert settings_from(None, None, None, [], None, None) is None
    for given in (
        (two.issuer, None, None, ["aid=desk"]),
        (None, CLIENT, None, ["aid=desk"]),
        (two.issuer, CLIENT, None, []),
        (two.issuer, CLIENT, None, ["aid=boss"]),
        ("http://accounts.example", CLIENT, None, ["aid=desk"]),
    ):
        with pytest.raises(UsageError):
            settings_from(*given, None, None)
    with pytest.raises(UsageError, match="gives no description"):
        Provider(Settings("http://localhost:1", CLIENT, None, {"aid": "desk"}))
    with pytest.raises(UsageError, match="says that it is"):
        Provider(Settings(two.issuer.replace("localhost", "127.0.0.1") + "/", CLIENT, None, {"aid": "desk"}))
    make_ledger(str(tmp_path / "b.db"), str(tmp_path / "b-households.db"), tmp_path / "b-keys", cards=0, staffed=False)
    with pytest.raises(UsageError, match="somebody of your own"):
        run_server(
            tmp_path, host="127.0.0.1", port=0, workers=1, open_page=False, say=print, note=print,
            ledger=Ledger(str(tmp_path / "b.db"), "desk", oidc=Settings(two.issuer, CLIENT, SECRET, {"aid": "desk"})),
        )  # fmt: skip


@pytest.mark.browser
def test_in_a_browser_one_goes_there_says_yes_and_is_at_the_desk(two: Two, chromium: Any) -> None:
    if not (STATIC / "aid.html").is_file():
        pytest.skip("the pages are not built: run `make web`")
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{two.desk}/aid")
    page.get_by_role("link", name="Sign in with another account").click()
    page.wait_for_url(f"{two.issuer}/**")
    page.get_by_role("button", name="That is me").click()
    page.get_by_role("navigation").wait_for()
    assert page.url.startswith(two.desk)
    two.there.account["groups"] = []
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in with another account").click()
    page.get_by_role("button", name="That is me").click()
    page.get_by_text("has no role here").wait_for()
    context.close()
