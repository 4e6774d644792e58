"""Staff sign in over HTTP and do what their role may; a card is looked at and served, and its token stays with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from nearer.aid.api.sessions import LASTS_S, Sessions
from nearer.aid.households import book as b
from nearer.aid.households import staff
from nearer.aid.households.store import Households

from ..api.test_api import post, told
from ..server import served
from ..town import Desk, tag

WORDS = "four plain words here"


@dataclass
class Steady:
    """Seconds that pass when told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Server:
    """A desk's server with staff, and what it is asked through."""

    client: httpx.Client
    seconds: Steady

    def sign_in(self, code: str, password: str = WORDS) -> httpx.Response:
        return self.client.post("/sessions", json={"staff": code, "password": password})

    def as_(self, code: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.sign_in(code).raise_for_status().json()['token']}"}


@pytest.fixture
def server(town: Desk, people: Households) -> Iterator[Server]:
    """A coordinator, a desk and a viewer work here."""
    for code, role in (("boss-1", "coordinator"), ("desk-1", "desk"), ("view-1", "viewer")):
        staff.add(people, code, role, WORDS)
    seconds = Steady()
    sessions = Sessions(people, seconds)
    with (
        served(town.store, sessions.gate(), people, sessions) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield Server(client, seconds)


def test_nobody_does_anything_without_signing_in(server: Server) -> None:
    told(server.client.get("/balances"), 401, "sign-in")
    told(post(server.client, "expire", {"site": "hub"}), 401, "sign-in")
    told(server.client.get("/head", headers={"Authorization": "Bearer nobody"}), 401, "sign-in")
    told(server.client.post("/cards/look", json={"card": "x", "site": "hub", "programme": "basics"}), 401, "sign-in")
    told(server.sign_in("boss-1", "not the right words"), 401, "sign-in")
    assert server.sign_in("nobody-1").json() == server.sign_in("boss-1", "not the right words").json()
    assert server.client.get("/head", headers=server.as_("view-1")).status_code == 200


def test_each_role_does_what_it_may_in_its_own_name(server: Server) -> None:
    view, desk, boss = (server.as_(code) for code in ("view-1", "desk-1", "boss-1"))
    for who, status in ((view, 403), (desk, 403), (boss, 200)):
        got = server.client.post(
            "/commands/add-party", json={"party": "g-1"}, headers={**who, "Idempotency-Key": "party-000001"}
        )
        assert got.status_code == status
    assert server.client.get("/transactions/party-000001", headers=view).json()["actor"] == "boss-1"
    # Who is at the desk serves cards, not tags.
    body = {"site": "north", "programme": "basics", "tag": tag(1), "size": 1}
    body |= {"lines": [{"item": "rice", "quantity": 1}]}
    headers = {**desk, "Idempotency-Key": "by-tag-00001"}
    told(server.client.post("/commands/hand-over", json=body, headers=headers), 403, "not-yours")


def test_a_session_ends_by_itself_by_signing_out_and_with_the_staff_code(server: Server, people: Households) -> None:
    first, second, third = (server.as_("view-1") for _ in range(3))
    assert server.client.delete("/sessions", headers=first).status_code == 200
    told(server.client.get("/head", headers=first), 401, "sign-in")
    assert server.client.get("/head", headers=second).status_code == 200
    server.seconds.now += LASTS_S
    told(server.client.get("/head", headers=second), 401, "sign-in")
    third = server.as_("view-1")
    staff.change(people, "view-1", disabled=True)
    told(server.client.get("/head", headers=third), 401, "sign-in")


def test_passwords_cannot_be_tried_without_end_and_nobody_else_is_kept_out(server: Server) -> None:
    assert server.sign_in("boss-1").status_code == 200
    for _ in range(5):
        told(server.sign_in("desk-1", "not the right words"), 401, "sign-in")
    answer = server.sign_in("desk-1")
    told(answer, 429, "too-often")
    assert server.sign_in("boss-1").status_code == 200
    server.seconds.now += int(answer.headers["Retry-After"])
    assert server.sign_in("desk-1").status_code == 200


def test_a_card_is_looked_at_and_served_once_and_its_token_is_told_nowhere(
    server: Server, town: Desk, people: Households
) -> None:
    town.give("north", item="rice", quantity=9_000)
    card = b.enrol(people, size=4, home="north", language="pt", by="desk-1")[1]
    desk = server.as_("desk-1")
    asked = {"card": card, "site": "north", "programme": "basics"}
    look = server.client.post("/cards/look", json=asked, headers=desk).json()
    assert (look["may"], look["period"]) == (True, "march")
    assert [row["left"] for row in look["shares"] if row["item"] == "rice"] == [5_000]
    body = {**asked, "lines": [{"item": "rice", "quantity": 3, "unit": "kg"}]}
    headers = {**desk, "Idempotency-Key": "card-0000001"}
    given = [server.client.post("/cards/hand-over", json=body, headers=headers) for _ in range(2)]
    assert given[0].status_code == given[1].status_code == 200
    assert given[0].json() == given[1].json()
    assert given[0].json()["left"]["rice"] == 2_000
    headers = {**desk, "Idempotency-Key": "card-0000002"}
    told(server.client.post("/cards/hand-over", json=body, headers=headers), 409, "claim")
    told(server.client.post("/cards/look", json={**asked, "card": "no card"}, headers=desk), 409, "refused")
    told(server.client.post("/cards/look", json=asked, headers=server.as_("view-1")), 403, "not-yours")
    assert card not in "".join(answer.text for answer in given)
    town.proven()
