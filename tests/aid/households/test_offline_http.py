"""A desk takes a lease along over HTTP and brings its journal back; cards are enrolled and replaced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from nearer.aid.api.sessions import Sessions
from nearer.aid.households import staff
from nearer.aid.households.cards import card_hash, leased_hash, new_token
from nearer.aid.households.store import Households
from nearer.aid.offline.document import LeaseDocument
from nearer.aid.offline.journal import OfflineDesk

from ..api.test_api import told
from ..server import served
from ..town import START, Desk, Ticking
from .test_http import WORDS, Server, Steady

UNTIL = (START + timedelta(hours=8)).isoformat()


class Hand:
    """One member of staff, signed in."""

    def __init__(self, server: Server, code: str) -> None:
        self.client = server.client
        self.headers = server.as_(code)

    def post(self, path: str, body: Any, key: str | None = None, **query: str) -> httpx.Response:
        headers = self.headers if key is None else {**self.headers, "Idempotency-Key": key}
        return self.client.post(path, json=body, headers=headers, params=query)

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(path, headers=self.headers, params=query).raise_for_status().json()


@pytest.fixture
def server(town: Desk, people: Households) -> Iterator[Server]:
    """A coordinator, a desk, somebody for the stock and a viewer work here."""
    for code, role in (("boss-1", "coordinator"), ("desk-1", "desk"), ("stock-1", "stock"), ("view-1", "viewer")):
        staff.add(people, code, role, WORDS)
    sessions = Sessions(people, Steady())
    with (
        served(town.store, sessions.gate(), people, sessions) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield Server(client, Steady())


def lease(**more: Any) -> dict[str, Any]:
    goods = [{"item": "rice", "quantity": 9, "unit": "kg"}]
    return {"site": "north", "programme": "basics", "period": "march", "until": UNTIL, "lines": goods, **more}


def enrolled(hand: Hand, key: str, size: int = 4) -> str:
    body = {"size": size, "home": "north", "language": "pt"}
    return str(hand.post("/cards/enrol", body, key).raise_for_status().json()["card"])


def test_a_desk_takes_its_lease_over_http_and_brings_its_journal_back(
    server: Server, town: Desk, tmp_path: Path, clock: Ticking
) -> None:
    desk, boss = Hand(server, "desk-1"), Hand(server, "boss-1")
    cards = [enrolled(desk, f"enrol-00000{n}") for n in range(3)]
    answer = desk.post("/leases", lease(), "lease-000001", desk="north-1").raise_for_status().json()
    document = LeaseDocument.model_validate(answer["document"])
    marks = {leased_hash(bytes.fromhex(document.salt), card_hash(card)) for card in cards}
    assert {claim.mark for claim in document.claims} == marks
    assert not any(card in str(answer) or card_hash(card) in str(answer) for card in cards)
    # A lost answer is had again, with the same goods and households under another salt.
    again = desk.post("/leases", lease(), "lease-000001", desk="north-1").raise_for_status().json()
    assert again["document"]["lease"] == document.lease
    assert again["document"]["stock"] == answer["document"]["stock"]
    assert sorted(c["claim"] for c in again["document"]["claims"]) == [1, 2, 3]
    assert again["document"]["salt"] != document.salt
    told(desk.post("/leases", lease(lines=[]), "lease-000001", desk="north-1"), 409, "id-taken")
    # Another desk gets whom this one has not.
    late = enrolled(desk, "enrol-000009")
    other = desk.post("/leases", lease(lines=[]), "lease-000002", desk="north-2").raise_for_status().json()
    assert (len(other["document"]["claims"]), other["left_out"]) == (1, 3)
    page = desk.get("/leases")
    assert [(row["desk"], row["state"], row["claims"]) for row in page["rows"]] == [
        ("north-1", "away", 3),
        ("north-2", "away", 1),
    ]
    assert page["most_extra"] == 2
    look = boss.post("/cards/look", {"card": cards[0], "site": "north", "programme": "basics"}).json()
    assert not look["may"]
    OfflineDesk.begin(tmp_path / "away", document)
    with OfflineDesk(tmp_path / "away", now=clock) as away:
        for number, card in enumerate(cards):
            away.hand_over(card_hash(card), {"rice": 1_000 + number}, by="desk-1")
        away.hand_over(card_hash(late), {"rice": 500}, by="desk-1", size=4, emergency=True)
        message = away.message()
        assert message is not None
        parts = [message["entries"][2:], message["entries"][:2], message["entries"]]
        for entries in parts:
            answer = desk.post("/journals", {**message, "entries": entries}).raise_for_status().json()
            away.confirmed(answer)
        assert away.message() is None
    assert len({row["transaction"] for row in answer["kept"]}) == 4
    (conflict,) = desk.get("/conflicts")["rows"]
    assert (conflict["kind"], conflict["lease"]) == ("unleased", document.lease)
    resolve = {"conflict": conflict["conflict"], "reason": "emergency"}
    told(desk.post("/commands/resolve", resolve, "resolve-0001"), 403, "not-yours")
    assert boss.post("/commands/resolve", resolve, "resolve-0001").status_code == 200
    assert desk.get("/conflicts")["rows"] == []
    assert desk.get("/conflicts", all="true", limit="1")["rows"][0]["resolved"] == "emergency"
    ended = desk.post("/commands/end-lease", {"lease": document.lease}, "end-00000001").raise_for_status().json()
    assert sum(line["quantity"] for line in ended["lines"]) == 9_000 - 3_003 - 500
    assert desk.get("/leases")["most_extra"] == 1
    first = desk.get("/leases", all="true", limit="1")
    second = desk.get("/leases", all="true", limit="1", cursor=first["next"])
    assert [page["rows"][0]["state"] for page in (first, second)] == ["returned", "away"]
    assert second["next"] is None
    town.proven()


def test_an_entry_that_cannot_be_read_keeps_no_other_out_and_another_ledgers_journal_is_refused(
    server: Server, tmp_path: Path, clock: Ticking
) -> None:
    desk = Hand(server, "desk-1")
    card = enrolled(desk, "enrol-000001")
    document = desk.post("/leases", lease(cards=[card]), "lease-000001").raise_for_status().json()["document"]
    OfflineDesk.begin(tmp_path / "away", LeaseDocument.model_validate(document))
    with OfflineDesk(tmp_path / "away", now=clock) as away:
        away.hand_over(card_hash(card), {"rice": 1_000}, by="desk-1")
        message = away.message()
    assert message is not None
    answer = desk.post("/journals", {**message, "entries": [{"id": "nonsense-1"}, *message["entries"]]}).json()
    assert ([row["id"] for row in answer["refused"]], len(answer["kept"])) == (["nonsense-1"], 1)
    told(desk.post("/journals", {**message, "ledger": "another"}), 422, "invalid")
    told(desk.post("/journals", {**message, "version": 2}), 422, "invalid")
    told(desk.post("/leases", lease(cards=[new_token()]), "lease-000002", desk="north-2"), 422, "invalid")
    told(desk.post("/leases", lease(cards=[], lines=[]), "lease-000004", desk="north-2"), 409, "refused")
    told(desk.post("/leases", lease(period="never"), "lease-000003", desk="north-2"), 404, "unknown")
    for path, body in (("/leases", lease()), ("/journals", message), ("/cards/enrol", {"size": 1, "home": "north"})):
        for code in ("view-1", "stock-1"):
            told(Hand(server, code).post(path, body, "key-00000001"), 403, "not-yours")
    told(server.client.get("/conflicts", headers=server.as_("view-1")), 403, "not-yours")


def test_a_household_is_enrolled_once_by_one_key_and_its_card_replaced_and_blocked(
    server: Server, people: Households
) -> None:
    desk = Hand(server, "desk-1")
    body = {"size": 3, "home": "north", "language": "pt", "needs": ["infant"], "pin": "4711"}
    first = desk.post("/cards/enrol", body, "enrol-000001").raise_for_status().json()
    assert desk.post("/cards/enrol", body, "enrol-000001").json() == first
    told(desk.post("/cards/enrol", {**body, "size": 4}, "enrol-000001"), 409, "id-taken")
    other = desk.post("/cards/enrol", body, "enrol-000002").json()
    assert (other["card"], other["household"]) != (first["card"], first["household"])
    printed = new_token()
    assert desk.post("/cards/enrol", {**body, "card": printed}, "enrol-000003").json()["card"] == printed
    assert desk.post("/cards/enrol", {**body, "card": printed}, "enrol-000003").status_code == 200
    told(desk.post("/cards/enrol", {**body, "card": printed}, "enrol-000004"), 409, "refused")
    told(desk.post("/cards/enrol", {**body, "home": "nowhere"}, "enrol-000005"), 404, "unknown")
    with people.reading() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM households").scalar() == 3
    # The card is lost; the number on the slip at home gets another, once, and the lost one is good for nothing.
    lost = {"card": first["household"]}
    new = desk.post("/cards/replace", lost, "replace-0001").json()["card"]
    assert desk.post("/cards/replace", lost, "replace-0001").json()["card"] == new != first["card"]
    asked = {"site": "north", "programme": "basics"}
    told(desk.post("/cards/look", {**asked, "card": first["card"]}), 409, "refused")
    assert desk.post("/cards/look", {**asked, "card": new}).json()["has_pin"]
    shown = desk.post("/cards/change", {"card": new, "size": 5, "needs": []}).json()
    assert (shown["size"], shown["needs"], shown["language"]) == (5, [], "pt")
    assert sorted(card["state"] for card in shown["cards"]) == ["active", "replaced"]
    assert desk.post("/cards/block", {"card": new}).json() == {"blocked": 1}
    assert desk.post("/cards/block", {"card": new}).json() == {"blocked": 0}
    told(desk.post("/cards/show", {"card": new_token()}), 404, "unknown")
    told(desk.post("/cards/show", {"card": "no card"}), 409, "refused")
