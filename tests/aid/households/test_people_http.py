"""Staff over HTTP: added, changed, let in no more, with passwords in no answer; old data deleted; cards to print."""

from __future__ import annotations

from datetime import timedelta

from nearer.aid.households import book as b
from nearer.aid.households import signins
from nearer.aid.households.store import Households

from ..api.test_api import told
from ..town import Desk, Ticking
from .test_http import WORDS, Server, server

__all__ = ["server"]

NEW = "five other plain words here"


def test_a_coordinator_adds_and_changes_staff_and_nobody_else(server: Server, people: Households) -> None:
    boss, desk = server.as_("boss-1"), server.as_("desk-1")
    new = {"staff": "stock-9", "role": "stock", "password": NEW}
    told(server.client.post("/staff", json=new, headers=desk), 403, "not-yours")
    answer = server.client.post("/staff", json=new, headers=boss).raise_for_status()
    assert {row["staff"]: row["role"] for row in answer.json()["rows"]}["stock-9"] == "stock"
    assert NEW not in answer.text
    assert "hash" not in answer.text
    told(server.client.post("/staff", json=new, headers=boss), 409, "refused")
    told(server.client.post("/staff", json={**new, "staff": "x-1", "password": "short"}, headers=boss), 422, "invalid")
    stock = {"Authorization": f"Bearer {server.sign_in('stock-9', NEW).json()['token']}"}
    change = {"staff": "stock-9", "password": WORDS}
    assert server.client.post("/staff/change", json=change, headers=boss).status_code == 200
    told(server.client.get("/head", headers=stock), 401, "sign-in")  # whoever had the old password is out
    assert server.sign_in("stock-9").status_code == 200
    gone = {"staff": "stock-9", "disabled": True}
    assert server.client.post("/staff/change", json=gone, headers=boss).status_code == 200
    assert server.sign_in("stock-9").status_code == 401
    told(server.client.post("/staff/change", json={"staff": "boss-1", "role": "desk"}, headers=boss), 409, "refused")
    told(server.client.get("/staff", headers=desk), 403, "not-yours")


def test_ones_own_password_needs_the_old_one_and_ends_the_sessions(server: Server) -> None:
    desk = server.as_("desk-1")
    for _ in range(2):
        wrong = {"password": NEW, "new": NEW}
        told(server.client.post("/staff/password", json=wrong, headers=desk), 401, "sign-in")
    right = {"password": WORDS, "new": NEW}
    assert server.client.post("/staff/password", json=right, headers=desk).status_code == 200
    told(server.client.get("/head", headers=desk), 401, "sign-in")
    assert server.sign_in("desk-1").status_code == 401
    assert server.sign_in("desk-1", NEW).status_code == 200


def test_what_is_no_longer_needed_is_deleted_by_a_coordinator(
    server: Server, people: Households, clock: Ticking
) -> None:
    signins.keep(people, "desk-1", "in", "password", "")
    clock.now += timedelta(days=91)
    told(server.client.post("/retain", json={}, headers=server.as_("desk-1")), 403, "not-yours")
    gone = server.client.post("/retain", json={}, headers=server.as_("boss-1")).raise_for_status().json()
    assert (gone["sign_ins"], gone["households"]) == (1, 0)


def test_a_card_that_was_lost_is_replaced_printed_and_refused_from_then_on(
    server: Server, town: Desk, people: Households
) -> None:
    household, card = b.enrol(people, size=4, home="north", language="pt", by="desk-1")
    desk = server.as_("desk-1")
    headers = {**desk, "Idempotency-Key": "replace-0001"}
    asked = {"card": household.number}
    new = server.client.post("/cards/replace", json=asked, headers=headers).raise_for_status().json()["card"]
    sheet = server.client.post("/labels/these", json={"cards": [new]}, headers=desk).raise_for_status()
    assert sheet.content.startswith(b"%PDF")
    assert sheet.headers["cache-control"] == "no-store"
    told(server.client.post("/labels/these", json={"cards": ["4J7K"]}, headers=desk), 409, "refused")
    at = {"site": "north", "programme": "basics"}
    told(server.client.post("/cards/look", json={"card": card, **at}, headers=desk), 409, "refused")
    assert server.client.post("/cards/look", json={"card": new, **at}, headers=desk).json()["may"]
