"""Proposals, reports, files and copies over HTTP say what the command line says, once by one key, to whom may know."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nearer.aid import commands as c
from nearer.aid.api.gate import Person
from nearer.aid.api.seeing import THANKS
from nearer.aid.backup import restore
from nearer.aid.publishing.giver import gift_of
from nearer.aid.seeing import flows, indicators, span_of, stock_card
from nearer.aid.sharing.propose import decisions_of
from nearer.aid.store import Store, sql_of

from ..conftest import NewPlace
from ..server import served
from ..town import Desk, Ticking, every_command, wanted
from .test_api import post, told

KEY = {"Idempotency-Key": "propose-0001"}
WISH = {"first_day": "2026-03-02", "needs": ["requests"]}


@pytest.fixture
def town(new_place: NewPlace) -> Iterator[Desk]:
    """A town where everything has happened once."""
    with Store(new_place(), clock=Ticking()) as store:
        desk = Desk(store)
        every_command(desk)
        for item in ("kit", "oil"):
            desk.do(c.MeasureItem(item=item, milligrams=1_000, cubic_mm=1_000))
        yield desk


@pytest.fixture
def client(town: Desk) -> Iterator[httpx.Client]:
    with served(town.store) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def test_a_proposal_is_made_once_by_its_key_shown_with_reasons_and_approved(client: httpx.Client, town: Desk) -> None:
    town.give(item="rice", quantity=10_000)
    town.do(c.Ask(site="north", lines=wanted(rice=4_000)))
    first = client.post("/proposals", json=WISH, headers=KEY)
    assert first.status_code == 200, first.text
    made = first.json()
    assert made["status"] == "proven"
    assert sum(line["quantity"] for line in made["lines"] if line["for"] == "north") > 0, [
        share["because"] for share in made["shares"]
    ]
    assert all(share["because"] for share in made["shares"])
    assert client.post("/proposals", json=WISH, headers=KEY).json() == made
    told(client.post("/proposals", json={**WISH, "days": 3}, headers=KEY), 409, "id-taken")
    taken = {"Idempotency-Key": client.get("/transactions?limit=1").json()["rows"][0]["id"]}
    told(client.post("/proposals", json=WISH, headers=taken), 409, "id-taken")
    points = client.post("/frontier", json=WISH).raise_for_status().json()["points"]
    assert points[0]["served_kg"] <= points[-1]["bound_kg"] + 1e-9
    assert post(client, "approve", {"proposal": made["proposal"]}, "approve-0001").status_code == 200
    assert client.get(f"/proposals/{made['proposal']}").json()["decision"]["outcome"] == "approved"
    rows, cursor = [], None
    while rows == [] or cursor:
        page = client.get("/decisions", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        rows, cursor = rows + page["rows"], page["next"]
    assert rows == decisions_of(town.store)
    told(client.get("/proposals/A999"), 404, "unknown")
    told(client.post("/proposals", json={**WISH, "needs": ["wishes"]}, headers=KEY), 422, "invalid")
    town.proven()


def test_a_crisis_is_a_proposal_that_closes_a_site_and_says_who_takes_over(client: httpx.Client, town: Desk) -> None:
    wish = {**WISH, "closing": {"south": "flood"}, "surges": {"north": 1500}}
    made = client.post("/proposals", json=wish, headers={"Idempotency-Key": "crisis-00001"}).raise_for_status().json()
    assert made["kind"] == "crisis"
    assert made["closures"] == [{"site": "south", "reason": "flood"}]
    assert made["surges"] == [{"site": "north", "per_mille": 1500}]
    unknown = {**WISH, "closing": {"nowhere": "flood"}}
    assert client.post("/proposals", json=unknown, headers={"Idempotency-Key": "crisis-00002"}).status_code in (
        404,
        422,
    )


def test_what_is_looked_back_on_is_what_the_command_line_says(client: httpx.Client, town: Desk) -> None:
    with town.store.reading() as connection:
        sql = sql_of(connection)
        span = span_of(sql)
        assert client.get("/flows").json() == {"rows": flows(sql, span)}
        assert client.get("/flows", params={"site": "north"}).json() == {"rows": flows(sql, span, site="north")}
        assert client.get("/stock-card?site=hub&item=rice").json() == stock_card(sql, span, "hub", item="rice")
        assert client.get("/indicators?expected=100").json() == indicators(sql, span, expected=100).as_json()
    told(client.get("/stock-card?site=hub"), 422, "invalid")
    told(client.get("/stock-card?site=hub&item=gold"), 404, "unknown")
    told(client.get("/flows?first=2026-03-09&last=2026-03-01"), 422, "invalid")
    told(client.get("/flows?first=9999-12-31"), 422, "invalid")
    published = client.get("/published").json()["rows"]
    for row in published:
        shown = client.get(f"/published/{row['release']}").json()
        assert {name: shown[name] for name in row} == row
        assert all(
            cell["households"] is None or cell["households"] == 0 or cell["households"] >= row["least"]
            for cell in shown["cells"]
        )
    told(client.get("/published/B999"), 404, "unknown")
    assert client.get("/exports/demand").status_code == 200
    told(client.get("/exports/demand?least=1"), 422, "invalid")


def test_a_giver_who_has_a_number_needs_no_session_and_may_not_ask_without_end(town: Desk) -> None:
    number = town.do(c.Receive(site="hub", giver="mill", lines=(c.Gift(item="rice", quantity=500),)))["thanks"]

    def nobody() -> Person:
        raise AssertionError("the gate is asked for nothing")

    with served(town.store, nobody) as address, httpx.Client(base_url=address) as client:
        assert client.get(f"/thanks/{number}").json() == gift_of(town.store, number)
        told(client.get("/thanks/T00000000000000F"), 404, "unknown")
        for _ in range(THANKS - 2):
            client.get("/thanks/T00000000000000F")
        answer = client.get(f"/thanks/{number}")
        told(answer, 429, "too-often")
        assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_file_is_shown_then_taken_in_and_counts_once(client: httpx.Client, town: Desk) -> None:
    before = town.held(site="north")
    table = {"file": ("gifts.csv", b"item,quantity,unit\nrice,3,kg\nrice,2,sack\n", "text/csv")}
    asked = {"what": "gifts", "site": "north", "giver": "mill"}
    shown = client.post("/imports", data=asked, files=table).raise_for_status().json()
    assert (shown["applied"], shown["rows"], shown["answers"], shown["file"]) == (False, 2, [], "gifts.csv")
    assert town.held(site="north") == before
    answers = [client.post("/imports", data={**asked, "apply": "true"}, files=table).json() for _ in range(2)]
    assert answers[0]["answers"] == answers[1]["answers"] != []
    assert [one["commands"][0]["done"] for one in answers] == [False, True]
    assert sum(town.held(site="north").values()) - sum(before.values()) == 53_000
    wrong = {"file": ("../../wrong gifts.csv", b"item,quantity,unit\ngold,3,kg\nrice,x,kg\n", "text/csv")}
    error = told(client.post("/imports", data=asked, files=wrong), 422, "invalid")
    assert len(error["faults"]) == 2
    assert "/tmp" not in json.dumps(error)
    told(client.post("/imports", data={"what": "epcis"}, files=table), 422, "invalid")
    told(client.post("/imports", data=asked), 422, "invalid")
    told(client.post("/imports", data=asked, files={"file": b"x" * (9 << 20)}), 413, "too-large")
    town.proven()


def test_labels_and_new_cards_are_sheets_to_print(client: httpx.Client, town: Desk) -> None:
    lot = town.give("north", item="rice", quantity=7)
    for answer in (
        client.get("/labels", params={"lot": [lot, lot]}),
        client.get("/labels?site=north"),
        client.post("/labels/cards?count=25"),
    ):
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")
        assert answer.headers["cache-control"] == "no-store"
    told(client.get("/labels"), 422, "invalid")
    told(client.get("/labels?lot=L999-1"), 404, "unknown")


def test_a_coordinator_gets_a_copy_that_is_a_ledger_again(client: httpx.Client, town: Desk, tmp_path: Path) -> None:
    answer = client.get("/backup").raise_for_status()
    assert gzip.decompress(answer.content)
    (tmp_path / "copy.gz").write_bytes(answer.content)
    made = restore(tmp_path / "copy.gz", str(tmp_path / "again.db"))
    assert {name: made[name] for name in ("seq", "hash")} == {
        name: value for name, value in client.get("/head").json().items() if name != "ledger"
    }


def test_who_may_only_read_makes_no_proposal_and_gets_no_copy(town: Desk) -> None:
    from nearer.aid.households.staff import may

    with (
        served(town.store, lambda: Person("view-1", lambda what: may("viewer", what))) as address,
        httpx.Client(base_url=address) as client,
    ):
        assert client.get("/flows").status_code == client.get("/decisions").status_code == 200
        told(client.post("/proposals", json=WISH, headers=KEY), 403, "not-yours")
        told(client.post("/frontier", json=WISH), 403, "not-yours")
        for path in ("/backup", "/labels?site=north", "/exports/demand"):
            told(client.get(path), 403, "not-yours")
        told(client.post("/labels/cards?count=1"), 403, "not-yours")
        told(client.post("/imports", data={"what": "stock"}, files={"file": b"a,b\n1,2\n"}), 403, "not-yours")
