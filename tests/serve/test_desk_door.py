"""Who comes in at the desk: sessions in a cookie, changes from our own pages alone, certificates of one's own."""

from __future__ import annotations

import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import argon2
import httpx
import pytest

from nearer.aid.households import staff
from nearer.errors import UsageError
from nearer.serve.app import create_app
from nearer.serve.certificates import certified
from nearer.serve.desk import COOKIE, CSRF, Desk
from nearer.serve.running import Ledger, run_server

from .conftest import served
from .desks import WORDS, make_ledger


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(staff, "_HASHER", quick)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledger")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        make_ledger(str(folder / "aid.db"), str(folder / "aid-households.db"), folder / "aid-keys", cards=0)
    return folder / "aid.db"


@pytest.fixture
def client(ledger: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """At a server that others can reach."""
    app = create_app(tmp_path, desk=Desk(str(ledger), by="desk"), signed=True)
    with served(app) as address, httpx.Client(base_url=address, timeout=30) as found:
        yield found


def sign_in(client: httpx.Client, code: str) -> dict[str, str]:
    """The header that the page sends with a change from then on."""
    answer = client.post("/api/aid/session", json={"staff": code, "password": WORDS}).raise_for_status()
    return {CSRF: answer.json()["mark"]}


def test_a_session_lives_in_a_cookie_that_no_script_reads_and_no_other_site_sends(client: httpx.Client) -> None:
    assert client.get("/api/aid/session").json()["staff"] is None
    assert client.get("/api/aid/head").status_code == 401
    answer = client.post("/api/aid/session", json={"staff": "desk-1", "password": WORDS})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert client.cookies[COOKIE] not in answer.text
    assert client.get("/api/aid/session").json()["role"] == "desk"
    assert "look" in client.get("/api/aid/session").json()["may"]
    assert client.get("/api/aid/head").status_code == 200


def test_a_change_needs_the_mark_of_the_page(client: httpx.Client) -> None:
    mark = sign_in(client, "boss-1")
    body, key = {"party": "g-1"}, {"Idempotency-Key": "party-000001"}
    assert client.post("/api/aid/commands/add-party", json=body, headers=key).status_code == 401
    wrong = key | {CSRF: "0" * 64}
    assert client.post("/api/aid/commands/add-party", json=body, headers=wrong).status_code == 401
    elsewhere = key | mark | {"Origin": "http://elsewhere.example"}
    assert client.post("/api/aid/commands/add-party", json=body, headers=elsewhere).status_code == 403
    assert client.post("/api/aid/commands/add-party", json=body, headers=key | mark).status_code == 200
    assert client.delete("/api/aid/session").status_code == 401
    assert client.delete("/api/aid/session", headers=mark).status_code == 200
    assert client.get("/api/aid/head").status_code == 401


def test_where_others_can_reach_the_server_studies_are_for_who_signed_in(client: httpx.Client) -> None:
    assert client.get("/api/about").status_code == 200
    assert client.get("/api/studies").status_code == 401
    mark = sign_in(client, "view-1")
    assert client.get("/api/studies").status_code == 200
    assert client.post("/api/studies", json={"name": "Own"}, headers=mark).status_code == 403
    sign_in(client, "boss-1")
    assert client.post("/api/studies", json={"name": "Own"}).status_code not in (401, 403)


def test_others_are_let_in_only_with_accounts_and_tls(ledger: Path, tmp_path: Path) -> None:
    for place, tls in ((None, True), (ledger, False)):
        with pytest.raises(UsageError, match="accounts"):
            run_server(
                tmp_path,
                host="0.0.0.0",
                port=0,
                workers=1,
                open_page=False,
                ledger=None if place is None else Ledger(str(place), "desk"),
                tls=tls,
                say=print,
                note=print,
            )


def test_a_certificate_of_ones_own_is_trusted_by_who_has_it_and_kept(tmp_path: Path) -> None:
    first = certified(tmp_path, "127.0.0.1")
    again = certified(tmp_path, "127.0.0.1")
    assert again.chain.read_bytes() == first.chain.read_bytes()
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    authority = first.authority.read_bytes()
    wider = certified(tmp_path, "192.168.7.9")
    assert "192.168.7.9" in wider.names
    assert wider.authority.read_bytes() == authority, "devices need not be told anew"
    context = ssl.create_default_context(cafile=str(wider.authority))
    with served(create_app(tmp_path), ssl_certfile=str(wider.chain), ssl_keyfile=str(wider.key)) as address:
        secure = address.replace("http:", "https:")
        assert httpx.get(f"{secure}/api/about", verify=context, timeout=30).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
            httpx.get(f"{secure}/api/about", timeout=30)
    public = certified(tmp_path, "203.0.113.5")
    assert public.authority.read_bytes() != authority, "the old one could not vouch for an address that is not local"
