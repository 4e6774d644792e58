"""Over HTTP the desk does what it does by itself, pages lose nothing, and every fault has one shape."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest

from nearer.aid.api.errors import CODES
from nearer.aid.api.gate import Person
from nearer.aid.commands import COMMANDS
from nearer.aid.store import Store
from nearer.aid.views import LISTED, balances_of, listed, movements_of

from ..conftest import NewPlace
from ..server import served
from ..town import Desk, Ticking, every_command, tag

KEY = {"Idempotency-Key": "key-00000001"}


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    """A town's ledger."""
    with Store(place, clock=Ticking()) as store:
        yield store


@pytest.fixture
def client(store: Store) -> Iterator[httpx.Client]:
    """A client of the desk's server."""
    with served(store) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def post(client: httpx.Client, kind: str, body: Any, key: str = "key-00000001", **query: str) -> httpx.Response:
    return client.post(f"/commands/{kind}", json=body, headers={"Idempotency-Key": key}, params=query)


def told(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error of a response, which has the one shape and nothing else."""
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == code
    assert CODES[code][0] == status
    assert error["message"]
    assert error["remedy"].endswith(".")
    assert set(error) <= {"code", "message", "remedy", "text", "values", "field", "faults"}
    return error


def pages(client: httpx.Client, path: str, limit: int, **query: str) -> list[dict[str, Any]]:
    """All rows, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, params={"limit": str(limit), **query, **cursor}).raise_for_status().json()
        found += page["rows"]
        assert len(page["rows"]) == limit or page["next"] is None
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def test_a_gift_becomes_a_hand_over_over_http(client: httpx.Client, store: Store) -> None:
    line = {"item": "rice", "quantity": 2, "unit": "sack"}
    lot = post(client, "receive", {"site": "hub", "giver": "mill", "lines": [line]}, "gift-000001").json()["lots"][0]
    sent = post(
        client, "send", {"site": "hub", "to": "north", "lines": [{"item": "rice", "quantity": "30.5", "unit": "kg"}]}
    ).json()
    assert sent["lines"] == [{"lot": lot["lot"], "quantity": 30_500}]
    assert post(client, "arrive", {"shipment": sent["shipment"]}, "come-000001").status_code == 200
    goods = [{"item": "rice", "quantity": 3_000}]
    body = {"site": "north", "programme": "basics", "tag": tag(7), "size": 4, "lines": goods}
    given = post(client, "hand-over", body, "hand-000001", desk="north-1", at="2026-03-02T10:00:00+01:00").json()
    assert given["left"] == {"kit": 1, "rice": 2_000}
    error = told(post(client, "hand-over", body, "hand-000002", at="2026-03-02T11:00:00+01:00"), 409, "claim")
    assert "2000 of rice left" in error["message"]
    traced = client.get(f"/trace/{lot['lot']}").json()["lots"][0]
    assert [(row["kind"], row["site"], row["quantity"]) for row in traced["forward"]] == [
        ("HANDED_OVER", "north", 3_000),
        ("STOCK", "hub", 19_500),
        ("STOCK", "north", 27_500),
    ]
    found = client.get("/transactions/hand-000001").json()
    assert (found["actor"], found["desk"], found["at"]) == ("staff-1", "north-1", "2026-03-02T09:00:00.000Z")
    assert found["answer"] == given
    report = client.post("/audit").json()
    assert report["holds"]
    assert report["transactions"] == client.get("/head").json()["seq"]


def test_a_command_sent_again_counts_once_and_its_key_takes_no_other_body(client: httpx.Client, store: Store) -> None:
    desk = Desk(store)
    lot = desk.give(item="rice", quantity=10)
    body = {"site": "hub", "to": "north", "lines": [{"item": "rice", "quantity": 4}]}
    answers = [post(client, "send", body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()
    # The same request written otherwise is the same request.
    again = {"to": "north", "site": "hub", "lines": [{"quantity": 4, "item": "rice", "unit": None}]}
    assert post(client, "send", again).json() == answers[0].json()
    told(post(client, "send", {**body, "to": "south"}), 409, "id-taken")
    told(post(client, "expire", {"site": "hub"}), 409, "id-taken")
    assert desk.held(site="hub") == {lot: 6}


def test_one_key_sent_by_many_at_once_counts_once(client: httpx.Client, store: Store) -> None:
    desk = Desk(store)
    lot = desk.give(item="rice", quantity=10)
    body = {"site": "hub", "to": "north", "lines": [{"item": "rice", "quantity": 4}]}
    got: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: got.append(post(client, "send", body))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in got} == {200}
    assert len({answer.text for answer in got}) == 1
    assert desk.held(site="hub") == {lot: 6}


def test_pages_of_any_size_hold_every_row_once_and_in_order(client: httpx.Client, store: Store) -> None:
    every_command(Desk(store))
    for limit in (1, 7, 1000):
        assert pages(client, "/balances", limit) == balances_of(store)
        assert pages(client, "/movements", limit) == movements_of(store)
        for name in LISTED:
            assert pages(client, f"/lists/{name}", limit) == listed(store, name), name
    for only in ({"site": "hub"}, {"item": "rice"}, {"lot": balances_of(store)[0]["lot"]}):
        assert pages(client, "/balances", 2, **only) == balances_of(store, **only)
        assert pages(client, "/movements", 3, **only) == movements_of(store, **only)
    assert pages(client, "/balances", 3, kind="STOCK") == balances_of(store, kind="STOCK")
    rows = pages(client, "/transactions", 10)
    assert [row["seq"] for row in rows] == list(range(1, client.get("/head").json()["seq"] + 1))


def test_every_fault_has_the_one_shape(client: httpx.Client) -> None:
    told(client.get("/nothing"), 404, "no-such-address")
    told(client.post("/commands/steal", json={}, headers=KEY), 404, "no-such-address")
    told(client.delete("/head"), 405, "no-such-method")
    told(post(client, "expire", {"site": "nowhere"}), 404, "unknown")
    told(client.get("/trace/L99-1"), 404, "unknown")
    told(client.get("/transactions/never-sent-01"), 404, "unknown")
    told(
        post(client, "send", {"site": "hub", "to": "north", "lines": [{"item": "oil", "quantity": 1}]}),
        409,
        "not-enough",
    )
    told(post(client, "set-site-state", {"site": "hub", "state": "open"}, key="short"), 422, "invalid")
    assert told(client.post("/commands/expire", json={"site": "hub"}), 422, "invalid")["field"] == "Idempotency-Key"
    assert told(client.get("/balances", params={"cursor": "bm9uZQ"}), 422, "invalid")["field"] == "cursor"
    assert told(client.get("/balances", params={"site": "no site"}), 422, "invalid")["field"] == "site"
    assert told(post(client, "expire", {"site": "hub"}, at="2062-01-01T00:00:00Z"), 422, "invalid")
    error = told(post(client, "add-site", {"site": "No Code", "nam": "?"}), 422, "invalid")
    assert [fault["field"] for fault in error["faults"]] == ["site", "name", "nam"]
    broken = client.post("/commands/expire", content="{", headers={**KEY, "Content-Type": "application/json"})
    assert "no JSON" in told(broken, 422, "invalid")["message"]
    told(post(client, "expire", [1]), 422, "invalid")
    many = {"site": "hub", "giver": "mill", "lines": [{"item": "rice", "quantity": 1}] * 40_000}
    told(post(client, "receive", many), 413, "too-large")
    told(client.post("/audit", json=[{"seq": 1}]), 422, "invalid")


def test_a_ledger_that_others_hold_is_a_clean_try_again(new_place: NewPlace) -> None:
    place = new_place()
    with Store(place, wait_s=0.05, tries=2) as store, served(store) as address:
        holding, done = threading.Event(), threading.Event()

        def hold() -> None:
            with Store(place) as other, other._writing():
                holding.set()
                done.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        holding.wait(20)
        with httpx.Client(base_url=address) as client:
            busy = post(client, "add-party", {"party": "g-1"})
            told(busy, 503, "busy")
            assert busy.headers["Retry-After"] == "1"
            done.set()
            thread.join()
            assert post(client, "add-party", {"party": "g-1"}).json()["party"] == "g-1"


def test_without_staff_only_this_machine_is_answered(client: httpx.Client) -> None:
    assert client.get("/head").status_code == 200
    # A page from elsewhere whose name was made to point at this machine.
    told(client.get("/head", headers={"Host": "elsewhere.example"}), 401, "sign-in")
    told(client.post("/commands/expire", json={"site": "hub"}, headers={**KEY, "Host": "x.example:1"}), 401, "sign-in")


def test_a_role_does_what_it_may_and_nothing_else(store: Store) -> None:
    viewer = Person("viewer-1", lambda what: what in ("read", "expire"))
    with served(store, lambda: viewer) as address, httpx.Client(base_url=address) as client:
        assert client.get("/balances").status_code == 200
        assert post(client, "expire", {"site": "hub"}).status_code == 200
        told(post(client, "add-party", {"party": "g-1"}, "key-00000002"), 403, "not-yours")
        assert client.get("/transactions/key-00000001").json()["actor"] == "viewer-1"


def test_the_document_of_the_interface_is_complete(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    kinds = {path.removeprefix("/commands/") for path in document["paths"] if path.startswith("/commands/")}
    assert kinds == set(COMMANDS)
    for path, methods in document["paths"].items():
        for method, told_of in methods.items():
            assert told_of["summary"], path
            (content,) = told_of["responses"]["200"]["content"].values()
            assert content["schema"], path
            for status, answer in told_of["responses"].items():
                if not status.startswith("2"):
                    assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Refusal"), (path, status)
            if path.startswith("/commands/"):
                keys = [p for p in told_of["parameters"] if p["name"] == "Idempotency-Key"]
                assert [key["required"] for key in keys] == [True], path
                assert method == "post"
    schema = {"$ref": "#/components/schemas/Refusal", "components": document["components"]}
    jsonschema.validate(client.delete("/head").json(), schema)
